//! Bringing pages in: by reading and for writing, in steps, and what happens if it fails.

use std::os::unix::fs::FileExt;

use libc::{EFAULT, EINVAL, ENOMEM};
use tests::seccomp::SYS_MADVISE;
use tests::{Flags, Reported, flags, lacks, map_at, refusing, refusing_argument, seccomp};
use unix_memory::{Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, page_size};

#[test]
fn populate_brings_pages_in() {
    if lacks::advice("populate") || lacks::own_pages("populate") {
        return;
    }
    let len = 100 * page_size();
    let mapping = Mapping::anonymous(len).unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 0);
    mapping.populate().unwrap();
    // Each page, though only that of zeros, is in the page table: it can be read without a fault.
    let file = tempfile::tempfile().unwrap();
    file.set_len(len as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 0);
    mapping.populate().unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 100);
}

/// At least one item comes, if there are pages: an error ends the iteration early.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten does not report what is in memory"
)]
fn residency_knows_how_many_pages_are_left() {
    if lacks::own_pages("the number of pages that are left") {
        return;
    }
    let mapping = Mapping::anonymous(3 * page_size()).unwrap();
    let mut pages = mapping.residency();
    for left in [3, 2, 1] {
        assert_eq!(pages.size_hint(), (1, Some(left)));
        pages.next().unwrap().unwrap();
    }
    assert_eq!(pages.size_hint(), (0, Some(0)));
    assert!(pages.next().is_none());
}

#[test]
fn populate_says_when_the_file_is_gone() {
    if lacks::advice("populate past the end of a file") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page_size() as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    file.set_len(1).unwrap();
    let error = mapping.populate().unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Madvise, EFAULT));
}

#[test]
fn populate_does_not_touch_what_the_kernel_refuses() {
    // As for device memory, of a kernel that knows the advice.
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let populate = || mapping.populate();
    let Some(result) = refusing(SYS_MADVISE, mapping.as_ptr(), EINVAL, populate) else {
        return;
    };
    assert_eq!(result.unwrap_err().errno(), EINVAL);
}

#[test]
fn populate_does_without_the_advice() {
    if lacks::shared_files("populating without the advice") {
        return;
    }
    // As before Linux 5.14, whose kernels do not know the value.
    let len = 3 * page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(len as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let populate = || mapping.populate();
    let value = u64::try_from(seccomp::MADV_POPULATE_READ).unwrap();
    let Some(result) = refusing_argument(SYS_MADVISE, 2, value, EINVAL, populate) else {
        return;
    };
    result.unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 3);
}

#[test]
fn steps_tell_how_far_it_is() {
    let page = page_size();
    let mapping = Mapping::anonymous(5 * page - 1).unwrap();
    let done = |step| -> Vec<usize> {
        mapping
            .populate_in_steps(step)
            .map(Result::unwrap)
            .collect()
    };
    assert_eq!(done(2 * page), [2 * page, 4 * page, 5 * page - 1]);
    assert_eq!(done(3 * page - 1), [2 * page, 4 * page, 5 * page - 1]);
    assert_eq!(done(usize::MAX), [5 * page - 1]);
    assert_eq!(done(0).len(), 5, "at least a page at a time");
    let mut steps = mapping.populate_in_steps(page);
    let (least, most) = steps.size_hint();
    assert!(least <= 5 && most.unwrap() >= 5);
    assert_eq!(steps.by_ref().count(), 5);
    assert_eq!(steps.size_hint(), (0, Some(0)));
    assert_eq!(
        Mapping::anonymous(0).unwrap().populate_in_steps(1).count(),
        0
    );
}

#[test]
fn steps_go_to_the_end_of_pages_though_the_mapping_begins_inside_one() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * page as u64).unwrap();
    let mapping = MapOptions::new()
        .offset(100)
        .map_shared(&file, ReadOnly)
        .unwrap();
    let done: Vec<usize> = mapping
        .populate_in_steps(page)
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        done,
        [page - 100, 2 * page - 100, 3 * page - 100, 4 * page - 100]
    );
}

