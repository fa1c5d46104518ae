#![doc = include_str!("../../docs/peers.md")]

#[allow(unused_imports, reason = "the table links to all of it")]
use crate::*;
