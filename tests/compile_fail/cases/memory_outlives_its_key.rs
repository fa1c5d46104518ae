//! A key is not given back while memory has it.

use unix_memory::{Mapping, ProtectionKey};

fn main() {
    let key = ProtectionKey::new().unwrap();
    let keyed = key.protect(Mapping::anonymous(100).unwrap()).unwrap();
    drop(key);
    println!("{}", keyed.len());
}
