//! The PyPI package `ziglang`: clang, the headers of many systems, and what is needed to link for
//! them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{capture, command, text, workdir};

/// The version whose headers the table names; other versions have other headers.
const VERSION: &str = "0.17.1";

/// An unpacked package.
pub struct Zig {
    dir: PathBuf,
}

impl Zig {
    /// The package that Python has, or else one that is installed below `target/xtask/`.
    ///
    /// # Errors
    /// If there is no Python or no pip; the message says what to run.
    pub fn find() -> Result<Self> {
        let ask = "import ziglang, os; print(os.path.dirname(ziglang.__file__))";
        if let Ok(dir) = text(command("python3").args(["-c", ask])) {
            let zig = Self { dir: dir.into() };
            if zig.version().is_ok_and(|version| version == VERSION) {
                return Ok(zig);
            }
        }
        let ours = workdir(&format!("ziglang-{VERSION}"))?;
        let dir = ours.join("ziglang");
        if !dir.exists() {
            let package = format!("ziglang=={VERSION}");
            capture(
                command("python3")
                    .args(["-m", "pip", "install", "--quiet", "--no-deps", &package])
                    .arg("--target")
                    .arg(&ours),
            )
            .with_context(|| {
                format!(
                    "no ziglang: run `python3 -m pip install {package}`; on Debian that needs \
                     `sudo apt-get install python3-pip`"
                )
            })?;
        }
        Ok(Self { dir })
    }

    /// The package in `dir`, in the sense of [`dir`](Self::dir).
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The directory of the package.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn version(&self) -> Result<String> {
        text(command(self.dir.join("zig")).arg("version"))
    }

    /// Its plain clang, which has no headers but those it is given.
    pub fn clang(&self) -> Command {
        let mut clang = command(self.dir.join("zig"));
        clang.arg("clang");
        clang
    }

    /// Its compiler driver for `target`, which knows the headers and libraries.
    pub fn cc(&self, target: &str) -> Command {
        let mut cc = command(self.dir.join("zig"));
        cc.args(["cc", "-target", target]);
        cc
    }

    /// The headers of the compiler itself: `<stddef.h>` and the like.
    pub fn compiler_headers(&self) -> PathBuf {
        self.dir.join("lib/include")
    }

    /// A directory of a system's headers.
    pub fn headers(&self, name: &str) -> PathBuf {
        Path::new(&self.dir).join("lib/libc/include").join(name)
    }
}
