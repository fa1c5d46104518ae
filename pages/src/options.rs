//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum, ValueHint};

use crate::patterns::Pattern;
use crate::size;
use crate::span::Span;

/// Shows which pages of files are in memory, and loads, evicts, locks and watches them.
///
/// Each file is one line: the share that is in memory, the size of that share, the size of the file,
/// and its name. On a terminal, a picture below it shows where in the file those pages are. A
/// directory, with everything in it, is one line too, unless --verbose shows each file. Files are never
/// changed, and neither are their access times, if the system allows that.
///
/// Options that vmtouch has too have the same letters here, except -h: its hard links are --hard-links.
///
/// What a total reports as left out are symbolic links that are not followed, further names of a file
/// that was already counted, files that an option excludes, and what is neither a file nor a directory.
#[derive(Parser)]
#[command(
    name = "pages",
    version,
    max_term_width = 100,
    args_override_self = true
)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Options {
    /// Files and directories
    #[arg(value_hint = ValueHint::AnyPath, required_unless_present_any = ["files_from", "completions", "man"])]
    pub files: Vec<PathBuf>,

    /// Load the pages into memory first
    #[arg(
        long,
        short = 't',
        visible_alias = "touch",
        conflicts_with = "evict",
        help_heading = "What to do"
    )]
    pub load: bool,

    /// Evict the pages from memory first
    ///
    /// Dirty pages are written to the disk first. Pages that a program has mapped or locked stay in
    /// memory, and so do files on file systems that exist only in memory.
    #[arg(long, short, conflicts_with = "lock", help_heading = "What to do")]
    pub evict: bool,

    /// Load the pages into memory, and keep them there until a signal: Ctrl-C, or one sent by kill
    ///
    /// Without privilege, a process may lock as much memory as `ulimit -l` reports.
    #[arg(long, short, visible_short_alias = 'L', help_heading = "What to do")]
    pub lock: bool,

    /// With --lock: write the process number to this file once all files are locked, and remove the
    /// file at the end
    #[arg(long, short = 'P', value_name = "FILE", requires = "lock", value_hint = ValueHint::FilePath, help_heading = "What to do")]
    pub pid_file: Option<PathBuf>,

    /// Show the files again every SECONDS seconds (2 by default), until a signal
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

    /// Look only at this range of each file
    ///
    /// START-END, START-, -END or END, in bytes. The suffixes K, M, G, T, P and E stand for powers of 1024.
    /// A page is shown and loaded if any of its bytes are in the range, and evicted if all of them are.
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

    /// Skip files that are larger than this
    #[arg(long, short, value_name = "SIZE", value_parser = size::parse, help_heading = "Which files")]
    pub max_size: Option<u64>,

    /// Skip files and directories that match this pattern (may be repeated)
    ///
    /// A pattern with a slash is compared with the whole path, and any other with the name. `*`, `?`,
    /// `[...]` and, in paths, `**` mean what they mean in a shell.
    #[arg(long, short, value_name = "PATTERN", help_heading = "Which files")]
    pub ignore: Vec<Pattern>,

    /// Skip files that match none of these patterns (may be repeated)
    #[arg(
        long,
        short = 'I',
        value_name = "PATTERN",
        help_heading = "Which files"
    )]
    pub only: Vec<Pattern>,

    /// Follow all symbolic links, not only those on the command line
    #[arg(long, short, help_heading = "Which files")]
    pub follow: bool,

    /// Follow no symbolic links
    #[arg(long, conflicts_with = "follow", help_heading = "Which files")]
    pub no_follow: bool,

    /// Do not go into directories on other file systems
    #[arg(long, short = 'F', help_heading = "Which files")]
    pub one_file_system: bool,

    /// Count a file with several names once for each name
    #[arg(long, help_heading = "Which files")]
    pub hard_links: bool,

    /// Read the names of more files from this file, one per line; `-` is standard input
    #[arg(long, short = 'b', value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Which files")]
    pub files_from: Option<PathBuf>,

    /// With --files-from: names end with NUL instead of newline, as `find -print0` writes them
    #[arg(
        long,
        short = '0',
        requires = "files_from",
        help_heading = "Which files"
    )]
    pub null: bool,

    /// Show each file of a directory, with more details
    #[arg(long, short, conflicts_with = "quiet", help_heading = "What to show")]
    pub verbose: bool,

    /// Show nothing but errors
    #[arg(long, short, conflicts_with = "json", help_heading = "What to show")]
    pub quiet: bool,

    /// Write JSON: one object, with an entry for each file
    ///
    /// For a name that is not UTF-8, `path_base64` holds its bytes.
    #[arg(long, short, help_heading = "What to show")]
    pub json: bool,

    /// Write a heat map to this SVG file, with a row for each file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to show")]
    pub svg: Option<PathBuf>,

    /// When to draw pictures
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "What to show"
    )]
    pub picture: When,

    /// The width of a picture in columns [default: that of the terminal, or 80]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(1..), help_heading = "What to show")]
    pub width: Option<u16>,

    /// When to use colours; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "What to show"
    )]
    pub color: When,

    /// Write completions for this shell, and exit
    #[arg(
        long,
        value_name = "SHELL",
        exclusive = true,
        help_heading = "Installation"
    )]
    pub completions: Option<clap_complete::Shell>,

    /// Write the manual page, and exit
    #[arg(long, exclusive = true, help_heading = "Installation")]
    pub man: bool,
}

impl Options {
    /// Whether only one file or directory was named.
    pub fn is_sole(&self) -> bool {
        self.files.len() == 1 && self.files_from.is_none()
    }
}

/// When to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}

impl When {
    /// Whether to do it; `auto` decides if the user has not.
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
    let wrong = || format!("`{text}` is not a time: give seconds, from 0.1 to 86400 (a day)");
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
