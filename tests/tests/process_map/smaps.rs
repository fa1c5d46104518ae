//! How much memory mappings use, compared with residency and with the kernel's own counts.
//!
//! Linux and Android: the figures are theirs.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tests::{StillChild, in_a_child, is_true_in_a_child, kernel, lacks, skip};
use unix_memory::process_map::{ProcessMap, Smap, Smaps, Usage, VmFlags};
use unix_memory::{Advice, MapOptions, ReadOnly, ReadWrite, Reason, SharedMapping, page_size};

/// The region for the mapping that holds `address`.
fn smap_at(address: *const u8) -> Smap {
    let address = address.addr() as u64;
    let mut smaps = Smaps::of_self().unwrap().map(Result::unwrap);
    let smap = smaps.find(|smap| smap.region.addresses.contains(&address));
    smap.expect("it is mapped")
}

/// Memory in small pages that is one mapping of the kernel's.
fn memory(pages: usize) -> unix_memory::Guarded<ReadWrite> {
    let page = page_size();
    let options = MapOptions::new().len(pages * page);
    let memory = options.map_guarded(page, page, ReadWrite).unwrap();
    // (A kernel without huge pages does not accept the advice.)
    let _small = memory.mapping().advise(Advice::NoHugePage);
    memory
}

/// Runs `f` in a child: other threads that make children would share its pages with them.
fn alone(f: impl FnOnce()) {
    assert!(in_a_child(f).success());
}

#[test]
fn figures_are_those_of_the_pages() {
    let check = "figures of a mapping";
    if lacks::own_process(check) || lacks::own_pages(check) {
        return;
    }
    alone(|| {
        let page = page_size();
        let mut memory = memory(100);
        for at in [3, 4, 50, 99] {
            memory[at * page] = 1;
        }
        let smap = smap_at(memory.as_ptr());
        assert_eq!(smap.region.addresses.start, memory.as_ptr().addr() as u64);
        assert_eq!(smap.region.len(), 100 * page as u64);
        let resident = memory.mapping().residency().resident().unwrap() as u64;
        assert!(resident >= 4);
        let (usage, bytes) = (smap.usage, resident * page as u64);
        assert_eq!(
            (usage.rss + usage.swap, usage.anonymous),
            (bytes, usage.rss)
        );
        assert_eq!((usage.pss, usage.private_dirty), (usage.rss, usage.rss));
        let others = (usage.shared_clean, usage.shared_dirty, usage.private_clean);
        assert_eq!(others, (0, 0, 0));
        assert_eq!((usage.locked, usage.anon_huge_pages), (0, 0));
        assert!(usage.pss_dirty.is_none_or(|dirty| dirty == usage.rss));
        assert_eq!(usage.pss_anon, None, "of whole processes alone");
        assert_eq!(smap.kernel_page_size, Some(page as u64));
        assert!(smap.mmu_page_size.is_some_and(|size| size <= page as u64));

        // A child shares them: as long as neither writes, half of each is this process's.
        let child = StillChild::new();
        let shared = smap_at(memory.as_ptr()).usage;
        assert_eq!((shared.rss, shared.shared_dirty), (usage.rss, usage.rss));
        assert_eq!((shared.pss, shared.private_dirty), (usage.rss / 2, 0));
        drop(child);
    });
}

#[test]
fn flags_are_the_kernels() {
    if lacks::own_process("flags of a mapping") {
        return;
    }
    alone(|| {
        let memory = memory(4);
        let flags = smap_at(memory.as_ptr()).flags.expect("VmFlags");
        let rights = VmFlags::READABLE | VmFlags::WRITABLE | VmFlags::MAY_READ | VmFlags::MAY_WRITE;
        assert!(flags.contains(rights));
        assert!(!flags.intersects(VmFlags::EXECUTABLE | VmFlags::SHARED | VmFlags::LOCKED));

        memory.mapping().advise(Advice::DontDump).unwrap();
        memory.mapping().advise(Advice::Random).unwrap();
        let guard = memory.mapping().lock().unwrap();
        let smap = smap_at(memory.as_ptr());
        let flags = smap.flags.expect("VmFlags");
        let all = VmFlags::DONT_DUMP | VmFlags::RANDOM | VmFlags::LOCKED;
        assert!(flags.contains(all), "{flags:?}");
        // All of it, as each lock brings its pages in.
        let len = smap.region.len();
        assert_eq!((smap.usage.locked, smap.usage.rss), (len, len));
        drop(guard);
        let flags = smap_at(memory.as_ptr()).flags.expect("VmFlags");
        assert!(!flags.contains(VmFlags::LOCKED));
    });
    let stack = kernel::stack().expect("a stack");
    let stack = smap_at(std::ptr::without_provenance(stack.start));
    assert_eq!(stack.region.name(), b"[stack]");
    assert!(
        stack
            .flags
            .is_some_and(|flags| flags.contains(VmFlags::GROWS_DOWN))
    );
}

