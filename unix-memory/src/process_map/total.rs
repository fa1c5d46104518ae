//! How much memory a process uses, in total: Linux and Android.

use crate::error::{Errno, Result};
use crate::os;
use crate::process_map::map::process_number;
use crate::process_map::smaps::Smaps;
use crate::process_map::text::{Source, Text};
use crate::process_map::usage::{Usage, key_and_value};

impl Usage {
    /// Returns how much memory the calling process uses in total.
    ///
    /// The kernel adds up the figures of all mappings; before Linux 4.14, which cannot do that, this
    /// adds up [`Smaps`].
    ///
    /// # Errors
    /// * `ENOENT` if `/proc` is not mounted ([`Reason::NoProc`](crate::Reason::NoProc)).
    /// * `EMFILE`, `ENFILE` if no more descriptors can be opened.
    ///
    /// ```
    /// use unix_memory::process_map::Usage;
    ///
    /// match Usage::of_self() {
    ///     Ok(usage) => println!("{} bytes in memory, {} of them ours", usage.rss, usage.private_dirty),
    ///     Err(error) => println!("{error}"), // no /proc
    /// }
    /// ```
    pub fn of_self() -> Result<Self> {
        Self::read(None)
    }

    /// Returns how much memory the process with this number uses in total.
    ///
    /// # Errors
    /// Those of [`ProcessMap::of`](super::ProcessMap::of).
    ///
    /// ```
    /// use unix_memory::process_map::Usage;
    ///
    /// match Usage::of(std::process::id()) {
    ///     Ok(usage) => println!("{} bytes in memory", usage.rss),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    pub fn of(process: u32) -> Result<Self> {
        Self::read(Some(process))
    }

    fn read(process: Option<u32>) -> Result<Self> {
        let number = process_number(process)?;
        if let Ok(mut file) = os::open_of(number, "smaps_rollup", false) {
            if let Ok(usage) = Self::read_total(&mut file) {
                return Ok(usage);
            }
        }
        // An older kernel; or the process has ended, in which case this returns the error.
        Self::sum(process)
    }

    fn sum(process: Option<u32>) -> Result<Self> {
        let mut total = Self::default();
        for smap in Smaps::open(process)? {
            total.add(&smap?.usage);
        }
        Ok(total)
    }

    /// Reads a region that does not describe a single mapping.
    fn read_total(source: &mut impl Source) -> core::result::Result<Self, Errno> {
        let (mut text, mut usage, mut line) = (Text::new(), Self::default(), [0; 256]);
        // The first line covers all addresses together.
        text.head(source)?.ok_or(libc::ESRCH)?;
        text.name(source, &mut |_| {})?;
        while let Some(line) = text.line(source, &mut line)? {
            if let Some((key, value)) = key_and_value(line) {
                usage.set(key, value);
            }
        }
        Ok(usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_total_it_is_the_sum() {
        let (sum, total) = (Usage::sum(None), Usage::of_self());
        let (sum, total) = (sum.expect("/proc"), total.expect("/proc"));
        // (Other threads are running.)
        assert!((total.rss / 2..total.rss * 2).contains(&sum.rss));
        assert!(sum.pss <= sum.rss && sum.anonymous > 0);
        let is_there = |usage: &Usage| (usage.pss_dirty.is_some(), usage.ksm.is_some());
        assert_eq!(is_there(&sum), is_there(&total));
    }
}
