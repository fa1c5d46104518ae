//! A mapped file, and what is done with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat};
use rustix::process::geteuid;
use unix_memory::{Advice, MapOptions, ReadOnly, SharedMapping, page_size};

/// A file, mapped whole.
pub struct MappedFile {
    file: File,
    pub mapping: SharedMapping<ReadOnly>,
    /// Whether the kernel tells us which pages are in memory.
    told: bool,
}

impl MappedFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        // Opening a pipe that nobody writes to would wait; for a regular file the flag is nothing.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)?;
        let mapping = MapOptions::new().map_shared(&file, ReadOnly)?;
        // Linux tells the owner, and those who may write; to others every page seems in memory.
        let euid = geteuid();
        let told = euid.is_root()
            || file.metadata()?.uid() == euid.as_raw()
            || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
        Ok(Self {
            file,
            mapping,
            told,
        })
    }

    /// Which pages are in memory, one by one.
    pub fn residency(&self) -> io::Result<Vec<bool>> {
        if !self.told {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the kernel tells which pages are in memory only to the file's owner and to those \
                 who may write to it",
            ));
        }
        Ok(self.mapping.residency().collect::<Result<_, _>>()?)
    }

    /// Takes the pages out of memory, as far as nobody else has them mapped.
    pub fn evict(&self) -> io::Result<()> {
        // Only pages that are on disk can go. To flush the mapping would not do: Linux flushes
        // none of a file that was opened for reading alone.
        self.file.sync_data()?;
        // Only pages that are in our page table are looked at: touch those that are in memory.
        for (page, resident) in self.residency()?.into_iter().enumerate() {
            if resident {
                self.mapping.read_at(page * page_size(), &mut [0])?;
            }
        }
        self.mapping.advise(Advice::PageOut)?;
        Ok(())
    }
}
