//! Standard output, whose errors name it.

use std::io::{self, IsTerminal, Write, stdout};

use crate::report::about;

/// Standard output.
pub struct Stdout;

impl Stdout {
    /// A line at a time on a terminal; otherwise in large pieces.
    pub fn buffered() -> Box<dyn Write> {
        if stdout().is_terminal() {
            Box::new(io::LineWriter::new(Self))
        } else {
            Box::new(io::BufWriter::with_capacity(1 << 16, Self))
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        stdout().lock().write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        stdout().lock().flush().map_err(named)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "what map_err gives")]
fn named(error: io::Error) -> io::Error {
    about("standard output", &error)
}
