//! `cargo xtask msrv`: both library crates, with and without `std`, and the program `pages` build with the
//! oldest Rust that they support, without their dev-dependencies.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;
use crate::process::{command, root, run, text, workdir};

/// The packages of a compiler, its library and its cargo, in either of Debian's two families.
const FAMILIES: [[&str; 3]; 2] = [
    ["rustc-web", "libstd-rust-web-dev", "cargo-web"],
    ["rustc", "libstd-rust-dev", "cargo"],
];

/// What is built, and how.
const BUILDS: [(&str, &[&str]); 3] = [
    (
        "both library crates with all features",
        &["-punix-memory-sys", "-punix-memory", "--all-features"],
    ),
    (
        "both library crates without features",
        &[
            "-punix-memory-sys",
            "-punix-memory",
            "--no-default-features",
        ],
    ),
    ("the program pages", &["-punix-memory-pages"]),
];

/// Runs the task.
pub fn task() -> Result<()> {
    let version = promised()?;
    let target = workdir("msrv-build")?;
    for (what, packages) in BUILDS {
        let mut cargo = cargo(&version)?;
        println!("msrv: Rust {version}, {what}");
        run(cargo
            .args(["build", "--quiet", "--locked"])
            .args(packages)
            .arg("--target-dir")
            .arg(&target)
            // Nothing of it is run.
            .env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
    }
    println!("msrv: built");
    Ok(())
}

/// The version in the workspace's manifest.
fn promised() -> Result<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let manifest: toml::Table = manifest.parse()?;
    manifest["workspace"]["package"]["rust-version"]
        .as_str()
        .map(str::to_owned)
        .context("Cargo.toml names no rust-version")
}

/// A cargo of that version: rustup's or the system's if it is installed, or else Debian's, unpacked.
fn cargo(version: &str) -> Result<Command> {
    let toolchains = text(command("rustup").args(["toolchain", "list"])).unwrap_or_default();
    if let Some(toolchain) = installed(&toolchains, version) {
        let mut cargo = command("cargo");
        cargo.arg(format!("+{toolchain}"));
        return Ok(cargo);
    }
    if is_of(Path::new("/usr/bin/rustc"), version) && is_of(Path::new("/usr/bin/cargo"), version) {
        return Ok(with_rustc(Path::new("/usr/bin")));
    }
    debian(version).with_context(|| {
        format!(
            "Rust {version} is not installed, and apt has no package of it: install rustup, then run \
             `rustup toolchain install {version} --profile minimal`"
        )
    })
}

/// Whether the `rustc` or `cargo` at `path` is `version` or a patch release of it.
fn is_of(path: &Path, version: &str) -> bool {
    let said = text(command(path).arg("--version")).unwrap_or_default();
    let number = said.split(' ').nth(1).unwrap_or_default();
    installed(number, version).is_some()
}

/// The cargo in `bin`, with the compiler beside it: otherwise a rustup in PATH would be used as rustc.
fn with_rustc(bin: &Path) -> Command {
    let mut cargo = command(bin.join("cargo"));
    cargo.env("RUSTC", bin.join("rustc"));
    cargo
}

/// The toolchain in rustup's list that is `version` or a patch release of it.
fn installed<'a>(toolchains: &'a str, version: &str) -> Option<&'a str> {
    toolchains
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .find(|name| {
            name.strip_prefix(version)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        })
}

fn debian(version: &str) -> Result<Command> {
    let prefix = format!("{version}.");
    let of_that_version = |package: &&str| {
        let full = apt::version(package, &prefix).ok()?;
        Some(format!("{package}={full}"))
    };
    let packages = FAMILIES
        .iter()
        .find_map(|family| {
            family
                .iter()
                .map(of_that_version)
                .collect::<Option<Vec<_>>>()
        })
        .with_context(|| format!("apt has no rustc {version}; try `sudo apt-get update`"))?;
    let packages = apt::with_dependencies(&packages)?;
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let dir = apt::Apt::here().unpacked("msrv", &packages, &[])?;
    let mut cargo = with_rustc(&dir.join("usr/bin"));
    let libraries = ["usr/lib", "lib"].map(|lib| dir.join(lib).join("x86_64-linux-gnu"));
    cargo.env("LD_LIBRARY_PATH", std::env::join_paths(libraries)?);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::installed;

    #[test]
    fn a_toolchain_is_found_by_its_version() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                    1.85.1-x86_64-unknown-linux-gnu\n1.8-x86_64-unknown-linux-gnu";
        assert_eq!(
            installed(list, "1.85"),
            Some("1.85.1-x86_64-unknown-linux-gnu")
        );
        assert_eq!(installed(list, "1.8"), Some("1.8-x86_64-unknown-linux-gnu"));
        assert_eq!(installed(list, "1.90"), None);
        assert_eq!(installed("1.85.1", "1.85"), Some("1.85.1"));
        assert_eq!(installed("1.850.0", "1.85"), None);
    }
}
