//! The handler of faults beside those of other libraries, and copies without it: each in a child, since
//! a handler is the process's.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{Cursor as StdCursor, Read};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{EFAULT, ENOMEM, ENOSPC, SIGBUS, SIGSEGV, siginfo_t};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::{in_a_child, in_threads, processor_copies, skip};
use unix_memory::{
    Cursor, FaultHandler, MapOptions, Mapping, Mechanism, ReadOnly, ReadWrite, Reason,
    SharedMapping, SharedMemory, disable_fault_handler, fault_handler, install_fault_handler,
    page_size,
};

/// A mapping whose second page is gone, and its file.
fn truncated() -> (SharedMapping<ReadWrite>, File) {
    let file = tempfile::tempfile().unwrap();
    file.set_len(2 * page_size() as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    file.set_len(page_size() as u64).unwrap();
    (mapping, file)
}

/// A copy of what is gone fails, whatever makes it.
#[track_caller]
fn assert_copies_fail(mapping: &SharedMapping<ReadWrite>) {
    let (end, mut bytes) = (page_size(), vec![0; 2 * page_size()]);
    let fault = Reason::Fault { done: end, at: end };
    assert_eq!(mapping.read_at(0, &mut bytes).unwrap_err().reason(), fault);
    assert_eq!(mapping.write_at(0, &bytes).unwrap_err().reason(), fault);
}

fn touch(mapping: &SharedMapping<ReadWrite>) {
    let address = mapping.as_ptr().wrapping_add(page_size());
    // SAFETY: it raises SIGBUS, for which the test is there.
    unsafe { address.read_volatile() };
}

/// How often [`theirs`] and [`chained`] were called.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// A handler that ends the process, as a crash reporter does.
extern "C" fn theirs(_: c_int) {
    // SAFETY: the call has no preconditions.
    unsafe { libc::_exit(99) };
}

/// What was there before [`chained`], to which it hands on.
static BEFORE_CHAINED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn chained(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if CALLS.fetch_add(1, Ordering::Relaxed) > 10 {
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(98) };
    }
    let before = BEFORE_CHAINED.load(Ordering::Relaxed);
    // SAFETY: it was installed as such a function.
    let before = unsafe {
        std::mem::transmute::<usize, extern "C" fn(c_int, *mut siginfo_t, *mut c_void)>(before)
    };
    before(signal, info, context);
}

/// Installs a handler; returns what was there before.
fn set(signal: c_int, action: usize, flags: c_int) -> usize {
    let mut new = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: it holds integers alone.
    let new = unsafe { new.assume_init_mut() };
    (new.sa_sigaction, new.sa_flags) = (action, flags);
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: both are whole dispositions, of functions that live as long as the program.
    assert_eq!(unsafe { libc::sigaction(signal, new, old.as_mut_ptr()) }, 0);
    // SAFETY: the call wrote it.
    unsafe { old.assume_init() }.sa_sigaction
}

fn set_theirs(signal: c_int) {
    set(signal, theirs as extern "C" fn(c_int) as usize, 0);
}

fn set_chained(signal: c_int) {
    let chained = chained as extern "C" fn(c_int, *mut siginfo_t, *mut c_void) as usize;
    BEFORE_CHAINED.store(set(signal, chained, libc::SA_SIGINFO), Ordering::Relaxed);
}

/// Whether there is a handler here at all.
fn has_handler() -> bool {
    if !processor_copies() {
        skip("handlers of faults", "this processor has no copies");
    }
    processor_copies()
}

#[test]
fn a_replaced_handler_is_noticed_and_installed_again() {
    if !has_handler() {
        return;
    }
    for signal in [SIGBUS, SIGSEGV] {
        let status = in_a_child(|| {
            assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
            install_fault_handler().unwrap();
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            set_theirs(signal);
            assert_eq!(fault_handler(), Ok(FaultHandler::Replaced));
            install_fault_handler().unwrap();
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            install_fault_handler().unwrap();
            let (mapping, _file) = truncated();
            assert_copies_fail(&mapping);
            // Another fault is still theirs.
            // SAFETY: the call has no preconditions.
            unsafe { libc::raise(signal) };
        });
        assert_eq!(status.code(), Some(99), "{status}");
    }
}

#[test]
fn a_handler_that_hands_on_is_called_once() {
    if !has_handler() {
        return;
    }
    for again in [false, true] {
        let status = in_a_child(|| {
            install_fault_handler().unwrap();
            set_chained(SIGBUS);
            if again {
                install_fault_handler().unwrap();
            }
            let (mapping, _file) = truncated();
            assert_copies_fail(&mapping);
            // On top it is the one that sees it first; it hands on what is a copy's.
            assert_eq!(CALLS.swap(0, Ordering::Relaxed), if again { 0 } else { 2 });
            // Once through all of them, to the kernel's own way.
            touch(&mapping);
        });
        assert_eq!(status.signal(), Some(SIGBUS), "{status}");
    }
}

