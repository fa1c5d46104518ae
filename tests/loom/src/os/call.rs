//! Pages of zeros, which are counted.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr::NonNull;

use crate::error::Errno;
use crate::page::page_size;

thread_local! {
    /// What is mapped, by address: of how many bytes. (All threads of a model run in one thread of the system.)
    static MAPPED: RefCell<HashMap<usize, usize>> = RefCell::default();
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len, page_size()).expect("a few pages")
}

pub fn zeroed_pages(len: usize) -> Result<NonNull<u8>, Errno> {
    // SAFETY: it is not empty.
    let start = unsafe { alloc_zeroed(layout(len)) };
    let start = NonNull::new(start).ok_or(libc::ENOMEM)?;
    MAPPED.with_borrow_mut(|mapped| mapped.insert(start.addr().get(), len));
    Ok(start)
}

/// # Safety
/// The pages were mapped by [`zeroed_pages`], and nobody uses them.
///
/// # Panics
/// If they are not mapped, or not by one call.
pub unsafe fn munmap(start: NonNull<u8>, len: usize) -> Result<(), Errno> {
    let address = start.addr().get();
    let mapped = MAPPED.with_borrow_mut(|mapped| mapped.remove(&address));
    assert_eq!(mapped, Some(len), "unmapped once, as they were mapped");
    watched_core::forget(&(address..address + len));
    // SAFETY: as the caller vouches.
    unsafe { dealloc(start.as_ptr(), layout(len)) };
    Ok(())
}

pub const unsafe fn munlock(_: NonNull<u8>, _: usize) -> Result<(), Errno> {
    Ok(())
}

/// Another thread has to go on.
pub fn pause() {
    loom::thread::yield_now();
}

/// How many mappings there are.
pub fn mapped() -> usize {
    MAPPED.with_borrow(HashMap::len)
}
