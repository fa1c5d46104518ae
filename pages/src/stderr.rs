//! Messages on standard error.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};

const RED: Style = AnsiColor::Red.on_default().bold();

/// Reports what went wrong with what. (If that cannot be written, the exit status still shows it.)
pub fn complain(what: &str, message: &str) {
    let _nobody_reads = writeln!(anstream::stderr(), "{RED}pages:{RED:#} {what}: {message}");
}

/// Reports something that is not an error.
pub fn note(message: &str) {
    let _nobody_reads = writeln!(anstream::stderr(), "pages: {message}");
}
