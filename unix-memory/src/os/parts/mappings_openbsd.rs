//! What is mapped: OpenBSD, whose kernel reports neither files nor names.

use core::mem::offset_of;

use libc::kinfo_vmentry;

use super::snapshot::{Records, Snapshot, number};
use super::sysctl;
use crate::error::Errno;
use crate::process_map::region::{Region, Sharing};
use crate::protection::Protection;

pub type Mappings = Snapshot<Vmmap>;

pub struct Vmmap {
    process: libc::pid_t,
}

/// A record.
const SIZE: usize = size_of::<kinfo_vmentry>();

/// The most bytes that the kernel gives at a time: its `MAXPHYS`.
const MOST: usize = (64 << 10) / SIZE * SIZE;

// As in `<sys/sysctl.h>`: five long words, then one of 64 bits, then integers.
const LONG: usize = size_of::<core::ffi::c_ulong>();
const OFFSET: usize = (5 * LONG).next_multiple_of(align_of::<u64>());
const _: () = assert!(offset_of!(kinfo_vmentry, kve_end) == LONG);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_offset) == OFFSET);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_etype) == OFFSET + 12);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_protection) == OFFSET + 16);
const _: () = assert!(LONG != 8 || SIZE == 80);

/// `KVE_ET_`: of an object; a part of another map; copied on write. libc lacks them.
const OBJECT: i32 = 1;
const SUBMAP: i32 = 2;
const COPY_ON_WRITE: i32 = 4;

impl Records for Vmmap {
    fn open(process: libc::pid_t) -> Result<Self, Errno> {
        Ok(Self { process })
    }

    fn size(&self) -> Result<usize, Errno> {
        Ok(MOST / 4)
    }

    fn read(&self, room: &mut [u8]) -> Result<usize, Errno> {
        let mut done = 0;
        loop {
            let left = room.len() - done;
            let asked = (left / SIZE * SIZE).min(MOST);
            if asked == 0 {
                return Err(libc::ENOMEM);
            }
            // The first record says where to begin: at the end of the last.
            let end_of_last: [u8; LONG] = match done.checked_sub(SIZE) {
                Some(last) => number(room, last + offset_of!(kinfo_vmentry, kve_end)),
                None => [0; LONG],
            };
            let part = &mut room[done..done + asked];
            part[..LONG].copy_from_slice(&end_of_last);
            let len = sysctl::read(&self.words(), part).map_err(|errno| match errno {
                // A process of the kernel's own, or one that is ending.
                libc::EINVAL => libc::ESRCH,
                errno => errno,
            })?;
            done += len;
            if len < asked {
                return Ok(done);
            }
        }
    }

    fn first(&self, bytes: &[u8]) -> Option<(usize, Option<Region<()>>)> {
        let record = bytes.get(..SIZE)?;
        let int = |at| i32::from_ne_bytes(number(record, at));
        #[allow(
            clippy::unnecessary_fallible_conversions,
            clippy::useless_conversion,
            reason = "they have 32 bits on some processors"
        )]
        let address = |at| u64::try_from(core::ffi::c_ulong::from_ne_bytes(number(record, at)));
        let start = address(offset_of!(kinfo_vmentry, kve_start)).ok()?;
        let end = address(offset_of!(kinfo_vmentry, kve_end)).ok()?;
        let kind = int(offset_of!(kinfo_vmentry, kve_etype));
        let region = Region {
            addresses: start..end,
            // The values are those of `PROT_`.
            protection: Protection::from_bits_truncate(int(offset_of!(
                kinfo_vmentry,
                kve_protection
            ))),
            // Memory that is not shared is copied on write, with a file or without.
            sharing: Some(if kind & COPY_ON_WRITE == 0 {
                Sharing::Shared
            } else {
                Sharing::Private
            }),
            offset: if kind & OBJECT == 0 {
                0
            } else {
                u64::from_ne_bytes(number(record, offset_of!(kinfo_vmentry, kve_offset)))
            },
            file: None,
            name: (),
        };
        Some((SIZE, (kind & SUBMAP == 0).then_some(region)))
    }

    fn name(&self, _: &[u8], _: &mut dyn FnMut(&[u8])) {}
}

impl Vmmap {
    const fn words(&self) -> [core::ffi::c_int; 3] {
        [libc::CTL_KERN, libc::KERN_PROC_VMMAP, self.process]
    }
}
