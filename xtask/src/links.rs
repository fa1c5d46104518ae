//! Checks the links between the repository's Markdown files: each must lead to an existing file, and, if it
//! names a heading, to one that the file has. (Rustdoc checks links to items; links to other hosts are not
//! checked.)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Result;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use walkdir::{DirEntry, WalkDir};

use crate::process::root;

/// The faults in the repository's links, and the number of links.
pub fn faults() -> Result<(Vec<String>, usize)> {
    faults_below(root())
}

fn faults_below(root: &Path) -> Result<(Vec<String>, usize)> {
    let mut pages = BTreeMap::new();
    for entry in WalkDir::new(root).into_iter().filter_entry(is_ours) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|end| end == "md") && !path.is_symlink() {
            pages.insert(path.canonicalize()?, page(&fs::read_to_string(&path)?));
        }
    }
    let (mut faults, mut count) = (Vec::new(), 0);
    for (path, page) in &pages {
        let directory = path.parent().unwrap_or(root);
        for link in page.links.iter().filter(|link| is_to_a_file(link)) {
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let there = if file.is_empty() {
                Ok(path.clone())
            } else {
                directory.join(file).canonicalize()
            };
            let is_good = there.is_ok_and(|there| {
                let headings = pages.get(&there).map(|page| &page.headings);
                heading.is_empty() || headings.is_some_and(|headings| headings.contains(heading))
            });
            if !is_good {
                let name = path.strip_prefix(root.canonicalize()?)?.display();
                faults.push(format!("{name}: nothing is at {link}"));
            }
        }
    }
    Ok((faults, count))
}

/// Whether a directory entry may have the project's Markdown files below it.
fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_hidden = name.starts_with('.') && name != ".github";
    entry.depth() == 0 || !(is_hidden || entry.file_type().is_dir() && name == "target")
}

/// Whether a link leads to a file of the repository, rather than to another host, or to an item, which
/// rustdoc resolves.
fn is_to_a_file(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:") && !link.contains("::")
}

/// A Markdown file.
#[derive(Default, Debug, PartialEq)]
struct Page {
    /// Where its links and pictures lead.
    links: Vec<String>,
    /// The names by which links refer to its headings.
    headings: BTreeSet<String>,
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                page.headings.extend(heading.take().map(|text| name(&text)));
            }
            _ => {}
        }
    }
    page
}

/// The anchor that GitHub and rustdoc give a heading.
fn name(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_headings_are_read() {
        let text = "# What `a` is, and *not*\n[x](y.md) ![p](q.svg)\n```\n[no](code.md)\n```\n\
                    |a|\n|-|\n|[t](u#v)|\n";
        let expected = Page {
            links: ["y.md", "q.svg", "u#v"].map(str::to_owned).to_vec(),
            headings: ["what-a-is-and-not".to_owned()].into(),
        };
        assert_eq!(page(text), expected);
    }

    #[test]
    fn a_link_to_nothing_is_a_fault() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "a.md",
            "[b](c/b.md#here) [c](c) [h](https://x.y/z) [i](m::I)",
        );
        write("c/b.md", "# Here\n[up](../a.md) [self](#here)");
        write("target/t.md", "[not ours](nowhere)");
        let (faults, count) = faults_below(directory.path()).unwrap();
        assert_eq!((faults.len(), count), (0, 4), "{faults:?}");

        write("a.md", "[b](c/b.md#there) [c](d) [e](#f)");
        let (faults, _) = faults_below(directory.path()).unwrap();
        let expected = ["c/b.md#there", "d", "#f"];
        assert_eq!(
            faults,
            expected.map(|link| format!("a.md: nothing is at {link}"))
        );
    }
}
