//! Sets of nodes.

use core::ffi::c_ulong;
use core::fmt;
use core::ops::{BitAnd, BitOr, Sub};
use core::ptr;
use core::str::FromStr;

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Name, Reason, Result};
use crate::os::call;

/// Bits in a word of the kernel's.
const BITS: u32 = c_ulong::BITS;
const WORDS: usize = (Nodes::LIMIT / BITS) as usize;

/// A set of NUMA nodes, by their numbers. A node is a part of a machine's memory that is nearer to some
/// processors than to others.
///
/// A machine whose memory is not divided has only node 0. Linux and Android only. Source: numa(7).
///
/// ```
/// use unix_memory::Nodes;
///
/// let some = Nodes::of(&[0, 2, 3])?;
/// assert_eq!(some.to_string(), "0,2-3");
/// assert_eq!(some, "0,2-3\n".parse()?);
/// // The nodes whose memory this thread may use.
/// match Nodes::allowed() {
///     Ok(allowed) => println!("{allowed}, {} of the others", (some - allowed).len()),
///     Err(error) => println!("{error}"), // the kernel has no NUMA
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "nodemask_t")]
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Nodes {
    words: [c_ulong; WORDS],
}

impl Nodes {
    /// How many nodes there can be: their numbers are below this. No kernel is built for more
    /// (`CONFIG_NODES_SHIFT` is at most 10).
    pub const LIMIT: u32 = 1024;

    /// No node.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: [0; WORDS] }
    }

    /// The nodes with these numbers.
    ///
    /// # Errors
    /// `EINVAL`: a number is [`LIMIT`](Self::LIMIT) or more ([`Reason::NoNode`]).
    pub fn of(numbers: &[u32]) -> Result<Self> {
        let mut nodes = Self::new();
        for &number in numbers {
            if number >= Self::LIMIT {
                let reason = Reason::NoNode(number);
                return Err(Error::new(
                    Call::Nodes,
                    libc::EINVAL,
                    Arguments::None,
                    reason,
                ));
            }
            nodes.insert(number);
        }
        Ok(nodes)
    }

    /// The nodes whose memory the calling thread may use. An administrator can change them at any
    /// time. Source: get_mempolicy(2), `MPOL_F_MEMS_ALLOWED`, since Linux 2.6.24.
    ///
    /// The file `/sys/devices/system/node/online` lists the nodes that the machine has; its text can
    /// be parsed as this type.
    ///
    /// # Errors
    /// * `ENOSYS`: the kernel was built without NUMA ([`Reason::Unsupported`]).
    /// * `EPERM`: a filter of system calls denies it, as in some containers.
    #[doc(alias = "get_mempolicy")]
    #[doc(alias = "MPOL_F_MEMS_ALLOWED")]
    pub fn allowed() -> Result<Self> {
        let mut nodes = Self::new();
        let (mask, flags) = (nodes.words.as_mut_ptr(), sys::MPOL_F_MEMS_ALLOWED);
        // SAFETY: the mask can be written, and has as many bits as this number says, whole words.
        // [arguments, harmless]
        let asked = unsafe {
            sys::get_mempolicy(ptr::null_mut(), mask, MOST_NODES, ptr::null_mut(), flags)
        };
        if asked == 0 {
            return Ok(nodes);
        }
        Err(refused(Call::GetMempolicy, call::errno(), Arguments::None))
    }

    /// Whether the node with this number is in the set.
    #[must_use]
    pub const fn contains(&self, number: u32) -> bool {
        number < Self::LIMIT && self.words[(number / BITS) as usize] >> (number % BITS) & 1 == 1
    }

    /// How many nodes are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether no node is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// The numbers of its nodes, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..Self::LIMIT).filter(|&number| self.contains(number))
    }

    /// Adds the node with this number, which is less than [`LIMIT`](Self::LIMIT).
    fn insert(&mut self, number: u32) {
        self.words[(number / BITS) as usize] |= 1 << (number % BITS);
    }

    /// The set as the kernel reads it: a mask of [`MAX_NODE`].
    pub(super) const fn mask(&self) -> *const c_ulong {
        self.words.as_ptr()
    }

    /// The set, for the kernel to write: a mask of [`MOST_NODES`].
    pub(super) const fn mask_mut(&mut self) -> *mut c_ulong {
        self.words.as_mut_ptr()
    }

    /// The set that `text` lists, if it is a valid list.
    fn parse(text: &str) -> Option<Self> {
        let mut nodes = Self::new();
        // (A parser of std's takes a sign too.)
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            number.filter(|&number: &u32| number < Self::LIMIT)
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            return Some(nodes);
        }
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return None;
            }
            (first..=last).for_each(|number| nodes.insert(number));
        }
        Some(nodes)
    }
}

