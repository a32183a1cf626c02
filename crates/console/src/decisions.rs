//! Decisions: dismissing, overriding, locking, not monitoring, ignoring, and taking each back. All of it is judged on what is stored;
//! nothing here needs the network.

use crate::{
    Console,
    activity::act_on,
    attestations::{day_of, end_of, line, paragraphs},
    checked,
    console::Open,
    judge::judge,
    scan::instance_id,
    screen::{
        Answer, CheckParam, Decision, DecisionEnd, DecisionKind, DecisionList, DecisionQuery, Dismissed, Failure, HeldBy, NewDismissal,
        NewIgnore, NewLock, NewOverride, NewUnmonitor, NotDismissed,
    },
    start::user,
};
use assess::Params;
use catalog::{App, Check, CheckKind, ParamType, RowKey};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use std::collections::BTreeMap;
use store::{
    Act, CheckWrite, DecisionFilter, DecisionId, DecisionWrite, DismissRefusal, Grounds, Instance, Lock, LockRefusal, Rejudged, Ruling,
    Store, StoreError, Until,
};

/// Most days ahead to which a decision holds.
const MAX_DAYS: u32 = 365;
/// Longest reason, in characters.
const REASON: usize = 1_000;
/// Shortest text of an attestation that a check need not be monitored, in characters.
const ATTESTED: usize = 10;
/// Longest name of who approves, in characters.
const APPROVER: usize = 80;
/// Most findings that are dismissed at once.
const AT_ONCE: usize = 1_000;
/// How long an account may be ignored, in days.
const IGNORED: [u32; 2] = [7, 30];
/// How often what another process changes meanwhile is judged again.
const TRIES: u32 = 5;
/// What the check of a decision on an account begins with.
const ACCOUNT: &str = "account:";

impl Console {
    /// Dismisses findings: they are left out of what is open until the end of the day that is given, until another value is read,
    /// or until it is undone. In the score they still count as failed. What cannot be dismissed is told; the rest is done, in one
    /// transaction.
    ///
    /// # Errors
    /// When reason, approver or day is not right (the field is named), no finding is named, or the database refuses.
    pub async fn dismiss(&self, dismissal: NewDismissal) -> Result<Dismissed, Failure> {
        let now = self.now();
        let grounds = Grounds {
            reason: reason(&dismissal.reason, 1)?,
            approver: approver(&dismissal.approver)?,
            who: user(),
            until: Some(until(&dismissal.until, now)?),
        };
        if dismissal.findings.is_empty() || dismissal.findings.len() > AT_ONCE {
            return Err(Failure::new(
                "E-DISMISS-COUNT",
                format!("{} findings cannot be dismissed at once.", dismissal.findings.len()),
                format!("Choose 1 to {AT_ONCE} findings."),
            ));
        }
        self.with_current(move |open| {
            // An id that is no number names no finding.
            let ids: Vec<store::FindingId> = dismissal.findings.iter().map(|id| id.parse().unwrap_or(store::FindingId(0))).collect();
            let instances: BTreeMap<_, _> = open.store.instances()?.into_iter().map(|instance| (instance.id, instance)).collect();
            let after = told_until(&grounds);
            let act = |finding: &store::Finding| {
                let about = named(&finding.title, &finding.label);
                let before = if finding.state == store::FindingState::Dismissed { "dismissed" } else { "open" };
                match instances.get(&finding.instance) {
                    Some(instance) => of(now, "finding dismissed", instance, &about),
                    None => Act::new(now, user(), "finding dismissed", about).on(finding.instance),
                }
                .from_to(before, format!("dismissed {after}"))
            };
            let told = open.store.dismiss(&ids, &grounds, act, now)?;
            let mut dismissed = Dismissed {
                decisions: Vec::new(),
                until: grounds.until.map(|until| until.day.to_string()).unwrap_or_default(),
                refused: Vec::new(),
            };
            for (id, (_, came)) in dismissal.findings.into_iter().zip(told) {
                match came {
                    Ok(decision) => dismissed.decisions.push(decision.to_string()),
                    Err(refusal) => {
                        let (code, sentence) = refused(refusal);
                        dismissed.refused.push(NotDismissed { finding: id, code: code.to_owned(), sentence: sentence.to_owned() });
                    }
                }
            }
            Ok(dismissed)
        })
        .await
    }

