//! The kernel's limit of mappings, which a process reaches alone: one test, one process.

use procfs::process::MMPermissions;
use tests::{permissions, skip};
use unix_memory::{Advice, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, page_size};

/// `mprotect` goes mapping by mapping; one that it cannot split stops it half-way.
#[test]
fn a_protect_that_fails_half_way_is_undone() {
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
        return skip("half a protect", "the kernel makes no neighbours");
    };
    let mapping = neighbours.remove(lower);
    // The first page is a mapping of its own; the others are one with the neighbour.
    mapping.advise_range(..page, Advice::DontDump).unwrap();

    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    if limit > 1 << 20 {
        return skip(
            "half a protect",
            "the limit of mappings is too high to reach",
        );
    }
    let len = 2 * limit * page;
    let Ok(many) = MapOptions::new()
        .len(len)
        .no_reserve(true)
        .map_anonymous(NoAccess)
    else {
        return skip("half a protect", "no room for so many mappings");
    };
    let split = |i: usize| many.advise_range(i * page..(i + 1) * page, Advice::DontDump);
    if (1..2 * limit).step_by(2).all(|i| split(i).is_ok()) {
        return skip("half a protect", "the kernel does not keep to its limit");
    }

    let (error, mut mapping) = mapping.protect(ReadOnly).unwrap_err().into_parts();
    // With room again: to look at it takes memory.
    drop(many);
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Mprotect, libc::ENOMEM)
    );
    for i in 0..4 {
        let address = mapping.as_ptr().wrapping_add(i * page);
        assert!(
            permissions(address).contains(MMPermissions::WRITE),
            "page {i}"
        );
    }
    mapping.fill(1);
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert!(mapping.iter().all(|&byte| byte == 1));
}
