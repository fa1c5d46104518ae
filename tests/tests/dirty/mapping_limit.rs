//! The kernel's limit of mappings, which a process reaches alone: one test, one process.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "what was written comes as ranges, of which there may be one"
)]

use tests::dirty::{pages, works};
use tests::{HalfWay, Permissions, permissions};
use unix_memory::{Call, Reason, Tracking, page_size};

/// Pages that the kernel has in one mapping with others should become a mapping of their own.
#[test]
fn where_the_kernel_cannot_split_nothing_is_tracked() {
    if !works(Tracking::WriteProtect, "the limit of mappings") {
        return;
    }
    let page = page_size();
    let Some(HalfWay {
        mapping,
        neighbours: _neighbours,
        many,
    }) = HalfWay::new("tracking at the limit of mappings")
    else {
        return;
    };
    let refused = mapping.into_tracked().unwrap_err();
    let (error, mut mapping) = refused.into_parts();
    // With room again: to look at it takes memory.
    drop(many);
    assert_eq!(
        (error.call(), error.errno()),
        (Call::UffdioRegister, libc::ENOMEM)
    );
    assert!(
        matches!(error.reason(), Reason::MappingsLimit(_)),
        "{error}"
    );
    assert!(permissions(mapping.as_ptr()).contains(Permissions::WRITE));
    mapping.fill(1);
    let mut memory = mapping.into_tracked().unwrap();
    assert_eq!(pages(memory.take()), []);
    memory[3 * page] = 2;
    assert_eq!(pages(memory.take()), [3..4]);
}
