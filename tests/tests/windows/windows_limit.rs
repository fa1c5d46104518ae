//! Windows over a file that is larger than the address space. A program of its own, since the limit
//! is the process's.

use std::os::unix::fs::FileExt;

use tests::{lacks, limit_address_space, skip};
use unix_memory::{MapOptions, ReadOnly, Windows};

#[test]
fn a_file_larger_than_the_address_space() {
    const LEN: u64 = 20 << 30;
    const ROOM: u64 = 1 << 30;
    if lacks::far_offsets("windows over a file larger than the address space") {
        return;
    }
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.set_len(LEN).unwrap();
    file.write_all_at(b"last", LEN - 4).unwrap();
    if cfg!(target_pointer_width = "64") && limit_address_space(ROOM).is_err() {
        return skip(
            "an address space that is too small",
            "RLIMIT_AS cannot be set",
        );
    }
    if MapOptions::new().map_shared(&file, ReadOnly).is_ok() {
        return skip(
            "an address space that is too small",
            "RLIMIT_AS has no effect",
        );
    }
    let mut end = [0; 4];
    let mut len = 0;
    for window in Windows::new(&file, 100 << 20).unwrap().drop_behind(true) {
        let window = window.unwrap();
        window.read_at(window.len() - 4, &mut end).unwrap();
        len += window.len() as u64;
    }
    assert_eq!((len, &end), (LEN, b"last"));
}
