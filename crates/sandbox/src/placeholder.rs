//! Placeholders in a tenant's files: `{{now}}`, `{{days_ago:30}}`, `{{cert:days_ahead=400,bits=2048}}`, `{{jwt:…}}`.

use crate::{
    SandboxError,
    token::{Claims, shifted},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, ToSpan};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use serde_json::Value;
use std::{collections::HashMap, time::Duration};

/// Stands for the number of a generated row; filled when the row is served.
pub(crate) const INDEX: &str = "{{index}}";
const INDEX_NUMBER: &str = "{{index:";

/// Fills the placeholders of one tenant, as of one point in time.
pub(crate) struct Filler<'a> {
    tenant: &'a str,
    now: Timestamp,
    /// One certificate per distinct placeholder, so that a tenant shows the same one wherever and whenever it is asked.
    certificates: HashMap<String, String>,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(tenant: &'a str, now: Timestamp) -> Self {
        // Vendors write whole seconds or milliseconds; whole seconds read well and compare the same.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { tenant, now, certificates: HashMap::new() }
    }

    /// The value with every placeholder but the index filled.
    pub(crate) fn value(&mut self, value: &Value) -> Result<Value, SandboxError> {
        Ok(match value {
            Value::String(text) => match self.seconds(text)? {
                Some(seconds) => Value::from(seconds),
                None => Value::String(self.text(text)?),
            },
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, member)| Ok((name.clone(), self.value(member)?)));
                Value::Object(filled.collect::<Result<_, SandboxError>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    /// The text with every placeholder but the index filled.
    pub(crate) fn text(&mut self, text: &str) -> Result<String, SandboxError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            filled.push_str(&rest[..start]);
            let inner = &rest[start + 2..];
            let Some(end) = inner.find("}}") else {
                return Err(self.problem(&rest[start..], "it has no }}"));
            };
            let whole = &rest[start..start + end + 4];
            if whole == INDEX || whole.starts_with(INDEX_NUMBER) {
                filled.push_str(whole);
            } else {
                let (name, arguments) = inner[..end].split_once(':').unwrap_or((&inner[..end], ""));
                let value = self.placeholder(name, arguments).map_err(|problem| self.problem(whole, &problem))?;
                // A key file is JSON, in which lines of a text end otherwise.
                let in_json = name == "private_key" && text.trim_start().strip_prefix('{').is_some_and(|rest| !rest.starts_with('{'));
                filled.push_str(&if in_json { value.replace('\n', "\\n") } else { value });
            }
            rest = &inner[end + 2..];
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The number that a text becomes that is nothing but `{{epoch_days_ago:30}}` or `{{epoch_ms_days_ago:30}}`.
    fn seconds(&self, text: &str) -> Result<Option<i64>, SandboxError> {
        let whole = |name: &str| text.strip_prefix("{{")?.strip_prefix(name)?.strip_prefix(':')?.strip_suffix("}}");
        let (days, thousands) = match (whole("epoch_days_ago"), whole("epoch_ms_days_ago")) {
            (Some(days), _) => (days, false),
            (None, Some(days)) => (days, true),
            (None, None) => return Ok(None),
        };
        let days = days.trim().parse::<i64>().map_err(|_| format!("{days} is no whole number"));
        let at = days.and_then(|days| shifted(self.now, -days)).map_err(|problem| self.problem(text, &problem))?;
        Ok(Some(if thousands { at.as_millisecond() } else { at.as_second() }))
    }

    fn problem(&self, text: &str, problem: &str) -> SandboxError {
        SandboxError::Placeholder { tenant: self.tenant.to_owned(), text: text.to_owned(), problem: problem.to_owned() }
    }

    fn placeholder(&mut self, name: &str, arguments: &str) -> Result<String, String> {
        let number = || arguments.trim().parse::<i64>().map_err(|_| format!("{arguments} is no whole number"));
        match name {
            "now" => Ok(self.now.to_string()),
            "days_ago" => Ok(shifted(self.now, -number()?)?.to_string()),
            "days_ahead" => Ok(shifted(self.now, number()?)?.to_string()),
            // In a text with more around it, or where a vendor writes numbers as text (`{{text:epoch_days_ago:30}}`).
            "epoch_days_ago" => Ok(shifted(self.now, -number()?)?.as_second().to_string()),
            "epoch_ms_days_ago" => Ok(shifted(self.now, -number()?)?.as_millisecond().to_string()),
            "text" => {
                let (name, arguments) = arguments.split_once(':').unwrap_or((arguments, ""));
                self.placeholder(name, arguments)
            }
            "spaced_days_ago" => Ok(shifted(self.now, -number()?)?.strftime("%Y-%m-%d %H:%M:%S").to_string()),
            "date_days_ago" => Ok(shifted(self.now, -number()?)?.strftime("%Y-%m-%d").to_string()),
            "hours_ago" | "minutes_ago" => {
                let (count, minutes) = (number()?, if name == "hours_ago" { 60 } else { 1 });
                // A hundred years bound what a tenant may speak of and keep the arithmetic inside its types.
                let minutes = count.checked_mul(minutes).filter(|minutes| minutes.abs() <= 52_560_000);
                let minutes = minutes.ok_or_else(|| format!("{count} leads out of the calendar"))?;
                Ok(self.now.checked_sub(minutes.minutes()).map_err(|_| format!("{count} leads out of the calendar"))?.to_string())
            }
            "cert" => {
                if let Some(known) = self.certificates.get(arguments) {
                    return Ok(known.clone());
                }
                let made = certificate(arguments, self.now)?;
                self.certificates.insert(arguments.to_owned(), made.clone());
                Ok(made)
            }
            "private_key" => crate::key::pem(self.tenant, arguments),
            "certificate_and_key" => certificate_and_key(self.tenant, arguments),
            "jwt" => Claims::parse(arguments)?.mint(self.tenant, self.now),
            _ => Err("there is no such placeholder".to_owned()),
        }
    }
}

/// The claims when the whole text is a `{{jwt:…}}`.
pub(crate) fn claims(text: &str) -> Option<Claims> {
    let arguments = text.trim().strip_prefix("{{jwt:")?.strip_suffix("}}")?;
    Claims::parse(arguments).ok()
}

/// Whether a generated row's number stands anywhere in the value.
pub(crate) fn has_index(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(INDEX) || text.contains(INDEX_NUMBER),
        Value::Array(items) => items.iter().any(has_index),
        Value::Object(members) => members.values().any(has_index),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value with a generated row's number put in: `{{index}}` within text, and `{{index:N}}` as a whole text becomes the
/// number N + index (vendors' numeric ids).
pub(crate) fn with_index(value: &Value, index: u32) -> Value {
    match value {
        Value::String(text) => {
            let offset =
                text.strip_prefix(INDEX_NUMBER).and_then(|rest| rest.strip_suffix("}}")).and_then(|offset| offset.parse::<u64>().ok());
            match offset {
                Some(offset) => Value::from(offset.saturating_add(u64::from(index))),
                None => Value::String(text.replace(INDEX, &index.to_string())),
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| with_index(item, index)).collect()),
        Value::Object(members) => Value::Object(members.iter().map(|(name, member)| (name.clone(), with_index(member, index))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// `until=2040`: PEM of a certificate that ends with that year, and of the tenant's RSA key that it is made with. The same in every
/// process, so that what was stored by one run opens the sandbox of the next.
fn certificate_and_key(tenant: &str, arguments: &str) -> Result<String, String> {
    let year = match arguments.split_once('=') {
        None if arguments.is_empty() => 2040,
        Some(("until", year)) => {
            year.parse::<i32>().ok().filter(|year| (2000..=9000).contains(year)).ok_or_else(|| format!("{year} is no year"))?
        }
        None | Some(_) => return Err(format!("{arguments} is not until=YEAR")),
    };
    let pem = crate::key::pem(tenant, "rsa")?;
    let failed = |cause: rcgen::Error| format!("the certificate could not be made ({cause})");
    let key = KeyPair::from_pem(&pem).map_err(failed)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, tenant);
    params.distinguished_name = name;
    params.not_before = date_time_ymd(1990, 1, 1);
    params.not_after = date_time_ymd(year, 12, 31);
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok(format!("{}{pem}", certificate.pem()))
}

/// `days_ahead=N` (may be negative), `key=ecdsa|rsa`, `bits=2048|3072|4096` (implies rsa), `subject=name`: base64 DER.
fn certificate(arguments: &str, now: Timestamp) -> Result<String, String> {
    let (mut days, mut rsa, mut bits, mut subject) = (None, false, None, "idp.haldenmoor.example");
    for argument in arguments.split(',').map(str::trim).filter(|argument| !argument.is_empty()) {
        match argument.split_once('=') {
            Some(("days_ahead", value)) => days = Some(value.parse::<i64>().map_err(|_| format!("{value} is no whole number of days"))?),
            Some(("key", "ecdsa")) => rsa = false,
            Some(("key", "rsa")) => rsa = true,
            Some(("bits", "2048")) => bits = Some(RsaKeySize::_2048),
            Some(("bits", "3072")) => bits = Some(RsaKeySize::_3072),
            Some(("bits", "4096")) => bits = Some(RsaKeySize::_4096),
            Some(("subject", value)) => subject = value,
            _ => {
                return Err(format!(
                    "{argument} is none of days_ahead=N, key=ecdsa, key=rsa, bits=2048, bits=3072, bits=4096, subject=name"
                ));
            }
        }
    }
    let days = days.ok_or("days_ahead=N is missing")?;
    let key = if rsa || bits.is_some() {
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, bits.unwrap_or(RsaKeySize::_2048))
    } else {
        KeyPair::generate()
    };
    let failed = |cause: rcgen::Error| format!("the certificate could not be made ({cause})");
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, subject);
    params.distinguished_name = name;
    let end = shifted(now, days)?;
    let start = shifted(now.min(end), -365)?;
    let since_epoch = |at: Timestamp| {
        u64::try_from(at.as_second()).map(Duration::from_secs).map_err(|_| "the certificate would lie before 1970".to_owned())
    };
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(start)?;
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(end)?;
    let certificate = params.self_signed(&key.map_err(failed)?).map_err(failed)?;
    Ok(STANDARD.encode(certificate.der()))
}
