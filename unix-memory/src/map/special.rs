//! Whether options set more than a length and an offset. What such options take is only linked into programs
//! that set one.

use core::fmt;
use core::hash::{Hash, Hasher};

/// The function that maps, `M`, where an option is set that needs it.
///
/// Two of these are always equal: what the options set is in their other fields.
#[derive(Clone, Copy)]
pub struct Special<M>(pub Option<M>);

impl<M> Default for Special<M> {
    fn default() -> Self {
        Self(None)
    }
}

impl<M> PartialEq for Special<M> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<M> Eq for Special<M> {}

impl<M> Hash for Special<M> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl<M> fmt::Debug for Special<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.is_some(), f)
    }
}
