//! Two processes count in the same memory at the same time, and no count is lost: the counter is an
//! atomic in shared memory, which the child gets as its standard input.
//!
//! ```sh
//! cargo run --example shared_counter
//! ```

use std::io::{Error, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use unix_memory::{ReadWrite, SharedMapping, SharedMemory};

/// How often each process adds one.
const ROUNDS: u32 = 1_000_000;

/// Where the counter is, in bytes.
const COUNTER: usize = 0;

fn count(mapping: &SharedMapping<ReadWrite>) -> Result<()> {
    let counter: &AtomicU32 = mapping.atomic(COUNTER)?;
    for _ in 0..ROUNDS {
        counter.fetch_add(1, Relaxed);
    }
    Ok(())
}

fn parent() -> Result<()> {
    // It has no name, so there is nothing to clean up: it is gone with its last user.
    let memory = SharedMemory::unnamed(64)?;
    let mapping = memory.map(ReadWrite)?;
    let theirs = OwnedFd::from(memory.try_clone()?);
    let mut child = Command::new(std::env::current_exe()?)
        .arg("child")
        .stdin(Stdio::from(theirs))
        .spawn()?;
    count(&mapping)?;
    let status = child.wait()?;
    if !status.success() {
        return Err(Error::other(format!("the child failed: {status}")));
    }
    let counted = mapping.atomic::<AtomicU32>(COUNTER)?.load(Relaxed);
    println!("two processes have counted to {counted}");
    Ok(())
}

fn child() -> Result<()> {
    let memory = SharedMemory::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    count(&memory.map(ReadWrite)?)
}

fn main() -> Result<()> {
    match std::env::args().nth(1) {
        None => parent(),
        Some(_) => child(),
    }
}
