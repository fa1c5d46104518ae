//! How a program built for another machine is run: by an emulator, or by this machine itself.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::build::{self, Program};
use super::emscripten::Emscripten;
use super::rows::Target;
use crate::apt::Apt;
use crate::process::{command, installed, text};

/// How long a test program may take. The slowest takes a minute on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(600);

/// The variable that tells a test how to start another program of its target: the words of the command that
/// comes before the program, one per line; empty if it only runs slowly.
const RUNNER: &str = "UNIX_MEMORY_RUNNER";

/// A program to run.
pub struct Job<'a> {
    /// Itself.
    pub program: &'a Program,
    /// The directory to run it in.
    pub dir: &'a Path,
    /// Its arguments; those that name files must exist there.
    pub arguments: Vec<&'a str>,
    /// For an example, a check of its output on a machine with pages of this many bytes.
    pub good: Option<fn(&str, usize) -> bool>,
    /// Whether it is an example that reports which memory is resident.
    pub residency: bool,
}

impl Job<'_> {
    /// The arguments that are files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.arguments.iter().copied();
        files.filter(|file| self.dir.join(file).is_file())
    }

    /// The variables for a program that `runner` runs rather than this machine itself: `runner` has the words
    /// of a command, one per line, and pages have `page` bytes.
    pub fn environment(runner: &str, page: usize) -> [(&'static str, String); 4] {
        [
            (RUNNER, runner.to_owned()),
            // A test checks that its pages have this size.
            ("UNIX_MEMORY_PAGE_SIZE", page.to_string()),
            // Properties hold for other processors as for this one, so fewer cases are enough; they are slow.
            ("PROPTEST_CASES", "16".to_owned()),
            ("RUST_BACKTRACE", "0".to_owned()),
        ]
    }
}

/// The outcome of a job: how it ended, and what it printed.
pub type Ended = Result<(End, String)>;

/// How a program ended.
pub enum End {
    /// By itself.
    Status(ExitStatus),
    /// It was killed when its time ran out.
    Timeout,
}

/// How to run a target's programs, one by one.
pub struct Machine {
    /// The command that comes before the program; empty if the program runs by itself.
    before: Vec<OsString>,
    /// The size of its pages.
    page: usize,
    /// Whether an emulator makes each page of several of the kernel's.
    pub makes_pages: bool,
    /// Whether a program can find out which of its memory is resident.
    pub reports_residency: bool,
    /// For the report.
    pub name: String,
}

impl Machine {
    /// The machine for the programs of `target`, such as `program`, with pages of `page` bytes.
    ///
    /// # Errors
    /// If there is no emulator; the message says what to run.
    pub fn of(target: &Target, page: usize, program: &Path) -> Result<Self> {
        if let Some(emscripten) = &target.emscripten {
            let (node, name) = Emscripten::get(emscripten)?.runner()?;
            return Ok(Self {
                before: vec![node.into_os_string()],
                page,
                makes_pages: false,
                reports_residency: false,
                name,
            });
        }
        let native = target.native.as_deref() == Some(std::env::consts::ARCH);
        // A kernel may be built without support for programs that its processor could run.
        if native && page == target.pages[0] && runs(program) {
            return Ok(Self {
                before: Vec::new(),
                page,
                makes_pages: false,
                reports_residency: true,
                name: format!("{}, natively", std::env::consts::ARCH),
            });
        }
        let qemu = target.qemu.as_deref().context("no emulator in the table")?;
        let emulator = emulator(qemu)?;
        let version = version(&emulator)?;
        let mut before = vec![emulator.into_os_string()];
        if page != target.pages[0] {
            before.extend(["-p".into(), page.to_string().into()]);
        }
        let makes_pages = page != host_page()?;
        if makes_pages {
            // With reserved addresses, the emulator places all mappings itself. Otherwise it asks the kernel,
            // whose pages are smaller: its answer does not always fit, and then the emulator reports ENOMEM.
            before.extend(["-R".into(), "64G".into()]);
        }
        if let Some(glibc) = &target.glibc {
            before.extend(["-L".into(), build::root(target, glibc)?.into_os_string()]);
        }
        Ok(Self {
            before,
            page,
            makes_pages,
            reports_residency: true,
            name: format!("qemu-{qemu} {version}"),
        })
    }

