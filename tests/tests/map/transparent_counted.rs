//! Transparent huge pages: how many there are, when they are brought in and when they are made from
//! small ones.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod transparent_pages;

use std::fs::File;
use std::ops::RangeInclusive;

use libc::{EINVAL, ENOSYS};
use tests::{Flags, flags, map_at, skip};
use transparent_pages::{options, size};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, page_size,
};

/// How much of the kernel's mapping that holds `address` is in huge pages, by its own account.
fn told(address: *const u8) -> Option<usize> {
    map_at(address).get().flatten().map(|map| map.huge)
}

/// Whether the kernel has put all of `mapping`, which was written to, into huge pages: it may have none.
fn all_huge(mapping: &Mapping<ReadWrite>, what: &str) -> bool {
    let huge = mapping.huge_bytes().unwrap();
    if huge != mapping.len() {
        skip(what, &format!("only {huge} bytes of {} are", mapping.len()));
    }
    huge == mapping.len()
}

#[test]
fn of_nothing_there_is_nothing() {
    let mapping = options(0).map_anonymous(ReadWrite).unwrap();
    assert_eq!(mapping.huge_bytes(), Ok(0));
    assert_eq!(mapping.huge_bytes_range(..), Ok(0));
    let error = mapping.huge_bytes_range(..1).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(0));
}

#[test]
fn what_is_counted_is_what_smaps_says() {
    let Some(size) = size("how much is in huge pages") else {
        return;
    };
    let page = page_size();
    let mapping = options(4 * size).map_anonymous_shared(ReadWrite).unwrap();
    assert_eq!(mapping.huge_bytes(), Ok(0));
    mapping.fill(.., 1).unwrap();
    assert_eq!(mapping.huge_bytes().ok(), told(mapping.as_ptr()));
    // Read alone, it is the page of zeros, which is nobody's.
    let mut private = options(4 * size).map_anonymous(ReadWrite).unwrap();
    private.populate().unwrap();
    assert_eq!(private.huge_bytes(), Ok(0));
    private[size] = 1;
    private[3 * size - 1] = 1;
    let huge = private.huge_bytes().unwrap();
    // The kernel may have made one mapping of it and of a neighbour.
    let map = map_at(private.as_ptr()).get().flatten();
    if let Some(map) = map.filter(|map| map.addresses.len() == private.len()) {
        assert_eq!(huge, map.huge);
    }
    if huge != 2 * size {
        return skip("parts of huge pages", "the kernel had too few");
    }
    let range = |range: std::ops::Range<usize>| private.huge_bytes_range(range);
    assert_eq!(range(0..size), Ok(0));
    assert_eq!(range(size..2 * size), Ok(size));
    assert_eq!(range(size..size), Ok(0));
    // A byte counts with its page.
    assert_eq!(range(size - 1..size + 1), Ok(page));
    assert_eq!(
        range(2 * size + page + 1..2 * size + 3 * page),
        Ok(2 * page)
    );
    assert_eq!(range(0..4 * size), Ok(2 * size));
    let error = range(0..4 * size + 1).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::HugeBytes, EINVAL));
    assert_eq!(error.reason(), Reason::MappingLength(4 * size));
}

/// The kernel is asked before the first page is there, whatever brings it in.
#[test]
fn pages_that_are_brought_in_at_once_are_huge() {
    let what = "huge pages brought in";
    let Some(size) = size(what) else {
        return;
    };
    let options = options(2 * size);
    let mapping = options.populate(true).map_anonymous(ReadWrite).unwrap();
    assert!(mapping.residency().all(Result::unwrap));
    if all_huge(&mapping, what) {
        // As the flag does, which is left out meanwhile.
        assert!(told(mapping.as_ptr()).is_none_or(|huge| huge >= 2 * size));
    }
    match options.lock(true).map_anonymous(ReadWrite) {
        Ok(mapping) => {
            assert!(flags(mapping.as_ptr()).contains(Flags::HG | Flags::LO));
            let _all = all_huge(&mapping, what);
        }
        Err(error) => skip("locked huge pages", &error.to_string()),
    }
    // What cannot be accessed, or only read, is no error.
    drop(options.populate(true).map_anonymous(NoAccess).unwrap());
    let read = options.populate(true).map_anonymous(ReadOnly).unwrap();
    assert!(read.residency().all(Result::unwrap));
    let shared = options.populate(true).map_anonymous_shared(ReadOnly);
    assert!(shared.unwrap().residency().all(Result::unwrap));
}

/// Whether so many bytes are in huge pages; an older kernel may not report it of what it has merged.
fn counts(huge: unix_memory::Result<usize>, expected: RangeInclusive<usize>) -> bool {
    match huge {
        Ok(huge) => expected.contains(&huge),
        Err(error) => {
            skip("parts of huge pages", &error.to_string());
            error.errno() == ENOSYS
        }
    }
}

