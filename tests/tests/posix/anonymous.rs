//! `mmap` with `MAP_ANONYMOUS`, which is in the standard since 2024.

use super::{PRIVATE, Pages, READ_WRITE};
use tests::in_a_child;
use unix_memory::page_size;
use unix_memory_sys as sys;

const SHARED: i32 = sys::MAP_SHARED | sys::MAP_ANONYMOUS;

#[test]
fn it_is_zero_at_first() {
    for flags in [PRIVATE, SHARED] {
        let len = 2 * page_size();
        let pages = Pages::map(len, READ_WRITE, flags, -1).unwrap();
        assert!((0..len).all(|at| pages.read(at) == 0));
        pages.write(len - 1, 1);
        assert_eq!(pages.read(len - 1), 1);
    }
}

#[test]
fn shared_memory_is_one_with_a_child_and_private_memory_is_copied() {
    let shared = Pages::map(1, READ_WRITE, SHARED, -1).unwrap();
    let private = Pages::map(1, READ_WRITE, PRIVATE, -1).unwrap();
    let child = in_a_child(|| {
        shared.write(0, 1);
        private.write(0, 1);
    });
    assert!(child.success());
    assert_eq!([shared.read(0), private.read(0)], [1, 0]);
}

#[test]
fn two_mappings_are_two_objects() {
    let [one, other] = [(); 2].map(|()| Pages::map(1, READ_WRITE, SHARED, -1).unwrap());
    one.write(0, 1);
    assert_eq!(other.read(0), 0);
}

#[test]
fn both_names_of_the_flag_are_one() {
    assert_eq!(sys::MAP_ANON, sys::MAP_ANONYMOUS);
}
