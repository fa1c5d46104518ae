//! Bytes of a secret are not kept beyond the time that it is open, nor beyond the secret.

use unix_memory::secret::Secret;

fn main() {
    let secret = Secret::zeroed(32).unwrap();
    let reader = secret.borrow().unwrap();
    drop(secret);
    println!("{}", reader.len());

    let mut secret = Secret::zeroed(32).unwrap();
    let writer = secret.borrow_mut().unwrap();
    println!("{}", secret.borrow().unwrap().len());
    drop(writer);

    let slice = {
        let reader = secret.borrow().unwrap();
        &reader[..]
    };
    println!("{slice:?}");
    let _slice = secret.with(|bytes| bytes).unwrap();
    let _slice = secret.with_mut(|bytes| bytes).unwrap();
}
