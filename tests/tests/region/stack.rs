//! Nothing is placed where the stack of the main thread grows.
// Only Linux maps memory where a stack grows.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::ops::Range;
use std::ptr::{self, NonNull};

use libc::{EACCES, ENOMEM};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{in_a_child, kernel, lacks, limit_address_space, map_at, skip};
use unix_memory::{
    Backing, Call, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, Reason, SharedMemory,
    page_size,
};

/// The addresses of the stack, as the kernel has it now.
fn stack() -> Option<Range<usize>> {
    if std::env::var_os("UNIX_MEMORY_RUNNER").is_some() && std::env::consts::ARCH != "x86_64" {
        skip(
            "the stack of the main thread",
            "an emulator may have it elsewhere",
        );
        return None;
    }
    kernel::stack()
}

const LEN: usize = 1 << 20;

#[track_caller]
fn assert_refused(options: &MapOptions) {
    let error = (*options).len(LEN).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::Mmap, ENOMEM, Reason::Stack)
    );
    let error = (*options).len(LEN).map_anonymous(NoAccess).unwrap_err();
    assert_eq!(error.reason(), Reason::Stack, "it may be accessed later");
    let memory = SharedMemory::unnamed(LEN as u64).unwrap();
    let error = options.clone().map_shared(&memory, ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::Stack);
}

#[test]
fn not_below_the_stack() {
    let Some(stack) = stack() else { return };
    let page = page_size();
    for below in [0, page, 255 * page, 256 * page, 1 << 20, 4 << 20] {
        assert_refused(&MapOptions::new().at(stack.start - below - LEN));
    }
    // Not even a part of it.
    assert_refused(&MapOptions::new().at(stack.start - page));
}

/// A file that would have to grow into the stack's addresses grows elsewhere.
#[test]
fn a_file_moves_away_from_the_stack() {
    let Some(stack) = stack() else { return };
    let page = page_size();
    // The last page that may be mapped, or nearly.
    let below = (stack.end - (64 << 20)..stack.start).step_by(page).rev();
    let file = tempfile::tempfile().unwrap();
    file.set_len(page as u64).unwrap();
    let mut places = below.filter_map(|address| {
        let options = MapOptions::new().at(address);
        options.map_file(file.try_clone().unwrap(), ReadWrite).ok()
    });
    let mut mapped = places.next().expect("room below the stack");
    mapped.write_at(0, b"kept").unwrap();
    mapped.grow(LEN).unwrap();
    assert!(mapped.eq_at(0, b"kept").unwrap());
    mapped.write_at(LEN - 1, b"x").unwrap();
    assert!(!stack.contains(&(mapped.as_ptr().addr() + LEN - 1)));
}

#[test]
fn not_within_reach_of_the_stack() {
    let Some(stack) = stack() else { return };
    let below = stack.start - (4 << 20)..stack.start;
    let options = MapOptions::new().len(LEN).within(below);
    let error = options.map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::NoRoom);
    // Where the range goes on below, there is room.
    let start = stack.end - (400 << 20);
    let options = MapOptions::new().len(LEN).within(start..stack.start);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    assert!(mapping.as_ptr().addr() + LEN <= stack.end - (8 << 20));
}

#[test]
fn a_hint_is_none_there() {
    let Some(stack) = stack() else { return };
    for alignment in [0, 1 << 20] {
        for below in [LEN, 2 << 20, 4 << 20] {
            let options = MapOptions::new().len(LEN).hint(stack.start - below);
            let mapping = options.alignment(alignment).map_anonymous(ReadWrite);
            let end = mapping.unwrap().as_ptr().addr() + LEN;
            assert!(end <= stack.end - (8 << 20), "{end:#x}");
            // Nor does anything stay where the kernel followed the hint.
            let hint = ptr::without_provenance(stack.start - below);
            let there = map_at(hint).get().flatten();
            assert!(there.is_none(), "{below:#x} below the stack");
        }
    }
}

