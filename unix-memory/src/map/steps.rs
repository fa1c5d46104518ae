//! What is done with a mapping once it is made.

use crate::advice::Advice;
use crate::error::Result;
use crate::region::Region;
use crate::region::ledger::{Kind, Known, Marks};

/// What is done with a mapping once it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps {
    pub advice: Option<Advice>,
    pub lock: bool,
    pub dont_dump: bool,
}

impl Steps {
    /// Whether there is nothing to do.
    pub const fn is_none(self) -> bool {
        self.advice.is_none() && !self.lock && !self.dont_dump
    }

    /// Does it. Where one fails, the region is unmapped.
    #[cold]
    pub fn apply(self, region: Region) -> Result<Region> {
        if let Some(advice) = self.advice {
            region.advise(&.., advice)?;
        }
        region.keep_as(Known {
            kind: self.lock.then_some(Kind::Full),
            marks: if self.dont_dump {
                Marks::HIDDEN
            } else {
                Marks::NONE
            },
        })
    }
}
