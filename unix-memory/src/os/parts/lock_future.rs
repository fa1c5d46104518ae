//! Stopping the lock on future mappings, and leaving what is mapped as it is: Linux and Android.

use core::ops::Range;
use core::ptr::NonNull;

use unix_memory_sys as sys;

use super::mlockall::mlockall;
use super::proc_file;
use crate::error::Errno;
use crate::os::call;
use crate::page_list::PageList;

/// Stops locking mappings that are made from now on. What is locked stays locked, but only on fault;
/// what is not locked stays so.
///
/// The kernel can do that only while it locks everything that is mapped, which is undone for what was
/// not locked.
///
/// # Errors
/// Those of opening /proc/self/smaps; `ENODATA` if that does not list locks, or another thread maps
/// more than can be noted; and the errors of `mlockall`. Nothing has changed then.
pub fn stop_locking_future() -> Result<(), Errno> {
    let mut count = 0;
    each_unlocked(|_| {
        count += 1;
        true
    })?;
    let mut unlocked = PageList::new(count + 64)?;
    if !each_unlocked(|range| unlocked.push(range))? {
        return Err(libc::ENODATA);
    }
    mlockall(sys::MCL_CURRENT | sys::MCL_ONFAULT)?;
    for range in unlocked.as_slice() {
        let Some(start) = NonNull::new(core::ptr::without_provenance_mut(range.start)) else {
            continue;
        };
        // SAFETY: no content changes. Whoever has locked some of this in the meantime, by a guard of
        // this crate, waits for it to be locked again. [harmless]
        let _or_stays_locked = unsafe { call::munlock(start, range.len()) };
    }
    Ok(())
}

/// Calls `f` with every mapping that is not locked, until it returns false; returns whether it never
/// did.
fn each_unlocked(mut f: impl FnMut(Range<usize>) -> bool) -> Result<bool, Errno> {
    let mut mapping = None;
    let (mut all, mut flags_seen) = (true, false);
    proc_file::each_line(c"/proc/thread-self/smaps", |line| {
        if let Some(flags) = line.strip_prefix(b"VmFlags:") {
            flags_seen = true;
            let is_locked = flags.split(|&byte| byte == b' ').any(|flag| flag == b"lo");
            match mapping.take() {
                Some(range) if all && !is_locked => all = f(range),
                _ => {}
            }
        } else if let Some(range) = proc_file::addresses(line) {
            mapping = Some(range);
        }
    })?;
    if flags_seen {
        Ok(all)
    } else {
        Err(libc::ENODATA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_mappings_that_are_not_locked() {
        let mut count = 0;
        let all = each_unlocked(|_| {
            count += 1;
            count < 3
        });
        assert_eq!((all, count), (Ok(false), 3));
    }
}
