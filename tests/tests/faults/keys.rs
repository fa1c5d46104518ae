//! What is tried with protection keys, if the processor has them.

use unix_memory::{Keyed, Mapping, ProtectionKey};

use super::mappings::{filled, is_as_it_was};
use super::trial::Trial;
use super::{Scenario, scenarios};

pub const SCENARIOS: &[Scenario] = scenarios![take_key drop_key give_key take_key_away];

fn key() -> ProtectionKey {
    ProtectionKey::new().unwrap()
}

fn take_key(trial: &Trial<'_>) {
    drop(trial.twice(ProtectionKey::new, || ()));
}

fn drop_key(trial: &Trial<'_>) {
    let key = key();
    trial.does(|| drop(key));
}

fn give_key(trial: &Trial<'_>) {
    let key = key();
    let protect = |it: Mapping<_>| key.protect(it);
    let keyed = trial.twice_with(filled(), protect, is_as_it_was);
    is_as_it_was(&keyed.into_mapping().unwrap());
}

fn take_key_away(trial: &Trial<'_>) {
    let key = key();
    let keyed = key.protect(filled()).unwrap();
    let mapping = trial.twice_with(keyed, Keyed::into_mapping, |it| {
        let mut bytes = [0; 100];
        it.read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [7; 100]);
    });
    is_as_it_was(&mapping);
}
