//! aarch64: 64 bytes at a time in vector registers, which every such system has.

use super::routine::routines;

/// There are such copies here.
pub const AVAILABLE: bool = true;

/// `uc_mcontext.pc`: arch/arm64/include/uapi/asm/{ucontext,sigcontext}.h. The context begins at
/// 176, with the fault's address, 31 registers and the stack pointer.
#[allow(dead_code, reason = "only Linux asks")]
pub const PROGRAM_COUNTER: usize = 176 + (1 + 31 + 1) * 8;

// To x0, from x1, len x2; and to x0, len x1, byte w2. Each store moves x0 on, which a store that
// faults leaves alone. So x0 is always the first byte that is not yet stored; x3 is the end, and x6 is
// the distance from the target to the source. What is left after a fault follows from these three.
//
// If a store touches two pages, one of which is not there, the bytes in the other may still be stored
// (Architecture Reference Manual, on memory accesses that generate a Data Abort). So a range that
// crosses the end of a page (of the smallest size) is done page by page: x2, or x1 in `set`, is how
// many bytes are left up to there. The loop by bytes needs no such division.
routines! {
    abi: "C",
    code: [
        ".globl {copy}",
        "{copy}:",
        "    hint 34",
        "    add x3, x0, x2",
        "    sub x6, x1, x0",
        "    eor x4, x3, x0",
        "    tst x4, -4096",
        "    b.ne 7f",
        "2:  cmp x2, 64",
        "    b.lo 4f",
        "3:  ldp q0, q1, [x1], 32",
        "    ldp q2, q3, [x1], 32",
        "    sub x2, x2, 64",
        "    stp q0, q1, [x0], 32",
        "    cmp x2, 64",
        "    stp q2, q3, [x0], 32",
        "    b.hs 3b",
        "4:  cbz x2, 6f",
        "    tbz w2, 5, 5f",
        "    ldp q0, q1, [x1], 32",
        "    stp q0, q1, [x0], 32",
        "5:  tbz w2, 4, 5f",
        "    ldr q0, [x1], 16",
        "    str q0, [x0], 16",
        "5:  tbz w2, 3, 5f",
        "    ldr x4, [x1], 8",
        "    str x4, [x0], 8",
        "5:  tbz w2, 2, 5f",
        "    ldr w4, [x1], 4",
        "    str w4, [x0], 4",
        "5:  tbz w2, 1, 5f",
        "    ldrh w4, [x1], 2",
        "    strh w4, [x0], 2",
        "5:  tbz w2, 0, 6f",
        "    ldrb w4, [x1], 1",
        "    strb w4, [x0], 1",
        "6:  cmp x0, x3",
        "    b.ne 7f",
        "    mov x0, 0",
        "    ret",
        "7:  orr x2, x0, -4096", // up to the end of the page, or less
        "    neg x2, x2",
        "    sub x4, x3, x0",
        "    cmp x2, x4",
        "    csel x2, x2, x4, lo",
        "    b 2b",
        "20: add x1, x0, x6",
        "    sub x2, x3, x0",
        "8:  cbz x2, 21f",
        "    ldrb w4, [x1], 1",
        "    strb w4, [x0], 1",
        "    sub x2, x2, 1",
        "    b 8b",
        "21: sub x0, x3, x0",
        "    ret",

        ".p2align 4",
        ".globl {set}",
        "{set}:",
        "    hint 34",
        "    dup v0.16b, w2",
        "    add x3, x0, x1",
        "    eor x4, x3, x0",
        "    tst x4, -4096",
        "    b.ne 7f",
        "2:  cmp x1, 64",
        "    b.lo 4f",
        "3:  stp q0, q0, [x0], 32",
        "    sub x1, x1, 64",
        "    stp q0, q0, [x0], 32",
        "    cmp x1, 64",
        "    b.hs 3b",
        "4:  cbz x1, 6f",
        "    tbz w1, 5, 5f",
        "    stp q0, q0, [x0], 32",
        "5:  tbz w1, 4, 5f",
        "    str q0, [x0], 16",
        "5:  tbz w1, 3, 5f",
        "    str d0, [x0], 8",
        "5:  tbz w1, 2, 5f",
        "    str s0, [x0], 4",
        "5:  tbz w1, 1, 5f",
        "    str h0, [x0], 2",
        "5:  tbz w1, 0, 6f",
        "    strb w2, [x0], 1",
        "6:  cmp x0, x3",
        "    b.ne 7f",
        "    mov x0, 0",
        "    ret",
        "7:  orr x1, x0, -4096", // up to the end of the page, or less
        "    neg x1, x1",
        "    sub x4, x3, x0",
        "    cmp x1, x4",
        "    csel x1, x1, x4, lo",
        "    b 2b",
        "30: cmp x0, x3",
        "    b.eq 31f",
        "    strb w2, [x0], 1",
        "    b 30b",
        "31: sub x0, x3, x0",
        "    ret",
    ],
    ways: [
        "{copy}" => "20b",
        "20b" => "21b",
        "21b" => "{copy}",
        "{set}" => "30b",
        "30b" => "31b",
        "31b" => "{copy}",
    ],
}
