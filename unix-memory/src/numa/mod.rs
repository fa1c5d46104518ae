//! The nodes that memory comes from and lies on: NUMA, on Linux and Android.

pub mod nodes;
mod place;
pub mod policy;
