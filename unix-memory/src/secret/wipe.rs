//! Wiping and comparing bytes in ways that no optimizer shortens.

use core::hint::black_box;
use core::sync::atomic::{Ordering, compiler_fence};

use crate::copy::store;

/// Writes zeros to `len` bytes from `start` on.
///
/// Each write is volatile: it is made even though nobody reads the bytes again.
///
/// # Safety
/// The bytes can be written, and nothing else accesses them meanwhile.
#[inline(never)]
pub unsafe fn wipe(start: *mut u8, len: usize) {
    // SAFETY: as the caller vouches. [caller]
    unsafe { store::set(start, len, 0) };
    // Keeps what follows, such as unmapping the memory, after the writes.
    compiler_fence(Ordering::SeqCst);
}

/// Wipes a slice.
pub fn wipe_slice(bytes: &mut [u8]) {
    // SAFETY: the slice is borrowed exclusively. [borrowed]
    unsafe { wipe(bytes.as_mut_ptr(), bytes.len()) };
}

/// Whether two slices are equal, in a time that depends only on their lengths.
///
/// Each read is volatile: all of them are made, whatever the first ones showed.
#[inline(never)]
pub fn equal(ours: &[u8], theirs: &[u8]) -> bool {
    if ours.len() != theirs.len() {
        return false;
    }
    let mut differences = 0;
    for (our, their) in ours.iter().zip(theirs) {
        // SAFETY: it is a reference. [borrowed]
        let our = unsafe { core::ptr::from_ref(our).read_volatile() };
        // SAFETY: as above. [borrowed]
        let their = unsafe { core::ptr::from_ref(their).read_volatile() };
        differences |= our ^ their;
    }
    // Otherwise a compiler that can predict the result could stop at the first difference.
    black_box(differences) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wipes_what_it_is_given_and_no_more() {
        for start in 0..9 {
            for end in start..40 {
                let mut bytes = [0xa5; 40];
                wipe_slice(&mut bytes[start..end]);
                let wiped = |(i, &byte): (usize, &u8)| byte == 0 && (start..end).contains(&i);
                let kept = |(i, &byte): (usize, &u8)| byte == 0xa5 && !(start..end).contains(&i);
                assert!(bytes.iter().enumerate().all(|at| wiped(at) || kept(at)));
            }
        }
    }

    #[test]
    fn compares_every_byte() {
        let ours = [7; 33];
        assert!(equal(&ours, &ours));
        assert!(equal(&[], &[]));
        assert!(!equal(&ours, &ours[..32]));
        for at in 0..ours.len() {
            for bit in 0..8 {
                let mut theirs = ours;
                theirs[at] ^= 1 << bit;
                assert!(!equal(&ours, &theirs), "bit {bit} of byte {at}");
            }
        }
    }
}
