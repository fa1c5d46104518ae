//! One unit of a target's headers, and the questions that it answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::findings::Findings;
use super::{CALLS, FAMILIES, Proof, SYMBOL};
use crate::allowed::Difference;
use crate::api::{ARGUMENTS, Api, Field, Integer};
use crate::apt;
use crate::process::{capture, workdir};
use crate::targets::{Headers, Row};
use crate::unit::{Macro, Unit, Verdict, macros};
use crate::zig::Zig;

/// One unit of a target's headers.
pub struct HeaderUnit<'a> {
    proof: &'a Proof<'a>,
    row: Row<'a>,
    /// Its `#include` lines.
    pub includes: String,
    macros: BTreeMap<String, Macro>,
    flags: Vec<String>,
    /// The file that it is written to.
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

    /// clang, with the target's headers.
    pub fn clang(&self) -> Command {
        let mut clang = self.proof.zig.clang();
        clang.args(&self.flags);
        clang
    }

    /// clang's verdicts on `unit`.
    pub fn ask(&self, unit: &Unit) -> Result<BTreeMap<String, Verdict>> {
        unit.ask(&mut self.clang(), &self.file)
    }

    /// Compares our values of these names with this unit.
    pub fn values<'v>(
        &self,
        ours: impl Iterator<Item = (&'v String, &'v String)>,
        found: &mut Findings,
    ) -> Result<()> {
        let mut unit = Unit::new(&self.includes);
        let ours: BTreeMap<_, _> = ours.collect();
        for (name, value) in &ours {
            unit.holds(name, &equal(name, value));
        }
        self.judge(&unit, &ours, found)
    }

    /// Evaluates `unit`, whose statements have the names of values of `ours`, or of macros.
    fn judge(
        &self,
        unit: &Unit,
        ours: &BTreeMap<&String, &String>,
        found: &mut Findings,
    ) -> Result<()> {
        for (name, verdict) in self.ask(unit)? {
            match verdict {
                Verdict::True => {
                    found.proved.insert(name);
                }
                Verdict::Unknown => {}
                Verdict::False(_) if self.allowed(Difference::Value, &name) => {
                    found.excused.insert(name);
                }
                Verdict::False(_) => {
                    let ours = ours.get(&name).map_or("another", |value| value.as_str());
                    let theirs = self.macros.get(&name).map(|it| it.text.as_str());
                    let how = format!("ours {ours}, the header's {}", theirs.unwrap_or("another"));
                    found.wrong.insert(name, how);
                }
            }
        }
        Ok(())
    }

    /// Compares all our constants and structs with this unit, and all its macros with ours.
    pub fn constants(&self, api: &Api, pointer: u32, found: &mut Findings) -> Result<()> {
        self.values(api.constants.iter(), found)?;
        let mut unit = Unit::new(&self.includes);
        for (name, values) in &api.macros {
            let conditions: Vec<_> = ARGUMENTS
                .iter()
                .zip(values)
                .map(|(argument, value)| equal(&format!("{name}({argument})"), value))
                .collect();
            unit.holds(name, &conditions.join(" && "));
        }
        for (name, fields) in &api.structs {
            unit.holds(&structure(name), &same_layout(name, fields, pointer));
        }
        self.judge(&unit, &BTreeMap::new(), found)?;
        for (name, it) in &self.macros {
            let ours = api.constants.contains_key(name) || api.macros.contains_key(name);
            if !ours && FAMILIES.iter().any(|family| name.starts_with(family)) {
                found.missing.insert(name.clone(), it.text.clone());
            }
        }
        Ok(())
    }

    /// Compares all our calls and types with this unit, and every call of the family with ours.
    pub fn calls(&self, api: &Api, pointer: u32, found: &mut Findings) -> Result<()> {
        let mut unit = Unit::new(&self.includes);
        for (name, integer) in &api.types {
            unit.holds(name, &same_integer(name, *integer, pointer));
        }
        for (name, call) in &api.calls {
            unit.holds(name, &same_type(name, &call.prototype(), self, name));
            // Where C has no such name, as with `errno_location`, it may have the symbol.
            if let Some(symbol) = &call.link_name {
                let by_symbol = same_type(symbol, &call.prototype(), self, name);
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
                            format!("the header's type differs from {}", call.prototype())
                        }
                        None => message,
                    };
                    found.wrong.insert(name, how);
                }
                // A wrapper stands in for what the C library lacks; `absent` decides about the rest.
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
            // An entry with a prototype allows that prototype and no other.
            && (what != Difference::Signature || list.prototypes(name, &self.row).next().is_none())
    }
}

