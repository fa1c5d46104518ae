//! What guards of the whole process ask for.

use core::ffi::c_int;

use super::node::Kind;
use crate::error::Errno;
use crate::os;

/// How many guards of the process request what.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    all: usize,
    full: usize,
    future_on_fault: usize,
    future_full: usize,
}

impl Wishes {
    pub const NONE: Self = Self {
        all: 0,
        full: 0,
        future_on_fault: 0,
        future_full: 0,
    };

    /// Whether there is a guard.
    pub const fn any(&self) -> bool {
        self.all != 0
    }

    /// How the pages of the process are held, as far as guards ask for it.
    pub const fn kind(&self) -> Option<Kind> {
        match (self.full, self.all) {
            (0, 0) => None,
            (0, _) => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        }
    }

    /// Counts a guard of `kind`, also of what is mapped in the future if `future`, in or out.
    pub fn count(&mut self, kind: Kind, future: bool, by: isize) {
        self.all = self.all.saturating_add_signed(by);
        if kind == Kind::Full {
            self.full = self.full.saturating_add_signed(by);
        }
        if future {
            let future = match kind {
                Kind::OnFault => &mut self.future_on_fault,
                Kind::Full => &mut self.future_full,
            };
            *future = future.saturating_add_signed(by);
        }
    }

    /// How future pages are to be locked, if they are.
    const fn future(&self) -> Option<Kind> {
        match (self.future_full, self.future_on_fault) {
            (0, 0) => None,
            (0, _) => Some(Kind::OnFault),
            _ => Some(Kind::Full),
        }
    }

    /// The `MCL_` flags that make a guard of `kind` for `pages`: `pages` itself, and the future if
    /// others ask for it, which the kernel would forget otherwise.
    pub fn flags(&self, pages: c_int, kind: Kind) -> c_int {
        let future = match self.future() {
            Some(_) => os::MCL_FUTURE,
            None => 0,
        };
        pages | future | on_fault(kind)
    }

    /// Locks future pages as they are to be, if making a guard of the kind `made` locked them
    /// otherwise.
    ///
    /// # Errors
    /// Those of `mlockall`.
    pub fn lock_future(&self, made: Kind) -> Result<(), Errno> {
        match self.future() {
            Some(kind) if kind != made => os::mlockall(os::MCL_FUTURE | on_fault(kind)),
            _ => Ok(()),
        }
    }

    /// Locks future pages as they are to be, or not at all, where there is another guard.
    ///
    /// # Errors
    /// Those of `mlockall`; `ENOSYS` if the system cannot stop locking them.
    pub fn lock_future_again(&self) -> Result<(), Errno> {
        match self.future() {
            Some(kind) => os::mlockall(os::MCL_FUTURE | on_fault(kind)),
            None => os::stop_locking_future(),
        }
    }
}

const fn on_fault(kind: Kind) -> c_int {
    match kind {
        Kind::OnFault => os::MCL_ONFAULT,
        Kind::Full => 0,
    }
}
