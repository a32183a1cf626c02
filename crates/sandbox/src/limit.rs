//! How many requests the hosts of a simulated vendor take, and what they tell about it.

use crate::reply::{ReplyBody, whole};
use catalog::{Politeness, ResetIn, SandboxLimits};
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The headers in which a vendor tells its budget.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    remaining: Option<HeaderName>,
    limit: Option<HeaderName>,
    reset: Option<HeaderName>,
    reset_in: ResetIn,
}

impl Told {
    pub(crate) fn of(politeness: &Politeness) -> Self {
        let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
        Self {
            remaining: header(&politeness.remaining_header),
            limit: header(&politeness.limit_header),
            reset: header(&politeness.reset_header),
            reset_in: politeness.reset_in,
        }
    }

    /// Puts a budget into an answer, which may hold one already.
    pub(crate) fn tell(&self, response: &mut Response<ReplyBody>, limit: u32, remaining: u32, reset: i64, now: i64) {
        let reset = match self.reset_in {
            ResetIn::Epoch => reset,
            ResetIn::Seconds => (reset - now).max(0),
        };
        let headers = response.headers_mut();
        for (name, value) in [(&self.limit, i64::from(limit)), (&self.remaining, i64::from(remaining)), (&self.reset, reset)] {
            if let Some(name) = name {
                headers.entry(name.clone()).or_insert(HeaderValue::from(value));
            }
        }
    }
}

/// The limits of one tenant's hosts.
pub(crate) struct Gatekeeper {
    limits: SandboxLimits,
    hosts: Mutex<BTreeMap<String, Host>>,
}

#[derive(Clone, Copy)]
struct Host {
    /// Requests that may come at once now; a fraction is on its way.
    level: f64,
    at: Timestamp,
    under_way: u32,
}

/// A request that was let in. Dropped, it is no longer under way.
pub(crate) struct LetIn {
    gate: Arc<Gatekeeper>,
    host: String,
}

/// What a host tells about its budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    /// Epoch seconds at which nothing of it is spent.
    pub(crate) reset: i64,
    pub(crate) now: i64,
    /// Whole seconds until another request is let in.
    pub(crate) wait: u32,
}

impl Gatekeeper {
    pub(crate) fn new(limits: SandboxLimits) -> Self {
        Self { limits, hosts: Mutex::default() }
    }

    /// Lets a request in, or not; and what the host tells then.
    pub(crate) fn enter(self: &Arc<Self>, host: &str, now: Timestamp) -> (Option<LetIn>, Budget) {
        let burst = f64::from(self.limits.burst);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let state = hosts.entry(host.to_owned()).or_insert(Host { level: burst, at: now, under_way: 0 });
        let rate = self.limits.per_second.map(f64::from);
        if let Some(rate) = rate
            && now > state.at
        {
            state.level = (state.level + rate * now.duration_since(state.at).as_secs_f64()).min(burst);
            state.at = now;
        }
        let crowded = self.limits.concurrency.is_some_and(|most| state.under_way >= most);
        // Sums of fractions may miss a whole by a hair.
        let spent = rate.is_some() && state.level < 1.0 - 1e-9;
        let let_in = (!crowded && !spent).then(|| {
            state.under_way += 1;
            if rate.is_some() {
                state.level = (state.level - 1.0).max(0.0);
            }
            LetIn { gate: Arc::clone(self), host: host.to_owned() }
        });
        let seconds = |missing: f64| rate.map_or(1, |rate| (missing / rate).ceil().max(1.0) as i64);
        let full = now.checked_add(SignedDuration::from_secs(seconds(burst - state.level))).unwrap_or(now);
        let budget = Budget {
            limit: self.limits.burst,
            remaining: state.level.floor() as u32,
            reset: full.as_second(),
            now: now.as_second(),
            wait: u32::try_from(seconds(1.0 - state.level)).unwrap_or(1),
        };
        (let_in, budget)
    }

    /// What a request beyond the limits is answered with.
    pub(crate) fn refusal(&self, usual: Value, budget: Budget) -> Response<ReplyBody> {
        let body = self.limits.body.clone().unwrap_or(usual);
        let mut response = Response::new(whole(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(self.limits.status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if self.limits.headers.is_empty() {
            headers.insert(RETRY_AFTER, HeaderValue::from(budget.wait));
        }
        for (name, value) in &self.limits.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        response
    }

    pub(crate) fn status(&self) -> u16 {
        self.limits.status
    }
}

impl Drop for LetIn {
    fn drop(&mut self) {
        let mut hosts = self.gate.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = hosts.get_mut(&self.host) {
            state.under_way = state.under_way.saturating_sub(1);
        }
    }
}
