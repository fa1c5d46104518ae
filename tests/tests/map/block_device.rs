//! Block devices, mapped to their end.
// On other systems, nobody has tried whether the length of one is known.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use libc::ENXIO;
use tests::{lacks, skip};
use unix_memory::{Call, FileKind, MapOptions, NoAccess, ReadOnly, Reason, Windows, page_size};

/// Requests of `<linux/loop.h>`.
const LOOP_SET_FD: u32 = 0x4c00;
const LOOP_CLR_FD: u32 = 0x4c01;
const LOOP_CTL_GET_FREE: u32 = 0x4c82;

fn ioctl(file: &File, request: u32, argument: libc::c_int) -> io::Result<libc::c_int> {
    // (Its type is another in each C library.)
    #[allow(
        clippy::cast_lossless,
        clippy::cast_possible_wrap,
        clippy::unnecessary_cast,
        reason = "see above"
    )]
    // SAFETY: the requests take a number.
    match unsafe { libc::ioctl(file.as_raw_fd(), request as _, argument) } {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}

/// A block device that is made of a file, as long as this lives.
struct Loop {
    device: File,
    path: String,
}

impl Loop {
    fn over(file: &File) -> io::Result<Self> {
        let control = File::options()
            .read(true)
            .write(true)
            .open("/dev/loop-control")?;
        loop {
            let path = format!("/dev/loop{}", ioctl(&control, LOOP_CTL_GET_FREE, 0)?);
            let device = File::options().read(true).write(true).open(&path)?;
            match ioctl(&device, LOOP_SET_FD, file.as_raw_fd()) {
                Ok(_) => return Ok(Self { device, path }),
                // Somebody else was faster.
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _or_busy_still = ioctl(&self.device, LOOP_CLR_FD, 0);
    }
}

#[test]
fn a_device_is_mapped_to_its_end() {
    if lacks::own_pages("the last page of a device") {
        return;
    }
    let page = page_size();
    // Not whole pages: whole sectors.
    let len = 3 * page + 512;
    let bytes: Vec<u8> = (0..len)
        .map(|i| u8::try_from(i * 7 % 251).unwrap())
        .collect();
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    let device = match Loop::over(&file) {
        Ok(device) => device,
        Err(error) => return skip("a device over a file", &error.to_string()),
    };
    let mut open = File::open(&device.path).unwrap();
    open.seek(SeekFrom::Start(10)).unwrap();

    for offset in [0, 1, page, len - 1, len] {
        let options = MapOptions::new().offset(offset as u64);
        for mapping in [
            options.map_shared(&open, ReadOnly).unwrap(),
            options.map_private(&open, ReadOnly).unwrap(),
        ] {
            assert_eq!(mapping.to_vec().unwrap(), bytes[offset..]);
        }
    }
    // Past the end is as past that of a file.
    let refused = |options: MapOptions| {
        let error = options.map_shared(&open, ReadOnly).unwrap_err();
        assert_eq!((error.call(), error.errno()), (Call::Mmap, ENXIO));
        assert_eq!(error.reason(), Reason::FileLength(len as u64));
    };
    refused(MapOptions::new().len(len + 1));
    refused(MapOptions::new().len(1).offset(len as u64));
    refused(MapOptions::new().offset(len as u64 + 1));
    let options = MapOptions::new().len(8 * page).past_end(true);
    let mapping = options.map_shared(&open, ReadOnly).unwrap();
    assert!(mapping.read_at(6 * page, &mut [0]).is_err());
    let mut windows = Vec::new();
    for window in Windows::new(&open, 2 * page).unwrap() {
        windows.push(window.unwrap().to_vec().unwrap());
    }
    assert_eq!(windows.len(), 2);
    assert_eq!(windows.concat(), bytes);
    // Whoever reads it continues where they were.
    assert_eq!(open.stream_position().unwrap(), 10);
    let mut next = [0; 2];
    open.read_exact(&mut next).unwrap();
    assert_eq!(next, bytes[10..12]);
    drop(mapping);

    // Without its file it has no bytes.
    drop(open);
    let path = device.path.clone();
    drop(device);
    let empty = File::open(path).unwrap();
    let mapping = MapOptions::new().map_shared(&empty, ReadOnly);
    // (Somebody else may have it by now.)
    if mapping.is_ok_and(|mapping| mapping.to_vec() == Ok(Vec::new())) {
        assert_eq!(Windows::new(&empty, page).unwrap().count(), 0);
    }
}

#[test]
fn the_length_is_the_kernels() {
    const CHECK: &str = "the lengths of devices";
    let Ok(entries) = fs::read_dir("/sys/class/block") else {
        return skip(CHECK, "no /sys/class/block");
    };
    let mut asked = 0;
    for entry in entries {
        let entry = entry.unwrap();
        let Ok(device) = File::open(format!("/dev/{}", entry.file_name().display())) else {
            continue;
        };
        let sectors = || -> u64 {
            let text = fs::read_to_string(entry.path().join("size")).unwrap();
            text.trim().parse().unwrap()
        };
        let (before, mapping) = (sectors(), MapOptions::new().map_shared(&device, NoAccess));
        if before != sectors() {
            continue; // It is being changed.
        }
        match mapping {
            Ok(mapping) => assert_eq!(mapping.len() as u64, 512 * before),
            // More than there are addresses.
            Err(error) => {
                let reason = error.reason();
                assert!(
                    matches!(reason, Reason::LengthLimit(_) | Reason::Kernel),
                    "{error}"
                );
                assert_ne!(reason, Reason::LengthNeeded(FileKind::BlockDevice));
            }
        }
        asked += 1;
    }
    if asked == 0 {
        skip(CHECK, "none can be opened");
    }
}
