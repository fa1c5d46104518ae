//! Memory that is turned into zeros and given back, and advice that does more than advise.

use std::ops::Range;
use std::os::unix::fs::FileExt;

use libc::{EINVAL, EPERM};
use tests::seccomp::{SYS_MADVISE, SYS_MINCORE};
use tests::{can_be_read, is_locked, is_true_in_a_child, lacks, refusing, skip};
use unix_memory::{
    Advice, Call, Error, MapOptions, Mapping, ReadWrite, Reason, UncheckedAdvice, page_size,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
use unix_memory::{LockPages, ProcessLock};

/// New memory, all sevens.
fn sevens(len: usize) -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(len).unwrap();
    let _ = mapping.advise(Advice::NoHugePage);
    mapping.fill(7);
    mapping
}

/// The value of each page of `mapping`, all of whose bytes have it.
fn pages(mapping: &[u8]) -> Vec<u8> {
    let page = |page: &[u8]| {
        assert!(page.iter().all(|&byte| byte == page[0]));
        page[0]
    };
    mapping.chunks(page_size()).map(page).collect()
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has no advice but that of POSIX"
)]
fn discarded_bytes_are_zeros_and_their_memory_is_gone() {
    let page = page_size();
    let mut mapping = sevens(6 * page);
    mapping.discard(page..3 * page).unwrap();
    mapping.discard(4 * page..4 * page).unwrap();
    if !is_discarding() {
        skip("what is in memory", "madvise does nothing here");
    } else if !lacks::own_pages("what is in memory") {
        let resident: Vec<bool> = mapping.residency().map(Result::unwrap).collect();
        assert_eq!(resident, [true, false, false, true, true, true]);
    }
    assert_eq!(pages(&mapping), [7, 0, 0, 7, 7, 7]);
    mapping.fill(1);
    mapping.discard(..).unwrap();
    assert_eq!(pages(&mapping), [0; 6]);
}

/// Whether `MADV_DONTNEED` does its work: an emulator may do nothing.
fn is_discarding() -> bool {
    let mapping = sevens(page_size());
    // SAFETY: nothing refers to the pages.
    unsafe { mapping.advise_unchecked(.., UncheckedAdvice::DontNeed) }.unwrap();
    mapping[0] == 0
}

#[test]
fn only_the_end_of_the_mapping_may_be_inside_a_page() {
    let page = page_size();
    let mut mapping = sevens(3 * page - 1);
    for range in [1..page, 0..page + 1, page - 1..2 * page, 1..3 * page - 1] {
        let error = mapping.discard(range.clone()).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Discard, EINVAL));
        assert_eq!(error.reason(), Reason::Unaligned(page), "{range:?}");
    }
    assert_eq!(pages(&mapping), [7; 3]);
    let error = mapping.discard(..3 * page).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(3 * page - 1));
    mapping.discard(2 * page..).unwrap();
    assert_eq!(pages(&mapping), [7, 7, 0]);
}

#[test]
fn only_private_anonymous_memory_is_discarded() {
    let mapping = MapOptions::new()
        .len(page_size())
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    // SAFETY: no child shares the memory.
    let mut mapping = unsafe { mapping.assume_unshared() };
    mapping.fill(7);
    let error = mapping.discard(..).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotAnonymous)
    );
    assert_eq!(pages(&mapping), [7]);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn locked_pages_are_zeroed_and_stay() {
    let page = page_size();
    let mut mapping = sevens(3 * page);
    // A lock that nobody undoes, like that of another library.
    let guard = mapping.lock_range(page..2 * page);
    if guard.map(std::mem::forget).is_err() {
        skip("locked pages", "nothing can be locked here");
        return;
    }
    mapping.discard(..).unwrap();
    assert_eq!(pages(&mapping), [0; 3]);
    let second = mapping.as_ptr().wrapping_add(page);
    assert!(is_locked(second));
    assert_eq!(
        mapping.residency_range(page..=page).unwrap().resident(),
        Ok(1)
    );
}

