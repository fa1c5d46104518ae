//! Advice and populating, held against the kernel's flags.

use libc::{EAGAIN, EFAULT, EINVAL, SYS_madvise};
use procfs::process::VmFlags;
use tests::{flags, lacks, refusing, refusing_argument, skip};
use unix_memory::{Advice, Call, MapOptions, Mapping, ReadOnly, ReadWrite, Reason, page_size};

/// Advises on new memory and says which flags the kernel keeps for it.
fn flags_after(advice: Advice) -> VmFlags {
    let mut mapping = Mapping::anonymous(4 * page_size()).unwrap();
    mapping.fill(1);
    mapping.advise(advice).unwrap();
    assert!(
        mapping.iter().all(|&byte| byte == 1),
        "{advice:?} changed content"
    );
    flags(mapping.as_ptr())
}

#[test]
fn the_kernel_keeps_what_it_was_told() {
    if lacks::advice("advice in the kernel's flags") {
        return;
    }
    for (advice, flag) in [
        (Advice::Sequential, VmFlags::SR),
        (Advice::Random, VmFlags::RR),
        (Advice::DontDump, VmFlags::DD),
        (Advice::HugePage, VmFlags::HG),
        (Advice::NoHugePage, VmFlags::NH),
        (Advice::Mergeable, VmFlags::MG),
    ] {
        if advice.is_supported() {
            assert!(flags_after(advice).contains(flag), "{advice:?}");
        } else {
            skip(&format!("{advice:?}"), "this kernel does not have it");
        }
    }
    assert!(!flags_after(Advice::Normal).intersects(VmFlags::SR | VmFlags::RR));
}

#[test]
fn undone_advice_is_undone() {
    if lacks::advice("advice undone in the kernel's flags") {
        return;
    }
    for (advice, undo, flag) in [
        (Advice::Sequential, Advice::Normal, VmFlags::SR),
        (Advice::DontDump, Advice::DoDump, VmFlags::DD),
        (Advice::Mergeable, Advice::Unmergeable, VmFlags::MG),
        (Advice::HugePage, Advice::NoHugePage, VmFlags::HG),
    ] {
        if !advice.is_supported() {
            skip(&format!("{advice:?}"), "this kernel does not have it");
            continue;
        }
        let mapping = Mapping::anonymous(page_size()).unwrap();
        mapping.advise(advice).unwrap();
        mapping.advise(undo).unwrap();
        assert!(!flags(mapping.as_ptr()).contains(flag), "{undo:?}");
    }
}

#[test]
fn no_advice_changes_content() {
    for &advice in Advice::ALL {
        let mut mapping = Mapping::anonymous(1 << 22).unwrap();
        mapping.fill(0xa5);
        match mapping.advise(advice) {
            Ok(()) => {}
            // `Collapse` may be short of huge pages; `Cold` and `PageOut` need a kernel with them.
            Err(error) => println!("{advice:?}: {error}"),
        }
        assert!(mapping.iter().all(|&byte| byte == 0xa5), "{advice:?}");
    }
}

#[test]
fn a_range_is_rounded_outward() {
    if lacks::advice("the pages that advice is about") {
        return;
    }
    let page = page_size();
    let mapping = Mapping::anonymous(6 * page).unwrap();
    mapping
        .advise_range(page + 1..=2 * page, Advice::DontDump)
        .unwrap();
    let dumped: Vec<_> = (0..6)
        .map(|i| !flags(mapping.as_ptr().wrapping_add(i * page)).contains(VmFlags::DD))
        .collect();
    assert_eq!(dumped, [true, false, false, true, true, true]);
    // An empty range is no page, wherever it is.
    mapping
        .advise_range(5 * page..5 * page, Advice::DontDump)
        .unwrap();
    assert!(!flags(mapping.as_ptr().wrapping_add(5 * page)).contains(VmFlags::DD));
}

#[test]
fn a_range_beyond_the_end_is_refused() {
    let len = page_size() + 100;
    let mapping = Mapping::anonymous(len).unwrap();
    let refused = |result: unix_memory::Result<()>| {
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Madvise, EINVAL));
        assert_eq!(error.reason(), Reason::MappingLength(len));
    };
    // Inside the last page, but not in the mapping.
    refused(mapping.advise_range(..=len, Advice::WillNeed));
    refused(mapping.advise_range(len + 1.., Advice::WillNeed));
    // A length that fits, from a start that leaves less.
    refused(mapping.advise_range(100..len + 100, Advice::WillNeed));
    refused(mapping.advise_range(..usize::MAX, Advice::WillNeed));
    mapping.advise_range(len.., Advice::WillNeed).unwrap();
}

#[test]
fn refusals_of_the_kernel_are_told() {
    let mapping = Mapping::anonymous(page_size()).unwrap();
    let advise = || mapping.advise(Advice::WillNeed);
    for errno in [EAGAIN, EINVAL] {
        let Some(result) = refusing(SYS_madvise, mapping.as_ptr(), errno, advise) else {
            return;
        };
        let error = result.unwrap_err();
        assert_eq!((error.errno(), error.reason()), (errno, Reason::Kernel));
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("madvise of {} bytes at 0: ", page_size())),
            "{text}"
        );
    }
}

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
    let Some(result) = refusing(SYS_madvise, mapping.as_ptr(), EINVAL, populate) else {
        return;
    };
    assert_eq!(result.unwrap_err().errno(), EINVAL);
}

#[test]
fn populate_does_without_the_advice() {
    // As before Linux 5.14, where the kernel does not know the value.
    let len = 3 * page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(len as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    let populate = || mapping.populate();
    let value = u64::try_from(libc::MADV_POPULATE_READ).unwrap();
    let Some(result) = refusing_argument(SYS_madvise, 2, value, EINVAL, populate) else {
        return;
    };
    result.unwrap();
    assert_eq!(mapping.residency().resident().unwrap(), 3);
}
