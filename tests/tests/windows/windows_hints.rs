//! Windows over files: which parts of a file they bring into memory, keep there, and drop.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use tests::{kernel, lacks, map_at, skip};
use unix_memory::{MapOptions, ReadOnly, Windows, page_size};

/// A file of that many pages, on a disk, since nothing on a tmpfs can be dropped.
fn file_of(pages: usize) -> File {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.write_all(&vec![1; pages * page_size()]).unwrap();
    file
}

/// How many pages of the file are in memory.
fn resident(file: &File) -> usize {
    let mapping = MapOptions::new().map_shared(file, ReadOnly).unwrap();
    mapping.residency().resident().unwrap()
}

/// A file without a page in memory, if that is possible.
fn evicted(pages: usize) -> Option<File> {
    let file = file_of(pages);
    file.sync_all().unwrap();
    if let Err(error) = kernel::evict(&file) {
        skip("what is read ahead", &error.to_string());
        return None;
    }
    match resident(&file) {
        0 => Some(file),
        left => {
            skip(
                "what is read ahead",
                &format!("{left} pages stay in memory"),
            );
            None
        }
    }
}

#[test]
fn the_next_window_is_read_ahead() {
    if lacks::advice("what is read ahead") || lacks::own_pages("what is read ahead") {
        return;
    }
    let Some(file) = evicted(64) else { return };
    let mut windows = Windows::new(&file, 16 * page_size()).unwrap();
    // Not one byte of it is read here.
    let first = windows.next().unwrap().unwrap();
    let second = MapOptions::new()
        .offset(16 * page_size() as u64)
        .len(16 * page_size())
        .map_shared(&file, ReadOnly)
        .unwrap();
    // The kernel may take its time.
    let mut found = 0;
    for _ in 0..200 {
        found = second.residency().resident().unwrap();
        if found > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(found > 0, "the kernel was asked to read it");
    drop((first, windows));

    let Some(file) = evicted(64) else { return };
    let mut windows = Windows::new(&file, 16 * page_size())
        .unwrap()
        .read_ahead(false);
    let first = windows.next().unwrap().unwrap();
    assert_eq!(resident(&file), 0, "nobody has asked for any");
    drop(first);
}

#[test]
fn the_last_window_is_dropped_behind() {
    if lacks::advice("what is dropped behind") || lacks::own_pages("what is dropped behind") {
        return;
    }
    let size = 16 * page_size();
    let Some(file) = evicted(64) else { return };
    let mut windows = Windows::new(&file, size)
        .unwrap()
        .drop_behind(true)
        .read_ahead(false);
    for _ in 0..4 {
        let window = windows.next().unwrap().unwrap();
        window.populate().unwrap();
        assert_eq!(window.residency().resident().unwrap(), 16);
    }
    // What the kernel read ahead of its own may be there.
    let left = resident(&file);
    assert!((16..64).contains(&left), "{left} pages");
    let first = MapOptions::new()
        .len(size)
        .map_shared(&file, ReadOnly)
        .unwrap();
    // Each processor may hold on to some pages that it has just added: not to as many.
    assert!(first.residency().resident().unwrap() < 8);
    drop(first);
    drop(windows);
    assert!(resident(&file) < 8, "the last one goes with the iterator");

    // By itself, nothing goes.
    let windows = Windows::new(&file, size).unwrap();
    windows.for_each(|window| window.unwrap().populate().unwrap());
    assert_eq!(resident(&file), 64);
}

#[test]
fn at_most_two_windows_are_mapped() {
    let file = file_of(8);
    let mapped = || kernel::bytes_mapped_of(&file);
    for window in Windows::new(&file, page_size()).unwrap() {
        let window = window.unwrap();
        assert!(map_at(window.as_ptr()).is(Option::is_some));
        assert!(mapped().is(|&mapped| mapped <= 2 * page_size()));
    }
    assert_eq!(mapped(), 0);
}

#[test]
fn what_is_dropped_behind_may_be_beyond_4_gib() {
    let check = "what is dropped behind, beyond 4 GiB";
    if lacks::advice(check) || lacks::own_pages(check) || lacks::far_offsets(check) {
        return;
    }
    let (far, size) = (1u64 << 32, 64 * page_size());
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.write_all_at(&vec![1; size], far).unwrap();
    file.sync_all().unwrap();
    let windows = Windows::new(&file, size).unwrap().start_at(far);
    let mut windows = windows.read_ahead(false).drop_behind(true);
    windows.next().unwrap().unwrap().populate().unwrap();
    drop(windows);
    let options = MapOptions::new().offset(far).len(size);
    let part = options.map_shared(&file, ReadOnly).unwrap();
    // Each processor may hold on to some.
    assert!(part.residency().resident().unwrap() < 32);
}
