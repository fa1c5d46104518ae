//! Shared memory objects: with names, without, in huge pages; their length and their descriptors.

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "../map/pool/mod.rs"]
mod pool;

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::{EBADF, EFBIG, EINVAL, EMFILE, ENODEV, ENOENT, ENOSYS, EPERM};
use rustix::io::{FdFlags, fcntl_getfd};
use tests::copies::stopped;
use tests::seccomp::{SYS_FTRUNCATE, SYS_MEMFD_CREATE};
use tests::{Permissions, in_a_child, lacks, limit_file_size, map_at, refusing_argument, skip};
use unix_memory::{
    Call, FileKind, MapOptions, NamedMemory, ReadOnly, ReadWrite, Reason, SharedMemory, page_size,
};

fn closes_on_exec(fd: impl AsFd) -> bool {
    fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn two_mappings_of_unnamed_memory_are_the_same_bytes() {
    let len = 2 * page_size() + 5;
    let memory = SharedMemory::unnamed(len as u64).unwrap();
    assert_eq!(memory.len().unwrap(), len as u64);
    assert!(!memory.is_empty().unwrap());
    let first = memory.map(ReadWrite).unwrap();
    let second = memory.map(ReadOnly).unwrap();
    assert_eq!(second.to_vec().unwrap(), vec![0; len]);
    first.write_at(len - 3, b"end").unwrap();
    assert!(second.to_vec().unwrap().ends_with(b"end"));
    if let Some(map) = map_at(first.as_ptr()).get() {
        let map = map.unwrap();
        let expected = Permissions::SHARED | Permissions::WRITE;
        assert!(map.permissions.contains(expected));
        let path = map.path.unwrap();
        assert!(
            path.to_str().unwrap().starts_with("/memfd:unix-memory"),
            "{path:?}"
        );
    }
    assert!(closes_on_exec(&memory));
    assert!(
        format!("{memory:?}").contains(&format!("len: Some({len})")),
        "{memory:?}"
    );
}

// Only Linux has a seal against executing.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn it_is_closed_on_exec_and_cannot_be_executed() {
    use std::os::unix::fs::MetadataExt;
    use std::process::Command;

    use unix_memory::Seals;

    let memory = SharedMemory::unnamed(10).unwrap();
    let fd = memory.as_fd().as_raw_fd();
    let seen = Command::new("/bin/sh")
        .args([
            "-c",
            &format!("test -e /dev/fd/{fd} && readlink /dev/fd/{fd}"),
        ])
        .output()
        .unwrap();
    let seen = String::from_utf8(seen.stdout).unwrap();
    assert!(!seen.contains("memfd"), "{seen}");
    // Nobody can add seals, and the one against executing is there where the kernel knows it.
    let seals = memory.seals().unwrap();
    assert!(seals.contains(Seals::SEAL), "{seals:?}");
    if !seals.contains(Seals::EXEC) {
        return skip("memfds that cannot be executed", "a kernel before 6.3");
    }
    let mode = std::fs::File::from(OwnedFd::from(memory))
        .metadata()
        .unwrap()
        .mode();
    assert_eq!(mode & 0o111, 0, "{mode:o}");
}

// The names and flags are those of Linux.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn names_and_flags_of_memfds() {
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use tests::kernel;
    use unix_memory::{MemfdOptions, Seals};

    let memory = MemfdOptions::new().name(c"a name").create(10).unwrap();
    assert_eq!(
        kernel::name_of(&memory),
        Path::new("/memfd:a name (deleted)")
    );
    assert!(closes_on_exec(&memory));
    let long = std::ffi::CString::new(vec![b'x'; 300]).unwrap();
    let error = MemfdOptions::new().name(&long).create(10).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::MemfdCreate, EINVAL));
    assert_eq!(
        error.to_string(),
        format!(
            "memfd_create of \"{}...\": Invalid argument",
            "x".repeat(30)
        )
    );

    let sealing = MemfdOptions::new().sealing(true).create(0).unwrap();
    assert!(!sealing.seals().unwrap().contains(Seals::SEAL));
    let program = MemfdOptions::new().executable(true).create(0).unwrap();
    assert!(!program.seals().unwrap().contains(Seals::EXEC));
    assert!(program.seals().unwrap().contains(Seals::SEAL));
    let file = std::fs::File::from(OwnedFd::from(program));
    assert_eq!(file.metadata().unwrap().mode() & 0o111, 0o111);
    let neither = MemfdOptions::new().executable(true).executable(false);
    assert_eq!(neither, MemfdOptions::default());
}

