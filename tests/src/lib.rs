//! What the integration tests share: what the kernel says of a mapping, and how to make a call fail.

mod child;
mod kernel;
pub mod lacks;
pub mod seccomp;

use std::sync::{Mutex, MutexGuard, PoisonError};

use procfs::process::{MMPermissions, VmFlags};

pub use child::{
    Child, here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, in_threads,
    spawn,
};
pub use kernel::{smaps, smaps_of_file};

/// What the kernel lets the process do with the page of `address`.
///
/// # Panics
/// Where nothing is mapped there.
#[must_use]
pub fn permissions(address: *const u8) -> MMPermissions {
    smaps(address).expect("mapped").perms
}

/// The kernel's flags of the mapping that holds `address`.
///
/// # Panics
/// Where nothing is mapped there.
#[must_use]
pub fn flags(address: *const u8) -> VmFlags {
    smaps(address).expect("mapped").extension.vm_flags
}

/// For each of `count` pages from `address` on: `x` where it is locked, `f` where it is on fault,
/// `.` where not.
///
/// # Panics
/// Where one is not mapped, or /proc/self/smaps cannot be read.
#[must_use]
pub fn lock_states(address: *const u8, count: usize) -> String {
    let pages = (0..count).map(|page| address.addr() + page * unix_memory::page_size());
    let state = |flags: Vec<String>| {
        let has = |flag| flags.iter().any(|word| word == flag);
        match (has("lo"), has("lf")) {
            (true, true) => 'f',
            (true, false) => 'x',
            (false, _) => '.',
        }
    };
    kernel::spelled_flags(pages)
        .into_iter()
        .map(state)
        .collect()
}

/// What [`lock_states`] can be where it should be `states`: some kernels, as Linux 6.1, do not tell
/// which locks are on fault.
#[must_use]
pub fn as_told(states: &str) -> String {
    if states.contains('f') && lacks::locks_on_fault_told("which locks are on fault") {
        return states.replace('f', "x");
    }
    states.to_owned()
}

/// The kernel's flags of the mapping that holds `address`, as it spells them: also those that have
/// no name in [`flags`].
///
/// # Panics
/// Where nothing is mapped there, or /proc/self/smaps cannot be read.
#[must_use]
pub fn raw_flags(address: *const u8) -> Vec<String> {
    kernel::spelled_flags([address.addr()]).remove(0)
}

/// Whether the page of `address` is locked.
#[must_use]
pub fn is_locked(address: *const u8) -> bool {
    flags(address).contains(VmFlags::LO)
}

/// Whether an emulator, which is slow, runs this.
fn is_emulated() -> bool {
    // `cargo xtask emulate` sets it.
    std::env::var_os("UNIX_MEMORY_RUNNER").is_some()
}

/// How much of `work` is to be done: a part of it in an emulator.
#[must_use]
pub fn effort(work: usize) -> usize {
    if is_emulated() {
        (work / 20).max(1)
    } else {
        work
    }
}

/// Whether the library has copies for this processor, and does not need the kernel for all.
#[must_use]
pub fn processor_copies() -> bool {
    matches!(std::env::consts::ARCH, "x86_64" | "aarch64" | "riscv64")
}

/// Says that a check could not be made here, and why: it counts as not done.
pub fn skip(check: &str, reason: &str) {
    println!("skipped: {check}: {reason}");
}

/// Huge pages that are in the system's pool as long as this lives, and were not before.
#[derive(Debug)]
pub struct ReservedHugePages {
    path: String,
    count: u64,
    /// The pool's number is changed by one at a time: in other programs too, since cargo runs tests
    /// one after the other.
    _alone: MutexGuard<'static, ()>,
}

impl ReservedHugePages {
    /// Adds `count` pages of `bytes` each.
    ///
    /// # Errors
    /// Why that cannot be, as for who is not root.
    pub fn new(bytes: usize, count: u64) -> Result<Self, String> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let kib = bytes >> 10;
        let path = format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages");
        let before = pool(&path)?;
        let refused = |error| format!("{path}: {error}");
        std::fs::write(&path, (before + count).to_string()).map_err(refused)?;
        let now = pool(&path)?;
        let reserved = Self {
            path,
            // What came of it goes again.
            count: now.saturating_sub(before),
            _alone: alone,
        };
        if reserved.count < count {
            return Err(format!("only {} of {count} huge pages", reserved.count));
        }
        Ok(reserved)
    }
}

fn pool(path: &str) -> Result<u64, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    text.trim()
        .parse()
        .map_err(|error| format!("{path}: {error}"))
}

impl Drop for ReservedHugePages {
    fn drop(&mut self) {
        let back = pool(&self.path).map(|now| now.saturating_sub(self.count));
        if let Ok(back) = back {
            let _for_root_alone = std::fs::write(&self.path, back.to_string());
        }
    }
}

/// Runs `child` in a child, and says whether it came back with true.
///
/// # Panics
/// Where there can be no child.
#[must_use]
pub fn is_true_in_a_child(child: impl FnOnce() -> bool) -> bool {
    in_a_child(|| assert!(child(), "it is not so in the child")).success()
}

/// Whether a child that does nothing but read the byte at `address` lives on: not where the page
/// cannot be read.
#[must_use]
pub fn can_be_read(address: *const u8) -> bool {
    let address = address.expose_provenance();
    in_a_child(|| {
        let address = std::ptr::with_exposed_provenance::<u8>(address);
        // SAFETY: an aligned byte; where it cannot be read, the child ends, as it is there for.
        let _byte = unsafe { address.read_volatile() };
    })
    .success()
}

/// Runs `f` in a thread in which the kernel refuses every `call` (a `SYS_` number) whose first
/// argument is `first`, with `errno`, by a seccomp filter. Where there can be none, because an emulator
/// has no such filters, it says so, and `f` is not run.
///
/// # Panics
/// Where `f` does.
pub fn refusing<R: Send>(
    call: libc::c_long,
    first: *const u8,
    errno: i32,
    f: impl FnOnce() -> R + Send,
) -> Option<R> {
    refusing_argument(call, 0, first.addr() as u64, errno, f)
}

/// As [`refusing`], where argument `index` (from zero) is `value`.
///
/// # Panics
/// Where `f` does.
pub fn refusing_argument<R: Send>(
    call: libc::c_long,
    index: u8,
    value: u64,
    errno: i32,
    f: impl FnOnce() -> R + Send,
) -> Option<R> {
    let action = libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    let run = move || {
        if let Err(error) = seccomp::filter(call, Some((index, value)), action, 0) {
            skip("an error path", &format!("no seccomp filters: {error}"));
            return None;
        }
        Some(f())
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("the thread does not panic"))
}