    /// Judges a check by another value than the recommended one, at once, by what was read last. Undoing it gives the catalog's
    /// value again.
    ///
    /// # Errors
    /// When the check has no such parameter with a value of the catalog's, the value is outside its bounds or is the catalog's, no
    /// reason is given, or the database refuses.
    pub async fn override_check(&self, wanted: NewOverride) -> Result<Decision, Failure> {
        let id = instance_id(&wanted.instance)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let instance = open.store.instance(id)?;
            let app = console.app(&instance.app)?;
            let check = scanned(&app, &wanted.check)?;
            let param = check.params.get(&wanted.param);
            let Some((param, default)) = param.and_then(|param| Some((param, param.default.as_ref()?))) else {
                return Err(Failure::new(
                    "E-PARAM-UNKNOWN",
                    format!("{} has no recommended value {} that could be overridden.", check.id, wanted.param),
                    "What the catalog has no value for is set in the instance's settings.",
                )
                .on_field("param"));
            };
            let grounds = Grounds { reason: reason(&wanted.reason, 1)?, approver: String::new(), who: user(), until: None };
            let answer = Answer { check: check.id.clone(), param: wanted.param.clone(), value: wanted.value.clone() };
            let typed = checked::params(&app, &[answer]).map_err(|failure| failure.on_field("value"))?;
            let value = typed.get(&check.id).and_then(|of_check| of_check.get(&wanted.param)).cloned().ok_or_else(|| {
                Failure::new("E-PARAM", format!("{} is empty.", param.label), "Type a value, or undo the override.").on_field("value")
            })?;
            if value == *default {
                return Err(Failure::new(
                    "E-OVERRIDE-SAME",
                    format!("{} is what the catalog recommends.", wanted.value.trim()),
                    "Type another value, or undo the override.",
                )
                .on_field("value"));
            }
            let word = |params: &Params| {
                let value = params.get(&check.id).and_then(|of_check| of_check.get(&wanted.param)).unwrap_or(default);
                format!("{} {}", param.label, checked::param_text(value))
            };
            let before = word(&instance.params);
            let after = format!("{}: {}", word(&typed), grounds.reason);
            let act = of(now, "recommended value overridden", &instance, &check.title).from_to(before, after);
            let write = DecisionWrite {
                instance: id,
                check: check.id.clone(),
                row: None,
                title: check.title.clone(),
                label: String::new(),
                ruling: Ruling::Override([(wanted.param.clone(), value.clone())].into()),
                grounds,
            };
            let judged_by = |instance: &Instance| {
                let mut params = instance.params.clone();
                params.entry(check.id.clone()).or_default().insert(wanted.param.clone(), value.clone());
                params
            };
            let decision = console.again(&open, &app, id, judged_by, |again, _| open.store.decide(&write, again, &act))?;
            console.decided(&open, decision)
        })
        .await
    }

    /// Locks what a check read of a row, or which rows there are, as they were read last. From then on any change is a finding of its
    /// own; the verdict of the check stays what it is.
    ///
    /// # Errors
    /// When there is no complete scan, no such check or row, it was not read whole, it is locked already, or the database refuses.
    pub async fn lock_check(&self, wanted: NewLock) -> Result<Decision, Failure> {
        let id = instance_id(&wanted.instance)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let instance = open.store.instance(id)?;
            let app = console.app(&instance.app)?;
            let check = scanned(&app, &wanted.check)?;
            let grounds = Grounds { reason: reason(&wanted.reason, 0)?, approver: String::new(), who: user(), until: None };
            let row = wanted.row.clone().map(RowKey);
            let mut refusal = None;
            let decision = console.again(
                &open,
                &app,
                id,
                |instance| instance.params.clone(),
                |again, checks| {
                    let judged = checks.iter().find(|judged| judged.check == check.id);
                    let title = format!("Changed since it was locked: {}", check.title);
                    let locked = judged.ok_or(LockRefusal::NotRead(None)).and_then(|judged| Lock::of(judged, row.as_ref(), title));
                    let lock = match locked {
                        Ok(lock) => lock,
                        Err(why) => {
                            refusal = Some(why);
                            return Err(StoreError::NotFound { what: "check" });
                        }
                    };
                    let label = judged.and_then(|judged| judged.judged.iter().find(|one| Some(&one.row) == row.as_ref()));
                    let label = label.map(|one| one.label.clone()).unwrap_or_default();
                    let after = format!("locked: {}", lock.words());
                    let act = of(now, "locked", &instance, &named(&check.title, &label)).from_to("not locked", after);
                    let write = DecisionWrite {
                        instance: id,
                        check: check.id.clone(),
                        row: row.clone(),
                        title: check.title.clone(),
                        label,
                        ruling: Ruling::Lock(lock),
                        grounds: grounds.clone(),
                    };
                    open.store.decide(&write, again, &act)
                },
            );
            match (decision, refusal) {
                (_, Some(why)) => Err(cannot_lock(&check.title, why)),
                (decision, None) => console.decided(&open, decision?),
            }
        })
        .await
    }

    /// Stops monitoring a check of an instance: its findings are held back, it is outside the score, and its number stands beside
    /// that. It never looks passed.
    ///
    /// # Errors
    /// When there is no such check that scans judge, the attestation is shorter than 10 characters, the day is not right, or the
    /// database refuses.
    pub async fn unmonitor(&self, wanted: NewUnmonitor) -> Result<Decision, Failure> {
        let id = instance_id(&wanted.instance)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let instance = open.store.instance(id)?;
            let app = console.app(&instance.app)?;
            let check = scanned(&app, &wanted.check)?;
            let grounds = Grounds {
                reason: reason(&wanted.reason, ATTESTED)?,
                approver: approver(&wanted.approver)?,
                who: user(),
                until: Some(until(&wanted.until, now)?),
            };
            let act = of(now, "monitoring stopped", &instance, &check.title)
                .from_to("monitored", format!("not monitored {}", told_until(&grounds)));
            let write = DecisionWrite {
                instance: id,
                check: check.id.clone(),
                row: None,
                title: check.title.clone(),
                label: String::new(),
                ruling: Ruling::Unmonitor,
                grounds,
            };
            let decision = open.store.decide(&write, None, &act)?;
            console.decided(&open, decision)
        })
        .await
    }

    /// Leaves an account out of the counters for a week or a month. Its risks stay shown.
    ///
    /// # Errors
    /// When the days are others, there is no such account in the last complete scan, or the database refuses.
    pub async fn ignore_account(&self, wanted: NewIgnore) -> Result<Decision, Failure> {
        let id = instance_id(&wanted.instance)?;
        let (console, now) = (self.clone(), self.now());
        if !IGNORED.contains(&wanted.days) {
            return Err(Failure::new(
                "E-IGNORE-DAYS",
                "An account is ignored for 7 or 30 days.",
                "Choose one of them; a risk is never ignored for ever.",
            )
            .on_field("days"));
        }
        self.with_current(move |open| {
            let instance = open.store.instance(id)?;
            let gone = || {
                Failure::new(
                    "E-NOT-FOUND",
                    "There is no such account in the last complete scan.",
                    "The instance may have been scanned again: reload the list.",
                )
            };
            let scan = open.store.last_complete_scan(id)?.ok_or_else(gone)?;
            let number = wanted.account.parse().map_err(|_| gone())?;
            let account = open.store.account(scan.id, number).map_err(|_| gone())?.item;
            let ends = now.checked_add(SignedDuration::from_hours(24 * i64::from(wanted.days))).unwrap_or(Timestamp::MAX);
            let grounds = Grounds {
                reason: reason(&wanted.reason, 0)?,
                approver: String::new(),
                who: user(),
                until: Some(Until { day: day_of(ends), at: ends }),
            };
            let title = crate::inventory::title(&account.name, &account.id, &account.origin.row);
            let act = of(now, "account ignored", &instance, &title).from_to("counted", format!("ignored {}", told_until(&grounds)));
            let write = DecisionWrite {
                instance: id,
                check: account_check(&account.origin.from),
                row: Some(account.origin.row),
                title,
                label: String::new(),
                ruling: Ruling::Ignore,
                grounds,
            };
            let decision = open.store.decide(&write, None, &act)?;
            console.decided(&open, decision)
        })
        .await
    }

    /// Takes a decision back; what follows from that is judged at once by what was read last.
    ///
    /// # Errors
    /// When there is no such decision, it has ended already, or the database refuses.
    pub async fn undo_decision(&self, id: &str) -> Result<Decision, Failure> {
        let id: DecisionId = id.parse().map_err(|_| Failure::from(StoreError::NotFound { what: "decision" }))?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let decision = open.store.decision(id)?;
            let instance = open.store.instance(decision.instance)?;
            let (what, before, after) = match decision.kind {
                store::DecisionKind::Dismiss => ("dismissal undone", format!("dismissed {}", told_until(&decision.grounds)), "open"),
                store::DecisionKind::Override => ("override undone", words(&decision), "as recommended"),
                store::DecisionKind::Lock => ("unlocked", format!("locked: {}", words(&decision)), "not locked"),
                store::DecisionKind::Unmonitor => {
                    ("monitoring resumed", format!("not monitored {}", told_until(&decision.grounds)), "monitored")
                }
                store::DecisionKind::Ignore => ("account counted", format!("ignored {}", told_until(&decision.grounds)), "counted"),
            };
            let act = of(now, what, &instance, &named(&decision.title, &decision.label)).from_to(before, after);
            let judges = matches!(decision.kind, store::DecisionKind::Override | store::DecisionKind::Lock);
            match (console.app(&instance.app), judges) {
                (Ok(app), true) => {
                    let judged_by = |instance: &Instance| without(&instance.params, &decision);
                    console.again(&open, &app, instance.id, judged_by, |again, _| open.store.undo_decision(id, again, &act))?;
                }
                // Without its application nothing can be judged; the next scan does.
                (Ok(_) | Err(_), _) => open.store.undo_decision(id, None, &act)?,
            }
            console.decided(&open, id)
        })
        .await
    }

    /// Decisions, newest first, in force and ended.
    ///
    /// # Errors
    /// When there is no such instance or the database cannot be read.
    pub async fn decisions(&self, query: DecisionQuery) -> Result<DecisionList, Failure> {
        let console = self.clone();
        let filter = DecisionFilter {
            instance: query.filter.instance.as_deref().map(instance_id).transpose()?,
            kinds: query.filter.kinds.iter().copied().map(of_screen).collect(),
            in_force: query.filter.in_force,
        };
        self.with_current(move |open| {
            let (total, rows) = open.store.decisions(&filter, crate::browse::of_slice(query.slice))?;
            let rows = rows.iter().map(|decision| console.decision_screen(&open.store, decision)).collect::<Result<_, Failure>>()?;
            Ok(DecisionList { total: u32::try_from(total).unwrap_or(u32::MAX), rows })
        })
        .await
    }

    /// Does what rests on the last complete scan as it is judged with these parameters; again when another scan came in between.
    fn again<T>(
        &self,
        open: &Open,
        app: &App,
        id: store::InstanceId,
        judged_by: impl Fn(&Instance) -> Params,
        mut work: impl FnMut(Option<Rejudged<'_>>, &[CheckWrite]) -> Result<T, StoreError>,
    ) -> Result<T, Failure> {
        let mut tries = 0;
        loop {
            let Some(scan) = open.store.last_complete_scan(id)? else { return Ok(work(None, &[])?) };
            let params = judged_by(&open.store.instance(id)?);
            let checks = judge(app, &*self.program(app)?, &open.store.collected(scan.id)?, &params, scan.as_of)?;
            match work(Some(Rejudged { scan: scan.id, params: &params, checks: &checks }), &checks) {
                Err(StoreError::WrongState { .. }) if tries < TRIES => tries += 1,
                done => return Ok(done?),
            }
        }
    }

    fn decided(&self, open: &Open, id: DecisionId) -> Result<Decision, Failure> {
        self.decision_screen(&open.store, &open.store.decision(id)?)
    }

    pub(crate) fn decision_screen(&self, store: &Store, decision: &store::Decision) -> Result<Decision, Failure> {
        let instance = store.instance(decision.instance)?;
        let app_name = self.app(&instance.app).map_or_else(|_| instance.app.clone(), |app| app.name.clone());
        Ok(Decision {
            id: decision.id.to_string(),
            kind: kind(decision.kind),
            instance: instance.id.to_string(),
            instance_name: instance.name,
            app_name,
            sandbox: instance.sandbox,
            check: decision.check.clone(),
            title: decision.title.clone(),
            resource: decision.label.clone(),
            value: words(decision),
            reason: decision.grounds.reason.clone(),
            approver: decision.grounds.approver.clone(),
            who: decision.grounds.who.clone(),
            at: decision.at.to_string(),
            until: decision.grounds.until.map(|until| until.day.to_string()),
            in_force: decision.in_force(self.now()),
            ended_at: decision.ended.map(|(at, _)| at.to_string()),
            ended_why: decision.ended.map(|(_, why)| end(why)),
        })
    }
}

