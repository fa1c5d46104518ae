//! `cargo xtask headers`: the crate's constants, functions and types against the systems' own
//! headers, and the headers' lists against the crate's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::allowed::{Allowed, Difference};
use crate::api::{ARGUMENTS, Api, Call, Integer, Sources};
use crate::apt;
use crate::process::{capture, workdir};
use crate::results::Results;
use crate::targets::{Headers, Row, Selection, Table};
use crate::toolchain::Toolchain;
use crate::unit::{Macro, Unit, Verdict, macros};
use crate::visit::{Outcome, report, visit};
use crate::zig::Zig;

/// What may be asked for.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Writes what came out to xtask/results.toml, for the README's table
    #[arg(long)]
    record: bool,
}

/// The names that the crate promises to have wherever a header has them.
const FAMILIES: [&str; 19] = [
    "PROT_",
    "MAP_",
    "MADV_",
    "POSIX_MADV_",
    "MS_",
    "MCL_",
    "MLOCK_",
    "MREMAP_",
    "MFD_",
    "MINCORE_",
    "INHERIT_",
    "PKEY_",
    "F_SEAL_",
    "F_ADD_SEALS",
    "F_GET_SEALS",
    "SHM_ANON",
    "POSIX_TYPED_MEM_",
    "MHA_",
    "_SC_PAGESIZE",
];

/// The calls that the crate promises to have wherever a header declares them.
const CALLS: [&str; 28] = [
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
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "process_madvise",
    "mseal",
    "memcntl",
    "mctl",
    "mimmutable",
    "mquery",
    "sysconf",
];

/// What a C program includes for them, of the C library and of the kernel: the second is a unit of
/// its own because the two do not mix.
pub const UNITS: [(&str, &[&str]); 2] = [
    (
        "libc",
        &[
            "sys/types.h",
            "sys/stat.h",
            "sys/mman.h",
            "sys/memfd.h",
            "unistd.h",
            "fcntl.h",
            "errno.h",
        ],
    ),
    (
        "kernel",
        &[
            "linux/mman.h",
            "linux/memfd.h",
            "linux/fcntl.h",
            "asm/mman.h",
        ],
    ),
];

/// Marks statements about a call that are made of its symbol.
pub const SYMBOL: &str = "symbol of ";

const COLUMNS: [&str; 2] = ["constants", "calls"];

/// Runs the task.
pub fn task(args: &Args) -> Result<()> {
    let table = Table::load()?;
    let rows = table.select(&args.selection)?;
    let proof = Proof::new(&table)?;
    let visits = visit("headers", &rows, args.selection.jobs, |row, _| {
        proof.row(row)
    });
    if args.record {
        Results::record(&COLUMNS, &visits)?;
    }
    report("headers", &COLUMNS, &visits)
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
    /// Finds it all.
    ///
    /// # Errors
    /// Where something is not here; the text says what to run.
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
            if name == "kernel" && row.group.os != "linux" {
                continue;
            }
            let unit = HeaderUnit::new(self, row, set, name, includes)?;
            unit.constants(&api, &mut constants)?;
            if name == "libc" {
                unit.calls(&api, pointer, &mut calls)?;
            }
        }
        self.settle(
            row,
            api.constants.keys().chain(api.macros.keys()),
            &mut constants,
        );
        self.settle(row, api.calls.keys().chain(api.types.keys()), &mut calls);
        Ok((constants, calls))
    }

    /// What no header knows, and what may be as it is.
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

/// What is known of a target's names.
#[derive(Default)]
struct Findings {
    /// In a header, and the same there.
    proved: BTreeSet<String>,
    /// Different on purpose.
    excused: BTreeSet<String>,
    /// Different, and how.
    wrong: BTreeMap<String, String>,
    /// In a header and not in the crate, and what the header says.
    missing: BTreeMap<String, String>,
}

impl Findings {
    fn outcome(&self) -> Outcome {
        let summary = format!(
            "{} proved, {} missing, {} wrong",
            self.proved.len(),
            self.missing.len(),
            self.wrong.len()
        );
        if self.missing.is_empty() && self.wrong.is_empty() {
            return Outcome::Passed(summary);
        }
        let mut text = summary;
        for (name, how) in &self.missing {
            let _ = write!(text, "\n  missing {name}: {how}");
        }
        for (name, how) in &self.wrong {
            let _ = write!(text, "\n  wrong {name}: {how}");
        }
        Outcome::Failed(text)
    }
}

/// One unit of a target's headers.
pub struct HeaderUnit<'a> {
    proof: &'a Proof<'a>,
    row: Row<'a>,
    /// Its `#include` lines.
    pub includes: String,
    macros: BTreeMap<String, Macro>,
    flags: Vec<String>,
    /// Where it is written.
    pub file: PathBuf,
}

