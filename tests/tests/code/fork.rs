//! Code in children made by `fork`.
// Emscripten enforces no protections, so it has no such code.
#![cfg(not(target_os = "emscripten"))]

use std::io::{Read, Write, pipe};

use libc::EPERM;
use tests::machine_code::{call, code};
use tests::{
    here_and_as_the_first_process, in_a_child, in_a_child_of_the_same_number, skip, spawn,
};
use unix_memory::code::{Code, CodeBuffer, Way};
use unix_memory::{Call, Reason};

/// Code that returns `value`.
fn made(way: Way, value: u8) -> Option<Code> {
    let mut buffer = CodeBuffer::with(100, way)
        .inspect_err(|error| skip("code", &error.to_string()))
        .ok()?;
    let code = code(value)?;
    buffer[..code.len()].copy_from_slice(&code);
    Some(buffer.into_executable().unwrap())
}

fn run(code: &Code) -> u32 {
    // SAFETY: `made` wrote such a function there, and `code` is borrowed while it runs.
    unsafe { call(code.as_ptr()) }
}

#[test]
fn a_child_has_a_copy_of_private_code() {
    let Some(code) = made(Way::Flip, 1) else {
        return;
    };
    let child = in_a_child(|| {
        assert_eq!(run(&code), 1);
        // SAFETY: the child ends by `_exit`, so that the value is not dropped twice in a process.
        let code = unsafe { std::ptr::read(&raw const code) };
        let mut buffer = code.into_writable().unwrap();
        buffer.fill(0xff);
        let code = buffer.into_executable().unwrap();
        let mut byte = [0];
        code.read_at(0, &mut byte).unwrap();
        assert_eq!(byte, [0xff]);
        std::mem::forget(code);
    });
    assert!(child.success());
    assert_eq!(run(&code), 1);
}

#[test]
fn a_child_changes_nothing_of_code_in_two_mappings() {
    here_and_as_the_first_process(|| {
        if let Some(code) = made(Way::DualMapping, 2) {
            check_that_a_child_changes_nothing(code);
        }
    });
}

/// `code` returns 2.
fn check_that_a_child_changes_nothing(mut code: Code) {
    let mut before = [0; 100];
    code.read_at(0, &mut before).unwrap();
    let child = in_a_child_of_the_same_number(|| {
        assert_eq!(run(&code), 2);
        // SAFETY: it changes nothing.
        let error = unsafe { code.patch(0, &[0]) }.unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Patch, EPERM));
        assert_eq!(error.reason(), Reason::OtherProcess);
        // SAFETY: the child ends by `_exit`, so that the value is not dropped twice in a process.
        let code = unsafe { std::ptr::read(&raw const code) };
        let mut buffer = code.into_writable().unwrap();
        assert_eq!(*buffer, before);
        buffer.fill(0xff);
        let (error, buffer) = buffer.into_executable().unwrap_err().into_parts();
        assert_eq!((error.call(), error.errno()), (Call::IntoExecutable, EPERM));
        assert_eq!(error.reason(), Reason::OtherProcess);
        assert_eq!(*buffer, [0xff; 100]);
        // Its own mappings are unmapped, and nobody else's.
        drop(buffer);
        // What it makes itself is its own.
        if let Some(own) = made(Way::DualMapping, 3) {
            assert_eq!(run(&own), 3);
        }
    });
    assert!(child.success());
    let mut after = [0; 100];
    code.read_at(0, &mut after).unwrap();
    assert_eq!(after, before);
    assert_eq!(run(&code), 2);
}

#[test]
fn a_child_sees_what_its_parent_changes() {
    let Some(mut code) = made(Way::DualMapping, 2) else {
        return;
    };
    let (mut wait, mut go) = pipe().unwrap();
    let child = spawn(|| {
        wait.read_exact(&mut [0]).unwrap();
        let mut byte = [0];
        code.read_at(99, &mut byte).unwrap();
        assert_eq!(byte, [9]);
    });
    // SAFETY: nobody executes the last byte.
    unsafe { code.patch(99, &[9]) }.unwrap();
    go.write_all(&[1]).unwrap();
    assert!(child.wait().success());
}
