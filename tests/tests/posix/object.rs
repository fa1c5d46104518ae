//! `shm_open` and `shm_unlink`.

// Bionic has neither.
#![cfg(not(target_os = "android"))]

use std::ffi::{CString, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use super::{Pages, READ_WRITE, errno, tried, without_privileges};
use libc::{O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC};
use tests::{in_a_child, limit_open_files, skip};
use unix_memory_sys as sys;

const NEW: c_int = O_RDWR | O_CREAT | O_EXCL;

/// A name that no other test has, until it is dropped. (Apple's systems take few bytes.)
struct Name(CString);

impl Name {
    fn new(of: &str) -> Self {
        let name = format!("/um-posix-{of}-{}", std::process::id());
        Self(CString::new(name).expect("a name"))
    }

    fn open_with(&self, flags: c_int, mode: u16) -> io::Result<File> {
        // Apple's call takes any number of arguments, which are promoted.
        #[cfg(target_vendor = "apple")]
        let mode = std::ffi::c_uint::from(mode);
        #[cfg(not(target_vendor = "apple"))]
        let mode = sys::mode_t::from(mode);
        // SAFETY: the name ends with NUL, and the mode is given.
        let fd = unsafe { sys::shm_open(self.0.as_ptr(), flags, mode) };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else's.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
    }

    fn open(&self, flags: c_int) -> io::Result<File> {
        self.open_with(flags, 0o600)
    }

    fn unlink(&self) -> io::Result<()> {
        // SAFETY: the name ends with NUL.
        tried(unsafe { sys::shm_unlink(self.0.as_ptr()) })
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _gone_or_never_there = self.unlink();
    }
}

fn map(object: &File) -> Pages {
    Pages::of(object, 1, READ_WRITE, sys::MAP_SHARED).expect("a mapping")
}

#[test]
fn one_name_is_one_object_in_every_process() {
    let name = Name::new("one");
    let object = name.open(NEW).unwrap();
    object.set_len(1).unwrap();
    let pages = map(&object);
    let child = in_a_child(|| map(&name.open(O_RDWR).unwrap()).write(0, 7));
    assert!(child.success());
    assert_eq!(pages.read(0), 7);
}

#[test]
fn a_new_object_is_empty_and_what_it_gains_is_zero() {
    let name = Name::new("new");
    let object = name.open(O_RDWR | O_CREAT).unwrap();
    assert_eq!(object.metadata().unwrap().len(), 0);
    object.set_len(100).unwrap();
    let pages = Pages::of(&object, 100, READ_WRITE, sys::MAP_SHARED).unwrap();
    assert!((0..100).all(|at| pages.read(at) == 0));
}

#[test]
fn the_descriptor_is_the_lowest_and_closes_on_exec() {
    let name = Name::new("fd");
    // In a child, where no other thread opens a file.
    let child = in_a_child(|| {
        let lowest = File::open("/dev/null").unwrap();
        let free = lowest.as_raw_fd();
        drop(lowest);
        let object = name.open(NEW).unwrap();
        assert_eq!(object.as_raw_fd(), free);
        // SAFETY: the descriptor is open.
        let flags = unsafe { libc::fcntl(object.as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    });
    assert!(child.success());
}

#[test]
fn the_mode_is_the_one_given_without_the_umask_and_the_owner_the_process() {
    let name = Name::new("mode");
    // In a child, as the mask is that of the process.
    let child = in_a_child(|| {
        // SAFETY: the call has no preconditions.
        unsafe { libc::umask(0o026) };
        let object = name.open_with(NEW, 0o666).unwrap().metadata().unwrap();
        assert_eq!(object.mode() & 0o777, 0o640);
        // SAFETY: the call has no preconditions.
        assert_eq!(object.uid(), unsafe { libc::geteuid() });
        // SAFETY: as above.
        assert_eq!(object.gid(), unsafe { libc::getegid() });
        // It is that of what exists, whatever is given.
        let again = name.open_with(O_RDWR | O_CREAT, 0o777).unwrap();
        assert_eq!(again.metadata().unwrap().mode() & 0o777, 0o640);
    });
    assert!(child.success());
}

#[test]
fn what_exists_is_opened_unless_it_must_be_new() {
    let name = Name::new("excl");
    let object = name.open(NEW).unwrap();
    object.set_len(5).unwrap();
    assert_eq!(errno(name.open(NEW)), libc::EEXIST);
    let same = name.open(O_RDWR | O_CREAT).unwrap();
    assert_eq!(same.metadata().unwrap().len(), 5);
}

#[test]
fn one_of_many_makes_what_must_be_new() {
    let name = Name::new("race");
    let made = std::thread::scope(|scope| {
        let open = || name.open(NEW).is_ok();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        let made = threads.into_iter().map(|thread| thread.join().unwrap());
        made.filter(|&made| made).count()
    });
    assert_eq!(made, 1);
}

#[test]
fn it_is_made_empty_on_demand_and_stays_whose_it_is() {
    let name = Name::new("trunc");
    let object = name.open_with(NEW, 0o640).unwrap();
    object.set_len(5).unwrap();
    let before = object.metadata().unwrap();
    let same = name.open_with(O_RDWR | O_TRUNC, 0o600).unwrap();
    let after = same.metadata().unwrap();
    assert_eq!(after.len(), 0);
    let owner = |data: &std::fs::Metadata| (data.uid(), data.gid(), data.mode());
    assert_eq!(owner(&after), owner(&before));
}

#[test]
fn what_is_opened_for_reading_is_only_read() {
    let name = Name::new("read");
    name.open(NEW).unwrap().set_len(1).unwrap();
    let object = name.open(O_RDONLY).unwrap();
    drop(Pages::of(&object, 1, sys::PROT_READ, sys::MAP_SHARED).unwrap());
    let refused = Pages::of(&object, 1, READ_WRITE, sys::MAP_SHARED);
    assert_eq!(errno(refused), libc::EACCES);
}

#[test]
fn content_lasts_while_there_is_a_name_though_nobody_has_it_open() {
    let name = Name::new("last");
    let object = name.open(NEW).unwrap();
    object.set_len(1).unwrap();
    map(&object).write(0, 7);
    drop(object);
    assert_eq!(map(&name.open(O_RDWR).unwrap()).read(0), 7);
}

#[test]
fn an_unlinked_object_lives_on_where_it_is_mapped_or_open() {
    let name = Name::new("unlink");
    let object = name.open(NEW).unwrap();
    object.set_len(1).unwrap();
    let pages = map(&object);
    pages.write(0, 7);
    name.unlink().unwrap();
    assert_eq!(errno(name.open(O_RDWR)), libc::ENOENT);
    assert_eq!(map(&object).read(0), 7);
    drop(object);
    assert_eq!(pages.read(0), 7);
    // The name may be given again, to another object.
    let other = name.open(NEW).unwrap();
    assert_eq!(other.metadata().unwrap().len(), 0);
    other.set_len(1).unwrap();
    assert_eq!([map(&other).read(0), pages.read(0)], [0, 7]);
}

#[test]
fn names_that_are_not_there_are_refused() {
    let name = Name::new("none");
    assert_eq!(errno(name.open(O_RDWR)), libc::ENOENT);
    assert_eq!(errno(name.unlink()), libc::ENOENT);
}

#[test]
fn names_that_the_system_does_not_support_are_refused() {
    if !cfg!(target_os = "linux") {
        let reason =
            "each system decides on other names than those with one slash at the beginning";
        return skip("names that are not supported", reason);
    }
    for name in ["/", "/um-posix/two"] {
        let name = Name(CString::new(name).unwrap());
        assert_eq!(errno(name.open(NEW)), libc::EINVAL);
    }
}

#[test]
fn names_that_are_too_long_are_refused() {
    let name = Name(CString::new(format!("/{}", "x".repeat(5000))).unwrap());
    // POSIX allows ENAMETOOLONG. glibc calls it a name that no object can have (EINVAL), and, to remove, one
    // that is not there.
    for refused in [errno(name.open(NEW)), errno(name.unlink())] {
        let expected = [libc::ENAMETOOLONG, libc::EINVAL, libc::ENOENT];
        assert!(expected.contains(&refused), "{refused}");
    }
}

#[test]
fn what_is_anothers_is_refused() {
    let check = "an object of another user";
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        return skip(check, "only root has two users");
    }
    let name = Name::new("others");
    name.open(NEW).unwrap();
    let child = in_a_child(|| {
        if !without_privileges() {
            return skip(check, "setuid");
        }
        for flags in [O_RDONLY, O_RDWR, O_RDWR | O_TRUNC, O_RDWR | O_CREAT] {
            assert_eq!(errno(name.open(flags)), libc::EACCES, "{flags}");
        }
        let refused = errno(name.unlink());
        // Linux has the directory's rule, which says EPERM, for what POSIX calls EACCES.
        assert!([libc::EACCES, libc::EPERM].contains(&refused), "{refused}");
    });
    assert!(child.success());
    drop(name.open(O_RDWR).unwrap());
}

#[test]
fn without_free_descriptors_it_is_refused() {
    let name = Name::new("many");
    let child = in_a_child(|| {
        if let Err(error) = limit_open_files(0) {
            return skip("no descriptors", &error.to_string());
        }
        assert_eq!(errno(name.open(NEW)), libc::EMFILE);
    });
    assert!(child.success());
    assert_eq!(errno(name.open(O_RDWR)), libc::ENOENT);
}
