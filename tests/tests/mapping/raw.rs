//! Mappings as what other crates take: raw parts, owners of bytes, slices of plain data.

use libc::EINVAL;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use tests::map_at;
use unix_memory::{
    Backing, Call, MapOptions, Mapping, NoAccess, PlainData, Protection, ReadOnly, ReadWrite,
    Reason, page_size,
};

#[test]
fn raw_and_back() {
    for len in [0, 1, 2 * page_size()] {
        let mapping = Mapping::anonymous(len).unwrap();
        let (address, backing) = (mapping.as_ptr(), mapping.backing());
        assert_eq!(backing, Backing::PrivateAnonymous);
        let bytes = mapping.into_raw();
        assert_eq!(
            (bytes.cast::<u8>().as_ptr().cast_const(), bytes.len()),
            (address, len)
        );
        // SAFETY: they are those of a mapping of this kind, used once.
        let mut mapping: Mapping<ReadWrite> = unsafe { Mapping::from_raw(bytes, backing) };
        assert_eq!((mapping.len(), mapping.backing()), (len, backing));
        mapping.resize(len + 1).unwrap();
        mapping.unmap().unwrap();
    }
}

/// With a protection that is known only when the program runs.
#[test]
fn raw_and_back_erased() {
    for protection in [Protection::READ, Protection::READ | Protection::WRITE] {
        let options = MapOptions::new().len(2 * page_size());
        let mapping = options.map_anonymous(protection).unwrap();
        let backing = mapping.backing();
        let bytes = mapping.into_raw();
        // SAFETY: they are those of a mapping of this kind and protection, used once.
        let mut mapping = unsafe { Mapping::from_raw_with(bytes, backing, protection) };
        assert_eq!(
            (mapping.protection(), mapping.backing()),
            (protection, backing)
        );
        let is_writable = protection.contains(Protection::WRITE);
        assert_eq!(mapping.as_mut_slice().is_some(), is_writable);
        assert_eq!(mapping.as_slice().unwrap()[page_size()], 0);
        mapping.unmap().unwrap();
    }
}

#[test]
fn what_is_vouched_for_says_so() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    let mapping = MapOptions::new().map_private(&file, ReadOnly).unwrap();
    // SAFETY: nobody else has the file.
    let mapping = unsafe { mapping.assume_unshared() };
    assert_eq!(mapping.backing(), Backing::Other);
    let bytes = mapping.into_raw();
    // SAFETY: they are those of a mapping of this kind, used once.
    let mapping: Mapping<ReadOnly> = unsafe { Mapping::from_raw(bytes, Backing::Other) };
    assert_eq!(mapping.backing(), Backing::Other);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn leaked_bytes_stay() {
    let bytes = Mapping::anonymous(100).unwrap().leak_mut();
    bytes[99] = 1;
    assert!(map_at(bytes.as_ptr()).is(Option::is_some));
    let bytes = Mapping::anonymous(100)
        .unwrap()
        .protect(ReadOnly)
        .unwrap()
        .leak();
    assert_eq!(bytes, [0; 100]);
    assert!(map_at(bytes.as_ptr()).is(Option::is_some));
}

