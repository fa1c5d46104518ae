//! What differs between architectures: the only place that asks which one it is.

mod alias;

pub use alias::alias_distance;
