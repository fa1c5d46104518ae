//! Memory under a key is open to one thread.

use unix_memory::{Mapping, ProtectionKey};

fn main() {
    let key = ProtectionKey::new().unwrap();
    let mut keyed = key.protect(Mapping::anonymous(100).unwrap()).unwrap();
    keyed.with(|cells| {
        std::thread::scope(|scope| {
            scope.spawn(|| println!("{}", cells[0].get()));
        });
    });
}
