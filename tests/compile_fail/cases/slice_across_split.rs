//! A slice does not outlive a split, nor a join.

use unix_memory::{Mapping, page_size};

fn main() {
    let mapping = Mapping::anonymous(2 * page_size()).unwrap();
    let slice = &mapping[..];
    let (first, second) = mapping.split_at(page_size()).unwrap();
    println!("{slice:?}");
    let slice = &first[..];
    let _whole = first.join(second).unwrap();
    println!("{slice:?}");
}
