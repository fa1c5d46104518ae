//! `ReservedVec` if something panics.
//!
//! No test here may fork: a child of a process in which another thread is just panicking waits for
//! the lock that this holds.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use tests::kernel::virtual_size;
use unix_memory::reserve::ReservedVec;

fn vec<T>(max_capacity: usize) -> ReservedVec<T> {
    ReservedVec::with_max_capacity(max_capacity).unwrap()
}

/// Counts its drops, and panics at some.
struct Counted {
    drops: Rc<Cell<usize>>,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
        assert!(!self.panics, "as it should");
    }
}

fn counted(vec: &mut ReservedVec<Counted>, panics: &[bool]) -> Rc<Cell<usize>> {
    let drops = Rc::new(Cell::new(0));
    vec.extend(panics.iter().map(|&panics| Counted {
        drops: drops.clone(),
        panics,
    }));
    drops
}

#[test]
fn each_element_is_dropped_once() {
    let mut elements = vec(100);
    let drops = counted(&mut elements, &[false; 10]);
    drop(elements.pop());
    assert_eq!(drops.get(), 1);
    elements.truncate(20);
    elements.truncate(5);
    assert_eq!((drops.get(), elements.len()), (5, 5));
    drop(elements);
    assert_eq!(drops.get(), 10);
}

#[test]
fn one_that_panics_takes_none_with_it() {
    let mut elements = vec(100);
    let drops = counted(&mut elements, &[false, true, false, false]);
    let clearing = catch_unwind(AssertUnwindSafe(|| elements.clear()));
    assert!(clearing.is_err());
    assert_eq!((drops.get(), elements.len()), (4, 0));
    let drops = counted(&mut elements, &[false, true, false]);
    let dropping = catch_unwind(AssertUnwindSafe(|| drop(elements)));
    assert!(dropping.is_err());
    assert_eq!(drops.get(), 3);
}

#[test]
fn it_is_unmapped_though_an_element_panics() {
    // Far more than the allocator takes for the threads of other tests.
    const LEN: usize = if usize::BITS > 32 { 1 << 30 } else { 32 << 20 };
    let Some(before) = virtual_size().get() else {
        return;
    };
    for _ in 0..16 {
        let mut elements = vec(LEN / size_of::<Counted>());
        counted(&mut elements, &[true]);
        let dropping = catch_unwind(AssertUnwindSafe(|| drop(elements)));
        assert!(dropping.is_err());
    }
    let after = virtual_size().get();
    assert!(after < Some(before + 8 * LEN), "{before} {after:?}");
}

/// What an iterator yielded before it panicked is there, and dropped once.
#[test]
fn an_iterator_that_panics() {
    let drops = Rc::new(Cell::new(0));
    let mut elements = vec(100);
    let extending = catch_unwind(AssertUnwindSafe(|| {
        elements.extend((0..5).map(|number| {
            assert!(number < 3, "as it should");
            Counted {
                drops: drops.clone(),
                panics: false,
            }
        }));
    }));
    assert!(extending.is_err());
    assert_eq!((elements.len(), drops.get()), (3, 0));
    elements.extend(std::iter::once(Counted {
        drops: drops.clone(),
        panics: false,
    }));
    drop(elements);
    assert_eq!(drops.get(), 4);
}

/// Also where its elements are given out one by one.
#[test]
fn one_that_panics_in_an_iterator_takes_none_with_it() {
    let mut elements = vec(100);
    let drops = counted(&mut elements, &[false, false, true, false, false]);
    let mut left = elements.into_iter();
    drop((left.next(), left.next_back()));
    assert_eq!((drops.get(), left.len()), (2, 3));
    let dropping = catch_unwind(AssertUnwindSafe(|| drop(left)));
    assert!(dropping.is_err());
    assert_eq!(drops.get(), 5);
}

/// A panic while elements are borrowed leaves them.
#[test]
fn a_panic_while_it_is_borrowed() {
    let mut numbers = vec::<u32>(10);
    numbers.extend([1, 2, 3]);
    let sorting = catch_unwind(AssertUnwindSafe(|| {
        numbers.sort_by(|_, _| panic!("as it should"));
    }));
    assert!(sorting.is_err());
    numbers.push(4);
    assert_eq!(numbers.iter().sum::<u32>(), 10);
}

/// A clone that panics leaves those before it.
#[test]
fn a_clone_that_panics() {
    #[derive(Debug, PartialEq)]
    struct Fragile(u8);
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            assert!(self.0 != 3, "as it should");
            Self(self.0)
        }
    }
    let mut elements = vec(100);
    let values = [1, 2, 3, 4].map(Fragile);
    let extending = catch_unwind(AssertUnwindSafe(|| elements.extend_from_slice(&values)));
    assert!(extending.is_err());
    assert_eq!(*elements, [Fragile(1), Fragile(2)]);
}

/// What would return an error by its other name.
#[test]
fn what_cannot_be_done() {
    type Fails = fn(&mut ReservedVec<u64>);
    let mut numbers = vec::<u64>(3);
    let max = numbers.max_capacity();
    numbers.extend((0..).take(max));
    let fails: [(&str, Fails); 5] = [
        ("push", |numbers| numbers.push(1)),
        ("reserve", |numbers| numbers.reserve(1)),
        ("reserve_exact", |numbers| numbers.reserve_exact(usize::MAX)),
        ("extend_from_slice", |numbers| {
            numbers.extend_from_slice(&[1, 2]);
        }),
        ("extend", |numbers| numbers.extend([1])),
    ];
    for (name, fail) in fails {
        let failed = catch_unwind(AssertUnwindSafe(|| fail(&mut numbers)));
        let message = *failed.unwrap_err().downcast::<String>().unwrap();
        assert!(message.starts_with("resize"), "{name}: {message}");
        // More bytes than there are addresses are counted in elements.
        let limit = if name == "reserve_exact" {
            "there can be at most "
        } else {
            "the reservation has "
        };
        assert!(message.contains(limit), "{name}: {message}");
        assert!(numbers.iter().copied().eq((0..).take(max)), "{name}");
    }
}
