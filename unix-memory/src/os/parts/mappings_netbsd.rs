//! What is mapped: NetBSD.

use core::mem::offset_of;

use libc::kinfo_vmentry;

use super::snapshot::{Records, Snapshot, number};
use super::sysctl;
use crate::error::Errno;
use crate::process_map::region::{FileId, Region, Sharing};
use crate::protection::Protection;

pub type Mappings = Snapshot<Vmmap>;

pub struct Vmmap {
    process: libc::pid_t,
}

// As in `<sys/sysctl.h>`, the same for all processors.
const _: () = assert!(size_of::<kinfo_vmentry>() == 1128);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_offset) == 16);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_flags) == 28);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_protection) == 48);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_vn_fileid) == 64);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_vn_fsid) == 80);
const _: () = assert!(offset_of!(kinfo_vmentry, kve_path) == 104);

/// `KVME_TYPE_VNODE` and `KVME_TYPE_DEVICE`, which libc lacks.
const VNODE: u32 = 2;
const DEVICE: u32 = 4;

impl Records for Vmmap {
    fn open(process: libc::pid_t) -> Result<Self, Errno> {
        Ok(Self { process })
    }

    fn size(&self) -> Result<usize, Errno> {
        sysctl::size(&self.words())
    }

    fn read(&self, room: &mut [u8]) -> Result<usize, Errno> {
        let len = sysctl::read(&self.words(), room).map_err(|errno| match errno {
            // More records than fit.
            libc::ENOSPC => libc::ENOMEM,
            errno => errno,
        })?;
        // If no further record fits, there may be more.
        if room.len() - len < size_of::<kinfo_vmentry>() {
            return Err(libc::ENOMEM);
        }
        Ok(len)
    }

    fn first(&self, bytes: &[u8]) -> Option<(usize, Option<Region<()>>)> {
        let record = bytes.get(..size_of::<kinfo_vmentry>())?;
        let int = |at| u32::from_ne_bytes(number(record, at));
        let long = |at| u64::from_ne_bytes(number(record, at));
        let kind = int(offset_of!(kinfo_vmentry, kve_type));
        let flags = int(offset_of!(kinfo_vmentry, kve_flags));
        // The values are those of `PROT_`.
        let protection = int(offset_of!(kinfo_vmentry, kve_protection));
        let protection = i32::try_from(protection).unwrap_or(0);
        let file = (kind == VNODE).then(|| FileId {
            device: long(offset_of!(kinfo_vmentry, kve_vn_fsid)),
            inode: long(offset_of!(kinfo_vmentry, kve_vn_fileid)),
        });
        let region = Region {
            addresses: long(offset_of!(kinfo_vmentry, kve_start))
                ..long(offset_of!(kinfo_vmentry, kve_end)),
            protection: Protection::from_bits_truncate(protection),
            // Memory that is not shared is copied on write, with a file or without.
            sharing: Some(if flags & libc::KVME_FLAG_COW.unsigned_abs() == 0 {
                Sharing::Shared
            } else {
                Sharing::Private
            }),
            offset: if kind == VNODE || kind == DEVICE {
                long(offset_of!(kinfo_vmentry, kve_offset))
            } else {
                0
            },
            file,
            name: (),
        };
        Some((record.len(), Some(region)))
    }

    fn name(&self, record: &[u8], name: &mut dyn FnMut(&[u8])) {
        let path = record[offset_of!(kinfo_vmentry, kve_path)..].split(|&byte| byte == 0);
        path.take(1).for_each(name);
    }
}

impl Vmmap {
    fn words(&self) -> [core::ffi::c_int; 5] {
        [
            libc::CTL_VM,
            libc::VM_PROC,
            libc::VM_PROC_MAP,
            self.process,
            size_of::<kinfo_vmentry>().try_into().unwrap_or(0),
        ]
    }
}
