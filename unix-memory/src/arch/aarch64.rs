//! aarch64: 64 bytes at a time in vector registers, which every such Unix has.

use super::routine::routines;

/// There are such copies here.
pub const AVAILABLE: bool = true;

/// `uc_mcontext.pc`: arch/arm64/include/uapi/asm/{ucontext,sigcontext}.h. The context begins at 176,
/// with the fault's address, 31 registers and the stack pointer.
#[allow(dead_code, reason = "only Linux asks")]
pub const PROGRAM_COUNTER: usize = 176 + (1 + 31 + 1) * 8;

// To x0, from x1, len x2; and to x0, len x1, byte w2. x0 and x1 are where it goes on, and the
// length is how many bytes are left. A load or store that faults leaves its base register alone.
routines! {
    ".globl {copy}",
    "{copy}:",
    "    hint 34",
    "    cmp x2, 64",
    "    b.lo 3f",
    "2:  ldp q0, q1, [x1]",
    "    ldp q2, q3, [x1, 32]",
    "    stp q0, q1, [x0]",
    "    stp q2, q3, [x0, 32]",
    "    add x1, x1, 64",
    "    add x0, x0, 64",
    "    sub x2, x2, 64",
    "    cmp x2, 64",
    "    b.hs 2b",
    "3:  cmp x2, 8",
    "    b.lo 4f",
    "    ldr x3, [x1]",
    "    str x3, [x0]",
    "    add x1, x1, 8",
    "    add x0, x0, 8",
    "    sub x2, x2, 8",
    "    b 3b",
    "4:",
    ".globl {copy_bytes}",
    "{copy_bytes}:",
    "6:  cbz x2, 5f",
    "    ldrb w3, [x1]",
    "    strb w3, [x0]",
    "    add x1, x1, 1",
    "    add x0, x0, 1",
    "    sub x2, x2, 1",
    "    b 6b",
    "5:",
    ".globl {copy_stop}",
    "{copy_stop}:",
    "    mov x0, x2",
    "    ret",

    ".p2align 4",
    ".globl {set}",
    "{set}:",
    "    hint 34",
    "    dup v0.16b, w2",
    "2:  cmp x1, 32",
    "    b.lo 4f",
    "    stp q0, q0, [x0]",
    "    add x0, x0, 32",
    "    sub x1, x1, 32",
    "    b 2b",
    "4:",
    ".globl {set_bytes}",
    "{set_bytes}:",
    "6:  cbz x1, 5f",
    "    strb w2, [x0]",
    "    add x0, x0, 1",
    "    sub x1, x1, 1",
    "    b 6b",
    "5:",
    ".globl {set_stop}",
    "{set_stop}:",
    "    mov x0, x1",
    "    ret",
}
