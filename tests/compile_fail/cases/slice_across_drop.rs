//! A slice does not outlive its mapping, however that ends.

use unix_memory::Mapping;

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let slice = &mapping[..];
    drop(mapping);
    println!("{slice:?}");

    let mapping = Mapping::anonymous(100).unwrap();
    let slice = &mapping[..];
    mapping.unmap().unwrap();
    println!("{slice:?}");

    let slice = {
        let mapping = Mapping::anonymous(100).unwrap();
        &mapping[..]
    };
    println!("{slice:?}");
}
