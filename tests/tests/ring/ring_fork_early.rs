//! A function that `fork` called in children before the first ring was made: rings that it makes in a
//! child are the child's own. In a file of its own: it is installed for the whole process.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::sync::Mutex;

use tests::{is_true_in_a_child, lacks};
use unix_memory::ring::{Consumer, Producer, pair};

static EARLY: Mutex<Option<(Producer, Consumer)>> = Mutex::new(None);

extern "C" fn in_child() {
    *EARLY.lock().unwrap() = pair(1).ok();
}

#[test]
fn a_ring_made_while_fork_is_not_done_stays() {
    // Without wiped pages such a ring is taken for the parent's.
    if lacks::advice("a ring made while fork is not done") {
        return;
    }
    // SAFETY: the function takes a lock that nobody holds at a fork.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    assert_eq!(failed, 0);
    let (mut producer, mut consumer) = pair(1).unwrap();
    producer.push_slice(b"the parent's");
    assert!(is_true_in_a_child(|| {
        let early = EARLY.lock().unwrap().take();
        let (mut childs_producer, mut childs_consumer) = early.unwrap();
        childs_producer.slot().fill(1);
        childs_producer.commit(3).unwrap();
        childs_consumer.available() == [1; 3]
            && consumer.available().is_empty()
            && producer.slot().is_empty()
    }));
    assert!(EARLY.lock().unwrap().is_none());
    assert_eq!(consumer.available(), b"the parent's");
}
