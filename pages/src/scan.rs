//! Going through the files, one at a time.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use unix_memory::{ReadOnly, SharedMapping, page_size};
use walkdir::{DirEntry, WalkDir};

use crate::figures::{Cached, Figures, Totals};
use crate::kernel::Answer;
use crate::map;
use crate::open::{message, not_regular, open};
use crate::options::Options;
use crate::progress::Progress;
use crate::report::{Output, Report};
use crate::runs::Runs;
use crate::{act, kernel, residency};

/// Why the pages of a file are not shown.
const DENIED: &str = "the kernel shows which pages are in memory only to the file's owner and to \
                      those who may write to it";

/// The work on all files.
pub struct Scan<'a> {
    options: &'a Options,
    output: &'a mut dyn Output,
    progress: &'a mut Progress,
    /// Whether to stop now, before everything is done.
    stopped: &'a dyn Fn() -> bool,
    /// Device and inode number of each file that may appear again under another name.
    seen: HashSet<(u64, u64)>,
    pub totals: Totals,
    /// The files that are locked.
    pub held: Vec<SharedMapping<ReadOnly>>,
}

/// Why a file was not shown.
enum Miss {
    /// It is left out, because of the options or because it was seen before.
    LeftOut,
    /// The kernel does not show its pages to this process; the requested action was done.
    Denied,
    /// A signal ended the work on it.
    Stopped,
    Failed(io::Error),
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// How a file was found.
#[derive(Clone, Copy)]
struct Found {
    /// Whether it was named, rather than found in a directory.
    named: bool,
    /// Whether symbolic links are followed to it.
    follow: bool,
}

impl<'a> Scan<'a> {
    pub fn new(
        options: &'a Options,
        output: &'a mut dyn Output,
        progress: &'a mut Progress,
        stopped: &'a dyn Fn() -> bool,
    ) -> Self {
        Self {
            options,
            output,
            progress,
            stopped,
            seen: HashSet::new(),
            totals: Totals::default(),
            held: Vec::new(),
        }
    }

    /// Processes what was named: a file, or all of a directory. The errors are those of output.
    pub fn named(&mut self, path: &Path) -> io::Result<()> {
        let mut totals = Totals::default();
        match self.kind(path) {
            Err(Miss::Failed(error)) => self.failed(path, &message(&error), &mut totals)?,
            Err(_) => totals.skipped = 1,
            Ok(metadata) if metadata.is_dir() => {
                self.directory(path, &mut totals)?;
                self.output.directory(path, &totals)?;
            }
            Ok(metadata) if metadata.is_file() => {
                let found = Found {
                    named: true,
                    follow: !self.options.no_follow,
                };
                match self.file(path, found, &mut totals)? {
                    Some(Miss::Denied) => self.denied(path, DENIED, 1, &mut totals)?,
                    Some(Miss::Failed(error)) => {
                        self.failed(path, &message(&error), &mut totals)?;
                    }
                    Some(Miss::LeftOut | Miss::Stopped) | None => {}
                }
            }
            Ok(metadata) => {
                let error = not_regular(metadata.file_type());
                self.failed(path, &message(&error), &mut totals)?;
            }
        }
        self.totals += totals;
        Ok(())
    }

    /// What a name stands for.
    fn kind(&self, path: &Path) -> Result<Metadata, Miss> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_symlink() {
            return Ok(metadata);
        }
        if self.options.no_follow {
            return Err(Miss::LeftOut);
        }
        Ok(fs::metadata(path)?)
    }

    fn directory(&mut self, path: &Path, totals: &mut Totals) -> io::Result<()> {
        let options = self.options;
        let found = Found {
            named: false,
            follow: options.follow,
        };
        let device = if options.one_file_system {
            fs::metadata(path).ok().map(|root| root.dev())
        } else {
            None
        };
        let is_let_in = |entry: &DirEntry| {
            let is_elsewhere = |device| {
                let is_on = |entry: Metadata| entry.dev() == device;
                entry.file_type().is_dir() && !entry.metadata().is_ok_and(is_on)
            };
            !options.ignore.iter().any(|it| it.matches(entry.path()))
                && !device.is_some_and(is_elsewhere)
        };
        let mut denied = 0_u64;
        let mut entries = WalkDir::new(path)
            .follow_links(options.follow)
            .sort_by_file_name()
            .into_iter();
        while let Some(entry) = entries.next() {
            if (self.stopped)() {
                break;
            }
            match entry {
                // The directory itself, whatever its name, even through a link.
                Ok(entry) if entry.depth() == 0 => {}
                Ok(entry) if !is_let_in(&entry) => {
                    totals.skipped += 1;
                    if entry.file_type().is_dir() {
                        entries.skip_current_dir();
                    }
                }
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => {
                    match self.file(entry.path(), found, totals)? {
                        Some(Miss::Denied) if options.verbose || options.json => {
                            self.denied(entry.path(), DENIED, 1, totals)?;
                        }
                        Some(Miss::Denied) => denied += 1,
                        Some(Miss::Failed(error)) => {
                            self.failed(entry.path(), &of_found(&error), totals)?;
                        }
                        Some(Miss::LeftOut | Miss::Stopped) | None => {}
                    }
                }
                Ok(_link_or_no_file) => totals.skipped += 1,
                Err(error) => {
                    let at = error.path().unwrap_or(path).to_owned();
                    self.failed(&at, &of_walk(&error), totals)?;
                }
            }
        }
        if denied > 0 {
            let files = if denied == 1 { "file is" } else { "files are" };
            let message = format!("{denied} {files} not shown: {DENIED}");
            self.denied(path, &message, denied, totals)?;
        }
        Ok(())
    }

