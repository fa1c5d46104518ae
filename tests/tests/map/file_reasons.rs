//! Why a file cannot be mapped, and what to do instead.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use libc::{EACCES, EINVAL, ENODEV, ENXIO};
use tests::seccomp::mmap_call;
use tests::{kernel, lacks, refusing_argument, skip};
use unix_memory::*;

/// A file of one and a half pages.
fn file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(page_size() as u64 * 3 / 2).unwrap();
    file
}

/// Runs `f` while nothing can be mapped shared, as on some file systems.
fn mapping_privately_only<R: Send>(f: impl FnOnce() -> R + Send) -> Option<R> {
    // The flags are the fourth argument; some systems pass them in a structure, or add to them.
    let shared = libc::MAP_SHARED.unsigned_abs().into();
    let call = mmap_call("a file system that maps privately")?;
    refusing_argument(call, 3, shared, ENODEV, f)
}

#[test]
fn a_file_system_that_maps_privately_only() {
    let file = file();
    let checked = mapping_privately_only(|| {
        let options = MapOptions::new();
        for options in [options, options.len(1), options.past_end(true)] {
            let error = options.map_shared(file.as_file(), ReadOnly).unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (ENODEV, Reason::PrivateOnly)
            );
            assert!(
                error
                    .to_string()
                    .ends_with("only privately: use map_private, which shows the same bytes)")
            );
            let mapping = options.map_private(file.as_file(), ReadOnly).unwrap();
            mapping.read_at(0, &mut [0]).unwrap();
        }
        let empty = tempfile::tempfile().unwrap();
        let error = MapOptions::new().map_shared(&empty, ReadOnly).unwrap_err();
        assert_eq!(error.reason(), Reason::PrivateOnly);
        let windows = Windows::new(file.as_file(), 1).unwrap();
        let windows: Vec<_> = windows.map(Result::unwrap).collect();
        let lens: Vec<_> = windows.iter().map(|window| window.len()).collect();
        assert_eq!(lens, [page_size(), page_size() / 2]);
        let is_private = |window: &Window| window.way() == Way::MappedPrivate;
        assert!(windows.iter().all(is_private));
    });
    if checked.is_none() {
        skip("a file system that maps privately", "no seccomp filters");
    }
    let window = Windows::new(file.as_file(), 1).unwrap().next();
    assert_eq!(window.unwrap().unwrap().way(), Way::MappedShared);
}

#[test]
fn what_cannot_be_mapped_at_all() {
    let Some(status) = kernel::file_that_says_it_is_empty() else {
        return;
    };
    let error = MapOptions::new().map_shared(&status, ReadOnly).unwrap_err();
    if error.errno() == ENODEV {
        assert_eq!(error.reason(), Reason::NoMappings);
    }
    let error = MapOptions::new()
        .len(1)
        .past_end(true)
        .map_private(&status, ReadOnly);
    let error = error.unwrap_err();
    if error.errno() == ENODEV {
        assert_eq!(error.reason(), Reason::NoMappings);
        assert!(error.to_string().contains("read it instead"));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 does not ask how a file was opened"
)]
fn which_access_a_descriptor_lacks() {
    let file = file();
    let read = File::open(file.path()).unwrap();
    let write = File::options().write(true).open(file.path()).unwrap();
    let options = MapOptions::new();
    let error = options.map_shared(&read, ReadWrite).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EACCES, Reason::NotWritable)
    );
    options
        .map_private(&read, ReadWrite)
        .unwrap()
        .write_at(0, b"own")
        .unwrap();
    for result in [
        options.map_shared(&write, ReadOnly),
        options.map_private(&write, ReadOnly),
    ] {
        let error = result.unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EACCES, Reason::NotReadable)
        );
    }
    let error = options.map_shared(&write, ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::NotReadable);
}

#[test]
fn to_begin_past_the_end_takes_a_length() {
    if lacks::own_pages("a mapping past the end of a file") {
        return;
    }
    let file = file();
    let options = MapOptions::new().past_end(true).offset(1 << 20);
    let error = options.map_shared(file.as_file(), ReadOnly).unwrap_err();
    let reason = Reason::FileLength(page_size() as u64 * 3 / 2);
    assert_eq!((error.errno(), error.reason()), (ENXIO, reason));
    let mapping = options.len(1).map_shared(file.as_file(), ReadOnly).unwrap();
    assert_eq!(mapping.len(), 1);
    // At the end there is nothing, with and without.
    for yes in [false, true] {
        let options = MapOptions::new()
            .past_end(yes)
            .offset(page_size() as u64 * 3 / 2);
        let mapping = options.map_shared(file.as_file(), ReadOnly).unwrap();
        assert!(mapping.is_empty());
    }
}

/// The steps that follow a mapping are not done for an empty one.
// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_empty_file_needs_no_lock() {
    if lacks::own_pages("the mapping of an empty file") {
        return;
    }
    let empty = tempfile::tempfile().unwrap();
    let options = MapOptions::new().populate(true).advice(Advice::WillNeed);
    for options in [options.lock(true), options.dont_dump(true)] {
        let mut mapping = options.map_shared(&empty, ReadWrite).unwrap();
        assert!(mapping.is_empty());
        if cfg!(any(target_os = "linux", target_os = "android")) {
            let error = mapping.resize(1).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Resize, EINVAL));
            assert_eq!(error.reason(), Reason::EmptyMapping);
        }
    }
}

