//! Copies of memory that is gone, by each mechanism: an error that says how far they got.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use libc::{EFAULT, EINVAL, EMFILE, ENOSYS, ENOTSUP, EPERM};
use tests::{in_a_child, lacks, refusing_argument, seccomp, skip};
use unix_memory::{
    Call, Cursor, MapOptions, Mechanism, MemfdOptions, ReadOnly, ReadWrite, Reason, Seals,
    SharedMapping, SharedMemory, install_fault_handler, page_size,
};

/// The mechanisms that work here, apart from the choice that is made without any.
fn mechanisms() -> Vec<Option<Mechanism>> {
    let mapping = MapOptions::new()
        .len(1)
        .map_anonymous_shared(ReadOnly)
        .unwrap();
    let works = |&mechanism: &Mechanism| {
        let result = mapping.read_at_with(mechanism, 0, &mut [1]);
        if let Err(error) = result {
            assert!(matches!(error.errno(), ENOSYS | ENOTSUP | EPERM), "{error}");
            // That one has children of its own.
            if error.reason() != Reason::NoHandler {
                skip(&format!("{mechanism:?}"), &error.to_string());
            }
        }
        result.is_ok()
    };
    let all = [Mechanism::Handler, Mechanism::ProcessVm, Mechanism::Pipe];
    std::iter::once(None)
        .chain(all.into_iter().filter(works).map(Some))
        .collect()
}

fn read(
    mapping: &SharedMapping<ReadWrite>,
    by: Option<Mechanism>,
    offset: usize,
    buffer: &mut [u8],
) -> unix_memory::Result<()> {
    match by {
        None => mapping.read_at(offset, buffer),
        Some(mechanism) => mapping.read_at_with(mechanism, offset, buffer),
    }
}

fn write(
    mapping: &SharedMapping<ReadWrite>,
    by: Option<Mechanism>,
    offset: usize,
    bytes: &[u8],
) -> unix_memory::Result<()> {
    match by {
        None => mapping.write_at(offset, bytes),
        Some(mechanism) => mapping.write_at_with(mechanism, offset, bytes),
    }
}

/// The byte of the file at `offset`, never zero.
fn byte(offset: usize) -> u8 {
    u8::try_from(offset % 251).unwrap() + 1
}

const START: usize = 5;

/// A file of `pages` pages and its mapping from offset `START` on; then the file is cut to `left`
/// bytes.
fn truncated(pages: usize, left: usize) -> (File, SharedMapping<ReadWrite>) {
    let file = tempfile::tempfile().unwrap();
    let bytes: Vec<u8> = (0..pages * page_size()).map(byte).collect();
    file.write_all_at(&bytes, 0).unwrap();
    let options = MapOptions::new().offset(START as u64);
    let mapping = options.map_shared(&file, ReadWrite).unwrap();
    file.set_len(left as u64).unwrap();
    (file, mapping)
}

/// Every kind of copy over the end of a truncated file, by every mechanism that there is.
fn exactly_how_far() {
    let page = page_size();
    // 100 bytes are left of the second page; what is behind them in it reads as zeros.
    let (file, mapping) = truncated(4, page + 100);
    let end = 2 * page - START;
    for by in mechanisms() {
        println!("by {by:?}");
        for offset in [
            0,
            1,
            8,
            63,
            page - START,
            end - 65,
            end - 16,
            end - 7,
            end - 1,
            end,
        ] {
            for len in [1, 7, 16, 100, 1100, page, page + 3, mapping.len() - end] {
                if offset + len <= end {
                    continue;
                }
                let done = end - offset;
                let mut buffer = vec![0xff; len];
                let error = read(&mapping, by, offset, &mut buffer).unwrap_err();
                assert_eq!((error.call(), error.errno()), (Call::Read, EFAULT));
                assert_eq!(error.reason(), Reason::Fault { done, at: end });
                for (i, &got) in buffer.iter().enumerate() {
                    let at = START + offset + i;
                    let expected = match i {
                        _ if i >= done => 0xff,
                        _ if at < page + 100 => byte(at),
                        _ => 0,
                    };
                    assert_eq!(got, expected, "byte {i} of {len} at {offset}");
                }

                let error = write(&mapping, by, offset, &buffer).unwrap_err();
                assert_eq!((error.call(), error.errno()), (Call::Write, EFAULT));
                assert_eq!(error.reason(), Reason::Fault { done, at: end });
            }
        }
        // What lies before is read and written, to the last byte.
        let mut buffer = vec![0; end];
        read(&mapping, by, 0, &mut buffer).unwrap();
        write(&mapping, by, 0, &buffer).unwrap();
        // What was written before the fault is in the file.
        let bytes = vec![0xee; page];
        assert!(write(&mapping, by, end - 3000, &bytes[..]).is_err() || page <= 3000);
        write(&mapping, by, 0, &buffer).unwrap();
        let error = write(&mapping, by, page, &vec![7; mapping.len() - page]).unwrap_err();
        let done = end - page;
        assert_eq!(error.reason(), Reason::Fault { done, at: end });
        let mut written = vec![0; 95];
        file.read_exact_at(&mut written, (page + START) as u64)
            .unwrap();
        assert_eq!(written, [7; 95]);
        write(&mapping, by, 0, &buffer).unwrap();
    }
    assert_eq!(
        mapping
            .read_at(end - 10, &mut [0; 50])
            .unwrap_err()
            .to_string(),
        format!(
            "read_at of 50 bytes at {}: Bad address (after 10 bytes; those from {end} on are gone: \
             the file was truncated, or could not be read or written)",
            end - 10
        )
    );
    // Then the file grows, and all is there again.
    file.set_len(4 * page as u64).unwrap();
    assert_eq!(mapping.to_vec().unwrap().len(), 4 * page - START);
}

