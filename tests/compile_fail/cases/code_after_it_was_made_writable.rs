//! Code is executable, or it is writable.

use unix_memory::code::CodeBuffer;

fn main() {
    let mut buffer = CodeBuffer::new(100).unwrap();
    let bytes = &mut buffer[..];
    let code = buffer.into_executable().unwrap();
    bytes[0] = 1;
    let _buffer = code.into_writable().unwrap();
    let _address = code.entry(0).unwrap();
}
