//! A protection key at the kernel's limit of mappings, which a process reaches alone: one test, one
//! process.

use tests::{can_be_read, skip};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, ProtectionKey, ReadWrite, page_size,
};

/// `pkey_mprotect` goes mapping by mapping; one that it cannot split stops it half-way.
#[test]
fn a_key_that_half_the_pages_have_is_taken_from_them() {
    const CHECK: &str = "half a change of keys";
    let key = match ProtectionKey::new() {
        Ok(key) => key,
        Err(error) => return skip(CHECK, &format!("the CPU has none ({error})")),
    };
    let page = page_size();
    // Neighbours, which the kernel merges.
    let mut neighbours: Vec<Mapping<ReadWrite>> = (0..8)
        .map(|_| Mapping::anonymous(4 * page).unwrap())
        .collect();
    neighbours.sort_by_key(|mapping| mapping.as_ptr().addr());
    let meets = |pair: &[Mapping<ReadWrite>]| {
        pair[0].as_ptr().addr() + pair[0].len() == pair[1].as_ptr().addr()
    };
    let Some(lower) = neighbours.windows(2).position(meets) else {
        return skip(CHECK, "the kernel makes no neighbours");
    };
    let mapping = neighbours.remove(lower);
    let address = mapping.as_ptr();
    // The first page is a mapping of its own; the others are one with the neighbour.
    mapping.advise_range(..page, Advice::DontDump).unwrap();

    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    if limit > 1 << 20 {
        return skip(CHECK, "the limit of mappings is too high to reach");
    }
    let many = MapOptions::new()
        .len(2 * limit * page)
        .no_reserve(true)
        .map_anonymous(NoAccess)
        .unwrap();
    let split = |i: usize| many.advise_range(i * page..(i + 1) * page, Advice::DontDump);
    if (1..2 * limit).step_by(2).all(|i| split(i).is_ok()) {
        return skip(CHECK, "the kernel does not keep to its limit");
    }
    let failed = key.protect(mapping).map(drop).unwrap_err();
    // With room again: to look at it takes memory.
    drop(many);
    let (error, mut mapping) = failed.into_parts();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::PkeyMprotect, libc::ENOMEM)
    );
    let pages = [0, 1, 2, 3].map(|i| address.wrapping_add(i * page));
    assert_eq!(pages.map(can_be_read), [true; 4]);
    mapping.fill(1);
    let keyed = key.protect(mapping).unwrap();
    assert_eq!(pages.map(can_be_read), [false; 4]);
    let mapping = keyed.into_mapping().unwrap();
    assert!(mapping.iter().all(|&byte| byte == 1));
}
