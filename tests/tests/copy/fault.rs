//! Copies of memory that is gone, by each mechanism: an error that says how far they got.

use std::cmp::Ordering;
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use libc::{EFAULT, EINVAL, ENOSYS};
use tests::copies::{START, byte, mechanisms, read, stopped, truncated, write};
use tests::seccomp::SYS_MADVISE;
use tests::{in_a_child, kernel, lacks, refusing_argument, seccomp, skip};
use unix_memory::{Call, Cursor, MapOptions, ReadWrite, Reason, install_fault_handler, page_size};

/// Every kind of copy over the end of a truncated file, by every mechanism that there is.
fn exactly_how_far() {
    let page = page_size();
    // 100 bytes are left of the second page; what is behind them in it reads as zeros.
    let (file, mapping) = truncated(4, page + 100);
    let end = 2 * page - START;
    for by in mechanisms() {
        println!("by {by:?}");
        for offset in [
            0,
            1,
            8,
            63,
            page - START,
            end - 65,
            end - 16,
            end - 7,
            end - 1,
            end,
        ] {
            for len in [1, 7, 16, 100, 1100, page, page + 3, mapping.len() - end] {
                if offset + len <= end {
                    continue;
                }
                let done = end - offset;
                let mut buffer = vec![0xff; len];
                let error = read(&mapping, by, offset, &mut buffer).unwrap_err();
                assert_eq!((error.call(), error.errno()), (Call::Read, EFAULT));
                assert_eq!(error.reason(), stopped(done, end));
                for (i, &got) in buffer.iter().enumerate() {
                    let at = START + offset + i;
                    let expected = match i {
                        _ if i >= done => 0xff,
                        _ if at < page + 100 => byte(at),
                        _ => 0,
                    };
                    assert_eq!(got, expected, "byte {i} of {len} at {offset}");
                }

                let error = write(&mapping, by, offset, &buffer).unwrap_err();
                assert_eq!((error.call(), error.errno()), (Call::Write, EFAULT));
                assert_eq!(error.reason(), stopped(done, end));
            }
        }
        // What lies before is read and written, to the last byte.
        let mut buffer = vec![0; end];
        read(&mapping, by, 0, &mut buffer).unwrap();
        write(&mapping, by, 0, &buffer).unwrap();
        // What was written before the fault is in the file.
        let bytes = vec![0xee; page];
        assert!(write(&mapping, by, end - 3000, &bytes[..]).is_err() || page <= 3000);
        write(&mapping, by, 0, &buffer).unwrap();
        let error = write(&mapping, by, page, &vec![7; mapping.len() - page]).unwrap_err();
        let done = end - page;
        assert_eq!(error.reason(), stopped(done, end));
        let mut written = vec![0; 95];
        file.read_exact_at(&mut written, (page + START) as u64)
            .unwrap();
        assert_eq!(written, [7; 95]);
        write(&mapping, by, 0, &buffer).unwrap();
    }
    assert_eq!(
        mapping
            .read_at(end - 10, &mut [0; 50])
            .unwrap_err()
            .to_string(),
        format!(
            "read_at of 50 bytes at {}: Bad address (after 10 bytes: byte {end} cannot be reached, \
             because the file was truncated, or its disk is full or failed)",
            end - 10
        )
    );
    // Then the file grows, and everything is there again.
    file.set_len(4 * page as u64).unwrap();
    assert_eq!(mapping.to_vec().unwrap().len(), 4 * page - START);
}

