//! What `unix-memory-sys` declares on a target: its constants, calls and types, read from rustdoc's JSON, and
//! the symbols, read from the compiler's object. The crate itself is compiled, by a real compiler for the
//! real target; nothing here parses Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol};
use serde_json::Value;

mod json;

use crate::process::{capture, command, root, text, workdir};
use crate::sysroot;
use crate::toolchain::Toolchain;

/// The arguments with which constant functions such as `MAP_ALIGNED(n)` are compared.
pub const ARGUMENTS: [u32; 4] = [0, 1, 12, 21];

/// The names of a target.
#[derive(Default)]
pub struct Api {
    /// Integer constants, in decimal, and `MAP_FAILED` and the like as "-1".
    pub constants: BTreeMap<String, String>,
    /// Constant functions: their results for [`ARGUMENTS`].
    pub macros: BTreeMap<String, Vec<String>>,
    /// Calls.
    pub calls: BTreeMap<String, Call>,
    /// Our own types: their width in bits, and whether they are signed.
    pub types: BTreeMap<String, Integer>,
    /// Our own types, as C names what they stand for.
    pub aliases: BTreeMap<String, String>,
    /// Structs, laid out as C does: the names and types of their fields, in order.
    pub structs: BTreeMap<String, Vec<(String, Field)>>,
    /// Where the crate was compiled to, for [`Api::objects`].
    dir: PathBuf,
    sysroot: PathBuf,
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Integer {
    /// In bytes; `None` for the width of a pointer.
    pub bytes: Option<u32>,
    /// Whether it is signed.
    pub signed: bool,
}

/// The type of a struct's field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// An integer.
    Integer(Integer),
    /// Another struct.
    Struct(String),
}

/// A function's signature, in C.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What it returns.
    pub result: String,
    /// What it takes; the last may be "...".
    pub arguments: Vec<String>,
    /// Whether we implement it, for instance with `syscall`.
    pub wrapper: bool,
    /// The symbol, where it differs from the name.
    pub link_name: Option<String>,
}

impl Call {
    /// The symbol that the linker looks up for `name`, our name.
    pub fn symbol<'a>(&'a self, name: &'a str) -> &'a str {
        self.link_name.as_deref().unwrap_or(name)
    }

    /// Its type in C.
    pub fn prototype(&self) -> String {
        let arguments = if self.arguments.is_empty() {
            "void".to_owned()
        } else {
            self.arguments.join(", ")
        };
        format!("{} ({arguments})", self.result)
    }
}

impl Api {
    /// Compiles the crate for `target` and reads it.
    pub fn read(toolchain: &Toolchain, sources: &Sources, target: &str) -> Result<Self> {
        let small = sysroot::small(toolchain, target)
            .and_then(|sysroot| Self::with(toolchain, sources, target, sysroot));
        // The small core follows one compiler; the real one always fits, but takes longer.
        small.or_else(|small| {
            if !is_of_core(&small.to_string()) {
                return Err(small);
            }
            eprintln!(
                "{target}: using the real core, because the small one does not work: {small:#}"
            );
            let sysroot = sysroot::real(toolchain, target)?;
            Self::with(toolchain, sources, target, sysroot)
        })
    }

