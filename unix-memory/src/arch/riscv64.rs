//! riscv64: 64 bytes at a time where both ends can be aligned, since an unaligned access may trap
//! and be slow; else a byte at a time, four in a row.

use super::routine::routines;

/// There are such copies here.
pub const AVAILABLE: bool = true;

/// `uc_mcontext.sc_regs.pc`: arch/riscv/include/uapi/asm/{ucontext,sigcontext}.h.
#[allow(dead_code, reason = "only Linux asks")]
pub const PROGRAM_COUNTER: usize = 176;

// To a0, from a1, len a2; and to a0, len a1, byte a2. Between two blocks, a0 and a1 are where it
// continues, and the length is how many bytes are left. A block stores at fixed distances from a0, so
// a fault in it continues at code that adds the bytes that it had stored (from 41 on), and then byte
// by byte. No store touches two pages: each is aligned.
routines! {
    abi: "C",
    code: [
        ".globl {copy}",
        "{copy}:",
        "    li t6, 64",
        "    xor t0, a0, a1",
        "    andi t0, t0, 7",
        "    bnez t0, 5f",
        "2:  andi t0, a0, 7", // up to where both are aligned
        "    beqz t0, 20f",
        "    beqz a2, 50f",
        "    lbu t1, 0(a1)",
        "    sb t1, 0(a0)",
        "    addi a1, a1, 1",
        "    addi a0, a0, 1",
        "    addi a2, a2, -1",
        "    j 2b",
        "20: bltu a2, t6, 4f", // none are stored
        "    ld t0, 0(a1)",
        "    ld t1, 8(a1)",
        "    ld t2, 16(a1)",
        "    ld t3, 24(a1)",
        "    ld t4, 32(a1)",
        "    ld t5, 40(a1)",
        "    ld a3, 48(a1)",
        "    ld a4, 56(a1)",
        "    sd t0, 0(a0)",
        "21: sd t1, 8(a0)", // 8 are stored
        "22: sd t2, 16(a0)", // 16
        "23: sd t3, 24(a0)", // 24
        "24: sd t4, 32(a0)", // 32
        "25: sd t5, 40(a0)", // 40
        "26: sd a3, 48(a0)", // 48
        "27: sd a4, 56(a0)", // 56
        "    addi a1, a1, 64",
        "    addi a0, a0, 64",
        "    addi a2, a2, -64",
        "    j 20b",
        "4:  li t6, 8",
        "28: bltu a2, t6, 50f", // none are stored
        "    ld t0, 0(a1)",
        "    sd t0, 0(a0)",
        "    addi a1, a1, 8",
        "    addi a0, a0, 8",
        "    addi a2, a2, -8",
        "    j 28b",
        "5:  li t6, 4",
        "6:  bltu a2, t6, 50f",
        "    lbu t0, 0(a1)",
        "    lbu t1, 1(a1)",
        "    lbu t2, 2(a1)",
        "    lbu t3, 3(a1)",
        "    sb t0, 0(a0)",
        "31: sb t1, 1(a0)", // 1 is stored
        "32: sb t2, 2(a0)", // 2
        "33: sb t3, 3(a0)", // 3
        "    addi a1, a1, 4",
        "    addi a0, a0, 4",
        "    addi a2, a2, -4",
        "    j 6b",
        "41: li t0, 8",
        "    j 49f",
        "42: li t0, 16",
        "    j 49f",
        "43: li t0, 24",
        "    j 49f",
        "44: li t0, 32",
        "    j 49f",
        "45: li t0, 40",
        "    j 49f",
        "46: li t0, 48",
        "    j 49f",
        "47: li t0, 56",
        "    j 49f",
        "36: li t0, 1",
        "    j 49f",
        "37: li t0, 2",
        "    j 49f",
        "38: li t0, 3",
        "49: add a0, a0, t0",
        "    add a1, a1, t0",
        "    sub a2, a2, t0",
        "50: beqz a2, 51f",
        "    lbu t0, 0(a1)",
        "    sb t0, 0(a0)",
        "    addi a1, a1, 1",
        "    addi a0, a0, 1",
        "    addi a2, a2, -1",
        "    j 50b",
        "51: mv a0, a2",
        "    ret",

        ".p2align 4",
        ".globl {set}",
        "{set}:",
        "    andi a2, a2, 255",
        "    li t0, 0x0101010101010101",
        "    mul t1, a2, t0",
        "2:  andi t0, a0, 7", // up to where it is aligned
        "    beqz t0, 3f",
        "    beqz a1, 60f",
        "    sb a2, 0(a0)",
        "    addi a0, a0, 1",
        "    addi a1, a1, -1",
        "    j 2b",
        "3:  li t6, 8",
        "4:  bltu a1, t6, 60f",
        "    sd t1, 0(a0)",
        "    addi a0, a0, 8",
        "    addi a1, a1, -8",
        "    j 4b",
        "60: beqz a1, 61f",
        "    sb a2, 0(a0)",
        "    addi a0, a0, 1",
        "    addi a1, a1, -1",
        "    j 60b",
        "61: mv a0, a1",
        "    ret",
    ],
    ways: [
        "{copy}" => "50b",
        "21b" => "41b",
        "22b" => "42b",
        "23b" => "43b",
        "24b" => "44b",
        "25b" => "45b",
        "26b" => "46b",
        "27b" => "47b",
        "28b" => "50b",
        "31b" => "36b",
        "32b" => "37b",
        "33b" => "38b",
        "50b" => "51b",
        "51b" => "{copy}",
        "{set}" => "60b",
        "60b" => "61b",
        "61b" => "{copy}",
    ],
}
