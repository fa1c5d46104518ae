//! A sequence from its beginning to its end, in a child, so that nothing of one is left for the next,
//! and one that ends the process can be made shorter, too.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tests::skip;
use unix_memory::{Mapping, page_size};

use super::limits::Limits;
use super::operations::{Operation, sequences};
use super::oracle::{Look, Oracle, tells_on_fault};
use super::world::{Memory, Thing, World};

/// What to do, under what circumstances.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    pub seed: u64,
    /// How many sequences, and how long they are at most.
    pub cases: u32,
    pub longest: usize,
    /// How many threads do such a sequence at the same time.
    pub threads: usize,
    /// The name of a limit, and how much there is up to it.
    pub limit: &'a str,
    pub room: usize,
}

/// How a child ends that could not set its limit.
const NO_LIMIT: i32 = 103;

/// How often a closer look is taken.
const CLOSE: usize = 6;

impl Setup<'_> {
    /// Does all sequences, and calls `progress` with the number of operations of each.
    ///
    /// # Panics
    /// With the shortest sequence that was found to fail, step by step.
    pub fn run(&self, mut progress: impl FnMut(usize)) {
        let mut runner = TestRunner::new(Config {
            cases: self.cases,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(self.seed),
            max_shrink_iters: 3000,
            ..Config::default()
        });
        let _asked = tells_on_fault();
        let said = std::cell::RefCell::new(tempfile::tempfile().expect("a file"));
        let progress = std::cell::RefCell::new(&mut progress);
        let strategy = vec(sequences(self.longest), self.threads);
        let result = runner.run(&strategy, |all| {
            let ended = self.in_a_child(&all, &mut said.borrow_mut(), false);
            (progress.borrow_mut())(all.iter().map(Vec::len).sum());
            ended.map_err(TestCaseError::fail)
        });
        let (reason, all) = match result {
            Ok(()) => return,
            Err(TestError::Fail(reason, all)) => (reason, all),
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        };
        let again = self.in_a_child(&all, &mut said.borrow_mut(), true);
        let steps = again.err().unwrap_or_else(|| format!("{all:#?}"));
        panic!("{reason}\n{self:?}\nThe shortest sequence that was found to fail:\n{steps}");
    }

    /// Does it in a child. An error says what happened to the child, step by step if it `tells`.
    pub fn in_a_child(
        &self,
        all: &[Vec<Operation>],
        said: &mut File,
        tells: bool,
    ) -> Result<(), String> {
        said.set_len(0).expect("a file");
        said.rewind().expect("a file");
        let ended = tests::in_a_child(|| {
            // The output of a panic goes there.
            // SAFETY: both are descriptors.
            unsafe { libc::dup2(said.as_raw_fd(), 2) };
            self.here(all, tells.then_some(&*said));
        });
        if ended.success() {
            return Ok(());
        }
        if ended.code() == Some(NO_LIMIT) {
            skip(
                "operations near a limit",
                &format!("{} cannot be limited", self.limit),
            );
            return Ok(());
        }
        let mut text = String::new();
        said.rewind().expect("a file");
        said.read_to_string(&mut text).expect("what was said");
        Err(format!("{text}{ended}"))
    }

    fn here(&self, all: &[Vec<Operation>], tells: Option<&File>) {
        warm_up(self.threads);
        let mut limits = Limits::named(self.limit, self.room);
        if self.threads > 1 {
            let mut oracle = Oracle::new(true);
            oracle.begin();
            let barrier = Barrier::new(all.len());
            let (forever, locked) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let work = |operations: &Vec<Operation>| {
                let mut world = World::new(Limits::None, false);
                world.tells = tells.map(|file| file.try_clone().expect("a descriptor"));
                barrier.wait();
                world.run(operations);
                world.finish();
                forever.fetch_add(world.forever, Ordering::Relaxed);
                locked.fetch_add(world.locked_forever, Ordering::Relaxed);
            };
            in_threads(all.iter().map(|operations| || work(operations)));
            return oracle.expect_no_more(forever.into_inner(), locked.into_inner());
        }
        let mut world = World::new(Limits::None, true);
        world.tells = tells.map(|file| file.try_clone().expect("a descriptor"));
        world.oracle.begin();
        if !limits.set() {
            // SAFETY: the call has no preconditions.
            unsafe { libc::_exit(NO_LIMIT) };
        }
        world.limits = limits;
        world.run(&all[0]);
        world.finish();
    }
}

