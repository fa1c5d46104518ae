//! What is done, in random order: every operation can be done in every state, so whatever is left out
//! of a sequence, the rest is a sequence too, and a failing one can be shortened.
//!
//! Sequences are random ones of proptest's here, and come out of bytes (`Arbitrary`) in `fuzz/`.

use arbitrary::{Arbitrary, Unstructured};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use unix_memory::Advice;

/// One step. Numbers choose among what there is, modulo how many there are.
#[derive(Arbitrary, Clone, Debug)]
pub enum Operation {
    MapAnonymous(Length, Kind, Extras),
    MapGuarded {
        #[arbitrary(with = up_to::<2>)]
        before: u8,
        length: Length,
        #[arbitrary(with = up_to::<2>)]
        behind: u8,
        kind: Kind,
    },
    MapShared(Length, Kind),
    MapSealed(Length, u8),
    MapFile {
        file: u8,
        #[arbitrary(with = up_to::<5>)]
        page: u8,
        /// Whether the offset lies inside of that page.
        inside: bool,
        length: Length,
        private: bool,
        kind: Kind,
    },
    Reserve(#[arbitrary(with = up_to::<11>)] u8),
    Commit(u8, Span),
    Decommit(u8, Span),
    Split(u8, Place),
    /// With whatever is behind it.
    Join(u8),
    /// With any other, which is seldom behind it.
    JoinWith(u8, u8),
    Protect(u8, Kind),
    /// To a type and back to a value.
    Downcast(u8, Kind),
    SetProtection(u8, Kind),
    Advise(u8, Span, Hint),
    Lock(u8, Span),
    LockOnFault(u8, Span),
    Mlock(u8, Span),
    Munlock(u8, Span),
    /// Drops one of the guards over a mapping.
    Unlock(u8, u8),
    /// Drops one in another thread.
    UnlockElsewhere(u8, u8),
    Forget(u8, u8),
    IntoLocked(u8),
    LockProcess {
        future: bool,
        on_fault: bool,
    },
    UnlockProcess(u8),
    Resize(u8, Length),
    ResizeInPlace(u8, Length),
    Discard(u8, Span),
    Flush(u8, Span, #[arbitrary(with = up_to::<2>)] u8),
    Populate(u8, Span),
    PopulateWrite(u8, Span),
    Write(u8, Span, u8),
    /// By another thread, which owns the mapping meanwhile.
    WriteElsewhere(u8, Span, u8),
    CopyWithin(u8, Span, Place),
    Read,
    SetFileLength(u8, Length),
    Seal(u8),
    Key(u8),
    Unmap(u8),
    Drop(u8),
    /// Panics while a mapping and a guard over it are in scope.
    Panic(u8, Span),
    /// Does that many of the following operations in a child, and not here.
    Fork(#[arbitrary(with = up_to::<7>)] u8),
}

/// A length: so many pages, without the last bytes.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Length {
    #[arbitrary(with = up_to::<6>)]
    pub pages: u8,
    #[arbitrary(with = in_page)]
    pub less: u16,
}

/// A place in a mapping: the start of a page, or one inside of it.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Place {
    #[arbitrary(with = up_to::<6>)]
    pub page: u8,
    #[arbitrary(with = in_page)]
    pub inside: u16,
}

/// Two places; or a range that goes past the end.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Span {
    All,
    Within(Place, Place),
    Beyond(#[arbitrary(with = up_to::<2>)] u8),
}

/// The protection of pages, by its type.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NoAccess,
    ReadOnly,
    ReadWrite,
    ReadExecute,
    WriteOnly,
    ExecuteOnly,
    ReadWriteExecute,
}

/// Advice that is accepted for any memory.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Hint(#[arbitrary(with = any_hint)] pub Advice);

/// The other options of a mapping.
#[derive(Arbitrary, Clone, Copy, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a setter of the builder's"
)]
pub struct Extras {
    pub lock: bool,
    pub dont_dump: bool,
    pub populate: bool,
    pub advice: Option<Hint>,
    /// Where something is mapped already.
    pub taken: bool,
}

fn up_to<const MOST: u8>(bytes: &mut Unstructured) -> arbitrary::Result<u8> {
    bytes.int_in_range(0..=MOST)
}

/// Mostly the start of a page.
fn in_page(bytes: &mut Unstructured) -> arbitrary::Result<u16> {
    if bytes.ratio(3, 4)? {
        return Ok(0);
    }
    bytes.int_in_range(0..=4095)
}

fn any_hint(bytes: &mut Unstructured) -> arbitrary::Result<Advice> {
    bytes.choose(&HINTS).copied()
}

fn length() -> impl Strategy<Value = Length> {
    let less = prop_oneof![4 => Just(0_u16), 1 => Just(1), 1 => 1_u16..4096];
    (0_u8..7, less).prop_map(|(pages, less)| Length { pages, less })
}

fn place() -> impl Strategy<Value = Place> {
    let inside = prop_oneof![5 => Just(0_u16), 1 => 1_u16..4096];
    (0_u8..7, inside).prop_map(|(page, inside)| Place { page, inside })
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        3 => Just(Span::All),
        12 => (place(), place()).prop_map(|(from, to)| Span::Within(from, to)),
        1 => (0_u8..3).prop_map(Span::Beyond),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        2 => Just(Kind::NoAccess),
        3 => Just(Kind::ReadOnly),
        8 => Just(Kind::ReadWrite),
        1 => Just(Kind::ReadExecute),
        1 => Just(Kind::WriteOnly),
        1 => Just(Kind::ExecuteOnly),
        1 => Just(Kind::ReadWriteExecute),
    ]
}

