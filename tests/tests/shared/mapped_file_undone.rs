//! Mappings that keep their files: nothing is lost when the kernel refuses, or when the file is mapped
//! again.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use libc::{EFBIG, EPERM};
use tests::seccomp::{self, SYS_PIPE2, SYS_PROCESS_VM_READV, SYS_PROCESS_VM_WRITEV};
use tests::{Flags, flags, in_a_child, is_locked, lacks, limit_file_size, skip};
use unix_memory::{
    Advice, Call, MapOptions, MappedFile, Mapping, ReadOnly, ReadWrite, Reason, Result, page_size,
};

/// A file of that many pages, whose last byte is a one, and its mapping by `options`.
fn pages(count: usize, options: &MapOptions) -> (File, MappedFile<File, ReadWrite>) {
    let file = tempfile::tempfile().unwrap();
    file.set_len((count * page_size()) as u64).unwrap();
    if count != 0 {
        let last = (count * page_size() - 1) as u64;
        file.write_all_at(&[1], last).unwrap();
    }
    let mapped = options.map_file(file.try_clone().unwrap(), ReadWrite);
    (file, mapped.unwrap())
}

fn len(file: &File) -> u64 {
    file.metadata().unwrap().len()
}

#[test]
fn a_file_that_ends_before_becomes_no_longer() {
    if lacks::shared_files("a file that ends before") {
        return;
    }
    let page = page_size();
    // Mapped to grow into.
    let options = MapOptions::new().len(100 * page).past_end(true);
    let (file, mut mapped) = pages(1, &options);
    for left in [50 * page, 2 * page] {
        mapped.truncate(left).unwrap();
        assert_eq!((mapped.len(), len(&file)), (left, page as u64));
    }
    // Cut off by others.
    let (file, mut mapped) = pages(10, &MapOptions::new());
    file.set_len(7).unwrap();
    mapped.truncate(5 * page).unwrap();
    assert_eq!((mapped.len(), len(&file)), (5 * page, 7));
    mapped.truncate(3).unwrap();
    assert_eq!((mapped.len(), len(&file)), (3, 3));
}

#[test]
fn a_refused_append_leaves_the_file_as_long_as_it_was() {
    if lacks::shared_files("an append that is refused") {
        return;
    }
    let page = page_size();
    let (whole, mut start) = pages(10, &MapOptions::new().len(page));
    let (shorter, mut all) = pages(2, &MapOptions::new());
    let past_end = MapOptions::new().len(5 * page).past_end(true);
    let (shortest, mut longer) = pages(1, &past_end);
    let ended = in_a_child(|| {
        for call in [SYS_PROCESS_VM_READV, SYS_PROCESS_VM_WRITEV, SYS_PIPE2] {
            if let Err(error) = seccomp::refuse(call, None, EPERM) {
                return skip("an append that is refused", &error.to_string());
            }
        }
        for (mapped, was) in [(&mut start, 1), (&mut all, 2), (&mut longer, 5)] {
            let error = mapped.append(b"x").unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Write, EPERM));
            assert_eq!(mapped.len(), was * page);
        }
    });
    assert!(ended.success(), "{ended}");
    for (file, was) in [(&whole, 10), (&shorter, 2), (&shortest, 1)] {
        let content: Vec<u8> = {
            let mut content = vec![0; was * page + 1];
            let read = file.read_at(&mut content, 0).unwrap();
            content.truncate(read);
            content
        };
        assert_eq!(content.len(), was * page);
        assert_eq!(content.last(), Some(&1));
    }
}

/// It is mapped again if the kernel has several mappings of it, or none.
#[test]
fn a_locked_mapping_stays_locked() {
    let check = "a locked file";
    if lacks::shared_files(check) || lacks::own_process(check) {
        return;
    }
    let page = page_size();
    let lock = MapOptions::new().lock(true);
    for (count, is_several) in [(0, false), (3, false), (3, true)] {
        let (file, mut mapped) = pages(count, &lock);
        if is_several {
            mapped.advise_range(page..2 * page, Advice::Random).unwrap();
        }
        mapped.grow(10 * page).unwrap();
        assert_eq!(len(&file), 10 * page as u64);
        for number in 0..10 {
            assert!(is_locked(mapped.as_ptr().wrapping_add(number * page)));
        }
        // Brought in, by the kernel's account as well.
        let all = mapped.residency().all(|page| page.unwrap_or(true));
        assert!(all, "{count} {is_several}");
        mapped.write_at(10 * page - 1, b"x").unwrap();
        mapped.truncate(0).unwrap();
        mapped.append(b"again").unwrap();
        assert!(is_locked(mapped.as_ptr()));
    }
}

