//! Onboarded instances: their rows, their pages, changing and deleting them.

use crate::{
    Console,
    activity::{act_on, differences, told_instance},
    applications::named_hosts,
    attestations::counts_of,
    catalog_document::feature,
    checked,
    console::Open,
    credential_watch::shown,
    decisions::unmonitored,
    health::{health, unknown_application},
    judge::judge,
    manual_instances::is_manual,
    probe::{checks_on, logins_to},
    same_tenant::of_the_same_tenant,
    scan::{instance_id, verdict_counts},
    schedule::{Plan, pattern_of, replace_schedule},
    score::{CheckTally, score},
    screen::{
        AttestationCounts, Cause, CheckState, DatasetState, Deleted, Failure, FeatureHealth, Health, Input, Instance, InstanceChange,
        InstancePage, SandboxScope, ScanRow, SealedField, SeverityCounts, VerdictCounts,
    },
    sink::state_of,
};
use catalog::{App, Check};
use std::{collections::BTreeMap, sync::Arc};
use store::{Act, FindingFilter, FindingSort, FindingState, InstanceId, Scan, SeverityTally, Slice, StartedBy, Store};

/// How many scans the page of an instance lists.
const SCANS: u32 = 20;

impl Console {
    /// Onboarded instances, by application and name.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn instances(&self, scope: SandboxScope) -> Result<Vec<Instance>, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            console.hear_of_others(&open)?;
            let instances = open.store.instances()?;
            let wanted = instances.into_iter().filter(|instance| scope.holds(instance.sandbox));
            let counts = open.store.open_findings(store::SandboxScope::With)?;
            let plan = Plan::read(&console, &open)?;
            wanted.map(|instance| console.instance_row(&open, &plan, &instance, counts.get(&instance.id).copied())).collect()
        })
        .await
    }

    /// One instance, whole.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn instance(&self, id: &str) -> Result<InstancePage, Failure> {
        let id = instance_id(id)?;
        let console = self.clone();
        self.with_current(move |open| {
            console.hear_of_others(&open)?;
            console.instance_page(&open, id)
        })
        .await
    }

    /// The id of the instance with this id or name.
    ///
    /// # Errors
    /// When there is none, or several of that name.
    pub async fn find_instance(&self, text: &str) -> Result<String, Failure> {
        let wanted = text.to_owned();
        self.with_open(move |open| {
            let instances = open.store.instances()?;
            let found: Vec<_> = instances.iter().filter(|instance| instance.name == wanted || instance.id.to_string() == wanted).collect();
            match found.as_slice() {
                [one] => Ok(one.id.to_string()),
                [] => Err(Failure::new("E-NOT-FOUND", format!("There is no instance {wanted}."), "See `posture instance list --sandbox`.")),
                _ => Err(Failure::new(
                    "E-AMBIGUOUS",
                    format!("Several instances are named {wanted}."),
                    "Give the id of the one that is meant; see `posture instance list`.",
                )),
            }
        })
        .await
    }

    /// Changes what is not secret; thresholds are applied to the evidence of the last complete scan at once.
    ///
    /// # Errors
    /// When a value is not right, the name is taken, or the database refuses.
    pub async fn change_instance(&self, id: &str, change: InstanceChange) -> Result<InstancePage, Failure> {
        let id = instance_id(id)?;
        let console = self.clone();
        let now = self.now();
        self.with_open(move |open| {
            let mut instance = open.store.instance(id)?;
            let told = told_instance(&instance);
            let app = console.app(&instance.app)?;
            instance.name = checked::name(&change.name)?;
            instance.label = checked::label(&change.label)?;
            instance.owner = checked::owner(&change.owner)?;
            let pattern = pattern_of(&change.schedule)?;
            if !instance.sandbox && !is_manual(&instance, &app) {
                let route = checked::route(&change.route)?;
                instance.route = serde_json::to_value(&route)
                    .map_err(|error| Failure::new("E-ROUTE", format!("The route cannot be stored: {error}."), "Report it."))?;
            }
            let params = checked::params(&app, &change.answers)?;
            let judge_again = params != instance.params;
            instance.params = params;
            open.store.update_instance(&instance, now)?;
            replace_schedule(&open, &instance, pattern.as_deref(), now)?;
            let (before, after) = differences(&told, &told_instance(&instance));
            open.store.record_act(&act_on(now, "instance changed", &instance).from_to(before, after))?;
            if judge_again && let Some(scan) = open.store.last_complete_scan(id)? {
                let program = console.program(&app)?;
                let checks = judge(&app, &program, &open.store.collected(scan.id)?, &instance.params, scan.as_of)?;
                open.store.rejudge_scan(scan.id, &checks, now)?;
            }
            console.instance_page(&open, id)
        })
        .await
    }

    /// Deletes an instance: its key first, so that nothing sealed can be opened any more, then everything read with it. While
    /// it is being scanned nothing is deleted.
    ///
    /// # Errors
    /// When the typed name is another one, the instance is being scanned, or keychain or database refuse.
    pub async fn delete_instance(&self, id: &str, typed_name: &str) -> Result<Deleted, Failure> {
        let id = instance_id(id)?;
        let typed = typed_name.to_owned();
        let now = self.now();
        self.with_open(move |open| {
            let instance = open.store.instance(id)?;
            if typed != instance.name {
                return Err(Failure::new(
                    "E-NAME-DIFFERS",
                    "The typed name is not the instance's name; nothing was deleted.",
                    "Type the name as it is shown.",
                )
                .on_field("typed_name"));
            }
            let deleted = open.store.delete_instance_after(id, || Ok::<_, Failure>(open.vault.delete(&id.to_string())?))?;
            let what = if instance.sandbox { "sandbox instance deleted" } else { "instance deleted" };
            note(&open.store, &act_on(now, what, &instance));
            let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            Ok(Deleted {
                scans: count(deleted.scans),
                rows: count(deleted.rows),
                findings: count(deleted.findings),
                evidence: count(deleted.evidence),
                attestations: count(deleted.attestations),
            })
        })
        .await
    }

    pub(crate) fn instance_row(
        &self,
        open: &Open,
        plan: &Plan,
        instance: &store::Instance,
        counts: Option<SeverityTally>,
    ) -> Result<Instance, Failure> {
        // A user's folder may be missing, or be wrong: the instance is shown with the reason, and the others beside it.
        let app = self.app(&instance.app);
        let latest = open.store.scans(instance.id, 1)?.into_iter().next();
        let complete = open.store.last_complete_scan(instance.id)?;
        let scanning = self.inner.jobs.share(&instance.id.to_string());
        let scannable = app.as_ref().is_ok_and(|app| !is_manual(instance, app));
        let next_scan = if scannable { plan.next(&open.store, instance)? } else { None };
        let (health, cause) = match &app {
            Ok(app) if is_manual(instance, app) => (Health::Manual, None),
            Ok(app) => {
                let (health, cause) = health(&open.store, app, latest.as_ref(), complete.as_ref())?;
                (health, cause.map(Cause::from))
            }
            Err(unknown) => (Health::Down, Some(unknown_application(unknown))),
        };
        let checks = app.as_ref().map_or(&[][..], |app| app.checks.as_slice());
        let not_monitored = unmonitored(&open.store, instance.id, self.now())?;
        Ok(Instance {
            id: instance.id.to_string(),
            app: instance.app.clone(),
            app_name: app.as_ref().map_or_else(|_| instance.app.clone(), |app| app.name.clone()),
            name: instance.name.clone(),
            label: instance.label.clone(),
            owner: instance.owner.clone(),
            sandbox: instance.sandbox,
            health: if scanning.is_some() { Health::Scanning } else { health },
            cause,
            score: match &complete {
                Some(scan) => score(tallies(&open.store, checks, instance.id, scan, &not_monitored)?),
                None => None,
            },
            not_monitored: u32::try_from(not_monitored.len()).unwrap_or(u32::MAX),
            open: severity_counts(&counts.unwrap_or_default()),
            last_scan: complete.and_then(|scan| scan.finished_at).map(|at| at.to_string()),
            schedule: plan.choice(instance.id),
            next_scan: next_scan.map(|at| at.to_string()),
            scanning,
            resumable: open.store.resumable_scan(instance.id)?.is_some(),
            credential: open.store.credential(instance.id)?.and_then(|known| known.end).map(|end| shown(end, self.now())),
            attestations: match &app {
                Ok(app) => counts_of(&open.store, app, instance, self.now())?,
                Err(_) => AttestationCounts::default(),
            },
        })
    }

    fn instance_page(&self, open: &Open, id: InstanceId) -> Result<InstancePage, Failure> {
        let instance = open.store.instance(id)?;
        let app = self.app(&instance.app)?;
        let counts = open.store.open_findings(store::SandboxScope::With)?;
        let row = self.instance_row(open, &Plan::read(self, open)?, &instance, counts.get(&id).copied())?;
        let names =
            open.store.instances()?.into_iter().filter(|other| other.app == app.slug && !other.sandbox).map(|other| other.name).collect();
        let complete = open.store.last_complete_scan(id)?;
        let (datasets, checks) = match &complete {
            Some(scan) => (datasets_of(&open.store, &app, scan)?, checks(&open.store, &app, scan)?),
            None => (Vec::new(), Vec::new()),
        };
        let hosts = match app.login(&instance.login) {
            Some(login) => login
                .resolve(&instance.inputs)
                .map(|hosts| hosts.allowed.into_iter().chain(named_hosts(login)).collect())
                // Inputs that no longer fit the catalog resolve to no host: none may receive the credential.
                .unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(InstancePage {
            same_tenant_as: of_the_same_tenant(&open.store, &instance, &app)?,
            features: features(&app, &row, &checks),
            application: self.application_page(&app, names)?,
            instance: row,
            login: instance.login.clone(),
            inputs: instance.inputs.iter().map(|(field, value)| Input { field: field.clone(), value: value.clone() }).collect(),
            secrets: open
                .vault
                .sealed_fields(&id.to_string())?
                .into_iter()
                .map(|sealed| SealedField { field: sealed.field, set_at: sealed.set_at.to_string() })
                .collect(),
            hosts,
            route: checked::route_choice(&instance.route),
            datasets,
            checks,
            scans: open.store.scans(id, SCANS)?.iter().map(scan_row).collect(),
            answers: checked::answers(&app, &instance.params),
        })
    }
}

