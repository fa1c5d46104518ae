//! Shows which pages of files are in memory, and brings them in, throws them out or keeps them.
//!
//! `cargo run --example pages -- [OPTIONS] [FILE]...`; without a file, its own executable.

mod file;
mod picture;
mod report;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use unix_memory::Advice;

use file::MappedFile;
use report::Report;

/// Shows which pages of files are in memory: how many, and a picture of where.
///
/// Each file is mapped as a whole, and stays as it is. Files that cannot be shown are told on
/// standard error, the others are done all the same, and the exit status is 1.
#[derive(Parser)]
#[command(name = "pages")]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Options {
    /// The files; without any, this program's own executable.
    files: Vec<PathBuf>,

    /// Bring every page into memory first.
    #[arg(long, short, conflicts_with = "evict")]
    load: bool,

    /// Take the pages out of memory first, as far as nobody else uses them. What was not yet
    /// written to disk is written.
    #[arg(long, short, conflicts_with = "lock")]
    evict: bool,

    /// Tell the kernel how the files will be used.
    #[arg(long, short, value_name = "ADVICE", value_parser = advice_parser())]
    advise: Option<Advice>,

    /// Keep the pages in memory until Enter is pressed, or standard input ends.
    #[arg(long, short = 'k')]
    lock: bool,

    /// Print one JSON array, with an object for each file.
    #[arg(long, short)]
    json: bool,

    /// The width of the picture, in columns; without it, that of the terminal, or 80.
    #[arg(long, short, value_name = "COLUMNS")]
    width: Option<u16>,
}

/// The names of the advice values, as in madvise(2) without the prefix.
fn advice_name(advice: Advice) -> String {
    format!("{advice:?}").to_lowercase()
}

fn advice_parser() -> impl clap::builder::TypedValueParser<Value = Advice> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    let names = Advice::ALL.iter().map(|&advice| advice_name(advice));
    PossibleValuesParser::new(names.map(clap::builder::PossibleValue::new)).try_map(|name| {
        let found = Advice::ALL
            .iter()
            .copied()
            .find(|&advice| advice_name(advice) == name);
        found.ok_or("no such advice")
    })
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pages: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does every file; says whether all went well. The error is one of output.
fn run(options: &Options) -> io::Result<bool> {
    let own = || std::env::current_exe().map(|path| vec![path]);
    let paths = if options.files.is_empty() {
        own()?
    } else {
        options.files.clone()
    };
    let width = options
        .width
        .map_or_else(picture::terminal_width, usize::from);

    // All are mapped before any is locked, so that the locks can borrow them to the end.
    let files: Vec<_> = paths
        .iter()
        .map(|path| (path, MappedFile::open(path)))
        .collect();
    let mut locks = Vec::new();
    let mut reports = Vec::new();
    let mut all_well = true;
    let mut out = io::stdout().lock();
    for (path, file) in &files {
        let mut report = Report::new(path);
        if let Err(error) = examine(file, options, &mut locks, &mut report) {
            report.error = Some(error.to_string());
            eprintln!("pages: {}: {error}", path.display());
            all_well = false;
        }
        if options.json {
            reports.push(report);
        } else {
            report.print(&mut out, width)?;
        }
    }
    if options.json {
        serde_json::to_writer_pretty(&mut out, &reports)?;
        writeln!(out)?;
    }
    out.flush()?;
    if options.lock && !locks.is_empty() {
        eprint!(
            "{} of {} files locked; press Enter to let go ",
            locks.len(),
            files.len()
        );
        io::stdin().read_line(&mut String::new())?;
    }
    Ok(all_well)
}

/// Does with one file what the options ask for, and looks at it.
fn examine<'a>(
    file: &'a io::Result<MappedFile>,
    options: &Options,
    locks: &mut Vec<unix_memory::LockGuard<'a>>,
    report: &mut Report,
) -> io::Result<()> {
    // Not cloneable, but its text says it all.
    let file = file
        .as_ref()
        .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    report.size = Some(file.mapping.len());
    if let Some(advice) = options.advise {
        file.mapping.advise(advice)?;
    }
    if options.evict {
        file.evict()?;
    }
    if options.load {
        file.mapping.populate()?;
    }
    if options.lock {
        locks.push(file.mapping.lock()?);
    }
    report.residency = Some(file.residency()?);
    Ok(())
}