impl<'a> HeaderUnit<'a> {
    /// Reads the macros of `includes`, on the target of `row`.
    pub fn new(
        proof: &'a Proof<'a>,
        row: Row<'a>,
        set: &Headers,
        name: &str,
        includes: &[&str],
    ) -> Result<Self> {
        let dir = workdir(&format!("headers/{}", row.name()))?;
        let spec = proof.toolchain.spec(row.name())?;
        let mut unit = Self {
            proof,
            row,
            includes: preamble(includes),
            macros: BTreeMap::new(),
            flags: flags(&proof.zig, row, set, &spec.llvm_target)?,
            file: dir.join(format!("{name}.c")),
        };
        fs::write(&unit.file, &unit.includes)?;
        let listing = dir.join(format!("{name}.macros"));
        capture(
            unit.clang()
                .args(["-E", "-dM", "-w"])
                .arg(&unit.file)
                .arg("-o")
                .arg(&listing),
        )?;
        unit.macros = macros(&fs::read_to_string(listing)?);
        Ok(unit)
    }

    /// clang with the target's headers.
    pub fn clang(&self) -> Command {
        let mut clang = self.proof.zig.clang();
        clang.args(&self.flags);
        clang
    }

    /// What clang thinks of `unit`.
    pub fn ask(&self, unit: &Unit) -> Result<BTreeMap<String, Verdict>> {
        unit.ask(&mut self.clang(), &self.file)
    }

    /// Every constant of ours against this unit, and every macro of the unit against ours.
    fn constants(&self, api: &Api, found: &mut Findings) -> Result<()> {
        let mut unit = Unit::new(&self.includes);
        for (name, value) in &api.constants {
            unit.holds(name, &equal(name, value));
        }
        for (name, values) in &api.macros {
            let conditions: Vec<_> = ARGUMENTS
                .iter()
                .zip(values)
                .map(|(argument, value)| equal(&format!("{name}({argument})"), value))
                .collect();
            unit.holds(name, &conditions.join(" && "));
        }
        for (name, verdict) in self.ask(&unit)? {
            match verdict {
                Verdict::True => {
                    found.proved.insert(name);
                }
                Verdict::Unknown => {}
                Verdict::False(_) if self.allowed(Difference::Value, &name) => {
                    found.excused.insert(name);
                }
                Verdict::False(_) => {
                    let ours = api.constants.get(&name).cloned().unwrap_or_default();
                    let theirs = self.macros.get(&name).map(|it| it.text.as_str());
                    let how = format!("ours {ours}, the header's {}", theirs.unwrap_or("another"));
                    found.wrong.insert(name, how);
                }
            }
        }
        for (name, it) in &self.macros {
            let ours = api.constants.contains_key(name) || api.macros.contains_key(name);
            if !ours && FAMILIES.iter().any(|family| name.starts_with(family)) {
                found.missing.insert(name.clone(), it.text.clone());
            }
        }
        Ok(())
    }

    /// Every call and type of ours against this unit, and every call of the family against ours.
    fn calls(&self, api: &Api, pointer: u32, found: &mut Findings) -> Result<()> {
        let mut unit = Unit::new(&self.includes);
        for (name, integer) in &api.types {
            unit.holds(name, &same_integer(name, *integer, pointer));
        }
        for (name, call) in &api.calls {
            unit.holds(name, &same_type(name, &prototype(call), self, name));
            // Where C has no such name, as `errno_location`, it may have the symbol's.
            if let Some(symbol) = &call.link_name {
                let by_symbol = same_type(symbol, &prototype(call), self, name);
                unit.holds(&format!("{SYMBOL}{name}"), &by_symbol);
            }
        }
        for name in CALLS.iter().filter(|name| !api.calls.contains_key(**name)) {
            unit.line(name, &format!("void *address_of_{name} = (void *)&{name};"));
        }
        let mut verdicts = self.ask(&unit)?;
        for name in api.calls.keys() {
            if let Some(by_symbol) = verdicts.remove(&format!("{SYMBOL}{name}"))
                && verdicts.get(name) == Some(&Verdict::Unknown)
            {
                verdicts.insert(name.clone(), by_symbol);
            }
        }
        for (name, verdict) in verdicts {
            let ours = api.calls.contains_key(&name) || api.types.contains_key(&name);
            match verdict {
                Verdict::True if ours => {
                    found.proved.insert(name);
                }
                Verdict::True => {
                    found
                        .missing
                        .insert(name, "the headers declare it".to_owned());
                }
                Verdict::False(_) if ours && self.allowed(Difference::Signature, &name) => {
                    found.excused.insert(name);
                }
                Verdict::False(message) if ours => {
                    let how = match api.calls.get(&name) {
                        Some(call) => {
                            format!("the header has another type than {}", prototype(call))
                        }
                        None => message,
                    };
                    found.wrong.insert(name, how);
                }
                // A wrapper stands in for what the C library lacks; the rest settles `absent`.
                Verdict::Unknown if api.calls.get(&name).is_some_and(|call| call.wrapper) => {
                    found.excused.insert(name);
                }
                Verdict::Unknown | Verdict::False(_) => {}
            }
        }
        Ok(())
    }

