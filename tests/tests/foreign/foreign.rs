//! Pages that no guard owns, compared with what the kernel reports about them.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;

use libc::{MAP_SHARED, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE};
use tests::seccomp::SYS_MPROTECT;
use tests::{
    Others, Permissions, can_be_read, in_a_child, lacks, limit_address_space, permissions,
    refusing_argument, skip,
};
use unix_memory::foreign::ForeignPages;
use unix_memory::process_map::ProcessMap;
use unix_memory::{Call, Protection, Reason, page_size};

const READ_WRITE: Protection = Protection::READ.union(Protection::WRITE);

fn pages(memory: &Others) -> ForeignPages {
    ForeignPages::new(memory.start, memory.len).expect("whole pages")
}

/// Pages that no process can map: below the lowest address that the kernel gives out.
fn pages_of_nobody() -> ForeignPages {
    let start = ptr::without_provenance(page_size());
    ForeignPages::new(start, page_size()).expect("whole pages")
}

/// Whether the protections that pages have can be asked for here.
fn has_map(check: &str) -> bool {
    match ProcessMap::of_self() {
        Ok(_) => !lacks::own_process(check),
        Err(error) => {
            skip(check, &error.to_string());
            false
        }
    }
}

#[test]
fn pages_that_hold_bytes() {
    let page = page_size();
    let memory = Others::anonymous(4);
    let holding =
        |start, len| ForeignPages::holding(memory.start.wrapping_add(start), len).unwrap();
    for (start, len, first, bytes) in [
        (0, 0, 0, 0),
        (5, 0, 0, 0),
        (0, 1, 0, page),
        (page - 1, 1, 0, page),
        (page - 1, 2, 0, 2 * page),
        (page, page, page, page),
        (page + 1, page, page, 2 * page),
        (1, 3 * page, 0, 4 * page),
    ] {
        let pages = holding(start, len);
        assert_eq!(
            (pages.as_ptr(), pages.len()),
            (memory.start.wrapping_add(first), bytes)
        );
        assert_eq!(pages.is_empty(), bytes == 0);
    }
    for (start, len) in [(1, page), (0, page - 1), (0, 1), (page, 1)] {
        let error = ForeignPages::new(memory.start.wrapping_add(start), len).unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::ForeignPages, libc::EINVAL)
        );
        assert_eq!(error.reason(), Reason::Unaligned(page));
    }
    for (start, len) in [
        (ptr::without_provenance(usize::MAX), usize::MAX),
        (memory.start.cast_const(), usize::MAX),
        (memory.start.cast_const(), isize::MAX as usize + 1),
    ] {
        let error = ForeignPages::holding(start, len).unwrap_err();
        let is_long = len > isize::MAX as usize;
        match error.reason() {
            Reason::LengthLimit(_) => assert!(is_long, "{error}"),
            reason => assert!(reason == Reason::NoAddress && !is_long, "{error}"),
        }
        assert_eq!(error.errno(), libc::EINVAL);
    }
    for start in [usize::MAX, usize::MAX - page] {
        let error = ForeignPages::holding(ptr::without_provenance(start), 1).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (libc::EINVAL, Reason::NoAddress)
        );
    }
    for start in [0, 1, page - 1] {
        let error = ForeignPages::holding(ptr::without_provenance(start), page).unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::ForeignPages, libc::EFAULT)
        );
        assert_eq!(error.reason(), Reason::NoAddress);
    }
    let highest = ptr::without_provenance(usize::MAX - 2 * page);
    assert_eq!(ForeignPages::holding(highest, 1).unwrap().len(), page);
    let error = ForeignPages::new(ptr::without_provenance(8 * page + 1), 1).unwrap_err();
    let text = format!(
        "ForeignPages of 1 byte at {:#x}: Invalid argument",
        8 * page + 1
    );
    assert!(error.to_string().starts_with(&text), "{error}");
}

