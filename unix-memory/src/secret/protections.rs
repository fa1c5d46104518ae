//! The protections of the memory of a secret.

bitflags::bitflags! {
    /// Protections of the memory of a [`Secret`](super::Secret): those that it has
    /// ([`Secret::protections`](super::Secret::protections)), and those that it must have
    /// ([`SecretOptions::demand`](super::SecretOptions::demand)).
    ///
    /// ```
    /// use unix_memory::Protection;
    /// use unix_memory::secret::{Protections, Secret};
    ///
    /// match Secret::zeroed(32) {
    ///     Ok(key) => {
    ///         let closed = key.protections().contains(Protections::CLOSED);
    ///         assert_eq!(closed, Protection::is_enforced());
    ///     }
    ///     Err(error) => println!("{error}"), // the limit on locked memory is reached
    /// }
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Protections: u8 {
        /// The pages stay in memory and are not written to swap. Hibernation writes them nevertheless,
        /// unless they are [`SECRET_MEMORY`](Self::SECRET_MEMORY).
        #[doc(alias = "mlock")]
        const LOCKED = 1;
        /// The pages are left out of core dumps.
        #[doc(alias = "MADV_DONTDUMP")]
        #[doc(alias = "MADV_NOCORE")]
        #[doc(alias = "MAP_CONCEAL")]
        const NOT_DUMPED = 1 << 1;
        /// A child has no copy of the bytes, whichever call makes it: it finds zeros or, with
        /// [`SECRET_MEMORY`](Self::SECRET_MEMORY), no pages. Systems without child processes have this
        /// protection too.
        #[doc(alias = "MADV_WIPEONFORK")]
        #[doc(alias = "MADV_DONTFORK")]
        #[doc(alias = "minherit")]
        const NOT_INHERITED = 1 << 2;
        /// The page before the secret's pages and the page after them cannot be accessed.
        const GUARDED = 1 << 3;
        /// The pages cannot be accessed unless the bytes are borrowed.
        #[doc(alias = "mprotect")]
        #[doc(alias = "PROT_NONE")]
        const CLOSED = 1 << 4;
        /// The pages are reachable only through the process's own mapping: neither a debugger nor
        /// `process_vm_readv` nor /proc/PID/mem can read them, not even for root.
        #[doc(alias = "memfd_secret")]
        const SECRET_MEMORY = 1 << 5;
    }
}
