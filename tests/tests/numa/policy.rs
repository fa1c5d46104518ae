//! Policies of memory and nodes of pages, compared with /proc/self/numa_maps, get_mempolicy and
//! move_pages.
// Only Linux has them.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod nodes;

use std::fs::File;
use std::ptr;

use libc::EINVAL;
use nodes::{first, nodes, only};
use tests::kernel::memory_policy_at;
use tests::{in_a_child, skip};
use unix_memory::MemoryPolicy::{
    self, Bind, Default, Interleave, Local, Prefer, PreferMany, WeightedInterleave,
};
use unix_memory::{
    Call, MapOptions, Mapping, MemfdOptions, Migration, NoAccess, Nodes, ReadOnly, ReadWrite,
    Reason, page_size,
};
use unix_memory_sys as sys;

/// The node of the page at `address`, by the bare call.
fn node_at(address: *const u8) -> i32 {
    let (mut pages, mut status) = ([address.cast_mut().cast()], [i32::MIN]);
    // SAFETY: there is one page, and one place for its status; nothing moves.
    let asked = unsafe {
        sys::move_pages(
            0,
            1,
            pages.as_mut_ptr(),
            ptr::null(),
            status.as_mut_ptr(),
            0,
        )
    };
    assert_eq!(asked, 0);
    status[0]
}

/// As the kernel lists them.
fn listed(policy: MemoryPolicy) -> String {
    match policy {
        Local => "local".to_owned(),
        Bind(nodes) => format!("bind:{nodes}"),
        Prefer(node) => format!("prefer:{node}"),
        PreferMany(nodes) => format!("prefer (many):{nodes}"),
        Interleave(nodes) => format!("interleave:{nodes}"),
        WeightedInterleave(nodes) => format!("weighted interleave:{nodes}"),
        _ => "default".to_owned(),
    }
}

fn all(nodes: Nodes) -> [MemoryPolicy; 7] {
    [
        Local,
        Bind(nodes),
        Prefer(first(nodes)),
        PreferMany(nodes),
        Interleave(nodes),
        WeightedInterleave(nodes),
        Default,
    ]
}

#[test]
fn nodes_are_those_of_the_kernel() {
    const FILE: &str = "/sys/devices/system/node/online";
    let Some(allowed) = nodes("the nodes of the machine") else {
        return;
    };
    match std::fs::read_to_string(FILE) {
        Ok(text) => {
            let online = text.parse::<Nodes>().unwrap();
            assert_eq!(online.to_string(), text.trim());
            assert_eq!(allowed - online, Nodes::new(), "{allowed} of {online}");
        }
        Err(error) => skip("the nodes that there are", &format!("{FILE}: {error}")),
    }
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Mems_allowed_list:"));
    assert_eq!(line.unwrap().parse(), Ok(allowed));
}

#[test]
fn each_policy_is_the_kernels() {
    let Some(nodes) = nodes("policies") else {
        return;
    };
    let page = page_size();
    for policy in all(nodes) {
        let mut mapping = Mapping::anonymous(3 * page).unwrap();
        let set = mapping.set_policy(.., policy, Migration::Never);
        if !policy.is_supported() {
            let error = set.unwrap_err();
            assert_eq!((error.call(), error.errno()), (Call::Mbind, EINVAL));
            assert_eq!(error.reason(), Reason::Unsupported);
            skip("a policy", &format!("{policy:?}: {error}"));
            continue;
        }
        set.unwrap();
        for i in 0..3 {
            assert_eq!(mapping.policy_at(i * page + 1), Ok(policy));
            assert_eq!(
                memory_policy_at(mapping.as_ptr().wrapping_add(i * page)),
                listed(policy)
            );
            assert_eq!(mapping.node_of((i + 1) * page - 1), Ok(None));
        }
        mapping.fill(1);
        for i in 0..3 {
            let node = mapping.node_of(i * page).unwrap().unwrap();
            assert!(nodes.contains(node));
            let theirs = node_at(mapping.as_ptr().wrapping_add(i * page));
            assert_eq!(u32::try_from(theirs), Ok(node));
        }
        // Once more, with pages that are there, and back.
        for migration in [Migration::Move, Migration::Require, Migration::Never] {
            mapping.set_policy(.., policy, migration).unwrap();
            mapping
                .set_policy(page..2 * page, Default, migration)
                .unwrap();
        }
        assert_eq!(mapping.policy_at(page), Ok(Default));
        assert_eq!(mapping.policy_at(2 * page), Ok(policy));
        assert!(mapping.iter().all(|&byte| byte == 1));
        let mapping = mapping.protect(NoAccess).unwrap();
        mapping.set_policy(.., policy, Migration::Move).unwrap();
        if mapping.node_of(0).unwrap().is_none() {
            skip(
                "the node of a page that cannot be accessed",
                "this kernel does not report it",
            );
        }
        mapping.unmap().unwrap();
    }
}

