//! Shared memory objects with names.

use std::cell::Cell;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use libc::{EACCES, EEXIST, EFBIG, EINVAL, ENAMETOOLONG, ENOENT};
use rustix::io::{FdFlags, fcntl_getfd};
use tests::{here_and_as_the_first_process, in_a_child_of_the_same_number, lacks, skip};
use unix_memory::{Call, FileKind, NamedMemory, ReadOnly, ReadWrite, Reason};

fn closes_on_exec(fd: impl AsFd) -> bool {
    fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)
}

/// A name that no other test has.
fn name(of: &str) -> String {
    format!("/unix-memory-test-{of}-{}", std::process::id())
}

fn exists(name: &str) -> bool {
    std::path::Path::new("/dev/shm").join(&name[1..]).exists()
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn named_memory_is_there_for_others_until_dropped() {
    let name = name("drop");
    let memory = NamedMemory::create(&name, 10).unwrap();
    assert_eq!(memory.name().to_str(), Some(&*name));
    assert!(exists(&name) && closes_on_exec(&memory));
    assert_eq!(memory.len().unwrap(), 10);
    memory
        .map(ReadWrite)
        .unwrap()
        .write_at(0, b"0123456789")
        .unwrap();

    let theirs = NamedMemory::open(&name).unwrap();
    assert!(closes_on_exec(&theirs));
    let mapping = theirs.map(ReadWrite).unwrap();
    assert_eq!(mapping.to_vec().unwrap(), b"0123456789");
    let reader = NamedMemory::open_read_only(&name).unwrap();
    assert_eq!(
        reader.map(ReadOnly).unwrap().to_vec().unwrap(),
        b"0123456789"
    );
    assert_eq!(reader.map(ReadWrite).unwrap_err().errno(), EACCES);
    assert_eq!(reader.set_len(1).unwrap_err().errno(), EINVAL);

    let error = NamedMemory::create(&name, 20).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::ShmOpen, EEXIST));
    assert!(
        error
            .to_string()
            .starts_with("shm_open of \"/unix-memory-test-drop-")
            && error.to_string().ends_with(": File exists"),
        "{error}"
    );
    assert_eq!(memory.len().unwrap(), 10);

    drop(memory);
    assert!(!exists(&name));
    let error = NamedMemory::open(&name).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::ShmOpen, ENOENT));
    assert_eq!(
        NamedMemory::open_read_only(&name).unwrap_err().errno(),
        ENOENT
    );
    // The memory is still theirs.
    assert_eq!(mapping.to_vec().unwrap(), b"0123456789");
}

#[test]
fn a_name_can_go_sooner_stay_and_be_removed() {
    if lacks::shared_files("a name that stays") {
        return;
    }
    let name = name("stay");
    let memory = NamedMemory::create(&name, 10).unwrap();
    let memory = memory.unlink().unwrap();
    assert!(!exists(&name));
    drop(memory.map(ReadWrite).unwrap());

    NamedMemory::create(&name, 10).unwrap().persist();
    assert!(exists(&name));
    NamedMemory::remove(&name).unwrap();
    assert!(!exists(&name));
    let error = NamedMemory::remove(&name).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::ShmUnlink, ENOENT));

    let memory = NamedMemory::create(&name, 10).unwrap();
    NamedMemory::remove(&name).unwrap();
    let (error, memory) = memory.unlink().unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::ShmUnlink, ENOENT));
    assert_eq!(memory.len().unwrap(), 10);
}

#[test]
fn a_name_that_failed_to_get_its_length_is_gone() {
    let name = name("length");
    assert_eq!(
        NamedMemory::create(&name, u64::MAX).unwrap_err().errno(),
        EFBIG
    );
    assert!(!exists(&name));
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn a_childs_drop_leaves_the_name() {
    let name = name("fork");
    let memory = NamedMemory::create(&name, 10).unwrap();
    // SAFETY: the child calls nothing but a drop, which makes system calls alone, and `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(memory);
        // SAFETY: it ends the child without running anything of the test's.
        unsafe { libc::_exit(0) };
    }
    assert_ne!(child, -1);
    // SAFETY: the child is this test's own.
    let ended = unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    assert_eq!(ended, child);
    assert!(exists(&name));
    drop(memory);
    assert!(!exists(&name));
}

#[test]
fn what_is_no_name_is_refused() {
    for bad in ["", "/", "name", "/a/b", "//", "/a\0b"] {
        for error in [
            NamedMemory::create(bad, 1).unwrap_err(),
            NamedMemory::open(bad).unwrap_err(),
            NamedMemory::remove(bad).unwrap_err(),
        ] {
            assert_eq!(
                (error.errno(), error.reason()),
                (EINVAL, Reason::ObjectName),
                "{bad:?}"
            );
        }
    }
    assert_eq!(
        NamedMemory::open("a\0\u{1b}").unwrap_err().to_string(),
        "shm_open of \"a\\x00\\x1b\": Invalid argument (a name is a slash followed by 1 to 254 bytes, without another slash or NUL, and not /. or /..)"
    );
    let long = format!("/{}", "x".repeat(300));
    let error = NamedMemory::create(&long, 1).unwrap_err();
    // The C library, or the kernel, decides.
    assert!([EINVAL, ENAMETOOLONG].contains(&error.errno()), "{error}");
    assert!(error.to_string().contains("xxx...\""), "{error}");
}

