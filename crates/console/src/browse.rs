//! Looking at what is stored: dashboard, findings, requests, acts. None of it needs the network.

use crate::{
    Console,
    attestations::{Question, question_of, shown},
    catalog_document::feature,
    changes,
    console::Open,
    decisions::{OfCheck, held_by, params_of, unmonitored},
    instances::{severity_counts, tallies},
    scan::instance_id,
    schedule::Plan,
    score::score,
    screen::{
        AttestationCounts, Cause, Evidence, EvidenceField, Failure, Finding, FindingFilter, FindingList, FindingPage, FindingQuery,
        FindingSort, FindingState, FrameworkReference, HistoryEvent, Overview, Request, RequestList, SandboxScope, Severity, Since, Slice,
        TrendDay,
    },
    start::LAST_VISIT,
};
use catalog::{App, Feature, Verdict};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;
use store::{EventKind, RequestClass, RequestOutcome, StoredRow};

/// Days of the trend.
const TREND_DAYS: i64 = 30;
/// The longest page of a list.
const LIMIT: u32 = 500;
/// The longest text that is looked for, in characters.
const LONGEST_TEXT: usize = 500;
/// The longest value of an evidence field that is shown; the whole is in exports of evidence.
const VALUE: usize = 2_000;

impl Console {
    /// The dashboard. Without sandboxes, unless they are asked for or there is nothing else.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn overview(&self, scope: SandboxScope) -> Result<Overview, Failure> {
        let console = self.clone();
        let now = self.now();
        self.with_current(move |open| console.overview_now(&open, scope, now)).await
    }

    fn overview_now(&self, open: &Open, scope: SandboxScope, now: Timestamp) -> Result<Overview, Failure> {
        let all = open.store.instances()?;
        let only_sandboxes = !all.is_empty() && all.iter().all(|instance| instance.sandbox);
        let sandbox = matches!(scope, SandboxScope::Only) || (matches!(scope, SandboxScope::Without) && only_sandboxes);
        let scope = if sandbox { store::SandboxScope::Only } else { scope_of(scope) };
        let counts = open.store.open_findings(scope)?;
        let plan = Plan::read(self, open)?;
        let mut instances = Vec::new();
        let mut checks = Vec::new();
        let mut attestations = AttestationCounts::default();
        let mut not_monitored = 0;
        for instance in all.iter().filter(|instance| included(instance.sandbox, scope)) {
            let row = self.instance_row(open, &plan, instance, counts.get(&instance.id).copied())?;
            attestations = attestations.plus(row.attestations);
            not_monitored += row.not_monitored;
            instances.push(row);
            if let Some(scan) = open.store.last_complete_scan(instance.id)? {
                // Of an application that the catalog lacks, what is open still counts.
                let app = self.app(&instance.app).ok();
                let known = app.as_ref().map_or(&[][..], |app| app.checks.as_slice());
                checks.extend(tallies(&open.store, known, instance.id, &scan, &unmonitored(&open.store, instance.id, now)?)?);
            }
        }
        // What has no score yet comes last: nothing is known that could be bad.
        instances.sort_by_key(|instance| (instance.score.map_or(u32::MAX, |score| score.value), instance.name.clone()));
        let mut open_counts = store::SeverityTally::default();
        for tally in counts.values() {
            open_counts.critical += tally.critical;
            open_counts.high += tally.high;
            open_counts.medium += tally.medium;
            open_counts.low += tally.low;
            open_counts.info += tally.info;
        }
        let last_visit = last_visit(open)?;
        let after = last_visit.unwrap_or(Timestamp::MIN);
        let looked_at: Vec<&store::Instance> = all.iter().filter(|instance| included(instance.sandbox, scope)).collect();
        let since = changes::since(&open.store, &looked_at, after, now)?;
        let zone = self.inner.options.zone.clone();
        let today = now.to_zoned(zone.clone()).date();
        let first = today.checked_sub((TREND_DAYS - 1).days()).unwrap_or(today);
        let trend = open.store.trend(first, today, &zone, scope)?;
        Ok(Overview {
            sandbox,
            score: score(checks),
            open: severity_counts(&open_counts),
            new: severity_counts(&open.store.opened_since(after, scope)?),
            not_rechecked: not_rechecked(&open.store, scope)?,
            dismissed: dismissed(&open.store, scope)?,
            not_monitored,
            trend: trend
                .into_iter()
                .map(|day| TrendDay {
                    day: day.day.to_string(),
                    open: day.open.map(|open| open.total()),
                    critical_high: day.open.map(|open| open.critical + open.high),
                })
                .collect(),
            since: Since {
                newly_failing: since.newly_failing.total(),
                fixed: since.fixed.total(),
                gone: since.gone.total(),
                not_rechecked: since.not_rechecked.total(),
            },
            instances,
            last_visit: last_visit.map(|at| at.to_string()),
            attestations,
        })
    }

    /// A page of findings.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn findings(&self, query: FindingQuery) -> Result<FindingList, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            let last_visit = last_visit(&open)?;
            let filter = console.filter_of(&open, &query.filter)?;
            let slice = slice(query.slice);
            let found = open.store.findings(&filter, sort_of(query.sort), query.descending, slice)?;
            let all_open = store::FindingFilter {
                states: vec![store::FindingState::Open],
                sandbox: filter.sandbox,
                ..store::FindingFilter::default()
            };
            let all_open = open.store.findings(&all_open, store::FindingSort::Severity, true, store::Slice { offset: 0, limit: 0 })?;
            Ok(FindingList {
                total: counted(found.total),
                open: counted(all_open.total),
                dismissed: dismissed(&open.store, filter.sandbox)?,
                counts: severity_counts(&found.counts),
                rows: found.rows.into_iter().map(|finding| console.finding_row(finding, last_visit)).collect(),
            })
        })
        .await
    }

    /// A finding and everything behind it.
    ///
    /// # Errors
    /// When there is no such finding or the database cannot be read.
    pub async fn finding(&self, id: &str) -> Result<FindingPage, Failure> {
        let id = id.parse().map_err(|_| {
            Failure::new("E-NOT-FOUND", "There is no such finding.", "It may have been deleted meanwhile: reload the list.")
        })?;
        let console = self.clone();
        self.with_current(move |open| {
            let detail = open.store.finding(id)?;
            let app = console.app(&detail.finding.app)?;
            let instance = open.store.instance(detail.finding.instance)?;
            let last_visit = last_visit(&open)?;
            let question = question_of(&open.store, &app, &instance, &detail.finding.check)?;
            let of_check = OfCheck::of(&open.store, &detail.finding, console.now())?;
            console.finding_page(&open.store, &app, &instance, question, of_check, detail, last_visit)
        })
        .await
    }

    #[allow(clippy::too_many_arguments)]
    fn finding_page(
        &self,
        store: &store::Store,
        app: &App,
        instance: &store::Instance,
        question: Option<Question>,
        of_check: OfCheck,
        detail: store::FindingDetail,
        last_visit: Option<Timestamp>,
    ) -> Result<FindingPage, Failure> {
        // A check that a later catalog no longer has leaves its findings readable, without its texts.
        let of_lock = store::locked_check(&detail.finding.check);
        let check = app.check(of_lock.unwrap_or(&detail.finding.check));
        let decided = |decision: Option<store::Decision>| decision.map(|decision| self.decision_screen(store, &decision)).transpose();
        // What a person attests is decided by attesting, and a lock by unlocking.
        let scanned = check.is_some_and(|check| check.kind != catalog::CheckKind::Manual) && of_lock.is_none();
        let attestation = detail.attestation.as_ref().map(|last| shown(last, Some(last), question.as_ref(), self.now()));
        let question = question.unwrap_or_default();
        let (verdict, cause) = verdict_words(&detail.verdict);
        let unread = detail.finding.not_rechecked.as_ref().map(|not| Cause::from(not.cause.clone()));
        Ok(FindingPage {
            decision: decided(of_check.held)?,
            overridden: decided(of_check.overridden)?,
            locked: decided(of_check.locked)?,
            params: if scanned { params_of(app, &detail.finding.check, instance) } else { Vec::new() },
            lockable: scanned && check.is_some_and(|check| check.kind == catalog::CheckKind::Check),
            row: detail.finding.row.0.clone(),
            scanned,
            practice: question.title,
            verdict: verdict.to_owned(),
            cause: unread.or(cause),
            current: detail.finding.current.clone(),
            recommended: detail.finding.recommended.clone(),
            why: question.why,
            steps: question.steps,
            link: question.link,
            evidence: evidence(app, &detail),
            history: detail.history.iter().map(history).collect(),
            // That something is as it was locked says nothing of a control.
            frameworks: check
                .filter(|_| of_lock.is_none())
                .map(|check| {
                    check
                        .frameworks
                        .iter()
                        .map(|(framework, references)| FrameworkReference {
                            id: framework.clone(),
                            framework: framework_name(framework),
                            references: references.clone(),
                        })
                        .collect()
                })
                .unwrap_or_default(),
            sscf: check.filter(|_| of_lock.is_none()).map(|check| check.sscf.clone()).unwrap_or_default(),
            source: question.source,
            finding: self.finding_row(detail.finding, last_visit),
            attestation,
        })
    }

    pub(crate) fn finding_row(&self, finding: store::Finding, last_visit: Option<Timestamp>) -> Finding {
        let over = finding.held_by.and_then(|by| by.until).is_some_and(|until| until.at <= self.now());
        Finding {
            id: finding.id.to_string(),
            instance: finding.instance.to_string(),
            instance_name: finding.instance_name,
            app_name: self.app(&finding.app).map(|app| app.name.clone()).unwrap_or_else(|_| finding.app.clone()),
            app: finding.app,
            sandbox: finding.sandbox,
            check: finding.check,
            title: finding.title,
            resource: finding.label,
            severity: severity(finding.severity),
            feature: feature(finding.feature).to_owned(),
            state: match finding.state {
                store::FindingState::Open => FindingState::Open,
                store::FindingState::Fixed => FindingState::Fixed,
                store::FindingState::Gone => FindingState::Gone,
                // Its time may be over though that could not be written.
                store::FindingState::Dismissed if over => FindingState::Open,
                store::FindingState::Dismissed => FindingState::Dismissed,
            },
            held_by: finding.held_by.as_ref().filter(|_| !over).map(held_by),
            first_seen: finding.first_seen.to_string(),
            last_seen: finding.last_seen.to_string(),
            ended_at: finding.ended_at.map(|at| at.to_string()),
            not_rechecked_since: finding.not_rechecked.map(|not| not.since.to_string()),
            new: last_visit.is_some_and(|visit| finding.first_seen > visit),
            attested: finding.attested,
        }
    }

    /// Requests, newest first.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn requests(&self, instance: Option<String>, part: Slice) -> Result<RequestList, Failure> {
        let instance = instance.as_deref().map(instance_id).transpose()?;
        self.with_open(move |open| {
            let (total, rows) = open.store.requests(instance, slice(part))?;
            Ok(RequestList { total: counted(total), rows: rows.iter().map(request).collect() })
        })
        .await
    }

    /// Whether a host is that of an onboarded instance's own console: a company calls it what it likes.
    async fn is_of_instance(&self, host: String) -> Result<bool, Failure> {
        let console = self.clone();
        self.with_open(move |open| {
            let instances = open.store.instances()?;
            Ok(instances.iter().any(|instance| console.app(&instance.app).is_ok_and(|app| is_host_of(&app, &instance.inputs, &host))))
        })
        .await
    }

    /// The address, if it is https and on a host that the catalog or a guide of the window links to, or of an onboarded instance, or on one of Microsoft's
    /// where a person signs in, or on that of a console which the administrator gave to an instance nobody signs in to; or if it
    /// is the very page that a sign-in under way waits at, which lies on a host of the login option.
    ///
    /// # Errors
    /// When it is anywhere else: vendor text never leads the browser.
    pub async fn linkable(&self, address: &str) -> Result<url::Url, Failure> {
        let refused = || {
            Failure::new(
                "E-LINK-REFUSED",
                "This address is not on a host of the application, so it was not opened.",
                "Open the vendor's console by hand.",
            )
        };
        let url = url::Url::parse(address).map_err(|_| refused())?;
        if !plain_https(&url) {
            return Err(refused());
        }
        let host = url.host_str().ok_or_else(refused)?;
        if MICROSOFT.contains(&host) || self.inner.jobs.waits_at(&url) {
            return Ok(url);
        }
        for tile in self.catalog()?.tiles() {
            let app = self.app(&tile.slug)?;
            let home = url::Url::parse(&app.home).ok().and_then(|home| home.host_str().map(str::to_owned));
            if home.as_deref() == Some(host) || app.link_hosts.iter().any(|template| fits(template, host)) {
                return Ok(url);
            }
        }
        if self.opened().is_none() {
            return Err(refused());
        }
        if self.is_of_manual_instance(&url).await? || self.is_of_instance(host.to_owned()).await? { Ok(url) } else { Err(refused()) }
    }
}

