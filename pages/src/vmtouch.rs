//! Options of vmtouch that this program does not have: the error says what to use instead.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Adds what to use instead to an error about an option that only vmtouch has.
pub fn explain(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if let Some(tip) = instead(option) {
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

fn instead(option: &str) -> Option<&'static str> {
    match option {
        "-d" => Some(
            "to run in the background, end the command with `&`, or run it as a service; the --pid-file is \
             written once all files are locked",
        ),
        "-w" => Some("to wait until all files are locked, wait until the --pid-file has content"),
        "-o" => Some("for output that other programs read, use --json"),
        _ => None,
    }
}
