//! What is changed about the served answers while the sandbox runs.

use crate::{
    SandboxError, Served,
    account::{Account, Lock},
    answer::{Asked, Body, Generated, Shape},
    door::Door,
    field::BodyPath,
    paging::{AskedPage, Disorder, Paging},
    placeholder::with_index,
    spoken::Spoken,
};
use catalog::{MfaKey, OktaFactor};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

/// One change. `tenant` is the name of a source of answers (`kustomer/risky`); `answer` is a dataset's id
/// (`auth-settings`) or a path as the vendor writes it, in which `{name}` stands for any one segment (`/v1/users`,
/// `/repos/{owner}/{repo}`), optionally with query parameters that must be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum OverlayChange {
    /// The tenant's credential is refused from now on (401): its token; the secret of its token endpoint and every token
    /// issued for it; its Okta user and every session.
    Revoke {
        /// Whose.
        tenant: String,
    },
    /// The tenant's credential is accepted again.
    Restore {
        /// Whose.
        tenant: String,
    },
    /// A value of an answer's body is another one. Missing members on the way are added.
    Set {
        /// Whose.
        tenant: String,
        /// Which answer, or which answers.
        answer: String,
        /// `data.attributes.saml.enabled`, `data[id=u-1].attributes.email`, `data[].attributes.name`, `data[+]` for a new
        /// element, `changes{}.to` for every value of a map; in a
        /// paged answer the rows of all pages lie in one list.
        field: String,
        /// The new value.
        value: Value,
    },
    /// A member or an element of an answer's body is gone.
    Remove {
        /// Whose.
        tenant: String,
        /// Which answer, or which answers.
        answer: String,
        /// As in [`OverlayChange::Set`].
        field: String,
    },
    /// Every matching request waits before it is answered.
    Latency {
        /// Whose.
        tenant: String,
        /// Which requests; `None` is all of the tenant's.
        #[serde(default)]
        answer: Option<String>,
        /// For how long, at most 600,000.
        milliseconds: u32,
    },
    /// Matching requests go wrong.
    Fault {
        /// Whose.
        tenant: String,
        /// Which requests; `None` is all of the tenant's.
        #[serde(default)]
        answer: Option<String>,
        /// How.
        fault: Fault,
        /// Only this many requests; `None` is every one until [`OverlayChange::Mend`].
        #[serde(default)]
        times: Option<u32>,
        /// Only pages from this one on, the first being 1.
        #[serde(default)]
        from_page: Option<u32>,
    },
    /// Faults and latency of these requests end.
    Mend {
        /// Whose.
        tenant: String,
        /// As it was given with the fault; `None` ends all of the tenant's.
        #[serde(default)]
        answer: Option<String>,
    },
    /// The tenant's rate limit. A request beyond it is answered 429 with `Retry-After`; every answer of a tenant tells
    /// limit, rest and reset (epoch seconds) in `x-ratelimit-*` headers.
    Budget {
        /// Whose.
        tenant: String,
        /// Requests per window, 0 to 1,000,000.
        limit: u32,
        /// Length of the window by the sandbox's clock, 1 to 86,400.
        window_seconds: u32,
    },
    /// Tokens and sessions issued so far are refused as expired. New ones can be had.
    Expire {
        /// Whose.
        tenant: String,
    },
    /// The tenant's token endpoint grants this scope, whatever is asked for.
    Grant {
        /// Whose.
        tenant: String,
        /// Words divided by spaces.
        scope: String,
    },
    /// The Okta user has another password.
    ChangePassword {
        /// Whose user.
        tenant: String,
        /// The new one.
        password: String,
    },
    /// The Okta user has enrolled anew and has another key for one-time codes.
    ChangeMfaKey {
        /// Whose user.
        tenant: String,
        /// The new one, in any form in which keys are pasted.
        mfa_key: String,
    },
    /// The Okta user is locked out.
    LockUser {
        /// Whose user.
        tenant: String,
        /// Whether Okta says so; usually it refuses the password as if it were wrong.
        #[serde(default)]
        shown: bool,
    },
    /// The password of the Okta user has expired.
    ExpirePassword {
        /// Whose user.
        tenant: String,
    },
    /// The Okta user may not use the application any more.
    Unassign {
        /// Whose user.
        tenant: String,
    },
    /// A sign-on policy of the Okta organization refuses the user.
    Deny {
        /// Whose user.
        tenant: String,
    },
    /// The Okta user is not enrolled in this factor any more.
    DropFactor {
        /// Whose user.
        tenant: String,
        /// `google`, `okta_verify`, `push`, `sms`, `call`.
        factor: OktaFactor,
    },
    /// The clocks of the tenant's vendor and of its identity provider are wrong: in the Date header, in what they take for
    /// expired, and in the one-time codes they accept.
    SkewClock {
        /// Whose.
        tenant: String,
        /// How far they go before the sandbox's, -86,400 to 86,400.
        seconds: i32,
    },
    /// Every change of the tenant is taken back; `None` takes back every change there is.
    Clear {
        /// Whose.
        #[serde(default)]
        tenant: Option<String>,
    },
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The vendor's error answer with this status, 400 to 599.
    Status {
        /// 401, 402, 403, 404, 429, 500 …
        status: u16,
        /// Value of `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// An HTML page with status 200.
    Html,
    /// This JSON with status 200, as when something on the way answers in the vendor's place.
    Foreign {
        /// The whole body.
        body: Value,
    },
    /// The first half of the JSON that should have come, as a whole answer.
    HalfJson,
    /// JSON that never ends.
    EndlessBody,
    /// JSON of lists nested this deep, at most 10,000,000.
    DeepJson {
        /// How deep.
        depth: u32,
    },
    /// After every page comes another; the rows repeat.
    EndlessPages,
    /// Every page names itself as the next one.
    CirclePages,
    /// The first page comes twice, under two numbers.
    RepeatPage,
    /// The rows of a list come in another order.
    Shuffle {
        /// The order follows from it.
        seed: u64,
    },
    /// The connection ends in the middle of the body.
    Cut,
    /// 302 to this address.
    Redirect {
        /// Value of `Location`.
        location: String,
    },
}

