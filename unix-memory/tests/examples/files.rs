//! Examples that work on files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;

use tempfile::{NamedTempFile, TempDir};
use unix_memory::page_size;

use crate::{example, run};

/// Whether the kernel's pages are smaller than the emulator's, so that it reports more pages than
/// there are; prints in that case that `check` was skipped.
#[cfg(target_os = "linux")]
fn lacks_own_pages(check: &str) -> bool {
    let page = unix_memory::Mapping::anonymous(page_size()).unwrap();
    let mut pages = vec![0xff_u8; page_size()];
    let address = page.as_ptr().cast_mut().cast();
    // SAFETY: there is room for as many pages as there can be.
    let asked = unsafe { libc::mincore(address, page.len(), pages.as_mut_ptr()) };
    assert_eq!(asked, 0);
    let more = pages[1] != 0xff;
    if more {
        println!("skipped: {check}: an emulator makes each page of several of the kernel's");
    }
    more
}

/// Programs for Linux alone are run by such an emulator.
#[cfg(not(target_os = "linux"))]
fn lacks_own_pages(_: &str) -> bool {
    false
}

#[test]
fn checkpoint_writes_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoint");
    let (ok, out, err) = run(example("checkpoint").arg(&path));
    assert!(ok, "{err}");
    assert_eq!(
        path.metadata().unwrap().len(),
        1000 * u64::try_from(page_size()).unwrap()
    );
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 7, "{out}");
    let written = match lines[0] {
        "tracked by WriteProtect" => 10..=10,
        // The kernel may merge the memory with other memory, all of which is written then.
        "tracked by SoftDirty" => 10..=1000,
        reason => {
            println!("skipped: checkpoints of what changed: {reason}");
            1000..=1000
        }
    };
    for (line, round) in lines[1..6].iter().zip(1..) {
        let pages = line.strip_prefix(&format!("checkpoint {round}: "));
        let pages = pages.and_then(|rest| rest.strip_suffix(" of 1000 pages"));
        let pages = pages.and_then(|pages| pages.parse().ok());
        assert!(pages.is_some_and(|pages| written.contains(&pages)), "{out}");
    }
    assert_eq!(lines[6], "the file has what the memory has: true");
    let (ok, _, err) = run(&mut example("checkpoint"));
    assert!(!ok && err.contains("name the file"), "{err}");
}

#[test]
fn dev_zero_reads_zeros() {
    if lacks_own_pages("mapping a device") {
        return;
    }
    let (ok, out, _) = run(&mut example("dev_zero"));
    assert!(ok);
    assert_eq!(
        out,
        "mapped 4096 bytes of /dev/zero and read them; all zero: true\n"
    );
}

#[test]
fn the_lines_of_files_are_counted() {
    let file = file_of(b"one\ntwo\nthree");
    let (ok, out, err) = run(example("file_bytes").arg(file.path()).arg("-"));
    assert!(ok, "{err}");
    let path = file.path().display();
    assert_eq!(
        out,
        format!("{path}: 2 lines, 13 bytes, read\n-: 0 lines, 0 bytes, read\n")
    );
    let (ok, out, err) = run(example("file_bytes").arg("/no such file"));
    assert!(
        !ok && out.is_empty() && err.contains("No such file"),
        "{err}"
    );
}

fn file_of(bytes: &[u8]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    file.as_file().write_all(bytes).unwrap();
    file
}

/// More than one window of 16 MiB, and not whole pages; no two of its blocks are equal.
fn large() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0_u32..4200 {
        bytes.extend_from_slice(&number.to_le_bytes().repeat(1024));
    }
    bytes.truncate(bytes.len() - 3);
    bytes
}

#[test]
fn a_file_is_copied() {
    let directory = TempDir::new().unwrap();
    let to = directory.path().join("to");
    for content in [large(), Vec::new()] {
        let from = file_of(&content);
        let (ok, out, err) = run(example("copy").arg(from.path()).arg(&to));
        assert!(ok, "{err}");
        assert_eq!(out, format!("copied {} bytes\n", content.len()));
        assert_eq!(err, "", "a bar is for a terminal");
        assert!(fs::read(&to).unwrap() == content);
        // Nothing is lost by a second one.
        let (ok, out, err) = run(example("copy").arg("/dev/null").arg(&to));
        assert!(
            !ok && out.is_empty() && err.contains("File exists"),
            "{err}"
        );
        fs::remove_file(&to).unwrap();
    }
    let (ok, _, err) = run(example("copy").arg("one name"));
    assert!(!ok && err.contains("name the file to copy"), "{err}");
}

#[test]
fn what_is_searched_is_found() {
    let file = file_of(b"banana, ananas");
    let search = |text: &str| {
        let (ok, out, err) = run(example("search").arg(text).arg(file.path()));
        assert!(ok, "{err}");
        out
    };
    assert_eq!(search("ana"), "1\n3\n8\n10\nmatches: 4\n");
    assert_eq!(search("banana, ananas"), "0\nmatches: 1\n");
    assert_eq!(search("banana, ananas!"), "matches: 0\n");

    // Across the ends of chunks and windows; the rest of the file is a hole.
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len((64 << 20) + 1000).unwrap();
    let offsets = [0, (256 << 10) - 6, (64 << 20) - 1, (64 << 20) + 1000];
    for offset in offsets {
        file.as_file().write_all_at(b"a needle", offset).unwrap();
    }
    let lines = offsets.map(|offset| offset.to_string()).join("\n");
    let (ok, out, err) = run(example("search").arg("a needle").arg(file.path()));
    assert!(ok, "{err}");
    assert_eq!(out, format!("{lines}\nmatches: 4\n"));
    let (ok, _, err) = run(example("search").arg("").arg(file.path()));
    assert!(!ok && err.contains("is empty"), "{err}");
}

#[test]
fn lines_are_counted_by_many_threads() {
    let content = large();
    let lines = content.split(|&byte| byte == b'\n').count() - 1;
    for (content, lines) in [(&content[..], lines), (&b"one\ntwo"[..], 1), (b"", 0)] {
        let (ok, out, err) = run(example("parallel_scan").arg(file_of(content).path()));
        if err.contains("cannot map the file") {
            println!("skipped: a parallel scan: an emulator does not map the file: {err}");
            return;
        }
        assert!(ok, "{err}");
        assert_eq!(out, format!("{lines} lines, {} bytes\n", content.len()));
    }
    let (ok, _, err) = run(&mut example("parallel_scan"));
    assert!(!ok && err.contains("name a file"), "{err}");
}
