//! The maps of other processes, and of this one where something stands in the way.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tests::seccomp::{PROCMAP_QUERY, SYS_IOCTL};
use tests::{StillChild, deadline, in_a_child, lacks, refusing_argument, skip, spawn};
use unix_memory::process_map::ProcessMap;
use unix_memory::{Call, MapOptions, ReadOnly};

/// Whether there are maps of other processes here; on OpenBSD for root alone.
fn has_maps(check: &str) -> bool {
    match ProcessMap::of(std::os::unix::process::parent_id()) {
        Err(error) if error.errno() == libc::ENOSYS => {
            skip(
                check,
                "this system has no map of a process that is known here",
            );
            false
        }
        _ => !lacks::own_process(check),
    }
}

/// Runs `f` where the kernel refuses to answer about one address, so that its text is read.
fn by_text<R: Send>(errno: i32, f: impl FnOnce() -> R + Send) -> Option<R> {
    refusing_argument(SYS_IOCTL, 1, PROCMAP_QUERY, errno, f)
}

/// A path that has what the text writes for a newline: only the kernel's answer is right.
#[test]
fn four_characters_that_are_no_newline() {
    if !has_maps("names with a backslash") || cfg!(target_os = "openbsd") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a\\012b");
    fs::write(&path, "x").unwrap();
    let mapping = MapOptions::new()
        .map_shared(File::open(&path).unwrap(), ReadOnly)
        .unwrap();
    let address = mapping.as_ptr().addr() as u64;
    let name = move || {
        let (mut map, mut name) = (ProcessMap::of_self().unwrap(), [0; 4096]);
        map.containing_into(address, &mut name)
            .unwrap()
            .unwrap()
            .name()
            .to_vec()
    };
    let read = by_text(libc::ENOTTY, name);
    let name = name();
    let is_right = name.ends_with(b"/a\\012b");
    if let Some(read) = read {
        assert!(read.ends_with(b"/a\nb"), "{}", read.escape_ascii());
        // (Before Linux 6.11, this is the text too.)
        assert!(is_right || name == read, "{}", name.escape_ascii());
    } else {
        assert!(is_right, "{}", name.escape_ascii());
    }
}

/// A path of more bytes than the kernel can return for one address.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn a_path_longer_than_paths_may_be() {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    if !has_maps("long paths") {
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
fn processes_that_are_not_there() {
    if !has_maps("maps of no process") {
        return;
    }
    let child = spawn(|| ());
    let id = child.id().unsigned_abs();
    assert!(child.wait().success());
    for id in [id, u32::MAX, i32::MAX.unsigned_abs()] {
        let error = ProcessMap::of(id).unwrap_err();
        assert_eq!(
            (error.call(), error.errno()),
            (Call::ProcessMap, libc::ESRCH),
            "{id}"
        );
        assert_eq!(
            error.to_string(),
            format!("process_map of process {id}: No such process")
        );
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn processes_without_memory() {
    let check = "maps of processes without memory";
    if !has_maps(check) {
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
    // Maps that were opened before are those of memory that is gone.
    let error = seen.next().unwrap().unwrap_err();
    assert_eq!(error.errno(), libc::ESRCH);
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

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn another_program_in_the_same_process() -> io::Result<()> {
    if !has_maps("maps over exec") {
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

/// The user that has nothing.
const NOBODY: libc::uid_t = 65534;

#[test]
fn processes_of_others() {
    let check = "a process of another user";
    if !has_maps(check) {
        return;
    }
    let status = in_a_child(|| {
        // SAFETY: the call takes an integer. (It fails for who is not root, and is somebody already.)
        let _nobody_or_as_before = unsafe { libc::setuid(NOBODY) };
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            return skip(check, "root stays root");
        }
        match ProcessMap::of(1) {
            Ok(_) => skip(check, "the first process is of the same user"),
            Err(error) => assert!(
                [libc::EACCES, libc::EPERM, libc::ESRCH].contains(&error.errno()),
                "{error}"
            ),
        }
        // Its own is not closed to it.
        assert!(ProcessMap::of_self().is_ok());
    });
    assert!(status.success());
}

/// The thread that a process began with can end before the others. It has no memory then.
#[cfg(any(target_os = "linux", target_os = "android"))]
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
    if !has_maps("a process without its first thread") {
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