impl OverlayChange {
    /// Its name in JSON.
    fn word(&self) -> &'static str {
        match self {
            Self::Revoke { .. } => "revoke",
            Self::Restore { .. } => "restore",
            Self::Set { .. } => "set",
            Self::Remove { .. } => "remove",
            Self::Latency { .. } => "latency",
            Self::Fault { .. } => "fault",
            Self::Mend { .. } => "mend",
            Self::Budget { .. } => "budget",
            Self::Expire { .. } => "expire",
            Self::Grant { .. } => "grant",
            Self::ChangePassword { .. } => "change_password",
            Self::ChangeMfaKey { .. } => "change_mfa_key",
            Self::LockUser { .. } => "lock_user",
            Self::ExpirePassword { .. } => "expire_password",
            Self::Unassign { .. } => "unassign",
            Self::Deny { .. } => "deny",
            Self::DropFactor { .. } => "drop_factor",
            Self::SkewClock { .. } => "skew_clock",
            Self::Clear { .. } => "clear",
        }
    }

    /// A [`OverlayChange::Set`] from `path=value`: the value is JSON, or text when it is no JSON.
    ///
    /// # Errors
    /// There is no `=` behind the path.
    pub fn assignment(tenant: &str, answer: &str, assignment: &str) -> Result<Self, SandboxError> {
        let mut depth = 0_u32;
        let at = assignment.char_indices().find_map(|(at, character)| {
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                '=' if depth == 0 => return Some(at),
                _ => {}
            }
            None
        });
        let at = at.filter(|at| *at > 0).ok_or_else(|| SandboxError::Assignment { text: assignment.to_owned() })?;
        let (field, text) = (&assignment[..at], &assignment[at + 1..]);
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        Ok(Self::Set { tenant: tenant.to_owned(), answer: answer.to_owned(), field: field.to_owned(), value })
    }

    fn tenant(&self) -> Option<&str> {
        match self {
            Self::Revoke { tenant }
            | Self::Restore { tenant }
            | Self::Set { tenant, .. }
            | Self::Remove { tenant, .. }
            | Self::Latency { tenant, .. }
            | Self::Fault { tenant, .. }
            | Self::Mend { tenant, .. }
            | Self::Budget { tenant, .. }
            | Self::Expire { tenant }
            | Self::Grant { tenant, .. }
            | Self::ChangePassword { tenant, .. }
            | Self::ChangeMfaKey { tenant, .. }
            | Self::LockUser { tenant, .. }
            | Self::ExpirePassword { tenant }
            | Self::Unassign { tenant }
            | Self::Deny { tenant }
            | Self::DropFactor { tenant, .. }
            | Self::SkewClock { tenant, .. } => Some(tenant),
            Self::Clear { tenant } => tenant.as_deref(),
        }
    }
}