/// Pages that are locked on fault come back when they are used: zeros would bring in all of them.
// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn pages_locked_on_fault_go() {
    let page = page_size();
    // (A forgotten guard is one that does not borrow the mapping.)
    let on_fault = |mut mapping: Mapping<ReadWrite>, full_too: bool| {
        match mapping.lock_on_fault() {
            Ok(guard) => std::mem::forget(guard),
            Err(error) => {
                skip("pages locked on fault", &error.to_string());
                return None;
            }
        }
        if full_too {
            std::mem::forget(mapping.lock_range(..page).unwrap());
        }
        mapping.discard(..).unwrap();
        let resident = mapping.residency().resident().unwrap();
        assert!(is_locked(mapping.as_ptr()) && mapping.iter().all(|&byte| byte == 0));
        Some(resident)
    };
    if lacks::own_pages("what is in memory") {
        return;
    }
    let Some(resident) = on_fault(sevens(64 * page), false) else {
        return;
    };
    let unused = || {
        let mapping = Mapping::anonymous(64 * page).unwrap();
        mapping.advise(Advice::NoHugePage).unwrap();
        mapping
    };
    if UncheckedAdvice::DontNeedLocked.is_supported() {
        assert_eq!(resident, 0, "of those that were used");
        assert_eq!(on_fault(unused(), false), Some(0), "of those that were not");
    } else {
        skip("pages locked on fault", "before Linux 5.18 they stay");
    }
    // A page that is fully locked as well is in memory all the time.
    assert!(on_fault(unused(), true).is_some_and(|resident| resident > 0));
}

/// An emulator may take that advice too, and not follow it.
// Only Linux has locks on fault.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn in_a_process_locked_on_fault_the_bytes_are_zeros() {
    assert!(is_true_in_a_child(|| {
        let _lock = match ProcessLock::on_fault(LockPages::FUTURE) {
            Ok(lock) => lock,
            Err(error) => {
                skip("a process locked on fault", &error.to_string());
                return true;
            }
        };
        let mut mapping = sevens(3 * page_size());
        mapping.discard(..).unwrap();
        pages(&mapping) == [0; 3]
    }));
}

#[test]
fn whatever_the_kernel_says_the_bytes_are_zeros() {
    let mut mapping = sevens(3 * page_size());
    let address = mapping.as_ptr();
    let discard = || mapping.discard(..);
    match refusing(SYS_MADVISE, address, EPERM, discard) {
        Some(result) => result.unwrap(),
        None => return,
    }
    assert_eq!(pages(&mapping), [0; 3]);
    // And if nobody can say whether the memory is gone.
    mapping.fill(7);
    let last = address.wrapping_add(2 * page_size());
    let discard = || mapping.discard(..);
    refusing(SYS_MINCORE, last, EINVAL, discard)
        .unwrap()
        .unwrap();
    assert_eq!(pages(&mapping), [0; 3]);
}

/// Gives `advice` on all of new memory that is sevens.
fn advised(advice: UncheckedAdvice) -> Result<Mapping<ReadWrite>, Error> {
    let mapping = sevens(2 * page_size());
    // SAFETY: nothing refers to the pages, and each test uses them as the advice allows.
    unsafe { mapping.advise_unchecked(.., advice) }?;
    Ok(mapping)
}

/// Whether the kernel has `advice`; if not, prints so, and checks that it is refused.
fn has(advice: UncheckedAdvice) -> bool {
    if lacks::advice(&format!("{advice:?}")) {
        return false;
    }
    if !advice.is_supported() {
        skip(&format!("{advice:?}"), "this kernel does not have it");
        let error = advised(advice).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::Unsupported)
        );
    }
    advice.is_supported()
}

