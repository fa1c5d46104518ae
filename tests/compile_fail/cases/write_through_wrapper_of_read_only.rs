//! What cannot be written is not written through what wraps it either.

use unix_memory::{MapOptions, Mapping, ReadOnly, SealedMemory};

fn main() {
    let read_only = || Mapping::anonymous(100).unwrap().protect(ReadOnly).unwrap();
    let mut locked = read_only().into_locked().unwrap();
    locked[0] = 1;
    let _bytes: &mut [u8] = locked.as_mut();
    let mut guarded = MapOptions::new().len(100).map_guarded(1, 1, ReadOnly).unwrap();
    guarded[0] = 1;
    let mut sealed = SealedMemory::from_bytes(b"a constant").unwrap();
    sealed[0] = 1;
    let _bytes: &mut [u8] = sealed.as_mut();
}
