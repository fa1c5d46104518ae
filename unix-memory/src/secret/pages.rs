//! Pages for a secret, protected as far as possible.

use core::ffi::c_int;

use super::canary;
use super::options::SecretOptions;
use super::protections::Protections;
use super::wipe::wipe;
use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;
use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::map::options::MapOptions;
use crate::mapping::Mapping;
use crate::os;
use crate::page::{max_len, page_size, round_up};
use crate::protection::{NoAccess, ReadWrite};
use crate::region::Region;
use crate::region::hold::Hold;
use crate::region::ledger::Kind;
use crate::region::map::beyond_limit;
use crate::region::place::until_free;

/// Pages that were made: open to be written, all zeros.
pub struct Made {
    pub pages: Fenced,
    pub had: Protections,
}

/// Mapped pages, and the inaccessible pages before and behind them.
pub struct Fenced {
    pub region: Region,
    pub guards: [Mapping<NoAccess>; 2],
}

/// The protections that are requested, and those obtained so far.
struct Wish<'a> {
    options: &'a SecretOptions,
    /// In bytes, as the caller requested.
    len: usize,
    had: Protections,
}

impl Wish<'_> {
    /// Records that `protection` was obtained, or that it was not, which may be an error.
    fn settle(&mut self, protection: Protections, done: Result<()>) -> Result<()> {
        let Err(error) = done else {
            self.had |= protection;
            return Ok(());
        };
        let lacks = [Reason::Unsupported, Reason::NotEnforced].contains(&error.reason());
        let may_lack = lacks && !self.options.demanded.intersects(protection);
        if may_lack || self.options.optional.contains(protection) {
            return Ok(());
        }
        Err(error)
    }

    /// Returns the error of `call`: that of a missing feature if `errno` is one of `lacks`.
    fn refused(&self, call: Call, errno: Errno, lacks: &[Errno]) -> Error {
        let reason = if lacks.contains(&errno) {
            Reason::Unsupported
        } else {
            Reason::Kernel
        };
        Error::new(call, errno, Arguments::Length(self.len), reason)
    }
}

impl Made {
    /// Makes pages for `len` bytes and the canary before them.
    ///
    /// # Errors
    /// Those of [`SecretOptions::zeroed`].
    pub fn new(options: &SecretOptions, len: usize) -> Result<Self> {
        let most = max_len() - 3 * page_size();
        if len > most {
            let (arguments, reason) = (Arguments::Length(len), Reason::LengthLimit(most));
            return Err(Error::new(Call::Mmap, libc::ENOMEM, arguments, reason));
        }
        let bytes = round_up(len + canary::LEN);
        let mut wish = Wish {
            options,
            len,
            had: Protections::empty(),
        };
        let enforced = if os::ENFORCES_PROTECTION {
            Ok(())
        } else {
            let (arguments, reason) = (Arguments::Length(len), Reason::NotEnforced);
            Err(Error::new(Call::Mprotect, libc::ENOSYS, arguments, reason))
        };
        wish.settle(Protections::GUARDED.union(Protections::CLOSED), enforced)?;
        if options.secret_memory || options.demanded.contains(Protections::SECRET_MEMORY) {
            match map_secret(bytes, &wish) {
                Ok(pages) => {
                    let had = wish.had
                        | Protections::SECRET_MEMORY
                        | Protections::LOCKED
                        | Protections::NOT_DUMPED
                        | Protections::NOT_INHERITED;
                    return Ok(Self { pages, had });
                }
                Err(error) => wish.settle(Protections::SECRET_MEMORY, Err(error))?,
            }
        }
        let pages = map_ordinary(bytes)?;
        pages.protect(&mut wish)?;
        let had = wish.had;
        Ok(Self { pages, had })
    }
}

impl Fenced {
    /// Gives ordinary pages the protections that they can have.
    fn protect(&self, wish: &mut Wish<'_>) -> Result<()> {
        let hidden = if os::MAP_CONCEAL == 0 {
            self.region.advise(&.., Advice::DontDump)
        } else {
            // They were mapped with `MAP_CONCEAL`.
            Ok(())
        };
        wish.settle(Protections::NOT_DUMPED, hidden)?;
        // SAFETY: the pages are the region's own, private and anonymous; a secret gives out no bytes in a
        // child. [owned, child]
        let wiped = unsafe { os::wipe_in_children(self.region.pages()) };
        let wiped = wiped.map_err(|errno| {
            // An older kernel does not know the advice.
            wish.refused(Call::Minherit, errno, &[libc::ENOSYS, libc::EINVAL])
        });
        wish.settle(Protections::NOT_INHERITED, wiped)?;
        // Kept until they are unmapped.
        let locked = Hold::new(&self.region, &.., Kind::Full).map(|hold| {
            hold.keep();
        });
        wish.settle(Protections::LOCKED, locked)
    }
}

