//! What is shown about files, compared with what mincore reports.

mod common;

use std::fs::File;
use std::os::unix::fs::FileExt;

use common::{
    directory, file, good, json, json_of, lacks_pages, number, pages, resident, run, runs,
};
use serde_json::{Value, json as value};
use unix_memory::page_size;

#[test]
fn what_is_read_is_in_memory_as_the_kernel_says() {
    if lacks_pages("the pages of a file") || tests::lacks::advice("evicting a file") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 999);
    let evicted = json_of(&path, &["--evict"]);
    assert_eq!(evicted["size"], 999 * page_size() + 1);
    assert_eq!(evicted["pages"], 1000);
    assert_eq!(evicted["resident_runs"], runs(&resident(&path)));

    // Reading one page brings it in, and some after it.
    File::open(&path)
        .and_then(|file| file.read_at(&mut [0], 500 * page_size() as u64))
        .expect("it is read");
    let read = json_of(&path, &[]);
    let account = resident(&path);
    assert!(account[500] && !account.iter().all(|&page| page), "{read}");
    assert_eq!(read["resident_runs"], runs(&account));
    let resident = account.iter().filter(|&&page| page).count();
    assert_eq!(read["resident"], resident);
    assert_eq!(read["resident_bytes"], resident * page_size());

    // Only one byte of the last page belongs to the file.
    let loaded = json_of(&path, &["--load"]);
    assert_eq!(loaded["resident_runs"], value!([[0, 1000]]));
    assert_eq!(loaded["resident_bytes"], 999 * page_size() + 1);
}

#[test]
fn a_range_is_looked_at_alone() {
    if lacks_pages("the pages of a file") || tests::lacks::advice("evicting a file") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 100);
    let page = page_size();
    json_of(&path, &["--evict"]);
    let range = format!("{}-{}", 10 * page, 20 * page);
    let part = json_of(&path, &["--load", "--range", &range]);
    assert_eq!(part["range"], value!([10 * page, 20 * page]));
    assert_eq!(
        (&part["pages"], &part["resident"]),
        (&value!(10), &value!(10))
    );
    assert_eq!(part["resident_runs"], value!([[10, 10]]));
    assert!(resident(&path)[10..20].iter().all(|&page| page));

    // A byte of a page selects that page, but counts as one byte of the range.
    let inside = format!("{}-{}", 10 * page + 1, 11 * page + 1);
    let inside = json_of(&path, &["--range", &inside]);
    assert_eq!(
        (&inside["pages"], &inside["resident_bytes"]),
        (&value!(2), &value!(page))
    );

    // Pages that have bytes outside of the range are not evicted.
    // (The kernel may keep what was read in large pages, which are evicted as a whole.)
    let path = file(directory.path(), "written", 100);
    File::open(&path)
        .and_then(|file| file.sync_all())
        .expect("it is written");
    let range = format!("{}-{}", 10 * page + 1, 20 * page - 1);
    json_of(&path, &["--evict", "--range", &range]);
    let left = resident(&path);
    assert!(left[10] && left[19] && !left[11..19].iter().any(|&page| page));
    let beyond = json_of(&path, &["--range", "1G-"]);
    assert_eq!(
        (&beyond["pages"], &beyond["resident_runs"]),
        (&value!(0), &value!([]))
    );
    let text = good(pages().args(["--range", "0-1"]).arg(&path));
    assert!(text.contains("  (part of "), "{text}");
}

#[test]
fn a_sparse_file_takes_no_time() {
    if lacks_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    let path = directory.path().join("sparse");
    // A terabyte where the kernel counts, which then asks about few pages.
    let counts = json_of(&file(directory.path(), "file", 1), &[])
        .get("dirty")
        .is_some();
    let len = match (counts, cfg!(target_pointer_width = "64")) {
        (true, true) => 1_u64 << 40,
        // mincore goes through all of it.
        (false, true) => 4 << 30,
        (_, false) => 256 << 20,
    };
    let sparse = File::create(&path).expect("a file");
    if sparse.set_len(len).is_err() {
        tests::skip("a file of a terabyte", "the file system has none so long");
        return;
    }
    sparse.write_all_at(&[1], len / 3).expect("a byte");
    let shown = json_of(&path, &[]);
    assert_eq!(shown["size"], len);
    assert_eq!(shown["pages"], len.div_ceil(page_size() as u64));
    let there = len / 3 / page_size() as u64;
    let shown: Vec<(u64, u64)> =
        serde_json::from_value(shown["resident_runs"].clone()).expect("runs");
    assert!(
        shown
            .iter()
            .any(|&(first, count)| (first..first + count).contains(&there))
    );
    assert!(shown.iter().all(|run| run.1 < 1024), "{shown:?}");
}

#[test]
fn files_of_nothing() {
    let directory = directory();
    let path = directory.path().join("empty");
    File::create(&path).expect("a file");
    let name = path.display();
    assert_eq!(
        good(pages().arg(&path)),
        format!("   -      0 of     0  {name}\n")
    );
    let out = good(pages().args(["--load", "--quiet"]).arg(&path));
    assert_eq!(out, "");
    if cfg!(target_os = "linux") {
        // They report that they are empty.
        let out = good(pages().arg("/proc/self/status"));
        assert_eq!(out, "   -      0 of     0  /proc/self/status\n");
    }
}

