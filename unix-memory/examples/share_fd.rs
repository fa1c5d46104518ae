//! Two processes share memory: one creates it and sends its descriptor over a Unix socket, and the other
//! writes its answer into it. `cargo run --example share_fd`

use std::io::{Error, IoSlice, IoSliceMut, Result};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::cmsg_space;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use unix_memory::{ReadWrite, SharedMemory};

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        // The socket is what the parent made the standard input of.
        Some("child") => child(std::io::stdin()),
        _ => parent(),
    }
}

fn parent() -> Result<()> {
    let memory = SharedMemory::unnamed(1 << 16)?;
    let mapping = memory.map(ReadWrite)?;
    mapping.write_at(0, b"six times seven?")?;
    let (socket, theirs) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    let stdin = Stdio::from(OwnedFd::from(theirs));
    let mut child = command.arg("child").stdin(stdin).spawn()?;
    send(&socket, memory.as_fd())?;
    let status = child.wait()?;
    if !status.success() {
        return Err(Error::other(format!("the child failed: {status}")));
    }
    println!("parent: the answer is {}", mapping.read_value::<u32>(64)?);
    Ok(())
}

fn child(socket: impl AsFd) -> Result<()> {
    let memory = SharedMemory::from(receive(socket)?);
    let mapping = memory.map(ReadWrite)?;
    let mut question = [0; 16];
    mapping.read_at(0, &mut question)?;
    let (len, question) = (memory.len()?, question.escape_ascii());
    println!("child: got {len} bytes, and read: {question}");
    Ok(mapping.write_value(64, &42_u32)?)
}

/// Sends a descriptor, together with one byte, since at least one is required.
fn send(socket: impl AsFd, fd: impl AsFd) -> Result<()> {
    let fds = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    // There is room for it.
    let _pushed = ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    let bytes = [IoSlice::new(b"!")];
    sendmsg(socket, &bytes, &mut ancillary, SendFlags::empty())?;
    Ok(())
}

fn receive(socket: impl AsFd) -> Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut bytes, &mut ancillary, RecvFlags::empty())?;
    let Some(RecvAncillaryMessage::ScmRights(mut fds)) = ancillary.drain().next() else {
        return Err(Error::other("no descriptor came"));
    };
    let fd = fds.next().ok_or(Error::other("no descriptor came"))?;
    // Not every system can do this in the same call.
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}
