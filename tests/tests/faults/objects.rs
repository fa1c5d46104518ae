//! What is tried with shared memory objects, and with what is made of them; with windows, the bytes of
//! files, secrets and code.

use unix_memory::code::{CodeBuffer, Way};
use unix_memory::ring::{SharedRing, pair};
use unix_memory::secret::Secret;
use unix_memory::{
    FileBytes, MapOptions, MemfdOptions, NamedMemory, ReadWrite, SealedMemory, Seals, SharedMemory,
    Windows, page_size,
};

use super::shared::{file, holds, sevens, shared};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    unnamed named_create named_unique named_open unlink memfd set_len seals add_seals seal_memory
    try_clone map_object remap_object sealed_from_bytes sealed_from_fd map_sealed ring shared_ring
    open_ring windows windows_drop file_bytes secret borrow borrow_mut end_borrow drop_secret code
    code_dual into_executable into_writable
];

fn unnamed(trial: &Trial<'_>) {
    let memory = trial.twice(|| SharedMemory::unnamed(100), || ());
    assert_eq!(memory.len(), Ok(100));
}

/// A name that nobody has or had, since process numbers are reused.
pub fn name() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    format!("/unix-memory-faults-{}-{now:x}", std::process::id())
}

fn named_create(trial: &Trial<'_>) {
    let name = name();
    let memory = trial.twice(
        || NamedMemory::create(&name, 100),
        || {
            // Nothing of it is left.
            assert_eq!(NamedMemory::open(&name).unwrap_err().errno(), libc::ENOENT);
        },
    );
    assert_eq!(memory.len(), Ok(100));
}

fn named_unique(trial: &Trial<'_>) {
    drop(trial.twice(|| NamedMemory::create_unique(100), || ()));
}

fn named_open(trial: &Trial<'_>) {
    let name = name();
    let _memory = NamedMemory::create(&name, 100).unwrap();
    trial.twice(|| NamedMemory::open(&name), || ());
}

fn unlink(trial: &Trial<'_>) {
    let name = name();
    let memory = NamedMemory::create(&name, 100).unwrap();
    trial.twice_with(memory, NamedMemory::unlink, |_| {
        drop(NamedMemory::open(&name).unwrap());
    });
    assert!(NamedMemory::open(&name).is_err());
}

fn memfd(trial: &Trial<'_>) {
    let options = MemfdOptions::new().sealing(true);
    trial.twice(|| options.create(100), || ());
}

fn set_len(trial: &Trial<'_>) {
    let memory = SharedMemory::unnamed(100).unwrap();
    trial.twice(
        || memory.set_len(1000),
        || assert_eq!(memory.len(), Ok(100)),
    );
    assert_eq!(memory.len(), Ok(1000));
}

fn sealable() -> SharedMemory {
    MemfdOptions::new().sealing(true).create(100).unwrap()
}

fn seals(trial: &Trial<'_>) {
    let memory = sealable();
    assert!(
        !trial
            .twice(|| memory.seals(), || ())
            .contains(Seals::SHRINK)
    );
}

fn add_seals(trial: &Trial<'_>) {
    let memory = sealable();
    let has_it = || memory.seals().unwrap().contains(Seals::SHRINK);
    trial.twice(|| memory.add_seals(Seals::SHRINK), || assert!(!has_it()));
    assert!(has_it());
}

fn seal_memory(trial: &Trial<'_>) {
    let sealed = trial.twice_with(sealable(), SharedMemory::seal, |it| {
        assert_eq!(it.len(), Ok(100));
    });
    assert_eq!(&sealed[..], [0; 100]);
}

fn try_clone(trial: &Trial<'_>) {
    let memory = sealable();
    trial.twice(|| memory.try_clone(), || ());
}

fn map_object(trial: &Trial<'_>) {
    let memory = sealable();
    let mapping = trial.twice(|| memory.map(ReadWrite), || ());
    assert_eq!(mapping.len(), 100);
}

fn remap_object(trial: &Trial<'_>) {
    let memory = sealable();
    let mut mapping = memory.map(ReadWrite).unwrap();
    memory.set_len(3 * page_size() as u64).unwrap();
    let changed = trial.twice_in(
        &mut mapping,
        |it| memory.remap(it),
        |it| holds(it, &[0; 100]),
    );
    assert!(changed);
    assert_eq!(mapping.len(), 3 * page_size());
}

fn sealed_from_bytes(trial: &Trial<'_>) {
    let sealed = trial.twice(|| SealedMemory::from_bytes(&[7; 100]), || ());
    assert_eq!(&sealed[..], [7; 100]);
}

