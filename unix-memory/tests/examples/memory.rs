//! Examples that work in the memory of one process.

use std::fs::File;
use std::io::Write;

use crate::{example, run};

#[test]
fn code_that_was_just_made_adds() {
    let (ok, out, err) = run(&mut example("jit"));
    assert!(ok, "{err}");
    let none = format!("no instructions for {} are here\n", std::env::consts::ARCH);
    if out == none {
        println!("skipped: machine code: {none}");
        return;
    }
    assert_eq!(out, "2 + 3 = 5\n");
    let (ok, out, err) = run(example("jit").arg("255"));
    assert!(ok, "{err}");
    assert_eq!(out, "2 + 255 = 257\n");
    let (ok, out, _) = run(example("jit").arg("256"));
    assert_eq!((ok, &*out), (false, ""));
}

#[test]
fn it_signs_with_a_secret() {
    let message = tempfile::NamedTempFile::new().unwrap();
    message.as_file().write_all(b"a message").unwrap();
    let sign = || {
        let input = File::open(message.path()).unwrap();
        let output = example("secret").stdin(input).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let out = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> = out.lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "a key of 32 bytes");
        let answers = [": yes", ": no"];
        let answered = |line: &String| answers.iter().any(|answer| line.ends_with(answer));
        assert!(lines[1..7].iter().all(answered), "{out}");
        assert_eq!(lines[8], "its copy is equal: true");
        lines[7].clone()
    };
    let (one, other) = (sign(), sign());
    assert!(one.starts_with("9 bytes signed: "), "{one}");
    assert_ne!(one, other, "each time with another key");
}

#[test]
fn an_arena_holds_a_list() {
    let (ok, out, err) = run(&mut example("arena"));
    assert!(ok, "{err}");
    assert_eq!(
        out,
        format!("the sum is {}\n", (1..=100_000_u64).sum::<u64>())
    );
}

#[test]
fn bytes_go_through_a_ring() {
    let (ok, out, err) = run(example("ring_speed").arg("20"));
    assert!(ok, "{err}");
    assert_eq!(out, "20 MiB went through the ring\n");
    assert!(err.ends_with(" MiB in a second\n"), "{err}");
}
