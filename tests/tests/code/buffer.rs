//! Code that is written, run, and written again, in each way that exists here.
// Emscripten enforces no protections, so it has no such code.
#![cfg(not(target_os = "emscripten"))]

use std::sync::mpsc::channel;

use libc::{EACCES, EINVAL};
use tests::kernel::{mappings_named, names_of_descriptors};
use tests::machine_code::{code, descriptor};
use tests::{Permissions, in_a_child, lacks, map_at, permissions, skip};
use unix_memory::code::{Code, CodeBuffer, Way};
use unix_memory::{Call, MapOptions, Mapping, ReadWrite, Reason, install_fault_handler, page_size};

const READ: Permissions = Permissions::READ;
const WRITE: Permissions = Permissions::WRITE;
const EXECUTE: Permissions = Permissions::EXECUTE;

/// Where the tests put code: away from the start, and across no page.
const AT: usize = 64;

/// A buffer of two pages for each way; prints what this system refuses.
fn buffers() -> impl Iterator<Item = CodeBuffer> {
    // (Other systems do not have that one at all.)
    let jit = cfg!(target_vendor = "apple").then_some(Way::Jit);
    [Way::Flip, Way::DualMapping]
        .into_iter()
        .chain(jit)
        .filter_map(|way| {
            CodeBuffer::with(2 * page_size(), way)
                .inspect(|buffer| assert_eq!(buffer.way(), way))
                .inspect_err(|error| skip(&format!("{way:?}"), &error.to_string()))
                .ok()
        })
}

/// Writes a function that returns `value` at [`AT`], and where a function's address is that of a
/// descriptor, that before it. Returns the offset of what a pointer points to.
fn write(buffer: &mut CodeBuffer, value: u8) -> Option<usize> {
    let code = code(value)?;
    buffer[AT..AT + code.len()].copy_from_slice(&code);
    let Some(words) = descriptor(buffer.address().wrapping_add(AT)) else {
        return Some(AT);
    };
    for (bytes, word) in buffer.chunks_exact_mut(size_of::<usize>()).zip(words) {
        bytes.copy_from_slice(&word.to_ne_bytes());
    }
    Some(0)
}

/// Runs what was written.
fn run(code: &Code, offset: usize) -> u32 {
    // SAFETY: `write` wrote such a function there, and `code` is borrowed while it runs.
    let function = unsafe { code.function::<extern "C" fn() -> u32>(offset) };
    function.unwrap()()
}

/// Code that is written again, elsewhere than it is executed. (What translates a program once sees only
/// what is written through the same mapping.)
fn lacks_code_written_elsewhere() -> bool {
    const CHECK: &str = "code that is written elsewhere, and again";
    lacks::execution(CHECK) || lacks::stores_over_code(CHECK)
}

#[test]
fn code_runs_by_each_way() {
    for mut buffer in buffers() {
        let (way, address) = (buffer.way(), buffer.address());
        for value in 1..=50 {
            let Some(offset) = write(&mut buffer, value) else {
                return;
            };
            let code = buffer.into_executable().unwrap();
            assert_eq!((code.way(), code.as_ptr()), (way, address));
            assert_eq!(run(&code, offset), value.into(), "{way:?}");
            buffer = code.into_writable().unwrap();
            assert_eq!((buffer.way(), buffer.address()), (way, address));
            if way != Way::Flip && lacks_code_written_elsewhere() {
                break;
            }
        }
    }
}

/// Code at the same addresses, written repeatedly, which another thread has executed before. That
/// thread waits in system calls, which are synchronising events.
#[test]
fn another_thread_runs_what_was_written_last() {
    for mut buffer in buffers() {
        let way = buffer.way();
        let (give, take) = channel::<(Code, usize)>();
        let (give_back, take_back) = channel();
        let rounds = if way != Way::Flip && lacks_code_written_elsewhere() {
            1
        } else {
            200
        };
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for (code, offset) in take {
                    let result = run(&code, offset);
                    give_back.send((code, result)).unwrap();
                }
            });
            for round in 0..rounds {
                let value = round % 100;
                let Some(offset) = write(&mut buffer, value) else {
                    return;
                };
                give.send((buffer.into_executable().unwrap(), offset))
                    .unwrap();
                let (code, result) = take_back.recv().unwrap();
                assert_eq!(result, value.into(), "{way:?}, round {round}");
                buffer = code.into_writable().unwrap();
            }
            drop(give);
        });
    }
}

