//! Mappings made with any options: they keep their promises, or the error says why not, and nothing
//! is left of them.

#![no_main]

use std::fs::File;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use tests::{Permissions, kernel, permissions};
use unix_memory::{
    Advice, Call, Error, HugePageSize, MapOptions, Mapping, Protection, ReadWrite, SharedMapping,
    page_size,
};

#[derive(Arbitrary, Debug)]
struct Input {
    options: Vec<Setting>,
    #[arbitrary(with = protection)]
    protection: Protection,
    way: Way,
}

/// One call of the builder.
#[derive(Arbitrary, Debug)]
enum Setting {
    Len(Number),
    Offset(Number),
    PastEnd(bool),
    Hint(Number),
    At(Number),
    /// Where something is mapped already.
    AtTaken,
    Within(Number, Number),
    Alignment(Number),
    Populate(bool),
    NoReserve(bool),
    Stack(bool),
    Lock(bool),
    DontDump(bool),
    Advice(#[arbitrary(with = advice)] Advice),
    Name(u8),
    HugePages(u8),
    Transparent(bool),
}

/// Which method maps.
#[derive(Arbitrary, Debug)]
enum Way {
    Anonymous,
    AnonymousShared,
    Guarded { before: Number, behind: Number },
    FileShared,
    FilePrivate,
    Droppable,
}

/// A number near a power of two, or near so many pages, or any.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Pages { pages: u8, more: i8 },
    Power { log2: u8, more: i8 },
    Any(usize),
}

impl Number {
    fn get(self) -> usize {
        let (base, more) = match self {
            Self::Pages { pages, more } => (usize::from(pages) * page_size(), more),
            Self::Power { log2, more } => (1 << (u32::from(log2) % usize::BITS), more),
            Self::Any(number) => (number, 0),
        };
        base.wrapping_add_signed(more.into())
    }
}

fn protection(input: &mut Unstructured) -> arbitrary::Result<Protection> {
    let all = Protection::READ | Protection::WRITE | Protection::EXECUTE;
    Ok(Protection::from_bits_truncate(input.arbitrary()?) & all)
}

fn advice(input: &mut Unstructured) -> arbitrary::Result<Advice> {
    input.choose(&Advice::ALL).copied()
}

/// What all inputs share.
struct Common {
    /// A few pages, the last of which ends early.
    file: File,
    file_len: u64,
    taken: Mapping<ReadWrite>,
}

fn common() -> &'static Common {
    static COMMON: OnceLock<Common> = OnceLock::new();
    COMMON.get_or_init(|| {
        let file = tempfile::tempfile().expect("a file");
        let file_len = 5 * page_size() as u64 - 100;
        file.set_len(file_len).expect("room for it");
        let taken = Mapping::anonymous(page_size()).expect("a page");
        // More would only make the machine slow.
        let now = kernel::virtual_size().get().expect("/proc");
        tests::limit_address_space((now + (512 << 20)) as u64).expect("a limit");
        Common {
            file,
            file_len,
            taken,
        }
    })
}

fuzz_target!(|input: Input| run(&input));

fn run(input: &Input) {
    let common = common();
    let mut options = MapOptions::new();
    let (mut asked, mut aligned, mut huge) = (None, 0, false);
    for setting in &input.options {
        options = match *setting {
            Setting::Len(len) => {
                asked = Some(len.get());
                options.len(len.get())
            }
            Setting::Offset(offset) => options.offset(offset.get() as u64),
            Setting::PastEnd(yes) => options.past_end(yes),
            Setting::Hint(address) => options.hint(address.get()),
            Setting::At(address) => options.at(address.get()),
            Setting::AtTaken => options.at(common.taken.as_ptr().addr()),
            Setting::Within(start, end) => options.within(start.get()..end.get()),
            Setting::Alignment(bytes) => {
                aligned = bytes.get();
                options.alignment(aligned)
            }
            Setting::Populate(yes) => options.populate(yes),
            Setting::NoReserve(yes) => options.no_reserve(yes),
            Setting::Stack(yes) => options.stack(yes),
            Setting::Lock(yes) => options.lock(yes),
            Setting::DontDump(yes) => options.dont_dump(yes),
            Setting::Advice(advice) => options.advice(advice),
            Setting::Name(which) => {
                let names = [c"a name", c"", c"[not] a name", c"\\", c"\xff"];
                options.name(names[usize::from(which) % names.len()])
            }
            Setting::HugePages(log2) => {
                let size = HugePageSize::from_bytes(1 << (u32::from(log2) % usize::BITS));
                huge |= size.is_some();
                size.map_or(options, |size| options.huge_pages(size))
            }
            Setting::Transparent(yes) => options.transparent_huge_pages(yes),
        };
    }
    let expected = Expected {
        len: asked.filter(|_| !huge),
        alignment: if huge { 0 } else { aligned },
        protection: input.protection,
    };
    let before = kernel::virtual_size().get();
    let made = expected.map(&input.way, options);
    if let Err(error) = made {
        assert_ne!(error.errno(), 0, "{error}");
        assert!(error.to_string().is_ascii());
        // A failure of the library's own making.
        assert!(
            ![libc::EFAULT, libc::EBADF].contains(&error.errno()),
            "{error}"
        );
        assert_ne!(error.call(), Call::Munmap, "{error}");
    }
    let after = kernel::virtual_size().get();
    // (The allocator's heap may have grown.)
    assert!(
        after <= before.map(|before| before + (1 << 20)),
        "{before:?} {after:?}"
    );
}

