//! What only Linux has in maps: paths that are longer than paths may be, processes whose memory is gone,
//! and one whose first thread is gone.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use tests::seccomp::{PROCMAP_QUERY, SYS_IOCTL};
use tests::{StillChild, deadline, in_a_child, lacks, refusing_argument, skip};
use unix_memory::process_map::ProcessMap;
use unix_memory::{MapOptions, ReadOnly};

/// Runs `f` while the kernel refuses to answer about one address, so that its text is read.
fn by_text<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    refusing_argument(SYS_IOCTL, 1, PROCMAP_QUERY, errno, f)
}

/// A path of more bytes than the kernel can return for one address.
#[test]
fn a_path_longer_than_paths_may_be() {
    if lacks::own_process("long paths") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut inner = File::open(directory.path()).unwrap();
    let name = "d".repeat(200);
    for _ in 0..30 {
        mkdirat(&inner, &*name, Mode::RWXU).unwrap();
        inner = openat(&inner, &*name, OFlags::RDONLY, Mode::empty())
            .unwrap()
            .into();
    }
    let flags = OFlags::RDWR | OFlags::CREATE;
    let mut file = File::from(openat(&inner, "\nfile", flags, Mode::RWXU).unwrap());
    file.write_all(b"x").unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let address = mapping.as_ptr().addr() as u64;
    let mut map = ProcessMap::of_self().unwrap();
    for _ in 0..2 {
        let mut name = vec![0; 1 << 14];
        let region = map.containing_into(address, &mut name).unwrap().unwrap();
        assert!(
            region.name().len() > 30 * 201,
            "{} bytes",
            region.name().len()
        );
        assert!(region.name().ends_with(b"d/\nfile") && region.name.is_whole());
        let region = map
            .containing_into(address, &mut name[..10])
            .unwrap()
            .unwrap();
        assert!(!region.name.is_whole());
        let without = map.containing_into(address, &mut []).unwrap().unwrap();
        assert_eq!(without.addresses, region.addresses);
    }
    // And what follows it is there.
    let after = map
        .regions()
        .map(Result::unwrap)
        .skip_while(|region| !region.addresses.contains(&address));
    assert!(after.count() > 1);
}

#[test]
fn processes_without_memory() {
    let check = "maps of processes without memory";
    if lacks::own_process(check) {
        return;
    }
    // One that has ended, and nobody has waited for.
    let zombie = StillChild::new();
    let id = zombie.id();
    let mut map = ProcessMap::of(id).unwrap();
    let mut seen = map.regions();
    assert!(seen.next().unwrap().is_ok());
    let asked = by_text(libc::ENOTTY, move || {
        let mut map = ProcessMap::of(id).unwrap();
        assert!(map.regions_from(0).next_into(&mut []).unwrap().is_some());
        map
    });
    let dead = zombie.kill();
    let limit = deadline();
    while ProcessMap::of(id).is_ok() {
        assert!(std::time::Instant::now() < limit, "it does not end");
        std::thread::yield_now();
    }
    assert_eq!(ProcessMap::of(id).unwrap_err().errno(), libc::ESRCH);
    // Maps that were opened before are those of memory that is gone. (Of the text, a part was read ahead.)
    let error = seen.find_map(Result::err);
    assert!(error.is_none_or(|error| error.errno() == libc::ESRCH));
    assert!(seen.next().is_none());
    if let Some(mut map) = asked {
        assert_eq!(
            map.regions_from(0).next_into(&mut []).unwrap_err().errno(),
            libc::ESRCH
        );
        assert_eq!(
            map.regions().next().unwrap().unwrap_err().errno(),
            libc::ESRCH
        );
    }
    let _killed = dead.wait();
    assert_eq!(ProcessMap::of(id).unwrap_err().errno(), libc::ESRCH);

    // One of the kernel's.
    match fs::read_to_string("/proc/2/comm") {
        Ok(name) if name.trim() == "kthreadd" => {
            let errno = ProcessMap::of(2).unwrap_err().errno();
            assert!([libc::ESRCH, libc::EACCES].contains(&errno), "{errno}");
        }
        _ => skip(check, "no process of the kernel's is in sight"),
    }
}

#[test]
fn another_program_in_the_same_process() -> io::Result<()> {
    if lacks::own_process("maps over exec") {
        return Ok(());
    }
    let mut child = Command::new("sh")
        .args(["-c", "echo here; read line; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut input = child.stdin.take().expect("a pipe");
    output.read_line(&mut String::new())?;
    let mut map = ProcessMap::of(child.id())?;
    assert!(map.regions_from(0).next_into(&mut [])?.is_some());
    input.write_all(b"go\nback\n")?;
    let mut line = String::new();
    output.read_line(&mut line)?;
    assert_eq!(line, "back\n", "from the other program");
    assert_eq!(
        map.regions_from(0).next_into(&mut []).unwrap_err().errno(),
        libc::ESRCH
    );
    assert!(
        ProcessMap::of(child.id())?
            .regions_from(0)
            .next_into(&mut [])?
            .is_some()
    );
    drop(input);
    child.wait()?;
    Ok(())
}

/// The thread that a process began with can end before the others. It has no memory then.
#[test]
fn without_the_first_thread() {
    extern "C" fn ask(_: *mut libc::c_void) -> *mut libc::c_void {
        let first = std::process::id();
        let state =
            || fs::read_to_string(format!("/proc/self/task/{first}/stat")).expect("its state");
        while !state().contains(") Z ") {
            std::thread::yield_now();
        }
        let is_there = ProcessMap::of_self().is_ok_and(|mut map| {
            let local = 0;
            let address = (&raw const local).addr() as u64;
            map.containing_into(address, &mut [])
                .is_ok_and(|region| region.is_some())
        });
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(i32::from(!is_there)) }
    }
    if lacks::own_process("a process without its first thread") {
        return;
    }
    let status = in_a_child(|| {
        let mut thread = std::mem::MaybeUninit::uninit();
        // SAFETY: the function takes any argument, and ends the process.
        let failed = unsafe {
            libc::pthread_create(
                thread.as_mut_ptr(),
                std::ptr::null(),
                ask,
                std::ptr::null_mut(),
            )
        };
        assert_eq!(failed, 0);
        // SAFETY: it ends this thread alone, which has nothing that the other uses.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
    assert!(status.success(), "{status}");
}
