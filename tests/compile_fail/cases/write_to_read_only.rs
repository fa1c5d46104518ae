//! What cannot be written is not written to.

use unix_memory::{Mapping, ReadExecute, ReadOnly};

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap();
    mapping[0] = 1;
    mapping.fill(1);
    let mut code = Mapping::anonymous(100).unwrap().protect(ReadExecute).unwrap();
    code[0] = 1;
}
