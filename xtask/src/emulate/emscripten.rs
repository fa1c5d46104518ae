//! Emscripten: Debian's package, unpacked, which links with the compiler's LLVM, and node, which runs the
//! result.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::linker;
use super::rows;
use crate::apt::Apt;
use crate::process::{command, installed, text, workdir};

/// The linker's arguments besides those from rustc.
const SETTINGS: [&str; 8] = [
    // wasm-ld of LLVM 22 puts the stack before the data unless told otherwise; emcc says where the data
    // begins, and expects the stack after it.
    "-Wl,--no-stack-first",
    // Outside node its programs are loaded with `fetch`, which node also has since version 18, but only for
    // URLs.
    "-sENVIRONMENT=node",
    "-sWASM_ASYNC_COMPILATION=0",
    // node's own file system, so that there is a /dev/zero.
    "-sNODERAWFS=1",
    // Otherwise the whole program has 16 MiB.
    "-sALLOW_MEMORY_GROWTH=1",
    "-sMAXIMUM_MEMORY=4GB",
    // Without it, output may be lost when the program ends.
    "-sEXIT_RUNTIME=1",
    // Otherwise an offset of more than 32 bits ends the program; a test detects that it is truncated.
    "-sASSERTIONS=0",
];

/// Files that are written where the linker finds them.
const LIBRARY: &str = include_str!("emscripten-library.js");
const START: &str = include_str!("emscripten-start.js");

/// An unpacked Emscripten.
pub struct Emscripten {
    /// The linker. It must have this name, by which rustc recognizes it, and the crate libc, which asks it
    /// for its version.
    pub emcc: PathBuf,
    version: String,
    node: PathBuf,
}

impl Emscripten {
    /// Fetches what has not been fetched yet.
    ///
    /// # Errors
    /// If there is no node, or apt has no such packages.
    pub fn get(row: &rows::Emscripten) -> Result<Self> {
        let node = node().context(MISSING)?;
        let packages: Vec<_> = row.packages.iter().map(String::as_str).collect();
        let root = Apt::here()
            .unpacked("emulate/emscripten/root", &packages, &[])
            .context("Emscripten could not be unpacked")?;
        let dir = workdir("emulate/emscripten")?;
        let root = root.display();
        // Its own configuration has the paths where Debian installs it. Frozen, because its libraries are in
        // the package.
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
        // wasm-ld comes with its own library.
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

    /// The command that runs its programs, and its name for the report.
    ///
    /// # Errors
    /// If node does not start.
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

/// `PATH` with `emcc` in it, under that name.
///
/// # Errors
/// If it cannot be put there.
pub fn path(emcc: &Path) -> Result<OsString> {
    let ours = emcc.parent().map(PathBuf::from);
    let rest = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(
        ours.into_iter().chain(env::split_paths(&rest)),
    )?)
}

/// node, under its own name, or the name that Debian used to give it.
pub fn node() -> Option<PathBuf> {
    installed("node").or_else(|| installed("nodejs"))
}

/// What to install if there is none.
pub const MISSING: &str = "node is not installed; on Debian run `sudo apt-get install nodejs`";
