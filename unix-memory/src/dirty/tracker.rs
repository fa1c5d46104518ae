//! What tracks the pages of a mapping, in whichever way.

use core::ops::Range;

use super::soft_dirty::{self, SoftDirty};
use super::write_protect::{self, WriteProtect};
use crate::dirty::tracking::Tracking;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::Pages;
use crate::process::Process;
use crate::region::Region;

/// Tracks the pages of a region, which its methods are given: always the same.
#[derive(Debug)]
pub struct Tracker {
    way: Way,
    /// Who made it: its descriptors refer to that process, whoever uses them.
    owner: Process,
}

#[derive(Debug)]
enum Way {
    /// There are no pages.
    Empty(Tracking),
    WriteProtect(WriteProtect),
    SoftDirty(SoftDirty),
}

impl Tracker {
    /// Begins to track the pages of `region` as not written, by `tracking` or by the first that works.
    pub fn new(region: &Region, is_readable: bool, tracking: Option<Tracking>) -> Result<Self> {
        let arguments = Arguments::Length(region.len());
        let owner =
            Process::current().map_err(|errno| Error::kernel(Call::Track, errno, arguments))?;
        let pages = region.pages();
        let write_protect = || WriteProtect::new(pages, arguments).map(Way::WriteProtect);
        let soft_dirty = || {
            if !region.is_private_anonymous() {
                let reason = Reason::NotAnonymous;
                return Err(Error::new(Call::Track, libc::EINVAL, arguments, reason));
            }
            SoftDirty::new(pages, is_readable, owner, arguments).map(Way::SoftDirty)
        };
        let way = match tracking {
            _ if pages.len == 0 => Way::Empty(tracking.unwrap_or(Tracking::WriteProtect)),
            Some(Tracking::WriteProtect) => write_protect()?,
            Some(Tracking::SoftDirty) => soft_dirty()?,
            None => match write_protect() {
                Err(error) if is_missing(&error) => match soft_dirty() {
                    // The first error shows what would have worked.
                    Err(other)
                        if matches!(other.reason(), Reason::Unsupported | Reason::NotAnonymous) =>
                    {
                        return Err(error);
                    }
                    result => result?,
                },
                result => result?,
            },
        };
        Ok(Self { way, owner })
    }

    pub const fn tracking(&self) -> Tracking {
        match self.way {
            Way::Empty(tracking) => tracking,
            Way::WriteProtect(_) => Tracking::WriteProtect,
            Way::SoftDirty(_) => Tracking::SoftDirty,
        }
    }

    /// Makes all pages count as not written.
    pub fn mark(&self, region: &Region, is_readable: bool) -> Result<()> {
        let arguments = Arguments::Length(region.len());
        check_owner(self.owner, Call::Mark, arguments)?;
        match &self.way {
            Way::Empty(_) => Ok(()),
            Way::WriteProtect(by) => by.mark(region.pages(), arguments),
            Way::SoftDirty(by) => by.mark(region.pages(), is_readable, arguments),
        }
    }

    /// The pages that were written, piece by piece; with `reset`, they do not count as written afterward.
    pub fn pieces(&self, region: &Region, is_readable: bool, reset: bool) -> Pieces<'_> {
        let pages = region.pages();
        let arguments = Arguments::Length(region.len());
        let by = match &self.way {
            Way::Empty(_) => By::Nothing,
            Way::WriteProtect(by) => By::WriteProtect(by.pieces(pages, arguments, reset)),
            Way::SoftDirty(by) => By::SoftDirty(by.pieces(pages, is_readable, arguments, reset)),
        };
        Pieces {
            by,
            owner: self.owner,
            call: if reset { Call::Take } else { Call::Written },
            arguments,
        }
    }

    /// Notes that the content of `pages`, which are the region's, was discarded.
    pub fn note_discarded(&mut self, pages: Pages) {
        match &mut self.way {
            Way::SoftDirty(by) => by.note_discarded(pages),
            // The kernel removes the mark with the page.
            Way::WriteProtect(_) | Way::Empty(_) => {}
        }
    }

    /// Stops tracking the pages. In a child, where they are not tracked, this does nothing.
    pub fn stop(self, region: &Region) {
        match self.way {
            Way::WriteProtect(by) if self.owner.is_current() => by.stop(region.pages()),
            _ => {}
        }
    }
}

/// Refuses any process other than `owner`: descriptors that a child has inherited would act on its
/// parent's memory and marks.
fn check_owner(owner: Process, call: Call, arguments: Arguments) -> Result<()> {
    if owner.is_current() {
        return Ok(());
    }
    let reason = Reason::OtherProcess;
    Err(Error::new(call, libc::EPERM, arguments, reason))
}

/// Whether the kernel lacks it, or denies it to this process.
fn is_missing(error: &Error) -> bool {
    error.reason() == Reason::Unsupported
        // (A security module refuses with the second.)
        || error.call() == Call::Userfaultfd && matches!(error.errno(), libc::EPERM | libc::EACCES)
}

/// What was written, piece by piece, from the lowest address on. In a child that is made meanwhile, it
/// changes nothing.
#[derive(Debug)]
pub struct Pieces<'a> {
    by: By<'a>,
    owner: Process,
    /// The method that made it.
    call: Call,
    arguments: Arguments,
}

#[derive(Debug)]
enum By<'a> {
    /// There are no pages.
    Nothing,
    WriteProtect(write_protect::Pieces<'a>),
    SoftDirty(soft_dirty::Pieces<'a>),
}

impl Pieces<'_> {
    /// The next piece, in addresses. Not called again after the end or an error.
    pub fn next(&mut self) -> Result<Option<Range<usize>>> {
        check_owner(self.owner, self.call, self.arguments)?;
        match &mut self.by {
            By::Nothing => Ok(None),
            By::WriteProtect(pieces) => pieces.next(),
            By::SoftDirty(pieces) => pieces.next(),
        }
    }

    /// Makes a piece that was not used count as written again.
    pub fn give_back(&mut self, piece: Range<usize>) {
        match &self.by {
            By::WriteProtect(pieces) if self.owner.is_current() => pieces.give_back(piece),
            _ => {}
        }
    }
}

impl Drop for Pieces<'_> {
    fn drop(&mut self) {
        match &self.by {
            By::WriteProtect(pieces) if self.owner.is_current() => pieces.give_back_rest(),
            _ => {}
        }
    }
}
