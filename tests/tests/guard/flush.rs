//! Flushing, and residency, which the kernel reports through mincore.

use std::io::Read;

use libc::{EAGAIN, EBUSY, EINVAL, EIO};
use tests::seccomp::{SYS_MINCORE, SYS_MSYNC};
use tests::{lacks, refusing, refusing_argument};
use unix_memory::{Call, Flush, MapOptions, Mapping, ReadWrite, Reason, page_size};

#[test]
fn flushed_writes_are_in_the_file() {
    if lacks::shared_files("flushed writes") {
        return;
    }
    let mut file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new()
        .offset(2)
        .map_shared(&file, ReadWrite)
        .unwrap();
    mapping.write_at(0, b"flushed").unwrap();
    for mode in [Flush::Async, Flush::Sync, Flush::Invalidate] {
        mapping.flush(mode).unwrap();
        mapping.flush_range(3..5, mode).unwrap();
        mapping.flush_range(8..8, mode).unwrap();
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"\0\0flushed\0");
}

/// Each mode is the flag that the man page says, also where the device is to store it all.
#[test]
fn each_mode_is_its_flags() {
    if lacks::shared_files("flags of flushes") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let modes = [
        (Flush::Sync, libc::MS_SYNC),
        (Flush::Async, libc::MS_ASYNC),
        (Flush::Invalidate, libc::MS_SYNC | libc::MS_INVALIDATE),
    ];
    for (refused, flags) in modes {
        let flags = u64::from(flags.unsigned_abs());
        let flush = || {
            let results = modes.map(|(mode, _)| mapping.flush(mode).is_err());
            (results, mapping.flush_durable(&file).is_err())
        };
        let Some((failed, durable)) = refusing_argument(SYS_MSYNC, 2, flags, EIO, flush) else {
            return;
        };
        assert_eq!(failed, modes.map(|(mode, _)| mode == refused));
        assert_eq!(durable, refused == Flush::Sync, "{refused:?}");
    }
}

#[test]
fn failures_are_the_errno_and_not_minus_one() {
    if lacks::shared_files("flushes that fail") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let flush = || mapping.flush(Flush::Sync);
    if let Some(result) = refusing(SYS_MSYNC, mapping.as_ptr(), EIO, flush) {
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Msync, EIO));
        assert_eq!(
            error.to_string(),
            "msync of 10 bytes at 0: Input/output error"
        );
    }
    let error = mapping.flush_range(..11, Flush::Sync).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::MappingLength(10))
    );
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten locks nothing")]
fn locked_pages_are_not_invalidated() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let guard = mapping.lock().unwrap();
    assert_eq!(mapping.flush(Flush::Invalidate).unwrap_err().errno(), EBUSY);
    mapping.flush(Flush::Sync).unwrap();
    drop(guard);
    mapping.flush(Flush::Invalidate).unwrap();
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 reports a negative errno of fsync"
)]
fn durable_flushes_synchronise_the_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.write_at(0, b"durable").unwrap();
    mapping.flush_durable(&file).unwrap();
    mapping.flush_range_durable(3..5, &file).unwrap();
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    assert_eq!(content, b"durable\0\0\0");

    // A file that is not one cannot be kept; nor is the range beyond the end.
    let (pipe, _other_end) = rustix::pipe::pipe().unwrap();
    let error = mapping.flush_durable(&pipe).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Fsync, EINVAL));
    assert_eq!(error.to_string(), "fsync: Invalid argument");
    let error = mapping.flush_range_durable(..11, &file).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(10));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn residency_of_a_range_is_that_of_its_pages() {
    if lacks::own_pages("residency of a range") {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(6 * page).unwrap();
    let _ = mapping.advise(unix_memory::Advice::NoHugePage);
    mapping[2 * page] = 1;
    let resident = |range| -> Vec<bool> {
        let residency = mapping.residency_range(range).unwrap();
        residency.map(Result::unwrap).collect()
    };
    assert_eq!(resident(2 * page - 1..4 * page), [false, true, false]);
    assert_eq!(resident(3 * page - 1..3 * page), [true]);
    assert_eq!(resident(3 * page..3 * page), [false; 0]);
    assert_eq!(
        mapping.residency_range(..3 * page).unwrap().resident(),
        Ok(1)
    );
    let error = mapping.residency_range(..=6 * page).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mincore, EINVAL));
    assert_eq!(error.reason(), Reason::MappingLength(6 * page));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn residency_tells_each_page() {
    if lacks::own_pages("residency") {
        return;
    }
    // More pages than are asked about at a time, and not a multiple.
    let page = page_size();
    let count = 2 * 1024 + 7;
    let mut mapping = Mapping::anonymous(count * page - 1).unwrap();
    let _ = mapping.advise(unix_memory::Advice::NoHugePage);
    let touched = [0, 5, 1023, 1024, 2047, count - 1];
    for i in touched {
        mapping[i * page] = 1;
    }
    let resident: Vec<usize> = mapping
        .residency()
        .enumerate()
        .filter_map(|(i, resident)| resident.unwrap().then_some(i))
        .collect();
    assert_eq!(resident, touched);
    let mut residency = mapping.residency();
    assert_eq!(residency.size_hint(), (1, Some(count)));
    residency.next().unwrap().unwrap();
    assert_eq!(residency.size_hint().1, Some(count - 1));
    assert_eq!(residency.resident().unwrap(), touched.len() - 1);
    assert_eq!(mapping.residency().count(), count);
}

#[test]
fn residency_ends_after_an_error() {
    if lacks::own_pages("residency") {
        return;
    }
    let mapping = Mapping::anonymous(5 * page_size()).unwrap();
    refusing(SYS_MINCORE, mapping.as_ptr(), EAGAIN, || {
        let mut residency = mapping.residency();
        let error = residency.next().unwrap().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mincore, EAGAIN));
        assert!(residency.next().is_none());
        assert_eq!(mapping.residency().resident().unwrap_err().errno(), EAGAIN);
    });
}
