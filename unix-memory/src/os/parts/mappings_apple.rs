//! What is mapped: Apple's systems, whose kernel answers about one address at a time.

use core::ffi::{c_int, c_void};
use core::mem::{MaybeUninit, offset_of};

use crate::error::Errno;
use crate::os::call;
use crate::process_map::region::{FileId, PutName, Region, Sharing};
use crate::protection::Protection;

pub struct Mappings {
    process: libc::pid_t,
}

unsafe extern "C" {
    /// Of `<libproc.h>`, which libc has for macOS alone; libSystem has it everywhere.
    fn proc_pidinfo(
        pid: c_int,
        flavor: c_int,
        arg: u64,
        buffer: *mut c_void,
        buffersize: c_int,
    ) -> c_int;
}

/// `PROC_PIDREGIONPATHINFO` of `<sys/proc_info.h>`.
const REGION_AND_PATH: c_int = 8;

/// `VM_INHERIT_SHARE` and `VM_INHERIT_COPY` of `<mach/vm_inherit.h>`.
const INHERIT_SHARE: u32 = 0;
const INHERIT_COPY: u32 = 1;

/// `struct proc_regionwithpathinfo` of `<sys/proc_info.h>`.
#[repr(C)]
struct RegionInfo {
    protection: u32,
    max_protection: u32,
    inheritance: u32,
    flags: u32,
    offset: u64,
    /// Behaviour, wiring, tag, counts of pages, references, sharing, the object and depth.
    rest: [u32; 14],
    address: u64,
    size: u64,
    dev: u32,
    mode: u16,
    nlink: u16,
    ino: u64,
    /// The rest of `struct vinfo_stat` and of `struct vnode_info`.
    rest_of_vnode: [u64; 17],
    path: [u8; 1024],
}

const _: () = assert!(size_of::<RegionInfo>() == 1272);
const _: () = assert!(offset_of!(RegionInfo, address) == 80 && offset_of!(RegionInfo, dev) == 96);
const _: () = assert!(offset_of!(RegionInfo, ino) == 104 && offset_of!(RegionInfo, path) == 248);

impl Mappings {
    /// The mappings of the calling process, or of the given one.
    ///
    /// # Errors
    /// `ESRCH` if there is none; `EPERM` if it is another user's.
    pub fn open(process: Option<libc::pid_t>) -> Result<Self, Errno> {
        let process = process.unwrap_or_else(call::process_id);
        let mappings = Self { process };
        // This reports a refusal now.
        mappings.ask(0)?;
        Ok(mappings)
    }

    /// The mapping that holds `address`, or else the next above it; calls `name` with its name.
    ///
    /// # Errors
    /// `ESRCH` if the process has ended; and the kernel's other errors.
    pub fn at_or_after(
        &mut self,
        address: u64,
        _goes_on: bool,
        name: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        let Some(info) = self.ask(address)? else {
            return Ok(None);
        };
        let end = info.address.checked_add(info.size);
        let end = end.filter(|&end| end > address.max(info.address));
        let end = end.ok_or(libc::EBADMSG)?;
        let path = info.path.split(|&byte| byte == 0).next().unwrap_or(&[]);
        if let Some(name) = name {
            name(path);
        }
        let is_file = info.ino != 0 || !path.is_empty();
        Ok(Some(Region {
            addresses: info.address..end,
            // The values of `VM_PROT_` are those of `PROT_`.
            protection: Protection::from_bits_truncate(
                c_int::try_from(info.protection).unwrap_or(0),
            ),
            sharing: match info.inheritance {
                // As `mmap` sets it for `MAP_SHARED`, and for `MAP_PRIVATE`.
                INHERIT_SHARE => Some(Sharing::Shared),
                INHERIT_COPY => Some(Sharing::Private),
                _ => None,
            },
            offset: if is_file { info.offset } else { 0 },
            file: is_file.then(|| FileId {
                device: device(info.dev),
                inode: info.ino,
            }),
            name: (),
        }))
    }

    /// The kernel's answer; `None` where nothing is mapped at `address` or above.
    fn ask(&self, address: u64) -> Result<Option<RegionInfo>, Errno> {
        let mut info = MaybeUninit::<RegionInfo>::zeroed();
        let size = size_of::<RegionInfo>();
        let size = c_int::try_from(size).map_err(|_never| libc::EINVAL)?;
        // SAFETY: the structure has as many bytes, which the call writes. [arguments]
        let written = unsafe {
            proc_pidinfo(
                self.process,
                REGION_AND_PATH,
                address,
                info.as_mut_ptr().cast(),
                size,
            )
        };
        match written {
            // SAFETY: it holds only integers, which were zeros before. [arguments, values]
            written if written == size => Ok(Some(unsafe { info.assume_init() })),
            written if written > 0 => Err(libc::EBADMSG),
            _ => match call::errno() {
                libc::EINVAL => Ok(None),
                errno => Err(errno),
            },
        }
    }
}

/// As `st_dev`, which has a sign there, is widened by the standard library.
#[allow(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the same bits, and its sign"
)]
const fn device(number: u32) -> u64 {
    number as i32 as u64
}