// The names and flags are those of Linux.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn an_old_kernel_makes_memfds_all_the_same() {
    use unix_memory::{MemfdOptions, Seals};

    // As one does that does not know the flags against, and for, executing.
    for (options, flags) in [
        (MemfdOptions::new(), 1 | 8),
        (MemfdOptions::new().executable(true), 1 | 16),
    ] {
        let create = || options.create(10);
        let made = refusing_argument(SYS_MEMFD_CREATE, 1, flags, EINVAL, create);
        let Some(memory) = made else { return };
        let memory = memory.unwrap();
        assert_eq!(memory.len().unwrap(), 10);
        assert!(memory.seals().unwrap().contains(Seals::SEAL));
    }
}

/// A filter that keeps seals from being added does not make a file that nobody can add seals to.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_filter_that_forbids_seals_is_not_taken_for_a_seal() {
    use tests::seccomp::SYS_FCNTL;
    use unix_memory::{MemfdOptions, Seals};

    for options in [MemfdOptions::new(), MemfdOptions::new().executable(true)] {
        let add = unix_memory_sys::F_ADD_SEALS.unsigned_abs().into();
        let made = refusing_argument(SYS_FCNTL, 1, add, EPERM, || options.create(10));
        match made {
            // A kernel before the flags that let seals be added: the file has the last one.
            Some(Ok(memory)) => assert!(memory.seals().unwrap().contains(Seals::SEAL)),
            Some(Err(error)) => {
                assert_eq!((error.call(), error.errno()), (Call::AddSeals, EPERM));
            }
            None => return,
        }
    }
}

