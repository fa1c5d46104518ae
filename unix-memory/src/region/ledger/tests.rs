//! The tree against a table of what each unit of a short range has.

use std::vec::Vec;

use super::*;

/// The number of units.
const LEN: usize = 48;

/// What is expected of each unit: the guards over it, by kind, whether it is held without one, and
/// whether it is hidden.
struct Model {
    guards: Vec<(Range<usize>, Kind)>,
    kept: [bool; LEN],
    hidden: [bool; LEN],
}

impl Model {
    fn kind(&self, unit: usize) -> Option<Kind> {
        if self.kept[unit] {
            return Some(Kind::Full);
        }
        self.guarded(unit)
    }

    fn guarded(&self, unit: usize) -> Option<Kind> {
        let held = self
            .guards
            .iter()
            .filter(|(range, _)| range.contains(&unit));
        held.map(|&(_, kind)| kind).max()
    }

    fn check(&self, tree: &Tree) {
        for unit in 0..LEN {
            let known = tree.known(&(unit..unit + 1)).unwrap_or_default();
            assert_eq!(known.kind, self.guarded(unit), "unit {unit}");
            assert_eq!(known.is_locked(), self.kind(unit).is_some());
            let of_all = (self.guarded(unit), self.kept[unit]);
            assert_eq!(tree.of_all(&(unit..unit + 1)), of_all);
            assert_eq!(known.marks.contains(Marks::HIDDEN), self.hidden[unit]);
        }
        let held = (0..LEN).filter(|&unit| self.kind(unit).is_some()).count();
        assert_eq!(tree.held_bytes(&(0..usize::MAX)), held);
        let lowest = (0..LEN).map(|unit| self.guarded(unit)).min().flatten();
        let all = (lowest, self.kept == [true; LEN]);
        assert_eq!(tree.of_all(&(0..LEN)), all);
        // Runs are as long as can be, and in order.
        let (mut at, mut last) = (0, None);
        while at < LEN {
            let (end, kind) = tree.run(at, LEN);
            assert!(at < end && last != Some(kind));
            assert!((at..end).all(|unit| self.kind(unit) == kind));
            (at, last) = (end, Some(kind));
        }
        // No more ranges than the ends of guards and changes of marks require.
        let marks = |unit: usize| (self.hidden[unit], self.kept[unit]);
        let changes = (1..LEN).filter(|&unit| marks(unit) != marks(unit - 1));
        assert!(tree.len() <= 2 * self.guards.len() + changes.count() + 2);
    }
}

/// Numbers that look random, the same each time.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(2) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    }
}

/// Counts a guard out, as a guard does that is dropped.
fn remove(tree: &mut Tree, range: &Range<usize>, kind: Kind) {
    if !tree.remove_only(range, kind) {
        tree.remove(range, kind);
    }
}

#[test]
fn any_operations_in_any_order() {
    // An emulator, which `cargo xtask emulate` names, is slow.
    let is_emulated = std::env::var_os("UNIX_MEMORY_RUNNER").is_some();
    for seed in 1..if is_emulated { 4 } else { 60 } {
        let mut number = numbers(seed);
        let (mut tree, mut model) = (
            Tree::new(),
            Model {
                guards: Vec::new(),
                kept: [false; LEN],
                hidden: [false; LEN],
            },
        );
        for _ in 0..200 {
            let start = number(LEN);
            let range = start..start + 1 + number(LEN - start);
            let kind = [Kind::OnFault, Kind::Full][number(2)];
            match number(6) {
                0 | 1 => {
                    tree.add(&range, kind).unwrap();
                    model.guards.push((range, kind));
                }
                2 if !model.guards.is_empty() => {
                    let (range, kind) = model.guards.swap_remove(number(model.guards.len()));
                    remove(&mut tree, &range, kind);
                }
                3 => {
                    let yes = number(2) == 0;
                    tree.mark(&range, Marks::HIDDEN, yes).unwrap();
                    model.hidden[range].fill(yes);
                }
                4 => {
                    let yes = number(2) == 0;
                    tree.mark(&range, Marks::KEPT, yes).unwrap();
                    model.kept[range].fill(yes);
                }
                _ => {}
            }
            model.check(&tree);
        }
        while let Some((range, kind)) = model.guards.pop() {
            remove(&mut tree, &range, kind);
        }
        model.check(&tree);
        tree.mark(&(0..LEN), Marks::HIDDEN, false).unwrap();
        tree.mark(&(0..LEN), Marks::KEPT, false).unwrap();
        assert_eq!(tree.len(), 0);
    }
}