/// The changes in force. Tests and `posture sandbox set` work through this.
pub struct Overlay {
    served: RwLock<Arc<Vec<Arc<Served>>>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    changes: Vec<OverlayChange>,
    /// What has become of tenants' accounts; one that is not here is as its files say.
    accounts: HashMap<String, Account>,
    /// Bodies that were changed, by tenant and place of the answer.
    bodies: HashMap<(String, usize), Changed>,
    latencies: Vec<(Requests, Duration)>,
    faults: Vec<Active>,
    /// By tenant, and whether it is that of the identity provider.
    budgets: HashMap<(String, bool), Budget>,
}

/// A changed body.
#[derive(Clone)]
pub(crate) struct Changed {
    pub(crate) body: Arc<Value>,
    pub(crate) generated: Generated,
}

/// Requests that a change is about.
#[derive(Clone)]
struct Requests {
    tenant: String,
    /// As it was written; [`OverlayChange::Mend`] finds it by that.
    answer: Option<String>,
    shapes: Option<Vec<Shape>>,
    /// What those of its answers are the answer to that are asked for in a language of their own; they share a path.
    spoken: Vec<Spoken>,
}

struct Active {
    requests: Requests,
    fault: Fault,
    left: Option<u32>,
    from_page: Option<u32>,
}

#[derive(Clone, Copy)]
struct Budget {
    limit: u32,
    window_seconds: u32,
    used: u32,
    resets: Option<Timestamp>,
}

/// What a request is told about its rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Epoch seconds of the request.
    pub(crate) now: i64,
    /// Epoch seconds.
    pub(crate) reset: i64,
    /// Seconds until then, when the request is beyond the limit.
    pub(crate) wait: Option<u32>,
}

/// What the overlay says about one request.
pub(crate) struct Ruling {
    pub(crate) latency: Duration,
    pub(crate) allowance: Allowance,
    pub(crate) fault: Option<Fault>,
}

// Ample for any scan that is not about limits: headers are there and true, and nothing waits.
const USUAL_BUDGET: Budget = Budget { limit: 100_000, window_seconds: 60, used: 0, resets: None };

impl Overlay {
    pub(crate) fn new(served: Vec<Served>) -> Result<Self, SandboxError> {
        let served = shared(served);
        distinct(&served)?;
        Ok(Self { served: RwLock::new(Arc::new(served)), state: Mutex::default() })
    }

    /// Makes one change. It holds for every request that arrives from now on.
    ///
    /// # Errors
    /// The change names a tenant, answer or field that does not exist, or a value outside its bounds; nothing is changed
    /// then.
    pub fn apply(&self, change: OverlayChange) -> Result<(), SandboxError> {
        let served = self.served();
        let mut state = self.state();
        state.apply(&served, &change)?;
        // What was taken back is no change in force.
        match &change {
            OverlayChange::Clear { tenant: None } => state.changes.clear(),
            OverlayChange::Clear { tenant: Some(tenant) } => state.changes.retain(|known| known.tenant() != Some(tenant)),
            OverlayChange::Revoke { .. }
            | OverlayChange::Restore { .. }
            | OverlayChange::Set { .. }
            | OverlayChange::Remove { .. }
            | OverlayChange::Latency { .. }
            | OverlayChange::Fault { .. }
            | OverlayChange::Mend { .. }
            | OverlayChange::Budget { .. }
            | OverlayChange::Expire { .. }
            | OverlayChange::Grant { .. }
            | OverlayChange::ChangePassword { .. }
            | OverlayChange::ChangeMfaKey { .. }
            | OverlayChange::LockUser { .. }
            | OverlayChange::ExpirePassword { .. }
            | OverlayChange::Unassign { .. }
            | OverlayChange::Deny { .. }
            | OverlayChange::DropFactor { .. }
            | OverlayChange::SkewClock { .. } => state.changes.push(change),
        }
        Ok(())
    }