/// The start of a unit: all names visible, 64-bit offsets, and nothing of `<linux/mount.h>`, which
/// `<linux/fs.h>` includes, because mount's flags begin with `MS_`, like those of msync.
fn preamble(includes: &[&str]) -> String {
    let mut source = String::from(
        "#define _GNU_SOURCE 1\n#define _LARGEFILE64_SOURCE 1\n#define _FILE_OFFSET_BITS 64\n\
         #define _LINUX_MOUNT_H\n",
    );
    for header in includes {
        let (condition, header) = match header.split_once(' ') {
            Some((defined, header)) => (format!("defined {defined} && "), header),
            None => (String::new(), *header),
        };
        let _ = writeln!(
            source,
            "#if {condition}__has_include(<{header}>)\n#include <{header}>\n#endif"
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
            _ => bail!("xtask/targets.toml: {dir} starts with neither zig: nor deb:"),
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

/// C for "this constant has this value". What C calls an unsigned int, or computes as a size, may be
/// a negative int here, with the same bits: it is passed as an int.
fn equal(name: &str, value: &str) -> String {
    let mut condition = format!(
        "(__UINTPTR_TYPE__)({name}) == (__UINTPTR_TYPE__)({value}LL) || \
         (sizeof({name}) == 4 && \
         (__UINT32_TYPE__)(__UINTPTR_TYPE__)({name}) == (__UINT32_TYPE__)({value}LL))"
    );
    if value.parse::<i32>().is_ok_and(i32::is_negative) {
        let _ = write!(
            condition,
            " || (__UINTPTR_TYPE__)({name}) == (__UINT32_TYPE__)({value}LL)"
        );
    }
    format!("({condition})")
}

/// C for "this type has this width and sign".
fn same_integer(name: &str, integer: Integer, pointer: u32) -> String {
    let bytes = integer.bytes.unwrap_or(pointer);
    let sign = if integer.signed { "<" } else { ">" };
    format!("sizeof({name}) == {bytes} && ({name})-1 {sign} ({name})0")
}

/// The name of the struct `name` in findings: a call may have the same name.
pub fn structure(name: &str) -> String {
    format!("struct {name}")
}

/// C for "this struct has these fields, of this width and sign, where C puts them, and no others".
fn same_layout(name: &str, fields: &[(String, Field)], pointer: u32) -> String {
    let mut ours = String::new();
    let mut conditions = String::new();
    for (field, it) in fields {
        let theirs = format!("((struct {name} *)0)->{field}");
        match it {
            Field::Integer(integer) => {
                let bits = 8 * integer.bytes.unwrap_or(pointer);
                let sign = if integer.signed { "" } else { "U" };
                let is_signed = i32::from(integer.signed);
                let _ = write!(ours, "__{sign}INT{bits}_TYPE__ {field}; ");
                let negative = format!("((__typeof__({theirs}))-1 < 1)");
                let _ = write!(conditions, " && {negative} == {is_signed}");
            }
            Field::Struct(of) => {
                let _ = write!(ours, "struct {of} {field}; ");
                let same = format!("__typeof__({theirs}), struct {of}");
                let _ = write!(conditions, " && __builtin_types_compatible_p({same})");
            }
        }
        let at = |of: &str| format!("__builtin_offsetof(struct {of}, {field})");
        let _ = write!(
            conditions,
            " && {} == {} && sizeof({theirs}) == sizeof(((struct ours_{name} *)0)->{field})",
            at(name),
            at(&format!("ours_{name}")),
        );
    }
    format!("sizeof(struct {name}) == sizeof(struct ours_{name} {{ {ours}}}){conditions}")
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
    fn a_negative_int_may_be_an_unsigned_number() {
        let widened = |value| format!(" || (__UINTPTR_TYPE__)(A) == (__UINT32_TYPE__)({value}LL)");
        for (value, expected) in [("-1", true), ("1", false), ("-4294967296", false)] {
            let condition = equal("A", value);
            assert_eq!(condition.contains(&widened(value)), expected, "{value}");
        }
    }
}
