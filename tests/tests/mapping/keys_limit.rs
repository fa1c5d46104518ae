//! A protection key at the kernel's limit of mappings, which a process reaches alone: one test, one
//! process.
// Only Linux has protection keys.
#![cfg(any(target_os = "linux", target_os = "android"))]

use tests::{HalfWay, can_be_read, skip};
use unix_memory::{Call, ProtectionKey, page_size};

/// `pkey_mprotect` goes mapping by mapping; one that it cannot split stops it half-way.
#[test]
fn a_key_that_half_the_pages_have_is_taken_from_them() {
    const CHECK: &str = "half a change of keys";
    let key = match ProtectionKey::new() {
        Ok(key) => key,
        Err(error) => return skip(CHECK, &format!("the CPU has none ({error})")),
    };
    let page = page_size();
    let Some(HalfWay {
        mapping,
        neighbours: _neighbours,
        many,
    }) = HalfWay::new(CHECK)
    else {
        return;
    };
    let address = mapping.as_ptr();
    let failed = key.protect(mapping).map(drop).unwrap_err();
    // With room again: to look at it takes memory.
    drop(many);
    let (error, mut mapping) = failed.into_parts();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::PkeyMprotect, libc::ENOMEM)
    );
    let pages = [0, 1, 2, 3].map(|i| address.wrapping_add(i * page));
    assert_eq!(pages.map(can_be_read), [true; 4]);
    mapping.fill(1);
    let keyed = key.protect(mapping).unwrap();
    assert_eq!(pages.map(can_be_read), [false; 4]);
    let mapping = keyed.into_mapping().unwrap();
    assert!(mapping.iter().all(|&byte| byte == 1));
}
