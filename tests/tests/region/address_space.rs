//! The end of the address space, which a process reaches alone: one test, one process.

use libc::ENOMEM;
use tests::{is_memory_limit, limit_address_space, skip};
use unix_memory::{Call, Error, MapOptions, Mapping, NoAccess};

const CHUNK: usize = 64 << 20;

/// Half as much again as 32 bits can tell.
const CHUNKS: usize = 96;

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn no_room_is_an_error_and_what_was_mapped_stays() {
    if size_of::<usize>() > 4 {
        // As much as 32 bits can tell: what there is would take too long to fill.
        if let Err(error) = limit_address_space(1 << 32) {
            return skip("no room", &error.to_string());
        }
    }
    let options = MapOptions::new().len(CHUNK).no_reserve(true);
    let reserve = || options.map_anonymous(NoAccess);
    let mut kept = Mapping::anonymous(CHUNK).unwrap();
    kept.fill(7);
    let expected = vec![7; CHUNK];
    // No memory of the allocator's is asked for until there is room again.
    let mut chunks: [Option<Mapping<NoAccess>>; CHUNKS] = [const { None }; CHUNKS];
    let mut refusal: Option<Error> = None;
    for chunk in &mut chunks {
        match reserve() {
            Ok(mapping) => *chunk = Some(mapping),
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    let again = reserve().err();
    let count = chunks.iter().flatten().count();
    // One gone makes room for one.
    let last = count.checked_sub(1).expect("room for one");
    chunks[last] = None;
    let one_more = reserve();
    drop(one_more);
    let one_more = reserve();
    let kept_is_kept = kept[..] == expected[..];
    drop(chunks);

    let Some(error) = refusal else {
        return skip(
            "no room",
            "an emulator does not keep to the limit of the address space",
        );
    };
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
    assert!(is_memory_limit(error.reason()), "{error}");
    let text = format!("mmap of {CHUNK} bytes: Cannot allocate memory");
    assert!(error.to_string().starts_with(&text), "{error}");
    assert_eq!(again, Some(error));
    assert!(one_more.is_ok());
    assert!(kept_is_kept);
    assert!(Mapping::anonymous(8 * CHUNK).is_ok());
}
