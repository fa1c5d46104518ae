//! A process that has made itself closed to others, `PR_SET_DUMPABLE`, as programs with keys do: its own files
//! below /proc then belong to root. Everything works there that does not need those.
#![cfg(any(target_os = "linux", target_os = "android"))]

use tests::{copies, in_a_child, skip};
use unix_memory::foreign::ForeignPages;
use unix_memory::process_map::ProcessMap;
use unix_memory::secret::Secret;
use unix_memory::{
    Advice, MapOptions, Mapping, Protection, ReadOnly, ReadWrite, SharedMemory,
    install_fault_handler, page_size,
};

/// Runs `f` in a child that is not root, and not dumpable.
fn closed(f: impl FnOnce()) {
    let ended = in_a_child(|| {
        // SAFETY: the call has no preconditions.
        if unsafe { libc::getuid() } == 0 {
            // SAFETY: the calls take integers.
            assert_eq!(unsafe { libc::setgid(65534) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setuid(65534) }, 0);
        }
        // SAFETY: as above.
        assert_eq!(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) }, 0);
        f();
    });
    assert!(ended.success(), "{ended}");
}

#[test]
fn memory_is_mapped_changed_and_locked() {
    closed(|| {
        let page = page_size();
        let mut mapping = Mapping::anonymous(4 * page).expect("pages");
        mapping.fill(1);
        mapping.advise(Advice::DontDump).expect("an advice");
        assert_eq!(mapping.residency().count(), 4);
        match mapping.lock() {
            Ok(guard) => drop(guard),
            Err(error) => skip("a lock", &error.to_string()),
        }
        mapping.resize(6 * page).expect("two pages more");
        mapping.discard(..page).expect("a page less");
        assert_eq!((mapping[0], mapping[page]), (0, 1));
        let (left, right) = mapping.split_at(2 * page).expect("a page's start");
        let right = right.protect(ReadOnly).expect("another protection");
        let right = right.protect(ReadWrite).expect("the one before");
        drop(left.join(right).expect("neighbours"));
        let memory = SharedMemory::unnamed(page as u64).expect("memory");
        memory
            .map(ReadWrite)
            .expect("a mapping")
            .write_at(0, b"bytes")
            .expect("there");
        match Secret::zeroed(20) {
            Ok(secret) => drop(secret),
            Err(error) => skip("a secret", &error.to_string()),
        }
    });
}

#[test]
fn copies_are_made_by_each_mechanism() {
    closed(|| {
        let check = |by| {
            let mapping = MapOptions::new()
                .len(3 * page_size())
                .map_anonymous_shared(ReadWrite);
            let mapping = mapping.expect("pages");
            copies::write(&mapping, by, 7, b"bytes").expect("memory that is there");
            let mut found = [0; 5];
            copies::read(&mapping, by, 7, &mut found).expect("memory that is there");
            assert_eq!(&found, b"bytes", "{by:?}");
            // In an object of this process's own, since a temporary file may be another's.
            let memory = SharedMemory::unnamed(page_size() as u64).expect("memory");
            let mapping = memory.map(ReadWrite).expect("a mapping");
            memory.set_len(0).expect("no length");
            let error = copies::read(&mapping, by, 0, &mut found).expect_err("it is gone");
            assert_eq!(error.errno(), libc::EFAULT, "{by:?}: {error}");
        };
        for by in copies::mechanisms() {
            check(by);
        }
        if install_fault_handler().is_ok() {
            check(None);
            check(Some(unix_memory::Mechanism::Handler));
        }
    });
}

/// The kernel lets a process read its own map all the same.
#[test]
fn its_map_is_its_own() {
    closed(|| {
        let mapping = Mapping::anonymous(page_size()).expect("a page");
        let address = mapping.as_ptr().addr() as u64;
        match ProcessMap::of_self().and_then(|mut map| map.containing(address)) {
            Ok(region) => assert!(region.expect("a region").addresses.contains(&address)),
            Err(error) => panic!("{error}"),
        }
        let pages = ForeignPages::holding(mapping.as_ptr(), page_size()).expect("pages");
        // SAFETY: nothing refers to the page while its protection is another.
        let guard = unsafe { pages.protect_for_now(Protection::READ) };
        drop(guard.expect("a protection that comes back"));
    });
}
