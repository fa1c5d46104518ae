//! Maps the first 4096 bytes of /dev/zero privately and reads them all.

use unix_memory::{MapOptions, ReadOnly};

fn main() -> std::io::Result<()> {
    let device = std::fs::File::open("/dev/zero")?;
    let mapping = MapOptions::new().len(4096).map_private(&device, ReadOnly)?;
    let zeros = mapping.to_vec()?.iter().filter(|&&byte| byte == 0).count();
    println!(
        "mapped {} bytes of /dev/zero and read them: {zeros} are zero",
        mapping.len()
    );
    Ok(())
}
