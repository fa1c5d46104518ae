//! Atomics by address.

use std::cell::{RefCell, UnsafeCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::Ordering;

type Watched = loom::sync::atomic::AtomicUsize;

/// How many atomics a model can use.
const MOST: usize = 64;

/// Those of one execution.
#[derive(Default)]
struct Table {
    unused: Vec<Rc<Watched>>,
    used: HashMap<usize, Rc<Watched>>,
}

thread_local! {
    /// All threads of a model run in one thread of the system.
    static TABLE: RefCell<Table> = RefCell::default();
}

/// Runs `f` repeatedly, in every order that its threads can have with at most that many unforced
/// switches between them.
pub fn model(switches: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(move || {
        let unused = (0..MOST).map(|_| Rc::new(Watched::new(0))).collect();
        let used = HashMap::new();
        TABLE.set(Table { unused, used });
        f();
        TABLE.take();
    });
}

/// Forgets the atomics at these addresses, which are unmapped.
pub fn forget(addresses: &Range<usize>) {
    TABLE.with_borrow_mut(|table| table.used.retain(|address, _| !addresses.contains(address)));
}

/// The one for an address, whose bytes are zeros.
fn watched(address: usize, is_zero: bool) -> Rc<Watched> {
    TABLE.with_borrow_mut(|table| {
        let Table { unused, used } = table;
        let entry = used.entry(address).or_insert_with(|| {
            assert!(is_zero, "an atomic that is not zero at first");
            unused.pop().expect("few atomics, in a model")
        });
        Rc::clone(entry)
    })
}

macro_rules! atomics {
    ($($(#[$doc:meta])* $name:ident $(<$generic:ident>)?: $type:ty, $to:expr, $from:expr;)*) => {
        $(
            $(#[$doc])*
            #[repr(transparent)]
            pub struct $name $(<$generic>)? (UnsafeCell<$type>);

            // SAFETY: the bytes are not changed; loom's atomics are used by one thread of the system.
            unsafe impl $(<$generic>)? Sync for $name $(<$generic>)? {}
            // SAFETY: as above.
            unsafe impl $(<$generic>)? Send for $name $(<$generic>)? {}

            #[allow(missing_docs, reason = "as core's")]
            impl $(<$generic>)? $name $(<$generic>)? {
                pub const fn new(value: $type) -> Self {
                    Self(UnsafeCell::new(value))
                }

                fn watched(&self) -> Rc<Watched> {
                    let place = self.0.get();
                    // SAFETY: nobody changes the bytes while the atomic is shared.
                    watched(place.addr(), $to(unsafe { place.read() }) == 0)
                }

                pub fn load(&self, order: Ordering) -> $type {
                    $from(self.watched().load(order))
                }

                pub fn store(&self, value: $type, order: Ordering) {
                    self.watched().store($to(value), order);
                }

                pub fn compare_exchange(
                    &self,
                    current: $type,
                    new: $type,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$type, $type> {
                    self.watched()
                        .compare_exchange($to(current), $to(new), success, failure)
                        .map($from)
                        .map_err($from)
                }

                pub fn compare_exchange_weak(
                    &self,
                    current: $type,
                    new: $type,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$type, $type> {
                    self.compare_exchange(current, new, success, failure)
                }

                pub fn get_mut(&mut self) -> &mut $type {
                    let value = $from(self.watched().load(Ordering::Relaxed));
                    let place = self.0.get_mut();
                    *place = value;
                    place
                }
            }
        )*
    };
}

atomics! {
    /// As core's.
    AtomicU16: u16, usize::from, |value| u16::try_from(value).expect("as it was stored");
    /// As core's.
    AtomicU32: u32, |value| value as usize, |value| u32::try_from(value).expect("as it was stored");
    /// As core's.
    AtomicUsize: usize, |value| value, |value| value;
    /// As core's.
    AtomicPtr<T>: *mut T, |value: *mut T| value.expose_provenance(), std::ptr::with_exposed_provenance_mut;
}
