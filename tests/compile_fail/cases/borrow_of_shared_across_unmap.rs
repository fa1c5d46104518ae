//! What goes over a shared mapping does not outlive it.

use unix_memory::{Cursor, MapOptions, ReadWrite};

fn main() {
    let options = MapOptions::new().len(100);
    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let chunks = mapping.chunks(10);
    mapping.unmap().unwrap();
    println!("{}", chunks.count());

    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let cursor = Cursor::new(&mapping);
    mapping.unmap().unwrap();
    println!("{}", cursor.position());

    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let residency = mapping.residency();
    mapping.unmap().unwrap();
    println!("{}", residency.count());

    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let lock = mapping.lock().unwrap();
    mapping.unmap().unwrap();
    drop(lock);
}
