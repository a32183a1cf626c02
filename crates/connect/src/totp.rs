//! One-time codes (RFC 6238): what an authenticator app would show, and never the same one twice.

use crate::{Clock, CodeLedger, ConnectError, SignInStage, SignInStep};
use catalog::{CauseKind, CodeAlgorithm, MfaKey};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use totp_rs::{Algorithm, Builder};

/// The code that a key produces at a time, for the person to compare with a phone.
pub struct CodeShown {
    /// The code, with its leading zeros.
    pub code: SecretString,
    /// Seconds until the next one.
    pub seconds_left: u32,
    /// Seconds that a code is good for.
    pub period: u32,
}

/// The code of a key now.
pub fn code_now(key: &MfaKey, now: Timestamp) -> CodeShown {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    CodeShown {
        code: code_of(key, seconds / key.period),
        seconds_left: u32::try_from(key.period - seconds % key.period).unwrap_or_default(),
        period: u32::try_from(key.period).unwrap_or_default(),
    }
}

/// The code of a time step.
pub(crate) fn code_of(key: &MfaKey, step: u64) -> SecretString {
    let algorithm = match key.algorithm {
        CodeAlgorithm::Sha1 => Algorithm::SHA1,
        CodeAlgorithm::Sha256 => Algorithm::SHA256,
        CodeAlgorithm::Sha512 => Algorithm::SHA512,
    };
    // Not held to the RFC's least length: keys as vendors give them are shorter.
    let totp = Builder::new()
        .with_algorithm(algorithm)
        .with_digits(u8::try_from(key.digits).unwrap_or(6))
        .with_step_duration(key.period)
        .with_secret(key.secret.to_vec())
        .build_noncompliant();
    SecretString::from(totp.generate(step * key.period).to_string())
}

/// A code that has less time left than this is not sent: it could be the next step's when it arrives.
const LEAST_LEFT: Duration = Duration::from_secs(3);
/// Difference of clocks below which it is the line that is measured: `Date` counts whole seconds, and answers take time.
const MEASURABLE: SignedDuration = SignedDuration::from_millis(1_500);
/// Difference of clocks that is told to the person.
const REMARKABLE: SignedDuration = SignedDuration::from_secs(30);
/// The largest difference that codes are corrected by. Clocks that were set to local time differ by up to 14 hours. What
/// differs by more is some other fault, and a code from that far ahead would keep later ones from being sent.
const CORRECTED: SignedDuration = SignedDuration::from_hours(14);
/// How many steps are waited for. The present one may have been used, the next one by whoever signed in before us; when
/// still later ones are recorded, the clock was ahead then.
const MOST_WAITS: u32 = 3;

/// The codes of one account while it signs in: each is recorded in the ledger before it is handed out, and none is handed
/// out twice. Whoever holds this has entered the ledger for the account.
pub(crate) struct Codes<'a> {
    key: MfaKey,
    account: String,
    ledger: Arc<dyn CodeLedger>,
    clock: &'a dyn Clock,
    events: &'a (dyn Fn(SignInStep) + Send + Sync),
    /// What has to be added to our clock to have the vendor's.
    offset: SignedDuration,
}

impl<'a> Codes<'a> {
    pub(crate) fn new(
        key: MfaKey,
        account: String,
        ledger: Arc<dyn CodeLedger>,
        clock: &'a dyn Clock,
        events: &'a (dyn Fn(SignInStep) + Send + Sync),
    ) -> Self {
        Self { key, account, ledger, clock, events, offset: SignedDuration::ZERO }
    }

    /// Learns the vendor's time from the `Date` of an answer that has just come (RFC 9110, section 6.6.1).
    pub(crate) fn learn(&mut self, headers: &HeaderMap) {
        let Some(date) = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(|date| httpdate::parse_http_date(date).ok()) else {
            return;
        };
        let Ok(theirs) = Timestamp::try_from(date) else { return };
        // In the middle of the second that the header names.
        let offset = theirs.duration_since(self.clock.now()) + SignedDuration::from_millis(500);
        let known = self.offset;
        self.offset = if offset.abs() < MEASURABLE { SignedDuration::ZERO } else { offset };
        if self.offset.abs() > REMARKABLE && known.abs() <= REMARKABLE {
            tracing::warn!(seconds = self.offset.as_secs(), "the clock of this computer differs from the one of the identity provider");
        }
    }

    /// A sentence on the difference of clocks, when it is large enough to matter to a person.
    pub(crate) fn clock_remark(&self) -> Option<String> {
        (self.offset.abs() > REMARKABLE).then(|| {
            let seconds = self.offset.abs().as_secs();
            let amount = if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds / 60) };
            let side = if self.offset.is_negative() { "ahead of" } else { "behind" };
            format!("The clock of this computer is {amount} {side} the identity provider's.")
        })
    }

    /// Whether codes are made by the vendor's time, as far as it is known: then one that is refused speaks of the key.
    pub(crate) fn are_on_time(&self) -> bool {
        self.offset.abs() <= CORRECTED
    }

    /// Now by the vendor's clock, as far as it is known.
    pub(crate) fn their_now(&self) -> Timestamp {
        let correction = if self.are_on_time() { self.offset } else { SignedDuration::ZERO };
        let now = self.clock.now();
        now.checked_add(correction).unwrap_or(now)
    }

    /// The next code that was never sent, recorded as sent. Waits for the next time step where the present one was used or
    /// is about to end.
    ///
    /// # Errors
    /// When it could not be recorded, or when codes of far later steps were sent before.
    pub(crate) async fn next(&self) -> Result<SecretString, ConnectError> {
        let period = self.key.period.max(1);
        for _ in 0..=MOST_WAITS {
            let now = self.clock.now();
            let milliseconds = u64::try_from(self.their_now().as_millisecond()).unwrap_or_default();
            let step = milliseconds / (period * 1000);
            let left = Duration::from_millis(period * 1000 - milliseconds % (period * 1000));
            if left >= LEAST_LEFT && self.claim((step + 1) * period).await? {
                return Ok(code_of(&self.key, step));
            }
            let until = SignedDuration::try_from(left).ok().and_then(|left| now.checked_add(left).ok()).unwrap_or(now);
            (self.events)(SignInStep::WaitingForCode { until });
            self.clock.sleep(left).await;
        }
        Err(ConnectError::SignInFailed {
            stage: SignInStage::OneTimeCode,
            code: "E-CODE-STEPS-USED",
            kind: CauseKind::Connectivity,
            sentence: "Signing in stopped at the one-time code: the codes of the next minutes are recorded as sent already, because this computer's clock was ahead when they were.".to_owned(),
            remedy: "Check this computer's date and time, wait a few minutes, and connect again.".to_owned(),
            reference: None,
        })
    }

    /// Off the async threads: the ledger's transaction may block.
    async fn claim(&self, ends: u64) -> Result<bool, ConnectError> {
        let (ledger, account) = (self.ledger.clone(), self.account.clone());
        match tokio::task::spawn_blocking(move || ledger.claim(&account, ends)).await {
            Ok(claimed) => Ok(claimed?),
            // The task was cut short with the program.
            Err(_) => Err(ConnectError::Cancelled),
        }
    }
}
