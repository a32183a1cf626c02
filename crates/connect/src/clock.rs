//! Time, passed in, so that tests need not wait and nothing reads a clock behind the caller's back.

use futures::future::BoxFuture;
use std::time::Duration;

/// What tells the time and lets it pass.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> jiff::Timestamp;
    /// Ends when that much time has passed. A clock of a test may end at once, with [`Clock::now`] moved on.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// The computer's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}
