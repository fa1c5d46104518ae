//! Emscripten: Debian's, unpacked, which links with the LLVM of the compiler, and node, which runs what it
//! makes.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::linker;
use super::rows;
use crate::apt::Apt;
use crate::process::{command, installed, text, workdir};

/// What its linker is told beside what rustc tells it.
const SETTINGS: [&str; 8] = [
    // wasm-ld of LLVM 22 puts the stack before the data unless it is asked; emcc says where the data
    // begins, and reckons with the stack behind it.
    "-Wl,--no-stack-first",
    // Elsewhere its programs are loaded by `fetch`, which node has too since version 18, for URLs alone.
    "-sENVIRONMENT=node",
    "-sWASM_ASYNC_COMPILATION=0",
    // The files of node, so that there is a /dev/zero.
    "-sNODERAWFS=1",
    // Otherwise there are 16 MiB for everything.
    "-sALLOW_MEMORY_GROWTH=1",
    "-sMAXIMUM_MEMORY=4GB",
    // Without it a program's output may be lost where that ends.
    "-sEXIT_RUNTIME=1",
    // An offset of more than 32 bits ends the program otherwise; a test finds out that it is cut off.
    "-sASSERTIONS=0",
];

/// Written where the linker finds them.
const LIBRARY: &str = include_str!("emscripten-library.js");
const START: &str = include_str!("emscripten-start.js");

/// An unpacked Emscripten.
pub struct Emscripten {
    /// The linker. It has to be called so: by this name rustc, and the crate libc, which asks it for its
    /// version, know it.
    pub emcc: PathBuf,
    version: String,
    node: PathBuf,
}

impl Emscripten {
    /// Fetches what was not fetched before.
    ///
    /// # Errors
    /// Where there is no node, or apt has no such packages.
    pub fn get(row: &rows::Emscripten) -> Result<Self> {
        let node = node().context(MISSING)?;
        let packages: Vec<_> = row.packages.iter().map(String::as_str).collect();
        let root = Apt::here()
            .unpacked("emulate/emscripten/root", &packages, &[])
            .context("no emscripten that could be unpacked")?;
        let dir = workdir("emulate/emscripten")?;
        let root = root.display();
        // Its own has the paths where Debian installs it. Frozen: its libraries are in the package.
        let config = format!(
            "EMSCRIPTEN_ROOT = '{root}/usr/share/emscripten'\n\
             LLVM_ROOT = '{root}/{}'\n\
             BINARYEN_ROOT = '{root}/usr'\n\
             NODE_JS = '{}'\n\
             FROZEN_CACHE = True\n",
            row.llvm,
            node.display()
        );
        for (name, text) in [
            ("config", &*config),
            ("library.js", LIBRARY),
            ("start.js", START),
        ] {
            fs::write(dir.join(name), text)?;
        }
        let dir = dir.display();
        // wasm-ld comes with a library of its own.
        let script = format!(
            "#!/bin/sh\n\
             export EM_CONFIG='{dir}/config' NODE_PATH='{root}/usr/share/nodejs'\n\
             export PATH='{root}/usr/bin':\"$PATH\"\n\
             export LD_LIBRARY_PATH=\"$(printf '%s:' '{root}'/usr/lib/*-linux-gnu)\"\n\
             exec python3 '{root}/usr/share/emscripten/emcc.py' \"$@\" {} \
             --js-library '{dir}/library.js' --pre-js '{dir}/start.js'\n",
            SETTINGS.join(" ")
        );
        let emcc = linker::program("emulate/emscripten/bin", "emcc", &script)?;
        let version = fs::read_to_string(format!(
            "{root}/usr/share/emscripten/emscripten-version.txt"
        ))?;
        Ok(Self {
            emcc,
            version: version.trim().trim_matches('"').to_owned(),
            node,
        })
    }

    /// What runs its programs, and its name for the report.
    ///
    /// # Errors
    /// Where node does not start.
    pub fn runner(self) -> Result<(PathBuf, String)> {
        let node = text(command(&self.node).arg("--version"))?;
        let name = format!(
            "Emscripten {} in node {}",
            self.version,
            node.trim_start_matches('v')
        );
        Ok((self.node, name))
    }
}

/// `PATH` with `emcc`, by its name.
///
/// # Errors
/// Where it cannot be put there.
pub fn path(emcc: &Path) -> Result<OsString> {
    let ours = emcc.parent().map(PathBuf::from);
    let rest = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(
        ours.into_iter().chain(env::split_paths(&rest)),
    )?)
}

/// node, under the name that it has, or had in Debian.
pub fn node() -> Option<PathBuf> {
    installed("node").or_else(|| installed("nodejs"))
}

/// What to install where there is none.
pub const MISSING: &str = "no node; on Debian `sudo apt-get install nodejs`";
