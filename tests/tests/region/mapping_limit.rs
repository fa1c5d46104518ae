//! The kernel's limit of mappings, which a process reaches alone: one test, one process.

use tests::{HalfWay, Permissions, permissions};
use unix_memory::{Call, ReadOnly, page_size};

/// `mprotect` goes mapping by mapping; one that it cannot split stops it half-way.
#[test]
fn a_protect_that_fails_half_way_is_undone() {
    let page = page_size();
    let Some(HalfWay {
        mapping,
        neighbours: _neighbours,
        many,
    }) = HalfWay::new("half a protect")
    else {
        return;
    };
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
            permissions(address).contains(Permissions::WRITE),
            "page {i}"
        );
    }
    mapping.fill(1);
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert!(mapping.iter().all(|&byte| byte == 1));
}