    /// The changes since the start or the last clearing, in order.
    pub fn changes(&self) -> Vec<OverlayChange> {
        self.state().changes.clone()
    }

    /// Puts other sources of answers in place of the present ones and takes back every change.
    pub(crate) fn replace(&self, served: Vec<Served>) -> Result<(), SandboxError> {
        let served = shared(served);
        distinct(&served)?;
        let mut state = self.state();
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
        *state = State::default();
        Ok(())
    }

    /// Serves one more source of answers beside the present ones, whose changes stay.
    pub(crate) fn add(&self, served: Served) -> Result<(), SandboxError> {
        let mut present = self.served.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = present.as_ref().clone();
        all.push(Arc::new(served));
        distinct(&all)?;
        *present = Arc::new(all);
        Ok(())
    }

    pub(crate) fn served(&self) -> Arc<Vec<Arc<Served>>> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account of a tenant as changes leave it.
    pub(crate) fn account(&self, tenant: &str) -> Account {
        self.state().accounts.get(tenant).cloned().unwrap_or_default()
    }

    /// What holds for a request of that tenant, at its vendor or at its identity provider; counts it.
    pub(crate) fn rule(&self, tenant: &str, provider: bool, asked: &Asked, now: Timestamp) -> Ruling {
        let mut state = self.state();
        let budget = state.budgets.entry((tenant.to_owned(), provider)).or_insert(USUAL_BUDGET);
        let allowance = budget.spend(now);
        let latency = state.latencies.iter().filter(|(requests, _)| requests.include(tenant, asked)).map(|(_, latency)| *latency).sum();
        let page = Paging::page_of(&AskedPage { host: &asked.host, path: &asked.path, query: &asked.query });
        // The latest fault that fits is the one meant.
        let fault = state.faults.iter_mut().rev().find(|active| {
            let page = active.requests.spoken.iter().find_map(|spoken| spoken.page_of(asked)).unwrap_or(page);
            let in_pages = active.from_page.is_none_or(|from| page >= from as usize);
            active.left != Some(0) && in_pages && active.requests.include(tenant, asked)
        });
        let fault = fault.map(|active| {
            active.left = active.left.map(|left| left - 1);
            active.fault.clone()
        });
        Ruling { latency, allowance, fault }
    }

