//! The bytes of a file, whatever the file is.

pub mod options;
pub mod read;
pub mod way;

use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;

use self::way::Way;
use crate::mapping::Mapping;
use crate::protection::ReadOnly;

/// The content of any file as a slice, whether the file is regular or not, and whether it can be mapped or
/// only read. It derefs to `[u8]`.
///
/// # Which call to choose
///
/// | call | a sealed memfd, a file with fs-verity | any other file | who vouches for the file |
/// |---|---|---|---|
/// | [`FileBytes::load`] | mapped | read | nobody: it is safe |
/// | [`map_private`], `unsafe` | mapped privately | mapped privately, or else read | the caller |
/// | [`map_shared`], `unsafe` | mapped shared | mapped shared, or else privately, or else read | the caller |
///
/// [`map_private`]: crate::FileBytesOptions::map_private
/// [`map_shared`]: crate::FileBytesOptions::map_shared
///
/// **Reading** is right for most files. It costs one copy, and as much memory as the file has bytes. The
/// bytes then belong to this process: they do not change, whatever happens to the file.
///
/// **Mapping** is right for a file of which little is used, that many processes use at once, or that is
/// larger than memory: only pages that are touched are read, and they are the kernel's own copy of the
/// file. In return, anybody who can write to the file can break the program. If bytes change while a
/// reference to them lives, that is undefined behaviour. A page that was truncated away, or that a disk, a
/// network or a FUSE program cannot deliver, raises SIGBUS when it is touched. If you cannot rule that out,
/// use [`load`](Self::load), or a [`SharedMapping`](crate::SharedMapping), which maps any file in safe code
/// and copies bytes out, or, for a file that is larger than the address space, [`Windows`](crate::Windows).
///
/// **Shared or private** makes no difference to a program that only reads. A mapping that is made
/// writable ([`into_mapping`](Self::into_mapping)) changes the file if it is shared.
///
/// Both `map_` calls read a file that cannot be mapped. [`way`](Self::way) returns which of these happened:
///
/// | file | what the `map_` calls do | the length that the file reports |
/// |---|---|---|
/// | regular, on a disk or in memory | mapped | its length |
/// | on a FUSE file system with direct I/O | mapped privately, by `map_shared` too | its length |
/// | in /proc | read | 0; it has more |
/// | in /sys | read | a page; it has less |
/// | pipe, socket, terminal | read | none |
/// | device, such as /dev/zero | read; mapped if [a length](crate::FileBytesOptions::len) is given and its driver can | none |
///
/// # Files that change
/// A file that grows or shrinks while it is read is read up to its end at that moment, and concurrent
/// writes may be seen in part. For a consistent state, writers must lock the file, or rename a new file
/// over it.
///
/// # Other properties
/// * **Position**: a file that has offsets is read by `pread`, from 0 or
///   [`offset`](crate::FileBytesOptions::offset) on. The position of its descriptor neither matters
///   nor changes. A file without offsets, such as a pipe, is read by `read` from its current
///   position.
/// * **Memory**: bytes that are read begin at the start of a page. If they are enough to fill huge pages,
///   and the system has such pages ([`Advice::HugePage`](crate::Advice::HugePage)), they are in huge pages.
/// * **Endless files** are an error at [`max_len`](crate::FileBytesOptions::max_len). Without that limit,
///   /dev/zero takes all memory.
/// * **Broken disks**: if a page of a file with fs-verity cannot be read, or no longer matches what was
///   verified, touching it raises SIGBUS. (This is not undefined behaviour.)
/// * **Length zero**: nothing is mapped.
/// * **The file** may be closed afterwards. **fork**: a child has the bytes too.
///
/// ```
/// use std::fs::File;
/// use unix_memory::FileBytes;
///
/// let program = FileBytes::load(File::open(std::env::current_exe()?)?)?;
/// let zeros = program.iter().filter(|&&byte| byte == 0).count();
/// println!("{zeros} of {} bytes are zero", program.len());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Changing the bytes, or keeping a slice for longer than the value, does not compile:
///
/// ```compile_fail,E0594
/// # let file = std::fs::File::open("/dev/null")?;
/// let mut bytes = unix_memory::FileBytes::load(&file)?;
/// bytes[0] = 1;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// ```compile_fail,E0505
/// # let file = std::fs::File::open("/dev/null")?;
/// let bytes = unix_memory::FileBytes::load(&file)?;
/// let slice = &bytes[..];
/// drop(bytes);
/// println!("{slice:?}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[doc(alias = "mmap")]
#[doc(alias = "read")]
#[must_use = "it is unmapped when it is dropped"]
pub struct FileBytes {
    mapping: Mapping<ReadOnly>,
    way: Way,
}

impl FileBytes {
    /// Returns how the bytes came into memory.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// Returns the memory, for locks, advice and residency.
    ///
    /// ```
    /// # let file = std::fs::File::open("/dev/null")?;
    /// use unix_memory::{Advice, FileBytes};
    ///
    /// let bytes = FileBytes::load(&file)?;
    /// bytes.mapping().advise(Advice::Random)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn mapping(&self) -> &Mapping<ReadOnly> {
        &self.mapping
    }

    /// Returns the memory alone, which [`Mapping::protect`] can make writable. Writes to it then stay
    /// private to this process, unless the way was [`Way::MappedShared`].
    ///
    /// ```
    /// use std::io::Write;
    /// use unix_memory::{FileBytes, ReadWrite};
    ///
    /// let mut file = tempfile::tempfile()?;
    /// file.write_all(b"abc")?;
    /// let mut copy = FileBytes::load(&file)?.into_mapping().protect(ReadWrite)?;
    /// copy.make_ascii_uppercase();
    /// assert_eq!(*copy, *b"ABC");
    /// assert_eq!(*FileBytes::load(&file)?, *b"abc");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_mapping(self) -> Mapping<ReadOnly> {
        self.mapping
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for FileBytes {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl From<FileBytes> for Mapping<ReadOnly> {
    fn from(bytes: FileBytes) -> Self {
        bytes.mapping
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBytes")
            .field("mapping", &self.mapping)
            .field("way", &self.way)
            .finish()
    }
}

// SAFETY: as the mapping in it. [owned, borrowed]
#[cfg(feature = "stable_deref_trait")]
unsafe impl stable_deref_trait::StableDeref for FileBytes {}

static_assertions::assert_impl_all!(FileBytes: Send, Sync, Unpin);
