//! The examples and the program `pages` that are run, and the output expected of them.

use crate::process::root;

/// An example's name, the arguments to run it with, whether it reports which memory is resident, and a check
/// of its output.
pub type Example = (
    &'static str,
    &'static [&'static str],
    bool,
    fn(&str, usize) -> bool,
);

/// The examples that are run and their output checked, also where there are no processes. Where there are
/// processes, `unix-memory/tests/examples` runs all of them.
pub const EXAMPLES: [Example; 5] = [
    ("/dev_zero", &[], false, |output, _| {
        output == "mapped 4096 bytes of /dev/zero and read them; all zero: true"
    }),
    ("/jit", &[], false, |output, _| {
        // Emscripten runs no machine code.
        ["2 + 3 = 5", "no instructions for wasm32 are here"].contains(&output)
    }),
    ("/file_bytes", &[LOCK_FILE], false, |output, _| {
        let content = std::fs::read_to_string(root().join(LOCK_FILE)).unwrap_or_default();
        let (lines, len) = (content.lines().count(), content.len());
        output == format!("{LOCK_FILE}: {lines} lines, {len} bytes, read")
    }),
    (
        "/search",
        &["[[package]]", LOCK_FILE],
        false,
        |output, _| {
            let content = std::fs::read_to_string(root().join(LOCK_FILE)).unwrap_or_default();
            let count = content.matches("[[package]]").count();
            output.lines().count() == count + 1 && output.ends_with(&format!("matches: {count}"))
        },
    ),
    ("/pages", &["--verbose", LOCK_FILE], true, |output, page| {
        let len = std::fs::metadata(root().join(LOCK_FILE)).map_or(0, |it| it.len());
        shows_pages(output, len.div_ceil(page as u64))
    }),
];

const LOCK_FILE: &str = "Cargo.lock";

/// ` 50%    16K of   36K  Cargo.lock  (4 of 9 pages)`, then a sum.
fn shows_pages(output: &str, count: u64) -> bool {
    let line = output.lines().next().unwrap_or_default();
    let numbers = line.split_once("%  ").and_then(|(percent, rest)| {
        let (_, notes) = rest.split_once("  Cargo.lock  (")?;
        let (resident, rest) = notes.split_once(" of ")?;
        let (pages, _) = rest.split_once(" page")?;
        let number = |text: &str| text.parse::<u64>().ok();
        let percent = percent.trim_start().trim_start_matches('<');
        Some((number(pages)?, number(resident)?, number(percent)?))
    });
    numbers.is_some_and(|(pages, resident, percent)| {
        pages == count && resident <= pages && percent <= 100
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_output_is_read() {
        let good = " 33%   4.0K of   12K  Cargo.lock  (1 of 3 pages)\n 33%  total";
        assert!(shows_pages(good, 3));
        assert!(!shows_pages(good, 1), "of another number of pages");
        for bad in [
            "",
            " 33%   4.0K of   12K  Cargo.lock  (4 of 3 pages)",
            " 33%   4.0K of   12K  Cargo.lock  (x of 3 pages)",
            "101%   4.0K of   12K  Cargo.lock  (1 of 3 pages)",
            "x",
        ] {
            assert!(!shows_pages(bad, 3), "{bad}");
        }
    }
}
