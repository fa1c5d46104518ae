//! Copies by the processor store each byte once: a child that copies is stepped from one instruction
//! to the next, and what each one stored is taken out of the memory before the next. This is also
//! checked if the file is truncated in between, and is long again when the copy continues.
// Children are stepped by Linux's ptrace, whose calls and registers others do not have.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use libc::{c_int, c_long, pid_t};
use tests::{processor_copies, skip, spawn};
use unix_memory::{MapOptions, ReadWrite, Reason, SharedMapping, install_fault_handler, page_size};

/// What the child does next, written by the parent; and how it went, by the child.
struct Orders(SharedMapping<ReadWrite>);

const WHAT: usize = 0;
const START: usize = 1;
const LEN: usize = 2;
/// How many bytes were copied; or [`NO_TRACE`].
const DONE: usize = 3;

const WRITE: usize = 0;
const FILL: usize = 1;
const END: usize = 2;
const NO_TRACE: usize = usize::MAX;

impl Orders {
    fn new() -> Self {
        let len = 4 * size_of::<usize>();
        let mapping = MapOptions::new().len(len).map_anonymous_shared(ReadWrite);
        Self(mapping.unwrap())
    }

    fn at(&self, what: usize) -> &AtomicUsize {
        self.0.atomic(what * size_of::<usize>()).unwrap()
    }

    fn get(&self, what: usize) -> usize {
        self.at(what).load(SeqCst)
    }

    fn set(&self, what: usize, value: usize) {
        self.at(what).store(value, SeqCst);
    }
}

/// What the copies store; what was taken out is zero.
const BYTE: u8 = 7;

fn map(file: &File) -> SharedMapping<ReadWrite> {
    MapOptions::new().map_shared(file, ReadWrite).unwrap()
}

/// Copies as it is ordered, and stops before each time.
fn copy_as_ordered(file: &File, orders: &Orders) {
    install_fault_handler().unwrap();
    let mapping = map(file);
    let source = vec![BYTE; mapping.len()];
    // SAFETY: the call changes only who traces this process.
    let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    if traced == -1 {
        return orders.set(DONE, NO_TRACE);
    }
    loop {
        // SAFETY: the call has no preconditions.
        unsafe { libc::raise(libc::SIGSTOP) };
        let (start, len) = (orders.get(START), orders.get(LEN));
        let result = match orders.get(WHAT) {
            WRITE => mapping.write_at(start, &source[..len]),
            FILL => mapping.fill(start..start + len, BYTE),
            _ => return,
        };
        let done = match result.map_err(|error| error.reason()) {
            Ok(()) => len,
            Err(Reason::Fault { done, at, .. }) if at == start + done => done,
            Err(reason) => panic!("{reason:?}"),
        };
        orders.set(DONE, done);
    }
}

/// How the child continues.
#[derive(Clone, Copy)]
enum Go {
    /// For one instruction.
    Step,
    On,
}

/// Lets the child continue, into the handler of `signal` if that is not zero; returns the signal at
/// which it stopped next.
fn go(child: pid_t, how: Go, signal: c_int) -> std::io::Result<c_int> {
    let signal = c_long::from(signal);
    let request = match how {
        Go::Step => libc::PTRACE_SINGLESTEP,
        Go::On => libc::PTRACE_CONT,
    };
    // SAFETY: the child is stopped, and traced by this thread.
    match unsafe { libc::ptrace(request, child, 0, signal) } {
        0 => Ok(wait(child).expect("the child lives")),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// The signal at which the child stopped, or `None` if it ended.
fn wait(child: pid_t) -> Option<c_int> {
    let mut status = 0;
    // SAFETY: `status` can be written.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(waited, child);
    libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status))
}

/// What one copy did.
struct Seen {
    /// How often each byte was stored: those copied, and some before and behind, from `from` on.
    stored: Vec<usize>,
    from: usize,
    /// The steps that stored something, from zero: the first instruction that stores.
    steps: Vec<usize>,
    /// How many bytes were copied, as the child reports.
    done: usize,
}

impl Seen {
    /// Takes what was stored out of the file; returns whether there was anything.
    fn take(&mut self, file: &File) -> bool {
        let mut bytes = vec![0; self.stored.len()];
        // (Nothing, as long as it is gone.)
        let read = file.read_at(&mut bytes, self.from as u64).unwrap();
        let mut any = false;
        for (count, &byte) in self.stored.iter_mut().zip(&bytes[..read]) {
            any |= byte != 0;
            *count += usize::from(byte != 0);
        }
        if any {
            bytes.fill(0);
            file.write_all_at(&bytes, self.from as u64).unwrap();
        }
        any
    }
}

/// What happens to the file in the midst of a copy.
#[derive(Clone, Copy, PartialEq)]
enum Truncated {
    Never,
    /// Before that step; it is long again when the part byte by byte comes to what is gone.
    Once(usize),
    /// Before that step, and permanently.
    ForGood(usize),
}

struct Tracer {
    child: pid_t,
    file: File,
    orders: Orders,
}

impl Tracer {
    /// Whether there are single steps on this processor: RISC-V has none.
    fn can_step(&self) -> std::io::Result<()> {
        go(self.child, Go::Step, 0).map(|signal| assert_eq!(signal, libc::SIGTRAP))
    }

    /// Lets the child go to its end.
    fn let_go(&self) {
        self.orders.set(WHAT, END);
        // SAFETY: the child is stopped, and traced by this thread.
        let detached = unsafe { libc::ptrace(libc::PTRACE_DETACH, self.child, 0, 0) };
        assert_eq!(detached, 0);
    }

