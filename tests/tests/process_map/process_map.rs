//! The map of this process, compared with what it has mapped, and with the kernel's text as another
//! parser reads it.

use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tests::{Permissions, is_true_in_a_child, kernel, lacks, skip};
use unix_memory::process_map::{ProcessMap, Region, Sharing};
use unix_memory::{
    Call, Guarded, MapOptions, Mapping, NoAccess, Protection, ReadExecute, ReadOnly, ReadWrite,
    Reason, page_size,
};

/// The map of this process, if there is one.
fn own_map(check: &str) -> Option<ProcessMap> {
    match ProcessMap::of_self() {
        Ok(map) => Some(map),
        Err(error) if error.errno() == libc::ENOSYS => {
            assert_eq!(error.reason(), Reason::Unsupported);
            skip(
                check,
                "this system has no map of a process that is known here",
            );
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Memory with guards on both sides, so that the kernel makes one mapping of it with no other.
fn guarded(len: usize) -> Guarded<ReadWrite> {
    let page = page_size();
    MapOptions::new()
        .len(len)
        .map_guarded(page, page, ReadWrite)
        .unwrap()
}

/// The region for the mapping that holds `address`, as the iterator has it; asked for alone, it is the
/// same.
fn region_at(map: &mut ProcessMap, address: *const u8) -> Region<Vec<u8>> {
    let address = address.addr() as u64;
    let mut regions = map.regions().map(|region| region.expect("a region"));
    let region = regions.find(|region| region.addresses.contains(&address));
    let region = region.expect("it is mapped");
    let mut name = [0; 8192];
    let alone = map.containing_into(address, &mut name).expect("an answer");
    let alone = alone.expect("it is mapped");
    assert_eq!(alone.addresses, region.addresses);
    assert_eq!(alone.name(), region.name());
    assert!(alone.name.is_whole());
    assert_eq!(
        (alone.protection, alone.sharing, alone.offset, alone.file),
        (
            region.protection,
            region.sharing,
            region.offset,
            region.file
        )
    );
    region
}

/// Compares a region with what the tests' own way reads.
fn check_with_kernel(region: &Region<Vec<u8>>, address: *const u8) {
    let theirs = kernel::map_at(address).map(|map| map.expect("it is mapped"));
    assert!(theirs.is(|map| {
        let mut permissions = Permissions::empty();
        permissions.set(
            Permissions::READ,
            region.protection.contains(Protection::READ),
        );
        permissions.set(
            Permissions::WRITE,
            region.protection.contains(Protection::WRITE),
        );
        permissions.set(
            Permissions::EXECUTE,
            region.protection.contains(Protection::EXECUTE),
        );
        permissions.set(Permissions::SHARED, region.sharing == Some(Sharing::Shared));
        permissions.set(
            Permissions::PRIVATE,
            region.sharing == Some(Sharing::Private),
        );
        let addresses = map.addresses.start as u64..map.addresses.end as u64;
        (map.permissions, map.offset) == (permissions, region.offset)
            && addresses == region.addresses
    }));
}

#[test]
fn private_memory() {
    let (page, check) = (page_size(), "private memory in the map");
    let Some(mut map) = own_map(check) else {
        return;
    };
    if lacks::own_process(check) {
        return;
    }
    let mapping = guarded(8 * page);
    let address = mapping.as_ptr();
    let region = region_at(&mut map, address);
    check_with_kernel(&region, address);
    assert_eq!(region.addresses.start, address.addr() as u64);
    assert_eq!(region.len(), 8 * page as u64);
    assert!(!region.is_empty());
    assert_eq!(region.protection, Protection::READ | Protection::WRITE);
    assert_ne!(region.sharing, Some(Sharing::Shared));
    assert_eq!((region.file, region.offset, region.path()), (None, 0, None));
}

#[test]
fn each_protection() {
    let check = "protections in the map";
    let Some(mut map) = own_map(check) else {
        return;
    };
    if lacks::execution(check) {
        return;
    }
    let mapping = Mapping::anonymous(3 * page_size()).unwrap();
    let address = mapping.as_ptr();
    let mapping = mapping.protect(NoAccess).unwrap();
    assert_eq!(region_at(&mut map, address).protection, Protection::empty());
    let mapping = mapping.protect(ReadOnly).unwrap();
    assert_eq!(region_at(&mut map, address).protection, Protection::READ);
    let Ok(_mapping) = mapping.protect(ReadExecute) else {
        return;
    };
    let expected = Protection::READ | Protection::EXECUTE;
    assert_eq!(region_at(&mut map, address).protection, expected);
}

/// A file of three pages with this name.
fn file_of(name: &[u8]) -> (tempfile::TempDir, File) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(std::ffi::OsStr::from_bytes(name));
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .unwrap();
    file.write_all(&vec![1; 3 * page_size()]).unwrap();
    (directory, file)
}

/// Whether the names of files are reported, byte for byte.
fn names_are_known() -> bool {
    !cfg!(target_os = "openbsd")
}

#[test]
fn files_by_name_and_offset() {
    let (page, check) = (page_size(), "files in the map");
    if lacks::own_process(check) {
        return;
    }
    let Some(mut map) = own_map(check) else {
        return;
    };
    for name in [
        &b"plain"[..],
        b"a new\nline\n",
        b" spaces  ",
        b"\xff\x01\t",
        b"x (deleted)",
    ] {
        let (directory, file) = file_of(name);
        let options = MapOptions::new().offset(page as u64).len(page);
        let mapping = options.map_shared(&file, ReadWrite).unwrap();
        let region = region_at(&mut map, mapping.as_ptr());
        assert_eq!(region.sharing, Some(Sharing::Shared));
        if lacks::own_process(check) {
            return;
        }
        check_with_kernel(&region, mapping.as_ptr());
        assert_eq!(region.offset, page as u64);
        if !names_are_known() {
            continue;
        }
        let path = directory.path().join(std::ffi::OsStr::from_bytes(name));
        let path = path.canonicalize().unwrap();
        assert_eq!(region.path(), Some(&*path), "{}", name.escape_ascii());
        let metadata = file.metadata().unwrap();
        let id = region.file.expect("a file");
        assert_eq!(id.inode, metadata.ino());
        if devices_agree(&path) {
            assert_eq!(id.device, metadata.dev());
        }

        let private = options.map_private(&file, ReadWrite).unwrap();
        assert_eq!(
            region_at(&mut map, private.as_ptr()).sharing,
            Some(Sharing::Private)
        );
    }
}

/// Whether the map names the device of this file as `fstat` does: on btrfs and overlayfs it does not.
fn devices_agree(path: &Path) -> bool {
    cfg_if::cfg_if! {
        if #[cfg(target_os = "linux")] {
            let status = rustix::fs::statfs(path).expect("a file system");
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::unnecessary_cast,
                reason = "its type is the system's, and its values have 32 bits"
            )]
            let kind = status.f_type as u32;
            !matches!(kind, 0x9123_683e | 0x794c_7630)
        } else {
            let _ = path;
            true
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn names_of_linux() {
    let Some(mut map) = own_map("names in the map") else {
        return;
    };
    if lacks::own_process("names in the map") {
        return;
    }
    let (directory, file) = file_of(b"gone");
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    drop(directory);
    let name = region_at(&mut map, mapping.as_ptr()).name;
    assert!(
        name.ends_with(b"/gone (deleted)"),
        "{}",
        name.escape_ascii()
    );

    let memory = unix_memory::SharedMemory::unnamed(100).unwrap();
    let memory = memory.map(ReadOnly).unwrap();
    let name = region_at(&mut map, memory.as_ptr()).name;
    assert!(name.ends_with(b" (deleted)"), "{}", name.escape_ascii());

    // SAFETY: the call takes any number.
    let on_stack = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let on_stack = std::ptr::without_provenance(usize::try_from(on_stack).unwrap());
    assert_eq!(region_at(&mut map, on_stack).name(), b"[stack]");
    assert_eq!(region_at(&mut map, on_stack).path(), None);

    // SAFETY: the call takes any number.
    let vdso = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) };
    if vdso != 0 {
        let vdso = std::ptr::without_provenance(usize::try_from(vdso).unwrap());
        assert_eq!(region_at(&mut map, vdso).name(), b"[vdso]");
    }
    let shared = MapOptions::new()
        .len(100)
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    let region = region_at(&mut map, shared.as_ptr());
    assert_eq!(region.name(), b"/dev/zero (deleted)");
    assert!(region.file.is_some(), "the kernel's own");
}

