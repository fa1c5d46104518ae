//! Memory that no guard of this crate owns: the program's own code, and what other libraries have
//! mapped.
//!
//! [`ForeignPages`] are the pages that hold some bytes, wherever these come from. Their protection
//! can be changed, permanently ([`protect`](ForeignPages::protect)) or temporarily
//! ([`protect_for_now`](ForeignPages::protect_for_now)), and they can be kept in memory
//! ([`lock`](ForeignPages::lock), [`unlock`](ForeignPages::unlock)). All of this is `unsafe`: the
//! caller vouches for the owner of the memory. [`ProcessMap`](crate::process_map::ProcessMap) reports
//! what is mapped at an address, and how it is protected.
//!
//! To patch code, for example:
//!
//! ```
//! use unix_memory::Protection;
//! use unix_memory::foreign::ForeignPages;
//!
//! static GREETING: [u8; 5] = *b"hello"; // read-only, as code is
//!
//! let pages = ForeignPages::holding(GREETING.as_ptr(), GREETING.len())?;
//! // SAFETY: the pages are the program's own, and stay mapped; they can be read all the time.
//! match unsafe { pages.protect_for_now(Protection::READ | Protection::WRITE) } {
//!     Ok(guard) => {
//!         // ... here the pages can be written ...
//!         guard.restore()?;
//!     }
//!     Err(error) => println!("{error}"), // the system reports no protections, or forbids it
//! }
//! # Ok::<(), unix_memory::Error>(())
//! ```
//!
//! (Whether the bytes may be written is another question: Rust assumes that neither running code nor
//! a `static` without interior mutability changes.)

mod for_now;
mod mappings;
mod pages;

pub use for_now::ProtectionGuard;
pub use pages::ForeignPages;