    fn go(&self, how: Go, signal: c_int) -> c_int {
        go(self.child, how, signal).unwrap()
    }

    fn set_pages(&self, pages: usize) {
        self.file.set_len((pages * page_size()) as u64).unwrap();
    }

    /// Makes the child copy, and takes what it stores out of the file after each step.
    fn copy(&self, what: usize, start: usize, len: usize, truncated: Truncated) -> Seen {
        self.orders.set(WHAT, what);
        self.orders.set(START, start);
        self.orders.set(LEN, len);
        self.orders.set(DONE, NO_TRACE);
        let mut seen = Seen {
            stored: vec![0; len + 2 * 64],
            from: start - 64,
            steps: Vec::new(),
            done: 0,
        };
        // Up to the first store, which stores nothing as long as the file is gone. This fault is
        // hidden from the child: the instruction is executed again.
        self.set_pages(0);
        assert_eq!(self.go(Go::On, 0), libc::SIGBUS);
        self.set_pages(2);
        for now in 0.. {
            if truncated == Truncated::Once(now) || truncated == Truncated::ForGood(now) {
                self.set_pages(0);
            }
            match self.go(Go::Step, 0) {
                libc::SIGTRAP => {}
                libc::SIGBUS => {
                    // The handler makes it continue byte by byte, which faults again; and so does
                    // reading the byte, to find out why.
                    let mut signal = self.go(Go::On, libc::SIGBUS);
                    while signal == libc::SIGBUS && matches!(truncated, Truncated::ForGood(_)) {
                        signal = self.go(Go::On, libc::SIGBUS);
                    }
                    self.set_pages(2);
                    if signal == libc::SIGSTOP {
                        break;
                    }
                    assert_eq!(signal, libc::SIGBUS);
                }
                // The copy ended at the fault, and then its byte could be read.
                libc::SIGSTOP if matches!(truncated, Truncated::Once(_)) => break,
                other => panic!("signal {other}"),
            }
            if seen.take(&self.file) {
                seen.steps.push(now);
            }
            if seen.stored.iter().sum::<usize>() >= len {
                assert_eq!(self.go(Go::On, 0), libc::SIGSTOP);
                break;
            }
        }
        seen.take(&self.file);
        seen.done = self.orders.get(DONE);
        seen
    }

    /// Copies without a fault; and with one at some of the steps that store, at least `faults`, and at
    /// all if there are not many more.
    fn check(&self, what: usize, start: usize, len: usize, faults: usize) {
        let check = |truncated| {
            let seen = self.copy(what, start, len, truncated);
            for (&count, i) in seen.stored.iter().zip(seen.from..) {
                let expected = usize::from((start..start + seen.done).contains(&i));
                assert_eq!(count, expected, "{what}: {len} at {start}: byte {i}");
            }
            seen
        };
        let good = check(Truncated::Never);
        assert_eq!(good.done, len);
        let steps = &good.steps;
        for (i, &at) in steps
            .iter()
            .enumerate()
            .step_by(steps.len().div_ceil(faults))
        {
            // What is copied by a string instruction ends at the first fault.
            let whole = check(Truncated::Once(at)).done;
            assert!(whole == len || len >= 1024, "{len} at {start}: {whole}");
            let part = check(Truncated::ForGood(at)).done;
            assert!(
                part < len && (part > 0) == (i > 0),
                "{len} at {start}: {part}"
            );
        }
    }
}

/// Keeps this thread and its children on its processor: waking up another processor at each step takes
/// ten times as long.
fn stay_on_one_processor() {
    // SAFETY: it holds only integers.
    let mut set = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    // SAFETY: the call has no preconditions.
    let here = usize::try_from(unsafe { libc::sched_getcpu() });
    if let Ok(here) = here.map_err(drop).and_then(|here| {
        let room = libc::CPU_SETSIZE.unsigned_abs() as usize;
        (here < room).then_some(here).ok_or(())
    }) {
        // SAFETY: the set has room for it.
        unsafe { libc::CPU_SET(here, &mut set) };
        // SAFETY: the call reads the set. If it is refused, it is slow.
        unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    }
}

#[test]
fn each_byte_is_stored_once() {
    if !processor_copies() {
        return skip("copies, step by step", "the kernel makes them here");
    }
    let size = 2 * page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(size as u64).unwrap();
    let orders = Orders::new();
    stay_on_one_processor();
    let child = spawn(|| copy_as_ordered(&file, &orders));
    let first = wait(child.id());
    if first.is_none() {
        assert_eq!(orders.get(DONE), NO_TRACE);
        return skip("copies, step by step", "no process can be traced here");
    }
    assert_eq!(first, Some(libc::SIGSTOP));
    // Should this test fail, the child is not left behind.
    let options = c_long::from(libc::PTRACE_O_EXITKILL);
    // SAFETY: the child is stopped, and traced by this thread.
    let set = unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, child.id(), 0, options) };
    assert_eq!(set, 0);
    let tracer = Tracer {
        child: child.id(),
        file,
        orders,
    };
    if let Err(error) = tracer.can_step() {
        tracer.let_go();
        assert!(child.wait().success());
        return skip("copies, step by step", &error.to_string());
    }
    // Around the steps of all loops; within a page, and over the end of one.
    let lens = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 63, 64, 65, 100,
        127, 128, 129, 200, 1030,
    ];
    for what in [WRITE, FILL] {
        for len in lens {
            for start in [64, 67, page_size() - 1, page_size() - 13] {
                tracer.check(what, start, len, 8);
            }
        }
    }

    tracer.let_go();
    assert!(child.wait().success());
}