/// The other methods, over the end of a truncated file.
fn the_other_methods() {
    let page = page_size();
    let (_file, mapping) = truncated(4, 2 * page);
    let len = mapping.len();
    let end = 2 * page - START;

    for start in [0, 3, end - 1, end] {
        let error = mapping.fill(start.., 9).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Fill, EFAULT));
        let done = end - start;
        assert_eq!(error.reason(), Reason::Fault { done, at: end });
    }
    let mut buffer = vec![0; end];
    mapping.read_at(0, &mut buffer).unwrap();
    assert!(buffer.iter().all(|&byte| byte == 9));
    assert!(mapping.to_vec().is_err());

    // What differs before the fault is a result.
    let mut other = vec![9; len];
    let error = mapping.compare_at(0, &other).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Compare, EFAULT));
    assert_eq!(error.reason(), Reason::Fault { done: end, at: end });
    assert!(mapping.eq_at(0, &other).is_err());
    other[end - 1] = 10;
    assert_eq!(mapping.compare_at(0, &other).unwrap(), Ordering::Less);
    other[0] = 8;
    assert_eq!(mapping.compare_at(0, &other).unwrap(), Ordering::Greater);
    assert!(!mapping.eq_at(0, &other).unwrap());
    other[end - 1] = 9;
    assert!(mapping.eq_at(1, &other[1..end]).unwrap());

    // Down, where the target is gone: the last bytes are tried first, and none are copied.
    let error = mapping.copy_within(..page, end).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::CopyWithin, EFAULT));
    assert!(
        matches!(error.reason(), Reason::Fault { done: 0, at } if at >= end),
        "{error}"
    );
    // Up, from what is gone.
    let error = mapping.copy_within(end - 10..end + 10, 0).unwrap_err();
    assert_eq!(error.reason(), Reason::Fault { done: 10, at: end });
    mapping.fill(..end, 1).unwrap();
    let error = mapping.copy_within(end - page..len, 0).unwrap_err();
    assert_eq!(
        error.reason(),
        Reason::Fault {
            done: page,
            at: end
        }
    );
    assert_eq!(
        error.to_string().split(':').next().unwrap(),
        format!(
            "copy_within of {} bytes at {} to 0",
            len - end + page,
            end - page
        )
    );

    let mut chunks = mapping.chunks(page);
    assert_eq!(chunks.len(), 4);
    assert_eq!(chunks.next().unwrap().unwrap(), vec![1; page]);
    let error = chunks.next().unwrap().unwrap_err();
    assert_eq!(
        error.reason(),
        Reason::Fault {
            done: end - page,
            at: end
        }
    );
    assert!(chunks.next().unwrap().is_err());
    assert!(chunks.next().unwrap().is_err());
    assert!(chunks.next().is_none() && chunks.next().is_none());

    if !lacks::advice("populating what is gone") {
        let populated = mapping.populate();
        assert_eq!(populated.unwrap_err().errno(), EFAULT);
    }
}

