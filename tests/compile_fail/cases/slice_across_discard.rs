//! A slice does not outlive the bytes that it shows.

use unix_memory::Mapping;

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap();
    let slice = &mapping[..];
    mapping.discard(..).unwrap();
    println!("{slice:?}");
}
