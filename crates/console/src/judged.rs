//! What each check of each instance came to: the last complete scans, what is still open, and what people attested.

use crate::{
    Console,
    browse::severity,
    console::Open,
    decisions::unmonitored,
    manual_instances::is_manual,
    scan::verdict_counts,
    screen::{
        AttestationAnswer, AttestationState, Cause, CheckOutcome, Failure, InstanceOutcome, ManualCheck, OutcomeCounts, RuleCheck,
        RuleStatus, SandboxScope, UnreadableInstance, VerdictCounts,
    },
};
use catalog::{App, Check, CheckKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use store::{DatasetState, Instance, Scan};

/// All that is judged, of the instances that are looked at.
pub(crate) struct Judged {
    /// Whether these are simulated tenants.
    pub(crate) sandbox: bool,
    /// How many instances there are, readable or not.
    pub(crate) instances: u32,
    /// Those whose application the catalog cannot read.
    pub(crate) unreadable: Vec<UnreadableInstance>,
    /// Checks with their application and what they came to, by application and in its order.
    pub(crate) checks: Vec<JudgedCheck>,
}

/// A check with what it came to on each instance of its application.
pub(crate) struct JudgedCheck {
    pub(crate) sscf: Vec<String>,
    pub(crate) frameworks: BTreeMap<String, Vec<String>>,
    pub(crate) row: RuleCheck,
}

impl JudgedCheck {
    /// Whether it names a control of a framework.
    pub(crate) fn names(&self, framework: &str, reference: &str) -> bool {
        if framework == "sscf" {
            return self.sscf.iter().any(|control| control == reference);
        }
        self.frameworks.get(framework).is_some_and(|references| references.iter().any(|one| one == reference))
    }
}

/// Reads what is judged. Without sandboxes, unless they are asked for or there is nothing else, as on the Overview.
pub(crate) fn judged(console: &Console, open: &Open, scope: SandboxScope) -> Result<Judged, Failure> {
    let all = open.store.instances()?;
    let only_sandboxes = !all.is_empty() && all.iter().all(|instance| instance.sandbox);
    let scope = if scope == SandboxScope::Without && only_sandboxes { SandboxScope::Only } else { scope };
    let mut judged = Judged { sandbox: scope == SandboxScope::Only, instances: 0, unreadable: Vec::new(), checks: Vec::new() };
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for instance in all.iter().filter(|instance| scope.holds(instance.sandbox)) {
        judged.instances += 1;
        let app = match console.app(&instance.app) {
            Ok(app) => app,
            Err(failure) => {
                let cause = Cause { kind: failure.code, sentence: failure.sentence, remedy: failure.remedy };
                let (id, instance_name) = (instance.id.to_string(), instance.name.clone());
                judged.unreadable.push(UnreadableInstance { instance: id, instance_name, cause });
                continue;
            }
        };
        for (check, outcome) in of_instance(console, open, &app, instance)? {
            let at = *places.entry((app.slug.clone(), check.id.clone())).or_insert_with(|| {
                judged.checks.push(JudgedCheck {
                    sscf: check.sscf.clone(),
                    frameworks: check.frameworks.clone(),
                    row: RuleCheck {
                        check: check.id.clone(),
                        title: check.title.clone(),
                        app: app.slug.clone(),
                        app_name: app.name.clone(),
                        severity: severity(check.severity),
                        manual: check.kind == CheckKind::Manual,
                        instances: Vec::new(),
                    },
                });
                judged.checks.len() - 1
            });
            judged.checks[at].row.instances.push(outcome);
        }
    }
    for check in &mut judged.checks {
        check.row.instances.sort_by_key(|one| (rank(one.outcome), one.instance_name.clone()));
    }
    Ok(judged)
}

/// Worst first.
pub(crate) fn rank(outcome: CheckOutcome) -> u8 {
    match outcome {
        CheckOutcome::Failed => 0,
        CheckOutcome::NotEvaluated => 1,
        CheckOutcome::Due => 2,
        CheckOutcome::Passed => 3,
        CheckOutcome::Attested => 4,
        CheckOutcome::NotApplicable => 5,
    }
}

/// What a control came to over the checks that name it.
pub(crate) struct Summed {
    pub(crate) status: RuleStatus,
    pub(crate) checks: u32,
    pub(crate) instances: u32,
    pub(crate) counts: OutcomeCounts,
}

/// Adds up checks, worst first: one failure fails all of it, one thing that was not read leaves it not evaluated, and only what passed
/// lets it pass. What does not apply or is attested alone passes nothing. `whole` says that every instance could be read: of one that
/// could not, nobody knows which checks it has.
pub(crate) fn sum<'a>(checks: impl IntoIterator<Item = &'a JudgedCheck>, whole: bool) -> Summed {
    let mut counts = OutcomeCounts::default();
    let (mut number, mut instances) = (0, BTreeSet::new());
    for check in checks {
        number += 1;
        for one in &check.row.instances {
            instances.insert(one.instance.as_str());
            *match one.outcome {
                CheckOutcome::Failed => &mut counts.failed,
                CheckOutcome::NotEvaluated => &mut counts.not_evaluated,
                CheckOutcome::Due => &mut counts.due,
                CheckOutcome::Passed => &mut counts.passed,
                CheckOutcome::Attested => &mut counts.attested,
                CheckOutcome::NotApplicable => &mut counts.not_applicable,
            } += 1;
        }
    }
    let status = if number == 0 {
        RuleStatus::NotCovered
    } else if counts.failed > 0 {
        RuleStatus::Failed
    } else if counts.not_evaluated + counts.due > 0 || !whole {
        RuleStatus::NotEvaluated
    } else if counts.passed > 0 {
        RuleStatus::Passed
    } else if counts.attested > 0 {
        RuleStatus::Attested
    } else {
        RuleStatus::NotApplicable
    };
    Summed { status, checks: number, instances: u32::try_from(instances.len()).unwrap_or(u32::MAX), counts }
}