#[test]
fn dont_need_makes_zeros() {
    for advice in [UncheckedAdvice::DontNeed, UncheckedAdvice::DontNeedLocked] {
        if has(advice) && is_discarding() {
            assert_eq!(pages(&advised(advice).unwrap()), [0, 0], "{advice:?}");
        }
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has no advice but that of POSIX"
)]
fn locked_pages_need_the_advice_for_them() {
    let mapping = sevens(page_size());
    if mapping.lock().map(std::mem::forget).is_err() {
        skip("locked pages", "nothing can be locked here");
        return;
    }
    // SAFETY: nothing refers to the pages.
    let give = |advice| unsafe { mapping.advise_unchecked(.., advice) };
    if !is_discarding() || !has(UncheckedAdvice::DontNeedLocked) {
        return;
    }
    assert_eq!(give(UncheckedAdvice::DontNeed).unwrap_err().errno(), EINVAL);
    give(UncheckedAdvice::DontNeedLocked).unwrap();
    assert_eq!(pages(&mapping), [0]);
    assert!(is_locked(mapping.as_ptr()));
}

#[test]
fn free_pages_are_as_before_or_zeros() {
    if has(UncheckedAdvice::Free) {
        let mapping = advised(UncheckedAdvice::Free).unwrap();
        // Each byte is read once: it may change between two reads.
        let bytes: Vec<u8> = mapping.to_vec();
        assert!(bytes.iter().all(|&byte| byte == 7 || byte == 0));
    }
}

#[test]
fn remove_punches_a_hole_into_the_file() {
    if lacks::shared_files("Remove") {
        return;
    }
    let page = page_size();
    let file = tempfile::Builder::new().tempfile_in("/dev/shm");
    let Ok(file) = file else {
        skip("Remove", "there is no /dev/shm");
        return;
    };
    let file = file.into_file();
    file.write_all_at(&vec![7; 3 * page], 0).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    if !has(UncheckedAdvice::Remove) {
        return;
    }
    // SAFETY: the file is this test's own, and nothing refers to its bytes.
    let removed = unsafe { mapping.advise_unchecked(page..2 * page, UncheckedAdvice::Remove) };
    removed.unwrap();
    assert_eq!(pages(&mapping.to_vec().unwrap()), [7, 0, 7]);
    let mut byte = [1];
    file.read_exact_at(&mut byte, page as u64).unwrap();
    assert_eq!(byte, [0]);
    // A part of a page is never made a whole one: the file would lose bytes that nobody named.
    for range in [1..page, 0..page - 1] {
        // SAFETY: as above.
        let error = unsafe { mapping.advise_unchecked(range, UncheckedAdvice::Remove) };
        assert_eq!(error.unwrap_err().reason(), Reason::Unaligned(page));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten has no advice but that of POSIX"
)]
fn the_ends_of_a_file_mapping_are_its_own_but_for_the_file() {
    if lacks::own_pages("the ends of a file mapping") {
        return;
    }
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&vec![7; 3 * page], 0).unwrap();
    let mapping = MapOptions::new()
        .offset(1)
        .len(2 * page)
        .map_private(&file, ReadWrite)
        .unwrap();
    let refused = |range: Range<usize>, advice| {
        // SAFETY: nothing is done.
        let result = unsafe { mapping.advise_unchecked(range, advice) };
        assert_eq!(result.unwrap_err().reason(), Reason::Unaligned(page));
    };
    // Inside of the mapping, parts of pages are refused.
    for range in [0..page, 1..2 * page, page - 1..2 * page - 2] {
        refused(range, UncheckedAdvice::DontNeed);
    }
    // The rest of the file's pages is not this mapping's to remove.
    for range in [0..2 * page, 0..page - 1, page - 1..2 * page] {
        refused(range, UncheckedAdvice::Remove);
    }
    if lacks::own_pages("DontNeed over a file") {
        return;
    }
    let sevens = vec![7; 2 * page];
    for range in [0..2 * page, 0..page - 1, page - 1..2 * page] {
        mapping.fill(.., 1).unwrap();
        // SAFETY: nothing refers to the bytes, and what is read again is what the file has.
        unsafe { mapping.advise_unchecked(range.clone(), UncheckedAdvice::DontNeed) }.unwrap();
        if is_discarding() {
            let bytes = mapping.to_vec().unwrap();
            assert_eq!(bytes[range.clone()], sevens[range.clone()]);
            assert!(bytes[..range.start].iter().all(|&byte| byte == 1));
            assert!(bytes[range.end..].iter().all(|&byte| byte == 1));
        }
    }
    let inside = page + 1;
    // SAFETY: nothing is done.
    unsafe { mapping.advise_unchecked(inside..inside, UncheckedAdvice::DontNeed) }.unwrap();
}

