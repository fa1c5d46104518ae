//! A stand-in for `core`, just large enough to compile `unix-memory-sys`: with it, xtask reads the
//! crate's constants, signatures and symbols on any target in a third of a second; with the real
//! `core`, that takes twenty seconds. It follows the internals of one compiler; where it does not
//! compile, or lacks something, xtask uses the real `core` instead.
//!
//! `primitives.rs` beside the copy of this file is the compiler's own, so that `c_long` and its
//! like are what they really are on the target.

#![no_core]
#![feature(no_core, lang_items, rustc_attrs, decl_macro, auto_traits, doc_cfg, macro_derive, intrinsics)]
#![allow(internal_features, unused)]

#[lang = "pointee_sized"]
pub trait PointeeSized {}
#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}
#[lang = "sized"]
pub trait Sized: MetaSized {}
#[lang = "legacy_receiver"]
pub trait LegacyReceiver {}
impl<T: PointeeSized> LegacyReceiver for &T {}
#[lang = "copy"]
pub trait Copy {}
#[lang = "freeze"]
pub unsafe auto trait Freeze {}
#[lang = "sync"]
pub unsafe auto trait Sync {}
impl<T: PointeeSized> Copy for *mut T {}
impl<T: PointeeSized> Copy for *const T {}
impl<T: PointeeSized> Copy for &T {}

#[lang = "drop_in_place"]
unsafe fn drop_in_place<T: PointeeSized>(place: *mut T) {
    // The compiler replaces this body with the real code.
    unsafe { drop_in_place(place) }
}

#[rustc_builtin_macro]
pub macro cfg($($token:tt)*) {}
#[rustc_builtin_macro]
pub macro cfg_select($($token:tt)*) {}
#[rustc_builtin_macro]
pub macro compile_error($message:expr $(,)?) {}
#[rustc_builtin_macro]
pub macro include_str($file:expr $(,)?) {}
#[rustc_builtin_macro]
pub macro stringify($($token:tt)*) {}
#[rustc_builtin_macro]
pub macro concat($($token:tt)*) {}
#[rustc_builtin_macro]
pub macro derive($item:item) {}
#[rustc_builtin_macro]
pub macro test($item:item) {}

/// The derives expand to nothing: nothing here needs them.
macro_rules! derives {
    ($dollar:tt $($Name:ident)*) => { $(
        #[macro_export]
        macro_rules! $Name {
            derive() ($dollar($dollar item:tt)*) => {};
        }
    )* };
}
derives! { $ Clone Copy Debug Default Eq PartialEq }

pub mod mem {
    #[rustc_intrinsic]
    pub const fn size_of<T>() -> usize;
}

pub mod prelude {
    pub mod rust_2024 {
        pub use crate::mem::size_of;
        pub use crate::{Clone, Copy, Debug, Default, Eq, PartialEq, Sized, Sync, cfg, compile_error, concat, derive, include_str, stringify, test};
    }
}

macro_rules! operators {
    ($($lang:literal $Trait:ident $method:ident $op:tt)*) => { $(
        #[lang = $lang]
        pub trait $Trait<Rhs = Self> {
            type Output;
            fn $method(self, rhs: Rhs) -> Self::Output;
        }
        operators! { $Trait $method $op: i8 i16 i32 i64 isize u8 u16 u32 u64 usize }
    )* };
    ($Trait:ident $method:ident $op:tt: $($Int:ident)*) => { $(
        impl $Trait for $Int {
            type Output = $Int;
            fn $method(self, rhs: $Int) -> $Int {
                self $op rhs
            }
        }
    )* };
}
operators! {
    "add" Add add +
    "sub" Sub sub -
    "mul" Mul mul *
    "bitand" BitAnd bitand &
    "bitor" BitOr bitor |
    "bitxor" BitXor bitxor ^
    "shl" Shl shl <<
    "shr" Shr shr >>
}

#[lang = "not"]
pub trait Not {
    type Output;
    fn not(self) -> Self::Output;
}
#[lang = "neg"]
pub trait Neg {
    type Output;
    fn neg(self) -> Self::Output;
}
#[lang = "eq"]
pub trait PartialEq<Rhs: PointeeSized = Self>: PointeeSized {
    fn eq(&self, other: &Rhs) -> bool;
    fn ne(&self, other: &Rhs) -> bool;
}

macro_rules! integers {
    ($($Int:ident)*) => { $(
        impl Copy for $Int {}
        impl Not for $Int {
            type Output = $Int;
            fn not(self) -> $Int {
                !self
            }
        }
        impl PartialEq for $Int {
            fn eq(&self, other: &$Int) -> bool {
                *self == *other
            }
            fn ne(&self, other: &$Int) -> bool {
                *self != *other
            }
        }
    )* };
}
integers! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }
macro_rules! signed_integers {
    ($($Int:ident)*) => { $(
        impl Neg for $Int {
            type Output = $Int;
            fn neg(self) -> $Int {
                -self
            }
        }
    )* };
}
signed_integers! { i8 i16 i32 i64 isize }
impl Copy for bool {}

pub mod ptr {
    pub const fn without_provenance<T>(address: usize) -> *const T {
        address as *const T
    }
    pub const fn without_provenance_mut<T>(address: usize) -> *mut T {
        address as *mut T
    }
}

#[path = "."]
pub mod ffi {
    #[repr(u8)]
    pub enum c_void {
        A,
        B,
    }
    mod primitives;
    pub use primitives::*;
}
