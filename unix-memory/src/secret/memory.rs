//! The memory of a secret: who may access it, and how it ends.
//!
//! To the kernel, its pages are a mapping of their own, between guard pages that differ from it in more
//! than protection (they are neither locked nor left out of core dumps or children). So no change of its
//! protection adds or removes a mapping, and none is refused at the kernel's limit of mappings.

use core::ffi::c_int;
use core::mem::ManuallyDrop;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use unix_memory_sys as sys;

use super::canary;
use super::options::SecretOptions;
use super::pages::Made;
use super::protections::Protections;
use super::wipe::wipe;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::os::call::Wanted;
use crate::os::{self, call};
use crate::page::Pages;
use crate::protection::NoAccess;
use crate::region::Region;
use crate::region::alone::{Alone, Inherited};
use crate::region::limit::why_refused;

/// Nobody has the pages open.
const NOBODY: usize = 0;
/// Another thread is about to open or to close them.
const BUSY: usize = usize::MAX;
/// They should be closed, but the kernel refused to close them.
const LEFT_OPEN: usize = usize::MAX - 1;
/// The largest number of readers that can be counted.
const MOST: usize = usize::MAX - 2;

/// How often a busy state is polled before the processor is given up.
const SPINS: u32 = 100;

pub struct Memory {
    /// Whole pages, the last bytes of which are the secret. Unmapped according to `alone`.
    region: ManuallyDrop<Region>,
    /// The pages before and behind it that cannot be accessed, if any.
    _guards: [Mapping<NoAccess>; 2],
    /// In bytes.
    len: usize,
    had: Protections,
    /// Its users are [`NOBODY`], [`BUSY`], [`LEFT_OPEN`], or the number of readers; a writer counts
    /// as one.
    alone: Alone,
}

impl Memory {
    /// Maps memory for `len` bytes, all zeros. It can be written until it is
    /// [closed](Self::close_all).
    ///
    /// # Errors
    /// Those of [`SecretOptions::zeroed`].
    pub fn new(options: &SecretOptions, len: usize) -> Result<Self> {
        let Made { pages, had } = Made::new(options, len)?;
        let inherited = if had.contains(Protections::SECRET_MEMORY) {
            Inherited::Nothing
        } else {
            Inherited::Pages
        };
        // SAFETY: `drop` unmaps them, once they have been released; they are closed where `users` is
        // zero. [child, counted]
        let alone = unsafe { Alone::new(pages.region.pages(), inherited, 1) };
        let alone =
            alone.map_err(|errno| Error::kernel(Call::Mmap, errno, Arguments::Length(len)))?;
        let mut memory = Self {
            region: ManuallyDrop::new(pages.region),
            _guards: pages.guards,
            len,
            had,
            alone,
        };
        canary::set(memory.slack_mut());
        Ok(memory)
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub fn protections(&self) -> Protections {
        if self.users().load(Relaxed) == LEFT_OPEN {
            return self.had.difference(Protections::CLOSED);
        }
        self.had
    }

    /// The address of the first byte of the secret.
    pub fn address(&self) -> usize {
        self.start().addr()
    }

    fn pages(&self) -> Pages {
        self.region.pages()
    }

    const fn users(&self) -> &'static AtomicUsize {
        self.alone.users()
    }

    /// How many bytes of the pages precede the secret.
    fn slack(&self) -> usize {
        self.pages().len - self.len
    }

    /// The first byte of the secret.
    fn start(&self) -> *mut u8 {
        self.region.start().as_ptr().wrapping_add(self.slack())
    }

