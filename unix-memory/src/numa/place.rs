//! Policies of mappings, and the nodes that their pages are on.

use core::ffi::c_ulong;
use core::ops::RangeBounds;
use core::ptr;

use unix_memory_sys as sys;

use super::nodes::{MAX_NODE, MOST_NODES, Nodes, refused};
use super::policy::{MemoryPolicy, Migration};
use crate::copy::populate::{Memory, populate_write};
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::mapping::Mapping;
use crate::os::{self, call};
use crate::page::{Pages, check_range, check_span, page_size};
use crate::protection::{Access, Protection};
use crate::region::limit::why_not_split;
use crate::region::{Region, spare};
use crate::shared::SharedMapping;

impl MemoryPolicy {
    /// The nodes that it names, if any: the calling thread may use all of them. (The kernel would silently
    /// leave out the others, unless none were left.)
    fn usable_nodes(self, arguments: Arguments) -> Result<Option<Nodes>> {
        let refuse = |reason| Error::new(Call::Mbind, libc::EINVAL, arguments, reason);
        let nodes = match self {
            Self::Default | Self::Local => return Ok(None),
            Self::Prefer(node) => Nodes::of(&[node]).map_err(|error| refuse(error.reason()))?,
            Self::Bind(nodes)
            | Self::PreferMany(nodes)
            | Self::Interleave(nodes)
            | Self::WeightedInterleave(nodes) => nodes,
        };
        if nodes.is_empty() {
            return Err(refuse(Reason::NoNodes));
        }
        match (nodes - Nodes::allowed()?).iter().next() {
            Some(node) => Err(refuse(Reason::NoNode(node))),
            None => Ok(Some(nodes)),
        }
    }
}

impl Region {
    /// Gives the pages that hold a byte of `range`, whose protection is `protection`, a policy.
    fn set_policy(
        &self,
        range: &impl RangeBounds<usize>,
        policy: MemoryPolicy,
        migration: Migration,
        protection: Protection,
    ) -> Result<()> {
        let range = check_range(Call::Mbind, range, self.len())?;
        let arguments = Arguments::range(&range);
        let pages = self.pages_of(&range);
        if pages.len == 0 {
            return Ok(());
        }
        let nodes = policy.usable_nodes(arguments)?;
        if let MemoryPolicy::Bind(_) = policy {
            self.bring_in_huge(pages, protection, arguments)?;
        }
        let (mask, bits) = nodes
            .as_ref()
            .map_or((ptr::null(), 0), |nodes| (nodes.mask(), MAX_NODE));
        if range.len() != self.len() {
            // The kernel may make several mappings of one.
            spare::keep();
        }
        let (start, len) = (pages.start.as_ptr().cast(), pages.len as c_ulong);
        // SAFETY: the pages are the region's own, and keep their content; the mask has as many bits
        // as the kernel takes that number for, and lives until after the call.
        // [owned, harmless, arguments]
        let set = unsafe { sys::mbind(start, len, policy.mode(), mask, bits, migration.flags()) };
        if set == 0 {
            return Ok(());
        }
        let error = refused(Call::Mbind, call::errno(), arguments);
        Err(match error.errno() {
            libc::EINVAL if !policy.is_supported() => error.because(Reason::Unsupported),
            libc::EINVAL if self.cuts_a_huge_page(pages) => error.because(Reason::HugePage),
            libc::EIO => error.because(Reason::NotMoved),
            libc::ENOMEM => error.because(why_not_split(libc::ENOMEM)),
            _ => error,
        })
    }

    /// Brings `pages` in before they are bound to nodes, if they are explicit huge pages: these were set
    /// aside on any node, and using one that the bound nodes do not have raises SIGBUS. They are brought in
    /// for writing, since the first write to a private page of a file takes another page.
    fn bring_in_huge(
        &self,
        pages: Pages,
        protection: Protection,
        arguments: Arguments,
    ) -> Result<()> {
        // (A range of one page is a part of a huge one at most, of which the kernel sets no policy.)
        if self.is_private_anonymous() || pages.len <= page_size() {
            return Ok(());
        }
        // SAFETY: the pages are the region's own. [owned]
        match unsafe { os::has_huge_pages(pages) } {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(errno) => {
                // They may be.
                let reason = match errno {
                    libc::ENOENT => Reason::NoProc,
                    _ => Reason::Kernel,
                };
                return Err(Error::new(Call::ProcessMap, errno, arguments, reason));
            }
        }
        if !protection.contains(Protection::READ | Protection::WRITE) {
            let reason = Reason::NotWritableToBind;
            return Err(Error::new(Call::Mbind, libc::EACCES, arguments, reason));
        }
        // SAFETY: they can be written. Others may access them, which `Shared` says. [owned, access]
        unsafe { populate_write(pages, Memory::Shared) }
            .map_err(|errno| Error::kernel(Call::Madvise, errno, arguments))
    }