#[test]
fn under_a_cursor() {
    let mut cursor = Cursor::new(Mapping::anonymous(20).unwrap());
    // A cursor writes to what it can borrow mutably.
    let mut writer = Cursor::new(cursor.get_mut().as_mut());
    writer.seek(SeekFrom::Start(15)).unwrap();
    writer.write_all(b"12345").unwrap();
    assert!(writer.write_all(b"6").is_err());
    cursor.seek(SeekFrom::End(-5)).unwrap();
    let mut text = String::new();
    cursor.read_to_string(&mut text).unwrap();
    assert_eq!(text, "12345");
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn as_the_owner_of_bytes() {
    let mut mapping = Mapping::anonymous(20).unwrap();
    mapping[10] = 7;
    let mapping = mapping.protect(ReadOnly).unwrap();
    let address = mapping.as_ptr();
    let bytes = bytes::Bytes::from_owner(mapping);
    assert_eq!(bytes.as_ptr(), address);
    let part = bytes.slice(10..12);
    drop(bytes);
    assert_eq!(*part, [7, 0]);
    std::thread::spawn(move || drop(part)).join().unwrap();
}

#[test]
fn borrowed() {
    fn sum(bytes: impl std::borrow::Borrow<[u8]>) -> usize {
        bytes.borrow().iter().map(|&byte| usize::from(byte)).sum()
    }
    let mut mapping = Mapping::anonymous(3).unwrap();
    std::borrow::BorrowMut::<[u8]>::borrow_mut(&mut mapping).fill(2);
    assert_eq!(sum(mapping), 6);
}

#[test]
#[cfg_attr(
    target_os = "emscripten",
    ignore = "Emscripten enforces no protections"
)]
fn debug_shows_no_content() {
    let mut secret = Mapping::anonymous(6).unwrap();
    secret.copy_from_slice(b"secret");
    let text = format!("{secret:?}");
    assert!(
        text.contains("len: 6") && text.contains("READ | WRITE"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("115"), "{text}");
    let none = secret.protect(NoAccess).unwrap();
    assert!(format!("{none:?}").contains("address: 0x"));
}

#[test]
fn views_are_checked() {
    let mut mapping = Mapping::anonymous(21).unwrap();
    mapping
        .view_mut::<u32>(4..12)
        .unwrap()
        .copy_from_slice(&[1, 2]);
    assert_eq!(mapping.view::<u32>(..20).unwrap(), [0, 1, 2, 0, 0]);
    assert_eq!(mapping[4..8], 1u32.to_ne_bytes());
    assert_eq!(mapping.view::<[u16; 2]>(4..8).unwrap().len(), 1);
    assert!(
        mapping
            .view::<u64>(21..)
            .is_err_and(|error| error.reason() == Reason::Unaligned(align_of::<u64>()))
    );
    assert!(mapping.view::<u64>(8..8).unwrap().is_empty());
    let error = mapping.view::<u32>(..).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::View, EINVAL));
    assert_eq!(error.reason(), Reason::NotWhole(4));
    assert_eq!(
        error.to_string(),
        "view of 21 bytes at 0: Invalid argument (the length must be a multiple of 4)",
    );
    let error = mapping.view_mut::<u32>(2..6).unwrap_err();
    assert_eq!(error.reason(), Reason::Unaligned(4));
    let error = mapping.view_mut::<u32>(20..24).unwrap_err();
    assert_eq!(error.reason(), Reason::MappingLength(21));
}

#[test]
fn with_bytemuck() {
    #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
    #[repr(C)]
    struct Pair {
        key: u32,
        value: f32,
    }
    // SAFETY: `Pod` asks for more.
    unsafe impl PlainData for Pair {}

    let mut mapping = Mapping::anonymous(80).unwrap();
    mapping.view_mut::<Pair>(8..16).unwrap()[0] = Pair { key: 3, value: 0.5 };
    let pairs: &[Pair] = bytemuck::cast_slice(&mapping);
    assert_eq!(
        (pairs[1].key, pairs[1].value.to_bits()),
        (3, 0.5f32.to_bits())
    );
    bytemuck::cast_slice_mut::<u8, Pair>(&mut mapping)[9].key = 4;
    assert_eq!(mapping.view::<Pair>(72..).unwrap()[0].key, 4);
}

#[test]
fn with_zerocopy() {
    use zerocopy::byteorder::{BigEndian, U32};
    use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

    #[derive(FromBytes, IntoBytes, KnownLayout, Immutable)]
    #[repr(C)]
    struct Header {
        magic: [u8; 4],
        version: U32<BigEndian>,
    }

    let mut mapping = Mapping::anonymous(100).unwrap();
    let (header, rest) = Header::mut_from_prefix(&mut mapping).unwrap();
    header.magic = *b"MMAP";
    header.version.set(2);
    assert_eq!(rest.len(), 92);
    assert_eq!(mapping[..8], *b"MMAP\0\0\0\x02");
    let (header, _) = Header::ref_from_prefix(&mapping).unwrap();
    assert_eq!(header.version.get(), 2);
}
