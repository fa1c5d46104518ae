//! Two processes that share memory: one makes it and passes its descriptor over a Unix socket, then
//! both exchange data in it, through atomics and copies.

use std::io::{Error, IoSlice, IoSliceMut, Result};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use unix_memory::{ReadWrite, SharedMapping, SharedMemory};

/// How often each process adds one to the counter.
const ROUNDS: u32 = 100_000;

// What is where in the memory, in bytes.
const TURN: usize = 0;
const COUNTER: usize = 64;
const TEXT: usize = 128;
const LEN: u64 = 1 << 16;

// What the turn says.
const ASKED: u32 = 1;
const COUNTED: u32 = 2;
const ANSWERED: u32 = 3;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("child") {
        // The socket is what the parent made the standard input of.
        child(&std::io::stdin().as_fd().try_clone_to_owned()?)
    } else {
        parent()
    }
}

fn parent() -> Result<()> {
    let memory = SharedMemory::unnamed(LEN)?;
    let mapping = memory.map(ReadWrite)?;
    println!("parent: made {} bytes of shared memory", memory.len()?);

    let (socket, theirs) = UnixStream::pair()?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("child")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    send(&socket, memory.as_fd())?;
    println!("parent: sent its descriptor to another process");

    write_text(&mapping, "how many rounds did we count?")?;
    let turn: &AtomicU32 = mapping.atomic(TURN)?;
    turn.store(ASKED, Release);
    count(&mapping)?;
    wait(turn, COUNTED, Some(&mut child))?;
    println!(
        "parent: both have counted to {}",
        mapping.atomic::<AtomicU32>(COUNTER)?.load(Acquire)
    );
    wait(turn, ANSWERED, Some(&mut child))?;
    println!("parent: read the answer: {}", read_text(&mapping)?);

    let status = child.wait()?;
    if !status.success() {
        return Err(Error::other(format!("the child failed: {status}")));
    }
    Ok(())
}

fn child(socket: &OwnedFd) -> Result<()> {
    let memory = SharedMemory::from(receive(socket)?);
    let mapping = memory.map(ReadWrite)?;
    let turn: &AtomicU32 = mapping.atomic(TURN)?;
    wait(turn, ASKED, None)?;
    println!(
        "child: got {} bytes, and read: {}",
        memory.len()?,
        read_text(&mapping)?
    );

    count(&mapping)?;
    let counter: &AtomicU32 = mapping.atomic(COUNTER)?;
    wait(counter, 2 * ROUNDS, None)?;
    turn.store(COUNTED, Release);
    write_text(
        &mapping,
        &format!("{} of {ROUNDS} each", counter.load(Relaxed) / ROUNDS),
    )?;
    turn.store(ANSWERED, Release);
    Ok(())
}

/// Both processes do this at once, and no count is lost.
fn count(mapping: &SharedMapping<ReadWrite>) -> Result<()> {
    let counter: &AtomicU32 = mapping.atomic(COUNTER)?;
    for _ in 0..ROUNDS {
        counter.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// Waits until `word` is `value` or more; not for a child that has ended.
fn wait(word: &AtomicU32, value: u32, mut child: Option<&mut Child>) -> Result<()> {
    for _ in 0..20_000 {
        if word.load(Acquire) >= value {
            return Ok(());
        }
        let ended = match &mut child {
            Some(child) => child.try_wait()?,
            None => None,
        };
        match ended {
            // It may have been quick.
            Some(status) if word.load(Acquire) < value => {
                return Err(Error::other(format!("the child has ended: {status}")));
            }
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(Error::other("the other process does not answer"))
}

/// A text in the memory: its length in two bytes, and then as many.
fn write_text(mapping: &SharedMapping<ReadWrite>, text: &str) -> Result<()> {
    let len = u16::try_from(text.len()).map_err(Error::other)?;
    mapping.write_at(TEXT, &len.to_ne_bytes())?;
    Ok(mapping.write_at(TEXT + 2, text.as_bytes())?)
}

fn read_text(mapping: &SharedMapping<ReadWrite>) -> Result<String> {
    let mut len = [0; 2];
    mapping.read_at(TEXT, &mut len)?;
    // Whatever the other process wrote there: one that lies is told by an error.
    let mut text = vec![0; usize::from(u16::from_ne_bytes(len))];
    mapping.read_at(TEXT + 2, &mut text)?;
    String::from_utf8(text).map_err(Error::other)
}

/// Sends a descriptor, with one byte, as there must be some.
fn send(socket: impl AsFd, fd: impl AsFd) -> Result<()> {
    let fds = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Error::other("no room for a descriptor"));
    }
    sendmsg(
        socket,
        &[IoSlice::new(b"!")],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    Ok(())
}

fn receive(socket: impl AsFd) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::empty())?;
    let mut fds = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fd = fds
        .next()
        .and_then(|mut fds| fds.next())
        .ok_or_else(|| Error::other("no descriptor came"))?;
    // Not every system can do this in the same call.
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}