    /// The changed body of an answer, if it was changed.
    pub(crate) fn changed(&self, tenant: &str, at: usize) -> Option<Changed> {
        self.state().bodies.get(&(tenant.to_owned(), at)).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, served: &[Arc<Served>], change: &OverlayChange) -> Result<(), SandboxError> {
        let source = match change.tenant() {
            Some(tenant) => Some(named(served, tenant)?),
            None => None,
        };
        match (change, source) {
            (_, None) => {
                *self = Self { changes: std::mem::take(&mut self.changes), ..Self::default() };
                served.iter().flat_map(|source| source.doors()).for_each(Door::forgive);
            }
            (OverlayChange::Clear { .. }, Some(source)) => {
                self.accounts.remove(&source.name);
                source.doors().for_each(Door::forgive);
                self.bodies.retain(|(tenant, _), _| *tenant != source.name);
                self.latencies.retain(|(requests, _)| requests.tenant != source.name);
                self.faults.retain(|active| active.requests.tenant != source.name);
                self.budgets.remove(&(source.name.clone(), false));
            }
            (OverlayChange::Revoke { .. }, Some(source)) => {
                self.account_of(source).revoked = true;
            }
            (OverlayChange::Restore { .. }, Some(source)) => {
                self.account_of(source).revoked = false;
            }
            (OverlayChange::Set { answer, field, value, .. }, Some(source)) => {
                self.edit(source, answer, field, |path, body| path.set(body, value))?;
            }
            (OverlayChange::Remove { answer, field, .. }, Some(source)) => {
                self.edit(source, answer, field, BodyPath::remove)?;
            }
            (OverlayChange::Latency { answer, milliseconds, .. }, Some(source)) => {
                within("latency in milliseconds", u64::from(*milliseconds), 0, 600_000)?;
                let requests = Requests::of(source, answer.as_deref())?;
                self.latencies.retain(|(known, _)| !known.same(&requests));
                self.latencies.push((requests, Duration::from_millis(u64::from(*milliseconds))));
            }
            (OverlayChange::Fault { answer, fault, times, from_page, .. }, Some(source)) => {
                match fault {
                    Fault::Status { status, .. } => within("status", u64::from(*status), 400, 599)?,
                    Fault::DeepJson { depth } => within("depth", u64::from(*depth), 1, 10_000_000)?,
                    Fault::Html
                    | Fault::Foreign { .. }
                    | Fault::HalfJson
                    | Fault::EndlessBody
                    | Fault::EndlessPages
                    | Fault::CirclePages
                    | Fault::RepeatPage
                    | Fault::Shuffle { .. }
                    | Fault::Cut
                    | Fault::Redirect { .. } => {}
                }
                let requests = Requests::of(source, answer.as_deref())?;
                self.faults.push(Active { requests, fault: fault.clone(), left: *times, from_page: *from_page });
            }
            (OverlayChange::Mend { answer, .. }, Some(source)) => {
                let requests = Requests::of(source, answer.as_deref())?;
                let ends = |known: &Requests| known.tenant == requests.tenant && (requests.answer.is_none() || known.same(&requests));
                self.latencies.retain(|(known, _)| !ends(known));
                self.faults.retain(|active| !ends(&active.requests));
            }
            (OverlayChange::Budget { limit, window_seconds, .. }, Some(source)) => {
                within("limit", u64::from(*limit), 0, 1_000_000)?;
                within("window in seconds", u64::from(*window_seconds), 1, 86_400)?;
                let budget = Budget { limit: *limit, window_seconds: *window_seconds, used: 0, resets: None };
                self.budgets.insert((source.name.clone(), false), budget);
            }
            (OverlayChange::Expire { .. }, Some(source)) => {
                door(source, change, true, true)?;
                self.account_of(source).round += 1;
            }
            (OverlayChange::Grant { scope, .. }, Some(source)) => {
                door(source, change, true, false)?;
                self.account_of(source).scope = Some(scope.clone());
            }
            (OverlayChange::SkewClock { seconds, .. }, Some(source)) => {
                within("clock skew in seconds", u64::from(seconds.unsigned_abs()), 0, 86_400)?;
                self.account_of(source).clock_ahead = i64::from(*seconds);
            }
            (
                OverlayChange::ChangePassword { .. }
                | OverlayChange::ChangeMfaKey { .. }
                | OverlayChange::LockUser { .. }
                | OverlayChange::ExpirePassword { .. }
                | OverlayChange::Unassign { .. }
                | OverlayChange::Deny { .. }
                | OverlayChange::DropFactor { .. },
                Some(source),
            ) => {
                door(source, change, false, true)?;
                self.change_user(source, change)?;
            }
        }
        Ok(())
    }

    fn change_user(&mut self, source: &Served, change: &OverlayChange) -> Result<(), SandboxError> {
        let account = self.account_of(source);
        match change {
            OverlayChange::ChangePassword { password, .. } => account.password = Some(password.clone()),
            OverlayChange::ChangeMfaKey { mfa_key, .. } => {
                let key = MfaKey::parse(mfa_key).map_err(|problem| SandboxError::MfaKey { sentence: problem.sentence })?;
                account.mfa_key = Some(key);
            }
            OverlayChange::LockUser { shown, .. } => account.lock = Some(if *shown { Lock::Shown } else { Lock::Hidden }),
            OverlayChange::ExpirePassword { .. } => account.password_expired = true,
            OverlayChange::Unassign { .. } => account.unassigned = true,
            OverlayChange::Deny { .. } => account.denied = true,
            OverlayChange::DropFactor { factor, .. } => {
                account.dropped.insert(*factor);
            }
            OverlayChange::Revoke { .. }
            | OverlayChange::Restore { .. }
            | OverlayChange::Set { .. }
            | OverlayChange::Remove { .. }
            | OverlayChange::Latency { .. }
            | OverlayChange::Fault { .. }
            | OverlayChange::Mend { .. }
            | OverlayChange::Budget { .. }
            | OverlayChange::Expire { .. }
            | OverlayChange::Grant { .. }
            | OverlayChange::SkewClock { .. }
            | OverlayChange::Clear { .. } => {}
        }
        Ok(())
    }