#[test]
fn before_and_after_it_another_three_times() {
    if !has_handler() {
        return;
    }
    let status = in_a_child(|| {
        set_theirs(SIGBUS);
        install_fault_handler().unwrap();
        set_chained(SIGBUS);
        install_fault_handler().unwrap();
        let (mapping, _file) = truncated();
        assert_copies_fail(&mapping);
        // Ours, the one that hands on, ours again, and the first.
        touch(&mapping);
    });
    assert_eq!(status.code(), Some(99), "{status}");
}

#[test]
fn replaced_too_often_the_kernel_copies() {
    if !has_handler() {
        return;
    }
    let status = in_a_child(|| {
        let (mapping, _file) = truncated();
        for _ in 0..8 {
            install_fault_handler().unwrap();
            assert_copies_fail(&mapping);
            set_theirs(SIGBUS);
        }
        assert_eq!(install_fault_handler().unwrap_err().errno(), ENOSPC);
        assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
        assert_copies_fail(&mapping);
    });
    assert!(status.success(), "{status}");
}

#[test]
fn back_to_copies_by_the_kernel() {
    let status = in_a_child(|| {
        let (mapping, _file) = truncated();
        disable_fault_handler();
        assert_copies_fail(&mapping);
        if !has_handler() {
            return;
        }
        install_fault_handler().unwrap();
        set_theirs(SIGBUS);
        disable_fault_handler();
        assert_eq!(fault_handler(), Ok(FaultHandler::Absent));
        assert_copies_fail(&mapping);
        let error = mapping.read_at_with(Mechanism::Handler, 0, &mut [0]);
        assert_eq!(error.unwrap_err().reason(), Reason::NoHandler);
        install_fault_handler().unwrap();
        assert_copies_fail(&mapping);
        mapping
            .read_at_with(Mechanism::Handler, 0, &mut [0])
            .unwrap();
    });
    assert!(status.success(), "{status}");
}

/// In a child too, in which the parent's handler is there.
#[test]
fn children_have_it() {
    if !has_handler() {
        return;
    }
    let status = in_a_child(|| {
        install_fault_handler().unwrap();
        let (mapping, _file) = truncated();
        let status = in_a_child(|| {
            assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
            assert_copies_fail(&mapping);
            set_theirs(SIGBUS);
            install_fault_handler().unwrap();
            assert_copies_fail(&mapping);
        });
        assert!(status.success(), "{status}");
        assert_eq!(fault_handler(), Ok(FaultHandler::Installed));
    });
    assert!(status.success(), "{status}");
}

/// A buffer that is not there is not the mapping's fault.
#[test]
fn the_buffer_may_be_what_is_gone() {
    let status = in_a_child(|| {
        let (gone, _file) = truncated();
        // SAFETY: it is not so: its second page is gone, which is what is tried.
        let mut gone = unsafe { gone.assume_unshared() };
        let buffer = &mut gone[..];
        let file = tempfile::tempfile().unwrap();
        file.set_len(4 * page_size() as u64).unwrap();
        let whole = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
        let anonymous = MapOptions::new().len(4 * page_size());
        let anonymous = anonymous.map_anonymous_shared(ReadWrite).unwrap();
        let done = page_size();
        for handler in [false, true] {
            if handler && install_fault_handler().is_err() {
                break;
            }
            for mapping in [&whole, &anonymous] {
                let error = mapping.read_at(1, buffer).unwrap_err();
                assert_eq!(
                    (error.errno(), error.reason()),
                    (EFAULT, Reason::Buffer { done })
                );
                let error = mapping.write_at(1, buffer).unwrap_err();
                assert_eq!(
                    (error.errno(), error.reason()),
                    (EFAULT, Reason::Buffer { done })
                );
                let error = mapping
                    .read_at_with(Mechanism::Pipe, 1, buffer)
                    .unwrap_err();
                assert_eq!(error.reason(), Reason::Buffer { done });
            }
        }
    });
    assert!(status.success(), "{status}");
}

/// Memory without a file has one, which root can truncate.
#[test]
fn anonymous_memory_can_be_truncated() {
    let status = in_a_child(|| {
        let options = MapOptions::new().len(2 * page_size());
        let anonymous = options.map_anonymous_shared(ReadWrite).unwrap();
        anonymous.fill(.., 1).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let start = format!("{:x}-", anonymous.as_ptr().addr());
        let line = maps.lines().find(|line| line.starts_with(&start));
        let Some(range) = line.and_then(|line| line.split(' ').next()) else {
            return skip(
                "anonymous memory in map_files",
                "an emulator has it elsewhere",
            );
        };
        let path = format!("/proc/self/map_files/{range}");
        match File::options().write(true).open(path) {
            Ok(file) => file.set_len(page_size() as u64).unwrap(),
            Err(error) => return skip("anonymous memory in map_files", &error.to_string()),
        }
        assert_copies_fail(&anonymous);
    });
    assert!(status.success(), "{status}");
}

