//! What is tried with the nodes that memory comes from.

use unix_memory::{Mapping, MemoryPolicy, Migration, Nodes, ReadWrite, page_size};

use super::mappings::{filled, is_as_it_was};
use super::shared::{holds, sevens, shared};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![
    allowed_nodes set_policy set_policy_of_part set_shared_policy policy_at node_of policy_is_supported
];

/// Of all nodes there are.
fn anywhere() -> unix_memory::Result<MemoryPolicy> {
    Nodes::allowed().map(MemoryPolicy::Interleave)
}

fn allowed_nodes(trial: &Trial<'_>) {
    assert!(!trial.twice(Nodes::allowed, || ()).is_empty());
}

fn has(mapping: &Mapping<ReadWrite>, policy: MemoryPolicy) {
    assert_eq!(mapping.policy_at(page_size()), Ok(policy));
}

fn set_policy(trial: &Trial<'_>) {
    let mapping = filled();
    let unchanged = || {
        is_as_it_was(&mapping);
        has(&mapping, MemoryPolicy::Default);
    };
    let set = || mapping.set_policy(.., anywhere()?, Migration::Move);
    trial.twice(set, unchanged);
    has(&mapping, anywhere().unwrap());
    is_as_it_was(&mapping);
}

fn set_policy_of_part(trial: &Trial<'_>) {
    let (mapping, page) = (filled(), page_size());
    let set = || mapping.set_policy(page..2 * page, MemoryPolicy::Local, Migration::Never);
    trial.twice(set, || has(&mapping, MemoryPolicy::Default));
    has(&mapping, MemoryPolicy::Local);
}

fn set_shared_policy(trial: &Trial<'_>) {
    let mapping = shared();
    let bind = || {
        mapping.set_policy(
            ..,
            Nodes::allowed().map(MemoryPolicy::Bind)?,
            Migration::Never,
        )
    };
    trial.twice(bind, || {
        assert_eq!(mapping.policy_at(0), Ok(MemoryPolicy::Default));
    });
    holds(&mapping, &sevens());
}

fn policy_at(trial: &Trial<'_>) {
    let mapping = filled();
    let policy = trial.twice(|| mapping.policy_at(0), || ());
    assert_eq!(policy, MemoryPolicy::Default);
}

fn node_of(trial: &Trial<'_>) {
    let mapping = filled();
    let node = trial.twice(|| mapping.node_of(0), || ());
    assert!(node.is_some());
}

fn policy_is_supported(trial: &Trial<'_>) {
    // If it is refused, the answer may be that it is not supported.
    trial.does(|| {
        let _as_far_as_the_kernel_says = MemoryPolicy::Local.is_supported();
    });
    assert!(MemoryPolicy::Local.is_supported());
}
