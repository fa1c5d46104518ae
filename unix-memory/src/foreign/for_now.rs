//! A temporary protection, after which each page gets its old one back.

use core::fmt;
use core::mem::{self, ManuallyDrop};
use core::ptr::NonNull;

use super::pages::ForeignPages;
use crate::error::{Call, Errno, Error, Failed, Result};
use crate::os::call::Wanted;
use crate::page::{Pages, page_size};
use crate::page_list::PageList;
use crate::protection::Protection;
use crate::region::limit::why_refused;
use crate::region::{ledger, spare};

/// Restores the old protections of pages when it is dropped; made by
/// [`ForeignPages::protect_for_now`].
///
/// The pages may have had several protections. The guard records that of each mapping, in pages of its
/// own, because the memory that is protected may be an allocator's. If the guard is forgotten, the pages
/// stay as they are.
///
/// * **fork**: a child has its own copy of the guard, which applies to the child's copy of the pages.
#[must_use = "the protections are put back when it is dropped"]
#[doc(alias = "ProtectGuard")]
pub struct ProtectionGuard {
    pages: ForeignPages,
    /// Whether all of the pages can be read now.
    is_readable: bool,
    before: Runs,
    /// Whether the protections were restored.
    is_back: bool,
}

/// Pages that have the same protection.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    protection: Protection,
}

/// Runs, in pages that are unmapped later if the kernel refuses to unmap them: it may have merged them
/// with others, and be at its limit of mappings.
struct Runs(ManuallyDrop<PageList<Run>>);

impl Runs {
    fn new(room: usize) -> core::result::Result<Self, Errno> {
        PageList::new(room).map(|list| Self(ManuallyDrop::new(list)))
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        // SAFETY: this is the last use of the list. [once]
        let list = unsafe { ManuallyDrop::take(&mut self.0) };
        // SAFETY: the pages are the list's, which is gone. [once, owned]
        unsafe { ledger::release(list.into_pages()) };
    }
}

impl ForeignPages {
    /// Changes the protection of the pages until the guard is dropped, which restores the old
    /// protection of each page.
    ///
    /// The old protections are read from the [`ProcessMap`](crate::process_map::ProcessMap): reading,
    /// writing and executing. Anything beyond that, such as `PROT_BTI` and `PROT_MTE` of arm64, is lost.
    ///
    /// If another thread executes the code meanwhile, the code changes while it runs: this method is
    /// only one step of patching code, and does not stop threads.
    ///
    /// # Errors
    /// Those of [`protect`](Self::protect), except that whatever the kernel changed before it refused is
    /// changed back, unless it refuses that too. `ENOMEM` also if there is no room to record the
    /// protections. The errors of [`ProcessMap::of_self`](crate::process_map::ProcessMap::of_self),
    /// including `ENOSYS` on systems that report no protections.
    ///
    /// # Safety
    /// What [`protect`](Self::protect) requires holds for the new protection now, and for the old ones
    /// when the guard is dropped. Until then, the pages stay mapped to what they are mapped to now, and
    /// nobody else changes their protection. Guards over the same pages are dropped in reverse order.
    ///
    /// ```
    /// use unix_memory::Protection;
    /// use unix_memory::foreign::ForeignPages;
    ///
    /// let code = ForeignPages::holding(main as *const u8, 1)?;
    /// // SAFETY: this takes no right away: the pages can be read and executed all the time.
    /// match unsafe { code.protect_for_now(Protection::all()) } {
    ///     Ok(guard) => drop(guard),
    ///     Err(error) => println!("{error}"), // the system forbids this, or reports no map
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[doc(alias = "mprotect")]
    #[doc(alias = "VirtualProtect")]
    #[doc(alias = "protect_with_handle")]
    pub unsafe fn protect_for_now(self, protection: Protection) -> Result<ProtectionGuard> {
        let refuse = |errno| {
            let notes = Wanted {
                bytes: page_size(),
                is_mapped: true,
                is_data: true,
            };
            let reason = why_refused(errno, &notes);
            Error::new(Call::Mprotect, errno, self.arguments(), reason)
        };
        let before = self.runs(refuse)?;
        if !self.is_empty() {
            spare::keep_for(self.pages).map_err(refuse)?;
        }
        let mut guard = ProtectionGuard {
            pages: self,
            is_readable: false,
            before,
            is_back: false,
        };
        // SAFETY: as the caller vouches. [caller]
        match unsafe { self.protect(protection) } {
            Ok(()) => {
                guard.is_readable = protection.contains(Protection::READ);
                Ok(guard)
            }
            Err(error) => {
                if guard.put_back().is_err() {
                    // Several mappings may have become one, and there is no room for more. Dropping
                    // tries again.
                    spare::give_up();
                }
                Err(error)
            }
        }
    }

