//! An answer that not every system has.

use std::fmt;

use super::Flags;
use super::words::Permissions;

/// What the kernel reports, if it does.
///
/// A check of something that is not reported is skipped: it is true, so that one test can compare
/// the library with the kernel if the kernel reports things, and do the rest of its work elsewhere.
/// The function that asked has already printed that the check is skipped. Hence such a value equals
/// everything, and no `assert_ne!` of it holds everywhere.
#[derive(Clone, Copy)]
#[must_use]
pub struct Reported<T>(Option<T>);

impl<T> Reported<T> {
    pub(super) fn new(answer: Option<T>) -> Self {
        Self(answer)
    }

    /// The answer, if there is one.
    pub fn get(self) -> Option<T> {
        self.0
    }

    /// The answer, changed by `f`.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reported<U> {
        Reported(self.0.map(f))
    }

    /// Whether `check` is true for the answer.
    pub fn is(&self, check: impl FnOnce(&T) -> bool) -> bool {
        self.0.as_ref().is_none_or(check)
    }
}

impl Reported<Flags> {
    /// Whether all of `flags` are there.
    #[must_use]
    pub fn contains(&self, flags: Flags) -> bool {
        self.is(|ours| ours.contains(flags))
    }

    /// Whether none of `flags` is there.
    #[must_use]
    pub fn lacks(&self, flags: Flags) -> bool {
        self.is(|ours| !ours.intersects(flags))
    }
}

impl Reported<Permissions> {
    /// Whether all of `permissions` are there.
    #[must_use]
    pub fn contains(&self, permissions: Permissions) -> bool {
        self.is(|ours| ours.contains(permissions))
    }

    /// Whether none of `permissions` is there.
    #[must_use]
    pub fn lacks(&self, permissions: Permissions) -> bool {
        self.is(|ours| !ours.intersects(permissions))
    }
}

impl<T: PartialEq<U>, U> PartialEq<U> for Reported<T> {
    fn eq(&self, expected: &U) -> bool {
        self.is(|answer| answer == expected)
    }
}

impl<T: fmt::Debug> fmt::Debug for Reported<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(answer) => answer.fmt(f),
            None => f.write_str("not reported"),
        }
    }
}
