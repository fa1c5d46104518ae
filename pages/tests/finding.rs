//! Which files are found, and what is reported about those that cannot be shown.

mod common;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{directory, file, good, is_root, json, json_of, pages, run};
use serde_json::{Value, json as value};

/// The names of the files that it finds, in order.
fn found(command: &mut Command) -> Vec<String> {
    let all = json(command);
    let files = all["files"].as_array().expect("files");
    let files = files.iter().filter(|file| file.get("error").is_none());
    let name = |file: &Value| {
        let path = Path::new(file["path"].as_str().expect("a path"));
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    files.map(name).collect()
}

fn with_input(command: &mut Command, input: &[u8]) -> common::Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends").into()
}

#[test]
fn directories_are_gone_through_and_links_counted_once() {
    let directory = directory();
    let root = directory.path();
    fs::create_dir_all(root.join("d/e")).expect("directories");
    file(root, "b", 1);
    file(&root.join("d/e"), "a", 1);
    fs::hard_link(root.join("b"), root.join("d/hard")).expect("a link");
    symlink("b", root.join("soft")).expect("a link");
    symlink("..", root.join("d/up")).expect("a link");

    assert_eq!(found(pages().arg(root)), ["b", "a"]);
    let total = json(pages().arg(root))["total"].take();
    assert_eq!(total["skipped"], 3, "{total}");
    assert_eq!(
        found(pages().arg("--hard-links").arg(root)),
        ["b", "a", "hard"]
    );
    // What is named twice is one file.
    assert_eq!(found(pages().args([root.join("b"), root.join("b")])), ["b"]);

    // Links are followed if they are named, or always, or never.
    let soft = root.join("soft");
    assert_eq!(found(pages().arg(&soft)), ["soft"]);
    assert_eq!(found(pages().arg("--no-follow").arg(&soft)), [""; 0]);
    let ran = run(pages().args(["--follow", "-v"]).arg(root));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("d/up: this symbolic link leads back to "),
        "{}",
        ran.err
    );
    assert!(ran.out.contains(": 2 files"), "{}", ran.out);

    symlink("nothing", root.join("dangling")).expect("a link");
    assert_eq!(run(pages().arg(root)).code, Some(0));
    let ran = run(pages().arg(root.join("dangling")));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.ends_with("dangling: No such file or directory\n"),
        "{}",
        ran.err
    );
}

#[test]
fn a_directory_may_be_named_by_a_link() {
    let directory = directory();
    fs::create_dir(directory.path().join("d")).expect("a directory");
    file(&directory.path().join("d"), "a", 1);
    let link = directory.path().join("link");
    symlink("d", &link).expect("a link");
    let all = json(pages().arg(&link));
    assert_eq!(all["total"]["files"], 1, "{all}");
    assert_eq!(all["total"]["skipped"], 0, "{all}");
    assert_eq!(found(pages().arg("--no-follow").arg(&link)), [""; 0]);
}

#[test]
fn patterns_and_sizes_leave_files_out() {
    let directory = directory();
    let root = directory.path();
    fs::create_dir_all(root.join("target/x")).expect("directories");
    for name in ["a.rs", "b.txt", "target/c.rs", "target/x/d.rs"] {
        file(root, name, 0);
    }
    file(root, "large.rs", 100);
    let found = |options: &[&str]| found(pages().args(options).arg(root));
    assert_eq!(
        found(&["--ignore", "target"]),
        ["a.rs", "b.txt", "large.rs"]
    );
    assert_eq!(found(&["-i", "*.rs"]), ["b.txt"]);
    assert_eq!(found(&["--only", "*.txt", "-I", "a*"]), ["a.rs", "b.txt"]);
    assert_eq!(found(&["--only", "**/target/*.rs"]), ["c.rs"]);
    assert_eq!(
        found(&["--max-size", "1K", "-I", "*.rs"]),
        ["a.rs", "c.rs", "d.rs"]
    );
    assert_eq!(found(&["--one-file-system", "-i", "target"]).len(), 3);
    let ran = run(pages().args(["--ignore", "["]).arg(root));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("`[` is not a pattern"), "{}", ran.err);
}

#[test]
fn another_file_system_is_not_entered() {
    let device = |path: &str| fs::metadata(path).map(|metadata| metadata.dev()).ok();
    let apart = device("/dev/shm").is_some() && device("/dev") != device("/dev/shm");
    let file = tempfile::Builder::new()
        .prefix("pages-")
        .tempfile_in("/dev/shm");
    let Some(file) = file.ok().filter(|_| apart) else {
        tests::skip(
            "one file system",
            "/dev/shm is not one below another's directory",
        );
        return;
    };
    let name = file
        .path()
        .file_name()
        .expect("a name")
        .to_str()
        .expect("text");
    let below = |options: &[&str]| found(pages().args(options).args(["-I", name, "/dev"]));
    assert_eq!(below(&[]), [name]);
    assert_eq!(below(&["--one-file-system"]), [""; 0]);
    // Leaving it out by its name too does not leave out its neighbours.
    let directory = directory();
    common::file(directory.path(), "z", 1);
    symlink("/dev/shm", directory.path().join("elsewhere")).expect("a link");
    let found = found(
        pages()
            .args(["-fF", "-i", "elsewhere"])
            .arg(directory.path()),
    );
    assert_eq!(found, ["z"]);
}

