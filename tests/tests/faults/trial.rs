//! A function of the library, tried in a child of which a call is refused.

use std::ffi::c_long;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicIsize, AtomicU8, AtomicU32, AtomicUsize};
use std::time::Instant;

use tests::kernel::{self, List};
use tests::seccomp::listener::{Answer, Listener, Waiting};
use unix_memory::{Error, Failed, Mapping, page_size};

use super::calls;

/// What the child and its parent both see.
#[derive(Default)]
struct Shared {
    /// What the child is doing.
    phase: AtomicU32,
    /// Whether what is refused once is refused from then on.
    from_then_on: AtomicBool,
    /// The number of its listener.
    listener: AtomicI32,
    /// Whether what was tried was done.
    outcome: AtomicU32,
    errno: AtomicI32,
    /// The name of the call in its error.
    name: [AtomicU8; 32],
    name_len: AtomicUsize,
    /// What is left afterwards that was not there before.
    bytes: AtomicIsize,
    descriptors: AtomicIsize,
    locked: AtomicIsize,
}

/// Before the filter is installed; if it cannot be; until the parent has it; before and after what is
/// tried; meanwhile.
const BEGINS: u32 = 0;
const UNABLE: u32 = 1;
const WAITS: u32 = 2;
const FREE: u32 = 3;
const TRIES: u32 = 4;

const NOT_TRIED: u32 = 0;
const DONE: u32 = 1;
const REFUSED: u32 = 2;

/// Which call is refused, with what.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub call: c_long,
    /// How many such calls come before.
    pub position: usize,
    pub errno: i32,
    /// Whether those that come later are refused, too.
    pub from_then_on: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Report {
    /// The calls that were made while it was tried.
    pub calls: Vec<c_long>,
    /// The name of the call and the errno in its error; `None` if it succeeded.
    pub error: Option<(String, i32)>,
    pub left: Left,
    /// How the child ended, if it should not have.
    pub failure: Option<String>,
}

/// What is there after it: bytes mapped, descriptors, bytes locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub bytes: isize,
    pub descriptors: isize,
    pub locked: isize,
}

/// What a scenario tries once, under a fault, and then, without one, again.
pub struct Trial<'a> {
    shared: &'a Shared,
}

/// What has an error.
pub trait Refusal: std::fmt::Debug {
    /// # Panics
    /// Where what it displays, or becomes, does not say which call was refused with what.
    fn errno(&self) -> i32;
    /// The name of the call that was refused; nothing where there is but one that it could be.
    fn name(&self) -> &'static str;
}

impl Refusal for Error {
    fn errno(&self) -> i32 {
        let (errno, text) = (Self::errno(self), self.to_string());
        let bare = self.to_os_error();
        assert_eq!(bare.raw_os_error(), Some(errno), "{text}");
        assert!(text.starts_with(self.call().name()), "{text}");
        let has_words = !text.contains("error number") || errno == libc::EHWPOISON;
        assert!(has_words, "{text}");
        assert_eq!(Self::from_io(&std::io::Error::from(*self)), Some(*self));
        errno
    }

    fn name(&self) -> &'static str {
        self.call().name()
    }
}

impl<M> Refusal for Failed<M> {
    fn errno(&self) -> i32 {
        Refusal::errno(&self.error())
    }

    fn name(&self) -> &'static str {
        self.error().call().name()
    }
}

impl Trial<'_> {
    /// Whether what undoes a change is refused as that was.
    pub fn refuses_for_good(&self) -> bool {
        self.shared.from_then_on.load(Relaxed)
    }

    /// Tries `f` under the fault.
    pub fn first<T, E: Refusal>(&self, f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.shared.phase.store(TRIES, Release);
        let result = f();
        self.shared.phase.store(FREE, Release);
        let outcome = match &result {
            Ok(_) => DONE,
            Err(refusal) => {
                let name = refusal.name();
                for (byte, letter) in self.shared.name.iter().zip(name.bytes()) {
                    byte.store(letter, Relaxed);
                }
                self.shared.name_len.store(name.len(), Relaxed);
                self.shared.errno.store(refusal.errno(), Relaxed);
                REFUSED
            }
        };
        self.shared.outcome.store(outcome, Release);
        result
    }

    /// Tries `f`; if it is refused, checks with `unchanged` whether everything is as it was, and does
    /// it again.
    pub fn twice<T, E: Refusal>(
        &self,
        mut f: impl FnMut() -> Result<T, E>,
        unchanged: impl FnOnce(),
    ) -> T {
        self.first(&mut f).unwrap_or_else(|_| {
            unchanged();
            f().expect("the second try")
        })
    }

    /// The same for a function that takes a mapping or something similar, and gives it back inside an
    /// error.
    pub fn twice_with<M, T>(
        &self,
        it: M,
        f: impl Fn(M) -> Result<T, Failed<M>>,
        unchanged: impl FnOnce(&M),
    ) -> T {
        self.first(|| f(it)).unwrap_or_else(|failed| {
            let it = failed.into_mapping();
            unchanged(&it);
            f(it).expect("the second try")
        })
    }

    /// The same for what is `changed` in place.
    pub fn twice_in<M, T, E: Refusal>(
        &self,
        it: &mut M,
        f: impl Fn(&mut M) -> Result<T, E>,
        unchanged: impl FnOnce(&M),
    ) -> T {
        self.first(|| f(it)).unwrap_or_else(|_| {
            unchanged(it);
            f(it).expect("the second try")
        })
    }

    /// Does `f`, which cannot fail.
    pub fn does(&self, f: impl FnOnce()) {
        let done: Result<(), Error> = self.first(|| {
            f();
            Ok(())
        });
        done.expect("it cannot fail");
    }
}

