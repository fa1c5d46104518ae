//! What is only written, or only executed, is not read.

use unix_memory::{ExecuteOnly, Mapping, WriteOnly};

fn main() {
    let mut written = Mapping::anonymous(100).unwrap().protect(WriteOnly).unwrap();
    let _byte = written[0];
    written[0] = 1;
    let _bytes: &mut [u8] = written.as_mut();
    let executed = written.protect(ExecuteOnly).unwrap();
    let _bytes: &[u8] = executed.as_ref();
}
