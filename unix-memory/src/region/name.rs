//! Names that the kernel shows for memory without a file.

use core::ffi::CStr;
use core::ops::RangeBounds;

use super::limit::why_not_split;
use super::{Region, spare};
use crate::error::{Arguments, Call, Error, Name, Reason, Result};
use crate::os;
use crate::page::check_range;

/// The most bytes that a name can have, without its final zero. The kernel's `ANON_VMA_NAME_MAX_LEN`
/// counts the zero too.
const MOST: usize = 79;

/// Whether a name can contain `byte`: PR_SET_VMA(2const).
const fn may_have(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'`' | b'$' | b'[' | b']')
}

/// Checks that a kernel with names accepts `name`.
///
/// # Errors
/// `EINVAL` if it does not.
pub fn check_name(name: &CStr) -> Result<()> {
    let bytes = name.to_bytes();
    if bytes.len() <= MOST && bytes.iter().all(|&byte| may_have(byte)) {
        return Ok(());
    }
    let arguments = Arguments::Name(Name::new(bytes));
    Err(Error::new(
        Call::SetName,
        libc::EINVAL,
        arguments,
        Reason::MemoryName,
    ))
}

impl Region {
    /// Names the pages that hold a byte of `range`, or takes their name away. A name that `lasts` is
    /// never freed.
    pub fn set_name(
        &self,
        range: &impl RangeBounds<usize>,
        name: Option<&CStr>,
        lasts: bool,
    ) -> Result<()> {
        let range = check_range(Call::SetName, range, self.len())?;
        name.map_or(Ok(()), check_name)?;
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        if range.len() != self.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        // SAFETY: the pages are the region's own. [owned, harmless]
        unsafe { os::name_pages(pages, name, lasts) }.map_err(|errno| {
            let reason = match errno {
                libc::ENOSYS => Reason::Unsupported,
                libc::EBADF => Reason::NamedByFile,
                _ => why_not_split(errno),
            };
            Error::new(Call::SetName, errno, Arguments::range(&range), reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_can_have() {
        for good in [
            c"",
            c"a",
            c" ",
            c"~",
            c"heap of (a):1/2-3_4.5 \"x\" 'y' {z} <>|!",
        ] {
            assert!(check_name(good).is_ok(), "{good:?}");
        }
        for bad in [
            c"\\",
            c"`",
            c"$",
            c"[",
            c"]",
            c"a\n",
            c"\t",
            c"\x7f",
            c"\x1f",
            c"\xc3\xa9",
        ] {
            let error = check_name(bad).unwrap_err();
            assert_eq!(error.call(), Call::SetName);
            assert_eq!(
                (error.errno(), error.reason()),
                (libc::EINVAL, Reason::MemoryName)
            );
        }
    }

    #[test]
    fn how_long_a_name_can_be() {
        let bytes = [b'a'; MOST + 2];
        let name = |len: usize| {
            let mut bytes = bytes;
            bytes[len] = 0;
            check_name(CStr::from_bytes_until_nul(&bytes).unwrap())
        };
        assert_eq!(name(MOST), Ok(()));
        assert!(name(MOST + 1).is_err());
    }
}