    /// Whether `pages` begin or end inside an explicit huge page.
    #[cold]
    fn cuts_a_huge_page(&self, pages: Pages) -> bool {
        let end = pages.start.as_ptr().wrapping_add(pages.len);
        let is_end = end.addr() == self.pages().addresses().end;
        // SAFETY: a page of the region's own begins at each. [owned]
        let is_inside = |at| unsafe { os::is_in_huge_page(at) };
        !self.is_private_anonymous()
            && (is_inside(pages.start.as_ptr()) || !is_end && is_inside(end))
    }

    /// The page that holds the byte at `offset`.
    fn page_at(&self, call: Call, offset: usize) -> Result<Pages> {
        check_span(call, offset, 1, self.len())?;
        Ok(self.pages_of(&(offset..offset + 1)))
    }

    fn policy_at(&self, offset: usize) -> Result<MemoryPolicy> {
        let page = self.page_at(Call::GetMempolicy, offset)?;
        let (mut mode, mut nodes) = (0, Nodes::new());
        // SAFETY: the mode can be written, and the mask, which has as many bits as that number
        // says, whole words. The page is the region's own, and only asked about.
        // [owned, arguments, harmless]
        let asked = unsafe {
            sys::get_mempolicy(
                &raw mut mode,
                nodes.mask_mut(),
                MOST_NODES,
                page.start.as_ptr().cast(),
                sys::MPOL_F_ADDR,
            )
        };
        let arguments = Arguments::At(offset);
        if asked != 0 {
            return Err(refused(Call::GetMempolicy, call::errno(), arguments));
        }
        MemoryPolicy::from_kernel(mode, nodes).ok_or_else(|| {
            let reason = Reason::Unsupported;
            Error::new(Call::GetMempolicy, libc::ENOTSUP, arguments, reason)
        })
    }

    fn node_of(&self, offset: usize) -> Result<Option<u32>> {
        let page = self.page_at(Call::MovePages, offset)?;
        let (mut pages, mut status) = ([page.start.as_ptr().cast()], -libc::ENOENT);
        // SAFETY: there is one page, which is the region's own, and one place for its status; given no
        // nodes, the call moves nothing. [owned, arguments, harmless]
        let asked =
            unsafe { sys::move_pages(0, 1, pages.as_mut_ptr(), ptr::null(), &raw mut status, 0) };
        let arguments = Arguments::At(offset);
        if asked != 0 {
            return Err(refused(Call::MovePages, call::errno(), arguments));
        }
        match u32::try_from(status) {
            Ok(node) => Ok(Some(node)),
            // None yet; or the page of zeros, which all have in common.
            Err(_) if [-libc::ENOENT, -libc::EFAULT].contains(&status) => Ok(None),
            Err(_) => Err(refused(Call::MovePages, -status, arguments)),
        }
    }
}

