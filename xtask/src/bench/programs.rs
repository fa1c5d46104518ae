//! Programs that map one file, one with each crate: how large they are, what they are built from, and how
//! long that takes.

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::process::{command, root, run, text, workdir};

/// A program: its name, what its manifest depends on, and its source.
struct Program {
    name: &'static str,
    dependency: &'static str,
    /// Makes `bytes` of `file`.
    code: &'static str,
}

const PROGRAMS: [Program; 8] = [
    Program {
        name: "libc",
        dependency: "libc = \"0.2\"",
        code: r"
            use std::os::fd::AsRawFd;
            let len = file.metadata()?.len() as usize;
            let fd = file.as_raw_fd();
            let at = unsafe {
                libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ, libc::MAP_PRIVATE, fd, 0)
            };
            if at == libc::MAP_FAILED {
                return Err(std::io::Error::last_os_error().into());
            }
            let bytes = unsafe { std::slice::from_raw_parts(at.cast::<u8>(), len) };
        ",
    },
    Program {
        name: "memmap2",
        dependency: "memmap2 = \"0.9\"",
        code: "let bytes = unsafe { memmap2::Mmap::map(&file) }?;",
    },
    Program {
        name: "memmapix",
        dependency: "memmapix = \"0.9\"",
        code: "let bytes = unsafe { memmapix::MmapOptions::new().map(&file) }?;",
    },
    Program {
        name: "mmap-rs",
        dependency: "mmap-rs = \"0.7\"",
        code: "
            let len = file.metadata()?.len() as usize;
            let options = unsafe { mmap_rs::MmapOptions::new(len)?.with_file(&file, 0) };
            let bytes = options.map()?;
        ",
    },
    Program {
        name: "vmap",
        dependency: "vmap = \"0.6\"",
        code: "drop(file); let (bytes, _) = vmap::Map::with_options().open(path)?;",
    },
    Program {
        name: "std::fs::read",
        dependency: "",
        code: "drop(file); let bytes = std::fs::read(path)?;",
    },
    Program {
        name: "unix-memory, `map_private`",
        dependency: OURS,
        code: "
            let options = unix_memory::MapOptions::new();
            let mapping = options.map_private(&file, unix_memory::ReadOnly)?;
            let bytes = unsafe { mapping.assume_unshared() };
        ",
    },
    Program {
        name: "unix-memory, `FileBytes`",
        dependency: OURS,
        code: "let bytes = unix_memory::FileBytes::load(&file)?;",
    },
];

/// Stands for the path of this workspace's crate.
const OURS: &str = "unix-memory";

/// The table of the programs.
pub fn table() -> Result<String> {
    let mut table = "| | bytes, stripped | crates beside it | seconds of building |\n\
                     |---|---:|---:|---:|\n"
        .to_owned();
    for (i, program) in PROGRAMS.iter().enumerate() {
        let (bytes, crates, seconds) =
            build(program, i).with_context(|| program.name.to_owned())?;
        writeln!(
            table,
            "| {} | {bytes} | {crates} | {seconds:.1} |",
            program.name
        )?;
    }
    Ok(table)
}

/// Its bytes, how many crates it depends on, and how long all that is built took.
fn build(program: &Program, index: usize) -> Result<(u64, usize, f64)> {
    let dir = workdir("bench")?.join(format!("program{index}"));
    fs::create_dir_all(dir.join("src"))?;
    let dependency = if program.dependency == OURS {
        {
            let path = root().join("unix-memory");
            format!("unix-memory = {{ path = '{}' }}", path.display())
        }
    } else {
        program.dependency.to_owned()
    };
    let manifest = format!(
        "[package]\nname = \"one_file\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\n{dependency}\n[profile.release]\nstrip = true\n[workspace]\n"
    );
    fs::write(dir.join("Cargo.toml"), manifest)?;
    let source = format!(
        "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
         let path = std::env::args().nth(1).unwrap_or_default();\n\
         let file = std::fs::File::open(&path)?;\n{}\n\
         println!(\"{{}}\", bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>());\nOk(())\n}}\n",
        program.code
    );
    fs::write(dir.join("src/main.rs"), source)?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = command("cargo");
        cargo.current_dir(&dir).args(arguments);
        cargo.env_remove("CARGO_TARGET_DIR");
        cargo
    };
    run(&mut cargo(&["fetch", "--quiet"]))?;
    run(&mut cargo(&["clean", "--quiet"]))?;
    let start = Instant::now();
    run(&mut cargo(&["build", "--quiet", "--release"]))?;
    let seconds = start.elapsed().as_secs_f64();
    let built = dir.join("target/release/one_file");
    // It works: the sum of the bytes of a file.
    let manifest = dir.join("Cargo.toml");
    let sum: u64 = fs::read(&manifest)?.into_iter().map(u64::from).sum();
    let said = text(command(&built).arg(&manifest))?;
    anyhow::ensure!(said == sum.to_string(), "printed {said} instead of {sum}");
    let tree = text(&mut cargo(&[
        "tree", "--edges", "normal", "--prefix", "none",
    ]))?;
    let mut crates: Vec<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .collect();
    crates.sort_unstable();
    crates.dedup();
    Ok((fs::metadata(&built)?.len(), crates.len() - 1, seconds))
}
