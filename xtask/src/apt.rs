//! Debian packages, unpacked under `target/xtask/`: no root needed, nothing installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::process::{capture, command, text, workdir};

/// The keys that sign Debian's archives, from the package debian-archive-keyring.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Debian's packages for this machine, or for another architecture and release.
pub struct Apt {
    /// The configuration that selects another architecture and release.
    config: Option<PathBuf>,
}

impl Apt {
    /// With this machine's own configuration.
    pub const fn here() -> Self {
        Self { config: None }
    }

    /// For `architecture` and `suite`, in Debian's names, from the archive that this machine's own
    /// packages come from; the lists are stored below `target/xtask/`.
    ///
    /// # Errors
    /// If apt knows no Debian archive.
    pub fn of(architecture: &str, suite: &str) -> Result<Self> {
        let dir = workdir(&format!("apt/{suite}-{architecture}"))?;
        for dir in ["lists/partial", "cache/archives/partial"].map(|name| dir.join(name)) {
            fs::create_dir_all(dir)?;
        }
        let status = dir.join("status");
        if !status.exists() {
            fs::write(&status, "")?;
        }
        let sources = dir.join("debian.sources");
        let text = format!(
            "Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n",
            archive()?
        );
        fs::write(&sources, text)?;
        let path = dir.join("apt.conf");
        let text = format!(
            "APT::Architecture \"{architecture}\";\n\
             APT::Architectures {{ \"{architecture}\"; }};\n\
             Dir::State::Lists \"{dir}/lists\";\n\
             Dir::State::Status \"{dir}/status\";\n\
             Dir::Cache \"{dir}/cache\";\n\
             Dir::Etc::SourceList \"{sources}\";\n\
             Dir::Etc::SourceParts \"/dev/null\";\n",
            dir = dir.display(),
            sources = sources.display()
        );
        fs::write(&path, text)?;
        Ok(Self { config: Some(path) })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        if let Some(config) = &self.config {
            command.env("APT_CONFIG", config);
        }
        command
    }

    /// Fetches the lists of packages.
    ///
    /// # Errors
    /// If a list cannot be fetched; others may have been.
    pub fn update(&self) -> Result<()> {
        let arguments = ["-qq", "-oAcquire::Retries=3", "update"];
        capture(self.command("apt-get").args(arguments)).map(drop)
    }

    /// The packages that `package` depends on and whose names start with one of `prefixes`.
    ///
    /// # Errors
    /// If apt does not know `package`.
    pub fn dependencies(&self, package: &str, prefixes: &[&str]) -> Result<Vec<String>> {
        let listing = text(self.command("apt-cache").args(["depends", package]))?;
        let names = listing
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let wanted = names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        Ok(wanted.map(str::to_owned).collect())
    }

    /// Downloads `packages` (as apt writes them: `name` or `name=version`) and unpacks them below
    /// `target/xtask/<place>`, which it returns: either whole, or only the files that match one of
    /// tar's `patterns`. What was unpacked before is kept.
    ///
    /// # Errors
    /// If there is no apt-get, or it does not know a package; the message says what to run.
    pub fn unpacked(&self, place: &str, packages: &[&str], patterns: &[&str]) -> Result<PathBuf> {
        // Parallel jobs may want the same packages.
        static ONE_BY_ONE: Mutex<()> = Mutex::new(());
        let _one = ONE_BY_ONE.lock();
        let dir = workdir(place)?;
        let done = dir.join(".unpacked");
        let wanted = packages.join("\n");
        if fs::read_to_string(&done).is_ok_and(|got| got == wanted) {
            return Ok(dir);
        }
        let debs = workdir(&format!("{place}-debs"))?;
        capture(
            self.command("apt-get")
                // An archive may fail to answer the first time.
                .args(["-qq", "-oAcquire::Retries=3", "download"])
                .args(packages)
                .current_dir(&debs),
        )
        .with_context(|| {
            format!(
                "no {}; perhaps `sudo apt-get update` is needed",
                packages.join(", ")
            )
        })?;
        for deb in files(&debs)? {
            unpack(&deb, &dir, patterns)?;
        }
        fs::remove_dir_all(&debs)?;
        fs::write(done, wanted)?;
        Ok(dir)
    }
}

