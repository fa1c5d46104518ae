//! The bytes of files without offsets: pipes and sockets.
// Emscripten 3.1.6 has no sockets, no threads, and no status of pipes.
#![cfg(not(target_os = "emscripten"))]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{EAGAIN, EBADF, ENOMEM, ENXIO, ESPIPE};
use tests::{effort, lacks};
use unix_memory::{Call, FileBytes, FileBytesOptions, FileKind, Reason, Way, page_size};

const OPTIONS: FileBytesOptions = FileBytesOptions::new();

fn bytes(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

#[test]
fn one_byte_more_than_allowed_is_too_many() {
    // (A pipe has room for more, whatever the size of pages.)
    for limit in [4, 4095, 4096] {
        for len in [limit, limit + 1] {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(&bytes(len)).unwrap();
            drop(writer);
            match OPTIONS.max_len(limit).load(&reader) {
                Ok(loaded) => assert_eq!((len, &*loaded), (limit, &*bytes(limit))),
                Err(error) => {
                    assert_eq!(len, limit + 1);
                    assert_eq!(error.reason(), Reason::BytesLimit(limit));
                }
            }
        }
    }
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let sent = bytes(effort(3_000_000));
    for i in 0..3 {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&sent).unwrap();
                drop(writer);
            });
            let options = OPTIONS.max_len(sent.len());
            let loaded = match i {
                0 => options.load(&reader),
                // SAFETY: what a pipe has is read.
                1 => unsafe { options.map_private(&reader) },
                // SAFETY: as above.
                _ => unsafe { options.map_shared(&reader) },
            }
            .unwrap();
            assert_eq!(loaded.way(), Way::Read);
            assert!(*loaded == *sent);
        });
    }
}

#[test]
fn a_part_of_a_pipe() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"first second").unwrap();
    assert_eq!(*OPTIONS.len(6).load(&reader).unwrap(), *b"first ");
    let mut rest = [0; 6];
    reader.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"second");
    let error = OPTIONS.offset(3).len(5).load(&reader).unwrap_err();
    assert_eq!(error.errno(), ESPIPE);
    let text = error.to_string();
    assert!(
        text.ends_with(
            "at file offset 3: Invalid seek (a pipe has no offsets: read it from its current position, and skip the first bytes)"
        ),
        "{text}"
    );

    writer.write_all(b"short").unwrap();
    drop(writer);
    let error = OPTIONS.len(6).load(&reader).unwrap_err();
    let kind = FileKind::Pipe;
    assert_eq!(
        (error.errno(), error.reason()),
        (ENXIO, Reason::Ended { kind, at: 5 })
    );
    assert_eq!(
        error.to_string(),
        "read of 6 bytes at file offset 0: No such device or address (a pipe that ended after 5 \
         bytes)"
    );
    assert!(FileBytes::load(&reader).unwrap().is_empty(), "at its end");
}

#[test]
fn a_pipe_that_has_more_or_less() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&bytes(100)).unwrap();
    let error = OPTIONS.max_len(99).load(&reader).unwrap_err();
    assert_eq!(error.reason(), Reason::BytesLimit(99));
    // What no memory can hold is refused before anything is read.
    writer.write_all(b"ten bytes.").unwrap();
    drop(writer);
    let most = isize::MAX.unsigned_abs();
    for len in [most, most - page_size()] {
        // (Of 4 GiB of addresses, half may be free.)
        if usize::BITS < 64 {
            break;
        }
        let error = OPTIONS.len(len).load(&reader).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    }
    // Otherwise it takes no more memory than there are bytes.
    let error = OPTIONS.len(1 << 24).load(&reader).unwrap_err();
    let kind = FileKind::Pipe;
    assert_eq!(error.reason(), Reason::Ended { kind, at: 10 });

    let (_reader, writer) = std::io::pipe().unwrap();
    let error = FileBytes::load(&writer).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EBADF, Reason::NotReadable)
    );
}

