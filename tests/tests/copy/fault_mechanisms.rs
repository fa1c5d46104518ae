//! How bytes are copied: what each mechanism needs, and what is left when it is refused.

use std::io::BufRead;

use libc::{EINVAL, EMFILE, ENOSYS, ENOTSUP, EPERM};
use tests::copies::{START, mechanisms, stopped, truncated};
use tests::seccomp::{SYS_PIPE2, SYS_PROCESS_VM_READV, SYS_PROCESS_VM_WRITEV};
use tests::{lacks, refusing_argument};
use unix_memory::{Cursor, MapOptions, Mechanism, ReadWrite, Reason, page_size};

#[test]
fn the_handler_must_be_there() {
    let mapping = MapOptions::new()
        .len(1)
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    for result in [
        mapping.read_at_with(Mechanism::Handler, 0, &mut [0]),
        mapping.write_at_with(Mechanism::Handler, 0, &[0]),
    ] {
        let error = result.unwrap_err();
        let told = (error.errno(), error.reason());
        assert!(
            told == (ENOTSUP, Reason::NoHandler) || told == (ENOSYS, Reason::Unsupported),
            "{error}"
        );
    }
    for mechanism in mechanisms().into_iter().flatten() {
        let error = mapping.read_at_with(mechanism, 1, &mut [0]).unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::MappingLength(1))
        );
        let error = mapping
            .write_at_with(mechanism, usize::MAX, &[0])
            .unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (EINVAL, Reason::MappingLength(1))
        );
        mapping.read_at_with(mechanism, 1, &mut []).unwrap();
    }
}

/// The descriptors of a copy by a pipe are closed after it.
#[test]
fn no_descriptor_stays_open() {
    let check = "descriptors of copies";
    if lacks::own_process(check) {
        return;
    }
    let ended = tests::in_a_child(|| {
        let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite);
        let mapping = mapping.unwrap();
        // SAFETY: the command takes nothing more, and reads.
        let is_open = |&fd: &i32| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1;
        let open = || (0..1000).filter(is_open).count();
        let before = open();
        for mechanism in mechanisms().into_iter().flatten() {
            mapping.write_at_with(mechanism, 0, b"bytes").unwrap();
            let mut bytes = [0; 5];
            mapping.read_at_with(mechanism, 0, &mut bytes).unwrap();
            assert_eq!(&bytes, b"bytes");
            assert_eq!(open(), before, "{mechanism:?}");
        }
    });
    assert!(ended.success(), "{ended}");
}

/// The kernel's copies between processes are refused with `errno`.
fn without_process_vm<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    let us = u64::from(std::process::id());
    refusing_argument(SYS_PROCESS_VM_READV, 0, us, errno, || {
        refusing_argument(SYS_PROCESS_VM_WRITEV, 0, us, errno, f)
    })
    .flatten()
}

#[test]
fn a_filter_that_forbids_process_vm() {
    if lacks::shared_files("memory that process_vm_readv refuses") {
        return;
    }
    let end = page_size() - START;
    let (_file, mapping) = truncated(2, page_size());
    for errno in [EPERM, ENOSYS] {
        without_process_vm(errno, || {
            let error = mapping
                .read_at_with(Mechanism::ProcessVm, 0, &mut [0])
                .unwrap_err();
            assert_eq!((error.errno(), error.reason()), (errno, Reason::Kernel));
            let error = mapping
                .write_at_with(Mechanism::ProcessVm, 0, &[0])
                .unwrap_err();
            assert_eq!((error.errno(), error.reason()), (errno, Reason::Kernel));

            mapping.write_at(0, b"by a pipe").unwrap();
            let mut bytes = [0; 9];
            mapping.read_at(0, &mut bytes).unwrap();
            assert_eq!(&bytes, b"by a pipe");
            let error = mapping.read_at(end - 4, &mut bytes).unwrap_err();
            assert_eq!(error.reason(), stopped(4, end));
            let error = mapping.write_at(end - 4, &bytes).unwrap_err();
            assert_eq!(error.reason(), stopped(4, end));
        });
    }
}

