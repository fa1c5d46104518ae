//! Pictures of files, and what is installed beside the program.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{directory, file, good, half, pages, run};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn it_watches_for_programs_too() {
    let directory = directory();
    let path = file(directory.path(), "file", 1);
    let mut child = pages()
        .args(["--watch=0.1", "--json"])
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let out = child.stdout.take().expect("a pipe");
    let mut documents = serde_json::Deserializer::from_reader(out).into_iter();
    for _ in 0..3 {
        let document: serde_json::Value = documents.next().expect("one more").expect("JSON");
        assert_eq!(document["total"]["files"], 1);
    }
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a signal");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_heat_map_has_a_row_for_each_file() {
    let directory = directory();
    let Some(path) = half(directory.path()) else {
        return;
    };
    let odd = file(directory.path(), "<&\">", 1);
    let svg = directory.path().join("map.svg");
    good(pages().arg("--svg").args([&svg, &path, &odd]));
    let text = std::fs::read_to_string(&svg).expect("the map");
    assert!(
        text.starts_with("<svg ") && text.ends_with("</svg>\n"),
        "{text}"
    );
    assert!(
        text.contains("/half: 20 of 40 pages in memory (50%), "),
        "{text}"
    );
    assert!(
        text.contains("/&lt;&amp;\"&gt;: 2 of 2 pages in memory (100%), "),
        "{text}"
    );
    // Half of the row is one colour, half another.
    let width = 128 * 5;
    for (colour, x) in [("#00682a", 320), ("#eeeeee", 320 + width / 2)] {
        let attributes = text.split('<').find(|element| {
            element.contains(colour) && element.contains(&format!("width=\"{}\"", width / 2))
        });
        let attributes = attributes.unwrap_or_else(|| panic!("no {colour}: {text}"));
        assert!(attributes.contains(&format!("x=\"{x}\"")), "{attributes}");
    }
    // A map is replaced only once the new one is complete.
    let mut bad = pages();
    bad.args(["--svg"]).arg(&svg).args(["-b", "/no/such/list"]);
    assert_eq!(run(&mut bad).code, Some(1));
    assert!(std::fs::read_to_string(&svg).is_ok_and(|now| now.ends_with("</svg>\n")));
    good(pages().args(["--svg", "/dev/stdout", "-q"]).arg(&path));
    let ran = run(pages().args(["--svg", "/no/such/map.svg"]).arg(&path));
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.err,
        "pages: /no/such/map.svg: No such file or directory\n"
    );
}

#[test]
fn the_rest_of_an_installation_is_written() {
    let out = good(pages().arg("--version"));
    assert!(
        out.starts_with("pages ") && out.lines().count() == 1,
        "{out}"
    );
    for shell in ["bash", "zsh", "fish"] {
        let out = good(pages().args(["--completions", shell]));
        assert!(out.contains("pages") && out.contains("max-size"), "{out}");
    }
    let page = good(pages().arg("--man"));
    for part in [
        ".TH pages 1 ",
        ".SH OPTIONS",
        ".SH \"EXIT STATUS\"",
        "\\-\\-pid\\-file",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let help = good(pages().arg("--help"));
    assert!(help.contains("--one-file-system"), "{help}");
}

#[test]
fn bad_options_are_refused() {
    for (options, says) in [
        (&["--load", "--evict"][..], "cannot be used with"),
        (&["--lock", "--evict"], "cannot be used with"),
        (&["-L", "-e"], "cannot be used with"),
        (&["--watch", "--load"], "cannot be used with"),
        (&["--pid-file", "x"], "--lock"),
        (&["--range", "7-7"], "is empty"),
        (&["--range", ""], "give START-END"),
        (&["--max-size", "much"], "is not a size"),
        (&["--watch=0"], "give seconds"),
        (&["--width", "0"], "0 is not in 1.."),
        (&["-dl"], "end the command with `&`"),
        (&["-lw"], "--pid-file"),
        (&["-o", "kv"], "--json"),
    ] {
        let ran = run(pages().args(options).arg("file"));
        assert_eq!(ran.code, Some(2), "{options:?}");
        assert!(ran.err.contains(says), "{options:?}: {}", ran.err);
    }
    let ran = run(&mut pages());
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("FILES"), "{}", ran.err);
}

#[test]
fn errors_do_not_reach_the_terminal_as_they_are() {
    let ran = run(pages().arg("/no/\x1b[31m"));
    assert_eq!(
        ran.err,
        "pages: /no/\\u{1b}[31m: No such file or directory\n"
    );
    let mut input = pages();
    input
        .args(["-b", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = input.stdout(Stdio::null()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"/no/\xff\x07\n").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        output.stderr,
        b"pages: /no/\\xff\\u{7}: No such file or directory\n"
    );
}
