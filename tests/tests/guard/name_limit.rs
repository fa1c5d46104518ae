//! Names at the kernel's limit of mappings, which a process reaches alone: one test, one process.

use libc::EAGAIN;
use tests::kernel::name_at;
use tests::{HalfWay, lacks};
use unix_memory::{Call, Mapping, ReadOnly, page_size};

/// The kernel names mapping by mapping; one that it cannot split stops it.
#[test]
fn what_cannot_be_named_at_the_limit_is_as_it_was_and_goes_when_it_is_dropped() {
    const CHECK: &str = "names at the limit of mappings";
    if lacks::names_of_memory(CHECK) {
        return;
    }
    let page = page_size();
    // Each page a mapping of its own, when there was room.
    let named = Mapping::anonymous(4 * page).unwrap();
    for (i, name) in [c"a", c"b", c"c", c"d"].into_iter().enumerate() {
        named
            .set_name_range(i * page..(i + 1) * page, Some(name))
            .unwrap();
    }
    let Some(HalfWay {
        mut mapping,
        neighbours,
        many,
    }) = HalfWay::new(CHECK)
    else {
        return;
    };
    let error = mapping.set_name(Some(c"late")).unwrap_err();
    let part = mapping
        .set_name_range(2 * page..3 * page, Some(c"late"))
        .unwrap_err();
    mapping.fill(1);
    // What was named is protected and unmapped as usual, and makes room.
    let named = named.protect(ReadOnly).unwrap();
    named.unmap().unwrap();
    drop(mapping);
    // With room again: to look at it takes memory.
    drop(many);
    assert_eq!((error.call(), error.errno()), (Call::SetName, EAGAIN));
    assert_eq!((part.call(), part.errno()), (Call::SetName, EAGAIN));
    // The neighbours are there, and without the name.
    for neighbour in &neighbours {
        assert!(neighbour.iter().all(|&byte| byte == 0));
    }
    for neighbour in &neighbours {
        assert_eq!(name_at(neighbour.as_ptr()), None);
    }
}