#[test]
fn a_kernel_or_policy_without_memfds_says_so() {
    for errno in [ENOSYS, EPERM, EMFILE] {
        // Close on exec, and no executing.
        let made = refusing_argument(SYS_MEMFD_CREATE, 1, 1 | 8, errno, || {
            SharedMemory::unnamed(10)
        });
        let Some(made) = made else { return };
        let error = made.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::MemfdCreate, errno));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 duplicates no descriptors"
)]
fn growing_keeps_both_sides_right() {
    if lacks::own_pages("memory that grows and shrinks") {
        return;
    }
    let memory = SharedMemory::unnamed(10).unwrap();
    let theirs = SharedMemory::from(OwnedFd::from(memory.try_clone().unwrap()));
    let mut ours = memory.map(ReadWrite).unwrap();
    ours.write_at(0, b"0123456789").unwrap();
    assert!(!memory.remap(&mut ours).unwrap());
    let before = ours.as_ptr();
    assert!(!memory.remap(&mut ours).unwrap());
    assert_eq!(ours.as_ptr(), before, "the very same mapping");

    let len = 3 * page_size() + 1;
    theirs.set_len(len as u64).unwrap();
    let theirs = theirs.map(ReadWrite).unwrap();
    theirs.write_at(len - 1, b"!").unwrap();
    // What was mapped is as it was.
    assert_eq!(ours.to_vec().unwrap(), b"0123456789");
    assert!(memory.remap(&mut ours).unwrap());
    assert_eq!(ours.len(), len);
    let bytes = ours.to_vec().unwrap();
    assert_eq!(
        (&bytes[..10], bytes[10], bytes[len - 1]),
        (&b"0123456789"[..], 0, b'!')
    );

    memory.set_len(4).unwrap();
    let error = theirs.to_vec().unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Read, libc::EFAULT));
    let page = page_size();
    assert_eq!(error.reason(), stopped(page, page));
    assert!(theirs.write_at(page, b"x").is_err());
    let mut kept = [0; 5];
    theirs.read_at(0, &mut kept).unwrap();
    assert_eq!(&kept, b"0123\0");
    drop(theirs);
    assert!(memory.remap(&mut ours).unwrap());
    assert_eq!(ours.to_vec().unwrap(), b"0123");
    memory.set_len(0).unwrap();
    assert!(memory.remap(&mut ours).unwrap());
    assert!(ours.is_empty() && memory.is_empty().unwrap());
    // What grows again is zero.
    memory.set_len(4).unwrap();
    assert!(memory.remap(&mut ours).unwrap());
    assert_eq!(ours.to_vec().unwrap(), [0; 4]);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn a_refused_remap_leaves_the_mapping() {
    let memory = SharedMemory::unnamed(10).unwrap();
    let mut mapping = memory.map(ReadWrite).unwrap();
    mapping.write_at(0, b"kept").unwrap();
    // Longer than most address spaces.
    if let Err(error) = memory.set_len(i64::MAX as u64 & !0xff_ffff) {
        assert_eq!(error.errno(), EFBIG);
        return skip("a refused remap", &error.to_string());
    }
    let Err(error) = memory.remap(&mut mapping) else {
        return skip("a refused remap", "this processor has addresses for it");
    };
    assert_eq!((error.call(), error.errno()), (Call::Mmap, libc::ENOMEM));
    assert_eq!(mapping.len(), 10);
    assert!(mapping.to_vec().unwrap().starts_with(b"kept"));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 has no sockets, and no status of pipes"
)]
fn refused_lengths() {
    let memory = SharedMemory::unnamed(10).unwrap();
    let max = i64::MAX.unsigned_abs();
    for len in [max + 1, u64::MAX] {
        let error = memory.set_len(len).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Ftruncate, EFBIG));
        assert_eq!(error.reason(), Reason::OffsetLimit(max));
        assert_eq!(SharedMemory::unnamed(len).unwrap_err(), error);
    }
    let error = memory.set_len(u64::MAX).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ftruncate to {} bytes: File too large (offset and length together must be at most \
             {max})",
            u64::MAX
        )
    );
    assert_eq!(memory.len().unwrap(), 10);

    // Not for writing, and nothing with a length.
    let read = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let error = SharedMemory::from(OwnedFd::from(read))
        .set_len(1)
        .unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::NotWritable)
    );
    let (reader, _writer) = std::io::pipe().unwrap();
    let pipe = SharedMemory::from(OwnedFd::from(reader));
    assert_eq!(pipe.set_len(1).unwrap_err().errno(), EINVAL);
    let error = pipe.map(ReadOnly).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENODEV, Reason::NotMappable(FileKind::Pipe))
    );

    let fd = memory.as_fd().as_raw_fd();
    let done = refusing_argument(
        SYS_FTRUNCATE,
        0,
        fd.unsigned_abs().into(),
        libc::EIO,
        || memory.set_len(5),
    );
    if let Some(result) = done {
        let error = result.unwrap_err();
        assert_eq!((error.errno(), error.reason()), (libc::EIO, Reason::Kernel));
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 duplicates no descriptors"
)]
fn any_file_is_memory_too() {
    let file = tempfile::tempfile().unwrap();
    let memory = SharedMemory::from(OwnedFd::from(file.try_clone().unwrap()));
    memory.set_len(100).unwrap();
    memory
        .map(ReadWrite)
        .unwrap()
        .write_at(95, b"there")
        .unwrap();
    let mapping = MapOptions::new()
        .offset(95)
        .map_shared(&file, ReadOnly)
        .unwrap();
    assert_eq!(mapping.to_vec().unwrap(), b"there");
}

