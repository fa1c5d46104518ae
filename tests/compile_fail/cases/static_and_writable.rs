//! What can be written is not borrowed forever and written as well.

use unix_memory::Mapping;

fn main() {
    let permanent = Mapping::anonymous(100).unwrap().seal().unwrap();
    let bytes = permanent.as_static();
    println!("{bytes:?}");
}
