//! A fully emulated machine with its own kernel: it lacks only what that kernel lacks, and its pages have the
//! size that the kernel gives them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::build::Program;
use super::kernel::Unpacked;
use super::machine::{End, Ended, Job, TIMEOUT, run_until, version};
use super::rows::Kernel;
use crate::process::{capture, command, installed, workdir};

/// How long the machine may take to come up: half a minute is usual.
const START: Duration = Duration::from_secs(300);

/// How often to start a machine that does not come up. In that case the emulator hangs, or its kernel does:
/// none of our code has run yet.
const STARTS: u32 = 3;

/// How long its console may be silent once the machine is up: it prints the name of each program, and kills
/// programs that take too long.
const SILENCE: Duration = TIMEOUT.saturating_add(Duration::from_secs(60));

/// The line that it prints when it is up.
const UP: &str = "the machine is up";

/// The space on the disk besides the programs, for the files of tests, which are sparse.
const ROOM: u64 = 2 << 30;

/// Runs `jobs` on a machine with `kernel` that has `programs`, and returns the machine's name.
///
/// # Errors
/// If the machine does not start.
pub fn run(
    target: &str,
    kernel: &Kernel,
    programs: &[Program],
    jobs: &[Job<'_>],
) -> Result<(String, Vec<Ended>)> {
    let unpacked = Unpacked::get(kernel)?;
    let dir = workdir(&format!("emulate/system/{target}-{}", kernel.key()))?;
    let start = dir.join("start.cpio");
    unpacked.write_start(kernel, &start)?;
    let root = lay_out(&dir, &unpacked.busybox, programs, jobs)?;
    fs::write(root.join("jobs"), script(kernel.page, jobs)?)?;
    let emulator = installed(&kernel.system.command).with_context(|| missing(kernel))?;
    let log = dir.join("console");
    let mut starts = 0;
    let (disk, console) = loop {
        let disk = make_disk(&dir, &root)?;
        let mut machine = command(&emulator);
        machine
            .args(["-m", "2G", "-smp", "2", "-nic", "none"])
            .args(["-nographic", "-no-reboot"])
            .args(&kernel.system.arguments)
            .arg("-kernel")
            .arg(&unpacked.image)
            .arg("-initrd")
            .arg(&start)
            .arg("-append")
            .arg(format!("console={} quiet panic=-1", kernel.console))
            .arg("-drive")
            .arg(format!(
                "file={},format=raw,if=virtio,cache=unsafe",
                disk.display()
            ))
            .stdin(Stdio::null());
        let mut watch = Watch::new(&log, START, SILENCE);
        let (end, console) = run_until(&mut machine, &log, || watch.is_over())?;
        starts += 1;
        let hangs = matches!(end, End::Timeout) && !console.contains(UP);
        if !hangs || starts == STARTS {
            break (disk, console);
        }
        println!(
            "emulate: {target}: the machine was not up after {} s, and is restarted; its console \
             output ended with:\n{}",
            START.as_secs(),
            last_lines(&console)
        );
    };

    let logs = logs(&dir, &disk)?;
    let release = fs::read_to_string(logs.join("kernel")).with_context(|| {
        let last = last_lines(&console);
        format!("the machine was started {starts} times but ran nothing; its console output ended with:\n{last}")
    })?;
    let name = format!(
        "Linux {} in {} {}",
        release.trim(),
        kernel.system.command,
        version(&emulator)?
    );
    let ended = (0..jobs.len()).map(|number| ended(&logs, number)).collect();
    Ok((name, ended))
}

/// Watches a machine's console to detect whether the machine hangs.
struct Watch<'a> {
    console: &'a Path,
    /// How long it may take to come up.
    start: Duration,
    /// How long it may be silent after that.
    silence: Duration,
    up: bool,
    length: u64,
    /// When it last printed something new.
    since: Instant,
}

impl<'a> Watch<'a> {
    fn new(console: &'a Path, start: Duration, silence: Duration) -> Self {
        Self {
            console,
            start,
            silence,
            up: false,
            length: 0,
            since: Instant::now(),
        }
    }

    /// Whether no more output is expected.
    fn is_over(&mut self) -> bool {
        let length = fs::metadata(self.console).map_or(0, |console| console.len());
        if length != self.length {
            self.length = length;
            if !self.up {
                // What the firmware prints before that is not a sign of life.
                let console = fs::read(self.console).unwrap_or_default();
                self.up = String::from_utf8_lossy(&console).contains(UP);
            }
            if self.up {
                self.since = Instant::now();
            }
        }
        let patience = if self.up { self.silence } else { self.start };
        self.since.elapsed() > patience
    }
}

