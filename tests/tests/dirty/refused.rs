//! Trackers that the kernel refuses, or whose calls it refuses: nothing that was written is lost.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "what was written comes as ranges, of which there may be one"
)]
// Only Linux tracks writes.
#![cfg(any(target_os = "linux", target_os = "android"))]

use libc::{EACCES, EBUSY, EINVAL, EMFILE, ENOMEM, ENOSYS, EPERM};
use tests::dirty::{Fenced, alone, pages, tracked, works};
use tests::seccomp::{SYS_IOCTL, SYS_USERFAULTFD};
use tests::{in_a_child, lacks, refusing, refusing_argument, skip};
use unix_memory::{Call, Mapping, Reason, Tracking, page_size};
use unix_memory_sys as sys;

/// A request, as a filter sees it: the C library may have it in an `int`, of which it makes a `long`.
macro_rules! request {
    ($name:ident) => {{
        #[allow(
            clippy::cast_lossless,
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_sign_loss,
            clippy::unnecessary_cast,
            reason = "its type is the C library's, and its bits are what counts"
        )]
        let request = if size_of::<libc::c_long>() == 4 {
            sys::$name as u32 as u64
        } else {
            sys::$name as libc::c_long as u64
        };
        request
    }};
}

#[test]
fn a_filter_refuses_userfaultfd() {
    let _alone = alone();
    let flags = (libc::O_CLOEXEC | sys::UFFD_USER_MODE_ONLY).unsigned_abs() as usize;
    for (errno, reason) in [
        (EPERM, Reason::Kernel),
        (ENOSYS, Reason::Unsupported),
        (EMFILE, Reason::Kernel),
    ] {
        refusing(
            SYS_USERFAULTFD,
            std::ptr::without_provenance(flags),
            errno,
            || {
                let mut mapping = Mapping::anonymous(10).unwrap();
                mapping[9] = 7;
                let refused = mapping.into_tracked_by(Tracking::WriteProtect).unwrap_err();
                let (error, mapping) = refused.into_parts();
                assert_eq!(
                    (error.call(), error.errno(), error.reason()),
                    (Call::Userfaultfd, errno, reason)
                );
                assert_eq!(mapping[9], 7);
                // Then the other way is tried, unless a limit was reached, which says nothing about
                // what is supported.
                match mapping.into_tracked() {
                    Ok(tracked) => {
                        assert_ne!(errno, EMFILE);
                        assert_eq!(tracked.tracking(), Tracking::SoftDirty);
                    }
                    Err(refused) => assert_eq!(refused.error(), error),
                }
            },
        );
    }
}

#[test]
fn without_proc() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "tracking without /proc") {
        return;
    }
    // The number for the current directory, as one C library passes it, or another.
    for here in [0xffff_ff9c, (-100_i64).cast_unsigned()] {
        refusing_argument(libc::SYS_openat, 0, here, libc::ENOENT, || {
            let mut mapping = Mapping::anonymous(10).unwrap();
            mapping[9] = 7;
            let Err(refused) = mapping.into_tracked_by(Tracking::WriteProtect) else {
                return;
            };
            let (error, mapping) = refused.into_parts();
            assert_eq!((error.call(), error.errno()), (Call::Pagemap, libc::ENOENT));
            assert_eq!(error.reason(), Reason::NoProc);
            assert_eq!(mapping[9], 7);
        });
    }
}

#[test]
fn a_kernel_without_the_features() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "a kernel without the features") {
        return;
    }
    refusing_argument(SYS_IOCTL, 1, request!(UFFDIO_API), EINVAL, || {
        let mapping = Mapping::anonymous(10).unwrap();
        let error = mapping
            .into_tracked_by(Tracking::WriteProtect)
            .unwrap_err()
            .error();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Userfaultfd, ENOSYS, Reason::Unsupported)
        );
    });
    refusing_argument(SYS_IOCTL, 1, request!(PAGEMAP_SCAN), libc::ENOTTY, || {
        let mapping = Mapping::anonymous(10).unwrap();
        let refused = mapping.into_tracked_by(Tracking::WriteProtect).unwrap_err();
        let error = refused.error();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::PagemapScan, ENOSYS, Reason::Unsupported)
        );
        // It is not registered any more: another descriptor can.
        let _watched = watch(&refused.into_mapping());
    });
    for (request, call) in [
        (request!(UFFDIO_REGISTER), Call::UffdioRegister),
        (request!(UFFDIO_WRITEPROTECT), Call::UffdioWriteprotect),
        (request!(PAGEMAP_SCAN), Call::PagemapScan),
    ] {
        refusing_argument(SYS_IOCTL, 1, request, ENOMEM, || {
            let mut mapping = Mapping::anonymous(10).unwrap();
            mapping[0] = 1;
            let (error, mut mapping) = mapping.into_tracked().unwrap_err().into_parts();
            assert_eq!((error.call(), error.errno()), (call, ENOMEM));
            mapping[1] = 1;
            assert_eq!(mapping[..2], [1, 1]);
        });
    }
}

