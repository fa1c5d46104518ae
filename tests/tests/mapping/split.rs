//! `split_at`, `join`, guard pages.

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "../map/pool/mod.rs"]
mod pool;

use libc::{EACCES, EINVAL, ENOMEM};
use proptest::prelude::*;
use tests::seccomp::SYS_MPROTECT;
use tests::{Permissions, is_locked, is_unlocked, lacks, map_at, permissions, refusing, skip};
use unix_memory::{
    Call, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite, Reason,
    page_size,
};

const PRIVATE: Permissions = Permissions::PRIVATE;

/// Pages that each hold their number.
fn pages(count: usize) -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(count * page_size()).unwrap();
    for (number, page) in (0..).zip(mapping.chunks_exact_mut(page_size())) {
        page.fill(number);
    }
    mapping
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn parts_are_protected_and_unmapped_by_themselves() {
    let page = page_size();
    let mapping = pages(3);
    let start = mapping.as_ptr();
    let (first, rest) = mapping.split_at(page).unwrap();
    let (second, third) = rest.split_at(page).unwrap();
    let second = second.protect(NoAccess).unwrap();
    let third = third.protect(ReadOnly).unwrap();
    let at = |page_number: usize| {
        permissions(start.wrapping_add(page_number * page)).map(|all| all - PRIVATE)
    };
    assert_eq!(at(0), Permissions::READ | Permissions::WRITE);
    assert_eq!(at(1), Permissions::empty());
    assert_eq!(at(2), Permissions::READ);
    assert!(first.iter().all(|&byte| byte == 0) && third.iter().all(|&byte| byte == 2));
    drop(second);
    assert_eq!(first[page - 1], 0);
    assert_eq!(third[0], 2);
    third.unmap().unwrap();
    assert_eq!(at(0), Permissions::READ | Permissions::WRITE);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn joined_parts_are_one() {
    let page = page_size();
    let mapping = pages(3);
    let start = mapping.as_ptr();
    let (first, rest) = mapping.split_at(page).unwrap();
    let (second, third) = rest.split_at(page).unwrap();
    let second = second.protect(NoAccess).unwrap();
    let second = second.protect(ReadWrite).unwrap();
    let mut whole = first.join(second.join(third).unwrap()).unwrap();
    assert_eq!((whole.as_ptr(), whole.len()), (start, 3 * page));
    assert_eq!((whole[0], whole[page], whole[2 * page]), (0, 1, 2));
    whole.fill(9);
    whole.unmap().unwrap();
}

#[test]
fn the_ends_and_nothing() {
    for len in [0, 1, page_size(), page_size() + 1] {
        let mapping = Mapping::anonymous(len).unwrap();
        let (none, mapping) = mapping.split_at(0).unwrap();
        let (mapping, no_more) = mapping.split_at(len).unwrap();
        assert!(none.is_empty() && no_more.is_empty());
        let mapping = none.join(mapping).unwrap().join(no_more).unwrap();
        assert_eq!(*mapping, vec![0; len]);
    }
}

#[test]
fn a_short_last_page_stays_in_its_part() {
    let len = page_size() + 10;
    let (first, second) = Mapping::anonymous(len)
        .unwrap()
        .split_at(page_size())
        .unwrap();
    assert_eq!((first.len(), second.len()), (page_size(), 10));
    assert_eq!(first.join(second).unwrap().len(), len);
}

#[test]
fn no_cut_inside_a_page_or_past_the_end() {
    let page = page_size();
    let mapping = pages(2);
    let (error, mapping) = mapping.split_at(page + 1).unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::Split, EINVAL));
    assert_eq!(error.reason(), Reason::Unaligned(page));
    assert_eq!(
        error.to_string(),
        format!(
            "split_at {0}: Invalid argument (byte {0} is not the first of a page, which has {page} \
             bytes)",
            page + 1
        ),
    );
    let (error, mapping) = mapping.split_at(2 * page + 1).unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::MappingLength(2 * page));
    let (error, mapping) = mapping.split_at(usize::MAX).unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::MappingLength(2 * page));
    assert_eq!((mapping[0], mapping[page]), (0, 1));
    // At pages beyond the end, which may be the end of nothing.
    for len in [0, 1, page, page + 1] {
        let mut mapping = Mapping::anonymous(len).unwrap();
        for mid in [
            page,
            2 * page,
            3 * page,
            isize::MAX as usize + 1,
            usize::MAX & !(page - 1),
        ] {
            if mid > len {
                let (error, back) = mapping.split_at(mid).unwrap_err().into_parts();
                assert_eq!(error.reason(), Reason::MappingLength(len), "{mid:#x}");
                mapping = back;
            }
        }
        assert_eq!(mapping.len(), len);
    }
}

