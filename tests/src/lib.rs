//! What the integration tests share: what the kernel says of a mapping, and how to make a call fail.

mod kernel;
pub mod lacks;

use procfs::process::{MMPermissions, VmFlags};

pub use kernel::smaps;

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

/// Whether the page of `address` is locked.
#[must_use]
pub fn is_locked(address: *const u8) -> bool {
    flags(address).contains(VmFlags::LO)
}

/// Says that a check could not be made here, and why: it counts as not done.
pub fn skip(check: &str, reason: &str) {
    println!("skipped: {check}: {reason}");
}

/// Runs `f` in a thread in which the kernel refuses every `call` (a `SYS_` number) whose first
/// argument is `first`, with `errno`, by a seccomp filter. Where there can be none, because the
/// architecture or an emulator has no such filters, it says so, and `f` is not run.
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
    #[allow(clippy::useless_conversion, reason = "a c_long has 32 bits elsewhere")]
    let call = i64::from(call);
    let run = move || {
        if let Err(reason) = seccomp::refuse(call, index, value, errno.unsigned_abs()) {
            skip("an error path", &reason);
            return None;
        }
        Some(f())
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("the thread does not panic"))
}

#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
mod seccomp {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter,
    };

    /// Installs the filter in this thread.
    pub fn refuse(call: i64, index: u8, value: u64, errno: u32) -> Result<(), String> {
        let is_it = SeccompCondition::new(index, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value);
        let rule = SeccompRule::new(vec![is_it.expect("a condition")]).expect("a rule");
        let filter = SeccompFilter::new(
            [(call, vec![rule])].into(),
            SeccompAction::Allow,
            SeccompAction::Errno(errno),
            std::env::consts::ARCH
                .try_into()
                .expect("an architecture with seccomp"),
        );
        let program: BpfProgram = filter.expect("a filter").try_into().expect("a program");
        apply_filter(&program).map_err(|error| format!("no seccomp filters: {error}"))
    }
}

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
)))]
mod seccomp {
    /// No filter can be written.
    pub fn refuse(_: i64, _: u8, _: u64, _: u32) -> Result<(), String> {
        Err("no seccomp filters for this architecture".to_owned())
    }
}
