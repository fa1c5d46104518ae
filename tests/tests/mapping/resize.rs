//! `resize`, in place and moving.

use libc::{EAGAIN, EFAULT, EINVAL, ENOMEM, ENOSYS};
use tests::kernel::Map;
use tests::seccomp::{SYS_MPROTECT, SYS_MREMAP, SYS_MUNMAP};
use tests::{
    Flags, Permissions, flags, is_locked, is_unlocked, lacks, map_at, permissions, refusing,
    refusing_argument, skip,
};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, page_size,
};

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten unmaps nothing but whole mappings"
)]
fn grows_and_shrinks_and_keeps_what_was_there() {
    let page = page_size();
    let mut mapping = Mapping::anonymous(10).unwrap();
    mapping.copy_from_slice(b"0123456789");
    for len in [
        11,
        page,
        page + 1,
        40 * page,
        40 * page - 1,
        3,
        3,
        20 * page,
    ] {
        let kept = mapping.len().min(len).min(10);
        let before = mapping[..kept].to_vec();
        mapping.resize(len).unwrap();
        assert_eq!(mapping.len(), len);
        assert_eq!(mapping[..kept], before);
        assert!(mapping[kept..].iter().all(|&byte| byte == 0), "{len}");
    }
    assert_eq!(&mapping[..4], b"012\0");
    mapping.unmap().unwrap();
}

#[test]
fn the_rest_of_the_last_page_is_its_own() {
    let mut mappings = [10, 20].map(|len| Mapping::anonymous(len).unwrap());
    for mapping in &mut mappings {
        // Within the page there is nothing to ask the kernel for.
        mapping.resize(page_size()).unwrap();
        assert!(mapping.iter().all(|&byte| byte == 0));
        mapping.fill(0xff);
    }
    for mapping in mappings {
        mapping.unmap().unwrap();
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten unmaps nothing but whole mappings"
)]
fn what_was_given_up_is_zero_when_it_comes_back() {
    let mut mapping = Mapping::anonymous(2 * page_size()).unwrap();
    mapping.fill(1);
    mapping.resize(5).unwrap();
    mapping.resize(3 * page_size()).unwrap();
    assert_eq!(mapping[..5], [1; 5]);
    assert!(mapping[5..].iter().all(|&byte| byte == 0));
}

#[test]
fn to_nothing_and_from_nothing() {
    let mut mapping = Mapping::anonymous(0).unwrap();
    mapping.resize(0).unwrap();
    mapping.resize(100).unwrap();
    mapping[99] = 1;
    mapping.resize_in_place(0).unwrap();
    assert!(mapping.is_empty());
    mapping.resize_in_place(100).unwrap();
    assert_eq!(*mapping, [0; 100]);
    mapping.unmap().unwrap();
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn shrinking_unmaps_whole_pages() {
    let page = page_size();
    // Read-only, so that no neighbour is merged with it.
    let options = MapOptions::new().len(4 * page);
    let (mut mapping, guard) = {
        let guarded = options.map_guarded(0, page, ReadWrite).unwrap();
        let (_, mapping, guard) = guarded.into_parts();
        (mapping, guard)
    };
    let start = mapping.as_ptr();
    mapping.resize(2 * page + 1).unwrap();
    assert_eq!(mapping.as_ptr(), start);
    assert!(permissions(start.wrapping_add(2 * page)).contains(Permissions::WRITE));
    let gone = start.wrapping_add(3 * page);
    let starts_there = |map: &Map| map.addresses.start == gone.addr();
    assert!(map_at(gone).is(|map| map.as_ref().is_none_or(starts_there)));
    drop(guard);
}

#[test]
fn in_place_or_not_at_all() {
    let page = page_size();
    let (mut mapping, behind) = Mapping::anonymous(2 * page)
        .unwrap()
        .split_at(page)
        .unwrap();
    mapping[0] = 1;
    let address = mapping.as_ptr();
    let error = mapping.resize_in_place(page + 1).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mremap, ENOMEM));
    assert_eq!(error.reason(), Reason::Occupied);
    assert_eq!(
        (mapping.as_ptr(), mapping.len(), mapping[0]),
        (address, page, 1)
    );
    drop(behind);
    if lacks::own_process("room behind a mapping") {
        return;
    }
    // Unless another test took the place meanwhile.
    match mapping.resize_in_place(2 * page) {
        Ok(()) => assert_eq!(
            (mapping.as_ptr(), mapping.len(), mapping[0]),
            (address, 2 * page, 1)
        ),
        Err(error) => assert_eq!(error.reason(), Reason::Occupied),
    }
}

