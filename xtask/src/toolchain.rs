//! The compiler for other targets: one whose library sources are available.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::{capture, command, text};

/// A compiler with the sources of its library.
pub struct Toolchain {
    /// The directory of its rustc, rustdoc and cargo.
    bin: PathBuf,
    /// `library/` of its sources.
    pub library: PathBuf,
    /// `rustc --version`, which names the cache of what it builds.
    pub version: String,
    /// The target that it runs on.
    pub host: String,
    /// The Unix targets that it knows.
    pub specs: BTreeMap<String, Spec>,
}

/// What rustc says about a target.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spec {
    /// LLVM's and clang's name for it.
    pub llvm_target: String,
    /// The width of a pointer in bits.
    pub target_pointer_width: u32,
    /// Which byte of a number comes first.
    #[serde(default)]
    pub target_endian: Endian,
    #[serde(default)]
    target_family: Vec<String>,
    #[serde(default)]
    metadata: Metadata,
}

/// The byte order of a number.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Endian {
    /// The lowest byte first.
    #[default]
    Little,
    /// The highest byte first.
    Big,
}

impl std::fmt::Display for Endian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Little => "little",
            Self::Big => "big",
        })
    }
}

#[derive(Deserialize, Default)]
struct Metadata {
    std: Option<bool>,
}

impl Spec {
    /// Whether rustc says that std builds for the target.
    pub fn std(&self) -> bool {
        self.metadata.std == Some(true)
    }
}

impl Toolchain {
    /// The newest compiler with sources: of rustup's toolchains, or the system's.
    ///
    /// # Errors
    /// If there is none; the message says what to run.
    pub fn find() -> Result<Self> {
        let newest = candidates()
            .into_iter()
            .filter_map(|bin| {
                let rustc = bin.join("rustc");
                let sysroot = text(command(&rustc).args(["--print", "sysroot"])).ok()?;
                let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
                let version = text(command(&rustc).arg("--version")).ok()?;
                (library.join("core/src/lib.rs").exists() && bin.join("rustdoc").exists())
                    .then_some((release(&version), bin, library, version))
            })
            .max();
        let Some((_, bin, library, version)) = newest else {
            bail!(
                "no installed compiler has the sources of its library: run `rustup component add rust-src`, \
                 or on Debian `sudo apt-get install rustc-web cargo-web rust-web-src`"
            );
        };
        let specs = parse_specs(&capture(
            command(bin.join("rustc"))
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["-Zunstable-options", "--print=all-target-specs-json"]),
        )?)?;
        let host = text(command(bin.join("rustc")).args(["--print", "host-tuple"]))?;
        Ok(Self {
            bin,
            library,
            version,
            host,
            specs,
        })
    }

    /// What rustc says about `target`.
    ///
    /// # Errors
    /// If this compiler does not know it.
    pub fn spec(&self, target: &str) -> Result<&Spec> {
        self.specs
            .get(target)
            .with_context(|| format!("{} does not know {target}", self.version))
    }

    /// This compiler's rustc, rustdoc or cargo, unstable options allowed.
    pub fn tool(&self, name: &str) -> Command {
        let mut tool = command(self.bin.join(name));
        tool.env("RUSTC_BOOTSTRAP", "1")
            // If its LLVM lacks a target, the compiler should not leave a crash report behind.
            .env("RUSTC_ICE", "0")
            // Otherwise cargo would take whichever rustc is first in PATH, perhaps rustup's.
            .env("RUSTC", self.bin.join("rustc"))
            .env("RUSTDOC", self.bin.join("rustdoc"));
        tool
    }

    /// The version, in a form that suits a directory's name.
    pub fn key(&self) -> String {
        self.version
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect()
    }

    /// Whether the code generator of this compiler knows the target.
    ///
    /// # Errors
    /// The compiler's message, if it does not.
    pub fn knows(&self, target: &str) -> Result<(), String> {
        let asked = capture(self.tool("rustc").args(["--print=cfg", "--target", target]));
        asked.map(drop).map_err(|error| {
            let text = error.to_string();
            if ["TargetMachine", "No available targets"]
                .iter()
                .any(|sign| text.contains(sign))
            {
                "this compiler's LLVM lacks the architecture".to_owned()
            } else {
                text
            }
        })
    }
}

/// The directories that may hold a rustc.
fn candidates() -> Vec<PathBuf> {
    let mut bins = Vec::new();
    let toolchains = text(command("rustup").args(["toolchain", "list", "-v"])).unwrap_or_default();
    for line in toolchains.lines() {
        if let Some(dir) = line
            .split_whitespace()
            .last()
            .filter(|dir| dir.starts_with('/'))
        {
            bins.push(Path::new(dir).join("bin"));
        }
    }
    bins.extend(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    bins.retain(|bin| bin.join("rustc").exists());
    bins
}

/// The numbers in `rustc 1.96.0 (...)`.
fn release(version: &str) -> Vec<u32> {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    number
        .split(['.', '-'])
        .map_while(|part| part.parse().ok())
        .collect()
}

/// The Unix targets in rustc's list.
pub fn parse_specs(json: &[u8]) -> Result<BTreeMap<String, Spec>> {
    let mut specs: BTreeMap<String, Spec> =
        serde_json::from_slice(json).context("rustc's list of targets")?;
    specs.retain(|_, spec| spec.target_family.iter().any(|family| family == "unix"));
    Ok(specs)
}

#[cfg(test)]
mod tests {
    use super::{parse_specs, release};

    #[test]
    fn versions_are_ordered() {
        assert!(release("rustc 1.100.0 (a 2026-01-01)") > release("rustc 1.96.1-nightly (b)"));
        assert_eq!(release("rustc 1.96.0-nightly (x)"), [1, 96, 0]);
    }

    #[test]
    fn only_unix_targets_are_taken() {
        let json = br#"{
            "a-unix": {"llvm-target": "a", "target-pointer-width": 64, "target-family": ["unix"],
                       "metadata": {"std": true}},
            "b-none": {"llvm-target": "b", "target-pointer-width": 32}
        }"#;
        let specs = parse_specs(json).unwrap();
        assert_eq!(specs.keys().collect::<Vec<_>>(), ["a-unix"]);
        assert!(specs["a-unix"].std());
    }
}
