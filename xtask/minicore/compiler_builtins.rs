//! An empty `compiler_builtins`, which the compiler requires beside `core`.
#![feature(compiler_builtins, no_core)]
#![compiler_builtins]
#![no_core]
