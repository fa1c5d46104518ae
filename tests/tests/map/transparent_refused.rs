//! Transparent huge pages that the process, a limit or the kernel refuses: each in a child.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod transparent_pages;

use libc::{EAGAIN, EBUSY, EINVAL, EMFILE, ENOMEM};
use tests::{
    Flags, flags, in_a_child, is_memory_limit, lacks, limit_address_space, limit_locked_memory,
    limit_open_files, skip,
};
use transparent_pages::{options, size};
use unix_memory::{Advice, Call, LockPages, MapOptions, ProcessLock, ReadWrite, Reason, page_size};

#[test]
fn a_process_without_huge_pages_has_small_ones() {
    let what = "a process without huge pages";
    let Some(size) = size(what) else {
        return;
    };
    let ended = in_a_child(|| {
        // SAFETY: the call takes only numbers.
        if unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) } != 0 {
            return skip(what, "no PR_SET_THP_DISABLE");
        }
        let options = options(2 * size).populate(true);
        let mut mapping = options.map_anonymous(ReadWrite).unwrap();
        mapping.fill(1);
        assert_eq!(mapping.huge_bytes(), Ok(0));
        if Advice::Collapse.is_supported() {
            let error = mapping.advise(Advice::Collapse).unwrap_err();
            let off = (EINVAL, Reason::HugePagesOff);
            assert_eq!((error.errno(), error.reason()), off);
        }
        assert!(mapping.iter().all(|&byte| byte == 1));
    });
    assert_eq!(ended.code(), Some(0));
}

/// To align takes more addresses for a moment: where there are too few, nothing is aligned.
#[test]
fn without_room_to_align_it_is_mapped_all_the_same() {
    let what = "few addresses";
    let Some(size) = size(what).filter(|_| !lacks::own_process("few addresses")) else {
        return;
    };
    let ended = in_a_child(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmSize:"));
        let kib = line
            .and_then(|line| line.split_whitespace().nth(1))
            .unwrap();
        let mapped = kib.parse::<u64>().unwrap() * 1024;
        let len = 4 * size;
        if let Err(error) = limit_address_space(mapped + len as u64 + size as u64 / 2) {
            return skip(what, &error.to_string());
        }
        let mut mapping = options(len).map_anonymous(ReadWrite).unwrap();
        assert!(flags(mapping.as_ptr()).contains(Flags::HG));
        mapping.fill(1);
        drop(mapping);
        let error = options(6 * size).map_anonymous(ReadWrite).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    });
    assert_eq!(ended.code(), Some(0));
    // Longer than anything can be, with or without.
    let error = options(usize::MAX).map_anonymous(ReadWrite).unwrap_err();
    assert!(matches!(error.reason(), Reason::LengthLimit(_)));
    let most = isize::MAX.unsigned_abs() / page_size() * page_size();
    match options(most).map_anonymous(ReadWrite) {
        Err(error) => {
            assert_eq!(error.errno(), ENOMEM);
            assert!(is_memory_limit(error.reason()), "{error}");
        }
        // Half of the addresses may be free where they have 32 bits.
        Ok(_) if usize::BITS == 32 => {}
        Ok(mapping) => panic!("{mapping:?}"),
    }
}

/// All of the room that is looked for would be locked for a moment: with less allowed, nothing is aligned.
#[test]
fn under_a_limit_of_locked_memory_it_is_mapped_all_the_same() {
    let what = "a limit of locked memory";
    let Some(size) = size(what).filter(|_| !lacks::own_process(what)) else {
        return;
    };
    let ended = in_a_child(|| {
        if let Err(error) = limit_locked_memory(4 * size as u64) {
            return skip(what, &error.to_string());
        }
        // Root may lock more. (Of another user than this one, there is none to become.)
        // SAFETY: the call takes a number, and this process has one thread.
        let _not_root = unsafe { libc::setuid(65534) };
        let lock = match ProcessLock::new(LockPages::FUTURE) {
            Ok(lock) => lock,
            Err(error) => return skip(what, &error.to_string()),
        };
        let len = 3 * size + size / 2;
        let plain = MapOptions::new().len(len).map_anonymous(ReadWrite);
        plain.unwrap().unmap().unwrap();
        let mut mapping = options(len).map_anonymous(ReadWrite).unwrap();
        mapping.fill(1);
        let error = options(len).map_anonymous(ReadWrite).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, EAGAIN));
        drop(lock);
    });
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn without_descriptors_nothing_is_counted() {
    let what = "no descriptors";
    if size(what).is_none() {
        return;
    }
    let ended = in_a_child(|| {
        let mapping = options(1).map_anonymous(ReadWrite).unwrap();
        // The lowest descriptors are open.
        limit_open_files(1).unwrap();
        let error = mapping.huge_bytes().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::HugeBytes, EMFILE));
    });
    assert_eq!(ended.code(), Some(0));
}

/// Each error of the kernel when it can make none has a reason.
#[test]
fn why_nothing_was_collapsed() {
    let Some(size) = size("why nothing was collapsed") else {
        return;
    };
    let mapping = options(2 * size).map_anonymous(ReadWrite).unwrap();
    let advice = u64::from(unix_memory_sys::MADV_COLLAPSE.cast_unsigned());
    for (errno, reason, says) in [
        (EAGAIN, Reason::PagesInUse, "try again"),
        (EBUSY, Reason::CgroupLimit, "control group"),
        (ENOMEM, Reason::NoFreeHugePage, "no huge page is free"),
        (libc::EPERM, Reason::Kernel, ""),
    ] {
        let result = tests::refusing_argument(libc::SYS_madvise, 2, advice, errno, || {
            mapping.advise(Advice::Collapse)
        });
        let Some(result) = result else {
            return;
        };
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Madvise, errno));
        assert_eq!(error.reason(), reason);
        assert!(error.to_string().contains(says), "{error}");
    }
    // A kernel that does not know it.
    let result = tests::refusing_argument(libc::SYS_madvise, 2, advice, EINVAL, || {
        mapping.advise(Advice::Collapse)
    });
    if let Some(result) = result {
        assert_eq!(result.unwrap_err().reason(), Reason::Unsupported);
    }
    // The hint alone, refused: it is one.
    let advice = u64::from(unix_memory_sys::MADV_HUGEPAGE.cast_unsigned());
    let result = tests::refusing_argument(libc::SYS_madvise, 2, advice, EINVAL, || {
        options(2 * size).populate(true).map_anonymous(ReadWrite)
    });
    if let Some(result) = result {
        let mapping = result.unwrap();
        assert!(flags(mapping.as_ptr()).lacks(Flags::HG));
        assert!(mapping.residency().all(Result::unwrap));
    }
}
