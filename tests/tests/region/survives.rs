//! What a mapping was made with, locked and left out of core dumps, survives every way that it changes.

use tests::kernel::flags_of_all;
use tests::seccomp::{SYS_MPROTECT, SYS_MREMAP, SYS_MUNMAP};
use tests::{
    Flags, flags, in_a_child, is_locked, is_true_in_a_child, is_unlocked, lacks,
    limit_address_space, refusing, skip,
};
use unix_memory::{
    Access, Advice, LockGuard, MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, page_size,
};

/// Options of a secret, unless this process cannot have one.
fn secret() -> Option<MapOptions> {
    if lacks::advice("what is left out of core dumps") {
        return None;
    }
    let options = MapOptions::new().lock(true).dont_dump(true);
    match options.len(64 * page_size()).map_anonymous(ReadWrite) {
        Ok(_) => Some(options),
        Err(error) => {
            skip("locked pages", &error.to_string());
            None
        }
    }
}

/// Every page is locked and left out of core dumps.
#[track_caller]
fn assert_secret<A: Access>(mapping: &Mapping<A>) {
    let pages = 0..mapping.len().div_ceil(page_size());
    let first_bytes = pages.map(|page| mapping.as_ptr().wrapping_add(page * page_size()));
    let flags = flags_of_all(&first_bytes.collect::<Vec<_>>());
    for (page, flags) in flags.get().into_iter().flatten().enumerate() {
        assert!(flags.contains(Flags::LO), "page {page} is not locked");
        assert!(flags.contains(Flags::DD), "page {page} is dumped");
    }
}

/// ... and a guard that comes and goes does not undo it.
#[track_caller]
fn assert_secret_for_good(mapping: &Mapping<ReadWrite>) {
    assert_secret(mapping);
    drop(mapping.lock().unwrap());
    assert_secret(mapping);
}

#[test]
fn resizing_through_nothing() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let mut mapping = options.len(page).map_anonymous(ReadWrite).unwrap();
    for len in [3 * page, 0, page, 1, 0, 2 * page] {
        mapping.resize(len).unwrap();
        assert_secret_for_good(&mapping);
    }
    let mut made_of_nothing = options.len(0).map_anonymous(ReadWrite).unwrap();
    made_of_nothing.resize(page).unwrap();
    assert_secret_for_good(&made_of_nothing);
    // Also what lay between guards, or between none.
    for guard in [0, page] {
        let guarded = options.len(0).map_guarded(guard, guard, ReadWrite).unwrap();
        let (_, mut mapping, _) = guarded.into_parts();
        mapping.resize(page).unwrap();
        assert_secret_for_good(&mapping);
    }
    // One of two is of that, and the other not.
    let options = [options.dont_dump(false), options.lock(false)];
    for (options, locked) in options.into_iter().zip([true, false]) {
        let mut mapping = options.len(page).map_anonymous(ReadWrite).unwrap();
        for len in [0, page] {
            mapping.resize(len).unwrap();
        }
        let flags = flags(mapping.as_ptr());
        let (there, gone) = if locked {
            (Flags::LO, Flags::DD)
        } else {
            (Flags::DD, Flags::LO)
        };
        assert!(flags.contains(there) && flags.lacks(gone));
    }
    let mut plain = Mapping::anonymous(page).unwrap();
    for len in [0, page] {
        plain.resize(len).unwrap();
    }
    assert!(flags(plain.as_ptr()).lacks(Flags::LO | Flags::DD));
}

/// Where the kernel has made several mappings of it, more is mapped behind it, or all of it copied.
#[test]
fn growing_in_pieces() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let make = || {
        let mut mapping = options.len(4 * page).map_anonymous(ReadWrite).unwrap();
        mapping
            .advise_range(page..2 * page, Advice::Random)
            .unwrap();
        mapping.fill(5);
        mapping
    };
    let mut mapping = make();
    mapping.resize(32 * page).unwrap();
    assert_secret_for_good(&mapping);
    // With something behind it, it has to move.
    let mut mapping = make();
    let wall = MapOptions::new()
        .len(page)
        .at(mapping.as_ptr().addr() + mapping.len());
    let wall = wall.map_anonymous(ReadWrite);
    mapping.resize(32 * page).unwrap();
    drop(wall);
    assert_secret_for_good(&mapping);
    assert!(mapping[..4 * page].iter().all(|&byte| byte == 5));
    assert!(mapping[4 * page..].iter().all(|&byte| byte == 0));
}

