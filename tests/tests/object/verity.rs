//! Files with fs-verity, which few kernels and file systems have: if this one does not, another
//! thread answers statx(2) as if a file had it.
// Only Linux has fs-verity.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::File;
use std::io::Write;
use std::sync::mpsc;

use libc::{EINVAL, ENXIO};
use rustix::ioctl::{Setter, ioctl, opcode};
use tests::seccomp::listener::{Answer, Listener};
use tests::{kernel, skip};
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
    // It cannot be mapped at all, but that is not the reason for the refusal.
    let file = kernel::file_that_says_it_is_empty().unwrap();
    assert!(!may_have_verity(&file));
    with_verity(|| is_refused(&file));
}

/// Runs `f` in a thread to which statx(2) reports that every file has fs-verity, if it is called with a
/// mask of zero (which the standard library never passes). If no thread can answer in place of the
/// kernel, prints so.
fn with_verity(f: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let supervisor = scope.spawn(move || {
            while let Ok(listener) = receive.recv() {
                answer(&listener);
            }
        });
        scope.spawn(move || match Listener::new(&[libc::SYS_statx]) {
            Ok(listener) => {
                send.send(listener).unwrap();
                f();
            }
            Err(error) => skip("statx", &format!("no other thread can answer: {error}")),
        });
        supervisor.join().unwrap();
    });
}

/// Answers calls until the thread is gone.
fn answer(listener: &Listener) {
    const STATX_ATTR_VERITY: u64 = 0x0010_0000;
    while let Some(call) = listener.next() {
        let [_, _, _, mask, statx, _] = call.arguments;
        if mask != 0 {
            listener.answer(&call, Answer::Go);
            continue;
        }
        let statx = std::ptr::with_exposed_provenance_mut::<u64>(usize::try_from(statx).unwrap());
        for attributes in [1, 7] {
            let attributes = statx.wrapping_add(attributes);
            // SAFETY: the thread, of this process, waits in a call to which it gave a structure of
            // 256 bytes to be written.
            unsafe { attributes.write(STATX_ATTR_VERITY) };
        }
        listener.answer(&call, Answer::Zero);
    }
}
