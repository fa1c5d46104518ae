//! What is tried with secrets, code, and the bytes of files, apart from making them.

use unix_memory::code::{Code, CodeBuffer, Way};
use unix_memory::reserve::{Reservation, ReservedVec};
use unix_memory::secret::{Secret, SecretOptions};
use unix_memory::{Advice, FileBytes, FileBytesOptions, SealedMemory, Stack, Windows, page_size};

use super::shared::{file, sevens};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    secret_zeroed secret_from_slice secret_clone secret_with secret_with_mut secret_ct_eq secret_drop_two
    secret_memory code_patch code_read drop_code drop_code_dual code_function map_bytes_private
    map_bytes_shared load_part load_sealed load_pipe window_from reservation_aligned advise_reservation
    drop_reservation try_push try_extend drop_vec truncate_vec stack_with_guard drop_stack
];

fn one() -> Secret {
    Secret::new_with(100, |bytes| bytes.fill(7)).unwrap()
}

fn is_one(secret: &Secret) {
    assert_eq!(secret.ct_eq(&[7; 100]), Ok(true));
}

fn secret_zeroed(trial: &Trial<'_>) {
    let secret = trial.twice(|| Secret::zeroed(100), || ());
    assert_eq!(secret.ct_eq(&[0; 100]), Ok(true));
}

fn secret_from_slice(trial: &Trial<'_>) {
    let mut source = [7; 100];
    let make = |it: &mut [u8; 100]| Secret::from_slice_wiping(it);
    // What could not be taken is not lost.
    let secret = trial.twice_in(&mut source, make, |it| assert_eq!(it, &[7; 100]));
    is_one(&secret);
    assert_eq!(source, [0; 100]);
}

fn secret_clone(trial: &Trial<'_>) {
    let secret = one();
    let clone = trial.twice(|| secret.try_clone(), || is_one(&secret));
    is_one(&clone);
    is_one(&secret);
}

fn secret_with(trial: &Trial<'_>) {
    let secret = one();
    assert_eq!(trial.twice(|| secret.with(<[u8]>::len), || ()), 100);
}

fn secret_with_mut(trial: &Trial<'_>) {
    let mut secret = one();
    trial.twice_in(&mut secret, |it| it.with_mut(|bytes| bytes.fill(8)), is_one);
    assert_eq!(secret.ct_eq(&[8; 100]), Ok(true));
}

fn secret_ct_eq(trial: &Trial<'_>) {
    let secret = one();
    assert!(trial.twice(|| secret.ct_eq(&[7; 100]), || ()));
}

fn secret_drop_two(trial: &Trial<'_>) {
    let (first, second) = (one(), one());
    trial.does(|| {
        drop(first);
        drop(second);
    });
    drop(one());
}

fn secret_memory(trial: &Trial<'_>) {
    let options = SecretOptions::new().secret_memory(true);
    let secret = trial.twice(|| options.new_with(100, |bytes| bytes.fill(7)), || ());
    is_one(&secret);
}

fn dual() -> Code {
    let mut buffer = CodeBuffer::with(100, Way::DualMapping).unwrap();
    buffer.fill(7);
    buffer.into_executable().unwrap()
}

fn code_patch(trial: &Trial<'_>) {
    let mut code = dual();
    // SAFETY: it is not executed.
    trial.twice_in(&mut code, |it| unsafe { it.patch(10, &[8]) }, |_| ());
    let mut byte = [0];
    code.read_at(10, &mut byte).unwrap();
    assert_eq!(byte, [8]);
}

fn code_read(trial: &Trial<'_>) {
    let (code, mut bytes) = (dual(), [0; 100]);
    trial.twice(|| code.read_at(0, &mut bytes), || ());
    assert_eq!(bytes, [7; 100]);
}

fn drop_code(trial: &Trial<'_>) {
    let buffer = CodeBuffer::with(100, Way::Flip).unwrap();
    trial.does(|| drop(buffer));
}

fn drop_code_dual(trial: &Trial<'_>) {
    let code = dual();
    trial.does(|| drop(code));
}

fn code_function(trial: &Trial<'_>) {
    let code = dual();
    trial.twice(|| code.entry(10), || ());
}

