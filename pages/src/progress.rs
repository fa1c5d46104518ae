//! Progress on standard error, once work takes longer than a moment.

use std::io::{self, IsTerminal, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::escape;
use crate::size::short;

/// How long work may take before progress is shown.
const MOMENT: Duration = Duration::from_millis(500);

/// How often the display changes.
const TICK: Duration = Duration::from_millis(100);

/// The size from which it is worth showing how much of a file is done.
const LARGE: u64 = 32 << 20;

/// What is shown for small files, and for a large one.
const TEMPLATES: [&str; 2] = [
    "{spinner} {prefix} {wide_msg}",
    "{spinner} {prefix} {bar:8} {percent:>3}% {wide_msg}",
];

/// The callback that gets the number of bytes of a file that were just done. Its error stops the
/// work on the file.
pub type Done<'a> = &'a mut dyn FnMut(u64) -> io::Result<()>;

/// How far the work has got: the files that are done, and how much of the current one.
pub struct Progress {
    /// Hidden until it is time, and always hidden if nobody would see it.
    pub bar: ProgressBar,
    styles: [ProgressStyle; 2],
    wanted: bool,
    next: Instant,
    files: u64,
    /// Of all files, and of the current one.
    bytes: u64,
    here: u64,
}

impl Progress {
    /// Shown if `wanted` and standard error is a terminal; in ASCII, unless `unicode`.
    pub fn new(wanted: bool, unicode: bool) -> Self {
        let (ticks, fill) = if unicode {
            ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", "█░")
        } else {
            ("-\\|/ ", "#.")
        };
        let style = |template| {
            // (The test below would find a wrong template.)
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_spinner())
                .tick_chars(ticks)
                .progress_chars(fill)
        };
        Self {
            bar: ProgressBar::hidden(),
            styles: TEMPLATES.map(style),
            wanted: wanted && stderr().is_terminal(),
            next: Instant::now() + MOMENT,
            files: 0,
            bytes: 0,
            here: 0,
        }
    }

    /// A file begins, which takes work on that many bytes.
    pub fn file(&mut self, path: &Path, len: u64) {
        self.files += 1;
        self.here = 0;
        self.draw(path, len);
    }

    /// That many more bytes of it are done.
    pub fn add(&mut self, path: &Path, len: u64, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.here = self.here.saturating_add(bytes);
        self.draw(path, len);
    }

    fn draw(&mut self, path: &Path, len: u64) {
        if !self.wanted || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + TICK;
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let files = format!("{} files {:>5}", self.files, short(self.bytes));
        self.bar
            .set_style(self.styles[usize::from(len >= LARGE)].clone());
        self.bar.set_prefix(files);
        self.bar.set_length(len);
        self.bar.set_position(self.here);
        self.bar.set_message(escape::name(path));
        self.bar.tick();
    }

    /// The work is over: clears the display.
    pub fn end(&mut self) {
        self.wanted = false;
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_some() {
        for template in TEMPLATES {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
