//! What is tried with named objects, and with rings that two processes share.

use std::os::fd::AsFd;

use libc::ENOENT;
use unix_memory::ring::{SharedConsumer, SharedProducer, SharedRing};
use unix_memory::{MapOptions, NamedMemory, ReadOnly, SealedMemory, SharedMemory, page_size};

use super::objects::name;
use super::shared::{file, holds, sevens};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    create_with_mode open_read_only remove adopt drop_named persist memory_len sealed_seals
    map_shared_raw into_producer into_consumer push_slice pop_slice drop_ring sealed_try_from
];

fn is_gone(name: &str) {
    assert_eq!(NamedMemory::open(name).unwrap_err().errno(), ENOENT);
}

fn create_with_mode(trial: &Trial<'_>) {
    let name = name();
    let create = || NamedMemory::create_with_mode(&name, 100, 0o640);
    let memory = trial.twice(create, || is_gone(&name));
    assert_eq!(memory.len(), Ok(100));
}

fn open_read_only(trial: &Trial<'_>) {
    let name = name();
    let _memory = NamedMemory::create(&name, 100).unwrap();
    let memory = trial.twice(|| NamedMemory::open_read_only(&name), || ());
    drop(memory.map(ReadOnly).unwrap());
}

fn remove(trial: &Trial<'_>) {
    let name = name();
    let memory = NamedMemory::create(&name, 100).unwrap().persist();
    let is_there = || drop(NamedMemory::open(&name).unwrap());
    trial.twice(|| NamedMemory::remove(&name), is_there);
    is_gone(&name);
    drop(memory);
}

fn adopt(trial: &Trial<'_>) {
    let name = name();
    let mut memory = NamedMemory::create(&name, 100).unwrap();
    trial.twice_in(&mut memory, NamedMemory::adopt, |_| ());
    drop(memory);
    is_gone(&name);
}

fn drop_named(trial: &Trial<'_>) {
    let name = name();
    let memory = NamedMemory::create(&name, 100).unwrap();
    trial.does(|| drop(memory));
    // If it was refused, the name stays.
    let _or_gone = NamedMemory::remove(&name);
}

fn persist(trial: &Trial<'_>) {
    let name = name();
    let memory = NamedMemory::create(&name, 100).unwrap();
    trial.does(|| drop(memory.persist()));
    NamedMemory::remove(&name).unwrap();
}

fn memory_len(trial: &Trial<'_>) {
    let memory = SharedMemory::unnamed(100).unwrap();
    assert_eq!(trial.twice(|| memory.len(), || ()), 100);
}

fn sealed_seals(trial: &Trial<'_>) {
    let sealed = SealedMemory::from_bytes(&[7; 100]).unwrap();
    assert!(!trial.twice(|| sealed.seals(), || ()).is_empty());
}

fn sealed_try_from(trial: &Trial<'_>) {
    let sealed = SealedMemory::from_bytes(&[7; 100]).unwrap();
    let memory = SharedMemory::from(sealed.as_fd().try_clone_to_owned().unwrap());
    let again = trial.twice_with(memory, SealedMemory::try_from, |it| {
        assert_eq!(it.len(), Ok(100));
    });
    assert_eq!(&again[..], [7; 100]);
}

fn map_shared_raw(trial: &Trial<'_>) {
    use std::os::fd::AsRawFd;
    let (file, options) = (file(), MapOptions::new().len(3 * page_size()));
    // SAFETY: the file is open for as long.
    let map = || unsafe { options.map_shared_raw(file.as_raw_fd(), ReadOnly) };
    holds(&trial.twice(map, || ()), &sevens());
}

fn ends() -> (SharedProducer, SharedConsumer) {
    let ring = SharedRing::create(page_size()).unwrap();
    let other = SharedRing::open(ring.as_fd()).unwrap();
    (
        ring.into_producer().unwrap(),
        other.into_consumer().unwrap(),
    )
}

fn into_producer(trial: &Trial<'_>) {
    // It takes the ring: another is made for a second try.
    let make = || SharedRing::create(page_size()).unwrap();
    let mut first = Some(make());
    let producer = trial.twice(|| first.take().unwrap_or_else(make).into_producer(), || ());
    assert!(!producer.is_closed());
}

fn into_consumer(trial: &Trial<'_>) {
    let make = || SharedRing::create(page_size()).unwrap();
    let mut first = Some(make());
    let consumer = trial.twice(|| first.take().unwrap_or_else(make).into_consumer(), || ());
    assert!(!consumer.is_closed());
}

fn push_slice(trial: &Trial<'_>) {
    let (mut producer, mut consumer) = ends();
    assert_eq!(
        trial.twice_in(&mut producer, |it| it.push_slice(b"bytes"), |_| ()),
        5
    );
    let mut bytes = [0; 10];
    assert_eq!(consumer.pop_slice(&mut bytes), Ok(5));
    assert_eq!(&bytes[..5], b"bytes");
}

fn pop_slice(trial: &Trial<'_>) {
    let (mut producer, mut consumer) = ends();
    assert_eq!(producer.push_slice(b"bytes"), Ok(5));
    let mut bytes = [0; 10];
    assert_eq!(trial.twice(|| consumer.pop_slice(&mut bytes), || ()), 5);
    assert_eq!(&bytes[..5], b"bytes");
}

fn drop_ring(trial: &Trial<'_>) {
    let (producer, consumer) = ends();
    trial.does(|| drop(producer));
    assert!(consumer.is_closed());
}