#[test]
fn the_step_that_failed_is_told() {
    if lacks::advice("a step that fails") {
        return;
    }
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(6 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    file.set_len(3 * page as u64).unwrap();
    if !kernel_tells() {
        tests::skip("a step that fails", "this kernel has no MADV_POPULATE_READ");
        return;
    }
    let mut steps = mapping.populate_in_steps(2 * page);
    assert_eq!(steps.next(), Some(Ok(2 * page)));
    let error = steps.next().unwrap().unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Madvise, EFAULT));
    assert_eq!(
        error.to_string(),
        format!(
            "madvise of {0} bytes at {0}: Bad address (after {page} bytes: byte {1} cannot be reached, \
             because the file was truncated, or its disk is full or failed)",
            2 * page,
            3 * page
        )
    );
    assert_eq!(steps.next(), None);
    mapping.populate_range(..3 * page).unwrap();
    assert_eq!(
        mapping.populate_range(5 * page..).unwrap_err().errno(),
        EFAULT
    );
}

/// Whether the kernel itself reports that a page cannot be brought in.
fn kernel_tells() -> bool {
    // SAFETY: no pages are advised on.
    unsafe { libc::madvise(page_size() as *mut _, 0, seccomp::MADV_POPULATE_READ) == 0 }
}

#[test]
fn a_range_beyond_the_end_is_refused() {
    let mut mapping = Mapping::anonymous(10).unwrap();
    for error in [
        mapping.populate_range(..11).unwrap_err(),
        mapping.populate_write_range(11..).unwrap_err(),
    ] {
        assert_eq!((error.call(), error.errno()), (Call::Madvise, EINVAL));
        assert_eq!(error.reason(), Reason::MappingLength(10));
    }
    mapping.populate_range(10..).unwrap();
    mapping.populate_write_range(10..).unwrap();
}

/// New memory with others' neither before nor behind it: the kernel reports adjacent memory together.
fn apart(len: usize) -> (Mapping<NoAccess>, Mapping<ReadWrite>, Mapping<NoAccess>) {
    let page = page_size();
    let options = MapOptions::new().len(len);
    let guarded = options.map_guarded(page, page, ReadWrite).unwrap();
    guarded.into_parts()
}

/// The bytes of `mapping`'s pages that are copies of its own.
fn own(address: *const u8) -> Reported<usize> {
    map_at(address).map(|map| map.expect("mapped").anonymous.expect("its size"))
}

#[test]
fn for_writing_private_pages_are_copied() {
    if lacks::advice("populate for writing") || lacks::own_pages("populate for writing") {
        return;
    }
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&vec![7; 4 * page], 0).unwrap();
    let mapping = MapOptions::new().map_private(&file, ReadWrite).unwrap();
    mapping.populate().unwrap();
    assert_eq!(own(mapping.as_ptr()), 0, "reading copies nothing");
    mapping.populate_write_range(page..=2 * page).unwrap();
    assert_eq!(own(mapping.as_ptr()), 2 * page);
    mapping.populate_write().unwrap();
    assert_eq!(own(mapping.as_ptr()), 4 * page);
    assert_eq!(
        mapping.to_vec().unwrap(),
        vec![7; 4 * page],
        "no content changes"
    );
    // Copies: what is written to the file is not seen any more.
    file.write_all_at(&[8], 0).unwrap();
    assert_eq!(mapping.to_vec().unwrap()[0], 7);
}

