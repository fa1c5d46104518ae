//! The bytes of files for which there is no room. A program of one test, since the limits are the
//! process's.

use std::fs::File;
use std::io::{Read, Seek, Write};

use libc::ENOMEM;
use tests::{
    is_memory_limit, kernel, lacks, limit_address_space, mappings_up_to_the_limit,
    reachable_mapping_limit, skip,
};
use unix_memory::{Call, FileBytes, FileBytesOptions, NoAccess, Reason, Result, Windows};

#[test]
fn limits() {
    println!("descriptors");
    no_descriptors_are_needed();
    println!("mappings");
    no_mappings_left();
    println!("addresses");
    no_room_is_an_error_that_leaves_nothing_behind();
}

/// Neither to read nor to map takes a descriptor.
fn no_descriptors_are_needed() {
    const LEN: usize = 3 << 20;
    let file = tempfile::tempfile().unwrap();
    file.set_len(LEN as u64).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"in the pipe").unwrap();
    drop(writer);
    let cannot_be_mapped = kernel::file_that_says_it_is_empty();
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the limit can be written.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    assert_eq!(failed, 0);
    let none = libc::rlimit {
        rlim_cur: 0,
        ..limit
    };
    // SAFETY: the call reads the limit.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
    let opened = File::open("/").map_err(|error| error.raw_os_error());
    if failed != 0 || opened.is_ok() {
        return skip("no descriptors", "RLIMIT_NOFILE has no effect");
    }

    let loaded = FileBytes::load(&file);
    let options = FileBytesOptions::new();
    // SAFETY: nobody changes the file.
    let mapped = unsafe { options.map_shared(&file) };
    let piped = FileBytes::load(&reader);
    let read = cannot_be_mapped.map(|file| FileBytes::load(&file).map(|bytes| bytes.len()));
    let windows: Vec<_> = Windows::new(&file, 1 << 20).unwrap().collect();
    // SAFETY: as above.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(failed, 0);
    assert_eq!(opened.unwrap_err(), Some(libc::EMFILE));
    for bytes in [loaded, mapped] {
        let bytes = bytes.unwrap();
        assert!(bytes.len() == LEN && bytes.iter().all(|&byte| byte == 0));
    }
    assert_eq!(*piped.unwrap(), *b"in the pipe");
    assert!(read.is_none_or(|len| len.unwrap() > 0));
    assert!(windows.len() == 3 && windows.iter().all(Result::is_ok));
}

/// At the limit of mappings, there may be room next to another one.
fn no_mappings_left() {
    let check = "no mappings left";
    if lacks::own_process(check) || reachable_mapping_limit(check).is_none() {
        return;
    }
    let content: Vec<u8> = (0..=250).cycle().take(100_000).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let options = FileBytesOptions::new();
    let mut many = mappings_up_to_the_limit(NoAccess);
    let mut results = Vec::with_capacity(100);
    for _ in 0..8 {
        for _ in 0..3 {
            results.push(FileBytes::load(&file));
            // SAFETY: nobody changes the file.
            results.push(unsafe { options.map_shared(&file) });
        }
        many.truncate(many.len() - 1);
    }
    drop(many);
    let mut refused = 0;
    for result in results {
        match result {
            Ok(bytes) => assert!(*bytes == *content),
            Err(error) => {
                assert_eq!(error.errno(), ENOMEM, "{error}");
                assert!([Call::Mmap, Call::Mprotect].contains(&error.call()));
                refused += 1;
            }
        }
    }
    println!("{refused} refused");
    assert!(refused > 0, "the limit was not reached");
    assert!(*FileBytes::load(&file).unwrap() == *content);
}

fn no_room_is_an_error_that_leaves_nothing_behind() {
    const ROOM: u64 = 512 << 20;
    let mut large = tempfile::tempfile().unwrap();
    large.set_len(2 * ROOM).unwrap();
    large.seek(std::io::SeekFrom::Start(3)).unwrap();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"still there").unwrap();
    // (That is loaded once without a limit: what the C library and the tests keep is there then.)
    let small = File::open(std::env::current_exe().unwrap()).unwrap();
    let len = FileBytes::load(&small).unwrap().len();
    let descriptors = || kernel::names_of_descriptors().map(|names| names.len());
    let (size, count) = (kernel::virtual_size(), descriptors());
    if let Err(error) = limit_address_space(ROOM) {
        return skip("no room", &error.to_string());
    }
    if unix_memory::MapOptions::new()
        .map_shared(&large, unix_memory::ReadOnly)
        .is_ok()
    {
        return skip("no room", "RLIMIT_AS has no effect");
    }
    // SAFETY: nobody changes the file.
    let mapped = unsafe { FileBytesOptions::new().map_shared(&large) };
    for loaded in [FileBytes::load(&large), mapped] {
        let error = loaded.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        assert!(is_memory_limit(error.reason()), "{error}");
    }
    // An endless one.
    let error = FileBytes::load(File::open("/dev/zero").unwrap()).unwrap_err();
    assert_eq!(error.errno(), ENOMEM);
    // More than any slice can have.
    let options = FileBytesOptions::new().len(usize::MAX);
    // SAFETY: the bytes of the device are zeros.
    let error = unsafe { options.map_private(File::open("/dev/zero").unwrap()) }.unwrap_err();
    assert!(
        [ENOMEM, libc::EOVERFLOW].contains(&error.errno()),
        "{error}"
    );

    // What the tests allocate comes from the same addresses: less than this.
    let grown = |now: &usize| size.is(|&before| *now < before + (8 << 20));
    assert!(kernel::virtual_size().is(grown));
    assert!(descriptors().is(|&now| count == now));
    assert_eq!(large.stream_position().unwrap(), 3);
    let mut rest = [0; 11];
    reader.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"still there");
    assert_eq!(FileBytes::load(&small).unwrap().len(), len);
    // What cannot be had doubled may be had: three quarters of what is left, of what no length is known of.
    let room = ROOM - size.get().map_or(0, |size| size as u64);
    let most = usize::try_from(room / 4 * 3).unwrap();
    let zero = File::open("/dev/zero").unwrap();
    let error = FileBytesOptions::new()
        .max_len(most)
        .load(&zero)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::BytesLimit(most));
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let piece = vec![1; 1 << 16];
            for _ in 0..most / piece.len() {
                writer.write_all(&piece).unwrap();
            }
        });
        let loaded = FileBytes::load(&reader);
        // The writer must not wait for a reader forever.
        drop(reader);
        let loaded = loaded.unwrap();
        assert_eq!(loaded.len(), most >> 16 << 16);
        assert!(loaded.iter().all(|&byte| byte == 1));
    });
}