/// No pipe can be opened either.
fn without_pipes<R: Send>(f: impl FnOnce() -> R + Send) -> Option<R> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    let flags = u64::from(flags.unsigned_abs());
    refusing_argument(SYS_PIPE2, 1, flags, EMFILE, f)
}

#[test]
fn no_mechanism_is_left() {
    if lacks::shared_files("copies without a mechanism") {
        return;
    }
    let end = page_size() - START;
    let (_file, mapping) = truncated(2, page_size());
    without_pipes(|| {
        if mapping
            .read_at_with(Mechanism::ProcessVm, 0, &mut [0])
            .is_ok()
        {
            // Its own error for what is gone is enough then.
            let error = mapping.read_at(end - 4, &mut [0; 9]).unwrap_err();
            assert_eq!(error.reason(), stopped(4, end));
        }
        let error = mapping
            .read_at_with(Mechanism::Pipe, 0, &mut [0])
            .unwrap_err();
        assert_eq!((error.errno(), error.reason()), (EMFILE, Reason::Kernel));
        without_process_vm(EPERM, || {
            let error = mapping.read_at(0, &mut [0]).unwrap_err();
            assert_eq!((error.errno(), error.reason()), (EMFILE, Reason::Kernel));
            assert_eq!(
                error.to_string(),
                "read_at of 1 byte at 0: Too many open files (the process has as many descriptors as it \
                 may have (RLIMIT_NOFILE): close some, or raise the limit)"
            );
            assert_eq!(mapping.write_at(0, &[0]).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.fill(.., 0).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.copy_within(..1, 3).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.eq_at(0, &[0]).unwrap_err().errno(), EMFILE);
            assert_eq!(
                Cursor::new(&mapping).fill_buf().unwrap_err().raw_os_error(),
                None
            );

            // Memory without a file is not copied by the processor alone either, since it may be
            // gone too.
            let mapping = MapOptions::new().len(9).map_anonymous_shared(ReadWrite);
            let filled = mapping.unwrap().fill(.., 1).map_err(|error| error.errno());
            assert_eq!(filled, Err(EMFILE));
        });
    });
}

