//! Code in two mappings of one object of shared memory.

use crate::arch;
use crate::error::{Arguments, Call, Error, Reason, Result};
use crate::map::options::MapOptions;
use crate::object::fixed::fixed_len;
use crate::process::Process;
use crate::protection::{ReadExecute, ReadWrite};
use crate::shared::SharedMapping;

/// The two mappings. A child of `fork` shares the memory with its parent, so the memory is read and
/// written by copies, and no reference to its bytes is made.
pub struct Memory {
    writable: SharedMapping<ReadWrite>,
    executable: SharedMapping<ReadExecute>,
    owner: Process,
}

/// Maps `len` zeroed bytes.
///
/// # Errors
/// The errors of making the object and of mapping it.
pub fn make(len: usize) -> Result<Memory> {
    let owner = Process::current()
        .map_err(|errno| Error::kernel(Call::Mmap, errno, Arguments::Length(len)))?;
    // A child that is made before the descriptor is closed has it too. Where lengths can be sealed,
    // the child cannot take the code away by shortening the object.
    let object = fixed_len(len as u64)?;
    // (Some systems report the length of an object in whole pages.)
    let options = MapOptions::new().len(len);
    let writable = options.map_shared(&object, ReadWrite)?;
    let executable = options.map_shared(&object, ReadExecute)?;
    Ok(Memory {
        writable,
        executable,
        owner,
    })
}

impl Memory {
    pub const fn as_ptr(&self) -> *const u8 {
        self.executable.as_ptr()
    }

    pub const fn len(&self) -> usize {
        self.executable.len()
    }

    /// # Errors
    /// Those of [`SharedMapping::read_at`].
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        self.executable.read_at(offset, buffer)
    }

    /// Writes `bytes`, and makes them coherent where they are executed.
    ///
    /// # Errors
    /// Those of [`SharedMapping::write_at`] and [`SharedMapping::sync_instruction_cache`]; `EPERM` of
    /// `call` with [`Reason::OtherProcess`] in a child.
    pub fn write(&mut self, call: Call, offset: usize, bytes: &[u8]) -> Result<()> {
        if !self.owner.is_current() {
            let (start, len) = (offset, bytes.len());
            let arguments = Arguments::Range { start, len };
            let reason = Reason::OtherProcess;
            return Err(Error::new(call, libc::EPERM, arguments, reason));
        }
        self.writable.write_at(offset, bytes)?;
        self.executable
            .sync_instruction_cache(offset..offset + bytes.len())?;
        // The address of execution differs from the address that was written to.
        arch::serialize();
        Ok(())
    }
}
