//! The maps of other processes, and names that the kernel's text changes.

use std::fs::{self, File};

use tests::seccomp::{PROCMAP_QUERY, SYS_IOCTL};
use tests::{in_a_child, lacks, refusing_argument, skip, spawn};
use unix_memory::process_map::ProcessMap;
use unix_memory::{Call, MapOptions, ReadOnly};

/// Whether there are maps of other processes here; on OpenBSD for root alone.
fn has_maps(check: &str) -> bool {
    !lacks::process_map(check)
}

/// Runs `f` while the kernel refuses to answer about one address, so that its text is read.
fn by_text<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    refusing_argument(SYS_IOCTL, 1, PROCMAP_QUERY, errno, f)
}

/// A path that has what the text writes for a newline: only the kernel's answer is right.
#[test]
fn four_characters_that_are_no_newline() {
    if !has_maps("names with a backslash") || cfg!(target_os = "openbsd") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a\\012b");
    fs::write(&path, "x").unwrap();
    let mapping = MapOptions::new()
        .map_shared(File::open(&path).unwrap(), ReadOnly)
        .unwrap();
    let address = mapping.as_ptr().addr() as u64;
    let name = move || {
        let (mut map, mut name) = (ProcessMap::of_self().unwrap(), [0; 4096]);
        map.containing_into(address, &mut name)
            .unwrap()
            .unwrap()
            .name()
            .to_vec()
    };
    let read = by_text(libc::ENOTTY, name);
    let name = name();
    let is_right = name.ends_with(b"/a\\012b");
    if let Some(read) = read {
        assert!(read.ends_with(b"/a\nb"), "{}", read.escape_ascii());
        // (Before Linux 6.11, this is the text too.)
        assert!(is_right || name == read, "{}", name.escape_ascii());
    } else {
        assert!(is_right, "{}", name.escape_ascii());
    }
}

#[test]
fn processes_that_are_not_there() {
    if !has_maps("maps of no process") {
        return;
    }
    let child = spawn(|| ());
    let id = child.id().unsigned_abs();
    assert!(child.wait().success());
    for id in [id, u32::MAX, i32::MAX.unsigned_abs()] {
        let error = ProcessMap::of(id).unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::ProcessMap, libc::ESRCH),
            "{id}"
        );
        assert_eq!(
            error.to_string(),
            format!("process_map of process {id}: No such process")
        );
    }
}

/// The user that has nothing.
const NOBODY: libc::uid_t = 65534;

#[test]
fn processes_of_others() {
    let check = "a process of another user";
    if !has_maps(check) {
        return;
    }
    let status = in_a_child(|| {
        // SAFETY: the call takes an integer. (It fails for who is not root, and is somebody already.)
        let _nobody_or_as_before = unsafe { libc::setuid(NOBODY) };
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            return skip(check, "root stays root");
        }
        match ProcessMap::of(1) {
            Ok(_) => skip(check, "the first process is of the same user"),
            Err(error) => assert!(
                [libc::EACCES, libc::EPERM, libc::ESRCH].contains(&error.errno()),
                "{error}"
            ),
        }
        // Its own is not closed to it.
        assert!(ProcessMap::of_self().is_ok());
    });
    assert!(status.success());
}
