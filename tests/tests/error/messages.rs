//! What errors say: which call, on what, the limit that was reached, and what to do.

// The limits, and what is asked about them, are Linux's.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::File;
use std::io::{self, ErrorKind};

use tests::copies::stopped;
use tests::{
    in_a_child, lacks, limit_address_space, limit_data, limit_locked_memory, limit_open_files,
    mappings_up_to_the_limit, reachable_mapping_limit, skip,
};
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::*;

/// A file of three pages and a hundred bytes.
fn file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(len_of_file() as u64).unwrap();
    file
}

fn len_of_file() -> usize {
    3 * page_size() + 100
}

fn text<T>(result: std::result::Result<T, impl Into<Error>>) -> String {
    match result {
        Ok(_) => panic!("it went well"),
        Err(error) => error.into().to_string(),
    }
}

#[test]
fn what_is_not_at_a_multiple_is_named() {
    let page = page_size();
    let options = MapOptions::new().len(1);
    assert_eq!(
        text(options.at(1).map_anonymous(ReadWrite)),
        format!(
            "mmap of 1 byte at 0x1: Invalid argument (the address 0x1 is not a multiple of {page})"
        )
    );
    let aligned = options.alignment(2 * page);
    let (at, unit) = (17 * page, 2 * page);
    assert_eq!(
        text(aligned.at(at).map_anonymous(ReadWrite)),
        format!(
            "mmap of 1 byte at {at:#x}: Invalid argument (the address {at:#x} is not a multiple of \
             {unit})"
        )
    );
    let mut mapping = Mapping::anonymous(3 * page).unwrap();
    assert_eq!(
        text(mapping.discard(1..page)),
        format!(
            "discard of {} bytes at 1: Invalid argument (the range 1..{page} does not begin and end \
             with pages, which have {page} bytes)",
            page - 1
        )
    );
    assert_eq!(
        text(mapping.view::<u32>(1..5)),
        "view of 4 bytes at 1: Invalid argument (the address of byte 1 is not a multiple of 4)"
    );
    assert_eq!(
        text(MapOptions::new().len(1).map_guarded(1, page, ReadWrite)),
        format!("mmap of 1 byte: Invalid argument (the length 1 is not a multiple of {page})")
    );
}

#[test]
fn addresses_where_nothing_can_be() {
    if lacks::own_process("addresses where nothing can be") {
        return;
    }
    let options = MapOptions::new().len(1);
    assert_eq!(
        text(options.at(0).map_anonymous(ReadWrite)),
        "mmap of 1 byte at 0x0: Invalid argument (the kernel lets this process map nothing at that \
         address)"
    );
    let last = usize::MAX - 2 * page_size() + 1;
    let error = options.at(last).map_anonymous(ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::NoAddress, "{error}");
    let taken = Mapping::anonymous(page_size()).unwrap();
    let error = text(options.at(taken.as_ptr().addr()).map_anonymous(ReadWrite));
    assert!(
        error.ends_with("(something is already mapped at these addresses)"),
        "{error}"
    );
}

#[test]
fn a_length_that_nobody_asked_for_is_not_told() {
    if lacks::own_pages("files that say they are empty") {
        return;
    }
    let Some(status) = tests::kernel::file_that_says_it_is_empty() else {
        return;
    };
    assert_eq!(
        text(MapOptions::new().map_shared(&status, ReadOnly)),
        "mmap at file offset 0: No such device (this file system or driver cannot map the file, \
         shared or privately: read it instead, as FileBytes does)"
    );
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    assert_eq!(
        text(MapOptions::new().len(2).map_shared(&socket, ReadOnly)),
        "mmap of 2 bytes at file offset 0: No such device (a socket cannot be mapped)"
    );
}

#[test]
fn rights_that_the_file_does_not_give() {
    if lacks::own_process("rights that the file does not give") {
        return;
    }
    let file = file();
    let read = File::open(file.path()).unwrap();
    let len = len_of_file();
    let mapping = MapOptions::new().map_shared(&read, ReadOnly).unwrap();
    let failed = mapping.protect(ReadWrite).unwrap_err();
    let expected = format!(
        "mprotect of {len} bytes: Permission denied (its file was not open for writing when it was \
         mapped, or is sealed against writing)"
    );
    assert_eq!(failed.to_string(), expected);
    // The form that `unwrap` and `main` print.
    assert_eq!(
        format!("{failed:?}"),
        format!("Failed {{ error: Error({expected}), .. }}")
    );
    assert_eq!(
        format!("{:?}", failed.error()),
        format!("Error({expected})")
    );
}

