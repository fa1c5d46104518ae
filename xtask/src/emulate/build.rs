//! Building the tests and examples for a target.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use super::emscripten::{self, Emscripten};
use super::linker;
use super::rows::{Glibc, Target};
use crate::apt::Apt;
use crate::process::{capture, workdir};
use crate::sysroot::standard::{Form, Standard};
use crate::targets::Row;
use crate::test_programs;
use crate::toolchain::Toolchain;
use crate::zig::Zig;

/// The packages whose programs are built.
const PACKAGES: [&str; 3] = [
    "--package=unix-memory-sys",
    "--package=unix-memory",
    "--package=tests",
];

/// The package of the program `pages`, built where there are processes and the system reports
/// something about pages.
const PAGES: &str = "--package=unix-memory-pages";

/// A program that cargo built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// cargo's name for it, with its package: `tests/lock`.
    pub name: String,
    /// Whether it is an example or a program for users, rather than a test.
    pub example: bool,
    /// The program's path.
    pub path: PathBuf,
    /// The directory of its package, in which cargo would run it.
    pub dir: PathBuf,
    /// The part of its tests that is meant, as a filter of theirs: a file of tests.
    pub part: Option<String>,
}

/// Builds the tests, examples and programs of the packages, and returns all of them.
///
/// # Errors
/// cargo's output, if it does not build.
pub fn build(toolchain: &Toolchain, target: &Target, row: Row<'_>) -> Result<Vec<Program>> {
    let (linker, linking) = linked_by(target, row)?;
    let path = match &target.emscripten {
        Some(_) => Some(emscripten::path(&linker)?),
        None => None,
    };
    let code = code(target);
    let standard = Standard {
        toolchain,
        target: &target.name,
        form: Form::Code,
        flags: &code,
        path: path.clone(),
    };
    let sysroot = format!("--sysroot={}", standard.sysroot()?.display());
    let flags = [code, linking, vec![sysroot]].concat().join(" ");
    let variable = |what| {
        let name = target.name.to_uppercase().replace(['-', '.'], "_");
        format!("CARGO_TARGET_{name}_{what}")
    };
    // The same packages each time, since for others cargo would compile their dependencies again, with other
    // features.
    let mut packages = PACKAGES.to_vec();
    packages.extend(target.emscripten.is_none().then_some(PAGES));
    let build = |what: &[&str]| {
        let mut cargo = toolchain.tool("cargo");
        cargo
            .args(what)
            .args(["--quiet", "--locked", "--target", &target.name])
            .arg("--message-format=json-render-diagnostics")
            // One directory for all targets, and so for all jobs: build scripts and macros, which run
            // on this machine, are built once. cargo lets one job build at a time; the others run their
            // tests meanwhile.
            .arg("--target-dir")
            .arg(workdir("emulate/build")?)
            .args(&packages)
            .env(variable("LINKER"), &linker)
            .env(variable("RUSTFLAGS"), &flags)
            // These programs are not debugged, and without debug information they are a quarter of the
            // size.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0");
        if let Some(path) = &path {
            cargo.env("PATH", path);
        }
        Ok::<_, anyhow::Error>(String::from_utf8(capture(&mut cargo)?)?)
    };
    // Of the package `tests`, the program that has all files.
    let ours = test_programs::of_package("unix-memory")?;
    let ours: Vec<_> = ours.iter().map(|name| format!("--test={name}")).collect();
    let mut tests = vec!["test", "--no-run", "--lib", "--test=all"];
    tests.extend(ours.iter().map(String::as_str));
    let users = ["build", "--examples", "--bins"];
    let mut programs = programs(&(build(&tests)? + &build(&users)?))?;
    // Of `pages`, only the program is tried: what differs between machines is in the library.
    programs.retain(|program| program.example || !program.name.starts_with("pages/"));
    let all = programs
        .iter()
        .position(|program| program.name == "tests/all");
    let all = programs.remove(all.context("cargo built no tests")?);
    programs.extend(parts(&all)?);
    Ok(programs)
}

/// rustc's flags for the code of `std` and of the programs.
fn code(target: &Target) -> Vec<String> {
    let is_static = target.glibc.is_none() && target.emscripten.is_none();
    let usual = if target.glibc.is_some() {
        "pic"
    } else {
        "static"
    };
    let relocation = target.relocation.as_deref().unwrap_or(usual);
    let mut flags = vec![format!("-Crelocation-model={relocation}")];
    flags.extend(is_static.then(|| "-Ctarget-feature=+crt-static".to_owned()));
    let features = target.features.as_ref();
    flags.extend(features.map(|features| format!("-Ctarget-feature={features}")));
    flags
}