/// Where the guide to a client application in Microsoft Entra ID leads, and where a person signs in in the browser or types a
/// device code. <https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud>,
/// <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code>
const MICROSOFT: [&str; 6] = [
    "learn.microsoft.com",
    "login.microsoft.com",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "microsoft.com",
    "www.microsoft.com",
];

/// Whether a host is the template's: placeholders stand for exactly one label.
fn fits(template: &str, host: &str) -> bool {
    let (mut wanted, mut labels) = (template.split('.'), host.split('.'));
    loop {
        match (wanted.next(), labels.next()) {
            (None, None) => return true,
            (Some(wanted), Some(label)) if wanted == label || (wanted.starts_with('{') && wanted.ends_with('}') && !label.is_empty()) => {}
            _ => return false,
        }
    }
}

/// A page of the vendor's console: the template's placeholders filled with the instance's inputs. Inputs are validated when an
/// instance is added; where the page would all the same not lie on one of the application's own hosts, or a placeholder is left,
/// there is no link.
pub(crate) fn console_link(app: &App, template: &str, inputs: &BTreeMap<String, String>) -> String {
    let filled = filled(template, inputs).and_then(|text| url::Url::parse(&text).ok());
    match filled.filter(|url| plain_https(url) && url.host_str().is_some_and(|host| is_host_of(app, inputs, host))) {
        Some(url) => url.to_string(),
        None => String::new(),
    }
}

