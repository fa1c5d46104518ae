//! Makes a key of random bytes in protected memory, prints how that memory is protected, and signs
//! standard input with the key.
//!
//! (The signature only shows how a key is used. It is not fit for real use.)

use std::fs::File;
use std::io::{self, Read};

use unix_memory::secret::{Protections, SecretOptions};

/// A number for `message` that only the key can produce.
fn sign(key: &[u8], message: &[u8]) -> u64 {
    let mixed = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let once = |hash, bytes: &[u8]| bytes.iter().fold(hash, mixed);
    once(once(once(0xcbf2_9ce4_8422_2325, key), message), key)
}

fn main() -> io::Result<()> {
    // The strongest memory that there is here; without a lock where none is allowed.
    let options = SecretOptions::new()
        .secret_memory(true)
        .optional(Protections::LOCKED | Protections::SECRET_MEMORY);
    let mut key = options.zeroed(32)?;

    // Read in place: no copy of it is anywhere else.
    let mut random = File::open("/dev/urandom")?;
    key.with_mut(|bytes| random.read_exact(bytes))??;

    println!("a key of {} bytes", key.len());
    for (name, protection) in Protections::all().iter_names() {
        let had = key.protections().contains(protection);
        println!(
            "{:>16}: {}",
            name.to_lowercase(),
            if had { "yes" } else { "no" }
        );
    }

    let mut message = Vec::new();
    io::stdin().read_to_end(&mut message)?;
    // Open to be read while the guard lives.
    let signature = sign(&key.borrow()?, &message);
    println!("{} bytes signed: {signature:016x}", message.len());

    // A second key of the same bytes, compared in constant time.
    let copy = key.try_clone()?;
    println!("its copy is equal: {}", copy.ct_eq(&key.borrow()?)?);
    Ok(())
}
