//! What cannot be written has no methods that write.

use unix_memory::{MapOptions, Mapping, ReadOnly};

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap();
    mapping.view_mut::<u32>(..).unwrap();
    let shared = MapOptions::new().len(100).map_anonymous_shared(ReadOnly).unwrap();
    shared.write_at(0, b"no").unwrap();
    shared.fill(.., 1).unwrap();
    mapping.seal().unwrap().into_static_mut();
    Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap().leak_mut();
}