/// Has the library, the C library and this program make what they keep, so that it is there before
/// what is mapped is counted.
fn warm_up(threads: usize) {
    const NODES: usize = 160;
    let mut many = Mapping::anonymous(2 * NODES * page_size()).expect("memory");
    // The account of locks has room for so many.
    for page in (0..2 * NODES).step_by(2) {
        let pages = page * page_size()..(page + 1) * page_size();
        if let Ok(guard) = many.lock_range_on_fault(pages) {
            std::mem::forget(guard);
        }
    }
    many.discard(..).expect("zeros");
    let (_first, _second) = many.split_at(page_size()).expect("two parts");
    // The memory of threads, each of which makes another one do something.
    let threads = 2 * threads;
    let barrier = Barrier::new(threads);
    in_threads((0..threads).map(|_| {
        || {
            let _allocated = vec![0_u8; 1 << 16];
            barrier.wait();
        }
    }));
}

/// Does all, each in a thread, and waits until these have ended, with all that they had for themselves.
fn in_threads<F: FnOnce() + Send>(all: impl Iterator<Item = F>) {
    std::thread::scope(|scope| {
        let threads: Vec<_> = all.map(|work| scope.spawn(work)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

impl World {
    fn run(&mut self, operations: &[Operation]) {
        let every = if self.limits.loses() { 10 } else { 1 };
        let mut step = 0;
        while step < operations.len() {
            let mut done = 1;
            match operations[step] {
                Operation::Fork(count)
                    if !self.is_child && self.is_alone() && !self.limits.loses() =>
                {
                    self.tell(step, &operations[step]);
                    let rest = &operations[step + 1..];
                    let part = &rest[..rest.len().min(count.into())];
                    self.fork(part);
                    done += part.len();
                }
                _ => {
                    self.tell(step, &operations[step]);
                    self.apply(&operations[step]);
                }
            }
            step += done;
            if step % every == 0 {
                let close = step % (CLOSE * every) == 0;
                self.check(if close { Look::Close } else { Look::Quick });
            }
        }
        self.check(Look::All);
    }

    /// Prints what is done, if that was requested.
    pub fn tell(&self, step: usize, what: &dyn std::fmt::Debug) {
        if let Some(mut file) = self.tells.as_ref() {
            let names: Vec<_> = self.things.iter().map(Thing::describe).collect();
            let text = format!("{step}: {what:?}\n    over {}\n", names.join(", "));
            file.write_all(text.as_bytes())
                .expect("a file that takes bytes");
        }
    }

    /// Drops everything, starting with the last or the first, and checks whether anything is left.
    pub fn finish(&mut self) {
        let mut first = self.things.len().is_multiple_of(2);
        while let Some(last) = self.things.len().checked_sub(1) {
            self.remove(if first { 0 } else { last }, false);
            first = !first;
        }
        self.process.clear();
        self.check(Look::Close);
    }

    /// Does one.
    pub fn apply(&mut self, operation: &Operation) {
        use Operation as Op;
        match *operation {
            Op::MapAnonymous(..)
            | Op::MapGuarded { .. }
            | Op::MapShared(..)
            | Op::MapFile { .. }
            | Op::MapSealed(..)
            | Op::Reserve(..)
                if self.is_full() => {}
            Op::MapAnonymous(length, kind, extras) => self.map_anonymous(length, kind, extras),
            Op::MapGuarded {
                before,
                length,
                behind,
                kind,
            } => self.map_guarded(before, length, behind, kind),
            Op::MapShared(length, kind) => self.map_shared(length, kind),
            Op::MapSealed(length, first) => self.map_sealed(length, first),
            Op::MapFile {
                file,
                page,
                inside,
                length,
                private,
                kind,
            } => self.map_file(file, (page, inside), length, private, kind),
            Op::Reserve(pages) => self.reserve(pages),
            Op::SetFileLength(file, length) => self.set_file_length(file, length),
            Op::LockProcess { future, on_fault } => self.lock_process(future, on_fault),
            Op::UnlockProcess(which) => self.unlock_process(which),
            // One in a child would be in a child of that.
            Op::Fork(_) => {}
            Op::Read => self.check(Look::All),
            _ => self.apply_to_one(operation),
        }
    }

    /// Does one that is about a mapping.
    fn apply_to_one(&mut self, operation: &Operation) {
        use Operation as Op;
        let of = |which: u8| self.pick(which);
        match *operation {
            Op::Commit(which, span) => of(which).map(|it| self.commit(it, span)),
            Op::Decommit(which, span) => of(which).map(|it| self.decommit(it, span)),
            Op::Split(which, _) if self.is_full() => of(which).map(drop),
            Op::Split(which, place) => of(which).map(|it| self.split(it, place)),
            Op::Join(which) => of(which).map(|it| self.join_with_next(it)),
            Op::JoinWith(which, other) => of(which)
                .zip(of(other))
                .map(|(one, other)| self.join(one, other)),
            Op::Protect(which, kind) => of(which).map(|it| self.protect(it, kind)),
            Op::Downcast(which, kind) => of(which).map(|it| self.downcast(it, kind)),
            Op::SetProtection(which, kind) => of(which).map(|it| self.set_protection(it, kind)),
            Op::Advise(which, span, hint) => of(which).map(|it| self.advise(it, span, hint)),
            Op::Lock(which, span) => of(which).map(|it| self.lock(it, span)),
            Op::LockOnFault(which, span) => of(which).map(|it| self.lock_on_fault(it, span)),
            Op::Mlock(which, span) => of(which).map(|it| self.mlock(it, span)),
            Op::Munlock(which, span) => of(which).map(|it| self.munlock(it, span)),
            Op::Unlock(which, guard) => of(which).map(|it| self.unlock(it, guard, false)),
            Op::UnlockElsewhere(which, guard) => of(which).map(|it| self.unlock(it, guard, true)),
            Op::Forget(which, guard) => of(which).map(|it| self.forget(it, guard)),
            Op::IntoLocked(which) => of(which).map(|it| self.lock_as_a_whole(it)),
            Op::Resize(which, length) => of(which).map(|it| self.resize(it, length, false)),
            Op::ResizeInPlace(which, length) => of(which).map(|it| self.resize(it, length, true)),
            Op::Discard(which, span) => of(which).map(|it| self.discard(it, span)),
            Op::Flush(which, span, mode) => of(which).map(|it| self.flush(it, span, mode)),
            Op::Populate(which, span) => of(which).map(|it| self.populate(it, span)),
            Op::PopulateWrite(which, span) => of(which).map(|it| self.populate_write(it, span)),
            Op::Write(which, span, byte) => of(which).map(|it| self.write(it, span, byte)),
            Op::WriteElsewhere(which, span, byte) => {
                of(which).map(|it| self.write_elsewhere(it, span, byte))
            }
            Op::CopyWithin(which, span, to) => of(which).map(|it| self.copy_within(it, span, to)),
            Op::Seal(which) => of(which).map(|it| self.seal(it)),
            Op::Key(which) => of(which).map(|it| self.key(it)),
            Op::Unmap(which) => of(which).map(|it| self.remove(it, true)),
            Op::Drop(which) => of(which).map(|it| self.remove(it, false)),
            Op::Panic(which, span) => of(which).map(|it| self.panic(it, span)),
            _ => None,
        };
    }
}

impl Thing {
    /// In a few words.
    fn describe(&self) -> String {
        let kind = match self.memory {
            Memory::Private(_) => "private",
            Memory::Shared(_) => "shared",
            Memory::Locked(_) => "locked",
            Memory::Reserved(_) => "reserved",
            Memory::Permanent(_) => "permanent",
        };
        let (name, area) = (self.name, &self.area);
        let (start, len, protection) = (area.start, area.len, area.protection);
        format!("m{name} ({kind}, {len} bytes at {start:#x}, {protection:?})")
    }
}