#[test]
fn a_pipe_that_does_not_wait() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&reader).unwrap();
    rustix::fs::fcntl_setfl(&reader, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    let error = FileBytes::load(&reader).unwrap_err();
    assert_eq!(
        (error.call(), error.errno(), error.reason()),
        (Call::ReadFile, EAGAIN, Reason::WouldBlock)
    );
    assert!(error.to_string().contains("clear O_NONBLOCK"), "{error}");
    // How much of it was read, and is lost.
    writer.write_all(b"start").unwrap();
    let error = FileBytes::load(&reader).unwrap_err();
    assert!(error.to_string().contains("at file offset 5:"), "{error}");
    // If everything is available, there is no waiting.
    writer.write_all(b"rest").unwrap();
    assert_eq!(*OPTIONS.len(4).load(&reader).unwrap(), *b"rest");
    drop(writer);
    assert!(FileBytes::load(&reader).unwrap().is_empty());
}

#[test]
fn an_interrupted_call_is_made_again() {
    extern "C" fn nothing(_: libc::c_int) {
        CALLED.store(true, Ordering::Relaxed);
    }
    static CALLED: AtomicBool = AtomicBool::new(false);
    // QEMU for i386 mixes up what threads have for themselves, now and then.
    if lacks::own_process("a call that a signal interrupts") {
        return;
    }
    // SAFETY: it holds only integers.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // (Without SA_RESTART.)
    action.sa_sigaction = nothing as *const () as usize;
    // SAFETY: the handler does what a handler may.
    let failed = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    assert_eq!(failed, 0);

    let (reader, mut writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || FileBytes::load(&reader));
    let deadline = tests::deadline();
    while !CALLED.load(Ordering::Relaxed) && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(5));
        // SAFETY: the thread is there until it is joined.
        let failed =
            unsafe { libc::pthread_kill(reading.as_pthread_t() as libc::pthread_t, libc::SIGUSR1) };
        assert_eq!(failed, 0);
    }
    writer.write_all(b"at last").unwrap();
    drop(writer);
    assert_eq!(*reading.join().unwrap().unwrap(), *b"at last");
    assert!(CALLED.load(Ordering::Relaxed));
}

/// A socket with a time limit has nothing to do with `O_NONBLOCK`, and fails in the same way.
#[test]
fn a_socket_that_waits_for_a_time() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let time = std::time::Duration::from_millis(1);
    ours.set_read_timeout(Some(time)).unwrap();
    let error = FileBytes::load(&ours).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (EAGAIN, Reason::WouldBlock)
    );
}

#[test]
fn a_socket_is_read_to_its_end() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let sent = bytes(effort(1_000_000));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            theirs.write_all(&sent).unwrap();
            drop(theirs);
        });
        let loaded = OPTIONS.max_len(sent.len()).load(&ours).unwrap();
        assert!(*loaded == *sent);
        assert_eq!(loaded.way(), Way::Read);
    });
}

/// Linux maps sockets of TCP, and has no bytes in them before another call puts some there.
#[test]
fn a_socket_is_never_mapped() {
    let connected = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let ours = TcpStream::connect(listener.local_addr()?)?;
        Ok::<_, std::io::Error>((ours, listener.accept()?.0))
    };
    let (ours, mut theirs) = match connected() {
        Ok(both) => both,
        Err(error) => return tests::skip("a socket of TCP", &error.to_string()),
    };
    theirs.write_all(b"first second").unwrap();
    // SAFETY: what a socket delivers is read.
    let first = unsafe { OPTIONS.len(6).map_shared(&ours) }.unwrap();
    // SAFETY: as above.
    let second = unsafe { OPTIONS.len(6).map_private(&ours) }.unwrap();
    for (bytes, sent) in [(first, b"first "), (second, b"second")] {
        assert_eq!(bytes.way(), Way::Read);
        assert_eq!(*bytes, *sent);
    }
}
