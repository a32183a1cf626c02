//! The posture score: three shares that add up to 1, weighted by severity.
//!
//! Each check counts once, by its weight, and is parted among its rows. Not applicable is outside. What was not evaluated
//! takes the place of what passed, never of what failed: a check of which anything was not read passes nothing, so that
//! reading less can not raise the score. A finding that is dismissed counts as failed like an open one: that a risk is accepted makes
//! nothing safe. A lock that is broken fails as a check of its own; one that holds counts as nothing. A check that is not monitored is
//! outside, and its number stands beside the score.

use crate::screen::{Score, Severity};

/// What one check came to over its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckTally {
    /// How bad a failure is.
    pub severity: Severity,
    /// Rows that passed.
    pub passed: u32,
    /// Findings that are open or dismissed, those not re-checked among them.
    pub open: u32,
    /// Whether any row, or the rest of a cut list, was not evaluated.
    pub unread: bool,
}

/// How much a check counts.
fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 10.0,
        Severity::High => 6.0,
        Severity::Medium => 3.0,
        Severity::Low => 1.0,
        // What is only listed for information neither raises nor lowers.
        Severity::Info => 0.0,
    }
}

/// The score over all checks; `None` when nothing counts.
pub fn score(checks: impl IntoIterator<Item = CheckTally>) -> Option<Score> {
    let (mut passed, mut failed, mut unread) = (0.0, 0.0, 0.0);
    for check in checks {
        let weight = weight(check.severity);
        let rows = f64::from(check.passed) + f64::from(check.open);
        if check.unread {
            let share = if check.open == 0 { 0.0 } else { f64::from(check.open) / (rows + 1.0) };
            failed += weight * share;
            unread += weight * (1.0 - share);
        } else if rows > 0.0 {
            failed += weight * f64::from(check.open) / rows;
            passed += weight * f64::from(check.passed) / rows;
        }
    }
    let all = passed + failed + unread;
    if all == 0.0 {
        return None;
    }
    let passed_share = passed / all;
    // Whole percent, rounded down; the small addend undoes binary rounding of shares such as 0.57 × 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let value = (passed_share * 100.0 + 1e-9).floor() as u32;
    Some(Score { value, passed: passed_share, failed: failed / all, not_evaluated: unread / all })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally() -> impl Strategy<Value = CheckTally> {
        let severity =
            prop_oneof![Just(Severity::Critical), Just(Severity::High), Just(Severity::Medium), Just(Severity::Low), Just(Severity::Info)];
        (severity, 0u32..50, 0u32..50, any::<bool>()).prop_map(|(severity, passed, open, unread)| CheckTally {
            severity,
            passed,
            open,
            unread,
        })
    }

    fn value(checks: &[CheckTally]) -> f64 {
        score(checks.iter().copied()).map_or(0.0, |score| score.passed)
    }

    proptest! {
        #[test]
        fn the_shares_add_up(checks in prop::collection::vec(tally(), 1..12)) {
            if let Some(score) = score(checks) {
                prop_assert!((score.passed + score.failed + score.not_evaluated - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn reading_less_never_raises_it(mut checks in prop::collection::vec(tally(), 1..12), which in any::<prop::sample::Index>()) {
            let at = which.index(checks.len());
            // A check that was read and had rows; one that has none says nothing to begin with.
            prop_assume!(!checks[at].unread && checks[at].passed + checks[at].open > 0);
            let before = value(&checks);
            checks[at].unread = true;
            checks[at].passed = 0;
            prop_assert!(value(&checks) <= before + 1e-12);
        }

        #[test]
        fn a_fix_never_lowers_it(mut checks in prop::collection::vec(tally(), 1..12), which in any::<prop::sample::Index>()) {
            let at = which.index(checks.len());
            prop_assume!(!checks[at].unread && checks[at].open > 0);
            let before = value(&checks);
            checks[at].open -= 1;
            checks[at].passed += 1;
            prop_assert!(value(&checks) >= before - 1e-12);
        }
    }
}