#[test]
fn nothing_is_writable_and_executable() {
    if lacks::execution("what can be executed") {
        return;
    }
    for buffer in buffers().filter(|buffer| buffer.way() != Way::Jit) {
        let check = |buffer: &CodeBuffer| {
            let (written, executed) = (buffer.as_ptr(), buffer.address());
            assert!(permissions(written).is(|it| *it & (READ | WRITE | EXECUTE) == READ | WRITE));
            if buffer.way() == Way::DualMapping {
                assert_ne!(written, executed);
                assert!(
                    permissions(executed).is(|it| *it & (READ | WRITE | EXECUTE) == READ | EXECUTE)
                );
            } else {
                assert_eq!(written, executed);
            }
        };
        check(&buffer);
        let code = buffer.into_executable().unwrap();
        let all = READ | WRITE | EXECUTE;
        assert!(permissions(code.as_ptr()).is(|it| *it & all == READ | EXECUTE));
        check(&code.into_writable().unwrap());
    }
}

#[test]
fn the_first_way_that_works_is_taken() {
    let buffer = CodeBuffer::new(100).unwrap();
    let flips = CodeBuffer::with(100, Way::Flip).is_ok();
    assert_eq!(buffer.way() == Way::Flip, flips);
    assert_eq!(*buffer, [0; 100]);
}

#[test]
fn bytes_go_there_and_back() {
    for mut buffer in buffers() {
        let len = buffer.len();
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = (index % 251).to_le_bytes()[0];
        }
        let expected = buffer.to_vec();
        let code = buffer.into_executable().unwrap();
        assert_eq!((code.len(), code.is_empty()), (len, false));
        let mut found = vec![0; len];
        code.read_at(0, &mut found).unwrap();
        assert_eq!(found, expected);
        // What is executed has them at the address that it says.
        let address = code.entry(len - 1).unwrap();
        assert_eq!(address.addr(), code.as_ptr().addr() + len - 1);
        // SAFETY: the byte is the last of the code, which can be read, and nobody changes it.
        assert_eq!(unsafe { address.read_volatile() }, expected[len - 1]);
        let buffer = code.into_writable().unwrap();
        assert_eq!(*buffer, *expected);
    }
}

#[test]
fn no_bytes_are_fine() {
    for way in [Way::Flip, Way::DualMapping] {
        let buffer = CodeBuffer::with(0, way).unwrap();
        assert!(buffer.is_empty());
        let mut code = buffer.into_executable().unwrap();
        assert_eq!((code.len(), code.is_empty(), code.way()), (0, true, way));
        assert_eq!(code.entry(0).unwrap_err().errno(), EINVAL);
        code.read_at(0, &mut []).unwrap();
        if way == Way::DualMapping {
            // SAFETY: nothing is changed.
            unsafe { code.patch(0, &[]) }.unwrap();
        }
        assert!(code.into_writable().unwrap().is_empty());
    }
}

#[test]
fn offsets_past_the_end_are_refused() {
    for buffer in buffers() {
        let mut code = buffer.into_executable().unwrap();
        let len = code.len();
        for offset in [len, len + 1, usize::MAX] {
            let error = code.entry(offset).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Entry, EINVAL));
            assert_eq!(error.reason(), Reason::MappingLength(len));
            // SAFETY: no function is made.
            let function = unsafe { code.function::<extern "C" fn()>(offset) };
            assert_eq!(function.unwrap_err(), error);
            let error = code.read_at(offset, &mut [0]).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Read, EINVAL));
            // SAFETY: nothing is changed.
            let error = unsafe { code.patch(offset, &[1]) }.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Patch, EINVAL));
        }
        let mut bytes = vec![9; 3];
        assert!(code.read_at(len - 2, &mut bytes).is_err());
        assert_eq!(bytes, [9; 3]);
        let error = code.entry(len).unwrap_err().to_string();
        let expected = format!("entry {len}: Invalid argument (the mapping has {len} bytes)");
        assert_eq!(error, expected);
    }
}

#[test]
fn code_is_patched_beside_code_that_runs() {
    for mut buffer in buffers() {
        let Some(offset) = write(&mut buffer, 1) else {
            return;
        };
        let (way, page) = (buffer.way(), page_size());
        let mut code = buffer.into_executable().unwrap();
        assert_eq!(run(&code, offset), 1);
        // SAFETY: only what is on the first page is ever executed.
        let patched = unsafe { code.patch(page - 1, &[1, 2, 3]) };
        let mut bytes = [9; 4];
        code.read_at(page - 1, &mut bytes).unwrap();
        if way == Way::Flip {
            let error = patched.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Patch, EACCES));
            assert_eq!(error.reason(), Reason::OneMapping);
            assert_eq!(bytes, [0; 4]);
        } else {
            patched.unwrap();
            assert_eq!(bytes, [1, 2, 3, 0]);
        }
        assert_eq!(run(&code, offset), 1);
        assert_eq!(code.into_writable().unwrap()[page - 1..][..4], bytes);
    }
}