#[test]
fn moved_mappings_keep_protection_and_advice() {
    if lacks::advice("advice that moves along") {
        return;
    }
    let page = page_size();
    let (mapping, _behind) = Mapping::anonymous(2 * page)
        .unwrap()
        .split_at(page)
        .unwrap();
    let mut mapping = mapping.protect(ReadOnly).unwrap();
    mapping.advise(Advice::DontDump).unwrap();
    let address = mapping.as_ptr();
    mapping.resize(100 * page).unwrap();
    assert_ne!(mapping.as_ptr(), address);
    let new = mapping.as_ptr();
    assert_eq!(permissions(new), Permissions::READ | Permissions::PRIVATE);
    assert!(flags(new).contains(Flags::DD));
    assert!(mapping.iter().all(|&byte| byte == 0));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has no advice but that of POSIX"
)]
fn several_mappings_in_the_kernel() {
    let page = page_size();
    let (mapping, behind) = Mapping::anonymous(4 * page)
        .unwrap()
        .split_at(3 * page)
        .unwrap();
    for hidden in [false, true] {
        let mut mapping = Mapping::anonymous(3 * page).unwrap();
        mapping.fill(5);
        mapping
            .advise_range(page..2 * page, Advice::DontDump)
            .unwrap();
        if hidden {
            let mut mapping = mapping.protect(NoAccess).unwrap();
            mapping.resize(50 * page).unwrap();
            assert_eq!(permissions(mapping.as_ptr()), Permissions::PRIVATE);
            let mapping = mapping.protect(ReadOnly).unwrap();
            assert!(mapping[..3 * page].iter().all(|&byte| byte == 5));
            assert!(mapping[3 * page..].iter().all(|&byte| byte == 0));
        } else {
            mapping.resize(50 * page).unwrap();
            assert!(mapping[..3 * page].iter().all(|&byte| byte == 5));
            assert!(mapping[3 * page..].iter().all(|&byte| byte == 0));
        }
    }
    drop((mapping, behind));
}

#[test]
fn without_the_call() {
    let page = page_size();
    let resize = |len: usize, moves: bool| {
        let (mut mapping, behind) = Mapping::anonymous(3 * page)
            .unwrap()
            .split_at(page)
            .unwrap();
        mapping.fill(6);
        let address = mapping.as_ptr();
        let resized = refusing(SYS_MREMAP, address, ENOSYS, || {
            if moves {
                mapping.resize(len).map(|()| mapping)
            } else {
                drop(behind);
                mapping.resize_in_place(len).map(|()| mapping)
            }
        });
        resized.map(|resized| (address, resized))
    };
    let Some((address, moved)) = resize(9 * page, true) else {
        return;
    };
    let moved = moved.unwrap();
    assert_ne!(moved.as_ptr(), address);
    assert!(moved[..page].iter().all(|&byte| byte == 6));
    assert!(moved[page..].iter().all(|&byte| byte == 0));
    let (address, longer) = resize(2 * page, false).unwrap();
    match longer {
        Ok(longer) => {
            assert_eq!((longer.as_ptr(), longer.len()), (address, 2 * page));
            assert!(longer[..page].iter().all(|&byte| byte == 6));
            assert!(longer[page..].iter().all(|&byte| byte == 0));
        }
        // Another test took the place.
        Err(error) => assert_eq!((error.call(), error.errno()), (Call::Mremap, ENOMEM)),
    }
}