/// The kernel refuses to report what was written, and to reset it.
#[test]
fn calls_that_are_refused_lose_nothing() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "calls that are refused") {
        return;
    }
    let page = page_size();
    let (mut memory, _fences) = tracked(200, Tracking::WriteProtect);
    let memory = &mut memory;

    memory[page] = 1;
    refusing_argument(SYS_IOCTL, 1, request!(PAGEMAP_SCAN), ENOMEM, || {
        for mut refused in [memory.take(), memory.written()] {
            let error = refused.next().unwrap().unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::PagemapScan, ENOMEM));
            assert!(refused.next().is_none());
        }
    });
    // It may have taken some before it failed.
    let found = pages(memory.written());
    assert!(found.iter().any(|range| range.contains(&1)), "{found:?}");
    memory.mark().unwrap();
    assert_eq!(pages(memory.take()), []);

    memory[page] = 1;
    refusing_argument(SYS_IOCTL, 1, request!(PAGEMAP_SCAN), ENOMEM, || {
        let error = memory.mark().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::PagemapScan, ENOMEM));
        assert_eq!(pages(memory.written()), [0..200], "it may have marked some");
        let error = memory.take().next().unwrap().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::PagemapScan, ENOMEM));
        assert_eq!(pages(memory.written()), [0..200]);
    });
    assert_eq!(pages(memory.take()), [0..200]);
    assert_eq!(pages(memory.take()), []);

    // What is given back if that is refused.
    for i in 0..100 {
        memory[2 * i * page] = 1;
    }
    refusing_argument(SYS_IOCTL, 1, request!(UFFDIO_WRITEPROTECT), ENOMEM, || {
        let mut taken = memory.take();
        assert_eq!(taken.next().unwrap().unwrap(), 0..page);
        drop(taken);
    });
    assert_eq!(pages(memory.take()), [0..200]);
    assert_eq!(pages(memory.take()), []);
}

/// Somebody else's userfaultfd over the pages of `mapping`.
fn watch<A: unix_memory::Access>(mapping: &Mapping<A>) -> std::os::fd::OwnedFd {
    use std::os::fd::{AsRawFd, FromRawFd};
    // SAFETY: nothing is watched yet.
    let fd = unsafe { sys::userfaultfd(libc::O_CLOEXEC | sys::UFFD_USER_MODE_ONLY) };
    assert!(fd >= 0);
    // SAFETY: it is new.
    let fd = unsafe { std::os::fd::OwnedFd::from_raw_fd(fd) };
    let mut api = sys::uffdio_api {
        api: sys::UFFD_API,
        features: sys::UFFD_FEATURE_WP_ASYNC,
        ioctls: 0,
    };
    // SAFETY: the argument is that of the request.
    let result = unsafe { sys::ioctl(fd.as_raw_fd(), sys::UFFDIO_API, &raw mut api) };
    assert_eq!(result, 0);
    let mut register = sys::uffdio_register {
        range: sys::uffdio_range {
            start: mapping.as_ptr().expose_provenance() as u64,
            len: mapping.len().next_multiple_of(page_size()) as u64,
        },
        mode: sys::UFFDIO_REGISTER_MODE_WP,
        ioctls: 0,
    };
    // SAFETY: as above; the kernel itself serves the faults.
    let result = unsafe { sys::ioctl(fd.as_raw_fd(), sys::UFFDIO_REGISTER, &raw mut register) };
    assert_eq!(result, 0);
    fd
}

#[test]
fn somebody_else_watches_the_pages() {
    let _alone = alone();
    if !works(Tracking::WriteProtect, "pages that are watched") {
        return;
    }
    let Fenced { memory, .. } = Fenced::new(3);
    let watched = watch(&memory);
    let refused = memory.into_tracked().unwrap_err();
    let error = refused.error();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::UffdioRegister, EBUSY, Reason::Watched)
    );
    // What they watch is theirs: it is still refused.
    let refused = refused.into_mapping().into_tracked().unwrap_err();
    assert_eq!(refused.error().reason(), Reason::Watched);
    drop(watched);
    let mut memory = refused.into_mapping().into_tracked().unwrap();
    memory[0] = 1;
    assert_eq!(pages(memory.take()), [0..1]);
}

