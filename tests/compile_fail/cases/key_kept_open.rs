//! Memory under a key is not borrowed beyond the time that it is open.

use unix_memory::{Mapping, ProtectionKey};

fn main() {
    let key = ProtectionKey::new().unwrap();
    let mut keyed = key.protect(Mapping::anonymous(100).unwrap()).unwrap();
    let cells = keyed.with(|cells| cells);
    println!("{}", cells.len());
}
