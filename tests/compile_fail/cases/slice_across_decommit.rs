//! What was committed can be borrowed until it is decommitted, and elements until the vector changes.

use unix_memory::page_size;
use unix_memory::reserve::{Reservation, ReservedVec};

fn main() {
    let mut reservation = Reservation::new(page_size()).unwrap();
    reservation.commit(..).unwrap();
    let slice = reservation.get(..).unwrap();
    reservation.decommit(..).unwrap();
    println!("{slice:?}");
    let slice = reservation.get_mut(..).unwrap();
    drop(reservation);
    slice[0] = 1;

    let mut elements = ReservedVec::<String>::with_max_capacity(10).unwrap();
    elements.push(String::new());
    let first = &elements[0];
    elements.clear();
    println!("{first}");
    let slice = elements.as_slice();
    drop(elements);
    println!("{slice:?}");
}
