//! What is tried with mappings whose written pages are tracked, in each way that works here.

use tests::dirty::{Fenced, tracked};
use unix_memory::{Mapping, ReadOnly, ReadWrite, SharedMapping, Tracked, Tracking, page_size};

use super::mappings::is_filled;
use super::shared::{holds, sevens, shared};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const BY_WRITE_PROTECTION: &[Scenario] = scenarios![
    track_by_protection written_by_protection take_by_protection mark_by_protection untrack_by_protection
    drop_tracked_by_protection discard_by_protection protect_by_protection end_take_by_protection
    track_shared
];

pub const BY_SOFT_DIRTY_BITS: &[Scenario] = scenarios![
    track_by_bits written_by_bits take_by_bits mark_by_bits untrack_by_bits drop_tracked_by_bits
    discard_by_bits protect_by_bits end_take_by_bits
];

/// Each function below, by either way.
macro_rules! by_each_way {
    ($($function:ident $by_protection:ident $by_bits:ident;)*) => {
        $(
            fn $by_protection(trial: &Trial<'_>) {
                $function(trial, Tracking::WriteProtect);
            }

            fn $by_bits(trial: &Trial<'_>) {
                $function(trial, Tracking::SoftDirty);
            }
        )*
    };
}

by_each_way! {
    track track_by_protection track_by_bits;
    written written_by_protection written_by_bits;
    take take_by_protection take_by_bits;
    mark mark_by_protection mark_by_bits;
    untrack untrack_by_protection untrack_by_bits;
    drop_tracked drop_tracked_by_protection drop_tracked_by_bits;
    discard discard_by_protection discard_by_bits;
    protect protect_by_protection protect_by_bits;
    end_take end_take_by_protection end_take_by_bits;
}

type Memory = Tracked<Mapping<ReadWrite>>;

/// Whether the page counts as written.
fn reports(memory: &Memory, page: usize) -> bool {
    let page = page * page_size();
    memory.written().any(|range| range.unwrap().contains(&page))
}

/// Three pages of which the second was written, and what keeps them from being merged.
fn second_written(tracking: Tracking) -> (Memory, impl Sized) {
    let (mut memory, fences) = tracked(3, tracking);
    memory[page_size()] = 7;
    assert!(reports(&memory, 1));
    (memory, fences)
}

fn track(trial: &Trial<'_>, tracking: Tracking) {
    let Fenced { mut memory, fences } = Fenced::new(3);
    memory.fill(7);
    let track = |it: Mapping<ReadWrite>| it.into_tracked_by(tracking);
    let mut memory = trial.twice_with(memory, track, |it| is_filled(it));
    memory[page_size()] = 7;
    assert!(reports(&memory, 1));
    is_filled(&memory);
    drop(fences);
}

fn written(trial: &Trial<'_>, tracking: Tracking) {
    let (memory, _fences) = second_written(tracking);
    let ask = || memory.written().collect::<Result<Vec<_>, _>>();
    let found = trial.twice(ask, || ());
    assert!(found.iter().any(|range| range.contains(&page_size())));
}

fn take(trial: &Trial<'_>, tracking: Tracking) {
    let (mut memory, _fences) = second_written(tracking);
    let take = |it: &mut Memory| it.take().collect::<Result<Vec<_>, _>>();
    // What was not taken is not lost.
    let found = trial.twice_in(&mut memory, take, |it| assert!(reports(it, 1)));
    assert!(found.iter().any(|range| range.contains(&page_size())));
    memory[0] = 7;
    assert!(reports(&memory, 0));
}

fn mark(trial: &Trial<'_>, tracking: Tracking) {
    let (memory, _fences) = second_written(tracking);
    trial.twice(|| memory.mark(), || assert!(reports(&memory, 1)));
    let mut memory = memory;
    memory[0] = 7;
    assert!(reports(&memory, 0));
}

fn untrack(trial: &Trial<'_>, tracking: Tracking) {
    let (memory, _fences) = second_written(tracking);
    let mut mapping = None;
    trial.does(|| mapping = Some(memory.untrack()));
    let mapping = mapping.unwrap();
    assert_eq!(mapping[page_size()], 7);
    // It can be tracked again.
    let memory = mapping.into_tracked_by(tracking).unwrap();
    assert!(!reports(&memory, 2));
}

fn drop_tracked(trial: &Trial<'_>, tracking: Tracking) {
    let (memory, _fences) = second_written(tracking);
    trial.does(|| drop(memory));
    drop(tracked(3, tracking));
}

fn discard(trial: &Trial<'_>, tracking: Tracking) {
    let (mut memory, _fences) = second_written(tracking);
    let page = page_size();
    trial.twice_in(
        &mut memory,
        |it| it.discard(page..2 * page),
        |it| assert_eq!(it[page], 7),
    );
    assert_eq!(memory[page], 0);
    assert!(reports(&memory, 1));
}

/// What was not looked at is not lost either.
fn end_take(trial: &Trial<'_>, tracking: Tracking) {
    let (mut memory, _fences) = tracked(5, tracking);
    for page in [0, 2, 4] {
        memory[page * page_size()] = 7;
    }
    let mut taken = memory.take();
    taken.next().unwrap().unwrap();
    trial.does(|| drop(taken));
    assert!(reports(&memory, 2) && reports(&memory, 4));
}

fn track_shared(trial: &Trial<'_>) {
    let unchanged = |it: &SharedMapping<_>| holds(it, &sevens());
    let tracked = trial.twice_with(shared(), SharedMapping::into_tracked, unchanged);
    tracked.write_at(page_size(), &[8]).unwrap();
    let page = page_size();
    let mut written = tracked.written();
    assert!(written.any(|range| range.unwrap().contains(&page)));
}

#[allow(clippy::result_large_err, reason = "it is what the library returns")]
fn protect(trial: &Trial<'_>, tracking: Tracking) {
    let (memory, _fences) = second_written(tracking);
    let memory = trial.twice_with(
        memory,
        |it| it.protect(ReadOnly),
        |it| assert!(reports(it, 1)),
    );
    let page = page_size();
    assert!(memory.written().any(|range| range.unwrap().contains(&page)));
}
