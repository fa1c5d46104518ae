//! Claims on bytes, by threads at once: a byte is never an atomic of two sizes, and no page is left, or
//! unmapped twice.

#![cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::ops::Range;
use std::sync::Arc;

use interleavings::os::call::mapped;
use interleavings::region::Region;
use interleavings::shared::claims::Claims;
use loom::thread;
use watched_core::model;

/// How many bytes a leaf covers.
const LEAF: usize = 256 << 10;

type Claim = (Range<usize>, usize);

/// Whether the atomic at `offset` was claimed.
fn has(claims: &Claims, region: &Region, offset: usize, size: usize) -> bool {
    claims.has(region, region.start().addr().get() + offset, size)
}

/// Lets two threads claim at the same time, in a mapping of `len` bytes, and calls `check` with what each got.
fn two(len: usize, one: Claim, other: Claim, check: fn(&Claims, &Region, bool, bool)) {
    model(3, move || {
        let region = Region { len };
        let claims = Arc::new(Claims::new());
        let (claims_there, (bytes, size)) = (Arc::clone(&claims), other.clone());
        let there = thread::spawn(move || {
            let claimed = claims_there
                .claim(&Region { len }, &bytes, size)
                .expect("memory");
            assert!(!claimed || claims_there.has_all(&Region { len }, &bytes, size));
            claimed
        });
        let (bytes, size) = one.clone();
        let here = claims.claim(&region, &bytes, size).expect("memory");
        assert!(!here || claims.has_all(&region, &bytes, size));
        let there = there.join().expect("it does not panic");
        check(&claims, &region, here, there);
        // Where it lies: its atomics are known by their addresses.
        assert_eq!(Arc::strong_count(&claims), 1);
        drop(claims);
        assert_eq!(mapped(), 0, "all pages are unmapped");
    });
}

#[test]
fn two_sizes_of_the_same_bytes() {
    two(64, (0..8, 8), (4..8, 4), |claims, region, here, there| {
        assert!(here != there, "one of them");
        assert_eq!(has(claims, region, 0, 8), here);
        assert_eq!(has(claims, region, 4, 4), there);
        assert!(!has(claims, region, 0, 4));
    });
}

#[test]
fn different_bytes() {
    two(64, (0..4, 4), (4..6, 2), |claims, region, here, there| {
        assert!(here && there);
        assert!(has(claims, region, 0, 4) && has(claims, region, 4, 2));
    });
}

#[test]
fn the_same_claim() {
    two(64, (0..24, 8), (0..24, 8), |claims, region, here, there| {
        assert!(here && there && has(claims, region, 16, 8));
    });
}

/// A mark stands for a whole leaf.
#[test]
fn a_leaf_by_two_at_once() {
    two(
        2 * LEAF,
        (0..LEAF, 8),
        (0..LEAF, 8),
        |claims, region, here, there| {
            assert!(here && there && has(claims, region, LEAF - 8, 8));
        },
    );
    two(
        2 * LEAF,
        (0..LEAF, 8),
        (0..LEAF, 4),
        |claims, region, here, there| {
            assert!(here != there, "one of them");
            assert_eq!(has(claims, region, LEAF - 8, 8), here);
            assert_eq!(has(claims, region, LEAF - 8, 4), there);
        },
    );
}

/// What is remembered of long ranges is what was claimed.
#[test]
fn a_long_range_is_remembered() {
    const BYTES: Range<usize> = 8..8 + 17 * 8;
    model(2, || {
        let claims = Arc::new(Claims::new());
        let region = Region { len: 256 };
        // The entries are there, so that only what is remembered is new.
        assert!(claims.claim(&region, &(8..16), 8).expect("memory"));
        let there = Arc::clone(&claims);
        let claiming = thread::spawn(move || {
            assert!(
                there
                    .claim(&Region { len: 256 }, &BYTES, 8)
                    .expect("memory")
            );
        });
        assert!(!claims.has_all(&region, &BYTES, 4), "of another size");
        let longer = BYTES.start - 8..BYTES.end;
        assert!(
            !claims.has_all(&region, &longer, 8),
            "more than was claimed"
        );
        if claims.has_all(&region, &BYTES, 8) {
            assert!(has(&claims, &region, BYTES.end - 8, 8));
        }
        claiming.join().expect("it does not panic");
        assert!(claims.has_all(&region, &BYTES, 8));
    });
}
