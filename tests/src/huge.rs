//! Huge pages in the system's pool.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Huge pages that are added to the system's pool as long as this lives.
#[derive(Debug)]
pub struct ReservedHugePages {
    path: String,
    count: u64,
    /// Only one thread at a time changes the size of the pool, across programs too, since cargo
    /// runs test programs one after another.
    _alone: MutexGuard<'static, ()>,
}

impl ReservedHugePages {
    /// Adds `count` pages of `bytes` each.
    ///
    /// # Errors
    /// Why that is not possible, for example because this is not root.
    pub fn new(bytes: usize, count: u64) -> Result<Self, String> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let kib = bytes >> 10;
        let path = format!("/sys/kernel/mm/hugepages/hugepages-{kib}kB/nr_hugepages");
        let before = pool(&path)?;
        let refused = |error| format!("{path}: {error}");
        std::fs::write(&path, (before + count).to_string()).map_err(refused)?;
        let now = pool(&path)?;
        let reserved = Self {
            path,
            // Removes what was added.
            count: now.saturating_sub(before),
            _alone: alone,
        };
        if reserved.count < count {
            return Err(format!("only {} of {count} huge pages", reserved.count));
        }
        Ok(reserved)
    }
}

fn pool(path: &str) -> Result<u64, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    text.trim()
        .parse()
        .map_err(|error| format!("{path}: {error}"))
}

impl Drop for ReservedHugePages {
    fn drop(&mut self) {
        let back = pool(&self.path).map(|now| now.saturating_sub(self.count));
        if let Ok(back) = back {
            let _for_root_alone = std::fs::write(&self.path, back.to_string());
        }
    }
}
