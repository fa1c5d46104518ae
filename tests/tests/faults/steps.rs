//! What is tried with both guards, apart from what only one of them has.

use tests::lacks;
use unix_memory::{
    Flush, MapOptions, Mapping, Mechanism, ReadWrite, UncheckedAdvice, page_size,
    uninstall_fault_handler,
};

use super::mappings::{filled, is_as_it_was};
use super::shared::{file, holds, sevens, shared};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    populate_in_steps populate_shared populate_write_shared huge_bytes sync_code advise_unchecked
    flush_shared lock_shared residency_shared resident shared_to_vec values chunks cursor compare
    read_shared_file advise_shared set_shared_protection protect_locked map_populated map_no_reserve
    map_with_guard_of_none uninstall handler_state read_by_pipe write_by_pipe read_by_the_kernel
    write_by_the_kernel map_file
];

pub const NAMES: &[Scenario] = scenarios![name name_shared];

fn populate_in_steps(trial: &Trial<'_>) {
    let mapping = Mapping::anonymous(3 * page_size()).unwrap();
    let populate = || {
        mapping
            .populate_in_steps(page_size())
            .collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(trial.twice(populate, || ()).len(), 3);
    assert!(mapping.residency().all(|is_in| is_in == Ok(true)));
}

fn populate_shared(trial: &Trial<'_>) {
    let mapping = MapOptions::new().map_shared(file(), ReadWrite).unwrap();
    trial.twice(|| mapping.populate(), || ());
    assert!(mapping.residency().all(|is_in| is_in == Ok(true)));
}

fn populate_write_shared(trial: &Trial<'_>) {
    let mapping = shared();
    trial.twice(|| mapping.populate_write(), || holds(&mapping, &sevens()));
    holds(&mapping, &sevens());
}

fn huge_bytes(trial: &Trial<'_>) {
    let mapping = filled();
    assert_eq!(trial.twice(|| mapping.huge_bytes(), || ()), 0);
}

fn sync_code(trial: &Trial<'_>) {
    let mapping = filled().protect(unix_memory::ReadExecute).unwrap();
    trial.twice(|| mapping.sync_instruction_cache(..), || ());
}

fn advise_unchecked(trial: &Trial<'_>) {
    let (mapping, page) = (filled(), page_size());
    // SAFETY: nothing refers to the content.
    let advise = || unsafe { mapping.advise_unchecked(page..2 * page, UncheckedAdvice::DontNeed) };
    trial.twice(advise, || is_as_it_was(&mapping));
    assert!(mapping[page..2 * page].iter().all(|&byte| byte == 0));
}

fn flush_shared(trial: &Trial<'_>) {
    let mapping = MapOptions::new().map_shared(file(), ReadWrite).unwrap();
    let flush = || mapping.flush_range(page_size().., Flush::Sync);
    trial.twice(flush, || holds(&mapping, &sevens()));
}

fn lock_shared(trial: &Trial<'_>) {
    let mapping = shared();
    let unlocked = || assert!(tests::is_unlocked(mapping.as_ptr()));
    let guard = trial.twice(|| mapping.lock(), unlocked);
    assert!(tests::is_locked(mapping.as_ptr()));
    drop(guard);
    unlocked();
}

fn residency_shared(trial: &Trial<'_>) {
    let mapping = shared();
    let ask = || mapping.residency_range(..)?.collect::<Result<Vec<_>, _>>();
    assert_eq!(trial.twice(ask, || ()), [true; 3]);
}

fn resident(trial: &Trial<'_>) {
    let mapping = filled();
    let ask = || mapping.residency().resident();
    assert_eq!(trial.twice(ask, || ()), 3);
}

fn shared_to_vec(trial: &Trial<'_>) {
    let mapping = shared();
    assert_eq!(trial.twice(|| mapping.to_vec(), || ()), sevens());
}

fn values(trial: &Trial<'_>) {
    let mapping = shared();
    let both = || {
        mapping.write_values(8, &[1_u64, 2])?;
        mapping.write_value(24, &3_u64)?;
        let mut read = [0_u64; 2];
        mapping.read_values(8, &mut read)?;
        let last = mapping.read_value::<u64>(24)?;
        Ok::<_, unix_memory::Error>([read[0], read[1], last])
    };
    assert_eq!(trial.twice(both, || ()), [1, 2, 3]);
}

fn chunks(trial: &Trial<'_>) {
    let (mapping, mut buffer) = (shared(), [0; 1000]);
    let count = || {
        let mut chunks = mapping.chunks_in(&mut buffer);
        let mut sum = 0;
        while let Some(chunk) = chunks.next() {
            sum += chunk?.len();
        }
        Ok::<_, unix_memory::Error>(sum)
    };
    assert_eq!(trial.twice(count, || ()), 3 * page_size());
}

fn cursor(trial: &Trial<'_>) {
    use std::io::Read;
    let mapping = shared();
    let read = || {
        let mut bytes = Vec::new();
        let read = unix_memory::Cursor::new(&mapping).read_to_end(&mut bytes);
        read.map_err(|error| unix_memory::Error::from_io(&error).expect("one of this crate"))?;
        Ok::<_, unix_memory::Error>(bytes)
    };
    assert_eq!(trial.twice(read, || ()), sevens());
}

fn compare(trial: &Trial<'_>) {
    let mapping = shared();
    let order = trial.twice(|| mapping.compare_at(0, &[8]), || ());
    assert!(order.is_lt());
}

fn read_shared_file(trial: &Trial<'_>) {
    let (mapping, mut bytes) = (
        MapOptions::new().map_shared(file(), ReadWrite).unwrap(),
        [0; 100],
    );
    trial.twice(|| mapping.read_at(page_size(), &mut bytes), || ());
    assert_eq!(bytes, [7; 100]);
}

fn advise_shared(trial: &Trial<'_>) {
    let mapping = shared();
    let advise = || mapping.advise(unix_memory::Advice::Random);
    trial.twice(advise, || {
        assert!(tests::flags(mapping.as_ptr()).lacks(tests::Flags::RR));
    });
    holds(&mapping, &sevens());
}

fn set_shared_protection(trial: &Trial<'_>) {
    let mut mapping = shared().erase();
    trial.twice_in(
        &mut mapping,
        |it| it.set_protection(unix_memory::Protection::READ),
        |it| {
            assert_eq!(
                it.protection(),
                unix_memory::Protection::READ | unix_memory::Protection::WRITE
            );
        },
    );
    assert_eq!(mapping.protection(), unix_memory::Protection::READ);
}

fn protect_locked(trial: &Trial<'_>) {
    let locked = filled().into_locked().unwrap();
    let locked = trial.twice_with(
        locked,
        |it| it.protect(unix_memory::ReadOnly),
        |it| {
            is_as_it_was(it.mapping());
            assert!(tests::is_locked(it.as_ptr()));
        },
    );
    assert!(tests::is_locked(locked.as_ptr()));
}

fn map_populated(trial: &Trial<'_>) {
    let options = MapOptions::new().len(3 * page_size()).populate(true);
    let mapping = trial.twice(|| options.map_anonymous(ReadWrite), || ());
    assert!(mapping.residency().all(|is_in| is_in == Ok(true)));
}

fn map_no_reserve(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100).no_reserve(true).stack(true);
    drop(trial.twice(|| options.map_anonymous(ReadWrite), || ()));
}