/// The number of a process is that of its main thread, which may have exited.
#[test]
fn after_the_main_thread_has_exited() {
    extern "C" fn last(_: *mut c_void) -> *mut c_void {
        // Until the main thread is a zombie.
        for _ in 0..1000 {
            let id = std::process::id();
            let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat"));
            if stat.is_ok_and(|stat| stat.contains(") Z ")) {
                break;
            }
            // SAFETY: the call has no preconditions.
            unsafe { libc::usleep(1000) };
        }
        let (mapping, _file) = truncated();
        let mut byte = [1];
        let copied = mapping.read_at_with(Mechanism::ProcessVm, 0, &mut byte);
        let code = i32::from(copied.is_err() || byte != [0]);
        // SAFETY: the call has no preconditions.
        unsafe { libc::_exit(code) };
    }
    let (mapping, _file) = truncated();
    if let Err(error) = mapping.read_at_with(Mechanism::ProcessVm, 0, &mut [0]) {
        return skip("copies between processes", &error.to_string());
    }
    let status = in_a_child(|| {
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the function takes nothing.
        let made = unsafe {
            libc::pthread_create(
                thread.as_mut_ptr(),
                std::ptr::null(),
                last,
                std::ptr::null_mut(),
            )
        };
        assert_eq!(made, 0);
        // Without unwinding, which would be caught.
        // SAFETY: the other thread ends the process.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    });
    assert!(status.success(), "{status}");
}

#[test]
fn a_copy_that_is_too_large_is_refused() {
    if usize::BITS < 64 {
        return skip("a copy of a tebibyte", "there are no such mappings");
    }
    let status = in_a_child(|| {
        let memory = SharedMemory::unnamed(1 << 40).unwrap();
        let Ok(mapping) = memory.map(ReadOnly) else {
            return skip("a copy of a tebibyte", "it cannot be mapped");
        };
        // Whether the system promises more than it has or not.
        let limit = getrlimit(Resource::As);
        let current = Some((1 << 40) + (1 << 33));
        setrlimit(Resource::As, Rlimit { current, ..limit }).unwrap();
        let error = mapping.to_vec().unwrap_err();
        assert_eq!(
            (error.errno(), error.reason()),
            (ENOMEM, Reason::Allocation(1 << 40))
        );
        let error = mapping.chunks(1 << 39).next().unwrap().unwrap_err();
        assert_eq!(error.reason(), Reason::Allocation(1 << 39));
    });
    assert!(status.success(), "{status}");
}

/// What leads to one mapping, and then to another.
struct Changing<'a> {
    mappings: [&'a SharedMapping<ReadWrite>; 2],
    asked: Cell<usize>,
}

impl Deref for Changing<'_> {
    type Target = SharedMapping<ReadWrite>;

    fn deref(&self) -> &SharedMapping<ReadWrite> {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        self.mappings[usize::from(asked > 0)]
    }
}

#[test]
fn a_cursor_over_what_becomes_shorter_comes_to_an_end() {
    let map = |len| {
        let mapping = SharedMapping::from(Mapping::anonymous(len).unwrap());
        mapping.fill(.., 1).unwrap();
        mapping
    };
    for (first, second) in [(100, 10), (100, 0), (10, 100)] {
        let mappings = [&map(first), &map(second)];
        let mut cursor = Cursor::new(Changing {
            mappings,
            asked: Cell::new(0),
        });
        let mut bytes = Vec::new();
        // The first says how much there is.
        let read = cursor.read_to_end(&mut bytes);
        assert_eq!(read.ok(), Some(first.min(second)));
        assert_eq!(bytes, vec![1; first.min(second)]);
        let mut lines = StdCursor::new(&bytes);
        assert_eq!(
            std::io::copy(&mut lines, &mut std::io::sink()).unwrap(),
            bytes.len() as u64
        );
    }
}

/// Copies in several threads while one installs the handler again and again.
#[test]
fn installing_while_others_copy() {
    let status = in_a_child(|| {
        let (mapping, _file) = truncated();
        let work = |thread: usize| {
            let mapping = &mapping;
            move || {
                for round in 0..200 {
                    if thread == 0 && round % 2 == 0 {
                        disable_fault_handler();
                    } else if thread == 0 {
                        let _where_there_is_one = install_fault_handler();
                    }
                    assert_copies_fail(mapping);
                }
            }
        };
        in_threads((0..3).map(work));
    });
    assert!(status.success(), "{status}");
}
