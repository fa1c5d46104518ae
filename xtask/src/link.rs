//! `cargo xtask link`: links every call of the crate against the systems' own libraries, and checks
//! that it uses the same symbols as a C program.
//!
//! Linking alone is not enough: NetBSD's `msync` is the symbol `__msync13`, and the plain name also
//! links there, but to an older call.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::allowed::Difference;
use crate::api::{Api, undefined};
use crate::headers::{HeaderUnit, KERNEL_ALONE, Proof, SYMBOL, UNITS};
use crate::process::{capture, workdir};
use crate::results::Options;
use crate::targets::{Row, Table};
use crate::unit::{Unit, Verdict};
use crate::visit::{Outcome, visit};

const COLUMNS: [&str; 2] = ["symbols", "linked"];

/// The oldest glibc that rustc supports, on architectures that are as old.
const OLDEST_GLIBC: &str = "2.17";

/// Runs the task.
pub fn task(args: &Options) -> Result<()> {
    let table = Table::load()?;
    let rows = table.select(&args.selection)?;
    let proof = Proof::new(&table)?;
    let visits = visit("link", &rows, args.selection.jobs, |row, _| {
        look(&proof, row)
    });
    args.conclude("link", &COLUMNS, &visits)
}

fn look(proof: &Proof<'_>, row: Row<'_>) -> Vec<Outcome> {
    if !row.group.mapping {
        return vec![Outcome::None("no memory mapping".to_owned()); COLUMNS.len()];
    }
    let headers = match row.headers() {
        Ok(set) if proof.table.headers[set].kernel_alone => Err(KERNEL_ALONE),
        headers => headers,
    };
    if let (Err(headers), Err(link)) = (headers, row.zig()) {
        return vec![
            Outcome::Skipped(headers.to_owned()),
            Outcome::Skipped(link.to_owned()),
        ];
    }
    if let Err(reason) = proof.toolchain.knows(row.name()) {
        return vec![Outcome::Skipped(reason); 2];
    }
    let api = match Api::read(&proof.toolchain, &proof.sources, row.name()) {
        Ok(api) => api,
        Err(error) => return Outcome::failed_once(&error, COLUMNS.len()),
    };
    let objects = match api.objects(&proof.toolchain, row.name()) {
        Ok(objects) => objects,
        Err(error) => return Outcome::failed_once(&error, COLUMNS.len()),
    };
    let compared = match headers {
        Err(reason) => Outcome::Skipped(reason.to_owned()),
        Ok(_) => match symbols(proof, row, &api, &objects) {
            Ok(None) => Outcome::Skipped("zig's clang has no code for the architecture".to_owned()),
            Ok(Some(count)) => Outcome::Passed(format!("{count} as in C")),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        },
    };
    let linked = match row.zig() {
        Err(reason) => Outcome::Skipped(reason.to_owned()),
        Ok(zig) => link(proof, row, zig, &objects).into(),
    };
    vec![compared, linked]
}

/// Compares the symbols of our objects with those of a C program that takes the same addresses;
/// `None` where clang cannot make an object.
fn symbols(
    proof: &Proof<'_>,
    row: Row<'_>,
    api: &Api,
    objects: &[PathBuf; 2],
) -> Result<Option<usize>> {
    let set = &proof.table.headers[row.headers().unwrap_or_default()];
    let (_, includes) = UNITS[0];
    let headers = HeaderUnit::new(proof, row, set, "symbols", includes)?;
    let mut unit = Unit::new(&headers.includes);
    for (name, call) in api.calls.iter().filter(|(_, call)| !call.wrapper) {
        unit.line(name, &address(name));
        if let Some(symbol) = &call.link_name {
            unit.line(&format!("{SYMBOL}{name}"), &address(symbol));
        }
    }
    let verdicts = headers.ask(&unit)?;
    let declared = |name: &str| verdicts.get(name) == Some(&Verdict::True);
    let mut source = headers.includes.clone();
    let mut compared = BTreeSet::new();
    for (name, call) in &api.calls {
        let by_symbol = declared(&format!("{SYMBOL}{name}")).then(|| call.symbol(name));
        let c = declared(name).then_some(name.as_str()).or(by_symbol);
        if let Some(c) = c.filter(|_| !proof.allowed.has(Difference::Symbol, name, &row)) {
            let _ = writeln!(source, "{}", address(c));
            compared.insert(name);
        }
    }
    let file = headers.file.with_extension("addresses.c");
    let object = file.with_extension("o");
    fs::write(&file, source)?;
    let compiled = capture(
        headers
            .clang()
            .args(["-w", "-c"])
            .arg(&file)
            .arg("-o")
            .arg(&object),
    );
    if let Err(error) = compiled {
        if ["unknown target triple", "unable to create target"]
            .iter()
            .any(|sign| error.to_string().contains(sign))
        {
            return Ok(None);
        }
        return Err(error);
    }
    let theirs = undefined(&object)?;
    let ours = undefined(&objects[0])?;
    let of_another = |symbol: &str| {
        let excused = api
            .calls
            .iter()
            .filter(|(name, _)| !compared.contains(name));
        let mut excused = excused.map(|(name, call)| call.symbol(name));
        excused.any(|name| name == symbol.trim_start_matches('_') || name == symbol)
            // Rust's own names, including those of wrappers, and those of sanitizers.
            || symbol.contains("unix_memory_sys")
            || ["asan_", "msan_", "tsan_"].iter().any(|part| symbol.contains(part))
    };
    let only_ours: Vec<_> = ours
        .difference(&theirs)
        .filter(|symbol| !of_another(symbol))
        .collect();
    let only_theirs: Vec<_> = theirs
        .difference(&ours)
        .filter(|symbol| {
            // Symbols that some object formats and architectures need in addition.
            !symbol.starts_with(".L")
                && !["_gp_disp", "__gnu_local_gp", "_GLOBAL_OFFSET_TABLE_"]
                    .contains(&symbol.as_str())
        })
        .collect();
    if !only_ours.is_empty() || !only_theirs.is_empty() {
        bail!("the crate uses the symbols {only_ours:?}, where C uses {only_theirs:?}");
    }
    Ok(Some(compared.len()))
}

/// C code that takes a function's address.
fn address(name: &str) -> String {
    format!("void *address_of_{name} = (void *)&{name};")
}

/// Links a library that needs every call, with the target's newest and oldest C library.
fn link(proof: &Proof<'_>, row: Row<'_>, zig: &str, objects: &[PathBuf; 2]) -> Result<String> {
    link_one(proof, row, zig, objects)?;
    if row.group.libc != "glibc" {
        return Ok("linked".to_owned());
    }
    let oldest = row.target.glibc.as_deref().unwrap_or(OLDEST_GLIBC);
    link_one(proof, row, &format!("{zig}.{oldest}"), objects)?;
    Ok(format!("linked, with glibc {oldest} too"))
}

/// Links a shared library, because it needs only the C library; a program would also need start
/// files and a run-time library, which zig would first build for minutes.
fn link_one(proof: &Proof<'_>, row: Row<'_>, zig: &str, objects: &[PathBuf; 2]) -> Result<()> {
    let library = workdir("link")?.join(format!("{}.{zig}.so", row.name()));
    let mut cc = proof.zig.cc(zig);
    cc.args(["-w", "-shared", "-nostdlib", "-lc"]);
    if !zig.contains("-macos") {
        // Mach-O's linker requires every symbol by default.
        cc.arg("-Wl,-z,defs");
    }
    capture(cc.args(objects).arg("-o").arg(library)).map(drop)
}
