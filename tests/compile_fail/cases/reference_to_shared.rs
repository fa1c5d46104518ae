//! Nobody gets a reference to bytes that others may change.

use unix_memory::{MapOptions, ReadWrite};

fn main() {
    let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite).unwrap();
    let _byte = mapping[0];
    let _bytes: &[u8] = &mapping;
    let _bytes: &[u8] = mapping.as_ref();
}
