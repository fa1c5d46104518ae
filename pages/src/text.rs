//! Reports as lines of text.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use indicatif::ProgressBar;

use crate::escape;
use crate::figures::{Figures, Totals};
use crate::picture;
use crate::report::{Output, Report};
use crate::size::{percent, short};
use crate::stderr::{complain, note};
use crate::terminal::Terminal;

/// Writes a line for each directory, and for each file that was named, or for every file.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub struct Text<W> {
    pub out: W,
    pub terminal: Terminal,
    pub verbose: bool,
    /// Whether there is only one directory, so that the total says everything.
    pub is_sole: bool,
    /// Whether the total is shown even if there is only one line.
    pub always_sum: bool,
    /// Whether `out` is a picture of the whole screen, in which lines must fit, and errors are shown
    /// too.
    pub is_frame: bool,
    /// The progress display, which must be hidden while something is written.
    pub progress: ProgressBar,
    /// How many lines there were.
    pub rows: u64,
}

impl<W: Write> Text<W> {
    fn write(&mut self, lines: &[&str]) -> io::Result<()> {
        let out = &mut self.out;
        self.progress.suspend(|| {
            let mut lines = lines.iter();
            lines.try_for_each(|line| writeln!(out, "{line}"))
        })
    }

    /// `100%    36K of   36K  name  (notes)`
    fn row(&self, figures: &Figures, name: Name<'_>, notes: &[String]) -> String {
        let share = percent(figures.resident, figures.pages);
        let (resident, all) = (short(figures.resident_bytes), short(figures.bytes));
        let start = format!("{share:>4}  {resident:>5} of {all:>5}  ");
        let notes = match notes {
            [] => String::new(),
            notes => format!("  ({})", notes.join(", ")),
        };
        let (Name::OfFile(text) | Name::OfMany(text)) = name;
        let row = format!("{start}{text}{notes}");
        if let (false, Some(columns)) = (self.is_frame, self.terminal.breaks_after) {
            // A name stays whole, so that it can be copied; notes are broken only between words.
            return match name {
                _ if escape::width(&row) <= columns => row,
                Name::OfFile(_) if notes.is_empty() => row,
                Name::OfFile(_) => {
                    let notes = format!("{:INDENT$}{}", "", notes.trim_start());
                    let notes = escape::folded(&notes, columns, INDENT);
                    format!("{start}{text}\n{notes}")
                }
                Name::OfMany(_) => escape::folded(&row, columns, INDENT),
            };
        }
        if !self.is_frame {
            return row;
        }
        // Notes that have no room beside the name are left out.
        let unicode = self.terminal.unicode;
        let columns = self.terminal.columns.saturating_sub(start.len());
        let name = match name {
            Name::OfFile(text) => escape::end_of(text, columns, unicode),
            Name::OfMany(text) => escape::start_of(text, columns, unicode),
        };
        let row = start + &name + &notes;
        escape::start_of(&row, self.terminal.columns, unicode)
    }

    /// The notes about `figures`.
    fn notes(&self, figures: &Figures) -> Vec<String> {
        let mut notes = Vec::new();
        if self.verbose {
            notes.push(format!("{} of {}", figures.resident, pages(figures.pages)));
        }
        if let Some(cached) = figures.cached {
            if cached.dirty > 0 {
                notes.push(format!("{} dirty", pages(cached.dirty)));
            }
            if cached.writeback > 0 {
                notes.push(format!("{} being written", pages(cached.writeback)));
            }
            if self.verbose && cached.evicted > 0 {
                notes.push(format!("{} evicted before", pages(cached.evicted)));
            }
        }
        notes
    }
}

impl<W: Write> Output for Text<W> {
    fn file(&mut self, report: &Report) -> io::Result<()> {
        if !report.named && !self.verbose {
            return Ok(());
        }
        self.rows += 1;
        let figures = &report.figures;
        let mut notes = self.notes(figures);
        if report.bytes.end - report.bytes.start < report.size {
            notes.push(format!("part of {}", short(report.size)));
        }
        if report.locked {
            notes.push("locked".to_owned());
        }
        let row = self.row(figures, Name::OfFile(&escape::name(&report.path)), &notes);
        if self.terminal.picture && figures.pages > 0 {
            let picture = picture::draw(report, &self.terminal);
            self.write(&[&row, &picture])
        } else {
            self.write(&[&row])
        }
    }

    fn failed(&mut self, path: &Path, message: &str) -> io::Result<()> {
        let name = escape::name(path);
        if self.is_frame {
            let line = format!("{name}: {message}");
            let line = escape::end_of(&line, self.terminal.columns, self.terminal.unicode);
            return self.write(&[&line]);
        }
        self.out.flush()?;
        self.progress.suspend(|| complain(&name, message));
        Ok(())
    }

    fn hidden(&mut self, path: &Path, message: &str) -> io::Result<()> {
        let name = escape::name(path);
        self.out.flush()?;
        self.progress
            .suspend(|| note(&format!("{name}: done, but {message}")));
        Ok(())
    }

    fn directory(&mut self, path: &Path, totals: &Totals) -> io::Result<()> {
        if self.is_sole && self.verbose {
            return Ok(());
        }
        self.rows += 1;
        let name = format!("{}: {}", escape::name(path), files(totals.files));
        let notes = self.notes(&totals.figures);
        let row = self.row(&totals.figures, Name::OfMany(&name), &notes);
        self.write(&[&row])
    }

    fn end(&mut self, totals: &Totals, seconds: f64) -> io::Result<()> {
        if self.rows + totals.failed > 1 || self.always_sum || self.verbose {
            let figures = &totals.figures;
            let mut name = format!(
                "total: {}, {} of {}",
                files(totals.files),
                figures.resident,
                pages(figures.pages)
            );
            for (count, what) in [
                (totals.failed, "failed"),
                (totals.hidden, "not shown"),
                (totals.skipped, "left out"),
            ] {
                if count > 0 {
                    let _never_fails = write!(name, ", {count} {what}");
                }
            }
            let _never_fails = write!(name, ", {seconds:.3} s");
            let row = self.row(figures, Name::OfMany(&name), &[]);
            self.write(&[&row])?;
        }
        self.out.flush()
    }
}

/// The subject of a line. If there is not enough room, only the end of a file's name is shown.
#[derive(Clone, Copy)]
enum Name<'a> {
    OfFile(&'a str),
    OfMany(&'a str),
}

/// Reports nothing but errors.
pub struct Quiet {
    pub progress: ProgressBar,
}

impl Output for Quiet {
    fn file(&mut self, _: &Report) -> io::Result<()> {
        Ok(())
    }

    fn failed(&mut self, path: &Path, message: &str) -> io::Result<()> {
        self.progress
            .suspend(|| complain(&escape::name(path), message));
        Ok(())
    }

    fn hidden(&mut self, _: &Path, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn directory(&mut self, _: &Path, _: &Totals) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &Totals, _: f64) -> io::Result<()> {
        Ok(())
    }
}

/// The indentation of the second line of a row, in columns.
const INDENT: usize = 6;

fn pages(count: u64) -> String {
    format!("{count} page{}", if count == 1 { "" } else { "s" })
}

fn files(count: u64) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}
