//! A lock that nothing but its drop uses must not outlive what it locks either.

use unix_memory::Mapping;

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    let _guard = mapping.lock().unwrap();
    mapping.unmap().unwrap();
}
