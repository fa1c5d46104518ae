//! The answer of a system that tracks no writes.

use core::ops::Range;

use crate::dirty::tracking::Tracking;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::page::Pages;
use crate::region::Region;

/// There is no value of it.
pub enum Tracker {}

impl Tracker {
    /// # Errors
    /// `ENOSYS` with [`Reason::Unsupported`].
    pub const fn new(region: &Region, _: bool, _: Option<Tracking>) -> Result<Self> {
        let arguments = Arguments::Length(region.len());
        Err(Error::new(
            Call::Track,
            libc::ENOSYS,
            arguments,
            Reason::Unsupported,
        ))
    }

    pub const fn tracking(&self) -> Tracking {
        match *self {}
    }

    pub const fn mark(&self, _: &Region, _: bool) -> Result<()> {
        match *self {}
    }

    pub const fn note_discarded(&mut self, _: Pages) {
        match *self {}
    }

    pub const fn pieces(&self, _: &Region, _: bool, _: bool) -> Pieces<'_> {
        match *self {}
    }

    pub const fn next(&self) -> Result<Option<Range<usize>>> {
        match *self {}
    }

    pub const fn give_back(&self, _: Range<usize>) {
        match *self {}
    }

    pub const fn stop(self, _: &Region) {
        match self {}
    }
}

/// There is none.
pub type Pieces<'a> = &'a Tracker;
