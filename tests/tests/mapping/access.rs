//! Protections as types: each change of one into another, and those that cannot be read.

use libc::{EACCES, EINVAL};
use tests::machine_code::{call, code};
use tests::seccomp::SYS_MPROTECT;
use tests::{Permissions, lacks, permissions, refusing, skip};
use unix_memory::{
    Access, Call, ExecuteOnly, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly,
    ReadWrite, ReadWriteExecute, SharedMapping, WriteOnly, page_size,
};

/// Whether the kernel lets the page of `address` be used exactly as `access` allows.
fn is_as(access: impl Access, address: *const u8) -> bool {
    let flags = [
        (Protection::READ, Permissions::READ),
        (Protection::WRITE, Permissions::WRITE),
        (Protection::EXECUTE, Permissions::EXECUTE),
    ];
    permissions(address).is(|found| {
        flags
            .iter()
            .all(|&(asked, told)| access.protection().contains(asked) == found.contains(told))
    })
}

/// Changes a mapping of `A` into one of `B`, and back to what can be read.
fn change<A: Access, B: Access>(a: A, b: B) {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    mapping.fill(0x5a);
    let change = || -> Result<(), unix_memory::Error> {
        let mapping = mapping.protect(a)?;
        let mapping = mapping.protect(b)?;
        assert!(is_as(b, mapping.as_ptr()), "{a:?} to {b:?}");
        assert_eq!(mapping.protection(), b.protection());
        let mapping = mapping.protect(ReadOnly)?;
        assert!(mapping.iter().all(|&byte| byte == 0x5a), "{a:?} to {b:?}");
        Ok(())
    };
    if let Err(error) = change() {
        skip(&format!("{a:?} to {b:?}"), &error.to_string());
    }
}

fn change_to_each<A: Access>(a: A) {
    change(a, NoAccess);
    change(a, ReadOnly);
    change(a, ReadWrite);
    change(a, WriteOnly);
    change(a, ReadExecute);
    change(a, ExecuteOnly);
    change(a, ReadWriteExecute);
}

#[test]
fn each_becomes_each() {
    if lacks::execution("what can be executed") {
        return;
    }
    change_to_each(NoAccess);
    change_to_each(ReadOnly);
    change_to_each(ReadWrite);
    change_to_each(WriteOnly);
    change_to_each(ReadExecute);
    change_to_each(ExecuteOnly);
    change_to_each(ReadWriteExecute);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn what_is_only_written_is_there_when_it_is_read() {
    let options = MapOptions::new().len(page_size() + 10);
    let mut mapping = options.map_anonymous(WriteOnly).unwrap();
    assert!(is_as(WriteOnly, mapping.as_ptr()));
    assert_eq!(mapping.as_mut_ptr().cast_const(), mapping.as_ptr());
    let len = mapping.len();
    mapping.write_at(page_size() - 1, b"across").unwrap();
    mapping.write_at(len, b"").unwrap();
    mapping.fill(len - 2.., b'x').unwrap();
    mapping.fill(3..3, b'y').unwrap();
    for (offset, bytes) in [(len, &b"1"[..]), (len - 1, b"12"), (usize::MAX, b"1")] {
        let error = mapping.write_at(offset, bytes).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Write, EINVAL));
    }
    let error = mapping.fill(..=len, 0).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Fill, EINVAL));
    // What is new is zeros, also beside what was there.
    mapping.resize(len + 2 * page_size()).unwrap();
    assert!(is_as(WriteOnly, mapping.as_ptr()));
    let mapping = mapping.protect(ReadOnly).unwrap();
    let mut expected = vec![0; len + 2 * page_size()];
    expected[page_size() - 1..][..6].copy_from_slice(b"across");
    expected[len - 2..len].fill(b'x');
    assert_eq!(*mapping, *expected);
}

#[test]
fn no_bytes_are_only_written() {
    let mut mapping = MapOptions::new().len(0).map_anonymous(WriteOnly).unwrap();
    mapping.write_at(0, b"").unwrap();
    mapping.fill(.., 1).unwrap();
    assert!(mapping.write_at(0, b"1").is_err());
    assert!(mapping.protect(ExecuteOnly).unwrap().is_empty());
}

/// Writes a function while it can be written, turns it into `access`, that into what is only
/// executed, and runs it.
fn runs_by<A: Access>(access: A) {
    let mut mapping = Mapping::anonymous(page_size()).unwrap();
    for value in 1..=20 {
        let Some(code) = code(value) else { return };
        mapping[..code.len()].copy_from_slice(&code);
        let executable = mapping.protect(access).map(|it| it.protect(ExecuteOnly));
        let executable = match executable {
            Ok(Ok(executable)) => executable,
            Ok(Err(error)) => return skip("running code", &error.to_string()),
            Err(error) => return skip("running code", &error.to_string()),
        };
        // SAFETY: it was just written, can be executed, and is not touched while it runs.
        assert_eq!(unsafe { call(executable.as_ptr()) }, value.into());
        mapping = executable.protect(ReadWrite).unwrap();
        assert_eq!(mapping[..code.len()], *code);
    }
}

#[test]
fn what_is_only_executed_runs_however_it_became_so() {
    runs_by(ReadWrite);
    runs_by(WriteOnly);
    runs_by(NoAccess);
    runs_by(ReadOnly);
    runs_by(ReadExecute);
    runs_by(ReadWriteExecute);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn what_cannot_become_executable_comes_back() {
    let mut mapping = MapOptions::new()
        .len(page_size())
        .map_anonymous(WriteOnly)
        .unwrap();
    mapping.fill(.., 7).unwrap();
    let start = mapping.as_ptr();
    let mapping = refusing(SYS_MPROTECT, start, EACCES, move || {
        let failed = mapping.protect(ExecuteOnly).unwrap_err();
        let (error, mapping) = failed.into_parts();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, EACCES));
        mapping
    });
    let Some(mut mapping) = mapping else { return };
    assert!(is_as(WriteOnly, mapping.as_ptr()));
    mapping.write_at(0, &[8]).unwrap();
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert_eq!(mapping[..3], [8, 7, 7]);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn files_are_only_written_and_only_executed() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(100).unwrap();
    let options = MapOptions::new();
    let written: SharedMapping<WriteOnly> = options.map_shared(&file, WriteOnly).unwrap();
    assert!(is_as(WriteOnly, written.as_ptr()));
    // SAFETY: nobody else has the file, and it is as long as it is.
    let mut written = unsafe { written.assume_unshared() };
    written.write_at(98, b"hi").unwrap();
    drop(written);
    let read = options.map_shared(&file, ReadOnly).unwrap();
    assert!(read.eq_at(97, b"\0hi").unwrap());
    match options.map_shared(&file, ExecuteOnly) {
        Ok(executed) => {
            assert!(
                lacks::execution("what can be executed") || is_as(ExecuteOnly, executed.as_ptr())
            );
        }
        Err(error) => skip("code in a file", &error.to_string()),
    }
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn what_is_only_executed_grows() {
    let mapping = MapOptions::new().len(100).map_anonymous(ExecuteOnly);
    let Ok(mut mapping) = mapping else {
        skip("executing only", "it is refused here");
        return;
    };
    mapping.resize(5 * page_size()).unwrap();
    if !lacks::execution("what can be executed") {
        let last = mapping.as_ptr().wrapping_add(4 * page_size());
        assert!(is_as(ExecuteOnly, last));
    }
    assert_eq!(
        *mapping.protect(ReadOnly).unwrap(),
        *vec![0; 5 * page_size()]
    );
}