fn sealed_from_fd(trial: &Trial<'_>) {
    let sealed = SealedMemory::from_bytes(&[7; 100]).unwrap();
    let again = trial.twice(|| SealedMemory::from_fd(&sealed), || ());
    assert_eq!(&again[..], [7; 100]);
}

fn map_sealed(trial: &Trial<'_>) {
    let sealed = SealedMemory::from_bytes(&[7; 100]).unwrap();
    let options = MapOptions::new().len(50);
    let again = trial.twice(|| options.map_sealed(&sealed), || ());
    assert_eq!(&again[..], [7; 50]);
}

fn ring(trial: &Trial<'_>) {
    let (mut producer, mut consumer) = trial.twice(|| pair(1 << 16), || ());
    assert_eq!(producer.push_slice(b"bytes"), 5);
    assert_eq!(consumer.available(), b"bytes");
}

fn shared_ring(trial: &Trial<'_>) {
    trial.twice(|| SharedRing::create(1 << 16), || ());
}

fn open_ring(trial: &Trial<'_>) {
    use std::os::fd::AsFd;
    let ring = SharedRing::create(1 << 16).unwrap();
    let fd = ring.as_fd();
    trial.twice(|| SharedRing::open(fd), || ());
}

fn windows(trial: &Trial<'_>) {
    let file = file();
    let look = || {
        let windows = Windows::new(&file, page_size())?;
        let bytes = windows.map(|window| Ok::<_, unix_memory::Error>(window?.to_vec()?.len()));
        bytes.sum::<Result<usize, _>>()
    };
    assert_eq!(trial.twice(look, || ()), 3 * page_size());
}

fn windows_drop(trial: &Trial<'_>) {
    let file = file();
    let look = || {
        let windows = Windows::new(&file, page_size())?
            .drop_behind(true)
            .read_ahead(true);
        windows
            .map(|window| window.map(|window| window.len()))
            .sum::<Result<usize, _>>()
    };
    assert_eq!(trial.twice(look, || ()), 3 * page_size());
}

fn file_bytes(trial: &Trial<'_>) {
    let file = file();
    let bytes = trial.twice(|| FileBytes::load(&file), || ());
    assert_eq!(&bytes[..], sevens());
}

fn secret(trial: &Trial<'_>) {
    let secret = trial.twice(|| Secret::new_with(100, |bytes| bytes.fill(7)), || ());
    assert_eq!(secret.ct_eq(&[7; 100]), Ok(true));
}

fn one() -> Secret {
    Secret::new_with(100, |bytes| bytes.fill(7)).unwrap()
}

fn borrow(trial: &Trial<'_>) {
    let secret = one();
    let bytes = trial.twice(|| secret.borrow(), || ());
    assert_eq!(&bytes[..], [7; 100]);
}

fn borrow_mut(trial: &Trial<'_>) {
    let mut secret = one();
    trial.twice_in(
        &mut secret,
        |it| it.borrow_mut().map(|mut bytes| bytes.fill(8)),
        |it| {
            assert_eq!(it.ct_eq(&[7; 100]), Ok(true));
        },
    );
    assert_eq!(secret.ct_eq(&[8; 100]), Ok(true));
}

fn end_borrow(trial: &Trial<'_>) {
    let secret = one();
    let bytes = secret.borrow().unwrap();
    trial.does(|| drop(bytes));
    assert_eq!(secret.ct_eq(&[7; 100]), Ok(true));
}

fn drop_secret(trial: &Trial<'_>) {
    let secret = one();
    trial.does(|| drop(secret));
    // If it was refused, it is tried again now.
    drop(shared());
    drop(shared());
}

fn code(trial: &Trial<'_>) {
    drop(trial.twice(|| CodeBuffer::new(100), || ()));
}

fn code_dual(trial: &Trial<'_>) {
    drop(trial.twice(|| CodeBuffer::with(100, Way::DualMapping), || ()));
}

fn into_executable(trial: &Trial<'_>) {
    let buffer = CodeBuffer::with(100, Way::Flip).unwrap();
    drop(trial.twice_with(buffer, CodeBuffer::into_executable, |_| ()));
}

fn into_writable(trial: &Trial<'_>) {
    let code = CodeBuffer::with(100, Way::Flip)
        .unwrap()
        .into_executable()
        .unwrap();
    drop(trial.twice_with(code, unix_memory::code::Code::into_writable, |_| ()));
}
