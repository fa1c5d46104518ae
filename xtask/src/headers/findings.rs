//! What is known about a target's names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::visit::Outcome;

/// What is known about a target's names.
#[derive(Default)]
pub struct Findings {
    /// In a header, with the same value or type.
    pub proved: BTreeSet<String>,
    /// Different on purpose.
    pub excused: BTreeSet<String>,
    /// Different, and how.
    pub wrong: BTreeMap<String, String>,
    /// In a header but not in the crate, with what the header says.
    pub missing: BTreeMap<String, String>,
}

impl Findings {
    /// The outcome for the report.
    pub fn outcome(&self) -> Outcome {
        let summary = format!(
            "{} proved, {} missing, {} wrong",
            self.proved.len(),
            self.missing.len(),
            self.wrong.len()
        );
        if self.missing.is_empty() && self.wrong.is_empty() {
            return Outcome::Passed(summary);
        }
        let mut text = summary;
        for (name, how) in &self.missing {
            let _ = write!(text, "\n  missing {name}: {how}");
        }
        for (name, how) in &self.wrong {
            let _ = write!(text, "\n  wrong {name}: {how}");
        }
        Outcome::Failed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_wrong_fails() {
        let mut found = Findings::default();
        found.proved.insert("A".into());
        assert_eq!(
            found.outcome(),
            Outcome::Passed("1 proved, 0 missing, 0 wrong".into())
        );
        found.missing.insert("B".into(), "2".into());
        assert!(matches!(found.outcome(), Outcome::Failed(_)));
    }
}