/// A cursor over a truncated file: what is there, then an error.
fn a_cursor() {
    let page = page_size();
    let (_file, mapping) = truncated(4, page);
    let end = page - START;
    let mut cursor = Cursor::new(&mapping);
    let mut buffer = vec![0; 2 * page];
    assert_eq!(cursor.read(&mut buffer).unwrap(), end);
    assert_eq!(cursor.position(), end as u64);
    let error = cursor.read(&mut buffer).unwrap_err();
    assert_eq!(
        error.kind(),
        std::io::Error::from_raw_os_error(EFAULT).kind()
    );
    let inner = error
        .get_ref()
        .unwrap()
        .downcast_ref::<unix_memory::Error>();
    assert_eq!(inner.unwrap().reason(), Reason::Fault { done: 0, at: end });
    assert_eq!(cursor.read(&mut []).unwrap(), 0);

    cursor.rewind().unwrap();
    assert!(cursor.read_exact(&mut buffer).is_err());
    cursor.rewind().unwrap();
    let mut all = vec![3];
    assert!(cursor.read_to_end(&mut all).is_err());
    assert_eq!(all.len(), 1 + end);

    cursor.seek(SeekFrom::Start(end as u64 - 7)).unwrap();
    assert_eq!(cursor.fill_buf().unwrap().len(), 7);
    cursor.consume(7);
    assert!(cursor.fill_buf().is_err());
    cursor.set_position(end as u64 - 7);
    assert_eq!(cursor.write(&[1; 10]).unwrap(), 7);
    assert!(cursor.write(&[1; 10]).is_err());
    assert!(cursor.write_all(&[1; 10]).is_err());
    cursor.set_position(mapping.len() as u64);
    assert_eq!(
        cursor.write_all(&[1]).unwrap_err().kind(),
        ErrorKind::WriteZero
    );
}

#[test]
fn without_a_handler() {
    if lacks::own_pages("copies over a truncated file") {
        return;
    }
    if lacks::own_pages("copies past the end of a truncated file") {
        return;
    }
    exactly_how_far();
    the_other_methods();
    a_cursor();
}

#[test]
fn with_a_handler() {
    if lacks::own_pages("copies over a truncated file, by the handler") {
        return;
    }
    if lacks::own_pages("copies past the end of a truncated file") {
        return;
    }
    let ended = in_a_child(|| match install_fault_handler() {
        Ok(()) => {
            exactly_how_far();
            the_other_methods();
            a_cursor();
        }
        Err(error) => {
            assert_eq!((error.call(), error.errno()), (Call::Sigaction, ENOSYS));
            assert_eq!(error.reason(), Reason::Unsupported);
            skip("copies by the handler", &error.to_string());
        }
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// Without a call for it, pages are brought in by copies.
#[test]
fn populating_what_is_gone() {
    if lacks::advice("populating what is gone") {
        return;
    }
    let (file, mapping) = truncated(4, page_size());
    let advice = libc::MADV_POPULATE_READ.unsigned_abs();
    let populate = || mapping.populate().unwrap_err().errno();
    assert_eq!(populate(), EFAULT);
    let without = refusing_argument(libc::SYS_madvise, 2, advice.into(), EINVAL, populate);
    assert!(without.is_none_or(|errno| errno == EFAULT));
    file.set_len(4 * page_size() as u64).unwrap();
    let populate = || mapping.populate();
    refusing_argument(libc::SYS_madvise, 2, advice.into(), EINVAL, populate)
        .transpose()
        .unwrap();
}

/// Memory without a file does not grow with its mapping.
#[test]
fn anonymous_memory_that_was_resized() {
    let check = || {
        let page = page_size();
        let options = MapOptions::new().len(page);
        let mut mapping = options.map_anonymous_shared(ReadWrite).unwrap();
        mapping.resize(3 * page).unwrap();
        let error = mapping.write_at(page - 5, &[1; 10]).unwrap_err();
        assert_eq!(error.reason(), Reason::Fault { done: 5, at: page });
        assert!(mapping.to_vec().is_err());
        assert!(mapping.eq_at(page - 6, &[0, 1, 1, 1, 1, 1]).unwrap());
    };
    check();
    with_the_handler(check);
}

/// Runs `check` in a child that has the handler, where there is one.
fn with_the_handler(check: impl FnOnce()) {
    let ended = in_a_child(|| match install_fault_handler() {
        Ok(()) => check(),
        Err(error) => skip("copies by the handler", &error.to_string()),
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// To the kernel, shared memory without a file has one, which root can truncate.
#[test]
fn anonymous_memory_that_was_truncated() {
    let len = 4 * page_size();
    let mapping = MapOptions::new().len(len).map_anonymous_shared(ReadWrite);
    let mapping = mapping.unwrap();
    mapping.fill(.., 7).unwrap();
    let start = mapping.as_ptr().addr();
    let path = format!("/proc/self/map_files/{start:x}-{:x}", start + len);
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) => return skip("anonymous memory that was truncated", &error.to_string()),
    };
    file.set_len(page_size() as u64).unwrap();
    let check = || {
        let at = page_size();
        let error = mapping.read_at(0, &mut vec![1; len]).unwrap_err();
        assert_eq!(error.reason(), Reason::Fault { done: at, at });
        let error = mapping.write_at(at - 1, &[1; 2]).unwrap_err();
        assert_eq!(error.reason(), Reason::Fault { done: 1, at });
        assert!(mapping.fill(at.., 1).is_err());
        assert!(mapping.copy_within(at.., 0).is_err());
        assert!(mapping.eq_at(at, &[0]).is_err());
        assert!(mapping.chunks(at).nth(1).unwrap().is_err());
    };
    check();
    with_the_handler(check);
}

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

/// The kernel's copies between processes are refused with `errno`.
fn without_process_vm<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    let us = u64::from(std::process::id());
    refusing_argument(libc::SYS_process_vm_readv, 0, us, errno, || {
        refusing_argument(libc::SYS_process_vm_writev, 0, us, errno, f)
    })
    .flatten()
}

#[test]
fn a_filter_that_forbids_process_vm() {
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
            assert_eq!(error.reason(), Reason::Fault { done: 4, at: end });
            let error = mapping.write_at(end - 4, &bytes).unwrap_err();
            assert_eq!(error.reason(), Reason::Fault { done: 4, at: end });
        });
    }
}

