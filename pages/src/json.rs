//! Reports as JSON: one object, to which each file is written as soon as it is done.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use indicatif::ProgressBar;
use serde::{Serialize, Serializer};
use unix_memory::page_size;

use crate::escape;
use crate::figures::{Figures, Totals};
use crate::report::{Output, Report};
use crate::runs::Runs;
use crate::stderr::complain;

/// Writes `{"page_size":...,"files":[...],"total":{...}}`, and errors to standard error as well.
pub struct Json<W> {
    pub out: W,
    pub progress: ProgressBar,
    /// How many entries were written.
    entries: u64,
}

impl<W: Write> Json<W> {
    pub fn new(out: W, progress: ProgressBar) -> Self {
        Self {
            out,
            progress,
            entries: 0,
        }
    }

    fn start(&mut self) -> io::Result<()> {
        if self.entries == 0 {
            write!(self.out, "{{\"page_size\":{},\"files\":[", page_size())?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &impl Serialize) -> io::Result<()> {
        self.start()?;
        let before = if self.entries == 0 { "\n" } else { ",\n" };
        self.entries += 1;
        self.out.write_all(before.as_bytes())?;
        // Its errors are those of `out`.
        Ok(serde_json::to_writer(&mut self.out, entry)?)
    }
}

/// A name as text and, if that loses something, as its bytes in Base64.
#[derive(Serialize)]
struct Name<'a> {
    path: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
}

impl<'a> From<&'a Path> for Name<'a> {
    fn from(path: &'a Path) -> Self {
        let bytes = path.as_os_str().as_bytes();
        Self {
            path: String::from_utf8_lossy(bytes),
            path_base64: path.to_str().is_none().then(|| STANDARD.encode(bytes)),
        }
    }
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(flatten)]
    name: Name<'a>,
    size: u64,
    /// The bytes that were looked at: the first, and the one after the last.
    range: [u64; 2],
    #[serde(flatten)]
    figures: Figures,
    resident_runs: &'a Runs,
    locked: bool,
}

impl Serialize for Runs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[derive(Serialize)]
struct Failed<'a> {
    #[serde(flatten)]
    name: Name<'a>,
    error: &'a str,
}

#[derive(Serialize)]
struct Hidden<'a> {
    #[serde(flatten)]
    name: Name<'a>,
    hidden: &'a str,
}

#[derive(Serialize)]
struct Total {
    #[serde(flatten)]
    totals: Totals,
    seconds: f64,
}

impl<W: Write> Output for Json<W> {
    fn file(&mut self, report: &Report) -> io::Result<()> {
        let entry = File {
            name: Name::from(&*report.path),
            size: report.size,
            range: [report.bytes.start, report.bytes.end],
            figures: report.figures,
            resident_runs: &report.runs,
            locked: report.locked,
        };
        self.entry(&entry)
    }

    fn failed(&mut self, path: &Path, message: &str) -> io::Result<()> {
        self.progress
            .suspend(|| complain(&escape::name(path), message));
        let entry = Failed {
            name: Name::from(path),
            error: message,
        };
        self.entry(&entry)
    }

    fn hidden(&mut self, path: &Path, message: &str) -> io::Result<()> {
        let entry = Hidden {
            name: Name::from(path),
            hidden: message,
        };
        self.entry(&entry)
    }

    fn directory(&mut self, _: &Path, _: &Totals) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, totals: &Totals, seconds: f64) -> io::Result<()> {
        self.start()?;
        self.entries = 0;
        write!(self.out, "\n],\"total\":")?;
        let totals = *totals;
        serde_json::to_writer(&mut self.out, &Total { totals, seconds })?;
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}
