//! Which scenario is for which public function: of all that return a `Result`, and of all drops.

use std::collections::BTreeSet;
use std::path::Path;

use tests::skip;

use super::expected;
use super::{Scenario, calls};

macro_rules! tried {
    ($($function:literal [$($scenario:ident)*];)*) => {
        &[$(($function, &[$(stringify!($scenario)),*])),*]
    };
}

macro_rules! same {
    ($($function:literal as $other:literal;)*) => {
        &[$(($function, $other)),*]
    };
}

/// A function, as the record of the public API has it without its parameters, and its scenarios.
const TRIED: &[(&str, &[&str])] = tried! {
    "Advice::apply" [advise_together];
    "ChunksIn::next" [chunks];
    "Cursor::read_to_end" [cursor];
    "FileBytes::load" [file_bytes load_pipe load_sealed];
    "FileBytesOptions::load" [load_part];
    "FileBytesOptions::map_private" [map_bytes_private];
    "FileBytesOptions::map_shared" [map_bytes_shared];
    "Keyed::into_mapping" [take_key_away];
    "Locked::protect" [protect_locked];
    "MapOptions::map_anonymous" [map_anonymous map_with_all_steps map_aligned
        map_within map_at map_populated map_no_reserve];
    "MapOptions::map_anonymous_shared" [map_shared_anonymous];
    "MapOptions::map_droppable" [map_droppable];
    "MapOptions::map_file" [map_file];
    "MapOptions::map_guarded" [map_guarded map_with_guard_of_none];
    "MapOptions::map_private" [map_private];
    "MapOptions::map_sealed" [map_sealed];
    "MapOptions::map_shared" [map_shared map_empty_file];
    "MapOptions::map_shared_raw" [map_shared_raw];
    "MappedFile::append" [file_append];
    "MappedFile::follow" [file_follow];
    "MappedFile::grow" [file_grow];
    "MappedFile::read_at" [file_read];
    "MappedFile::truncate" [file_truncate];
    "MappedFile::write_at" [file_write];
    "Mapping::advise" [advise hide];
    "Mapping::advise_range" [advise_part];
    "Mapping::advise_unchecked" [advise_unchecked];
    "Mapping::discard" [discard discard_locked];
    "Mapping::flush" [flush];
    "Mapping::huge_bytes" [huge_bytes];
    "Mapping::into_locked" [into_locked unlock_owned];
    "Mapping::into_tracked_by" [track_by_protection track_by_bits];
    "Mapping::join" [join];
    "Mapping::lock" [lock unlock];
    "Mapping::lock_on_fault" [lock_on_fault lock_over_on_fault];
    "Mapping::mlock" [mlock];
    "Mapping::munlock" [munlock];
    "Mapping::node_of" [node_of];
    "Mapping::policy_at" [policy_at];
    "Mapping::populate" [populate];
    "Mapping::populate_write" [populate_write];
    "Mapping::protect" [protect protect_one_of_several protect_to_execute];
    "Mapping::resize" [resize resize_several resize_locked resize_hidden resize_from_nothing shrink];
    "Mapping::resize_in_place" [resize_in_place];
    "Mapping::seal" [seal];
    "Mapping::set_name" [name];
    "Mapping::set_policy" [set_policy set_policy_of_part];
    "Mapping::set_protection" [set_protection];
    "Mapping::split_at" [split_and_protect];
    "Mapping::sync_instruction_cache" [sync_code];
    "Mapping::unmap" [unmap unmap_held drop_it];
    "MemfdOptions::create" [memfd];
    "NamedMemory::adopt" [adopt drop_named persist];
    "NamedMemory::create" [named_create];
    "NamedMemory::create_unique" [named_unique];
    "NamedMemory::create_with_mode" [create_with_mode];
    "NamedMemory::open" [named_open];
    "NamedMemory::open_read_only" [open_read_only];
    "NamedMemory::remove" [remove];
    "NamedMemory::unlink" [unlink];
    "Nodes::allowed" [allowed_nodes policy_is_supported];
    "PopulateSteps::next" [populate_in_steps];
    "ProcessLock::drop" [process_unlock process_unlock_held process_unlock_future];
    "ProcessLock::new" [process_lock];
    "ProcessLock::on_fault" [process_lock_on_fault];
    "ProtectionKey::drop" [drop_key];
    "ProtectionKey::new" [take_key];
    "ProtectionKey::protect" [give_key];
    "Residency::next" [residency];
    "Residency::resident" [resident];
    "SealedMemory::from_bytes" [sealed_from_bytes];
    "SealedMemory::from_fd" [sealed_from_fd];
    "SealedMemory::seals" [sealed_seals];
    "SealedMemory::try_from" [sealed_try_from];
    "SharedMapping::advise" [advise_shared];
    "SharedMapping::atomic" [atomics];
    "SharedMapping::compare_at" [compare];
    "SharedMapping::copy_within" [copy_within];
    "SharedMapping::eq_at" [compare_at];
    "SharedMapping::fill" [fill];
    "SharedMapping::flush_durable" [flush_durable];
    "SharedMapping::flush_range" [flush_shared];
    "SharedMapping::into_tracked" [track_shared];
    "SharedMapping::lock" [lock_shared];
    "SharedMapping::populate" [populate_shared];
    "SharedMapping::populate_write" [populate_write_shared];
    "SharedMapping::protect" [protect_shared];
    "SharedMapping::read_at" [read_at read_shared_file];
    "SharedMapping::read_at_with" [read_by_pipe read_by_the_kernel];
    "SharedMapping::read_values" [values];
    "SharedMapping::residency_range" [residency_shared];
    "SharedMapping::resize" [resize_shared];
    "SharedMapping::set_name_range" [name_shared];
    "SharedMapping::set_policy" [set_shared_policy];
    "SharedMapping::set_protection" [set_shared_protection];
    "SharedMapping::to_vec" [shared_to_vec];
    "SharedMapping::unmap" [unmap_shared];
    "SharedMapping::write_at" [write_at write_at_file];
    "SharedMapping::write_at_with" [write_by_pipe write_by_the_kernel];
    "SharedMemory::add_seals" [add_seals];
    "SharedMemory::len" [memory_len];
    "SharedMemory::map" [map_object];
    "SharedMemory::remap" [remap_object];
    "SharedMemory::seal" [seal_memory];
    "SharedMemory::seals" [seals];
    "SharedMemory::set_len" [set_len];
    "SharedMemory::try_clone" [try_clone];
    "SharedMemory::unnamed" [unnamed];
    "Stack::new" [stack];
    "Stack::unmap" [unmap_stack drop_stack];
    "Stack::with_guard" [stack_with_guard];
    "Tracked::discard" [discard_by_protection discard_by_bits];
    "Tracked::mark" [mark_by_protection mark_by_bits untrack_by_protection
        untrack_by_bits drop_tracked_by_protection drop_tracked_by_bits];
    "Tracked::protect" [protect_by_protection protect_by_bits];
    "Windows::drop" [windows_drop];
    "Windows::new" [window_from];
    "Windows::next" [windows];
    "Written::drop" [written_by_protection written_by_bits take_by_protection
        take_by_bits end_take_by_protection end_take_by_bits];
    "code::Code::into_writable" [into_writable];
    "code::Code::patch" [code_patch];
    "code::Code::read_at" [code_read];
    "code::CodeBuffer::into_executable" [into_executable];
    "code::CodeBuffer::new" [code drop_code];
    "code::CodeBuffer::with" [code_dual drop_code_dual];
    "fault_handler" [handler_state];
    "foreign::ForeignPages::lock" [foreign_lock];
    "foreign::ForeignPages::of" [foreign_of];
    "foreign::ForeignPages::protect" [foreign_protect];
    "foreign::ForeignPages::protect_for_now" [protect_for_now];
    "foreign::ForeignPages::unlock" [foreign_unlock];
    "foreign::ProtectionGuard::drop" [end_protect_for_now];
    "foreign::ProtectionGuard::restore" [restore];
    "install_fault_handler" [fault_handler];
    "process_map::ProcessMap::containing" [containing];
    "process_map::ProcessMap::of" [open_map_of];
    "process_map::ProcessMap::of_self" [open_map];
    "process_map::Regions::next_into" [regions];
    "process_map::Smaps::of" [smaps_of];
    "process_map::Smaps::of_self" [smaps];
    "process_map::Usage::of_self" [usage];
    "reserve::Reservation::advise_range" [advise_reservation];
    "reserve::Reservation::commit" [commit commit_between];
    "reserve::Reservation::decommit" [decommit decommit_several];
    "reserve::Reservation::lock_range" [lock_committed];
    "reserve::Reservation::new" [reserve];
    "reserve::Reservation::unmap" [unmap_reservation drop_reservation];
    "reserve::Reservation::with_alignment" [reservation_aligned];
    "reserve::ReservedVec::drop" [drop_vec truncate_vec];
    "reserve::ReservedVec::shrink_to_fit" [shrink_to_fit];
    "reserve::ReservedVec::try_extend_from_slice" [try_extend];
    "reserve::ReservedVec::try_push" [try_push];
    "reserve::ReservedVec::try_reserve" [try_reserve];
    "reserve::ReservedVec::with_max_capacity" [reserve_vec];
    "ring::SharedConsumer::pop_slice" [pop_slice];
    "ring::SharedProducer::push_slice" [push_slice drop_ring];
    "ring::SharedRing::create" [shared_ring];
    "ring::SharedRing::into_consumer" [into_consumer];
    "ring::SharedRing::into_producer" [into_producer];
    "ring::SharedRing::open" [open_ring];
    "ring::pair" [ring];
    "secret::Secret::borrow" [borrow];
    "secret::Secret::borrow_mut" [borrow_mut];
    "secret::Secret::ct_eq" [secret_ct_eq];
    "secret::Secret::from_slice_wiping" [secret_from_slice];
    "secret::Secret::new_with" [secret drop_secret secret_drop_two];
    "secret::Secret::try_clone" [secret_clone];
    "secret::Secret::with" [secret_with];
    "secret::Secret::with_mut" [secret_with_mut];
    "secret::Secret::zeroed" [secret_zeroed];
    "secret::SecretOptions::new_with" [secret_memory];
    "secret::SecretRef::drop" [end_borrow];
    "uninstall_fault_handler" [uninstall];
};