#[test]
fn a_refused_resize_changes_nothing() {
    let page = page_size();
    for errno in [ENOMEM, EAGAIN] {
        let mut mapping = Mapping::anonymous(page).unwrap();
        mapping.fill(1);
        let address = mapping.as_ptr();
        let resize = || (mapping.resize(2 * page), mapping);
        let Some((result, mapping)) = refusing(SYS_MREMAP, address, errno, resize) else {
            return;
        };
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mremap, errno));
        assert!(
            error
                .to_string()
                .starts_with(&format!("mremap from {page} to {} bytes: ", 2 * page))
        );
        assert_eq!(
            (mapping.as_ptr(), mapping.len(), mapping[0]),
            (address, page, 1)
        );
    }
    // The end is not given up.
    let mut mapping = Mapping::anonymous(2 * page).unwrap();
    mapping.fill(1);
    let tail = mapping.as_ptr().wrapping_add(page);
    let shrink = || (mapping.resize(1), mapping);
    let (result, mapping) = refusing(SYS_MUNMAP, tail, ENOMEM, shrink).unwrap();
    let error = result.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Munmap, ENOMEM));
    assert_eq!(
        error.to_string(),
        format!("munmap of {page} bytes: Cannot allocate memory")
    );
    assert_eq!(mapping.len(), 2 * page);
    assert!(mapping.iter().all(|&byte| byte == 1));
    // What is hidden cannot be shown, to be copied.
    let (mapping, _behind) = Mapping::anonymous(2 * page)
        .unwrap()
        .split_at(page)
        .unwrap();
    let mut mapping = mapping.protect(NoAccess).unwrap();
    let address = mapping.as_ptr().addr();
    let first = || core::ptr::without_provenance(address);
    let resize = || {
        let resize = || (mapping.resize(2 * page), mapping);
        refusing(SYS_MPROTECT, first(), EINVAL, resize)
    };
    let (result, mapping) = refusing(SYS_MREMAP, first(), EFAULT, resize)
        .unwrap()
        .unwrap();
    let error = result.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, EINVAL));
    assert_eq!((mapping.as_ptr().addr(), mapping.len()), (address, page));
}

/// What is kept out of core dumps is not in them where it was copied to.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has no advice but that of POSIX"
)]
fn what_is_not_dumped_is_not_when_it_is_copied() {
    let check = "memory that is not dumped, copied";
    if lacks::advice(check) || lacks::own_process(check) {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(3 * page).unwrap();
    if let Err(error) = mapping.advise(Advice::DontDump) {
        return skip(check, &error.to_string());
    }
    // The kernel has it in several pieces, and there is no room behind it.
    mapping.advise_range(..page, Advice::Sequential).unwrap();
    let behind = mapping.as_ptr().addr() + 3 * page;
    let _obstacle = MapOptions::new().len(1).at(behind).map_anonymous(NoAccess);
    mapping.resize(50 * page).unwrap();
    for i in [0, 1, 3, 49] {
        let nth = mapping.as_ptr().wrapping_add(i * page);
        assert!(flags(nth).contains(Flags::DD), "page {i}");
    }
}

/// A mapping that is copied is made readable for that, and is not afterwards.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn a_copy_that_is_refused_leaves_it_hidden() {
    let check = "a hidden mapping that could not be copied";
    if lacks::advice(check) || lacks::own_process(check) {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(3 * page).unwrap();
    mapping.fill(7);
    let mut mapping = mapping.protect(NoAccess).unwrap();
    // The kernel has it in several pieces, and there is no room behind it: the bytes are copied.
    mapping.advise_range(..page, Advice::Sequential).unwrap();
    let behind = mapping.as_ptr().addr() + 3 * page;
    let obstacle = MapOptions::new().len(1).at(behind);
    let _obstacle = obstacle.map_anonymous(NoAccess);
    let hidden = Permissions::PRIVATE;
    // No other call has this length.
    let len = 7_777 * page;
    let resize = || {
        let result = mapping.resize(len);
        (result, mapping)
    };
    let refused = refusing_argument(SYS_MPROTECT, 1, len as u64, EINVAL, resize);
    let Some((result, mut mapping)) = refused else {
        return;
    };
    let error = result.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, EINVAL));
    assert_eq!(mapping.len(), 3 * page);
    for i in 0..3 {
        let nth = mapping.as_ptr().wrapping_add(i * page);
        assert_eq!(permissions(nth), hidden, "page {i}");
    }
    // Where nothing is refused, it is copied, and stays hidden.
    mapping.resize(len).unwrap();
    assert_eq!(permissions(mapping.as_ptr()), hidden);
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert!(mapping[..3 * page].iter().all(|&byte| byte == 7));
    assert!(mapping[3 * page..].iter().all(|&byte| byte == 0));
}

