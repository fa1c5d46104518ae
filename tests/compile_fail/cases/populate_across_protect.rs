//! What is brought in can be read until it is done.

use unix_memory::{Mapping, NoAccess};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let steps = mapping.populate_in_steps(1);
    let _none = mapping.protect(NoAccess).unwrap();
    println!("{}", steps.count());
}