/// Functions that only call another one, or that a macro makes from the same lines.
const SAME: &[(&str, &str)] = same! {
    "Cursor::fill_buf" as "Cursor::read_to_end";
    "Cursor::read" as "Cursor::read_to_end";
    "Cursor::write" as "SharedMapping::write_at";
    "Guarded::drop" as "Mapping::unmap";
    "MapOptions::map_private_raw" as "MapOptions::map_shared_raw";
    "Mapping::anonymous" as "MapOptions::map_anonymous";
    "Mapping::flush_durable" as "SharedMapping::flush_durable";
    "Mapping::flush_range" as "SharedMapping::flush_range";
    "Mapping::flush_range_durable" as "SharedMapping::flush_durable";
    "Mapping::huge_bytes_range" as "Mapping::huge_bytes";
    "Mapping::into_tracked" as "Mapping::into_tracked_by";
    "Mapping::lock_range" as "Mapping::lock";
    "Mapping::lock_range_on_fault" as "Mapping::lock_on_fault";
    "Mapping::populate_range" as "Mapping::populate";
    "Mapping::populate_write_range" as "Mapping::populate_write";
    "Mapping::residency_range" as "SharedMapping::residency_range";
    "Mapping::set_name_range" as "SharedMapping::set_name_range";
    "SharedMapping::advise_range" as "Mapping::advise_range";
    "SharedMapping::advise_unchecked" as "Mapping::advise_unchecked";
    "SharedMapping::atomics" as "SharedMapping::atomic";
    "SharedMapping::flush" as "SharedMapping::flush_range";
    "SharedMapping::flush_range_durable" as "SharedMapping::flush_durable";
    "SharedMapping::huge_bytes" as "Mapping::huge_bytes";
    "SharedMapping::huge_bytes_range" as "Mapping::huge_bytes";
    "SharedMapping::into_tracked_by" as "SharedMapping::into_tracked";
    "SharedMapping::lock_on_fault" as "Mapping::lock_on_fault";
    "SharedMapping::lock_range" as "SharedMapping::lock";
    "SharedMapping::lock_range_on_fault" as "Mapping::lock_on_fault";
    "SharedMapping::mlock" as "Mapping::mlock";
    "SharedMapping::munlock" as "Mapping::munlock";
    "SharedMapping::node_of" as "Mapping::node_of";
    "SharedMapping::policy_at" as "Mapping::policy_at";
    "SharedMapping::populate_range" as "SharedMapping::populate";
    "SharedMapping::populate_write_range" as "SharedMapping::populate_write";
    "SharedMapping::read_value" as "SharedMapping::read_values";
    "SharedMapping::resize_in_place" as "Mapping::resize_in_place";
    "SharedMapping::set_name" as "SharedMapping::set_name_range";
    "SharedMapping::sync_instruction_cache" as "Mapping::sync_instruction_cache";
    "SharedMapping::to_values" as "SharedMapping::read_values";
    "SharedMapping::write_value" as "SharedMapping::read_values";
    "SharedMapping::write_values" as "SharedMapping::read_values";
    "SharedMemory::is_empty" as "SharedMemory::len";
    "process_map::ProcessMap::containing_into" as "process_map::ProcessMap::containing";
    "process_map::Usage::of" as "process_map::Usage::of_self";
    "reserve::IntoIter::drop" as "reserve::ReservedVec::drop";
    "reserve::ReservedVec::try_reserve_exact" as "reserve::ReservedVec::try_reserve";
    "reserve::ReservedVec::write" as "reserve::ReservedVec::try_extend_from_slice";
    "reserve::ReservedVec::write_all" as "reserve::ReservedVec::try_extend_from_slice";
    "ring::SharedConsumer::read" as "ring::SharedConsumer::pop_slice";
    "ring::SharedProducer::write" as "ring::SharedProducer::push_slice";
    "secret::SecretMut::drop" as "secret::SecretRef::drop";
    "secret::SecretOptions::from_slice_wiping" as "secret::Secret::from_slice_wiping";
    "secret::SecretOptions::zeroed" as "secret::Secret::zeroed";
};

