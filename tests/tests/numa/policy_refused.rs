//! Policies that name no node or a missing one, ranges outside, and what the kernel refuses.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod nodes;

use std::ptr;

use libc::{EINVAL, EIO, ENOMEM, ENOSYS, EPERM};
use nodes::{first, nodes, only};
use tests::refusing;
use tests::seccomp::{SYS_GET_MEMPOLICY, SYS_MBIND, SYS_MOVE_PAGES};
use unix_memory::MemoryPolicy::{Bind, Interleave, Local, Prefer, PreferMany, WeightedInterleave};
use unix_memory::{Call, Error, Mapping, Migration, Nodes, Reason, page_size};

#[test]
fn nodes_that_are_not_there_are_named() {
    let Some(nodes) = nodes("nodes that are not there") else {
        return;
    };
    let page = page_size();
    let mapping = Mapping::anonymous(2 * page).unwrap();
    let here = first(nodes);
    mapping
        .set_policy(.., Prefer(here), Migration::Never)
        .unwrap();
    let last = Nodes::LIMIT - 1;
    let missing = (0..Nodes::LIMIT)
        .find(|&node| !nodes.contains(node))
        .unwrap();
    let some = only(missing) | nodes;
    let far = only(last) | nodes;
    let refused = |policy, reason| {
        for range in [0..2 * page, page..page + 1] {
            let set = mapping.set_policy(range, policy, Migration::Require);
            let error = set.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mbind, EINVAL));
            assert_eq!(error.reason(), reason, "{policy:?}");
        }
    };
    for (set, reason) in [
        (Nodes::new(), Reason::NoNodes),
        (only(missing), Reason::NoNode(missing)),
        (some, Reason::NoNode(missing)),
        (only(last), Reason::NoNode(last)),
        (far, Reason::NoNode(last)),
    ] {
        for policy in [
            Bind(set),
            PreferMany(set),
            Interleave(set),
            WeightedInterleave(set),
        ] {
            refused(policy, reason);
        }
    }
    for node in [missing, last, Nodes::LIMIT, u32::MAX] {
        refused(Prefer(node), Reason::NoNode(node));
    }
    assert_eq!(
        mapping
            .set_policy(1.., Prefer(5000), Migration::Never)
            .unwrap_err()
            .to_string(),
        format!(
            "mbind of {} bytes at 1: Invalid argument (there is no node 5000, or this thread may not \
             use its memory)",
            2 * page - 1
        )
    );
    for i in 0..2 {
        assert_eq!(mapping.policy_at(i * page), Ok(Prefer(here)), "as it was");
    }
}

#[test]
fn ranges_outside_are_refused() {
    let mapping = Mapping::anonymous(100).unwrap();
    let outside = |error: Error, call, len| {
        assert_eq!((error.call(), error.errno()), (call, EINVAL));
        assert_eq!(error.reason(), Reason::MappingLength(len));
    };
    for range in [0..101, 101..101, usize::MAX..usize::MAX] {
        let error = mapping
            .set_policy(range, Local, Migration::Never)
            .unwrap_err();
        outside(error, Call::Mbind, 100);
    }
    for offset in [100, page_size(), usize::MAX] {
        outside(
            mapping.policy_at(offset).unwrap_err(),
            Call::GetMempolicy,
            100,
        );
        outside(mapping.node_of(offset).unwrap_err(), Call::MovePages, 100);
    }
    // Of no pages nothing is asked.
    let empty = Mapping::anonymous(0).unwrap();
    empty
        .set_policy(.., Bind(Nodes::new()), Migration::Require)
        .unwrap();
    mapping
        .set_policy(100.., Prefer(u32::MAX), Migration::Move)
        .unwrap();
    outside(empty.policy_at(0).unwrap_err(), Call::GetMempolicy, 0);
    outside(empty.node_of(0).unwrap_err(), Call::MovePages, 0);
}

#[test]
fn what_the_kernel_refuses_is_told() {
    let Some(nodes) = nodes("refused calls of NUMA") else {
        return;
    };
    let mapping = Mapping::anonymous(1).unwrap();
    let policy = Bind(only(first(nodes)));
    let set = || {
        mapping
            .set_policy(.., policy, Migration::Require)
            .unwrap_err()
    };
    for (errno, reason) in [
        (ENOSYS, Reason::Unsupported),
        (EIO, Reason::NotMoved),
        (EPERM, Reason::Kernel),
        (ENOMEM, Reason::Kernel),
    ] {
        let Some(error) = refusing(SYS_MBIND, mapping.as_ptr(), errno, set) else {
            return;
        };
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Mbind, errno, reason)
        );
    }
    // Of the process 0, which is this one.
    let error = refusing(SYS_MOVE_PAGES, ptr::null(), ENOSYS, || {
        mapping.node_of(0).unwrap_err()
    });
    let error = error.expect("filters");
    assert_eq!((error.call(), error.errno()), (Call::MovePages, ENOSYS));
    assert_eq!(error.reason(), Reason::Unsupported);
    // Without a mode that is written.
    let error = refusing(SYS_GET_MEMPOLICY, ptr::null(), ENOSYS, || {
        [Nodes::allowed().unwrap_err(), set()]
    });
    for error in error.expect("filters") {
        assert_eq!((error.call(), error.errno()), (Call::GetMempolicy, ENOSYS));
        assert_eq!(error.reason(), Reason::Unsupported);
    }
}
