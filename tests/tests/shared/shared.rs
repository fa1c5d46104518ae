//! `SharedMapping`: copies in and out, bounds, others that write meanwhile.

use libc::EINVAL;
use proptest::prelude::*;
use unix_memory::{Call, MapOptions, ReadOnly, ReadWrite, Reason, SharedMapping, page_size};

fn anonymous(len: usize) -> SharedMapping<ReadWrite> {
    MapOptions::new()
        .len(len)
        .map_anonymous_shared(ReadWrite)
        .unwrap()
}

#[test]
fn out_of_bounds_is_refused_and_changes_nothing() {
    let mapping = anonymous(100);
    mapping.fill(.., 7).unwrap();
    for (offset, len) in [
        (0, 101),
        (100, 1),
        (101, 0),
        (usize::MAX, 1),
        (usize::MAX, 0),
        (50, 51),
    ] {
        let mut buffer = vec![1; len];
        let error = mapping.read_at(offset, &mut buffer).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Read, EINVAL));
        assert_eq!(error.reason(), Reason::MappingLength(100));
        assert!(buffer.iter().all(|&byte| byte == 1));
        let error = mapping.write_at(offset, &buffer).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Write, EINVAL));
    }
    assert_eq!(
        mapping.write_at(99, b"ab").unwrap_err().to_string(),
        "write_at of 2 bytes at 99: Invalid argument (the mapping has 100 bytes)"
    );
    assert!(mapping.fill(..101, 0).is_err());
    assert!(mapping.fill(..=100, 0).is_err());
    assert!(mapping.fill(..=usize::MAX, 0).is_err());
    let backwards = std::ops::Range { start: 60, end: 50 };
    assert!(mapping.fill(backwards, 0).is_err());
    assert_eq!(mapping.to_vec().unwrap(), [7; 100]);
    mapping.read_at(100, &mut []).unwrap();
    mapping.write_at(100, &[]).unwrap();
}

proptest! {
    #[test]
    fn like_a_vector(
        start in 0usize..40,
        steps in prop::collection::vec((0usize..200, prop::collection::vec(any::<u8>(), 0..60)), 1..20),
    ) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(300).unwrap();
        let options = MapOptions::new().offset(start as u64);
        let mapping = options.map_private(&file, ReadWrite).unwrap();
        let mut model = vec![0; 300 - start];
        for (at, bytes) in steps {
            mapping.write_at(at, &bytes).unwrap();
            model[at..at + bytes.len()].copy_from_slice(&bytes);
            let mut back = vec![0; bytes.len()];
            mapping.read_at(at, &mut back).unwrap();
            prop_assert_eq!(back, bytes);
        }
        prop_assert_eq!(mapping.to_vec().unwrap(), model);
    }
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no threads")]
fn neighbours_in_a_word_do_not_lose_writes() {
    const ROUNDS: u32 = 20_000;
    let mapping = anonymous(page_size());
    std::thread::scope(|scope| {
        // Four writers of two bytes each, all in one word of the machine where it has 64 bits.
        for place in 0..4 {
            let mapping = &mapping;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let value = u16::try_from(round % 60_000).unwrap().to_ne_bytes();
                    mapping.write_at(2 * place, &value).unwrap();
                    let mut back = [0; 2];
                    mapping.read_at(2 * place, &mut back).unwrap();
                    assert_eq!(back, value, "somebody else's write undid this one");
                }
            });
        }
    });
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn what_others_write_is_seen() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let ours = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let theirs = MapOptions::new()
        .offset(5)
        .map_shared(&file, ReadWrite)
        .unwrap();
    theirs.write_at(0, b"seen").unwrap();
    assert_eq!(ours.to_vec().unwrap(), b"\0\0\0\0\0seen\0");
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn vouching_gives_slices() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let shared = MapOptions::new()
        .offset(3)
        .map_shared(&file, ReadWrite)
        .unwrap();
    shared.write_at(0, b"abc").unwrap();
    // SAFETY: nobody else knows the file, and it is not used below.
    let mut mapping = unsafe { shared.assume_unshared() };
    assert_eq!(&*mapping, b"abc\0\0\0\0");
    mapping[3] = b'd';
    mapping.flush(unix_memory::Flush::Sync).unwrap();
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert_eq!(mapping[..4], *b"abcd");
}
