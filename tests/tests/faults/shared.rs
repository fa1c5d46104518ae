//! What is tried with memory that others may change, and with mapped files.

use std::fs::File;
use std::io::{Seek, Write};

use unix_memory::{
    Advice, MapOptions, ReadOnly, ReadWrite, SharedMapping, install_fault_handler, page_size,
};

use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    map_shared map_private map_shared_anonymous map_empty_file map_droppable read_at write_at
    write_at_file fill copy_within compare_at atomics resize_shared protect_shared unmap_shared
    flush_durable file_grow file_truncate file_follow file_read file_write file_append fault_handler
];

/// A file of three pages of sevens.
pub fn file() -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![7; 3 * page_size()]).unwrap();
    // Where it is read as what has no places, that begins here.
    file.rewind().unwrap();
    file
}

pub fn shared() -> SharedMapping<ReadWrite> {
    let options = MapOptions::new().len(3 * page_size());
    let mapping = options.map_anonymous_shared(ReadWrite).unwrap();
    mapping.fill(.., 7).unwrap();
    mapping
}

pub fn holds<A: unix_memory::Readable>(mapping: &SharedMapping<A>, bytes: &[u8]) {
    assert!(mapping.eq_at(0, bytes).unwrap());
}

pub fn sevens() -> Vec<u8> {
    vec![7; 3 * page_size()]
}

fn map_shared(trial: &Trial<'_>) {
    let (file, options) = (file(), MapOptions::new().offset(100));
    let mapping = trial.twice(|| options.map_shared(&file, ReadWrite), || ());
    assert_eq!(mapping.len(), 3 * page_size() - 100);
}

fn map_private(trial: &Trial<'_>) {
    let file = file();
    let mapping = trial.twice(|| MapOptions::new().map_private(&file, ReadWrite), || ());
    holds(&mapping, &sevens());
}

fn map_shared_anonymous(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100);
    drop(trial.twice(|| options.map_anonymous_shared(ReadWrite), || ()));
}

fn map_empty_file(trial: &Trial<'_>) {
    let file = tempfile::tempfile().unwrap();
    let mapping = trial.twice(|| MapOptions::new().map_shared(&file, ReadWrite), || ());
    assert!(mapping.is_empty());
}

fn map_droppable(trial: &Trial<'_>) {
    let options = MapOptions::new().len(100);
    drop(trial.twice(|| options.map_droppable(ReadWrite), || ()));
}

fn read_at(trial: &Trial<'_>) {
    let (mapping, mut bytes) = (shared(), [0; 100]);
    trial.twice(|| mapping.read_at(0, &mut bytes), || ());
    assert_eq!(bytes, [7; 100]);
}

fn write_at(trial: &Trial<'_>) {
    let mapping = shared();
    trial.twice(|| mapping.write_at(0, &[8; 100]), || ());
    holds(&mapping, &[8; 100]);
}

fn write_at_file(trial: &Trial<'_>) {
    let mapping = MapOptions::new().map_shared(file(), ReadWrite).unwrap();
    trial.twice(|| mapping.write_at(0, &[8; 100]), || ());
    holds(&mapping, &[8; 100]);
}

fn fill(trial: &Trial<'_>) {
    let mapping = shared();
    trial.twice(|| mapping.fill(..100, 8), || ());
    holds(&mapping, &[8; 100]);
}

fn copy_within(trial: &Trial<'_>) {
    let mapping = shared();
    mapping.write_at(0, &[8; 100]).unwrap();
    trial.twice(|| mapping.copy_within(..100, 100), || ());
    holds(&mapping, &[8; 200]);
}

fn compare_at(trial: &Trial<'_>) {
    let mapping = shared();
    assert!(trial.twice(|| mapping.eq_at(0, &[7; 100]), || ()));
}

fn atomics(trial: &Trial<'_>) {
    use std::sync::atomic::AtomicU32;
    let mapping = shared();
    let ask = || {
        mapping
            .atomic::<AtomicU32>(0)
            .map(|atomic| atomic.load(std::sync::atomic::Ordering::Relaxed))
    };
    assert_eq!(trial.twice(ask, || ()), 0x0707_0707);
}