fn filled(template: &str, inputs: &BTreeMap<String, String>) -> Option<String> {
    let filled = inputs.iter().fold(template.to_owned(), |text, (field, value)| text.replace(&format!("{{{field}}}"), value));
    (!filled.contains('{')).then_some(filled)
}

/// Whether nothing but the host says where it leads.
fn plain_https(url: &url::Url) -> bool {
    url.scheme() == "https" && url.username().is_empty() && url.password().is_none() && url.port().is_none()
}

/// Whether a host is the application's home or one that its pages lie on, for an instance with these inputs.
fn is_host_of(app: &App, inputs: &BTreeMap<String, String>, host: &str) -> bool {
    let home = url::Url::parse(&app.home).ok();
    if home.as_ref().and_then(url::Url::host_str) == Some(host) {
        return true;
    }
    // What is no whole host by itself fills no place of one.
    let whole = |text: &str| url::Host::parse(text).is_ok_and(|parsed| parsed.to_string() == text.to_ascii_lowercase());
    app.link_hosts.iter().filter_map(|template| filled(template, inputs)).any(|known| whole(&known) && known.eq_ignore_ascii_case(host))
}

/// A row with everything that was kept of it.
pub(crate) fn evidence_of_row(app: &App, stored: &StoredRow) -> Evidence {
    let fields = stored.row.fields.as_object().map(|fields| {
        fields.iter().map(|(name, value)| EvidenceField { path: name.clone(), value: shown_value(value) }).collect::<Vec<_>>()
    });
    of_row(app, stored, fields.unwrap_or_default())
}

