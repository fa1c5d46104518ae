//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum, ValueHint};

use crate::patterns::Pattern;
use crate::size;
use crate::span::Span;

/// Shows which pages of files are in memory, and loads, evicts, locks and watches them.
///
/// A file is shown on a line: which share of it is in memory, how much that is, its size, its name; and
/// on a terminal a picture below it, of where in the file those pages are. A directory is gone through
/// to its end, and is one line, unless --verbose shows each file. The files are not changed, nor are
/// the times of their last access, as far as the system lets a program leave them alone.
///
/// Where vmtouch has an option, its letter is the same here.
#[derive(Parser)]
#[command(name = "pages", version, max_term_width = 100)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Options {
    /// Files and directories
    #[arg(value_hint = ValueHint::AnyPath, required_unless_present_any = ["files_from", "completions", "man"])]
    pub files: Vec<PathBuf>,

    /// Bring the pages into memory first
    #[arg(
        long,
        short = 't',
        visible_alias = "touch",
        conflicts_with = "evict",
        help_heading = "What to do"
    )]
    pub load: bool,

    /// Take the pages out of memory first
    ///
    /// What was not yet written to the disk is written before. Pages stay that another program has
    /// mapped or locked, and those of file systems that are nowhere but in memory.
    #[arg(long, short, conflicts_with = "lock", help_heading = "What to do")]
    pub evict: bool,

    /// Bring the pages into memory, and keep them there until a signal comes: Ctrl-C, or one by kill
    ///
    /// Without privilege a process may lock as much as `ulimit -l` says.
    #[arg(long, short, help_heading = "What to do")]
    pub lock: bool,

    /// With --lock: once all is locked, write the process's number to this file, which is removed at
    /// the end
    #[arg(long, short = 'P', value_name = "FILE", requires = "lock", value_hint = ValueHint::FilePath, help_heading = "What to do")]
    pub pid_file: Option<PathBuf>,

    /// Show the files again and again, every two seconds or as often as this says, until a signal comes
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2",
        value_parser = seconds,
        conflicts_with_all = ["load", "evict", "lock", "svg", "quiet"],
        help_heading = "What to do"
    )]
    pub watch: Option<Duration>,

    /// Look at this part of each file alone
    ///
    /// START-END, START- or -END: bytes, or with K, M, G and so on powers of 1024. Pages are shown and
    /// loaded that have a byte of it, and evicted if they have no other.
    #[arg(
        long,
        short = 'p',
        value_name = "RANGE",
        default_value = "-",
        hide_default_value = true,
        allow_hyphen_values = true,
        help_heading = "Which files"
    )]
    pub range: Span,

    /// Leave out files that are larger
    #[arg(long, short, value_name = "SIZE", value_parser = size::parse, help_heading = "Which files")]
    pub max_size: Option<u64>,

    /// Leave out files and directories that match this pattern (may be repeated)
    ///
    /// A pattern is one of names, or, with a slash in it, of whole paths; `*`, `?`, `[...]`, and in
    /// paths `**`, mean what they do in a shell.
    #[arg(long, short, value_name = "PATTERN", help_heading = "Which files")]
    pub ignore: Vec<Pattern>,

    /// Leave out files that match none of these patterns (may be repeated)
    #[arg(
        long,
        short = 'I',
        value_name = "PATTERN",
        help_heading = "Which files"
    )]
    pub only: Vec<Pattern>,

    /// Follow symbolic links everywhere, and not only those that are named on the command line
    #[arg(long, short, help_heading = "Which files")]
    pub follow: bool,

    /// Follow no symbolic link
    #[arg(long, conflicts_with = "follow", help_heading = "Which files")]
    pub no_follow: bool,

    /// Do not go into directories on other file systems
    #[arg(long, short = 'F', help_heading = "Which files")]
    pub one_file_system: bool,

    /// Count a file once for each of its names, and not once
    #[arg(long, help_heading = "Which files")]
    pub hard_links: bool,

    /// Read the names of more files from this file, one in a line; from standard input if it is `-`
    #[arg(long, short = 'b', value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Which files")]
    pub files_from: Option<PathBuf>,

    /// With --files-from: the names end with NUL, as `find -print0` has them
    #[arg(
        long,
        short = '0',
        requires = "files_from",
        help_heading = "Which files"
    )]
    pub null: bool,

    /// Show each file of a directory, and more figures
    #[arg(long, short, conflicts_with = "quiet", help_heading = "What to show")]
    pub verbose: bool,

    /// Show errors alone
    #[arg(long, short, conflicts_with = "json", help_heading = "What to show")]
    pub quiet: bool,

    /// Write JSON: one object, with an entry for each file
    ///
    /// A name that is not UTF-8 has its bytes in `path_base64` as well.
    #[arg(long, short, help_heading = "What to show")]
    pub json: bool,

    /// Write a heat map of the files to this SVG file, each a row
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to show")]
    pub svg: Option<PathBuf>,

    /// Whether to draw pictures
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "What to show"
    )]
    pub picture: When,

    /// How many columns a picture may have; those of the terminal, or 80, if this is not given
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(1..), help_heading = "What to show")]
    pub width: Option<u16>,

    /// Whether to write in colour; by itself, on a terminal unless `NO_COLOR` is set
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "What to show"
    )]
    pub color: When,

    /// Write the completions for this shell, and end
    #[arg(
        long,
        value_name = "SHELL",
        exclusive = true,
        help_heading = "To install"
    )]
    pub completions: Option<clap_complete::Shell>,

    /// Write the manual page, and end
    #[arg(long, exclusive = true, help_heading = "To install")]
    pub man: bool,
}

impl Options {
    /// Whether no more than one thing was named.
    pub fn is_sole(&self) -> bool {
        self.files.len() == 1 && self.files_from.is_none()
    }
}

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}

impl When {
    /// Whether it is done, if `auto` decides where nobody has.
    pub fn or(self, auto: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Auto => auto(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Reads a time in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time: write seconds, from 0.1 to a day's 86400");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (0.1..=86400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "0", "-1", "x", "inf", "NaN", "1e9"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
