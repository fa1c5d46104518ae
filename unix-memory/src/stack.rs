//! Stacks for threads and coroutines.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Failed, Reason, Result};
use crate::os;
use crate::page::{max_len, page_size, round_up};
use crate::protection::{Access, NoAccess, ReadWrite};
use crate::region::map::Request;
use crate::region::place::Place;
use crate::region::{Region, guard_page};

/// Memory for the stack of a thread or a coroutine, with a guard below it: an overflow raises SIGSEGV.
///
/// A stack grows downward, from its [`top`](Self::top) to its [`bottom`](Self::bottom), on every
/// processor that Rust supports. Below the bottom, down to the [`limit`](Self::limit), is the guard,
/// which cannot be accessed. Pages take memory when they are used. Everything is unmapped on drop.
///
/// A `Stack` returns addresses, never references. Running code on it needs `unsafe`, and that code
/// must keep the `Stack` until whatever runs on it has ended.
///
/// * **Threads**: `pthread_attr_setstack` takes the bottom and the size. The C library then makes no
///   guard of its own.
/// * **Coroutines**: corosensei's trait `Stack` asks for a `base`, which is the top, and for a
///   `limit`, the end of the guard, as here; see the example. All of these addresses are aligned to a
///   page, which is more than any processor requires of a stack.
/// * **Jumping over the guard**: a function whose variables are larger than the guard could reach past
///   it. On most processors, Rust touches each page on the way; C does so with
///   `-fstack-clash-protection`.
/// * **The signal**: a handler of SIGSEGV must run on a stack of its own (`sigaltstack`), which each
///   thread has to set up. Without one, the signal ends the process.
/// * **fork**: a child gets its own copy, guard included.
///
/// ```
/// use std::num::NonZeroUsize;
/// use unix_memory::Stack;
///
/// /// A stack as crates for coroutines define it.
/// trait CoroutineStack {
///     fn base(&self) -> NonZeroUsize;
///     fn limit(&self) -> NonZeroUsize;
/// }
///
/// struct Ours(Stack);
///
/// impl CoroutineStack for Ours {
///     fn base(&self) -> NonZeroUsize {
///         self.0.top().addr()
///     }
///     fn limit(&self) -> NonZeroUsize {
///         self.0.limit().addr()
///     }
/// }
///
/// let stack = Ours(Stack::new(64 << 10)?);
/// assert_eq!(stack.base().get() - stack.limit().get(), stack.0.size() + stack.0.guard_size());
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "MAP_STACK")]
#[doc(alias = "pthread_attr_setstack")]
#[must_use = "it is unmapped when it is dropped"]
pub struct Stack {
    /// The guard, and the stack.
    region: Region,
    /// In bytes, whole pages.
    guard: usize,
}

