//! More stacks than the kernel lets a process have mappings, which a process reaches alone: one test,
//! one process.
// Emscripten enforces no protections: there are no guards.
#![cfg(not(target_os = "emscripten"))]

use tests::{Permissions, permissions, reachable_mapping_limit, skip};
use unix_memory::{Stack, page_size};

#[test]
fn more_stacks_than_mappings() {
    let check = "more stacks than mappings";
    let Some(limit) = reachable_mapping_limit(check) else {
        return;
    };
    let first = Stack::new(1).unwrap();
    if permissions(first.limit().as_ptr()) == Permissions::PRIVATE {
        return skip(check, "here each guard is a mapping");
    }
    let count = limit + 1000;
    if size_of::<usize>() == 4 && count > (1 << 29) / page_size() {
        return skip(check, "there are too few addresses");
    }
    let mut stacks = Vec::with_capacity(count);
    let mut refusal = None;
    while stacks.len() < count {
        match Stack::new(1) {
            Ok(stack) => stacks.push(stack),
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    let many = stacks.len();
    drop(stacks);
    assert_eq!((many, refusal), (count, None));
}