#[test]
fn a_name_as_far_as_there_is_room() {
    let Some(mut map) = own_map("names in small buffers") else {
        return;
    };
    if lacks::own_process("names in small buffers") || !names_are_known() {
        return;
    }
    let (_directory, file) = file_of(b"long");
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    let whole = region_at(&mut map, mapping.as_ptr()).name;
    let address = mapping.as_ptr().addr() as u64;
    let mut buffer = vec![0; whole.len() + 1];
    for room in 0..=buffer.len() {
        let region = map
            .containing_into(address, &mut buffer[..room])
            .unwrap()
            .unwrap();
        assert_eq!(region.name(), &whole[..room.min(whole.len())]);
        assert_eq!(region.name.is_whole(), room >= whole.len(), "{room}");
    }
    // Likewise on the way through all.
    let mut regions = map.regions();
    let mut count = 0;
    while let Some(region) = regions.next_into(&mut buffer[..3]).unwrap() {
        assert!(region.name().len() <= 3);
        count += 1;
    }
    assert!(count > 3, "{count} regions");
    assert!(regions.next_into(&mut buffer).unwrap().is_none());
}

#[test]
fn addresses_where_nothing_is() {
    let page = page_size();
    let check = "holes in the map";
    if lacks::own_process(check) {
        return;
    }
    let Some(mut map) = own_map(check) else {
        return;
    };
    assert!(map.containing_into(0, &mut []).unwrap().is_none());
    assert!(map.containing_into(u64::MAX, &mut []).unwrap().is_none());
    assert!(
        map.regions_from(u64::MAX)
            .next_into(&mut [])
            .unwrap()
            .is_none()
    );
    let lowest = map.regions_from(0).next_into(&mut []).unwrap().unwrap();
    assert!(
        map.containing_into(lowest.addresses.start - 1, &mut [])
            .unwrap()
            .is_none()
    );
    let again = map
        .regions_from(lowest.addresses.start - 1)
        .next_into(&mut [])
        .unwrap()
        .unwrap();
    assert_eq!(again.addresses, lowest.addresses);
    let again = map
        .regions_from(lowest.addresses.end - 1)
        .next_into(&mut [])
        .unwrap()
        .unwrap();
    assert_eq!(again.addresses, lowest.addresses);
    let next = map
        .regions_from(lowest.addresses.end)
        .next_into(&mut [])
        .unwrap()
        .unwrap();
    assert!(next.addresses.start >= lowest.addresses.end);

    // What is unmapped is gone, and what is mapped is there, at once. (In a child, where no other
    // thread maps anything meanwhile.)
    assert!(is_true_in_a_child(|| {
        let mut map = ProcessMap::of_self().unwrap();
        let mapping = guarded(page);
        let address = mapping.as_ptr().addr() as u64;
        assert!(map.containing_into(address, &mut []).unwrap().is_some());
        drop(mapping);
        assert!(map.containing_into(address, &mut []).unwrap().is_none());
        let mapping = guarded(page);
        let address = mapping.as_ptr().addr() as u64;
        map.containing_into(address, &mut []).unwrap().is_some()
    }));
}

