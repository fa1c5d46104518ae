//! Which pages of shared memory, and of files, were written through a mapping.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "what was written comes as ranges, of which there may be one"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tests::dirty::{pages, works};
use tests::{effort, lacks, skip};
use unix_memory::{
    Advice, Call, Flush, MapOptions, ReadOnly, ReadWrite, Reason, SharedMapping, Tracked, Tracking,
    page_size,
};

fn file(pages: usize) -> File {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&vec![1; pages * page_size()], 0).unwrap();
    file
}

fn track(mapping: SharedMapping<ReadWrite>) -> Tracked<SharedMapping<ReadWrite>> {
    mapping.into_tracked_by(Tracking::WriteProtect).unwrap()
}

/// Shared memory and a file, and what was written to each.
#[test]
fn what_was_written_through_a_mapping() {
    if !works(Tracking::WriteProtect, "shared memory") {
        return;
    }
    let page = page_size();
    let file = file(6);
    let options = MapOptions::new().len(6 * page);
    for mapping in [
        options.map_anonymous_shared(ReadWrite).unwrap(),
        options.map_shared(&file, ReadWrite).unwrap(),
        options.map_private(&file, ReadWrite).unwrap(),
    ] {
        let memory = track(mapping);
        assert_eq!(pages(memory.take()), []);
        assert_eq!(memory.to_vec().unwrap().len(), 6 * page);
        assert_eq!(pages(memory.take()), []);
        memory.write_at(2 * page - 1, &[2, 2]).unwrap();
        memory.fill(5 * page.., 3).unwrap();
        assert_eq!(pages(memory.written()), [1..3, 5..6]);
        assert_eq!(pages(memory.take()), [1..3, 5..6]);
        assert_eq!(pages(memory.take()), []);
        memory.write_at(0, &[4]).unwrap();
        memory.mark().unwrap();
        memory.atomics::<AtomicU32>(4 * page, 1).unwrap()[0].store(5, Ordering::Relaxed);
        assert_eq!(pages(memory.take()), [4..5]);
        let mapping = memory.untrack();
        let mut byte = [0];
        mapping.read_at(2 * page, &mut byte).unwrap();
        assert_eq!(byte, [2]);
        // One that others do not change, of the same memory.
        // SAFETY: nobody else writes to it.
        let mut memory = unsafe { mapping.assume_unshared() }
            .into_tracked_by(Tracking::WriteProtect)
            .unwrap();
        assert_eq!(pages(memory.take()), []);
        memory[3 * page] = 9;
        assert_eq!(pages(memory.take()), [3..4]);
    }
}

#[test]
fn ranges_of_a_mapping_that_begins_and_ends_inside_pages() {
    if !works(Tracking::WriteProtect, "a part of a file") {
        return;
    }
    let page = page_size();
    let file = file(4);
    let options = MapOptions::new().offset(5).len(3 * page);
    let memory = track(options.map_shared(&file, ReadWrite).unwrap());
    let ranges = || memory.take().collect::<Result<Vec<_>, _>>().unwrap();
    memory.write_at(0, &[1]).unwrap();
    assert_eq!(ranges(), [0..page - 5]);
    memory.write_at(3 * page - 1, &[1]).unwrap();
    assert_eq!(ranges(), [3 * page - 5..3 * page]);
    memory.write_at(page - 5, &[1]).unwrap();
    assert_eq!(ranges(), [page - 5..2 * page - 5]);
    memory.fill(.., 1).unwrap();
    assert_eq!(ranges(), [0..3 * page]);
}

/// Two mappings of the same memory: each knows what was written through it.
#[test]
fn what_was_written_through_another_mapping_is_not_seen() {
    if !works(Tracking::WriteProtect, "two mappings of a file") {
        return;
    }
    let page = page_size();
    let file = file(4);
    let options = MapOptions::new();
    let [one, other] = [(), ()].map(|()| track(options.map_shared(&file, ReadWrite).unwrap()));
    one.write_at(0, &[2]).unwrap();
    other.write_at(page, &[3]).unwrap();
    file.write_all_at(&[4], 2 * page as u64).unwrap();
    assert_eq!(pages(one.take()), [0..1]);
    assert_eq!(pages(other.take()), [1..2]);
    drop(one);
    other.write_at(3 * page, &[3]).unwrap();
    assert_eq!(pages(other.take()), [3..4]);
}

