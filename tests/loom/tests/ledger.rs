//! The ledger of what is known about pages, by threads at once: one has it at a time, and sees what the one
//! before did.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::sync::{Arc, Mutex};

use interleavings::os::call::{mapped, zeroed_pages};
use interleavings::page::{Pages, page_size};
use interleavings::region::ledger::{self, Kind, Marks};
use loom::cell::UnsafeCell;
use loom::thread;

/// There is one ledger, so only one test uses it at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn model(switches: usize, f: impl Fn() + Send + Sync + 'static) {
    let _alone = ALONE.lock();
    watched_core::model(switches, f);
}

#[test]
fn one_thread_at_a_time() {
    model(3, || {
        let count = Arc::new(UnsafeCell::new(0));
        let work = |count: &UnsafeCell<i32>| {
            // SAFETY: loom checks that no other thread has it.
            ledger::with(|_| count.with_mut(|count| unsafe { *count += 1 })).expect("a ledger");
        };
        let there = Arc::clone(&count);
        let there = thread::spawn(move || work(&there));
        work(&count);
        there.join().expect("it does not panic");
        // SAFETY: as above.
        assert_eq!(count.with(|count| unsafe { *count }), 2);
    });
}

#[test]
fn threads_note_their_own_pages() {
    model(2, || {
        let work = || {
            let len = page_size();
            let pages = Pages {
                start: zeroed_pages(len).expect("a page"),
                len,
            };
            let range = pages.addresses();
            ledger::mark(&range, Marks::HIDDEN, true).expect("room");
            assert!(ledger::known(&range).marks.contains(Marks::HIDDEN));
            // SAFETY: they are this thread's.
            unsafe { ledger::unmap(pages, len) }.expect("they are mapped");
            // (The other thread may get the same addresses, and record something about them.)
        };
        let there = thread::spawn(work);
        work();
        there.join().expect("it does not panic");
        assert!(ledger::is_empty());
        assert_eq!(mapped(), 0);
    });
}

#[test]
fn guards_of_threads_nest() {
    model(2, || {
        let range = 0x1000..0x3000;
        let hold = |kind| ledger::with(|ledger| ledger.held.add(&(0x1000..0x3000), kind));
        let release = |kind| ledger::with(|ledger| ledger.held.remove(&(0x1000..0x3000), kind));
        let there = thread::spawn(move || {
            hold(Kind::Full).expect("a ledger").expect("room");
            assert_eq!(ledger::known(&(0x1000..0x2000)).kind, Some(Kind::Full));
            release(Kind::Full).expect("a ledger");
        });
        hold(Kind::OnFault).expect("a ledger").expect("room");
        assert!(ledger::known(&range).kind.is_some());
        there.join().expect("it does not panic");
        assert_eq!(ledger::known(&range).kind, Some(Kind::OnFault));
        release(Kind::OnFault).expect("a ledger");
        assert!(ledger::is_empty());
    });
}