fn map_with_guard_of_none(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100).lock(true);
    let guarded = trial.twice(|| options.map_guarded(0, page_size(), ReadWrite), || ());
    assert!(tests::is_locked(guarded.mapping().as_ptr()));
}

fn uninstall(trial: &Trial<'_>) {
    unix_memory::install_fault_handler().unwrap();
    trial.twice(uninstall_fault_handler, || ());
}

fn handler_state(trial: &Trial<'_>) {
    unix_memory::install_fault_handler().unwrap();
    let state = trial.twice(unix_memory::fault_handler, || ());
    assert_eq!(state, unix_memory::FaultHandler::Installed);
}

fn read_by(trial: &Trial<'_>, mechanism: Mechanism) {
    let (mapping, mut bytes) = (shared(), vec![0; 2 * page_size()]);
    trial.twice(|| mapping.read_at_with(mechanism, 0, &mut bytes), || ());
    assert!(bytes.iter().all(|&byte| byte == 7));
}

fn write_by(trial: &Trial<'_>, mechanism: Mechanism) {
    let (mapping, bytes) = (shared(), vec![8; 2 * page_size()]);
    trial.twice(|| mapping.write_at_with(mechanism, 0, &bytes), || ());
    holds(&mapping, &bytes);
}

fn read_by_pipe(trial: &Trial<'_>) {
    read_by(trial, Mechanism::Pipe);
}

fn write_by_pipe(trial: &Trial<'_>) {
    write_by(trial, Mechanism::Pipe);
}

fn read_by_the_kernel(trial: &Trial<'_>) {
    read_by(trial, Mechanism::ProcessVm);
}

fn write_by_the_kernel(trial: &Trial<'_>) {
    write_by(trial, Mechanism::ProcessVm);
}

fn map_file(trial: &Trial<'_>) {
    let options = MapOptions::new();
    let mapped = trial.twice_with(
        file(),
        |it| options.map_file(it, ReadWrite),
        |it| {
            assert_eq!(it.metadata().unwrap().len(), 3 * page_size() as u64);
        },
    );
    holds(&mapped, &sevens());
}

fn name(trial: &Trial<'_>) {
    let mapping = filled();
    trial.twice(
        || mapping.set_name(Some(c"faults")),
        || is_as_it_was(&mapping),
    );
}

fn name_shared(trial: &Trial<'_>) {
    let mapping = shared();
    let name = || mapping.set_name_range(page_size().., Some(c"faults"));
    trial.twice(name, || holds(&mapping, &sevens()));
}

/// Whether there are no names to give.
pub fn lacks_names() -> bool {
    lacks::names_of_memory("faults of names")
}
