//! Advice and populating, compared with the kernel's flags.

use libc::{EAGAIN, EBADF, EINVAL, EPERM};
use tests::seccomp::{SYS_MADVISE, SYS_PROCESS_MADVISE};
use tests::{Flags, Reported, flags, lacks, refusing, refusing_argument, seccomp, skip};
use unix_memory::{
    Advice, Call, MapOptions, Mapping, NoAccess, Reason, Span, UncheckedAdvice, page_size,
};

/// Advises on new memory and returns the flags that the kernel keeps for it.
fn flags_after(advice: Advice) -> Reported<Flags> {
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
        (Advice::Sequential, Flags::SR),
        (Advice::Random, Flags::RR),
        (Advice::DontDump, Flags::DD),
        (Advice::HugePage, Flags::HG),
        (Advice::NoHugePage, Flags::NH),
        (Advice::Mergeable, Flags::MG),
    ] {
        if advice.is_supported() {
            assert!(flags_after(advice).contains(flag), "{advice:?}");
        } else {
            skip(&format!("{advice:?}"), "this kernel does not have it");
        }
    }
    assert!(flags_after(Advice::Normal).lacks(Flags::SR | Flags::RR));
}

#[test]
fn undone_advice_is_undone() {
    if lacks::advice("advice undone in the kernel's flags") {
        return;
    }
    for (advice, undo, flag) in [
        (Advice::Sequential, Advice::Normal, Flags::SR),
        (Advice::DontDump, Advice::DoDump, Flags::DD),
        (Advice::Mergeable, Advice::Unmergeable, Flags::MG),
        (Advice::HugePage, Advice::NoHugePage, Flags::HG),
    ] {
        if !advice.is_supported() {
            skip(&format!("{advice:?}"), "this kernel does not have it");
            continue;
        }
        let mapping = Mapping::anonymous(page_size()).unwrap();
        mapping.advise(advice).unwrap();
        mapping.advise(undo).unwrap();
        assert!(flags(mapping.as_ptr()).lacks(flag), "{undo:?}");
    }
}

#[test]
fn no_advice_changes_content() {
    for &advice in Advice::ALL {
        if !advice.is_supported() {
            continue;
        }
        // Room for a huge page, if there may be one.
        let huge = matches!(advice, Advice::HugePage | Advice::Collapse);
        let len = if huge { 1 << 22 } else { 4 * page_size() };
        let mut mapping = Mapping::anonymous(len).unwrap();
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
        .map(|i| flags(mapping.as_ptr().wrapping_add(i * page)))
        .map(|flags| flags.map(|flags| !flags.contains(Flags::DD)))
        .collect();
    assert_eq!(dumped, [true, false, false, true, true, true]);
    // An empty range is no page, wherever it is.
    mapping
        .advise_range(5 * page..5 * page, Advice::DontDump)
        .unwrap();
    assert!(flags(mapping.as_ptr().wrapping_add(5 * page)).lacks(Flags::DD));
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
        let Some(result) = refusing(SYS_MADVISE, mapping.as_ptr(), errno, advise) else {
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
fn an_advice_of_other_systems_is_refused() {
    let mapping = Mapping::anonymous(page_size()).unwrap();
    for advice in [
        Advice::NoSync,
        Advice::SpaceAvail,
        Advice::Protect,
        Advice::AccessThread,
        Advice::ZeroWiredPages,
        Advice::CanReuse,
    ] {
        assert!(!advice.is_supported());
        let error = mapping.advise(advice).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::Unsupported)
        );
        let error = advice.apply(&[mapping.span(..).unwrap()]).unwrap_err();
        assert_eq!(error.reason(), Reason::Unsupported);
    }
}

#[test]
fn what_children_get_can_be_undone() {
    if lacks::advice("what children get, in the kernel's flags") {
        return;
    }
    for (advice, undo, flag) in [
        (UncheckedAdvice::DontFork, Advice::DoFork, Flags::DC),
        (UncheckedAdvice::WipeOnFork, Advice::KeepOnFork, Flags::WF),
    ] {
        if !advice.is_supported() {
            skip(&format!("{advice:?}"), "this kernel does not have it");
            continue;
        }
        let mapping = Mapping::anonymous(page_size()).unwrap();
        // SAFETY: undone at once; a child that another test makes meanwhile uses nothing of it.
        unsafe { mapping.advise_unchecked(.., advice) }.unwrap();
        assert!(flags(mapping.as_ptr()).contains(flag), "{advice:?}");
        mapping.advise(undo).unwrap();
        assert!(flags(mapping.as_ptr()).lacks(flag), "{undo:?}");
    }
}

/// Mappings of two pages each, and the second page of each.
fn many(count: usize) -> Vec<Mapping<unix_memory::ReadWrite>> {
    (0..count)
        .map(|_| Mapping::anonymous(2 * page_size()).unwrap())
        .collect()
}

fn second_pages(mappings: &[Mapping<unix_memory::ReadWrite>]) -> Vec<Span<'_>> {
    let page = page_size();
    let spans = mappings.iter().map(|mapping| mapping.span(page..).unwrap());
    spans.collect()
}

/// Whether the first page, and the second, of `mapping` are left out of core dumps.
fn dont_dump(mapping: &Mapping<unix_memory::ReadWrite>) -> [Reported<bool>; 2] {
    let second = mapping.as_ptr().wrapping_add(page_size());
    [mapping.as_ptr(), second].map(|address| flags(address).map(|flags| flags.contains(Flags::DD)))
}

