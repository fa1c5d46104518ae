//! The kernel's flags of a mapping: Linux and Android.

bitflags::bitflags! {
    /// The flags that the kernel keeps for a mapping: the words after `VmFlags:` in `/proc/PID/smaps`.
    ///
    /// Words that this crate does not know are left out. Source: `proc_pid_smaps(5)`, and
    /// `Documentation/filesystems/proc.rst` of Linux.
    ///
    /// ```
    /// use unix_memory::process_map::VmFlags;
    ///
    /// let flags = VmFlags::READABLE | VmFlags::LOCKED;
    /// assert!(flags.contains(VmFlags::LOCKED));
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct VmFlags: u64 {
        /// Pages can be read.
        #[doc(alias = "rd")]
        const READABLE = 1;
        /// Pages can be written to.
        #[doc(alias = "wr")]
        const WRITABLE = 1 << 1;
        /// Pages can be executed.
        #[doc(alias = "ex")]
        const EXECUTABLE = 1 << 2;
        /// Others see what is written.
        #[doc(alias = "sh")]
        const SHARED = 1 << 3;
        /// `mprotect` may make pages readable.
        #[doc(alias = "mr")]
        const MAY_READ = 1 << 4;
        /// `mprotect` may make pages writable.
        #[doc(alias = "mw")]
        const MAY_WRITE = 1 << 5;
        /// `mprotect` may make pages executable.
        #[doc(alias = "me")]
        const MAY_EXECUTE = 1 << 6;
        /// The mapping is, or may become, shared.
        #[doc(alias = "ms")]
        const MAY_SHARE = 1 << 7;
        /// The mapping grows downward, as a stack does.
        #[doc(alias = "gd")]
        const GROWS_DOWN = 1 << 8;
        /// Pages are page frames without a `struct page`, such as those of a device.
        #[doc(alias = "pf")]
        const PFN_MAP = 1 << 9;
        /// Pages are locked into memory (`mlock`).
        #[doc(alias = "lo")]
        const LOCKED = 1 << 10;
        /// Pages are locked into memory when they are first used (`MLOCK_ONFAULT`). Older kernels, Linux
        /// 6.1 among them, do not report it.
        #[doc(alias = "lf")]
        const LOCKED_ON_FAULT = 1 << 11;
        /// The mapping shows the memory of a device.
        #[doc(alias = "io")]
        const IO = 1 << 12;
        /// Pages will be read in order (`MADV_SEQUENTIAL`).
        #[doc(alias = "sr")]
        const SEQUENTIAL = 1 << 13;
        /// Pages will be read in random order (`MADV_RANDOM`).
        #[doc(alias = "rr")]
        const RANDOM = 1 << 14;
        /// Children do not inherit the mapping (`MADV_DONTFORK`).
        #[doc(alias = "dc")]
        const DONT_FORK = 1 << 15;
        /// `mremap` does not lengthen the mapping.
        #[doc(alias = "de")]
        const DONT_EXPAND = 1 << 16;
        /// The mapping counts as committed memory (`vm.overcommit_memory`).
        #[doc(alias = "ac")]
        const ACCOUNTED = 1 << 17;
        /// No swap space is set aside for the mapping (`MAP_NORESERVE`).
        #[doc(alias = "nr")]
        const NO_RESERVE = 1 << 18;
        /// The mapping is in explicit huge pages (`MAP_HUGETLB`).
        #[doc(alias = "ht")]
        const HUGETLB = 1 << 19;
        /// Page faults are synchronous (`MAP_SYNC`).
        #[doc(alias = "sf")]
        const SYNC = 1 << 20;
        /// Children find zeros in the mapping (`MADV_WIPEONFORK`).
        #[doc(alias = "wf")]
        const WIPE_ON_FORK = 1 << 21;
        /// Core dumps leave the mapping out (`MADV_DONTDUMP`).
        #[doc(alias = "dd")]
        const DONT_DUMP = 1 << 22;
        /// All pages count as written since the soft-dirty bits were last cleared.
        #[doc(alias = "sd")]
        const SOFT_DIRTY = 1 << 23;
        /// The mapping holds page frames both with and without a `struct page`.
        #[doc(alias = "mm")]
        const MIXED_MAP = 1 << 24;
        /// Transparent huge pages were asked for (`MADV_HUGEPAGE`).
        #[doc(alias = "hg")]
        const HUGE_PAGE = 1 << 25;
        /// Transparent huge pages were declined (`MADV_NOHUGEPAGE`).
        #[doc(alias = "nh")]
        const NO_HUGE_PAGE = 1 << 26;
        /// The kernel may merge equal pages (`MADV_MERGEABLE`).
        #[doc(alias = "mg")]
        const MERGEABLE = 1 << 27;
        /// A userfaultfd reports faults on missing pages.
        #[doc(alias = "um")]
        const UFFD_MISSING = 1 << 28;
        /// A userfaultfd write-protects pages.
        #[doc(alias = "uw")]
        const UFFD_WRITE_PROTECT = 1 << 29;
        /// A userfaultfd reports faults on pages that are in the page cache.
        #[doc(alias = "ui")]
        const UFFD_MINOR = 1 << 30;
        /// The mapping is sealed: it can be neither unmapped nor changed (`mseal`).
        #[doc(alias = "sl")]
        const SEALED = 1 << 31;
        /// The mapping is a shadow stack, which the processor maintains.
        #[doc(alias = "ss")]
        const SHADOW_STACK = 1 << 32;
        /// The kernel may drop pages when memory is short (`MAP_DROPPABLE`).
        #[doc(alias = "dp")]
        const DROPPABLE = 1 << 33;
        /// Indirect branches may only go to marked instructions (`PROT_BTI` of arm64).
        #[doc(alias = "bt")]
        const BRANCH_TARGETS = 1 << 34;
        /// The memory has tags (`PROT_MTE` of arm64).
        #[doc(alias = "mt")]
        const MEMORY_TAGS = 1 << 35;
        /// The mapping may hold guard pages (`MADV_GUARD_INSTALL`).
        #[doc(alias = "gu")]
        const GUARDS = 1 << 36;
    }
}

