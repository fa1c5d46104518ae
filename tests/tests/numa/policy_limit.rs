//! Policies at the kernel's limit of mappings, which a process reaches alone: one test, one process.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

use libc::ENOMEM;
use tests::{HalfWay, skip};
use unix_memory::MemoryPolicy::{Bind, Default};
use unix_memory::{Call, Mapping, Migration, Nodes, ReadOnly, Reason, page_size};

/// The kernel goes mapping by mapping; one that it cannot split stops it.
#[test]
fn what_has_no_policy_at_the_limit_is_unmapped_as_what_has_one() {
    const CHECK: &str = "policies at the limit of mappings";
    let nodes = match Nodes::allowed() {
        Ok(nodes) => nodes,
        Err(error) => return skip(CHECK, &error.to_string()),
    };
    let (page, bind) = (page_size(), Bind(nodes));
    // Several mappings, when there was room; at both ends with a policy, so that what lies beside them does
    // not become one with them, which protecting them would have to cut.
    let mut apart = Mapping::anonymous(4 * page).unwrap();
    apart.fill(2);
    for range in [0..page, 2 * page..4 * page] {
        apart.set_policy(range, bind, Migration::Never).unwrap();
    }
    let Some(HalfWay {
        mut mapping,
        neighbours,
        many,
    }) = HalfWay::new(CHECK)
    else {
        return;
    };
    let whole = mapping.set_policy(.., bind, Migration::Never);
    let part = mapping.set_policy(2 * page..3 * page, bind, Migration::Require);
    mapping.fill(1);
    // What has policies is protected and unmapped as usual, and makes room.
    let apart = apart.protect(ReadOnly).unwrap();
    let content = apart.iter().all(|&byte| byte == 2);
    apart.unmap().unwrap();
    let policies = [0, 1, 2, 3].map(|i| mapping.policy_at(i * page));
    drop(mapping);
    // With room again.
    drop(many);
    assert!(content);
    for refused in [whole, part] {
        let error = refused.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mbind, ENOMEM));
        assert!(
            matches!(error.reason(), Reason::MappingsLimit(_)),
            "{error}"
        );
    }
    // (The first was a mapping of its own.)
    assert_eq!(policies[1..], [Ok(Default), Ok(Default), Ok(Default)]);
    for neighbour in &neighbours {
        assert_eq!(neighbour.policy_at(0), Ok(Default));
        assert!(neighbour.iter().all(|&byte| byte == 0));
    }
}
