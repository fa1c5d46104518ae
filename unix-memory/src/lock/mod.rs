//! Pages kept in memory: by guards over a mapping, over all of the process, and by a mapping that
//! is locked as long as it lives.

pub mod guard;
pub mod locked;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod on_fault;
pub mod process;
