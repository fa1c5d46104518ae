//! A slice does not outlive what wraps its mapping.

use unix_memory::{FileBytes, MapOptions, Mapping, ReadOnly, ReadWrite, SealedMemory};

fn main() {
    let locked = Mapping::anonymous(100).unwrap().into_locked().unwrap();
    let slice = &locked[..];
    let mapping = locked.unlock();
    println!("{slice:?}");

    let locked = mapping.into_locked().unwrap();
    let slice = &locked[..];
    let _read_only = locked.protect(ReadOnly).unwrap();
    println!("{slice:?}");

    let guarded = MapOptions::new().len(100).map_guarded(1, 1, ReadWrite).unwrap();
    let slice = &guarded[..];
    let _parts = guarded.into_parts();
    println!("{slice:?}");

    let mut permanent = Mapping::anonymous(100).unwrap().seal().unwrap();
    let slice = &permanent[..];
    permanent[0] = 1;
    println!("{slice:?}");

    let sealed = SealedMemory::from_bytes(b"a constant").unwrap();
    let slice = &sealed[..];
    drop(sealed);
    println!("{slice:?}");

    let bytes = FileBytes::load(std::fs::File::open("data").unwrap()).unwrap();
    let slice = &bytes[..];
    drop(bytes);
    println!("{slice:?}");
}
