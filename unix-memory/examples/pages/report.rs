//! What is told of one file, as text or JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use unix_memory::page_size;

use crate::picture;

/// What was found out about a file; what was not is absent.
pub struct Report {
    path: PathBuf,
    /// In bytes.
    pub size: Option<usize>,
    /// For each page, whether it is in memory.
    pub residency: Option<Vec<bool>>,
    pub error: Option<String>,
}

impl Report {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            size: None,
            residency: None,
            error: None,
        }
    }

    /// Two lines for a person; nothing for a file about which nothing is known.
    pub fn print(&self, out: &mut impl Write, width: usize) -> io::Result<()> {
        let Some(size) = self.size else { return Ok(()) };
        let pages = size.div_ceil(page_size());
        write!(
            out,
            "{}: {}, {pages} pages",
            self.path.display(),
            human(size as u64)
        )?;
        let Some(residency) = &self.residency else {
            return writeln!(out);
        };
        let resident = resident(residency);
        write!(out, ", {resident} in memory")?;
        if pages == 0 {
            return writeln!(out);
        }
        writeln!(out, " ({})", percent(resident, pages))?;
        writeln!(out, "{}", picture::draw(residency, width))
    }
}

fn resident(residency: &[bool]) -> usize {
    residency.iter().filter(|&&page| page).count()
}

/// Runs of pages in memory: the first page and how many.
fn runs(residency: &[bool]) -> Vec<(usize, usize)> {
    let mut first = 0;
    let mut runs = Vec::new();
    for run in residency.chunk_by(|a, b| a == b) {
        if run[0] {
            runs.push((first, run.len()));
        }
        first += run.len();
    }
    runs
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let residency = self.residency.as_deref();
        let mut object = serializer.serialize_struct("Report", 7)?;
        object.serialize_field("path", &self.path.to_string_lossy())?;
        object.serialize_field("size", &self.size)?;
        object.serialize_field("page_size", &page_size())?;
        object.serialize_field("pages", &self.size.map(|size| size.div_ceil(page_size())))?;
        object.serialize_field("resident", &residency.map(resident))?;
        object.serialize_field("resident_runs", &residency.map(runs))?;
        object.serialize_field("error", &self.error)?;
        object.end()
    }
}

/// A share that says 100% only of all and 0% only of none.
fn percent(part: usize, whole: usize) -> String {
    match part as u128 * 100 / whole as u128 {
        0 if part > 0 => "under 1%".to_owned(),
        percent => format!("{percent}%"),
    }
}

/// A size in the largest unit of which there is one.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let Some(unit) = (1..=UNITS.len())
        .rev()
        .find(|unit| bytes >> (10 * unit) > 0)
    else {
        return format!("{bytes} bytes");
    };
    let tenths = (u128::from(bytes) * 10) >> (10 * unit);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit - 1])
}
