//! Secret memory, and what others can read of a process: /proc/PID/mem, `process_vm_readv`, a child's own
//! memory.
// Only Linux has such memory, and such files.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use tests::{in_a_child, kernel, lacks, skip, spawn};
use unix_memory::secret::{Protections, Secret, SecretOptions};
use unix_memory::{MapOptions, Mapping, ReadWrite, page_size};

const LEN: usize = 64;

/// Byte `at` of the pattern `which`: never in memory as a whole, but where it is put.
fn byte(which: u64, at: usize) -> u8 {
    let mixed = ((which << 32) + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    std::hint::black_box((mixed ^ (mixed >> 29)).to_le_bytes()[5])
}

fn fill(which: u64, bytes: &mut [u8]) {
    for (at, place) in bytes.iter_mut().enumerate() {
        *place = byte(which, at);
    }
}

fn is_it(which: u64, bytes: &[u8]) -> bool {
    bytes.len() == LEN
        && bytes
            .iter()
            .enumerate()
            .all(|(at, &found)| found == byte(which, at))
}

fn ordinary() -> SecretOptions {
    SecretOptions::new().optional(Protections::LOCKED)
}

/// Options of secret memory, or a line that says that there is none.
fn secret_memory(check: &str) -> Option<SecretOptions> {
    let options = SecretOptions::new().demand(Protections::SECRET_MEMORY);
    match options.zeroed(1) {
        Ok(_) => Some(options),
        Err(error) => {
            skip(check, &error.to_string());
            None
        }
    }
}

/// Bytes of another process, by `process_vm_readv`.
fn by_process_vm(pid: libc::pid_t, address: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0_u8; LEN];
    let ours = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: LEN,
    };
    let theirs = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(address),
        iov_len: LEN,
    };
    // SAFETY: as many bytes can be written as is said; of the other process they are only read.
    match unsafe { libc::process_vm_readv(pid, &raw const ours, 1, &raw const theirs, 1, 0) } {
        -1 => Err(io::Error::last_os_error()),
        read => {
            bytes.truncate(read.unsigned_abs());
            Ok(bytes)
        }
    }
}

/// Bytes of another process, by /proc/PID/mem, for which protections are none.
fn by_file(pid: libc::pid_t, address: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; LEN];
    File::open(format!("/proc/{pid}/mem"))?.read_exact_at(&mut bytes, address as u64)?;
    Ok(bytes)
}

#[test]
fn a_debugger_reads_no_secret_memory() {
    let check = "secret memory of another process";
    let Some(options) = secret_memory(check) else {
        return;
    };
    if lacks::own_process(check) {
        return;
    }
    let (mut theirs, mut ours) = (io::pipe().unwrap(), io::pipe().unwrap());
    let child = spawn(|| {
        let secret = options
            .new_with(LEN, |bytes| fill(1, bytes))
            .expect("a secret");
        let plain = ordinary()
            .new_with(LEN, |bytes| fill(2, bytes))
            .expect("a secret");
        let open = (
            secret.borrow().expect("bytes"),
            plain.borrow().expect("bytes"),
        );
        let addresses = [secret.address(), plain.address()];
        for address in addresses {
            theirs.1.write_all(&address.to_ne_bytes()).expect("a pipe");
        }
        let mut done = [0];
        ours.0.read_exact(&mut done).expect("an answer");
        assert!(is_it(1, &open.0) && is_it(2, &open.1));
    });
    let mut addresses = [0; 2];
    for address in &mut addresses {
        let mut bytes = [0; size_of::<usize>()];
        theirs.0.read_exact(&mut bytes).unwrap();
        *address = usize::from_ne_bytes(bytes);
    }
    let [secret, plain] = addresses;
    let found =
        [by_process_vm, by_file].map(|read| (read(child.id(), secret), read(child.id(), plain)));
    ours.1.write_all(&[1]).unwrap();
    assert!(child.wait().success());
    for (secret, plain) in found {
        match plain {
            // The control: a debugger may read this process, and ordinary memory of it.
            Ok(bytes) => assert!(is_it(2, &bytes)),
            Err(error) => {
                skip(check, &error.to_string());
                continue;
            }
        }
        let errno = secret.expect_err("out of reach").raw_os_error();
        assert!(
            [Some(libc::EFAULT), Some(libc::EIO)].contains(&errno),
            "{errno:?}"
        );
    }
}