/// Under the handler, copies make no system calls, whatever memory it is; without, all make some.
// Few systems have seals.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn all_memory_is_copied_alike() {
    use tests::{in_a_child, seccomp, skip};
    use unix_memory::{MemfdOptions, Seals, SharedMemory, install_fault_handler};

    let anonymous = MapOptions::new().len(100).map_anonymous_shared(ReadWrite);
    let sealed = MemfdOptions::new().sealing(true).create(100).unwrap();
    sealed.add_seals(Seals::SHRINK | Seals::GROW).unwrap();
    let unnamed = SharedMemory::unnamed(100).unwrap();
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    let mappings = [
        anonymous.unwrap(),
        sealed.map(ReadWrite).unwrap(),
        unnamed.map(ReadWrite).unwrap(),
        MapOptions::new().map_shared(&file, ReadWrite).unwrap(),
    ];
    let check = |expected: Result<(), i32>| {
        let errno = |result: unix_memory::Result<()>| result.map_err(|error| error.errno());
        for mapping in &mappings {
            mapping.read_at(0, &mut []).unwrap();
            assert_eq!(errno(mapping.write_at(90, b"by itself")), expected);
            assert_eq!(errno(mapping.fill(1..3, 7)), expected);
            assert_eq!(errno(mapping.read_at(5, &mut [0; 20])), expected);
        }
    };
    without_pipes(|| without_process_vm(EPERM, || check(Err(EMFILE))));
    let ended = in_a_child(|| {
        if let Err(error) = install_fault_handler() {
            return skip("copies by the handler", &error.to_string());
        }
        for call in [SYS_PROCESS_VM_READV, SYS_PROCESS_VM_WRITEV, SYS_PIPE2] {
            if let Err(error) = seccomp::refuse(call, None, EPERM) {
                return skip("copies without the kernel", &error.to_string());
            }
        }
        check(Ok(()));
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// Secret memory is none for the kernel's copies between processes, as a device's is not, but it is
/// there. The other architectures have none.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64"
))]
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn memory_that_process_vm_does_not_know() {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use tests::skip;

    // SAFETY: it touches no memory.
    let fd = unsafe { unix_memory_sys::memfd_secret(0) };
    if fd == -1 {
        let error = std::io::Error::last_os_error();
        return skip("memory that process_vm_readv refuses", &error.to_string());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the descriptor is open.
    let result = unsafe { libc::ftruncate(fd.as_raw_fd(), page_size().try_into().unwrap()) };
    assert_eq!(result, 0);
    let mapping = MapOptions::new().map_shared(&fd, ReadWrite).unwrap();
    let error = mapping.read_at_with(Mechanism::ProcessVm, 0, &mut [0]);
    assert_eq!(error.unwrap_err().errno(), libc::EFAULT);
    mapping.write_at(1, b"secret").unwrap();
    assert!(mapping.eq_at(0, b"\0secret\0").unwrap());
}

/// In a child whose process number is another, or the same as that of its parent.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn as_the_first_process_of_a_namespace() {
    if lacks::own_pages("a file that was truncated, in a child") {
        return;
    }
    tests::here_and_as_the_first_process(|| {
        for by in mechanisms() {
            let (_file, mapping) = truncated(2, page_size());
            let mut found = [0; 9];
            tests::copies::read(&mapping, by, 0, &mut found).unwrap();
            assert_eq!(
                found.map(usize::from),
                std::array::from_fn(|i| START + i + 1)
            );
            let error = tests::copies::read(&mapping, by, page_size(), &mut found).unwrap_err();
            assert_eq!(error.errno(), libc::EFAULT, "{by:?}: {error}");
        }
    });
}

/// A disk that is full: tmpfs, which only root can mount.
// A file system is mounted as Linux does.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_disk_without_room() {
    use std::fs::File;

    use tests::copies::write;
    use tests::{in_a_child, skip};
    use unix_memory::install_fault_handler;

    let directory = tempfile::tempdir().unwrap();
    let page = page_size();
    let Some(_mounted) = Mounted::at(directory.path(), 8 * page) else {
        return skip("a full disk", "only root can mount one");
    };
    let check = |by| {
        let path = directory.path().join("holes");
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(true);
        let file = file.open(path).unwrap();
        file.set_len(64 * page as u64).unwrap();
        let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
        let bytes = vec![1; mapping.len()];
        let error = write(&mapping, by, 0, &bytes).unwrap_err();
        let Reason::Fault { done, at, .. } = error.reason() else {
            panic!("{error}");
        };
        assert_eq!(done, at);
        // A copy may have begun in a page for which there was room.
        assert!(
            (page..=8 * page).contains(&done) && done % page == 0,
            "{done}"
        );
        let mut back = vec![0; done];
        mapping.read_at(0, &mut back).unwrap();
        assert!(back == bytes[..done]);
        assert!(mapping.fill(.., 2).is_err());
    };
    for by in mechanisms() {
        check(by);
    }
    let ended = in_a_child(|| {
        if install_fault_handler().is_ok() {
            check(None);
            check(Some(Mechanism::Handler));
        }
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// A file system of its own, unmounted on drop.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct Mounted(std::ffi::CString);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Mounted {
    fn at(path: &std::path::Path, size: usize) -> Option<Self> {
        let options = format!("size={size}");
        tests::mounts::mount("none", path, "tmpfs", 0, &options).ok()?;
        Some(Self(
            std::ffi::CString::new(path.to_str().unwrap()).unwrap(),
        ))
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Drop for Mounted {
    fn drop(&mut self) {
        // SAFETY: the string ends in a zero.
        unsafe { libc::umount2(self.0.as_ptr(), libc::MNT_DETACH) };
    }
}
