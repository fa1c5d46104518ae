//! The memory map of a process, this one or another: what is mapped where, as the kernel reports it.
//!
//! * [`ProcessMap`] looks up the mapping that holds an address, and iterates over all of them. Each is a
//!   [`Region`]: its addresses, protection, sharing, file, offset and name.
//! * On Linux and Android, with the feature `std`, `Smaps` and `Usage` report how much memory a
//!   process uses, by mapping and in total.
//!
//! To change protections or lock pages that were found here, see [`foreign`](crate::foreign).
//!
//! ```
//! use unix_memory::process_map::{ProcessMap, Sharing};
//!
//! match ProcessMap::of_self() {
//!     Ok(mut map) => {
//!         for region in map.regions() {
//!             let region = region?;
//!             if region.sharing == Some(Sharing::Shared) {
//!                 println!("{:#x?} {:?}", region.addresses, region.path());
//!             }
//!         }
//!     }
//!     Err(error) => println!("{error}"), // the system has no such map, or no /proc
//! }
//! # Ok::<(), unix_memory::Error>(())
//! ```
//!
//! # Platform
//! | system | read from |
//! |---|---|
//! | Linux, Android | `/proc/PID/maps`: by `PROCMAP_QUERY` since Linux 6.11, otherwise as text |
//! | Apple's | `proc_pidinfo`, `PROC_PIDREGIONPATHINFO`, which needs no right over the other process's task, as `mach_vm_region` does |
//! | FreeBSD | sysctl `kern.proc.vmmap` |
//! | NetBSD | sysctl `vm.proc.map` |
//! | OpenBSD | sysctl `KERN_PROC_VMMAP`, which reports neither files nor names |
//! | illumos, Solaris | `/proc/PID/map` |
//!
//! On other systems, opening a map fails with `ENOSYS`
//! ([`Reason::Unsupported`](crate::Reason::Unsupported)). So far, this has been run only on Linux.
//!
//! On Apple's systems, memory that processes share may be a separate map within the map of the process,
//! a *submap*; the shared cache of libraries is one. The kernel reports the submap as one region, with
//! one protection, and does not report what is mapped in it. Source: `fill_procregioninfo` in XNU's
//! `osfmk/vm/bsd_vm.c`.
//!
//! In Linux's text, `\012` in a path stands for a newline, but also for these four characters
//! themselves; where this crate reads the text, it reports both as a newline. The pages `[vsyscall]` and
//! `[vectors]`, which belong to the kernel, are left out.

pub(crate) mod map;
pub(crate) mod region;
mod regions;

pub use map::ProcessMap;
pub use region::{FileId, Name, Region, Sharing};
pub use regions::Regions;

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod smap;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod smaps;
#[cfg(all(test, feature = "std", any(target_os = "linux", target_os = "android")))]
mod tests;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) mod text;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod total;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod usage;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
mod vm_flags;

#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use smap::Smap;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use smaps::Smaps;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use usage::Usage;
#[cfg(all(feature = "std", any(target_os = "linux", target_os = "android")))]
pub use vm_flags::VmFlags;
