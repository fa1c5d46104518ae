//! What reports which pages were written does not outlive the tracking.

use unix_memory::Mapping;

fn main() {
    let tracked = Mapping::anonymous(100).unwrap().into_tracked().unwrap();
    let written = tracked.written();
    let _mapping = tracked.untrack();
    println!("{}", written.count());
}