/// Records what was done and can not be undone: that the record fails is no failure of the deed.
pub(crate) fn note(store: &Store, act: &Act) {
    if let Err(error) = store.record_act(act) {
        tracing::warn!(code = error.code(), what = act.what, "what was done could not be recorded");
    }
}

/// What each check counts for in the score: every check of the catalog, every lock, and every check that has findings that are open or
/// dismissed: that a risk is accepted makes nothing safe. A check that gave no verdict in the last scan still counts by its findings.
/// One that is not monitored is outside.
pub(crate) fn tallies(
    store: &Store,
    of: &[Check],
    instance: InstanceId,
    scan: &Scan,
    not_monitored: &[String],
) -> Result<Vec<CheckTally>, Failure> {
    let filter = FindingFilter {
        instances: vec![instance],
        states: vec![FindingState::Open, FindingState::Dismissed],
        sandbox: store::SandboxScope::With,
        ..FindingFilter::default()
    };
    // Those that were not re-checked count as failed still. What a person attested stands beside the score.
    let scanned = store.findings(&filter, FindingSort::Severity, true, Slice::ALL)?.rows.into_iter().filter(|finding| !finding.attested);
    tally_checks(store, of, scan, scanned.map(|finding| (finding.check, finding.severity, 1)), not_monitored)
}

