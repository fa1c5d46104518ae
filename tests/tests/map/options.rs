//! Options that other crates' users know: past the end of a file, out of core dumps, memory that the
//! kernel may take back, the sizes of huge pages there are.

use std::fs::File;
use std::io::Write;

use libc::{EINVAL, ENXIO};
use tests::seccomp::SYS_MADVISE;
use tests::{Flags, flags, lacks, refusing_argument, seccomp};
use unix_memory::{Advice, Call, MapOptions, ReadOnly, ReadWrite, page_size};

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn past_the_end_there_is_what_the_file_grows_to() {
    if lacks::own_pages("pages past the end of a file") {
        return;
    }
    let page = page_size();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"first").unwrap();
    let longer = MapOptions::new().len(3 * page).past_end(true);
    let mappings = [
        longer.map_shared(&file, ReadOnly).unwrap(),
        longer.map_private(&file, ReadOnly).unwrap(),
        // From past the end on.
        longer
            .offset(2 * page as u64)
            .map_shared(&file, ReadOnly)
            .unwrap(),
    ];
    assert!(mappings.iter().all(|mapping| mapping.len() == 3 * page));
    let mut bytes = [0; 5];
    mappings[0].read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"first");
    file.set_len(2 * page as u64 - 1).unwrap();
    file.write_all(&vec![7; 2 * page]).unwrap();
    let offset = 2 * page;
    for (mapping, offset) in [
        (&mappings[0], offset),
        (&mappings[1], offset),
        (&mappings[2], 0),
    ] {
        mapping.read_at(offset, &mut bytes).unwrap();
        assert_eq!(bytes, [7; 5]);
    }
    // Without a length it is the rest of the file, and behind its end there is none.
    let none = MapOptions::new().offset(9 * page as u64).past_end(true);
    let error = none.map_shared(&file, ReadOnly).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENXIO));
    // Once the option is taken back, it is refused as usual.
    let error = longer.offset(9 * page as u64).past_end(false);
    let error = error.map_shared(&file, ReadOnly).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Mmap, ENXIO));
}

// Few systems have seals.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
#[test]
fn nothing_is_sealed_past_the_end() {
    use unix_memory::{MemfdOptions, Reason};

    let memory = MemfdOptions::new().sealing(true).create(10).unwrap();
    let sealed = memory.seal().unwrap();
    let options = MapOptions::new().len(11).past_end(true);
    let error = options.map_sealed(&sealed).unwrap_err();
    assert_eq!(
        (error.errno(), error.reason()),
        (ENXIO, Reason::FileLength(10))
    );
}

#[test]
fn secrets_stay_out_of_core_dumps() {
    if lacks::advice("pages left out of core dumps") {
        return;
    }
    let options = MapOptions::new().len(100).dont_dump(true);
    let is_out = |address| flags(address).contains(Flags::DD);
    let is_in = |address| flags(address).lacks(Flags::DD);
    let mapping = options.map_anonymous(ReadWrite).unwrap();
    assert!(is_out(mapping.as_ptr()));
    mapping.advise(Advice::DoDump).unwrap();
    assert!(is_in(mapping.as_ptr()));
    let guarded = options.map_guarded(page_size(), 0, ReadWrite).unwrap();
    assert!(is_out(guarded.mapping().as_ptr()));
    let zero = File::open("/dev/zero").unwrap();
    assert!(is_out(
        options.map_private(zero, ReadOnly).unwrap().as_ptr()
    ));
    let undone = options.dont_dump(false).map_anonymous(ReadWrite).unwrap();
    assert!(is_in(undone.as_ptr()));
}

#[test]
fn what_would_be_dumped_is_not_mapped() {
    let advice = seccomp::MADV_DONTDUMP.unsigned_abs().into();
    refusing_argument(SYS_MADVISE, 2, advice, EINVAL, || {
        let options = MapOptions::new().len(100).dont_dump(true);
        let error = options.map_anonymous(ReadWrite).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Madvise, EINVAL));
    });
}

// Only Linux has droppable memory.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn droppable_memory_is_the_kernels_to_take() {
    use libc::EOPNOTSUPP;
    use tests::skip;
    use unix_memory::{Backing, HugePageSize, NoAccess, Reason};

    let options = MapOptions::new().len(3 * page_size());
    let cache = match options.map_droppable(ReadWrite) {
        Ok(cache) => cache,
        Err(error) => {
            assert!([EINVAL, EOPNOTSUPP].contains(&error.errno()), "{error}");
            return skip("droppable memory", &error.to_string());
        }
    };
    cache.fill(.., 7).unwrap();
    let bytes = cache.to_vec().unwrap();
    assert!(bytes.iter().all(|&byte| byte == 7 || byte == 0));
    // Not every kernel reports this flag; the others come with it.
    let expected = Flags::WF | Flags::DD | Flags::NR;
    assert!(flags(cache.as_ptr()).contains(expected));
    let cache = cache.protect(NoAccess).unwrap();
    // What the kernel may take is not the same as memory that only this process changes.
    // SAFETY: the bytes cannot be accessed, so nobody relies on what they are.
    let cache = unsafe { cache.assume_unshared() };
    assert_eq!(cache.backing(), Backing::Other);
    drop(cache);
    let error = options.offset(1).map_droppable(ReadWrite).unwrap_err();
    assert_eq!(error.reason(), Reason::NoOffset);
    let error = MapOptions::new().map_droppable(ReadWrite).unwrap_err();
    assert!(matches!(error.reason(), Reason::LengthNeeded(_)));
    let huge = MapOptions::new().len(1).huge_pages(HugePageSize::MIB_2);
    assert!(huge.map_droppable(ReadWrite).is_err());
}

// Only Linux has a pool of huge pages.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn the_sizes_of_huge_pages_are_those_that_the_system_tells() {
    use std::collections::BTreeSet;

    use tests::skip;
    use unix_memory::HugePageSize;

    let available: BTreeSet<_> = HugePageSize::available().map(HugePageSize::bytes).collect();
    let Ok(directory) = std::fs::read_dir("/sys/kernel/mm/hugepages") else {
        assert!(available.is_empty());
        return skip("sizes of huge pages", "the kernel tells none");
    };
    let told: BTreeSet<_> = directory
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let kib = name.strip_prefix("hugepages-").unwrap();
            let kib: usize = kib.strip_suffix("kB").unwrap().parse().unwrap();
            kib << 10
        })
        .collect();
    assert_eq!(available, told);
    if let Some(size) = HugePageSize::system_default() {
        assert!(size.pool().is_some());
    }
    let none = HugePageSize::from_bytes(1 << 28).filter(|size| !told.contains(&size.bytes()));
    assert!(none.is_none_or(|size| size.pool().is_none()));
}

#[test]
fn a_shared_mapping_is_written_by_pointer_too() {
    let mapping = MapOptions::new().len(100).map_anonymous_shared(ReadWrite);
    let mapping = mapping.unwrap();
    assert_eq!(mapping.as_mut_ptr().cast_const(), mapping.as_ptr());
    // SAFETY: the byte is mapped and can be written, and nobody else is there.
    unsafe { mapping.as_mut_ptr().write_volatile(7) };
    assert_eq!(mapping.to_vec().unwrap()[0], 7);
}