/// Everything is imported, and the standard library's names are what they were.
#[test]
fn errors_survive_a_question_mark() {
    fn fallible(fd: impl AsFd) -> io::Result<()> {
        drop(MapOptions::new().map_shared(fd, ReadOnly)?);
        Ok(())
    }
    fn failed() -> io::Result<Mapping<ReadOnly>> {
        Ok(Mapping::anonymous(10)?
            .split_at(11)
            .map(|(first, _)| first)?
            .protect(ReadOnly)?)
    }
    fn std_result() -> Result<u8, std::num::ParseIntError> {
        "7".parse()
    }
    let error = fallible(File::open("/").unwrap()).unwrap_err();
    assert_eq!(error.raw_os_error(), None);
    let ours = Error::from_io(&error).unwrap();
    assert_eq!((ours.errno(), ours.call()), (ENODEV, Call::Mmap));
    assert_eq!(ours.to_os_error().raw_os_error(), Some(ENODEV));
    let failed = Error::from_io(&failed().unwrap_err()).unwrap();
    assert_eq!(failed.reason(), Reason::MappingLength(10));
    assert_eq!(Error::from_io(&io::Error::from_raw_os_error(ENODEV)), None);
    assert_eq!(Error::from_io(&io::Error::other("something else")), None);
    assert_eq!(std_result(), Ok(7));
    // Put into others, in both ways that they have.
    let twice = io::Error::other(io::Error::other(io::Error::from(ours)));
    assert_eq!(Error::from_io(&twice), Some(ours));
    let wrapped = io::Error::new(io::ErrorKind::InvalidData, Wrapped(ours));
    assert_eq!(Error::from_io(&wrapped), Some(ours));
    assert_eq!(Error::from_io(&io::Error::other(wrapped)), Some(ours));
}

/// An error of another crate's.
#[derive(Debug)]
struct Wrapped(Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no index")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

// Only Linux has descriptors that are only paths.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_path_alone_cannot_be_mapped() {
    use std::os::unix::fs::OpenOptionsExt;

    use libc::EBADF;

    let named = file();
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_PATH);
    let path = options.open(named.path()).unwrap();
    if !rustix::fs::fcntl_getfl(&path)
        .unwrap()
        .contains(rustix::fs::OFlags::PATH)
    {
        return skip("a path alone", "an emulator opens the file itself");
    }
    for sharing in [MapOptions::map_shared, MapOptions::map_private] {
        let error = sharing(&MapOptions::new(), &path, ReadOnly).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EBADF, Reason::NotReadable)
        );
    }
}

/// A file that reports that it is empty and cannot be mapped is not treated as empty.
#[test]
fn a_file_of_proc_is_not_empty() {
    if lacks::own_pages("the mapping of an empty file") {
        return;
    }
    let Some(status) = kernel::file_that_says_it_is_empty() else {
        return;
    };
    let error = MapOptions::new().map_shared(&status, ReadOnly).unwrap_err();
    assert_eq!(
        (error.call(), error.reason()),
        (Call::Mmap, Reason::NoMappings)
    );
    let object = SharedMemory::from(std::os::fd::OwnedFd::from(status.try_clone().unwrap()));
    assert_eq!(
        object.map(ReadOnly).unwrap_err().reason(),
        Reason::NoMappings
    );
    // But this is.
    let empty = tempfile::tempfile().unwrap();
    assert!(Windows::new(&empty, 1).unwrap().next().is_none());
    let to_its_end = Windows::new(&empty, 1).unwrap().end_at(0);
    assert_eq!(to_its_end.count(), 0);
}

#[test]
fn a_device_has_no_length() {
    let zero = SharedMemory::from(std::os::fd::OwnedFd::from(File::open("/dev/zero").unwrap()));
    let error = zero.map(ReadOnly).unwrap_err();
    let reason = Reason::LengthNeeded(FileKind::CharacterDevice);
    assert_eq!((error.errno(), error.reason()), (EINVAL, reason));
}

/// An empty file takes no room, and needs none to be recognised.
#[test]
fn an_empty_file_needs_no_room() {
    if lacks::own_pages("the mapping of an empty file") {
        return;
    }
    let empty = tempfile::tempfile().unwrap();
    let occupied = Mapping::anonymous(page_size()).unwrap();
    let options = MapOptions::new().at(occupied.as_ptr().addr());
    assert!(options.map_shared(&empty, ReadOnly).unwrap().is_empty());
    assert!(options.map_private(&empty, ReadWrite).unwrap().is_empty());
    let Some(call) = mmap_call("a file system that maps privately") else {
        return;
    };
    for errno in [libc::ENOMEM, libc::EAGAIN] {
        let _or_skipped = refusing_argument(call, 1, 1, errno, || {
            let mapping = MapOptions::new().map_shared(&empty, ReadOnly).unwrap();
            assert!(mapping.is_empty());
        });
    }
}

/// Some file systems have other numbers for what they cannot do.
#[test]
fn file_systems_that_refuse_in_their_own_way() {
    let file = file();
    let Some(call) = mmap_call("a file system that maps privately") else {
        return;
    };
    let shared = libc::MAP_SHARED.unsigned_abs().into();
    for errno in [EINVAL, libc::EOPNOTSUPP] {
        let _or_skipped = refusing_argument(call, 3, shared, errno, || {
            let error = MapOptions::new().map_shared(&file, ReadWrite).unwrap_err();
            assert_eq!(
                (error.errno(), error.reason()),
                (errno, Reason::PrivateOnly)
            );
            let windows = Windows::new(&file, page_size()).unwrap();
            assert!(windows.map(|window| window.unwrap().len()).sum::<usize>() > page_size());
        });
    }
    // Refused for where it was to be: the file can be mapped.
    let options = MapOptions::new().alignment(3);
    let error = options.map_shared(&file, ReadOnly).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::PowerOfTwo)
    );
}
