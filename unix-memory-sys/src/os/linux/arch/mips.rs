//! The values of mips and mips64, all ABIs, from its <asm/mman.h>.

use crate::types::c_int;

// mprotect(2).

/// No access. mprotect(2).
pub const PROT_NONE: c_int = 0;
/// Pages may be read. mprotect(2).
pub const PROT_READ: c_int = 1;
/// Pages may be written. mprotect(2).
pub const PROT_WRITE: c_int = 2;
/// Pages may be executed. mprotect(2).
pub const PROT_EXEC: c_int = 4;
/// Pages may be used for atomic operations; no kernel requires it today. `<asm/mman.h>`, since
/// Linux 2.5.7.
pub const PROT_SEM: c_int = 0x10;
/// Extend the change to the start of a mapping that grows down. mprotect(2), since Linux 2.6.
pub const PROT_GROWSDOWN: c_int = 0x0100_0000;
/// Extend the change to the end of a mapping that grows up. mprotect(2), since Linux 2.6.
pub const PROT_GROWSUP: c_int = 0x0200_0000;

// mmap(2).

/// Writes reach the object and every other mapping of it. mmap(2).
pub const MAP_SHARED: c_int = 0x01;
/// Writes go to a private copy. mmap(2).
pub const MAP_PRIVATE: c_int = 0x02;
/// Like `MAP_SHARED`, but unknown flags are an error. mmap(2), since Linux 4.15.
pub const MAP_SHARED_VALIDATE: c_int = 0x03;
/// Maps pages that the kernel may zero when memory is short, and that are never swapped. mmap(2),
/// since Linux 6.11.
pub const MAP_DROPPABLE: c_int = 0x08;
/// The mask of `MAP_SHARED`, `MAP_PRIVATE` and their like. `<asm/mman.h>`.
pub const MAP_TYPE: c_int = 0x0f;
/// At this address, replacing what is mapped there. mmap(2).
pub const MAP_FIXED: c_int = 0x10;
/// At this address, or an error; older kernels treat the address as a hint. mmap(2), since Linux
/// 4.17.
pub const MAP_FIXED_NOREPLACE: c_int = 0x0010_0000;
/// Maps no file; the memory is initially zero. mmap(2).
pub const MAP_ANONYMOUS: c_int = 0x800;
/// The same as `MAP_ANONYMOUS`. mmap(2).
pub const MAP_ANON: c_int = MAP_ANONYMOUS;
/// Maps a file: the default, without effect. mmap(2).
pub const MAP_FILE: c_int = 0x00;
/// Kept from IRIX, without effect on Linux; glibc's own header says that it is `MAP_ANONYMOUS`.
/// `<asm/mman.h>`.
pub const MAP_RENAME: c_int = 0x20;
/// Without effect on Linux. `<asm/mman.h>`.
pub const MAP_AUTOGROW: c_int = 0x40;
/// Without effect on Linux. `<asm/mman.h>`.
pub const MAP_LOCAL: c_int = 0x80;
/// Without effect on Linux. `<asm/mman.h>`.
pub const MAP_AUTORSRV: c_int = 0x100;
/// A stack: grows down when memory below it is touched. mmap(2).
pub const MAP_GROWSDOWN: c_int = 0x1000;
/// Ignored. mmap(2).
pub const MAP_DENYWRITE: c_int = 0x2000;
/// Ignored. mmap(2).
pub const MAP_EXECUTABLE: c_int = 0x4000;
/// Locked as if by `mlock`, but a failure to lock is not reported. mmap(2), since Linux 2.5.37.
pub const MAP_LOCKED: c_int = 0x8000;
/// No swap space is reserved. mmap(2).
pub const MAP_NORESERVE: c_int = 0x400;
/// Pages are brought in now, as far as possible. mmap(2), since Linux 2.5.46.
pub const MAP_POPULATE: c_int = 0x0001_0000;
/// With `MAP_POPULATE`: only pages that are already in memory; since Linux 2.6.23 none at all.
/// mmap(2).
pub const MAP_NONBLOCK: c_int = 0x0002_0000;
/// For a stack; its only effect so far is that it declines huge pages, since Linux 6.7. mmap(2).
pub const MAP_STACK: c_int = 0x0004_0000;
/// In huge pages from the reserve. mmap(2), since Linux 2.6.32.
pub const MAP_HUGETLB: c_int = 0x0008_0000;

// mlockall(2).

/// Lock what is mapped now. mlockall(2).
pub const MCL_CURRENT: c_int = 1;
/// Lock what will be mapped in the future. mlockall(2).
pub const MCL_FUTURE: c_int = 2;
/// With either of them: lock each page when it is brought in. mlockall(2), since Linux 4.4.
pub const MCL_ONFAULT: c_int = 4;

// pkey_alloc(2).

/// The mask of everything that a key can forbid here. `<asm/mman.h>`.
pub const PKEY_ACCESS_MASK: c_int = 0x3;
