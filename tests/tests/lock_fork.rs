//! Lock guards and fork: what a child does with them. It must be the only test of its process.

use std::sync::atomic::{AtomicBool, Ordering};

use tests::{effort, is_locked, is_true_in_a_child};
use unix_memory::{Mapping, page_size};

#[test]
fn a_child_has_no_locks_and_can_lock() {
    let mapping = Mapping::anonymous(4 * page_size()).unwrap();
    let busy = Mapping::anonymous(page_size()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // So that some forks come while the table is in use.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(busy.lock().unwrap());
            }
        });
        for round in 0..effort(200) {
            let guard = mapping.lock().unwrap();
            let ok = is_true_in_a_child(|| {
                drop(guard);
                let again = mapping.lock_range(..page_size());
                let locks = again.is_ok() && is_locked(mapping.as_ptr());
                drop(again);
                locks && !is_locked(mapping.as_ptr())
            });
            if !ok {
                done.store(true, Ordering::Relaxed);
            }
            assert!(ok, "round {round}");
        }
        done.store(true, Ordering::Relaxed);
    });
    // The children's drops did nothing to the parent's own.
    let guard = mapping.lock().unwrap();
    assert!(is_locked(mapping.as_ptr()));
    drop(guard);
    assert!(!is_locked(mapping.as_ptr()));
}
