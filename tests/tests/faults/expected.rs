//! The outcome of a function of which a call is refused, if that is anything but an error with the
//! call's name and errno: a table, each row with its reason.

use libc::{
    EACCES, EAGAIN, EBADF, EBUSY, EEXIST, EFAULT, EHWPOISON, EINTR, EINVAL, EIO, EISDIR, ENOENT,
    ENOMEM, ENOSYS, ENOTTY, EOPNOTSUPP, EOVERFLOW, EPERM, ESPIPE, ESRCH,
};
use unix_memory::Call;

#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// An error that names the call and the errno.
    Refused,
    /// It succeeds nevertheless.
    Done,
    /// The same, and that many pages stay mapped forever.
    DoneLeaving(usize),
    /// It asks once more: an error if that is refused too.
    Again,
    /// One or the other, depending on which of the calls it is.
    Either,
    /// An error by the name of one of these calls, and the errno.
    As(&'static [Call]),
    /// The same, or it is done.
    AsOrDone(&'static [Call]),
    /// An error of the same errno, or of another one, or it is done.
    AnyOr(i32),
    /// An error by the name of one of these, of another errno.
    With(&'static [Call], i32),
}

use Expected::{Again, As, AsOrDone, Done, DoneLeaving, Either, Refused, With};

/// What is expected of some functions.
struct Row {
    /// Their names; none for all.
    functions: &'static [&'static str],
    /// The call that is refused.
    call: &'static str,
    /// With what it is; nothing for everything.
    errnos: &'static [i32],
    expected: Expected,
    /// Read in the table alone.
    #[allow(dead_code, reason = "it is for who reads the table")]
    why: &'static str,
}

macro_rules! rows {
    ($([$($function:ident)*] $call:ident [$($errno:ident)*] $expected:expr, $why:literal;)*) => {
        &[$(Row {
            functions: &[$(stringify!($function)),*],
            call: stringify!($call),
            errnos: &[$($errno),*],
            expected: $expected,
            why: $why,
        }),*]
    };
}

/// The first row that fits counts.
const ROWS: &[Row] = rows! {
    // Drops, which cannot report anything.
    [drop_it drop_secret] SYS_munmap [] Done, "tried again when something is unmapped";
    [drop_secret end_borrow borrow_mut] SYS_mprotect [] Either, "it stays open: closing it says nothing";
    [unlock unlock_owned lock_over_on_fault munlock] SYS_munlock [] Done, "tried again later";
    [lock_over_on_fault] SYS_mlock2 [] Done, "they stay locked as they are";
    [process_unlock] SYS_munlockall [] Done, "they stay locked until the next one goes";
    [process_lock_on_fault] SYS_mlock [] Done, "what was locked stays so";
    [open_ring shared_ring] SYS_munmap [] Either, "the first mapping, or one that is of no more use";
    [windows windows_drop remap_object file_bytes map_empty_file resize_several
     resize_hidden code_dual into_executable] SYS_munmap [] Done, "what is of no more use goes later";
    [file_truncate] SYS_munmap [EINVAL] Done, "mapped anew, and the old mapping goes later";

    [drop_code drop_code_dual drop_reservation drop_stack drop_vec drop_ring secret_drop_two load_pipe
     window_from drop_tracked_by_protection drop_tracked_by_bits end_protect_for_now restore
     protect_for_now] SYS_munmap [] Done, "what is of no more use goes later";
    [secret_clone secret_ct_eq secret_drop_two secret_with secret_with_mut] SYS_mprotect [] Either,
        "it stays open: closing it says nothing";
    [drop_named] SYS_unlink [] Done, "the name stays";
    [drop_named] SYS_unlinkat [] Done, "the name stays";
    [drop_named persist into_producer into_consumer] SYS_fcntl [] Done,
        "the standard library looks at what it closes";
    [process_unlock_future] SYS_munmap [] DoneLeaving(1),
        "a list of what was not locked, at the limit of mappings";
    [process_unlock_held] SYS_munlockall [] Done, "they stay locked until the next one goes";
    [process_unlock_held] SYS_mlock [] Done, "all stays locked, rather than nothing";
    [process_unlock_held] SYS_mlock2 [] Done, "all stays locked, rather than nothing";
    [end_protect_for_now] SYS_mprotect [] Done, "the protection stays";
    [process_unlock_future] SYS_openat [] Done, "the future stays locked until the last one goes";
    [process_unlock_future] SYS_pread64 [] Done, "the same";
    [process_unlock_future] SYS_mlockall [] Done, "the same";
    [process_unlock_future] SYS_mmap [] Done, "the same";
    [process_unlock_future] SYS_munlock [] Done, "what was not locked stays so until the last one goes";
    [process_unlock_future] SYS_mlock [] Done, "what was locked stays so";
    [drop_key] SYS_pkey_free [] Done, "the key is lost";
    [untrack_by_protection] SYS_ioctl [] Done, "closing the descriptor does the same";

    // One way, which is asked for.
    [read_by_the_kernel] SYS_process_vm_readv [EFAULT ESRCH] Again, "page by page, or by the thread's number";
    [write_by_the_kernel] SYS_process_vm_writev [EFAULT ESRCH] Again, "the same";
    [read_by_the_kernel] SYS_process_vm_readv [] Refused, "no other mechanism may copy";
    [write_by_the_kernel] SYS_process_vm_writev [] Refused, "the same";
    [read_by_pipe write_by_pipe] SYS_pipe2 [] As(&[Call::Read, Call::Write]), "the same";
    [read_by_pipe write_by_pipe] SYS_read [EINTR] Done, "a signal: again";
    [read_by_pipe write_by_pipe] SYS_write [EINTR] Done, "a signal: again";
    [read_by_pipe write_by_pipe] SYS_read [EFAULT] AsOrDone(&[Call::Read, Call::Write]), "page by page";
    [read_by_pipe write_by_pipe] SYS_write [EFAULT] AsOrDone(&[Call::Read, Call::Write]), "page by page";
    [read_by_pipe write_by_pipe] SYS_read [] As(&[Call::Read, Call::Write]), "no other mechanism may copy";
    [read_by_pipe write_by_pipe] SYS_write [] As(&[Call::Read, Call::Write]), "the same";

    // Other ways to do the same.
    [] SYS_newfstatat [EOVERFLOW] Done, "statx is made instead";
    [] SYS_fstat [EOVERFLOW] Done, "statx is made instead";
    [raw_pidfd_open] SYS_pidfd_open [] Refused, "the raw call is made once";
    [] SYS_pidfd_open [] Done, "one madvise for each";
    [] SYS_process_vm_readv [] Done, "another mechanism copies";
    [] SYS_process_vm_writev [] Done, "another mechanism copies";
    [file_read] SYS_pread64 [] Done, "copied out of the mapping";
    [map_file file_read] SYS_newfstatat [ENOMEM] Either, "it is copied out of, where it is not known to be regular";
    [map_file file_read] SYS_fstat [ENOMEM] Either, "the same";
    [map_guarded secret secret_from_slice secret_zeroed] SYS_mprotect [] Either,
        "made once more, with all checks";
    [resize resize_several resize_in_place] SYS_mremap [] Either, "asked once more, with all checks";
    [shrink] SYS_munmap [] Either, "the same";
    [advise_together] SYS_process_madvise [] Done, "one madvise for each";
    [resize resize_several resize_locked resize_hidden resize_in_place] SYS_mremap [EFAULT ENOSYS] Done,
        "extended, or copied";
    [resize_several resize_hidden] SYS_mmap [] Either, "copied where it cannot be extended";
    [file_grow file_follow file_append] SYS_mremap [EFAULT EINVAL ENOSYS] Done, "mapped anew";
    [file_bytes load_part load_sealed load_pipe map_bytes_private map_bytes_shared] SYS_mmap [] Either,
        "read where it cannot be mapped";
    [file_bytes load_part] SYS_statx [] Either, "only the first one is needed";
    [load_sealed] SYS_newfstatat [] Either, "only the first one is needed";
    [load_sealed] SYS_fstat [] Either, "only the first one is needed";
    [windows windows_drop window_from] SYS_mmap [] Either, "read where it cannot be mapped";
    [windows windows_drop] SYS_statx [] Either, "no more than the reason is asked for";
    [code] SYS_mmap [] Either, "the next way is taken";
    [code] SYS_mprotect [] Either, "the next way is taken";
    [ring] SYS_mremap [EINVAL ENOSYS ENOMEM] AsOrDone(&[Call::Mmap]), "an object is mapped twice";
    [ring] SYS_mremap [] As(&[Call::Mmap]), "a part of mapping it twice";
    [open_ring shared_ring] SYS_mmap [EEXIST] Either, "another place is looked for";
    [map_aligned reservation_aligned] SYS_mmap [EEXIST] Either, "another place is looked for";
    [map_aligned reservation_aligned] SYS_munmap [] As(&[Call::Mmap]),
        "the room that it took first: a part of mapping";
    [map_within] SYS_mmap [EEXIST EPERM ENOMEM] With(&[Call::Mmap], ENOMEM), "there is no room left";
    [map_empty_file] SYS_mmap [EAGAIN ENOMEM] Done, "that there is no room says nothing of the file";
    [named_unique] SYS_openat [EEXIST] Either, "the next name is taken";
    [stack stack_with_guard] SYS_madvise [] Done, "its guard is a mapping of its own";
    [commit commit_between lock_committed try_reserve try_push try_extend]
        SYS_madvise [] Done,
        "guards are mappings of their own";
    [unnamed memfd sealed_from_bytes code_dual shared_ring] SYS_memfd_create [EINVAL] Either,
        "a kernel before the flag";
    [unnamed] SYS_fcntl [EPERM] Either, "done if the file says that it takes no seals, as before Linux 6.3";
    [seal_memory sealed_from_bytes] SYS_fcntl [EINVAL] Either, "a kernel before the last seal";
    [file_bytes load_pipe] SYS_pread64 [ESPIPE] Done, "read as what has no places";

    [map_anonymous map_guarded map_shared map_private map_shared_anonymous map_droppable map_sealed
     map_object remap_object map_with_guard_of_none map_shared_raw map_file sealed_try_from
     seal_memory sealed_from_bytes sealed_from_fd code_dual commit_between decommit
     decommit_several] SYS_mmap [] Again, "what the short way was refused is asked by the one that says why";

    // What cannot be thrown away is filled with zeros.
    [discard discard_locked discard_by_protection discard_by_bits decommit decommit_several
     shrink_to_fit] SYS_madvise [] Done,
        "zeros are written";
    [discard decommit decommit_several shrink_to_fit] SYS_mincore [] Done, "zeros are written";

    [try_push try_extend] SYS_mprotect [] Again, "fewer pages are asked for";

    // Hints, and what only helps to report more.
    [flush flush_durable flush_shared raw_msync] SYS_msync [] Refused, "what it is there for";
    [] SYS_msync [] Done, "how near the stack has come, where the addresses are not far from it";
    [] SYS_prlimit64 [] Done, "the limit would be named";
    [file_bytes load_part load_sealed load_pipe code_dual] SYS_fcntl [] Either,
        "how it is open, or what is left out of it";
    [] SYS_fstatfs [] Done, "whether it is in huge pages would be known";
    [] SYS_fadvise64 [] Done, "a hint";
    [windows windows_drop] SYS_madvise [] Done, "a hint";
    [populate populate_write populate_in_steps populate_shared populate_write_shared]
        SYS_madvise [EACCES EAGAIN EBADF EBUSY EFAULT EHWPOISON EIO ENOMEM EPERM ESRCH]
        Again, "it asks how far it got";
    [populate_write_shared] SYS_madvise [EINVAL] With(&[Call::Madvise], ENOSYS),
        "a kernel before the advice: what others may change cannot be touched to write";
    [populate populate_write populate_in_steps populate_shared] SYS_madvise [EINVAL] Either,
        "a kernel before the advice: they are touched";
    [secret secret_zeroed secret_from_slice secret_clone secret_memory] SYS_madvise []
        AsOrDone(&[Call::Madvise, Call::Minherit]), "what is not demanded is left out";
    [secret secret_zeroed secret_from_slice secret_clone secret_memory] SYS_mmap []
        AsOrDone(&[Call::Mmap, Call::Madvise]), "a part of making it";

    [secret_memory] SYS_memfd_secret [ENOSYS] Done, "what is not demanded is left out";
    [secret_memory] SYS_ftruncate [] AsOrDone(&[Call::MemfdSecret]), "a part of making it";
    [huge_bytes] SYS_ioctl [] Done, "smaps is read";
    [huge_bytes] SYS_openat [] AsOrDone(&[Call::HugeBytes]), "a part of asking";
    [huge_bytes] SYS_pread64 [] AsOrDone(&[Call::HugeBytes]), "a part of asking";
    [policy_is_supported] SYS_mbind [] Done, "refused, it is not known";
    [set_policy_of_part] SYS_mprotect [] Done, "spare mappings, for a later change";
    [set_policy_of_part] SYS_mmap [] Done, "spare mappings, for a later change";
    [set_shared_policy] SYS_mremap [] Done, "smaps is read";
    [set_shared_policy] SYS_uname [] Done, "smaps is read";

    // What a process has mapped.
    [containing regions foreign_of protect_for_now end_protect_for_now] SYS_ioctl [ESRCH]
        AsOrDone(&[Call::ProcessMap, Call::Mprotect]), "as of a process that is gone";
    [containing regions foreign_of] SYS_ioctl [] Done, "the text is read";
    [protect_for_now] SYS_ioctl [ENOENT] With(&[Call::Mprotect], ENOMEM), "nothing is mapped there";
    [protect_for_now] SYS_ioctl [] Done, "the text is read";
    [open_map open_map_of foreign_of smaps smaps_of usage] SYS_openat [ENOENT ESRCH]
        With(&[Call::ProcessMap], ESRCH), "as of a process that is gone, or is looked up otherwise";
    [open_map open_map_of foreign_of smaps smaps_of containing] SYS_openat [] As(&[Call::ProcessMap]),
        "a part of asking";
    [usage] SYS_openat [] AsOrDone(&[Call::ProcessMap]), "the sum of all mappings";
    [open_map open_map_of foreign_of smaps smaps_of usage containing protect_for_now] SYS_pread64 [EINTR]
        Done, "a signal: again";
    [open_map open_map_of foreign_of smaps smaps_of containing regions] SYS_pread64 []
        As(&[Call::ProcessMap]), "a part of asking";
    [usage] SYS_pread64 [] AsOrDone(&[Call::ProcessMap]), "the sum of all mappings";
    [protect_for_now] SYS_openat [] As(&[Call::ProcessMap, Call::Mprotect]), "a part of asking";
    [protect_for_now] SYS_pread64 [] As(&[Call::ProcessMap, Call::Mprotect]), "a part of asking";
    [protect_for_now] SYS_mmap [] As(&[Call::Mprotect]), "room to note what was";

    // Tracking.
    [end_take_by_protection] SYS_ioctl [] Done, "all count as written then";
    [track_by_protection track_shared] SYS_openat [] As(&[Call::Pagemap]), "a part of tracking";
    [track_by_protection track_shared] SYS_userfaultfd [EINVAL] With(&[Call::Userfaultfd], ENOSYS),
        "a kernel before it";
    [track_by_protection track_shared] SYS_ioctl [EINVAL ENOTTY]
        With(&[Call::Userfaultfd, Call::UffdioRegister, Call::UffdioWriteprotect, Call::PagemapScan], ENOSYS),
        "a kernel before it";
    [track_by_bits] SYS_openat [] As(&[Call::Pagemap, Call::ClearRefs]), "a part of tracking";

    // By a signal, or by the C library.
    [raw_fallocate] SYS_fallocate [] Refused, "the raw call is made once";
    [raw_posix_fallocate] SYS_fallocate [EOPNOTSUPP] Done, "the C library writes zeros";
    [raw_ftruncate] SYS_ftruncate [] Refused, "the raw call is made once";
    [] SYS_ftruncate [EINTR] Done, "a signal: again";
    [] SYS_fsync [EINTR] Done, "a signal: again";
    [] SYS_pread64 [EINTR] Done, "a signal: again";
    [] SYS_read [EINTR] Done, "a signal: again";
    [] SYS_write [EINTR] Done, "a signal: again";
    [named_create named_unique named_open create_with_mode open_read_only raw_shm_open] SYS_openat [EISDIR]
        With(&[Call::ShmOpen], EINVAL),
        "so the C library says it";
    [unlink raw_shm_unlink remove] SYS_unlink [EPERM] With(&[Call::ShmUnlink], EACCES),
        "so the C library says it";
    [unlink raw_shm_unlink remove] SYS_unlinkat [EPERM] With(&[Call::ShmUnlink], EACCES),
        "so the C library says it";
};

/// The row of a cell, if there is one.
fn row(function: &str, call: &str, errno: i32) -> Option<&'static Row> {
    let fits = |row: &&Row| {
        (row.functions.is_empty() || row.functions.contains(&function))
            && call == row.call
            && (row.errnos.is_empty() || row.errnos.contains(&errno))
    };
    ROWS.iter().find(fits)
}

/// What is expected of a cell.
pub fn expected(function: &str, call: &str, errno: i32) -> Expected {
    row(function, call, errno).map_or(Expected::Refused, |row| row.expected)
}

/// Whether something else is expected of a cell than of others of the same call.
pub fn is_special(function: &str, call: &str, errno: i32) -> bool {
    row(function, call, errno).is_some_and(|row| !row.errnos.is_empty())
}

/// Whether each row is for a scenario, and a call, that there is.
pub fn rows_fit(is_scenario: impl Fn(&str) -> bool, is_call: impl Fn(&str) -> bool) {
    for row in ROWS {
        for function in row.functions {
            assert!(is_scenario(function), "no scenario is called {function}");
        }
        assert!(is_call(row.call), "{} is not in calls.rs", row.call);
    }
}
