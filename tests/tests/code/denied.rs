//! Code if the kernel lets no writable memory become executable, and if other calls fail.
// Emscripten enforces no protections, so it has no such code.
#![cfg(not(target_os = "emscripten"))]

use libc::{EACCES, ENOMEM, EPERM, PROT_EXEC, PROT_READ, PROT_WRITE};
use tests::machine_code::{call, code};
use tests::seccomp::{SYS_MEMFD_CREATE, SYS_MPROTECT, mmap_call};
use tests::{Permissions, in_a_child, lacks, permissions, refusing_argument, skip};
use unix_memory::code::{CodeBuffer, Way};
use unix_memory::{Call, MapOptions, Mapping, ReadExecute, ReadWriteExecute, Reason, page_size};

const EXECUTABLE: u64 = (PROT_READ | PROT_EXEC).unsigned_abs() as u64;
const WRITABLE: u64 = (PROT_READ | PROT_WRITE).unsigned_abs() as u64;

/// Makes the kernel refuse, permanently and for this process, to make memory executable that was
/// not executable when it was mapped.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn deny() -> std::io::Result<()> {
    const SET_MDWE: libc::c_int = 65;
    const REFUSE_EXEC_GAIN: libc::c_ulong = 1;
    // SAFETY: the call takes integers.
    if unsafe { libc::prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

/// Only Linux has such a call.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn deny() -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Runs `f` in a child that cannot make memory executable.
fn where_it_is_denied(f: impl FnOnce()) {
    // Asked once here: another thread may be about to ask, and a child would wait for it forever.
    let _known = permissions(std::ptr::from_ref(&f).cast());
    let child = in_a_child(|| match deny() {
        Ok(()) => {
            // An emulator may take the call for itself.
            let taken = Mapping::anonymous(page_size())
                .unwrap()
                .protect(ReadExecute)
                .is_err();
            if taken {
                f();
            } else {
                skip(
                    "denied flips",
                    "an emulator takes PR_SET_MDWE and does not do it",
                );
            }
        }
        Err(error) => skip("denied flips", &format!("no PR_SET_MDWE: {error}")),
    });
    assert!(child.success());
}

/// Writes code into `buffer`, makes it executable, and runs it.
fn runs(mut buffer: CodeBuffer) {
    let Some(code) = code(5) else { return };
    buffer[..code.len()].copy_from_slice(&code);
    let code = buffer.into_executable().unwrap();
    // SAFETY: it was just written, and is not touched while it runs.
    assert_eq!(unsafe { call(code.as_ptr()) }, 5);
    if lacks::execution("what can be executed") {
        return;
    }
    let executable = Permissions::READ | Permissions::EXECUTE;
    assert!(
        permissions(code.as_ptr()).is(|it| *it & (executable | Permissions::WRITE) == executable)
    );
}

#[test]
fn a_process_that_denies_flips_has_two_mappings() {
    where_it_is_denied(|| {
        let error = CodeBuffer::with(100, Way::Flip).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        assert_eq!(error.reason(), Reason::ExecuteDenied);
        let options = MapOptions::new().len(100);
        let error = options.map_anonymous(ReadWriteExecute).unwrap_err();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::Mmap, EACCES, Reason::ExecuteDenied)
        );
        let buffer = CodeBuffer::new(100).unwrap();
        assert_eq!(buffer.way(), Way::DualMapping);
        runs(buffer);
        runs(CodeBuffer::with(100, Way::DualMapping).unwrap());

        let code = CodeBuffer::new(100).unwrap().into_executable().unwrap();
        let mut buffer = code.into_writable().unwrap();
        buffer[99] = 1;
        let mut code = buffer.into_executable().unwrap();
        // SAFETY: nobody executes it.
        unsafe { code.patch(98, &[2]) }.unwrap();
        let mut bytes = [0; 2];
        code.read_at(98, &mut bytes).unwrap();
        assert_eq!(bytes, [2, 1]);
    });
}

