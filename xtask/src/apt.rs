//! Debian packages, unpacked under `target/xtask/`: no root needed, nothing installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::process::{capture, command, text, workdir};

/// Debian's packages for this machine, or for another architecture.
pub struct Apt {
    /// What tells apt of another architecture.
    config: Option<PathBuf>,
}

impl Apt {
    /// As it is set up here.
    pub const fn here() -> Self {
        Self { config: None }
    }

    /// For `architecture`, as Debian calls it, from the same archives; its lists are below
    /// `target/xtask/`.
    pub fn of(architecture: &str) -> Result<Self> {
        let dir = workdir(&format!("apt/{architecture}"))?;
        for dir in ["lists/partial", "cache/archives/partial"].map(|name| dir.join(name)) {
            fs::create_dir_all(dir)?;
        }
        let status = dir.join("status");
        if !status.exists() {
            fs::write(&status, "")?;
        }
        let path = dir.join("apt.conf");
        let text = format!(
            "APT::Architecture \"{architecture}\";\n\
             APT::Architectures {{ \"{architecture}\"; }};\n\
             Dir::State::Lists \"{dir}/lists\";\n\
             Dir::State::Status \"{dir}/status\";\n\
             Dir::Cache \"{dir}/cache\";\n",
            dir = dir.display()
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
    /// Where one cannot be had; others may have come.
    pub fn update(&self) -> Result<()> {
        capture(self.command("apt-get").args(["-qq", "update"])).map(drop)
    }

    /// The package, of those that `package` depends on, whose name starts with `prefix`.
    ///
    /// # Errors
    /// Where apt does not know it.
    pub fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let listing = text(self.command("apt-cache").args(["depends", package]))?;
        let names = listing
            .lines()
            .filter_map(|line| line.split_once("Depends: "));
        let mut names = names.map(|(_, name)| name.trim());
        let name = names.find(|name| name.starts_with(prefix));
        let name = name.with_context(|| format!("{package} depends on no {prefix}..."))?;
        Ok(name.to_owned())
    }

    /// Downloads `packages` (as apt writes them: `name` or `name=version`) and unpacks them below
    /// `target/xtask/<place>`, which is returned; all of them, or the files that fit one of
    /// `patterns`, as tar has them. What was unpacked before stays.
    ///
    /// # Errors
    /// Where there is no apt-get, or it does not know a package; the text says what to run.
    pub fn unpacked(&self, place: &str, packages: &[&str], patterns: &[&str]) -> Result<PathBuf> {
        // Jobs side by side may want the same.
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
                .args(["-qq", "download"])
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
    use super::pick;

    #[test]
    fn the_version_asked_for_is_picked() {
        let listing = " rustc-web | 1.96.0+dfsg1-1 | security\n rustc-web | 1.85.0+dfsg3-1 | main";
        assert_eq!(pick(listing, "1.85."), Some("1.85.0+dfsg3-1"));
        assert_eq!(pick(listing, "1.9"), Some("1.96.0+dfsg1-1"));
        assert_eq!(pick(listing, "2."), None);
    }
}
