//! What runs a program that was built for another machine: an emulator, or this machine itself.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::build::{self, Program};
use super::rows::Target;
use crate::apt;
use crate::process::{command, installed, text};

/// How long a test program may take. The slowest takes a minute on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The variable by which a test learns how to start another program of its target: the words of the
/// command that comes before it, one in a line.
const RUNNER: &str = "UNIX_MEMORY_RUNNER";

/// How to run a target's programs.
pub struct Machine {
    /// What comes before the program; nothing where it runs by itself.
    before: Vec<OsString>,
    /// For the report.
    pub name: String,
}

/// What became of a program.
pub enum End {
    /// It ended by itself.
    Status(ExitStatus),
    /// It was killed when its time was over.
    Timeout,
}

impl Machine {
    /// For `target`'s programs, of which `program` is one, with pages of `page` bytes.
    ///
    /// # Errors
    /// Where there is no emulator; the text says what to run.
    pub fn of(target: &Target, page: usize, program: &Path) -> Result<Self> {
        let native = target.native.as_deref() == Some(std::env::consts::ARCH);
        // A kernel may be built without what its processor could run.
        if native && page == target.pages[0] && runs(program) {
            return Ok(Self {
                before: Vec::new(),
                name: "this machine".to_owned(),
            });
        }
        let emulator = emulator(&target.qemu)?;
        let version = text(command(&emulator).arg("--version"))?;
        let version = version.split_whitespace().nth(2).unwrap_or("?").to_owned();
        let mut before = vec![emulator.into_os_string()];
        if page != target.pages[0] {
            before.extend(["-p".into(), page.to_string().into()]);
            // With addresses set aside, all of them are the emulator's to give. Else it asks the
            // kernel, whose pages are smaller: what comes does not always fit, and then it says
            // ENOMEM.
            before.extend(["-R".into(), "64G".into()]);
        }
        if let Some(glibc) = &target.glibc {
            before.extend(["-L".into(), build::root(target, glibc)?.into_os_string()]);
        }
        Ok(Self {
            before,
            name: format!("qemu-{} {version}", target.qemu),
        })
    }

    /// A command that runs `program` in the directory of its package.
    pub fn command(&self, program: &Program) -> Command {
        let mut words = self.before.iter();
        let mut run = match words.next() {
            Some(emulator) => command(emulator),
            None => command(&program.path),
        };
        if !self.before.is_empty() {
            run.args(words).arg(&program.path);
            run.env(RUNNER, self.before.join("\n".as_ref()));
            // Properties hold for other processors as for this one: fewer cases, which are slow.
            run.env("PROPTEST_CASES", "16");
        }
        run.current_dir(&program.dir)
            .env("CARGO_MANIFEST_DIR", &program.dir)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        run
    }
}

/// Whether the kernel takes `program`.
fn runs(program: &Path) -> bool {
    let started = Command::new(program)
        .arg("--list")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok_and(|status| status.success())
}

/// The emulator, installed or unpacked from its package.
fn emulator(name: &str) -> Result<PathBuf> {
    let file = format!("qemu-{name}-static");
    if let Some(emulator) = installed(&file) {
        return Ok(emulator);
    }
    let unpacked = apt::unpacked("qemu", &["qemu-user-static"], &[])
        .with_context(|| format!("no {file}; on Debian `sudo apt-get install qemu-user-static`"))?;
    Ok(unpacked.join("usr/bin").join(file))
}

/// Runs with all output in `log`, for no longer than may be. A file and not a pipe, because children
/// that it leaves behind would hold a pipe open.
pub fn run(command: &mut Command, log: &Path) -> Result<(End, String)> {
    let file = File::create(log)?;
    let mut child = command
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let start = Instant::now();
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break End::Status(status);
        }
        if start.elapsed() > TIMEOUT {
            child.kill()?;
            child.wait()?;
            break End::Timeout;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    Ok((end, output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::workdir;

    #[test]
    fn a_program_ends_with_its_status_and_its_output() {
        let log = workdir("emulate").unwrap().join("test.log");
        let mut shell = command("sh");
        let script = "echo out; echo err >&2; kill -SEGV $$";
        let (end, output) = run(shell.args(["-c", script]), &log).unwrap();
        assert_eq!(output, "out\nerr\n");
        assert!(matches!(end, End::Status(status) if !status.success()));
    }
}
