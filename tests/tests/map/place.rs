//! Where mappings go: exactly there, aligned, within a range; and what the builder does afterwards.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod pool;

use libc::{EEXIST, EINVAL, ENOMEM};
use tests::seccomp::{SYS_MADVISE, SYS_MLOCK};
use tests::{
    Flags, Permissions, flags, is_locked, kernel, lacks, permissions, refusing_argument, skip,
};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, page_size,
};

/// An address where `pages` pages are free, found far from where the kernel puts others' mappings.
fn free(pages: usize) -> usize {
    let room = MapOptions::new()
        .len(pages * page_size())
        .within(1 << 28..1 << 30)
        .map_anonymous(NoAccess)
        .expect("room");
    room.as_ptr().addr()
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn at_is_exactly_there() {
    // Another test may take the address that was free a moment ago.
    for _ in 0..10 {
        let address = free(3);
        let options = MapOptions::new().len(3 * page_size() - 1).at(address);
        let Ok(mut mapping) = options.map_anonymous(ReadWrite) else {
            continue;
        };
        assert_eq!(mapping.as_ptr().addr(), address);
        mapping[3 * page_size() - 2] = 1;
        // Any overlap is refused, and does no harm.
        for (at, pages) in [(0, 1), (1, 1), (2, 1), (0, 9)] {
            let at = address + at * page_size();
            let options = MapOptions::new().len(pages * page_size()).at(at);
            let error = options.map_anonymous(ReadWrite).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mmap, EEXIST));
            assert_eq!(error.reason(), Reason::Occupied);
        }
        assert_eq!(mapping[3 * page_size() - 2], 1);
        return;
    }
    panic!("the address was never free");
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn at_maps_files_too() {
    let file = tempfile::tempfile().unwrap();
    let page = page_size();
    file.set_len(3 * page as u64).unwrap();
    for _ in 0..10 {
        let address = free(2);
        let options = MapOptions::new().offset(page as u64 + 10).at(address);
        let Ok(mapping) = options.map_shared(&file, ReadOnly) else {
            continue;
        };
        assert_eq!(mapping.as_ptr().addr(), address + 10);
        assert_eq!(mapping.len(), 2 * page - 10);
        return;
    }
    panic!("the address was never free");
}

#[test]
fn bad_addresses_and_alignments_are_refused() {
    let options = || MapOptions::new().len(1);
    let refused = |options: MapOptions, reason| {
        let error = options.map_anonymous(ReadWrite).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, EINVAL));
        assert_eq!(error.reason(), reason);
    };
    let page = page_size();
    refused(options().at(16 * page + 1), Reason::Unaligned(page));
    refused(
        options().at(17 * page).alignment(2 * page),
        Reason::Unaligned(2 * page),
    );
    refused(options().at(0), Reason::NoAddress);
    refused(options().alignment(3 * page), Reason::PowerOfTwo);
    refused(options().alignment(3), Reason::PowerOfTwo);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten maps nothing at a given address"
)]
fn alignment_is_kept() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 17).unwrap();
    for shift in [0, 3, 13, 17, 21, 24] {
        let options = MapOptions::new().len(100_000).alignment(1 << shift);
        let unit = page_size().max(1 << shift);
        let private = options.map_anonymous(ReadWrite).unwrap();
        assert_eq!(private.as_ptr().addr() % unit, 0);
        assert_eq!(private.len(), 100_000);
        let hinted = options.hint(1 << 28).map_anonymous(ReadWrite);
        assert_eq!(hinted.unwrap().as_ptr().addr() % unit, 0);
        let shared = options.offset(7).map_shared(&file, ReadOnly);
        assert_eq!(shared.unwrap().as_ptr().addr() % unit, 7);
        // Nothing is left of the room that was searched.
        assert!(permissions(private.as_ptr()).contains(Permissions::WRITE));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn an_alignment_beyond_the_address_space() {
    let options = MapOptions::new().len(1).alignment(1 << (usize::BITS - 1));
    let error = options.map_anonymous(ReadWrite).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    let (asked, most) = (1 << (usize::BITS - 1), 1 << (usize::BITS - 2));
    assert_eq!(error.reason(), Reason::AlignmentLimit { asked, most });
    let options = MapOptions::new()
        .len(isize::MAX as usize - page_size())
        .alignment(1 << (usize::BITS - 2));
    match options.map_anonymous(NoAccess) {
        // A 64-bit kernel gives a 32-bit program nearly 4 GiB, in which there may be room.
        Ok(mapping) => {
            assert_eq!(size_of::<usize>(), 4);
            assert_eq!(mapping.as_ptr().addr() % (1 << (usize::BITS - 2)), 0);
        }
        Err(error) => assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM)),
    }
}