#[test]
fn many_ranges_are_advised_together() {
    if lacks::advice("advice on many ranges") {
        return;
    }
    // More than go into one call, and one that is empty.
    let mappings = many(130);
    let mut spans = second_pages(&mappings);
    spans[7] = mappings[7].span(3..3).unwrap();
    assert!(spans[7].is_empty());
    assert_eq!(spans[8].len(), page_size());
    Advice::DontDump.apply(&spans).unwrap();
    for i in [0, 6, 7, 8, 63, 64, 127, 128, 129] {
        assert_eq!(dont_dump(&mappings[i]), [false, i != 7], "{i}");
    }
    Advice::DoDump.apply(&spans).unwrap();
    assert_eq!(dont_dump(&mappings[129]), [false, false]);
    Advice::DoDump.apply(&[]).unwrap();
}

/// More bytes together than one call takes, and than there are addresses in 32 bits.
#[test]
fn ranges_may_be_of_any_length_together() {
    if lacks::advice("advice on long ranges") {
        return;
    }
    let page = page_size();
    let len = 1usize.checked_shl(40).unwrap_or(1 << 29);
    let Ok(long) = MapOptions::new()
        .len(len)
        .no_reserve(true)
        .map_anonymous(NoAccess)
    else {
        return skip("advice on long ranges", "there is no room for them");
    };
    let mappings = many(3);
    let short = |i: usize| mappings[i].span(page..).unwrap();
    let whole = long.span(..).unwrap();
    let half = long.span(len / 2..).unwrap();
    // Alone too long, long together, and short ones before, between and after.
    let mut spans = vec![short(0), whole, half, short(1)];
    spans.extend([whole; 130]);
    spans.push(short(2));
    let ends = [0, len / 2 - page, len / 2, len - page];
    let not_dumped = || {
        let flags = ends.map(|at| flags(long.as_ptr().wrapping_add(at)));
        flags.map(|flags| flags.map(|flags| flags.contains(Flags::DD)))
    };
    Advice::DontDump.apply(&spans).unwrap();
    assert_eq!(not_dumped(), [true; 4]);
    assert!(mappings.iter().all(|m| dont_dump(m) == [false, true]));
    Advice::DoDump.apply(&spans).unwrap();
    assert_eq!(not_dumped(), [false; 4]);
    assert!(mappings.iter().all(|m| dont_dump(m) == [false, false]));

    // Two that are one call's each, and would be cut off together.
    let gib = 1 << 30;
    if len / 4 > gib {
        let parts = [0, 2].map(|i| long.span(i * gib..i * gib + gib + gib / 2).unwrap());
        Advice::DontDump.apply(&parts).unwrap();
        let at = [0, gib + gib / 2 - page, 2 * gib, 3 * gib + gib / 2 - page];
        let flags = at.map(|at| flags(long.as_ptr().wrapping_add(at)));
        assert!(flags.iter().all(|flags| flags.contains(Flags::DD)));
    }
}

#[test]
fn where_the_call_is_forbidden_ranges_are_advised_one_by_one() {
    if lacks::advice("advice on many ranges, one by one") {
        return;
    }
    let mappings = many(3);
    // As kernels before 6.13 do, without the privilege; and as those before 6.14, to PIDFD_SELF.
    for errno in [EPERM, EBADF] {
        let apply = || Advice::DontDump.apply(&second_pages(&mappings));
        let value = u64::try_from(seccomp::MADV_DONTDUMP).unwrap();
        let Some(result) = refusing_argument(SYS_PROCESS_MADVISE, 3, value, errno, apply) else {
            return;
        };
        result.unwrap();
        assert!(mappings.iter().all(|m| dont_dump(m) == [false, true]));
        Advice::DoDump.apply(&second_pages(&mappings)).unwrap();
    }
}

#[test]
fn without_the_name_for_oneself_a_descriptor_does() {
    let mappings = many(3);
    // As before Linux 6.14.
    let this = u64::from((-10002_i32).cast_unsigned());
    let apply = || Advice::Cold.apply(&second_pages(&mappings));
    if let Some(result) = refusing_argument(SYS_PROCESS_MADVISE, 0, this, EBADF, apply) {
        result.unwrap();
    }
}

#[test]
fn the_span_that_is_refused_is_told() {
    let mappings = many(3);
    let second = mappings[1].as_ptr().addr() + page_size();
    let apply = || Advice::Cold.apply(&second_pages(&mappings));
    let together = || refusing_argument(SYS_MADVISE, 0, second as u64, EAGAIN, apply);
    // Both: the one call, and then the one for the second span.
    let value = u64::try_from(seccomp::MADV_COLD).unwrap();
    let result = refusing_argument(SYS_PROCESS_MADVISE, 3, value, EPERM, together);
    let Some(Some(result)) = result else { return };
    let error = result.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Madvise, EAGAIN));
    assert_eq!(error.span(), Some(1));
    let page = page_size();
    assert_eq!(
        error.to_string(),
        format!("madvise of {page} bytes at {page} (span 1): Resource temporarily unavailable")
    );
    let error = mappings[0].span(..=2 * page).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(2 * page));
    assert_eq!(error.span(), None);
}
