//! The library's parsers.

#[path = "../../../../unix-memory/src/process_map/region.rs"]
pub mod region;
#[path = "../../../../unix-memory/src/process_map/smap.rs"]
pub mod smap;
#[path = "../../../../unix-memory/src/process_map/text.rs"]
pub mod text;
#[path = "../../../../unix-memory/src/process_map/usage.rs"]
mod usage;
#[path = "../../../../unix-memory/src/process_map/vm_flags.rs"]
mod vm_flags;

pub use region::{Region, Sharing};