/// The room that an alignment takes counts: the reason says what there is.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn an_alignment_beyond_the_free_addresses() {
    let check = "the free addresses";
    if lacks::own_process(check) || lacks::process_map(check) {
        return;
    }
    for shift in usize::BITS / 2..usize::BITS - 2 {
        let options = MapOptions::new().len(1).alignment(1 << shift);
        let Err(error) = options.map_anonymous(NoAccess) else {
            continue;
        };
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        if !cfg!(any(target_os = "linux", target_os = "android")) {
            return skip(check, "this system does not report them");
        }
        // (Or a limit on them that the tests run under.)
        assert!(
            matches!(
                error.reason(),
                Reason::FreeAddresses(_) | Reason::AddressSpaceLimit(_)
            ),
            "{error}"
        );
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten maps nothing at a given address"
)]
fn within_is_within() {
    let range = 1 << 28..1 << 30;
    let options = MapOptions::new().len(5 * page_size()).within(range.clone());
    let all: Vec<_> = (0..8)
        .map(|_| options.map_anonymous(ReadWrite).unwrap())
        .collect();
    for mapping in &all {
        let start = mapping.as_ptr().addr();
        assert!(range.start <= start && start + 5 * page_size() <= range.end);
    }
    let aligned = options.alignment(1 << 20);
    let aligned = aligned.map_anonymous(ReadWrite).unwrap();
    assert_eq!(aligned.as_ptr().addr() % (1 << 20), 0);
    assert!(range.contains(&aligned.as_ptr().addr()));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn no_room_within() {
    let room = MapOptions::new().len(8 * page_size());
    let room = room.map_anonymous(NoAccess).unwrap();
    let start = room.as_ptr().addr();
    for range in [
        start..start + 8 * page_size(), // all taken
        start..start + page_size(),     // too small
        start..start,
        start + page_size()..start,
        usize::MAX - 1..usize::MAX,
        0..page_size(), // page zero is nobody's
    ] {
        let options = MapOptions::new().len(2 * page_size()).within(range.clone());
        let error = options.map_anonymous(ReadWrite).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert_eq!(error.reason(), Reason::NoRoom, "{range:?}");
    }
}

#[test]
fn a_step_that_fails_unmaps_and_says_which() {
    if lacks::advice("advice of the builder") {
        return;
    }
    // So large, and read-only, that it is not merged with a neighbour; no other test has this length.
    let len = 77_777 * page_size();
    let options = MapOptions::new().len(len);

    let advised = options.advice(Advice::Sequential);
    let mapping = advised.map_anonymous(ReadOnly).unwrap();
    assert!(flags(mapping.as_ptr()).contains(Flags::SR));
    drop(mapping);
    assert_eq!(kernel::mappings_of_length(len), 0);
    let call = || advised.map_anonymous(ReadOnly).unwrap_err();
    if let Some(error) = refusing_argument(SYS_MADVISE, 1, len as u64, EINVAL, call) {
        assert_eq!((error.call(), error.errno()), (Call::Madvise, EINVAL));
        assert_eq!(kernel::mappings_of_length(len), 0);
    }

    let len = 7 * page_size();
    let locked = MapOptions::new().len(len).lock(true);
    let mapping = locked.map_anonymous(ReadWrite).unwrap();
    if is_locked(mapping.as_ptr()) {
        // A lock guard that comes and goes does not change that.
        drop(mapping.lock().unwrap());
        assert!(is_locked(mapping.as_ptr()));
    } else {
        skip("lock of the builder", "this kernel shows no locks");
    }
    drop(mapping);
    let call = || locked.map_anonymous(ReadWrite).unwrap_err();
    if let Some(error) = refusing_argument(SYS_MLOCK, 1, len as u64, ENOMEM, call) {
        assert_eq!((error.call(), error.errno()), (Call::Mlock, ENOMEM));
    }
}

#[test]
fn a_stack() {
    let stack = MapOptions::new().len(1 << 16).stack(true);
    let mut stack = stack.map_anonymous(ReadWrite).unwrap();
    stack[0] = 1;
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn huge_pages() {
    use unix_memory::HugePageSize;

    assert_eq!(HugePageSize::from_bytes(0), None);
    assert_eq!(HugePageSize::from_bytes(page_size()), None);
    assert_eq!(HugePageSize::from_bytes(3 << 20), None);
    assert_eq!(HugePageSize::from_bytes(1 << 30), Some(HugePageSize::GIB_1));
    assert_eq!(HugePageSize::MIB_2.bytes(), 2 << 20);

    let file = tempfile::tempfile().unwrap();
    file.set_len(4 << 20).unwrap();
    let options = MapOptions::new().len(1).huge_pages(HugePageSize::MIB_2);
    let error = options.map_shared(&file, ReadOnly).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );

    let Some((size, _reserved)) = pool::pool(2, "memory in huge pages") else {
        return;
    };
    // Each length is one of whole pages, which come back.
    for len in [1, size.bytes() - 1, size.bytes(), size.bytes() + 1] {
        let options = MapOptions::new().len(len).huge_pages(size);
        let mut mapping = options.map_anonymous(ReadWrite).unwrap();
        assert_eq!(mapping.len(), len.next_multiple_of(size.bytes()));
        assert_eq!(mapping.as_ptr().addr() % size.bytes(), 0);
        let last = mapping.len() - 1;
        mapping[last] = 1;
        mapping.unmap().unwrap();
    }
    // More than any pool has.
    let options = MapOptions::new().len(isize::MAX as usize / 2);
    let options = options.huge_pages(size);
    let error = options.map_anonymous(ReadWrite).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
}

// Only Linux has MAP_SYNC, and not on MIPS.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
#[test]
fn persistent_memory() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    match MapOptions::new().map_shared_sync(&file, ReadWrite) {
        Ok(mapping) => mapping.write_at(0, b"kept").unwrap(),
        Err(error) => {
            assert_eq!(error.call(), Call::Mmap);
            assert!(
                [libc::EOPNOTSUPP, EINVAL].contains(&error.errno()),
                "{error}"
            );
            skip("MAP_SYNC", &error.to_string());
        }
    }
    let past = MapOptions::new().len(11).map_shared_sync(&file, ReadWrite);
    assert_eq!(past.unwrap_err().reason(), Reason::FileLength(10));
}