    fn with(
        toolchain: &Toolchain,
        sources: &Sources,
        target: &str,
        sysroot: PathBuf,
    ) -> Result<Self> {
        let dir = workdir(&format!("api/{}/{target}", toolchain.key()))?;
        let build = Build {
            toolchain,
            target,
            dir: &dir,
            sysroot: &sysroot,
        };
        build.library("cfg_if", &sources.cfg_if, &[])?;
        // The crate uses nothing of libc but its linkage.
        fs::write(dir.join("libc.rs"), "#![no_std]\n")?;
        build.library("libc", &dir.join("libc.rs"), &[])?;
        let sys = root().join("unix-memory-sys/src/lib.rs");
        build.library("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        let json = build.json("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        let mut api = json::parse(&json)?;
        if !api.macros.is_empty() {
            let probe = dir.join("probe.rs");
            fs::write(&probe, probe_source(api.macros.keys()))?;
            let results = json::parse(&build.json("probe", &probe, &["unix_memory_sys"])?)?;
            for (name, values) in &mut api.macros {
                *values = ARGUMENTS
                    .iter()
                    .map(|argument| results.constants[&format!("{name}_{argument}")].clone())
                    .collect();
            }
        }
        api.dir = dir;
        api.sysroot = sysroot;
        Ok(api)
    }

    /// A compilation of more code against the crate, for the same target.
    fn build<'a>(&'a self, toolchain: &'a Toolchain, target: &'a str) -> Build<'a> {
        Build {
            toolchain,
            target,
            dir: &self.dir,
            sysroot: &self.sysroot,
        }
    }

    /// The numbers of the system calls that the crate makes by number on Linux: `__NR_mseal` and the like.
    ///
    /// # Errors
    /// If their module does not compile on its own.
    pub fn numbers(&self, toolchain: &Toolchain, target: &str) -> Result<BTreeMap<String, String>> {
        let build = self.build(toolchain, target);
        let source = self.dir.join("numbers.rs");
        let sys = root().join("unix-memory-sys/src");
        let module = |path: &str| sys.join(path).display().to_string();
        fs::write(
            &source,
            format!(
                "#![no_std]\n#[path = {:?}]\nmod types;\n#[path = {:?}]\npub mod number;\n",
                module("types.rs"),
                module("os/linux/number.rs"),
            ),
        )?;
        let api = json::parse(&build.json("numbers", &source, &["cfg_if"])?)?;
        let named =
            |(name, value): (String, String)| (format!("__NR_{}", name.to_lowercase()), value);
        Ok(api.constants.into_iter().map(named).collect())
    }

    /// Compiles a library that takes the address of every call, and returns its object and the crate's own: a
    /// program that uses everything would be linked with these.
    pub fn objects(&self, toolchain: &Toolchain, target: &str) -> Result<[PathBuf; 2]> {
        let build = self.build(toolchain, target);
        let source = self.dir.join("addresses.rs");
        fs::write(&source, addresses_source(self.calls.keys()))?;
        let sys = root().join("unix-memory-sys/src/lib.rs");
        build.object("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        build.object("addresses", &source, &["unix_memory_sys"])?;
        Ok(["addresses.o", "unix_memory_sys.o"].map(|name| self.dir.join(name)))
    }
}

/// Whether the compiler's error may be about something that the small core lacks, rather than about the
/// crate.
fn is_of_core(complaint: &str) -> bool {
    let signs = [
        "`core`",
        "/core.rs",
        "/primitives.rs",
        "lang item",
        "lang_item",
        "no method named",
        "no function or associated item",
        "cannot find macro",
        "binary operation",
        "trait bound",
    ];
    signs.iter().any(|sign| complaint.contains(sign))
}

