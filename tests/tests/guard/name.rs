//! Names of memory, compared with /proc/self/maps if the kernel shows them.

use std::ffi::{CStr, CString};
use std::fs::File;

use libc::{EBADF, EINVAL, ENOSYS};
use tests::kernel::name_at;
use tests::seccomp::{PR_SET_VMA, SYS_PRCTL};
use tests::{in_a_child, lacks, permissions, refusing};
use unix_memory::{
    Call, Error, MapOptions, Mapping, NoAccess, Protection, ReadOnly, ReadWrite, Reason, page_size,
};

/// Options with a name can be a constant.
const NAMED: MapOptions = MapOptions::new().name(c"constant");

/// What a page without a name has in place of one; no name has such a letter.
const NONE: &str = "[none]";

/// The names of `pages` pages from `start` on.
fn names(start: *const u8, pages: usize) -> Vec<String> {
    let name = |i| name_at(start.wrapping_add(i * page_size())).get().flatten();
    let name = |i| name(i).unwrap_or_else(|| NONE.to_owned());
    (0..pages).map(name).collect()
}

/// The error of a system that has no names.
fn assert_unsupported(error: Error) {
    assert_eq!((error.call(), error.errno()), (Call::SetName, ENOSYS));
    assert_eq!(error.reason(), Reason::Unsupported, "{error}");
}

#[test]
fn where_there_are_no_names_that_is_said() {
    let mapping = Mapping::anonymous(1).unwrap();
    // A kernel before names, or built without.
    let bare = || mapping.set_name(Some(c"name"));
    let refused = refusing(SYS_PRCTL, first(PR_SET_VMA), EINVAL, || {
        assert_unsupported(mapping.set_name(None).unwrap_err());
        assert!(NAMED.len(1).map_anonymous(ReadWrite).is_ok(), "a hint");
        bare()
    });
    if let Some(result) = refused {
        assert_unsupported(result.unwrap_err());
    }
    if lacks::names_of_memory("a name") {
        assert_unsupported(bare().unwrap_err());
    } else {
        bare().unwrap();
    }
}

/// The address that is the number `value`, for a filter of the first argument.
fn first(value: libc::c_int) -> *const u8 {
    std::ptr::without_provenance(usize::try_from(value).expect("no negative number"))
}

#[test]
fn a_kernel_that_keeps_pointers_is_given_lasting_names_alone() {
    let mapping = Mapping::anonymous(1).unwrap();
    // It takes any name for no pages, as those of Android before Linux 5.17.
    let result = refusing(SYS_PRCTL, first(PR_SET_VMA), 0, || {
        mapping.set_name(None).unwrap();
        drop(NAMED.len(1).map_anonymous(ReadWrite).unwrap());
        mapping.set_name(Some(c"short-lived"))
    });
    if let Some(result) = result {
        assert_unsupported(result.unwrap_err());
    }
}

#[test]
fn names_that_no_kernel_takes_are_refused_everywhere() {
    let mapping = NAMED.len(1).map_anonymous(ReadWrite).unwrap();
    let before = names(mapping.as_ptr(), 1);
    let long = CString::new([b'n'; 80]).unwrap();
    for bad in [
        c"a]", c"[a", c"$a", c"`", c"a\\b", c"a\n", c"\x7f", c"\xff", &long,
    ] {
        let refused = |error: Error| {
            assert_eq!((error.call(), error.errno()), (Call::SetName, EINVAL));
            assert_eq!(error.reason(), Reason::MemoryName);
        };
        refused(mapping.set_name(Some(bad)).unwrap_err());
        refused(mapping.set_name_range(..0, Some(bad)).unwrap_err());
    }
    assert_eq!(
        mapping.set_name(Some(c"a]")).unwrap_err().to_string(),
        "prctl(PR_SET_VMA) of \"a]\": Invalid argument (a name has at most 79 bytes, all of them \
         printable ASCII and none of \\ ` $ [ ])"
    );
    assert_eq!(names(mapping.as_ptr(), 1), before);
    // By the options too, also where there is nothing to name, and nothing stays mapped.
    let options = MapOptions::new().name(c"$HOME");
    for len in [0, 1] {
        let error = options.len(len).map_anonymous(ReadOnly).unwrap_err();
        assert_eq!(error.reason(), Reason::MemoryName);
        if Protection::is_enforced() {
            let error = options.len(len).map_guarded(page_size(), 0, ReadOnly);
            assert_eq!(error.unwrap_err().reason(), Reason::MemoryName);
        }
    }
}

#[test]
fn ranges_outside_are_refused() {
    let mapping = Mapping::anonymous(100).unwrap();
    for (range, name) in [
        (0..101, Some(c"a")),
        (101..101, None),
        (usize::MAX..usize::MAX, None),
    ] {
        let error = mapping.set_name_range(range, name).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::SetName, EINVAL));
        assert_eq!(error.reason(), Reason::MappingLength(100));
    }
    // What has no pages is named without a call.
    let empty = NAMED.len(0).map_anonymous(ReadWrite).unwrap();
    empty.set_name(Some(c"nothing")).unwrap();
    mapping.set_name_range(100.., Some(c"nothing")).unwrap();
}