#[test]
fn files_are_shared_and_clean() {
    let (page, check) = (page_size(), "figures of a file");
    if lacks::own_process(check) || lacks::own_pages(check) {
        return;
    }
    let file = tempfile::tempfile().unwrap();
    file.set_len(4 * page as u64).unwrap();
    let mapping: SharedMapping<ReadWrite> = MapOptions::new().map_shared(&file, ReadWrite).unwrap();
    mapping.write_at(page, &[1]).unwrap();
    let usage = smap_at(mapping.as_ptr()).usage;
    // (By which of the process's ways it is written is the library's matter: it may be by none of
    // these pages.)
    assert!(usage.rss <= 4 * page as u64);
    assert_eq!(usage.anonymous, 0);
    let flags = smap_at(mapping.as_ptr()).flags.expect("VmFlags");
    assert!(flags.contains(VmFlags::SHARED | VmFlags::MAY_SHARE));
    let read_only = mapping.protect(ReadOnly).unwrap();
    let smap = smap_at(read_only.as_ptr());
    assert_eq!(smap.region.protection, unix_memory::Protection::READ);
}

#[test]
fn totals_are_the_sum() -> io::Result<()> {
    /// How often a process whose pages the kernel takes away meanwhile is looked at again.
    const TIMES: usize = 20;
    if lacks::own_process("totals of a process") {
        return Ok(());
    }
    // A program that waits for input, and shares what it writes to with nobody.
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"ready\n")?;
    output.read_line(&mut String::new())?;
    let is_equal = || {
        let total = Usage::of(child.id()).unwrap();
        let smaps: Vec<_> = Smaps::of(child.id()).unwrap().map(Result::unwrap).collect();
        let figures: [fn(&Usage) -> u64; 6] = [
            |usage| usage.rss,
            |usage| usage.anonymous,
            |usage| usage.private_dirty,
            |usage| usage.private_clean + usage.shared_clean,
            |usage| usage.swap,
            |usage| usage.lazy_free.unwrap_or(0),
        ];
        let sum = |figure: fn(&Usage) -> u64| smaps.iter().map(|smap| figure(&smap.usage)).sum();
        assert!(total.rss > 0 && total.pss <= total.rss);
        // The same mappings as in the map.
        let mut map = ProcessMap::of(child.id()).unwrap();
        let regions: Vec<_> = map.regions().map(Result::unwrap).collect();
        assert!(regions.iter().eq(smaps.iter().map(|smap| &smap.region)));
        figures.iter().all(|figure| figure(&total) == sum(*figure))
    };
    assert!((0..TIMES).any(|_| is_equal()));
    drop(input);
    child.wait()?;

    let own = Usage::of_self().unwrap();
    let resident = kernel::resident_size().get().expect("a size") as u64;
    assert!(
        (resident / 2..=resident * 2).contains(&own.rss),
        "{} {resident}",
        own.rss
    );
    Ok(())
}

#[test]
fn processes_that_are_not_there() {
    let child = StillChild::new();
    let id = child.id();
    let mut smaps = Smaps::of(id).unwrap();
    assert!(smaps.next().unwrap().is_ok());
    let _killed = child.kill().wait();
    // What was read already comes first.
    let error = smaps
        .find_map(Result::err)
        .expect("it does not end as if that were all");
    assert_eq!(error.errno(), libc::ESRCH);
    assert!(smaps.next().is_none());
    for id in [id, u32::MAX] {
        assert_eq!(Smaps::of(id).unwrap_err().errno(), libc::ESRCH);
        assert_eq!(Usage::of(id).unwrap_err().errno(), libc::ESRCH);
    }
    assert_eq!(Usage::of(id).unwrap_err().reason(), Reason::Kernel);
}

#[test]
fn processes_of_others() {
    assert!(is_true_in_a_child(|| {
        // SAFETY: the call takes an integer.
        let _nobody_or_as_before = unsafe { libc::setuid(65534) };
        // SAFETY: the call has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            skip("a process of another user", "root stays root");
            return true;
        }
        match Usage::of(1) {
            Ok(_) => true,
            Err(error) => [libc::EACCES, libc::EPERM, libc::ESRCH].contains(&error.errno()),
        }
    }));
}
