//! How hard a host may be asked: requests at once, requests per second, the vendor's budget, and its wish to be left alone.

use crate::{Clock, ConnectError, answer};
use catalog::Politeness;
use reqwest::header::HeaderMap;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The gate before one host, shared by every dataset that is read from it.
pub(crate) struct Gate {
    host: String,
    places: Arc<Semaphore>,
    per_second: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nothing is sent before this.
    not_before: Option<jiff::Timestamp>,
    /// The next free place at so many per second.
    next_place: Option<jiff::Timestamp>,
    /// Until then the host is given up, because it asks for longer waits than a scan takes.
    given_up_until: Option<jiff::Timestamp>,
}

/// When a request may go.
enum Turn {
    Now,
    /// At this time, by our own pace.
    At(jiff::Timestamp),
    /// Not before this time, by the vendor's wish; ask again then.
    Paused(jiff::Timestamp),
}

impl Gate {
    pub(crate) fn new(host: &str, concurrency: u32, per_second: u32) -> Self {
        Self { host: host.to_owned(), places: Arc::new(Semaphore::new(concurrency.max(1) as usize)), per_second, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. `waiting` is told when the wait is the vendor's wish.
    pub(crate) async fn enter(
        &self,
        clock: &dyn Clock,
        patience: Duration,
        waiting: &(dyn Fn(jiff::Timestamp) + Send + Sync),
    ) -> Result<OwnedSemaphorePermit, ConnectError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| ConnectError::Cancelled)?;
        loop {
            let now = clock.now();
            match self.turn(now, patience)? {
                Turn::Now => return Ok(place),
                Turn::At(at) => {
                    clock.sleep(answer::until(at, now)).await;
                    return Ok(place);
                }
                Turn::Paused(until) => {
                    waiting(until);
                    clock.sleep(answer::until(until, now)).await;
                }
            }
        }
    }

    fn turn(&self, now: jiff::Timestamp, patience: Duration) -> Result<Turn, ConnectError> {
        let mut state = self.state();
        if let Some(until) = state.given_up_until.filter(|until| *until > now) {
            return Err(self.rate_limited(until));
        }
        if let Some(until) = state.not_before.filter(|until| *until > now) {
            if answer::until(until, now) > patience {
                state.given_up_until = Some(until);
                return Err(self.rate_limited(until));
            }
            return Ok(Turn::Paused(until));
        }
        if self.per_second == 0 {
            return Ok(Turn::Now);
        }
        let at = state.next_place.filter(|at| *at > now).unwrap_or(now);
        state.next_place = Some(later(at, Duration::from_secs(1) / self.per_second));
        Ok(if at > now { Turn::At(at) } else { Turn::Now })
    }

    /// Nothing more goes to the host for that long.
    pub(crate) fn pause(&self, now: jiff::Timestamp, wait: Duration) -> jiff::Timestamp {
        let until = later(now, wait);
        let mut state = self.state();
        if state.not_before.is_none_or(|before| before < until) {
            state.not_before = Some(until);
        }
        until
    }

    /// The host asks for more waiting than there is patience for.
    pub(crate) fn give_up(&self, until: jiff::Timestamp) -> ConnectError {
        self.state().given_up_until = Some(until);
        self.rate_limited(until)
    }

    fn rate_limited(&self, until: jiff::Timestamp) -> ConnectError {
        ConnectError::RateLimited { host: self.host.clone(), until: until.round(jiff::Unit::Second).unwrap_or(until) }
    }

    /// Reads the budget from an answer and pauses when less is left than should stay free for others.
    pub(crate) fn heed(&self, politeness: &Politeness, headers: &HeaderMap, now: jiff::Timestamp) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        if politeness.remaining_header.is_empty() || politeness.limit_header.is_empty() || politeness.reset_header.is_empty() {
            return;
        }
        let (Some(remaining), Some(limit), Some(reset)) = (
            number(&politeness.remaining_header),
            number(&politeness.limit_header),
            answer::resets_at(headers, &politeness.reset_header, politeness.reset_in, now),
        ) else {
            return;
        };
        if limit <= 0.0 || remaining / limit >= politeness.keep_free {
            return;
        }
        if reset > now {
            self.pause(now, answer::until(reset, now));
        }
    }
}

fn later(now: jiff::Timestamp, wait: Duration) -> jiff::Timestamp {
    jiff::SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(jiff::Timestamp::MAX)
}