/// A page that was written back and taken out of memory has lost what says that it was written.
#[test]
fn what_was_written_back_and_taken_out_of_memory_is_written() {
    let check = "what was taken out of memory";
    if !works(Tracking::WriteProtect, check) || !Advice::PageOut.is_supported() {
        return;
    }
    let page = page_size();
    let file = file(8);
    let memory = track(MapOptions::new().map_shared(&file, ReadWrite).unwrap());
    memory.fill(.., 2).unwrap();
    assert_eq!(pages(memory.take()), [0..8]);
    memory.write_at(3 * page, &[3]).unwrap();
    memory.flush(Flush::Sync).unwrap();
    memory.advise(Advice::PageOut).unwrap();
    if memory.residency().resident().unwrap() == 8 {
        skip(check, "the file stays in memory");
    }
    assert_eq!(pages(memory.written()), [3..4]);
    assert_eq!(memory.to_vec().unwrap()[3 * page - 1..=3 * page], [2, 3]);
    assert_eq!(pages(memory.take()), [3..4]);
    memory.advise(Advice::PageOut).unwrap();
    assert_eq!(pages(memory.take()), []);
}

/// Nobody waits for writers: each write is in one answer or in the next.
#[test]
fn threads_that_write_meanwhile() {
    if !works(Tracking::WriteProtect, "threads") {
        return;
    }
    let page = page_size();
    let count = 200;
    let file = file(count);
    let len = count * page;
    for mapping in [
        MapOptions::new()
            .len(len)
            .map_anonymous_shared(ReadWrite)
            .unwrap(),
        MapOptions::new().map_shared(&file, ReadWrite).unwrap(),
    ] {
        let memory = track(mapping);
        let mut snapshot = memory.to_vec().unwrap();
        let done = AtomicBool::new(false);
        let mut update = |memory: &Tracked<SharedMapping<ReadWrite>>, some: usize| {
            for range in memory.take().take(some) {
                let range = range.unwrap();
                memory.read_at(range.start, &mut snapshot[range]).unwrap();
            }
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (1..4_usize)
                .map(|seed| {
                    let memory = &memory;
                    scope.spawn(move || {
                        let mut random = seed;
                        let words = memory.atomics::<AtomicU32>(0, len / 4).unwrap();
                        for _ in 0..effort(200_000) {
                            random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
                            words[(random >> 8) % words.len()].fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let done = &done;
            scope.spawn(move || {
                for writer in writers {
                    writer.join().unwrap();
                }
                done.store(true, Ordering::Release);
            });
            let mut some = 1;
            while !done.load(Ordering::Acquire) {
                // Some are dropped before their end.
                update(&memory, some);
                some = some * 7 % 1000 + 1;
            }
        });
        update(&memory, usize::MAX);
        let now = memory.to_vec().unwrap();
        for (i, (kept, now)) in snapshot.chunks(page).zip(now.chunks(page)).enumerate() {
            assert!(kept == now, "page {i}");
        }
        assert_eq!(pages(memory.take()), []);
    }
}

#[test]
fn a_file_that_cannot_be_written() {
    if !works(Tracking::WriteProtect, "a file that cannot be written") {
        return;
    }
    let file = file(1);
    let named = tempfile::NamedTempFile::new().unwrap();
    named.as_file().set_len(1).unwrap();
    let read_only = File::open(named.path()).unwrap();
    let mapping = MapOptions::new().map_shared(&read_only, ReadOnly).unwrap();
    let address = mapping.as_ptr();
    let refused = mapping.into_tracked().unwrap_err();
    let error = refused.error();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::UffdioRegister, libc::EPERM, Reason::NotWritable)
    );
    assert_eq!(
        error.to_string(),
        "ioctl(UFFDIO_REGISTER) of 1 byte: Operation not permitted (the file is not open for writing)"
    );
    assert_eq!(refused.into_mapping().as_ptr(), address);
    // Read-only, it may become writable.
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let tracked = mapping.into_tracked().unwrap();
    let tracked = tracked.protect(ReadWrite).unwrap();
    tracked.write_at(0, &[2]).unwrap();
    assert_eq!(pages(tracked.take()), [0..1]);
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn a_file_is_not_tracked_by_soft_dirty_bits() {
    let mapping = MapOptions::new().map_shared(file(1), ReadWrite).unwrap();
    let refused = mapping.into_tracked_by(Tracking::SoftDirty).unwrap_err();
    let error = refused.error();
    if cfg!(any(target_os = "linux", target_os = "android")) {
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Track, libc::EINVAL, Reason::NotAnonymous)
        );
    } else {
        assert_eq!(
            (error.errno(), error.reason()),
            (libc::ENOSYS, Reason::Unsupported)
        );
    }
}

/// A device of which every page is another, and one whose pages are the kernel's own.
#[test]
fn devices() {
    if !works(Tracking::WriteProtect, "devices") || lacks::own_pages("devices") {
        return;
    }
    let zero = File::options()
        .read(true)
        .write(true)
        .open("/dev/zero")
        .unwrap();
    let mapping = MapOptions::new()
        .len(2 * page_size())
        .map_shared(&zero, ReadWrite)
        .unwrap();
    let memory = track(mapping);
    memory.write_at(page_size(), &[1]).unwrap();
    assert_eq!(pages(memory.take()), [1..2]);
}

/// Explicit huge pages are tracked as wholes.
// Only Linux has a pool of huge pages that a program can ask for.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn explicit_huge_pages() {
    let check = "explicit huge pages";
    if !works(Tracking::WriteProtect, check) {
        return;
    }
    let Some(size) = unix_memory::HugePageSize::system_default() else {
        return skip(check, "the kernel has none");
    };
    let _reserved = match tests::ReservedHugePages::new(size.bytes(), 3) {
        Ok(reserved) => reserved,
        Err(reason) => return skip(check, &reason),
    };
    let size_in_pages = size.bytes() / page_size();
    let options = MapOptions::new().len(3 * size.bytes()).huge_pages(size);
    let mut mapping: unix_memory::Mapping<ReadWrite> = match options.map_anonymous(ReadWrite) {
        Ok(mapping) => mapping,
        Err(error) => return skip(check, &error.to_string()),
    };
    mapping[0] = 1;
    let mut memory = mapping.into_tracked().unwrap();
    assert_eq!(memory.tracking(), Tracking::WriteProtect);
    assert_eq!(pages(memory.take()), []);
    memory[size.bytes() + 1] = 1;
    assert_eq!(pages(memory.take()), [size_in_pages..2 * size_in_pages]);
    assert_eq!(pages(memory.take()), []);
    memory.fill(2);
    assert_eq!(pages(memory.take()), [0..3 * size_in_pages]);
    memory.fill(2);
    memory.mark().unwrap();
    assert_eq!(pages(memory.take()), []);
    assert!(memory.iter().all(|&byte| byte == 2));
}

