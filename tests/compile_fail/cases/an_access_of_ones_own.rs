//! What can be read is decided by this crate alone.

use unix_memory::{Access, Protection};

#[derive(Clone, Copy, Debug, Default)]
struct Mine;

impl Access for Mine {
    fn protection(self) -> Protection {
        Protection::all()
    }
}

fn main() {}
