//! Numbers that look random, without a library: for children, and for runs that are repeated.

/// A generator of numbers, by xorshift: the same ones in every run.
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number, of 32 bits.
    ///
    /// # Panics
    /// Never.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 & 0xffff_ffff).expect("32 bits")
    }

    /// The next number, less than `end`.
    ///
    /// # Panics
    /// If `end` is zero.
    pub fn below(&mut self, end: usize) -> usize {
        self.next() % end
    }
}