#[test]
fn the_map_stays_that_of_its_process() {
    let page = page_size();
    let Some(mut map) = own_map("a map in a child") else {
        return;
    };
    if cfg!(target_os = "openbsd") || lacks::own_process("a map in a child") {
        return;
    }
    assert!(is_true_in_a_child(|| {
        let ours = guarded(page);
        let file = tempfile::tempfile().unwrap();
        file.set_len(1).unwrap();
        let shared = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
        let inode = file.metadata().unwrap().ino();
        drop(ours);
        let parents = map.regions().map(Result::unwrap);
        let theirs = parents
            .filter_map(|region| region.file)
            .any(|file| file.inode == inode);
        let own = ProcessMap::of_self()
            .unwrap()
            .regions()
            .map(Result::unwrap)
            .collect::<Vec<_>>();
        let own = own
            .iter()
            .filter_map(|region| region.file)
            .any(|file| file.inode == inode);
        drop(shared);
        own && !theirs
    }));
}

#[test]
fn systems_without_it_say_so() {
    let Err(error) = ProcessMap::of_self() else {
        return;
    };
    assert_eq!(
        (error.call(), error.errno()),
        (Call::ProcessMap, libc::ENOSYS)
    );
    assert_eq!(
        error.to_string(),
        "process_map: Function not implemented (this system does not support it)"
    );
}
