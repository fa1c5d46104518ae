//! What the caller has to vouch for is not done by a safe call.

use std::fs::File;
use std::ptr;

use unix_memory::code::Code;
use unix_memory::foreign::ForeignPages;
use unix_memory::{
    FileBytesOptions, MapOptions, Mapping, Protection, ReadOnly, ReadWrite, SharedMapping,
    UncheckedAdvice,
};

fn mappings(mapping: Mapping<ReadWrite>, shared: SharedMapping<ReadWrite>) {
    mapping.advise_unchecked(.., UncheckedAdvice::DontNeed).unwrap();
    shared.advise_unchecked(.., UncheckedAdvice::DontNeed).unwrap();
    let _mapping = shared.assume_unshared();
}

fn files(file: File) {
    let _bytes = FileBytesOptions::new().map_shared(&file).unwrap();
    let _bytes = FileBytesOptions::new().map_private(&file).unwrap();
    let _mapping = MapOptions::new().len(1).map_shared_raw(0, ReadOnly).unwrap();
    let _mapping = MapOptions::new().len(1).map_private_raw(0, ReadOnly).unwrap();
}

fn code(mut code: Code) {
    let _function = code.function::<fn()>(0).unwrap();
    code.patch(0, b"").unwrap();
}

fn main() {
    let pages = ForeignPages::new(ptr::null(), 1).unwrap();
    pages.protect(Protection::READ).unwrap();
    let _guard = pages.protect_for_now(Protection::READ).unwrap();
    let _lock = pages.lock().unwrap();
    pages.unlock().unwrap();
}
