//! Another process truncates, punches holes in and rewrites a file while it is read in every way that there
//! is, and written: each byte is one that was in the file, each refusal is an error, and no signal comes.
// Emscripten has no processes.
#![cfg(not(target_os = "emscripten"))]

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tests::storm::{PAGES, bytes, check, disturb};
use tests::{Numbers, copies, effort, in_a_child, in_threads, lacks, skip, spawn};
use unix_memory::{
    ChunksIn, Cursor, Error, FileBytes, MapOptions, Mechanism, ReadOnly, ReadWrite, Readable,
    Reason, Result, SharedMapping, Windows, install_fault_handler, page_size,
};

/// What is disturbed, and how.
struct Place {
    file: File,
    /// All pages of the file when it is whole.
    mapping: SharedMapping<ReadWrite>,
    /// How the copies are made that can be made by a mechanism.
    by: Option<Mechanism>,
}

/// A place in the mapping, and a length that fits there.
fn span(numbers: &mut Numbers) -> (usize, usize) {
    let all = PAGES * page_size();
    let offset = numbers.below(all);
    (offset, numbers.below((all - offset).min(9_000)) + 1)
}

/// Reads and checks all chunks.
fn check_each<A: Readable>(mut chunks: ChunksIn<'_, A>) -> Result<()> {
    let mut offset = 0;
    while let Some(chunk) = chunks.next() {
        let chunk = chunk?;
        check(offset, chunk);
        offset += chunk.len();
    }
    Ok(())
}

/// A way to read or to write, which checks what it gets.
type Way = fn(&Place, &mut Numbers) -> Result<()>;

const WAYS: [(&str, Way); 16] = [
    ("read_at", |place, numbers| {
        let (offset, len) = span(numbers);
        let mut buffer = vec![255; len];
        let result = copies::read(&place.mapping, place.by, offset, &mut buffer);
        let done = match result.map_err(|error| error.reason()) {
            Err(Reason::Fault { done, .. }) => done,
            _ => len,
        };
        check(offset, &buffer[..done]);
        result
    }),
    ("write_at", |place, numbers| {
        let (offset, len) = span(numbers);
        let content: Vec<u8> = (offset..offset + len).map(|at| bytes(at)[0]).collect();
        copies::write(&place.mapping, place.by, offset, &content)
    }),
    ("fill", |place, numbers| {
        let (offset, len) = span(numbers);
        place.mapping.fill(offset..offset + len, 0)
    }),
    ("compare_at", |place, numbers| {
        let (offset, len) = span(numbers);
        // No byte is more than this one.
        let order = place.mapping.compare_at(offset, &vec![255; len])?;
        assert!(order.is_lt());
        assert!(!place.mapping.eq_at(offset, &vec![255; len])?);
        Ok(())
    }),
    ("to_vec", |place, _| {
        check(0, &place.mapping.to_vec()?);
        Ok(())
    }),
    ("values", |place, numbers| {
        let offset = numbers.below(PAGES * page_size() - 64);
        check(offset, &place.mapping.read_value::<[u8; 64]>(offset)?);
        check(
            offset,
            &place.mapping.to_values::<[u8; 4]>(offset, 16)?.concat(),
        );
        let mut values = [[0; 8]; 8];
        place.mapping.read_values(offset, &mut values)?;
        check(offset, &values.concat());
        place.mapping.write_value(offset, &bytes(offset)[1])
    }),
    ("chunks", |place, numbers| {
        let size = numbers.below(9_000) + 1;
        let mut offset = 0;
        for chunk in place.mapping.chunks(size) {
            let chunk = chunk?;
            check(offset, &chunk);
            offset += chunk.len();
        }
        Ok(())
    }),
    ("chunks_in", |place, numbers| {
        let mut buffer = vec![0; numbers.below(9_000) + 1];
        check_each(place.mapping.chunks_in(&mut buffer))
    }),
    ("the cursor", |place, numbers| {
        let (offset, len) = span(numbers);
        let mut cursor = Cursor::new(&place.mapping);
        let mut buffer = vec![0; len];
        cursor
            .seek(SeekFrom::Start(offset as u64))
            .expect("a place");
        let done = cursor.read(&mut buffer).map_err(|error| inner(&error))?;
        check(offset, &buffer[..done]);
        Ok(())
    }),
    ("the cursor's buffer", |place, numbers| {
        let (offset, _) = span(numbers);
        let mut cursor = Cursor::new(&place.mapping);
        cursor.set_position(offset as u64);
        check(offset, cursor.fill_buf().map_err(|error| inner(&error))?);
        Ok(())
    }),
    ("populate", |place, _| place.mapping.populate()),
    ("populate_in_steps", |place, numbers| {
        let step = numbers.below(4 * page_size());
        place
            .mapping
            .populate_in_steps(step)
            .try_for_each(|step| step.map(drop))
    }),
    ("residency", |place, _| {
        assert_eq!(place.mapping.residency().count(), PAGES);
        Ok(())
    }),
    ("a mapped file", |place, numbers| {
        let mut mapped = MapOptions::new().map_file(&place.file, ReadOnly)?;
        mapped.follow()?;
        let len = mapped.len();
        if len > 0 {
            let offset = numbers.below(len);
            let mut buffer = vec![0; len - offset];
            mapped.read_at(offset, &mut buffer)?;
            check(offset, &buffer);
        }
        let mut buffer = [0; 5_000];
        check_each(mapped.chunks_in(&mut buffer))
    }),
    ("windows", |place, numbers| {
        let size = (numbers.below(3) + 1) * page_size();
        for window in Windows::new(&place.file, size)? {
            let window = window?;
            let offset = usize::try_from(window.offset()).expect("a short file");
            check(offset, &window.to_vec()?);
        }
        Ok(())
    }),
    ("the bytes of a file", |place, _| {
        check(0, &FileBytes::load(&place.file)?);
        Ok(())
    }),
];

