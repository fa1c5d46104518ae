//! What happens to a secret, and to its content, if somebody runs over its ends: in children.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use libc::{EPERM, SIGABRT, SIGSEGV};
use tests::seccomp::{SYS_MADVISE, SYS_MUNMAP};
use tests::{in_a_child, refusing_argument, skip};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{Protection, page_size};

const LEN: usize = 24;

/// The kinds of memory that there are here.
fn kinds() -> Vec<SecretOptions> {
    let secret = SecretOptions::new().demand(Protections::SECRET_MEMORY);
    let mut kinds = vec![SecretOptions::new()];
    match secret.zeroed(1) {
        Ok(_) => kinds.push(secret),
        Err(error) => skip("secret memory", &error.to_string()),
    }
    kinds
}

/// Changes a byte in or near the pages of a secret, to which nobody refers meanwhile.
fn change(at: *mut u8) {
    // SAFETY: it is in the pages, or the child ends, which is its purpose.
    let byte = unsafe { at.read_volatile() };
    // SAFETY: as above.
    unsafe { at.write_volatile(!byte) };
}

/// How a child ends that writes a byte `offset` bytes from the start of a secret while that is borrowed,
/// and then drops it.
fn after_writing(options: &SecretOptions, offset: isize, len: usize) -> ExitStatus {
    in_a_child(|| {
        // SAFETY: the default action is a safe one.
        unsafe { libc::signal(SIGSEGV, libc::SIG_DFL) };
        let mut secret = options.zeroed(len).expect("a secret");
        let mut bytes = secret.borrow_mut().expect("its bytes");
        let at = bytes.as_mut_ptr().wrapping_offset(offset);
        change(at);
        drop(bytes);
        drop(secret);
    })
}

#[test]
fn an_overrun_meets_the_guard_page() {
    if !Protection::is_enforced() {
        return skip("guard pages", "this system enforces no protections");
    }
    for options in kinds() {
        for len in [0, 1, LEN, page_size(), page_size() + 5] {
            let status = after_writing(&options, len.cast_signed(), len);
            assert_eq!(status.signal(), Some(SIGSEGV), "{len}: {status}");
        }
        // Before the first of its pages there is one, too.
        let before = -(page_size().cast_signed());
        let status = after_writing(&options, before - 1, page_size());
        assert_eq!(status.signal(), Some(SIGSEGV), "{status}");
    }
}

#[test]
fn an_underrun_is_found_at_the_end() {
    for options in kinds() {
        assert!(after_writing(&options, 0, LEN).success(), "what is its own");
        for offset in [-1, -16, -17, LEN.cast_signed() - page_size().cast_signed()] {
            let status = after_writing(&options, offset, LEN);
            assert_eq!(status.signal(), Some(SIGABRT), "{offset}: {status}");
        }
    }
}

/// The line that it ends with.
#[test]
fn an_underrun_is_said() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let status = in_a_child(|| {
        // SAFETY: the descriptors are open.
        unsafe { libc::dup2(writer.as_raw_fd(), 2) };
        let mut secret = Secret::zeroed(LEN).expect("a secret");
        let mut bytes = secret.borrow_mut().expect("its bytes");
        let before = bytes.as_mut_ptr().wrapping_sub(3);
        change(before);
    });
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert_eq!(status.signal(), Some(SIGABRT), "{status}");
    let line = "unix-memory: somebody has written before the start of a secret\n";
    // (An emulator adds its own messages.)
    assert!(text.starts_with(line), "{text}");
}

#[test]
fn closed_it_cannot_be_accessed() {
    if !Protection::is_enforced() {
        return skip("closed pages", "this system enforces no protections");
    }
    for options in kinds() {
        let mut secret = options.zeroed(LEN).unwrap();
        let address = secret.borrow_mut().unwrap().as_mut_ptr();
        let dies = |touch: &dyn Fn()| {
            let status = in_a_child(|| {
                // SAFETY: the default action is a safe one.
                unsafe { libc::signal(SIGSEGV, libc::SIG_DFL) };
                touch();
            });
            assert_eq!(status.signal(), Some(SIGSEGV), "{status}");
        };
        dies(&|| {
            // SAFETY: the child ends here, which is its purpose.
            let _byte = unsafe { address.read_volatile() };
        });
        // SAFETY: as above.
        dies(&|| unsafe { address.write_volatile(1) });
        // In the process itself, of whose threads any could have it open.
        let status = in_a_child(|| {
            // SAFETY: the default action is a safe one.
            unsafe { libc::signal(SIGSEGV, libc::SIG_DFL) };
            let secret = options.zeroed(LEN).expect("a secret");
            let address = std::ptr::with_exposed_provenance::<u8>(secret.address());
            // SAFETY: as above.
            let _byte = unsafe { address.read_volatile() };
        });
        assert_eq!(status.signal(), Some(SIGSEGV), "{status}");
    }
}

/// Pages that the kernel refuses to unmap, and to take back, are still there after the drop: the secret is
/// wiped, and what was before it, which only the kernel would clear, is as it was.
#[test]
fn dropped_it_is_wiped() {
    for options in kinds() {
        let status = in_a_child(|| {
            let fill = |bytes: &mut [u8]| bytes.fill(0x5a);
            let secret = options.new_with(LEN, fill).expect("a secret");
            let start = secret.borrow().expect("its bytes").as_ptr();
            let pages = start.map_addr(|address| address & !(page_size() - 1));
            let address = pages.addr() as u64;
            let refused = refusing_argument(SYS_MUNMAP, 0, address, EPERM, || {
                refusing_argument(SYS_MADVISE, 0, address, EPERM, || drop(secret))
            });
            if refused.flatten().is_none() {
                return;
            }
            for at in 0..LEN {
                // SAFETY: the pages stayed mapped, and were opened to be wiped; nobody has them now.
                let byte = unsafe { start.wrapping_add(at).read_volatile() };
                assert_eq!(byte, 0, "byte {at}");
            }
            let canary: Vec<u8> = (1..=16)
                // SAFETY: as above.
                .map(|before| unsafe { start.wrapping_sub(before).read_volatile() })
                .collect();
            assert!(
                canary.iter().any(|&byte| byte != 0),
                "the kernel cleared it"
            );
        });
        assert!(status.success());
    }
}