/// What cannot be accessed is locked as well, and grows.
#[test]
fn growing_without_access() {
    let Some(options) = secret() else { return };
    let page = page_size();
    for advised in [false, true] {
        let mapping = options.len(4 * page).map_anonymous(ReadWrite).unwrap();
        if advised {
            mapping.advise_range(..page, Advice::Random).unwrap();
        }
        let mut mapping = mapping.protect(NoAccess).unwrap();
        mapping.resize(8 * page).unwrap();
        assert_secret(&mapping);
        mapping.resize(page).unwrap();
        assert_secret(&mapping);
        let mapping = mapping.protect(ReadWrite).unwrap();
        assert_secret_for_good(&mapping);
    }
}

#[test]
fn parts_and_the_whole() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let whole = options.len(6 * page).map_anonymous(ReadWrite).unwrap();
    let (first, rest) = whole.split_at(2 * page).unwrap();
    let (nothing, rest) = rest.split_at(0).unwrap();
    let (middle, mut last) = rest.split_at(2 * page).unwrap();
    let mut nothing = nothing;
    nothing.resize(page).unwrap();
    assert_secret_for_good(&nothing);
    let middle = middle
        .protect(ReadOnly)
        .unwrap()
        .protect(ReadWrite)
        .unwrap();
    let both = first.join(middle).unwrap();
    assert_secret_for_good(&both);
    last.resize(5 * page).unwrap();
    assert_secret_for_good(&last);
    // Of a mapping whose middle went, both ends are as they were.
    let (first, rest) = last.split_at(page).unwrap();
    let (middle, last) = rest.split_at(page).unwrap();
    drop(middle);
    assert_secret_for_good(&first);
    assert_secret_for_good(&last);
    // Raw, and back.
    let backing = last.backing();
    // SAFETY: it comes from a mapping of this kind, and is used once.
    let last: Mapping<ReadWrite> = unsafe { Mapping::from_raw(last.into_raw(), backing) };
    assert_secret_for_good(&last);
}

#[test]
fn refusals() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let mut mapping = options.len(3 * page).map_anonymous(ReadWrite).unwrap();
    let address = mapping.as_ptr();
    let resized = refusing(SYS_MREMAP, address, libc::ENOMEM, || {
        mapping.resize(64 * page).unwrap_err()
    });
    if resized.is_none() {
        return;
    }
    assert_secret_for_good(&mapping);
    let unmapped = refusing(SYS_MUNMAP, address, libc::ENOMEM, || {
        mapping.unmap().unwrap_err().into_mapping()
    });
    let mut mapping = unmapped.expect("filters, as before");
    assert_secret_for_good(&mapping);
    let tail = address.wrapping_add(page);
    refusing(SYS_MUNMAP, tail, libc::ENOMEM, || {
        mapping.resize(page).unwrap_err()
    });
    assert_eq!(mapping.len(), 3 * page);
    assert_secret_for_good(&mapping);
    let same = refusing(SYS_MPROTECT, address, libc::ENOMEM, || {
        mapping.protect(ReadOnly).unwrap_err().into_mapping()
    });
    assert_secret_for_good(&same.expect("filters, as before"));
}

#[test]
fn to_be_dumped_again_is_remembered() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let mut mapping = options.len(4 * page).map_anonymous(ReadWrite).unwrap();
    mapping.advise(Advice::DoDump).unwrap();
    mapping.advise_range(..page, Advice::Random).unwrap();
    mapping.resize(32 * page).unwrap();
    mapping.resize(0).unwrap();
    mapping.resize(page).unwrap();
    assert!(flags(mapping.as_ptr()).lacks(Flags::DD));
    assert!(is_locked(mapping.as_ptr()));
    // Advice is kept as well as what the mapping was made with.
    let mut advised = Mapping::anonymous(4 * page).unwrap();
    advised.advise(Advice::DontDump).unwrap();
    advised.advise_range(..page, Advice::Random).unwrap();
    advised.resize(32 * page).unwrap();
    assert!(flags(advised.as_ptr()).contains(Flags::DD));
    assert!(flags(advised.as_ptr().wrapping_add(31 * page)).contains(Flags::DD));
}

/// Given by spans it is noted as well.
#[test]
fn advice_on_spans_is_remembered() {
    if lacks::advice("what is left out of core dumps") {
        return;
    }
    let page = page_size();
    let grown = |advice: &[Advice]| {
        let mut mapping = Mapping::anonymous(4 * page).unwrap();
        for advice in advice {
            advice.apply(&[mapping.span(..).unwrap()]).unwrap();
        }
        // Several for the kernel, which cannot move them as one.
        mapping.advise_range(..page, Advice::Random).unwrap();
        mapping.resize(32 * page).unwrap();
        flags(mapping.as_ptr())
    };
    assert!(grown(&[Advice::DontDump]).contains(Flags::DD));
    assert!(grown(&[Advice::DontDump, Advice::DoDump]).lacks(Flags::DD));
}

