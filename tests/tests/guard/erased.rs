//! Guards whose protection is a value.

use std::fs::File;
use std::mem;

use tests::{Permissions, lacks, permissions};
use unix_memory::{
    Access, MapOptions, Mapping, NoAccess, Protection, ReadOnly, ReadWrite, Reason, SharedMapping,
    page_size,
};

const BOTH: Protection = Protection::READ.union(Protection::WRITE);

fn anonymous(protection: Protection) -> Mapping<Protection> {
    let options = MapOptions::new().len(2 * page_size());
    options.map_anonymous(protection).unwrap()
}

#[test]
fn the_kernel_protects_as_the_value_says() {
    if lacks::protections("protections as they are") {
        return;
    }
    let mut mapping = anonymous(Protection::empty());
    let private = Permissions::PRIVATE;
    for (protection, expected) in [
        (Protection::empty(), private),
        (Protection::READ, private | Permissions::READ),
        (BOTH, private | Permissions::READ | Permissions::WRITE),
        (Protection::READ, private | Permissions::READ),
    ] {
        mapping.set_protection(protection).unwrap();
        assert_eq!(mapping.protection(), protection);
        assert_eq!(permissions(mapping.as_ptr()), expected);
        assert_eq!(mapping.as_slice().is_some(), !protection.is_empty());
        assert_eq!(mapping.as_mut_slice().is_some(), protection == BOTH);
    }
}

#[test]
fn bits_without_a_name_do_not_reach_the_kernel() {
    // PROT_GROWSDOWN of Linux among them.
    let odd = Protection::from_bits_retain(!Protection::all().bits() | libc::PROT_READ);
    assert_eq!(odd.protection(), Protection::READ);
    let mut mapping = anonymous(BOTH);
    if mapping.set_protection(odd).is_ok() {
        assert_eq!(mapping.protection(), Protection::READ);
    }
    let mapping = anonymous(odd);
    assert_eq!(mapping.protection(), Protection::READ);
    assert!(mapping.downcast::<ReadOnly>().is_ok());
}

#[test]
fn a_type_comes_back_where_it_is_the_right_one() {
    let mapping = Mapping::anonymous(100).unwrap();
    let start = mapping.as_ptr();
    let mapping = mapping.erase();
    assert_eq!(mapping.protection(), BOTH);
    let mapping = mapping.downcast::<ReadOnly>().unwrap_err();
    let mapping = mapping.downcast::<NoAccess>().unwrap_err();
    let mut mapping = mapping.downcast::<ReadWrite>().unwrap();
    mapping[99] = 1;
    assert_eq!(mapping.as_ptr(), start);
}

#[test]
fn a_refused_change_leaves_the_mapping_as_it_was() {
    if lacks::protections("a change that is refused") {
        return;
    }
    let program = File::open(std::env::current_exe().unwrap()).unwrap();
    let options = MapOptions::new().len(page_size());
    let mut mapping = options.map_shared(&program, Protection::READ).unwrap();
    let error = mapping.set_protection(BOTH).unwrap_err();
    assert_eq!(error.errno(), libc::EACCES);
    assert_eq!(mapping.protection(), Protection::READ);
    assert!(mapping.writable().is_none());
    let expected = Permissions::SHARED | Permissions::READ;
    assert_eq!(permissions(mapping.as_ptr()), expected);
    let mut magic = [0; 2];
    mapping.readable().unwrap().read_at(0, &mut magic).unwrap();
    // As it says why when it is made so.
    let error = options.map_shared(&program, BOTH).unwrap_err();
    assert_eq!(error.reason(), Reason::NotWritable);
}

#[test]
fn what_is_shared_is_read_and_written() {
    let options = MapOptions::new().len(100);
    let mut mapping = options.map_anonymous_shared(BOTH).unwrap();
    mapping.writable().unwrap().write_at(98, b"ab").unwrap();
    let mut bytes = [0; 2];
    mapping.readable().unwrap().read_at(98, &mut bytes).unwrap();
    assert_eq!(&bytes, b"ab");
    if lacks::protections("no access to shared memory") {
        return;
    }
    mapping.set_protection(Protection::empty()).unwrap();
    assert!(mapping.readable().is_none() && mapping.writable().is_none());
}

#[test]
fn locks_are_taken_through_what_can_be_read() {
    let mapping = anonymous(BOTH);
    let lock = match mapping.readable().unwrap().lock() {
        Ok(lock) => lock,
        Err(error) if error.errno() == libc::ENOSYS => return,
        Err(error) => panic!("{error}"),
    };
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(lock);
    assert!(tests::is_unlocked(mapping.as_ptr()));
}

#[test]
fn values_are_taken_out_of_fields() {
    struct Holder {
        private: Mapping<Protection>,
        shared: SharedMapping<ReadWrite>,
    }
    let options = MapOptions::new().len(100);
    let mut holder = Holder {
        private: options.map_anonymous(BOTH).unwrap(),
        shared: options.map_anonymous_shared(ReadWrite).unwrap(),
    };
    let private = mem::take(&mut holder.private);
    let shared = mem::take(&mut holder.shared);
    assert_eq!((private.len(), shared.len()), (100, 100));
    assert!(holder.private.is_empty() && holder.shared.is_empty());
    assert_eq!(holder.private.protection(), Protection::empty());
    // What is left grows as any empty mapping.
    let mut mapping = Mapping::<ReadWrite>::default();
    mapping.resize(10).unwrap();
    assert_eq!(*mapping, [0; 10]);
}

#[test]
fn parts_have_protections_of_their_own() {
    if lacks::protections("parts that are protected") {
        return;
    }
    let (first, mut second) = anonymous(BOTH).split_at(page_size()).unwrap();
    second.set_protection(Protection::READ).unwrap();
    let failed = first.join(second).unwrap_err();
    assert_eq!(failed.error().reason(), Reason::NotAdjacent);
    let (_, (first, mut second)) = failed.into_parts();
    second.set_protection(BOTH).unwrap();
    let mut mapping = first.join(second).unwrap();
    mapping.as_mut_slice().unwrap().fill(1);
    mapping.resize(3 * page_size()).unwrap();
    assert_eq!(mapping.as_slice().unwrap()[2 * page_size()], 0);
}