    /// The bytes, which the caller has opened.
    ///
    /// # Panics
    /// In a child.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.assert_here();
        // SAFETY: the bytes lie in the region, which lives as long as `self`. They are open to be read:
        // this is called by a guard, which counts as a reader and closes them no earlier than it is
        // dropped, or under `&mut`. Whoever writes to them has `&mut`. [counted, owned]
        unsafe { core::slice::from_raw_parts(self.start(), self.len) }
    }

    /// The bytes, which the caller has opened to be written.
    ///
    /// # Panics
    /// In a child.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.assert_here();
        // SAFETY: as for `bytes`; the borrow is exclusive. [counted, borrowed]
        unsafe { core::slice::from_raw_parts_mut(self.start(), self.len) }
    }

    /// All bytes before the secret, while they are open to be written.
    fn slack_mut(&mut self) -> &mut [u8] {
        let slack = self.slack();
        // SAFETY: they lie in the region; the borrow is exclusive. [owned, borrowed]
        unsafe { core::slice::from_raw_parts_mut(self.region.start().as_ptr(), slack) }
    }

    /// In a child the pages are wiped, or absent: zeros must not be mistaken for the key.
    #[inline]
    fn assert_here(&self) {
        assert!(
            self.alone.is_here(),
            "this process is a child of the one that made the secret"
        );
    }

    #[inline]
    fn check_here(&self) -> Result<()> {
        if self.alone.is_here() {
            return Ok(());
        }
        let arguments = Arguments::Length(self.len);
        let reason = Reason::OtherProcess;
        Err(Error::new(Call::Borrow, libc::EPERM, arguments, reason))
    }

    /// Adds a reader, and opens the pages if it is the first.
    ///
    /// # Errors
    /// Those of [`Secret::borrow`](super::Secret::borrow).
    pub fn add_reader(&self) -> Result<()> {
        self.check_here()?;
        let users = self.users();
        loop {
            let now = settled(users);
            let next = match now {
                MOST => {
                    let arguments = Arguments::Length(self.len);
                    return Err(Error::kernel(Call::Borrow, libc::EAGAIN, arguments));
                }
                NOBODY | LEFT_OPEN => BUSY,
                readers => readers + 1,
            };
            // Acquire: what a writer wrote before is seen.
            match users.compare_exchange_weak(now, next, Acquire, Relaxed) {
                Ok(_) if next == BUSY => {
                    let opened = self.protect(sys::PROT_READ);
                    users.store(if opened.is_ok() { 1 } else { now }, Release);
                    return opened;
                }
                Ok(_) => return Ok(()),
                Err(_other) => {}
            }
        }
    }

    /// Removes a reader, and closes the pages if it was the last. In a child this does nothing.
    pub fn remove_reader(&self) {
        if !self.alone.is_here() {
            return;
        }
        let users = self.users();
        loop {
            let now = settled(users);
            let next = match now {
                1 => BUSY,
                readers => readers - 1,
            };
            // Release: everything was read before another thread writes. Acquire: and before the
            // pages are closed, including by other threads.
            match users.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) if next == BUSY => {
                    let closed = self.protect(sys::PROT_NONE);
                    users.store(if closed.is_ok() { NOBODY } else { LEFT_OPEN }, Release);
                    return;
                }
                Ok(_) => return,
                Err(_other) => {}
            }
        }
    }

    /// Opens the pages to be written: every guard has been dropped or forgotten.
    ///
    /// # Errors
    /// Those of [`Secret::borrow_mut`](super::Secret::borrow_mut).
    pub fn open_to_write(&mut self) -> Result<()> {
        self.check_here()?;
        let users = self.users();
        let before = users.swap(1, Relaxed);
        self.protect(sys::PROT_READ | sys::PROT_WRITE)
            .map_err(|error| {
                users.store(before, Relaxed);
                let data = Wanted {
                    bytes: self.pages().len,
                    is_mapped: false,
                    is_data: true,
                };
                error.because(why_refused(error.errno(), &data))
            })
    }

    /// Closes the pages, which only the caller has open.
    ///
    /// # Errors
    /// `EPERM` in a child; and the errors of `mprotect`.
    pub fn close_all(&mut self) -> Result<()> {
        self.check_here()?;
        let closed = self.protect(sys::PROT_NONE);
        let users = if closed.is_ok() { NOBODY } else { LEFT_OPEN };
        self.users().store(users, Release);
        closed
    }

    /// Sets the protection of all pages, where this system enforces protections.
    fn protect(&self, protection: c_int) -> Result<()> {
        if !os::ENFORCES_PROTECTION {
            return Ok(());
        }
        let pages = self.pages();
        // SAFETY: the pages are the region's own. The callers make sure that no reference lives that
        // needs more: they open the pages, or all guards are gone. [owned, counted]
        let done = unsafe { call::mprotect(pages.start, pages.len, protection) };
        done.map_err(|errno| Error::kernel(Call::Mprotect, errno, Arguments::Length(self.len)))
    }

    /// Wipes the secret, and checks the canary before it.
    fn wipe(&mut self) {
        if self.protect(sys::PROT_READ | sys::PROT_WRITE).is_err() {
            // The kernel wipes the pages itself before it gives them to anybody else.
            return;
        }
        let (start, len) = (self.start(), self.len);
        // SAFETY: the bytes are the secret's, are open to be written, and nobody refers to them.
        // [counted, borrowed]
        unsafe { wipe(start, len) };
        if !canary::is_intact(self.slack_mut()) {
            call::abort_saying("unix-memory: somebody has written before the start of a secret\n");
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.alone.is_here() {
            self.wipe();
        }
        if self.alone.release() {
            // SAFETY: this is the only place that drops it. [once]
            unsafe { ManuallyDrop::drop(&mut self.region) };
        }
    }
}

/// Returns the users, once no thread is busy.
fn settled(users: &AtomicUsize) -> usize {
    let mut tries = 0;
    loop {
        match users.load(Relaxed) {
            BUSY => wait(&mut tries),
            now => return now,
        }
    }
}

/// Waits for another thread that is changing a protection: not for long.
#[cold]
fn wait(tries: &mut u32) {
    *tries += 1;
    if *tries < SPINS {
        core::hint::spin_loop();
    } else {
        // Sleeping rather than spinning lets that thread run even if its priority is lower.
        call::pause();
    }
}