#[test]
fn seals_that_forbid() {
    if lacks::own_process("seals that forbid") {
        return;
    }
    let unsealable = MemfdOptions::new().create(10).unwrap();
    assert_eq!(
        text(unsealable.seal()),
        "fcntl(F_ADD_SEALS): Operation not permitted (no seals can be added: it was made without \
         MemfdOptions::sealing, or already has Seals::SEAL)"
    );
    let sealed = MemfdOptions::new().sealing(true).create(10).unwrap();
    sealed.add_seals(Seals::SHRINK | Seals::WRITE).unwrap();
    let text_of = |result: Result<()>| result.unwrap_err().to_string();
    assert_eq!(
        text_of(sealed.set_len(9)),
        "ftruncate to 9 bytes: Operation not permitted (the file has a seal against that: see its \
         Seals)"
    );
    let error = sealed.map(ReadWrite).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (libc::EPERM, Reason::Sealed)
    );
}

#[test]
fn populate_says_how_far_it_got() {
    if lacks::advice("populate past the end of a file") {
        return;
    }
    let page = page_size();
    let file = file();
    let mapping = MapOptions::new()
        .map_shared(file.as_file(), ReadWrite)
        .unwrap();
    file.as_file().set_len(2 * page as u64).unwrap();
    let gone = |at: usize, start: usize| stopped(at - start, at);
    for start in [0, 1, page, page + 1, 2 * page - 1, 2 * page, 2 * page + 5] {
        let expected = gone((2 * page).max(start), start);
        for error in [
            mapping.populate_range(start..).unwrap_err(),
            mapping.populate_range(start..2 * page + 7).unwrap_err(),
        ] {
            assert_eq!((error.call(), error.errno()), (Call::Madvise, libc::EFAULT));
            assert_eq!(error.reason(), expected, "from {start}");
        }
    }
    // The first of two mappings that begin inside a page, and have a part of each.
    let inside = MapOptions::new().offset(page as u64 + 10);
    let inside = inside.len(2 * page).past_end(true);
    let inside = inside.map_shared(file.as_file(), ReadOnly).unwrap();
    assert_eq!(inside.populate().unwrap_err().reason(), gone(page - 10, 0));
}

