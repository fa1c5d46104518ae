//! Copies out of and into memory that others may change.
//!
//! Every access is a relaxed atomic one of a whole, aligned machine word. So no two accesses of
//! this crate to the same memory race, nor differ in size, which the memory model leaves undefined
//! as well; other processes are outside the model. Part of a word is read by reading the word, and
//! written by compare-and-swap, which keeps what others write to the rest of it.
//!
//! Mapped pages are whole and hold whole words, so that a word with one byte in a page can be
//! accessed whenever that page can.

use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const WORD: usize = size_of::<usize>();

/// The word at `address`.
///
/// # Safety
/// `address` is aligned to a word, which lies in a mapped page that can be read and is only
/// accessed atomically. The result is only loaded from, relaxed, unless the page can be written:
/// that much `core::sync::atomic` allows of read-only memory.
unsafe fn word<'a>(address: *mut u8) -> &'a AtomicUsize {
    #[allow(clippy::cast_ptr_alignment, reason = "the caller vouches for it")]
    let address = address.cast::<AtomicUsize>();
    // SAFETY: as the caller vouches.
    unsafe { &*address }
}

/// How `len` bytes from `address` on lie in words: the first word and the bytes of it that are
/// before the first whole one, then the number of whole ones, then the bytes in the last.
struct Words {
    first: *mut u8,
    head: Range<usize>,
    whole: usize,
    tail: usize,
}

impl Words {
    fn of(address: *mut u8, len: usize) -> Self {
        let skip = address.addr() % WORD;
        let head = if skip == 0 {
            0..0
        } else {
            skip..WORD.min(skip + len)
        };
        let rest = len - head.len();
        Self {
            first: address.wrapping_sub(skip),
            head,
            whole: rest / WORD,
            tail: rest % WORD,
        }
    }

    /// The address of the first whole word.
    fn body(&self) -> *mut u8 {
        self.first
            .wrapping_add(if self.head.is_empty() { 0 } else { WORD })
    }
}

/// Copies `to.len()` bytes from `from` on.
///
/// # Safety
/// The bytes lie in mapped pages that can be read and are only accessed atomically.
pub unsafe fn load(from: *const u8, to: &mut [u8]) {
    // SAFETY: `address` is aligned, and its word has a byte of the range: the caller vouches.
    let read = |address| unsafe { word(address) }.load(Relaxed).to_ne_bytes();

    let words = Words::of(from.cast_mut(), to.len());
    let (head, rest) = to.split_at_mut(words.head.len());
    if !head.is_empty() {
        head.copy_from_slice(&read(words.first)[words.head.clone()]);
    }
    let mut address = words.body();
    let (body, tail) = rest.split_at_mut(words.whole * WORD);
    for chunk in body.chunks_exact_mut(WORD) {
        chunk.copy_from_slice(&read(address));
        address = address.wrapping_add(WORD);
    }
    if !tail.is_empty() {
        tail.copy_from_slice(&read(address)[..words.tail]);
    }
}

/// Copies `from` to `to` and on.
///
/// # Safety
/// The bytes lie in mapped pages that can be read and written and are only accessed atomically.
pub unsafe fn store(from: &[u8], to: *mut u8) {
    let words = Words::of(to, from.len());
    let (head, rest) = from.split_at(words.head.len());
    // SAFETY: the first word has a byte of the range.
    unsafe { store_part(words.first, words.head.start, head) };
    let mut address = words.body();
    let (body, tail) = rest.split_at(words.whole * WORD);
    for chunk in body.chunks_exact(WORD) {
        let mut bytes = [0; WORD];
        bytes.copy_from_slice(chunk);
        // SAFETY: `address` is aligned, and its word lies in the range.
        unsafe { word(address) }.store(usize::from_ne_bytes(bytes), Relaxed);
        address = address.wrapping_add(WORD);
    }
    // SAFETY: if there are bytes left, this word has them.
    unsafe { store_part(address, 0, tail) };
}

/// Writes the word at `address` as it is: so that its page is ready to be written.
///
/// # Safety
/// As [`store`]; `address` is aligned to a word.
pub unsafe fn rewrite(address: *mut u8) {
    // SAFETY: as the caller vouches.
    let word = unsafe { word(address) };
    let mut old = word.load(Relaxed);
    // (To add or to set nothing would be compiled to no write at all.)
    while let Err(now) = word.compare_exchange_weak(old, old, Relaxed, Relaxed) {
        old = now;
    }
}

/// Sets `len` bytes from `to` on to `byte`.
///
/// # Safety
/// As [`store`].
pub unsafe fn fill(to: *mut u8, len: usize, byte: u8) {
    let bytes = [byte; WORD];
    let words = Words::of(to, len);
    // SAFETY: the first word has a byte of the range.
    unsafe { store_part(words.first, words.head.start, &bytes[..words.head.len()]) };
    let mut address = words.body();
    for _ in 0..words.whole {
        // SAFETY: `address` is aligned, and its word lies in the range.
        unsafe { word(address) }.store(usize::from_ne_bytes(bytes), Relaxed);
        address = address.wrapping_add(WORD);
    }
    // SAFETY: if there are bytes left, this word has them.
    unsafe { store_part(address, 0, &bytes[..words.tail]) };
}

/// Writes `bytes` into the word at `address`, from its byte `start` on, and leaves its others.
///
/// # Safety
/// If `bytes` is not empty, `address` is aligned and its word lies in a page that can be written.
unsafe fn store_part(address: *mut u8, start: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    // SAFETY: as the caller vouches.
    let word = unsafe { word(address) };
    let mut old = word.load(Relaxed);
    loop {
        let mut new = old.to_ne_bytes();
        new[start..start + bytes.len()].copy_from_slice(bytes);
        match word.compare_exchange_weak(old, usize::from_ne_bytes(new), Relaxed, Relaxed) {
            Ok(_) => return,
            Err(now) => old = now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every start and length that can matter, against plain slices.
    #[test]
    fn like_plain_copies() {
        const LEN: usize = 5 * WORD;
        let pattern: [u8; LEN] = core::array::from_fn(|i| u8::try_from(i).unwrap() + 1);
        for start in 0..=2 * WORD {
            for len in 0..=LEN - start {
                let mut memory = [0usize; 5];
                let base = memory.as_mut_ptr().cast::<u8>();
                let mut plain = [0u8; LEN];

                // SAFETY: the range lies in `memory`, which has no other access meanwhile.
                unsafe { store(&pattern[..len], base.wrapping_add(start)) };
                plain[start..start + len].copy_from_slice(&pattern[..len]);
                let mut back = [0xff; LEN];
                // SAFETY: as above.
                unsafe { load(base, &mut back) };
                assert_eq!(back, plain, "store {start} {len}");

                let mut part = [0xff; LEN];
                // SAFETY: as above.
                unsafe { load(base.wrapping_add(start), &mut part[..len]) };
                assert_eq!(part[..len], plain[start..start + len], "load {start} {len}");
                assert!(part[len..].iter().all(|&byte| byte == 0xff));

                // SAFETY: as above.
                unsafe { fill(base.wrapping_add(start), len, 0x77) };
                plain[start..start + len].fill(0x77);
                // SAFETY: as above.
                unsafe { load(base, &mut back) };
                assert_eq!(back, plain, "fill {start} {len}");
            }
        }
    }
}
