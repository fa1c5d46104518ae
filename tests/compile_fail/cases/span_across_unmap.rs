//! What is advised on is mapped.

use unix_memory::{Advice, Mapping};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let span = mapping.span(..).unwrap();
    mapping.unmap().unwrap();
    Advice::WillNeed.apply(&[span]).unwrap();
}
