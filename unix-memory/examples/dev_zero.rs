//! Maps the first 4096 bytes of /dev/zero privately and reads them all.

use unix_memory::{MapOptions, ReadOnly};

fn main() -> std::io::Result<()> {
    let device = std::fs::File::open("/dev/zero")?;
    let bytes = MapOptions::new()
        .len(4096)
        .map_private(&device, ReadOnly)?
        .to_vec()?;
    let all_zero = bytes.iter().all(|&byte| byte == 0);
    println!(
        "mapped {} bytes of /dev/zero and read them; all zero: {all_zero}",
        bytes.len()
    );
    Ok(())
}