fn resize_shared(trial: &Trial<'_>) {
    let mut mapping = MapOptions::new()
        .len(100)
        .map_shared(file(), ReadWrite)
        .unwrap();
    let len = 3 * page_size();
    trial.twice_in(&mut mapping, |it| it.resize(len), |it| holds(it, &[7; 100]));
    holds(&mapping, &sevens());
}

fn protect_shared(trial: &Trial<'_>) {
    let mapping = trial.twice_with(
        shared(),
        |it| it.protect(ReadOnly),
        |it| holds(it, &sevens()),
    );
    holds(&mapping, &sevens());
}

fn unmap_shared(trial: &Trial<'_>) {
    trial.twice_with(shared(), SharedMapping::unmap, |it| holds(it, &sevens()));
}

fn flush_durable(trial: &Trial<'_>) {
    let file = file();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.fill(.., 8).unwrap();
    trial.twice(|| mapping.flush_durable(&file), || ());
}

fn file_grow(trial: &Trial<'_>) {
    let (file, len) = (file(), 5 * page_size());
    let mut mapped = MapOptions::new().map_file(&file, ReadWrite).unwrap();
    trial.twice_in(
        &mut mapped,
        |it| it.grow(len),
        |it| {
            assert_eq!(it.len(), 3 * page_size());
            assert_eq!(file.metadata().unwrap().len(), 3 * page_size() as u64);
            holds(it, &sevens());
        },
    );
    assert_eq!(file.metadata().unwrap().len(), len as u64);
    holds(&mapped, &sevens());
    mapped.write_at(len - 1, &[1]).unwrap();
}

fn file_truncate(trial: &Trial<'_>) {
    let file = file();
    let mut mapped = MapOptions::new().map_file(&file, ReadWrite).unwrap();
    // (The file first: if the mapping stays long, what is past the file's end cannot be accessed.)
    trial.twice_in(
        &mut mapped,
        |it| it.truncate(100),
        |it| holds(it, &[7; 100]),
    );
    assert_eq!((mapped.len(), file.metadata().unwrap().len()), (100, 100));
}

fn file_follow(trial: &Trial<'_>) {
    let (file, len) = (file(), 5 * page_size());
    let mut mapped = MapOptions::new().map_file(&file, ReadWrite).unwrap();
    file.set_len(len as u64).unwrap();
    let followed = trial.twice_in(&mut mapped, unix_memory::MappedFile::follow, |it| {
        holds(it, &sevens());
    });
    assert!(followed);
    assert_eq!(mapped.len(), len);
}

fn file_read(trial: &Trial<'_>) {
    let mapped = MapOptions::new().map_file(file(), ReadWrite).unwrap();
    let both = || {
        let mut bytes = [0; 10];
        mapped.read_at(page_size() - 5, &mut bytes)?;
        let (mut buffer, mut sum) = ([0; 5000], 0);
        let mut chunks = mapped.chunks_in(&mut buffer);
        while let Some(chunk) = chunks.next() {
            sum += chunk?.len();
        }
        Ok::<_, unix_memory::Error>((bytes, sum))
    };
    assert_eq!(trial.twice(both, || ()), ([7; 10], 3 * page_size()));
}

fn file_write(trial: &Trial<'_>) {
    let mapped = MapOptions::new().map_file(file(), ReadWrite).unwrap();
    trial.twice(|| mapped.write_at(page_size() - 5, &[8; 10]), || ());
    assert!(mapped.eq_at(page_size() - 5, &[8; 10]).unwrap());
}

fn file_append(trial: &Trial<'_>) {
    let file = file();
    let mut mapped = MapOptions::new().map_file(&file, ReadWrite).unwrap();
    trial.twice_in(
        &mut mapped,
        |it| it.append(&[8; 100]),
        |it| {
            assert_eq!(it.len(), 3 * page_size());
            assert_eq!(file.metadata().unwrap().len(), 3 * page_size() as u64);
        },
    );
    assert_eq!(mapped.len(), 3 * page_size() + 100);
    assert!(mapped.eq_at(3 * page_size(), &[8; 100]).unwrap());
}

fn fault_handler(trial: &Trial<'_>) {
    trial.twice(install_fault_handler, || ());
    let mapping = shared();
    mapping.advise(Advice::Normal).unwrap();
    holds(&mapping, &sevens());
}