#[test]
fn names_come_from_a_list() {
    let directory = directory();
    let root = directory.path();
    let names = ["a", "b c", "new\nline"];
    let paths: Vec<PathBuf> = names.iter().map(|name| file(root, name, 0)).collect();
    let list = |end: &[u8]| {
        let bytes = paths
            .iter()
            .map(|path| [path.as_os_str().as_bytes(), end].concat());
        bytes.collect::<Vec<_>>().concat()
    };
    let ran = with_input(pages().args(["-0v", "--files-from", "-"]), &list(b"\0"));
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
    assert_eq!(ran.out.lines().count(), 4, "{}", ran.out);
    assert!(ran.out.contains("new\\nline"), "{}", ran.out);
    // As lines, one of them becomes two names, of files that do not exist.
    let ran = with_input(pages().args(["-b", "-"]), &list(b"\n"));
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
    let listed = root.join("list");
    fs::write(&listed, list(b"\0")).expect("a list");
    let out = good(pages().args(["-0", "-b"]).args([&listed, &listed]));
    assert_eq!(
        out.lines().count(),
        5,
        "the list itself, three names, a sum: {out}"
    );

    let ran = run(pages().args(["-b", "/no/such/list"]));
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.err, "pages: /no/such/list: No such file or directory\n");
}

#[test]
fn names_of_any_bytes_come_back() {
    let directory = directory();
    let bytes = b"\xff\xfe \x1b[2J\n\\";
    let path = directory.path().join(OsStr::from_bytes(bytes));
    if File::create(&path).is_err() {
        tests::skip("names that are not UTF-8", "this file system has none");
        return;
    }
    let shown = json_of(&path, &[]);
    let whole = path.as_os_str().as_bytes();
    let encoded = shown["path_base64"].as_str().expect("the bytes");
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded);
    assert_eq!(decoded.expect("Base64"), whole);
    assert!(shown["path"].as_str().expect("a text").contains('\u{fffd}'));
    let out = good(pages().arg(&path));
    assert!(out.ends_with("/\\xff\\xfe \\u{1b}[2J\\n\\\\\n"), "{out}");
    let plain = file(directory.path(), "plain", 0);
    assert_eq!(json_of(&plain, &[]).get("path_base64"), None);
}

#[test]
fn what_is_no_file_is_neither_opened_nor_waited_for() {
    let directory = directory();
    let root = directory.path();
    let path = file(root, "file", 3);
    let pipe = root.join("pipe");
    tests::make_pipe(&pipe);
    let socket = root.join("socket");
    let _listener = UnixListener::bind(&socket);
    let missing = root.join("missing");
    let beyond = path.join("beyond");
    let named = [
        Path::new("/dev/zero"),
        &missing,
        &pipe,
        &socket,
        &beyond,
        &path,
    ];
    let ran = run(pages().args(named));
    assert_eq!(ran.code, Some(1));
    let only = "; only regular files and directories can be looked at";
    let expected = [
        format!("pages: /dev/zero: this is a character device{only}"),
        format!("pages: {}: No such file or directory", missing.display()),
        format!("pages: {}: this is a named pipe{only}", pipe.display()),
        format!("pages: {}: this is a socket{only}", socket.display()),
        format!("pages: {}: Not a directory", beyond.display()),
    ];
    let lines: Vec<&str> = ran.err.lines().collect();
    if socket.exists() {
        assert_eq!(lines, expected);
    }
    let text = ran.out;
    assert!(
        text.lines()
            .next()
            .is_some_and(|line| line.contains("/file")),
        "{text}"
    );
    assert!(text.contains("  total: 1 file, "), "{text}");
    assert!(
        text.contains(&format!(", {} failed, ", lines.len())),
        "{text}"
    );

    // In a directory, they are left out.
    let all = json(pages().arg(root));
    assert_eq!(
        (&all["total"]["files"], &all["total"]["failed"]),
        (&value!(1), &value!(0))
    );
    // Errors have entries.
    let all = json(pages().args([&missing, &path]));
    assert_eq!(all["files"][0]["error"], "No such file or directory");
    assert_eq!(all["files"][1]["pages"], 4);
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_done() {
    let directory = directory();
    let root = directory.path();
    fs::create_dir(root.join("closed")).expect("a directory");
    let path = file(root, "file", 1);
    file(root, "other", 1);
    for (path, mode) in [(&path, 0o000), (&root.join("closed"), 0o000)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    }
    let ran = run(pages().arg(root));
    fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o700)).expect("access");
    if is_root() {
        // Root may read everything.
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        return;
    }
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("/closed: Permission denied\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("/file: Permission denied\n"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains(": 1 file"), "{}", ran.out);
}

#[test]
fn there_may_be_more_files_than_descriptors() {
    let directory = directory();
    for number in 0..300 {
        File::create(directory.path().join(number.to_string())).expect("a file");
    }
    let names: Vec<_> = fs::read_dir(directory.path())
        .expect("the directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let mut few = Command::new("sh");
    let program = pages();
    let script = "ulimit -n 20 && exec \"$0\" \"$@\"";
    few.args(["-c", script])
        .arg(program.get_program())
        .args(program.get_args());
    if !Command::new("sh")
        .args(["-c", "exit 0"])
        .status()
        .is_ok_and(|status| status.success())
    {
        tests::skip("few descriptors", "there is no shell");
        return;
    }
    let out = good(few.env("LANG", "C").args(&names));
    assert_eq!(out.lines().count(), 301);
    assert!(out.contains("total: 300 files"), "{out}");
}
