//! Running programs, and the places that tasks share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The workspace's root directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is in the workspace")
}

/// `target/xtask/<name>`, created if missing: the directory in which tasks keep what they build or download.
pub fn workdir(name: &str) -> Result<PathBuf> {
    let dir = root().join("target/xtask").join(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// `unix-memory/<name>` in the user's cache, created if missing: for files that take long to build, are the
/// same for every clone, and should survive `cargo clean`. If there is no writable home directory, this is
/// the same as [`workdir`].
pub fn cachedir(name: &str) -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let Some(cache) = cache.or_else(home).filter(|cache| cache.is_absolute()) else {
        return workdir(name);
    };
    let dir = cache.join("unix-memory").join(name);
    match fs::create_dir_all(&dir) {
        Ok(()) => Ok(dir),
        Err(_read_only) => workdir(name),
    }
}

/// A command that starts in the workspace's root, without the variables with which the cargo that runs xtask
/// would choose the toolchain for the cargo that xtask runs.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for name in [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
    ] {
        command.env_remove(name);
    }
    command
}

/// The path of `program`, if it is in PATH.
pub fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|dir| dir.join(program));
    places.find(|place| place.exists())
}

/// Runs `command` with its output on the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", program(command)))?;
    if !status.success() {
        bail!("{} failed: {}", program(command), line(command));
    }
    Ok(())
}

/// Runs `command` and returns its standard output; an error contains its standard error.
pub fn capture(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", program(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}\n(said by {})", said.trim(), line(command));
    }
    Ok(output.stdout)
}

/// Runs a command that prints nothing on success, so that a warning is a failure too.
pub fn silent(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", program(command)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !said.trim().is_empty() {
        bail!("{}\n(said by {})", said.trim(), line(command));
    }
    Ok(())
}

/// As [`capture`], for text.
pub fn text(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8(capture(command)?)?.trim_end().to_owned())
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command as typed in a shell.
fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
