//! What is tried with private mappings.

use tests::Permissions;
use unix_memory::{
    Advice, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite, page_size,
};

use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    map_anonymous map_with_all_steps map_aligned map_within map_at map_guarded protect
    protect_one_of_several set_protection protect_to_execute split_and_protect join resize resize_several
    resize_locked resize_hidden resize_in_place resize_from_nothing shrink discard discard_locked advise
    advise_part hide advise_together flush residency populate populate_write unmap drop_it seal
];

/// Three pages of sevens.
pub fn filled() -> Mapping<ReadWrite> {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    mapping.fill(7);
    mapping
}

/// The same, which the kernel has as several mappings.
fn several() -> Mapping<ReadWrite> {
    let mapping = filled();
    let page = page_size();
    mapping
        .advise_range(page..2 * page, Advice::Random)
        .unwrap();
    mapping
}

pub fn is_filled(mapping: &[u8]) {
    assert!(mapping[..3 * page_size()].iter().all(|&byte| byte == 7));
}

/// Filled, and writable according to the kernel, too.
pub fn is_as_it_was(mapping: &Mapping<ReadWrite>) {
    is_filled(mapping);
    has(mapping, Permissions::READ | Permissions::WRITE);
}

fn has<A: unix_memory::Access>(mapping: &Mapping<A>, expected: Permissions) {
    for page in 0..mapping.len().div_ceil(page_size()) {
        let address = mapping.as_ptr().wrapping_add(page * page_size());
        let permissions = tests::permissions(address).get();
        let expected = expected | Permissions::PRIVATE;
        assert_eq!(permissions.unwrap_or(expected), expected, "page {page}");
    }
}

fn map_anonymous(trial: &Trial<'_>) {
    let options = MapOptions::new().len(3 * page_size());
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert!(mapping.iter().all(|&byte| byte == 0));
}

fn map_with_all_steps(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100).lock(true).dont_dump(true);
    let options = options.advice(Advice::Random);
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert!(tests::is_locked(mapping.as_ptr()));
    assert!(tests::flags(mapping.as_ptr()).contains(tests::Flags::DD | tests::Flags::RR));
}

fn map_aligned(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100).alignment(1 << 20);
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert_eq!(mapping.as_ptr().addr() % (1 << 20), 0);
}

fn map_within(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100).within(0..1 << 31);
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert!(mapping.as_ptr().addr() < 1 << 31);
}

fn map_at(trial: &Trial<'_>) {
    let room = Mapping::anonymous(page_size()).unwrap();
    let address = room.as_ptr().addr();
    room.unmap().unwrap();
    let options = MapOptions::new().len(100).at(address);
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert_eq!(mapping.as_ptr().addr(), address);
}

fn map_guarded(trial: &Trial<'_>) {
    let (page, options) = (page_size(), MapOptions::new().len(100));
    let guarded = trial.twice(|| options.map_guarded(page, page, ReadWrite), || ());
    let (before, middle, behind) = guarded.into_parts();
    has(&before, Permissions::empty());
    has(&middle, Permissions::READ | Permissions::WRITE);
    has(&behind, Permissions::empty());
}

fn protect(trial: &Trial<'_>) {
    let mapping = trial.twice_with(filled(), |it| it.protect(ReadOnly), is_as_it_was);
    is_filled(&mapping);
    has(&mapping, Permissions::READ);
}

fn protect_one_of_several(trial: &Trial<'_>) {
    let mapping = trial.twice_with(several(), |it| it.protect(ReadOnly), is_as_it_was);
    has(&mapping, Permissions::READ);
}

fn set_protection(trial: &Trial<'_>) {
    let mut mapping = filled().erase();
    trial.twice_in(
        &mut mapping,
        |it| it.set_protection(Protection::READ),
        |it| {
            is_filled(it.as_slice().unwrap());
            has(it, Permissions::READ | Permissions::WRITE);
        },
    );
    has(&mapping, Permissions::READ);
}

fn protect_to_execute(trial: &Trial<'_>) {
    let mapping = trial.twice_with(filled(), |it| it.protect(ReadExecute), is_as_it_was);
    is_filled(&mapping);
}

fn split_and_protect(trial: &Trial<'_>) {
    let (mapping, mid) = (filled(), page_size());
    let (first, second) = trial.twice_with(mapping, |it| it.split_at(mid), is_as_it_was);
    let second = second.protect(NoAccess).unwrap();
    has(&first, Permissions::READ | Permissions::WRITE);
    has(&second, Permissions::empty());
}

fn join(trial: &Trial<'_>) {
    let both = filled().split_at(page_size()).unwrap();
    let mapping = trial.twice_with(
        both,
        |(one, other)| one.join(other),
        |(one, other)| {
            has(one, Permissions::READ | Permissions::WRITE);
            has(other, Permissions::READ | Permissions::WRITE);
            assert!(one.iter().chain(other.iter()).all(|&byte| byte == 7));
        },
    );
    is_as_it_was(&mapping);
}

fn resized(trial: &Trial<'_>, mut mapping: Mapping<ReadWrite>) -> Mapping<ReadWrite> {
    let len = 9 * page_size();
    trial.twice_in(
        &mut mapping,
        |it| it.resize(len),
        |it| {
            assert_eq!(it.len(), 3 * page_size());
            is_as_it_was(it);
        },
    );
    assert_eq!(mapping.len(), len);
    is_filled(&mapping);
    assert!(mapping[3 * page_size()..].iter().all(|&byte| byte == 0));
    mapping
}

