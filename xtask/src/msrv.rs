//! `cargo xtask msrv`: both library crates build with the oldest Rust that they promise, with and
//! without `std`, without their dev-dependencies.

use std::process::Command;

use anyhow::{Context, Result};

use crate::apt;
use crate::process::{command, root, run, text, workdir};

/// The libraries that Debian's compiler of that age needs and a machine may lack.
const LIBRARIES: [&str; 10] = [
    "libllvm19",
    "libpcre3",
    "libhttp-parser2.9",
    "libssh2-1",
    "libcurl4",
    "libsqlite3-0",
    "libedit2",
    "libxml2",
    "libicu72",
    "libz3-4",
];

/// Runs the task.
pub fn task() -> Result<()> {
    let version = promised()?;
    let target = workdir("msrv-build")?;
    for features in [&["--all-features"][..], &["--no-default-features"]] {
        let mut cargo = cargo(&version)?;
        println!("msrv: Rust {version}, both library crates, {}", features[0]);
        run(cargo
            .args(["build", "--quiet", "--locked"])
            .args(["-p", "unix-memory-sys", "-p", "unix-memory"])
            .args(features)
            .arg("--target-dir")
            .arg(&target))?;
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

/// A cargo of that version: rustup's where it is installed, else Debian's, unpacked.
fn cargo(version: &str) -> Result<Command> {
    let toolchains = text(command("rustup").args(["toolchain", "list"])).unwrap_or_default();
    if let Some(toolchain) = installed(&toolchains, version) {
        let mut cargo = command("cargo");
        cargo.arg(format!("+{toolchain}"));
        return Ok(cargo);
    }
    debian(version).with_context(|| {
        format!("no Rust {version} here; `rustup toolchain install {version} --profile minimal`")
    })
}

/// The toolchain in rustup's list that is `version` or a patch of it.
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
    let full = apt::version("rustc-web", &format!("{version}."))?;
    let mut packages = vec![
        format!("cargo-web={full}"),
        format!("rustc-web={full}"),
        format!("libstd-rust-web-{version}={full}"),
        format!("libstd-rust-web-dev={full}"),
    ];
    packages.extend(LIBRARIES.map(str::to_owned));
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let dir = apt::Apt::here().unpacked("msrv", &packages, &[])?;
    let usr = dir.join("usr");
    let mut cargo = command(usr.join("bin/cargo"));
    // A rustup in PATH would otherwise answer for rustc.
    cargo.env("RUSTC", usr.join("bin/rustc"));
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
    }
}