/// A process that closes its own files below /proc, as one with secrets does.
#[test]
fn a_process_that_is_not_dumpable() {
    let _alone = alone();
    for tracking in [Tracking::WriteProtect, Tracking::SoftDirty] {
        if !works(tracking, "a process that is not dumpable") {
            continue;
        }
        let status = in_a_child(|| {
            // SAFETY: the call has no preconditions.
            if unsafe { libc::getuid() } == 0 {
                // SAFETY: the calls take integers.
                assert_eq!(unsafe { libc::setgid(65534) }, 0);
                // SAFETY: as above.
                assert_eq!(unsafe { libc::setuid(65534) }, 0);
            }
            // Changing the user closes them too.
            // SAFETY: as above.
            assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) }, 0);
            let (mut memory, _fences) = tracked(4, tracking);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) }, 0);
            // What is open continues to work.
            memory[page_size()] = 1;
            assert_eq!(pages(memory.take()), [1..2]);
            memory.mark().unwrap();
            let mapping = memory.untrack();
            let error = mapping.into_tracked_by(tracking).unwrap_err().error();
            assert_eq!(
                (error.call(), error.errno(), error.reason()),
                (Call::Pagemap, EACCES, Reason::NotDumpable)
            );
            assert!(error.to_string().contains("PR_SET_DUMPABLE"), "{error}");
        });
        assert!(status.success());
    }
}

/// Other threads go on when the first one has ended, for which alone the kernel has most files of the
/// process.
#[test]
fn a_process_without_its_first_thread() {
    let _alone = alone();
    for tracking in [Tracking::WriteProtect, Tracking::SoftDirty] {
        let check = "a process without its first thread";
        if !works(tracking, check) || lacks::own_process(check) {
            continue;
        }
        let status = in_a_child(|| {
            let page = page_size();
            let (mut before, fences) = tracked(4, tracking);
            std::thread::spawn(move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    while std::fs::read("/proc/self/maps").is_ok_and(|text| !text.is_empty()) {
                        std::thread::yield_now();
                    }
                    before[page] = 1;
                    assert_eq!(pages(before.take()), [1..2]);
                    assert_eq!(pages(before.take()), []);
                    before[2 * page] = 1;
                    before.mark().unwrap();
                    assert_eq!(pages(before.written()), []);
                    drop((before, fences));
                    let (mut memory, _fences) = tracked(4, tracking);
                    memory[3 * page] = 1;
                    assert_eq!(pages(memory.take()), [3..4]);
                }));
                // SAFETY: the call has no preconditions.
                unsafe { libc::_exit(i32::from(result.is_err())) }
            });
            // SAFETY: it ends this thread alone, which has nothing that the other uses.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        });
        assert!(status.success(), "{tracking:?}: {status}");
    }
}

/// There is one tracker by soft-dirty bits, and it notices if anybody else clears them.
#[test]
fn soft_dirty_bits_are_one_set_for_the_process() {
    let _alone = alone();
    if !works(Tracking::SoftDirty, "one tracker") {
        return;
    }
    let page = page_size();
    let (mut memory, _fences) = tracked(5, Tracking::SoftDirty);
    let other = Fenced::new(1).memory;
    let refused = other.into_tracked_by(Tracking::SoftDirty).unwrap_err();
    let error = refused.error();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::Track, EBUSY, Reason::OneTracker)
    );
    memory[page] = 1;
    assert_eq!(pages(memory.written()), [1..2]);

    std::fs::write("/proc/self/clear_refs", "4").unwrap();
    assert_eq!(pages(memory.written()), [0..5], "it is not known any more");
    memory[3 * page] = 1;
    assert_eq!(pages(memory.take()), [0..5]);
    assert_eq!(pages(memory.take()), []);
    memory[3 * page] = 1;
    assert_eq!(pages(memory.take()), [3..4]);

    // In the middle of an answer, of which what was returned was right.
    let mut taken = memory.take();
    std::fs::write("/proc/self/clear_refs", "4").unwrap();
    assert_eq!(taken.next().unwrap().unwrap(), 0..5 * page);
    drop(taken);
    memory.mark().unwrap();

    // When it is gone there can be another.
    drop(memory);
    let mut other = refused
        .into_mapping()
        .into_tracked_by(Tracking::SoftDirty)
        .unwrap();
    other[0] = 1;
    assert_eq!(pages(other.take()), [0..1]);
    drop(other.untrack());
    let again = tracked(1, Tracking::SoftDirty);
    drop(again);
}

/// A kernel whose bits are never set, or never clear, has no such thing.
#[test]
fn bits_that_do_nothing_are_found_out() {
    let _alone = alone();
    if works(Tracking::SoftDirty, "bits") {
        return skip("bits that do nothing", "they work here");
    }
    let error = Mapping::anonymous(1)
        .unwrap()
        .into_tracked_by(Tracking::SoftDirty)
        .unwrap_err()
        .error();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENOSYS, Reason::Unsupported),
        "{error}"
    );
}
