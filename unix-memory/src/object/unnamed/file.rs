//! Unnamed shared memory on systems without such objects: a file whose name is removed at once.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use crate::error::{Arguments, Call, Error, Result};
use crate::map::facts::errno_of;
use crate::object::shared_memory::SharedMemory;

/// An empty file.
pub fn unnamed() -> Result<SharedMemory> {
    let refuse = |error| Error::kernel(Call::Open, errno_of(&error), Arguments::None);
    let mut tries = 0;
    loop {
        let name = std::format!("unix-memory.{:016x}", RandomState::new().hash_one(0));
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        match options.open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path).map_err(refuse)?;
                return Ok(OwnedFd::from(file).into());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && tries < 100 => {
                tries += 1;
            }
            Err(error) => return Err(refuse(error)),
        }
    }
}
