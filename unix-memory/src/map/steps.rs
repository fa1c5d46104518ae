//! The steps that follow once a mapping is made.

use core::ffi::CStr;

use crate::advice::Advice;
use crate::error::Result;
use crate::region::Region;
use crate::region::ledger::{Kind, Known, Marks};
use crate::region::name::check_name;

/// The steps that follow once a mapping is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps {
    pub name: Option<&'static CStr>,
    pub advice: Option<Advice>,
    pub lock: bool,
    pub dont_dump: bool,
}

impl Steps {
    /// Whether there is nothing to do.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.name.is_none() && self.advice.is_none() && !self.lock && !self.dont_dump
    }

    /// Does the steps. If one fails, the region is unmapped.
    #[cold]
    pub fn apply(self, region: Region) -> Result<Region> {
        self.apply_to(&region)?;
        Ok(if region.len() == 0 {
            Region::empty(region.is_private_anonymous(), self.known())
        } else {
            region
        })
    }

    /// Does the steps. If one fails, the caller must drop the region. (An empty region must have been
    /// made with what is [`known`](Self::known).)
    #[cold]
    pub fn apply_to(self, region: &Region) -> Result<()> {
        if let Some(name) = self.name {
            check_name(name)?;
            // A name does not change the memory.
            let _only_a_hint = region.set_name(&.., Some(name), true);
        }
        if let Some(advice) = self.advice {
            region.advise(&.., advice)?;
        }
        region.keep(self.known())
    }

    /// How to lock and hide an empty region once it grows.
    pub const fn known(self) -> Known {
        let kind = if self.lock { Some(Kind::Full) } else { None };
        let marks = if self.dont_dump {
            Marks::HIDDEN
        } else {
            Marks::NONE
        };
        Known { kind, marks }
    }
}