#[test]
fn lengths_beyond_all_limits() {
    let mut mapping = Mapping::anonymous(1).unwrap();
    mapping[0] = 1;
    for len in [usize::MAX, isize::MAX as usize + 1, isize::MAX as usize] {
        let error = mapping.resize(len).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mremap, ENOMEM));
        assert!(matches!(error.reason(), Reason::LengthLimit(_)));
    }
    assert_eq!(*mapping, [1]);
    let len = isize::MAX as usize / 2;
    match mapping.resize(len) {
        // A 64-bit kernel gives a 32-bit program nearly 4 GiB, in which there may be room.
        Ok(()) => assert_eq!((size_of::<usize>(), mapping.len(), mapping[0]), (4, len, 1)),
        Err(error) => {
            // More than Linux has addresses for is EINVAL there.
            assert!([ENOMEM, EINVAL].contains(&error.errno()), "{error}");
            let is_named = matches!(error.reason(), Reason::FreeAddresses(_));
            let is_linux = cfg!(target_os = "linux") && usize::BITS > 32;
            if is_linux && !lacks::own_process("the addresses that are free") {
                assert!(is_named, "{error}");
            }
            assert_eq!(*mapping, [1]);
        }
    }
}

// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn what_is_vouched_for_does_not_grow() {
    use unix_memory::SharedMapping;

    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page_size() as u64).unwrap();
    let mapping = MapOptions::new().len(2 * page_size());
    let mapping = mapping.map_shared(&file, ReadWrite).unwrap();
    // SAFETY: nobody else has the file.
    let mut mapping = unsafe { mapping.assume_unshared() };
    mapping[0] = 1;
    let error = mapping.resize(3 * page_size()).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );
    mapping.resize(page_size()).unwrap();
    // But it can be shared again, and then grow.
    let mut mapping = SharedMapping::from(mapping);
    mapping.resize(3 * page_size()).unwrap();
    mapping.write_at(3 * page_size() - 1, &[2]).unwrap();
    assert_eq!(mapping.to_vec().unwrap()[0], 1);
}

// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_shared_mapping_follows_its_file() {
    use std::os::unix::fs::FileExt;

    if lacks::own_pages("a mapping that follows its file") {
        return;
    }
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    let options = MapOptions::new().offset(10);
    let mut mapping = options.map_shared(&file, ReadWrite).unwrap();
    let at = mapping.as_ptr().addr() % page;
    assert_eq!((mapping.len(), at), (90, 10));
    file.set_len(10 * page as u64).unwrap();
    mapping.resize(10 * page - 10).unwrap();
    assert_eq!(mapping.as_ptr().addr() % page, 10);
    file.write_at(b"end", 10 * page as u64 - 3).unwrap();
    let mut end = [0; 3];
    mapping.read_at(10 * page - 13, &mut end).unwrap();
    assert_eq!(&end, b"end");
    mapping.resize_in_place(1).unwrap();
    mapping.write_at(0, b"x").unwrap();
    file.read_at(&mut end, 10).unwrap();
    assert_eq!(&end, b"x\0\0");
    mapping.resize(0).unwrap();
    let error = mapping.resize(1).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Resize, EINVAL));
    assert_eq!(error.reason(), Reason::EmptyMapping);
}