#[test]
fn what_is_left_out_of_core_dumps_stays_so() {
    if lacks::shared_files("a hidden file") || lacks::advice("a hidden file") {
        return;
    }
    let page = page_size();
    let hide = |mapped: &MappedFile<File, ReadWrite>, from| -> Result<bool> {
        if !Advice::DontDump.is_supported() {
            skip("a hidden file", "this system hides nothing");
            return Ok(false);
        }
        mapped.advise_range(from.., Advice::DontDump).map(|()| true)
    };
    let (_file, mut whole) = pages(3, &MapOptions::new());
    if !hide(&whole, 0).unwrap() {
        return;
    }
    whole.truncate(0).unwrap();
    whole.append(b"a secret").unwrap();
    assert!(flags(whole.as_ptr()).contains(Flags::DD));
    let (_file, mut part) = pages(3, &MapOptions::new());
    assert!(hide(&part, page).unwrap());
    part.grow(50 * page).unwrap();
    for number in 1..50 {
        let address = part.as_ptr().wrapping_add(number * page);
        assert!(flags(address).contains(Flags::DD), "page {number}");
    }
}

#[test]
fn a_mapping_whose_file_cannot_grow_is_the_same() {
    // Without it the kernel has one mapping, which may have been moved.
    if lacks::advice("a mapping that did not grow") {
        return;
    }
    let page = page_size();
    let named = tempfile::NamedTempFile::new().unwrap();
    fs::write(named.path(), vec![7; 3 * page]).unwrap();
    let file = File::open(named.path()).unwrap();
    let mut mapped = MapOptions::new().map_file(file, ReadOnly).unwrap();
    mapped.advise_range(page..2 * page, Advice::Random).unwrap();
    let address = mapped.as_ptr();
    assert_eq!(mapped.grow(50 * page).unwrap_err().call(), Call::Ftruncate);
    assert_eq!((mapped.as_ptr(), mapped.len()), (address, 3 * page));
    let advised = flags(address.wrapping_add(page));
    assert!(advised.contains(Flags::RR));
}

/// The addresses that were asked for are those of the mapping at first.
#[test]
fn a_mapping_grows_out_of_its_addresses() {
    if lacks::shared_files("addresses that are too few") {
        return;
    }
    let page = page_size();
    let room = Mapping::anonymous(3 * page).unwrap();
    let start = room.as_ptr().addr();
    drop(room);
    let options = MapOptions::new().within(start..start + 3 * page);
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page as u64).unwrap();
    let Ok(mut mapped) = options.map_file(file, ReadWrite) else {
        return skip("addresses that are too few", "another thread has them");
    };
    // Several mappings to the kernel, which must be mapped again.
    let advised = mapped.advise_range(page..2 * page, Advice::Random);
    advised.unwrap();
    mapped.grow(10 * page).unwrap();
    mapped.write_at(10 * page - 1, b"x").unwrap();
}

#[test]
fn a_limit_on_files_is_an_error_for_shorter_ones_too() {
    if lacks::shared_files("the limit of files") {
        return;
    }
    let (file, mut mapped) = pages(3, &MapOptions::new());
    let ended = in_a_child(|| {
        limit_file_size(1000).unwrap();
        let error = mapped.truncate(1001).unwrap_err();
        let told = (error.errno(), error.reason());
        assert_eq!(told, (EFBIG, Reason::FileSizeLimit(1000)));
        assert_eq!(mapped.len(), 3 * page_size());
        assert_eq!(len(&file), 3 * page_size() as u64);
        mapped.truncate(999).unwrap();
    });
    assert!(ended.success(), "{ended}");
    assert_eq!(len(&file), 999);
}
