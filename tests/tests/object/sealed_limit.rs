//! Sealed memory at a limit, in a child: separate from the tests whose mappings a child would have
//! too.
// Few systems have seals.
#![cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]

use libc::EFBIG;
use tests::{in_a_child, lacks, limit_file_size};
use unix_memory::{Reason, SealedMemory};

/// Beyond this limit a write raises SIGXFSZ, which ends a process: none is begun.
#[test]
fn the_limit_on_the_size_of_files() {
    if lacks::own_process("a limit on the size of files") {
        return;
    }
    let held = in_a_child(|| {
        limit_file_size(16_384).unwrap();
        let error = SealedMemory::from_bytes(&vec![1; 16_385]).unwrap_err();
        let expected = (EFBIG, Reason::FileSizeLimit(16_384));
        assert_eq!((error.errno(), error.reason()), expected);
        assert_eq!(
            SealedMemory::from_bytes(&vec![1; 16_384]).unwrap()[16_383],
            1
        );
    });
    assert!(held.success());
}
