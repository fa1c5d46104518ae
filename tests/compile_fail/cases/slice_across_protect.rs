//! A slice does not outlive a change of protection.

use unix_memory::{Mapping, ReadOnly};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let slice = &mapping[..];
    let _read_only = mapping.protect(ReadOnly).unwrap();
    println!("{slice:?}");
}
