//! Where a simulated vendor signs people in by OAuth 2.0: codes of the browser and of devices, each good for one use, and
//! refresh tokens. Shared by every vendor that does so; how refusals are worded is the vendor's.

use crate::token::{Admission, Issue, Use, issued};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{SandboxAuthorize, SandboxRefresh};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long a code of the browser is good for (RFC 6749, section 4.1.2: ten minutes at most).
const CODE: SignedDuration = SignedDuration::from_mins(10);
/// How long a device code is good for, and seconds between two questions. Short, because nobody types anything.
const DEVICE: SignedDuration = SignedDuration::from_mins(15);
pub(crate) const INTERVAL: i64 = 1;
/// Seconds that a refresh token lives.
const REFRESH: i64 = 90 * 24 * 3600;

/// What the desk of one tenant remembers.
pub(crate) struct Desk {
    tenant: String,
    pub(crate) options: SandboxAuthorize,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    count: u64,
    codes: BTreeMap<String, Code>,
    devices: BTreeMap<String, Device>,
    /// Refresh tokens that were used up.
    spent: BTreeSet<String>,
}

struct Code {
    scope: String,
    redirect: String,
    challenge: Option<String>,
    ends: Timestamp,
    used: bool,
}

struct Device {
    scope: String,
    ends: Timestamp,
    interval: i64,
    asked: u32,
    last: Timestamp,
    used: bool,
}

/// Why something was not exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not known, or brought by somebody else.
    Unknown,
    /// Used before.
    Used,
    /// Too late.
    Expired,
    /// Nobody has approved yet.
    Pending,
    /// Asked too fast.
    SlowDown,
}

/// A device code, as its endpoint gives it.
pub(crate) struct DeviceGiven {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) expires_in: i64,
}

/// What is given for a code.
pub(crate) struct Given {
    pub(crate) scope: String,
    pub(crate) refresh: Option<String>,
}

impl Desk {
    pub(crate) fn new(tenant: &str, options: SandboxAuthorize) -> Self {
        Self { tenant: tenant.to_owned(), options, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text that no earlier one equals.
    fn fresh(memory: &mut Memory, tenant: &str, now: Timestamp, what: &str) -> String {
        memory.count += 1;
        let text = format!("{tenant} {what} {} {}", memory.count, now.as_nanosecond());
        URL_SAFE_NO_PAD.encode(Sha256::digest(text))
    }

    /// The person approved on the page: a code for the way back.
    pub(crate) fn approve(&self, scope: &str, redirect: &str, challenge: Option<&str>, now: Timestamp) -> String {
        let mut memory = self.memory();
        let code = Self::fresh(&mut memory, &self.tenant, now, "code");
        let kept = Code {
            scope: scope.to_owned(),
            redirect: redirect.to_owned(),
            challenge: challenge.map(str::to_owned),
            ends: now.checked_add(CODE).unwrap_or(now),
            used: false,
        };
        memory.codes.insert(code.clone(), kept);
        code
    }

    /// Exchanges a code: once, with the address that it went to and the proof of PKCE.
    pub(crate) fn redeem(&self, code: &str, redirect: &str, verifier: Option<&str>, round: u32, now: Timestamp) -> Result<Given, Refused> {
        let mut memory = self.memory();
        let found = memory.codes.get_mut(code).ok_or(Refused::Unknown)?;
        if std::mem::replace(&mut found.used, true) {
            return Err(Refused::Used);
        }
        if found.ends <= now {
            return Err(Refused::Expired);
        }
        let proved = match (&found.challenge, verifier) {
            (None, None) => true,
            // RFC 7636, section 4.1: 43 to 128 letters.
            (Some(challenge), Some(verifier)) => {
                (43..=128).contains(&verifier.len()) && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *challenge
            }
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !proved || found.redirect != redirect {
            return Err(Refused::Unknown);
        }
        let scope = found.scope.clone();
        Ok(self.given(&mut memory, scope, round, now))
    }

    /// A code for a device.
    pub(crate) fn begin_device(&self, scope: &str, now: Timestamp) -> DeviceGiven {
        let mut memory = self.memory();
        let device_code = Self::fresh(&mut memory, &self.tenant, now, "device");
        let letters: String =
            device_code.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        let user_code = format!("{}-{}", letters.get(..4).unwrap_or("HALD"), letters.get(4..8).unwrap_or("MOOR"));
        let ends = now.checked_add(DEVICE).unwrap_or(now);
        let device = Device { scope: scope.to_owned(), ends, interval: INTERVAL, asked: 0, last: now, used: false };
        memory.devices.insert(device_code.clone(), device);
        DeviceGiven { device_code, user_code, expires_in: DEVICE.as_secs() }
    }

    /// Asks whether the person approved.
    pub(crate) fn poll_device(&self, device_code: &str, round: u32, now: Timestamp) -> Result<Given, Refused> {
        let mut memory = self.memory();
        let found = memory.devices.get_mut(device_code).ok_or(Refused::Unknown)?;
        if found.used {
            return Err(Refused::Used);
        }
        if found.ends <= now {
            return Err(Refused::Expired);
        }
        let early = now.duration_since(found.last) < SignedDuration::from_secs(found.interval);
        found.last = now;
        if early {
            found.interval += 5;
            return Err(Refused::SlowDown);
        }
        found.asked += 1;
        if !self.options.approve || found.asked <= self.options.pending {
            return Err(Refused::Pending);
        }
        found.used = true;
        let scope = found.scope.clone();
        Ok(self.given(&mut memory, scope, round, now))
    }

    /// Renews by a refresh token.
    pub(crate) fn refresh(&self, token: &str, round: u32, now: Timestamp) -> Result<Given, Refused> {
        match issued(&self.tenant, token, Use::Refresh, round, now) {
            Admission::Accepted => {}
            Admission::Expired => return Err(Refused::Expired),
            Admission::Unknown => return Err(Refused::Unknown),
        }
        let mut memory = self.memory();
        if memory.spent.contains(token) {
            return Err(Refused::Used);
        }
        let scope = crate::token::scope_of(token).and_then(|scope| scope.rsplit_once(' ').map(|(scope, _)| scope.to_owned()));
        let mut given = self.given(&mut memory, scope.unwrap_or_default(), round, now);
        match self.options.refresh {
            SandboxRefresh::Rotates => {
                memory.spent.insert(token.to_owned());
            }
            SandboxRefresh::Stays | SandboxRefresh::None => given.refresh = None,
        }
        Ok(given)
    }

    fn given(&self, memory: &mut Memory, scope: String, round: u32, now: Timestamp) -> Given {
        let refresh = match self.options.refresh {
            SandboxRefresh::None => None,
            SandboxRefresh::Rotates | SandboxRefresh::Stays => {
                memory.count += 1;
                let of = format!("{scope} {}", memory.count);
                Some(Issue { purpose: Use::Refresh, round, of: &of, seconds: REFRESH }.mint(&self.tenant, now))
            }
        };
        Given { scope: self.options.grants.clone().unwrap_or(scope), refresh }
    }
}