/// A huge page is cut where a part of it gets another protection, is discarded or unmapped; its content
/// is not.
#[test]
fn parts_of_a_huge_page_are_changed() {
    let what = "parts of huge pages";
    let Some(size) = size(what) else {
        return;
    };
    let page = page_size();
    let make = || {
        let mut mapping = options(2 * size).map_anonymous(ReadWrite).unwrap();
        mapping.fill(1);
        mapping
    };
    let mapping = make();
    if !all_huge(&mapping, what) {
        return;
    }
    let (first, second) = mapping.split_at(page).unwrap();
    let first = first.protect(ReadOnly).unwrap();
    assert!(counts(first.huge_bytes(), 0..=0));
    assert!(counts(second.huge_bytes(), size..=size));
    let mapping = first.protect(ReadWrite).unwrap().join(second).unwrap();
    assert!(mapping.iter().all(|&byte| byte == 1));
    assert!(counts(mapping.huge_bytes(), size..=size));

    let mut mapping = make();
    mapping.discard(size..size + page).unwrap();
    assert!(counts(mapping.huge_bytes(), 0..=size));
    let (before, rest) = mapping.split_at(size).unwrap();
    assert!(rest[..page].iter().all(|&byte| byte == 0));
    assert!(before.iter().chain(&rest[page..]).all(|&byte| byte == 1));
    drop(before);
    let (rest, end) = rest.split_at(size - page).unwrap();
    drop(rest);
    assert_eq!(*end, *vec![1; page]);

    // Shorter, and longer again.
    let mut mapping = make();
    mapping.resize(size + 3).unwrap();
    assert!(counts(mapping.huge_bytes(), 0..=size));
    mapping.resize(4 * size).unwrap();
    assert!(mapping[..size + 3].iter().all(|&byte| byte == 1));
    assert!(mapping[size + 3..].iter().all(|&byte| byte == 0));
    assert!(flags(mapping.as_ptr()).contains(Flags::HG));
}

#[test]
fn small_pages_are_collapsed() {
    let what = "pages that are collapsed";
    let Some(size) = size(what).filter(|_| Advice::Collapse.is_supported()) else {
        return skip(what, "there are no huge pages, or the kernel is too old");
    };
    let page = page_size();
    // (The kernel may be asked to have all memory in huge pages.)
    let small = MapOptions::new().len(2 * size).alignment(size);
    let mut mapping = small
        .advice(Advice::NoHugePage)
        .map_anonymous(ReadWrite)
        .unwrap();
    mapping[page..].fill(1);
    assert_eq!(mapping.huge_bytes(), Ok(0));
    // Advised against, there are none.
    let error = mapping.advise(Advice::Collapse).unwrap_err();
    let off = (EINVAL, Reason::HugePagesOff);
    assert_eq!((error.errno(), error.reason()), off);
    assert!(error.to_string().contains("PR_SET_THP_DISABLE"), "{error}");
    mapping.advise(Advice::HugePage).unwrap();
    // None fits.
    let range = page..size + size / 2;
    let error = mapping.advise_range(range, Advice::Collapse).err();
    // Of a range that only a boundary is in, some kernels say that all is done.
    if let Some(error) = error {
        let none = (EINVAL, Reason::NoHugePageFits(size));
        assert_eq!((error.errno(), error.reason()), none);
    }
    let error = mapping.advise_range(page..3 * page, Advice::Collapse);
    let error = error.unwrap_err();
    assert_eq!(error.reason(), Reason::NoHugePageFits(size));
    assert_eq!(mapping.huge_bytes(), Ok(0));
    match mapping.advise(Advice::Collapse) {
        Ok(()) => {
            assert_eq!(mapping.huge_bytes(), Ok(2 * size));
            assert!(told(mapping.as_ptr()).is_none_or(|huge| huge >= 2 * size));
        }
        Err(error) => skip(what, &error.to_string()),
    }
    assert!(mapping[..page].iter().all(|&byte| byte == 0));
    assert!(mapping[page..].iter().all(|&byte| byte == 1));
    // Of memory that was never touched the kernel makes none, or it brings it in.
    let mut untouched = small.map_anonymous(ReadWrite).unwrap();
    if let Err(error) = untouched.advise(Advice::Collapse) {
        assert_eq!((error.errno(), error.reason()), off);
        untouched.populate_write().unwrap();
        if let Err(error) = untouched.advise(Advice::Collapse) {
            assert_ne!(error.reason(), Reason::HugePagesOff, "{error}");
        }
    }
    // Memory of a device has none.
    let zero = File::open("/dev/zero").unwrap();
    let device = small.map_private(&zero, ReadOnly).unwrap();
    let mut byte = [0];
    device.read_at(0, &mut byte).unwrap();
    if let Err(error) = device.advise(Advice::Collapse) {
        println!("/dev/zero: {error}");
    }
}

/// Before Linux 6.7 it is counted by the kernel's mappings: as well, or it is said that it cannot be.
#[test]
fn an_older_kernel_counts_by_its_mappings() {
    let what = "counts by mappings";
    let Some(size) = size(what) else {
        return;
    };
    let page = page_size();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "C libraries differ in its type; the kernel has it in a register"
    )]
    let request = unix_memory_sys::PAGEMAP_SCAN as usize as u64;
    let refusing = |f: &(dyn Fn() + Sync)| {
        tests::refusing_argument(libc::SYS_ioctl, 1, request, libc::ENOTTY, f)
    };
    // Guards keep it from its neighbours.
    let mut guarded = options(4 * size)
        .map_guarded(page, page, ReadWrite)
        .unwrap();
    guarded[..2 * size].fill(1);
    let half = guarded.mapping().huge_bytes().unwrap();
    refusing(&|| {
        let mapping = guarded.mapping();
        assert_eq!(mapping.huge_bytes(), Ok(half));
        if half != 2 * size {
            return skip(what, "the kernel had too few");
        }
        // All of the other half could be it.
        let error = mapping.huge_bytes_range(..2 * size).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::HugeBytes, ENOSYS));
        assert_eq!(error.reason(), Reason::Unsupported);
        // At least one is there.
        let range = mapping.huge_bytes_range(page..);
        assert_eq!(range.unwrap_err().errno(), ENOSYS);
    });
    guarded[2 * size..].fill(1);
    if all_huge(guarded.mapping(), what) {
        refusing(&|| {
            let mapping = guarded.mapping();
            assert_eq!(mapping.huge_bytes_range(page..size), Ok(size - page));
            assert_eq!(mapping.huge_bytes(), Ok(4 * size));
        });
    }
}
