//! Machine code: written, run, written again and run again.

use std::env::consts::ARCH;

use libc::{EINVAL, ENOSYS};
use tests::{lacks, skip};
use unix_memory::{
    Access, Advice, Call, MapOptions, Mapping, ReadExecute, ReadWrite, ReadWriteExecute, Reason,
    page_size,
};

/// A function that returns `value`, which is small, as this architecture's instructions.
fn function(value: u8) -> Option<Vec<u8>> {
    let value = u32::from(value);
    let native = |words: [u32; 2]| words.into_iter().flat_map(u32::to_ne_bytes).collect();
    let little = |words: [u32; 2]| words.into_iter().flat_map(u32::to_le_bytes).collect();
    let big = |words: [u32; 2]| words.into_iter().flat_map(u32::to_be_bytes).collect();
    Some(match ARCH {
        // mov eax, value; ret
        "x86" | "x86_64" => [&[0xb8][..], &value.to_le_bytes(), &[0xc3]].concat(),
        // movz w0, value; ret
        "aarch64" => little([0x5280_0000 | value << 5, 0xd65f_03c0]),
        // mov r0, value; bx lr
        "arm" => little([0xe3a0_0000 | value, 0xe12f_ff1e]),
        // addi a0, zero, value; ret
        "riscv32" | "riscv64" => little([value << 20 | 0x513, 0x8067]),
        // lhi %r2, value; br %r14
        "s390x" => big([0xa728_0000 | value, 0x07fe_0000]),
        // li 3, value; blr
        "powerpc" | "powerpc64" => native([0x3860_0000 | value, 0x4e80_0020]),
        // jr ra; addiu v0, zero, value
        "mips" | "mips64" => native([0x03e0_0008, 0x2402_0000 | value]),
        "mips32r6" | "mips64r6" => native([0x03e0_0009, 0x2402_0000 | value]),
        // addi.w a0, zero, value; ret
        "loongarch64" => little([0x0280_0004 | value << 10, 0x4c00_0020]),
        // retl; mov value, %o0
        "sparc" | "sparc64" => big([0x81c3_e008, 0x9010_2000 | value]),
        _ => return None,
    })
}

/// Calls the function at `address`.
fn call(address: *const u8) -> u32 {
    // The address of a function is that of a descriptor in one ABI.
    let descriptor = [address.expose_provenance(), 0, 0];
    let by_descriptor = cfg!(all(target_endian = "big", target_env = "gnu")) && ARCH == "powerpc64";
    let address = if by_descriptor {
        descriptor.as_ptr().cast()
    } else {
        address
    };
    let address = std::hint::black_box(address);
    // SAFETY: the tests call what `function` wrote there, which can be executed.
    let function = unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(address) };
    let result = function();
    let _lived_until_now = std::hint::black_box(descriptor);
    result
}

/// The code, or why there is none.
fn code(value: u8) -> Option<Vec<u8>> {
    let code = function(value);
    if code.is_none() {
        skip("running code", "no code for this architecture");
    }
    code
}

#[test]
fn code_that_was_written_again_runs() {
    let mut mapping = Mapping::anonymous(3 * page_size()).unwrap();
    // Away from the start, and across no page.
    let at = page_size() + 64;
    for value in 1..=100 {
        let Some(code) = code(value) else { return };
        mapping[at..at + code.len()].copy_from_slice(&code);
        let executable = match mapping.protect(ReadExecute) {
            Ok(executable) => executable,
            Err(error) => return skip("running code", &error.to_string()),
        };
        assert_eq!(call(executable.as_ptr().wrapping_add(at)), value.into());
        mapping = executable.protect(ReadWrite).unwrap();
    }
}

