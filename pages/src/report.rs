//! What is reported, in any format.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use unix_memory::page_size;

use crate::figures::{Figures, Totals};
use crate::runs::Runs;

/// What is known about a file.
#[derive(Debug)]
pub struct Report {
    pub path: PathBuf,
    /// Whether it was named, rather than found in a directory.
    pub named: bool,
    /// The length of the file in bytes, and the part of it that was looked at.
    pub size: u64,
    pub bytes: Range<u64>,
    pub figures: Figures,
    /// Pages of the file, counted from its start.
    pub runs: Runs,
    /// Whether it is locked now.
    pub locked: bool,
}

impl Report {
    /// The pages that were looked at, in at most `most` columns: for each, how many of its pages are in
    /// memory, and how many it has.
    pub fn columns(&self, most: usize) -> Vec<(u64, u64)> {
        let first = self.bytes.start / page_size() as u64;
        self.runs.columns(first..first + self.figures.pages, most)
    }
}

/// Where reports go.
pub trait Output {
    /// A file was looked at.
    fn file(&mut self, report: &Report) -> io::Result<()>;

    /// A file or directory could not be looked at.
    fn failed(&mut self, path: &Path, message: &str) -> io::Result<()>;

    /// The requested action was done on a file, or on some of a directory, but its pages are not shown.
    fn hidden(&mut self, path: &Path, message: &str) -> io::Result<()>;

    /// A directory was processed.
    fn directory(&mut self, path: &Path, totals: &Totals) -> io::Result<()>;

    /// All is done.
    fn end(&mut self, totals: &Totals, seconds: f64) -> io::Result<()>;
}

/// The error with the name of what it is about.
pub fn about(what: &str, error: &io::Error) -> io::Error {
    let message = crate::open::message(error);
    io::Error::new(error.kind(), format!("{what}: {message}"))
}
