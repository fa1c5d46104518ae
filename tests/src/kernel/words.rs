//! What a kernel can report about a mapping, in types that exist on every system.

use std::ops::Range;
use std::path::PathBuf;

bitflags::bitflags! {
    /// The protection of pages, and whether others see changes: `rwxs` or `rwxp` in a list of
    /// mappings.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Permissions: u8 {
        /// They can be read.
        const READ = 1;
        /// They can be written.
        const WRITE = 1 << 1;
        /// They can be executed.
        const EXECUTE = 1 << 2;
        /// Changes are those of the file, or of memory that others have too.
        const SHARED = 1 << 3;
        /// Changes are this mapping's own.
        const PRIVATE = 1 << 4;
    }
}

bitflags::bitflags! {
    /// Flags of a mapping, as Linux names them in `/proc/self/smaps`: those that tests ask for.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Flags: u16 {
        /// It is not copied to children.
        const DC = 1;
        /// It is left out of core dumps.
        const DD = 1 << 1;
        /// It grows downward.
        const GD = 1 << 2;
        /// Huge pages are advised.
        const HG = 1 << 3;
        /// It is locked on fault.
        const LF = 1 << 4;
        /// It is locked.
        const LO = 1 << 5;
        /// Equal pages may be merged.
        const MG = 1 << 6;
        /// Huge pages are advised against.
        const NH = 1 << 7;
        /// Space is not set aside for it.
        const NR = 1 << 8;
        /// Random access is advised.
        const RR = 1 << 9;
        /// It is sealed.
        const SL = 1 << 10;
        /// Sequential access is advised.
        const SR = 1 << 11;
        /// It is wiped in children.
        const WF = 1 << 12;
    }
}

/// A mapping in the kernel's list.
#[derive(Clone, Debug)]
pub struct Map {
    /// Where it is.
    pub addresses: Range<usize>,
    /// What may be done with it.
    pub permissions: Permissions,
    /// The place in its file at which it starts.
    pub offset: u64,
    /// The name of its file, if it has one.
    pub path: Option<PathBuf>,
    /// The size of its pages, if the kernel reports it.
    pub page_size: Option<u64>,
    /// The bytes of its pages that belong to no file, if the kernel reports them.
    pub anonymous: Option<usize>,
    /// Of these, the bytes that are in transparent huge pages.
    pub anonymous_huge: Option<usize>,
    /// Its bytes that are in huge pages of any kind, as far as the kernel reports them.
    pub huge: usize,
}
