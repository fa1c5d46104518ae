//! `ReservedVec`: a vector whose elements never move.
// Emscripten enforces no protections: nothing can be reserved there.
#![cfg(not(target_os = "emscripten"))]

use std::cell::Cell;
use std::io::Write;

use libc::{EINVAL, ENOMEM, PROT_READ, PROT_WRITE};
use proptest::prelude::*;
use tests::seccomp::SYS_MPROTECT;
use tests::{
    Permissions, can_be_read, is_memory_limit, is_true_in_a_child, permissions, refusing,
    refusing_argument,
};
use unix_memory::reserve::ReservedVec;
use unix_memory::{Call, Error, Reason, page_size};

fn vec<T>(max_capacity: usize) -> ReservedVec<T> {
    ReservedVec::with_max_capacity(max_capacity).unwrap()
}

#[test]
fn elements_never_move() {
    let mut numbers = vec::<u64>(1 << 20);
    let start = numbers.as_ptr();
    numbers.push(0);
    let first: *const u64 = &raw const numbers[0];
    for number in 1..1 << 20 {
        numbers.push(number);
    }
    assert_eq!((numbers.as_ptr(), first), (start, start));
    assert!(numbers.iter().copied().eq(0..1 << 20));
    assert!(numbers.capacity() >= 1 << 20 && numbers.capacity() <= numbers.max_capacity());
    let moved = numbers;
    assert_eq!(moved.as_ptr(), start);
    // Behind the reservation there is nothing.
    let end = start.cast::<u8>().wrapping_add(moved.max_capacity() * 8);
    assert!(!can_be_read(end) && !can_be_read(start.cast::<u8>().wrapping_sub(1)));
}

#[test]
fn growth_is_geometric_or_exact() {
    let page = page_size();
    let mut bytes = vec::<u8>(1 << 26);
    assert_eq!(bytes.capacity(), 0);
    let mut growths = 0;
    let mut capacity = 0;
    while bytes.len() < 1 << 26 {
        let room = bytes.capacity() - bytes.len() + 1;
        bytes.try_reserve(room).unwrap();
        // SAFETY: bytes of new pages are zeros.
        unsafe { bytes.set_len(bytes.capacity()) };
        assert!(bytes.capacity() >= 2 * capacity, "twice as much");
        (capacity, growths) = (bytes.capacity(), growths + 1);
    }
    assert!(growths <= 11, "{growths}");

    let mut bytes = vec::<u8>(1 << 26);
    for pages in 1..50 {
        bytes.reserve_exact(pages * page - bytes.len());
        assert_eq!(bytes.capacity(), pages * page);
        bytes.reserve_exact(1);
        assert_eq!(bytes.capacity(), pages * page);
        let behind = bytes.as_ptr().wrapping_add(pages * page);
        assert_eq!(permissions(behind), Permissions::PRIVATE);
    }
}

#[test]
fn what_does_not_fit_comes_back() {
    let mut strings = vec::<String>(3);
    let max = strings.max_capacity();
    strings.extend((0..max).map(|number| number.to_string()));
    let failed = strings.try_push("one more".to_owned()).unwrap_err();
    let error = failed.error();
    assert_eq!((error.call(), error.errno()), (Call::Resize, ENOMEM));
    let bytes = max * size_of::<String>();
    let Reason::ReservedLength(reserved) = error.reason() else {
        panic!("{error}");
    };
    assert!((bytes..bytes + size_of::<String>()).contains(&reserved));
    assert_eq!(
        error.to_string(),
        format!(
            "resize of {} bytes: Cannot allocate memory (the reservation has {reserved} bytes)",
            bytes + size_of::<String>()
        )
    );
    assert_eq!(failed.into_mapping(), "one more");
    assert_eq!(strings.len(), max);
    for additional in [1, max, usize::MAX, usize::MAX / size_of::<String>()] {
        assert!(strings.try_reserve(additional).is_err());
        assert!(strings.try_reserve_exact(additional).is_err());
    }
    let more = [const { String::new() }; 2];
    assert!(strings.try_extend_from_slice(&more).is_err());
    assert!(strings[max - 1] == (max - 1).to_string() && strings.len() == max);
}

