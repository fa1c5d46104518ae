//! Copies that fail because of the caller's own buffer, not the mapping; and what happens if there is
//! no memory for a buffer.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;

use libc::{EFAULT, ENOMEM, SIGBUS};
use tests::copies::stopped;
use tests::{in_a_child, kernel, lacks, limit_address_space, skip};
use unix_memory::{
    Call, Cursor, MapOptions, Mapping, Mechanism, ReadOnly, ReadWrite, Reason, SharedMapping,
    install_fault_handler, page_size,
};

/// A buffer of three pages, of which the last two are gone: somebody vouched for a file and was wrong.
fn broken_buffer() -> Mapping<ReadWrite> {
    let file = tempfile::tempfile().unwrap();
    file.set_len(3 * page_size() as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    // SAFETY: it is truncated below, before a slice of it is made; what is gone is only given to
    // copies, as a range of bytes.
    let mapping = unsafe { mapping.assume_unshared() };
    file.set_len(page_size() as u64).unwrap();
    mapping
}

fn memory(pages: usize) -> SharedMapping<ReadWrite> {
    let options = MapOptions::new().len(pages * page_size());
    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    mapping.fill(.., 5).unwrap();
    mapping
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn the_kernel_says_which_side_it_is() {
    if lacks::own_pages("a buffer that is gone") {
        return;
    }
    let page = page_size();
    let mapping = memory(3);
    let mut buffer = broken_buffer();
    for by in [None, Some(Mechanism::ProcessVm), Some(Mechanism::Pipe)] {
        let (read, written) = match by {
            None => (
                mapping.read_at(0, &mut buffer),
                mapping.write_at(0, &buffer),
            ),
            Some(by) => {
                if let Err(error) = mapping.read_at_with(by, 0, &mut [0]) {
                    skip(&format!("{by:?}"), &error.to_string());
                    continue;
                }
                (
                    mapping.read_at_with(by, 0, &mut buffer),
                    mapping.write_at_with(by, 0, &buffer),
                )
            }
        };
        for (result, call) in [(read, Call::Read), (written, Call::Write)] {
            let error = result.unwrap_err();
            assert_eq!((error.call(), error.errno()), (call, EFAULT), "{by:?}");
            assert_eq!(error.reason(), Reason::Kernel, "{by:?}");
        }
        // The existing part of the buffer is not changed.
        assert_eq!(buffer[..page], vec![5; page]);
        // If both are gone, the error names the buffer if that faults first, and the mapping
        // otherwise.
        let (_file, cut) = cut(3, 0);
        let error = cut.read_at(0, &mut buffer[..page]).unwrap_err();
        assert_eq!(error.reason(), stopped(0, 0));
        let error = cut.write_at(0, &buffer[..page]).unwrap_err();
        assert_eq!(error.reason(), stopped(0, 0));
    }
    let other = mapping.compare_at(0, &buffer[..page]).unwrap();
    assert!(other.is_eq());
}

/// A file of that many pages, mapped, and then cut to `left` bytes.
fn cut(pages: usize, left: u64) -> (File, SharedMapping<ReadWrite>) {
    let file = tempfile::tempfile().unwrap();
    file.set_len((pages * page_size()) as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    file.set_len(left).unwrap();
    (file, mapping)
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn with_a_handler_it_is_the_crash_that_it_is() {
    if lacks::own_pages("a buffer that is gone, under the handler") {
        return;
    }
    let page = page_size();
    let has_handler = in_a_child(|| install_fault_handler().unwrap()).success();
    if !has_handler {
        return skip("copies by the handler", "none for this system");
    }
    let mapping = memory(3);
    let mut buffer = broken_buffer();
    let address: *mut u8 = buffer.as_mut_ptr();
    // Short and long ones, in the wide part of a copy and byte by byte; also in a child of `fork`.
    for len in [1, 7, 40, 2 * page] {
        let start = (2 * page - 1).min(3 * page - len);
        for is_read in [true, false] {
            let ended = in_a_child(|| {
                install_fault_handler().unwrap();
                mapping.read_at(0, &mut [0]).unwrap();
                let start = address.wrapping_add(start);
                let crash = || {
                    if is_read {
                        // SAFETY: the buffer lies in the mapping, and nobody else uses it.
                        let buffer = unsafe { std::slice::from_raw_parts_mut(start, len) };
                        let _crash = mapping.read_at(0, buffer);
                    } else {
                        // SAFETY: as above.
                        let buffer = unsafe { std::slice::from_raw_parts(start, len) };
                        let _crash = mapping.write_at(0, buffer);
                    }
                };
                let ended = in_a_child(crash);
                assert_eq!(ended.signal(), Some(SIGBUS), "{ended}");
                crash();
            });
            assert_eq!(ended.signal(), Some(SIGBUS), "{ended}: {is_read} {len}");
        }
    }
    // The mapping's own faults stay errors, and leave the buffer as it was.
    let ended = in_a_child(|| {
        install_fault_handler().unwrap();
        let (_file, mapping) = cut(3, page_size() as u64);
        let mut bytes = vec![9; 100];
        let error = mapping.read_at(page - 50, &mut bytes).unwrap_err();
        assert_eq!(error.reason(), stopped(50, page));
        assert_eq!(bytes[50..], [9; 50]);
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// A file of holes that is longer than there is address space for a copy.
#[test]
fn no_memory_for_a_copy_is_an_error() {
    const LEN: u64 = 1 << 30;
    if lacks::own_process("no memory for a copy") {
        return;
    }
    let ended = in_a_child(|| {
        let file = tempfile::tempfile().unwrap();
        file.set_len(LEN).unwrap();
        let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
        let mut bytes = vec![1, 2, 3];
        let Some(used) = kernel::virtual_size().get() else {
            return;
        };
        if let Err(error) = limit_address_space((used + (64 << 20)) as u64) {
            return skip("no memory for a copy", &error.to_string());
        }
        let error = mapping.to_vec().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Read, ENOMEM));
        let len = mapping.len();
        let mut chunks = mapping.chunks(len - 1);
        let error = chunks.next().unwrap().unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Read, ENOMEM));
        assert_eq!(chunks.next().unwrap().unwrap(), [0]);
        let mut cursor = Cursor::new(&mapping);
        let error = cursor.read_to_end(&mut bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!((cursor.position(), &bytes[..]), (0, &[1, 2, 3][..]));
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// Memory for a copy is taken as it is filled, and not before.
#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn what_is_not_copied_takes_no_memory() {
    let ended = in_a_child(|| {
        let page = page_size();
        let pages = (256 << 20) / page;
        let (_file, mapping) = cut(pages, page as u64);
        let before = kernel::peak_resident_size();
        let error = mapping.to_vec().unwrap_err();
        let fault = stopped(page, page);
        assert_eq!(error.reason(), fault);
        let error = mapping.chunks(128 << 20).next().unwrap().unwrap_err();
        assert_eq!(error.reason(), fault);
        let mut bytes = Vec::new();
        assert!(Cursor::new(&mapping).read_to_end(&mut bytes).is_err());
        assert_eq!(bytes.len(), page);
        let after = kernel::peak_resident_size();
        let enough = before.map(|before| before + (64 << 20)).get();
        assert!(
            enough.is_none_or(|enough| after.is(|&after| after < enough)),
            "{before:?}, then {after:?} bytes"
        );
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// When the main thread has ended, the process's number stands for no memory.
// Only Linux ends one thread and leaves the others, and copies by the number of a process.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn after_the_main_thread() {
    use std::ptr;

    let mapping = memory(1);
    if let Err(error) = mapping.read_at_with(Mechanism::ProcessVm, 0, &mut [0]) {
        return skip("copies after the main thread", &error.to_string());
    }
    let ended = in_a_child(|| {
        let mut thread = std::mem::MaybeUninit::uninit();
        let argument: *const SharedMapping<ReadWrite> = &raw const mapping;
        // SAFETY: the mapping lives as long as the process, whose main thread never returns.
        let failed = unsafe {
            libc::pthread_create(
                thread.as_mut_ptr(),
                ptr::null(),
                copy_alone,
                argument.cast_mut().cast(),
            )
        };
        assert_eq!(failed, 0);
        // SAFETY: it ends this thread alone.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
    assert_eq!(ended.code(), Some(55), "{ended}");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
extern "C" fn copy_alone(mapping: *mut libc::c_void) -> *mut libc::c_void {
    use libc::ESRCH;

    // SAFETY: it is that of the test, which lives on.
    let mapping = unsafe { &*mapping.cast::<SharedMapping<ReadWrite>>() };
    let gone = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        let mut byte = 0u8;
        let mut near = libc::iovec {
            iov_base: (&raw mut byte).cast(),
            iov_len: 1,
        };
        let far = libc::iovec {
            iov_base: mapping.as_ptr().cast_mut().cast(),
            iov_len: 1,
        };
        let us = std::process::id().cast_signed();
        // SAFETY: the byte can be written, and that of the mapping read.
        let read = unsafe { libc::process_vm_readv(us, &raw mut near, 1, &raw const far, 1, 0) };
        read == -1 && std::io::Error::last_os_error().raw_os_error() == Some(ESRCH)
    });
    let mut byte = [0];
    let good = gone
        && mapping.read_at_with(Mechanism::ProcessVm, 3, &mut byte) == Ok(())
        && byte == [5]
        && mapping.write_at_with(Mechanism::ProcessVm, 3, &[6]) == Ok(())
        && mapping.eq_at(2, &[5, 6, 5]) == Ok(true);
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(if good { 55 } else { 56 }) };
}
