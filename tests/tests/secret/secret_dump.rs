//! Core dumps without secrets: a child aborts, and its core is searched.
// Only of Linux it is known here where a core goes, and how to ask for one.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs;
use std::path::Path;

use tests::{lacks, skip};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Mapping, page_size};

const LEN: usize = 64;

/// Byte `at` of the pattern `which`: never in memory as a whole, but where it is put.
fn byte(which: u64, at: usize) -> u8 {
    let mixed = (which + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::hint::black_box((mixed ^ (mixed >> 29)).to_le_bytes()[5])
}

fn fill(which: u64, bytes: &mut [u8]) {
    for (at, place) in bytes.iter_mut().enumerate() {
        *place = byte(which, at);
    }
}

/// Whether one of the halves of the pattern is anywhere in `core`.
fn is_in(which: u64, core: &[u8]) -> bool {
    let mut pattern = [0; LEN];
    fill(which, &mut pattern);
    pattern
        .chunks(LEN / 2)
        .any(|half| core.windows(half.len()).any(|window| window == half))
}

const CONTROL: u64 = 0x1111_2222;
const CLOSED: u64 = 0x3333_4444;
const READ: u64 = 0x5555_6666;
const WRITTEN: u64 = 0x7777_8888;
const KEPT_OUT: u64 = 0x9999_aaaa;

/// Dumps core in `directory`.
fn crash(directory: &Path) {
    let path = std::ffi::CString::new(directory.to_str().expect("a name")).expect("no NUL");
    // SAFETY: the string ends in NUL.
    assert_eq!(unsafe { libc::chdir(path.as_ptr()) }, 0);
    let options = SecretOptions::new().optional(Protections::LOCKED);
    let make = |which: u64| {
        options
            .new_with(LEN, |bytes| fill(which, bytes))
            .expect("a secret")
    };
    let mut control = Mapping::anonymous(page_size()).expect("memory");
    fill(CONTROL, &mut control[..LEN]);
    let closed = make(CLOSED);
    let (read, mut written) = (make(READ), make(WRITTEN));
    let secret = options.clone().secret_memory(true);
    let secret: Secret = secret
        .new_with(LEN, |bytes| fill(KEPT_OUT, bytes))
        .expect("a secret");
    let open = (read.borrow(), written.borrow_mut(), secret.borrow());
    // SAFETY: the default action is a safe one.
    unsafe { libc::signal(libc::SIGABRT, libc::SIG_DFL) };
    std::hint::black_box((&open, &closed, &control));
    // SAFETY: the call has no preconditions.
    unsafe { libc::abort() }
}

#[test]
fn a_core_has_no_secrets() {
    let check = "a core without secrets";
    if lacks::own_process(check) || lacks::advice(check) {
        return;
    }
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim().is_empty() || pattern.contains(['/', '|']) {
        return skip(check, &format!("cores go to {:?}", pattern.trim()));
    }
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the limit can be written.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) };
    assert_eq!(asked, 0);
    limit.rlim_cur = limit.rlim_max;
    if limit.rlim_cur < 64 << 20 {
        return skip(check, "the limit on cores is too low");
    }
    let directory = tempfile::tempdir().expect("a directory");
    // (Not `in_a_child`, whose children dump no core.)
    // SAFETY: the child ends by a signal, or `_exit`, and allocates, which glibc and musl allow.
    let child = unsafe { libc::fork() };
    assert_ne!(child, -1);
    if child == 0 {
        // SAFETY: the call reads the limit.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
        let _panicked = std::panic::catch_unwind(|| crash(directory.path()));
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(1) };
    }
    let mut status = 0;
    // SAFETY: the call writes the status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFSIGNALED(status), "{status:#x}");
    if !libc::WCOREDUMP(status) {
        return skip(check, "the kernel dumped none");
    }
    let mut cores = fs::read_dir(directory.path()).expect("the directory");
    let core = cores.next().expect("a core").expect("its name").path();
    let core = fs::read(core).expect("the core");
    assert!(
        is_in(CONTROL, &core),
        "what is no secret is there: {} bytes",
        core.len()
    );
    for which in [CLOSED, READ, WRITTEN, KEPT_OUT] {
        assert!(!is_in(which, &core), "{which:#x}");
    }
}