#[test]
fn a_closed_descriptor_fails_like_one() {
    // Nobody has a descriptor of this number: `try_clone` of what cannot be cloned.
    // SAFETY: it is only handed to calls that fail for it, and nothing is ever opened there.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(i32::MAX) };
    let error = MapOptions::new().map_shared(fd, ReadOnly).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Fstat, EBADF));
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn huge_pages_in_memfds() {
    use unix_memory::{HugePageSize, MemfdOptions};

    let Some(size) = HugePageSize::system_default() else {
        return skip("memfds in huge pages", "the kernel has none");
    };
    let bytes = size.bytes();
    let memory = match MemfdOptions::new().huge_pages(size).create(1) {
        Ok(memory) => memory,
        Err(error) => return skip("memfds in huge pages", &error.to_string()),
    };
    assert_eq!(memory.len().unwrap(), bytes as u64, "rounded up");
    let error = memory.set_len(bytes as u64 + 1).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EINVAL, Reason::HugePages(bytes))
    );
    let odd = HugePageSize::from_bytes(4 * page_size()).unwrap();
    if odd != size {
        let error = MemfdOptions::new().huge_pages(odd).create(1).unwrap_err();
        assert!([EINVAL, ENODEV].contains(&error.errno()), "{error}");
        assert_eq!(error.reason(), Reason::HugePageSize(odd.bytes()));
        // A name that is too long is another matter.
        let long = std::ffi::CString::new([b'x'; 250]).unwrap();
        let options = MemfdOptions::new().huge_pages(size).name(&long);
        let error = options.create(1).unwrap_err();
        assert_eq!(error.reason(), Reason::Kernel, "{error}");
    }

    let fd = memory.as_fd().as_raw_fd();
    if lacks::huge_mappings(fd, bytes, "mappings of memfds in huge pages") {
        return;
    }
    let Some((_, _reserved)) = pool::pool(1, "mappings of memfds in huge pages") else {
        return;
    };
    let mapping = memory.map(ReadWrite).unwrap();
    assert_eq!(mapping.len(), bytes);
    mapping.write_at(bytes - 4, b"last").unwrap();
    drop(mapping);
    let again = memory.map(ReadOnly).unwrap();
    assert!(again.eq_at(bytes - 4, b"last").unwrap());
    // The pool has no second one, and so no copy.
    let error = MapOptions::new()
        .map_private(&memory, ReadWrite)
        .unwrap_err();
    assert_eq!(error.reason(), Reason::HugePagePool(bytes));
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten 3.1.6 cuts off what 32 bits of an offset cannot hold"
)]
fn lengths_that_32_bits_cannot_tell() {
    // Cut to 32 bits it would be ten.
    const LEN: u64 = (1 << 32) + 10;
    let memory = SharedMemory::unnamed(LEN).unwrap();
    assert_eq!(memory.len().unwrap(), LEN);
    // Few systems have memfds.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    {
        let memfd = unix_memory::MemfdOptions::new().create(LEN).unwrap();
        assert_eq!(memfd.len().unwrap(), LEN);
    }
    let too_long = |error: unix_memory::Error| {
        assert_eq!((size_of::<usize>(), error.errno()), (4, libc::ENOMEM));
        assert!(matches!(error.reason(), Reason::LengthLimit(_)), "{error}");
    };
    match memory.map(ReadWrite) {
        Ok(mapping) => assert_eq!(mapping.len() as u64, LEN),
        Err(error) => too_long(error),
    }
    // A mapping of ten bytes is not one of all.
    let options = MapOptions::new().len(10);
    let mut mapping = options.map_shared(&memory, ReadWrite).unwrap();
    match memory.remap(&mut mapping) {
        Ok(needed) => assert_eq!((needed, mapping.len() as u64), (true, LEN)),
        Err(error) => too_long(error),
    }
    memory.set_len(2 * LEN).unwrap();
    assert_eq!(memory.len().unwrap(), 2 * LEN);
}

/// Beyond this limit the system sends SIGXFSZ, which ends a process: nothing goes there.
#[test]
fn the_limit_on_the_size_of_files() {
    const LIMIT: u64 = 16_384;
    if lacks::own_process("a limit on the size of files") {
        return;
    }
    let name = format!("/unix-memory-limit-{}", std::process::id());
    let held = in_a_child(|| {
        limit_file_size(LIMIT).unwrap();
        let refused = (EFBIG, Reason::FileSizeLimit(LIMIT));
        let error = SharedMemory::unnamed(LIMIT + 1).unwrap_err();
        assert_eq!((error.errno(), error.reason()), refused);
        let memory = SharedMemory::unnamed(LIMIT).unwrap();
        let error = memory.set_len(LIMIT + 1).unwrap_err();
        assert_eq!((error.errno(), error.reason()), refused);
        let error = NamedMemory::create(&name, LIMIT + 1).unwrap_err();
        assert_eq!((error.errno(), error.reason()), refused);
    });
    assert!(held.success());
    assert_eq!(NamedMemory::open(&name).unwrap_err().errno(), ENOENT);
}
