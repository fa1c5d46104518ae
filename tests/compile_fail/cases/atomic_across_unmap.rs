//! An atomic does not outlive its mapping, nor a change of its protection.

use std::sync::atomic::{AtomicU32, Ordering};

use unix_memory::{MapOptions, ReadOnly, ReadWrite};

fn main() {
    let options = MapOptions::new().len(100);
    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let number = mapping.atomic::<AtomicU32>(0).unwrap();
    mapping.unmap().unwrap();
    number.store(1, Ordering::Relaxed);

    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    let numbers = mapping.atomics::<AtomicU32>(0, 2).unwrap();
    let _read_only = mapping.protect(ReadOnly).unwrap();
    numbers[0].store(1, Ordering::Relaxed);
}