#[test]
fn what_is_denied_later_comes_back() {
    let buffer = CodeBuffer::with(page_size(), Way::Flip);
    let Ok(mut buffer) = buffer else {
        skip("flips", "they are refused here");
        return;
    };
    buffer.fill(3);
    let executable = CodeBuffer::with(page_size(), Way::Flip).unwrap();
    let executable = executable.into_executable().unwrap();
    where_it_is_denied(move || {
        let failed = buffer.into_executable().unwrap_err();
        let (error, mut buffer) = failed.into_parts();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        assert!(permissions(buffer.as_ptr()).contains(Permissions::WRITE));
        assert!(buffer.iter().all(|&byte| byte == 3));
        buffer[0] = 4;
        // What is executable may become writable, and is then denied as well.
        let buffer = executable.into_writable().unwrap();
        assert_eq!(buffer.into_executable().unwrap_err().error(), error);
    });
}

#[test]
fn a_filter_that_denies_flips_is_noticed() {
    let _ran = refusing_argument(SYS_MPROTECT, 2, EXECUTABLE, EPERM, || {
        let error = CodeBuffer::with(100, Way::Flip).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EPERM));
        let buffer = CodeBuffer::new(100).unwrap();
        assert_eq!(buffer.way(), Way::DualMapping);
        runs(buffer);
        // If nothing works, the last error is returned.
        let _ran = refusing_argument(SYS_MEMFD_CREATE, 1, memfd_flags(), EACCES, || {
            let error = CodeBuffer::new(100).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::MemfdCreate, EACCES));
        });
    });
}

/// The flags of the object that such code has: closed on exec, may be sealed, is no program.
const fn memfd_flags() -> u64 {
    1 | 2 | 8
}

#[test]
fn a_limit_is_no_denial() {
    let _ran = refusing_argument(SYS_MPROTECT, 2, EXECUTABLE, ENOMEM, || {
        let error = CodeBuffer::new(100).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
    });
}

#[test]
fn code_that_cannot_become_writable_comes_back() {
    let Ok(mut buffer) = CodeBuffer::with(page_size(), Way::Flip) else {
        skip("flips", "they are refused here");
        return;
    };
    let Some(code) = code(8) else { return };
    buffer[..code.len()].copy_from_slice(&code);
    let code = buffer.into_executable().unwrap();
    let _ran = refusing_argument(SYS_MPROTECT, 2, WRITABLE, EACCES, move || {
        let (error, code) = code.into_writable().unwrap_err().into_parts();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        // SAFETY: it was just written, and is not touched while it runs.
        assert_eq!(unsafe { call(code.as_ptr()) }, 8);
        // Nor is there a buffer that could not be written again.
        assert_eq!(CodeBuffer::new(100).unwrap().way(), Way::DualMapping);
    });
}

#[test]
fn code_in_two_mappings_that_cannot_be_copied_comes_back() {
    // The refusal hits the emulator's own memory, which ends it.
    if lacks::own_pages("a copy that cannot be mapped") {
        return;
    }
    // A length that nothing else here has. (Private memory is mapped in whole pages.)
    let len = 1021 * page_size();
    let Ok(mut buffer) = CodeBuffer::with(len, Way::DualMapping) else {
        skip("two mappings", "they are refused here");
        return;
    };
    buffer[len - 1] = 6;
    let code = buffer.into_executable().unwrap();
    let Some(mmap) = mmap_call("a copy that cannot be mapped") else {
        return;
    };
    let _ran = refusing_argument(mmap, 1, len as u64, ENOMEM, move || {
        let (error, code) = code.into_writable().unwrap_err().into_parts();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        let mut byte = [0];
        code.read_at(len - 1, &mut byte).unwrap();
        assert_eq!(byte, [6]);
    });
}

#[test]
fn an_object_that_cannot_be_mapped_executable_leaves_nothing() {
    let len = 1019 * page_size();
    let Some(mmap) = mmap_call("an object that cannot be mapped") else {
        return;
    };
    let _ran = refusing_argument(mmap, 2, EXECUTABLE, EPERM, || {
        let error = CodeBuffer::with(len, Way::DualMapping).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, EPERM));
        assert!(tests::kernel::mappings_of_length(len).is(|&count| count == 0));
    });
}

#[test]
fn ways_that_a_system_lacks_are_refused() {
    if cfg!(target_vendor = "apple") {
        skip("a way that is not there", "there are all");
        return;
    }
    let error = CodeBuffer::with(100, Way::Jit).unwrap_err();
    assert_eq!(error.errno(), libc::ENOSYS);
    assert_eq!(error.reason(), Reason::Unsupported);
}
