//! Pages kept in memory: by guards over a mapping, over all of the process, by a mapping that is locked
//! as long as it lives, and by a mapping's own methods.

mod beside;
pub mod guard;
pub mod locked;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod on_fault;
pub mod process;