/// `all`, once for each of its files: many need a process of their own.
fn parts(all: &Program) -> Result<Vec<Program>> {
    let names = test_programs::modules(&test_programs::all()?);
    if names.is_empty() {
        bail!("{} has no files", all.name);
    }
    let part = |name: String| Program {
        name: format!("tests/{name}"),
        part: Some(format!("test_{name}::")),
        ..all.clone()
    };
    Ok(names.into_keys().map(part).collect())
}

/// The linker, and rustc's flags to go with it.
fn linked_by(target: &Target, row: Row<'_>) -> Result<(PathBuf, Vec<String>)> {
    if let Some(gcc) = &target.gcc {
        return Ok((linker::gcc(&target.name, gcc)?, Vec::new()));
    }
    let flags = vec!["-Clink-self-contained=no".to_owned()];
    if let Some(emscripten) = &target.emscripten {
        return Ok((Emscripten::get(emscripten)?.emcc, flags));
    }
    let zig = row.zig().map_err(|reason| anyhow!("{reason}"))?;
    let (zig, flags) = match &target.glibc {
        None => (zig.to_owned(), flags),
        Some(glibc) => (
            format!("{zig}.{}", glibc.version),
            loaded_from(target, glibc)?,
        ),
    };
    let script = linker::script(&Zig::find()?, &zig, target.cpu.as_deref())?;
    Ok((script, flags))
}

/// The flags for programs that load glibc: none where the emulator's arguments say where glibc is;
/// otherwise the path of the loader.
fn loaded_from(target: &Target, glibc: &Glibc) -> Result<Vec<String>> {
    let lib = root(target, glibc)?.join("lib");
    if target.native.is_none() {
        return Ok(Vec::new());
    }
    let mut loader = std::fs::read_dir(&lib)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("ld-linux")
        });
    let loader = loader
        .next()
        .with_context(|| format!("there is no loader in {}", lib.display()))?;
    Ok(vec![
        format!("-Clink-arg=-Wl,--dynamic-linker={}", loader.display()),
        format!("-Clink-arg=-Wl,-rpath,{}", lib.display()),
    ])
}

/// The directory that stands for `/` to programs which load `glibc`.
pub fn root(target: &Target, glibc: &Glibc) -> Result<PathBuf> {
    let place = format!("emulate/glibc/{}", target.name);
    Ok(Apt::here()
        .unpacked(&place, &[&glibc.package], &[])?
        .join(&glibc.root))
}

/// One of cargo's messages, with the fields that matter here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Built>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Built {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    /// Whether it is a test program.
    test: bool,
}

/// The programs that cargo's messages report.
fn programs(messages: &str) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).context("cargo's messages")?;
        if message.reason != "compiler-artifact" {
            continue;
        }
        if let Message {
            executable: Some(path),
            manifest_path: Some(manifest),
            target: Some(built),
            profile: Some(profile),
            ..
        } = message
        {
            let dir = manifest.parent().context("a manifest")?.to_owned();
            let package = dir.file_name().unwrap_or_default().to_string_lossy();
            programs.push(Program {
                name: format!("{package}/{}", built.name),
                example: !profile.test,
                path,
                dir,
                part: None,
            });
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn cargo_tells_what_it_built() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/w/tests/Cargo.toml","target":{"name":"lock"},"profile":{"test":true},"executable":"/t/lock-1"}
{"reason":"compiler-artifact","manifest_path":"/r/libc/Cargo.toml","target":{"name":"libc"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/unix-memory/Cargo.toml","target":{"name":"jit"},"profile":{"test":false},"executable":"/t/jit"}
{"reason":"compiler-artifact","manifest_path":"/w/pages/Cargo.toml","target":{"name":"pages"},"profile":{"test":false},"executable":"/t/pages"}
{"reason":"compiler-artifact","manifest_path":"/w/pages/Cargo.toml","target":{"name":"pages"},"profile":{"test":true},"executable":"/t/pages-1"}
{"reason":"build-finished","success":true}"#;
        let programs = programs(messages).unwrap();
        let names: Vec<_> = programs.iter().map(|it| (&*it.name, it.example)).collect();
        let expected = [
            ("pages/pages", true),
            ("pages/pages", false),
            ("tests/lock", false),
            ("unix-memory/jit", true),
        ];
        assert_eq!(names, expected);
        assert_eq!(programs[2].dir.to_str(), Some("/w/tests"));
    }
}
