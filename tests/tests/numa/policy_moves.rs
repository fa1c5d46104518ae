//! Pages that move from one node to another, of a machine that has two.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod nodes;

use std::io::Read;
use std::os::fd::AsRawFd;

use libc::EIO;
use nodes::{first, nodes, only};
use tests::skip;
use unix_memory::MemoryPolicy::{Bind, Interleave};
use unix_memory::{Call, Mapping, Migration, ReadWrite, Reason, page_size};

/// Two nodes that this thread may use; if there is only one, prints that `check` was skipped.
fn two(check: &str) -> Option<[u32; 2]> {
    let nodes = nodes(check)?;
    let two = nodes.iter().nth(1).map(|two| [first(nodes), two]);
    if two.is_none() {
        skip(check, "this machine has one node");
    }
    two
}

#[test]
fn pages_move_to_another_node() {
    let Some([one, two]) = two("moves to another node") else {
        return;
    };
    let page = page_size();
    let mut mapping = Mapping::anonymous(4 * page).unwrap();
    let [first, second] = [one, two].map(|node| Bind(only(node)));
    mapping.set_policy(.., first, Migration::Never).unwrap();
    mapping.fill(5);
    let nodes = |mapping: &Mapping<ReadWrite>| {
        // (This is what the bare call reports: see `policy`.)
        [0, 1, 2, 3].map(|i| mapping.node_of(i * page).unwrap().unwrap())
    };
    assert_eq!(nodes(&mapping), [one; 4]);
    mapping.set_policy(.., second, Migration::Never).unwrap();
    assert_eq!(nodes(&mapping), [one; 4], "they stay");
    mapping
        .set_policy(page..2 * page, second, Migration::Require)
        .unwrap();
    assert_eq!(nodes(&mapping), [one, two, one, one]);
    mapping.set_policy(.., second, Migration::Move).unwrap();
    assert_eq!(nodes(&mapping), [two; 4]);
    let turns = Interleave(only(one) | only(two));
    let mut spread = Mapping::anonymous(8 * page).unwrap();
    spread.set_policy(.., turns, Migration::Never).unwrap();
    spread.fill(5);
    let on = (0..8).map(|i| spread.node_of(i * page).unwrap().unwrap());
    assert_eq!(on.filter(|&node| node == one).count(), 4);
    assert!(mapping.iter().chain(spread.iter()).all(|&byte| byte == 5));

    // Pages that a child has too are not this process's alone, and stay.
    mapping.fill(6);
    let (mut end, start) = std::io::pipe().unwrap();
    let to_child = start.as_raw_fd();
    let child = tests::spawn(|| {
        // Waits until the parent is done, and closes the only end that is left.
        // SAFETY: the descriptor is the child's copy, which nobody in it uses.
        unsafe { libc::close(to_child) };
        let _closed = end.read(&mut [0]);
    });
    mapping.set_policy(.., first, Migration::Require).unwrap();
    assert_eq!(nodes(&mapping), [two; 4]);
    drop(start);
    assert!(child.wait().success());
    mapping.set_policy(.., first, Migration::Require).unwrap();
    assert_eq!(nodes(&mapping), [one; 4]);

    // A page to which the kernel holds on cannot be moved.
    let (pipe_end, pipe_start) = std::io::pipe().unwrap();
    let part = libc::iovec {
        iov_base: mapping.as_mut_ptr().wrapping_add(page).cast(),
        iov_len: page,
    };
    // SAFETY: the bytes are the mapping's, and nobody writes to them while the pipe has them.
    let given = unsafe { libc::vmsplice(pipe_start.as_raw_fd(), &raw const part, 1, 0) };
    assert_eq!(usize::try_from(given), Ok(page));
    let error = mapping
        .set_policy(.., second, Migration::Require)
        .unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mbind, EIO));
    assert_eq!(error.reason(), Reason::NotMoved);
    assert_eq!(mapping.policy_at(page), Ok(second), "for pages to come");
    assert_eq!(nodes(&mapping), [two, one, two, two]);
    drop((pipe_end, pipe_start));
    mapping.set_policy(.., second, Migration::Require).unwrap();
    assert_eq!(nodes(&mapping), [two; 4]);
    assert!(mapping.iter().all(|&byte| byte == 6));
}
