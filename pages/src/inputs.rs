//! The given names: on the command line, and in a list.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, stdin};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::escape;
use crate::options::Options;
use crate::report::about;

/// How long to wait for a name of a list before asking `stopped` again.
const PATIENCE: Duration = Duration::from_millis(100);

/// The names one after another, those of a list as they arrive, until `stopped` returns `true`.
///
/// # Errors
/// For each name: the errors of reading the list.
pub fn names(
    options: &Options,
    stopped: &dyn Fn() -> bool,
) -> io::Result<impl Iterator<Item = io::Result<PathBuf>>> {
    let mut named = options.files.clone().into_iter();
    // A thread of its own reads the list, since that may wait for another program.
    let (sender, listed) = sync_channel(64);
    if let Some(list) = options.files_from.clone() {
        let end = if options.null { 0 } else { b'\n' };
        thread::Builder::new().spawn(move || {
            if let Err(error) = read(&list, end, &sender) {
                let _nobody_waits = sender.send(Err(error));
            }
        })?;
    } else {
        drop(sender);
    }
    let next = move || {
        while !stopped() {
            if let Some(name) = named.next() {
                return Some(Ok(name));
            }
            match listed.recv_timeout(PATIENCE) {
                Ok(name) => return Some(name),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        None
    };
    Ok(std::iter::from_fn(next))
}

/// Sends each name of a list, until nobody receives them.
fn read(list: &Path, end: u8, sender: &SyncSender<io::Result<PathBuf>>) -> io::Result<()> {
    let name = if list == Path::new("-") {
        "standard input".to_owned()
    } else {
        escape::name(list)
    };
    let named = |error| about(&name, &error);
    let reader: Box<dyn Read> = if list == Path::new("-") {
        Box::new(stdin())
    } else {
        Box::new(File::open(list).map_err(named)?)
    };
    for name in BufReader::new(reader).split(end) {
        let name = name.map_err(named)?;
        // (An empty line is not a name.)
        let is_name = !name.is_empty();
        if is_name && sender.send(Ok(OsString::from_vec(name).into())).is_err() {
            break;
        }
    }
    Ok(())
}
