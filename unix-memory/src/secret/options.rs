//! How a secret is made.

use super::protections::Protections;

/// How a [`Secret`](super::Secret) is made, and which protections it must have.
///
/// By default a secret has each protection that the system and the running kernel know; if one is refused,
/// for example because of a limit, making the secret fails. A protection that they do not know is left
/// out, which [`Secret::protections`](super::Secret::protections) reports. [`demand`](Self::demand) and
/// [`optional`](Self::optional) change this for each protection.
///
/// ```
/// use unix_memory::secret::{Protections, SecretOptions};
///
/// let options = SecretOptions::new()
///     .optional(Protections::LOCKED) // if nothing may be locked, continue without
///     .demand(Protections::GUARDED); // without guard pages, fail
/// match options.zeroed(32) {
///     Ok(key) => println!("protected by {:?}", key.protections()),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use = "options make nothing by themselves"]
pub struct SecretOptions {
    pub(super) demanded: Protections,
    pub(super) optional: Protections,
    pub(super) secret_memory: bool,
}

impl SecretOptions {
    /// The default: every protection that the system knows, except
    /// [`SECRET_MEMORY`](Protections::SECRET_MEMORY).
    pub const fn new() -> Self {
        Self {
            demanded: Protections::empty(),
            optional: Protections::empty(),
            secret_memory: false,
        }
    }

    /// Makes it an error if one of these protections is missing, even where the system does not know
    /// it. For each protection, the last call of this method or of [`optional`](Self::optional)
    /// applies.
    ///
    /// ```
    /// use unix_memory::secret::{Protections, SecretOptions};
    ///
    /// let everything = SecretOptions::new().demand(Protections::all());
    /// match everything.zeroed(32) {
    ///     Ok(key) => assert_eq!(key.protections(), Protections::all()),
    ///     Err(error) => println!("{error}"), // names the call that is missing or was refused
    /// }
    /// ```
    pub const fn demand(mut self, protections: Protections) -> Self {
        self.demanded = self.demanded.union(protections);
        self.optional = self.optional.difference(protections);
        self
    }

    /// Makes the secret without these protections if they are refused, as locks may be above a limit. For
    /// each protection, the last call of this method or of [`demand`](Self::demand) applies.
    pub const fn optional(mut self, protections: Protections) -> Self {
        self.optional = self.optional.union(protections);
        self.demanded = self.demanded.difference(protections);
        self
    }

    /// Requests memory that the kernel itself cannot reach, if the system has it
    /// ([`Protections::SECRET_MEMORY`]). Demanding that protection asks for it too.
    ///
    /// This is not the default because such memory has consequences for the whole machine: while a process
    /// has any, Linux does not hibernate, and each page is removed from the kernel's map of all memory,
    /// whose large pages are split for that. All of it counts as locked. Its pages are brought in when it
    /// is made; if the machine has too little free memory for them, the kernel may end a process.
    ///
    /// System calls such as `read` and `write` can copy to and from it. This was observed on Linux 6.18 on
    /// x86-64, although memfd_secret(2) says that pointers to it cannot be passed to system calls. Calls
    /// that use the pages themselves, such as `vmsplice` and direct I/O (`O_DIRECT`), fail with `EFAULT`.
    ///
    /// Source: memfd_secret(2), since Linux 5.14; before 6.5 only with `secretmem.enable=1` on the
    /// kernel's command line; on x86, AArch64, RISC-V, LoongArch and S/390.
    #[doc(alias = "memfd_secret")]
    pub const fn secret_memory(mut self, yes: bool) -> Self {
        self.secret_memory = yes;
        self
    }
}
