//! Assembles a function for the processor that this runs on, and calls it. The function adds a
//! number, which is known only at run time, to its argument.
//!
//! ```sh
//! cargo run --example jit -- 3
//! ```

use unix_memory::code::CodeBuffer;

/// The instructions of an `extern "C" fn(usize) -> usize` that adds `number` to its argument, for
/// this processor, if they are known here.
fn adding(number: u8) -> Option<Vec<u8>> {
    let big = cfg!(target_endian = "big");
    let word = u32::from(number);
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    Some(match std::env::consts::ARCH {
        // lea rax, [rdi + number]; ret
        "x86_64" => [&[0x48, 0x8d, 0x87][..], &word.to_le_bytes(), &[0xc3]].concat(),
        // mov eax, [esp + 4]; add eax, number; ret
        "x86" => {
            let load_and_add = [0x8b, 0x44, 0x24, 0x04, 0x05];
            [&load_and_add[..], &word.to_le_bytes(), &[0xc3]].concat()
        }
        // add x0, x0, number; ret
        "aarch64" if !big => bytes(&[0x9100_0000 | word << 10, 0xd65f_03c0]),
        // add r0, r0, number; bx lr
        "arm" if !big => bytes(&[0xe280_0000 | word, 0xe12f_ff1e]),
        // addi a0, a0, number; ret
        "riscv32" | "riscv64" => bytes(&[word << 20 | 0x0005_0513, 0x0000_8067]),
        // aghi %r2, number; br %r14
        "s390x" => bytes(&[0xa72b_0000 | word, 0x07fe_0000]),
        // addi.d a0, a0, number; ret
        "loongarch64" => bytes(&[0x02c0_0084 | word << 10, 0x4c00_0020]),
        // (There, the address of a function is that of a descriptor.)
        "powerpc64" if big && cfg!(target_env = "gnu") => return None,
        // addi 3, 3, number; blr
        "powerpc" | "powerpc64" => bytes(&[0x3863_0000 | word, 0x4e80_0020]),
        // jr ra; addiu v0, a0, number, which is done before the jump
        "mips" => bytes(&[0x03e0_0008, 0x2482_0000 | word]),
        // jr ra; daddiu v0, a0, number
        "mips64" => bytes(&[0x03e0_0008, 0x6482_0000 | word]),
        // retl; add %o0, number, %o0
        "sparc" | "sparc64" => bytes(&[0x81c3_e008, 0x9002_2000 | word]),
        _ => return None,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = match std::env::args().nth(1) {
        Some(argument) => argument.parse()?,
        None => 3,
    };
    let Some(instructions) = adding(number) else {
        println!("no instructions for {} are here", std::env::consts::ARCH);
        return Ok(());
    };
    let mut buffer = CodeBuffer::new(instructions.len())?;
    buffer.copy_from_slice(&instructions);
    let code = buffer.into_executable()?;
    // SAFETY: at offset 0 there is such a function, for any argument, and `code` is neither changed
    // nor dropped until it has returned.
    let add = unsafe { code.function::<extern "C" fn(usize) -> usize>(0) }?;
    println!("2 + {number} = {}", add(2));
    Ok(())
}
