//! A log in a mapped file: its writer is killed in the middle of its work, and no record that it has
//! reported is lost. Run it again with the same file, and it continues after the existing records.
//!
//! ```sh
//! cargo run --example persistent_log -- FILE
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use unix_memory::{MapOptions, MappedFile, ReadWrite};

/// Before each record: its length and its checksum, which shows whether the record is complete.
const HEADER: usize = 8;

/// FNV-1a: the checksum of no bytes is not zero, so zeros are not a valid header.
fn checksum(record: &[u8]) -> u32 {
    let add = |sum: u32, &byte: &u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    record.iter().fold(0x811c_9dc5, add)
}

/// Opens the log, cuts off what a killed writer has not finished, and counts the records.
fn open(path: &Path) -> io::Result<(MappedFile<File, ReadWrite>, usize)> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false);
    let mut log = MapOptions::new().map_file(file.open(path)?, ReadWrite)?;
    let bytes = log.to_vec()?;
    let (mut rest, mut count) = (&bytes[..], 0);
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let [len, sum] = [0, 4].map(|at| u32::from_le_bytes(*header[at..].first_chunk().unwrap()));
        match after.split_at_checked(len as usize) {
            Some((record, after)) if sum == checksum(record) => rest = after,
            _ => break,
        }
        count += 1;
    }
    log.truncate(bytes.len() - rest.len())?;
    Ok((log, count))
}

/// Appends records forever, and reports each one once it is in the file.
fn write(path: &Path) -> io::Result<()> {
    let (mut log, count) = open(path)?;
    for number in count.. {
        let record = format!("record {number}");
        let len = u32::try_from(record.len())
            .map_err(io::Error::other)?
            .to_le_bytes();
        let sum = checksum(record.as_bytes()).to_le_bytes();
        log.append(&[&len, &sum, record.as_bytes()].concat())?;
        // The kernel has it: a killed process loses nothing. (A power cut takes `log.flush_durable()`.)
        println!("{number}");
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let path = match &arguments[..] {
        [path] => Path::new(path),
        [path, _] => return write(Path::new(path)),
        _ => return Err(io::Error::other("name the file of the log")),
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(path).arg("writer").stdout(Stdio::piped());
    let mut writer = command.spawn()?;
    let mut reports = BufReader::new(writer.stdout.take().unwrap()).lines();
    let last = reports.nth(999).unwrap()?; // Not closed: the writer would end by itself.
    writer.kill()?;
    let signal = writer.wait()?.signal().unwrap_or(0);
    let reported = last.parse::<usize>().map_err(io::Error::other)? + 1;
    let (_, count) = open(path)?;
    println!("killed by signal {signal} after {reported} records");
    println!("lost: {}", reported.saturating_sub(count));
    Ok(())
}
