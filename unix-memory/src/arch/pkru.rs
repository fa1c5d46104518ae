//! The rights of a thread over memory that has a protection key, on x86-64: the register PKRU.
//! (Intel manual, volume 3, 4.6.2 "Protection Keys".)

use core::arch::asm;

/// Whether this architecture's rights can be set here.
pub const KEYS: bool = true;

/// Sets what the calling thread may not do with memory that has `key`: the bits of `PKEY_DISABLE_`.
/// Returns what it was.
///
/// # Safety
/// The kernel has given `key` out, so that the processor has the register; and the rights allow every
/// reference that this thread has to memory with it.
pub unsafe fn set_key_rights(key: u32, rights: u32) -> u32 {
    let old: u32;
    // SAFETY: as the caller vouches; it reads a register. [caller, instruction]
    unsafe { asm!("rdpkru", in("ecx") 0, out("eax") old, out("edx") _, options(nomem, nostack)) };
    let new = with_rights(old, key, rights);
    // No `nomem`, so that memory is accessed neither earlier nor later than the rights allow.
    // SAFETY: as the caller vouches. [caller, instruction]
    unsafe { asm!("wrpkru", in("eax") new, in("ecx") 0, in("edx") 0, options(nostack)) };
    rights_in(old, key)
}

/// The register's value `all`, with these rights over memory that has `key`: two bits for each key, the
/// lower of which forbids any access, and the upper one writing.
const fn with_rights(all: u32, key: u32, rights: u32) -> u32 {
    all & !(3 << shift(key)) | rights << shift(key)
}

/// The rights over memory that has `key`, in the register's value.
const fn rights_in(all: u32, key: u32) -> u32 {
    all >> shift(key) & 3
}

const fn shift(key: u32) -> u32 {
    2 * key
}

#[cfg(test)]
mod tests {
    use super::{rights_in, with_rights};

    /// AD0, WD0, AD1, WD1, and so on, as in the manual: no processor with keys is needed for this.
    #[test]
    fn each_key_has_two_bits() {
        for (key, rights, bits) in [
            (0, 1, 0b1),
            (0, 2, 0b10),
            (1, 1, 0b100),
            (1, 2, 0b1000),
            (5, 3, 0b11 << 10),
            (15, 1, 1 << 30),
        ] {
            assert_eq!(with_rights(0, key, rights), bits, "key {key}");
            assert_eq!(rights_in(bits, key), rights, "key {key}");
            // The others' stay.
            assert_eq!(with_rights(!0, key, 0), !(0b11 << (2 * key)));
            assert_eq!(rights_in(!0b11u32.rotate_left(2 * key), key), 0);
        }
    }

    /// What the kernel calls them are these bits.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn rights_are_the_bits_of_the_register() {
        use unix_memory_sys as sys;

        let rights = [
            sys::PKEY_UNRESTRICTED,
            sys::PKEY_DISABLE_ACCESS,
            sys::PKEY_DISABLE_WRITE,
        ];
        assert_eq!(rights, [0, 1, 2]);
    }
}
