//! `pages`: shows which pages of files are in memory, and loads, evicts, locks and watches them.
//!
//! Files are processed one at a time, so there may be any number, each of any length: `scan` goes through
//! them, by `open`, `act` and `residency`, and hands what it finds to an `Output` of `report`.

mod act;
mod escape;
mod figures;
mod heat;
mod inputs;
mod json;
mod kernel;
mod manual;
mod map;
mod open;
mod options;
mod patterns;
mod picture;
mod pid_file;
mod progress;
mod report;
mod residency;
mod run;
mod runs;
mod scan;
mod signals;
mod size;
mod span;
mod stderr;
mod stdout;
mod terminal;
mod text;
mod vmtouch;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use options::{Options, When};

fn main() -> ExitCode {
    let options = Options::try_parse().unwrap_or_else(|error| vmtouch::explain(error).exit());
    match options.color {
        When::Auto => {}
        When::Always => anstream::ColorChoice::Always.write_global(),
        When::Never => anstream::ColorChoice::Never.write_global(),
    }
    let done = if let Some(shell) = options.completions {
        print(|out| manual::completions(shell, out))
    } else if options.man {
        print(manual::page)
    } else if let Some(every) = options.watch {
        watch::watch(&options, every)
    } else {
        run::run(&options)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The reader of the output has closed it.
            if error.kind() == io::ErrorKind::BrokenPipe {
                signals::end_by_broken_pipe();
            }
            stderr::note(&open::message(&error));
            ExitCode::FAILURE
        }
    }
}

fn print(text: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<bool> {
    let mut bytes = Vec::new();
    text(&mut bytes)?;
    stdout::Stdout.write_all(&bytes)?;
    stdout::Stdout.flush()?;
    Ok(true)
}