    fn account_of(&mut self, source: &Served) -> &mut Account {
        self.accounts.entry(source.name.clone()).or_default()
    }

    /// Changes the bodies of the answers that are meant; all of them or none.
    fn edit(
        &mut self,
        source: &Served,
        answer: &str,
        field: &str,
        edit: impl Fn(&BodyPath, &mut Value) -> usize,
    ) -> Result<(), SandboxError> {
        let wrong = |problem| SandboxError::FieldUnknown {
            tenant: source.name.clone(),
            answer: answer.to_owned(),
            field: field.to_owned(),
            problem,
        };
        let path = BodyPath::parse(field).map_err(wrong)?;
        let unknown = || SandboxError::AnswerUnknown { tenant: source.name.clone(), answer: answer.to_owned() };
        let shapes = source.shapes(answer).ok_or_else(unknown)?;
        let spoken = source.spoken(answer);
        let meant: BTreeSet<usize> =
            if spoken.is_empty() { shapes.iter().flat_map(|shape| source.meant(shape)).collect() } else { spoken.into_iter().collect() };
        if meant.is_empty() {
            return Err(unknown());
        }
        let mut edited = Vec::new();
        for at in meant {
            let known = &source.answers[at];
            let Body::Json(original) = &known.body else {
                continue;
            };
            let present = self.bodies.get(&(source.name.clone(), at));
            let (mut body, mut generated) = match present {
                Some(changed) => (Value::clone(&changed.body), changed.generated.clone()),
                None => (Value::clone(original), known.generated.clone()),
            };
            if let (Some(pattern), Some(rows)) = (&generated.pattern, known.paging.as_ref().and_then(|paging| paging.rows_mut(&mut body))) {
                // A generated row that is changed has to exist first.
                rows.extend((0..generated.count).map(|index| with_index(pattern, index)));
                generated = Generated::default();
            }
            if edit(&path, &mut body) > 0 {
                edited.push((at, Changed { body: Arc::new(body), generated }));
            }
        }
        if edited.is_empty() {
            return Err(wrong("leads to nothing there"));
        }
        self.bodies.extend(edited.into_iter().map(|(at, changed)| ((source.name.clone(), at), changed)));
        Ok(())
    }
}

impl Requests {
    fn of(source: &Served, answer: Option<&str>) -> Result<Self, SandboxError> {
        let shapes = match answer {
            Some(answer) => {
                let unknown = || SandboxError::AnswerUnknown { tenant: source.name.clone(), answer: answer.to_owned() };
                Some(source.shapes(answer).ok_or_else(unknown)?)
            }
            None => None,
        };
        let spoken = answer.map(|answer| source.spoken(answer)).unwrap_or_default();
        let spoken = spoken.into_iter().filter_map(|at| source.answers[at].spoken.clone()).collect();
        Ok(Self { tenant: source.name.clone(), answer: answer.map(str::to_owned), shapes, spoken })
    }

    fn same(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.answer == other.answer
    }

    fn include(&self, tenant: &str, asked: &Asked) -> bool {
        if !self.spoken.is_empty() {
            return self.tenant == tenant && self.spoken.iter().any(|spoken| spoken.fit(asked).is_some());
        }
        self.tenant == tenant
            && self.shapes.as_ref().is_none_or(|shapes| shapes.iter().any(|shape| shape.fit(&asked.path, &asked.query).is_some()))
    }
}

impl Budget {
    fn spend(&mut self, now: Timestamp) -> Allowance {
        let window = jiff::SignedDuration::from_secs(i64::from(self.window_seconds));
        let resets = match self.resets {
            Some(resets) if now < resets => resets,
            Some(_) | None => {
                self.used = 0;
                now.checked_add(window).unwrap_or(now)
            }
        };
        self.resets = Some(resets);
        let beyond = self.used >= self.limit;
        if !beyond {
            self.used += 1;
        }
        // Rounded up: whoever waits that long finds a new window.
        let wait = u32::try_from(resets.duration_since(now).as_secs() + 1).unwrap_or(self.window_seconds);
        Allowance {
            limit: self.limit,
            remaining: self.limit - self.used,
            now: now.as_second(),
            reset: resets.as_second() + 1,
            wait: beyond.then_some(wait),
        }
    }
}

