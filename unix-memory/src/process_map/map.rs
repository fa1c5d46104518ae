//! The memory map of a process, and queries of it.

use core::fmt;
#[cfg(feature = "std")]
use std::vec::Vec;

use crate::error::{Arguments, Call, Errno, Error, Reason, Result};
use crate::os::Mappings;
use crate::process_map::region::{Name, PutName, Region};

/// The memory map of a process: what is mapped where.
///
/// [`containing`](Self::containing) looks up one address; [`regions`](Self::regions) iterates over
/// all mappings. Each answer is the kernel's state at that moment: nothing is cached between two
/// queries, and by the time an answer is used, a mapping may have changed.
///
/// * **fork**: in a child, this is still the map of the parent; open a new one there.
/// * **exec**: when the other process executes another program, its old memory is gone. Queries then
///   fail with `ESRCH` on Linux; elsewhere they return what the new program has.
/// * **End**: after a process has ended, queries fail with `ESRCH`. On Apple's systems and the BSDs,
///   each query looks the process up by its number: if another process has received that number, the
///   answers are about that one. A number is not reused before the parent of the process has waited
///   for it.
/// * **Descriptors**: on Linux, illumos and Solaris, it holds one, which is closed on exec.
///
/// ```
/// use unix_memory::process_map::ProcessMap;
/// use unix_memory::{Mapping, Protection};
///
/// let mapping = Mapping::anonymous(100)?;
/// let Ok(mut map) = ProcessMap::of_self() else {
///     return Ok(()); // the system has no such map, or no /proc
/// };
/// let region = map.containing(mapping.as_ptr().addr() as u64)?.expect("it is mapped");
/// assert!(region.protection.contains(Protection::READ | Protection::WRITE));
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[doc(alias = "/proc/self/maps")]
#[doc(alias = "PROCMAP_QUERY")]
#[doc(alias = "kinfo_getvmmap")]
#[doc(alias = "mach_vm_region")]
#[doc(alias = "proc_pidinfo")]
#[doc(alias = "VirtualQuery")]
#[doc(alias = "MemoryAreas")]
#[doc(alias = "query")]
#[doc(alias = "query_range")]
pub struct ProcessMap {
    mappings: Mappings,
    process: Option<u32>,
}