    /// Why a program cannot show its purpose here: what it asks about is the emulator's, or there is no way
    /// to find out what it reports.
    pub fn lacks(&self, job: &Job<'_>) -> Option<&'static str> {
        if job.good.is_some() && self.makes_pages {
            Some("an emulator makes each page of several of the kernel's")
        } else if job.program.name == "tests/posix" && !self.before.is_empty() {
            Some("what POSIX says is asked of a kernel, and an emulator answers in its place")
        } else if job.residency && !self.reports_residency {
            // In the form that tests use.
            Some("Emscripten does not report what is in memory")
        } else {
            None
        }
    }

    /// Runs `job`, with its output in `log`.
    pub fn run(&self, job: &Job<'_>, log: &Path) -> Ended {
        let program = &job.program.path;
        let mut words = self.before.iter();
        let mut run = match words.next() {
            Some(emulator) => command(emulator),
            None => command(program),
        };
        if !self.before.is_empty() {
            let runner = self.before.join("\n".as_ref());
            let runner = runner.to_str().context("a path is not valid UTF-8")?;
            run.args(words)
                .arg(program)
                .envs(Job::environment(runner, self.page));
        }
        run.args(&job.arguments)
            .current_dir(job.dir)
            .env("CARGO_MANIFEST_DIR", job.dir)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        run_for(&mut run, log, TIMEOUT)
    }
}

/// The version of an emulator.
pub fn version(emulator: &Path) -> Result<String> {
    let version = text(command(emulator).arg("--version"))?;
    // "qemu-arm version 7.2.22 (Debian ...", "QEMU emulator version 7.2.22 (..."
    let mut words = version
        .split_whitespace()
        .skip_while(|&word| word != "version");
    Ok(words.nth(1).unwrap_or("?").to_owned())
}

/// The size of this machine's pages.
fn host_page() -> Result<usize> {
    Ok(text(command("getconf").arg("PAGESIZE"))?.parse()?)
}

/// Whether the kernel can run `program`.
fn runs(program: &Path) -> bool {
    let started = Command::new(program)
        .arg("--list")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok_and(|status| status.success())
}

/// The emulator, installed or unpacked from its package: `qemu-user-static`, or `qemu-user` from Debian 13
/// on, where the former has only links.
fn emulator(name: &str) -> Result<PathBuf> {
    let linked = format!("qemu-{name}-static");
    let plain = format!("qemu-{name}");
    if let Some(emulator) = installed(&linked).or_else(|| installed(&plain)) {
        return Ok(emulator);
    }
    for (package, file) in [("qemu-user-static", &linked), ("qemu-user", &plain)] {
        let unpacked = Apt::here()
            .unpacked(&format!("qemu/{package}"), &[package], &[])
            .with_context(|| {
                format!("{file} is not installed; on Debian run `sudo apt-get install {package}`")
            })?;
        let emulator = unpacked.join("usr/bin").join(file);
        if emulator.exists() {
            return Ok(emulator);
        }
    }
    bail!("neither qemu-user-static nor qemu-user has an emulator of {name}")
}

/// Runs `command` with all output in `log`, for at most `timeout`.
pub fn run_for(command: &mut Command, log: &Path, timeout: Duration) -> Ended {
    let start = Instant::now();
    run_until(command, log, || start.elapsed() > timeout)
}

/// Runs `command` with all output in `log`, until it ends or `over`, which is polled, says that its time is
/// up. The output goes to a file rather than a pipe, because children that it leaves behind would keep a pipe
/// open.
pub fn run_until(command: &mut Command, log: &Path, mut over: impl FnMut() -> bool) -> Ended {
    let file = File::create(log)?;
    let mut child = command
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break End::Status(status);
        }
        if over() {
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
        let (end, output) = run_for(shell.args(["-c", script]), &log, TIMEOUT).unwrap();
        assert_eq!(output, "out\nerr\n");
        assert!(matches!(end, End::Status(status) if !status.success()));
    }
}