/// Nothing is known any more about what is unmapped, whatever lies there.
#[test]
fn holes() {
    for seed in 1..100 {
        let mut number = numbers(seed);
        let mut tree = Tree::new();
        for _ in 0..number(12) {
            let start = number(LEN);
            let range = start..start + 1 + number(LEN - start);
            if number(3) == 0 {
                tree.mark(&range, Marks::HIDDEN, true).unwrap();
            } else {
                tree.add(&range, [Kind::OnFault, Kind::Full][number(2)])
                    .unwrap();
            }
        }
        for _ in 0..20 {
            let before: Vec<_> = (0..LEN).map(|unit| tree.known(&(unit..unit + 1))).collect();
            let start = number(LEN);
            let hole = start..start + 1 + number(LEN - start);
            tree.forget(&hole);
            for (unit, before) in before.into_iter().enumerate() {
                let now = tree.known(&(unit..unit + 1));
                let expected = before.filter(|_| !hole.contains(&unit));
                assert_eq!(now, expected, "unit {unit} of a hole of {hole:?}");
            }
        }
        tree.forget(&(0..LEN));
        assert_eq!(tree.len(), 0);
    }
}

/// What a child keeps of its parent's ledger.
#[test]
fn marks_are_kept() {
    let mut tree = Tree::new();
    tree.add(&(0..6), Kind::Full).unwrap();
    tree.mark(&(4..8), Marks::HIDDEN, true).unwrap();
    tree.mark(&(20..22), Marks::LOCKED, true).unwrap();
    tree.keep(Marks::HIDDEN);
    let marks = Marks::HIDDEN;
    assert_eq!(tree.known(&(4..8)), Some(Known { kind: None, marks }));
    assert_eq!((tree.known(&(0..4)), tree.known(&(8..30))), (None, None));
}

#[test]
fn grows_and_shrinks() {
    // Beyond the first nodes and some chunks.
    const MANY: usize = 5000;
    let mut tree = Tree::new();
    for i in 0..MANY {
        // In an order that is neither up nor down.
        let i = i * 7919 % MANY;
        tree.add(&(4 * i..4 * i + 2), Kind::Full).unwrap();
    }
    assert_eq!(tree.len(), MANY);
    assert_eq!(tree.held_bytes(&(0..usize::MAX)), 2 * MANY);
    // One over all of them, and its gaps.
    tree.add(&(0..4 * MANY), Kind::OnFault).unwrap();
    assert_eq!(tree.run(2, 4), (4, Some(Kind::OnFault)));
    tree.remove(&(0..4 * MANY), Kind::OnFault);
    assert_eq!(tree.len(), MANY);
    for i in (0..MANY).rev() {
        assert_eq!(tree.run(4 * i, 4 * MANY), (4 * i + 2, Some(Kind::Full)));
        tree.remove(&(4 * i..4 * i + 2), Kind::Full);
    }
    assert_eq!(tree.len(), 0);
    tree.add(&(0..2), Kind::Full).unwrap();
    assert_eq!(tree.len(), 1);
}

/// The depth is what makes each operation quick.
#[test]
fn neighbours_in_order_are_found_quickly() {
    let mut tree = Tree::new();
    for i in 0..4000 {
        tree.mark(&(2 * i..2 * i + 1), Marks::HIDDEN, true).unwrap();
    }
    assert!(tree.depth() < 50, "{}", tree.depth());
}
