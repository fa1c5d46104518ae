//! Code at the limits of a process. Each test reaches one in a child of its own.
// Emscripten enforces no protections, so it has no such code.
#![cfg(not(target_os = "emscripten"))]
#![allow(
    clippy::result_large_err,
    reason = "an error gives the memory back, and nothing may allocate"
)]

use std::io;

use libc::{EFBIG, EMFILE, ENOMEM};
use tests::kernel::names_of_descriptors;
use tests::machine_code::{call, code};
use tests::{
    in_a_child, lacks, limit_address_space, mappings_up_to_the_limit, reachable_mapping_limit, skip,
};
use unix_memory::code::{Code, CodeBuffer, Way};
use unix_memory::{Call, Mapping, NoAccess, Reason, page_size};

/// A page that holds a function which returns `value`, if this way works here.
fn buffer(way: Way, value: u8) -> Option<CodeBuffer> {
    let instructions = code(value)?;
    let mut buffer = CodeBuffer::with(page_size(), way)
        .inspect_err(|error| skip(&format!("{way:?}"), &error.to_string()))
        .ok()?;
    buffer[..instructions.len()].copy_from_slice(&instructions);
    Some(buffer)
}

fn run(code: &Code) -> u32 {
    // SAFETY: `buffer` wrote such a function there, and `code` is borrowed while it runs.
    unsafe { call(code.as_ptr()) }
}

#[test]
fn at_the_limit_of_mappings_nothing_is_lost() {
    const COUNT: usize = 8;
    let check = "code at the limit";
    if lacks::own_process(check) || reachable_mapping_limit(check).is_none() {
        return;
    }
    let child = in_a_child(|| {
        // To the kernel they are usually one mapping, of which no part can change its protection if
        // there can be no more mappings.
        let buffers: [_; COUNT] = std::array::from_fn(|_| buffer(Way::Flip, 6));
        let dual = buffer(Way::DualMapping, 7);
        let descriptors = names_of_descriptors().get().map(|names| names.len());
        let many = mappings_up_to_the_limit(NoAccess);
        // Nothing here needs memory of the allocator's, for which there is none.
        let new =
            [Way::Flip, Way::DualMapping].map(|way| CodeBuffer::with(64 * page_size(), way).err());
        let turned = buffers.map(|buffer| buffer.map(CodeBuffer::into_executable));
        let dual = dual.map(|buffer| buffer.into_executable().map(Code::into_writable));
        drop(many);

        for error in new.into_iter().flatten() {
            assert_eq!(error.errno(), ENOMEM, "{error}");
        }
        assert_eq!(
            names_of_descriptors().get().map(|names| names.len()),
            descriptors
        );
        let mut refused = 0;
        for result in turned.into_iter().flatten() {
            let code = result.or_else(|failed| {
                let (error, buffer) = failed.into_parts();
                assert_eq!((error.call(), error.errno()), (Call::Mprotect, ENOMEM));
                refused += 1;
                buffer.into_executable()
            });
            assert_eq!(run(&code.unwrap()), 6);
        }
        if refused == 0 {
            skip("a refused change", "each has a mapping of its own");
        }
        // To make it executable takes no mapping; to make it writable takes one.
        let code = match dual.map(|turned| turned.unwrap()) {
            None => return,
            Some(Ok(buffer)) => buffer.into_executable().unwrap(),
            Some(Err(failed)) => {
                let (error, code) = failed.into_parts();
                assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
                code
            }
        };
        assert_eq!(run(&code), 7);
    });
    assert!(child.success());
}

#[test]
fn without_addresses_nothing_is_left_behind() {
    const LEN: usize = 1 << 30;
    let child = in_a_child(|| {
        if let Err(error) = limit_address_space(LEN as u64 / 2) {
            return skip("few addresses", &error.to_string());
        }
        if Mapping::anonymous(LEN).is_ok() {
            let lacking = "an emulator does not keep to the limit of the address space";
            return skip("few addresses", lacking);
        }
        let descriptors = || names_of_descriptors().get().map(|names| names.len());
        let before = descriptors();
        for result in [
            CodeBuffer::new(LEN),
            CodeBuffer::with(LEN, Way::Flip),
            CodeBuffer::with(LEN, Way::DualMapping),
        ] {
            let error = result.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mmap, ENOMEM));
        }
        assert_eq!(descriptors(), before);
        if let Some(buffer) = buffer(Way::DualMapping, 8) {
            assert_eq!(run(&buffer.into_executable().unwrap()), 8);
        }
    });
    assert!(child.success());
}

/// Limits this process to `most` of `resource`.
macro_rules! limit {
    ($resource:expr, $most:expr) => {{
        let limit = libc::rlimit {
            rlim_cur: $most,
            rlim_max: $most,
        };
        // SAFETY: the call reads the limit.
        match unsafe { libc::setrlimit($resource, &raw const limit) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }};
}

#[test]
fn without_descriptors_there_is_one_way() {
    let child = in_a_child(|| {
        let Some(before) = buffer(Way::DualMapping, 9) else {
            return;
        };
        if let Err(error) = limit!(libc::RLIMIT_NOFILE, 0) {
            return skip("no descriptors", &error.to_string());
        }
        let error = CodeBuffer::with(100, Way::DualMapping).unwrap_err();
        assert_eq!(error.errno(), EMFILE, "{error}");
        // What is there needs none, unless the kernel has only pipes to copy by.
        match before.into_executable() {
            Ok(code) => assert_eq!(run(&code), 9),
            Err(failed) => {
                let (error, _buffer) = failed.into_parts();
                assert_eq!((error.call(), error.errno()), (Call::Write, EMFILE));
                skip("copies without descriptors", &error.to_string());
            }
        }
        if let Some(buffer) = buffer(Way::Flip, 10) {
            assert_eq!(run(&buffer.into_executable().unwrap()), 10);
        }
    });
    assert!(child.success());
}

/// A signal would end the process that makes a file longer than it may.
#[test]
fn where_files_may_not_grow_there_is_one_way() {
    const MOST: u64 = 50;
    let child = in_a_child(|| {
        let Some(before) = buffer(Way::DualMapping, 11) else {
            return;
        };
        if let Err(error) = limit!(libc::RLIMIT_FSIZE, MOST as libc::rlim_t) {
            return skip("no long files", &error.to_string());
        }
        match CodeBuffer::with(100, Way::DualMapping) {
            Ok(_) => skip("no long files", "this system does not count such objects"),
            Err(error) => {
                assert_eq!((error.call(), error.errno()), (Call::Ftruncate, EFBIG));
                assert_eq!(error.reason(), Reason::FileSizeLimit(MOST));
            }
        }
        // What is there is not made longer.
        assert_eq!(run(&before.into_executable().unwrap()), 11);
    });
    assert!(child.success());
}
