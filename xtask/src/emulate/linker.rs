//! The linker that rustc is given: `zig cc`, with the arguments that rustc passes to other linkers
//! translated, or Debian's GCC where zig cannot link.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result};

use super::rows::Gcc;
use crate::apt::Apt;
use crate::process::{installed, run, workdir};
use crate::zig::Zig;

/// The directory of the programs that rustc is given.
const SCRIPTS: &str = "emulate/linkers";

/// The arguments that rustc passes on.
#[derive(clap::Args)]
pub struct Args {
    /// Directory of the package ziglang
    zig: PathBuf,
    /// zig's name for the target
    target: String,
    /// The linker's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// A program that links for zig's `target`: rustc takes a path, so this is a script that calls this program
/// again, which then runs [`task`].
pub fn script(zig: &Zig, target: &str, cpu: Option<&str>) -> Result<PathBuf> {
    let name = cpu.map_or_else(|| target.to_owned(), |cpu| format!("{target}-{cpu}"));
    let cpu = cpu.map_or_else(String::new, |cpu| format!(" -mcpu={cpu}"));
    let xtask = ours()?;
    let text = format!(
        "#!/bin/sh\nexec '{}' linker '{}' {target}{cpu} \"$@\"\n",
        xtask.display(),
        zig.dir().display()
    );
    program(SCRIPTS, &name, &text)
}

/// A copy of this program, which does not change if cargo rebuilds the original meanwhile.
fn ours() -> Result<PathBuf> {
    static COPY: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut copy = COPY.lock().expect("no job panics");
    if let Some(path) = &*copy {
        return Ok(path.clone());
    }
    let path = workdir(SCRIPTS)?.join("xtask");
    let part = path.with_extension("part");
    fs::copy("/proc/self/exe", &part).context("this program")?;
    fs::rename(part, &path)?;
    Ok(copy.insert(path).clone())
}

/// Debian's GCC for `target`: the installed one, or one that is unpacked below `target/xtask/`.
pub fn gcc(target: &str, gcc: &Gcc) -> Result<PathBuf> {
    if let Some(path) = installed(&gcc.command) {
        return Ok(path);
    }
    let packages: Vec<_> = gcc.packages.iter().map(String::as_str).collect();
    let root = Apt::here()
        .unpacked(&format!("emulate/gcc/{target}"), &packages, &[])
        .with_context(|| {
            format!(
                "{} is not installed, and could not be unpacked",
                gcc.command
            )
        })?;
    let root = root.display();
    // Its parts come with their own libraries.
    let text = format!(
        "#!/bin/sh\nexport LD_LIBRARY_PATH=\"$(printf '%s:' '{root}'/usr/lib/*-linux-gnu)\"\n\
         exec '{root}/usr/bin/{}' --sysroot='{root}' \"$@\"\n",
        gcc.unpacked
    );
    // A name that rustc does not take for another kind of linker.
    program(SCRIPTS, target, &text)
}

/// A script with this text, below `target/xtask/<place>`.
pub fn program(place: &str, name: &str, text: &str) -> Result<PathBuf> {
    let path = workdir(place)?.join(name);
    // Not written again if it is up to date: another job may be running it.
    if fs::read_to_string(&path).is_ok_and(|now| now == text) {
        return Ok(path);
    }
    let part = path.with_extension("part");
    fs::write(&part, text)?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o755))?;
    fs::rename(part, &path)?;
    Ok(path)
}

/// Links.
pub fn task(args: &Args) -> Result<()> {
    let mut cc = Zig::at(&args.zig).cc(&args.target);
    // rustc's working directory, which its arguments may be relative to.
    cc.current_dir(std::env::current_dir()?);
    cc.args(args.arguments.iter().filter_map(|word| translate(word)));
    run(&mut cc)
}

/// The argument for zig in place of `argument`, if any: zig knows the target, and brings its own start files
/// and run-time library.
fn translate(argument: &str) -> Option<&str> {
    const OF_ANOTHER_TARGET: [&str; 3] = ["--target=", "-melf", "-Wl,-m"];
    const START_FILES: [&str; 5] = ["crt1", "rcrt1", "Scrt1", "crti", "crtn"];
    let file = argument.rsplit('/').next().unwrap_or(argument);
    let start_file = file.strip_suffix(".o").is_some_and(|name| {
        START_FILES.contains(&name) || name.starts_with("crtbegin") || name.starts_with("crtend")
    });
    match argument {
        "-m32" | "-m64" | "-nostartfiles" | "-nodefaultlibs" => None,
        "-lgcc" | "-lgcc_s" | "-lgcc_eh" => Some("-lunwind"),
        "-static-pie" => Some("-static"),
        _ if start_file => None,
        _ if OF_ANOTHER_TARGET
            .iter()
            .any(|start| argument.starts_with(start)) =>
        {
            None
        }
        _ => Some(argument),
    }
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn what_zig_knows_better_is_left_out() {
        for dropped in [
            "-m64",
            "-melf_i386",
            "/x/crt1.o",
            "crtbeginT.o",
            "--target=mips",
        ] {
            assert_eq!(translate(dropped), None, "{dropped}");
        }
        assert_eq!(translate("-lgcc_s"), Some("-lunwind"));
        assert_eq!(translate("-static-pie"), Some("-static"));
        for kept in ["/x/crt.o", "-lc", "-o", "-Wl,--as-needed", "crtbegin"] {
            assert_eq!(translate(kept), Some(kept));
        }
    }
}
