//! `Cursor` and pieces of a `SharedMapping`, compared with what std does with a slice.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use proptest::prelude::*;
use unix_memory::{Cursor, MapOptions, ReadOnly, ReadWrite, SharedMapping};

fn mapping(bytes: &[u8]) -> SharedMapping<ReadWrite> {
    let mapping = MapOptions::new()
        .len(bytes.len())
        .map_anonymous_shared(ReadWrite)
        .unwrap();
    mapping.write_at(0, bytes).unwrap();
    mapping
}

#[derive(Clone, Debug)]
enum Step {
    Read(usize),
    Write(Vec<u8>),
    Seek(SeekFrom),
    Until(u8),
    Peek(usize),
    Rest,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..300).prop_map(Step::Read),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Step::Write),
        (0u64..400).prop_map(|at| Step::Seek(SeekFrom::Start(at))),
        (-400i64..100).prop_map(|at| Step::Seek(SeekFrom::End(at))),
        (-400i64..400).prop_map(|at| Step::Seek(SeekFrom::Current(at))),
        any::<u8>().prop_map(Step::Until),
        (0usize..300).prop_map(Step::Peek),
        Just(Step::Rest),
    ]
}

/// What a step gives, for both.
fn run<C: BufRead + Write + Seek>(cursor: &mut C, step: &Step) -> (Vec<u8>, Option<u64>) {
    let mut bytes = Vec::new();
    let number = match step {
        Step::Read(len) => {
            bytes.resize(*len, 0);
            cursor.read(&mut bytes).ok().map(|read| read as u64)
        }
        Step::Write(bytes) => cursor.write(bytes).ok().map(|written| written as u64),
        Step::Seek(to) => cursor.seek(*to).ok(),
        Step::Until(byte) => cursor
            .read_until(*byte, &mut bytes)
            .ok()
            .map(|read| read as u64),
        Step::Peek(len) => {
            // How much is shown at once is each one's own affair.
            let shown = cursor.fill_buf().unwrap();
            let len = (*len).min(shown.len());
            bytes.extend_from_slice(&shown[..len]);
            cursor.consume(len);
            Some(u64::from(len > 0))
        }
        Step::Rest => cursor.read_to_end(&mut bytes).ok().map(|read| read as u64),
    };
    (bytes, number)
}

proptest! {
    #[test]
    fn like_the_cursor_of_std(
        content in prop::collection::vec(any::<u8>(), 0..300),
        steps in prop::collection::vec(step(), 0..30),
    ) {
        let mapping = mapping(&content);
        let mut ours = Cursor::new(&mapping);
        let mut model = content.clone();
        let mut theirs = io::Cursor::new(&mut model[..]);
        for step in &steps {
            // Writing to a slice goes by a type of its own.
            let expected = match step {
                Step::Write(bytes) => (Vec::new(), theirs.write(bytes).ok().map(|n| n as u64)),
                step => {
                    let bytes = theirs.get_ref().to_vec();
                    let mut copy = io::Cursor::new(bytes);
                    copy.set_position(theirs.position());
                    let result = run(&mut copy, step);
                    theirs.set_position(copy.position());
                    result
                }
            };
            prop_assert_eq!(run(&mut ours, step), expected, "{:?}", step);
            prop_assert_eq!(ours.position(), theirs.position());
        }
        prop_assert_eq!(mapping.to_vec().unwrap(), model);
    }

    #[test]
    fn like_slices(
        content in prop::collection::vec(0u8..4, 1..9_000),
        (start, len, to) in (0usize..9_000, 0usize..9_000, 0usize..9_000),
        size in 7usize..6_000,
    ) {
        let mapping = mapping(&content);
        let start = start % content.len();
        let end = start + len % (content.len() - start + 1);
        let to = to % content.len();

        let mut model = content.clone();
        if to + (end - start) <= content.len() {
            model.copy_within(start..end, to);
            mapping.copy_within(start..end, to).unwrap();
        } else {
            prop_assert!(mapping.copy_within(start..end, to).is_err());
        }
        prop_assert_eq!(&mapping.to_vec().unwrap(), &model);

        let other = &content[start..end];
        let expected = model[start..end].cmp(other);
        prop_assert_eq!(mapping.compare_at(start, other).unwrap(), expected);
        prop_assert_eq!(mapping.eq_at(start, other).unwrap(), expected.is_eq());

        let chunks: Vec<Vec<u8>> = mapping.chunks(size).map(Result::unwrap).collect();
        prop_assert_eq!(mapping.chunks(size).len(), chunks.len());
        prop_assert!(chunks.iter().eq(model.chunks(size)));
        for n in [0, 1, 3, usize::MAX] {
            let nth = mapping.chunks(size).nth(n).map(Result::unwrap);
            prop_assert_eq!(nth.as_deref(), model.chunks(size).nth(n));
        }
        let mut buffer = vec![0; size];
        let mut pieces = mapping.chunks_in(&mut buffer);
        let mut model = model.chunks(size);
        let mut offset = 0;
        while let Some(piece) = pieces.next() {
            let piece = piece.unwrap();
            prop_assert_eq!(Some(piece), model.next());
            offset += piece.len();
            prop_assert_eq!(pieces.offset(), offset);
        }
        prop_assert_eq!(model.next(), None);
        prop_assert!(pieces.next().is_none());
    }
}

