//! Whether options set more than a length and an offset. What such options take is only linked into programs
//! that set one.

use core::ffi::c_int;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::options::MapOptions;
use crate::error::{Arguments, Result};
use crate::protection::Protection;
use crate::region::Region;

/// Maps with options: the protection, the length in bytes, the flags, the descriptor or -1, and what an error
/// reports.
type Map = fn(&MapOptions, Protection, usize, c_int, c_int, Arguments) -> Result<Region>;

/// How to map where an option is set that needs it.
///
/// Two of them are always equal: what the options set is in their other fields.
#[derive(Clone, Copy, Default)]
pub struct Special(Option<Map>);

impl Special {
    /// No option is set.
    pub const NONE: Self = Self(None);
    /// One is, or was.
    pub const SOME: Self = Self(Some(MapOptions::map_special));

    #[inline]
    pub const fn map(self) -> Option<Map> {
        self.0
    }
}

impl PartialEq for Special {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Special {}

impl Hash for Special {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl fmt::Debug for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.is_some(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::MapOptions;

    #[test]
    fn options_that_set_the_same_are_equal() {
        let set_back = MapOptions::new().lock(true).lock(false);
        assert_eq!(set_back, MapOptions::new());
        assert!(!set_back.is_plain());
        assert!(MapOptions::new().len(1).offset(2).past_end(true).is_plain());
    }
}
