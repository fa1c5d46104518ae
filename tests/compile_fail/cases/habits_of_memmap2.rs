//! What a user of memmap2 types first: the message names what does it here.

use std::fs::File;

use unix_memory::{MapOptions, Mapping, ReadWrite, SharedMapping};

fn digest(_: impl AsRef<[u8]>) {}

fn main() -> std::io::Result<()> {
    let file = File::open("data")?;
    let _mapping = unsafe { MapOptions::new().map(&file)? };
    let _mapping = unsafe { MapOptions::new().map_copy(&file)? };
    let _mapping = unsafe { SharedMapping::map(&file)? };
    let _mapping = Mapping::map_anon(100)?;
    let mapping = MapOptions::new().map_shared(&file, ReadWrite)?;
    let _bytes = &mapping[..];
    digest(&mapping);
    mapping.flush_async()?;
    mapping.make_read_only()?;
    Ok(())
}
