//! The text of `/proc/PID/maps` and of `smaps`: Linux and Android.
//!
//! It is read piece by piece, so that lines may have any length, and nothing is allocated.

use crate::error::Errno;
use crate::process_map::region::{FileId, Region, Sharing};
use crate::protection::Protection;

/// A source of text, read in pieces.
pub trait Source {
    /// Reads into `buffer` and returns how many bytes; 0 at the end.
    ///
    /// # Errors
    /// Those of the kernel.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno>;
}

/// The names of the kernel's own pages, which come last in the text: they lie above the addresses
/// that a process can map. A lookup by address does not find them.
pub const KERNELS_OWN: [&[u8]; 2] = [b"[vsyscall]", b"[vectors]"];

/// The error for text that the kernel does not write.
const MALFORMED: Errno = libc::EBADMSG;

/// As many bytes as the kernel returns at once.
const SIZE: usize = 4096;

/// A reader of such text.
pub struct Text {
    buffer: [u8; SIZE],
    /// The part that was read and not yet used.
    next: usize,
    end: usize,
}

impl Text {
    pub const fn new() -> Self {
        Self {
            buffer: [0; SIZE],
            next: 0,
            end: 0,
        }
    }

    /// Discards what was read, because the source continues at another place.
    pub const fn clear(&mut self) {
        self.next = 0;
        self.end = 0;
    }

    /// Returns the buffer, for another use: what was read is discarded.
    pub const fn buffer(&mut self) -> &mut [u8; SIZE] {
        self.clear();
        &mut self.buffer
    }

    /// Returns the rest of what was read; empty at the end of the source.
    fn piece(&mut self, source: &mut impl Source) -> Result<&[u8], Errno> {
        if self.next == self.end {
            self.clear();
            self.end = source.read(&mut self.buffer)?.min(SIZE);
        }
        Ok(&self.buffer[self.next..self.end])
    }

    /// Returns the next byte without consuming it.
    pub fn peek(&mut self, source: &mut impl Source) -> Result<Option<u8>, Errno> {
        Ok(self.piece(source)?.first().copied())
    }

    fn byte(&mut self, source: &mut impl Source) -> Result<u8, Errno> {
        let byte = self.peek(source)?.ok_or(MALFORMED)?;
        self.next += 1;
        Ok(byte)
    }

    /// Reads a number of at least one digit, and the byte `after` it.
    fn number(&mut self, source: &mut impl Source, base: u32, after: u8) -> Result<u64, Errno> {
        let mut value = None;
        loop {
            let byte = self.byte(source)?;
            match (char::from(byte).to_digit(base), value) {
                (Some(digit), _) => {
                    let more = value.unwrap_or(0u64).checked_mul(base.into());
                    value = more.and_then(|more| more.checked_add(digit.into()));
                    if value.is_none() {
                        return Err(MALFORMED);
                    }
                }
                (None, Some(value)) if byte == after => return Ok(value),
                _ => return Err(MALFORMED),
            }
        }
    }

    /// Reads a letter, or a dash in its place; returns whether it was the letter.
    fn letter(&mut self, source: &mut impl Source, letter: u8) -> Result<bool, Errno> {
        match self.byte(source)? {
            byte if byte == letter => Ok(true),
            b'-' => Ok(false),
            _ => Err(MALFORMED),
        }
    }

