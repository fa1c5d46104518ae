//! What is shared by threads.

#[path = "../../../../unix-memory/src/shared/claims/mod.rs"]
pub mod claims;