/// Debian's archive, among those that apt knows.
fn archive() -> Result<String> {
    const FORMAT: &str = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    let lists = text(command("apt-get").args([
        "indextargets",
        "--format",
        FORMAT,
        "Created-By: Packages",
    ]))?;
    let mut archives = lists
        .lines()
        .filter_map(|line| line.strip_prefix("Debian|Debian|"));
    let archive = archives.next();
    let archive =
        archive.context("apt has no list of Debian's archive: run `sudo apt-get update`")?;
    Ok(archive.to_owned())
}

fn unpack(deb: &Path, dir: &Path, patterns: &[&str]) -> Result<()> {
    let mut dpkg = command("dpkg")
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start dpkg")?;
    let archive = dpkg.stdout.take().context("dpkg has no output")?;
    let mut tar = command("tar");
    tar.args(["-x", "--wildcards", "-C"])
        .arg(dir)
        .args(patterns);
    capture(tar.stdin(archive))?;
    if !dpkg.wait()?.success() {
        bail!("dpkg cannot read {}", deb.display());
    }
    Ok(())
}

/// The newest version of `package` that starts with `prefix`.
pub fn version(package: &str, prefix: &str) -> Result<String> {
    let listing = text(command("apt-cache").args(["madison", package]))?;
    match pick(&listing, prefix) {
        Some(version) => Ok(version.to_owned()),
        None => bail!("apt has no {package} {prefix}"),
    }
}

/// `packages` (as apt writes them: `name=version`), and the packages that they need and this
/// machine lacks.
pub fn with_dependencies(packages: &[String]) -> Result<Vec<String>> {
    let plan = text(
        command("apt-get")
            .args(["install", "--simulate", "--quiet", "--quiet"])
            .args(["--no-install-recommends", "--allow-downgrades"])
            .args(packages),
    )?;
    let mut all = packages.to_vec();
    for package in plan.lines().filter_map(planned) {
        if !all.contains(&package) {
            all.push(package);
        }
    }
    Ok(all)
}

/// The package in a line of a simulated installation, `Inst name [old version] (version ...`.
fn planned(line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (_, rest) = rest.split_once('(')?;
    Some(format!("{name}={}", rest.split(' ').next()?))
}

/// The first version, in apt-cache madison's `name | version | source` lines, newest first.
fn pick<'a>(listing: &'a str, prefix: &str) -> Option<&'a str> {
    listing
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|version| version.starts_with(prefix))
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::{pick, planned};

    #[test]
    fn a_planned_package_is_read() {
        let read = |line| planned(line).unwrap_or_default();
        let line =
            "Inst cargo-web [1.96.0-1] (1.85.0+dfsg3-1 Debian:12/stable [amd64]) [rustc-web]";
        assert_eq!(read(line), "cargo-web=1.85.0+dfsg3-1");
        assert_eq!(
            read("Inst libllvm19 (1:19.1.7-3 Debian:12 [amd64])"),
            "libllvm19=1:19.1.7-3"
        );
        assert_eq!(read("Conf libllvm19 (1:19.1.7-3 Debian:12 [amd64])"), "");
    }

    #[test]
    fn the_version_asked_for_is_picked() {
        let listing = " rustc-web | 1.96.0+dfsg1-1 | security\n rustc-web | 1.85.0+dfsg3-1 | main";
        assert_eq!(pick(listing, "1.85."), Some("1.85.0+dfsg3-1"));
        assert_eq!(pick(listing, "1.9"), Some("1.96.0+dfsg1-1"));
        assert_eq!(pick(listing, "2."), None);
    }
}
