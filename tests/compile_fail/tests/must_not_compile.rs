//! What must not compile, with what the compiler says of it.
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

use std::process::Command;

/// The compiler whose messages are in the `.stderr` files: another one may word them differently.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn what_must_not_compile() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output();
    let version = String::from_utf8(output.expect("rustc --version").stdout).expect("a text");
    if !version.starts_with(COMPILER) && std::env::var_os("TRYBUILD").is_none() {
        let version = version.trim();
        println!(
            "skipped: what must not compile: the words are those of {COMPILER}, not {version}"
        );
        return;
    }
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
