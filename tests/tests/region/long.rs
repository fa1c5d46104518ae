//! A mapping that is longer than 32 bits can tell, at places whose lower 32 bits are another place of
//! it. (Programs of 32 bits have no room for one.)
#![cfg(target_pointer_width = "64")]

use std::fs::File;
use std::io::{BufRead, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use tests::{Flags, Permissions, flags, is_locked, is_unlocked, kernel, lacks, permissions};
use unix_memory::{
    Advice, Backing, Cursor, Flush, MapOptions, ReadOnly, ReadWrite, SharedMapping, page_size,
};

/// It has the bits 30, 31 and 32.
const LEN: usize = 7 << 30;
const NEAR: usize = 64 << 20;
const FAR: usize = NEAR + (1 << 32);

fn of_a_file() -> (File, SharedMapping<ReadWrite>) {
    let file = tempfile::tempfile().unwrap();
    file.set_len(LEN as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    assert_eq!(mapping.len(), LEN);
    (file, mapping)
}

#[test]
fn copies() {
    let (file, mapping) = of_a_file();
    mapping.fill(FAR..FAR + 9, b'x').unwrap();
    mapping.copy_within(FAR..FAR + 4, FAR + 100).unwrap();
    mapping
        .copy_within(FAR + 100..FAR + 104, NEAR + 200)
        .unwrap();
    let (mut near, mut far) = ([0; 300], [0; 300]);
    file.read_exact_at(&mut near, NEAR as u64).unwrap();
    file.read_exact_at(&mut far, FAR as u64).unwrap();
    let mut expected = [0; 300];
    expected[200..204].fill(b'x');
    assert_eq!(near, expected);
    let mut expected = [0; 300];
    expected[..9].fill(b'x');
    expected[100..104].fill(b'x');
    assert_eq!(far, expected);

    // Past the end, though not for 32 bits of it.
    assert!(mapping.read_at(LEN + 1, &mut []).is_err());
    assert!(mapping.fill(LEN..=LEN, 0).is_err());
    // Of any size that divides the place, and has what was written.
    let size = 1 << 12;
    let piece = mapping.chunks(size).nth(FAR / size).unwrap().unwrap();
    assert_eq!(piece[..300], far);
    let mut cursor = Cursor::new(&mapping);
    let back = i64::try_from(LEN - FAR).unwrap();
    assert_eq!(cursor.seek(SeekFrom::End(-back)).unwrap(), FAR as u64);
    assert_eq!(cursor.fill_buf().unwrap()[..300], far);

    let near: &AtomicU32 = mapping.atomic(NEAR + 400).unwrap();
    near.store(1, Ordering::Relaxed);
    let far: &AtomicU16 = mapping.atomic(FAR + 400).unwrap();
    far.store(0xffff, Ordering::Relaxed);
    assert!(mapping.eq_at(FAR + 400, &[0xff, 0xff, 0, 0]).unwrap());
}

#[test]
fn pages() {
    let (file, mapping) = of_a_file();
    let at = |place| mapping.as_ptr().wrapping_add(place);
    mapping.write_at(FAR, b"x").unwrap();
    mapping.flush_range(FAR..=FAR, Flush::Sync).unwrap();
    if !lacks::own_pages("residency beyond 4 GiB") {
        let resident = |at: usize| {
            let residency = mapping.residency_range(at..=at).unwrap();
            residency.resident().unwrap()
        };
        assert_eq!((resident(NEAR), resident(FAR)), (0, 1));
        let most = mapping.residency().size_hint().1;
        assert_eq!(most, Some(LEN / page_size()));
    }
    if !lacks::advice("advice beyond 4 GiB") {
        let one = FAR..=FAR;
        mapping.advise_range(one, Advice::DontDump).unwrap();
        assert!(flags(at(FAR)).contains(Flags::DD));
        assert!(flags(at(NEAR)).lacks(Flags::DD));
    }
    let guard = mapping.lock_range(FAR..=FAR).unwrap();
    assert!(is_locked(at(FAR)) && is_unlocked(at(NEAR)));
    drop(guard);
    // Only Linux has locks on fault.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    lock_on_fault(&mapping);
    let mapping = mapping.protect(ReadOnly).unwrap();
    let last = permissions(mapping.as_ptr().wrapping_add(LEN - 1));
    assert_eq!(last, Permissions::READ | Permissions::SHARED);
    mapping.unmap().unwrap();
    assert_eq!(kernel::mappings_of(&file), 0);
}

// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lock_on_fault(mapping: &SharedMapping<ReadWrite>) {
    use tests::{as_told, lock_states, skip};
    use unix_memory::Reason;

    match mapping.lock_on_fault() {
        Ok(_guard) => {
            let far = mapping.as_ptr().wrapping_add(FAR);
            assert_eq!(lock_states(far, 1), as_told("f"));
        }
        Err(error) => {
            let why = error.reason();
            let limit = matches!(why, Reason::LockLimit { .. } | Reason::Unsupported);
            assert!(limit, "{error}");
            skip("a long lock on fault", &error.to_string());
        }
    }
}

#[test]
fn private_memory() {
    let page = page_size();
    let options = MapOptions::new().len(LEN).no_reserve(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    assert_eq!(mapping.len(), LEN);
    assert_eq!(mapping.backing(), Backing::PrivateAnonymous);
    (mapping[NEAR], mapping[FAR]) = (1, 2);
    assert_eq!(mapping.view::<u8>(FAR..FAR + 2).unwrap(), [2, 0]);
    mapping.discard(FAR..FAR + page).unwrap();
    assert_eq!((mapping[NEAR], mapping[FAR]), (1, 0));
    mapping[FAR] = 2;
    let (first, second) = mapping.split_at(FAR).unwrap();
    let found = (first.len(), second.len(), second[0]);
    assert_eq!(found, (FAR, LEN - FAR, 2));
    let mut mapping = first.join(second).unwrap();
    mapping.resize(FAR + 1).unwrap();
    assert_eq!((mapping.len(), mapping[FAR]), (FAR + 1, 2));
    mapping.resize(LEN).unwrap();
    assert_eq!((mapping.len(), mapping[NEAR], mapping[FAR]), (LEN, 1, 2));
}

#[test]
fn addresses() {
    let range = 1 << 33..1 << 34;
    let options = MapOptions::new().len(page_size());
    let within = options.within(range.clone());
    let within = within.map_anonymous(ReadWrite).unwrap();
    let address = within.as_ptr().addr();
    assert!(range.contains(&address));
    drop(within);
    // Nothing else is there.
    let hinted = options.hint(address).map_anonymous(ReadWrite).unwrap();
    assert_eq!(hinted.as_ptr().addr(), address);
}
