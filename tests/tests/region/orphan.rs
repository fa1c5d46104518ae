//! Children that outlive their parent, which has ended or was killed: what they inherited is
//! theirs, except for locks.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tests::{Permissions, deadline, is_locked, is_unlocked, permissions, spawn};
use unix_memory::ring::SharedRing;
use unix_memory::{MapOptions, Mapping, ReadOnly, ReadWrite, SharedMapping, page_size};

/// What the orphan reports, by its place.
const PARENT: usize = 0;
const DONE: usize = 1;

fn word(words: &SharedMapping<ReadWrite>, index: usize) -> &AtomicUsize {
    words.atomic(index * size_of::<usize>()).expect("a word")
}

fn parent() -> libc::pid_t {
    // SAFETY: the call has no preconditions.
    unsafe { libc::getppid() }
}

/// Waits until `is`, but not for ever.
fn until(what: &str, is: impl Fn() -> bool) {
    let end = deadline();
    while !is() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// Makes a parent that ends by `end` while its child lives, which then uses what it has, and checks from
/// here what comes of it.
fn outlived(end: fn()) {
    let page = page_size();
    let words = MapOptions::new().len(page).map_anonymous_shared(ReadWrite);
    let words = words.expect("a page");
    let shared = MapOptions::new().len(page).map_anonymous_shared(ReadWrite);
    let shared = shared.expect("a page");
    let ring = SharedRing::create(page).expect("a ring");
    let mut consumer = SharedRing::open(&ring)
        .expect("it")
        .into_consumer()
        .expect("its end");

    let between = spawn(|| {
        let mut private = Mapping::anonymous(4 * page).expect("pages");
        private.fill(7);
        let locked = Mapping::anonymous(page).expect("a page");
        let guard = locked.lock();
        let producer = SharedRing::open(&ring)
            .expect("it")
            .into_producer()
            .expect("its end");
        word(&words, PARENT).store(1, Ordering::Release);
        let before = std::process::id().cast_signed();
        let _orphan = spawn(|| {
            until("the end of the parent", || parent() != before);
            // What it has inherited goes, and takes nothing of others with it.
            drop(guard);
            lock_again(&locked);
            // A ring that is shared with other processes is shared with children.
            let mut producer = producer;
            assert_eq!(producer.push_slice(b"orphaned").expect("an honest peer"), 8);
            drop(producer);
            orphan(&mut private, &shared);
            word(&words, DONE).store(1, Ordering::Release);
        });
        end();
    });
    let _as_it_ends = between.wait();
    until("the orphan's end", || {
        word(&words, DONE).load(Ordering::Acquire) == 1
    });
    assert_eq!(word(&words, PARENT).load(Ordering::Acquire), 1);
    assert_eq!(
        shared.to_vec().expect("memory that is there"),
        vec![9; page]
    );
    let mut found = [0; 20];
    assert_eq!(consumer.pop_slice(&mut found).expect("an honest peer"), 8);
    assert_eq!(&found[..8], b"orphaned");
    assert!(consumer.is_closed());
}

/// Locks pages that the parent had locked: the child has none of its locks.
fn lock_again(pages: &Mapping<ReadWrite>) {
    assert!(is_unlocked(pages.as_ptr()));
    match pages.lock() {
        Ok(guard) => {
            assert!(is_locked(pages.as_ptr()));
            drop(guard);
            assert!(is_unlocked(pages.as_ptr()));
        }
        Err(error) => tests::skip("a lock of an orphan", &error.to_string()),
    }
}

/// What an orphan does with memory that it has a copy of, and with shared memory.
fn orphan(private: &mut Mapping<ReadWrite>, shared: &SharedMapping<ReadWrite>) {
    let page = page_size();
    assert!(private.iter().all(|&byte| byte == 7));
    private[page..].fill(8);
    private.resize(6 * page).expect("two pages more");
    assert_eq!((private[0], private[page], private[5 * page]), (7, 8, 0));
    shared.fill(.., 9).expect("memory that is there");
    let own = Mapping::anonymous(page).expect("a page");
    let own = own.protect(ReadOnly).expect("another protection");
    assert_eq!(
        permissions(own.as_ptr()),
        Permissions::READ | Permissions::PRIVATE
    );
}

#[test]
fn a_child_outlives_a_parent_that_was_killed() {
    outlived(|| {
        // SAFETY: it ends this process.
        unsafe { libc::raise(libc::SIGKILL) };
    });
}

#[test]
fn a_child_outlives_a_parent_that_has_ended() {
    // Without dropping anything.
    // SAFETY: the call has no preconditions.
    outlived(|| unsafe { libc::_exit(0) });
}
