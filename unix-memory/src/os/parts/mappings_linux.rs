//! What is mapped, in this process or another: Linux and Android.
//!
//! Since Linux 6.11 the kernel answers about one address at a time (`PROCMAP_QUERY`). Where it does
//! not, or a filter refuses that, its text is read.

use core::ffi::CStr;

use unix_memory_sys as sys;

use super::proc_file::File;
use super::proc_path::{Digits, join};
use crate::error::Errno;
use crate::os::call;
use crate::process_map::region::{PutName, Region, Sharing};
use crate::process_map::text::{KERNELS_OWN, Source, Text, file};
use crate::protection::Protection;

pub struct Mappings {
    file: File,
    text: Text,
    /// Whether the kernel is asked about one address at a time.
    asks: bool,
    /// The end of the last mapping that was read in the text, where that can be read on from.
    passed: Option<u64>,
}

/// Opens the file of this name below `/proc/PID`, of the calling process or of the given one. If it
/// is to be `looked_into`, only of a process that has memory.
///
/// # Errors
/// `ESRCH` if there is no such process, or it has no memory; and the errors of opening the file,
/// and of reading it.
pub fn open_of(process: Option<libc::pid_t>, name: &str, looked_into: bool) -> Result<File, Errno> {
    let open = |process: &[u8]| {
        let mut file = open(process, name)?;
        if !looked_into || file.has_text()? {
            Ok(file)
        } else {
            Err(libc::ESRCH)
        }
    };
    let Some(number) = process else {
        return match open(b"self") {
            // The thread that the process began with may have ended, and has no memory then.
            Err(libc::ESRCH) => open(b"thread-self"),
            opened => opened,
        };
    };
    match open(Digits::new(number.unsigned_abs()).as_bytes()) {
        // Only if other processes can be looked up at all.
        Err(libc::ENOENT) if open(b"self").is_ok() => Err(libc::ESRCH),
        opened => opened,
    }
}

fn open(process: &[u8], name: &str) -> Result<File, Errno> {
    let path = join(&[b"/proc/", process, b"/", name.as_bytes()])?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_too_long| libc::ENAMETOOLONG)?;
    File::open(path)
}

impl File {
    /// Whether there is any text: none where the process has no memory, or none any more. Afterwards it
    /// is read from its beginning on.
    ///
    /// # Errors
    /// The kernel's errors.
    pub fn has_text(&mut self) -> Result<bool, Errno> {
        self.rewind();
        let has_text = Source::read(self, &mut [0])? != 0;
        self.rewind();
        Ok(has_text)
    }
}

impl Source for File {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Errno> {
        Self::read(self, buffer)
    }
}

impl Mappings {
    /// The mappings of the calling process, or of the given one.
    ///
    /// # Errors
    /// Those of [`open_of`].
    pub fn open(process: Option<libc::pid_t>) -> Result<Self, Errno> {
        Ok(Self {
            file: open_of(process, "maps", true)?,
            text: Text::new(),
            asks: true,
            passed: None,
        })
    }

    /// The mapping that holds `address`, or else the next above it; calls `name` with pieces of its
    /// name. If it `goes_on`, `address` is the end of the last mapping, and text that was read by then
    /// will do.
    ///
    /// # Errors
    /// `ESRCH` if the process has no memory any more; and the kernel's other errors.
    pub fn at_or_after(
        &mut self,
        address: u64,
        goes_on: bool,
        mut name: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        if self.asks {
            match self.ask(address, name.as_deref_mut()) {
                Err(libc::ENOENT) => return Ok(None),
                Err(libc::ESRCH) => return Err(libc::ESRCH),
                // The name is longer than a path may be; the text has it.
                Err(libc::ENAMETOOLONG | libc::E2BIG) => {}
                // An old kernel, or a filter.
                Err(_) => self.asks = false,
                Ok(region) => return Ok(Some(region)),
            }
        }
        self.look(address, goes_on, name)
    }

