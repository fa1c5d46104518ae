//! A line of block characters that shows where in a file the pages in memory are.

use terminal_size::{Width, terminal_size};

/// From no page of a column to all of them.
const BLOCKS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The columns of the terminal on standard output, or 80 where that is none.
pub fn terminal_width() -> usize {
    terminal_size().map_or(80, |(Width(columns), _)| usize::from(columns))
}

/// Draws `resident`, a value per page, in at most `width` columns. A column is as full as its
/// pages: only `█` is all of them and only `·` none.
pub fn draw(resident: &[bool], width: usize) -> String {
    let columns = width.clamp(1, resident.len().max(1));
    (0..columns)
        .map(|column| {
            let pages = &resident[bound(column, columns, resident.len())
                ..bound(column + 1, columns, resident.len())];
            let full = pages.iter().filter(|&&page| page).count();
            block(full, pages.len())
        })
        .collect()
}

/// Where column `column` of `columns` begins.
fn bound(column: usize, columns: usize, pages: usize) -> usize {
    // In 128 bits, where no product of two lengths overflows.
    let bound = column as u128 * pages as u128 / columns as u128;
    usize::try_from(bound).unwrap_or(pages)
}

fn block(full: usize, all: usize) -> char {
    let eighth = if full == all && all > 0 {
        8
    } else if full == 0 {
        0
    } else {
        (full * 8 / all).clamp(1, 7)
    };
    BLOCKS[eighth]
}
