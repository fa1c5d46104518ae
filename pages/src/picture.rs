//! A line of characters that shows where in a file the pages in memory are.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::report::Report;
use crate::terminal::Terminal;

/// From none of a column's pages to all of them.
const BLOCKS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same in ASCII.
const ASCII: [char; 9] = ['.', '-', '-', '-', '=', '=', '=', '=', '#'];

/// Draws the pages that were looked at, in at most as many columns as the terminal has. The fuller
/// a column is, the later its sign: only the last one means all of its pages, and only the first
/// one none.
pub fn draw(report: &Report, terminal: &Terminal) -> String {
    let signs = if terminal.unicode { BLOCKS } else { ASCII };
    let columns = report.columns(terminal.columns);
    let mut text = String::new();
    for same in columns.chunk_by(|a, b| style(*a) == style(*b)) {
        let style = style(same[0]);
        if terminal.colour {
            let _never_fails = write!(text, "{style}");
        }
        text.extend(same.iter().map(|&(full, all)| signs[eighths(full, all)]));
        if terminal.colour {
            let _never_fails = write!(text, "{style:#}");
        }
    }
    text
}

/// How many eighths of a column are full: eight only if all of it is, and zero only if nothing is.
pub fn eighths(full: u64, all: u64) -> usize {
    if full == all && all > 0 {
        8
    } else if full == 0 {
        0
    } else {
        let eighths = u128::from(full) * 8 / u128::from(all);
        usize::try_from(eighths).unwrap_or(8).clamp(1, 7)
    }
}

fn style((full, all): (u64, u64)) -> Style {
    match eighths(full, all) {
        0 => Style::new().dimmed(),
        8 => AnsiColor::Green.on_default(),
        _ => AnsiColor::Yellow.on_default(),
    }
}