/// Explicit huge pages that a file has lost count as written once: the kernel itself does not protect them
/// when it reports them.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn explicit_huge_pages_that_a_file_has_lost() {
    let check = "explicit huge pages that a file has lost";
    if !works(Tracking::WriteProtect, check) {
        return;
    }
    let Some(size) = unix_memory::HugePageSize::system_default() else {
        return skip(check, "the kernel has none");
    };
    let bytes = size.bytes();
    let _reserved = match tests::ReservedHugePages::new(bytes, 3) {
        Ok(reserved) => reserved,
        Err(reason) => return skip(check, &reason),
    };
    let memory = unix_memory::MemfdOptions::new().huge_pages(size);
    let file = match memory.create(3 * bytes as u64) {
        Ok(file) => file,
        Err(error) => return skip(check, &error.to_string()),
    };
    let memory = track(file.map(ReadWrite).unwrap());
    memory.fill(.., 1).unwrap();
    assert_eq!(pages(memory.take()), [0..memory.len() / page_size()]);
    file.set_len(bytes as u64).unwrap();
    file.set_len(3 * bytes as u64).unwrap();
    let size_in_pages = bytes / page_size();
    let expected = [size_in_pages..3 * size_in_pages];
    assert_eq!(pages(memory.written()), expected);
    drop(memory.take());
    assert_eq!(pages(memory.written()), expected, "not returned, not taken");
    assert_eq!(pages(memory.take()), expected);
    assert_eq!(pages(memory.take()), []);
    memory.write_at(bytes, &[2]).unwrap();
    assert_eq!(pages(memory.take()), [size_in_pages..2 * size_in_pages]);
    assert_eq!(pages(memory.take()), []);
}