#[test]
fn strangers_are_not_joined() {
    let page = page_size();
    let (first, second) = pages(2).split_at(page).unwrap();
    // The wrong way round.
    let (error, (second, first)) = second.join(first).unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::Join, EINVAL));
    assert_eq!(error.reason(), Reason::NotAdjacent);
    assert_eq!((first[0], second[0]), (0, 1));
    // A gap, although only of bytes that nobody asked for.
    let mut first = first;
    first.resize_in_place(page - 1).unwrap();
    let (error, (first, second)) = first.join(second).unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::NotAdjacent);
    assert_eq!((first[0], second[0]), (0, 1));
    // Of another kind.
    let (first, second) = pages(2).split_at(page).unwrap();
    let backing = unix_memory::Backing::Other;
    // SAFETY: it is no more than that.
    let second = unsafe { Mapping::from_raw(second.into_raw(), backing) };
    let (error, _both) = first.join(second).unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::NotAdjacent);
}

/// Protections that the type does not say are compared too.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn parts_of_other_protections_are_not_joined() {
    let both = Protection::READ | Protection::WRITE;
    for (one, other) in [(Protection::READ, both), (both, Protection::READ)] {
        let (first, second) = pages(2).split_at(page_size()).unwrap();
        let (first, second) = (first.protect(one).unwrap(), second.protect(other).unwrap());
        let (error, (first, second)) = first.join(second).unwrap_err().into_parts();
        assert_eq!(error.reason(), Reason::NotAdjacent);
        assert_eq!((first.protection(), second.protection()), (one, other));
        let second = second.protect(one).unwrap();
        let joined = first.join(second).unwrap();
        assert_eq!((joined.len(), joined.protection()), (2 * page_size(), one));
    }
}

#[test]
fn a_refused_join_gives_both_back() {
    let (first, second) = pages(2).split_at(page_size()).unwrap();
    let address = first.as_ptr();
    let join = || first.join(second);
    match refusing(SYS_MPROTECT, address, ENOMEM, join) {
        Some(Err(failed)) => {
            let (error, (first, second)) = failed.into_parts();
            assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
            assert_eq!((first[0], second[0]), (0, 1));
        }
        // On this architecture it makes no system call.
        Some(Ok(both)) => assert_eq!((both[0], both[page_size()]), (0, 1)),
        None => {}
    }
}

/// Of what came from two files, the second may be refused what the first was given.
#[test]
fn half_a_change_of_protection_is_undone() {
    let page = page_size();
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(2 * page as u64).unwrap();
    let read_only = std::fs::File::open(file.path()).unwrap();
    let room = pages(2);
    let start = room.as_ptr().addr();
    drop(room);
    let options = MapOptions::new().len(page);
    let first = options.at(start).map_shared(file.as_file(), ReadOnly);
    let second = options.at(start + page).offset(page as u64);
    let second = second.map_shared(&read_only, ReadOnly);
    let (Ok(first), Ok(second)) = (first, second) else {
        return skip(
            "half a change of protection",
            "another thread took the room",
        );
    };
    // SAFETY: nobody else has the file, which is not written to.
    let first = unsafe { first.assume_unshared() };
    // SAFETY: as above.
    let second = unsafe { second.assume_unshared() };
    let failed = first.join(second).unwrap().protect(ReadWrite).unwrap_err();
    assert_eq!(failed.error().errno(), EACCES);
    let mapping = failed.into_mapping();
    for page in [0, page] {
        let permissions = permissions(mapping.as_ptr().wrapping_add(page));
        assert!(
            !permissions.contains(Permissions::WRITE),
            "the page at {page}"
        );
    }
    assert_eq!(*mapping, *vec![0; 2 * page]);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn executable_parts() {
    if lacks::execution("parts that can be executed") {
        return;
    }
    let (code, data) = pages(2).split_at(page_size()).unwrap();
    let code = code.protect(ReadExecute).unwrap();
    let address = code.as_ptr();
    assert!(permissions(address).contains(Permissions::EXECUTE));
    drop(data);
    assert!(permissions(address).contains(Permissions::EXECUTE));
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn no_cut_inside_a_huge_page() {
    let Some((size, _reserved)) = pool::pool(2, "huge pages cut") else {
        return;
    };
    let options = MapOptions::new().len(2 * size.bytes()).huge_pages(size);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    let (error, mut mapping) = mapping.split_at(page_size()).unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::HugePage);
    // Neither shrunk: the kernel unmaps no part of one.
    let error = mapping.resize(page_size()).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Munmap, EINVAL));
    let (first, mut second) = mapping.split_at(size.bytes()).unwrap();
    first.unmap().unwrap();
    second[0] = 1;
    second.resize(size.bytes() - 1).unwrap();
    second.unmap().unwrap();
}

