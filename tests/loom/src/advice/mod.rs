//! Advice that no system here has.

pub mod unchecked;

pub enum Advice {
    DoFork,
}