#[test]
fn children_find_what_they_were_told() {
    if has(UncheckedAdvice::WipeOnFork) {
        let mapping = advised(UncheckedAdvice::WipeOnFork).unwrap();
        let found = is_true_in_a_child(|| {
            let address = std::hint::black_box(mapping.as_ptr());
            // SAFETY: the page is mapped and can be read.
            unsafe { address.read_volatile() == 0 }
        });
        if found {
            assert_eq!(pages(&mapping), [7, 7], "the parent keeps it");
        } else {
            assert!(!is_discarding(), "a child finds zeros");
            skip("WipeOnFork", "madvise does nothing here");
        }
    }
    if has(UncheckedAdvice::DontFork) {
        let mapping = advised(UncheckedAdvice::DontFork).unwrap();
        if can_be_read(mapping.as_ptr()) {
            assert!(!is_discarding(), "a child has nothing there");
            skip("DontFork", "madvise does nothing here");
        }
        assert_eq!(pages(&mapping), [7, 7]);
    }
}

#[test]
fn guards_cannot_be_read_until_removed() {
    if !has(UncheckedAdvice::GuardInstall) || !has(UncheckedAdvice::GuardRemove) {
        return;
    }
    let page = page_size();
    let mapping = sevens(3 * page);
    // SAFETY: the page is not used before the guard is removed.
    let installed =
        unsafe { mapping.advise_unchecked(page..2 * page, UncheckedAdvice::GuardInstall) };
    installed.unwrap();
    let second = mapping.as_ptr().wrapping_add(page);
    if can_be_read(second) {
        assert!(!is_discarding());
        skip("GuardInstall", "madvise does nothing here");
        return;
    }
    assert!(can_be_read(mapping.as_ptr()));
    // SAFETY: it makes the page usable.
    unsafe { mapping.advise_unchecked(.., UncheckedAdvice::GuardRemove) }.unwrap();
    assert_eq!(pages(&mapping), [7, 0, 7]);
}

#[test]
fn to_break_memory_takes_a_privilege() {
    // Asked about, and never given: it would cost the machine its memory.
    for advice in [UncheckedAdvice::HwPoison, UncheckedAdvice::SoftOffline] {
        println!("{advice:?}: supported: {}", advice.is_supported());
    }
    // What other systems have is refused here.
    for advice in [
        UncheckedAdvice::FreeReusable,
        UncheckedAdvice::Zero,
        UncheckedAdvice::Purge,
    ] {
        assert!(!has(advice));
    }
    assert!(UncheckedAdvice::ALL.contains(&UncheckedAdvice::SoftOffline));
}

#[test]
fn half_a_page_is_no_page() {
    let page = page_size();
    // As large as a whole one, where pages are smaller.
    let half = page / 2;
    let mut mapping = sevens(3 * page);
    for range in [
        0..half,
        half..page,
        half..page + half,
        page..2 * page + half,
    ] {
        let error = mapping.discard(range.clone()).unwrap_err();
        assert_eq!(error.reason(), Reason::Unaligned(page), "{range:?}");
    }
    assert_eq!(pages(&mapping), [7; 3]);
}