impl Stack {
    /// Makes a stack of `size` bytes above a guard of one page.
    ///
    /// # Errors
    /// Those of [`with_guard`](Self::with_guard).
    ///
    /// ```
    /// use unix_memory::{Stack, page_size};
    ///
    /// let stack = Stack::new(64 << 10)?;
    /// assert_eq!(stack.size(), (64_usize << 10).next_multiple_of(page_size()));
    /// assert_eq!(stack.guard_size(), page_size());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    pub fn new(size: usize) -> Result<Self> {
        Self::with_guard(size, 0)
    }

    /// Makes a stack of `size` bytes above a guard of `guard` bytes. Each is rounded up to whole
    /// pages, and is at least one page.
    ///
    /// Source: mmap(2), madvise(2), mprotect(2), POSIX.1-2024.
    ///
    /// # Errors
    /// `ENOMEM` if both sizes together exceed `isize::MAX` bytes ([`Reason::LengthLimit`]), the
    /// address space, or what a limit leaves (`RLIMIT_AS`, `RLIMIT_DATA`); at the kernel's limit of
    /// mappings (`vm.max_map_count`); and if memory is short and not overcommitted. `EAGAIN` over the
    /// limit on locked memory ([`Reason::LockLimit`] on Linux), after `mlockall(MCL_FUTURE)`. `ENOSYS`
    /// if the system enforces no protections, and so has no guards ([`Reason::NotEnforced`]).
    ///
    /// # Platform
    /// `MAP_STACK` is used on Linux, where it prevents huge pages since 6.7, on NetBSD, and on
    /// OpenBSD, which allows stacks in no other memory. (FreeBSD's `MAP_STACK`, which makes a mapping
    /// that grows, is not used.)
    ///
    /// Since Linux 6.13 the guard is made with `MADV_GUARD_INSTALL`, and is not a mapping of its own.
    /// The kernel merges adjacent stacks into one mapping, so a process can have more stacks than
    /// mappings. At its limit of mappings, the kernel cannot unmap a stack from between two others:
    /// [`unmap`](Self::unmap) then returns it, and a drop leaves its addresses in use. Elsewhere, and
    /// where such guards are refused (for example in locked memory before Linux 6.15), the guard is
    /// made with `mprotect`, and each stack takes two mappings.
    ///
    /// Emscripten, L4Re, NuttX and RTEMS enforce no protections.
    ///
    /// ```
    /// use unix_memory::{Stack, page_size};
    ///
    /// let stack = Stack::with_guard(1 << 20, 16 * page_size())?;
    /// assert_eq!(stack.guard_size(), 16 * page_size());
    /// assert_eq!(stack.bottom().addr().get() - stack.limit().addr().get(), stack.guard_size());
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mmap")]
    #[doc(alias = "mprotect")]
    #[doc(alias = "MADV_GUARD_INSTALL")]
    pub fn with_guard(size: usize, guard: usize) -> Result<Self> {
        let arguments = Arguments::Length(size.saturating_add(guard));
        let refuse = |errno, reason| Err(Error::new(Call::Mmap, errno, arguments, reason));
        if !os::ENFORCES_PROTECTION {
            return refuse(libc::ENOSYS, Reason::NotEnforced);
        }
        if size > max_len() || guard > max_len() {
            return refuse(libc::ENOMEM, Reason::LengthLimit(max_len()));
        }
        let (size, guard) = (round_up(size.max(1)), round_up(guard.max(1)));
        let request = Request {
            place: Place::Anywhere,
            alignment: 1,
            lead: 0,
            // At most twice `max_len`; more than `max_len` is refused.
            len: guard + size,
            page_size: page_size(),
            protection: ReadWrite.protection(),
            flags: sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | os::MAP_STACK,
            fd: -1,
            offset: 0,
        };
        let region = Region::map(&request, arguments)?;
        let pages = region.pages_of(&(0..guard));
        // SAFETY: they are the region's own, and new. [new, owned]
        if !unsafe { guard_page::install(pages) } {
            // SAFETY: as above; this does not unmap them. [new, owned]
            let below = unsafe { Region::from_raw(pages.start, pages.len, true) };
            let below = ManuallyDrop::new(below);
            // SAFETY: nothing refers to them. [new]
            unsafe { below.protect(ReadWrite.protection(), NoAccess.protection()) }?;
        }
        Ok(Self { region, guard })
    }

    /// Returns how many bytes can be used, in whole pages.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.region.len() - self.guard
    }

    /// Returns how many bytes the guard has, in whole pages.
    #[must_use]
    pub const fn guard_size(&self) -> usize {
        self.guard
    }

    /// Returns the address just past the last byte, where execution on the stack begins.
    #[must_use]
    pub const fn top(&self) -> NonNull<u8> {
        // SAFETY: it is the end of the region. [inside]
        unsafe { self.region.start().add(self.region.len()) }
    }

    /// Returns the address of the lowest byte that can be used, which `pthread_attr_setstack` takes.
    #[must_use]
    pub const fn bottom(&self) -> NonNull<u8> {
        // SAFETY: the guard is within the region. [inside]
        unsafe { self.region.start().add(self.guard) }
    }

    /// Returns the address of the lowest byte of the guard. Nothing below it belongs to the stack.
    #[must_use]
    pub const fn limit(&self) -> NonNull<u8> {
        self.region.start()
    }

    /// Unmaps now, and reports an error if the kernel refuses, which a drop cannot do.
    ///
    /// # Errors
    /// Those of [`Mapping::unmap`](crate::Mapping::unmap): the stack comes back inside the error.
    #[doc(alias = "munmap")]
    pub fn unmap(self) -> Result<(), Failed<Self>> {
        let Self { region, guard } = self;
        region
            .unmap()
            .map_err(|(error, region)| Failed::new(error, Self { region, guard }))
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("top", &self.top())
            .field("size", &self.size())
            .field("guard_size", &self.guard_size())
            .finish()
    }
}

static_assertions::assert_impl_all!(Stack: Send, Sync, Unpin);
