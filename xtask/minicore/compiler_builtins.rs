//! What the compiler asks for beside `core`: nothing is in it.
#![feature(compiler_builtins, no_core)]
#![compiler_builtins]
#![no_core]
