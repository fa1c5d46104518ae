//! One run over all files, and then the locks.

use std::cell::Cell;
use std::io;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use indicatif::ProgressBar;
use unix_memory::SharedMapping;

use crate::heat::Heat;
use crate::inputs;
use crate::json::Json;
use crate::options::Options;
use crate::pid_file::PidFile;
use crate::progress::Progress;
use crate::report::Output;
use crate::scan::Scan;
use crate::signals::{ENDING, listen};
use crate::size::short;
use crate::stderr::note;
use crate::stdout::Stdout;
use crate::terminal::Terminal;
use crate::text::{Quiet, Text};

/// Does all that the options request; returns whether every file was processed. An error means that
/// nothing more can be done.
pub fn run(options: &Options) -> io::Result<bool> {
    let signals = if options.lock {
        Some(listen(&ENDING)?)
    } else {
        None
    };
    let mut pid_file = match &options.pid_file {
        Some(path) => Some(PidFile::claim(path)?),
        None => None,
    };
    let mut heat = match &options.svg {
        Some(path) => Some(Heat::create(path)?),
        None => None,
    };
    let terminal = Terminal::of(options.color, options.picture, options.width);
    let mut progress = Progress::new(!options.quiet, terminal.unicode);
    let mut output = output(options, terminal, progress.bar.clone());
    let mut both;
    let output: &mut dyn Output = match &mut heat {
        Some(heat) => {
            both = Both(&mut *output, heat);
            &mut both
        }
        None => &mut *output,
    };

    let start = Instant::now();
    let is_over = Cell::new(false);
    let stopped = || {
        let ended = |signals: &Receiver<_>| signals.try_recv().is_ok();
        is_over.set(is_over.get() || signals.as_ref().is_some_and(ended));
        is_over.get()
    };
    let mut scan = Scan::new(options, output, &mut progress, &stopped);
    let mut list_error = None;
    for name in inputs::names(options, &stopped)? {
        match name {
            Ok(path) => scan.named(&path)?,
            Err(error) => list_error = Some(error),
        }
    }
    let (totals, held) = (scan.totals, scan.held);
    progress.end();
    output.end(&totals, start.elapsed().as_secs_f64())?;
    if let Some(heat) = heat {
        heat.write()?;
    }
    if let Some(error) = list_error {
        return Err(error);
    }
    let all_well = totals.failed == 0;
    let Some(signals) = &signals else {
        return Ok(all_well);
    };
    if stopped() {
        // Not every file was processed.
        return Ok(false);
    }
    if held.is_empty() {
        return Ok(all_well);
    }
    if let Some(file) = pid_file.as_mut().filter(|_| all_well) {
        file.write()?;
    }
    if !options.quiet {
        let bytes: usize = held.iter().map(SharedMapping::len).sum();
        note(&format!(
            "{} locked, until a signal ends process {}",
            short(bytes as u64),
            std::process::id()
        ));
    }
    // This does not fail, since the thread that sends never ends.
    let _signal = signals.recv();
    Ok(all_well)
}

fn output(options: &Options, terminal: Terminal, progress: ProgressBar) -> Box<dyn Output> {
    if options.quiet {
        return Box::new(Quiet { progress });
    }
    let out = Stdout::buffered();
    if options.json {
        return Box::new(Json::new(out, progress));
    }
    Box::new(Text {
        out,
        terminal,
        verbose: options.verbose,
        is_sole: options.is_sole(),
        always_sum: options.load || options.evict || options.lock,
        is_frame: false,
        progress,
        rows: 0,
    })
}

/// Goes to two places.
struct Both<'a>(&'a mut dyn Output, &'a mut Heat);

impl Output for Both<'_> {
    fn file(&mut self, report: &crate::report::Report) -> io::Result<()> {
        self.1.add(report);
        self.0.file(report)
    }

    fn failed(&mut self, path: &std::path::Path, message: &str) -> io::Result<()> {
        self.0.failed(path, message)
    }

    fn hidden(&mut self, path: &std::path::Path, message: &str) -> io::Result<()> {
        self.0.hidden(path, message)
    }

    fn directory(
        &mut self,
        path: &std::path::Path,
        totals: &crate::figures::Totals,
    ) -> io::Result<()> {
        self.0.directory(path, totals)
    }

    fn end(&mut self, totals: &crate::figures::Totals, seconds: f64) -> io::Result<()> {
        self.0.end(totals, seconds)
    }
}