/// Functions that make no system call, and fail because of their arguments.
const WITHOUT_CALLS: &str = "
    Cursor::flush Cursor::seek Keyed::read_at Keyed::write_at Mapping::downcast Mapping::fill
    Mapping::span Mapping::view Mapping::view_mut Mapping::write_at Nodes::from_str Nodes::of
    SharedMapping::downcast SharedMapping::span code::Code::entry code::Code::function
    foreign::ForeignPages::holding foreign::ForeignPages::new reserve::ReservedVec::flush
    ring::Consumer::consume ring::Consumer::fill_buf ring::Consumer::read ring::Producer::commit
    ring::Producer::flush ring::Producer::write ring::SharedProducer::flush secret::SecretMut::view
    secret::SecretMut::view_mut secret::SecretRef::view
";

/// Functions that cannot succeed on most machines.
const NOT_HERE: &[(&str, &str)] = &[(
    "MapOptions::map_shared_sync",
    "only files in persistent memory can be mapped so",
)];

/// Calls of the raw crate that are not tried.
const RAW_NOT_TRIED: &[(&str, &str)] = &[
    ("errno_location", "it cannot be refused"),
    (
        "sysconf",
        "it makes no system call for what it is asked here",
    ),
    (
        "process_mrelease",
        "it needs another process that is being ended",
    ),
];

