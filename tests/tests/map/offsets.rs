//! Offsets in files that 32 bits, of bytes or of pages, cannot hold.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use libc::{EFBIG, EINVAL, ENOMEM, EOVERFLOW};
use tests::{kernel, lacks, skip};
use unix_memory::{Call, MapOptions, ReadOnly, ReadWrite, Reason, SharedMemory, page_size};

const GIB: u64 = 1 << 30;

/// A number cut to that many bits.
const fn cut(offset: u64, bits: u32) -> u64 {
    offset % (1 << bits)
}

/// Writes its own offset into `file` at each of these places, and maps one after the other.
fn places(file: &File, offsets: &[u64]) {
    // Where a number of bytes in 31 or 32 bits, or of pages of 4096 in 31 or 32, would lead.
    let wrong = |offset| [31, 32, 43, 44].map(|bits| cut(offset, bits));
    for place in offsets.iter().flat_map(|&offset| wrong(offset)) {
        file.write_all_at(b"another place", place).unwrap();
    }
    for &offset in offsets {
        file.write_all_at(&offset.to_be_bytes(), offset).unwrap();
    }
    for &offset in offsets {
        let options = MapOptions::new().offset(offset).len(8);
        let mapping = match options.map_shared(file, ReadWrite) {
            Ok(mapping) => mapping,
            Err(error) => {
                // The calls of 32-bit C libraries take the number of a page, in 32 bits.
                assert!(
                    size_of::<usize>() == 4 && offset >= 1 << 44,
                    "{offset}: {error}"
                );
                assert!([EINVAL, EOVERFLOW].contains(&error.errno()), "{error}");
                assert_eq!((error.call(), error.reason()), (Call::Mmap, Reason::Kernel));
                skip(&format!("a file's bytes at {offset}"), &error.to_string());
                continue;
            }
        };
        assert_eq!(mapping.to_vec().unwrap(), offset.to_be_bytes());
        assert_eq!(kernel::place_in_file(mapping.as_ptr()), offset);
        // What is written to the mapping is at that place of the file, and at no other.
        let there = !offset;
        mapping.write_at(0, &there.to_be_bytes()).unwrap();
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, offset).unwrap();
        assert_eq!(u64::from_be_bytes(bytes), there);
        for place in wrong(offset).into_iter().filter(|&place| place != offset) {
            file.read_exact_at(&mut bytes, place).unwrap();
            assert_ne!(u64::from_be_bytes(bytes), there, "also at {place}");
        }
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn beyond_4_gib() {
    if lacks::far_offsets("a file's bytes beyond 4 GiB") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(10 * GIB).unwrap();
    let page = page_size() as u64;
    places(
        &file,
        &[
            2 * GIB - 8,
            2 * GIB + 3 * page,
            4 * GIB - 8,
            4 * GIB + 5 * page,
            // Inside a page, and over the boundary between two.
            8 * GIB + 7 * page + 12,
            9 * GIB - 3,
        ],
    );
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn beyond_what_the_number_of_a_page_can_tell() {
    if lacks::far_offsets("a file's bytes beyond a TiB") {
        return;
    }
    // Not of a disk, because disks have limits of their own.
    let memory = SharedMemory::unnamed(0).unwrap();
    let file = File::from(OwnedFd::from(memory));
    for bits in [40, 43, 44, 45, 52, 60, 62] {
        let offset = (1 << bits) + 2 * page_size() as u64 + 5;
        match file.set_len(offset + 100) {
            Ok(()) => places(&file, &[offset]),
            Err(error) => {
                let expected = [EFBIG, EINVAL].map(Some);
                assert!(expected.contains(&error.raw_os_error()), "{error}");
                skip(&format!("a file's bytes at {offset}"), &error.to_string());
            }
        }
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn a_file_longer_than_the_address_space() {
    let len = 5 * GIB + 1;
    let file = tempfile::tempfile().unwrap();
    file.set_len(len).unwrap();
    let result = MapOptions::new().map_shared(&file, ReadOnly);
    let most = isize::MAX.unsigned_abs() / page_size() * page_size();
    if usize::try_from(len).is_ok() {
        assert_eq!(result.unwrap().len() as u64, len);
    } else {
        // Not cut to the one GiB that 32 bits of the length would give.
        let error = result.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert_eq!(error.reason(), Reason::LengthLimit(most));
    }
    // From near its end on it fits.
    let rest = MapOptions::new().offset(5 * GIB - 10);
    assert_eq!(rest.map_shared(&file, ReadOnly).unwrap().len(), 11);
}

/// No mapping is made here, so that all emulators do it.
#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn refusals_tell_all_bits() {
    let file = tempfile::tempfile().unwrap();
    let (offset, len) = (10 * GIB, 10 * GIB + 7);
    file.set_len(len).unwrap();
    let options = MapOptions::new().offset(offset).len(8);
    let error = options.map_shared(&file, ReadOnly).unwrap_err();
    assert_eq!(error.reason(), Reason::FileLength(len));
    let text = error.to_string();
    let start = format!("mmap of 8 bytes at file offset {offset}: ");
    assert!(text.starts_with(&start), "{text}");
    let end = format!("(the file has {len} bytes)");
    assert!(text.ends_with(&end), "{text}");
}
