//! The table of what runs where, `emulate.toml`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::targets;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(rename = "target")]
    targets: Vec<Target>,
}

/// A target, and how its programs are linked and run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// rustc's name for it.
    pub name: String,
    /// `qemu-<this>-static`; none for Emscripten, whose programs node runs.
    pub qemu: Option<String>,
    /// The page sizes to run with; the first is the emulator's own.
    pub pages: Vec<usize>,
    /// The default page sizes, used without arguments.
    #[serde(default)]
    default: Vec<usize>,
    /// The processor that needs no emulator.
    pub native: Option<String>,
    /// The processor that zig builds its C library for.
    pub cpu: Option<String>,
    /// rustc's target features.
    pub features: Option<String>,
    /// rustc's relocation model.
    pub relocation: Option<String>,
    /// The C library to link with dynamically.
    pub glibc: Option<Glibc>,
    /// What to link with in place of zig.
    pub gcc: Option<Gcc>,
    /// What to link with in place of zig, for node.
    pub emscripten: Option<Emscripten>,
    /// The kernels to run under in addition, each on a fully emulated machine.
    #[serde(default, rename = "kernel")]
    kernels: Vec<Kernel>,
    /// For the report.
    pub note: Option<String>,
}

/// A C library in a Debian package.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glibc {
    /// The version whose symbols programs may use.
    pub version: String,
    /// The Debian package.
    pub package: String,
    /// The directory in the package that contains its `lib`.
    pub root: String,
}

/// Debian's GCC for the target, with its C library, which is linked statically.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gcc {
    /// The command, if it is installed.
    pub command: String,
    /// Otherwise the Debian packages that have it, and its name there.
    pub packages: Vec<String>,
    pub unpacked: String,
}

/// Debian's Emscripten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emscripten {
    /// The Debian packages.
    pub packages: Vec<String>,
    /// The directory in them that has wasm-ld: of an LLVM that is no older than rustc's.
    pub llvm: String,
}

/// A Debian kernel, and the machine for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// The size of its pages.
    pub page: usize,
    /// Whether it is in the default set, run without arguments.
    #[serde(default)]
    pub default: bool,
    /// Debian's name for the architecture.
    pub debian: String,
    /// The Debian suite that the kernel is from.
    pub suite: String,
    /// The package that depends on the package of the suite's newest kernel.
    pub package: String,
    /// The modules that it needs for a disk.
    pub modules: Vec<String>,
    /// Its name for the console.
    pub console: String,
    /// The emulator.
    pub system: System,
}

/// An emulator for whole machines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The command.
    pub command: String,
    /// The Debian package that has it.
    pub package: String,
    /// The machine to emulate.
    pub arguments: Vec<String>,
}

impl Kernel {
    /// What distinguishes it from the target's other kernels: the directory of its machine.
    pub fn key(&self) -> String {
        format!("{}-{}", self.suite, self.package)
    }
}

impl Table {
    /// Reads the table that was compiled into this program.
    pub fn load() -> Result<Self> {
        toml::from_str(include_str!("../../emulate.toml")).context("xtask/emulate.toml")
    }

    /// The requested targets: by name, all of them, or else the default ones.
    ///
    /// # Errors
    /// If the table lacks one of them.
    pub fn select(&self, names: &[String], all: bool) -> Result<Vec<&Target>> {
        for name in names {
            if !self.targets.iter().any(|target| target.name == *name) {
                bail!("xtask/emulate.toml has no target {name}");
            }
        }
        let wanted = |target: &&Target| match names {
            [] => all || target.is_default(),
            names => names.contains(&target.name),
        };
        Ok(self.targets.iter().filter(wanted).collect())
    }

    /// The target of that name.
    pub fn get(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }
}

impl Target {
    fn is_default(&self) -> bool {
        !self.default.is_empty() || self.kernels(true).next().is_some()
    }

    /// The kernels to run under in addition: all of them, or those of the default set.
    pub fn kernels(&self, default: bool) -> impl Iterator<Item = &Kernel> {
        let kernels = self.kernels.iter();
        kernels.filter(move |kernel| !default || kernel.default)
    }

    /// The page sizes to run with: all of them, or the default ones.
    pub fn sizes(&self, default: bool) -> &[usize] {
        if default { &self.default } else { &self.pages }
    }

    /// Its row in the table of all targets.
    ///
    /// # Errors
    /// If that table has no such target.
    pub fn row<'a>(&self, table: &'a targets::Table) -> Result<targets::Row<'a>> {
        table
            .rows()
            .find(|row| row.name() == self.name)
            .with_context(|| format!("xtask/targets.toml has no target {}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::Endian;

    #[test]
    fn every_target_is_one_of_the_large_table_and_can_be_linked_and_run() {
        let table = targets::Table::load().unwrap();
        for target in &Table::load().unwrap().targets {
            assert!(!target.pages.is_empty(), "{}", target.name);
            assert!(target.pages.iter().all(|size| size.is_power_of_two()));
            assert!(
                target
                    .default
                    .iter()
                    .all(|size| target.pages.contains(size))
            );
            let row = target.row(&table).unwrap();
            match &target.emscripten {
                None => assert!(
                    row.zig().is_ok() && target.qemu.is_some(),
                    "{}",
                    target.name
                ),
                Some(_) => assert!(target.qemu.is_none(), "{}", target.name),
            }
            for kernel in target.kernels(false) {
                assert!(kernel.page.is_power_of_two(), "{}", target.name);
                // A dynamically linked program would need its libraries on the machine.
                assert!(target.glibc.is_none(), "{}", target.name);
            }
        }
    }

    /// What the default set covers.
    #[test]
    fn the_default_set_has_one_of_each_kind() {
        let output = std::process::Command::new("rustc")
            .args(["-Zunstable-options", "--print=all-target-specs-json"])
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .unwrap();
        let specs = crate::toolchain::parse_specs(&output.stdout).unwrap();
        let table = Table::load().unwrap();
        let set = table.select(&[], false).unwrap();
        let has = |what: &dyn Fn(&Target) -> bool| set.iter().any(|target| what(target));
        assert!(has(&|it| specs[&it.name].target_endian == Endian::Big));
        assert!(has(&|it| specs[&it.name].target_pointer_width == 32));
        assert!(has(&|it| it.default.contains(&65536)
            || it.kernels(true).any(|kernel| kernel.page == 65536)));
        assert!(table.select(&["pdp11-unix".to_owned()], false).is_err());
    }
}
