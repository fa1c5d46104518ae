//! What cannot be executed is not made ready to be executed.

use unix_memory::{MapOptions, Mapping, ReadOnly, ReadWrite};

fn main() {
    let mapping = Mapping::anonymous(100).unwrap();
    mapping.sync_instruction_cache(..).unwrap();
    let mapping = mapping.protect(ReadOnly).unwrap();
    mapping.sync_instruction_cache(..).unwrap();
    let shared = MapOptions::new().len(100).map_anonymous_shared(ReadWrite).unwrap();
    shared.sync_instruction_cache(..).unwrap();
}