/// The undefined symbols of an object.
pub fn undefined(object: &Path) -> Result<BTreeSet<String>> {
    let bytes = fs::read(object)?;
    let object = object::File::parse(&*bytes)
        .with_context(|| format!("cannot read {}", object.display()))?;
    Ok(object
        .symbols()
        .filter(ObjectSymbol::is_undefined)
        .filter_map(|symbol| symbol.name().ok())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// The places of the sources of the crates that `unix-memory-sys` needs.
pub struct Sources {
    cfg_if: PathBuf,
}

impl Sources {
    /// Finds them with `cargo metadata`.
    pub fn find() -> Result<Self> {
        let metadata = text(command("cargo").args(["metadata", "--format-version=1"]))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let package = json::array(&metadata["packages"])
            .find(|package| package["name"] == "cfg-if")
            .context("cargo metadata has no cfg-if")?;
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let cfg_if = manifest.with_file_name("src/lib.rs");
        Ok(Self { cfg_if })
    }
}

/// One compilation for one target.
struct Build<'a> {
    toolchain: &'a Toolchain,
    target: &'a str,
    dir: &'a Path,
    sysroot: &'a Path,
}

impl Build<'_> {
    fn tool(&self, tool: &str, name: &str, source: &Path, externs: &[&str]) -> Command {
        let mut command = self.toolchain.tool(tool);
        command
            .args(["--crate-name", name, "--crate-type=rlib", "--edition=2024"])
            .args(["--cap-lints=allow", "--target", self.target])
            .arg(source)
            .arg("--sysroot")
            .arg(self.sysroot)
            .arg("-L")
            .arg(self.dir)
            .arg("--out-dir")
            .arg(self.dir);
        if sysroot::is_small(self.sysroot) {
            // Its derives are a kind of macro that is not stable yet.
            command.arg("-Zcrate-attr=feature(macro_derive)");
        }
        for name in externs {
            let file = self.dir.join(format!("lib{name}.rmeta"));
            command.args(["--extern", &format!("{name}={}", file.display())]);
        }
        command
    }

    fn library(&self, name: &str, source: &Path, externs: &[&str]) -> Result<()> {
        capture(
            self.tool("rustc", name, source, externs)
                .arg("--emit=metadata"),
        )
        .map(drop)
    }

    fn object(&self, name: &str, source: &Path, externs: &[&str]) -> Result<()> {
        capture(
            self.tool("rustc", name, source, externs)
                // Anything that could panic would need code of `core`, which is not there.
                .args([
                    "--emit=metadata,obj",
                    "-O",
                    "-Cpanic=abort",
                    "-Ccodegen-units=1",
                ])
                .arg("-Zcross-crate-inline-threshold=never")
                // The linkers below expect position-independent code by default.
                .arg("-Crelocation-model=pic"),
        )
        .map(drop)
    }

    fn json(&self, name: &str, source: &Path, externs: &[&str]) -> Result<Value> {
        capture(
            self.tool("rustdoc", name, source, externs)
                .args(["-Zunstable-options", "--output-format=json"]),
        )?;
        let file = self.dir.join(format!("{name}.json"));
        Ok(serde_json::from_slice(&fs::read(file)?)?)
    }
}

fn probe_source<'a>(macros: impl Iterator<Item = &'a String>) -> String {
    let mut source = String::from("#![no_std]\n");
    for name in macros {
        for argument in ARGUMENTS {
            let _ = writeln!(
                source,
                "pub const {name}_{argument}: core::ffi::c_int = \
                 unix_memory_sys::{name}({argument}) as core::ffi::c_int;"
            );
        }
    }
    source
}

fn addresses_source<'a>(calls: impl Iterator<Item = &'a String>) -> String {
    let mut source = String::from(
        "#![no_std]\n\
         #[repr(transparent)]\n\
         pub struct Address(*const ());\n\
         unsafe impl Sync for Address {}\n",
    );
    for name in calls {
        let _ = writeln!(
            source,
            "#[unsafe(no_mangle)]\n\
             pub static ADDRESS_{name}: Address = Address(unix_memory_sys::{name} as *const ());"
        );
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_crate_is_not_one_of_the_small_core() {
        assert!(is_of_core("error[E0433]: cannot find `ptr` in `core`"));
        assert!(!is_of_core(
            "error[E0432]: unresolved import `crate::posix::shm_unlink`"
        ));
    }

    #[test]
    fn a_prototype_is_c() {
        let mut call = Call {
            result: "int".into(),
            arguments: vec!["const void *".into(), "size_t".into()],
            wrapper: false,
            link_name: None,
        };
        assert_eq!(call.prototype(), "int (const void *, size_t)");
        call.arguments.clear();
        assert_eq!(call.prototype(), "int (void)");
    }
}
