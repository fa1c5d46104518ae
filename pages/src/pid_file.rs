//! A file with the number of this process, as long as it has something to end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::escape;
use crate::report::about;

/// A file that is this process's while it lives: a lock on it says so, which ends with the process
/// whatever happens. Dropped, the file is removed.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Takes the file, or one that a process left behind which is gone. It is empty until `write`.
    pub fn claim(path: &Path) -> io::Result<Self> {
        let name = escape::name(path);
        Self::try_claim(path).map_err(|error| about(&name, &error))
    }

    fn try_claim(path: &Path) -> io::Result<Self> {
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            if !file.metadata()?.is_file() {
                let text = "this is no regular file: give another for the process's number";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                let mut number = String::new();
                let _unknown = file.read_to_string(&mut number);
                let number = match number.trim() {
                    "" => "another process".to_owned(),
                    number => format!("process {}", escape::name(Path::new(number))),
                };
                let text = format!("{number} has this file: end it first, or give another");
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
            }
            // Whoever had it may have removed it after it was opened here.
            let ours = file.metadata()?;
            let there = fs::metadata(path);
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                let mut number = String::new();
                let is_number = file.read_to_string(&mut number).is_ok()
                    && number.trim().bytes().all(|byte| byte.is_ascii_digit());
                if !is_number {
                    let text = "this file holds something else than a process's number, and is left \
                                as it is: give another";
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
                }
                file.set_len(0)?;
                return Ok(Self {
                    path: path.to_owned(),
                    file,
                });
            }
        }
    }

    /// Writes the number.
    pub fn write(&mut self) -> io::Result<()> {
        let name = escape::name(&self.path);
        // In one piece, at the start: the file was read up to its end before.
        let text = format!("{}\n", std::process::id());
        io::Seek::rewind(&mut self.file)
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|error| about(&name, &error))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _already_gone = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_something_else_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notes");
        fs::write(&path, "notes").expect("a file");
        let error = PidFile::claim(&path).expect_err("not ours");
        assert!(error.to_string().contains("something else"), "{error}");
        assert_eq!(fs::read(&path).expect("the file"), b"notes");
        let error = PidFile::claim(directory.path()).expect_err("a directory");
        assert!(error.to_string().contains("directory"), "{error}");
    }

    #[test]
    fn one_that_was_left_behind_is_taken_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pid");
        fs::write(&path, "4194304999\n").expect("a file");
        let mut file = PidFile::claim(&path).expect("nobody has it");
        assert_eq!(fs::read(&path).expect("the file"), b"");
        file.write().expect("it can be written");
        let text = fs::read_to_string(&path).expect("the file");
        assert_eq!(text, format!("{}\n", std::process::id()));
        drop(file);
        assert!(!path.exists());
    }
}