/// The same of any scan, with the findings that were open or dismissed then: check, severity and how many.
pub(crate) fn tally_checks(
    store: &Store,
    of: &[Check],
    scan: &Scan,
    open: impl IntoIterator<Item = (String, catalog::Severity, u32)>,
    not_monitored: &[String],
) -> Result<Vec<CheckTally>, Failure> {
    let none = |severity| CheckTally { severity, passed: 0, open: 0, unread: false };
    let mut tallies: BTreeMap<String, CheckTally> =
        of.iter().map(|check| (check.id.clone(), none(crate::browse::severity(check.severity)))).collect();
    for judged in store.check_tallies(scan.id)? {
        let locked = store::locked_check(&judged.check).and_then(|locked| of.iter().find(|check| check.id == locked));
        if let Some(locked) = locked {
            tallies.insert(judged.check.clone(), none(crate::browse::severity(locked.severity)));
        }
        if let Some(tally) = tallies.get_mut(&judged.check) {
            // That something is still as it was locked is no good by itself: a lock can lower the score and never raise it.
            tally.passed = if locked.is_some() { 0 } else { judged.counts.pass };
            tally.unread = judged.counts.not_evaluated > 0;
        }
    }
    for (check, severity, number) in open {
        tallies.entry(check).or_insert_with(|| none(crate::browse::severity(severity))).open += number;
    }
    Ok(tallies.into_iter().filter(|(check, _)| !not_monitored.contains(check)).map(|(_, tally)| tally).collect())
}

