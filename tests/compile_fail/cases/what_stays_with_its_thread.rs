//! What belongs to one thread, or is made of what does, is not sent to another.

use std::cell::Cell;
use std::rc::Rc;

use unix_memory::Written;
use unix_memory::reserve::ReservedVec;

fn send<T: Send>() {}

fn share<T: Sync>() {}

fn main() {
    send::<Written<'static>>();
    share::<Written<'static>>();
    send::<ReservedVec<Rc<u8>>>();
    share::<ReservedVec<Cell<u8>>>();
}
