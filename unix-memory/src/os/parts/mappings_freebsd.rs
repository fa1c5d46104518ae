//! What is mapped: FreeBSD, whose kernel returns records of different lengths.

use core::mem::offset_of;

use super::snapshot::{Records, Snapshot, number};
use super::sysctl;
use crate::error::Errno;
use crate::process_map::region::{FileId, Region, Sharing};
use crate::protection::Protection;

pub type Mappings = Snapshot<Vmmap>;

pub struct Vmmap {
    process: libc::pid_t,
}

/// `struct kinfo_vmentry` of `<sys/user.h>`, without the path, which follows it and ends with a zero.
#[repr(C)]
struct Head {
    structsize: i32,
    kind: i32,
    start: u64,
    end: u64,
    offset: u64,
    vn_fileid: u64,
    vn_fsid_freebsd11: u32,
    flags: i32,
    resident: i32,
    private_resident: i32,
    protection: i32,
    ref_count: i32,
    shadow_count: i32,
    vn_type: i32,
    vn_size: u64,
    vn_rdev_freebsd11: u32,
    vn_mode: u16,
    status: u16,
    vn_fsid: u64,
    vn_rdev: u64,
    spare: [i32; 8],
}

// The same for all processors: the kernel's own assertions say so.
const _: () = assert!(size_of::<Head>() == 136);
const _: () = assert!(offset_of!(Head, vn_fileid) == 32);
const _: () = assert!(offset_of!(Head, flags) == 44 && offset_of!(Head, protection) == 56);
const _: () = assert!(offset_of!(Head, vn_fsid) == 88);
const _: () = assert!(offset_of!(libc::kinfo_vmentry, kve_path) == size_of::<Head>());

/// `KVME_FLAG_SYSVSHM` and `KVME_FLAG_POSIXSHM`, which libc lacks.
const SHARED_MEMORY: i32 = 0x80 | 0x100;

impl Records for Vmmap {
    fn open(process: libc::pid_t) -> Result<Self, Errno> {
        Ok(Self { process })
    }

    fn size(&self) -> Result<usize, Errno> {
        sysctl::size(&self.words())
    }

    fn read(&self, room: &mut [u8]) -> Result<usize, Errno> {
        sysctl::read(&self.words(), room)
    }

    fn first(&self, bytes: &[u8]) -> Option<(usize, Option<Region<()>>)> {
        if bytes.len() < size_of::<Head>() {
            return None;
        }
        let int = |at| i32::from_ne_bytes(number(bytes, at));
        let long = |at| u64::from_ne_bytes(number(bytes, at));
        let len = usize::try_from(int(offset_of!(Head, structsize))).ok()?;
        if len < size_of::<Head>() || len > bytes.len() {
            return None;
        }
        let flags = int(offset_of!(Head, flags));
        let is_file = int(offset_of!(Head, kind)) == libc::KVME_TYPE_VNODE;
        let is_device = int(offset_of!(Head, kind)) == libc::KVME_TYPE_DEVICE;
        let sharing = if flags & libc::KVME_FLAG_COW != 0 {
            Some(Sharing::Private)
        } else if is_file || is_device || flags & SHARED_MEMORY != 0 {
            Some(Sharing::Shared)
        } else {
            // The kernel does not report it for anonymous memory.
            None
        };
        let file = is_file.then(|| FileId {
            device: long(offset_of!(Head, vn_fsid)),
            inode: long(offset_of!(Head, vn_fileid)),
        });
        let region = Region {
            addresses: long(offset_of!(Head, start))..long(offset_of!(Head, end)),
            // The values are those of `PROT_`; above them is what may be asked for.
            protection: Protection::from_bits_truncate(int(offset_of!(Head, protection))),
            sharing,
            offset: if is_file || is_device {
                long(offset_of!(Head, offset))
            } else {
                0
            },
            file,
            name: (),
        };
        Some((len, Some(region)))
    }

    fn name(&self, record: &[u8], name: &mut dyn FnMut(&[u8])) {
        let path = record[size_of::<Head>()..].split(|&byte| byte == 0);
        path.take(1).for_each(name);
    }
}

impl Vmmap {
    const fn words(&self) -> [core::ffi::c_int; 4] {
        [
            libc::CTL_KERN,
            libc::KERN_PROC,
            libc::KERN_PROC_VMMAP,
            self.process,
        ]
    }
}
