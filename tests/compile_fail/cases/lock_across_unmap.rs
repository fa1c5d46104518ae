//! A lock does not outlive what it locks.

use unix_memory::Mapping;

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let lock = mapping.lock().unwrap();
    mapping.unmap().unwrap();
    drop(lock);
}