#[test]
fn bounds_of_copies_within() {
    let mapping = mapping(b"0123456789");
    for (range, to) in [
        (0..11, 0),
        (0..1, 10),
        (5..10, 6),
        (10..10, 11),
        (0..2, usize::MAX),
    ] {
        let error = mapping.copy_within(range, to).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
    }
    assert!(mapping.compare_at(8, b"890").is_err());
    assert!(mapping.eq_at(11, b"").is_err());
    assert!(mapping.eq_at(10, b"").unwrap());
    mapping.copy_within(10..10, 10).unwrap();
    assert_eq!(mapping.to_vec().unwrap(), b"0123456789");
}

#[test]
#[should_panic(expected = "chunks of zero bytes")]
fn chunks_of_nothing() {
    drop(mapping(b"0").chunks(0));
}

#[test]
#[should_panic(expected = "chunks of zero bytes")]
fn chunks_into_nothing() {
    let mapping = mapping(b"0");
    let _chunks = mapping.chunks_in(&mut []);
}

#[test]
fn the_end_is_the_end() {
    let mapping = mapping(b"0123456789");
    let mut cursor = Cursor::new(&mapping);
    assert_eq!(cursor.seek(SeekFrom::End(-3)).unwrap(), 7);
    assert_eq!(cursor.write(b"abcdef").unwrap(), 3);
    assert_eq!(cursor.write(b"def").unwrap(), 0);
    let error = cursor.write_all(b"def").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
    cursor.flush().unwrap();
    assert_eq!(cursor.read(&mut [0; 4]).unwrap(), 0);
    assert!(cursor.fill_buf().unwrap().is_empty());
    cursor.set_position(u64::MAX);
    assert_eq!(cursor.read(&mut [0; 4]).unwrap(), 0);
    assert_eq!(cursor.write(b"def").unwrap(), 0);
    assert!(cursor.seek(SeekFrom::Current(1)).is_err());
    assert!(cursor.seek(SeekFrom::End(-11)).is_err());
    assert_eq!(cursor.position(), u64::MAX);
    cursor.rewind().unwrap();
    assert!(cursor.read_exact(&mut [0; 11]).is_err());
    assert_eq!(mapping.to_vec().unwrap(), b"0123456abc");
}