fn of_row(app: &App, stored: &StoredRow, fields: Vec<EvidenceField>) -> Evidence {
    Evidence {
        title: app.dataset(&stored.dataset).map_or_else(|| stored.dataset.clone(), |dataset| dataset.title.clone()),
        dataset: stored.dataset.clone(),
        label: stored.row.label.clone(),
        fields,
        hash: stored.hash.to_string(),
        collected_at: stored.collected_at.to_string(),
        request: stored.request.as_ref().map(request),
    }
}

fn evidence(app: &App, detail: &store::FindingDetail) -> Vec<Evidence> {
    let read: Vec<EvidenceField> =
        detail.read.iter().map(|(path, value)| EvidenceField { path: path.clone(), value: shown_value(value) }).collect();
    match detail.evidence.as_slice() {
        // A verdict over one row: the fields that were read are that row's.
        [one] => vec![of_row(app, one, read)],
        // A verdict over several: the computed fields first, then each row with what was kept of it.
        rows => {
            let mut list = Vec::new();
            if !read.is_empty() {
                list.push(Evidence {
                    dataset: String::new(),
                    title: "Computed from the rows below".into(),
                    label: String::new(),
                    fields: read,
                    hash: String::new(),
                    collected_at: detail.finding.last_seen.to_string(),
                    request: None,
                });
            }
            list.extend(rows.iter().map(|row| evidence_of_row(app, row)));
            list
        }
    }
}

