//! A slice of plain data is a borrow like any other, and an exclusive one where it may be written.

use unix_memory::Mapping;

fn main() {
    let mut mapping = Mapping::anonymous(100).unwrap();
    let view = mapping.view::<u32>(..).unwrap();
    mapping.resize(200).unwrap();
    println!("{view:?}");
    let view = mapping.view_mut::<u32>(..).unwrap();
    println!("{}", mapping[0]);
    view[0] = 1;
}