#[test]
fn permissions_are_those_asked_for() {
    let name = name("mode");
    let mode = |memory: NamedMemory| {
        let memory = memory.unlink().unwrap();
        std::fs::File::from(OwnedFd::from(memory))
            .metadata()
            .unwrap()
            .mode()
            & 0o777
    };
    assert_eq!(mode(NamedMemory::create(&name, 1).unwrap()), 0o600);
    let read_only = NamedMemory::create_with_mode(&name, 1, 0o400).unwrap();
    // Root may do anything.
    let again = NamedMemory::open(&name)
        .map(drop)
        .map_err(|error| error.errno());
    let root = rustix::process::geteuid().is_root();
    assert_eq!(again, if root { Ok(()) } else { Err(EACCES) });
    assert_eq!(mode(read_only), 0o400);
}

#[test]
fn unique_names_are_many() {
    let many: Vec<_> = (0..50)
        .map(|_| NamedMemory::create_unique(1).unwrap())
        .collect();
    let names: std::collections::HashSet<_> = many.iter().map(NamedMemory::name).collect();
    assert_eq!(names.len(), 50);
    assert!(names.iter().all(|name| name.len() <= 31));
}

/// What somebody put in the place of the name before: opening it neither waits, nor follows, nor
/// succeeds.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 has no sockets, and no status of pipes"
)]
fn what_is_no_object_is_refused() {
    let directory = std::path::Path::new("/dev/shm");
    if !directory.is_dir() {
        return skip("planted names", "there is no /dev/shm");
    }
    let name = |what| format!("/unix-memory-planted-{what}-{}", std::process::id());
    let path = |what| directory.join(&name(what)[1..]);
    let fifo = CString::new(path("fifo").as_os_str().as_bytes()).unwrap();
    // SAFETY: the path ends in NUL.
    if unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) } != 0 {
        return skip("planted names", "no FIFO can be made");
    }
    std::fs::create_dir(path("directory")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(path("socket"));
    for what in ["fifo", "directory", "link", "socket"] {
        let both = [
            NamedMemory::open(name(what)),
            NamedMemory::open_read_only(name(what)),
        ];
        let kind = match what {
            "fifo" => FileKind::Pipe,
            "directory" => FileKind::Directory,
            "link" => FileKind::SymbolicLink,
            _ => FileKind::Socket,
        };
        for result in both {
            let error = result.expect_err(what);
            assert_eq!(error.call(), Call::ShmOpen);
            assert_eq!(error.reason(), Reason::NotMappable(kind), "{error}");
        }
        let error = NamedMemory::create(name(what), 1).unwrap_err();
        assert_eq!(error.errno(), EEXIST, "{what}");
    }
    drop(socket);
    std::fs::remove_dir(path("directory")).unwrap();
    for what in ["fifo", "link", "socket"] {
        std::fs::remove_file(path(what)).unwrap();
    }
}

#[test]
fn dots_are_no_names() {
    for name in ["/.", "/.."] {
        let results = [
            NamedMemory::create(name, 1).map(drop),
            NamedMemory::open(name).map(drop),
            NamedMemory::remove(name),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (EINVAL, Reason::ObjectName)
            );
        }
    }
    let hidden = format!("/.unix-memory-{}", std::process::id());
    drop(NamedMemory::create(hidden, 1).unwrap());
}

/// A process number does not show whose the name is.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn a_child_takes_the_name_over_or_leaves_it() {
    let make = || {
        let memory = NamedMemory::create_unique(1).unwrap();
        (memory.name().to_owned(), Cell::new(Some(memory)))
    };
    here_and_as_the_first_process(|| {
        let (name, memory) = make();
        let status = in_a_child_of_the_same_number(|| drop(memory.take()));
        assert!(status.success());
        drop(NamedMemory::open(&name).expect("the child left it"));
        drop(memory.take());
        assert_eq!(NamedMemory::open(&name).unwrap_err().errno(), ENOENT);
    });
    // This is the situation after `daemon`, whose parent drops nothing.
    here_and_as_the_first_process(|| {
        let (name, memory) = make();
        let status = in_a_child_of_the_same_number(|| {
            let mut memory = memory.take().unwrap();
            memory.adopt().unwrap();
        });
        assert!(status.success());
        let error = NamedMemory::open(&name).unwrap_err();
        assert_eq!(error.errno(), ENOENT, "the child has removed it");
        drop(memory.take());
    });
}
