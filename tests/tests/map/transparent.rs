//! Transparent huge pages: where mappings lie for them, and whether the kernel is asked for them.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod transparent_pages;

use std::fs::File;

use libc::EINVAL;
use tests::{Flags, Permissions, flags, permissions, skip};
use transparent_pages::{options, size};
use unix_memory::{HugePageSize, MapOptions, NoAccess, ReadOnly, ReadWrite, Reason, page_size};

#[test]
fn the_size_is_the_kernels() {
    let path = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
    let told = std::fs::read_to_string(path).ok();
    let told = told.map(|text| text.trim().parse::<usize>().unwrap());
    let size = HugePageSize::transparent().map(HugePageSize::bytes);
    assert_eq!(size, told);
}

#[test]
fn a_mapping_that_holds_some_is_aligned_and_advised_on() {
    let Some(size) = size("aligned mappings") else {
        return;
    };
    for len in [size, 2 * size + 5, 3 * size - 1] {
        let mut mapping = options(len).map_anonymous(ReadWrite).unwrap();
        assert_eq!(mapping.len(), len);
        assert_eq!(mapping.as_ptr().addr() % size, 0);
        assert!(flags(mapping.as_ptr()).contains(Flags::HG));
        assert_eq!(mapping.huge_bytes(), Ok(0));
        mapping.fill(1);
        let huge = mapping.huge_bytes().unwrap();
        // The last page is mapped too.
        assert!(huge <= len.next_multiple_of(page_size()) / size * size);
        if huge == 0 {
            skip("huge pages of what was written", "the kernel had none");
        }
    }
    // Memory that holds none is only advised on.
    let small = options(size - page_size()).map_anonymous(ReadWrite);
    assert!(flags(small.unwrap().as_ptr()).contains(Flags::HG));
    // Not unless it is asked for.
    let options = options(2 * size).transparent_huge_pages(false);
    let plain = options.map_anonymous_shared(ReadWrite).unwrap();
    assert!(flags(plain.as_ptr()).lacks(Flags::HG));
    // More than that is kept, also where less is asked for.
    for alignment in [page_size(), 4 * size] {
        let options = options.transparent_huge_pages(true).alignment(alignment);
        let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
        assert_eq!(mapping.as_ptr().addr() % alignment.max(size), 0);
    }
    let error = options.alignment(3).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::PowerOfTwo)
    );
    let stack = options.transparent_huge_pages(true).stack(true);
    let stack = stack.map_anonymous(ReadWrite).unwrap();
    // Which the kernel otherwise advises against by itself.
    assert!(flags(stack.as_ptr()).contains(Flags::HG));
    assert!(flags(stack.as_ptr()).lacks(Flags::NH));
}

#[test]
fn between_guards_the_memory_is_aligned() {
    let what = "guarded huge pages";
    let Some(size) = size(what) else {
        return;
    };
    let page = page_size();
    for (before, behind) in [(page, page), (3 * page, 0), (0, page), (size + page, page)] {
        for populate in [false, true] {
            let options = options(2 * size).populate(populate);
            let mut guarded = options.map_guarded(before, behind, ReadWrite).unwrap();
            assert_eq!(guarded.mapping().as_ptr().addr() % size, 0);
            if !populate {
                guarded.fill(1);
            }
            if guarded.mapping().huge_bytes() != Ok(2 * size) {
                skip(what, "the kernel had too few");
            }
            if before != 0 {
                let guard = guarded.mapping().as_ptr().wrapping_sub(1);
                assert_eq!(permissions(guard), Permissions::PRIVATE);
            }
        }
    }
    // An alignment is that of the first guard.
    let options = options(2 * size).alignment(size);
    let guarded = options.map_guarded(page, page, ReadWrite).unwrap();
    assert_eq!(guarded.mapping().as_ptr().addr() % size, page);
}

/// What is at a multiple of the size in the file is at one in memory.
#[test]
fn files_are_aligned_as_their_offsets_are() {
    let Some(size) = size("aligned files") else {
        return;
    };
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * size as u64).unwrap();
    for (offset, len) in [
        (0, size),
        (page, 2 * size),
        (5, 3 * size),
        (size - 1, size + 1),
    ] {
        let options = options(len).offset(offset as u64);
        for _ in 0..3 {
            let shared = options.map_shared(&file, ReadWrite).unwrap();
            assert_eq!(shared.as_ptr().addr().wrapping_sub(offset) % size, 0);
            assert!(flags(shared.as_ptr()).contains(Flags::HG));
            let private = options.map_private(&file, ReadOnly).unwrap();
            assert_eq!(private.as_ptr().addr().wrapping_sub(offset) % size, 0);
            // It is the file's content that is there.
            shared.write_at(7, b"offset").unwrap();
            let mut bytes = [0; 6];
            private.read_at(7, &mut bytes).unwrap();
            assert_eq!(&bytes, b"offset");
        }
    }
    // Brought in, and beyond the end of the file: a hint.
    for populate in [false, true] {
        let options = options(8 * size).past_end(true).populate(populate);
        let mapping = options.map_shared(&file, ReadWrite).unwrap();
        assert_eq!(mapping.as_ptr().addr() % size, 0);
        let mut bytes = [0; 6];
        mapping.read_at(7, &mut bytes).unwrap();
    }
    let empty = tempfile::tempfile().unwrap();
    let options = MapOptions::new().transparent_huge_pages(true);
    assert!(options.map_shared(&empty, ReadOnly).unwrap().is_empty());
    // Where the file is refused, so it is with the hint.
    let directory = File::open("/").unwrap();
    let error = options.map_shared(&directory, ReadOnly).unwrap_err();
    assert!(matches!(error.reason(), Reason::NotMappable(_)));
}

/// If no place is aligned, another one will do.
#[test]
fn the_place_that_is_asked_for_comes_first() {
    let Some(size) = size("places for huge pages") else {
        return;
    };
    let page = page_size();
    let room = options(4 * size).map_anonymous(NoAccess).unwrap();
    let start = room.as_ptr().addr();
    drop(room);
    let options = options(size + page);
    let at = options.at(start + page).map_anonymous(ReadWrite);
    match at {
        Ok(at) => {
            assert_eq!(at.as_ptr().addr(), start + page);
            assert!(flags(at.as_ptr()).contains(Flags::HG));
        }
        // Another thread has it.
        Err(error) => assert_eq!(error.reason(), Reason::Occupied),
    }
    // No multiple of the size has so much room behind it there.
    match options
        .within(start + page..start + 2 * size)
        .map_anonymous(ReadWrite)
    {
        Ok(within) => assert_ne!(within.as_ptr().addr() % size, 0),
        Err(error) => assert_eq!(error.reason(), Reason::NoRoom),
    }
    match options
        .within(start..start + 4 * size)
        .map_anonymous(ReadWrite)
    {
        Ok(within) => assert!((start..start + 4 * size).contains(&within.as_ptr().addr())),
        Err(error) => assert_eq!(error.reason(), Reason::NoRoom),
    }
    let error = options.at(start + 1).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::Unaligned(page));
    let error = options.at(0).map_anonymous(ReadWrite).unwrap_err();
    assert!(matches!(
        error.reason(),
        Reason::NoAddress | Reason::Occupied
    ));
}