struct Expected {
    len: Option<usize>,
    alignment: usize,
    protection: Protection,
}

impl Expected {
    fn map(&self, way: &Way, options: MapOptions) -> Result<(), Error> {
        let common = common();
        match *way {
            Way::Anonymous => {
                let mapping = options.map_anonymous(self.protection)?;
                self.check(mapping.as_ptr(), mapping.len(), true);
                if let Ok(mut mapping) = mapping.downcast::<ReadWrite>() {
                    touch(&mut mapping);
                }
            }
            Way::AnonymousShared => {
                let mapping = options.map_anonymous_shared(self.protection)?;
                self.check(mapping.as_ptr(), mapping.len(), true);
                touch_shared(mapping, None);
            }
            Way::Guarded { before, behind } => {
                let (before, behind) = (before.get(), behind.get());
                let guarded = options.map_guarded(before, behind, self.protection)?;
                let mapping = guarded.mapping();
                self.check(mapping.as_ptr(), mapping.len(), false);
                let guard = mapping.as_ptr().wrapping_sub(1);
                if before != 0 && !mapping.is_empty() {
                    assert_eq!(protection_at(guard), Protection::empty());
                }
            }
            Way::FileShared | Way::FilePrivate => {
                let mapping = match way {
                    Way::FileShared => options.map_shared(&common.file, self.protection)?,
                    _ => options.map_private(&common.file, self.protection)?,
                };
                self.check(mapping.as_ptr(), mapping.len(), false);
                touch_shared(mapping, Some(common.file_len));
            }
            Way::Droppable => {
                let mapping = options.map_droppable(self.protection)?;
                self.check(mapping.as_ptr(), mapping.len(), true);
                touch_shared(mapping, None);
            }
        }
        Ok(())
    }

    fn check(&self, start: *const u8, len: usize, at_first: bool) {
        assert!(self.len.is_none_or(|asked| asked == len), "{len} bytes");
        let is_aligned = start.addr().is_multiple_of(self.alignment.max(1));
        assert!(!at_first || len == 0 || is_aligned, "{start:?}");
        assert_ne!(start.addr(), common().taken.as_ptr().addr());
        if len != 0 {
            for byte in [start, start.wrapping_add(len - 1)] {
                assert_eq!(protection_at(byte), self.protection, "{byte:?}");
            }
        }
    }
}

/// What the kernel reports about a page.
fn protection_at(address: *const u8) -> Protection {
    let real = permissions(address).get().expect("/proc");
    [
        (Permissions::READ, Protection::READ),
        (Permissions::WRITE, Protection::WRITE),
        (Permissions::EXECUTE, Protection::EXECUTE),
    ]
    .into_iter()
    .filter_map(|(flag, protection)| real.contains(flag).then_some(protection))
    .collect()
}

/// New memory is zeros, and keeps what is written.
fn touch(mapping: &mut Mapping<ReadWrite>) {
    let Some(last) = mapping.len().checked_sub(1) else {
        return;
    };
    for place in [0, last] {
        assert_eq!(mapping[place], 0);
    }
    (mapping[0], mapping[last]) = (1, 2);
    assert!(last == 0 || mapping[0] == 1);
    assert_eq!(mapping[last], 2);
}

/// Copies do not fault, whether anything is mapped or not.
fn touch_shared(mapping: SharedMapping<Protection>, file: Option<u64>) {
    let Some(last) = mapping.len().checked_sub(1) else {
        return;
    };
    if let Ok(mapping) = mapping.downcast::<ReadWrite>() {
        for place in [0, last] {
            let mut byte = [1];
            match mapping.read_at(place, &mut byte) {
                Ok(()) => assert_eq!(byte, [0]),
                Err(error) => assert!(file.is_some(), "{error}"),
            }
        }
    }
}