fn map_bytes_private(trial: &Trial<'_>) {
    let file = file();
    // SAFETY: nobody else has the file.
    let map = || unsafe { FileBytesOptions::new().map_private(&file) };
    assert_eq!(&trial.twice(map, || ())[..], sevens());
}

fn map_bytes_shared(trial: &Trial<'_>) {
    let file = file();
    // SAFETY: nobody else has the file.
    let map = || unsafe { FileBytesOptions::new().map_shared(&file) };
    assert_eq!(&trial.twice(map, || ())[..], sevens());
}

fn load_part(trial: &Trial<'_>) {
    let (file, options) = (file(), FileBytesOptions::new().offset(10).len(100));
    assert_eq!(&trial.twice(|| options.load(&file), || ())[..], [7; 100]);
}

fn load_sealed(trial: &Trial<'_>) {
    let sealed = SealedMemory::from_bytes(&[7; 100]).unwrap();
    assert_eq!(
        &trial.twice(|| FileBytes::load(&sealed), || ())[..],
        [7; 100]
    );
}

fn load_pipe(trial: &Trial<'_>) {
    use std::io::Write;
    // What was read of a stream before the refusal is gone: a second try has a stream of its own.
    let full = || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&[7; 100]).unwrap();
        reader
    };
    let mut first = Some(full());
    let load = || FileBytes::load(first.take().unwrap_or_else(full));
    assert_eq!(&trial.twice(load, || ())[..], [7; 100]);
}

fn window_from(trial: &Trial<'_>) {
    let file = file();
    let open = || {
        let mut windows = Windows::new(&file, page_size())?.start_at(10).end_at(20);
        windows.next().expect("one").map(|window| window.len())
    };
    assert_eq!(trial.twice(open, || ()), 10);
}

fn reservation_aligned(trial: &Trial<'_>) {
    drop(trial.twice(
        || Reservation::with_alignment(9 * page_size(), 1 << 21),
        || (),
    ));
}

fn committed() -> Reservation {
    let mut reservation = Reservation::new(9 * page_size()).unwrap();
    reservation.commit(..page_size()).unwrap();
    reservation
}

fn advise_reservation(trial: &Trial<'_>) {
    let reservation = committed();
    let advise = || reservation.advise_range(..page_size(), Advice::Random);
    trial.twice(advise, || ());
}

fn drop_reservation(trial: &Trial<'_>) {
    let reservation = committed();
    trial.does(|| drop(reservation));
}

/// As many elements as fit into what is committed of it.
fn full() -> ReservedVec<u64> {
    let mut vec = ReservedVec::with_max_capacity(1 << 20).unwrap();
    vec.push(0);
    while vec.len() < vec.capacity() {
        vec.push(vec.len() as u64);
    }
    vec
}

fn counts(vec: &ReservedVec<u64>) {
    assert!(vec.iter().copied().eq(0..vec.len() as u64));
}

fn try_push(trial: &Trial<'_>) {
    let mut vec = full();
    let next = vec.len() as u64;
    let push = |it: &mut ReservedVec<u64>| it.try_push(next);
    trial.twice_in(&mut vec, push, |it| {
        counts(it);
        assert_eq!(it.len() as u64, next);
    });
    counts(&vec);
}

fn try_extend(trial: &Trial<'_>) {
    let mut vec = full();
    let more: Vec<_> = (vec.len() as u64..).take(5000).collect();
    trial.twice_in(&mut vec, |it| it.try_extend_from_slice(&more), counts);
    counts(&vec);
}

fn drop_vec(trial: &Trial<'_>) {
    let vec = full();
    trial.does(|| drop(vec));
}

fn truncate_vec(trial: &Trial<'_>) {
    let mut vec = full();
    trial.does(|| vec.truncate(1));
    counts(&vec);
}

fn stack_with_guard(trial: &Trial<'_>) {
    let stack = trial.twice(|| Stack::with_guard(1 << 16, 1 << 16), || ());
    assert!(stack.guard_size() >= 1 << 16);
}

fn drop_stack(trial: &Trial<'_>) {
    let stack = Stack::new(1 << 16).unwrap();
    trial.does(|| drop(stack));
}