#[test]
fn what_is_not_yet_written_is_dirty_and_evicted_all_the_same() {
    if lacks_pages("the pages of a file") || tests::lacks::advice("evicting a file") {
        return;
    }
    let directory = directory();
    let path = file(directory.path(), "file", 50);
    let shown = json_of(&path, &[]);
    let Some(dirty) = shown.get("dirty") else {
        tests::skip("dirty pages", "this kernel has no cachestat");
        return;
    };
    assert!(number(dirty) + number(&shown["writeback"]) <= 51, "{shown}");
    let evicted = json_of(&path, &["--evict"]);
    for left in ["dirty", "writeback", "resident"] {
        assert_eq!(evicted[left], 0, "{left}: {evicted}");
    }
    assert!(!resident(&path).contains(&true));
}

#[test]
fn totals_are_sums() {
    if lacks_pages("the pages of a file") {
        return;
    }
    let directory = directory();
    for (name, pages) in [("a", 3), ("b", 0), ("c", 40)] {
        file(directory.path(), name, pages);
    }
    let all = json(pages().arg(directory.path()));
    let files = all["files"].as_array().expect("files");
    assert_eq!(all["page_size"], page_size());
    let total = &all["total"];
    assert_eq!(
        (&total["files"], &total["failed"]),
        (&value!(3), &value!(0))
    );
    for of in ["bytes", "pages", "resident", "resident_bytes"] {
        let sum: u64 = files.iter().map(|file| number(&file[of])).sum();
        assert_eq!(total[of], sum, "{of}");
    }
    assert!(total["seconds"].as_f64().expect("a time") < 100.0);

    let text = good(pages().arg("--verbose").arg(directory.path()));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].contains("/a  (4 of 4 pages"), "{text}");
    let total = lines[3];
    assert!(
        total.starts_with("100%  ") && total.ends_with(" s"),
        "{text}"
    );
    assert!(
        total.contains("  total: 3 files, 46 of 46 pages, "),
        "{text}"
    );
    // Without it, only the directory: one line, which needs no total.
    let text = good(pages().arg(directory.path()));
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn others_files_are_not_shown_and_not_guessed() {
    // To processes of other users, Linux reports each page as in memory.
    let path = "/etc/passwd";
    let ran = run(pages().arg(path));
    let shown = ran.code == Some(0);
    if cfg!(target_os = "linux") && !common::is_root() {
        assert!(
            !shown && ran.err.contains("only to the file's owner"),
            "{}",
            ran.err
        );
        let all: Value = json(pages().arg(path));
        assert_eq!(all["total"]["failed"], 1);
    } else {
        assert!(shown, "{}", ran.err);
    }
}

#[test]
fn what_is_done_with_files_of_others_is_not_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    if !cfg!(target_os = "linux") {
        return tests::skip("files of others", "this system shows them");
    }
    let directory = directory();
    let mut path = file(directory.path(), "file", 1);
    let command = |options: &[&str], path: &std::path::Path| {
        let mut command = pages();
        command.args(options).arg(path);
        if common::is_root() {
            command.uid(65534);
        }
        command
    };
    if common::is_root() {
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        if let Err(error) = command(&[], &path).output() {
            return tests::skip("files of others", &format!("another user: {error}"));
        }
    } else {
        path = "/etc/passwd".into();
    }
    let refused = run(&mut command(&[], &path));
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    if !refused.err.contains("only to the file's owner") {
        return tests::skip("files of others", &refused.err);
    }
    let ran = run(&mut command(&["--load"], &path));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let expected = format!("pages: {}: done, but the kernel shows", path.display());
    assert!(ran.err.starts_with(&expected), "{}", ran.err);
    assert!(
        ran.out
            .contains("total: 1 file, 0 of 0 pages, 1 not shown, "),
        "{}",
        ran.out
    );
    let all = json(&mut command(&["--load"], &path));
    let expected = value!({ "files": 1, "failed": 0, "hidden": 1, "skipped": 0 });
    for (name, number) in expected.as_object().expect("an object") {
        assert_eq!(all["total"][name], *number, "{name}");
    }
    let text = all["files"][0]["hidden"].as_str().expect("a reason");
    assert!(text.contains("only to the file's owner"), "{text}");
}

/// In its own user namespace, a process seems to be root, but does not own the files of others.
#[test]
fn root_of_a_user_namespace_is_not_shown_files_of_others() {
    let what = "root of a user namespace";
    if !cfg!(target_os = "linux") || tests::lacks::own_process(what) {
        return;
    }
    let mut command = std::process::Command::new("unshare");
    command.arg("-r");
    let mut owner = "/etc/passwd".to_owned();
    let directory = directory();
    if common::is_root() {
        // The namespace has only this user, and the file belongs to another.
        let path = file(directory.path(), "file", 1);
        std::os::unix::fs::chown(&path, Some(65534), Some(65534)).expect("root may");
        owner = path.to_str().expect("UTF-8").to_owned();
    }
    let program = pages();
    command
        .arg(program.get_program())
        .arg(&owner)
        .env("LANG", "C");
    let Ok(output) = command.output() else {
        return tests::skip(what, "there is no unshare");
    };
    let ran = common::Ran::from(output);
    if ran.err.starts_with("unshare:") {
        return tests::skip(what, &ran.err);
    }
    assert_eq!(ran.code, Some(1), "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("only to the file's owner"), "{}", ran.err);
}