    fn allowed(&self, what: Difference, name: &str) -> bool {
        let list = &self.proof.allowed;
        list.has(what, name, &self.row)
            // A prototype allows what it says, and only that.
            && (what != Difference::Signature || list.prototypes(name, &self.row).next().is_none())
    }
}

/// The start of a unit: everything visible, and offsets of 64 bits.
fn preamble(includes: &[&str]) -> String {
    let mut source = String::from(
        "#define _GNU_SOURCE 1\n#define _LARGEFILE64_SOURCE 1\n#define _FILE_OFFSET_BITS 64\n",
    );
    for header in includes {
        let _ = writeln!(
            source,
            "#if __has_include(<{header}>)\n#include <{header}>\n#endif"
        );
    }
    source
}

/// clang's flags for a target and its headers.
fn flags(zig: &Zig, row: Row<'_>, set: &Headers, llvm_target: &str) -> Result<Vec<String>> {
    let target = row.target.clang.as_deref().unwrap_or(llvm_target);
    let mut flags = vec![format!("--target={target}"), "-nostdinc".to_owned()];
    flags.extend(set.flags.iter().cloned());
    let mut dirs = vec![zig.compiler_headers()];
    for dir in &set.dirs {
        let include = row.target.include.as_deref().unwrap_or_default();
        let kernel = row.target.kernel.as_deref().unwrap_or(include);
        let dir = dir
            .replace("{include}", include)
            .replace("{kernel}", kernel);
        dirs.push(match dir.split_once(':') {
            Some(("zig", name)) => zig.headers(name),
            Some(("deb", name)) => {
                let packages: Vec<_> = set.packages.iter().map(String::as_str).collect();
                let place = format!("debs-{}", packages.join("-"));
                apt::Apt::here()
                    .unpacked(&place, &packages, &["*/include/*"])?
                    .join(name)
            }
            _ => bail!("xtask/targets.toml: {dir} is of no known source"),
        });
    }
    if !set.empty.is_empty() {
        let empty = workdir("headers/empty")?;
        for file in &set.empty {
            let file = empty.join(file);
            fs::create_dir_all(file.parent().unwrap_or(&empty))?;
            fs::write(file, "")?;
        }
        dirs.push(empty);
    }
    for dir in dirs {
        if !Path::new(&dir).is_dir() {
            bail!("there is no {}", dir.display());
        }
        flags.extend(["-isystem".to_owned(), dir.display().to_string()]);
    }
    Ok(flags)
}

/// C for "this constant has this value". What C calls an unsigned int may be a negative int here,
/// with the same bits: it is passed as an int.
fn equal(name: &str, value: &str) -> String {
    format!(
        "((__UINTPTR_TYPE__)({name}) == (__UINTPTR_TYPE__)({value}LL) || \
         (sizeof({name}) == 4 && \
         (__UINT32_TYPE__)(__UINTPTR_TYPE__)({name}) == (__UINT32_TYPE__)({value}LL)))"
    )
}

/// C for "this type has this width and sign".
fn same_integer(name: &str, integer: Integer, pointer: u32) -> String {
    let bytes = integer.bytes.unwrap_or(pointer);
    let sign = if integer.signed { "<" } else { ">" };
    format!("sizeof({name}) == {bytes} && ({name})-1 {sign} ({name})0")
}

/// A function's type, as C writes it.
fn prototype(call: &Call) -> String {
    let arguments = if call.arguments.is_empty() {
        "void".to_owned()
    } else {
        call.arguments.join(", ")
    };
    format!("{} ({arguments})", call.result)
}

/// C for "this function has this type", or one that is allowed in its place.
fn same_type(symbol: &str, ours: &str, unit: &HeaderUnit<'_>, name: &str) -> String {
    std::iter::once(ours)
        .chain(unit.proof.allowed.prototypes(name, &unit.row))
        .map(|prototype| format!("__builtin_types_compatible_p(__typeof__({symbol}), {prototype})"))
        .collect::<Vec<_>>()
        .join(" || ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prototype_is_c() {
        let mut call = Call {
            result: "int".into(),
            arguments: vec!["const void *".into(), "size_t".into()],
            wrapper: false,
            link_name: None,
        };
        assert_eq!(prototype(&call), "int (const void *, size_t)");
        call.arguments.clear();
        assert_eq!(prototype(&call), "int (void)");
    }

    #[test]
    fn what_is_missing_or_wrong_fails() {
        let mut found = Findings::default();
        found.proved.insert("A".into());
        assert_eq!(
            found.outcome(),
            Outcome::Passed("1 proved, 0 missing, 0 wrong".into())
        );
        found.missing.insert("B".into(), "2".into());
        assert!(matches!(found.outcome(), Outcome::Failed(_)));
    }
}
