//! Policies of explicit huge pages: SIGBUS ends no safe code if a node has none.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod nodes;
#[path = "../map/pool/mod.rs"]
mod pool;

use std::sync::atomic::{AtomicU32, Ordering};

use libc::{EACCES, EINVAL, EMFILE, EPERM};
use nodes::{first, nodes, only};
use pool::pool;
use tests::seccomp::SYS_MREMAP;
use tests::{in_a_child, limit_open_files, refusing_argument, skip};
use unix_memory::MemoryPolicy::{Bind, Interleave};
use unix_memory::{
    Call, MapOptions, Mapping, MemfdOptions, Migration, ReadOnly, ReadWrite, Reason, page_size,
};

/// The pool has its pages on all nodes by turns, so that none has enough.
#[test]
fn a_node_that_has_too_few_raises_no_signal() {
    let check = "huge pages of another node";
    let (Some(nodes), Some((size, _reserved))) = (nodes(check), pool(4, check)) else {
        return;
    };
    if nodes.len() < 2 {
        skip(check, "this machine has one node");
    }
    let options = MapOptions::new().len(4 * size.bytes()).huge_pages(size);
    for node in nodes.iter() {
        for migration in [Migration::Never, Migration::Move] {
            let bind = Bind(only(node));
            let mut mapping = options.map_anonymous(ReadWrite).unwrap();
            mapping.set_policy(.., bind, migration).unwrap();
            mapping.fill(1);
            drop(mapping);
            let shared = options.map_anonymous_shared(ReadWrite).unwrap();
            shared.set_policy(.., bind, migration).unwrap();
            let last = shared.len() - size_of::<AtomicU32>();
            let atomic = shared.atomic::<AtomicU32>(last).unwrap();
            assert_eq!(atomic.fetch_add(1, Ordering::Relaxed), 0);
        }
    }
}

#[test]
fn they_are_brought_in_before_they_are_bound() {
    let check = "huge pages that are bound to a node";
    let (Some(nodes), Some((size, _reserved))) = (nodes(check), pool(3, check)) else {
        return;
    };
    let bytes = size.bytes();
    let bind = Bind(only(first(nodes)));
    let options = MapOptions::new().len(3 * bytes).huge_pages(size);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    // Any other policy falls back on other nodes.
    let spread = Interleave(nodes);
    mapping.set_policy(.., spread, Migration::Never).unwrap();
    assert_eq!(mapping.node_of(0), Ok(None));
    mapping
        .set_policy(bytes..2 * bytes, bind, Migration::Move)
        .unwrap();
    let here = [0, 1, 2].map(|page| mapping.node_of(page * bytes).unwrap());
    assert!(matches!(here, [None, Some(_), None]), "{here:?}");
    assert_eq!(mapping.policy_at(bytes), Ok(bind));
    assert_eq!(mapping.policy_at(2 * bytes), Ok(spread));
    // No part of one is.
    for range in [0..page_size(), bytes / 2..bytes, bytes..2 * bytes + 1] {
        let set = mapping.set_policy(range, bind, Migration::Never);
        let error = set.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mbind, EINVAL));
        assert_eq!(error.reason(), Reason::HugePage);
    }
    // Nor what cannot be brought in.
    let mapping = mapping.protect(ReadOnly).unwrap();
    let error = mapping.set_policy(.., bind, Migration::Never).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mbind, EACCES));
    assert_eq!(error.reason(), Reason::NotWritableToBind);
    mapping.set_policy(.., spread, Migration::Never).unwrap();
    drop(mapping);

    let memory = MemfdOptions::new().huge_pages(size);
    let memory = memory.create(2 * bytes as u64).unwrap();
    let shared = memory.map(ReadWrite).unwrap();
    shared.set_policy(.., bind, Migration::Move).unwrap();
    let here = [0, 1].map(|page| shared.node_of(page * bytes).unwrap());
    assert!(matches!(here, [Some(_), Some(_)]), "{here:?}");
    drop((shared, memory));

    // The first write to a private page of a file takes another.
    let memory = MemfdOptions::new().huge_pages(size);
    let memory = memory.create(bytes as u64).unwrap();
    let shared = memory.map(ReadWrite).unwrap();
    shared.write_at(0, b"then").unwrap();
    let private = MapOptions::new().map_private(&memory, ReadWrite).unwrap();
    private.populate().unwrap();
    private.set_policy(.., bind, Migration::Never).unwrap();
    // It has that one now, and no longer the file's.
    shared.write_at(0, b"late").unwrap();
    let mut bytes = [0; 4];
    private.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"then");
}

/// A kernel before Linux 5.16, whose `mremap` does not reveal huge pages; here, a filter prevents it.
#[test]
fn they_are_found_by_their_size_too() {
    let check = "huge pages that mremap does not find";
    let (Some(nodes), Some((size, _reserved))) = (nodes(check), pool(2, check)) else {
        return;
    };
    let bytes = size.bytes();
    let bind = Bind(only(first(nodes)));
    let options = MapOptions::new().len(2 * bytes).huge_pages(size);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    let set = || {
        let set = mapping.set_policy(bytes.., bind, Migration::Never);
        (set, [0, 1].map(|page| mapping.node_of(page * bytes)))
    };
    // Of a length, whichever page it is asked about.
    let page = page_size() as u64;
    let Some((set, here)) = refusing_argument(SYS_MREMAP, 1, page, EPERM, set) else {
        return;
    };
    set.unwrap();
    assert!(matches!(here, [Ok(None), Ok(Some(_))]), "{here:?}");
    assert_eq!(mapping.policy_at(bytes), Ok(bind));
    drop(mapping);

    // What is in small pages is bound as usual.
    let small = MapOptions::new().len(4 * page_size());
    let small = small.map_anonymous_shared(ReadWrite).unwrap();
    let set = || small.set_policy(.., bind, Migration::Never);
    let set = refusing_argument(SYS_MREMAP, 1, page, EPERM, set);
    set.expect("filters").unwrap();
    assert_eq!(small.node_of(0), Ok(None), "none was brought in");
}

/// If nothing reports whether there are huge pages, memory that may be in huge pages is not bound.
#[test]
fn what_may_be_huge_pages_is_not_bound() {
    let check = "memory that may be huge pages";
    let Some(nodes) = nodes(check) else {
        return;
    };
    let bind = Bind(only(first(nodes)));
    let len = 4 * page_size();
    let status = in_a_child(|| {
        let private = Mapping::anonymous(len).unwrap();
        let shared = MapOptions::new().len(len);
        let shared = shared.map_anonymous_shared(ReadWrite).unwrap();
        let spread = Interleave(nodes);
        let set = || {
            private.set_policy(.., bind, Migration::Never).unwrap();
            shared.set_policy(.., spread, Migration::Never).unwrap();
            shared.set_policy(.., bind, Migration::Never)
        };
        // No file can be opened.
        limit_open_files(0).unwrap();
        let page = page_size() as u64;
        let Some(set) = refusing_argument(SYS_MREMAP, 1, page, EPERM, set) else {
            return;
        };
        let error = set.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::ProcessMap, EMFILE));
        assert_eq!(shared.policy_at(0), Ok(spread));
    });
    assert!(status.success());
}
