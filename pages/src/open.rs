//! Opening files: only regular ones, since opening others may block, or have an effect.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::kernel;

/// Opens a regular file for inspection, and returns its metadata. The caller has seen that it is
/// regular. If it has become something else since, opening it does not block; if it has become a
/// symbolic link, that is followed only if `follow` is set.
pub fn open(path: &Path, follow: bool) -> io::Result<(File, Metadata)> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, !follow);
    let open = |flags: OFlags| {
        let flags = custom(flags)?;
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    let file = match open(flags | kernel::OPEN) {
        // Only the owner may use NOATIME.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => open(flags),
        result => result,
    };
    let file = match file {
        // (FreeBSD reports EMLINK.)
        Err(error)
            if !follow && matches!(error.raw_os_error(), Some(libc::ELOOP | libc::EMLINK)) =>
        {
            return Err(io::Error::new(
                error.kind(),
                "it has become a symbolic link",
            ));
        }
        result => result?,
    };
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(not_regular(metadata.file_type()))
    }
}

/// Flags as `custom_flags` takes them.
pub fn custom(flags: OFlags) -> io::Result<i32> {
    i32::try_from(flags.bits()).map_err(io::Error::other)
}

/// The error for something that has no pages to look at.
pub fn not_regular(file_type: FileType) -> io::Error {
    let what = if file_type.is_fifo() {
        "a named pipe"
    } else if file_type.is_socket() {
        "a socket"
    } else if file_type.is_char_device() {
        "a character device"
    } else if file_type.is_block_device() {
        "a block device"
    } else if file_type.is_dir() {
        "a directory"
    } else {
        "of an unknown kind"
    };
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("this is {what}; only regular files and directories can be looked at"),
    )
}

/// What an error says, without its number.
pub fn message(error: &io::Error) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.rfind(" (os error ").filter(|_| text.ends_with(')')) {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_has_come_instead_is_not_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        ::tests::make_pipe(&pipe);
        let error = open(&pipe, false).expect_err("it is not regular");
        assert!(error.to_string().contains("a named pipe"), "{error}");
    }

    #[test]
    fn a_link_that_has_come_instead_is_not_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        File::create(&file).expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let error = open(&link, false).expect_err("it is a link");
        assert!(error.to_string().contains("a symbolic link"), "{error}");
        let (_file, metadata) = open(&link, true).expect("it leads to a file");
        assert!(metadata.is_file());
    }

    #[test]
    fn errors_have_no_numbers() {
        let error = io::Error::from_raw_os_error(libc::ENOENT);
        assert_eq!(message(&error), "No such file or directory");
        assert_eq!(message(&io::Error::other("a (b)")), "a (b)");
    }
}