/// Those that are brought in by several calls.
#[test]
fn populate_says_how_far_it_got_in_all() {
    if lacks::advice("populate past the end of a file") {
        return;
    }
    let (whole, page) = (80 << 20, page_size());
    let file = tempfile::tempfile().unwrap();
    file.set_len(whole as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let (start, at) = (page + 3, 33 << 20);
    file.set_len(at as u64).unwrap();
    assert_eq!(
        text(mapping.populate_range(start..)),
        format!(
            "madvise of {} bytes at {start}: Bad address (after {} bytes: byte {at} cannot be \
             reached, because the file was truncated, or its disk is full or failed)",
            whole - start,
            at - start
        )
    );
    let steps: Vec<_> = mapping.populate_in_steps(32 << 20).collect();
    let (done, error) = (steps[0], steps[1].unwrap_err());
    assert_eq!((steps.len(), done), (2, Ok(32 << 20)));
    let done = 1 << 20;
    assert_eq!(error.reason(), stopped(done, at));
}

#[test]
fn limits_on_memory_are_told_apart() {
    let check = "limits on memory";
    if lacks::own_process(check) || lacks::process_map(check) {
        return;
    }
    let len = 300 << 20;
    let status = in_a_child(|| {
        let mut mapping = Mapping::anonymous(page_size()).unwrap();
        let reserved = MapOptions::new().len(len).map_anonymous(NoAccess).unwrap();
        limit_data(100 << 20).unwrap();
        let is_data = |error: Error| matches!(error.reason(), Reason::DataLimit(_));
        assert!(is_data(Mapping::anonymous(len).unwrap_err()));
        assert!(is_data(mapping.resize(len).unwrap_err()));
        assert!(is_data(reserved.protect(ReadWrite).unwrap_err().error()));
    });
    assert!(status.success(), "{status}");
    let status = in_a_child(|| {
        let limit = 1 << 20;
        limit_address_space(limit).unwrap();
        let error = Mapping::anonymous(len).unwrap_err();
        assert!(
            matches!(error.reason(), Reason::AddressSpaceLimit(_)),
            "{error}"
        );
        assert!(
            error.to_string().ends_with("in all (RLIMIT_AS))"),
            "{error}"
        );
    });
    assert!(status.success(), "{status}");
    let most = isize::MAX.unsigned_abs() / page_size() * page_size();
    let error = MapOptions::new()
        .len(most)
        .map_anonymous(NoAccess)
        .unwrap_err();
    assert!(
        matches!(error.reason(), Reason::FreeAddresses(gap) if gap > 0),
        "{error}"
    );
}

#[test]
fn the_limit_of_mappings_is_named() {
    let check = "the limit of mappings";
    if lacks::own_process(check) || lacks::process_map(check) {
        return;
    }
    let Some(limit) = reachable_mapping_limit(check) else {
        return;
    };
    let status = in_a_child(|| {
        let all = mappings_up_to_the_limit(NoAccess);
        let file = MapOptions::new().len(1).map_anonymous_shared(ReadOnly);
        let Err(error) = file else {
            return skip(check, "the kernel does not keep to it");
        };
        drop(all);
        assert_eq!(error.reason(), Reason::MappingsLimit(limit as u64));
    });
    assert!(status.success(), "{status}");
}

#[test]
fn kinds_that_a_program_can_match() {
    let kind =
        |result: Result<SharedMapping<ReadOnly>>| io::Error::from(result.unwrap_err()).kind();
    let directory = File::open("/").unwrap();
    let options = MapOptions::new();
    assert_eq!(
        kind(options.map_shared(&directory, ReadOnly)),
        ErrorKind::Unsupported
    );
    let file = file();
    let file = file.as_file();
    let beyond = options.len(1 << 20).map_shared(file, ReadOnly);
    assert_eq!(kind(beyond), ErrorKind::InvalidInput);
    let endless = options.offset(u64::MAX).len(1).past_end(true);
    assert_eq!(
        kind(endless.map_shared(file, ReadOnly)),
        ErrorKind::InvalidInput
    );
}

#[test]
fn the_limit_of_descriptors_is_named() {
    if lacks::own_process("the limit of descriptors") {
        return;
    }
    let status = in_a_child(|| {
        limit_open_files(0).unwrap();
        assert_eq!(
            text(MemfdOptions::new().create(10)),
            "memfd_create of \"unix-memory\": Too many open files (the process has as many descriptors as it \
             may have (RLIMIT_NOFILE): close some, or raise the limit)"
        );
    });
    assert!(status.success(), "{status}");
}

#[test]
fn what_is_too_much_is_blamed() {
    if lacks::own_process("alignments") {
        return;
    }
    let page = page_size();
    let (asked, most) = (1_usize << (usize::BITS - 1), 1_usize << (usize::BITS - 2));
    let expected = format!(
        "mmap of {page} bytes: Cannot allocate memory (the alignment {asked} exceeds the maximum for this length, {most})"
    );
    assert_eq!(text(Reservation::with_alignment(page, asked)), expected);
    let options = MapOptions::new().len(page).alignment(asked);
    assert_eq!(text(options.map_anonymous(ReadWrite)), expected);
    let mut units = ReservedVec::with_max_capacity(0).unwrap();
    units.push(());
    assert_eq!(
        text(units.try_reserve(usize::MAX)),
        format!(
            "resize: Cannot allocate memory (there can be at most {} elements)",
            usize::MAX
        )
    );
}

/// What a locked mapping grows by is locked too.
#[test]
fn the_limit_of_locks_is_named() {
    let check = "the limit of locks";
    if lacks::own_process(check) {
        return;
    }
    let status = in_a_child(|| {
        let limit = 1 << 20;
        if let Err(error) = limit_locked_memory(limit) {
            return skip(check, &error.to_string());
        }
        // With the privilege, there is no limit.
        // SAFETY: the call takes a number; this process has no other thread.
        let _not_root = unsafe { libc::setuid(65534) };
        let options = MapOptions::new().len(page_size()).lock(true);
        let mut locked = options.map_anonymous(ReadWrite).unwrap();
        let asked = (4 << 20) - page_size();
        let expected = format!(
            "mremap from {} to {} bytes: Resource temporarily unavailable (this process may lock \
             {limit} bytes (RLIMIT_MEMLOCK): {} are locked, and {asked} were requested)",
            page_size(),
            4 << 20,
            page_size(),
        );
        let refused = locked.resize(4 << 20);
        assert_eq!(text(refused), expected);
        // Where /proc cannot be read, the guards are counted.
        limit_open_files(0).unwrap();
        let refused = locked.resize(4 << 20);
        assert_eq!(text(refused), expected);
    });
    assert!(status.success(), "{status}");
}