/// A call of the record of the raw crate.
fn raw_call(line: &str) -> Option<&str> {
    let (_, path) = line.split_once(" fn unix_memory_sys::")?;
    let (name, _) = path.split_once('(')?;
    (!name.contains(':')).then_some(name)
}

/// A function of the record without its parameters, if it returns a `Result`, or is a drop.
fn function(line: &str) -> Option<String> {
    let words = ["pub ", "const ", "unsafe ", "fn "];
    let signature = words.iter().fold(line.strip_prefix("pub ")?, |line, word| {
        line.strip_prefix(word).unwrap_or(line)
    });
    if line.contains("fmt::") || !line.contains("fn ") {
        return None;
    }
    let (mut path, mut depth) = (String::new(), 0);
    for letter in signature.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            '(' if depth == 0 => break,
            _ if depth == 0 => path.push(letter),
            _ => {}
        }
    }
    let result = signature
        .split_once(" -> ")
        .map_or("", |(_, result)| result);
    let counts = result.contains("Result<") || path.ends_with("::drop");
    counts.then(|| path.replace("unix_memory::", ""))
}

/// Checks that each function of the record is in one of the tables, and each of the tables' in the
/// record; and that what the tables name is there.
///
/// # Panics
/// If something is missing.
pub fn check(scenarios: &[&[Scenario]]) {
    let names: BTreeSet<_> = scenarios
        .iter()
        .copied()
        .flatten()
        .map(|it| it.name)
        .collect();
    let calls: BTreeSet<_> = calls::all().map(|call| call.name).collect();
    let is_scenario = |name: &str| names.contains(name);
    let is_call = |name: &str| calls.contains(name) || name == "SYS_unlink" || name == "SYS_fstat";
    expected::rows_fit(is_scenario, is_call);
    let tried: BTreeSet<_> = TRIED.iter().map(|(function, _)| *function).collect();
    for (function, scenarios) in TRIED {
        for scenario in *scenarios {
            assert!(
                names.contains(scenario),
                "{function}: {scenario} is no scenario"
            );
        }
    }
    for (function, other) in SAME {
        assert!(tried.contains(other), "{function}: {other} is not tried");
    }
    let same = SAME.iter().map(|(function, _)| *function);
    let not_here = NOT_HERE.iter().map(|(function, _)| *function);
    let without_calls = WITHOUT_CALLS.split_whitespace();
    let known: BTreeSet<_> = tried
        .iter()
        .copied()
        .chain(same)
        .chain(not_here)
        .chain(without_calls)
        .collect();
    let read = |name: &str| {
        let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("../xtask/api");
        std::fs::read_to_string(records.join(name))
    };
    let (Ok(record), Ok(raw)) = (read("unix-memory.txt"), read("unix-memory-sys.txt")) else {
        return skip(
            "which functions have scenarios",
            "the record of the API is not here",
        );
    };
    let is_left_out = |call: &&str| RAW_NOT_TRIED.iter().any(|(it, _)| it == call);
    for call in raw
        .lines()
        .filter_map(raw_call)
        .filter(|call| !is_left_out(call))
    {
        let scenario = format!("raw_{call}");
        assert!(names.contains(scenario.as_str()), "there is no {scenario}");
    }
    let recorded: BTreeSet<_> = record.lines().filter_map(function).collect();
    let missing: Vec<_> = recorded
        .iter()
        .filter(|it| !known.contains(it.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "neither tried nor said why not: {missing:?}"
    );
    let gone: Vec<_> = known.iter().filter(|it| !recorded.contains(**it)).collect();
    assert!(gone.is_empty(), "not in the record: {gone:?}");
    println!(
        "faults: of {} functions {} are tried, {} are the same as others, {} make no calls",
        recorded.len(),
        TRIED.len(),
        SAME.len(),
        WITHOUT_CALLS.split_whitespace().count(),
    );
    for (function, why) in NOT_HERE.iter().chain(RAW_NOT_TRIED) {
        println!("faults: {function} is not tried: {why}");
    }
}
