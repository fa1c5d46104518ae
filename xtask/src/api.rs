//! What `unix-memory-sys` says on a target: its constants, calls and types, as rustdoc's JSON has
//! them, and the symbols, as the compiler's object has them. The crate itself is compiled, by a
//! real compiler for the real target; nothing here reads Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol};
use serde_json::Value;

use crate::process::{capture, command, root, text, workdir};
use crate::sysroot;
use crate::toolchain::Toolchain;

/// The numbers for which functions of constants, such as `MAP_ALIGNED(n)`, are compared.
pub const ARGUMENTS: [u32; 4] = [0, 1, 12, 21];

/// The names of a target.
#[derive(Default)]
pub struct Api {
    /// Constants that are integers, in decimal, and `MAP_FAILED` and its like as "-1".
    pub constants: BTreeMap<String, String>,
    /// Functions of constants: the results for [`ARGUMENTS`].
    pub macros: BTreeMap<String, Vec<String>>,
    /// Calls.
    pub calls: BTreeMap<String, Call>,
    /// Our own types: their width in bits, and whether they have a sign.
    pub types: BTreeMap<String, Integer>,
    /// Where the crate was compiled to, for [`Api::objects`].
    dir: PathBuf,
    sysroot: PathBuf,
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Integer {
    /// In bytes; `None` for a pointer's.
    pub bytes: Option<u32>,
    /// Whether it has a sign.
    pub signed: bool,
}

/// A function's signature, in C.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What it returns.
    pub result: String,
    /// What it takes; the last may be "...".
    pub arguments: Vec<String>,
    /// Whether its body is ours, by way of `syscall` for instance.
    pub wrapper: bool,
    /// The symbol, where it is not the name.
    pub link_name: Option<String>,
}

impl Call {
    /// What the linker is asked for, given our name.
    pub fn symbol<'a>(&'a self, name: &'a str) -> &'a str {
        self.link_name.as_deref().unwrap_or(name)
    }
}

