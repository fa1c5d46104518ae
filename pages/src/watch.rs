//! Showing the files repeatedly.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use signal_hook::consts::SIGWINCH;

use crate::inputs;
use crate::json::Json;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::Output;
use crate::scan::Scan;
use crate::signals::{ENDING, listen};
use crate::stdout::Stdout;
use crate::terminal::{Terminal, size};
use crate::text::Text;

/// Shows the files until a signal ends it; returns whether everything succeeded the last time.
pub fn watch(options: &Options, every: Duration) -> io::Result<bool> {
    // Until all names have been read, a signal ends the program as usual.
    let names: Vec<PathBuf> = inputs::names(options, &|| false)?.collect::<Result<_, _>>()?;
    let signals = listen(&[&ENDING[..], &[SIGWINCH]].concat())?;
    let screen = Screen::take(options)?;
    let is_over = Cell::new(false);
    let stopped = || {
        let ended = signals.try_iter().any(|signal| signal != SIGWINCH);
        is_over.set(is_over.get() || ended);
        is_over.get()
    };
    loop {
        let (frame, all_well) = frame(options, &names, &screen, &stopped)?;
        if is_over.get() {
            return Ok(all_well);
        }
        screen.show(&frame)?;
        match wait(&signals, every) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Ok(all_well),
        }
    }
}

/// Waits for the next time; returns whether there is one.
fn wait(signals: &Receiver<i32>, every: Duration) -> Result<bool, RecvTimeoutError> {
    match signals.recv_timeout(every) {
        Ok(SIGWINCH) | Err(RecvTimeoutError::Timeout) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What to show now, and whether everything succeeded.
fn frame(
    options: &Options,
    names: &[PathBuf],
    screen: &Screen,
    stopped: &dyn Fn() -> bool,
) -> io::Result<(Vec<u8>, bool)> {
    let mut terminal = Terminal::of(options.color, options.picture, options.width);
    if screen.is_terminal {
        // A line that is too long would displace the others.
        terminal.columns = terminal.columns.min(size().0);
    }
    let mut frame = Vec::new();
    let mut output: Box<dyn Output + '_> = if options.json {
        Box::new(Json::new(&mut frame, ProgressBar::hidden()))
    } else {
        Box::new(Text {
            out: &mut frame,
            terminal,
            verbose: options.verbose,
            is_sole: options.is_sole(),
            always_sum: true,
            is_frame: screen.is_terminal,
            progress: ProgressBar::hidden(),
            rows: 0,
        })
    };
    let start = Instant::now();
    let mut progress = Progress::new(false, terminal.unicode);
    let mut scan = Scan::new(options, &mut *output, &mut progress, stopped);
    for name in names {
        if stopped() {
            break;
        }
        scan.named(name)?;
    }
    let totals = scan.totals;
    output.end(&totals, start.elapsed().as_secs_f64())?;
    drop(output);
    Ok((frame, totals.failed == 0))
}

/// Standard output: the alternate screen of a terminal, which is left at the end, or else one frame after
/// another.
struct Screen {
    is_terminal: bool,
}

impl Screen {
    fn take(options: &Options) -> io::Result<Self> {
        let is_terminal = std::io::stdout().is_terminal() && !options.json;
        if is_terminal {
            // The alternate screen, without a cursor.
            write_out(b"\x1b[?1049h\x1b[?25l")?;
        }
        Ok(Self { is_terminal })
    }

    fn show(&self, frame: &[u8]) -> io::Result<()> {
        if !self.is_terminal {
            return write_out(&[frame, b"\n"].concat());
        }
        let text = String::from_utf8_lossy(frame);
        write_out(fit(&text, size().1).as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.is_terminal {
            let _nobody_sees = write_out(b"\x1b[?25h\x1b[?1049l");
        }
    }
}

/// Writes the lines of a frame over those of the frame before. If there are more lines than the screen
/// has, some in the middle are left out.
fn fit(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let room = most.saturating_sub(1).max(2);
    let left_out = format!("... {} lines more", (lines.len() + 1).saturating_sub(room));
    let shown: Vec<&str> = if lines.len() > room {
        let last = lines[lines.len() - 1];
        let first = &lines[..room - 2];
        first.iter().copied().chain([&*left_out, last]).collect()
    } else {
        lines
    };
    // Each line is erased before it is written, since nothing can be erased after a full line; at the end,
    // everything below is erased.
    let lines = shown.iter().map(|line| format!("\x1b[2K{line}\r\n"));
    format!("\x1b[H{}\x1b[J", lines.collect::<String>())
}

fn write_out(bytes: &[u8]) -> io::Result<()> {
    Stdout.write_all(bytes)?;
    Stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_frame_fits_the_screen() {
        let lines = |most| {
            let shown = fit("1\n2\n3\n4\n5\n", most);
            let shown = shown.replace("\x1b[H", "").replace("\x1b[J", "");
            shown.replace("\x1b[2K", "").replace("\r\n", " ")
        };
        assert_eq!(lines(6), "1 2 3 4 5 ");
        assert_eq!(lines(5), "1 2 ... 2 lines more 5 ");
        assert_eq!(lines(4), "1 ... 3 lines more 5 ");
        assert_eq!(lines(1), "... 4 lines more 5 ");
    }
}