/// A page that a child shares.
struct Page(NonNull<Shared>);

impl Page {
    fn new() -> Self {
        let (flags, both) = (
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            libc::PROT_READ | libc::PROT_WRITE,
        );
        let len = size_of::<Shared>();
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), len, both, flags, -1, 0) };
        assert_ne!(page, libc::MAP_FAILED);
        Self(NonNull::new(page.cast()).expect("not the first page"))
    }

    fn get(&self) -> &Shared {
        // SAFETY: the page holds zeros, which are one, and changes only by atomics; it is unmapped
        // when this is dropped.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the page is this value's own, and nothing refers to it.
        let unmapped = unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<Shared>()) };
        assert_eq!(unmapped, 0);
    }
}

/// Tries a scenario in a child. `None` if the kernel has no filters that could ask for an answer.
///
/// If it `is_warm`, the library already has in the child what it makes once and keeps.
pub fn run(scenario: fn(&Trial<'_>), is_warm: bool, fault: Option<Fault>) -> Option<Report> {
    let page = Page::new();
    let shared = page.get();
    let from_then_on = fault.is_some_and(|fault| fault.from_then_on);
    shared.from_then_on.store(from_then_on, Relaxed);
    let child = tests::spawn(|| {
        if is_warm {
            warm_up();
        }
        let mut list = List::new();
        let before = measure(&mut list);
        // Without a fault, all calls wait, so that none is overlooked.
        let listener = match fault {
            Some(fault) => Listener::new(&[fault.call]),
            None => Listener::of_all_but(calls::NEVER_REFUSED),
        };
        let Ok(listener) = listener else {
            return shared.phase.store(UNABLE, Release);
        };
        shared.listener.store(listener.number(), Relaxed);
        shared.phase.store(WAITS, Release);
        while shared.phase.load(Acquire) == WAITS {
            std::hint::spin_loop();
            std::thread::yield_now();
        }
        // The parent has it now.
        drop(listener);
        scenario(&Trial { shared });
        // What was refused when it was dropped is tried again when something is unmapped.
        for _ in 0..4 {
            drop(Mapping::anonymous(page_size()).expect("a page"));
        }
        let left = measure(&mut list);
        shared.bytes.store(left.bytes - before.bytes, Relaxed);
        shared.locked.store(left.locked - before.locked, Relaxed);
        let descriptors = left.descriptors - before.descriptors;
        shared.descriptors.store(descriptors, Relaxed);
        assert_ne!(shared.outcome.load(Relaxed), NOT_TRIED, "nothing was tried");
    });
    let deadline = tests::deadline();
    while shared.phase.load(Acquire) == BEGINS && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let mut made = Vec::new();
    let mut failure = None;
    if shared.phase.load(Acquire) == WAITS {
        match Listener::of(child.id(), shared.listener.load(Relaxed)) {
            Ok(listener) => {
                shared.phase.store(FREE, Release);
                let mut earlier = 0;
                while let Some(call) = listener.next() {
                    let tries = shared.phase.load(Acquire) == TRIES;
                    let answer = decide(&call, tries, fault, &mut earlier, &mut made);
                    listener.answer(&call, answer);
                }
            }
            Err(error) => {
                shared.phase.store(UNABLE, Release);
                failure = Some(format!("its calls cannot be answered: {error}"));
            }
        }
    }
    let ended = child.wait();
    if shared.phase.load(Acquire) == UNABLE {
        return None;
    }
    if !ended.success() {
        failure = Some(ended.to_string());
    }
    let name = &shared.name[..shared.name_len.load(Relaxed)];
    let name: Vec<_> = name.iter().map(|byte| byte.load(Relaxed)).collect();
    let is_refused = shared.outcome.load(Acquire) == REFUSED;
    let error = (
        String::from_utf8(name).expect("a name"),
        shared.errno.load(Relaxed),
    );
    Some(Report {
        calls: made,
        error: is_refused.then_some(error),
        left: Left {
            bytes: shared.bytes.load(Relaxed),
            descriptors: shared.descriptors.load(Relaxed),
            locked: shared.locked.load(Relaxed),
        },
        failure,
    })
}

fn decide(
    call: &Waiting,
    tries: bool,
    fault: Option<Fault>,
    earlier: &mut usize,
    made: &mut Vec<c_long>,
) -> Answer {
    if !tries {
        return Answer::Go;
    }
    made.push(call.call);
    let Some(fault) = fault.filter(|fault| fault.call == call.call) else {
        return Answer::Go;
    };
    let position = *earlier;
    *earlier += 1;
    if position == fault.position || fault.from_then_on && position > fault.position {
        Answer::Refuse(fault.errno)
    } else {
        Answer::Go
    }
}

/// Makes the library make what it keeps.
fn warm_up() {
    let (first, second) = Mapping::anonymous(2 * page_size())
        .and_then(|mapping| Ok(mapping.split_at(page_size())?))
        .expect("two pages");
    drop(first.lock().expect("a page is locked"));
    drop(second);
}

/// What there is in this process.
fn measure(list: &mut List) -> Left {
    list.read(false).expect("the kernel's list");
    let number = |number: usize| isize::try_from(number).expect("a number");
    let descriptors = std::fs::read_dir("/proc/self/fd")
        .expect("descriptors")
        .count();
    Left {
        bytes: number(list.bytes()),
        descriptors: number(descriptors),
        locked: number(kernel::locked_size().get().unwrap_or(0)),
    }
}
