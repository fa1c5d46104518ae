//! Paths below `/proc`, without an allocator: Linux, Android, illumos and Solaris.

use crate::error::Errno;

/// Room for such a path.
pub type Path = [u8; 100];

/// The parts of a path, joined, with a zero at the end.
///
/// # Errors
/// `ENAMETOOLONG` if there is no room.
pub fn join(parts: &[&[u8]]) -> Result<Path, Errno> {
    let mut path: Path = [0; 100];
    let mut len = 0;
    for part in parts {
        let end = len + part.len();
        // (The last byte stays a zero.)
        if end >= path.len() {
            return Err(libc::ENAMETOOLONG);
        }
        path[len..end].copy_from_slice(part);
        len = end;
    }
    Ok(path)
}

/// A number in decimal digits.
pub struct Digits {
    digits: [u8; 10],
    start: usize,
}

impl Digits {
    pub fn new(number: u32) -> Self {
        let (mut digits, mut start, mut rest) = ([0; 10], 10, number);
        while start == 10 || rest != 0 {
            start -= 1;
            #[allow(clippy::cast_possible_truncation, reason = "less than ten")]
            let digit = (rest % 10) as u8;
            digits[start] = b'0' + digit;
            rest /= 10;
        }
        Self { digits, start }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_paths() {
        assert_eq!(Digits::new(0).as_bytes(), b"0");
        assert_eq!(Digits::new(256).as_bytes(), b"256");
        assert_eq!(Digits::new(u32::MAX).as_bytes(), b"4294967295");
        let path = join(&[b"/proc/", b"7"]).expect("a short path");
        assert!(path.starts_with(b"/proc/7\0"));
        assert!(join(&[&[b'a'; 99]]).is_ok_and(|path| path[99] == 0));
        assert!(join(&[&[b'a'; 99], b"b"]).is_err());
    }
}
