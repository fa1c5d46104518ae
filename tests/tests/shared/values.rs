//! Values in a shared mapping, copied out and in.

use libc::{EFAULT, EINVAL};
use proptest::prelude::*;
use tests::copies::stopped;
use tests::lacks;
use unix_memory::{
    ByBytemuck, ByZerocopy, Call, MapOptions, Mapping, PlainData, ReadOnly, ReadWrite, Reason,
    SharedMapping, page_size,
};

fn anonymous(len: usize) -> SharedMapping<ReadWrite> {
    let options = MapOptions::new().len(len);
    options.map_anonymous_shared(ReadWrite).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Record {
    key: u64,
    low: u32,
    high: u32,
}

// SAFETY: numbers without padding, of which any bits are a value.
unsafe impl PlainData for Record {}

#[test]
fn arrays_of_structs_are_copied() {
    let mapping = anonymous(1000);
    let records: [_; 5] = std::array::from_fn(|index| Record {
        key: index as u64,
        low: 7,
        high: !0,
    });
    // At no address that is aligned for them.
    mapping.write_values(3, &records).unwrap();
    let mut back = [records[4]; 5];
    mapping.read_values(3, &mut back).unwrap();
    assert_eq!(back, records);
    assert_eq!(mapping.read_value::<[Record; 5]>(3).unwrap(), records);
    assert_eq!(mapping.to_values::<Record>(3, 5).unwrap(), records);
    assert_eq!(mapping.read_value::<u32>(3 + 4 * 16 + 8).unwrap(), 7);
}

#[test]
fn what_does_not_lie_in_the_mapping_is_refused() {
    let mapping = anonymous(10);
    let error = mapping.read_value::<u64>(3).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Read, EINVAL));
    assert_eq!(error.reason(), Reason::MappingLength(10));
    let error = mapping.write_value(3, &0_u64).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Write, EINVAL));
    for count in [3, usize::MAX / 4, usize::MAX] {
        let error = mapping.to_values::<u32>(0, count).unwrap_err();
        assert_eq!(error.reason(), Reason::MappingLength(10), "{count}");
    }
    assert!(mapping.read_value::<u8>(usize::MAX).is_err());
    // There is any number of values without bytes.
    assert_eq!(mapping.to_values::<[u8; 0]>(10, 3).unwrap().len(), 3);
    mapping.read_value::<[u64; 0]>(10).unwrap();
}

#[test]
fn values_that_are_gone_are_an_error() {
    let check = "values of a truncated file";
    if lacks::shared_files(check) || lacks::own_pages(check) {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    let page = page_size();
    file.set_len(2 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadOnly).unwrap();
    file.set_len(page as u64).unwrap();
    // The first half of it is there.
    let error = mapping.read_value::<[u8; 16]>(page - 8).unwrap_err();
    assert_eq!(error.errno(), EFAULT);
    assert_eq!(error.reason(), stopped(8, page));
    let error = mapping.to_values::<u64>(page - 16, 4).unwrap_err();
    assert_eq!(error.reason(), stopped(16, page));
}

#[test]
fn other_crates_vouch() {
    #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
    #[repr(C)]
    struct Ours(u32, f32);

    #[derive(
        Clone, Copy, Debug, PartialEq, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable,
    )]
    #[repr(C)]
    struct Theirs(u16, [u8; 2]);

    let mapping = anonymous(100);
    mapping.write_value(1, &ByBytemuck(Ours(1, 2.0))).unwrap();
    mapping
        .write_value(9, &ByZerocopy(Theirs(3, [4, 5])))
        .unwrap();
    let ours: ByBytemuck<Ours> = mapping.read_value(1).unwrap();
    let theirs: ByZerocopy<Theirs> = mapping.read_value(9).unwrap();
    assert_eq!(*ours, Ours(1, 2.0));
    assert_eq!(theirs.0, Theirs(3, [4, 5]));

    let mut mapping = Mapping::anonymous(100).unwrap();
    let view = mapping.view_mut::<[ByBytemuck<Ours>; 2]>(..96).unwrap();
    view[5][1].0.0 = 6;
    assert_eq!(mapping.view::<u32>(88..92).unwrap(), [6]);
}

#[test]
fn guards_deref_to_the_same_bytes_wherever_they_are() {
    fn address(guard: impl stable_deref_trait::StableDeref<Target = [u8]>) -> *const u8 {
        let before = guard.as_ptr();
        let moved = Box::new(guard);
        assert_eq!(moved.as_ptr(), before);
        before
    }
    let mapping = Mapping::anonymous(100).unwrap();
    let start = mapping.as_ptr();
    assert_eq!(address(mapping), start);
    if let Ok(locked) = Mapping::anonymous(100).unwrap().into_locked() {
        address(locked);
    }
}

proptest! {
    #[test]
    fn as_bytes_are(offset in 0_usize..40, values in prop::collection::vec(any::<u32>(), 0..20)) {
        let mapping = anonymous(200);
        mapping.write_values(offset, &values).unwrap();
        let bytes: Vec<_> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let mut back = vec![0; bytes.len()];
        mapping.read_at(offset, &mut back).unwrap();
        prop_assert_eq!(back, bytes);
        prop_assert_eq!(mapping.to_values::<u32>(offset, values.len()).unwrap(), values);
    }
}
