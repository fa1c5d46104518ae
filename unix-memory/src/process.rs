//! Which process this is: values made before `fork` check this before they act in a child.
//!
//! The kernel's process number is not enough: the first process of a PID namespace has the number 1,
//! and its parent may have the same number in another. So there is a word, in a page of its own, that
//! the kernel sets to zero in every child, however the child was made. Each process puts a number
//! there that none of its ancestors had. Comparing it makes no system call.
//!
//! A child of `vfork` uses its parent's memory, and so owns what belongs to that memory: identity is
//! that of the address space, as it is for locks and mappings.
//!
//! Where the kernel does not wipe pages (Linux before 4.14, some other systems), a function that
//! `fork` calls in the child sets the word to zero, and the kernel's number is compared as well,
//! which takes a system call. A child that a bare `clone` made in another namespace, and that has the
//! same number as its parent, is then mistaken for its parent.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use crate::error::Errno;
use crate::os::{self, call};
use crate::page::{Pages, page_size};

/// This process, or one that is or was an ancestor of it.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Where the number of the process that asks is.
    page: &'static Page,
    /// Not zero.
    number: u32,
    /// The kernel's number if it is needed; otherwise zero.
    id: libc::pid_t,
}

/// The page that is all zeros in a child.
#[derive(Debug)]
#[repr(C)]
struct Page {
    /// Zero until it is first asked for.
    number: AtomicU32,
}

/// Null until there is one; then it stays.
static PAGE: AtomicPtr<Page> = AtomicPtr::new(core::ptr::null_mut());

/// Whether the kernel wipes it. Until that is known, the kernel's number is compared too.
static IS_WIPED: AtomicBool = AtomicBool::new(false);

/// The last number that this process or one of its ancestors took.
static LAST: AtomicU32 = AtomicU32::new(0);

impl Process {
    /// This process.
    ///
    /// # Errors
    /// `ENOMEM` if the page, which is made at the first call, cannot be mapped.
    #[inline]
    pub fn current() -> Result<Self, Errno> {
        let page = match page() {
            Some(page) => page,
            None => make_page()?,
        };
        let number = match page.number.load(Relaxed) {
            0 => page.take_number(),
            number => number,
        };
        let id = if IS_WIPED.load(Relaxed) {
            0
        } else {
            call::process_id()
        };
        Ok(Self { page, number, id })
    }

    /// Whether this process is that one, rather than a child of it.
    #[inline]
    pub fn is_current(self) -> bool {
        // In a child that has not asked before, the number is zero.
        self.page.number.load(Relaxed) == self.number
            && (self.id == 0 || self.id == call::process_id())
    }

    /// A nonzero number that no ancestor of this process has.
    pub const fn number(self) -> u32 {
        self.number
    }
}

/// Whether this system follows advice. (An emulator may accept any advice and follow none.)
#[inline]
pub fn follows_advice() -> bool {
    IS_WIPED.load(Relaxed) || find_out()
}

/// Whether this system would wipe the page of this process in a child.
#[cold]
fn find_out() -> bool {
    // (Without the page, nothing is known.)
    page().is_none() && make_page().is_ok() && IS_WIPED.load(Relaxed)
}

impl Page {
    /// Takes a number for this process, unless another thread was first.
    #[cold]
    fn take_number(&self) -> u32 {
        // A child's number is larger than those that its ancestors had when it was made. (Each
        // process that uses this takes one: it would take four thousand million forks in a row to
        // wrap.)
        let mut next = LAST.fetch_add(1, Relaxed).wrapping_add(1);
        if next == 0 {
            next = LAST.fetch_add(1, Relaxed).wrapping_add(1);
        }
        match self.number.compare_exchange(0, next, Relaxed, Relaxed) {
            Ok(_) => next,
            Err(first) => first,
        }
    }
}

#[inline]
fn page() -> Option<&'static Page> {
    let page = NonNull::new(PAGE.load(Acquire))?;
    // SAFETY: it was mapped for this, holds only atomics, for which any bits are a value, and is
    // never unmapped. [kept, atomic]
    Some(unsafe { page.as_ref() })
}

/// Maps the page, unless another thread is first.
#[cold]
fn make_page() -> Result<&'static Page, Errno> {
    let len = page_size();
    let new = call::zeroed_pages(len)?;
    let pages = Pages { start: new, len };
    // SAFETY: the page is new, and nothing refers to it. [new]
    let wiped = unsafe { os::wipe_in_children(pages) }.is_ok();
    if !wiped {
        // This comes before the page exists, so that no child made in between has the page without
        // being noticed. (If this fails, only the kernel's number is left.)
        let _as_far_as_it_goes = os::at_fork(forget_number);
    }
    let ours = new.as_ptr().cast();
    match PAGE.compare_exchange(core::ptr::null_mut(), ours, AcqRel, Acquire) {
        Ok(_) => IS_WIPED.store(wiped, Relaxed),
        Err(_first) => {
            // SAFETY: nobody else has this page. [new]
            let _refused = unsafe { call::munmap(new, len) };
        }
    }
    Ok(page().expect("it was there, or was made"))
}

/// Called in a child.
extern "C" fn forget_number() {
    if let Some(page) = page() {
        page.number.store(0, Release);
    }
}