/// Nobody gets a descriptor of it either, as root gets for other mappings through /proc/PID/map_files.
#[test]
fn nobody_opens_secret_memory() {
    let check = "files behind secret memory";
    let Some(options) = secret_memory(check) else {
        return;
    };
    if lacks::own_process(check) {
        return;
    }
    let page = page_size();
    let shared = MapOptions::new()
        .len(page)
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    let start = shared.as_ptr().addr();
    if let Err(error) = kernel::file_behind(start..start + page) {
        return skip(check, &error.to_string());
    }
    let secret = options.zeroed(page).unwrap();
    let end = secret.address() + page;
    let opened = kernel::file_behind(end - 2 * page..end).map(drop);
    assert_ne!(
        opened.unwrap_err().raw_os_error(),
        Some(libc::ENOENT),
        "it is one mapping"
    );
    assert!(kernel::names_of_descriptors().is(|names| {
        let is_secret = |name: &std::path::PathBuf| name.to_string_lossy().contains("secretmem");
        !names.iter().any(is_secret)
    }));
}

/// The kernel makes the copies of system calls, but refuses calls that would keep a page.
#[test]
fn system_calls_with_secret_memory() {
    let check = "system calls with secret memory";
    let Some(options) = secret_memory(check) else {
        return;
    };
    let mut secret = options.zeroed(LEN).unwrap();
    let mut source = io::pipe().unwrap();
    source.1.write_all(&[7; LEN]).unwrap();
    source
        .0
        .read_exact(&mut secret.borrow_mut().unwrap())
        .unwrap();
    assert!(secret.ct_eq(&[7; LEN]).unwrap());
    let mut sink = io::pipe().unwrap();
    sink.1.write_all(&secret.borrow().unwrap()).unwrap();
    let mut copy = [0; LEN];
    sink.0.read_exact(&mut copy).unwrap();
    assert_eq!(copy, [7; LEN]);

    let bytes = secret.borrow().unwrap();
    let part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: LEN,
    };
    // SAFETY: the bytes are there as long as the pipe could refer to them.
    let spliced = unsafe { libc::vmsplice(sink.1.as_raw_fd(), &raw const part, 1, 0) };
    let error = io::Error::last_os_error();
    assert_eq!((spliced, error.raw_os_error()), (-1, Some(libc::EFAULT)));
}

/// Whether the pattern `which` is anywhere in the memory of this process that can be read by its file.
fn is_in_memory(which: u64) -> bool {
    let memory = File::open("/proc/self/mem").expect("its memory");
    let maps = fs::read_to_string("/proc/self/maps").expect("its mappings");
    let mut chunk = vec![0; 1 << 20];
    let first = byte(which, 0);
    for line in maps.lines() {
        let range = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        let (start, end) = range.expect("a range");
        let number = |text| u64::from_str_radix(text, 16).expect("an address");
        let (mut at, end) = (number(start), number(end));
        if line.contains(" ---p ") && end - at > 16 << 20 {
            // Room that the allocator keeps: it is long, and holds nothing.
            continue;
        }
        while at < end {
            let len = usize::try_from(end - at).map_or(chunk.len(), |left| left.min(chunk.len()));
            // What cannot be read page by page cannot be read.
            let Ok(read) = memory.read_at(&mut chunk[..len], at) else {
                at += page_size() as u64;
                continue;
            };
            if (0..read).any(|i| chunk[i] == first && is_it(which, &chunk[i..read.min(i + LEN)])) {
                return true;
            }
            at += read.max(1) as u64;
        }
        chunk.fill(0);
    }
    false
}

#[test]
fn a_child_has_no_copy_anywhere() {
    let check = "the memory of a child";
    if lacks::own_process(check) || lacks::advice(check) {
        return;
    }
    let kinds = [Some(ordinary()), secret_memory(check)];
    for (kind, options) in kinds.into_iter().enumerate() {
        let Some(options) = options else { continue };
        let (ours, control) = (100 + kind as u64, 200 + kind as u64);
        let fill_it = |bytes: &mut [u8]| fill(ours, bytes);
        let closed: Secret = options.new_with(LEN, fill_it).unwrap();
        let open = options.new_with(LEN, fill_it).unwrap();
        let _guard = open.borrow().unwrap();
        let mut plain = Mapping::anonymous(page_size()).unwrap();
        fill(control, &mut plain[..LEN]);
        let status = in_a_child(|| {
            assert!(is_in_memory(control), "what is no secret is found");
            assert!(!is_in_memory(ours), "a copy of kind {kind}");
        });
        assert!(status.success());
        // And the parent, who has the ordinary ones, finds them by the same search.
        if kind == 0 {
            assert!(is_in_memory(ours));
        }
        assert!(closed.with(|bytes| is_it(ours, bytes)).unwrap());
    }
}
