//! One-time codes (RFC 6238): what an authenticator app would show, and never the same one twice.

use catalog::{CodeAlgorithm, MfaKey};
use secrecy::SecretString;
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
pub fn code_now(key: &MfaKey, now: jiff::Timestamp) -> CodeShown {
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