/// The number of bits to pass to the kernel for a mask that it reads: it subtracts one.
pub(super) const MAX_NODE: c_ulong = Nodes::LIMIT as c_ulong + 1;

/// The same for a mask that the kernel writes: it writes whole words, and with one more bit, some
/// kernels write one more word.
pub(super) const MOST_NODES: c_ulong = Nodes::LIMIT as c_ulong;

/// The error of a call of this family that the kernel refused.
#[cold]
pub(super) const fn refused(call: Call, errno: i32, arguments: Arguments) -> Error {
    let reason = match errno {
        libc::ENOSYS => Reason::Unsupported,
        _ => Reason::Kernel,
    };
    Error::new(call, errno, arguments, reason)
}

/// Parses a list as the kernel writes it in `/sys/devices/system/node/online`: `0-3,5`. Surrounding
/// white space, such as the end of the line, is ignored; an empty text is the empty set.
impl FromStr for Nodes {
    type Err = Error;

    /// # Errors
    /// `EINVAL`: the text is not such a list, or contains a number that is [`LIMIT`](Self::LIMIT) or
    /// more ([`Reason::NodeList`]).
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            let arguments = Arguments::Name(Name::new(text.as_bytes()));
            Error::new(Call::Nodes, libc::EINVAL, arguments, Reason::NodeList)
        })
    }
}

/// Writes the list as the kernel does: `0-3,5`.
impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = |&number: &u32| number == 0 || !self.contains(number - 1);
        for first in self.iter().filter(begins) {
            if self.iter().next() != Some(first) {
                f.write_str(",")?;
            }
            write!(f, "{first}")?;
            let next = (first..=Self::LIMIT).find(|&number| !self.contains(number));
            match next {
                Some(next) if next > first + 1 => write!(f, "-{}", next - 1)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nodes({self})")
    }
}

/// Gives sets an operator that is one of their words.
macro_rules! operator {
    ($doc:literal, $trait:ident, $method:ident, $of_words:expr) => {
        #[doc = $doc]
        impl $trait for Nodes {
            type Output = Self;

            fn $method(mut self, other: Self) -> Self {
                let of_words: fn(c_ulong, c_ulong) -> c_ulong = $of_words;
                for (word, other) in self.words.iter_mut().zip(other.words) {
                    *word = of_words(*word, other);
                }
                self
            }
        }
    };
}

operator!("The nodes in either.", BitOr, bitor, |this, other| this
    | other);
operator!("The nodes in both.", BitAnd, bitand, |this, other| this
    & other);
operator!("The nodes in the first only.", Sub, sub, |this, other| this
    & !other);

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, numbers) in [
            ("", &[][..]),
            ("0", &[0]),
            ("0-1", &[0, 1]),
            ("1,3", &[1, 3]),
            ("0-2,63-65,1023", &[0, 1, 2, 63, 64, 65, 1023]),
        ] {
            let nodes = Nodes::of(numbers).unwrap();
            assert_eq!(text.parse(), Ok(nodes));
            assert_eq!(nodes.to_string(), text);
            assert_eq!(nodes.iter().collect::<Vec<_>>(), numbers);
            assert_eq!(
                (nodes.len(), nodes.is_empty()),
                (numbers.len(), text.is_empty())
            );
        }
        assert_eq!(" 3,1-2,2\n".parse(), Nodes::of(&[1, 2, 3]));
        let all = "0-1023".parse::<Nodes>().unwrap();
        assert_eq!((all.len(), all.to_string().as_str()), (1024, "0-1023"));
        assert!(!all.contains(1024) && !all.contains(u32::MAX));
    }

    #[test]
    fn what_is_no_list() {
        for text in [
            "-",
            "1-",
            "-1",
            "+1",
            "1,",
            ",1",
            "2-1",
            "1 2",
            "0-1024",
            "1024",
            "99999999999",
            "x",
            "0-1-2",
            "\u{661}",
        ] {
            let error = text.parse::<Nodes>().unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Nodes, libc::EINVAL));
            assert_eq!(error.reason(), Reason::NodeList, "{text}");
        }
        let error = Nodes::of(&[0, 1024]).unwrap_err();
        assert_eq!(error.reason(), Reason::NoNode(1024));
    }

    #[test]
    fn sets_are_combined() {
        let [a, b] = [&[0, 70][..], &[70, 900]].map(|numbers| Nodes::of(numbers).unwrap());
        assert_eq!((a | b).to_string(), "0,70,900");
        assert_eq!((a & b).to_string(), "70");
        assert_eq!((a - b).to_string(), "0");
    }
}
