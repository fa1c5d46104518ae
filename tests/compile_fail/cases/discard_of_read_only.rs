//! What cannot be written is not made zeros.

use unix_memory::{Mapping, ReadOnly};

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap();
    mapping.discard(..).unwrap();
}
