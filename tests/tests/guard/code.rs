//! Machine code that is written, run, written again and run again.

use libc::{EINVAL, ENOSYS};
use tests::machine_code::{call, code};
use tests::{lacks, skip};
use unix_memory::{
    Access, Advice, Call, MapOptions, Mapping, ReadExecute, ReadWrite, ReadWriteExecute, Reason,
    page_size,
};

/// Calls the function at `address`.
fn run(address: *const u8) -> u32 {
    // SAFETY: the tests run what `code` wrote there, in memory that can be executed.
    unsafe { call(address) }
}

#[test]
fn code_that_was_written_again_runs() {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    // Away from the start, and across no page.
    let at = page_size() + 64;
    for value in 1..=100 {
        let Some(code) = code(value) else { return };
        mapping[at..at + code.len()].copy_from_slice(&code);
        let executable = match mapping.protect(ReadExecute) {
            Ok(executable) => executable,
            Err(error) => return skip("running code", &error.to_string()),
        };
        assert_eq!(run(executable.as_ptr().wrapping_add(at)), value.into());
        mapping = executable.protect(ReadWrite).unwrap();
    }
}

/// Writable, then readable or nothing, then executable: it is code from the last step on.
#[test]
fn code_runs_however_it_became_executable() {
    fn by<A: Access>(access: A) {
        let mut mapping = Mapping::anonymous(page_size()).unwrap();
        for value in [1, 2] {
            let Some(code) = code(value) else { return };
            mapping[..code.len()].copy_from_slice(&code);
            let between = mapping.protect(access).unwrap();
            let executable = match between.protect(ReadExecute) {
                Ok(executable) => executable,
                Err(error) => return skip("running code", &error.to_string()),
            };
            assert_eq!(run(executable.as_ptr()), value.into());
            mapping = executable.protect(ReadWrite).unwrap();
        }
    }
    by(unix_memory::ReadOnly);
    by(unix_memory::NoAccess);
}

#[test]
fn code_that_is_writable_all_the_time_runs_when_asked_for() {
    let mapping = MapOptions::new()
        .len(page_size())
        .map_anonymous(ReadWriteExecute);
    let Ok(mut mapping) = mapping else {
        skip("writable code", "it is forbidden here");
        return;
    };
    for value in [1, 2, 3] {
        let Some(code) = code(value) else { return };
        mapping[..code.len()].copy_from_slice(&code);
        match mapping.sync_instruction_cache(..code.len()) {
            Ok(()) => assert_eq!(run(mapping.as_ptr()), value.into()),
            Err(error) => {
                assert_eq!(error.errno(), ENOSYS);
                return skip("coherent code", &error.to_string());
            }
        }
    }
    let error = mapping.sync_instruction_cache(..=page_size()).unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::SyncInstructionCache, EINVAL)
    );
    assert_eq!(error.reason(), Reason::MappingLength(page_size()));
    mapping.sync_instruction_cache(5..5).unwrap();
}

#[test]
fn code_that_was_written_through_another_mapping_runs() {
    if lacks::shared_files("code that was written through another mapping") {
        return;
    }
    // (It translates code once, and sees only what is written through the same mapping.)
    if lacks::execution("code that was written through another mapping") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(page_size() as u64).unwrap();
    let options = MapOptions::new();
    let writable = options.map_shared(&file, ReadWrite).unwrap();
    let Ok(executable) = options.map_shared(&file, ReadExecute) else {
        skip("code in a file", "the file system forbids it");
        return;
    };
    for value in [1, 2, 3] {
        let Some(code) = code(value) else { return };
        writable.write_at(0, &code).unwrap();
        if executable.sync_instruction_cache(..).is_ok() {
            assert_eq!(run(executable.as_ptr()), value.into());
        }
    }
}

#[test]
fn pages_that_are_gone_are_left_alone() {
    if lacks::shared_files("code of which pages are gone") {
        return;
    }
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.populate().unwrap();
    file.set_len(page as u64).unwrap();
    match mapping.protect(ReadExecute) {
        Ok(mapping) => {
            let _known_or_not = mapping.sync_instruction_cache(page..);
        }
        Err(error) => skip("code in a file", &error.to_string()),
    }
}

#[test]
fn memory_that_was_never_used_stays_so() {
    if lacks::own_pages("what is in memory") {
        return;
    }
    let mapping = Mapping::anonymous(100 * page_size()).unwrap();
    match mapping.protect(ReadExecute) {
        Ok(mapping) => assert_eq!(mapping.residency().resident(), Ok(0)),
        Err(error) => skip("code", &error.to_string()),
    }
}

#[test]
fn what_was_never_used_beside_code_stays_so() {
    if lacks::own_pages("what is in memory") {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(8 * page).unwrap();
    // Else some kernels make one large page of all.
    let _where_there_are_such = mapping.advise(Advice::NoHugePage);
    for used in [2, 3, 5] {
        mapping[used * page] = 1;
    }
    match mapping.protect(ReadExecute) {
        Ok(mapping) => {
            let resident: Vec<bool> = mapping.residency().map(Result::unwrap).collect();
            let expected = [false, false, true, true, false, true, false, false];
            assert_eq!(resident, expected);
        }
        Err(error) => skip("code", &error.to_string()),
    }
}

/// What is written could be executed there, or nothing can.
#[test]
#[cfg(target_os = "emscripten")]
fn where_no_protection_is_enforced_there_is_no_code() {
    use unix_memory::code::{CodeBuffer, Way};

    for way in [Way::Flip, Way::DualMapping, Way::Jit] {
        let error = CodeBuffer::with(100, way).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOSYS));
        assert_eq!(error.reason(), Reason::NotEnforced);
        assert_eq!(CodeBuffer::new(100).unwrap_err(), error);
    }
    let buffer = CodeBuffer::from(Mapping::anonymous(100).unwrap());
    let (error, _buffer) = buffer.into_executable().unwrap_err().into_parts();
    assert_eq!(error.reason(), Reason::NotEnforced);
}