#[test]
fn nothing_is_anywhere() {
    // Options of a mapping without bytes are accepted.
    let options = MapOptions::new().len(0).alignment(1 << 21).lock(true);
    assert!(options.map_anonymous(ReadWrite).unwrap().is_empty());
    let _: Mapping<ReadWrite> = options.at(page_size()).map_anonymous(ReadWrite).unwrap();
}

/// Of a file, what is aligned in it is aligned in memory: so huge pages of the file fit.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten maps nothing at a given address"
)]
fn a_files_alignment_is_that_of_its_offsets() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(8 << 20).unwrap();
    let unit = (2 << 20).max(4 * page);
    for offset in [
        0,
        page,
        3 * page,
        unit,
        unit + page,
        unit - page,
        page + 100,
        100,
    ] {
        let options = MapOptions::new()
            .offset(offset as u64)
            .len(page)
            .alignment(unit);
        let fits = |address: usize| address % unit == offset % unit;
        let mapping = options.map_shared(&file, ReadOnly).unwrap();
        assert!(fits(mapping.as_ptr().addr()), "offset {offset}");
        // The first page there; not elsewhere.
        let start = mapping.as_ptr().addr() / page * page;
        drop(mapping);
        let there = options.at(start).map_private(&file, ReadOnly);
        match there {
            Ok(mapping) => assert!(fits(mapping.as_ptr().addr())),
            Err(error) => assert_eq!(error.reason(), Reason::Occupied, "another thread's"),
        }
        let error = options.at(start + page).map_shared(&file, ReadOnly);
        assert_eq!(error.unwrap_err().reason(), Reason::Unaligned(unit));
        let near = options.hint(start + 5 * unit).map_shared(&file, ReadOnly);
        assert!(fits(near.unwrap().as_ptr().addr()), "offset {offset}");
        // Wide: where addresses are few, another thread may have many of them.
        let range = start / 4..start;
        let within = options
            .within(range.clone())
            .map_shared(&file, ReadOnly)
            .unwrap();
        assert!(fits(within.as_ptr().addr()) && range.contains(&within.as_ptr().addr()));
    }
    // Without a file, as usual.
    let anonymous = MapOptions::new()
        .len(1)
        .alignment(unit)
        .map_anonymous(ReadWrite);
    assert_eq!(anonymous.unwrap().as_ptr().addr() % unit, 0);
}

/// A range that ends below the unit holds what begins in the middle of one.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten maps nothing at a given address"
)]
fn within_less_than_the_alignment() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 << 26).unwrap();
    let options = MapOptions::new().offset(1 << 26).len(1).alignment(1 << 28);
    let mapping = options.within(1 << 16..1 << 27).map_shared(&file, ReadOnly);
    match mapping {
        Ok(mapping) => assert_eq!(mapping.as_ptr().addr(), 1 << 26),
        Err(error) => panic!("{error}"),
    }
}

/// Exactly as much room as is needed, and a page less, wherever it begins.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten maps nothing at a given address"
)]
fn the_only_place_that_fits() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(64 * page as u64).unwrap();
    let room = Mapping::anonymous(64 * page).unwrap();
    let start = room.as_ptr().addr();
    drop(room);
    let unit = 8 * page;
    for offset in [0, page, 7 * page] {
        let first = start.next_multiple_of(unit) + offset;
        let options = MapOptions::new()
            .offset(offset as u64)
            .len(2 * page)
            .alignment(unit);
        let fits = options.within(first..first + 2 * page);
        match fits.map_shared(&file, ReadOnly) {
            Ok(mapping) => assert_eq!(mapping.as_ptr().addr(), first),
            Err(error) => assert_eq!(error.reason(), Reason::NoRoom, "another thread's"),
        }
        for range in [
            first + page..first + 2 * page + unit - page,
            first..first + page,
        ] {
            let error = options.within(range).map_shared(&file, ReadOnly);
            assert_eq!(error.unwrap_err().reason(), Reason::NoRoom);
        }
    }
}
