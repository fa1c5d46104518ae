//! Processes that are killed in the middle of using shared memory, at any moment, and what they leave to the
//! others.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tests::{Child, copies, deadline, effort, lacks, spawn};
use unix_memory::{
    MapOptions, Mechanism, ReadWrite, SharedMapping, install_fault_handler, page_size,
};

/// How often it is tried for each way.
fn rounds() -> usize {
    effort(25)
}

/// A word that the test and its children share.
fn shared_words() -> SharedMapping<ReadWrite> {
    let options = MapOptions::new().len(page_size());
    options.map_anonymous_shared(ReadWrite).expect("a page")
}

/// Waits until `word` is at least `least`, then a moment more, which is another in every round; then kills
/// the child.
fn kill(child: Child, word: &AtomicUsize, least: usize, round: usize) {
    let end = deadline();
    while word.load(Ordering::Acquire) < least {
        assert!(Instant::now() < end, "the child came to nothing");
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_micros(37 * (round as u64 % 29)));
    // SAFETY: it is this process's own child, which nobody has waited for.
    assert_eq!(unsafe { libc::kill(child.id(), libc::SIGKILL) }, 0);
    let ended = child.wait();
    assert_eq!(ended.code(), None, "it ended by itself: {ended}");
}

/// The byte that a child writes everywhere in its `count`th turn, never zero.
fn byte(count: usize) -> u8 {
    u8::try_from(count % 255).expect("a byte") + 1
}

/// After a copy that its process did not survive, each byte is the old or the new one, and the memory serves
/// as before.
fn a_killed_copy(by: Option<Mechanism>, with_handler: bool) {
    let words = shared_words();
    let turns: &AtomicUsize = words.atomic(0).expect("a word");
    let file = tempfile::tempfile().expect("a file");
    file.set_len(64 * page_size() as u64).expect("a length");
    let mapping = MapOptions::new().map_shared(&file, ReadWrite);
    let mapping = mapping.expect("a mapping");
    for round in 0..rounds() {
        turns.store(0, Ordering::Release);
        mapping.fill(.., byte(0)).expect("memory that is there");
        let child = spawn(|| {
            if with_handler {
                install_fault_handler().expect("a handler");
            }
            let mut bytes = vec![0; mapping.len()];
            for count in 1.. {
                bytes.fill(byte(count));
                copies::write(&mapping, by, 0, &bytes).expect("memory that is there");
                turns.store(count, Ordering::Release);
            }
        });
        kill(child, turns, 2, round);
        let done = turns.load(Ordering::Acquire);
        let found = mapping.to_vec().expect("memory that is there");
        let may_be = [byte(done), byte(done + 1)];
        assert!(
            found.iter().all(|byte| may_be.contains(byte)),
            "{by:?}, {done} turns: {:?}",
            found.iter().find(|byte| !may_be.contains(byte))
        );
    }
}

#[test]
fn each_byte_is_old_or_new() {
    if lacks::shared_files("copies that are killed") {
        return;
    }
    for by in copies::mechanisms() {
        a_killed_copy(by, false);
    }
    let installs = tests::is_true_in_a_child(|| install_fault_handler().is_ok());
    if installs {
        a_killed_copy(Some(Mechanism::Handler), true);
    } else {
        tests::skip(
            "copies by the handler that are killed",
            "none can be installed",
        );
    }
}

/// Atomics that a killed process has used, and claimed, are there for the others.
#[test]
fn atomics_and_claims_go_on() {
    if lacks::shared_files("atomics of a process that is killed") {
        return;
    }
    let words = shared_words();
    let count: &AtomicUsize = words.atomic(0).expect("a word");
    for round in 0..rounds() {
        let before = count.load(Ordering::Acquire);
        let child = spawn(|| {
            loop {
                // Claimed in the child alone: its sizes are not this process's.
                let half = words.atomics::<std::sync::atomic::AtomicU16>(512, 64);
                half.expect("bytes of no size")[0].fetch_add(1, Ordering::Relaxed);
                count.fetch_add(1, Ordering::AcqRel);
            }
        });
        kill(child, count, before + 10, round);
    }
    // What is claimed here, every child made later inherits.
    let whole: &AtomicUsize = words.atomic(512).expect("bytes of no size here");
    assert_ne!(whole.load(Ordering::Acquire), 0);
}

/// A log is as long as what was reported to be in it, or longer, and what was reported is there.
#[test]
fn a_killed_append_loses_no_entry() {
    const ENTRY: usize = 24;
    if lacks::own_pages("a log that grows") || lacks::shared_files("a log that grows") {
        return;
    }
    let entry = |number: usize| [byte(number); ENTRY];
    let words = shared_words();
    let reported: &AtomicUsize = words.atomic(0).expect("a word");
    let file = tempfile::tempfile().expect("a file");
    let open = || {
        let mapped = MapOptions::new().map_file(&file, ReadWrite);
        mapped.expect("a mapped file")
    };
    for round in 0..rounds() {
        let before = reported.load(Ordering::Acquire);
        let child = spawn(|| {
            let mut log = open();
            for number in before.. {
                log.append(&entry(number)).expect("room");
                reported.store(number + 1, Ordering::Release);
            }
        });
        kill(child, reported, before + 3, round);
        let count = reported.load(Ordering::Acquire);
        let mut log = open();
        assert!(log.len() >= count * ENTRY, "{} of {count}", log.len());
        assert!(log.len() <= (count + 1) * ENTRY, "{} of {count}", log.len());
        let found = log.to_vec().expect("a file that nobody shortens");
        let whole = (0..count).all(|number| found[number * ENTRY..][..ENTRY] == entry(number));
        assert!(whole, "round {round}");
        // An entry that was not reported is cut off, and the log goes on.
        log.truncate(count * ENTRY).expect("a shorter file");
        log.append(&entry(count)).expect("room");
        reported.store(count + 1, Ordering::Release);
    }
}

/// The name of a process that was killed stays, as its documentation says, until somebody removes it.
// Android has no names.
#[cfg(not(target_os = "android"))]
#[test]
fn a_name_outlives_its_killed_owner() {
    use unix_memory::{NamedMemory, ReadOnly};

    let name = format!("/unix-memory-killed-{}", std::process::id());
    if let Err(error) = NamedMemory::create(&name, 1) {
        return tests::skip("named memory", &error.to_string());
    }
    let words = shared_words();
    let turns: &AtomicUsize = words.atomic(0).expect("a word");
    let child = spawn(|| {
        let memory = NamedMemory::create(&name, page_size() as u64).expect("a name");
        let mapping = memory.map(ReadWrite).expect("a mapping");
        for count in 1.. {
            mapping.fill(.., byte(count)).expect("memory that is there");
            turns.store(count, Ordering::Release);
        }
    });
    kill(child, turns, 2, 0);
    let done = turns.load(Ordering::Acquire);
    let memory = NamedMemory::open(&name).expect("the name");
    let found = memory.map(ReadOnly).expect("a mapping");
    let may_be = [byte(done), byte(done + 1)];
    let found = found.to_vec().expect("memory that is there");
    assert!(found.iter().all(|byte| may_be.contains(byte)));
    let error = NamedMemory::create(&name, 1).expect_err("the name is taken");
    assert_eq!(error.errno(), libc::EEXIST);
    NamedMemory::remove(&name).expect("a name that is there");
    drop(NamedMemory::create(&name, 1).expect("the name is free"));
}