#[test]
fn names_are_shown() {
    if lacks::names_of_memory("the names of mappings") {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(3 * page).unwrap();
    mapping.fill(7);
    let start = mapping.as_ptr();
    mapping.set_name(Some(c"whole")).unwrap();
    assert_eq!(names(start, 3), ["whole", "whole", "whole"]);
    // One byte of the page is enough.
    mapping
        .set_name_range(page + 1..page + 2, Some(c"part"))
        .unwrap();
    assert_eq!(names(start, 3), ["whole", "part", "whole"]);
    mapping.set_name_range(..=page, None).unwrap();
    assert_eq!(names(start, 3), [NONE, NONE, "whole"]);
    mapping.set_name(Some(c"")).unwrap();
    assert_eq!(names(start, 3), ["", "", ""]);
    mapping.set_name(None).unwrap();
    assert_eq!(names(start, 3), [NONE, NONE, NONE]);
    assert!(mapping.iter().all(|&byte| byte == 7));

    // A name of the heap's is copied.
    let name = CString::new("n".repeat(79)).unwrap();
    mapping.set_name(Some(&name)).unwrap();
    drop(name);
    assert_eq!(names(start, 1), ["n".repeat(79)]);
    // Every byte that there can be.
    let all = (b' '..=b'~').filter(|byte| !b"\\`$[]".contains(byte));
    let all = all.collect::<Vec<_>>();
    for part in all.chunks(79) {
        let name = CString::new(part).unwrap();
        mapping.set_name(Some(&name)).unwrap();
        assert_eq!(names(start, 1), [name.to_str().unwrap()]);
    }
    // Whatever its protection.
    let closed = mapping.protect(NoAccess).map_err(Error::from);
    if let Ok(closed) = closed {
        closed.set_name(Some(c"closed")).unwrap();
        assert_eq!(names(start, 1), ["closed"]);
    }
}

#[test]
fn options_give_names() {
    if lacks::names_of_memory("names by options") {
        return;
    }
    let page = page_size();
    let mapping = NAMED.len(2 * page).map_anonymous(ReadWrite).unwrap();
    assert_eq!(names(mapping.as_ptr(), 2), ["constant", "constant"]);
    // What is between guard pages, and not these.
    let guarded = NAMED.len(page).map_guarded(page, page, ReadWrite).unwrap();
    let start = guarded.as_ptr().wrapping_sub(page);
    assert_eq!(names(start, 3), [NONE, "constant", NONE]);
    let options = NAMED.len(1).populate(true).lock(true);
    match options.map_anonymous(ReadOnly) {
        Ok(mapping) => assert_eq!(names(mapping.as_ptr(), 1), ["constant"]),
        Err(error) => assert_eq!(error.call(), Call::Mlock),
    }
    // In a child too.
    let status = in_a_child(|| assert_eq!(names(mapping.as_ptr(), 1), ["constant"]));
    assert!(status.success());
}

#[test]
fn memory_that_children_share_has_names_too_or_none() {
    if lacks::names_of_memory("the name of shared memory") {
        return;
    }
    let mapping = NAMED.len(1).map_anonymous_shared(ReadWrite).unwrap();
    match mapping.set_name(Some(c"shared")) {
        Ok(()) => assert_eq!(names(mapping.as_ptr(), 1), ["shared"]),
        // Before Linux 6.2.
        Err(error) => assert_eq!(
            (error.errno(), error.reason()),
            (EBADF, Reason::NamedByFile)
        ),
    }
}

#[test]
fn files_have_names_of_their_own() {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let named = |name: Option<&CStr>| {
        // A hint, which has no effect.
        let mapping = NAMED.len(1).map_private(&file, ReadOnly).unwrap();
        let error = mapping.set_name(name).unwrap_err();
        assert_eq!(error.call(), Call::SetName);
        error
    };
    for name in [Some(c"name"), None] {
        let error = named(name);
        if lacks::names_of_memory("the name of a file") {
            assert_unsupported(error);
        } else {
            assert_eq!(
                (error.errno(), error.reason()),
                (EBADF, Reason::NamedByFile)
            );
        }
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten unmaps nothing but whole mappings"
)]
fn named_memory_is_split_joined_and_resized() {
    let page = page_size();
    // Where there are no names, all of it goes as it does without.
    let shows = !lacks::names_of_memory("the names of parts");
    let check = |start, expected: &[&str]| {
        assert!(!shows || names(start, expected.len()) == expected);
    };
    let mut mapping = NAMED.len(4 * page).map_anonymous(ReadWrite).unwrap();
    for (i, byte) in mapping.iter_mut().enumerate() {
        *byte = u8::try_from(i / page + 1).unwrap();
    }
    let ours = "constant";
    let (left, right) = mapping.split_at(2 * page).unwrap();
    assert_eq!(right.set_name(Some(c"right")).is_ok(), shows);
    check(left.as_ptr(), &[ours, ours, "right", "right"]);
    let mut mapping = left.join(right).unwrap();
    // Several mappings for the kernel, which it does not make longer.
    mapping.resize(6 * page).unwrap();
    mapping[4 * page..].fill(9);
    let bytes = [1, 2, 3, 4, 9, 9];
    assert!((0..6).all(|i| {
        mapping[i * page..][..page]
            .iter()
            .all(|&byte| byte == bytes[i])
    }));
    let mapping = mapping.protect(ReadOnly).map_err(Error::from);
    let Ok(mapping) = mapping else { return };
    // It was several: what came is without a name, or all is, where it had to be copied.
    if shows {
        assert_eq!(names(mapping.as_ptr(), 6)[4..], [NONE, NONE]);
    }
    mapping.unmap().unwrap();

    // One for the kernel: all of what it grows to has its name.
    let mut mapping = NAMED.len(page).map_anonymous(ReadWrite).unwrap();
    mapping.fill(1);
    for pages in [3, 64, 2] {
        mapping.resize(pages * page).unwrap();
        assert!(mapping[..page].iter().all(|&byte| byte == 1));
        check(mapping.as_ptr(), &vec![ours; pages]);
    }
    assert!(permissions(mapping.as_ptr()).contains(tests::Permissions::WRITE));
    // Of nothing comes what has no name.
    mapping.resize(0).unwrap();
    mapping.resize(1).unwrap();
    check(mapping.as_ptr(), &[NONE]);
}