#[test]
fn what_the_kernel_refuses_comes_back() {
    let mut boxes = vec::<Box<u8>>(1 << 20);
    let start: *const u8 = boxes.as_ptr().cast();
    let open = u64::from((PROT_READ | PROT_WRITE).unsigned_abs());
    let refused = refusing_argument(SYS_MPROTECT, 2, open, ENOMEM, || {
        boxes
            .try_push(Box::new(1))
            .map_err(unix_memory::Failed::into_parts)
    });
    let Some(refused) = refused else { return };
    let (error, value) = refused.unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
    assert!(is_memory_limit(error.reason()), "{error}");
    assert_eq!((*value, boxes.len(), boxes.capacity()), (1, 0, 0));
    boxes.push(value);
    // A smaller step where a generous one is refused, as at a limit; and what is there stays.
    boxes.reserve(2 * page_size());
    let (len, capacity) = (boxes.len(), boxes.capacity());
    let behind = start.wrapping_add(capacity * size_of::<Box<u8>>());
    let refused = refusing(SYS_MPROTECT, behind, EINVAL, || boxes.try_reserve(capacity));
    assert!(refused.unwrap().is_err());
    assert_eq!(
        (boxes.len(), boxes.capacity(), *boxes[0]),
        (len, capacity, 1)
    );
    boxes.truncate(1);
    let shrunk = start.wrapping_add(page_size());
    let refused = refusing(SYS_MPROTECT, shrunk, ENOMEM, || boxes.shrink_to_fit());
    assert_eq!(refused.unwrap().unwrap_err().errno(), ENOMEM);
    assert_eq!(boxes.capacity(), capacity);
    boxes.shrink_to_fit().unwrap();
    assert_eq!(boxes.capacity(), page_size() / size_of::<Box<u8>>());
}

#[test]
fn elements_without_a_size() {
    thread_local!(static DROPS: Cell<usize> = const { Cell::new(0) });
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
        }
    }
    let mut nothings = vec(0);
    assert_eq!(
        (nothings.capacity(), nothings.max_capacity()),
        (usize::MAX, usize::MAX)
    );
    nothings.extend((0..1000).map(|_| Nothing));
    assert_eq!(nothings.len(), 1000);
    nothings.shrink_to_fit().unwrap();
    assert!(nothings.pop().is_some());
    drop(nothings);
    assert_eq!(DROPS.get(), 1000);

    let mut units = vec::<()>(0);
    // SAFETY: so many values without bytes are there.
    unsafe { units.set_len(usize::MAX) };
    assert!(units.try_push(()).is_err());
    assert!(units.try_reserve(1).is_err());
}

#[test]
fn elements_larger_than_a_page_and_their_alignment() {
    #[derive(Clone, Copy)]
    #[repr(align(0x10_0000))]
    struct Large([u8; 3]);
    let check = || {
        let mut large = vec(4);
        large.extend((1..3).map(|number| Large([number; 3])));
        large.extend(std::iter::once(&Large([3; 3])));
        for (number, element) in (1..).zip(&large) {
            assert_eq!((&raw const *element).addr() % 0x10_0000, 0);
            assert_eq!(element.0, [number; 3]);
        }
        // Nothing reserved: aligned nevertheless.
        let none = vec::<Large>(0);
        assert!(none.as_ptr().is_aligned() && none.is_empty());
        assert_eq!(none.max_capacity(), 0);
        assert!(vec::<u64>(0).try_push(1).is_err());
    };
    // They are on the stack on their way.
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    thread.spawn(check).unwrap().join().unwrap();
}

#[test]
fn lengths_that_are_refused() {
    for max in [
        usize::MAX,
        usize::MAX / 8,
        isize::MAX.unsigned_abs() / 8 + 1,
    ] {
        let error = ReservedVec::<u64>::with_max_capacity(max).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    }
}

#[test]
fn as_a_slice() {
    let mut numbers = vec::<u8>(100);
    numbers.extend([3, 1, 2]);
    numbers.extend(&[9, 8]);
    numbers.extend_from_slice(&[7]);
    numbers.sort_unstable();
    assert_eq!(*numbers, [1, 2, 3, 7, 8, 9]);
    for number in &mut numbers {
        *number += 1;
    }
    assert_eq!((&numbers).into_iter().sum::<u8>(), 36);
    assert_eq!(format!("{numbers:?}"), "[2, 3, 4, 8, 9, 10]");
    assert_eq!(numbers.spare_capacity_mut().len(), numbers.capacity() - 6);
    let as_ref: &[u8] = numbers.as_ref();
    assert_eq!(as_ref, &numbers[..]);
    assert!(std::iter::from_fn(|| numbers.pop()).eq([10, 9, 8, 4, 3, 2]));
}

#[test]
fn by_index() {
    fn first<V: std::ops::IndexMut<usize, Output = u8>>(of: &mut V) -> &mut u8 {
        &mut of[0]
    }
    let mut numbers = vec::<u8>(100);
    numbers.extend(0..10);
    *first(&mut numbers) = 7;
    numbers[1..3].fill(8);
    assert_eq!(numbers[..4], [7, 8, 8, 3]);
    assert_eq!(numbers.get(10), None);
}