/// Room that the kernel chose is away from the stack, whatever the limit says.
#[test]
fn an_alignment_is_kept_whatever_the_limit() {
    let status = in_a_child(|| {
        let old = getrlimit(Resource::Stack);
        let none = Rlimit {
            current: None,
            ..old
        };
        if setrlimit(Resource::Stack, none).is_err() {
            return skip("a stack without a limit", "its limit cannot be removed");
        }
        let options = MapOptions::new().len(1).alignment(2 << 20);
        let mapping = options.map_anonymous(ReadWrite).unwrap();
        assert_eq!(mapping.as_ptr().addr() % (2 << 20), 0);
    });
    assert!(status.success());
}

/// As deep as a stack may grow by its limit, and no deeper.
#[test]
fn up_to_the_limit() {
    let Some(stack) = stack() else { return };
    let status = in_a_child(|| {
        let limit = |bytes: Option<u64>| {
            let old = getrlimit(Resource::Stack);
            setrlimit(
                Resource::Stack,
                Rlimit {
                    current: bytes,
                    ..old
                },
            )
            .is_ok()
        };
        let reach = |bytes: usize| stack.end - bytes - LEN;
        assert!(limit(Some(8 << 20)));
        let options = |bytes| MapOptions::new().len(LEN).at(reach(bytes));
        assert_refused(&options(7 << 20));
        drop(options(200 << 20).map_anonymous(ReadWrite).unwrap());
        if usize::BITS < 64 {
            return;
        }
        if !limit(Some(512 << 20)) {
            return skip("a larger stack", "its limit cannot be raised");
        }
        assert_refused(&options(500 << 20));
        drop(options(600 << 20).map_anonymous(ReadWrite).unwrap());
        if limit(None) {
            assert_refused(&options(1000 << 20));
        } else {
            skip("a stack without a limit", "its limit cannot be removed");
        }
    });
    assert!(status.success());
}

/// A mapping just below what is kept for the stack, and with nothing behind it.
fn edge(stack: &Range<usize>) -> Option<Mapping<ReadWrite>> {
    let start = stack.end - (400 << 20);
    let options = MapOptions::new().len(LEN).within(start..stack.start);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    let free = stack.end - (8 << 20) - 256 * page_size() - mapping.as_ptr().addr();
    // Else another test of this process has the place.
    (free < 2 * LEN + (2 << 20)).then_some(mapping)
}

#[test]
fn nothing_grows_into_it() {
    let Some(stack) = stack() else { return };
    let status = in_a_child(|| {
        let Some(mut mapping) = edge(&stack) else {
            return skip("growth below the stack", "another mapping is there");
        };
        mapping.fill(7);
        let address = mapping.as_ptr();
        let error = mapping.resize_in_place(64 * LEN).unwrap_err();
        assert_eq!((error.errno(), error.reason()), (ENOMEM, Reason::Stack));
        assert_eq!((mapping.len(), mapping.as_ptr()), (LEN, address));
        mapping.resize(64 * LEN).unwrap();
        assert!(mapping.as_ptr().addr() + 64 * LEN <= stack.end - (8 << 20));
        assert!(mapping[..LEN].iter().all(|&byte| byte == 7));
        drop(mapping);
        let memory = SharedMemory::unnamed(64 * LEN as u64).unwrap();
        let options = MapOptions::new().len(LEN).at(address.addr());
        let mut shared = options.map_shared(&memory, ReadWrite).unwrap();
        let error = shared.resize_in_place(64 * LEN).unwrap_err();
        assert_eq!((error.errno(), error.reason()), (ENOMEM, Reason::Stack));
        assert_eq!(shared.as_ptr().addr(), address.addr());
        shared.write_at(0, b"kept").unwrap();
        shared.resize(64 * LEN).unwrap();
        assert!(shared.as_ptr().addr() + 64 * LEN <= stack.end - (8 << 20));
        assert!(shared.eq_at(0, b"kept").unwrap());
        // Nothing of it is left behind.
        drop(options.map_shared(&memory, ReadWrite).unwrap());
        for free in [address, address.wrapping_add(LEN)] {
            assert!(kernel::map_at(free).get().is_none_or(|map| map.is_none()));
        }
    });
    assert!(status.success());
}

