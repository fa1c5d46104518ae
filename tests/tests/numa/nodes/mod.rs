//! The nodes of the machine that runs the tests.

use libc::{ENOSYS, EPERM};
use tests::skip;
use unix_memory::{Call, Nodes};

/// The nodes that this thread may use; if there are none, prints that `check` was skipped.
pub fn nodes(check: &str) -> Option<Nodes> {
    match Nodes::allowed() {
        Ok(nodes) => {
            assert!(!nodes.is_empty());
            Some(nodes)
        }
        Err(error) => {
            assert_eq!(error.call(), Call::GetMempolicy);
            assert!(matches!(error.errno(), ENOSYS | EPERM), "{error}");
            skip(check, &error.to_string());
            None
        }
    }
}

pub fn first(nodes: Nodes) -> u32 {
    nodes.iter().next().expect("a node")
}

pub fn only(node: u32) -> Nodes {
    Nodes::of(&[node]).unwrap()
}
