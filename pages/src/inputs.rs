//! The names that are given: on the command line, and in a list.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, stdin};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::escape;
use crate::options::Options;
use crate::report::about;

/// The names one after the other, those of a list as they come.
///
/// # Errors
/// Of each name: those of reading the list.
pub fn names(options: &Options) -> io::Result<impl Iterator<Item = io::Result<PathBuf>>> {
    let named = options.files.clone().into_iter().map(Ok);
    let listed = match &options.files_from {
        Some(list) => Some(listed(list, if options.null { 0 } else { b'\n' })?),
        None => None,
    };
    Ok(named.chain(listed.into_iter().flatten()))
}

fn listed(list: &Path, end: u8) -> io::Result<impl Iterator<Item = io::Result<PathBuf>> + use<>> {
    let (name, mut reader): (String, Box<dyn BufRead>) = if list == Path::new("-") {
        ("standard input".to_owned(), Box::new(stdin().lock()))
    } else {
        let name = escape::name(list);
        let file = File::open(list).map_err(|error| about(&name, &error))?;
        (name, Box::new(BufReader::new(file)))
    };
    let mut is_over = false;
    let next = move || {
        while !is_over {
            let mut bytes = Vec::new();
            match reader.read_until(end, &mut bytes) {
                Ok(0) => is_over = true,
                Ok(_) => {
                    if bytes.last() == Some(&end) {
                        bytes.pop();
                    }
                    // Nothing has no name.
                    if !bytes.is_empty() {
                        return Some(Ok(PathBuf::from(OsString::from_vec(bytes))));
                    }
                }
                Err(error) => {
                    is_over = true;
                    return Some(Err(about(&name, &error)));
                }
            }
        }
        None
    };
    Ok(std::iter::from_fn(next))
}
