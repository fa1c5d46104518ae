//! What is said on standard error.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};

const RED: Style = AnsiColor::Red.on_default().bold();

/// Says what went wrong with what. (If nobody can be told, the exit status tells it.)
pub fn complain(what: &str, message: &str) {
    let _nobody_reads = writeln!(anstream::stderr(), "{RED}pages:{RED:#} {what}: {message}");
}

/// Says something that is not an error.
pub fn note(message: &str) {
    let _nobody_reads = writeln!(anstream::stderr(), "pages: {message}");
}
