//! `cargo xtask headers`: compares the crate's constants, functions and types with those of the
//! systems' own headers, in both directions.

use std::collections::BTreeMap;

use anyhow::Result;

pub mod findings;
mod unit;

pub use self::unit::HeaderUnit;

use self::findings::Findings;
use self::unit::structure;
use crate::allowed::{Allowed, Difference};
use crate::api::{Api, Sources};
use crate::results::Options;
use crate::targets::{Headers, Row, Table};
use crate::toolchain::Toolchain;
use crate::visit::{Outcome, visit};
use crate::zig::Zig;

/// The names that the crate promises to have wherever a header has them.
const FAMILIES: [&str; 42] = [
    "PROT_",
    "MAP_",
    "MADV_",
    "POSIX_MADV_",
    "MS_",
    "MCL_",
    "MLOCK_",
    "SHADOW_STACK_SET_",
    "MREMAP_",
    "MFD_",
    "MINCORE_",
    "INHERIT_",
    "VM_INHERIT_",
    "PKEY_",
    "F_SEAL_",
    "F_ADD_SEALS",
    "F_GET_SEALS",
    "SHM_ANON",
    "POSIX_TYPED_MEM_",
    "MHA_",
    "_SC_PAGESIZE",
    "FALLOC_FL_",
    "MPOL_",
    "PAGEMAP_SCAN",
    "PAGE_IS_",
    "PM_SCAN_",
    "BLKGETSIZE64",
    "PROCMAP_QUERY",
    "PR_GET_MDWE",
    "PR_GET_MEMORY_MERGE",
    "PR_GET_THP_DISABLE",
    "PR_MDWE_",
    "PR_SET_MDWE",
    "PR_SET_MEMORY_MERGE",
    "PR_SET_THP_DISABLE",
    "PR_SET_VMA",
    "PR_THP_DISABLE_",
    "UFFDIO_REGISTER",
    "UFFDIO_WRITEPROTECT",
    "UFFD_FEATURE_",
    "UFFD_USER_MODE_ONLY",
    "USERFAULTFD_IOC_NEW",
];

/// The calls that the crate promises to have wherever a header declares them.
const CALLS: [&str; 37] = [
    "mmap",
    "munmap",
    "mprotect",
    "madvise",
    "posix_madvise",
    "msync",
    "mlock",
    "mlock2",
    "munlock",
    "mlockall",
    "munlockall",
    "mincore",
    "mremap",
    "minherit",
    "memfd_create",
    "memfd_secret",
    "shm_open",
    "shm_unlink",
    "ftruncate",
    "fcntl",
    "fallocate",
    "posix_fallocate",
    "posix_mem_offset",
    "posix_typed_mem_get_info",
    "posix_typed_mem_open",
    "remap_file_pages",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "process_madvise",
    "process_mrelease",
    "mseal",
    "memcntl",
    "mctl",
    "mimmutable",
    "mquery",
    "sysconf",
];

/// The headers that a C program includes for them, of the C library and of the kernel: the kernel's
/// are a separate unit, because the two do not mix. A header that follows a macro is included if
/// the macro is defined.
pub const UNITS: [(&str, &[&str]); 2] = [
    (
        "libc",
        &[
            "sys/types.h",
            "sys/stat.h",
            "sys/mman.h",
            "sys/memfd.h",
            "__linux__ sys/ioctl.h",
            "__linux__ sys/prctl.h",
            "mach/vm_inherit.h",
            "unistd.h",
            "fcntl.h",
            "errno.h",
        ],
    ),
    (
        "kernel",
        &[
            // For `size_t`, which the definition of `BLKGETSIZE64` uses.
            "stddef.h",
            "linux/mman.h",
            "linux/memfd.h",
            "linux/fcntl.h",
            "linux/falloc.h",
            "linux/fs.h",
            "linux/mempolicy.h",
            "linux/prctl.h",
            "linux/userfaultfd.h",
            "asm/mman.h",
        ],
    ),
];

/// Marks statements about a call that concern its symbol.
pub const SYMBOL: &str = "symbol of ";

/// Why calls are not compared where only the kernel's headers are available.
pub const KERNEL_ALONE: &str = "the headers of its C library are in no package";