fn resize(trial: &Trial<'_>) {
    drop(resized(trial, filled()));
}

fn resize_several(trial: &Trial<'_>) {
    drop(resized(trial, several()));
}

fn resize_locked(trial: &Trial<'_>) {
    let options = MapOptions::new().len(3 * page_size()).lock(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    mapping.fill(7);
    let mapping = resized(trial, mapping);
    for page in 0..9 {
        assert!(tests::is_locked(
            mapping.as_ptr().wrapping_add(page * page_size())
        ));
    }
}

fn resize_hidden(trial: &Trial<'_>) {
    let mapping = several();
    mapping.advise(Advice::DontDump).unwrap();
    let mapping = resized(trial, mapping);
    for page in 0..9 {
        let flags = tests::flags(mapping.as_ptr().wrapping_add(page * page_size()));
        assert!(flags.contains(tests::Flags::DD), "page {page}");
    }
}

fn resize_in_place(trial: &Trial<'_>) {
    // Room behind it.
    let page = page_size();
    let (first, second) = Mapping::anonymous(9 * page)
        .unwrap()
        .split_at(3 * page)
        .unwrap();
    second.unmap().unwrap();
    let mut mapping = first;
    mapping.fill(7);
    trial.twice_in(
        &mut mapping,
        |it| it.resize_in_place(5 * page),
        is_as_it_was,
    );
    is_filled(&mapping);
}

fn resize_from_nothing(trial: &Trial<'_>) {
    let options = MapOptions::new().len(0).lock(true).dont_dump(true);
    let mut mapping = options.map_anonymous(ReadWrite).unwrap();
    trial.twice_in(
        &mut mapping,
        |it| it.resize(100),
        |it| assert!(it.is_empty()),
    );
    assert!(tests::is_locked(mapping.as_ptr()));
    assert!(tests::flags(mapping.as_ptr()).contains(tests::Flags::DD));
}

fn shrink(trial: &Trial<'_>) {
    let mut mapping = filled();
    trial.twice_in(&mut mapping, |it| it.resize(100), is_as_it_was);
    assert_eq!(mapping.len(), 100);
}

fn discarded(trial: &Trial<'_>, mut mapping: Mapping<ReadWrite>) {
    let page = page_size();
    trial.twice_in(&mut mapping, |it| it.discard(page..2 * page), is_as_it_was);
    assert!(mapping[page..2 * page].iter().all(|&byte| byte == 0));
    assert!(
        mapping[..page]
            .iter()
            .chain(&mapping[2 * page..])
            .all(|&byte| byte == 7)
    );
}

fn discard(trial: &Trial<'_>) {
    discarded(trial, filled());
}

fn discard_locked(trial: &Trial<'_>) {
    let mapping = filled();
    std::mem::forget(mapping.lock_on_fault().unwrap());
    discarded(trial, mapping);
}

fn advise(trial: &Trial<'_>) {
    let mapping = filled();
    trial.twice(
        || mapping.advise(Advice::Sequential),
        || is_as_it_was(&mapping),
    );
    assert!(tests::flags(mapping.as_ptr()).contains(tests::Flags::SR));
}

fn advise_part(trial: &Trial<'_>) {
    let (mapping, page) = (filled(), page_size());
    let advise = || mapping.advise_range(page..2 * page, Advice::Random);
    trial.twice(advise, || is_as_it_was(&mapping));
}

fn hide(trial: &Trial<'_>) {
    let mapping = filled();
    trial.twice(
        || mapping.advise(Advice::DontDump),
        || {
            assert!(tests::flags(mapping.as_ptr()).lacks(tests::Flags::DD));
        },
    );
    assert!(tests::flags(mapping.as_ptr()).contains(tests::Flags::DD));
}

fn advise_together(trial: &Trial<'_>) {
    let (one, other) = (filled(), filled());
    let spans = [one.span(..).unwrap(), other.span(..).unwrap()];
    trial.twice(|| Advice::WillNeed.apply(&spans), || ());
}

fn flush(trial: &Trial<'_>) {
    let mapping = filled();
    trial.twice(
        || mapping.flush(unix_memory::Flush::Sync),
        || is_as_it_was(&mapping),
    );
}

fn residency(trial: &Trial<'_>) {
    let mapping = filled();
    let ask = || mapping.residency().collect::<Result<Vec<_>, _>>();
    assert_eq!(trial.twice(ask, || ()), [true; 3]);
}

fn populate(trial: &Trial<'_>) {
    let mapping = Mapping::anonymous(3 * page_size()).unwrap();
    trial.twice(|| mapping.populate(), || ());
    assert!(mapping.residency().all(|is_in| is_in == Ok(true)));
}

fn populate_write(trial: &Trial<'_>) {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    trial.twice_in(&mut mapping, Mapping::populate_write, |_| ());
    assert!(mapping.residency().all(|is_in| is_in == Ok(true)));
}

fn unmap(trial: &Trial<'_>) {
    trial.twice_with(filled(), Mapping::unmap, is_as_it_was);
}

fn drop_it(trial: &Trial<'_>) {
    let mapping = filled();
    trial.does(|| drop(mapping));
    // If it was refused, it is tried again now.
    drop(filled());
    drop(filled());
}

fn seal(trial: &Trial<'_>) {
    let _permanent = trial.twice_with(filled(), Mapping::seal, is_as_it_was);
}
