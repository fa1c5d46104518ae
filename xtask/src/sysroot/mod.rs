//! Metadata of `core` for other targets, in the form that the compiler reads: enough to check types
//! against; and `std`, in `standard.rs`.

pub mod standard;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{cachedir, capture, root, workdir};
use crate::toolchain::Toolchain;

/// The sysroot with the real `core` of `target`, made once for each version of the compiler (in
/// some twenty seconds), without code: a fifth of the time that building it takes. It is in the
/// user's cache, for all clones; those of other compilers are removed.
pub fn real(toolchain: &Toolchain, target: &str) -> Result<PathBuf> {
    let key = toolchain.key();
    let sysroot = cachedir(&format!("core/{key}"))?;
    prune(&sysroot)?;
    let lib = sysroot.join("lib/rustlib").join(target).join("lib");
    if !lib.join("libcore.rmeta").exists() {
        let source = toolchain.library.join("core/src/lib.rs");
        // Built elsewhere and moved, so that an interrupted build is not taken for a complete one.
        let part = sysroot
            .join("parts")
            .join(format!("{target}-{}", std::process::id()));
        metadata(toolchain, target, "core", &source, &part, None)?;
        let builtins = root().join("xtask/minicore/compiler_builtins.rs");
        metadata(
            toolchain,
            target,
            "compiler_builtins",
            &builtins,
            &part,
            Some(&part),
        )?;
        fs::create_dir_all(&lib)?;
        for name in ["libcompiler_builtins.rmeta", "libcore.rmeta"] {
            fs::rename(part.join(name), lib.join(name))?;
        }
    }
    Ok(sysroot)
}

/// Removes what is beside `kept` and has not changed for a month: the sysroots of other compilers.
fn prune(kept: &Path) -> Result<()> {
    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    for entry in fs::read_dir(kept.parent().context("no cache")?)? {
        let entry = entry?;
        let changed = entry.metadata()?.modified()?;
        if entry.path() != kept && changed.elapsed().is_ok_and(|age| age > MONTH) {
            // Another run may be removing it.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// A sysroot with the small `core` of `xtask/minicore`, made anew each time, since that takes next
/// to no time.
pub fn small(toolchain: &Toolchain, target: &str) -> Result<PathBuf> {
    let sysroot = workdir(&format!("minicore/{}/{target}", toolchain.key()))?;
    let lib = sysroot.join("lib/rustlib").join(target).join("lib");
    let minicore = root().join("xtask/minicore");
    let source = sysroot.join("core.rs");
    fs::copy(minicore.join("core.rs"), &source)?;
    let primitives = toolchain.library.join("core/src/ffi/primitives.rs");
    let primitives = fs::read_to_string(&primitives)
        .with_context(|| format!("cannot read {}", primitives.display()))?;
    fs::write(sysroot.join("primitives.rs"), outside_of_std(&primitives))?;
    metadata(toolchain, target, "core", &source, &lib, None)?;
    let builtins = minicore.join("compiler_builtins.rs");
    metadata(
        toolchain,
        target,
        "compiler_builtins",
        &builtins,
        &lib,
        Some(&lib),
    )?;
    Ok(sysroot)
}

/// Whether it was made by [`small`].
pub fn is_small(sysroot: &Path) -> bool {
    sysroot.join("core.rs").exists()
}

/// `source` without the attributes that are only allowed in the standard library.
fn outside_of_std(source: &str) -> String {
    source
        .lines()
        .filter(|line| {
            let line = line.trim_start();
            !["#[stable(", "#[unstable(", "#[doc = include_str!"]
                .iter()
                .any(|start| line.starts_with(start))
        })
        .map(|line| line.replace("#[doc(cfg(true))]", "") + "\n")
        .collect()
}

fn metadata(
    toolchain: &Toolchain,
    target: &str,
    name: &str,
    source: &Path,
    into: &Path,
    with: Option<&Path>,
) -> Result<()> {
    fs::create_dir_all(into)?;
    let mut rustc = toolchain.tool("rustc");
    rustc
        .args(["--crate-name", name, "--crate-type=rlib", "--emit=metadata"])
        .args(["--edition=2024", "--cap-lints=allow", "--target", target])
        .arg(source)
        .arg("--out-dir")
        .arg(into);
    if source.starts_with(&toolchain.library) || with.is_some_and(|dir| !dir.ends_with("lib")) {
        rustc.arg("-Zforce-unstable-if-unmarked");
    }
    if let Some(dir) = with {
        rustc.arg("--extern");
        rustc.arg(format!("core={}", dir.join("libcore.rmeta").display()));
    }
    capture(&mut rustc).map(drop)
}

#[cfg(test)]
mod tests {
    use super::outside_of_std;

    #[test]
    fn attributes_of_std_are_dropped() {
        let source =
            "    #[stable(feature = \"x\", since = \"1\")]\n#[doc(cfg(true))] pub type A = i8;";
        assert_eq!(outside_of_std(source), " pub type A = i8;\n");
    }
}