#[test]
fn by_value() {
    let mut strings = vec::<String>(100);
    strings.extend((0..10).map(|number| number.to_string()));
    let mut values = strings.into_iter();
    assert_eq!(values.len(), 10);
    let ends = (values.next(), values.next_back());
    assert_eq!(ends, (Some("0".to_owned()), Some("9".to_owned())));
    assert_eq!(values.as_slice()[0], "1");
    assert!(format!("{values:?}").starts_with("IntoIter([\"1\", "));
    let rest: Vec<_> = values.by_ref().collect();
    assert_eq!(rest.concat(), "12345678");
    assert_eq!((values.next(), values.next_back()), (None, None));

    let mut units = vec::<()>(0);
    units.extend([(); 5]);
    assert_eq!(units.into_iter().rev().count(), 5);
}

/// A reference to short-lived elements may be in it: it is covariant, as `Vec` is.
#[test]
fn it_is_covariant() {
    fn shorter<'a>(vec: ReservedVec<&'static str>, _: &'a str) -> ReservedVec<&'a str> {
        vec
    }
    let text = String::from("b");
    let mut texts = shorter(vec(10), &text);
    texts.extend(["a", &text]);
    assert_eq!(*texts, ["a", "b"]);
}

#[test]
fn bytes_are_written() {
    let mut bytes = vec::<u8>(1);
    let max = bytes.max_capacity();
    write!(bytes, "{}", "x".repeat(max - 1)).unwrap();
    bytes.flush().unwrap();
    let error = bytes.write(b"yz").unwrap_err();
    let error = Error::from_io(&error).unwrap();
    assert_eq!(error.reason(), Reason::ReservedLength(max));
    assert_eq!(bytes.len(), max - 1);
    bytes.write_all(b"y").unwrap();
    assert_eq!(bytes[max - 2..], *b"xy");
}

#[test]
fn an_iterator_that_promises_too_much() {
    struct Liar(u8);
    impl Iterator for Liar {
        type Item = u8;
        fn next(&mut self) -> Option<u8> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    let mut bytes = vec::<u8>(100);
    bytes.extend(Liar(3));
    assert_eq!(*bytes, [2, 1, 0]);
}

#[test]
fn a_child_has_its_own() {
    let mut names = vec::<String>(1000);
    names.extend(["a", "b"].map(String::from));
    assert!(is_true_in_a_child(|| {
        names.extend((0..500).map(|number| number.to_string()));
        names[0].push('!');
        names.len() == 502 && names[0] == "a!"
    }));
    assert_eq!(*names, ["a", "b"]);
}

#[test]
fn other_threads_have_it() {
    let mut numbers = vec::<u32>(1000);
    numbers.push(1);
    let mut numbers = std::thread::spawn(move || {
        numbers.push(2);
        numbers
    })
    .join()
    .unwrap();
    numbers.push(3);
    assert_eq!(*numbers, [1, 2, 3]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(u16),
    Extend(Vec<u16>),
    Pop,
    Truncate(usize),
    Reserve(usize),
    ReserveExact(usize),
    Shrink,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u16>().prop_map(Step::Push),
        prop::collection::vec(any::<u16>(), 0..5000).prop_map(Step::Extend),
        Just(Step::Pop),
        (0..20_000_usize).prop_map(Step::Truncate),
        (0..20_000_usize).prop_map(Step::Reserve),
        (0..20_000_usize).prop_map(Step::ReserveExact),
        Just(Step::Shrink),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(u32::try_from(tests::effort(100)).unwrap()))]

    /// Against the standard library's.
    #[test]
    fn as_a_vec(steps in prop::collection::vec(step(), 1..60)) {
        let mut ours = vec::<String>(1 << 20);
        let mut theirs = Vec::new();
        for step in steps {
            match step {
                Step::Push(number) => {
                    ours.push(number.to_string());
                    theirs.push(number.to_string());
                }
                Step::Extend(numbers) => {
                    let numbers: Vec<_> = numbers.iter().map(u16::to_string).collect();
                    ours.extend_from_slice(&numbers);
                    theirs.extend_from_slice(&numbers);
                }
                Step::Pop => prop_assert_eq!(ours.pop(), theirs.pop()),
                Step::Truncate(len) => {
                    ours.truncate(len);
                    theirs.truncate(len);
                }
                Step::Reserve(more) => ours.reserve(more),
                Step::ReserveExact(more) => ours.reserve_exact(more),
                Step::Shrink => ours.shrink_to_fit().unwrap(),
            }
            prop_assert!(ours.capacity() >= ours.len());
        }
        prop_assert_eq!(&*ours, &*theirs);
        prop_assert!(ours.as_ptr().is_aligned());
    }
}
