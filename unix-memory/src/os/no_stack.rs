//! Systems on which nothing can be mapped where the stack of the main thread grows: it is mapped, or
//! reserved, as a whole. So it is on the BSDs and Apple's systems; of the others nothing is known.

/// None are kept.
pub const fn is_for_stack(_start: usize, _len: usize) -> bool {
    false
}

/// It does not.
pub const fn meets_stack(_start: usize, _end: usize) -> bool {
    false
}
