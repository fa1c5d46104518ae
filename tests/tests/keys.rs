//! Protection keys; where the processor has none, that this is said.

use libc::{EINVAL, ENOMEM, ENOSPC, ENOSYS};
use tests::seccomp::SYS_PKEY_MPROTECT;
use tests::{can_be_read, refusing, skip};
use unix_memory::{Call, Mapping, ProtectionKey, ReadOnly, Reason, page_size};

/// A key; where there is none, says so.
fn key() -> Option<ProtectionKey> {
    match ProtectionKey::new() {
        Ok(key) => Some(key),
        Err(error) => {
            assert_eq!(error.call(), Call::PkeyAlloc);
            if cfg!(target_arch = "x86_64") {
                assert!(matches!(error.errno(), EINVAL | ENOSPC | ENOSYS), "{error}");
                assert_eq!(error.reason(), Reason::Kernel);
            } else {
                assert_eq!(
                    (error.errno(), error.reason()),
                    (ENOSYS, Reason::Unsupported)
                );
            }
            skip("protection keys", &format!("the CPU has none ({error})"));
            None
        }
    }
}

#[test]
fn closed_but_while_it_is_used() {
    let Some(key) = key() else { return };
    let page = page_size();
    let mapping = Mapping::anonymous(2 * page).unwrap();
    let address = mapping.as_ptr();
    let mut keyed = key.protect(mapping).unwrap();
    assert!(!can_be_read(address));
    keyed.write_at(5, b"secret").unwrap();
    assert!(!can_be_read(address));
    let mut bytes = [0; 6];
    keyed.read_at(5, &mut bytes).unwrap();
    assert_eq!(&bytes, b"secret");
    let open = keyed.with(|cells| {
        cells[0].set(cells[5].get());
        can_be_read(address)
    });
    assert!(open && !can_be_read(address));

    for refused in [
        keyed.write_at(2 * page, &[0]),
        keyed.read_at(2 * page, &mut [0]),
    ] {
        let error = refused.unwrap_err();
        assert_eq!(error.reason(), Reason::MappingLength(2 * page));
    }
    let mapping = keyed.into_mapping().unwrap();
    assert!(can_be_read(address));
    assert_eq!(mapping[0], b's');
}

#[test]
fn a_panic_closes_it() {
    let Some(key) = key() else { return };
    let mut keyed = key.protect(Mapping::anonymous(10).unwrap()).unwrap();
    let mut address = std::ptr::null();
    let panics = std::panic::AssertUnwindSafe(|| {
        keyed.with(|cells| {
            address = cells.as_ptr().cast::<u8>();
            panic!("inside");
        });
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(!can_be_read(address));
}

#[test]
fn a_refusal_gives_the_mapping_back() {
    let Some(key) = key() else { return };
    let mut mapping = Mapping::anonymous(10).unwrap();
    mapping[0] = 7;
    let mapping = mapping.protect(ReadOnly).unwrap();
    let address = mapping.as_ptr();
    let protect = || key.protect(mapping).map(drop).unwrap_err();
    // (Not ENOMEM, after which the kernel is asked to go back.)
    if let Some(failed) = refusing(SYS_PKEY_MPROTECT, address, ENOSYS, protect) {
        assert_eq!(failed.error().call(), Call::PkeyMprotect);
        assert_ne!(failed.error().errno(), ENOMEM);
        assert_eq!(failed.into_mapping()[0], 7);
    }
}