/// Gives a guard the methods that choose and report its nodes.
macro_rules! nodes {
    ($guard:ident, $new:literal) => {
        /// On Linux and Android: the NUMA nodes that pages are on.
        impl<A: Access> $guard<A> {
            /// Chooses the nodes from which the pages that hold a byte of `range` are taken when they are
            /// first used, and whether pages that are already in memory move there.
            ///
            /// `range` is in bytes from the start of the mapping and is rounded outward to pages. No
            /// content changes. Source: mbind(2).
            ///
            /// * **Shared**: memory without a file that others share, and a memfd, have one policy for
            ///   everybody. In a mapping of any other file, the policy applies to the pages that are copied
            ///   by writing to a private mapping; it has no effect on the file's own pages.
            /// * **Parts**: private pages with different policies are separate mappings to the kernel, and
            ///   each counts toward its limit of mappings.
            /// * **Growing**: memory that is added to a mapping has the mapping's policy, or none if its
            ///   parts have different policies.
            /// * **fork**: a child has the same policies.
            /// * **Explicit huge pages** are brought in from any node, ready to be written, before they are
            ///   [bound](MemoryPolicy::Bind), because using one that those nodes do not have would raise
            ///   SIGBUS; [`Migration::Move`] then moves them. The range must consist of whole huge pages,
            ///   and be writable. Before Linux 5.16, `/proc/thread-self/smaps` is read to find out whether
            ///   memory other than private anonymous memory is in such pages.
            ///
            /// # Errors
            /// * `EINVAL`: the range does not lie in the mapping; it begins or ends inside an explicit
            ///   huge page ([`Reason::HugePage`](crate::Reason::HugePage)); the policy names no node
            ///   ([`Reason::NoNodes`](crate::Reason::NoNodes)), or one that does not exist or that the
            ///   calling thread may not use ([`Reason::NoNode`](crate::Reason::NoNode), see
            ///   [`Nodes::allowed`]); or the kernel does not know the policy
            ///   ([`Reason::Unsupported`](crate::Reason::Unsupported)).
            /// * `EIO`: with [`Migration::Require`] and a policy other than
            ///   [`Default`](MemoryPolicy::Default), pages that only this process uses could not be
            ///   moved ([`Reason::NotMoved`](crate::Reason::NotMoved)). The others were moved, and the
            ///   range has the policy.
            /// * `ENOMEM`: the kernel is short of memory, or at its limit of mappings
            ///   ([`Reason::MappingsLimit`](crate::Reason::MappingsLimit)). If the range was
            ///   several mappings, some of them may have the new policy.
            /// * `EACCES`: explicit huge pages that should be bound are not writable
            ///   ([`Reason::NotWritableToBind`](crate::Reason::NotWritableToBind)); and the errors of
            ///   [`populate_write`](Self::populate_write), if they cannot be brought in.
            /// * With [`MemoryPolicy::Bind`], if it cannot be determined whether memory that is not private
            ///   and anonymous is in explicit huge pages: an error of
            ///   [`Call::ProcessMap`](crate::Call::ProcessMap), such as `ENOENT` without `/proc`
            ///   ([`Reason::NoProc`](crate::Reason::NoProc)).
            /// * `ENOSYS`: the kernel was built without NUMA
            ///   ([`Reason::Unsupported`](crate::Reason::Unsupported)).
            /// * `EPERM`: a filter of system calls denies it, as in some containers.
            ///
            /// ```
            /// use unix_memory::{MapOptions, MemoryPolicy, Migration, Nodes, ReadWrite, Reason};
            ///
            #[doc = $new]
            /// let spread = Nodes::allowed().and_then(|nodes| {
            ///     mapping.set_policy(.., MemoryPolicy::Interleave(nodes), Migration::Never)
            /// });
            /// if let Err(error) = spread {
            ///     println!("{error}"); // the kernel has no NUMA
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "mbind")]
            #[doc(alias = "numa")]
            pub fn set_policy(
                &self,
                range: impl RangeBounds<usize>,
                policy: MemoryPolicy,
                migration: Migration,
            ) -> Result<()> {
                self.region()
                    .set_policy(&range, policy, migration, self.protection())
            }

            /// The policy of the page that holds the byte at `offset`, in bytes from the start of the
            /// mapping. Source: get_mempolicy(2), `MPOL_F_ADDR`.
            ///
            /// # Errors
            /// * `EINVAL`: the offset does not lie in the mapping.
            /// * `ENOTSUP` ([`Reason::Unsupported`](crate::Reason::Unsupported)): [`MemoryPolicy`] cannot
            ///   express the policy, which other code must have set: it is of another kind, or has one of
            ///   the flags `MPOL_F_STATIC_NODES`, `MPOL_F_RELATIVE_NODES` and `MPOL_F_NUMA_BALANCING`.
            /// * `ENOSYS` and `EPERM` as for [`set_policy`](Self::set_policy).
            ///
            /// ```
            /// use unix_memory::{MapOptions, MemoryPolicy, ReadWrite};
            ///
            #[doc = $new]
            /// if let Ok(policy) = mapping.policy_at(0) {
            ///     assert_eq!(policy, MemoryPolicy::Default);
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "get_mempolicy")]
            pub fn policy_at(&self, offset: usize) -> Result<MemoryPolicy> {
                self.region().policy_at(offset)
            }

            /// The node of the page that holds the byte at `offset`, in bytes from the start of the
            /// mapping. `None` if this process has no page there yet, or only the page of zeros, which all
            /// processes share; some kernels also return no node for an inaccessible page. This brings no
            /// page in. The kernel may move the page before this returns. Source: move_pages(2).
            ///
            /// # Errors
            /// * `EINVAL`: the offset does not lie in the mapping.
            /// * `ENOSYS` and `EPERM` as for [`set_policy`](Self::set_policy).
            ///
            /// ```
            /// use unix_memory::{MapOptions, ReadWrite};
            ///
            #[doc = $new]
            /// match mapping.node_of(0) {
            ///     Ok(Some(node)) => println!("on node {node}"),
            ///     Ok(None) => println!("not used yet"),
            ///     Err(error) => println!("{error}"), // the kernel has no NUMA
            /// }
            /// # Ok::<(), unix_memory::Error>(())
            /// ```
            #[doc(alias = "move_pages")]
            pub fn node_of(&self, offset: usize) -> Result<Option<u32>> {
                self.region().node_of(offset)
            }
        }
    };
}

nodes!(
    Mapping,
    "let mapping = MapOptions::new().len(1 << 20).map_anonymous(ReadWrite)?;"
);
nodes!(
    SharedMapping,
    "let mapping = MapOptions::new().len(1 << 20).map_anonymous_shared(ReadWrite)?;"
);
