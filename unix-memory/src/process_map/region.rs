//! The description of a mapping.

use core::fmt;
use core::ops::Range;

use crate::protection::Protection;

/// Called with pieces of a name in turn, if the name is wanted.
pub(crate) type PutName<'f, 'c> = Option<&'f mut (dyn FnMut(&[u8]) + 'c)>;

/// A mapping of a process, as its kernel reports it.
///
/// It is only a description: the mapping may change or go away at any time. To change the protection
/// of its pages, or to lock them, see [`ForeignPages::of`](crate::foreign::ForeignPages::of).
///
/// `N` holds the name: a `Vec<u8>` in the items of [`Regions`](super::Regions) and the result of
/// `containing`; a [`Name`] in the caller's buffer in the results of
/// [`containing_into`](super::ProcessMap::containing_into) and
/// [`next_into`](super::Regions::next_into).
///
/// ```
/// use unix_memory::Protection;
/// use unix_memory::process_map::ProcessMap;
///
/// let local = 0;
/// let address = (&raw const local).addr() as u64;
/// match ProcessMap::of_self() {
///     Ok(mut map) => {
///         let stack = map.containing(address)?.expect("it is mapped");
///         assert!(stack.addresses.contains(&address));
///         assert!(stack.protection.contains(Protection::READ | Protection::WRITE));
///     }
///     Err(error) => println!("{error}"), // the system has no such map, or no /proc
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "MemoryArea")]
pub struct Region<N> {
    /// The addresses, from the first byte to the one after the last. (They have 64 bits, because the
    /// process may have wider addresses than this program.)
    #[doc(alias = "as_range")]
    #[doc(alias = "start")]
    #[doc(alias = "end")]
    pub addresses: Range<u64>,
    /// How the process may access the pages.
    pub protection: Protection,
    /// Whether others see its writes; `None` if the system does not report it.
    pub sharing: Option<Sharing>,
    /// The offset in the file or device at which the mapping begins, in bytes; zero without a file.
    pub offset: u64,
    /// The file that is mapped; `None` for memory without a file, and if the system does not report
    /// it. (On Linux, shared memory without a name has a file of the kernel's own.)
    pub file: Option<FileId>,
    /// The kernel's name for it: see [`name`](Self::name).
    pub name: N,
}

/// Whether others see a process's writes to a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "ShareMode")]
pub enum Sharing {
    /// Writes go to private pages of the process.
    #[doc(alias = "MAP_PRIVATE")]
    Private,
    /// Writes go to the file, or to memory that others have mapped or children inherit.
    #[doc(alias = "MAP_SHARED")]
    Shared,
}

/// The identity of a mapped file, by the numbers that `fstat` also reports.
///
/// On Linux, btrfs and overlayfs may report another device here than `fstat` does.
#[doc(alias = "st_dev")]
#[doc(alias = "st_ino")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device, as the standard library's `MetadataExt::dev` returns it.
    pub device: u64,
    /// The file's serial number on it, as `MetadataExt::ino` returns it.
    pub inode: u64,
}

/// A name in the caller's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name<'n> {
    pub(crate) bytes: &'n [u8],
    pub(crate) is_whole: bool,
}

impl Name<'_> {
    /// Returns whether the buffer had room for all of the name; false for an empty buffer, for which
    /// the kernel was not asked.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }
}

impl AsRef<[u8]> for Name<'_> {
    /// Returns the name, or as many of its first bytes as the buffer had room for.
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_whole { "" } else { "..." };
        write!(f, "\"{}{more}\"", self.bytes.escape_ascii())
    }
}

impl<N> Region<N> {
    /// Returns its length in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.addresses.end - self.addresses.start
    }

    /// Returns whether it is empty; false for every region that this crate returns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.addresses.end == self.addresses.start
    }

    /// Returns the same region with another name.
    pub(crate) fn with_name<M>(self, name: M) -> Region<M> {
        Region {
            addresses: self.addresses,
            protection: self.protection,
            sharing: self.sharing,
            offset: self.offset,
            file: self.file,
            name,
        }
    }

    /// Keeps only the part from `address` on, which lies within.
    pub(crate) fn cut_before(&mut self, address: u64) {
        if self.file.is_some() {
            self.offset = self.offset.wrapping_add(address - self.addresses.start);
        }
        self.addresses.start = address;
    }
}

impl<N: AsRef<[u8]>> Region<N> {
    /// Returns the kernel's name for the mapping, byte for byte; empty if it has none.
    ///
    /// A path begins with a slash. On Linux, the path of a removed file ends in ` (deleted)`, and so
    /// may the path of an existing file. Other names are `[heap]`, `[stack]`, `[vdso]`, `[anon:...]`
    /// (`PR_SET_VMA_ANON_NAME`), `/memfd:...`, `/SYSV...`, and `/dev/zero (deleted)` for shared
    /// memory without a file. Source: `proc_pid_maps(5)`.
    ///
    /// # Platform
    /// OpenBSD reports no names. The BSDs, Apple's systems, illumos and Solaris report at most 1024
    /// bytes.
    pub fn name(&self) -> &[u8] {
        self.name.as_ref()
    }

    /// Returns the path of the file that is mapped: a [name](Self::name) that begins with a slash.
    ///
    /// Requires the feature `std`.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        use std::os::unix::ffi::OsStrExt;
        let name = self.name();
        name.starts_with(b"/")
            .then(|| std::path::Path::new(std::ffi::OsStr::from_bytes(name)))
    }
}

impl<N: AsRef<[u8]>> fmt::Debug for Region<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.addresses;
        f.debug_struct("Region")
            .field("addresses", &format_args!("{start:#x}..{end:#x}"))
            .field("protection", &self.protection)
            .field("sharing", &self.sharing)
            .field("offset", &self.offset)
            .field("file", &self.file)
            .field("name", &format_args!("\"{}\"", self.name().escape_ascii()))
            .finish()
    }
}
