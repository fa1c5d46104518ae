//! What the integration tests share: what the kernel says of a mapping, and how to make a call fail.

use procfs::process::{MMPermissions, MemoryMap, Process, VmFlags};

/// The kernel's entry in /proc/self/smaps for the mapping that holds `address`, if there is one.
///
/// # Panics
/// Where /proc/self/smaps cannot be read.
#[must_use]
pub fn smaps(address: *const u8) -> Option<MemoryMap> {
    let address = address.addr() as u64;
    let maps = Process::myself()
        .and_then(|process| process.smaps())
        .expect("/proc/self/smaps");
    maps.into_iter()
        .find(|map| (map.address.0..map.address.1).contains(&address))
}

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

/// Runs `f` in a thread in which the kernel refuses every `call` (a `SYS_` number) whose first
/// argument is `first`, with `errno`, by a seccomp filter.
///
/// # Panics
/// Where the filter cannot be installed, and where `f` does.
pub fn refusing<R: Send>(
    call: libc::c_long,
    first: *const u8,
    errno: i32,
    f: impl FnOnce() -> R + Send,
) -> R {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, apply_filter,
    };

    let first = first.addr() as u64;
    let is_first = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, first);
    let rule = SeccompRule::new(vec![is_first.expect("a condition")]).expect("a rule");
    let filter = SeccompFilter::new(
        [(call, vec![rule])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH
            .try_into()
            .expect("an architecture with seccomp"),
    );
    let program: BpfProgram = filter.expect("a filter").try_into().expect("a program");
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            apply_filter(&program).expect("seccomp");
            f()
        });
        thread.join().expect("the thread does not panic")
    })
}
