//! How much memory a process or a mapping uses: Linux and Android.

/// Declares the figures, each with its key in the kernel's text, and what is done with each.
macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $key:literal;)*) => {
        /// How much memory a mapping or a whole process uses. All figures are in bytes.
        ///
        /// If the kernel does not report a figure, a `u64` is zero; an `Option`, for figures that newer
        /// kernels added, is `None`. A *share* of a page is the page's size divided by the number of
        /// mappings that have it. Source: `proc_pid_smaps(5)`, and `Documentation/filesystems/proc.rst` of
        /// Linux.
        #[doc(alias = "smaps_rollup")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct Usage {
            $(
                $(#[$doc])*
                #[doc(alias = $key)]
                pub $name: $type,
            )*
        }

        impl Usage {
            /// Sets the figure of this key, if there is one, to `value`, which is in KiB.
            pub(super) fn set(&mut self, key: &[u8], value: &[u8]) {
                $(
                    if key == $key.as_bytes() {
                        if let Some(bytes) = kib(value) {
                            self.$name = Figure::new(bytes);
                        }
                    }
                )*
            }

            /// Adds the figures of another mapping.
            pub(super) fn add(&mut self, other: &Self) {
                $(self.$name = self.$name.plus(other.$name);)*
            }
        }
    };
}

/// A number of bytes that a kernel may not report.
trait Figure: Copy {
    fn new(bytes: u64) -> Self;
    fn plus(self, other: Self) -> Self;
}

impl Figure for u64 {
    fn new(bytes: u64) -> Self {
        bytes
    }

    fn plus(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Figure for Option<u64> {
    fn new(bytes: u64) -> Self {
        Some(bytes)
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Some(ours), Some(theirs)) => Some(ours.plus(theirs)),
            (ours, theirs) => ours.or(theirs),
        }
    }
}

figures! {
    /// Pages in memory: the resident set size.
    rss: u64 = "Rss";
    /// The shares of the pages in memory: the proportional set size.
    pss: u64 = "Pss";
    /// The part of `pss` in pages that were written to. Since Linux 6.0.
    pss_dirty: Option<u64> = "Pss_Dirty";
    /// The part of `pss` in memory without a file. For a whole process only, since Linux 5.3.
    pss_anon: Option<u64> = "Pss_Anon";
    /// The part of `pss` in files. For a whole process only, since Linux 5.3.
    pss_file: Option<u64> = "Pss_File";
    /// The part of `pss` in shared memory (tmpfs, `shmget`). For a whole process only, since Linux 5.3.
    pss_shmem: Option<u64> = "Pss_Shmem";
    /// Pages that other mappings have too, and that have not been written to since they were read from
    /// disk.
    shared_clean: u64 = "Shared_Clean";
    /// Pages that other mappings have too, and that were written to.
    shared_dirty: u64 = "Shared_Dirty";
    /// Pages that only this mapping has, and that have not been written to since they were read from disk.
    private_clean: u64 = "Private_Clean";
    /// Pages that only this mapping has, and that were written to: memory that unmapping would free.
    private_dirty: u64 = "Private_Dirty";
    /// Pages that are marked as accessed, which the kernel clears from time to time.
    referenced: u64 = "Referenced";
    /// Pages that belong to no file, including the copies made by writes to a private mapping of a file.
    anonymous: u64 = "Anonymous";
    /// Pages that were merged with equal ones (`MADV_MERGEABLE`). `None` on older
    /// kernels.
    ksm: Option<u64> = "KSM";
    /// Pages that were given back with `MADV_FREE`, and that the kernel has not yet taken. Since Linux
    /// 4.12.
    lazy_free: Option<u64> = "LazyFree";
    /// Memory without a file that is in transparent huge pages.
    anon_huge_pages: u64 = "AnonHugePages";
    /// Shared memory that is mapped by transparent huge pages. Since Linux 4.8.
    shmem_pmd_mapped: Option<u64> = "ShmemPmdMapped";
    /// Files' pages that are mapped by transparent huge pages. Since Linux 5.4.
    file_pmd_mapped: Option<u64> = "FilePmdMapped";
    /// Explicit huge pages that other mappings have too. They do not count in `rss`. Since Linux 4.4.
    shared_hugetlb: Option<u64> = "Shared_Hugetlb";
    /// Explicit huge pages that only this mapping has. They do not count in `rss`. Since Linux 4.4.
    private_hugetlb: Option<u64> = "Private_Hugetlb";
    /// Memory without a file that is in swap space.
    swap: u64 = "Swap";
    /// The shares of the pages in swap space. Since Linux 4.3.
    swap_pss: Option<u64> = "SwapPss";
    /// The part of `pss` in pages that are locked into memory (`mlock`).
    locked: u64 = "Locked";
}

/// The parts of a line `Key:   value`.
pub(super) fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

/// `value`, a number of KiB, in bytes.
pub(super) fn kib(value: &[u8]) -> Option<u64> {
    number(value.strip_suffix(b" kB")?)?.checked_mul(1024)
}

/// `value`, a decimal number.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_figures() {
        let mut usage = Usage::default();
        for line in [
            &b"Rss:                 12 kB"[..],
            b"KSM:                  0 kB",
            b"Swap:    x kB",
            b"Locked:  99999999999999999999 kB",
            b"Pss: 3",
            b"Unknown: 5 kB",
            b"no colon",
        ] {
            if let Some((key, value)) = key_and_value(line) {
                usage.set(key, value);
            }
        }
        let expected = Usage {
            rss: 12 << 10,
            ksm: Some(0),
            ..Usage::default()
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn figures_add_up() {
        let one = Usage {
            rss: 4096,
            ksm: Some(1),
            ..Usage::default()
        };
        let mut sum = Usage {
            pss_dirty: Some(2),
            swap: u64::MAX,
            ..one
        };
        sum.add(&Usage { swap: 1, ..one });
        assert_eq!((sum.rss, sum.ksm), (8192, Some(2)));
        assert_eq!((sum.pss_dirty, sum.swap), (Some(2), u64::MAX));
        assert_eq!(sum.lazy_free, None);
    }
}