#[test]
fn for_writing_in_steps() {
    if lacks::advice("populate for writing, in steps") {
        return;
    }
    let page = page_size();
    let (_before, mut mapping, _behind) = apart(5 * page);
    mapping[page] = 9;
    let done = mapping
        .populate_write_in_steps(2 * page)
        .map(Result::unwrap);
    assert_eq!(done.collect::<Vec<_>>(), [2 * page, 4 * page, 5 * page]);
    assert_eq!(own(mapping.as_ptr()), 5 * page);
    assert_eq!(mapping.iter().filter(|&&byte| byte != 0).count(), 1);
    assert!(flags(mapping.as_ptr()).lacks(Flags::LO));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn for_writing_does_without_the_advice() {
    let page = page_size();
    let (_before, mut mapping, _behind) = apart(3 * page);
    mapping[page + 1] = 9;
    let address = mapping.as_ptr();
    let value = u64::try_from(seccomp::MADV_POPULATE_WRITE).unwrap();
    let populate = || mapping.populate_write();
    let Some(result) = refusing_argument(SYS_MADVISE, 2, value, EINVAL, populate) else {
        return;
    };
    result.unwrap();
    assert_eq!(own(address), 3 * page);
    assert_eq!(mapping[page + 1], 9);
}

#[test]
fn no_memory_is_told() {
    let mut mapping = Mapping::anonymous(page_size()).unwrap();
    let address = mapping.as_ptr();
    let populate = || mapping.populate_write();
    if let Some(result) = refusing(SYS_MADVISE, address, ENOMEM, populate) {
        let error = result.unwrap_err();
        let reason = Reason::Stopped { done: 0, at: 0 };
        assert_eq!((error.errno(), error.reason()), (ENOMEM, reason));
    }
}

#[test]
fn steps_from_the_middle_of_a_page_go_to_its_end() {
    let page = page_size();
    let at = page / 2 + 100;
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * page as u64).unwrap();
    let options = MapOptions::new().offset(at as u64);
    let mapping = options.map_shared(&file, ReadOnly).unwrap();
    let done: Vec<usize> = mapping
        .populate_in_steps(page)
        .map(Result::unwrap)
        .collect();
    assert_eq!(done, [1, 2, 3, 4].map(|n| n * page - at));
}

/// Huge pages that do not exist, since the kernel lets them be mapped without reserving any: bringing
/// them in is an error, with the advice and without.
// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn huge_pages_that_are_not_there() {
    use tests::{in_a_child, skip};
    use unix_memory::HugePageSize;

    let ended = in_a_child(|| {
        let Some(size) = HugePageSize::available().find(|size| free(*size) == Some(0)) else {
            return skip(
                "huge pages that are not there",
                "some are free of every size",
            );
        };
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_HUGETLB,
        );
        let (len, log2) = (size.bytes(), size.bytes().ilog2().cast_signed());
        let flags = flags | log2 << libc::MAP_HUGE_SHIFT;
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            let error = std::io::Error::last_os_error();
            return skip("huge pages that are not there", &error.to_string());
        }
        let bytes = std::ptr::slice_from_raw_parts_mut(address.cast(), len);
        let bytes = std::ptr::NonNull::new(bytes).unwrap();
        // SAFETY: it was mapped just now, and nobody else has it; nothing is accessed but by calls that
        // say when a page is not there.
        let mut mapping =
            unsafe { Mapping::<ReadWrite>::from_raw(bytes, unix_memory::Backing::Other) };
        // Either error: some kernels have no such advice.
        assert!(mapping.populate().is_err());
        assert!(mapping.populate_write().is_err());
        for advice in [seccomp::MADV_POPULATE_READ, seccomp::MADV_POPULATE_WRITE] {
            let advice = u64::from(advice.unsigned_abs());
            if seccomp::refuse(SYS_MADVISE, Some((2, advice)), EINVAL).is_err() {
                return skip("huge pages without the advice", "no seccomp filters");
            }
        }
        assert_eq!(mapping.populate().unwrap_err().errno(), EFAULT);
        assert_eq!(mapping.populate_write().unwrap_err().errno(), EFAULT);
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// How many of the pool's pages are free.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn free(size: unix_memory::HugePageSize) -> Option<u64> {
    let kib = size.bytes() >> 10;
    let directory = format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB");
    let read = |name| std::fs::read_to_string(format!("{directory}/{name}")).ok();
    // Nor may there be more of them on demand.
    if read("nr_overcommit_hugepages")?.trim() != "0" {
        return None;
    }
    read("free_hugepages")?.trim().parse().ok()
}
