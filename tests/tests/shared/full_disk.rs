//! A file system without room: a small tmpfs in a mount namespace of its own, which root can have, and
//! other users where the system lets them.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::mounts::{keep_private, mount};
use tests::{copies, in_a_child, lacks, skip};
use unix_memory::{
    Error, FaultCause, MapOptions, Mechanism, ReadOnly, ReadWrite, Reason, install_fault_handler,
    page_size,
};

/// How many pages there is room for.
const ROOM: usize = 8;

/// Enters namespaces in which this process, which has no other thread, can mount.
fn enter() -> io::Result<()> {
    // SAFETY: the call has no preconditions.
    let user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getegid() };
    let mut flags = libc::CLONE_NEWNS;
    if user != 0 {
        flags |= libc::CLONE_NEWUSER;
    }
    // SAFETY: the call takes flags.
    if unsafe { libc::unshare(flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if user != 0 {
        // Whoever is nobody there makes no files.
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    }
    keep_private()
}

/// The cause of the fault that `error` reports.
fn cause(error: &Error) -> FaultCause {
    match error.reason() {
        Reason::Fault { cause, .. } => cause,
        reason => panic!("{reason:?}: {error}"),
    }
}

/// Calls `f` in a child which alone has a file system of [`ROOM`] pages, with `more` options, at `path`.
fn with_little_room(check: &str, path: &Path, more: &str, f: impl FnOnce()) {
    let ended = in_a_child(|| {
        let options = format!("size={}{more}", ROOM * page_size());
        let mounted = enter().and_then(|()| mount("none", path, "tmpfs", 0, &options));
        match mounted {
            Ok(()) => f(),
            Err(error) => skip(check, &format!("no file system could be mounted: {error}")),
        }
    });
    assert!(ended.success(), "{ended}");
}

fn create(path: PathBuf) -> File {
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(true);
    options.open(path).expect("a file")
}

/// Takes all the room that is left, until the file is removed.
fn fill_up(directory: &Path) -> PathBuf {
    let path = directory.join("filler");
    let file = create(path.clone());
    let page = vec![1; page_size()];
    let mut offset = 0;
    while file.write_all_at(&page, offset).is_ok() {
        offset += page.len() as u64;
    }
    path
}

fn fault(error: &Error) -> usize {
    assert_eq!(error.errno(), libc::EFAULT, "{error}");
    match error.reason() {
        Reason::Fault { done, .. } => done,
        reason => panic!("{reason:?}: {error}"),
    }
}

#[test]
fn an_append_that_has_no_room_changes_nothing() {
    let check = "a log on a full disk";
    if lacks::own_pages(check) {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    with_little_room(check, directory.path(), "", || {
        let file = create(directory.path().join("log"));
        let mut log = MapOptions::new()
            .map_file(&file, ReadWrite)
            .expect("a file");
        let entry = vec![7; page_size()];
        log.append(&entry).expect("room for one");
        let filler = fill_up(directory.path());
        for _ in 0..3 {
            let error = log.append(&entry).expect_err("no room");
            assert_eq!((fault(&error), cause(&error)), (0, FaultCause::NoSpace));
            let text = error.to_string();
            assert!(
                text.ends_with("its file system is full: free some space)"),
                "{text}"
            );
            assert_eq!(log.len(), page_size());
            let len = file.metadata().expect("a length").len();
            assert_eq!(len, page_size() as u64);
            assert!(log.to_vec().expect("what was there") == entry);
        }
        fs::remove_file(filler).expect("the filler");
        assert_eq!(log.append(&entry).expect("room again"), page_size());
        assert!(log.to_vec().expect("both") == [&entry[..], &entry[..]].concat());
    });
}

/// A page of a hole takes room when it is read by a mapping, and none when the file is read.
#[test]
fn holes_are_read_or_are_errors() {
    let check = "holes on a full disk";
    if lacks::own_pages(check) {
        return;
    }
    let populates = !lacks::advice("populate on a full disk");
    let directory = tempfile::tempdir().expect("a directory");
    with_little_room(check, directory.path(), "", || {
        let page = page_size();
        let file = create(directory.path().join("holes"));
        file.set_len(4 * page as u64).expect("a length");
        file.write_all_at(b"there", 0).expect("room for one");
        let mapping = MapOptions::new().map_shared(&file, ReadWrite).expect("it");
        let mapped = MapOptions::new().map_file(&file, ReadOnly).expect("it");
        let filler = fill_up(directory.path());
        let read = |by: Option<Mechanism>| {
            let mut found = vec![1; 2 * page];
            let done = match copies::read(&mapping, by, 0, &mut found) {
                // Some kernels show a page of zeros for a hole.
                Ok(()) => 2 * page,
                Err(error) => fault(&error),
            };
            assert!(done >= page, "{by:?}: {done}");
            assert_eq!(&found[..6], b"there\0");
            assert!(found[6..done].iter().all(|&byte| byte == 0));
            // To be written, it takes a page in any case.
            let error = copies::write(&mapping, by, page, b"more").expect_err("no room");
            assert_eq!(fault(&error), 0, "{by:?}");
            if populates {
                let error = mapping.populate_write_range(page..).expect_err("no room");
                assert_eq!(error.errno(), libc::EFAULT, "{error}");
            }
        };
        for by in copies::mechanisms() {
            read(by);
        }
        let mut found = vec![1; 4 * page];
        match mapped.read_at(0, &mut found) {
            Ok(()) => assert!(found[6..].iter().all(|&byte| byte == 0)),
            // By the handler, which an outer test may have installed, it is a copy of the mapping.
            Err(error) => {
                assert!(fault(&error) >= page);
                assert_eq!(cause(&error), FaultCause::NoSpace);
            }
        }
        if install_fault_handler().is_ok() {
            read(None);
            read(Some(Mechanism::Handler));
        }
        fs::remove_file(filler).expect("the filler");
        mapping.write_at(page, b"more").expect("room again");
        mapping.populate_write().expect("room for all");
        assert_eq!(
            mapping.to_vec().expect("all of it")[page - 1..][..6],
            *b"\0more\0"
        );
    });
}

/// The bytes of a hole that a file system reads without taking room, and cannot write: ext4, on a file.
#[test]
fn what_can_be_read_but_not_written() {
    let check = "a hole on a full disk that can be read";
    if lacks::own_pages(check) {
        return;
    }
    let populates = !lacks::advice("populate on a full disk");
    let directory = tempfile::tempdir().expect("a directory");
    let image = directory.path().join("image");
    create(image.clone()).set_len(4 << 20).expect("a length");
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&image).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !run("mke2fs", &["-q", "-F", "-t", "ext4", "-m", "0"]) {
        return skip(check, "mke2fs makes no ext4");
    }
    let ended = in_a_child(|| {
        let at = directory.path().join("mounted");
        fs::create_dir(&at).expect("a directory");
        let is_mounted = enter().is_ok() && {
            let mut mount = Command::new("mount");
            let status = mount.args(["-o", "loop"]).arg(&image).arg(&at).status();
            status.is_ok_and(|status| status.success())
        };
        if !is_mounted {
            return skip(check, "an image of ext4 cannot be mounted");
        }
        let page = page_size();
        let file = create(at.join("holes"));
        file.set_len(4 * page as u64).expect("a length");
        let mapping = MapOptions::new().map_shared(&file, ReadWrite).expect("it");
        let mapped = MapOptions::new().map_file(&file, ReadWrite).expect("it");
        let filler = fill_up(&at);
        let not_written = |error: Error| {
            assert_eq!(fault(&error), 0);
            assert_eq!(cause(&error), FaultCause::NotWritable, "{error}");
        };
        for by in copies::mechanisms() {
            copies::read(&mapping, by, page, &mut [1]).expect("a hole");
            not_written(copies::write(&mapping, by, page, b"more").expect_err("no room"));
        }
        not_written(mapping.fill(page.., 1).expect_err("no room"));
        not_written(mapping.copy_within(..4, 2 * page).expect_err("no room"));
        if populates {
            not_written(mapping.populate_write_range(page..).expect_err("no room"));
        }
        // This one keeps the file, and asks it.
        let error = mapped.write_at(page, b"more").expect_err("no room");
        assert_eq!(cause(&error), FaultCause::NoSpace, "{error}");
        fs::remove_file(filler).expect("the filler");
        mapping.write_at(page, b"more").expect("room again");
    });
    assert!(ended.success(), "{ended}");
}

/// Objects with names are files of a tmpfs, at this place.
// Android has no names.
#[cfg(target_os = "linux")]
#[test]
fn named_memory_without_room() {
    use unix_memory::NamedMemory;

    let check = "named memory without room";
    let place = Path::new("/dev/shm");
    if lacks::own_pages(check) {
        return;
    }
    if !place.is_dir() {
        return skip(check, "names are elsewhere here");
    }
    let name = format!("/unix-memory-full-{}", std::process::id());
    with_little_room(check, place, "", || {
        let memory = NamedMemory::create(&name, 4 * page_size() as u64).expect("a name");
        if !place.join(&name[1..]).exists() {
            return skip(check, "names are elsewhere here");
        }
        let filler = fill_up(place);
        let mapping = memory.map(ReadWrite).expect("addresses");
        assert_eq!(
            fault(&mapping.write_at(0, b"bytes").expect_err("no room")),
            0
        );
        fault(&mapping.fill(.., 1).expect_err("no room"));
        fs::remove_file(filler).expect("the filler");
        mapping.write_at(0, b"bytes").expect("room again");
        drop(memory);
        assert_eq!(fs::read_dir(place).expect("it").count(), 0);
        // What was mapped stays.
        assert!(mapping.eq_at(0, b"bytes").expect("there"));
    });
    with_little_room(check, place, ",nr_inodes=2", || {
        let first = NamedMemory::create(&name, 1).expect("room for one name");
        if !place.join(&name[1..]).exists() {
            return skip(check, "names are elsewhere here");
        }
        let error = NamedMemory::create_unique(1).expect_err("no room for another");
        assert_eq!(error.errno(), libc::ENOSPC, "{error}");
        drop(first);
        drop(NamedMemory::create_unique(1).expect("room again"));
    });
}
