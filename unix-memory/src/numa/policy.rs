//! The nodes that memory comes from.

use core::ffi::{c_int, c_uint};
use core::ptr;

use unix_memory_sys as sys;

use crate::numa::nodes::Nodes;
use crate::page::page_size;

/// The nodes that the pages of a mapping come from when they are first used. Source: mbind(2),
/// set_mempolicy(2).
///
/// [`set_policy`](crate::Mapping::set_policy) gives it to memory. Linux and Android only.
///
/// ```
/// use unix_memory::{Mapping, MemoryPolicy, Migration, Nodes};
///
/// let mapping = Mapping::anonymous(1 << 20)?;
/// // All of it near the processor of this thread.
/// if let Err(error) = mapping.set_policy(.., MemoryPolicy::Local, Migration::Move) {
///     println!("{error}"); // the kernel has no NUMA
/// }
/// # Ok::<(), unix_memory::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryPolicy {
    /// The policy of the thread that first uses a page; if the thread has none, the node on which it
    /// runs. Since Linux 2.6.7.
    #[doc(alias = "MPOL_DEFAULT")]
    #[default]
    Default,
    /// The node on which the thread that first uses a page runs, whatever policy it has. Since Linux
    /// 3.8.
    #[doc(alias = "MPOL_LOCAL")]
    Local,
    /// These nodes and no others. When all of them are full, the kernel makes room there, or ends
    /// processes. Since Linux 2.6.7.
    #[doc(alias = "MPOL_BIND")]
    Bind(Nodes),
    /// This node, and others when it is full. Since Linux 2.6.7.
    #[doc(alias = "MPOL_PREFERRED")]
    Prefer(u32),
    /// These nodes, and others when they are full. Since Linux 5.15.
    #[doc(alias = "MPOL_PREFERRED_MANY")]
    PreferMany(Nodes),
    /// These nodes in turn, page by page. Since Linux 2.6.7.
    #[doc(alias = "MPOL_INTERLEAVE")]
    Interleave(Nodes),
    /// These nodes in turn, each for as many pages as its weight, which is in a file in
    /// `/sys/kernel/mm/mempolicy/weighted_interleave`. Since Linux 6.9.
    #[doc(alias = "MPOL_WEIGHTED_INTERLEAVE")]
    WeightedInterleave(Nodes),
}

impl MemoryPolicy {
    /// Whether the running kernel knows this policy, regardless of the nodes.
    ///
    /// ```
    /// use unix_memory::{MemoryPolicy, Nodes};
    ///
    /// let weighted = MemoryPolicy::WeightedInterleave(Nodes::new());
    /// println!("interleaving by weights: {}", weighted.is_supported());
    /// ```
    #[must_use]
    pub fn is_supported(self) -> bool {
        let nowhere = ptr::without_provenance_mut(page_size());
        // A kernel checks the mode before it notices that there are no pages.
        // SAFETY: the range is empty, and no mask is read. [arguments, harmless]
        unsafe { sys::mbind(nowhere, 0, self.mode(), ptr::null(), 0, 0) == 0 }
    }

    /// The kernel's mode.
    pub(super) const fn mode(self) -> c_int {
        match self {
            Self::Default => sys::MPOL_DEFAULT,
            Self::Local => sys::MPOL_LOCAL,
            Self::Bind(_) => sys::MPOL_BIND,
            Self::Prefer(_) => sys::MPOL_PREFERRED,
            Self::PreferMany(_) => sys::MPOL_PREFERRED_MANY,
            Self::Interleave(_) => sys::MPOL_INTERLEAVE,
            Self::WeightedInterleave(_) => sys::MPOL_WEIGHTED_INTERLEAVE,
        }
    }

    /// The policy for the kernel's `mode` and `nodes`, if it can be expressed here. If the mode has
    /// one of the bits `MPOL_MODE_FLAGS`, it cannot.
    pub(super) fn from_kernel(mode: c_int, nodes: Nodes) -> Option<Self> {
        Some(match mode {
            sys::MPOL_DEFAULT => Self::Default,
            sys::MPOL_LOCAL => Self::Local,
            sys::MPOL_BIND => Self::Bind(nodes),
            // Before Linux 5.14, `Local` meant preferring no node.
            sys::MPOL_PREFERRED => nodes.iter().next().map_or(Self::Local, Self::Prefer),
            sys::MPOL_PREFERRED_MANY => Self::PreferMany(nodes),
            sys::MPOL_INTERLEAVE => Self::Interleave(nodes),
            sys::MPOL_WEIGHTED_INTERLEAVE => Self::WeightedInterleave(nodes),
            _ => return None,
        })
    }
}

/// What happens to pages that are already in memory when they get a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Migration {
    /// They stay where they are.
    #[default]
    Never,
    /// Pages that only this process uses are moved to where the policy would have put them, as far as
    /// possible. Their content stays. Since Linux 2.6.16.
    #[doc(alias = "MPOL_MF_MOVE")]
    Move,
    /// Like [`Move`](Self::Move), but a page that cannot be moved, such as one that a device writes
    /// to, is an error. Pages that other processes use too stay where they are, which is not an error.
    ///
    /// With [`MemoryPolicy::Default`] this is the same as `Move`: the kernel ignores `MPOL_MF_STRICT`
    /// there.
    #[doc(alias = "MPOL_MF_STRICT")]
    Require,
}

impl Migration {
    /// The kernel's flags.
    pub(super) const fn flags(self) -> c_uint {
        match self {
            Self::Never => 0,
            Self::Move => sys::MPOL_MF_MOVE,
            Self::Require => sys::MPOL_MF_MOVE | sys::MPOL_MF_STRICT,
        }
    }
}