#[test]
fn the_builders_lock_is_that_of_both_parts() {
    let page = page_size();
    let options = MapOptions::new().len(4 * page).lock(true);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    if is_unlocked(mapping.as_ptr()) {
        return skip("locks of parts", "this kernel shows no locks");
    }
    let (first, second) = mapping.split_at(2 * page).unwrap();
    let place = first.as_ptr().addr();
    drop(first);
    // The lock ends with those pages, and stays on the others.
    drop(second.lock().unwrap());
    assert!(is_locked(second.as_ptr()));
    if let Ok(there) = MapOptions::new()
        .len(2 * page)
        .at(place)
        .map_anonymous(ReadWrite)
    {
        drop(there.lock().unwrap());
        assert!(is_unlocked(there.as_ptr()), "somebody else's lock");
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn guard_pages_are_not_accessible() {
    let page = page_size();
    for len in [0, 1, page, 3 * page - 1] {
        let options = MapOptions::new().len(len);
        let mut guarded = options.map_guarded(page, 2 * page, ReadWrite).unwrap();
        guarded.fill(7);
        assert_eq!(guarded.len(), len);
        assert_eq!(guarded.mapping().len(), len);
        let (before, mapping, behind) = guarded.into_parts();
        assert_eq!((before.len(), behind.len()), (page, 2 * page));
        assert_eq!(*mapping, vec![7; len]);
        assert_eq!(permissions(before.as_ptr()), PRIVATE);
        assert_eq!(permissions(behind.as_ptr()), PRIVATE);
        assert_eq!(
            before.as_ptr().wrapping_add(page),
            behind.as_ptr().wrapping_sub(len.next_multiple_of(page))
        );
    }
    let none = MapOptions::new().len(page).map_guarded(0, 0, ReadOnly);
    assert_eq!(**none.unwrap().mapping(), *vec![0; page]);
}

#[test]
fn guards_that_cannot_be() {
    let page = page_size();
    let options = MapOptions::new().len(page);
    let error = options.map_guarded(1, page, ReadWrite).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::Unaligned(page))
    );
    let error = options.map_guarded(0, page + 1, ReadWrite).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::Unaligned(page))
    );
    let huge = usize::MAX & !(page - 1);
    let error = options.map_guarded(huge, huge, ReadWrite).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    let error = MapOptions::new()
        .map_guarded(page, page, ReadWrite)
        .unwrap_err();
    assert!(matches!(error.reason(), Reason::LengthNeeded(_)));
}

proptest! {
    /// Cut anywhere, in any order, and joined again in any order, it is what it was.
    #[test]
    fn any_cuts(cuts in prop::collection::btree_set(1usize..16, 0..8), order in any::<u64>()) {
        let page = page_size();
        let mut rest = pages(16);
        let mut parts = Vec::new();
        let mut from = 0;
        for cut in cuts {
            let (part, more) = rest.split_at((cut - from) * page).unwrap();
            parts.push(part);
            (rest, from) = (more, cut);
        }
        parts.push(rest);
        let mut order = order;
        while parts.len() > 1 {
            let at = usize::try_from(order % (parts.len() as u64 - 1)).unwrap();
            order = order.rotate_right(7);
            let (first, second) = (parts.remove(at), parts.remove(at));
            parts.insert(at, first.join(second).unwrap());
        }
        let whole = parts.pop().unwrap();
        prop_assert_eq!(whole.len(), 16 * page);
        for (number, page) in (0..16u8).zip(whole.chunks_exact(page)) {
            prop_assert!(page.iter().all(|&byte| byte == number));
        }
        let address = whole.as_ptr();
        whole.unmap().unwrap();
        let _another_tests = map_at(address);
    }
}

#[test]
fn no_cut_and_no_guard_of_half_a_page() {
    let page = page_size();
    let mut mapping = pages(2);
    for mid in [page / 2, page + page / 2] {
        let (error, back) = mapping.split_at(mid).unwrap_err().into_parts();
        assert_eq!(error.reason(), Reason::Unaligned(page), "{mid}");
        mapping = back;
    }
    for (before, behind) in [(page / 2, 0), (0, page / 2)] {
        let options = MapOptions::new().len(page);
        let error = options.map_guarded(before, behind, ReadWrite).unwrap_err();
        assert_eq!(error.reason(), Reason::Unaligned(page));
    }
}

#[test]
fn more_than_a_slice_can_have_is_not_joined() {
    // Each is more than half of it.
    let len = (1 << (usize::BITS - 2)) + page_size();
    let options = MapOptions::new().len(len).no_reserve(true);
    // Kernels mostly give addresses from above.
    let both = options.map_anonymous(NoAccess).ok().and_then(|upper| {
        let address = upper.as_ptr().addr().checked_sub(len)?;
        let lower = options.at(address).map_anonymous(NoAccess).ok()?;
        Some((lower, upper))
    });
    let Some((lower, upper)) = both else {
        return skip("parts that are too long together", "no room for both");
    };
    let (error, _both) = lower.join(upper).unwrap_err().into_parts();
    assert_eq!((error.call(), error.errno()), (Call::Join, EINVAL));
    assert_eq!(error.reason(), Reason::NotAdjacent);
}
