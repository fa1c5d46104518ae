//! Numbers out of the kernel's text files, without an allocator.

use core::ffi::{CStr, c_int};
use core::ops::Range;

use crate::error::Errno;
use crate::os::call::errno;

/// The number behind `key`, which begins a line of the file at `path`.
pub fn number(path: &CStr, key: &[u8]) -> Option<u64> {
    digits(path, key, 10)
}

/// Like [`number`], for a number of kibibytes; returns bytes.
pub fn kibibytes(path: &CStr, key: &[u8]) -> Option<u64> {
    number(path, key)?.checked_mul(1024)
}

/// Like [`number`], for a number in hexadecimal digits.
pub fn hexadecimal(path: &CStr, key: &[u8]) -> Option<u64> {
    digits(path, key, 16)
}

fn digits(path: &CStr, key: &[u8], base: u32) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let mut buffer = [0; 256];
    // How many bytes of `key` the line has had so far; `None` in a line of another key.
    let mut matched = Some(0);
    let mut value = None;
    loop {
        let read = file.read(&mut buffer).ok()?;
        for &byte in &buffer[..read] {
            match matched {
                Some(n) if n == key.len() => match (char::from(byte).to_digit(base), value) {
                    (Some(digit), _) => {
                        let more = value.unwrap_or(0u64).checked_mul(base.into())?;
                        value = more.checked_add(digit.into());
                        value?;
                    }
                    (None, None) if matches!(byte, b' ' | b'\t') => {}
                    _ => return value,
                },
                _ if byte == b'\n' => matched = Some(0),
                Some(n) if key[n] == byte => matched = Some(n + 1),
                _ => matched = None,
            }
        }
        if read == 0 {
            return value;
        }
    }
}

/// Calls `f` with each line of the file at `path`, without its end, or with the first 256 bytes of
/// it.
///
/// # Errors
/// Those of opening the file, and of reading it.
pub fn each_line(path: &CStr, mut f: impl FnMut(&[u8])) -> Result<(), Errno> {
    let mut file = File::open(path)?;
    let (mut buffer, mut line) = ([0; 1024], [0; 256]);
    let mut len = 0;
    loop {
        let read = file.read(&mut buffer)?;
        for &byte in &buffer[..read] {
            if byte == b'\n' {
                f(&line[..len]);
                len = 0;
            } else if let Some(next) = line.get_mut(len) {
                *next = byte;
                len += 1;
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// The addresses in a line that begins with some: `start-end ...`.
pub fn addresses(line: &[u8]) -> Option<Range<usize>> {
    let mut words = line.split(|&byte| byte == b'-' || byte == b' ');
    let mut number = || {
        let digits = core::str::from_utf8(words.next()?).ok()?;
        usize::from_str_radix(digits, 16).ok()
    };
    let (start, end) = (number()?, number()?);
    (start < end).then_some(start..end)
}

/// Whether `/proc/thread-self/maps` has all of `range`, and `is` returns true for the line of each mapping
/// that has some of it: of the calling thread, since the first one of the process may have ended.
pub fn is_in_maps(range: &Range<usize>, is: impl Fn(&[u8]) -> bool) -> bool {
    let (mut reached, mut alike) = (range.start, true);
    let read = each_line(c"/proc/thread-self/maps", |line| {
        let Some(mapping) = addresses(line) else {
            return;
        };
        if mapping.end <= range.start || range.end <= mapping.start {
            return;
        }
        alike &= mapping.start <= reached && is(line);
        reached = mapping.end;
    });
    read.is_ok() && alike && reached >= range.end
}

/// The letters of a mapping's permissions, in its line of maps: `rw-p`.
pub fn permissions(line: &[u8]) -> Option<&[u8]> {
    line.split(|&byte| byte == b' ').nth(1)
}

/// An open file, closed on drop.
///
/// It has a position of its own, and not the descriptor's, which a child of `fork` would share.
pub struct File {
    fd: c_int,
    position: libc::off_t,
}

impl File {
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &CStr) -> Result<Self, Errno> {
        // SAFETY: the path ends with a zero. [arguments]
        let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        if fd < 0 {
            return Err(errno());
        }
        Ok(Self { fd, position: 0 })
    }

    /// Reads into `buffer` and returns how many bytes; none at the end.
    ///
    /// # Errors
    /// Those of pread(2), except `EINTR`; `EOVERFLOW` beyond the greatest position.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        loop {
            let place = buffer.as_mut_ptr().cast();
            // SAFETY: the kernel writes at most as many bytes as the buffer has. [arguments]
            let read = unsafe { libc::pread(self.fd, place, buffer.len(), self.position) };
            if let Ok(len) = usize::try_from(read) {
                let next = libc::off_t::try_from(len).ok();
                let next = next.and_then(|len| self.position.checked_add(len));
                self.position = next.ok_or(libc::EOVERFLOW)?;
                return Ok(len);
            }
            match errno() {
                libc::EINTR => {}
                errno => return Err(errno),
            }
        }
    }

    /// Makes the next read begin at the start.
    pub const fn rewind(&mut self) {
        self.position = 0;
    }

    pub const fn descriptor(&self) -> c_int {
        self.fd
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this file's own. [descriptor]
        let _closed = unsafe { libc::close(self.fd) };
    }
}

#[cfg(test)]
mod tests {
    use super::{addresses, each_line, hexadecimal, number};

    #[test]
    fn lines_that_begin_with_addresses() {
        let line = b"7f00-8f00 r--p 00000000 00:1a 9 /a-b";
        assert_eq!(addresses(line), Some(0x7f00..0x8f00));
        for other in [
            &b"Size:                  4 kB"[..],
            b"",
            b"a",
            b"8f00-7f00 r--p",
        ] {
            assert_eq!(addresses(other), None);
        }
    }

    #[test]
    fn reads_a_number() {
        let total = number(c"/proc/meminfo", b"MemTotal:").expect("/proc/meminfo");
        assert!(total > 1024, "{total} KiB");
        assert_eq!(
            number(c"/proc/meminfo", b"MemTota"),
            None,
            "no number follows"
        );
        assert_eq!(number(c"/proc/meminfo", b"No such line:"), None);
        let signals = hexadecimal(c"/proc/self/status", b"SigBlk:");
        assert!(signals.is_some(), "a set of signals, in hexadecimal");
        assert_eq!(number(c"/no/such/file", b"MemTotal:"), None);
    }

    #[test]
    fn why_a_file_cannot_be_read() {
        let read = |path| each_line(path, |_| {});
        assert_eq!(read(c"/no/such/file"), Err(libc::ENOENT));
        assert_eq!(read(c"/proc/self"), Err(libc::EISDIR));
    }

    #[cfg(feature = "std")]
    #[test]
    fn numbers_have_64_bits() {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let max = u64::MAX;
        let text = std::format!("Most:\t{max} kB\nOver: {max}0\nBits:\t{max:016x}\n");
        file.write_all(text.as_bytes()).unwrap();
        let path = std::ffi::CString::new(file.path().to_str().unwrap()).unwrap();
        assert_eq!(number(&path, b"Most:"), Some(max));
        assert_eq!(number(&path, b"Over:"), None, "more than 64");
        assert_eq!(hexadecimal(&path, b"Bits:"), Some(max));
    }
}