pub(crate) fn shown_value(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= VALUE { text } else { text.chars().take(VALUE).chain(['…']).collect() }
}

fn history(event: &store::FindingEvent) -> HistoryEvent {
    let (kind, words) = match event.kind {
        EventKind::Opened => ("opened", "Opened"),
        EventKind::StillOpen => ("still_open", "Still failing"),
        EventKind::Reopened => ("reopened", "Opened again"),
        EventKind::Fixed => ("fixed", "Fixed"),
        EventKind::Gone => ("gone", "Gone"),
        EventKind::NotRechecked => ("not_rechecked", "Not re-checked"),
        EventKind::Dismissed => ("dismissed", "Dismissed"),
        EventKind::Returned => ("returned", "Open again"),
    };
    let mut sentence = words.to_owned();
    if event.times > 1 {
        sentence.push_str(&format!(", {} scans", event.times));
    }
    if !event.detail.is_empty() {
        sentence.push_str(&format!(": {}", event.detail));
    }
    HistoryEvent { at: event.until.to_string(), kind: kind.to_owned(), sentence }
}

fn request(request: &store::Request) -> Request {
    #[allow(clippy::cast_precision_loss)]
    let bytes = request.bytes as f64;
    Request {
        at: request.at.to_string(),
        instance: request.instance.to_string(),
        class: match request.class {
            RequestClass::Dataset => "dataset",
            RequestClass::Continuation => "continuation",
            RequestClass::SignInHop => "sign_in_hop",
        }
        .to_owned(),
        host: request.host.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        status: request.status.map(u32::from),
        bytes,
        milliseconds: u32::try_from(request.milliseconds).unwrap_or(u32::MAX),
        outcome: match request.outcome {
            RequestOutcome::Answered => "answered",
            RequestOutcome::Refused => "refused",
            RequestOutcome::Failed => "failed",
            RequestOutcome::Cancelled => "cancelled",
        }
        .to_owned(),
    }
}