    /// Reads the first line of a region except its name, which [`name`](Self::name) reads; `None` at
    /// the end of the text.
    ///
    /// # Errors
    /// `EBADMSG` for malformed text; and the errors of the source.
    pub fn head(&mut self, source: &mut impl Source) -> Result<Option<Region<()>>, Errno> {
        if self.peek(source)?.is_none() {
            return Ok(None);
        }
        let start = self.number(source, 16, b'-')?;
        let end = self.number(source, 16, b' ')?;
        if start >= end {
            return Err(MALFORMED);
        }
        let mut protection = Protection::empty();
        for (flag, letter) in [
            (Protection::READ, b'r'),
            (Protection::WRITE, b'w'),
            (Protection::EXECUTE, b'x'),
        ] {
            protection.set(flag, self.letter(source, letter)?);
        }
        let sharing = match self.byte(source)? {
            b's' => Sharing::Shared,
            b'p' => Sharing::Private,
            _ => return Err(MALFORMED),
        };
        if self.byte(source)? != b' ' {
            return Err(MALFORMED);
        }
        let offset = self.number(source, 16, b' ')?;
        let major = self.number(source, 16, b':')?;
        let minor = self.number(source, 16, b' ')?;
        let (Ok(major), Ok(minor)) = (major.try_into(), minor.try_into()) else {
            return Err(MALFORMED);
        };
        let inode = self.inode(source)?;
        Ok(Some(Region {
            addresses: start..end,
            protection,
            sharing: Some(sharing),
            offset,
            file: file(major, minor, inode),
            name: (),
        }))
    }

    /// Reads the last number of a line, after which the line may end.
    fn inode(&mut self, source: &mut impl Source) -> Result<u64, Errno> {
        let mut value = None;
        while let Some(byte @ b'0'..=b'9') = self.peek(source)? {
            let more = value.unwrap_or(0u64).checked_mul(10);
            value = more.and_then(|more| more.checked_add(u64::from(byte - b'0')));
            if value.is_none() {
                return Err(MALFORMED);
            }
            self.next += 1;
        }
        match self.peek(source)? {
            None | Some(b' ' | b'\n') => value.ok_or(MALFORMED),
            Some(_) => Err(MALFORMED),
        }
    }

    /// Reads the rest of the line that [`head`](Self::head) began: calls `name` with the pieces of
    /// the name, with a newline in place of the `\012` that the kernel writes for it.
    ///
    /// # Errors
    /// Those of the source.
    pub fn name(
        &mut self,
        source: &mut impl Source,
        name: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno> {
        const NEWLINE: &[u8] = b"\\012";
        while self.peek(source)? == Some(b' ') {
            self.next += 1;
        }
        // How much of an escaped newline has been seen.
        let mut matched = 0;
        loop {
            let piece = self.piece(source)?;
            let Some(&byte) = piece.first() else {
                name(&NEWLINE[..matched]);
                return Ok(());
            };
            if byte == b'\n' || (matched > 0 && byte != NEWLINE[matched]) {
                name(&NEWLINE[..matched]);
                matched = 0;
                if byte == b'\n' {
                    self.next += 1;
                    return Ok(());
                }
            } else if byte == NEWLINE[matched] {
                self.next += 1;
                matched += 1;
                if matched == NEWLINE.len() {
                    name(b"\n");
                    matched = 0;
                }
            } else {
                let plain = piece
                    .iter()
                    .take_while(|&&byte| byte != b'\n' && byte != NEWLINE[0]);
                let len = plain.count();
                name(&piece[..len]);
                self.next += len;
            }
        }
    }

    /// Reads the next line without its end, or as many of its first bytes as `line` has room for;
    /// `None` at the end of the text.
    ///
    /// # Errors
    /// Those of the source.
    #[cfg(feature = "std")]
    pub fn line<'l>(
        &mut self,
        source: &mut impl Source,
        line: &'l mut [u8],
    ) -> Result<Option<&'l [u8]>, Errno> {
        if self.peek(source)?.is_none() {
            return Ok(None);
        }
        let mut len = 0;
        while let Some(byte) = self.peek(source)? {
            self.next += 1;
            if byte == b'\n' {
                break;
            }
            if let Some(next) = line.get_mut(len) {
                *next = byte;
                len += 1;
            }
        }
        Ok(Some(&line[..len]))
    }
}

/// Returns the file with these numbers; they are zeros for memory without a file.
pub fn file(major: u32, minor: u32, inode: u64) -> Option<FileId> {
    #[allow(
        clippy::useless_conversion,
        reason = "the number has 32 bits on Android with 32-bit addresses"
    )]
    let device = u64::from(libc::makedev(major, minor));
    (major != 0 || minor != 0 || inode != 0).then_some(FileId { device, inode })
}
