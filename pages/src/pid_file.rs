//! A file that holds the number of this process while it runs.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::escape;
use crate::open::custom;
use crate::report::about;
use crate::stderr::complain;

/// A number, a newline, and one more byte, which shows whether there is anything else.
const LONGEST: usize = 22;

/// A file that belongs to this process as long as the process holds a lock on it. The lock ends with the
/// process, however that ends. Dropping this removes the file.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Takes the file, even if it was left behind by a process that has ended. It is empty until `write`.
    pub fn claim(path: &Path) -> io::Result<Self> {
        let name = escape::name(path);
        Self::try_claim(path).map_err(|error| about(&name, &error))
    }

    fn try_claim(path: &Path) -> io::Result<Self> {
        let flags = custom(OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .custom_flags(flags)
                .open(path)?;
            let ours = file.metadata()?;
            if !ours.is_file() {
                let text = "this is not a regular file: name another one for the process number";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            // (A lock of fcntl(2) would be lost if this file were among the files that are inspected, and
            // then closed.)
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(taken(&mut file)),
                Err(error) => return Err(error.into()),
            }
            // The process that had it may have removed it after this process opened it.
            if !is_at(path, &ours) {
                continue;
            }
            if !read(&mut file)?.trim_ascii().iter().all(u8::is_ascii_digit) {
                let text = "this file does not hold a process number, and is left as it is: name another one";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
            }
            file.set_len(0)?;
            return Ok(Self {
                path: path.to_owned(),
                file,
            });
        }
    }

    /// Writes the number.
    pub fn write(&mut self) -> io::Result<()> {
        let name = escape::name(&self.path);
        // In one piece, at the start, because the file was read up to its end before.
        let text = format!("{}\n", std::process::id());
        io::Seek::rewind(&mut self.file)
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|error| about(&name, &error))
    }
}

/// The first bytes of a file, from its current position on.
fn read(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST as u64).read_to_end(&mut bytes)?;
    if bytes.len() == LONGEST {
        // Not a number.
        bytes[0] = b'?';
    }
    Ok(bytes)
}

/// The error for a file on which another process holds a lock.
fn taken(file: &mut File) -> io::Error {
    let number = read(file)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let owner = match number.as_deref().map(str::trim) {
        Some(number) if number.parse::<u32>().is_ok() => format!("process {number}"),
        _ => "another process".to_owned(),
    };
    let text = format!("{owner} has this file: end it first, or name another file");
    io::Error::new(io::ErrorKind::AlreadyExists, text)
}

/// Whether `path` still names this file.
fn is_at(path: &Path, file: &Metadata) -> bool {
    let there = fs::symlink_metadata(path);
    there.is_ok_and(|there| (there.dev(), there.ino()) == (file.dev(), file.ino()))
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody may have removed it, and another process may have made its own file there.
        if !self
            .file
            .metadata()
            .is_ok_and(|ours| is_at(&self.path, &ours))
        {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            complain(&escape::name(&self.path), &crate::open::message(&error));
        }
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
        assert!(error.to_string().contains("does not hold"), "{error}");
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
        let error = PidFile::claim(&path).expect_err("it is taken");
        let expected = format!("process {} has this file", std::process::id());
        assert!(error.to_string().contains(&expected), "{error}");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn another_that_has_come_in_its_place_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pid");
        let first = PidFile::claim(&path).expect("nobody has it");
        fs::remove_file(&path).expect("it is there");
        let second = PidFile::claim(&path).expect("nobody has it");
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_lock_outlives_other_descriptors_of_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("pid");
        let _first = PidFile::claim(&path).expect("nobody has it");
        drop(File::open(&path).expect("the file"));
        PidFile::claim(&path).expect_err("it is taken");
    }

    #[test]
    fn links_are_not_followed_and_numbers_not_longer_than_numbers_are() {
        let directory = tempfile::tempdir().expect("a directory");
        let [link, long] = ["link", "long"].map(|name| directory.path().join(name));
        std::os::unix::fs::symlink(&long, &link).expect("a link");
        PidFile::claim(&link).expect_err("it is a link");
        assert!(!long.exists());
        fs::write(&long, "1".repeat(1 << 16)).expect("a file");
        let error = PidFile::claim(&long).expect_err("not ours");
        assert!(error.to_string().contains("does not hold"), "{error}");
    }
}
