//! File systems that tests mount for themselves.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Calls mount(2): mounts `source`, of the given `kind`, at `target`; or, with such flags, changes how what is
/// mounted there is.
///
/// # Errors
/// Those of the call.
///
/// # Panics
/// If a string has a NUL.
pub fn mount(
    source: &str,
    target: &Path,
    kind: &str,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let all = [
        source.as_bytes(),
        target.as_os_str().as_bytes(),
        kind.as_bytes(),
        options.as_bytes(),
    ];
    let [source, target, kind, options] =
        all.map(|text| CString::new(text).expect("no NUL in the middle"));
    let (source, target, kind) = (source.as_ptr(), target.as_ptr(), kind.as_ptr());
    // SAFETY: all of them end in NUL.
    match unsafe { libc::mount(source, target, kind, flags, options.as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Keeps what this process mounts from now on to itself, in a mount namespace that it is in alone.
///
/// # Errors
/// Those of mount(2).
pub fn keep_private() -> io::Result<()> {
    let private = libc::MS_REC | libc::MS_PRIVATE;
    mount("none", Path::new("/"), "", private, "")
}