impl Api {
    /// Compiles the crate for `target` and reads it.
    pub fn read(toolchain: &Toolchain, sources: &Sources, target: &str) -> Result<Self> {
        let small = sysroot::small(toolchain, target)
            .and_then(|sysroot| Self::with(toolchain, sources, target, sysroot));
        // The small core follows one compiler; the real one always fits, and takes its time.
        small.or_else(|small| {
            if !is_of_core(&small.to_string()) {
                return Err(small);
            }
            eprintln!("{target}: taking the real core, because with the small one: {small:#}");
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
        // Nothing of libc's is used but its linkage.
        fs::write(dir.join("libc.rs"), "#![no_std]\n")?;
        build.library("libc", &dir.join("libc.rs"), &[])?;
        let sys = root().join("unix-memory-sys/src/lib.rs");
        build.library("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        let json = build.json("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        let mut api = parse(&json)?;
        if !api.macros.is_empty() {
            let probe = dir.join("probe.rs");
            fs::write(&probe, probe_source(api.macros.keys()))?;
            let results = parse(&build.json("probe", &probe, &["unix_memory_sys"])?)?;
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

    /// Compiles a library that takes the address of every call, and returns its object and the
    /// crate's own: what a program that uses everything would be linked with.
    pub fn objects(&self, toolchain: &Toolchain, target: &str) -> Result<[PathBuf; 2]> {
        let build = Build {
            toolchain,
            target,
            dir: &self.dir,
            sysroot: &self.sysroot,
        };
        let source = self.dir.join("addresses.rs");
        fs::write(&source, addresses_source(self.calls.keys()))?;
        let sys = root().join("unix-memory-sys/src/lib.rs");
        build.object("unix_memory_sys", &sys, &["cfg_if", "libc"])?;
        build.object("addresses", &source, &["unix_memory_sys"])?;
        Ok(["addresses.o", "unix_memory_sys.o"].map(|name| self.dir.join(name)))
    }
}

/// Whether the compiler's complaint may be about what the small core lacks, and not the crate.
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

/// The symbols that an object takes from elsewhere.
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

/// Where the sources of the crates are that `unix-memory-sys` needs.
pub struct Sources {
    cfg_if: PathBuf,
}

impl Sources {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let metadata = text(command("cargo").args(["metadata", "--format-version=1"]))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        let package = array(&metadata["packages"])
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
                // Anything that could panic would ask for code of `core`, which is not there.
                .args([
                    "--emit=metadata,obj",
                    "-O",
                    "-Cpanic=abort",
                    "-Ccodegen-units=1",
                ])
                .arg("-Zcross-crate-inline-threshold=never")
                // Position independence is what the linkers below expect by default.
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

/// Reads rustdoc's JSON: what can be reached from the crate's root.
fn parse(json: &Value) -> Result<Api> {
    let mut api = Api::default();
    let mut ids = vec![json["root"].clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = ids.pop() {
        if !seen.insert(id.to_string()) {
            continue;
        }
        let item = &json["index"][id.to_string().trim_matches('"')];
        let inner = &item["inner"];
        let name = item["name"].as_str().unwrap_or_default().to_owned();
        if let Some(module) = inner.get("module") {
            ids.extend(array(&module["items"]).cloned());
        } else if let Some(import) = inner.get("use") {
            ids.push(import["id"].clone());
        } else if let Some(constant) = inner.get("constant") {
            let value = constant["const"]["value"]
                .as_str()
                .or_else(|| constant["const"]["expr"].as_str())
                .unwrap_or_default();
            if let Some(value) = number(value) {
                api.constants.insert(name, value);
            }
        } else if let Some(function) = inner.get("function") {
            // Functions in capitals stand for macros with arguments.
            if name.chars().all(|c| !c.is_lowercase()) {
                api.macros.insert(name, Vec::new());
            } else {
                api.calls.insert(name, call(function, &item["attrs"])?);
            }
        } else if let Some(alias) = inner.get("type_alias")
            && let Some(integer) = alias["type"]["primitive"].as_str().and_then(integer)
        {
            api.types.insert(name, integer);
        }
    }
    Ok(api)
}

/// "4i32" and "{0xffff_ffff as *mut c_void}" as decimal numbers; pointers with a sign.
fn number(value: &str) -> Option<String> {
    if let Some(pointer) = value.strip_prefix("{0x") {
        let digits = pointer.split(' ').next()?;
        let width = u32::try_from(digits.len() * 4).ok()?;
        let bits = i128::from_str_radix(digits, 16).ok()?;
        // All ones is C's (void *)-1.
        let minus = bits == (1 << width) - 1;
        return Some(if minus { "-1".into() } else { bits.to_string() });
    }
    let end = value.find(['i', 'u']).unwrap_or(value.len());
    let digits: String = value[..end].chars().filter(|&c| c != '_').collect();
    digits.parse::<i128>().ok().map(|number| number.to_string())
}

fn call(function: &Value, attributes: &Value) -> Result<Call> {
    let signature = &function["sig"];
    let mut arguments = array(&signature["inputs"])
        .map(|input| c_type(&input[1]))
        .collect::<Result<Vec<_>>>()?;
    if signature["is_c_variadic"] == true {
        arguments.push("...".to_owned());
    }
    let result = match &signature["output"] {
        Value::Null => "void".to_owned(),
        output => c_type(output)?,
    };
    Ok(Call {
        result,
        arguments,
        wrapper: function["has_body"] == true,
        link_name: array(attributes).find_map(|attribute| link_name(&attribute.to_string())),
    })
}

/// The name in `#[link_name = "..."]`, of which rustdoc's JSON has its own spelling.
fn link_name(attribute: &str) -> Option<String> {
    let start = attribute
        .find("LinkName")
        .or_else(|| attribute.find("link_name"))?;
    let name = attribute[start..].split('"').nth(1)?;
    Some(name.trim_end_matches('\\').to_owned())
}

/// C's name of a type of a signature.
fn c_type(json: &Value) -> Result<String> {
    if let Some(pointer) = json.get("raw_pointer") {
        let to = c_type(&pointer["type"])?;
        let is_mutable = pointer["is_mutable"] == true;
        return Ok(if is_mutable {
            format!("{to} *")
        } else {
            format!("const {to} *")
        });
    }
    let path = &json["resolved_path"];
    let path = path["path"].as_str().or_else(|| path["name"].as_str());
    if let Some(path) = path {
        let name = path.rsplit("::").next().unwrap_or(path);
        return Ok(match name {
            "c_void" => "void",
            "c_char" => "char",
            "c_uchar" => "unsigned char",
            "c_int" => "int",
            "c_uint" => "unsigned int",
            "c_long" => "long",
            "c_ulong" => "unsigned long",
            other => other,
        }
        .to_owned());
    }
    let primitive = json["primitive"].as_str().and_then(integer);
    let Integer { bytes, signed } =
        primitive.with_context(|| format!("no C type is known for {json}"))?;
    Ok(match (bytes, signed) {
        (Some(bytes), true) => format!("int{}_t", bytes * 8),
        (Some(bytes), false) => format!("uint{}_t", bytes * 8),
        (None, true) => "ssize_t".to_owned(),
        (None, false) => "size_t".to_owned(),
    })
}

fn integer(primitive: &str) -> Option<Integer> {
    let signed = primitive.starts_with('i');
    let bytes = match primitive.get(1..)? {
        "8" => Some(1),
        "16" => Some(2),
        "32" => Some(4),
        "64" => Some(8),
        "size" => None,
        _ => return None,
    };
    Some(Integer { bytes, signed })
}

fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(number("4i32").as_deref(), Some("4"));
        assert_eq!(number("-1i32").as_deref(), Some("-1"));
        assert_eq!(number("4_294_967_295u32").as_deref(), Some("4294967295"));
        let failed = "{0xffffffff as *mut core::ffi::c_void}";
        assert_eq!(number(failed).as_deref(), Some("-1"));
        assert_eq!(number("{0x10 as *mut u8}").as_deref(), Some("16"));
        assert_eq!(number("_"), None);
    }

    #[test]
    fn signatures_become_c() {
        let function = json!({
            "sig": {
                "inputs": [
                    ["a", {"raw_pointer": {"is_mutable": false,
                        "type": {"resolved_path": {"path": "crate::c_void"}}}}],
                    ["b", {"resolved_path": {"path": "size_t"}}],
                    ["c", {"primitive": "u32"}]
                ],
                "output": {"resolved_path": {"path": "c_int"}},
                "is_c_variadic": true
            },
            "has_body": false
        });
        let call = call(&function, &json!([])).unwrap();
        assert_eq!(call.result, "int");
        assert_eq!(
            call.arguments,
            ["const void *", "size_t", "uint32_t", "..."]
        );
        assert!(!call.wrapper);
    }

    #[test]
    fn a_fault_of_the_crate_is_not_one_of_the_small_core() {
        assert!(is_of_core("error[E0433]: cannot find `ptr` in `core`"));
        assert!(!is_of_core(
            "error[E0432]: unresolved import `crate::posix::shm_unlink`"
        ));
    }

    #[test]
    fn a_link_name_is_found() {
        let attribute = json!({"other": "#[attr = LinkName {name: \"mmap64\"}]"});
        assert_eq!(link_name(&attribute.to_string()).as_deref(), Some("mmap64"));
        assert_eq!(link_name("must_use"), None);
    }

    #[test]
    fn only_what_can_be_reached_is_read() {
        let json = json!({"root": 0, "index": {
            "0": {"name": "sys", "inner": {"module": {"items": [1, 2]}}},
            "1": {"name": null, "inner": {"use": {"id": 3}}},
            "2": {"name": "off_t", "inner": {"type_alias": {"type": {"primitive": "i64"}}}},
            "3": {"name": "PROT_READ", "inner": {"constant": {"const": {"value": "1i32"}}}},
            "4": {"name": "SECRET", "inner": {"constant": {"const": {"value": "2i32"}}}}
        }});
        let api = parse(&json).unwrap();
        assert_eq!(api.constants.len(), 1);
        assert_eq!(api.constants["PROT_READ"], "1");
        let off_t = Integer {
            bytes: Some(8),
            signed: true,
        };
        assert_eq!(api.types["off_t"], off_t);
    }
}