/// Each dataset of a scan, as screens show it.
pub(crate) fn datasets_of(store: &Store, app: &App, scan: &Scan) -> Result<Vec<DatasetState>, Failure> {
    let stored = store.datasets(scan.id)?;
    Ok(app
        .datasets
        .iter()
        .filter_map(|dataset| {
            let of_scan = stored.iter().find(|stored| stored.dataset == dataset.id)?;
            let (state, cause) = of_scan.completeness.as_ref().map_or(("partial", None), state_of);
            Some(DatasetState {
                id: dataset.id.clone(),
                title: dataset.title.clone(),
                state: state.to_owned(),
                cause,
                rows: u32::try_from(of_scan.rows).unwrap_or(u32::MAX),
                needs: dataset.needs.any_of.clone(),
                checks: checks_on(app, &dataset.id),
                logins: logins_to(app, dataset),
            })
        })
        .collect())
}

fn checks(store: &Store, app: &Arc<App>, scan: &Scan) -> Result<Vec<CheckState>, Failure> {
    let tallies = store.check_tallies(scan.id)?;
    Ok(app
        .checks
        .iter()
        .filter_map(|check| {
            let tally = tallies.iter().find(|tally| tally.check == check.id)?;
            let counts = verdict_counts(&tally.counts);
            let reason = tally.reason.clone().map(|sentence| Cause { kind: "not_applicable".into(), sentence, remedy: String::new() });
            Some(CheckState {
                id: check.id.clone(),
                title: check.title.clone(),
                severity: crate::browse::severity(check.severity),
                feature: feature(check.feature).to_owned(),
                verdict: worst(&counts).to_owned(),
                counts,
                cause: tally.cause.clone().map(Cause::from).or(reason),
            })
        })
        .collect())
}

/// The worst verdict among a check's rows.
fn worst(counts: &VerdictCounts) -> &'static str {
    let order = [
        (counts.fail, "fail"),
        (counts.not_evaluated, "not_evaluated"),
        (counts.manual, "manual"),
        (counts.observed, "observed"),
        (counts.pass, "pass"),
    ];
    order.into_iter().find(|(count, _)| *count > 0).map_or("not_applicable", |(_, word)| word)
}

fn features(app: &App, row: &Instance, checks: &[CheckState]) -> Vec<FeatureHealth> {
    app.features
        .iter()
        .map(|kind| {
            let kind = feature(*kind);
            let mut counts = VerdictCounts::default();
            for check in checks.iter().filter(|check| check.feature == kind) {
                counts.pass += check.counts.pass;
                counts.fail += check.counts.fail;
                counts.not_applicable += check.counts.not_applicable;
                counts.not_evaluated += check.counts.not_evaluated;
                counts.manual += check.counts.manual;
                counts.observed += check.counts.observed;
            }
            let unread: Vec<&CheckState> = checks.iter().filter(|check| check.feature == kind && check.counts.not_evaluated > 0).collect();
            let by_choice = |check: &&CheckState| check.cause.as_ref().is_some_and(|cause| cause.kind == "input_missing");
            let waiting = unread.iter().copied().filter(|check| by_choice(check)).count();
            let fault = unread.iter().copied().find(|check| !by_choice(check));
            let refused = row.cause.as_ref().is_some_and(|cause| cause.kind == "credential_refused");
            let (state, detail) = match row.health {
                Health::Scanning => ("scanning", String::new()),
                Health::Unknown => ("unknown", String::new()),
                Health::Manual => ("manual", String::new()),
                Health::Down if refused => ("auth_required", row.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default()),
                Health::Down => ("unhealthy", row.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default()),
                Health::Up | Health::Unhealthy => match (fault, waiting) {
                    (Some(check), _) => ("unhealthy", check.cause.as_ref().map(|cause| cause.sentence.clone()).unwrap_or_default()),
                    (None, 0) => ("ok", String::new()),
                    (None, 1) => ("ok", "One check waits for a value that only you know.".to_owned()),
                    (None, _) => ("ok", format!("{waiting} checks wait for values that only you know.")),
                },
            };
            FeatureHealth { feature: kind.to_owned(), state: state.to_owned(), detail, counts }
        })
        .collect()
}

fn scan_row(scan: &Scan) -> ScanRow {
    ScanRow {
        id: scan.id.to_string(),
        state: scan.state.as_str().to_owned(),
        started_at: scan.started_at.to_string(),
        finished_at: scan.finished_at.map(|at| at.to_string()),
        failure: scan.cause.clone().map(Cause::from),
        requests: scan.requests,
        scheduled: scan.started_by == StartedBy::Schedule,
    }
}

pub(crate) fn severity_counts(tally: &SeverityTally) -> SeverityCounts {
    SeverityCounts { critical: tally.critical, high: tally.high, medium: tally.medium, low: tally.low, info: tally.info }
}