/// Writable, then readable or nothing, then executable: it is code from the last step on.
#[test]
fn code_runs_however_it_became_executable() {
    fn by<A: Access>(access: A) {
        let mut mapping = Mapping::anonymous(page_size()).unwrap();
        for value in [1, 2] {
            let Some(code) = code(value) else { return };
            mapping[..code.len()].copy_from_slice(&code);
            let between = mapping.protect(access).unwrap();
            let executable = match between.protect(ReadExecute) {
                Ok(executable) => executable,
                Err(error) => return skip("running code", &error.to_string()),
            };
            assert_eq!(call(executable.as_ptr()), value.into());
            mapping = executable.protect(ReadWrite).unwrap();
        }
    }
    by(unix_memory::ReadOnly);
    by(unix_memory::NoAccess);
}

#[test]
fn code_that_is_writable_all_the_time_runs_when_asked_for() {
    let mapping = MapOptions::new()
        .len(page_size())
        .map_anonymous(ReadWriteExecute);
    let Ok(mut mapping) = mapping else {
        skip("writable code", "it is forbidden here");
        return;
    };
    for value in [1, 2, 3] {
        let Some(code) = code(value) else { return };
        mapping[..code.len()].copy_from_slice(&code);
        match mapping.sync_instruction_cache(..code.len()) {
            Ok(()) => assert_eq!(call(mapping.as_ptr()), value.into()),
            Err(error) => {
                assert_eq!(error.errno(), ENOSYS);
                return skip("coherent code", &error.to_string());
            }
        }
    }
    let error = mapping.sync_instruction_cache(..=page_size()).unwrap_err();
    assert_eq!(
        (error.call(), error.errno()),
        (Call::SyncInstructionCache, EINVAL)
    );
    assert_eq!(error.reason(), Reason::MappingLength(page_size()));
    mapping.sync_instruction_cache(5..5).unwrap();
}

#[test]
fn code_that_was_written_through_another_mapping_runs() {
    // (It translates code once, and sees only what is written through the same mapping.)
    if lacks::execution("code that was written through another mapping") {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(page_size() as u64).unwrap();
    let options = MapOptions::new();
    let writable = options.map_shared(&file, ReadWrite).unwrap();
    let Ok(executable) = options.map_shared(&file, ReadExecute) else {
        skip("code in a file", "the file system forbids it");
        return;
    };
    for value in [1, 2, 3] {
        let Some(code) = code(value) else { return };
        writable.write_at(0, &code).unwrap();
        if executable.sync_instruction_cache(..).is_ok() {
            assert_eq!(call(executable.as_ptr()), value.into());
        }
    }
}

#[test]
fn pages_that_are_gone_are_left_alone() {
    let page = page_size();
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * page as u64).unwrap();
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.populate().unwrap();
    file.set_len(page as u64).unwrap();
    match mapping.protect(ReadExecute) {
        Ok(mapping) => {
            let _known_or_not = mapping.sync_instruction_cache(page..);
        }
        Err(error) => skip("code in a file", &error.to_string()),
    }
}

#[test]
fn memory_that_was_never_used_stays_so() {
    if lacks::own_pages("what is in memory") {
        return;
    }
    let mapping = Mapping::anonymous(100 * page_size()).unwrap();
    match mapping.protect(ReadExecute) {
        Ok(mapping) => assert_eq!(mapping.residency().resident(), Ok(0)),
        Err(error) => skip("code", &error.to_string()),
    }
}

#[test]
fn what_was_never_used_beside_code_stays_so() {
    if lacks::own_pages("what is in memory") {
        return;
    }
    let page = page_size();
    let mut mapping = Mapping::anonymous(8 * page).unwrap();
    // Else some kernels make one large page of all.
    let _where_there_are_such = mapping.advise(Advice::NoHugePage);
    for used in [2, 3, 5] {
        mapping[used * page] = 1;
    }
    match mapping.protect(ReadExecute) {
        Ok(mapping) => {
            let resident: Vec<bool> = mapping.residency().map(Result::unwrap).collect();
            let expected = [false, false, true, true, false, true, false, false];
            assert_eq!(resident, expected);
        }
        Err(error) => skip("code", &error.to_string()),
    }
}
