//! Not every type is its bytes.

use unix_memory::Mapping;

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap();
    let _truths = mapping.view::<bool>(..).unwrap();
    let _texts = mapping.view::<&str>(..).unwrap();
    let _cells = mapping.view_mut::<core::cell::Cell<u8>>(..).unwrap();
}