/// Where other mappings lie between a mapping and the stack, the kernel moves it by itself.
#[test]
#[cfg(target_pointer_width = "64")]
fn what_grows_past_the_stack_moves() {
    let Some(stack) = stack() else { return };
    let memory = SharedMemory::unnamed(page_size() as u64).unwrap();
    let shared = MapOptions::new().map_shared(&memory, ReadWrite).unwrap();
    shared.write_at(0, b"kept").unwrap();
    let Some(distance) = stack.end.checked_sub(shared.as_ptr().addr()) else {
        return skip("growth past the stack", "the mapping is above it");
    };
    // (It needs so many addresses elsewhere.)
    if distance > stack.end / 3 {
        return skip("growth past the stack", "it is far away");
    }
    for len in [distance - (4 << 20), distance + page_size()] {
        let mut other = MapOptions::new().map_shared(&memory, ReadWrite).unwrap();
        other.resize(len).unwrap();
        assert!(other.eq_at(0, b"kept").unwrap());
    }
}

/// The kernel keeps a growing stack away from what can be accessed, not from what cannot: that must
/// not be accessible from then on.
#[test]
fn what_the_stack_has_grown_up_to_stays_inaccessible() {
    if stack().is_none() {
        return;
    }
    let status = in_a_child(|| {
        let len = LEN + 256 * page_size();
        let start = stack().unwrap().start - len;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let address = ptr::without_provenance_mut(start);
        // SAFETY: it replaces nothing.
        let address = unsafe { libc::mmap(address, len, libc::PROT_NONE, flags, -1, 0) };
        if address.addr() != start {
            return skip("pages below the stack", "they cannot be mapped");
        }
        let bytes = NonNull::new(address.cast::<u8>()).unwrap();
        let bytes = NonNull::slice_from_raw_parts(bytes, len);
        // SAFETY: they were mapped just now, private, anonymous, and cannot be accessed.
        let mapping: Mapping<NoAccess> =
            unsafe { Mapping::from_raw(bytes, Backing::PrivateAnonymous) };
        let failed = mapping.protect(ReadWrite).unwrap_err();
        let error = failed.error();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        assert_eq!(error.reason(), Reason::Stack);
        let failed = failed.into_mapping().protect(ReadOnly).unwrap_err();
        assert_eq!(failed.error().reason(), Reason::Stack);
        // The part that is further away than the stack's gap.
        let far = len - 256 * page_size();
        let (low, high) = failed.into_mapping().split_at(far).unwrap();
        // (What is mapped up to the stack would be taken for it.)
        high.unmap().unwrap();
        drop(low.protect(ReadWrite).unwrap());
    });
    assert!(status.success());
}

/// A limit that keeps a mapping from moving away from the stack is named.
#[test]
fn a_limit_is_named_beside_the_stack() {
    let Some(stack) = stack() else { return };
    if lacks::own_process("a limit beside the stack") {
        return;
    }
    let status = in_a_child(|| {
        let memory = SharedMemory::unnamed(64 * LEN as u64).unwrap();
        let below = (stack.end - (64 << 20)..stack.start).step_by(page_size());
        let mut places = below.rev().filter_map(|address| {
            let options = MapOptions::new().len(LEN).at(address);
            options.map_shared(&memory, ReadWrite).ok()
        });
        let mut mapping = places.next().expect("room below the stack");
        mapping.write_at(0, b"kept").unwrap();
        let Some(size) = kernel::virtual_size().get() else {
            return;
        };
        if let Err(error) = limit_address_space(size as u64) {
            return skip("a limit beside the stack", &error.to_string());
        }
        let error = mapping.resize(64 * LEN).unwrap_err();
        assert_eq!(error.errno(), ENOMEM);
        assert!(
            matches!(error.reason(), Reason::AddressSpaceLimit(_)),
            "{error}"
        );
        assert_eq!(mapping.len(), LEN);
        assert!(mapping.eq_at(0, b"kept").unwrap());
    });
    assert!(status.success());
}