#[test]
fn lines_of_a_large_mapping_by_whatever_leads_to_it() {
    let lines = (0..20_000).map(|i| format!("line {i}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let shared = Arc::new(mapping(text.as_bytes()));
    let lines: Vec<String> = Cursor::new(Arc::clone(&shared))
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(lines.iter().map(String::as_str).eq(text.lines()));
    let boxed = Cursor::new(Box::new(mapping(b"boxed")));
    assert_eq!(boxed.get_ref().len(), 5);
    assert_eq!(io::read_to_string(boxed.clone_of()).unwrap(), "boxed");
    assert_eq!(boxed.into_inner().to_vec().unwrap(), b"boxed");

    // A mapping that cannot be written is one to read from.
    let program = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let program = MapOptions::new().map_shared(&program, ReadOnly).unwrap();
    let mut all = Vec::new();
    BufReader::new(Cursor::new(&program))
        .read_to_end(&mut all)
        .unwrap();
    assert!(program.eq_at(0, &all).unwrap());
}

/// A cursor on the same mapping.
trait CloneOf {
    fn clone_of(&self) -> Cursor<&SharedMapping<ReadWrite>>;
}

impl CloneOf for Cursor<Box<SharedMapping<ReadWrite>>> {
    fn clone_of(&self) -> Cursor<&SharedMapping<ReadWrite>> {
        Cursor::new(self.get_ref())
    }
}

#[test]
fn what_is_buffered_is_what_was_there() {
    let mapping = mapping(b"old old old");
    let mut cursor = Cursor::new(&mapping);
    assert_eq!(cursor.fill_buf().unwrap(), b"old old old");
    mapping.write_at(0, b"new").unwrap();
    assert_eq!(cursor.fill_buf().unwrap(), b"old old old");
    let mut now = [0; 3];
    cursor.read_exact(&mut now).unwrap();
    assert_eq!(&now, b"new");
    // Its own writes are seen at once.
    cursor.write_all(b"+new").unwrap();
    cursor.rewind().unwrap();
    assert_eq!(cursor.fill_buf().unwrap(), b"new+new old");
}

#[test]
fn a_position_beyond_32_bits_is_beyond_the_end() {
    let mapping = mapping(b"0123456789");
    let mut cursor = Cursor::new(&mapping);
    for position in [1 << 32, (1 << 32) + 3, 1 << 63] {
        cursor.set_position(position);
        assert_eq!(cursor.read(&mut [0; 4]).unwrap(), 0, "{position}");
        assert!(cursor.fill_buf().unwrap().is_empty());
        assert_eq!(cursor.write(b"xyz").unwrap(), 0);
        assert_eq!(cursor.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert_eq!(cursor.position(), position);
    }
    assert_eq!(mapping.to_vec().unwrap(), b"0123456789");
}

/// A reference that leads to another mapping each time, and finally always to the last one.
struct Changing {
    mappings: Vec<SharedMapping<ReadWrite>>,
    asked: std::cell::Cell<usize>,
}

impl Changing {
    fn new(mappings: &[&[u8]]) -> Self {
        Self {
            mappings: mappings.iter().map(|bytes| mapping(bytes)).collect(),
            asked: std::cell::Cell::new(0),
        }
    }
}

impl std::ops::Deref for Changing {
    type Target = SharedMapping<ReadWrite>;

    fn deref(&self) -> &Self::Target {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        &self.mappings[asked.min(self.mappings.len() - 1)]
    }
}

#[test]
fn each_method_asks_for_the_mapping_once() {
    let cursor = |mappings: &[&[u8]]| Cursor::new(Changing::new(mappings));
    let asked = |cursor: &Cursor<Changing>| cursor.get_ref().asked.get();

    let mut all = Vec::new();
    let mut two = cursor(&[b"longer", b"s"]);
    assert_eq!(two.read_to_end(&mut all).unwrap(), 6);
    assert_eq!(
        (&all[..], asked(&two), two.position()),
        (&b"longer"[..], 1, 6)
    );
    assert_eq!(two.read_to_end(&mut all).unwrap(), 0);

    let mut buffer = [0; 9];
    let mut two = cursor(&[b"longer", b"s"]);
    assert_eq!(two.read(&mut buffer).unwrap(), 6);
    assert_eq!(two.read(&mut buffer).unwrap(), 0);
    assert_eq!(asked(&two), 2);

    let mut two = cursor(&[b"longer", b"s"]);
    assert_eq!(two.write(b"all of this").unwrap(), 6);
    assert_eq!(two.write(b"none").unwrap(), 0);
    assert_eq!(asked(&two), 2);
    assert!(two.get_ref().mappings[0].eq_at(0, b"all of").unwrap());

    let mut two = cursor(&[b"longer", b"s"]);
    assert_eq!(two.seek(SeekFrom::End(-1)).unwrap(), 5);
    assert_eq!(asked(&two), 1);
}

#[test]
fn what_is_buffered_is_shown_as_far_as_the_mapping_goes() {
    let mut cursor = Cursor::new(Changing::new(&[b"longer", b"four", b"", b"again longer"]));
    assert_eq!(cursor.fill_buf().unwrap(), b"longer");
    cursor.consume(2);
    assert_eq!(cursor.fill_buf().unwrap(), b"ng");
    cursor.consume(1);
    assert_eq!(cursor.fill_buf().unwrap(), b"");
    assert_eq!(cursor.position(), 3);
    assert_eq!(cursor.fill_buf().unwrap(), b"ger");
    cursor.consume(3);
    assert_eq!(cursor.fill_buf().unwrap(), b"longer");
    // At a position beyond the end, there is nothing in the buffer either.
    let mut cursor = Cursor::new(Changing::new(&[b"longer", b"two"]));
    assert_eq!(cursor.fill_buf().unwrap(), b"longer");
    cursor.consume(5);
    assert_eq!(cursor.fill_buf().unwrap(), b"");
}