pub(crate) fn verdict_words(verdict: &Verdict) -> (&'static str, Option<Cause>) {
    match verdict {
        Verdict::Pass => ("pass", None),
        Verdict::Fail => ("fail", None),
        Verdict::NotApplicable { reason } => {
            ("not_applicable", Some(Cause { kind: "not_applicable".into(), sentence: reason.clone(), remedy: String::new() }))
        }
        Verdict::NotEvaluated { cause } => ("not_evaluated", Some(cause.clone().into())),
        Verdict::Manual => ("manual", None),
        Verdict::Observed => ("observed", None),
    }
}

pub(crate) fn framework_name(framework: &str) -> String {
    catalog::framework(framework).map_or_else(|| framework.to_owned(), |known| known.name.clone())
}

pub(crate) fn severity(severity: catalog::Severity) -> Severity {
    match severity {
        catalog::Severity::Info => Severity::Info,
        catalog::Severity::Low => Severity::Low,
        catalog::Severity::Medium => Severity::Medium,
        catalog::Severity::High => Severity::High,
        catalog::Severity::Critical => Severity::Critical,
    }
}

/// The catalog's word for a severity.
pub(crate) fn of_screen(severity: Severity) -> catalog::Severity {
    match severity {
        Severity::Info => catalog::Severity::Info,
        Severity::Low => catalog::Severity::Low,
        Severity::Medium => catalog::Severity::Medium,
        Severity::High => catalog::Severity::High,
        Severity::Critical => catalog::Severity::Critical,
    }
}

impl Console {
    /// A filter in the words of the database: controls become the checks that name them.
    pub(crate) fn filter_of(&self, open: &Open, filter: &FindingFilter) -> Result<store::FindingFilter, Failure> {
        let mut stored = filter_in_words(filter, self.now())?;
        if !filter.frameworks.is_empty() {
            let named = self.checks_of_controls(open, &filter.frameworks)?;
            stored.checks = match filter.checks.as_slice() {
                [] => named,
                wanted => named.into_iter().filter(|check| wanted.contains(check)).collect(),
            };
            if stored.checks.is_empty() {
                // An empty list would not filter: no check has an empty id.
                stored.checks.push(String::new());
            }
        }
        Ok(stored)
    }

    /// Checks of the onboarded applications that name one of the controls.
    fn checks_of_controls(&self, open: &Open, controls: &[String]) -> Result<Vec<String>, Failure> {
        let apps: std::collections::BTreeSet<String> = open.store.instances()?.into_iter().map(|instance| instance.app).collect();
        let mut named = Vec::new();
        // An application that the catalog no longer has names nothing.
        for app in apps.iter().filter_map(|slug| self.app(slug).ok()) {
            named.extend(
                app.checks.iter().filter(|check| controls.iter().any(|control| names(check, control))).map(|check| check.id.clone()),
            );
        }
        Ok(named)
    }
}

/// Whether a check names a control: `nist_800_53/IA-2`, or `nist_800_53` for any of that framework.
pub(crate) fn names(check: &catalog::Check, control: &str) -> bool {
    let (framework, reference) = control.split_once('/').map_or((control, None), |(framework, reference)| (framework, Some(reference)));
    let references = if framework == "sscf" { Some(&check.sscf) } else { check.frameworks.get(framework) };
    references.is_some_and(|all| reference.map_or(!all.is_empty(), |one| all.iter().any(|named| named == one)))
}

/// So many days before now.
fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.saturating_sub(jiff::Span::new().hours(i64::from(days.min(36_500)) * 24)).unwrap_or(Timestamp::MIN)
}