#[test]
fn the_builders_lock_goes_along() {
    let page = page_size();
    let options = MapOptions::new().len(page).lock(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    if is_unlocked(mapping.as_ptr()) {
        return skip(
            "locks of a mapping that grows",
            "this kernel shows no locks",
        );
    }
    // With the kernel's own means, and where it has several mappings.
    mapping.resize(20 * page).unwrap();
    assert!(is_locked(mapping.as_ptr().wrapping_add(19 * page)));
    mapping
        .advise_range(page..2 * page, Advice::DontDump)
        .unwrap();
    mapping.resize(30 * page).unwrap();
    assert!(is_locked(mapping.as_ptr()));
    drop(mapping.lock_range(..page).unwrap());
    assert!(
        is_locked(mapping.as_ptr()),
        "the guard took the builder's lock along"
    );
    assert!(is_locked(mapping.as_ptr().wrapping_add(29 * page)));
}

// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn no_length_wraps_around() {
    use unix_memory::HugePageSize;

    let page = page_size();
    let most = isize::MAX.unsigned_abs() / page * page;
    let zero = std::fs::File::open("/dev/zero").unwrap();
    let file = tempfile::tempfile().unwrap();
    file.set_len(page as u64).unwrap();
    let options = MapOptions::new().offset(10);
    let mut mapping = options.map_shared(&file, ReadWrite).unwrap();
    for len in [usize::MAX, usize::MAX - 9] {
        let options = MapOptions::new().len(len).offset(10);
        let error = options.map_private(&zero, ReadOnly).unwrap_err();
        assert_eq!(error.reason(), Reason::LengthLimit(most));
        let huge = MapOptions::new().len(len).huge_pages(HugePageSize::MIB_2);
        let error = huge.map_anonymous(ReadWrite).unwrap_err();
        assert_eq!(error.reason(), Reason::LengthLimit(most));
        let error = mapping.resize(len).unwrap_err();
        assert_eq!(error.reason(), Reason::LengthLimit(most));
        assert_eq!(error.call(), Call::Mremap);
    }
    if usize::BITS > 32 && !lacks::own_process("the addresses that are free") {
        let error = mapping.resize(isize::MAX as usize / 2).unwrap_err();
        let reason = error.reason();
        assert!(matches!(reason, Reason::FreeAddresses(_)), "{error}");
    }
    assert_eq!(mapping.len(), page - 10);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten locks nothing")]
fn a_lock_beside_the_mapping_goes_along() {
    let page = page_size();
    let state = |mapping: &Mapping<ReadWrite>, pages| tests::lock_states(mapping.as_ptr(), pages);
    for with_advice in [false, true] {
        let mut mapping = Mapping::anonymous(2 * page).unwrap();
        if with_advice {
            // The kernel has it in two pieces: the bytes are copied.
            mapping.advise_range(..1, Advice::Sequential).ok();
        }
        mapping.mlock(..).unwrap();
        mapping.resize(8 * page).unwrap();
        assert_eq!(state(&mapping, 8), "xxxxxxxx");
        mapping.resize(3 * page).unwrap();
        mapping.munlock(..).unwrap();
        assert_eq!(state(&mapping, 3), "...");
        mapping.mlock(..).unwrap();
        mapping.resize(0).unwrap();
        mapping.resize(2 * page).unwrap();
        assert_eq!(state(&mapping, 2), "..", "there was nothing to lock");
    }
    // The builder's stays when the other is undone.
    let options = MapOptions::new().len(page).lock(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.mlock(..).unwrap();
    mapping.resize(2 * page).unwrap();
    mapping.munlock(..).unwrap();
    assert_eq!(state(&mapping, 2), "xx");
    mapping.mlock(..).unwrap();
    mapping.resize(0).unwrap();
    mapping.resize(2 * page).unwrap();
    mapping.munlock(..).unwrap();
    assert_eq!(state(&mapping, 2), "xx");
}
