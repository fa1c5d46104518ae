//! Mappings that are permanent.
// Only Linux has mseal.
#![cfg(any(target_os = "linux", target_os = "android"))]

use libc::{ENOSYS, EPERM};
use tests::{Flags, Permissions, flags, permissions, refusing, skip};
use unix_memory::{Call, Mapping, NoAccess, Permanent, ReadOnly, ReadWrite, Reason, page_size};

/// Its number on the architectures where it can be made to fail; libc does not have it on all.
const SYS_MSEAL: libc::c_long = 462;

/// A sealed mapping of three pages whose first byte is 7; if there are none, prints so.
fn sealed() -> Option<Permanent<ReadWrite>> {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    mapping[0] = 7;
    match mapping.seal() {
        Ok(sealed) => Some(sealed),
        Err(failed) => {
            let error = failed.error();
            assert_eq!(error.call(), Call::Mseal);
            assert!(matches!(error.errno(), ENOSYS | EPERM), "{error}");
            assert_eq!(failed.into_mapping()[0], 7, "it comes back");
            skip("seals", &error.to_string());
            None
        }
    }
}

const READ_WRITE: Permissions = Permissions::READ
    .union(Permissions::WRITE)
    .union(Permissions::PRIVATE);

/// The `errno` of a call that must fail.
fn refused(result: i32) -> i32 {
    assert_eq!(result, -1);
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

#[test]
fn it_can_be_neither_unmapped_nor_changed() {
    let Some(mut sealed) = sealed() else { return };
    let address = sealed.as_ptr().cast_mut().cast();
    let page = page_size();
    // Every page of it, not only the first one's mapping.
    for i in 0..3 {
        let nth = sealed.as_ptr().wrapping_add(i * page);
        assert!(flags(nth).contains(Flags::SL), "page {i}");
        // SAFETY: refused, which is what is tested; were it not, the test would end.
        let unmapped = unsafe { libc::munmap(nth.cast_mut().cast(), page) };
        assert_eq!(refused(unmapped), EPERM, "page {i}");
    }
    // SAFETY: as above.
    let protected = unsafe { libc::mprotect(address, page, libc::PROT_READ) };
    assert_eq!(refused(protected), EPERM);
    // SAFETY: as above.
    let moved = unsafe { libc::mremap(address, page, 2 * page, libc::MREMAP_MAYMOVE) };
    assert_eq!(moved, libc::MAP_FAILED);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(EPERM));
    // Its content is as its type says.
    sealed[1] = 8;
    assert_eq!(sealed[..3], [7, 8, 0]);
    sealed.as_mut()[2] = 9;
    assert_eq!(sealed.as_ref()[2], 9);
    assert_eq!(sealed.mapping().len(), 3 * page);
}

#[test]
fn dropped_it_stays() {
    // Gone at the end of the line.
    let Some(address) = sealed().map(|sealed| sealed.as_ptr()) else {
        return;
    };
    assert_eq!(permissions(address), READ_WRITE);
}

#[test]
fn its_bytes_are_there_for_good() {
    let Some(sealed) = sealed() else { return };
    let bytes: &'static mut [u8] = sealed.into_static_mut();
    bytes[1] = 9;
    assert_eq!(bytes[..2], [7, 9]);

    let mut mapping = Mapping::anonymous(5).unwrap();
    mapping[4] = 1;
    let sealed = mapping.protect(ReadOnly).unwrap().seal().unwrap();
    let bytes: &'static [u8] = sealed.as_static();
    let again: &'static [u8] = sealed.into_static();
    assert_eq!((bytes, again), (&[0, 0, 0, 0, 1][..], &[0, 0, 0, 0, 1][..]));
}

#[test]
fn other_kinds_and_none_at_all() {
    if sealed().is_none() {
        return;
    }
    let guard = Mapping::anonymous(page_size()).unwrap();
    let guard = guard.protect(NoAccess).unwrap().seal().unwrap();
    assert!(format!("{guard:?}").starts_with("Permanent(Mapping { address: 0x"));
    let empty = Mapping::anonymous(0).unwrap().seal().unwrap();
    assert_eq!(empty.into_static(), [0; 0]);
}

#[test]
fn a_refusal_gives_the_mapping_back() {
    for errno in [ENOSYS, EPERM] {
        let mut mapping = Mapping::anonymous(page_size()).unwrap();
        mapping[0] = 7;
        let address = mapping.as_ptr();
        let seal = move || mapping.seal();
        let Some(result) = refusing(SYS_MSEAL, address, errno, seal) else {
            return;
        };
        let failed = result.unwrap_err();
        let error = failed.error();
        if errno != ENOSYS && error.errno() == ENOSYS {
            return skip(
                "a seal that is refused",
                "this kernel does not ask filters about calls that it lacks",
            );
        }
        assert_eq!((error.call(), error.errno()), (Call::Mseal, errno));
        assert_eq!(error.reason() == Reason::Unsupported, errno == ENOSYS);
        let mapping = failed.into_mapping().protect(ReadOnly).unwrap();
        assert_eq!(mapping[0], 7);
        mapping.unmap().unwrap();
    }
}

/// A seal on a part, as one that failed half-way leaves it: what is refused then changes nothing.
#[test]
fn a_mapping_with_a_sealed_part_is_as_it_was() {
    if sealed().is_none() {
        return;
    }
    let page = page_size();
    let mapping = Mapping::anonymous(3 * page).unwrap();
    let second = mapping.as_ptr().wrapping_add(page);
    // SAFETY: the page is not unmapped any more: the test forgets the mapping.
    let sealed = unsafe { unix_memory_sys::mseal(second.cast_mut().cast(), page, 0) };
    assert_eq!(sealed, 0);
    let failed = mapping.protect(ReadOnly).unwrap_err();
    assert_eq!(failed.error().errno(), EPERM);
    let mut mapping = failed.into_mapping();
    mapping.fill(1);
    for i in 0..3 {
        let address = mapping.as_ptr().wrapping_add(i * page);
        assert_eq!(permissions(address), READ_WRITE, "{i}");
    }
    std::mem::forget(mapping);
}
