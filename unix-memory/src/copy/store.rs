//! Stores to bytes that must not be read.
//!
//! The standard library's functions that set and copy memory may read what they wrote: on s390x,
//! compilers set bytes by an instruction that copies each byte to the next. Volatile stores only
//! store.

/// The unit of a store.
type Word = usize;

/// Stores `len` bytes from `to` on; `byte_at` returns the byte at an index.
///
/// # Safety
/// The bytes can be written, and nobody refers to them.
unsafe fn store_by(to: *mut u8, len: usize, byte_at: impl Fn(usize) -> u8) {
    const SIZE: usize = size_of::<Word>();
    let mut at = 0;
    while at < len {
        let place = to.wrapping_add(at);
        #[allow(clippy::cast_ptr_alignment, reason = "it is asked next")]
        let word = place.cast::<Word>();
        if word.is_aligned() && len - at >= SIZE {
            let bytes = core::array::from_fn::<u8, SIZE, _>(|index| byte_at(at + index));
            // SAFETY: these bytes are among those of the caller, and aligned. [caller, inside]
            unsafe { word.write_volatile(Word::from_ne_bytes(bytes)) };
            at += SIZE;
        } else {
            // SAFETY: as above. [caller, inside]
            unsafe { place.write_volatile(byte_at(at)) };
            at += 1;
        }
    }
}

/// Sets `len` bytes from `to` on to `byte`.
///
/// # Safety
/// They can be written, and nobody refers to them.
pub unsafe fn set(to: *mut u8, len: usize, byte: u8) {
    // SAFETY: as the caller vouches. [caller]
    unsafe { store_by(to, len, |_| byte) };
}

/// Copies `bytes` to the bytes from `to` on.
///
/// # Safety
/// That many bytes can be written there, and nobody refers to them.
pub unsafe fn store(to: *mut u8, bytes: &[u8]) {
    // SAFETY: as the caller vouches. [caller]
    unsafe { store_by(to, bytes.len(), |index| bytes[index]) };
}

#[cfg(test)]
mod tests {
    use super::{set, store};

    #[test]
    fn every_place_and_length() {
        let bytes: [u8; 40] = core::array::from_fn(|index| index.to_le_bytes()[0] + 1);
        for start in 0..9 {
            for len in 0..31 {
                let (mut memory, mut filled) = ([0; 40], [0; 40]);
                // SAFETY: start and length are within the array, which is borrowed for it.
                unsafe { store(memory[start..].as_mut_ptr(), &bytes[..len]) };
                // SAFETY: as above.
                unsafe { set(filled[start..].as_mut_ptr(), len, 9) };
                let inside = start..start + len;
                for index in 0..40 {
                    let is_inside = inside.contains(&index);
                    let expected = if is_inside { bytes[index - start] } else { 0 };
                    assert_eq!(memory[index], expected);
                    assert_eq!(filled[index], u8::from(is_inside) * 9);
                }
            }
        }
    }
}