const COLUMNS: [&str; 2] = ["constants", "calls"];

/// Runs the task.
pub fn task(args: &Options) -> Result<()> {
    let table = Table::load()?;
    let rows = table.select(&args.selection)?;
    let proof = Proof::new(&table)?;
    let visits = visit("headers", &rows, args.selection.jobs, |row, _| {
        proof.row(row)
    });
    args.conclude("headers", &COLUMNS, &visits)
}

/// What every target needs.
pub struct Proof<'a> {
    pub table: &'a Table,
    pub allowed: Allowed,
    pub toolchain: Toolchain,
    pub sources: Sources,
    pub zig: Zig,
}

impl<'a> Proof<'a> {
    /// Finds everything.
    ///
    /// # Errors
    /// If something is missing; the message says what to run.
    pub fn new(table: &'a Table) -> Result<Self> {
        Ok(Self {
            table,
            allowed: Allowed::load()?,
            toolchain: Toolchain::find()?,
            sources: Sources::find()?,
            zig: Zig::find()?,
        })
    }
}

impl Proof<'_> {
    fn row(&self, row: Row<'_>) -> Vec<Outcome> {
        if !row.group.mapping {
            return vec![Outcome::None("no memory mapping".to_owned()); COLUMNS.len()];
        }
        let skip = |reason: &str| vec![Outcome::Skipped(reason.to_owned()); COLUMNS.len()];
        let set = match row.headers() {
            Ok(set) => &self.table.headers[set],
            Err(reason) => return skip(reason),
        };
        if let Err(reason) = self.toolchain.knows(row.name()) {
            return skip(&reason);
        }
        match self.prove(row, set) {
            Ok((constants, _)) if set.kernel_alone => {
                vec![constants.outcome(), Outcome::None(KERNEL_ALONE.to_owned())]
            }
            Ok((constants, calls)) => vec![constants.outcome(), calls.outcome()],
            Err(error) => Outcome::failed_once(&error, COLUMNS.len()),
        }
    }

    fn prove(&self, row: Row<'_>, set: &Headers) -> Result<(Findings, Findings)> {
        let api = Api::read(&self.toolchain, &self.sources, row.name())?;
        let pointer = self.toolchain.spec(row.name())?.target_pointer_width / 8;
        let mut constants = Findings::default();
        let mut calls = Findings::default();
        for (name, includes) in UNITS {
            let there = match name {
                "kernel" => row.group.os == "linux" || set.kernel_alone,
                _ => !set.kernel_alone,
            };
            if !there {
                continue;
            }
            let unit = HeaderUnit::new(self, row, set, name, includes)?;
            unit.constants(&api, pointer, &mut constants)?;
            if name == "libc" {
                unit.calls(&api, pointer, &mut calls)?;
            }
        }
        let mut numbers = BTreeMap::new();
        if row.group.os == "linux" || set.kernel_alone {
            numbers = api.numbers(&self.toolchain, row.name())?;
            let unit = HeaderUnit::new(self, row, set, "numbers", &["asm/unistd.h"])?;
            unit.values(numbers.iter(), &mut constants)?;
        }
        self.settle(row, numbers.keys(), &mut constants);
        let structs: Vec<_> = api.structs.keys().map(|name| structure(name)).collect();
        self.settle(
            row,
            api.constants
                .keys()
                .chain(api.macros.keys())
                .chain(&structs),
            &mut constants,
        );
        self.settle(row, api.calls.keys().chain(api.types.keys()), &mut calls);
        Ok((constants, calls))
    }

    /// Sorts the constants and calls that no header has into those that are allowed to be absent
    /// and those that are wrong.
    fn settle<'n>(
        &self,
        row: Row<'_>,
        ours: impl Iterator<Item = &'n String>,
        found: &mut Findings,
    ) {
        for name in ours {
            let seen = found.proved.contains(name) || found.wrong.contains_key(name);
            if !seen && !found.excused.contains(name) {
                if self.allowed.has(Difference::Absent, name, &row) {
                    found.excused.insert(name.clone());
                } else {
                    found
                        .wrong
                        .insert(name.clone(), "no header has it".to_owned());
                }
            }
        }
        found
            .missing
            .retain(|name, _| !self.allowed.has(Difference::Missing, name, &row));
    }
}