#[test]
fn code_that_was_patched_runs() {
    if lacks::execution("code that was written through another mapping") {
        return;
    }
    for mut buffer in buffers().filter(|buffer| buffer.way() != Way::Flip) {
        let Some(offset) = write(&mut buffer, 1) else {
            return;
        };
        let mut executable = buffer.into_executable().unwrap();
        for value in 2..=50 {
            let Some(new) = code(value) else { return };
            // SAFETY: it runs in this thread alone, and not now.
            unsafe { executable.patch(AT, &new) }.unwrap();
            assert_eq!(run(&executable, offset), value.into());
        }
    }
}

/// What the processor copies, no call of the kernel's comes after, which might make it coherent. In a
/// child, because a handler is that of all threads.
#[test]
fn code_that_was_copied_by_the_processor_runs() {
    if lacks::execution("code that was written through another mapping") {
        return;
    }
    let child = in_a_child(|| {
        if let Err(error) = install_fault_handler() {
            return skip("copies by the processor", &error.to_string());
        }
        for mut buffer in buffers().filter(|buffer| buffer.way() == Way::DualMapping) {
            let Some(offset) = write(&mut buffer, 0) else {
                return;
            };
            let mut executable = buffer.into_executable().unwrap();
            for round in 0..=u8::MAX {
                let value = round % 100;
                let Some(new) = code(value) else { return };
                // SAFETY: it runs in this thread alone, and not now.
                unsafe { executable.patch(AT, &new) }.unwrap();
                assert_eq!(run(&executable, offset), value.into(), "round {round}");
            }
        }
    });
    assert!(child.success());
}

/// In a child, where no other thread maps anything.
#[test]
fn a_drop_unmaps_all_and_no_descriptor_is_left() {
    let objects = || mappings_named("unix-memory");
    let descriptors = || names_of_descriptors().get().map(|names| names.len());
    let _known = objects();
    // Some emulators keep what is unmapped for their program.
    let told = !lacks::own_process("what is mapped no more");
    let child = in_a_child(|| {
        let before = (objects().get(), descriptors());
        for buffer in buffers() {
            assert_eq!(descriptors(), before.1);
            let (way, addresses) = (buffer.way(), [buffer.as_ptr(), buffer.address()]);
            let two = usize::from(way == Way::DualMapping) * 2;
            assert_eq!(objects().get(), before.0.map(|count| count + two));
            let is_mapped = |address| map_at(address).is(Option::is_some);
            assert!(addresses.into_iter().all(is_mapped));
            let code = buffer.into_executable().unwrap();
            assert_eq!(objects().get(), before.0.map(|count| count + two));
            // What was written elsewhere is gone, and what is executed is there.
            let is_gone = |address| map_at(address).is(Option::is_none);
            assert!(!told || way != Way::DualMapping || is_gone(addresses[0]));
            assert!(is_mapped(addresses[1]));
            drop(code.into_writable().unwrap());
            assert!(!told || addresses.into_iter().all(is_gone));
            assert_eq!((objects().get(), descriptors()), before);
        }
    });
    assert!(child.success());
}

#[test]
fn memory_that_was_mapped_already_becomes_code() {
    let mapping = MapOptions::new()
        .len(page_size())
        .within(0..1 << 31)
        .map_anonymous(ReadWrite);
    let mapping = mapping
        .or_else(|_| Mapping::anonymous(page_size()))
        .unwrap();
    let address = mapping.as_ptr();
    let mut buffer = CodeBuffer::from(mapping);
    assert_eq!((buffer.way(), buffer.address()), (Way::Flip, address));
    let Some(offset) = write(&mut buffer, 42) else {
        return;
    };
    match buffer.into_executable() {
        Ok(code) => assert_eq!(run(&code, offset), 42),
        Err(error) => skip("running code", &error.to_string()),
    }
}

#[test]
fn lengths_that_no_slice_has_are_refused() {
    for way in [Way::Flip, Way::DualMapping] {
        for len in [isize::MAX.unsigned_abs() + 1, usize::MAX] {
            let error = CodeBuffer::with(len, way).unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mmap, libc::ENOMEM));
            assert!(matches!(error.reason(), Reason::LengthLimit(_)), "{error}");
        }
    }
    let error = CodeBuffer::new(usize::MAX).unwrap_err();
    assert_eq!(error.errno(), libc::ENOMEM);
}

#[test]
fn debug_shows_where_and_by_which_way() {
    let buffer = CodeBuffer::with(100, Way::DualMapping).unwrap();
    let text = format!("{buffer:?}");
    let expected = format!(
        "CodeBuffer {{ address: {:?}, len: 100, way: DualMapping }}",
        buffer.address()
    );
    assert_eq!(text, expected);
    let code = buffer.into_executable().unwrap();
    assert_eq!(format!("{code:?}"), expected.replace("CodeBuffer", "Code"));
}
