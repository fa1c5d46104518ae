//! What is permanently read-only is not written.

use unix_memory::{Mapping, ReadOnly};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap();
    let mut permanent = mapping.seal().unwrap();
    permanent[0] = 1;
}