    /// Asks the kernel. `name` is called once at most, and only where this succeeds.
    fn ask(&mut self, address: u64, name: PutName<'_, '_>) -> Result<Region<()>, Errno> {
        let mut query = sys::procmap_query {
            size: size_of::<sys::procmap_query>() as u64,
            query_flags: sys::PROCMAP_QUERY_COVERING_OR_NEXT_VMA,
            query_addr: address,
            ..sys::procmap_query::default()
        };
        // The buffer is used for something else.
        self.passed = None;
        let buffer = self.text.buffer();
        if name.is_some() {
            query.vma_name_addr = buffer.as_mut_ptr().expose_provenance() as u64;
            query.vma_name_size = buffer.len().try_into().unwrap_or(u32::MAX);
        }
        // SAFETY: the request takes a pointer to such a structure, and writes to it, and to as much of
        // the buffer as its length says. [arguments]
        let asked =
            unsafe { sys::ioctl(self.file.descriptor(), sys::PROCMAP_QUERY, &raw mut query) };
        call::zero_or_errno(asked)?;
        if query.vma_start >= query.vma_end || query.vma_end <= address {
            return Err(libc::EBADMSG);
        }
        let has = |flag| query.vma_flags & flag != 0;
        let mut protection = Protection::empty();
        protection.set(Protection::READ, has(sys::PROCMAP_QUERY_VMA_READABLE));
        protection.set(Protection::WRITE, has(sys::PROCMAP_QUERY_VMA_WRITABLE));
        protection.set(Protection::EXECUTE, has(sys::PROCMAP_QUERY_VMA_EXECUTABLE));
        let sharing = if has(sys::PROCMAP_QUERY_VMA_SHARED) {
            Sharing::Shared
        } else {
            Sharing::Private
        };
        if let Some(name) = name {
            // With the zero at its end.
            let len = usize::try_from(query.vma_name_size).unwrap_or(usize::MAX);
            let bytes = buffer.get(..len.saturating_sub(1));
            name(bytes.unwrap_or(&[]));
        }
        Ok(Region {
            addresses: query.vma_start..query.vma_end,
            protection,
            sharing: Some(sharing),
            offset: query.vma_offset,
            file: file(query.dev_major, query.dev_minor, query.inode),
            name: (),
        })
    }

    /// Looks it up in the text.
    fn look(
        &mut self,
        address: u64,
        goes_on: bool,
        mut name: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        if !goes_on || self.passed != Some(address) {
            self.text.clear();
            self.file.rewind();
        }
        // Whatever fails, reading the text does not continue from here.
        self.passed = None;
        let Some(region) = self.read_on(address, &mut name)? else {
            // The text ends too where the memory is gone.
            self.text.clear();
            return if self.file.has_text()? {
                Ok(None)
            } else {
                Err(libc::ESRCH)
            };
        };
        self.passed = Some(region.addresses.end);
        Ok(Some(region))
    }

    fn read_on(
        &mut self,
        address: u64,
        name: &mut PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        while let Some(region) = self.text.head(&mut self.file)? {
            if region.addresses.end <= address {
                self.text.name(&mut self.file, &mut |_| {})?;
                continue;
            }
            let mut kernels = KernelsOwn::default();
            self.text.name(&mut self.file, &mut |piece| {
                kernels.see(piece);
                if let Some(name) = name {
                    name(piece);
                }
            })?;
            if kernels.is_seen() {
                continue;
            }
            return Ok(Some(region));
        }
        Ok(None)
    }
}

/// Checks whether a name is that of a page of the kernel's own.
#[derive(Default)]
struct KernelsOwn {
    start: [u8; 10],
    len: usize,
}

impl KernelsOwn {
    fn see(&mut self, piece: &[u8]) {
        for (place, &byte) in self.start.iter_mut().skip(self.len).zip(piece) {
            *place = byte;
        }
        self.len = self.len.saturating_add(piece.len());
    }

    fn is_seen(&self) -> bool {
        let name = self.start.get(..self.len);
        name.is_some_and(|name| KERNELS_OWN.contains(&name))
    }
}