#[test]
fn parts_have_policies_of_their_own() {
    let Some(nodes) = nodes("the policies of parts") else {
        return;
    };
    let (page, bind) = (page_size(), Bind(only(first(nodes))));
    let mapping = Mapping::anonymous(3 * page).unwrap();
    // One byte of the page is enough.
    mapping
        .set_policy(page + 7..=page + 7, bind, Migration::Never)
        .unwrap();
    let policies = |mapping: &Mapping<ReadWrite>| {
        (0..mapping.len() / page)
            .map(|i| {
                let policy = mapping.policy_at(i * page).unwrap();
                let address = mapping.as_ptr().wrapping_add(i * page);
                assert_eq!(memory_policy_at(address), listed(policy));
                policy
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(policies(&mapping), [Default, bind, Default]);
    // They stay with their pages.
    let (left, right) = mapping.split_at(page).unwrap();
    assert_eq!(
        (policies(&left), policies(&right)),
        (vec![Default], vec![bind, Default])
    );
    let mut mapping = left.join(right).unwrap();
    mapping.fill(3);
    let mut mapping = mapping
        .protect(ReadOnly)
        .unwrap()
        .protect(ReadWrite)
        .unwrap();
    assert_eq!(policies(&mapping), [Default, bind, Default]);
    mapping.resize(2 * page).unwrap();
    assert_eq!(policies(&mapping), [Default, bind]);
    // Several mappings for the kernel, which it does not make longer.
    mapping.resize(8 * page).unwrap();
    assert_eq!(policies(&mapping)[2..], [Default; 6]);
    assert!(mapping[..2 * page].iter().all(|&byte| byte == 3));
    assert!(mapping[2 * page..].iter().all(|&byte| byte == 0));
    mapping.unmap().unwrap();

    // One for the kernel: what it grows to has its policy.
    let mut mapping = Mapping::anonymous(page).unwrap();
    mapping.set_policy(.., bind, Migration::Never).unwrap();
    for pages in [64, 2] {
        mapping.resize(pages * page).unwrap();
        assert_eq!(policies(&mapping), vec![bind; pages]);
    }
    let status = in_a_child(|| assert_eq!(mapping.policy_at(0), Ok(bind)));
    assert!(status.success(), "a child has it too");
}

/// A policy with a flag, which other code has set, is not taken for the one without it.
#[test]
fn policies_with_flags_are_not_expressed() {
    let Some(nodes) = nodes("policies with flags") else {
        return;
    };
    let node = first(nodes);
    let Some(bit) = 1_usize.checked_shl(node) else {
        return skip("policies with flags", "its first node has a large number");
    };
    let page = page_size();
    let mapping = Mapping::anonymous(2 * page).unwrap();
    let bind = Bind(only(node));
    mapping.set_policy(.., bind, Migration::Never).unwrap();
    for (mode, flag) in [
        (sys::MPOL_BIND, sys::MPOL_F_STATIC_NODES),
        (sys::MPOL_BIND, sys::MPOL_F_RELATIVE_NODES),
        (sys::MPOL_BIND, sys::MPOL_F_NUMA_BALANCING),
        (sys::MPOL_PREFERRED, sys::MPOL_F_STATIC_NODES),
        (sys::MPOL_INTERLEAVE, sys::MPOL_F_STATIC_NODES),
    ] {
        // SAFETY: the page is the mapping's; the mask has as many bits as is said (the kernel takes one
        // off), and no content changes.
        let set = unsafe {
            sys::mbind(
                mapping.as_ptr().cast_mut().cast(),
                page.try_into().unwrap(),
                mode | flag,
                (&raw const bit).cast(),
                usize::BITS.into(),
                0,
            )
        };
        if set != 0 {
            let error = std::io::Error::last_os_error();
            skip("a flag of a policy", &format!("{flag:#x}: {error}"));
            continue;
        }
        let error = mapping.policy_at(0).unwrap_err();
        assert_eq!(
            (error.call(), error.errno(), error.reason()),
            (Call::GetMempolicy, libc::ENOTSUP, Reason::Unsupported),
            "{mode} {flag:#x}"
        );
        assert_eq!(mapping.policy_at(page), Ok(bind));
    }
    // It can be given another.
    mapping.set_policy(.., Default, Migration::Never).unwrap();
    assert_eq!(mapping.policy_at(0), Ok(Default));
}

#[test]
fn the_page_of_zeros_is_on_no_node() {
    if nodes("the page of zeros").is_none() {
        return;
    }
    let mapping = Mapping::anonymous(page_size()).unwrap();
    assert_eq!(mapping[0], 0);
    assert_eq!(mapping.node_of(0), Ok(None));
}

#[test]
fn a_policy_of_shared_memory_is_everybodys() {
    let Some(nodes) = nodes("the policy of shared memory") else {
        return;
    };
    let bind = Bind(only(first(nodes)));
    let file = MemfdOptions::new().create(3 * page_size() as u64).unwrap();
    let options = MapOptions::new().len(2 * page_size());
    let [one, other] = [(); 2].map(|()| options.map_shared(&file, ReadWrite).unwrap());
    one.set_policy(1..2, bind, Migration::Never).unwrap();
    assert_eq!(other.policy_at(0), Ok(bind));
    assert_eq!(other.policy_at(page_size()), Ok(Default));
    one.fill(.., 1).unwrap();
    assert_eq!(other.node_of(0), Ok(None), "not in this mapping");
    other.read_at(0, &mut [0; 1]).unwrap();
    other.populate().unwrap();
    assert_eq!(other.node_of(0).unwrap(), Some(first(nodes)));

    let anonymous = options.map_anonymous_shared(ReadWrite).unwrap();
    anonymous.set_policy(.., bind, Migration::Require).unwrap();
    assert_eq!(anonymous.policy_at(0), Ok(bind));
}

#[test]
fn files_take_policies() {
    let Some(nodes) = nodes("policies of files") else {
        return;
    };
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let options = MapOptions::new().offset(100).len(page_size());
    for mapping in [
        options.map_private(&file, ReadOnly).unwrap(),
        options.map_shared(&file, ReadOnly).unwrap(),
    ] {
        let policy = Interleave(nodes);
        mapping.set_policy(.., policy, Migration::Never).unwrap();
        assert_eq!(mapping.policy_at(0), Ok(policy));
        mapping.populate().unwrap();
        assert!(mapping.node_of(0).unwrap().is_some());
    }
}
