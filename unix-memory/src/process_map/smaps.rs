//! How much memory each mapping uses: Linux and Android.

use core::fmt;
use core::iter::FusedIterator;

use crate::error::Result;
use crate::os;
use crate::process_map::map::{process_number, refusal};
use crate::process_map::smap::{Reader, Smap};

/// An iterator over the mappings of a process, each with the memory that it uses.
///
/// [`Smaps::of_self`] and [`Smaps::of`] make it. For these figures, the kernel visits every page,
/// which takes much longer than [`Regions`](super::Regions).
///
/// As with `Regions`, addresses never go backward. If a mapping has grown downward since the
/// previous item was returned, the addresses are those of the new part, and the figures are those of
/// the whole mapping. After an error, the iterator ends.
///
/// ```
/// use unix_memory::process_map::{Smaps, VmFlags};
///
/// match Smaps::of_self() {
///     Ok(smaps) => {
///         for smap in smaps {
///             let smap = smap?;
///             if smap.flags.is_some_and(|flags| flags.contains(VmFlags::LOCKED)) {
///                 println!("{:#x?} is locked: {} bytes", smap.region.addresses, smap.usage.locked);
///             }
///         }
///     }
///     Err(error) => println!("{error}"), // no /proc
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "/proc/self/smaps")]
#[must_use = "iterators are lazy"]
pub struct Smaps {
    reader: Reader<os::ProcessFile>,
    process: Option<u32>,
}

impl Smaps {
    /// Iterates over the mappings of the calling process.
    ///
    /// # Errors
    /// * `ENOENT` if `/proc` is not mounted ([`Reason::NoProc`](crate::Reason::NoProc)).
    /// * `EMFILE`, `ENFILE` if no more descriptors can be opened.
    ///
    /// Each item may also be an error, and is then the last item.
    ///
    /// ```
    /// use unix_memory::process_map::Smaps;
    ///
    /// if let Ok(smaps) = Smaps::of_self() {
    ///     println!("{} mappings", smaps.count());
    /// }
    /// ```
    pub fn of_self() -> Result<Self> {
        Self::open(None)
    }

    /// Iterates over the mappings of the process with this number.
    ///
    /// # Errors
    /// Those of [`ProcessMap::of`](super::ProcessMap::of). Each item may also be an error, and is
    /// then the last item: `ESRCH` if the process has ended meanwhile.
    ///
    /// ```
    /// use unix_memory::process_map::Smaps;
    ///
    /// if let Ok(smaps) = Smaps::of(std::process::id()) {
    ///     println!("{} mappings", smaps.count());
    /// }
    /// ```
    pub fn of(process: u32) -> Result<Self> {
        Self::open(Some(process))
    }

    pub(super) fn open(process: Option<u32>) -> Result<Self> {
        match os::open_of(process_number(process)?, "smaps", true) {
            Ok(file) => Ok(Self {
                reader: Reader::new(file),
                process,
            }),
            Err(errno) => Err(refusal(process, errno)),
        }
    }
}

impl Iterator for Smaps {
    type Item = Result<Smap>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.has_ended() {
            return None;
        }
        let next = self.reader.next().and_then(|next| match next {
            // The text also ends if the memory is gone.
            None if !self.reader.source().has_text()? => Err(libc::ESRCH),
            next => Ok(next),
        });
        let next = next.transpose()?;
        Some(next.map_err(|errno| refusal(self.process, errno)))
    }
}

impl FusedIterator for Smaps {}

impl fmt::Debug for Smaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smaps")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}