/// The other methods, over the end of a truncated file.
fn the_other_methods() {
    let page = page_size();
    let (_file, mapping) = truncated(4, 2 * page);
    let len = mapping.len();
    let end = 2 * page - START;

    for start in [0, 3, end - 1, end] {
        let error = mapping.fill(start.., 9).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Fill, EFAULT));
        let done = end - start;
        assert_eq!(error.reason(), stopped(done, end));
    }
    let mut buffer = vec![0; end];
    mapping.read_at(0, &mut buffer).unwrap();
    assert!(buffer.iter().all(|&byte| byte == 9));
    assert!(mapping.to_vec().is_err());

    // What differs before the fault is a result.
    let mut other = vec![9; len];
    let error = mapping.compare_at(0, &other).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::Compare, EFAULT));
    assert_eq!(error.reason(), stopped(end, end));
    assert!(mapping.eq_at(0, &other).is_err());
    other[end - 1] = 10;
    assert_eq!(mapping.compare_at(0, &other).unwrap(), Ordering::Less);
    other[0] = 8;
    assert_eq!(mapping.compare_at(0, &other).unwrap(), Ordering::Greater);
    assert!(!mapping.eq_at(0, &other).unwrap());
    other[end - 1] = 9;
    assert!(mapping.eq_at(1, &other[1..end]).unwrap());

    // Down, where the target is gone: the last bytes are tried first, and none are copied.
    let error = mapping.copy_within(..page, end).unwrap_err();
    assert_eq!((error.call(), error.errno()), (Call::CopyWithin, EFAULT));
    assert!(
        matches!(error.reason(), Reason::Fault { done: 0, at, .. } if at >= end),
        "{error}"
    );
    // Up, from what is gone.
    let error = mapping.copy_within(end - 10..end + 10, 0).unwrap_err();
    assert_eq!(error.reason(), stopped(10, end));
    mapping.fill(..end, 1).unwrap();
    let error = mapping.copy_within(end - page..len, 0).unwrap_err();
    assert_eq!(error.reason(), stopped(page, end));
    assert_eq!(
        error.to_string().split(':').next().unwrap(),
        format!(
            "copy_within of {} bytes at {} to 0",
            len - end + page,
            end - page
        )
    );

    let mut chunks = mapping.chunks(page);
    assert_eq!(chunks.len(), 4);
    assert_eq!(chunks.next().unwrap().unwrap(), vec![1; page]);
    let error = chunks.next().unwrap().unwrap_err();
    assert_eq!(error.reason(), stopped(end - page, end));
    assert!(chunks.next().unwrap().is_err());
    assert!(chunks.next().unwrap().is_err());
    assert!(chunks.next().is_none() && chunks.next().is_none());

    if !lacks::advice("populating what is gone") {
        let populated = mapping.populate();
        assert_eq!(populated.unwrap_err().errno(), EFAULT);
    }
}