/// The kernel's words for the flags.
const WORDS: [(&[u8; 2], VmFlags); 37] = [
    (b"rd", VmFlags::READABLE),
    (b"wr", VmFlags::WRITABLE),
    (b"ex", VmFlags::EXECUTABLE),
    (b"sh", VmFlags::SHARED),
    (b"mr", VmFlags::MAY_READ),
    (b"mw", VmFlags::MAY_WRITE),
    (b"me", VmFlags::MAY_EXECUTE),
    (b"ms", VmFlags::MAY_SHARE),
    (b"gd", VmFlags::GROWS_DOWN),
    (b"pf", VmFlags::PFN_MAP),
    (b"lo", VmFlags::LOCKED),
    (b"lf", VmFlags::LOCKED_ON_FAULT),
    (b"io", VmFlags::IO),
    (b"sr", VmFlags::SEQUENTIAL),
    (b"rr", VmFlags::RANDOM),
    (b"dc", VmFlags::DONT_FORK),
    (b"de", VmFlags::DONT_EXPAND),
    (b"ac", VmFlags::ACCOUNTED),
    (b"nr", VmFlags::NO_RESERVE),
    (b"ht", VmFlags::HUGETLB),
    (b"sf", VmFlags::SYNC),
    (b"wf", VmFlags::WIPE_ON_FORK),
    (b"dd", VmFlags::DONT_DUMP),
    (b"sd", VmFlags::SOFT_DIRTY),
    (b"mm", VmFlags::MIXED_MAP),
    (b"hg", VmFlags::HUGE_PAGE),
    (b"nh", VmFlags::NO_HUGE_PAGE),
    (b"mg", VmFlags::MERGEABLE),
    (b"um", VmFlags::UFFD_MISSING),
    (b"uw", VmFlags::UFFD_WRITE_PROTECT),
    (b"ui", VmFlags::UFFD_MINOR),
    (b"sl", VmFlags::SEALED),
    (b"ss", VmFlags::SHADOW_STACK),
    (b"dp", VmFlags::DROPPABLE),
    (b"bt", VmFlags::BRANCH_TARGETS),
    (b"mt", VmFlags::MEMORY_TAGS),
    (b"gu", VmFlags::GUARDS),
];

impl VmFlags {
    /// Parses the words in a line.
    pub(super) fn parse(line: &[u8]) -> Self {
        let words = line.split(|&byte| byte == b' ' || byte == b'\t');
        let known = words.filter_map(|word| {
            let known = WORDS.iter().find(|(name, _)| name.as_slice() == word);
            known.map(|&(_, flag)| flag)
        });
        known.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_flags() {
        let flags = VmFlags::parse(b" rd wr mr zz lo ");
        let known = VmFlags::READABLE | VmFlags::WRITABLE | VmFlags::MAY_READ | VmFlags::LOCKED;
        assert_eq!(flags, known);
        assert_eq!(VmFlags::parse(b""), VmFlags::empty());
    }

    #[test]
    fn each_flag_has_a_word() {
        let all: VmFlags = WORDS.iter().map(|&(_, flag)| flag).collect();
        assert_eq!(all, VmFlags::all());
    }
}
