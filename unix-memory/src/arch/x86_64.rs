//! x86_64: SSE2, which every such processor has, and string instructions for the long ones.

use super::routine::routines;

/// There are such copies here.
pub const AVAILABLE: bool = true;

/// `uc_mcontext.gregs[REG_RIP]`: arch/x86/include/uapi/asm/sigcontext.h, `ip` of `sigcontext_64`.
#[allow(dead_code, reason = "only Linux asks")]
pub const PROGRAM_COUNTER: usize = 40 + 16 * 8;

// To rdi, from rsi, len rdx; and to rdi, len rsi, byte dl. Between two blocks, rdi and rsi are where
// it continues, and rdx is how many bytes are left. A block stores at fixed distances from rdi, so a
// fault in it continues at code that adds the bytes that it had stored (from 80 on), and then byte by
// byte.
//
// A store of more than eight bytes may be made of several, of which one is done when another faults
// (Intel's manual, volume 3A, "Guaranteed Atomic Operations"). So stores of 16 bytes are used only
// within one page, which is there for the whole store or not at all. Those of eight bytes or less are
// done as a whole, and the string instructions byte by byte: their registers are exact at a fault.
routines! {
    abi: "sysv64",
    code: [
        ".globl {copy}",
        "{copy}:",
        "    endbr64",
        "19: cmp rdx, 16",
        "    jae 6f",
        "2:  cmp edx, 8", // fewer than 16
        "    jb 3f",
        "    mov rax, [rsi]",
        "    mov [rdi], rax",
        "    je 9f",
        "    add rsi, 8",
        "    add rdi, 8",
        "    sub edx, 8",
        "3:  cmp edx, 4", // fewer than 8
        "    jb 4f",
        "    mov eax, [rsi]",
        "    mov [rdi], eax",
        "    je 9f",
        "30: cmp edx, 6", // 4 of them are stored
        "    jb 31f",
        "    movzx eax, word ptr [rsi + 4]",
        "    mov [rdi + 4], ax",
        "    je 9f",
        "31: movzx eax, byte ptr [rsi + rdx - 1]", // all but the last are stored
        "    mov [rdi + rdx - 1], al",
        "    xor eax, eax",
        "    ret",
        "4:  cmp edx, 2", // fewer than 4
        "29: jb 5f",      // none are stored
        "    movzx eax, word ptr [rsi]",
        "    mov [rdi], ax",
        "    jne 31b",
        "9:  xor eax, eax",
        "    ret",
        "5:  test edx, edx",
        "    jnz 31b",
        "    xor eax, eax",
        "    ret",

        "6:  ja 7f",
        "    mov rax, [rsi]", // 16
        "    mov rcx, [rsi + 8]",
        "    mov [rdi], rax",
        "32: mov [rdi + 8], rcx", // 8 are stored
        "    xor eax, eax",
        "    ret",
        "7:  cmp rdx, 32",
        "33: ja 22f", // none are stored
        "    je 21f",
        "    mov rax, [rsi]", // 17 to 31
        "    mov rcx, [rsi + 8]",
        "    mov [rdi], rax",
        "34: mov [rdi + 8], rcx", // 8 are stored
        "35: cmp edx, 24",        // 16 are stored
        "    jb 20f",
        "    mov rax, [rsi + 16]",
        "    mov [rdi + 16], rax",
        "    je 9b",
        "    add rsi, 24",
        "    add rdi, 24",
        "    sub edx, 24",
        "36: jmp 3b", // none of the rest are stored
        "20: add rsi, 16",
        "    add rdi, 16",
        "    sub edx, 16",
        "    jmp 3b",
        "21: mov rax, [rsi]", // 32
        "    mov rcx, [rsi + 8]",
        "    mov r8, [rsi + 16]",
        "    mov r9, [rsi + 24]",
        "    mov [rdi], rax",
        "37: mov [rdi + 8], rcx", // 8 are stored
        "38: mov [rdi + 16], r8", // 16
        "39: mov [rdi + 24], r9", // 24
        "    xor eax, eax",
        "    ret",

        "22: lea rax, [rdi + rdx - 1]", // more than 32: within one page?
        "    xor rax, rdi",
        "    shr rax, 12",
        "    jnz 28f",
        "    cmp rdx, 64",
        "    ja 24f",
        "    jb 23f",
        "    movups xmm0, [rsi]", // 64
        "    movups xmm1, [rsi + 16]",
        "    movups xmm2, [rsi + 32]",
        "    movups xmm3, [rsi + 48]",
        "    movups [rdi], xmm0",
        "40: movups [rdi + 16], xmm1", // 16 are stored
        "41: movups [rdi + 32], xmm2", // 32
        "42: movups [rdi + 48], xmm3", // 48
        "    xor eax, eax",
        "    ret",
        "23: movups xmm0, [rsi]", // none are stored; 32 to 63
        "    movups xmm1, [rsi + 16]",
        "    movups [rdi], xmm0",
        "43: movups [rdi + 16], xmm1", // 16 are stored
        "    add rsi, 32",
        "    add rdi, 32",
        "    sub edx, 32",
        "    cmp rdx, 16",
        "    jae 6b",
        "    jmp 2b",
        "24: cmp rdx, 1024", // more than 64
        "    jae 90f",
        "    sub rdx, 64", // as long as this loop runs
        "25: movups xmm0, [rsi]", // none are stored
        "    movups xmm1, [rsi + 16]",
        "    movups xmm2, [rsi + 32]",
        "    movups xmm3, [rsi + 48]",
        "    movups [rdi], xmm0",
        "44: movups [rdi + 16], xmm1", // 16 are stored
        "45: movups [rdi + 32], xmm2", // 32
        "46: movups [rdi + 48], xmm3", // 48
        "    add rsi, 64",
        "    add rdi, 64",
        "    sub rdx, 64",
        "    jae 25b",
        "    add rdx, 64",
        "    je 9b",
        "    cmp edx, 32",
        "    jae 23b",
        "    cmp rdx, 16",
        "    jae 6b",
        "    jmp 2b",

        "70: add rdx, 64", // in the loop, none are stored
        "    jmp 90f",
        "71: mov eax, 16",
        "    jmp 79f",
        "72: mov eax, 32",
        "    jmp 79f",
        "73: mov eax, 48",
        "79: add rdx, 64",
        "    jmp 89f",
        "80: lea rax, [rdx - 1]", // elsewhere, all but one are
        "    jmp 89f",
        "81: mov eax, 4",
        "    jmp 89f",
        "82: mov eax, 8",
        "    jmp 89f",
        "83: mov eax, 16",
        "    jmp 89f",
        "84: mov eax, 24",
        "    jmp 89f",
        "85: mov eax, 32",
        "    jmp 89f",
        "86: mov eax, 48",
        "89: add rdi, rax",
        "    add rsi, rax",
        "    sub rdx, rax",
        "90: mov rcx, rdx",
        "    rep movsb",
        "91: mov rax, rcx",
        "    ret",
        "28: cmp rdx, 1024", // in two pages or more
        "    jae 90b",
        "    mov ecx, edi", // in two: what is in the first, then the rest
        "    or ecx, -4096",
        "    neg ecx",
        "    sub rdx, rcx",
        "    lea r8, [rdi + rcx]",
        "    lea r9, [rsi + rcx]",
        "    push rdx",
        "    push r8",
        "    push r9",
        "    mov edx, ecx",
        "    call 19b",
        "    pop rsi",
        "    pop rdi",
        "    pop rdx",
        "    test rax, rax",
        "    jz 19b",
        "    add rax, rdx",
        "    ret",

        ".p2align 4",
        ".globl {set}",
        "{set}:",
        "    endbr64",
        "59: movzx eax, dl",
        "    mov rdx, rsi",
        "    mov r8, 0x0101010101010101",
        "    imul r8, rax",
        "    cmp rdx, 16",
        "    jae 6f",
        "2:  cmp edx, 8", // fewer than 16
        "    jb 3f",
        "    mov [rdi], r8",
        "    je 9f",
        "    add rdi, 8",
        "    sub edx, 8",
        "3:  cmp edx, 4", // fewer than 8
        "    jb 4f",
        "    mov [rdi], r8d",
        "    je 9f",
        "50: cmp edx, 6", // 4 of them are stored
        "    jb 51f",
        "    mov [rdi + 4], r8w",
        "    je 9f",
        "51: mov [rdi + rdx - 1], al", // all but the last are stored
        "9:  xor eax, eax",
        "    ret",
        "4:  cmp edx, 2", // fewer than 4
        "52: jb 5f",      // none are stored
        "    mov [rdi], r8w",
        "    jne 51b",
        "    xor eax, eax",
        "    ret",
        "5:  test edx, edx",
        "    jnz 51b",
        "    xor eax, eax",
        "    ret",
        "6:  cmp rdx, 64",
        "    jae 7f",
        "26: mov [rdi], r8", // 16 to 63
        "53: mov [rdi + 8], r8", // 8 are stored
        "    add rdi, 16",
        "    sub edx, 16",
        "    je 9b",
        "    cmp edx, 16",
        "    jae 26b",
        "    jmp 2b",
        "7:  lea rcx, [rdi + rdx - 1]", // 64 or more: within one page?
        "    xor rcx, rdi",
        "    shr rcx, 12",
        "    jnz 57f",
        "    cmp rdx, 1024",
        "    jae 98f",
        "    movq xmm0, r8",
        "    punpcklqdq xmm0, xmm0",
        "    sub rdx, 64", // as long as this loop runs
        "27: movups [rdi], xmm0", // none are stored
        "54: movups [rdi + 16], xmm0", // 16 are stored
        "55: movups [rdi + 32], xmm0", // 32
        "56: movups [rdi + 48], xmm0", // 48
        "    add rdi, 64",
        "    sub rdx, 64",
        "    jae 27b",
        "    add rdx, 64",
        "    je 9b",
        "    cmp edx, 16",
        "    jae 26b",
        "    jmp 2b",

        "60: add rdx, 64", // in the loop, none are stored
        "    jmp 98f",
        "61: mov ecx, 16",
        "    jmp 69f",
        "62: mov ecx, 32",
        "    jmp 69f",
        "63: mov ecx, 48",
        "69: add rdx, 64",
        "    jmp 97f",
        "64: lea rcx, [rdx - 1]", // elsewhere, all but one are
        "    jmp 97f",
        "65: mov ecx, 4",
        "    jmp 97f",
        "66: mov ecx, 8",
        "97: add rdi, rcx",
        "    sub rdx, rcx",
        "98: mov rcx, rdx",
        "    rep stosb",
        "99: mov rax, rcx",
        "    ret",
        "57: cmp rdx, 1024", // in two pages or more
        "    jae 98b",
        "    mov esi, edi", // in two: what is in the first, then the rest
        "    or esi, -4096",
        "    neg esi",
        "    sub rdx, rsi",
        "    lea rcx, [rdi + rsi]",
        "    push rax",
        "    push rdx",
        "    push rcx",
        "    mov edx, eax",
        "    call 59b",
        "    pop rdi",
        "    pop rsi",
        "    pop rdx",
        "    test rax, rax",
        "    jz 59b",
        "    add rax, rsi",
        "    ret",
    ],
    ways: [
        "{copy}" => "90b",
        "30b" => "81b",
        "31b" => "80b",
        "29b" => "90b",
        "32b" => "82b",
        "33b" => "90b",
        "34b" => "82b",
        "35b" => "83b",
        "36b" => "90b",
        "37b" => "82b",
        "38b" => "83b",
        "39b" => "84b",
        "22b" => "90b",
        "40b" => "83b",
        "41b" => "85b",
        "42b" => "86b",
        "23b" => "90b",
        "43b" => "83b",
        "25b" => "70b",
        "44b" => "71b",
        "45b" => "72b",
        "46b" => "73b",
        "90b" => "91b",
        "91b" => "{copy}",
        "{set}" => "98b",
        "50b" => "65b",
        "51b" => "64b",
        "52b" => "98b",
        "53b" => "66b",
        "27b" => "60b",
        "54b" => "61b",
        "55b" => "62b",
        "56b" => "63b",
        "98b" => "99b",
        "99b" => "{copy}",
    ],
}
