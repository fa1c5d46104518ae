//! The nodes that memory comes from, and on which it is: NUMA, on Linux and Android.

pub mod nodes;
mod place;
pub mod policy;
