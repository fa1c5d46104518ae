//! What cannot be read is not read.

use unix_memory::{Mapping, NoAccess};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap().protect(NoAccess).unwrap();
    let _byte = mapping[0];
    let _bytes: &[u8] = mapping.as_ref();
    let _view = mapping.view::<u32>(..).unwrap();
    let _lock = mapping.lock().unwrap();
}