    /// Returns the protections of the pages, all of which are mapped.
    fn runs(self, refuse: impl Fn(Errno) -> Error) -> Result<Runs> {
        let addresses = self.pages.addresses();
        let mut room = 32;
        loop {
            let mut runs = Runs::new(room).map_err(&refuse)?;
            let own = runs.0.addresses();
            if own.start < addresses.end && addresses.start < own.end {
                // Nothing was mapped there before.
                return Err(self.not_mapped(Call::Mprotect));
            }
            let mut last: Option<Run> = None;
            let noted = self.each_mapping(Call::Mprotect, |part, protection| match &mut last {
                Some(run) if run.protection == protection => {
                    run.end = part.end;
                    true
                }
                _ => {
                    let next = Run {
                        start: part.start,
                        end: part.end,
                        protection,
                    };
                    last.replace(next).is_none_or(|run| runs.0.push(run))
                }
            })?;
            if noted && last.is_none_or(|run| runs.0.push(run)) {
                return Ok(runs);
            }
            room *= 2;
        }
    }
}

impl ProtectionGuard {
    /// Returns the pages.
    #[must_use]
    pub const fn pages(&self) -> ForeignPages {
        self.pages
    }

    /// Restores the protections, and reports errors, which a drop cannot do.
    ///
    /// # Errors
    /// The guard comes back inside the error, to try again: `ENOMEM` at a limit of mappings, `EACCES` if
    /// a security policy forbids executing pages that were written. Whatever could be restored has been
    /// restored.
    ///
    /// ```
    /// use unix_memory::foreign::ForeignPages;
    /// use unix_memory::{Mapping, Protection, page_size};
    ///
    /// let memory = Mapping::anonymous(page_size())?.into_raw();
    /// let pages = ForeignPages::new(memory.as_ptr().cast(), memory.len())?;
    /// // SAFETY: nothing refers to it.
    /// if let Ok(guard) = unsafe { pages.protect_for_now(Protection::READ) } {
    ///     guard.restore()?;
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn restore(mut self) -> core::result::Result<(), Failed<Self>> {
        match self.put_back() {
            Ok(()) => Ok(()),
            Err(error) => Err(Failed::new(error, self)),
        }
    }

    /// Restores all protections that it can, unless that has been done, and returns the first error.
    fn put_back(&mut self) -> Result<()> {
        if self.is_back {
            return Ok(());
        }
        // Whatever fails below, this is false afterwards.
        let can_be_read = mem::take(&mut self.is_readable);
        let mut result = Ok(());
        for run in self.before.0.as_slice() {
            let start = self.pages.as_ptr().with_addr(run.start);
            let Some(start) = NonNull::new(start) else {
                continue;
            };
            let len = run.end - run.start;
            let pages = ForeignPages {
                pages: Pages { start, len },
            };
            if can_be_read && !run.protection.contains(Protection::READ) {
                // SAFETY: they can be read, for the last time. [made]
                unsafe { pages.make_coherent(run.protection) };
            }
            // SAFETY: whoever made this guard vouched for it. [made]
            if let Err(error) = unsafe { pages.protect(run.protection) } {
                result = result.and(Err(error));
            }
        }
        self.is_back = result.is_ok();
        result
    }
}

impl Drop for ProtectionGuard {
    fn drop(&mut self) {
        let _or_as_it_is = self.put_back();
    }
}

impl fmt::Debug for ProtectionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectionGuard")
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}
