//! The kernel's limits, near which every operation may be refused, and then has changed nothing.

use tests::kernel;
use unix_memory::{Advice, Error, MapOptions, Mapping, NoAccess, page_size};

/// What is limited in this process.
#[derive(Debug)]
pub enum Limits {
    None,
    /// That many pages of addresses in addition to the existing ones.
    Addresses(usize),
    /// So many pages of data, private memory that can be written, beside those that there were.
    Data(usize),
    /// That many pages may be locked.
    Locked(usize),
    /// There is room for that many more mappings; these take the rest.
    Mappings(usize, Option<Mapping<NoAccess>>),
}

impl Limits {
    /// What `name` means: one of [`NAMES`].
    pub fn named(name: &str, room: usize) -> Self {
        match name {
            "none" => Self::None,
            "addresses" => Self::Addresses(room),
            "data" => Self::Data(room),
            "locked" => Self::Locked(room),
            "mappings" => Self::Mappings(room, None),
            _ => panic!("{name} is not one of {NAMES:?}"),
        }
    }

    /// Limits this process. Returns whether it could.
    pub fn set(&mut self) -> bool {
        match self {
            Self::None => true,
            Self::Addresses(pages) => {
                let Some(now) = kernel::virtual_size().get() else {
                    return false;
                };
                tests::limit_address_space((now + *pages * page_size()) as u64).is_ok()
            }
            Self::Data(pages) => {
                let Some(now) = data_size() else {
                    return false;
                };
                tests::limit_data((now + *pages * page_size()) as u64).is_ok()
            }
            Self::Locked(pages) => {
                without_privilege_to_lock()
                    && tests::limit_locked_memory((*pages * page_size()) as u64).is_ok()
            }
            Self::Mappings(room, many) => {
                *many = fill_up_to(*room);
                many.is_some()
            }
        }
    }

    pub fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether what is dropped may stay for a while, and what was refused have changed hints.
    pub fn loses(&self) -> bool {
        matches!(self, Self::Mappings(..))
    }

    /// Whether `error` can be due to it.
    pub fn explain(&self, error: &Error) -> bool {
        match self {
            Self::None => false,
            Self::Addresses(_) | Self::Data(_) | Self::Mappings(..) => {
                error.errno() == libc::ENOMEM
            }
            Self::Locked(_) => {
                let expected = [libc::ENOMEM, libc::EAGAIN, libc::EPERM];
                expected.contains(&error.errno())
            }
        }
    }

    /// With what a lock of `new` pages is refused beside `locked` ones.
    pub fn refuses_lock(&self, new: usize, locked: usize) -> Option<i32> {
        match self {
            Self::Locked(most) if new + locked > *most => Some(libc::ENOMEM),
            _ => None,
        }
    }
}

/// The names of the limits.
pub const NAMES: [&str; 5] = ["none", "addresses", "data", "locked", "mappings"];

/// How much data the process has, in bytes.
fn data_size() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let kib: usize = line?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Takes all mappings that the kernel lets a process have, except about `room` of them.
fn fill_up_to(room: usize) -> Option<Mapping<NoAccess>> {
    let limit = tests::reachable_mapping_limit("operations near it")?;
    let mut list = kernel::List::new();
    list.read(false).ok()?;
    let rest = limit.checked_sub(list.entries().len() + room)?;
    let options = MapOptions::new()
        .len((rest + 2) * page_size())
        .no_reserve(true);
    let many = options.map_anonymous(NoAccess).ok()?;
    for page in (1..rest).step_by(2) {
        let pages = page * page_size()..(page + 1) * page_size();
        many.advise_range(pages, Advice::Random).ok()?;
    }
    Some(many)
}

/// Makes this process obey the limit on locked memory. Returns whether it does.
fn without_privilege_to_lock() -> bool {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    let Ok(mut sets) = capabilities(None) else {
        return false;
    };
    sets.effective -= CapabilitySet::IPC_LOCK;
    set_capabilities(None, sets).is_ok()
}
