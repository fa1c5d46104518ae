//! Signals that end the work, as messages.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Those that ask a program to end.
pub const ENDING: [c_int; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// From now on, these `signals` are received as messages, and have no other effect. Signals that
/// this process was started to ignore (for example by nohup, or in the background of a script) stay
/// ignored.
pub fn listen(signals: &[c_int]) -> io::Result<Receiver<c_int>> {
    let heard = signals
        .iter()
        .copied()
        .filter(|&signal| !is_ignored(signal));
    let mut signals = Signals::new(heard)?;
    let (sender, receiver) = channel();
    thread::Builder::new().spawn(move || {
        for signal in signals.forever() {
            if sender.send(signal).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no action is given, and there is room for the one that is returned.
    if unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded.
    let action = unsafe { action.assume_init() };
    action.sa_sigaction == libc::SIG_IGN
}

/// Ends silently by SIGPIPE, as other programs do when nobody reads their output.
pub fn end_by_broken_pipe() {
    // If that fails, the exit status reports what happened.
    let _goes_on = emulate_default_handler(SIGPIPE);
}
