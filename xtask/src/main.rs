//! Checks that one person can run on one machine.
fn main() {}