/// Pages that were hidden stay so when hiding all of them is refused in the middle, for lack of room for
/// notes.
#[test]
fn a_refusal_in_the_middle() {
    if secret().is_none() {
        return;
    }
    let page = page_size();
    let hide = |mapping: &Mapping<ReadWrite>, index: usize| {
        mapping.advise_range(index * page..(index + 1) * page, Advice::DontDump)
    };
    for others in 40..70 {
        let ended = in_a_child(|| {
            // Each is a note.
            let room = Mapping::anonymous(140 * page).unwrap();
            for i in 0..others {
                hide(&room, 2 * i).unwrap();
            }
            let mut mapping = Mapping::anonymous(16 * page).unwrap();
            for i in [0, 2, 4] {
                hide(&mapping, i).unwrap();
            }
            if limit_address_space(1).is_ok() {
                let _or_refused = mapping.advise_range(.., Advice::DontDump);
                limit_address_space(u64::MAX).unwrap();
            }
            mapping.resize(256 * page).unwrap();
            for i in [0, 2, 4] {
                let flags = flags(mapping.as_ptr().wrapping_add(i * page));
                assert!(flags.contains(Flags::DD), "page {i} beside {others}");
            }
        });
        assert!(ended.success(), "{ended}");
    }
}

/// What a guard holds of a part is not held of the whole.
#[test]
fn a_lock_on_a_part_does_not_spread() {
    // Some emulators lose pages when the kernel refuses to move several mappings as one.
    if lacks::own_process("a lock on a part of a mapping that grows") {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(2 * page).unwrap();
    match mapping.lock_range(..page) {
        Ok(guard) => std::mem::forget(guard),
        Err(error) => return skip("a lock on a part", &error.to_string()),
    }
    mapping.resize(64 * page).unwrap();
    assert!(is_unlocked(mapping.as_ptr().wrapping_add(63 * page)));
    assert!(is_unlocked(mapping.as_ptr().wrapping_add(page)));
}

/// A child inherits what is left out of core dumps, as the kernel keeps it, and no locks.
#[test]
fn children() {
    let Some(options) = secret() else { return };
    let page = page_size();
    // In a child, which has no other thread: a child that is made while a thread of another test changes the
    // notes has none of them.
    let ended = in_a_child(|| {
        let mut mapping = options.len(2 * page).map_anonymous(ReadWrite).unwrap();
        assert_secret(&mapping);
        for in_pieces in [false, true] {
            if in_pieces {
                mapping.advise_range(..page, Advice::Random).unwrap();
            }
            assert!(is_true_in_a_child(|| {
                mapping.resize(32 * page).unwrap();
                [0, 1, 31].into_iter().all(|index| {
                    let flags = flags(mapping.as_ptr().wrapping_add(index * page));
                    flags.contains(Flags::DD) && flags.lacks(Flags::LO)
                })
            }));
        }
        assert_secret_for_good(&mapping);
    });
    assert!(ended.success(), "{ended}");
}

/// So many guards that the room for notes of them is exactly used up, or one more or less.
#[test]
fn however_many_guards_there_are() {
    let Some(options) = secret() else { return };
    let page = page_size();
    let other = MapOptions::new().len(600 * page).no_reserve(true);
    let other = other.map_anonymous(ReadWrite).unwrap();
    let mut guards: Vec<LockGuard<'_>> = Vec::new();
    for count in 0..300 {
        // One page between any two.
        let Ok(guard) = other.lock_range(2 * count * page..(2 * count + 1) * page) else {
            return skip("so many guards", "the limit on locked memory");
        };
        guards.push(guard);
        let whole = options.len(4 * page).map_anonymous(ReadWrite).unwrap();
        let (first, rest) = whole.split_at(page).unwrap();
        let (middle, mut last) = rest.split_at(page).unwrap();
        drop(middle);
        last.resize(9 * page).unwrap();
        assert!(is_locked_at_both_ends(&last));
        drop(first.lock().unwrap());
        drop(last.lock().unwrap());
        assert!(is_locked_at_both_ends(&first) && is_locked_at_both_ends(&last));
    }
}

fn is_locked_at_both_ends(mapping: &Mapping<ReadWrite>) -> bool {
    is_locked(mapping.as_ptr()) && is_locked(&raw const mapping[mapping.len() - 1])
}