/// The checks that name a control, worst first, as they are shown.
pub(crate) fn rows<'a>(checks: impl IntoIterator<Item = &'a JudgedCheck>) -> Vec<RuleCheck> {
    let mut rows: Vec<RuleCheck> = checks.into_iter().map(|check| check.row.clone()).collect();
    let worst = |row: &RuleCheck| row.instances.iter().map(|one| rank(one.outcome)).min().unwrap_or(u8::MAX);
    rows.sort_by(|a, b| (worst(a), b.severity, &a.title).cmp(&(worst(b), a.severity, &b.title)));
    rows
}

fn of_instance(console: &Console, open: &Open, app: &Arc<App>, instance: &Instance) -> Result<Vec<(Check, InstanceOutcome)>, Failure> {
    let not_monitored = unmonitored(&open.store, instance.id, console.now())?;
    let attested: BTreeMap<String, ManualCheck> =
        console.manual_checks(open, instance)?.into_iter().map(|row| (row.check.clone(), row)).collect();
    let open_by_check = open.store.open_by_check(instance.id)?;
    let scan = if is_manual(instance, app) { None } else { open.store.last_complete_scan(instance.id)? };
    let scanned = match &scan {
        Some(scan) => Some(Scanned { scan, tallies: open.store.check_tallies(scan.id)?, datasets: open.store.datasets(scan.id)? }),
        None => None,
    };
    let mut outcomes = Vec::new();
    for check in &app.checks {
        let failing = open_by_check.get(&check.id).copied().unwrap_or_default();
        let mut one = InstanceOutcome {
            instance: instance.id.to_string(),
            instance_name: instance.name.clone(),
            sandbox: instance.sandbox,
            outcome: CheckOutcome::NotEvaluated,
            verdicts: VerdictCounts::default(),
            open: failing,
            cause: None,
            attestation: None,
            as_of: None,
        };
        match (attested.get(&check.id), &scanned) {
            (Some(row), _) => answered(&mut one, row),
            (None, Some(scanned)) => scanned.judge(&mut one, app, check),
            (None, None) => one.cause = Some(unscanned(is_manual(instance, app))),
        }
        // What nobody wants to look at does not pass, whatever scans go on to read.
        if not_monitored.contains(&check.id) && matches!(one.outcome, CheckOutcome::Passed | CheckOutcome::NotApplicable) {
            one.outcome = CheckOutcome::NotEvaluated;
            one.cause = Some(Cause {
                kind: "not_monitored".into(),
                sentence: "Somebody decided not to monitor this check here.".into(),
                remedy: "Take the decision back to have it count again.".into(),
            });
        }
        // What is open stands, whether or not it could be looked at again.
        if failing > 0 {
            one.outcome = CheckOutcome::Failed;
        }
        outcomes.push((check.clone(), one));
    }
    Ok(outcomes)
}

