//! The second entry of the tables of advice, checked against the first: what a system's file gives
//! must be the value of the name that is listed here, which is the one that the documentation of
//! [`Advice`] and [`UncheckedAdvice`] claims; what is not listed here must have no value.
//!
//! Compiled in tests, and under `--cfg unix_memory_oracle` where `cargo xtask check` visits other
//! targets. (What a system gives for the rest of the contract is reviewed in xtask/choices.toml.)

use core::ffi::c_int;

use unix_memory_sys as sys;

use crate::advice::Advice;
use crate::advice::unchecked::UncheckedAdvice;

/// Fails to compile unless `$given` gives, for each advice, the value of the name listed for it.
macro_rules! reviewed {
    ($given:path, $kind:ident: $($variant:ident $name:ident,)*) => {
        const _: () = {
            const fn listed(advice: $kind) -> Option<c_int> {
                match advice {
                    $($kind::$variant => Some(sys::$name),)*
                    #[allow(unreachable_patterns, reason = "some systems have them all")]
                    _ => None,
                }
            }
            let mut at = 0;
            while at < $kind::ALL.len() {
                let advice = $kind::ALL[at];
                match (listed(advice), $given(advice)) {
                    (None, None) => {}
                    (Some(name), Some(value)) if name == value => {}
                    _ => panic!("os/reviewed/mod.rs and the system's page differ on an advice"),
                }
                at += 1;
            }
        };
    };
}

/// No value is both a hint and more than a hint.
const _: () = {
    let mut hint = 0;
    while hint < Advice::ALL.len() {
        let mut other = 0;
        while other < UncheckedAdvice::ALL.len() {
            if let (Some(one), Some(two)) = (
                super::advice(Advice::ALL[hint]),
                super::unchecked_advice(UncheckedAdvice::ALL[other]),
            ) {
                assert!(
                    one != two,
                    "a value is both an Advice and an UncheckedAdvice"
                );
            }
            other += 1;
        }
        hint += 1;
    }
};

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_COLD,
            PageOut MADV_PAGEOUT,
            HugePage MADV_HUGEPAGE,
            NoHugePage MADV_NOHUGEPAGE,
            Collapse MADV_COLLAPSE,
            Mergeable MADV_MERGEABLE,
            Unmergeable MADV_UNMERGEABLE,
            DontDump MADV_DONTDUMP,
            DoDump MADV_DODUMP,
            DoFork MADV_DOFORK,
            KeepOnFork MADV_KEEPONFORK,
        }
        // MADV_SOFT_OFFLINE is not in the headers of MIPS: its page has the number.
        const fn unchecked_advice(advice: UncheckedAdvice) -> Option<c_int> {
            match (advice, super::unchecked_advice(advice)) {
                (UncheckedAdvice::SoftOffline, Some(101)) => None,
                (UncheckedAdvice::SoftOffline, _) => Some(c_int::MIN),
                (_, value) => value,
            }
        }
        reviewed! { unchecked_advice, UncheckedAdvice:
            DontNeed MADV_DONTNEED,
            DontNeedLocked MADV_DONTNEED_LOCKED,
            Free MADV_FREE,
            Remove MADV_REMOVE,
            DontFork MADV_DONTFORK,
            WipeOnFork MADV_WIPEONFORK,
            GuardInstall MADV_GUARD_INSTALL,
            GuardRemove MADV_GUARD_REMOVE,
            HwPoison MADV_HWPOISON,
        }
    } else if #[cfg(target_vendor = "apple")] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            PageOut MADV_PAGEOUT,
            ZeroWiredPages MADV_ZERO_WIRED_PAGES,
            FreeReuse MADV_FREE_REUSE,
            CanReuse MADV_CAN_REUSE,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
            FreeReusable MADV_FREE_REUSABLE,
            Zero MADV_ZERO,
        }
    } else if #[cfg(target_os = "freebsd")] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            DontDump MADV_NOCORE,
            DoDump MADV_CORE,
            NoSync MADV_NOSYNC,
            AutoSync MADV_AUTOSYNC,
            Protect MADV_PROTECT,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
        }
    } else if #[cfg(target_os = "dragonfly")] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            DontDump MADV_NOCORE,
            DoDump MADV_CORE,
            NoSync MADV_NOSYNC,
            AutoSync MADV_AUTOSYNC,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
        }
    } else if #[cfg(any(target_os = "netbsd", target_os = "openbsd"))] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            SpaceAvail MADV_SPACEAVAIL,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
        }
    } else if #[cfg(target_os = "illumos")] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            AccessDefault MADV_ACCESS_DEFAULT,
            AccessThread MADV_ACCESS_LWP,
            AccessMany MADV_ACCESS_MANY,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
            Purge MADV_PURGE,
        }
    } else if #[cfg(target_os = "solaris")] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
            Cold MADV_DONTNEED,
            AccessDefault MADV_ACCESS_DEFAULT,
            AccessThread MADV_ACCESS_LWP,
            AccessMany MADV_ACCESS_MANY,
            AccessManyInSet MADV_ACCESS_MANY_PSET,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice:
            Free MADV_FREE,
        }
    } else if #[cfg(any(target_os = "l4re", target_os = "redox"))] {
        reviewed! { super::advice, Advice:
            Normal MADV_NORMAL,
            Random MADV_RANDOM,
            Sequential MADV_SEQUENTIAL,
            WillNeed MADV_WILLNEED,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice: }
    } else if #[cfg(target_os = "cygwin")] {
        // Its POSIX_MADV_DONTNEED throws content away.
        reviewed! { super::advice, Advice:
            Normal POSIX_MADV_NORMAL,
            Random POSIX_MADV_RANDOM,
            Sequential POSIX_MADV_SEQUENTIAL,
            WillNeed POSIX_MADV_WILLNEED,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice: }
    } else {
        reviewed! { super::advice, Advice:
            Normal POSIX_MADV_NORMAL,
            Random POSIX_MADV_RANDOM,
            Sequential POSIX_MADV_SEQUENTIAL,
            WillNeed POSIX_MADV_WILLNEED,
            Cold POSIX_MADV_DONTNEED,
        }
        reviewed! { super::unchecked_advice, UncheckedAdvice: }
    }
}
