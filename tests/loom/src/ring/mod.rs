//! The ends of a ring.

#[path = "../../../../unix-memory/src/ring/end.rs"]
pub mod end;
pub mod memory;
