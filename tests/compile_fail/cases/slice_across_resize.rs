//! A slice does not outlive a change of the length.

use unix_memory::Mapping;

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap();
    let slice = &mapping[..];
    mapping.resize(200).unwrap();
    println!("{slice:?}");
}
