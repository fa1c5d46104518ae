//! Debian's kernels for other architectures, and the first program that they run.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cpio::{NewcBuilder, write_cpio};

use super::rows::Kernel;
use crate::apt::Apt;
use crate::process::{capture, command, workdir};

/// A kernel with what it needs to start, unpacked below `target/xtask/`.
pub struct Unpacked {
    /// The kernel itself.
    pub image: PathBuf,
    /// Its modules.
    modules: PathBuf,
    /// A shell and its commands.
    pub busybox: PathBuf,
}

impl Unpacked {
    /// Fetches whatever has not been fetched before.
    ///
    /// # Errors
    /// If apt has no such kernel.
    pub fn get(kernel: &Kernel) -> Result<Self> {
        let place = format!("emulate/kernel/{}", kernel.key());
        let apt = Apt::of(&kernel.debian, &kernel.suite)?;
        // Once it is unpacked, apt need not be asked.
        let done = workdir(&place)?.join("packages");
        let known = fs::read_to_string(&done).ok();
        let packages = known.map_or_else(|| newest(&apt, &kernel.package), Ok)?;
        let dir = apt.unpacked(
            &format!("{place}/linux"),
            &packages.lines().collect::<Vec<_>>(),
            &[],
        )?;
        let shell = busybox(kernel)?;
        fs::write(done, packages)?;
        Ok(Self {
            image: find(&dir, |name| name.starts_with("vmlinu"))
                .context("the package has no kernel")?,
            modules: dir,
            busybox: ["bin/busybox", "usr/bin/busybox"]
                .map(|name| shell.join(name))
                .into_iter()
                .find(|path| path.exists())
                .context("the package has no busybox")?,
        })
    }

    /// Writes to `path` the archive that the kernel starts from: a shell, `init.sh` and the modules
    /// of `kernel`.
    pub fn write_start(&self, kernel: &Kernel, path: &Path) -> Result<()> {
        const DIRECTORY: u32 = 0o040_755;
        const PROGRAM: u32 = 0o100_755;
        let mut modules = Vec::new();
        for name in &kernel.modules {
            self.add_module(name, &mut modules)?;
        }
        let names = modules.iter().map(|(name, _)| &**name).collect::<Vec<_>>();
        let order = names.join("\n");
        let mut entries = vec![
            ("bin".to_owned(), DIRECTORY, Vec::new()),
            ("bin/busybox".to_owned(), PROGRAM, fs::read(&self.busybox)?),
            (
                "init".to_owned(),
                PROGRAM,
                include_bytes!("init.sh").to_vec(),
            ),
            ("modules".to_owned(), DIRECTORY, Vec::new()),
            ("modules/order".to_owned(), PROGRAM, order.into_bytes()),
        ];
        for (name, content) in modules {
            entries.push((format!("modules/{name}"), PROGRAM, content));
        }
        let entries = entries.into_iter().map(|(name, mode, content)| {
            let entry = NewcBuilder::new(&name).mode(mode).nlink(1);
            (entry, Cursor::new(content))
        });
        write_cpio(entries, File::create(path)?)?;
        Ok(())
    }

    /// Adds the module `name` to the modules to load, after those that it depends on.
    fn add_module(&self, name: &str, modules: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
        let file_name = format!("{}.ko", name.replace('-', "_"));
        let is_it = |file: &str| file.trim_end_matches(".xz").replace('-', "_") == file_name;
        if modules.iter().any(|(name, _)| is_it(name)) {
            return Ok(());
        }
        let Some(path) = find(&self.modules, is_it) else {
            if self.is_built_in(&file_name)? {
                return Ok(());
            }
            bail!("the kernel has no module {name}");
        };
        let content = read(&path)?;
        for name in dependencies(&content) {
            self.add_module(&name, modules)?;
        }
        modules.push((file_name, content));
        Ok(())
    }

    fn is_built_in(&self, file_name: &str) -> Result<bool> {
        let list = find(&self.modules, |name| name == "modules.builtin");
        let list = fs::read_to_string(list.context("no modules.builtin")?)?;
        let mut names = list.lines().filter_map(|line| line.rsplit('/').next());
        Ok(names.any(|name| name.replace('-', "_") == file_name))
    }
}

/// The prefixes of the packages that a kernel may be split into: the kernel, its modules, and the list of
/// what is built in.
const PARTS: &[&str] = &["linux-binary-", "linux-modules-", "linux-base-"];

/// The packages of the newest kernel, which `package` depends on, one per line: the kernel and its modules in
/// one package, or each in its own package.
fn newest(apt: &Apt, package: &str) -> Result<String> {
    apt.update()
        .with_context(|| format!("no list of packages to find {package} in"))?;
    let mut packages = apt.dependencies(package, &["linux-image-"])?;
    let image = packages
        .first()
        .with_context(|| format!("{package} does not depend on a linux-image-... package"))?;
    packages.extend(apt.dependencies(image, PARTS)?);
    Ok(packages.join("\n"))
}

/// A shell and its commands, in one program that needs no library. A backports suite has only packages that
/// are newer than those of its base suite.
fn busybox(kernel: &Kernel) -> Result<PathBuf> {
    let suite = kernel.suite.trim_end_matches("-backports");
    let place = format!("emulate/busybox/{suite}-{}", kernel.debian);
    let apt = Apt::of(&kernel.debian, suite)?;
    let package = ["busybox-static"];
    apt.unpacked(&place, &package, &[]).or_else(|_no_list_yet| {
        apt.update()?;
        apt.unpacked(&place, &package, &[])
    })
}

/// A module as the kernel takes it; in some releases the file is compressed.
fn read(path: &Path) -> Result<Vec<u8>> {
    if path.extension().is_some_and(|it| it == "xz") {
        return capture(command("xz").args(["--decompress", "--stdout"]).arg(path));
    }
    Ok(fs::read(path)?)
}

/// The modules that a module's file says it needs: `depends=a,b`, between NUL bytes.
fn dependencies(module: &[u8]) -> Vec<String> {
    let mut strings = module.split(|&byte| byte == 0);
    let list = strings.find_map(|string| string.strip_prefix(b"depends="));
    let list = String::from_utf8_lossy(list.unwrap_or_default()).into_owned();
    let names = list.split(',').filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// A file below `dir` whose name matches.
fn find(dir: &Path, fits: impl Fn(&str) -> bool + Copy) -> Option<PathBuf> {
    let entries = fs::read_dir(dir).ok()?.flatten();
    let (dirs, files): (Vec<_>, Vec<_>) = entries
        .map(|entry| entry.path())
        .partition(|path| path.is_dir() && !path.is_symlink());
    let named = |path: &PathBuf| path.file_name()?.to_str().map(fits);
    files
        .into_iter()
        .find(|path| named(path) == Some(true))
        .or_else(|| dirs.iter().find_map(|dir| find(dir, fits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_tells_what_it_needs() {
        let module = b"\x7fELF\0license=GPL\0depends=jbd2,mbcache,crc16\0name=ext4\0";
        assert_eq!(dependencies(module), ["jbd2", "mbcache", "crc16"]);
        assert!(dependencies(b"\0depends=\0").is_empty());
        assert!(dependencies(b"").is_empty());
    }

    #[test]
    fn files_are_found_below() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = find(src, |name| name == "init.sh").unwrap();
        assert_eq!(found, src.join("src/emulate/init.sh"));
        assert_eq!(find(src, |name| name == "no such file"), None);
    }
}