#[test]
fn protections_change() {
    let memory = Others::anonymous(3);
    let middle = ForeignPages::new(memory.page(1), page_size()).unwrap();
    // SAFETY: nothing refers to the page.
    let changed = unsafe { middle.protect(Protection::empty()) };
    if !Protection::is_enforced() {
        assert_eq!(changed.unwrap_err().reason(), Reason::NotEnforced);
        return;
    }
    changed.unwrap();
    assert!(
        memory
            .letters()
            .is_none_or(|letters| letters == ["rw", "-", "rw"])
    );
    assert!(!can_be_read(memory.page(1)) && can_be_read(memory.page(2)));
    // SAFETY: as above.
    unsafe { pages(&memory).protect(Protection::READ) }.unwrap();
    assert!(
        memory
            .letters()
            .is_none_or(|letters| letters == ["r", "r", "r"])
    );

    if lacks::own_process("protection of pages that are not mapped") {
        return;
    }
    // SAFETY: nothing is mapped there, nor ever will be.
    let error = unsafe { pages_of_nobody().protect(READ_WRITE) }.unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Mprotect, libc::ENOMEM)
    );
    if ProcessMap::of_self().is_ok() {
        assert_eq!(error.reason(), Reason::NotMapped);
        assert!(
            error
                .to_string()
                .ends_with("(a page of the range is not mapped)")
        );
    }
    let none = ForeignPages::holding(memory.page(1), 0).unwrap();
    // SAFETY: there are no pages.
    unsafe { none.protect(Protection::empty()) }.unwrap();
    // SAFETY: as above.
    drop(unsafe { none.protect_for_now(Protection::empty()) }.unwrap());
}

#[test]
fn several_protections_come_back() {
    if !has_map("protections for a time") {
        return;
    }
    let memory = Others::anonymous(6);
    let protections = [
        PROT_NONE,
        PROT_READ,
        PROT_READ,
        PROT_READ | PROT_WRITE,
        PROT_READ | PROT_EXEC,
        PROT_NONE,
    ];
    for (index, protection) in protections.into_iter().enumerate() {
        memory.protect(index, protection);
    }
    let before = memory.letters();
    let part = ForeignPages::new(memory.page(1), 4 * page_size()).unwrap();
    for _ in 0..3 {
        // SAFETY: nothing refers to the pages.
        let guard = unsafe { part.protect_for_now(READ_WRITE) }.unwrap();
        assert_eq!(guard.pages().as_ptr(), memory.page(1));
        assert!(
            memory
                .letters()
                .is_none_or(|letters| letters == ["-", "rw", "rw", "rw", "rw", "-"])
        );
        // SAFETY: the page can be written now, and nothing refers to it.
        unsafe { memory.page(2).write(7) };
        drop(guard);
        assert_eq!(memory.letters(), before);
    }
    // Within each other, in the order of their making.
    // SAFETY: as above.
    let outer = unsafe { pages(&memory).protect_for_now(Protection::READ) }.unwrap();
    // SAFETY: as above.
    let inner = unsafe { part.protect_for_now(READ_WRITE) }.unwrap();
    inner.restore().unwrap();
    assert!(memory.letters().is_none_or(|letters| letters == ["r"; 6]));
    outer.restore().unwrap();
    assert_eq!(memory.letters(), before);
    // Forgotten, it stays.
    // SAFETY: as above.
    std::mem::forget(unsafe { part.protect_for_now(Protection::empty()) }.unwrap());
    assert!(memory.letters().is_none_or(|letters| letters == ["-"; 6]));
}

/// More mappings than the first list of a guard has room for.
#[test]
fn many_protections_come_back() {
    if !has_map("many protections for a time") {
        return;
    }
    let memory = Others::anonymous(1000);
    for index in (0..1000).step_by(2) {
        memory.protect(index, PROT_READ);
    }
    // SAFETY: nothing refers to the pages.
    let guard = unsafe { pages(&memory).protect_for_now(Protection::empty()) }.unwrap();
    assert!(permissions(memory.page(999)).lacks(Permissions::READ));
    drop(guard);
    let mut map = ProcessMap::of_self().unwrap();
    for index in [0, 1, 2, 499, 500, 998, 999] {
        let region = map
            .containing_into(memory.page(index).addr() as u64, &mut [])
            .unwrap()
            .unwrap();
        let expected = if index % 2 == 0 {
            Protection::READ
        } else {
            READ_WRITE
        };
        assert_eq!(region.protection, expected, "{index}");
    }
}

#[test]
fn what_fails_changes_nothing() {
    if !has_map("a refused protection for a time") {
        return;
    }
    // A hole. (In a child, where no other thread maps anything there.)
    let status = in_a_child(|| {
        let memory = Others::anonymous(4);
        memory.protect(0, PROT_READ);
        memory.unmap(2);
        // SAFETY: nothing refers to the pages.
        let error = unsafe { pages(&memory).protect_for_now(Protection::empty()) }.unwrap_err();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Mprotect, libc::ENOMEM, Reason::NotMapped)
        );
        let letters = [0, 1, 3]
            .map(|index| permissions(memory.page(index)).map(|it| it.contains(Permissions::WRITE)));
        assert!(letters[0] == false && letters[1] == true && letters[2] == true);
    });
    assert!(status.success());

    // The kernel refuses the second half: the file is open for reading alone.
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, vec![1; page_size()]).unwrap();
    let file = File::open(&path).unwrap();
    let memory = Others::anonymous(3);
    memory.protect(0, PROT_READ);
    // SAFETY: the page is this test's own, and nothing refers to it.
    let fixed = unsafe {
        libc::mmap(
            memory.page(2).cast(),
            page_size(),
            PROT_READ,
            MAP_SHARED | libc::MAP_FIXED,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(fixed, libc::MAP_FAILED);
    let before = memory.letters();
    // SAFETY: nothing refers to the pages.
    let error = unsafe { pages(&memory).protect_for_now(READ_WRITE) }.unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::Mprotect, libc::EACCES)
    );
    assert_eq!(memory.letters(), before);
    assert!(before.is_none_or(|letters| letters == ["r", "rw", "r"]));
}

