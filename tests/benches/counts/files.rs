//! Files and objects: mapped, written back, gone over.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::fd::AsRawFd;

use unix_memory::{
    Advice, Flush, MapOptions, MemfdOptions, ReadOnly, ReadWrite, SealedMemory, Seals,
    SharedMemory, Windows, page_size,
};

use crate::bare;
use crate::operation::operations;

/// A file of `len` bytes.
fn file(len: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![1; len]).unwrap();
    file
}

/// The length of `file`, as the kernel says.
fn length(file: &File) -> usize {
    // SAFETY: it holds only integers.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the status can be written.
    bare::zero(unsafe { libc::fstat(file.as_raw_fd(), &raw mut status) });
    status.st_size.try_into().unwrap()
}

operations! {
    /// Those of files.
    "a file of a known length, mapped and dropped" => {
        "libc" => |n| {
            let file = file(4096);
            for _ in 0..n {
                let shared = bare::map(4096, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd());
                bare::unmap(shared, 4096);
            }
        },
        "memmap2" => |n| {
            let file = file(4096);
            for _ in 0..n {
                // SAFETY: nobody else has the file.
                drop(black_box(unsafe { memmap2::MmapOptions::new().len(4096).map(&file) }.unwrap()));
            }
        },
        "unix-memory" => |n| {
            let file = file(4096);
            for _ in 0..n {
                let options = MapOptions::new().len(4096);
                drop(black_box(options.map_shared(&file, ReadOnly).unwrap()));
            }
        },
        "unix-memory, a raw descriptor" => |n| {
            let file = file(4096);
            for _ in 0..n {
                let options = MapOptions::new().len(4096);
                // SAFETY: the file is open, and in ordinary pages.
                let mapping = unsafe { options.map_shared_raw(file.as_raw_fd(), ReadOnly) };
                drop(black_box(mapping.unwrap()));
            }
        },
    },
    "a whole file, mapped and dropped" => {
        "libc" => |n| {
            let file = file(4096);
            for _ in 0..n {
                let len = length(&file);
                let shared = bare::map(len, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd());
                bare::unmap(shared, len);
            }
        },
        "memmap2" => |n| {
            let file = file(4096);
            for _ in 0..n {
                // SAFETY: nobody else has the file.
                drop(black_box(unsafe { memmap2::Mmap::map(&file) }.unwrap()));
            }
        },
        "memmapix" => |n| {
            let file = file(4096);
            for _ in 0..n {
                // SAFETY: nobody else has the file.
                drop(black_box(unsafe { memmapix::Mmap::map(&file) }.unwrap()));
            }
        },
        "vmap" => |n| {
            let file = file(4096);
            for _ in 0..n {
                drop(black_box(vmap::Map::with_options().map(&file).unwrap()));
            }
        },
        "unix-memory" => |n| {
            let file = file(4096);
            for _ in 0..n {
                drop(black_box(MapOptions::new().map_shared(&file, ReadOnly).unwrap()));
            }
        },
    },
    "a range written back" => {
        "libc" => |n| {
            let file = file(4 * page_size());
            let both = libc::PROT_READ | libc::PROT_WRITE;
            let pages = bare::map(4 * page_size(), both, libc::MAP_SHARED, file.as_raw_fd());
            for _ in 0..n {
                // SAFETY: the pages are mapped.
                bare::zero(unsafe { libc::msync(pages, 4096, libc::MS_ASYNC) });
            }
        },
        "memmap2" => |n| {
            let file = file(4 * page_size());
            // SAFETY: nobody else has the file.
            let mapping = unsafe { memmap2::MmapMut::map_mut(&file) }.unwrap();
            for _ in 0..n {
                mapping.flush_async_range(0, 4096).unwrap();
            }
        },
        "unix-memory" => |n| {
            let file = file(4 * page_size());
            let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
            for _ in 0..n {
                mapping.flush_range(..4096, Flush::Async).unwrap();
            }
        },
    },
    "a window of 64 KiB" => {
        "libc" => |n| {
            let file = file(64 << 10);
            for _ in 0..n {
                let window = bare::map(64 << 10, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd());
                bare::unmap(window, 64 << 10);
            }
        },
        "unix-memory" => |n| {
            let file = tempfile::tempfile().unwrap();
            file.set_len((n as u64) << 16).unwrap();
            for window in Windows::new(&file, 64 << 10).unwrap() {
                black_box(window.unwrap().len());
            }
        },
    },
    "sealed memory mapped and dropped" => {
        "unix-memory" => |n| {
            let sealed = MemfdOptions::new().sealing(true).create(4096).unwrap();
            let seals = Seals::WRITE | Seals::SHRINK | Seals::GROW | Seals::SEAL;
            sealed.add_seals(seals).unwrap();
            for _ in 0..n {
                drop(black_box(SealedMemory::from_fd(&sealed).unwrap()));
            }
        },
    },
    "shared memory made, mapped and dropped" => {
        "libc" => |n| for _ in 0..n {
            // SAFETY: the name ends with a zero byte.
            let fd = unsafe { libc::memfd_create(c"x".as_ptr(), libc::MFD_CLOEXEC) };
            // SAFETY: the descriptor is open.
            bare::zero(unsafe { libc::ftruncate(fd, 4096) });
            let both = libc::PROT_READ | libc::PROT_WRITE;
            bare::unmap(bare::map(4096, both, libc::MAP_SHARED, fd), 4096);
            // SAFETY: as above; nobody else has it.
            bare::zero(unsafe { libc::close(fd) });
        },
        "unix-memory" => |n| for _ in 0..n {
            let object = SharedMemory::unnamed(4096).unwrap();
            drop(black_box(object.map(ReadWrite).unwrap()));
        },
    },
    "the pages of a file advised on" => {
        "unix-memory" => |n| {
            let file = file(4 * page_size());
            let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
            for _ in 0..n {
                mapping.advise(Advice::Sequential).unwrap();
            }
        },
    },
}
