//! The bytes of files on a FUSE file system with direct I/O, which maps only privately, and whose files
//! may be shorter or longer than they report, or break.
// Only Linux has this FUSE.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod fuse;

use libc::{EIO, ENXIO, ESPIPE};
use tests::copies::stopped;
use tests::kernel::Permissions;
use tests::permissions;
use unix_memory::{
    Call, FaultCause, FileBytes, FileBytesOptions, FileKind, MapOptions, ReadOnly, Reason, Way,
    Windows,
};

use self::fuse::{Mounted, Odd, byte_at};

const LEN: u64 = (1 << 20) + 7;

fn whole() -> Odd {
    Odd {
        said: LEN,
        real: LEN,
        broken_from: None,
        is_stream: false,
    }
}

fn is_right(bytes: &[u8], offset: u64) -> bool {
    bytes
        .iter()
        .copied()
        .eq((offset..).map(byte_at).take(bytes.len()))
}

// All in one thread, the only one that sees the file system, and one after another, so that no child of
// another test keeps one open.
#[test]
fn files_of_fuse() {
    // The kernel talks to a file system in its own byte order.
    if tests::lacks::own_process("a FUSE file system") {
        return;
    }
    println!("mapped privately alone");
    mapped_privately_alone();
    println!("shorter than it says");
    shorter_than_it_says();
    println!("longer than it says");
    longer_than_it_says();
    println!("broken");
    broken();
    println!("without offsets");
    without_offsets();
}

fn mapped_privately_alone() {
    let Some(mounted) = Mounted::new(whole()) else {
        return;
    };
    let file = mounted.open();
    let refused = MapOptions::new().map_shared(&file, ReadOnly);
    if !refused.is_err_and(|error| error.reason() == Reason::PrivateOnly) {
        // (Linux 6.6 can behave differently, if the file system asks for it.)
        tests::skip("a FUSE file system", "this kernel maps it shared");
        return;
    }
    let options = FileBytesOptions::new();
    let loaded = FileBytes::load(&file).unwrap();
    assert_eq!((loaded.way(), loaded.len() as u64), (Way::Read, LEN));
    assert!(is_right(&loaded, 0));
    let part = options.offset(5000).len(5000).load(&file).unwrap();
    assert!(part.len() == 5000 && is_right(&part, 5000));
    // SAFETY: nobody changes the file.
    let mapped = unsafe { options.map_shared(&file) }.unwrap();
    assert_eq!(
        (mapped.way(), mapped.len() as u64),
        (Way::MappedPrivate, LEN)
    );
    assert!(permissions(mapped.as_ptr()).contains(Permissions::PRIVATE));
    assert!(is_right(&mapped, 0));

    let mut next = 0;
    for window in Windows::new(&file, 1 << 18).unwrap() {
        let window = window.unwrap();
        assert_eq!((window.way(), window.offset()), (Way::MappedPrivate, next));
        assert!(is_right(&window.to_vec().unwrap(), next));
        next += window.len() as u64;
    }
    assert_eq!(next, LEN);
}

/// As if it had been truncated after its length was asked for.
fn shorter_than_it_says() {
    let real = LEN / 3;
    let odd = Odd { real, ..whole() };
    let Some(mounted) = Mounted::new(odd) else {
        return;
    };
    let file = mounted.open();
    let loaded = FileBytes::load(&file).unwrap();
    assert!(loaded.len() as u64 == real && is_right(&loaded, 0));
    let len = usize::try_from(real).unwrap();
    let options = FileBytesOptions::new();
    // It is not as long as it reports, which is not an error.
    assert_eq!(options.max_len(len).load(&file).unwrap().len(), len);
    let error = options.max_len(len - 1).load(&file).unwrap_err();
    assert_eq!(error.reason(), Reason::BytesLimit(len - 1));
    let error = options.len(len + 1).load(&file).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENXIO, Reason::FileLength(real))
    );
}

/// As if it had grown after its length was asked for.
fn longer_than_it_says() {
    for said in [0, 1, LEN / 3, LEN - 1] {
        let odd = Odd { said, ..whole() };
        let Some(mounted) = Mounted::new(odd) else {
            return;
        };
        let file = mounted.open();
        let loaded = FileBytes::load(&file).unwrap();
        assert!(loaded.len() as u64 == LEN && is_right(&loaded, 0), "{said}");
        let len = usize::try_from(LEN).unwrap();
        let options = FileBytesOptions::new();
        assert_eq!(options.max_len(len).load(&file).unwrap().len(), len);
        let error = options.max_len(len - 1).load(&file).unwrap_err();
        assert_eq!(error.reason(), Reason::BytesLimit(len - 1));
    }
}

fn broken() {
    let odd = Odd {
        broken_from: Some(LEN / 2),
        ..whole()
    };
    let Some(mounted) = Mounted::new(odd) else {
        return;
    };
    let file = mounted.open();
    let error = FileBytes::load(&file).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::ReadFile, EIO));
    assert_eq!(error.reason(), Reason::Kernel);
    let start = FileBytesOptions::new().len(1000).load(&file).unwrap();
    assert!(start.len() == 1000 && is_right(&start, 0));

    let mapping = MapOptions::new().map_private(&file, ReadOnly).unwrap();
    let at = mapping.len() - 10;
    let error = mapping.read_at(at, &mut [0; 10]).unwrap_err();
    assert_eq!(error.reason(), stopped(0, at));
    let cause = FaultCause::of(&file, at as u64);
    assert_eq!(cause, FaultCause::ReadError(EIO));
    assert_eq!(FaultCause::of(&file, 0), FaultCause::Unknown);
}

/// A regular file that is read like a pipe.
fn without_offsets() {
    let odd = Odd {
        is_stream: true,
        ..whole()
    };
    let Some(mounted) = Mounted::new(odd) else {
        return;
    };
    let file = mounted.open();
    let start = FileBytesOptions::new().len(1000).load(&file).unwrap();
    assert!(start.len() == 1000 && is_right(&start, 0));
    let error = FileBytesOptions::new().offset(7).load(&file).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ESPIPE, Reason::NoOffsets(FileKind::Regular))
    );
    let rest = FileBytes::load(&file).unwrap();
    assert_eq!((rest.way(), rest.len() as u64), (Way::Read, LEN - 1000));
    assert!(is_right(&rest, 1000));
}
