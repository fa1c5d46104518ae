//! The copy of the sources, in which bugs are planted.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use walkdir::WalkDir;

use super::list::Mutant;
use crate::process::{capture, command, root, workdir};

/// The copy. Its `target` directory is its own, and stays.
pub struct Tree {
    dir: PathBuf,
}

impl Tree {
    /// Makes the copy equal to the sources. A file that is equal already is left alone, so that it is not
    /// compiled again.
    pub fn of_the_sources() -> Result<Self> {
        let dir = workdir("mutants/tree")?;
        let list = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let listed = String::from_utf8(capture(command("git").args(list))?)?;
        let names = listed.split('\0').filter(|name| !name.is_empty());
        // (The inputs of fuzzers are many, and a workspace of their own.)
        let names = names.filter(|name| !name.starts_with("fuzz/") && root().join(name).is_file());
        let names: BTreeSet<&str> = names.collect();
        for name in &names {
            copy(&root().join(name), &dir.join(name)).with_context(|| (*name).to_owned())?;
        }
        let target = dir.join("target");
        let entries = WalkDir::new(&dir).into_iter();
        for entry in entries.filter_entry(|entry| entry.path() != target) {
            let entry = entry?;
            let name = entry.path().strip_prefix(&dir)?.to_string_lossy();
            if !entry.file_type().is_dir() && !names.contains(&*name) {
                fs::remove_file(entry.path())?;
            }
        }
        // What xtask has downloaded serves there too.
        fs::create_dir_all(&target)?;
        let downloaded = target.join("xtask");
        if !downloaded.exists() {
            symlink(root().join("target/xtask"), &downloaded)?;
        }
        Ok(Self { dir })
    }

    /// The directory of the copy.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Plants a bug, until the result is dropped.
    pub fn plant(&self, mutant: &Mutant) -> Result<Planted> {
        let path = self.dir.join(&mutant.file);
        let original = fs::read_to_string(&path)?;
        let planted = mutant.planted_in(&original).map_err(|why| anyhow!(why))?;
        fs::write(&path, planted)?;
        Ok(Planted { path, original })
    }
}

/// A file with a bug in it.
pub struct Planted {
    path: PathBuf,
    original: String,
}

impl Drop for Planted {
    fn drop(&mut self) {
        // Where this fails, the next run makes the copy anew.
        let _later = fs::write(&self.path, &self.original);
    }
}

/// Makes the file `to` as the file `from` is.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file is in a directory")?)?;
    fs::write(to, content)?;
    Ok(())
}