    /// Processes a file; returns the reason if it was not processed.
    fn file(&mut self, path: &Path, found: Found, totals: &mut Totals) -> io::Result<Option<Miss>> {
        match self.examine(path, found) {
            Ok(report) => {
                totals.files += 1;
                totals.figures += report.figures;
                self.output.file(&report)?;
                Ok(None)
            }
            Err(Miss::Failed(_)) if (self.stopped)() => Ok(Some(Miss::Stopped)),
            Err(miss) => {
                totals.skipped += u64::from(matches!(miss, Miss::LeftOut));
                Ok(Some(miss))
            }
        }
    }

    /// Does with a file what the options request, and looks at it.
    fn examine(&mut self, path: &Path, found: Found) -> Result<Report, Miss> {
        let options = self.options;
        let matches = |patterns: &[crate::patterns::Pattern]| {
            patterns.iter().any(|pattern| pattern.matches(path))
        };
        if matches(&options.ignore) || !options.only.is_empty() && !matches(&options.only) {
            return Err(Miss::LeftOut);
        }
        let (file, metadata) = open(path, found.follow)?;
        let size = metadata.len();
        if options.max_size.is_some_and(|most| size > most) || self.was_seen(&metadata) {
            return Err(Miss::LeftOut);
        }
        let bytes = options.range.of(size);
        let len = bytes.end - bytes.start;
        self.progress.file(path, len);
        let (progress, stopped) = (&mut *self.progress, self.stopped);
        let mut acted = |done| {
            progress.add(path, len, done);
            if stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Ok(())
        };
        let mut report = Report {
            path: path.to_owned(),
            named: found.named,
            size,
            bytes,
            figures: Figures::default(),
            runs: Runs::default(),
            locked: false,
        };
        // For an empty file there is nothing to do; files of /proc, which report that they are empty, are
        // never in the cache.
        if report.bytes.is_empty() {
            return Ok(report);
        }
        if options.evict {
            kernel::evict(&file, &report.bytes)?;
        }
        if options.load {
            act::load(&file, &report.bytes, &mut acted)?;
        }
        if options.lock {
            self.held.push(act::lock(&file, &report.bytes, &mut acted)?);
            report.locked = true;
        }
        let cached = match kernel::cached(&file, &report.bytes) {
            Answer::Cached(cached) => Some(cached),
            Answer::Unknown if kernel::shows_pages(path, &metadata) => None,
            Answer::Unknown | Answer::Denied => return Err(Miss::Denied),
        };
        let acts = options.load || options.lock;
        // What was acted on has been counted.
        let mut looked = |done| acted(if acts { 0 } else { done });
        report.runs = residency::look(&file, &report.bytes, cached, &mut looked)?;
        report.figures = figures(&report, cached);
        Ok(report)
    }

    /// Whether the file was seen before, under this name or another.
    fn was_seen(&mut self, metadata: &Metadata) -> bool {
        let options = self.options;
        let may_come_again = metadata.nlink() > 1 || !options.is_sole() || options.follow;
        may_come_again && !options.hard_links && !self.seen.insert((metadata.dev(), metadata.ino()))
    }

    fn failed(&mut self, path: &Path, message: &str, totals: &mut Totals) -> io::Result<()> {
        totals.failed += 1;
        self.output.failed(path, message)
    }

    /// Reports that the kernel does not show the pages of `files` files: this is a failure unless something
    /// else was requested.
    fn denied(
        &mut self,
        path: &Path,
        message: &str,
        files: u64,
        totals: &mut Totals,
    ) -> io::Result<()> {
        if self.options.load || self.options.evict || self.options.lock {
            totals.files += files;
            totals.hidden += files;
            return self.output.hidden(path, message);
        }
        totals.failed += files;
        self.output.failed(path, message)
    }
}

fn figures(report: &Report, cached: Option<Cached>) -> Figures {
    let page = page_size() as u64;
    let Report { bytes, runs, .. } = report;
    let (first, end) = (bytes.start / page, bytes.end.div_ceil(page));
    let resident = runs.count();
    // The range may include only a part of the first and the last page.
    let mut outside = 0;
    if runs.contains(first) {
        outside += bytes.start - map::page_start(bytes.start);
    }
    if runs.contains(end - 1) {
        outside += end.saturating_mul(page) - bytes.end;
    }
    Figures {
        bytes: bytes.end - bytes.start,
        pages: end - first,
        resident,
        resident_bytes: resident.saturating_mul(page).saturating_sub(outside),
        cached,
    }
}

/// What went wrong with a file that was there when its directory was read.
fn of_found(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        "it was removed before it could be opened".to_owned()
    } else {
        message(error)
    }
}

/// What went wrong while directories were being read.
fn of_walk(error: &walkdir::Error) -> String {
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => format!(
            "this symbolic link leads back to {}",
            crate::escape::name(ancestor)
        ),
        (None, Some(error)) => message(error),
        (None, None) => error.to_string(),
    }
}
