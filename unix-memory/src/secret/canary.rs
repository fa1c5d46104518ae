//! The canary: bytes before a secret, by which a write before its start is detected.

use super::wipe::equal;

/// At least this many bytes precede a secret.
pub const LEN: usize = 16;

/// Returns the canary of pages at `address`. It differs from one secret to the next and, because
/// addresses do, from one run of a program to the next.
fn canary(address: usize) -> [u8; LEN] {
    // Two steps of SplitMix64.
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |state: u64| {
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let first = (address as u64).wrapping_add(GAMMA);
    let (low, high) = (step(first), step(first.wrapping_add(GAMMA)));
    let mut canary = [0; LEN];
    canary[..8].copy_from_slice(&low.to_ne_bytes());
    canary[8..].copy_from_slice(&high.to_ne_bytes());
    canary
}

/// Fills `slack`, the bytes of the pages that precede a secret.
pub fn set(slack: &mut [u8]) {
    let canary = canary(slack.as_ptr().addr());
    for part in slack.chunks_mut(LEN) {
        part.copy_from_slice(&canary[..part.len()]);
    }
}

/// Returns whether `slack` is unchanged since it was [set](set).
pub fn is_intact(slack: &[u8]) -> bool {
    let canary = canary(slack.as_ptr().addr());
    slack
        .chunks(LEN)
        .all(|part| equal(part, &canary[..part.len()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_looked_at() {
        let mut slack = [0; 45];
        set(&mut slack);
        assert!(is_intact(&slack));
        for at in 0..slack.len() {
            slack[at] ^= 1;
            assert!(!is_intact(&slack), "byte {at}");
            slack[at] ^= 1;
        }
        assert!(is_intact(&slack));
        assert_ne!(canary(0x1000), canary(0x2000));
    }
}
