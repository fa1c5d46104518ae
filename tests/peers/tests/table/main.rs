//! The table of what other crates can do with mappings names all of it, and what is here exists.

mod names;

#[test]
fn dump() {
    let home = "/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/";
    for (peer, files) in [
        ("memmap2-0.9.12", &["src/lib.rs", "src/advice.rs"][..]),
        (
            "region-3.0.2",
            &[
                "src/lib.rs",
                "src/alloc.rs",
                "src/error.rs",
                "src/lock.rs",
                "src/page.rs",
                "src/protect.rs",
                "src/query.rs",
            ],
        ),
        ("nix-0.30.1", &["src/sys/mman.rs", "src/sys/memfd.rs"]),
        (
            "rustix-1.1.6",
            &[
                "src/mm/madvise.rs",
                "src/mm/mmap.rs",
                "src/mm/msync.rs",
                "src/mm/userfaultfd.rs",
                "src/backend/libc/mm/types.rs",
                "src/backend/linux_raw/mm/types.rs",
            ],
        ),
        (
            "mmap-rs-0.6.1",
            &["src/lib.rs", "src/areas.rs", "src/error.rs", "src/mmap.rs"],
        ),
    ] {
        let sources: Vec<_> = files
            .iter()
            .map(|f| std::fs::read_to_string(format!("{home}{peer}/{f}")).unwrap())
            .collect();
        let names = names::names(sources.iter().map(|s| s.as_str()));
        println!("== {peer} {}", names.len());
        for n in names {
            println!("{n}");
        }
    }
}
#[test]
fn dump2() {
    fn walk(d: &std::path::Path, out: &mut Vec<String>) {
        for e in std::fs::read_dir(d).unwrap() {
            let p = e.unwrap().path();
            if p.is_dir() {
                walk(&p, out)
            } else if p.extension().is_some_and(|e| e == "rs") {
                out.push(std::fs::read_to_string(p).unwrap())
            }
        }
    }
    let mut v = vec![];
    walk(std::path::Path::new("../../unix-memory/src"), &mut v);
    for n in names::names(v.iter().map(|s| s.as_str())) {
        println!("{n}");
    }
}