impl ProcessMap {
    /// Opens the map of the calling process.
    ///
    /// # Errors
    /// * `ENOENT` on Linux if `/proc` is not mounted ([`Reason::NoProc`]).
    /// * `EMFILE`, `ENFILE` if no more descriptors can be opened, `ENOMEM` if there is no memory.
    /// * `ENOSYS` on systems that report no map ([`Reason::Unsupported`]).
    ///
    /// # Platform
    /// Linux, Android, Apple's systems, FreeBSD, NetBSD, OpenBSD, illumos and Solaris.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// match ProcessMap::of_self() {
    ///     Ok(mut map) => println!("{} mappings", map.regions().count()),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    pub fn of_self() -> Result<Self> {
        Self::open(None)
    }

    /// Opens the map of the process with this number.
    ///
    /// # Errors
    /// Those of [`of_self`](Self::of_self), and:
    /// * `ESRCH` if there is no such process, or if it has no memory, because it has ended and its
    ///   parent has not yet waited for it, or because it is a kernel thread. On Linux also if `/proc`
    ///   is mounted with `hidepid=invisible` (2), so that the process seems not to exist.
    /// * `EACCES` or `EPERM` if this process may not inspect that one ([`Reason::NotTraceable`]). On
    ///   Linux it may if it could trace it (ptrace(2), "Ptrace access mode checking"), and `/proc` is
    ///   not mounted with `hidepid=noaccess` (1).
    ///
    /// # Platform
    /// The same as for [`of_self`](Self::of_self). OpenBSD lets only root inspect other processes.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// match ProcessMap::of(std::process::id()) {
    ///     Ok(mut map) => assert!(map.regions().next().is_some()),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    pub fn of(process: u32) -> Result<Self> {
        Self::open(Some(process))
    }

    fn open(process: Option<u32>) -> Result<Self> {
        match Mappings::open(process_number(process)?) {
            Ok(mappings) => Ok(Self { mappings, process }),
            Err(errno) => Err(refusal(process, errno)),
        }
    }

    /// Returns the mapping that holds `address`, or `None` if nothing is mapped there.
    ///
    /// Since Linux 6.11, and on Apple's systems, the kernel looks the address up; elsewhere the
    /// mappings below it are read as well.
    ///
    /// Requires the feature `std`; [`containing_into`](Self::containing_into) allocates nothing.
    ///
    /// # Errors
    /// `ESRCH` if the process has ended; and the errors of [`of`](Self::of), on systems that check at
    /// each query.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     let code = map.containing(main as *const () as u64)?.expect("it is mapped");
    ///     println!("main is in {:?}", code.path());
    ///     assert!(map.containing(0)?.is_none(), "nothing is at the null pointer");
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn containing(&mut self, address: u64) -> Result<Option<Region<Vec<u8>>>> {
        let mut name = Vec::new();
        let mut put = |bytes: &[u8]| name.extend_from_slice(bytes);
        let found = self.find(address, false, Some(&mut put))?;
        Ok(holding(found, address).map(|region| region.with_name(name)))
    }

    /// Like `containing`, with the region's name in `name`, or as much of it as fits.
    ///
    /// If `name` is empty, the kernel is not asked for the name, which is faster.
    ///
    /// # Errors
    /// `ESRCH` if the process has ended; and the errors of [`of`](Self::of), on systems that check at
    /// each query.
    ///
    /// ```
    /// use unix_memory::process_map::ProcessMap;
    ///
    /// if let Ok(mut map) = ProcessMap::of_self() {
    ///     let (local, mut name) = (0, [0; 256]);
    ///     let address = (&raw const local).addr() as u64;
    ///     let stack = map.containing_into(address, &mut name)?.expect("it is mapped");
    ///     println!("{}", stack.name().escape_ascii());
    /// }
    /// # Ok::<(), unix_memory::Error>(())
    /// ```
    pub fn containing_into<'n>(
        &mut self,
        address: u64,
        name: &'n mut [u8],
    ) -> Result<Option<Region<Name<'n>>>> {
        Ok(holding(self.find_into(address, false, name)?, address))
    }

    /// Like [`find`](Self::find), with the name in a buffer.
    pub(super) fn find_into<'n>(
        &mut self,
        address: u64,
        goes_on: bool,
        name: &'n mut [u8],
    ) -> Result<Option<Region<Name<'n>>>> {
        if name.is_empty() {
            let found = self.find(address, goes_on, None)?;
            let none = Name {
                bytes: &[],
                is_whole: false,
            };
            return Ok(found.map(|region| region.with_name(none)));
        }
        let (mut len, mut is_whole) = (0, true);
        let mut put = |bytes: &[u8]| {
            let room = &mut name[len..];
            let part = &bytes[..bytes.len().min(room.len())];
            room[..part.len()].copy_from_slice(part);
            len += part.len();
            is_whole &= part.len() == bytes.len();
        };
        let found = self.find(address, goes_on, Some(&mut put))?;
        let bytes = &name[..len];
        Ok(found.map(|region| region.with_name(Name { bytes, is_whole })))
    }

    /// Returns the mapping that holds `address`, or else the next one above; calls `name` with pieces
    /// of its name in turn. If `goes_on`, `address` is the end of the last mapping found, and the
    /// part of the kernel's answer that was read then may be enough.
    pub(super) fn find(
        &mut self,
        address: u64,
        goes_on: bool,
        name: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>> {
        let found = self.mappings.at_or_after(address, goes_on, name);
        found.map_err(|errno| refusal(self.process, errno))
    }
}

/// Returns `region`, which ends after `address`, if it holds it.
fn holding<N>(region: Option<Region<N>>, address: u64) -> Option<Region<N>> {
    region.filter(|region| region.addresses.start <= address)
}

impl fmt::Debug for ProcessMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessMap")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// Returns the number of `process` as the kernel's type.
pub(super) fn process_number(process: Option<u32>) -> Result<Option<libc::pid_t>> {
    // No process has a larger number.
    let number = process.map(libc::pid_t::try_from).transpose();
    number.map_err(|_| refusal(process, libc::ESRCH))
}

/// The error of a query about `process`, or about this one, that failed with `errno`.
#[cold]
pub(super) const fn refusal(process: Option<u32>, errno: Errno) -> Error {
    let arguments = match process {
        Some(process) => Arguments::Process(process),
        None => Arguments::None,
    };
    let reason = match errno {
        libc::ENOSYS => Reason::Unsupported,
        libc::ENOENT => Reason::NoProc,
        libc::EACCES | libc::EPERM if process.is_some() => Reason::NotTraceable,
        _ => Reason::Kernel,
    };
    Error::new(Call::ProcessMap, errno, arguments, reason)
}