/// No pipe can be opened either.
fn without_pipes<R: Send>(f: impl FnOnce() -> R + Send) -> Option<R> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
    let flags = u64::from(flags.unsigned_abs());
    refusing_argument(libc::SYS_pipe2, 1, flags, EMFILE, f)
}

#[test]
fn no_mechanism_is_left() {
    let end = page_size() - START;
    let (_file, mapping) = truncated(2, page_size());
    without_pipes(|| {
        if mapping
            .read_at_with(Mechanism::ProcessVm, 0, &mut [0])
            .is_ok()
        {
            // Its own word for what is gone is enough then.
            let error = mapping.read_at(end - 4, &mut [0; 9]).unwrap_err();
            assert_eq!(error.reason(), Reason::Fault { done: 4, at: end });
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
                "read_at of 1 bytes at 0: Too many open files"
            );
            assert_eq!(mapping.write_at(0, &[0]).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.fill(.., 0).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.copy_within(..1, 3).unwrap_err().errno(), EMFILE);
            assert_eq!(mapping.eq_at(0, &[0]).unwrap_err().errno(), EMFILE);
            assert_eq!(
                Cursor::new(&mapping).fill_buf().unwrap_err().raw_os_error(),
                None
            );

            // Nor is memory without a file copied by the processor alone: it may be gone, too.
            let mapping = MapOptions::new().len(9).map_anonymous_shared(ReadWrite);
            let filled = mapping.unwrap().fill(.., 1).map_err(|error| error.errno());
            assert_eq!(filled, Err(EMFILE));
        });
    });
}

/// Under the handler, copies make no system calls, whatever memory it is; without, all make some.
#[test]
fn all_memory_is_copied_alike() {
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
        let action = libc::SECCOMP_RET_ERRNO | EPERM.unsigned_abs();
        for call in [
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_pipe2,
        ] {
            if let Err(error) = seccomp::filter(call, None, action, 0) {
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
#[test]
fn memory_that_process_vm_does_not_know() {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

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
    assert_eq!(error.unwrap_err().errno(), EFAULT);
    mapping.write_at(1, b"secret").unwrap();
    assert!(mapping.eq_at(0, b"\0secret\0").unwrap());
}

/// A disk that is full: tmpfs, which only root can mount.
#[test]
fn a_disk_without_room() {
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
        let Reason::Fault { done, at } = error.reason() else {
            panic!("{error}");
        };
        assert_eq!(done, at);
        // A copy may have been begun in a page for which there was room.
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
struct Mounted(std::ffi::CString);

impl Mounted {
    fn at(path: &std::path::Path, size: usize) -> Option<Self> {
        let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let options = std::ffi::CString::new(format!("size={size}")).unwrap();
        // SAFETY: the strings end in zeros.
        let result = unsafe {
            libc::mount(
                c"none".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        (result == 0).then_some(Self(path))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // SAFETY: the string ends in a zero.
        unsafe { libc::umount2(self.0.as_ptr(), libc::MNT_DETACH) };
    }
}
