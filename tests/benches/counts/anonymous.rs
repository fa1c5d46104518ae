//! Private memory: made, protected, grown, thrown away.

use std::hint::black_box;

use unix_memory::{MapOptions, Mapping, NoAccess, ReadOnly, ReadWrite, page_size};

use crate::bare;
use crate::operation::operations;

operations! {
    /// Those of private memory.
    "anonymous page, made and dropped" => {
        "libc" => |n| for _ in 0..n {
            bare::unmap(bare::anonymous(4096), 4096);
        },
        "memmap2" => |n| for _ in 0..n {
            drop(black_box(memmap2::MmapMut::map_anon(4096).unwrap()));
        },
        "region" => |n| for _ in 0..n {
            drop(black_box(region::alloc(4096, region::Protection::READ_WRITE).unwrap()));
        },
        "nix" => |n| for _ in 0..n {
            nix_page();
        },
        "rustix" => |n| for _ in 0..n {
            rustix_page();
        },
        "memmapix" => |n| for _ in 0..n {
            drop(black_box(memmapix::MmapMut::map_anon(4096).unwrap()));
        },
        "mmap-rs" => |n| for _ in 0..n {
            let options = mmap_rs::MmapOptions::new(4096).unwrap();
            drop(black_box(options.map_mut().unwrap()));
        },
        "vmap" => |n| for _ in 0..n {
            drop(black_box(vmap::MapMut::new(4096).unwrap()));
        },
        "unix-memory" => |n| for _ in 0..n {
            drop(black_box(Mapping::anonymous(4096).unwrap()));
        },
    },
    "anonymous page by the options" => {
        "unix-memory" => |n| for _ in 0..n {
            let options = MapOptions::new().len(4096);
            drop(black_box(options.map_anonymous(ReadWrite).unwrap()));
        },
    },
    "guarded page, made and dropped" => {
        "libc" => |n| for _ in 0..n {
            let page = page_size();
            let all = bare::map(3 * page, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1);
            let middle = all.wrapping_byte_add(page);
            // SAFETY: the page lies in the mapping.
            bare::zero(unsafe { libc::mprotect(middle, page, libc::PROT_READ | libc::PROT_WRITE) });
            bare::unmap(all, 3 * page);
        },
        "unix-memory" => |n| for _ in 0..n {
            let options = MapOptions::new().len(page_size());
            drop(black_box(options.map_guarded(page_size(), page_size(), ReadWrite).unwrap()));
        },
    },
    "protected there and back" => {
        "libc" => |n| {
            let page = bare::anonymous(4096);
            for _ in 0..n {
                // SAFETY: the page is mapped, and nothing refers to it.
                bare::zero(unsafe { libc::mprotect(page, 4096, libc::PROT_READ) });
                let both = libc::PROT_READ | libc::PROT_WRITE;
                // SAFETY: as above.
                bare::zero(unsafe { libc::mprotect(page, 4096, both) });
            }
        },
        "memmap2" => |n| {
            let mut mapping = memmap2::MmapMut::map_anon(4096).unwrap();
            for _ in 0..n {
                mapping = mapping.make_read_only().unwrap().make_mut().unwrap();
            }
        },
        "region" => |n| {
            let page = bare::anonymous(4096);
            for _ in 0..n {
                // SAFETY: the page is mapped, and nothing refers to it.
                unsafe { region::protect(page, 4096, region::Protection::READ) }.unwrap();
                // SAFETY: as above.
                unsafe { region::protect(page, 4096, region::Protection::READ_WRITE) }.unwrap();
            }
        },
        "unix-memory" => |n| {
            let mut mapping = Mapping::anonymous(4096).unwrap();
            for _ in 0..n {
                mapping = mapping.protect(ReadOnly).unwrap().protect(ReadWrite).unwrap();
            }
        },
    },
    "a part protected and back" => {
        "libc" => |n| {
            let page = page_size();
            let all = bare::anonymous(4 * page);
            let part = all.wrapping_byte_add(page);
            for _ in 0..n {
                // SAFETY: the page is mapped, and nothing refers to it.
                bare::zero(unsafe { libc::mprotect(part, page, libc::PROT_NONE) });
                let both = libc::PROT_READ | libc::PROT_WRITE;
                // SAFETY: as above.
                bare::zero(unsafe { libc::mprotect(part, page, both) });
            }
        },
        "unix-memory" => |n| {
            let page = page_size();
            let mut mapping = Mapping::anonymous(4 * page).unwrap();
            for _ in 0..n {
                let (first, rest) = mapping.split_at(page).unwrap();
                let (part, last) = rest.split_at(page).unwrap();
                let part = part.protect(NoAccess).unwrap().protect(ReadWrite).unwrap();
                let rest = part.join(last).unwrap();
                mapping = first.join(rest).unwrap();
            }
        },
    },
    "grown and shrunk" => {
        "libc" => |n| {
            let page = page_size();
            let mut all = bare::anonymous(page);
            for _ in 0..n {
                for (old, new) in [(page, 2 * page), (2 * page, page)] {
                    // SAFETY: the mapping has that length, and nothing refers to it.
                    all = unsafe { libc::mremap(all, old, new, libc::MREMAP_MAYMOVE) };
                    assert_ne!(all, libc::MAP_FAILED);
                }
            }
        },
        "unix-memory" => |n| {
            let page = page_size();
            let mut mapping = Mapping::anonymous(page).unwrap();
            for _ in 0..n {
                mapping.resize(2 * page).unwrap();
                mapping.resize(page).unwrap();
            }
        },
    },
    "a page discarded" => {
        "libc" => |n| {
            let page = bare::anonymous(4096);
            for _ in 0..n {
                // SAFETY: the page is mapped, and nothing refers to it.
                bare::zero(unsafe { libc::madvise(page, 4096, libc::MADV_DONTNEED) });
            }
        },
        "memmap2" => |n| {
            let mapping = memmap2::MmapMut::map_anon(4096).unwrap();
            for _ in 0..n {
                let advice = memmap2::UncheckedAdvice::DontNeed;
                // SAFETY: nothing refers to the page.
                unsafe { mapping.unchecked_advise(advice) }.unwrap();
            }
        },
        "unix-memory" => |n| {
            let mut mapping = Mapping::anonymous(page_size()).unwrap();
            for _ in 0..n {
                mapping.discard(..).unwrap();
            }
        },
    },
}

/// A page by nix.
fn nix_page() {
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

    let both = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let len = std::num::NonZeroUsize::new(4096).unwrap();
    // SAFETY: a new mapping, which nobody else knows.
    let address = unsafe { mmap_anonymous(None, len, both, MapFlags::MAP_PRIVATE) }.unwrap();
    // SAFETY: the mapping made above.
    unsafe { munmap(black_box(address), 4096) }.unwrap();
}

/// A page by rustix.
fn rustix_page() {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

    let both = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping, which nobody else knows.
    let address = unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, both, MapFlags::PRIVATE) };
    // SAFETY: the mapping made above.
    unsafe { munmap(black_box(address.unwrap()), 4096) }.unwrap();
}