/// The error of this crate in that of a reader.
fn inner(error: &io::Error) -> Error {
    *error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
        .unwrap_or_else(|| panic!("{error}"))
}

/// Checks that a refusal is because of what the other process does.
fn expect(way: &str, error: &Error) {
    let expected = match error.errno() {
        libc::EFAULT => matches!(error.reason(), Reason::Fault { .. }),
        // A window, or a mapping, was to begin where there is no file any more.
        libc::ENXIO => matches!(error.reason(), Reason::FileLength(_)),
        _ => false,
    };
    assert!(expected, "{way}: {error}: {error:?}");
}

/// Goes on in `way` until `end`, and longer if nothing came of it yet, or nothing was refused, but not for
/// ever; returns how often it came, and how often it was refused.
fn repeat(name: &str, way: Way, place: &Place, seed: u64, end: Instant) -> (u64, u64) {
    let mut numbers = Numbers(seed);
    let (mut good, mut bad) = (0, 0);
    let last = end + Duration::from_secs(5);
    while Instant::now() < end || (good == 0 && Instant::now() < last) {
        match way(place, &mut numbers) {
            Ok(()) => good += 1,
            Err(error) => {
                expect(name, &error);
                bad += 1;
            }
        }
    }
    (good, bad)
}

/// Reads and writes in every way for so long, all at once.
fn survive(by: Option<Mechanism>, time: Duration) {
    let file = tempfile::tempfile().expect("a file");
    file.set_len((PAGES * page_size()) as u64)
        .expect("a length");
    let mapping = MapOptions::new().map_shared(&file, ReadWrite).expect("it");
    let words = MapOptions::new().len(100).map_anonymous_shared(ReadWrite);
    let words = words.expect("a page");
    let [stop, changes] = [0, 8].map(|at| words.atomic::<AtomicUsize>(at).expect("a word"));
    let other = spawn(|| disturb(&file, stop, changes));

    let place = Place { file, mapping, by };
    let counts = Mutex::new(Vec::new());
    let end = Instant::now() + time;
    let (place, all) = (&place, &counts);
    in_threads(WAYS.iter().zip(1..).map(|(&(name, way), seed)| {
        move || {
            let count = repeat(name, way, place, seed, end);
            all.lock().expect("no thread panics").push((name, count));
        }
    }));
    stop.store(1, Ordering::Relaxed);
    let ended = other.wait();
    assert_eq!(ended.code(), Some(0), "{ended}");
    let counts = counts.into_inner().expect("no thread panics");
    println!(
        "storm, {by:?}: {} changes; by way (done, refused): {counts:?}",
        changes.load(Ordering::Relaxed)
    );
    for (name, (good, _)) in counts {
        if good == 0 {
            skip(name, "the other process left it no moment");
        }
    }
}

/// By each mechanism, with and without the handler of faults, for so long together.
fn survive_all(time: Duration) {
    if lacks::own_pages("files that are truncated while they are used") {
        return;
    }
    let ways = copies::mechanisms();
    let part = time / u32::try_from(ways.len() + 2).expect("a few");
    for by in ways {
        survive(by, part);
    }
    let ended = in_a_child(|| {
        if let Err(error) = install_fault_handler() {
            return skip("a storm under the handler", &error.to_string());
        }
        survive(None, part);
        survive(Some(Mechanism::Handler), part);
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

#[test]
fn everything_is_survived() {
    survive_all(Duration::from_millis(effort(2_000) as u64));
}

/// `cargo xtask soak --storm` runs this, and says for how long.
#[test]
#[ignore = "it takes minutes: cargo xtask soak --storm"]
fn soak() {
    let seconds = std::env::var("UNIX_MEMORY_STORM_SECONDS");
    let seconds = seconds.map_or(Ok(600), |seconds| seconds.parse());
    let end = Instant::now() + Duration::from_secs(seconds.expect("a number"));
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        // In parts, since a child runs for a minute at most.
        survive_all(left.min(Duration::from_secs(20)));
    }
}
