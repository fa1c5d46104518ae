//! Unnamed shared memory on FreeBSD: `shm_open` with `SHM_ANON` for a name.

use unix_memory_sys as sys;

use crate::error::{Arguments, Call, Error, Result};
use crate::object::named::close_on_exec;
use crate::object::shared_memory::SharedMemory;
use crate::os::call;
use std::os::fd::AsFd;

/// An empty object.
pub fn unnamed() -> Result<SharedMemory> {
    // SAFETY: in place of a name the call takes this value. [arguments]
    let result = unsafe { sys::shm_open(sys::SHM_ANON, libc::O_RDWR, 0o600) };
    // SAFETY: that is its result. [descriptor]
    let fd = unsafe { call::descriptor_or_errno(result) }
        .map_err(|errno| Error::kernel(Call::ShmOpen, errno, Arguments::None))?;
    close_on_exec(fd.as_fd())?;
    Ok(fd.into())
}
