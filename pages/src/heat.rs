//! A heat map of many files, as SVG: a row for each file, from its start to its end. The more of a
//! part is in memory, the greener it is.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use svg::Document;
use svg::node::element::{Group, Rectangle, Text, Title};

use crate::escape;
use crate::picture::eighths;
use crate::report::{Report, about};
use crate::size::{percent, short};

/// How many parts of a file are shown.
const COLUMNS: usize = 128;

/// The maximum number of rows: if there are more files, several share a row.
const ROWS: usize = 2000;

/// The sizes of the drawing, in pixels.
const CELL: usize = 5;
const ROW: usize = 16;
const LABEL: usize = 320;

/// From nothing in memory to all of it.
const COLOURS: [&str; 9] = [
    "#eeeeee", "#d7ecd0", "#bfe3b4", "#a3d79a", "#84c981", "#62b86a", "#3fa354", "#21893f",
    "#00682a",
];

/// The map, and the file it will be in.
pub struct Heat {
    name: String,
    file: File,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    bytes: u64,
    pages: u64,
    resident: u64,
    /// How full each column is, in eighths.
    cells: Vec<u8>,
}

impl Heat {
    /// Opens the file now, so that an error comes before the work. The file keeps its content until
    /// `write`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let name = escape::name(path);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| about(&name, &error))?;
        Ok(Self {
            name,
            file,
            rows: Vec::new(),
        })
    }

    pub fn add(&mut self, report: &Report) {
        let columns = report.columns(COLUMNS);
        let cell = |column| {
            // A file of few pages is as wide as any other.
            let (full, all) = columns[column * columns.len() / COLUMNS];
            u8::try_from(eighths(full, all)).unwrap_or(8)
        };
        let cells = match columns.len() {
            0 => vec![0; COLUMNS],
            _ => (0..COLUMNS).map(cell).collect(),
        };
        self.rows.push(Row {
            name: escape::name(&report.path),
            bytes: report.figures.bytes,
            pages: report.figures.pages,
            resident: report.figures.resident,
            cells,
        });
    }

    pub fn write(mut self) -> io::Result<()> {
        let text = document(&self.rows).to_string() + "\n";
        let mut write = || {
            // (A pipe has no length.)
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            self.file.write_all(text.as_bytes())
        };
        write().map_err(|error| about(&self.name, &error))
    }
}

fn document(rows: &[Row]) -> Document {
    // Neighbours share a row: they are in the order in which they were found.
    let share = rows.len().div_ceil(ROWS).max(1);
    let (width, height) = (
        LABEL + COLUMNS * CELL + 8,
        (rows.len().div_ceil(share) + 2) * ROW,
    );
    let mut document = Document::new()
        .set("width", width)
        .set("height", height)
        .set("viewBox", (0, 0, width, height))
        .set("font-family", "sans-serif")
        .set("font-size", 11)
        .add(Title::new("Which pages of these files are in memory"))
        .add(
            Rectangle::new()
                .set("width", width)
                .set("height", height)
                .set("fill", "white"),
        )
        .add(legend());
    for (at, files) in rows.chunks(share).enumerate() {
        document = document
            .add(row(files).set("transform", format!("translate(0 {})", (at + 1) * ROW + 8)));
    }
    document
}

fn row(files: &[Row]) -> Group {
    let sum = |of: fn(&Row) -> u64| files.iter().map(of).fold(0, u64::saturating_add);
    let (pages, resident) = (sum(|row| row.pages), sum(|row| row.resident));
    let name = match files {
        [one] => one.name.clone(),
        [first, ..] => format!("{} and {} more", first.name, files.len() - 1),
        [] => String::new(),
    };
    let title = format!(
        "{name}: {resident} of {pages} pages in memory ({}), {}",
        percent(resident, pages),
        short(sum(|row| row.bytes))
    );
    let label = format!(
        "{}  {:>4}",
        escape::end_of(&name, 46, true),
        percent(resident, pages)
    );
    let mut group = Group::new().add(Title::new(title)).add(
        Text::new(label)
            .set("x", LABEL - 6)
            .set("y", ROW - 5)
            .set("text-anchor", "end"),
    );
    let cell = |column: usize| {
        let sum: usize = files.iter().map(|row| usize::from(row.cells[column])).sum();
        // The extremes stand for all of every file, and nothing of any.
        match sum / files.len() {
            0 if sum > 0 => 1,
            eighths => eighths,
        }
    };
    let cells: Vec<usize> = (0..COLUMNS).map(cell).collect();
    let mut start = 0;
    for same in cells.chunk_by(|a, b| a == b) {
        group = group.add(
            Rectangle::new()
                .set("x", LABEL + start * CELL)
                .set("width", same.len() * CELL)
                .set("height", ROW - 3)
                .set("fill", COLOURS[same[0]]),
        );
        start += same.len();
    }
    group
}

fn legend() -> Group {
    let text = |x: usize, text: &str| Text::new(text).set("x", x).set("y", ROW - 3);
    let mut group = Group::new().add(text(8, "start of each file at the left; in memory: none"));
    for (at, colour) in COLOURS.iter().enumerate() {
        group = group.add(
            Rectangle::new()
                .set("x", LABEL + at * 14)
                .set("y", 3)
                .set("width", 14)
                .set("height", ROW - 6)
                .set("fill", *colour),
        );
    }
    group.add(text(LABEL + COLOURS.len() * 14 + 6, "all"))
}
