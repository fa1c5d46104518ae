//! Files with fs-verity, which few kernels and file systems have: where this one has not, another
//! thread answers statx(2) as if a file had it.
// Only Linux has fs-verity.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::mpsc;

use libc::{EINVAL, ENXIO, c_int};
use rustix::ioctl::{Setter, ioctl, opcode};
use tests::{kernel, seccomp, skip};
use unix_memory::{
    Call, FileBytes, FileBytesOptions, MapOptions, ReadWrite, Reason, SealedMemory, Way,
};

const CONTENT: &[u8] = b"Hello, verity!";

/// A file with the content, open for reading alone.
fn file() -> File {
    let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.write_all(CONTENT).unwrap();
    File::open(file.path()).unwrap()
}

/// Whether the file is on one of the file systems that have it.
fn may_have_verity(file: &File) -> bool {
    let statfs = rustix::fs::fstatfs(file).unwrap();
    #[allow(clippy::cast_sign_loss, reason = "the number has 32 bits")]
    #[allow(clippy::cast_possible_truncation, reason = "the number has 32 bits")]
    let magic = statfs.f_type as u32;
    [0xef53, 0xf2f5_2010, 0x9123_683e].contains(&magic)
}

fn is_refused(file: &File) {
    assert_eq!(FileBytes::load(file).unwrap().way(), Way::Read);
    let error = SealedMemory::from_fd(file).unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::GetSeals, EINVAL, Reason::NotSealable)
    );
}

fn is_accepted(file: &File) {
    let whole = SealedMemory::from_fd(file).unwrap();
    assert_eq!(*whole, *CONTENT);
    assert_eq!(whole.seals().unwrap_err().reason(), Reason::NotSealable);
    let bytes = FileBytes::load(file).unwrap();
    assert_eq!((bytes.way(), &bytes[..]), (Way::Verified, CONTENT));
    let part = FileBytesOptions::new().offset(7).len(6).load(file).unwrap();
    assert_eq!((part.way(), &part[..]), (Way::Verified, &b"verity"[..]));
    let part = MapOptions::new().offset(7).len(6).map_sealed(file).unwrap();
    assert_eq!(*part, *b"verity");
    let beyond = MapOptions::new().offset(7).len(8).map_sealed(file);
    assert_eq!(beyond.unwrap_err().errno(), ENXIO);
    let mut copy = part.into_mapping().protect(ReadWrite).unwrap();
    copy[0] = b'V';
    assert_eq!(*SealedMemory::from_fd(file).unwrap(), *CONTENT);
}

#[test]
fn a_file_with_verity_is_sealed() {
    /// `struct fsverity_enable_arg` of `<linux/fsverity.h>`: version, algorithm (SHA-256), block
    /// size, no salt, no signature.
    #[repr(C, align(8))]
    struct Enable([u32; 32]);
    const FS_IOC_ENABLE_VERITY: rustix::ioctl::Opcode = opcode::write::<Enable>(b'f', 133);

    let file = file();
    is_refused(&file);
    let mut enable = [0; 32];
    enable[..3].copy_from_slice(&[1, 1, 4096]);
    // SAFETY: the command reads the structure, which has pointers to nothing.
    let enable = unsafe { Setter::<FS_IOC_ENABLE_VERITY, Enable>::new(Enable(enable)) };
    // SAFETY: it makes the file read-only, and touches no memory.
    match unsafe { ioctl(&file, enable) } {
        Ok(()) => is_accepted(&file),
        Err(error) => skip(
            "fs-verity",
            &format!("not of this file system and kernel: {error}"),
        ),
    }
}

#[test]
fn what_statx_says_is_believed_of_some_file_systems() {
    let file = file();
    if !may_have_verity(&file) {
        skip("statx", "the file system is none that has fs-verity");
        return;
    }
    with_verity(|| is_accepted(&file));
    is_refused(&file);
}

#[test]
fn what_statx_says_is_not_believed_of_others() {
    // It cannot be mapped at all; but that is not what it is refused for.
    let file = kernel::file_that_says_it_is_empty().unwrap();
    assert!(!may_have_verity(&file));
    with_verity(|| is_refused(&file));
}

/// Runs `f` in a thread for which every file has fs-verity, as far as statx(2) says what it was not
/// asked (a mask of zero, which the standard library never gives). Where no thread can answer for
/// the kernel, says so.
fn with_verity(f: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let supervisor = scope.spawn(move || {
            while let Ok(Some(listener)) = receive.recv() {
                while answer(&listener) {}
            }
        });
        scope.spawn(move || match listen() {
            Ok(listener) => {
                send.send(Some(listener)).unwrap();
                f();
            }
            Err(error) => skip("statx", &format!("no other thread can answer: {error}")),
        });
        supervisor.join().unwrap();
    });
}

/// Has the calls of `statx` that this thread makes from now on wait for an answer, by the
/// descriptor.
fn listen() -> std::io::Result<OwnedFd> {
    let action = libc::SECCOMP_RET_USER_NOTIF;
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let fd = seccomp::filter(libc::SYS_statx, None, action, flags)?;
    let fd = c_int::try_from(fd).expect("a descriptor");
    // SAFETY: it was just made.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Waits for a call and answers it. False when the thread is gone.
fn answer(listener: &impl AsFd) -> bool {
    const STATX_ATTR_VERITY: u64 = 0x0010_0000;
    let fd = listener.as_fd().as_raw_fd();
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: it is one such structure.
    let _ready = unsafe { libc::poll(&raw mut poll, 1, -1) };
    if poll.revents & libc::POLLIN == 0 {
        return false;
    }
    let mut call = MaybeUninit::<libc::seccomp_notif>::zeroed();
    // SAFETY: the command writes the structure, which is zeros.
    if unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_RECV, call.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the command succeeded; and any bytes are a value.
    let call = unsafe { call.assume_init() };
    let [_, _, _, mask, statx, _] = call.data.args;
    let fake = mask == 0;
    if fake {
        let statx = std::ptr::with_exposed_provenance_mut::<u64>(usize::try_from(statx).unwrap());
        for attributes in [1, 7] {
            let attributes = statx.wrapping_add(attributes);
            // SAFETY: the thread, of this process, waits in a call to which it gave a structure of
            // 256 bytes to be written.
            unsafe { attributes.write(STATX_ATTR_VERITY) };
        }
    }
    let response = libc::seccomp_notif_resp {
        id: call.id,
        val: 0,
        error: 0,
        flags: if fake {
            0
        } else {
            u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap()
        },
    };
    // SAFETY: the command reads the structure.
    unsafe { libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) == 0 }
}