fn filter_in_words(filter: &FindingFilter, now: Timestamp) -> Result<store::FindingFilter, Failure> {
    if filter.text.chars().count() > LONGEST_TEXT {
        return Err(Failure::new(
            "E-FILTER",
            "The text that is looked for is too long.",
            format!("Look for at most {LONGEST_TEXT} characters."),
        ));
    }
    let state = |state: &FindingState| match state {
        FindingState::Open => store::FindingState::Open,
        FindingState::Fixed => store::FindingState::Fixed,
        FindingState::Gone => store::FindingState::Gone,
        FindingState::Dismissed => store::FindingState::Dismissed,
    };
    let features: Result<Vec<Feature>, Failure> = filter
        .features
        .iter()
        .map(|name| {
            [Feature::Config, Feature::RiskyAccounts, Feature::ThirdPartyPlugins, Feature::Identity]
                .into_iter()
                .find(|known| feature(*known) == name)
                .ok_or_else(|| {
                    Failure::new(
                        "E-FILTER",
                        format!("There is no kind of scan {name}."),
                        "Use config, risky_accounts, third_party_plugins or identity.",
                    )
                })
        })
        .collect();
    Ok(store::FindingFilter {
        instances: filter.instances.iter().map(|id| instance_id(id)).collect::<Result<_, _>>()?,
        apps: filter.apps.clone(),
        severities: filter.severities.iter().copied().map(of_screen).collect(),
        states: filter.states.iter().map(state).collect(),
        checks: filter.checks.clone(),
        features: features?,
        text: filter.text.clone(),
        sandbox: scope_of(filter.sandbox),
        not_rechecked: filter.not_rechecked,
        owners: filter.owners.clone(),
        found_from: filter.found_within_days.map(|days| days_before(now, days)),
        found_before: filter.older_than_days.map(|days| days_before(now, days)),
        at: None,
    })
}

pub(crate) fn sort_of(sort: FindingSort) -> store::FindingSort {
    match sort {
        FindingSort::Severity => store::FindingSort::Severity,
        FindingSort::Title => store::FindingSort::Title,
        FindingSort::Resource => store::FindingSort::Label,
        FindingSort::Instance => store::FindingSort::Instance,
        FindingSort::FirstSeen => store::FindingSort::FirstSeen,
        FindingSort::LastSeen => store::FindingSort::LastSeen,
    }
}

pub(crate) fn scope_of(scope: SandboxScope) -> store::SandboxScope {
    match scope {
        SandboxScope::Without => store::SandboxScope::Without,
        SandboxScope::Only => store::SandboxScope::Only,
        SandboxScope::With => store::SandboxScope::With,
    }
}

pub(crate) fn included(sandbox: bool, scope: store::SandboxScope) -> bool {
    match scope {
        store::SandboxScope::Without => !sandbox,
        store::SandboxScope::Only => sandbox,
        store::SandboxScope::With => true,
    }
}

/// A part of a list, at most 500 rows of it.
pub(crate) fn of_slice(part: Slice) -> store::Slice {
    slice(part)
}

fn slice(slice: Slice) -> store::Slice {
    store::Slice { offset: u64::from(slice.offset), limit: u64::from(slice.limit.min(LIMIT)) }
}

pub(crate) fn counted(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(crate) fn last_visit(open: &Open) -> Result<Option<Timestamp>, Failure> {
    Ok(open.store.preference(LAST_VISIT)?.and_then(|value| value.as_str().and_then(|text| text.parse().ok())))
}

/// Findings that a decision holds back.
fn dismissed(store: &store::Store, scope: store::SandboxScope) -> Result<u32, Failure> {
    let states = vec![store::FindingState::Dismissed];
    let filter = store::FindingFilter { states, sandbox: scope, ..store::FindingFilter::default() };
    let none = store::Slice { offset: 0, limit: 0 };
    Ok(counted(store.findings(&filter, store::FindingSort::Severity, true, none)?.total))
}

/// Open findings that nobody has re-checked, scanned or attested.
fn not_rechecked(store: &store::Store, scope: store::SandboxScope) -> Result<u32, Failure> {
    let filter = store::FindingFilter { not_rechecked: true, sandbox: scope, ..store::FindingFilter::default() };
    let none = store::Slice { offset: 0, limit: 0 };
    Ok(counted(store.findings(&filter, store::FindingSort::Severity, true, none)?.total))
}