/// The decisions in force on a check, as its findings show them.
pub(crate) struct OfCheck {
    pub(crate) overridden: Option<store::Decision>,
    /// Of the row, else of which rows there are.
    pub(crate) locked: Option<store::Decision>,
    pub(crate) held: Option<store::Decision>,
}

impl OfCheck {
    /// Those of a finding's check, or of the check that it tells the change of.
    pub(crate) fn of(store: &Store, finding: &store::Finding, now: Timestamp) -> Result<Self, Failure> {
        let check = store::locked_check(&finding.check).unwrap_or(&finding.check);
        let filter = DecisionFilter { instance: Some(finding.instance), in_force: Some(true), ..DecisionFilter::default() };
        let (_, decisions) = store.decisions(&filter, store::Slice::ALL)?;
        let mut found = Self { overridden: None, locked: None, held: None };
        for decision in decisions.into_iter().filter(|decision| decision.in_force(now)) {
            if finding.held_by.is_some_and(|by| by.id == decision.id) {
                found.held = Some(decision);
            } else if decision.check == check {
                match (decision.kind, &decision.row) {
                    (store::DecisionKind::Override, _) => found.overridden = Some(decision),
                    (store::DecisionKind::Lock, Some(row)) if *row == finding.row => found.locked = Some(decision),
                    (store::DecisionKind::Lock, None) if store::locked_check(&finding.check).is_some() => found.locked = Some(decision),
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

/// The parameters of a check that have a value of the catalog's, as a person may override them.
pub(crate) fn params_of(app: &App, check: &str, instance: &Instance) -> Vec<CheckParam> {
    let Some(check) = app.check(check) else { return Vec::new() };
    let of_param = |(name, param): (&String, &catalog::Param)| {
        let default = param.default.as_ref()?;
        let value = instance.params.get(&check.id).and_then(|of_check| of_check.get(name)).unwrap_or(default);
        let bound = |bound: Option<i64>| bound.and_then(|bound| i32::try_from(bound).ok());
        Some(CheckParam {
            param: name.clone(),
            label: param.label.clone(),
            ty: match param.ty {
                ParamType::Int => "int",
                ParamType::String => "string",
                ParamType::Strings => "strings",
                ParamType::Bool => "bool",
            }
            .to_owned(),
            unit: param.unit.clone(),
            min: bound(param.min),
            max: bound(param.max),
            recommended: checked::param_text(default),
            value: checked::param_text(value),
        })
    };
    check.params.iter().filter_map(of_param).collect()
}

/// How many checks of an instance are not monitored, and which.
pub(crate) fn unmonitored(store: &Store, instance: store::InstanceId, now: Timestamp) -> Result<Vec<String>, Failure> {
    let filter = DecisionFilter { instance: Some(instance), kinds: vec![store::DecisionKind::Unmonitor], in_force: Some(true) };
    let (_, decisions) = store.decisions(&filter, store::Slice::ALL)?;
    Ok(decisions.into_iter().filter(|decision| decision.in_force(now)).map(|decision| decision.check).collect())
}

/// The same as it was at a moment.
pub(crate) fn unmonitored_at(store: &Store, instance: store::InstanceId, at: Timestamp) -> Result<Vec<String>, Failure> {
    let filter = DecisionFilter { instance: Some(instance), kinds: vec![store::DecisionKind::Unmonitor], in_force: None };
    let (_, decisions) = store.decisions(&filter, store::Slice::ALL)?;
    let held = |decision: &store::Decision| {
        decision.at <= at && decision.ended.is_none_or(|(ended, _)| ended > at) && decision.grounds.until.is_none_or(|until| until.at > at)
    };
    Ok(decisions.into_iter().filter(held).map(|decision| decision.check).collect())
}

/// The accounts of an instance that are ignored, by what they were read from and their row.
pub(crate) fn ignored(store: &Store, instance: store::InstanceId, now: Timestamp) -> Result<BTreeMap<(String, RowKey), HeldBy>, Failure> {
    let filter = DecisionFilter { instance: Some(instance), kinds: vec![store::DecisionKind::Ignore], in_force: Some(true) };
    let (_, decisions) = store.decisions(&filter, store::Slice::ALL)?;
    let decisions = decisions.into_iter().filter(|decision| decision.in_force(now));
    Ok(decisions
        .filter_map(|decision| {
            let from = decision.check.strip_prefix(ACCOUNT)?.to_owned();
            let by = HeldBy {
                id: decision.id.to_string(),
                kind: DecisionKind::Ignore,
                until: decision.grounds.until.map(|until| until.day.to_string()),
            };
            Some(((from, decision.row?), by))
        })
        .collect())
}

pub(crate) fn account_check(from: &str) -> String {
    format!("{ACCOUNT}{from}")
}

pub(crate) fn held_by(by: &store::HeldBy) -> HeldBy {
    HeldBy { id: by.id.to_string(), kind: kind(by.kind), until: by.until.map(|until| until.day.to_string()) }
}

/// A check that scans judge.
fn scanned<'a>(app: &'a App, check: &str) -> Result<&'a Check, Failure> {
    match app.check(check) {
        Some(found) if found.kind != CheckKind::Manual => Ok(found),
        Some(_) => Err(Failure::new(
            "E-CHECK-MANUAL",
            "A person attests this check; no scan judges it.",
            "Attest it again instead: met, not met or not applicable.",
        )),
        None => Err(Failure::new(
            "E-CHECK-UNKNOWN",
            format!("{} has no check {check} that scans judge.", app.name),
            "See `posture catalog` for the checks of an application.",
        )),
    }
}

fn cannot_lock(title: &str, why: LockRefusal) -> Failure {
    match why {
        LockRefusal::NotRead(Some(cause)) => {
            Failure::new("E-LOCK-NOT-READ", format!("{title} was not read, so there is nothing to lock: {}", cause.sentence), cause.remedy)
        }
        LockRefusal::NotRead(None) => Failure::new(
            "E-LOCK-NOT-READ",
            format!("No value of {title} was read, so there is nothing to lock."),
            "Scan the instance first.",
        ),
        LockRefusal::TooMany => Failure::new(
            "E-LOCK-TOO-MANY",
            format!("{title} rests on more values than are kept to compare."),
            "Lock which rows there are instead, or single rows.",
        ),
        LockRefusal::NotAList => Failure::new("E-LOCK-NO-LIST", format!("{title} is one setting and no list."), "Lock its value instead."),
        LockRefusal::NoRow => Failure::new(
            "E-NOT-FOUND",
            format!("The last complete scan has no such row of {title}."),
            "The instance may have been scanned again: reload the list.",
        ),
        LockRefusal::NotASetting => Failure::new(
            "E-LOCK-EVENT",
            format!("{title} tells of events, which do not stay as they are."),
            "Lock a check of a setting instead.",
        ),
    }
}

fn refused(refusal: DismissRefusal) -> (&'static str, &'static str) {
    match refusal {
        DismissRefusal::NotFound => ("E-NOT-FOUND", "There is no such finding."),
        DismissRefusal::Ended => ("E-FINDING-ENDED", "It is fixed or gone already."),
        DismissRefusal::Attested => ("E-FINDING-ATTESTED", "A person attested it; attest it again instead."),
        DismissRefusal::NotMonitored => ("E-NOT-MONITORED", "Its check is not monitored."),
    }
}

/// The parameters of an instance without those that an override sets.
fn without(params: &Params, decision: &store::Decision) -> Params {
    let mut params = params.clone();
    let overridden = decision.overridden();
    if let Some(of_check) = params.get_mut(&decision.check) {
        of_check.retain(|name, value| overridden.get(name) != Some(value));
        if of_check.is_empty() {
            params.remove(&decision.check);
        }
    }
    params
}

/// What a decision holds fast, in words.
fn words(decision: &store::Decision) -> String {
    match decision.kind {
        store::DecisionKind::Override => {
            let values = decision.overridden();
            values.iter().map(|(name, value)| format!("{name} {}", checked::param_text(value))).collect::<Vec<_>>().join(", ")
        }
        store::DecisionKind::Lock => match Lock::try_from(&decision.value) {
            Ok(lock) => lock.words(),
            Err(_) => String::new(),
        },
        store::DecisionKind::Dismiss => {
            decision.value.get("current").and_then(serde_json::Value::as_str).map(str::to_owned).unwrap_or_default()
        }
        store::DecisionKind::Unmonitor | store::DecisionKind::Ignore => String::new(),
    }
}

fn named(title: &str, label: &str) -> String {
    if label.is_empty() { title.to_owned() } else { format!("{title}, {label}") }
}

/// "until 2027-02-21, approved by Mei Laurent: The vendor mends it in June."
fn told_until(grounds: &Grounds) -> String {
    let until = grounds.until.map(|until| format!("until {}", until.day)).unwrap_or_default();
    let approved = if grounds.approver.is_empty() { String::new() } else { format!(", approved by {}", grounds.approver) };
    let reason = if grounds.reason.is_empty() { String::new() } else { format!(": {}", grounds.reason) };
    format!("{until}{approved}{reason}")
}

fn of(at: Timestamp, what: &str, instance: &Instance, about: &str) -> Act {
    let act = act_on(at, what, instance);
    Act { detail: format!("{}: {about}", act.detail), ..act }
}

fn reason(typed: &str, least: usize) -> Result<String, Failure> {
    paragraphs(typed, least, REASON).ok_or_else(|| {
        Failure::new(
            "E-REASON",
            format!("The reason has {least} to {REASON} characters, without control characters."),
            "Write why, so that whoever looks next understands it.",
        )
        .on_field("reason")
    })
}

fn approver(typed: &str) -> Result<String, Failure> {
    line(typed, 0, APPROVER).ok_or_else(|| {
        Failure::new("E-APPROVER", format!("Who approves it is named in at most {APPROVER} characters, in one line."), "Shorten it.")
            .on_field("approver")
    })
}

/// The last day on which a decision holds, where this computer stands.
fn until(typed: &str, now: Timestamp) -> Result<Until, Failure> {
    let today = day_of(now);
    let latest = today.checked_add(i64::from(MAX_DAYS).days()).unwrap_or(today);
    let wrong = |sentence: String| Failure::new("E-UNTIL", sentence, format!("Choose a day from {today} to {latest}.")).on_field("until");
    let day: Date = typed.trim().parse().map_err(|_| wrong("The last day of it is not a date such as 2027-02-21.".to_owned()))?;
    if day < today {
        return Err(wrong(format!("{day} is over.")));
    }
    if day > latest {
        return Err(wrong(format!("It holds for {MAX_DAYS} days at most.")));
    }
    Ok(Until { day, at: end_of(day).map_err(|failure| failure.on_field("until"))? })
}

fn kind(kind: store::DecisionKind) -> DecisionKind {
    match kind {
        store::DecisionKind::Dismiss => DecisionKind::Dismiss,
        store::DecisionKind::Override => DecisionKind::Override,
        store::DecisionKind::Lock => DecisionKind::Lock,
        store::DecisionKind::Unmonitor => DecisionKind::Unmonitor,
        store::DecisionKind::Ignore => DecisionKind::Ignore,
    }
}

fn of_screen(kind: DecisionKind) -> store::DecisionKind {
    match kind {
        DecisionKind::Dismiss => store::DecisionKind::Dismiss,
        DecisionKind::Override => store::DecisionKind::Override,
        DecisionKind::Lock => store::DecisionKind::Lock,
        DecisionKind::Unmonitor => store::DecisionKind::Unmonitor,
        DecisionKind::Ignore => store::DecisionKind::Ignore,
    }
}

fn end(why: store::DecisionEnd) -> DecisionEnd {
    match why {
        store::DecisionEnd::Undone => DecisionEnd::Undone,
        store::DecisionEnd::Expired => DecisionEnd::Expired,
        store::DecisionEnd::ValueChanged => DecisionEnd::ValueChanged,
        store::DecisionEnd::Replaced => DecisionEnd::Replaced,
        store::DecisionEnd::Fixed => DecisionEnd::Fixed,
        store::DecisionEnd::Gone => DecisionEnd::Gone,
    }
}
