//! Every file of tests, in one program: linking one takes less time than linking a hundred. It is for
//! other systems, where `cargo xtask emulate` runs it once for each file, and `cargo xtask check` checks
//! it. On this system `cargo test` makes one program of each file. `cargo xtask house` checks that none is
//! missing.

#[path = "mapping/access.rs"]
mod test_access;
#[path = "region/address_space.rs"]
mod test_address_space;
#[path = "advice/advice.rs"]
mod test_advice;
#[path = "shared/atomics.rs"]
mod test_atomics;
#[path = "map/block_device.rs"]
mod test_block_device;
#[path = "guard/code.rs"]
mod test_code;
#[path = "code/buffer.rs"]
mod test_code_buffer;
#[path = "code/denied.rs"]
mod test_code_denied;
#[path = "code/fork.rs"]
mod test_code_fork;
#[path = "code/limit.rs"]
mod test_code_limit;
#[path = "copy/copies_once.rs"]
mod test_copies_once;
#[path = "shared/cursor.rs"]
mod test_cursor;
#[path = "dirty/dirty.rs"]
mod test_dirty;
#[path = "dirty/file.rs"]
mod test_dirty_file;
#[path = "dirty/fork.rs"]
mod test_dirty_fork;
#[path = "dirty/limit.rs"]
mod test_dirty_limit;
#[path = "dirty/mapping_limit.rs"]
mod test_dirty_mapping_limit;
#[path = "dirty/refused.rs"]
mod test_dirty_refused;
#[path = "mapping/discard.rs"]
mod test_discard;
#[path = "guard/erased.rs"]
mod test_erased;
#[path = "error/messages.rs"]
mod test_error_messages;
#[path = "region/exec.rs"]
mod test_exec;
#[path = "copy/fault.rs"]
mod test_fault;
#[path = "copy/fault_buffer.rs"]
mod test_fault_buffer;
#[path = "shared/fault_causes.rs"]
mod test_fault_causes;
#[path = "copy/fault_crash.rs"]
mod test_fault_crash;
#[path = "copy/fault_handler.rs"]
mod test_fault_handler;
#[path = "copy/fault_mechanisms.rs"]
mod test_fault_mechanisms;
#[path = "copy/fault_others.rs"]
mod test_fault_others;
#[path = "faults/main.rs"]
mod test_faults;
#[path = "map/file.rs"]
mod test_file;
#[path = "bytes/file_bytes.rs"]
mod test_file_bytes;
#[path = "bytes/file_bytes_fuse.rs"]
mod test_file_bytes_fuse;
#[path = "bytes/file_bytes_limit.rs"]
mod test_file_bytes_limit;
#[path = "bytes/file_bytes_linux.rs"]
mod test_file_bytes_linux;
#[path = "bytes/file_bytes_sealed.rs"]
mod test_file_bytes_sealed;
#[path = "bytes/file_bytes_streams.rs"]
mod test_file_bytes_streams;
#[path = "map/file_reasons.rs"]
mod test_file_reasons;
#[path = "guard/flush.rs"]
mod test_flush;
#[path = "foreign/foreign.rs"]
mod test_foreign;
#[path = "foreign/locks.rs"]
mod test_foreign_locks;
#[path = "shared/full_disk.rs"]
mod test_full_disk;
#[path = "map/huge.rs"]
mod test_huge;
#[path = "map/huge_files.rs"]
mod test_huge_files;
#[path = "mapping/keys.rs"]
mod test_keys;
#[path = "mapping/keys_limit.rs"]
mod test_keys_limit;
#[path = "shared/killed.rs"]
mod test_killed;
#[path = "lock/lock.rs"]
mod test_lock;
#[path = "lock/lock_fork.rs"]
mod test_lock_fork;
#[path = "lock/lock_fork_fallback.rs"]
mod test_lock_fork_fallback;
#[path = "lock/lock_process.rs"]
mod test_lock_process;
#[path = "lock/lock_vfork.rs"]
mod test_lock_vfork;
#[path = "region/long.rs"]
mod test_long;
#[path = "shared/mapped_file.rs"]
mod test_mapped_file;
#[path = "shared/mapped_file_undone.rs"]
mod test_mapped_file_undone;
#[path = "shared/mapped_reads.rs"]
mod test_mapped_reads;
#[path = "mapping/mapping.rs"]
mod test_mapping;
#[path = "region/mapping_limit.rs"]
mod test_mapping_limit;
#[path = "model/main.rs"]
mod test_model;
#[path = "guard/name.rs"]
mod test_name;
#[path = "guard/name_limit.rs"]
mod test_name_limit;
#[path = "object/named.rs"]
mod test_named;
#[path = "map/no_write_back.rs"]
mod test_no_write_back;
#[path = "region/not_dumpable.rs"]
mod test_not_dumpable;
#[path = "object/objects.rs"]
mod test_objects;
#[path = "map/offsets.rs"]
mod test_offsets;
#[path = "map/options.rs"]
mod test_options;
#[path = "region/orphan.rs"]
mod test_orphan;
#[path = "map/place.rs"]
mod test_place;
#[path = "numa/policy.rs"]
mod test_policy;
#[path = "numa/policy_huge.rs"]
mod test_policy_huge;
#[path = "numa/policy_limit.rs"]
mod test_policy_limit;
#[path = "numa/policy_moves.rs"]
mod test_policy_moves;
#[path = "numa/policy_refused.rs"]
mod test_policy_refused;
#[path = "guard/populate.rs"]
mod test_populate;
#[path = "posix/main.rs"]
mod test_posix;
#[path = "process_map/process_map.rs"]
mod test_process_map;
#[path = "process_map/linux.rs"]
mod test_process_map_linux;
#[path = "process_map/others.rs"]
mod test_process_map_others;
#[path = "process_map/storm.rs"]
mod test_process_map_storm;
#[path = "process_map/ways.rs"]
mod test_process_map_ways;
#[path = "mapping/raw.rs"]
mod test_raw;
#[path = "region/release.rs"]
mod test_release;
#[path = "reserve/reservation.rs"]
mod test_reservation;
#[path = "reserve/reservation_refused.rs"]
mod test_reservation_refused;
#[path = "reserve/reserve_calls.rs"]
mod test_reserve_calls;
#[path = "reserve/reserve_enforced.rs"]
mod test_reserve_enforced;
#[path = "reserve/reserve_limits.rs"]
mod test_reserve_limits;
#[path = "reserve/reserve_locked.rs"]
mod test_reserve_locked;
#[path = "reserve/reserve_mapping_limit.rs"]
mod test_reserve_mapping_limit;
#[path = "reserve/reserved_vec.rs"]
mod test_reserved_vec;
#[path = "reserve/reserved_vec_panics.rs"]
mod test_reserved_vec_panics;
#[path = "mapping/resize.rs"]
mod test_resize;
#[path = "ring/ring.rs"]
mod test_ring;
#[path = "ring/ring_fork.rs"]
mod test_ring_fork;
#[path = "ring/ring_fork_early.rs"]
mod test_ring_fork_early;
#[path = "ring/ring_processes.rs"]
mod test_ring_processes;
#[path = "ring/ring_shared.rs"]
mod test_ring_shared;
#[path = "mapping/seal.rs"]
mod test_seal;
#[path = "object/sealed.rs"]
mod test_sealed;
#[path = "object/sealed_limit.rs"]
mod test_sealed_limit;
#[path = "secret/secret.rs"]
mod test_secret;
#[path = "secret/secret_crash.rs"]
mod test_secret_crash;
#[path = "secret/secret_dump.rs"]
mod test_secret_dump;
#[path = "secret/secret_fork.rs"]
mod test_secret_fork;
#[path = "secret/secret_limits.rs"]
mod test_secret_limits;
#[path = "secret/secret_others.rs"]
mod test_secret_others;
#[path = "secret/secret_refused.rs"]
mod test_secret_refused;
#[path = "shared/shared.rs"]
mod test_shared;
#[path = "process_map/smaps.rs"]
mod test_smaps;
#[path = "mapping/split.rs"]
mod test_split;
#[path = "region/stack.rs"]
mod test_stack;
#[path = "stack/stacks.rs"]
mod test_stacks;
#[path = "stack/stacks_many.rs"]
mod test_stacks_many;
#[path = "copy/storm.rs"]
mod test_storm;
#[path = "region/survives.rs"]
mod test_survives;
#[path = "map/transparent.rs"]
mod test_transparent;
#[path = "map/transparent_counted.rs"]
mod test_transparent_counted;
#[path = "map/transparent_refused.rs"]
mod test_transparent_refused;
#[path = "shared/values.rs"]
mod test_values;
#[path = "object/verity.rs"]
mod test_verity;
#[path = "windows/windows.rs"]
mod test_windows;
#[path = "windows/windows_hints.rs"]
mod test_windows_hints;
#[path = "windows/windows_limit.rs"]
mod test_windows_limit;
#[path = "windows/windows_read.rs"]
mod test_windows_read;