fn unscanned(manual: bool) -> Cause {
    let (sentence, remedy) = if manual {
        ("Nobody signs in to this instance, so nothing of it is scanned.", "Connect it, or attest its manual checks.")
    } else {
        ("No scan of this instance has been completed.", "Scan it.")
    };
    Cause { kind: "not_scanned".into(), sentence: sentence.into(), remedy: remedy.into() }
}

/// What a person answered.
fn answered(one: &mut InstanceOutcome, row: &ManualCheck) {
    one.attestation = Some(row.state);
    one.as_of = row.current.as_ref().map(|attestation| attestation.at.clone());
    let in_force = matches!(row.state, AttestationState::Attested | AttestationState::DueSoon);
    one.outcome = match row.current.as_ref().filter(|_| in_force).map(|attestation| attestation.answer) {
        Some(AttestationAnswer::Met | AttestationAnswer::NotApplicable) => CheckOutcome::Attested,
        Some(AttestationAnswer::NotMet) => CheckOutcome::Failed,
        None => CheckOutcome::Due,
    };
}

/// The last complete scan of an instance.
struct Scanned<'a> {
    scan: &'a Scan,
    tallies: Vec<store::CheckTally>,
    datasets: Vec<DatasetState>,
}

impl Scanned<'_> {
    fn judge(&self, one: &mut InstanceOutcome, app: &App, check: &Check) {
        one.as_of = Some(self.scan.as_of.to_string());
        let Some(tally) = self.tallies.iter().find(|tally| tally.check == check.id) else {
            (one.outcome, one.cause) = self.silent(app, check);
            return;
        };
        one.verdicts = verdict_counts(&tally.counts);
        let reason = || tally.reason.clone().map(|sentence| Cause { kind: "not_applicable".into(), sentence, remedy: String::new() });
        (one.outcome, one.cause) = if tally.counts.fail + tally.counts.observed > 0 {
            (CheckOutcome::Failed, tally.cause.clone().map(Cause::from))
        } else if tally.counts.not_evaluated + tally.counts.manual > 0 {
            (CheckOutcome::NotEvaluated, tally.cause.clone().map(Cause::from))
        } else if tally.counts.pass > 0 {
            (CheckOutcome::Passed, None)
        } else {
            (CheckOutcome::NotApplicable, reason())
        };
    }

    /// A check that gave no verdict: on an empty list there is nothing that it could apply to, and one that observes is silent where
    /// there is nothing to observe. Whatever else it may be, it is not known.
    fn silent(&self, app: &App, check: &Check) -> (CheckOutcome, Option<Cause>) {
        let found = |id: &str| self.datasets.iter().find(|dataset| dataset.dataset == id);
        let complete = |id: &&str| found(id).and_then(|dataset| dataset.completeness.as_ref()).is_some_and(|state| state.is_complete());
        let inputs = app.inputs(check);
        let nothing = |sentence: &str| {
            (CheckOutcome::NotApplicable, Some(Cause { kind: "not_applicable".into(), sentence: sentence.into(), remedy: String::new() }))
        };
        if inputs.iter().all(complete) {
            if check.kind == CheckKind::Observed {
                return nothing("The last complete scan observed nothing of it.");
            }
            let base = app.view(&check.on).map_or(check.on.as_str(), |view| view.from.as_str());
            if found(base).is_some_and(|dataset| dataset.rows == 0) {
                return nothing("There is nothing that it could apply to.");
            }
        }
        let cause = Cause {
            kind: "no_verdict".into(),
            sentence: "The last complete scan gave no verdict on it: there was nothing to judge, or the check came after the scan.".into(),
            remedy: "Scan the instance again.".into(),
        };
        (CheckOutcome::NotEvaluated, Some(cause))
    }
}
