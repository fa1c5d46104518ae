//! Numbers out of the kernel's text files, without an allocator.

use core::ffi::{CStr, c_int};

/// The number behind `key`, which begins a line of the file at `path`.
pub fn number(path: &CStr, key: &[u8]) -> Option<u64> {
    let file = File::open(path)?;
    let mut buffer = [0; 256];
    // How many bytes of `key` the line has had so far; `None` in a line that is another's.
    let mut matched = Some(0);
    let mut value = None;
    loop {
        let read = file.read(&mut buffer)?;
        for &byte in &buffer[..read] {
            match matched {
                Some(n) if n == key.len() => match (byte, value) {
                    (b'0'..=b'9', _) => {
                        let digits = value.unwrap_or(0u64);
                        value = digits.checked_mul(10)?.checked_add(u64::from(byte - b'0'));
                        value?;
                    }
                    (b' ' | b'\t', None) => {}
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

/// An open file, closed on drop.
struct File(c_int);

impl File {
    fn open(path: &CStr) -> Option<Self> {
        // SAFETY: the path ends with a zero.
        let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        (fd >= 0).then_some(Self(fd))
    }

    fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        // SAFETY: the kernel writes at most as many bytes as the buffer has.
        let read = unsafe { libc::read(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        usize::try_from(read).ok()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this file's own.
        let _closed = unsafe { libc::close(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::number;

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
        assert_eq!(number(c"/no/such/file", b"MemTotal:"), None);
    }
}
