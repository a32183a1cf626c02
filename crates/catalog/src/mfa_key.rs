//! The secret behind an authenticator's one-time codes, in every form in which it is pasted. The codes themselves are made
//! where they are sent (`crates/connect`).

use crate::FormatProblem;
use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use std::sync::LazyLock;
use url::Url;
use zeroize::Zeroizing;

/// A key for time-based one-time codes (RFC 6238).
#[derive(Clone)]
pub struct MfaKey {
    /// The shared secret. Wiped when dropped.
    pub secret: Zeroizing<Vec<u8>>,
    /// Digits of a code: 6 or 8.
    pub digits: u32,
    /// Seconds that a code is good for, 10 to 120; 30 nearly everywhere.
    pub period: u64,
    /// The hash function.
    pub algorithm: CodeAlgorithm,
}

/// The hash functions of RFC 6238.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CodeAlgorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// Base32 (RFC 4648) that ignores the bits of an incomplete group, as authenticators do: Okta's own sample secrets have
/// lengths that are no multiple of eight (<https://developer.okta.com/docs/reference/api/factors/>).
static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    specification.check_trailing_bits = false;
    specification.encoding().unwrap_or(BASE32_NOPAD)
});

fn wrong<T>(sentence: impl Into<String>) -> Result<T, FormatProblem> {
    Err(FormatProblem { sentence: sentence.into(), position: None })
}

impl MfaKey {
    /// Reads a key as it was pasted: base32 in groups, in lower case, with or without padding, or an `otpauth://totp/` URI.
    ///
    /// # Errors
    /// [`FormatProblem`] that never holds the key: a code in the key's place, a letter that base32 does not have, a URI of
    /// another kind.
    pub fn parse(typed: &str) -> Result<Self, FormatProblem> {
        let typed = typed.trim();
        if typed.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("otpauth://")) {
            return Self::of_uri(typed);
        }
        let ignored = |letter: &char| letter.is_whitespace() || matches!(letter, '-' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
        let mut plain = Zeroizing::new(String::with_capacity(typed.len()));
        plain.extend(typed.chars().filter(|letter| !ignored(letter)).map(|letter| letter.to_ascii_uppercase()));
        let plain = plain.trim_end_matches('=');
        if (6..=8).contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong(
                "This is a one-time code, which is good for half a minute. The key behind the codes is needed: the letters that are shown beside the QR code when an authenticator is set up.",
            );
        }
        if let Some((at, letter)) = plain.chars().enumerate().find(|(_, letter)| !matches!(letter, 'A'..='Z' | '2'..='7')) {
            let hint = match letter {
                '0' => " A zero is often a letter O that was misread.",
                '1' => " A one is often a letter I or L that was misread.",
                '8' => " An eight is often a letter B that was misread.",
                _ => "",
            };
            return Err(FormatProblem {
                sentence: format!(
                    "This is not a secret key: it holds letters A to Z and digits 2 to 7 only, and position {} is something else.{hint}",
                    at + 1
                ),
                position: Some(at + 1),
            });
        }
        Self::of_base32(plain, 6, 30, CodeAlgorithm::Sha1)
    }

    fn of_base32(plain: &str, digits: u32, period: u64, algorithm: CodeAlgorithm) -> Result<Self, FormatProblem> {
        // A group of one, three or six letters holds bits that no byte comes of; authenticators leave its last letter out.
        let whole = match plain.len() % 8 {
            1 | 3 | 6 => plain.get(..plain.len() - 1).unwrap_or(plain),
            _ => plain,
        };
        let Ok(secret) = LENIENT.decode(whole.as_bytes()).map(Zeroizing::new) else {
            return wrong("This is not a secret key. Copy it whole.");
        };
        // RFC 4226 wants 16 bytes and recommends 20; vendors give as few as 10.
        if secret.len() < 10 {
            return wrong("This key is too short: at least 16 letters are expected. Copy it whole.");
        }
        Ok(Self { secret, digits, period, algorithm })
    }

    fn of_uri(uri: &str) -> Result<Self, FormatProblem> {
        let Ok(uri) = Url::parse(uri) else { return wrong("This otpauth address cannot be read. Copy it whole.") };
        match uri.host_str() {
            Some(kind) if kind.eq_ignore_ascii_case("totp") => {}
            Some(kind) if kind.eq_ignore_ascii_case("hotp") => {
                return wrong(
                    "This key makes codes by counting, not by time. Only time-based codes (totp) can be made here without getting out of step.",
                );
            }
            _ => return wrong("This otpauth address is not for time-based codes: it begins with otpauth://totp/."),
        }
        let mut secret = None;
        let (mut digits, mut period, mut algorithm) = (6, 30, CodeAlgorithm::Sha1);
        for (name, value) in uri.query_pairs() {
            match &*name {
                "secret" => {
                    secret = Some(Zeroizing::new(
                        value
                            .chars()
                            .filter(|letter| !letter.is_whitespace())
                            .map(|letter| letter.to_ascii_uppercase())
                            .collect::<String>(),
                    ));
                }
                "digits" => match value.parse() {
                    Ok(count @ (6 | 8)) => digits = count,
                    _ => return wrong("This otpauth address asks for codes of another length than 6 or 8 digits."),
                },
                "period" => match value.parse() {
                    Ok(seconds @ 10..=120) => period = seconds,
                    _ => return wrong("This otpauth address asks for a period that is not between 10 and 120 seconds."),
                },
                "algorithm" => {
                    algorithm = match value.to_ascii_uppercase().as_str() {
                        "SHA1" => CodeAlgorithm::Sha1,
                        "SHA256" => CodeAlgorithm::Sha256,
                        "SHA512" => CodeAlgorithm::Sha512,
                        _ => return wrong("This otpauth address names an algorithm other than SHA1, SHA256 and SHA512."),
                    };
                }
                _ => {}
            }
        }
        let Some(secret) = secret else { return wrong("This otpauth address holds no secret.") };
        let plain = secret.trim_end_matches('=');
        if !plain.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)) {
            return wrong("The secret of this otpauth address is not base32: letters A to Z and digits 2 to 7.");
        }
        Self::of_base32(plain, digits, period, algorithm)
    }

    /// The key as it is sealed: base32 alone where everything else is usual, otherwise an `otpauth` URI. [`MfaKey::parse`]
    /// reads it back.
    pub fn canonical(&self) -> Zeroizing<String> {
        let base32 = Zeroizing::new(LENIENT.encode(&self.secret));
        if self.digits == 6 && self.period == 30 && self.algorithm == CodeAlgorithm::Sha1 {
            return base32;
        }
        let algorithm = match self.algorithm {
            CodeAlgorithm::Sha1 => "SHA1",
            CodeAlgorithm::Sha256 => "SHA256",
            CodeAlgorithm::Sha512 => "SHA512",
        };
        Zeroizing::new(format!("otpauth://totp/key?secret={}&digits={}&period={}&algorithm={algorithm}", *base32, self.digits, self.period))
    }
}