/// The last lines of a console's output.
fn last_lines(console: &str) -> String {
    let lines: Vec<_> = console.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The message that says what to install for the kernel.
pub fn missing(kernel: &Kernel) -> String {
    let system = &kernel.system;
    format!(
        "{} is not installed; on Debian run `sudo apt-get install --no-install-recommends {}`",
        system.command, system.package
    )
}

/// Fills the disk: a shell, the programs under their paths on this machine, and the files that they are
/// given.
fn lay_out(dir: &Path, busybox: &Path, programs: &[Program], jobs: &[Job<'_>]) -> Result<PathBuf> {
    let root = dir.join("root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    for name in ["bin", "dev", "logs", "proc", "sys", "tmp"] {
        fs::create_dir_all(root.join(name))?;
    }
    // As everywhere: tests that give up the rights of root make files as well.
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    put(busybox, &root.join("bin/busybox"))?;
    std::os::unix::fs::symlink("busybox", root.join("bin/sh"))?;
    let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    for Program { path, .. } in programs {
        put(path, &inside(path))?;
        // Where tests make their files: .../debug/deps/test, .../tmp.
        if let Some(target) = path.ancestors().nth(3) {
            fs::create_dir_all(inside(&target.join("tmp")))?;
        }
    }
    for job in jobs {
        fs::create_dir_all(inside(job.dir))?;
        for file in job.files() {
            put(&job.dir.join(file), &inside(&job.dir.join(file)))?;
        }
    }
    Ok(root)
}

/// Makes a disk that holds everything below `root`.
fn make_disk(dir: &Path, root: &Path) -> Result<PathBuf> {
    let disk = dir.join("disk");
    let size = capture(command("du").arg("-sb").arg(root))?;
    let size = String::from_utf8(size)?;
    let size: u64 = size.split_whitespace().next().unwrap_or("0").parse()?;
    let image = fs::File::create(&disk)?;
    image.set_len(size * 3 / 2 + ROOM)?;
    capture(
        command("/sbin/mkfs.ext4")
            .args(["-q", "-F", "-d"])
            .arg(root)
            .arg(&disk),
    )
    .context("cannot make the machine's disk; on Debian it needs the package e2fsprogs")?;
    Ok(disk)
}

/// Makes a link if possible, or else a copy.
fn put(from: &Path, to: &Path) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    if !to.exists() && fs::hard_link(from, to).is_err() {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// The script that the machine runs: it records, for each job by number, what the job prints and how it ends.
fn script(page: usize, jobs: &[Job<'_>]) -> Result<String> {
    let mut text = format!(
        "/bin/busybox --install -s /bin\n\
         export PATH=/bin\n\
         uname -r > /logs/kernel\n\
         echo \"{UP}\"\n\
         run() {{\n\
         log=\"/logs/$1\"\n\
         cd \"$2\"\n\
         export CARGO_MANIFEST_DIR=\"$2\"\n\
         shift 2\n\
         echo \"$*\"\n\
         timeout -s KILL {} \"$@\" > \"$log\" 2>&1 < /dev/null\n\
         echo $? > \"$log.status\"\n\
         sync\n\
         }}\n",
        TIMEOUT.as_secs()
    );
    for (number, job) in jobs.iter().enumerate() {
        // Each job has its own environment.
        let _ = write!(text, "(");
        for (name, value) in Job::environment("", page) {
            let _ = write!(text, "export {name}={}; ", quoted(&value)?);
        }
        let program = job
            .program
            .path
            .to_str()
            .context("a path is not valid UTF-8")?;
        let dir = job.dir.to_str().context("a path is not valid UTF-8")?;
        let _ = write!(text, "run {number} {} {}", quoted(dir)?, quoted(program)?);
        for argument in &job.arguments {
            let _ = write!(text, " {}", quoted(argument)?);
        }
        text.push_str(")\n");
    }
    Ok(text)
}

/// Quotes a word for the shell.
fn quoted(word: &str) -> Result<String> {
    if word.contains('\'') {
        bail!("{word} contains a quote");
    }
    Ok(format!("'{word}'"))
}

/// The directory of what the machine left on its disk.
fn logs(dir: &Path, disk: &Path) -> Result<PathBuf> {
    let logs = dir.join("logs");
    if logs.exists() {
        fs::remove_dir_all(&logs)?;
    }
    // A machine that was killed when its time ran out did not unmount it.
    let _whatever_it_mended = command("/sbin/e2fsck").args(["-fyq"]).arg(disk).output();
    let request = format!("rdump /logs {}", dir.display());
    capture(command("/sbin/debugfs").args(["-R", &request]).arg(disk))
        .context("cannot read the machine's disk; on Debian it needs the package e2fsprogs")?;
    Ok(logs)
}

/// The outcome of a job.
fn ended(logs: &Path, number: usize) -> Ended {
    let output = fs::read(logs.join(number.to_string()));
    let output = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
    let status = fs::read_to_string(logs.join(format!("{number}.status")));
    let status = status.context("the machine did not start it, or did not finish it")?;
    let end = match status.trim().parse()? {
        // A shell's exit status for a signal, including the one that timeout(1) sends.
        code @ 129.. => End::Status(ExitStatus::from_raw(code - 128)),
        code => End::Status(ExitStatus::from_raw(code << 8)),
    };
    Ok((end, output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_job_is_read() {
        let dir = workdir("emulate/test-logs").unwrap();
        let write = |name: &str, text| fs::write(dir.join(name), text).unwrap();
        write("0", "good\n");
        write("0.status", "0\n");
        write("1", "bad\n");
        write("1.status", "101\n");
        write("2.status", "139\n");
        write("3", "half");
        let status = |number| match ended(&dir, number) {
            Ok((End::Status(status), output)) => (status, output),
            _ => panic!("no status"),
        };
        let (good, output) = status(0);
        assert!(good.success() && output == "good\n");
        assert_eq!(status(1).0.code(), Some(101));
        assert_eq!(status(2).0.signal(), Some(11));
        assert!(ended(&dir, 3).is_err());
    }

    #[test]
    fn a_machine_that_hangs_is_noticed() {
        let console = workdir("emulate/test-console").unwrap().join("console");
        let print = |text: &str| fs::write(&console, text).unwrap();
        print("a firmware\n");
        let (never, at_once) = (Duration::MAX, Duration::ZERO);
        let mut starts = Watch::new(&console, at_once, never);
        let mut runs = Watch::new(&console, never, at_once);
        assert!(starts.is_over());
        assert!(!runs.is_over());
        print(&format!("a firmware\n{UP}\n"));
        assert!(!starts.is_over());
        runs.is_over();
        std::thread::sleep(Duration::from_millis(1));
        assert!(runs.is_over());
    }

    #[test]
    fn words_are_quoted() {
        assert_eq!(quoted("a b$").unwrap(), "'a b$'");
        assert!(quoted("it's").is_err());
    }
}