/// A cursor over a truncated file: what is there, then an error.
fn a_cursor() {
    let page = page_size();
    let (_file, mapping) = truncated(4, page);
    let end = page - START;
    let mut cursor = Cursor::new(&mapping);
    let mut buffer = vec![0; 2 * page];
    assert_eq!(cursor.read(&mut buffer).unwrap(), end);
    assert_eq!(cursor.position(), end as u64);
    let error = cursor.read(&mut buffer).unwrap_err();
    assert_eq!(
        error.kind(),
        std::io::Error::from_raw_os_error(EFAULT).kind()
    );
    let inner = error
        .get_ref()
        .unwrap()
        .downcast_ref::<unix_memory::Error>();
    assert_eq!(inner.unwrap().reason(), stopped(0, end));
    assert_eq!(cursor.read(&mut []).unwrap(), 0);

    cursor.rewind().unwrap();
    assert!(cursor.read_exact(&mut buffer).is_err());
    cursor.rewind().unwrap();
    let mut all = vec![3];
    assert!(cursor.read_to_end(&mut all).is_err());
    assert_eq!(all.len(), 1 + end);

    cursor.seek(SeekFrom::Start(end as u64 - 7)).unwrap();
    assert_eq!(cursor.fill_buf().unwrap().len(), 7);
    cursor.consume(7);
    assert!(cursor.fill_buf().is_err());
    cursor.set_position(end as u64 - 7);
    assert_eq!(cursor.write(&[1; 10]).unwrap(), 7);
    assert!(cursor.write(&[1; 10]).is_err());
    assert!(cursor.write_all(&[1; 10]).is_err());
    cursor.set_position(mapping.len() as u64);
    assert_eq!(
        cursor.write_all(&[1]).unwrap_err().kind(),
        ErrorKind::WriteZero
    );
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten maps copies of files")]
fn without_a_handler() {
    if lacks::own_pages("copies over a truncated file") {
        return;
    }
    if lacks::own_pages("copies past the end of a truncated file") {
        return;
    }
    exactly_how_far();
    the_other_methods();
    a_cursor();
}

#[test]
#[cfg_attr(target_os = "emscripten", ignore = "Emscripten has no processes")]
fn with_a_handler() {
    if lacks::own_pages("copies over a truncated file, by the handler") {
        return;
    }
    if lacks::own_pages("copies past the end of a truncated file") {
        return;
    }
    let ended = in_a_child(|| match install_fault_handler() {
        Ok(()) => {
            exactly_how_far();
            the_other_methods();
            a_cursor();
        }
        Err(error) => {
            assert_eq!((error.call(), error.errno()), (Call::Sigaction, ENOSYS));
            assert_eq!(error.reason(), Reason::Unsupported);
            skip("copies by the handler", &error.to_string());
        }
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// Without a call for it, pages are brought in by copies.
#[test]
fn populating_what_is_gone() {
    if lacks::advice("populating what is gone") {
        return;
    }
    let (file, mapping) = truncated(4, page_size());
    let advice = seccomp::MADV_POPULATE_READ.unsigned_abs();
    let populate = || mapping.populate().unwrap_err().errno();
    assert_eq!(populate(), EFAULT);
    let without = refusing_argument(SYS_MADVISE, 2, advice.into(), EINVAL, populate);
    assert!(without.is_none_or(|errno| errno == EFAULT));
    file.set_len(4 * page_size() as u64).unwrap();
    let populate = || mapping.populate();
    refusing_argument(SYS_MADVISE, 2, advice.into(), EINVAL, populate)
        .transpose()
        .unwrap();
}

/// Memory without a file does not grow with its mapping.
// Only Linux resizes shared mappings.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn anonymous_memory_that_was_resized() {
    let check = || {
        let page = page_size();
        let options = MapOptions::new().len(page);
        let mut mapping = options.map_anonymous_shared(ReadWrite).unwrap();
        mapping.resize(3 * page).unwrap();
        let error = mapping.write_at(page - 5, &[1; 10]).unwrap_err();
        assert_eq!(error.reason(), stopped(5, page));
        assert!(mapping.to_vec().is_err());
        assert!(mapping.eq_at(page - 6, &[0, 1, 1, 1, 1, 1]).unwrap());
    };
    check();
    with_the_handler(check);
}

/// Runs `check` in a child that has the handler, where there is one.
fn with_the_handler(check: impl FnOnce()) {
    let ended = in_a_child(|| match install_fault_handler() {
        Ok(()) => check(),
        Err(error) => skip("copies by the handler", &error.to_string()),
    });
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// To the kernel, shared memory without a file has one, which root can truncate.
#[test]
fn anonymous_memory_that_was_truncated() {
    let len = 4 * page_size();
    let mapping = MapOptions::new().len(len).map_anonymous_shared(ReadWrite);
    let mapping = mapping.unwrap();
    mapping.fill(.., 7).unwrap();
    let start = mapping.as_ptr().addr();
    let file = match kernel::file_behind(start..start + len) {
        Ok(file) => file,
        Err(error) => return skip("anonymous memory that was truncated", &error.to_string()),
    };
    file.set_len(page_size() as u64).unwrap();
    let check = || {
        let at = page_size();
        let error = mapping.read_at(0, &mut vec![1; len]).unwrap_err();
        assert_eq!(error.reason(), stopped(at, at));
        let error = mapping.write_at(at - 1, &[1; 2]).unwrap_err();
        assert_eq!(error.reason(), stopped(1, at));
        assert!(mapping.fill(at.., 1).is_err());
        assert!(mapping.copy_within(at.., 0).is_err());
        assert!(mapping.eq_at(at, &[0]).is_err());
        assert!(mapping.chunks(at).nth(1).unwrap().is_err());
    };
    check();
    with_the_handler(check);
}