/// Maps `bytes` bytes of ordinary memory, and a page before and behind.
fn map_ordinary(bytes: usize) -> Result<Fenced> {
    let options = MapOptions::new().len(bytes).flag(os::MAP_CONCEAL, true);
    if !os::ENFORCES_PROTECTION {
        return Ok(Fenced {
            region: options.map_anonymous(ReadWrite)?.into_region(),
            guards: [no_guard(), no_guard()],
        });
    }
    let guarded = options.map_guarded(page_size(), page_size(), ReadWrite)?;
    let (before, mapping, behind) = guarded.into_parts();
    Ok(Fenced {
        region: mapping.into_region(),
        guards: [before, behind],
    })
}

fn no_guard() -> Mapping<NoAccess> {
    Mapping::default()
}

/// A descriptor of secret memory, which is closed on drop.
struct Descriptor(c_int);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was opened for this alone. [descriptor]
        let _closed = unsafe { libc::close(self.0) };
    }
}

/// Maps `bytes` bytes of memory that the kernel itself cannot reach and that no child has, and a page
/// before and behind.
fn map_secret(bytes: usize, wish: &Wish<'_>) -> Result<Fenced> {
    // A filter of system calls, such as that of containers, refuses it with `EPERM`.
    let lacks = [libc::ENOSYS, libc::EPERM];
    if let Some(limit) = beyond_limit(bytes as u64) {
        let (arguments, reason) = (Arguments::Length(wish.len), Reason::FileSizeLimit(limit));
        return Err(Error::new(
            Call::MemfdSecret,
            libc::EFBIG,
            arguments,
            reason,
        ));
    }
    let memory = os::memfd_secret(bytes)
        .map(Descriptor)
        .map_err(|errno| wish.refused(Call::MemfdSecret, errno, &lacks))?;
    let occupied = |error: &Error| error.reason() == Reason::Occupied;
    let fenced = until_free(|| map_between(&memory, bytes), occupied)?;
    let pages = fenced.region.pages();
    let kept = match os::unchecked_advice(UncheckedAdvice::DontFork) {
        // SAFETY: the pages are the region's own; in this process nothing changes, and a secret refuses
        // its bytes in a child. [owned, child]
        Some(value) => unsafe { os::madvise(pages.start, pages.len, value) },
        None => Err(libc::ENOSYS),
    };
    kept.map_err(|errno| wish.refused(Call::Minherit, errno, &[]))?;
    // Brings the pages in now, while they hold nothing: an access for which no memory is left ends
    // the process, and the calls that bring pages in do not support this memory.
    // SAFETY: they are open to be written, and nobody else has them. [new]
    unsafe { wipe(pages.start.as_ptr(), pages.len) };
    Ok(fenced)
}

/// Maps the `bytes` bytes of `memory`, and guard pages around them, where there is room for all.
///
/// # Errors
/// [`Reason::Occupied`] if another thread has taken the place in the meantime.
fn map_between(memory: &Descriptor, bytes: usize) -> Result<Fenced> {
    // Finds room for everything and releases it again: nothing is ever mapped over something else.
    // The room is memory that counts, so the kernel refuses more than it could ever provide: secret
    // memory is not counted, and the kernel would end this process, or others, when the pages are
    // brought in.
    let (page, whole) = (page_size(), bytes + 2 * page_size());
    let room = MapOptions::new().len(whole).map_anonymous(ReadWrite)?;
    let address = room.as_ptr().addr();
    room.unmap()?;

    let guard = |address| {
        let options = MapOptions::new().in_room(address).len(page);
        options.map_anonymous(NoAccess)
    };
    let before = guard(address)?;
    let options = MapOptions::new().in_room(address + page).len(bytes);
    // SAFETY: the descriptor is open and this function's to use; it is not of huge pages.
    // [descriptor]
    let mapping = unsafe { options.map_shared_raw(memory.0, ReadWrite) }?;
    let behind = guard(address + page + bytes)?;
    Ok(Fenced {
        region: mapping.into_region(),
        guards: [before, behind],
    })
}
