//! What those files use of the library's `os`, and its reader of files of numbers.

pub mod call;
#[path = "../../../../unix-memory/src/os/parts/proc_file.rs"]
pub mod proc_file;