impl Fault {
    /// Whether the request goes wrong before anybody has looked at it; otherwise what comes back is disturbed.
    pub(crate) fn comes_first(&self) -> bool {
        match self {
            Self::Status { .. } | Self::Html | Self::Foreign { .. } | Self::EndlessBody | Self::DeepJson { .. } | Self::Redirect { .. } => {
                true
            }
            Self::HalfJson | Self::EndlessPages | Self::CirclePages | Self::RepeatPage | Self::Shuffle { .. } | Self::Cut => false,
        }
    }

    /// What it does to pages and rows, if it leaves the answer an answer.
    pub(crate) fn disorder(&self) -> Disorder {
        match self {
            Self::EndlessPages => Disorder::Endless,
            Self::CirclePages => Disorder::Circle,
            Self::RepeatPage => Disorder::Repeat,
            Self::Shuffle { seed } => Disorder::Shuffle(*seed),
            Self::Status { .. }
            | Self::Html
            | Self::Foreign { .. }
            | Self::HalfJson
            | Self::EndlessBody
            | Self::DeepJson { .. }
            | Self::Cut
            | Self::Redirect { .. } => Disorder::None,
        }
    }
}

/// Refuses a change that means nothing to a tenant which signs in in another way.
fn door(source: &Served, change: &OverlayChange, token: bool, okta: bool) -> Result<(), SandboxError> {
    let fits = match &source.door {
        Some(Door::Token(_) | Door::Person(_) | Door::GithubApp(_) | Door::Entra(_)) => token,
        Some(Door::Okta(_)) => okta,
        None => false,
    };
    if fits {
        return Ok(());
    }
    let needs = match (token, okta) {
        (true, false) => "client credentials",
        (false, _) => "Okta",
        (true, true) => "client credentials or Okta",
    };
    Err(SandboxError::ChangeUnfit { tenant: source.name.clone(), change: change.word(), needs })
}

fn shared(served: Vec<Served>) -> Vec<Arc<Served>> {
    served.into_iter().map(Arc::new).collect()
}

fn named<'a>(served: &'a [Arc<Served>], tenant: &str) -> Result<&'a Served, SandboxError> {
    served.iter().map(Arc::as_ref).find(|source| source.name == tenant).ok_or_else(|| SandboxError::TenantUnknown {
        tenant: tenant.to_owned(),
        known: served.iter().map(|source| source.name.clone()).collect(),
    })
}

/// Names tell sources apart for changes, and credentials tell those of one host apart for requests: where they cannot, one
/// tenant would silently answer for another.
fn distinct(served: &[Arc<Served>]) -> Result<(), SandboxError> {
    for (at, source) in served.iter().enumerate() {
        for earlier in &served[..at] {
            if earlier.name == source.name {
                return Err(SandboxError::Twice { name: source.name.clone() });
            }
            let shared = |door: &Option<Door>| {
                let of_door = door.as_ref()?;
                earlier.hosts.intersection(&source.hosts).find(|host| of_door.identity_provider(host))
            };
            if let Some(host) = shared(&earlier.door).or_else(|| shared(&source.door)) {
                return Err(SandboxError::SameOrganization { one: earlier.name.clone(), two: source.name.clone(), host: host.clone() });
            }
            if let (Some(Door::Okta(one)), Some(Door::Okta(two))) = (&earlier.door, &source.door)
                && let Some(user) = one.same_user(two)
            {
                return Err(SandboxError::SameUser { one: earlier.name.clone(), two: source.name.clone(), user: user.to_owned() });
            }
            if let Some(host) = earlier.hosts.intersection(&source.hosts).next().filter(|_| earlier.credential.same(&source.credential)) {
                return Err(SandboxError::SameCredential { one: earlier.name.clone(), two: source.name.clone(), host: host.clone() });
            }
        }
    }
    Ok(())
}

fn within(what: &'static str, value: u64, least: u64, most: u64) -> Result<(), SandboxError> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(SandboxError::OutOfBounds { what, value, least, most }) }
}