const HINTS: [Advice; 12] = [
    Advice::Normal,
    Advice::Random,
    Advice::Sequential,
    Advice::WillNeed,
    Advice::Cold,
    Advice::PageOut,
    Advice::HugePage,
    Advice::NoHugePage,
    Advice::DontDump,
    Advice::DoDump,
    Advice::DoFork,
    Advice::KeepOnFork,
];

fn hint() -> impl Strategy<Value = Hint> {
    prop::sample::select(&HINTS[..]).prop_map(Hint)
}

fn extras() -> impl Strategy<Value = Extras> {
    (
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.2, hint()),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(lock, dont_dump, populate, advice, taken)| Extras {
            lock,
            dont_dump,
            populate,
            advice,
            taken,
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation as Op;
    let which = || any::<u8>();
    let makes = prop_oneof![
        8 => (length(), kind(), extras()).prop_map(|(l, k, e)| Op::MapAnonymous(l, k, e)),
        1 => (0_u8..3, length(), 0_u8..3, kind()).prop_map(|(before, length, behind, kind)| {
            Op::MapGuarded { before, length, behind, kind }
        }),
        2 => (length(), kind()).prop_map(|(l, k)| Op::MapShared(l, k)),
        2 => (length(), any::<u8>()).prop_map(|(l, b)| Op::MapSealed(l, b)),
        5 => (which(), 0_u8..6, prop::bool::weighted(0.2), length(), any::<bool>(), kind())
            .prop_map(|(file, page, inside, length, private, kind)| Op::MapFile {
                file, page, inside, length, private, kind,
            }),
        2 => (0_u8..12).prop_map(Op::Reserve),
    ];
    let shapes = prop_oneof![
        4 => (which(), span()).prop_map(|(w, s)| Op::Commit(w, s)),
        3 => (which(), span()).prop_map(|(w, s)| Op::Decommit(w, s)),
        6 => (which(), place()).prop_map(|(w, p)| Op::Split(w, p)),
        6 => which().prop_map(Op::Join),
        1 => (which(), which()).prop_map(|(w, o)| Op::JoinWith(w, o)),
        6 => (which(), length()).prop_map(|(w, l)| Op::Resize(w, l)),
        2 => (which(), length()).prop_map(|(w, l)| Op::ResizeInPlace(w, l)),
        1 => which().prop_map(Op::Unmap),
        2 => which().prop_map(Op::Drop),
    ];
    let protects = prop_oneof![
        6 => (which(), kind()).prop_map(|(w, k)| Op::Protect(w, k)),
        2 => (which(), kind()).prop_map(|(w, k)| Op::SetProtection(w, k)),
        1 => (which(), kind()).prop_map(|(w, k)| Op::Downcast(w, k)),
        8 => (which(), span(), hint()).prop_map(|(w, s, h)| Op::Advise(w, s, h)),
    ];
    let locks = prop_oneof![
        6 => (which(), span()).prop_map(|(w, s)| Op::Lock(w, s)),
        4 => (which(), span()).prop_map(|(w, s)| Op::LockOnFault(w, s)),
        4 => (which(), span()).prop_map(|(w, s)| Op::Mlock(w, s)),
        3 => (which(), span()).prop_map(|(w, s)| Op::Munlock(w, s)),
        6 => (which(), which()).prop_map(|(w, g)| Op::Unlock(w, g)),
        1 => (which(), which()).prop_map(|(w, g)| Op::UnlockElsewhere(w, g)),
        2 => (which(), which()).prop_map(|(w, g)| Op::Forget(w, g)),
        2 => which().prop_map(Op::IntoLocked),
    ];
    let contents = prop_oneof![
        8 => (which(), span(), any::<u8>()).prop_map(|(w, s, b)| Op::Write(w, s, b)),
        1 => (which(), span(), any::<u8>()).prop_map(|(w, s, b)| Op::WriteElsewhere(w, s, b)),
        2 => (which(), span(), place()).prop_map(|(w, s, p)| Op::CopyWithin(w, s, p)),
        4 => (which(), span()).prop_map(|(w, s)| Op::Discard(w, s)),
        2 => (which(), span(), 0_u8..3).prop_map(|(w, s, m)| Op::Flush(w, s, m)),
        2 => (which(), span()).prop_map(|(w, s)| Op::Populate(w, s)),
        2 => (which(), span()).prop_map(|(w, s)| Op::PopulateWrite(w, s)),
        2 => Just(Op::Read),
        1 => (which(), length()).prop_map(|(f, l)| Op::SetFileLength(f, l)),
    ];
    let process = prop_oneof![
        2 => (any::<bool>(), any::<bool>())
            .prop_map(|(future, on_fault)| Op::LockProcess { future, on_fault }),
        6 => which().prop_map(Op::UnlockProcess),
        1 => which().prop_map(Op::Seal),
        2 => which().prop_map(Op::Key),
        4 => (which(), span()).prop_map(|(w, s)| Op::Panic(w, s)),
        4 => (1_u8..8).prop_map(Op::Fork),
    ];
    prop_oneof![
        20 => makes,
        25 => shapes,
        20 => protects,
        20 => locks,
        25 => contents,
        2 => process,
    ]
}

/// Sequences of up to `most` operations.
pub fn sequences(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..=most)
}
