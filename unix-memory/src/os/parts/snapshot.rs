//! What is mapped, in this process or another, on systems that return all of it at once: the BSDs,
//! illumos and Solaris.

use crate::error::Errno;
use crate::os::call;
use crate::page_list::PageList;
use crate::process_map::region::{PutName, Region};

/// Where a system has its records, and how to read them.
pub trait Records: Sized {
    /// Those of the process with this number.
    ///
    /// # Errors
    /// `ESRCH` if there is none; and the kernel's other errors.
    fn open(process: libc::pid_t) -> Result<Self, Errno>;

    /// About how many bytes the records have.
    ///
    /// # Errors
    /// The kernel's errors.
    fn size(&self) -> Result<usize, Errno>;

    /// Reads all records into `room`, and returns how many bytes they have.
    ///
    /// # Errors
    /// `ENOMEM` if there is too little room; and the kernel's other errors.
    fn read(&self, room: &mut [u8]) -> Result<usize, Errno>;

    /// The record that `bytes` begins with: how many bytes it has, and the mapping that it describes,
    /// unless that is not one of the process's own. `None` if there is no whole record.
    fn first(&self, bytes: &[u8]) -> Option<(usize, Option<Region<()>>)>;

    /// Calls `name` with the name in a record.
    fn name(&self, record: &[u8], name: &mut dyn FnMut(&[u8]));
}

/// The most that the records may have: more than any kernel's limits allow.
const MOST: usize = 1 << 30;

pub struct Snapshot<R> {
    records: R,
    bytes: Option<PageList<u8>>,
    /// Where in the bytes the next record is.
    next: usize,
    /// The end of the last mapping that was found.
    passed: Option<u64>,
}

impl<R: Records> Snapshot<R> {
    /// The mappings of the calling process, or of the given one.
    ///
    /// # Errors
    /// Those of [`Records::open`], [`Records::read`].
    pub fn open(process: Option<libc::pid_t>) -> Result<Self, Errno> {
        let mut snapshot = Self {
            records: R::open(process.unwrap_or_else(call::process_id))?,
            bytes: None,
            next: 0,
            passed: None,
        };
        // This reports a refusal now.
        snapshot.take()?;
        Ok(snapshot)
    }

    /// The mapping that holds `address`, or else the next above it; calls `name` with its name. If it
    /// `goes_on`, `address` is the end of the last mapping, and the records that were read by then will
    /// do.
    ///
    /// # Errors
    /// Those of [`Records::read`].
    pub fn at_or_after(
        &mut self,
        address: u64,
        goes_on: bool,
        name: PutName<'_, '_>,
    ) -> Result<Option<Region<()>>, Errno> {
        if !goes_on || self.passed != Some(address) {
            self.take()?;
        }
        self.passed = None;
        let bytes = self.bytes.as_ref().map_or(&[][..], PageList::as_slice);
        while let Some((len, region)) = self.records.first(&bytes[self.next..]) {
            let record = &bytes[self.next..self.next + len];
            self.next += len;
            let Some(region) = region.filter(|region| region.addresses.end > address) else {
                continue;
            };
            if region.addresses.is_empty() {
                continue;
            }
            if let Some(name) = name {
                self.records.name(record, name);
            }
            self.passed = Some(region.addresses.end);
            return Ok(Some(region));
        }
        Ok(None)
    }

    /// Reads all records again.
    fn take(&mut self) -> Result<(), Errno> {
        self.next = 0;
        self.passed = None;
        let mut wanted = self.records.size()?;
        loop {
            // The room is a mapping too, and others may come meanwhile.
            wanted = wanted.saturating_add(wanted / 4 + 4096);
            let mut bytes = match self.bytes.take() {
                Some(bytes) if bytes.capacity() >= wanted => bytes,
                _ => PageList::new(wanted)?,
            };
            wanted = bytes.capacity();
            let read = self.records.read(bytes.room());
            bytes.set_len(*read.as_ref().unwrap_or(&0));
            self.bytes = Some(bytes);
            match read {
                Err(libc::ENOMEM) if wanted < MOST => {}
                read => return read.map(drop),
            }
        }
    }
}

/// The number that begins at `at` in a record that has it.
#[allow(dead_code, reason = "only some systems have such records")]
pub fn number<const SIZE: usize>(record: &[u8], at: usize) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    bytes.copy_from_slice(&record[at..at + SIZE]);
    bytes
}
