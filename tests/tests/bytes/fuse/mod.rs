//! A FUSE file system of one file, its root, which is as odd as a test needs.
//!
//! A child answers the kernel: a page of the file that this process touches is then never waited for by
//! the thread that would have to deliver it. The file system is mounted for the calling thread alone.
//! Source: `<linux/fuse.h>`, version 7.31.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use tempfile::NamedTempFile;
use tests::mounts::{keep_private, mount};
use tests::{Child, skip, spawn};

/// What the file is like.
#[derive(Clone, Copy, Debug)]
pub struct Odd {
    /// The length that it reports.
    pub said: u64,
    /// The length that it has when it is read.
    pub real: u64,
    /// The offset from which it cannot be read, if any.
    pub broken_from: Option<u64>,
    /// Whether it has no offsets.
    pub is_stream: bool,
}

/// The byte at an offset.
pub fn byte_at(offset: u64) -> u8 {
    u8::try_from(offset % 251).expect("less than 256")
}

/// The file system, while it is mounted.
pub struct Mounted {
    path: NamedTempFile,
    server: Option<Child>,
}

impl Mounted {
    /// Mounts it; if that is not possible, prints so.
    pub fn new(odd: Odd) -> Option<Self> {
        match Self::mount(odd) {
            Ok(mounted) => Some(mounted),
            Err(error) => {
                skip("a FUSE file system", &error.to_string());
                None
            }
        }
    }

    fn mount(odd: Odd) -> io::Result<Self> {
        let device = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/fuse")?;
        let path = NamedTempFile::new()?;
        // SAFETY: only what this thread sees of the file system is its own from now on.
        succeeded(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        keep_private()?;
        let options = format!(
            "fd={},rootmode=100644,user_id=0,group_id=0",
            device.as_raw_fd()
        );
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        mount("odd", path.path(), "fuse", flags, &options)?;
        let server = spawn(|| serve(&device, odd));
        Ok(Self {
            path,
            server: Some(server),
        })
    }

    /// Opens the file.
    pub fn open(&self) -> File {
        File::open(self.path.path()).expect("the file of the file system")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let target = target(&self.path);
        // SAFETY: the path ends in NUL.
        let gone = unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH | libc::MNT_FORCE) };
        let ended = self.server.take().map(Child::wait);
        if !std::thread::panicking() {
            assert_eq!(gone, 0, "umount2: {}", io::Error::last_os_error());
            assert!(ended.is_some_and(|status| status.success()));
        }
    }
}

fn target(path: &NamedTempFile) -> CString {
    CString::new(path.path().as_os_str().as_bytes()).expect("a path")
}

fn succeeded(result: libc::c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Answers until the file system is gone.
fn serve(mut device: &File, odd: Odd) {
    let mut request = vec![0; 1 << 17];
    loop {
        match device.read(&mut request) {
            Ok(len) => {
                let Some(answer) = answer(&request[..len], odd) else {
                    continue;
                };
                // (Nobody may wait for it any more.)
                let _sent = device.write(&answer);
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR | libc::ENOENT | libc::EAGAIN) => {}
                // Unmounted.
                Some(libc::ENODEV | libc::ECONNABORTED) => return,
                _ => panic!("/dev/fuse: {error}"),
            },
        }
    }
}

/// The whole answer to a request, if it gets one.
fn answer(request: &[u8], odd: Odd) -> Option<Vec<u8>> {
    const HEAD: usize = 40;
    // Calls, by their numbers.
    const FORGET: u32 = 2;
    const GETATTR: u32 = 3;
    const OPEN: u32 = 14;
    const READ: u32 = 15;
    const RELEASE: u32 = 18;
    const FLUSH: u32 = 25;
    const INIT: u32 = 26;
    const INTERRUPT: u32 = 36;
    const BATCH_FORGET: u32 = 42;
    // FOPEN_DIRECT_IO, FOPEN_NONSEEKABLE.
    const DIRECT_IO: u32 = 1;
    const NONSEEKABLE: u32 = 4;

    let body = &request[HEAD..];
    let result = match u32_at(request, 4) {
        FORGET | BATCH_FORGET | INTERRUPT => return None,
        // The version, and 64 KiB for a write; the rest is nothing.
        INIT => {
            let mut answer = [0; 16];
            answer[..6].copy_from_slice(&[7, 31, 0, 0, 0, 1 << 16]);
            Ok(words(&answer))
        }
        GETATTR => Ok([words(&[0; 4]), attributes(odd.said)].concat()),
        OPEN => Ok(words(&[
            1,
            0,
            DIRECT_IO | (u32::from(odd.is_stream) * NONSEEKABLE),
            0,
        ])),
        READ => read(u64_at(body, 8), u32_at(body, 16), odd),
        RELEASE | FLUSH => Ok(Vec::new()),
        _ => Err(libc::ENOSYS),
    };
    let (error, content) = match result {
        Ok(content) => (0, content),
        Err(errno) => (-errno, Vec::new()),
    };
    let len = u32::try_from(16 + content.len()).expect("a short answer");
    let unique = &request[8..16];
    Some([&len.to_ne_bytes(), &error.to_ne_bytes(), unique, &content].concat())
}

fn read(offset: u64, len: u32, odd: Odd) -> Result<Vec<u8>, i32> {
    let end = offset + u64::from(len);
    if odd.broken_from.is_some_and(|broken| end > broken) {
        return Err(libc::EIO);
    }
    Ok((offset..end.min(odd.real)).map(byte_at).collect())
}

/// `struct fuse_attr` of a regular file of `len` bytes that everybody can read.
fn attributes(len: u64) -> Vec<u8> {
    let long = [1, len, len / 512, 0, 0, 0].map(u64::to_ne_bytes).concat();
    [long, words(&[0, 0, 0, 0o100_444, 1, 0, 0, 0, 4096, 0])].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
