//! `std` for other targets, in the user's cache, for all clones: cargo's `-Zbuild-std` would compile it again
//! in each clone, which takes longer than compiling the tests.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::prune;
use crate::process::{cachedir, capture};
use crate::toolchain::Toolchain;

/// What is asked of a sysroot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Enough to check types against.
    Metadata,
    /// Enough to link programs with. It is optimized, as the one that is distributed with a compiler.
    Code,
}

/// The `std` of a target.
pub struct Standard<'a> {
    /// The compiler that it is for.
    pub toolchain: &'a Toolchain,
    /// rustc's name of the target.
    pub target: &'a str,
    /// What is asked of it.
    pub form: Form,
    /// rustc's flags that change the code.
    pub flags: &'a [String],
    /// `PATH`, if its build scripts need another one.
    pub path: Option<OsString>,
}

impl Standard<'_> {
    /// Its sysroot, with `test` and both ways to panic, made once for each version of the compiler; those of
    /// other compilers are removed.
    ///
    /// # Errors
    /// cargo's output, if it does not build.
    pub fn sysroot(&self) -> Result<PathBuf> {
        let all = cachedir(&format!("std/{}", self.toolchain.key()))?;
        prune(&all)?;
        let form = match self.form {
            Form::Metadata => "metadata",
            Form::Code => "code",
        };
        let sysroot = all.join(format!("{}-{form}", self.target));
        let flags = self.flags.join(" ");
        // Written last: where it is, the rest is complete.
        let done = "flags";
        let is_done = || fs::read_to_string(sysroot.join(done)).is_ok_and(|made| made == flags);
        if is_done() {
            return Ok(sysroot);
        }
        // Built elsewhere and moved, so that nobody meets a part of it. What an interrupted run leaves there
        // is removed with what other compilers made.
        let part = format!("{}-{form}-{}", self.target, std::process::id());
        let part = cachedir("std/parts")?.join(part);
        self.build(&part)?;
        fs::write(part.join(done), &flags)?;
        if !is_done() {
            // There is one with other flags, or half of one.
            let _there_may_be_none = fs::remove_dir_all(&sysroot);
            let moved = fs::rename(&part, &sysroot);
            // Another run may have moved its own there meanwhile.
            if !is_done() {
                moved.with_context(|| format!("cannot make {}", sysroot.display()))?;
            }
        }
        let _it_was_moved = fs::remove_dir_all(&part);
        Ok(sysroot)
    }

    /// Builds it in `part`.
    fn build(&self, part: &Path) -> Result<()> {
        let package = part.join("package");
        fs::create_dir_all(package.join("src"))?;
        fs::write(package.join("Cargo.toml"), PACKAGE)?;
        fs::write(package.join("src/lib.rs"), "")?;
        capture(&mut self.cargo(&package))
            .with_context(|| format!("cannot build std for {}", self.target))?;
        let profile = match self.form {
            Form::Metadata => "debug",
            Form::Code => "release",
        };
        let built = package.join("target").join(self.target).join(profile);
        let lib = part.join("lib/rustlib").join(self.target).join("lib");
        fs::create_dir_all(&lib)?;
        let extension = match self.form {
            Form::Metadata => "rmeta",
            Form::Code => "rlib",
        };
        for file in fs::read_dir(built.join("deps"))? {
            let file = file?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            let is_ours = name.starts_with(&format!("lib{EMPTY}-"));
            if name.ends_with(&format!(".{extension}")) && !is_ours {
                fs::rename(file.path(), lib.join(&*name))?;
            }
        }
        fs::remove_dir_all(package)?;
        Ok(())
    }

    /// cargo's command for a package that is empty, so that there is only `std` to build.
    fn cargo(&self, package: &Path) -> Command {
        let mut cargo = self.toolchain.tool("cargo");
        match self.form {
            Form::Metadata => cargo.arg("check"),
            Form::Code => cargo.args(["build", "--release"]),
        };
        cargo
            .args(["--quiet", "-Zbuild-std=std,panic_abort,test", "--target"])
            .args([self.target, "--target-dir", "target"])
            .current_dir(package)
            .env("RUSTFLAGS", self.flags.join(" "));
        if let Some(path) = &self.path {
            cargo.env("PATH", path);
        }
        cargo
    }
}

/// The name of the empty package.
const EMPTY: &str = "empty";

/// Its manifest, of a workspace of its own: the cache may be in this one's directory.
const PACKAGE: &str =
    "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