#[test]
fn a_guard_that_cannot_go_back_comes_back() {
    if !has_map("a refused restore") {
        return;
    }
    let memory = Others::anonymous(2);
    // SAFETY: nothing refers to the pages.
    let guard = unsafe { pages(&memory).protect_for_now(Protection::READ) }.unwrap();
    let both = u64::try_from(PROT_READ | PROT_WRITE).unwrap();
    let failed = refusing_argument(SYS_MPROTECT, 2, both, libc::EACCES, move || {
        guard.restore().unwrap_err()
    });
    let Some(failed) = failed else { return };
    assert_eq!(failed.error().errno(), libc::EACCES);
    assert!(memory.letters().is_none_or(|letters| letters == ["r", "r"]));
    failed.into_mapping().restore().unwrap();
    assert!(
        memory
            .letters()
            .is_none_or(|letters| letters == ["rw", "rw"])
    );
}

/// A function is changed in place.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[test]
fn code_is_patched() {
    /// Code of a function that returns this number.
    fn returning(number: u8) -> Vec<u8> {
        if cfg!(target_arch = "x86_64") {
            vec![0xb8, number, 0, 0, 0, 0xc3]
        } else {
            let words = [0x5280_0000 | u32::from(number) << 5, 0xd65f_03c0];
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        }
    }
    if !has_map("code that is patched") {
        return;
    }
    let memory = Others::anonymous(1);
    let code = returning(7);
    // SAFETY: the page is writable, and as long.
    unsafe { ptr::copy_nonoverlapping(code.as_ptr(), memory.start, code.len()) };
    // SAFETY: nothing refers to the page.
    if let Err(error) = unsafe { pages(&memory).protect(Protection::READ | Protection::EXECUTE) } {
        return skip("code that is patched", &error.to_string());
    }
    // SAFETY: the page has such a function.
    let function: extern "C" fn() -> u32 = unsafe { std::mem::transmute(memory.start) };
    assert_eq!(function(), 7);
    for number in [1, 200, 3] {
        // SAFETY: the function is not running.
        let guard = unsafe { pages(&memory).protect_for_now(READ_WRITE) }.unwrap();
        let code = returning(number);
        // SAFETY: the page is writable now.
        unsafe { ptr::copy_nonoverlapping(code.as_ptr(), memory.start, code.len()) };
        if guard.restore().is_err() {
            return skip(
                "code that is patched",
                "what was written cannot be executed",
            );
        }
        assert_eq!(function(), u32::from(number));
    }
    let expected = memory.letters().is_none_or(|letters| letters == ["rx"]);
    assert!(expected || lacks::execution("rights of patched code"));
}

/// The notes of a guard take memory: where there is none, nothing changes, and the limit is named.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has neither processes nor limits"
)]
fn no_room_for_notes() {
    let check = "no room for the old protections";
    if lacks::own_process(check) || !has_map(check) {
        return;
    }
    let status = in_a_child(|| {
        let memory = Others::anonymous(2);
        let pages = pages(&memory);
        if let Err(error) = limit_address_space(1) {
            return skip(check, &error.to_string());
        }
        // SAFETY: nobody refers to the memory.
        let guard = unsafe { pages.protect_for_now(Protection::empty()) };
        limit_address_space(u64::MAX >> 1).unwrap();
        let Err(error) = guard else {
            return skip(check, "the limit has no effect");
        };
        assert_eq!(
            (error.call(), error.errno()),
            (Call::Mprotect, libc::ENOMEM)
        );
        if cfg!(any(target_os = "linux", target_os = "android")) {
            assert_eq!(error.reason(), Reason::AddressSpaceLimit(1));
        }
        assert!(permissions(memory.start).contains(Permissions::WRITE));
    });
    assert!(status.success(), "{status}");
}
