//! A pool of huge pages that only the test uses.

use tests::{ReservedHugePages, skip};
use unix_memory::HugePageSize;

/// A pool of this many huge pages, all of which are free.
pub fn pool(pages: u64, what: &str) -> Option<(HugePageSize, ReservedHugePages)> {
    if std::env::var_os("UNIX_MEMORY_RUNNER").is_some() {
        // Some emulate pages, and take this from the machine's.
        skip(what, "an emulator may take huge pages for others");
        return None;
    }
    let Some(size) = HugePageSize::system_default() else {
        skip(what, "the kernel has none");
        return None;
    };
    let reserved = match ReservedHugePages::new(size.bytes(), pages) {
        Ok(reserved) => reserved,
        Err(reason) => {
            skip(what, &reason);
            return None;
        }
    };
    if size.pool() != Some(pages) {
        skip(what, "somebody else has huge pages");
        return None;
    }
    Some((size, reserved))
}
