//! What is stored in place of a value that may be judged but not kept.

use base64::{Engine, engine::general_purpose};
use catalog::Transform;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

/// Applies a transform to one value of the declared type. The error says what the value is not, without the value.
pub(crate) fn apply(transform: Transform, value: &Value) -> Result<Value, &'static str> {
    match transform {
        Transform::Present => Ok(Value::Bool(is_present(value))),
        Transform::NamesOf => {
            let mut names: Vec<&String> = value.as_object().ok_or("not a map")?.keys().collect();
            names.sort();
            Ok(json!(names))
        }
        Transform::HostOf => host_of(value.as_str().ok_or("not text")?),
        Transform::Sha256 => Ok(Value::String(hex::encode(Sha256::digest(value.as_str().ok_or("not text")?)))),
        Transform::X509 => certificate(value.as_str().ok_or("not text")?),
        Transform::JwtTimes => jwt_times(value.as_str().ok_or("not text")?),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn host_of(text: &str) -> Result<Value, &'static str> {
    let url = url::Url::parse(text.trim()).map_err(|_| "not a URL")?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("a URL without a host")?;
    Ok(json!({"scheme": url.scheme(), "host": host.to_ascii_lowercase()}))
}

/// One certificate, PEM or base64 of DER. More than one is not understood: judging the first alone would pass over the
/// others.
fn certificate(text: &str) -> Result<Value, &'static str> {
    let text = text.trim();
    let der = if text.starts_with("-----BEGIN") {
        let mut blocks = Pem::iter_from_buffer(text.as_bytes());
        let block = blocks.next().and_then(Result::ok).ok_or("not a certificate")?;
        if blocks.next().is_some() {
            return Err("more than one certificate");
        }
        if block.label != "CERTIFICATE" {
            return Err("not a certificate");
        }
        block.contents
    } else {
        let compact: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
        general_purpose::STANDARD.decode(compact).map_err(|_| "not a certificate")?
    };
    let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| "not a certificate")?;
    if !rest.is_empty() {
        return Err("more than one certificate");
    }
    let at = |time: &x509_parser::time::ASN1Time| {
        jiff::Timestamp::from_second(time.timestamp()).map(|time| time.to_string()).map_err(|_| "a certificate with an impossible date")
    };
    let key = certificate.public_key();
    let parsed = key.parsed().map_err(|_| "a certificate with an unreadable key")?;
    let bits = key_bits(&key.algorithm, &parsed).ok_or("a certificate with a key of unknown size")?;
    Ok(json!({
        "subject": certificate.subject().to_string(),
        "issuer": certificate.issuer().to_string(),
        "not_before": at(&certificate.validity().not_before)?,
        "not_after": at(&certificate.validity().not_after)?,
        "key_algorithm": key_algorithm(&key.algorithm),
        "key_bits": bits,
        "signature_algorithm": signature_algorithm(&certificate.signature_algorithm),
        "sha256": hex::encode(Sha256::digest(&der)),
    }))
}

/// Object identifiers of keys: RFC 3279 (RSA, DSA, EC), RFC 4055 (RSASSA-PSS), RFC 8410 (Ed25519, Ed448).
fn key_algorithm(algorithm: &x509_parser::x509::AlgorithmIdentifier<'_>) -> String {
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => "rsa".to_owned(),
        "1.2.840.10040.4.1" => "dsa".to_owned(),
        "1.2.840.10045.2.1" => "ec".to_owned(),
        "1.3.101.112" => "ed25519".to_owned(),
        "1.3.101.113" => "ed448".to_owned(),
        other => other.to_owned(),
    }
}

fn key_bits(algorithm: &x509_parser::x509::AlgorithmIdentifier<'_>, key: &x509_parser::public_key::PublicKey<'_>) -> Option<u64> {
    use x509_parser::public_key::PublicKey;
    // The library counts the bytes of an RSA modulus and of an EC point; both are turned into the usual figure here.
    match key {
        PublicKey::RSA(rsa) => {
            let modulus: &[u8] = rsa.modulus;
            let significant = modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |start| &modulus[start..]);
            let first = significant.first()?;
            Some(significant.len() as u64 * 8 - u64::from(first.leading_zeros()))
        }
        PublicKey::EC(_) => {
            let curve = algorithm.parameters.as_ref()?.as_oid().ok()?;
            match curve.to_id_string().as_str() {
                "1.2.840.10045.3.1.7" | "1.3.132.0.10" => Some(256),
                "1.3.132.0.34" => Some(384),
                "1.3.132.0.35" => Some(521),
                "1.3.132.0.33" => Some(224),
                _ => None,
            }
        }
        PublicKey::DSA(number) => Some(number.len() as u64 * 8),
        PublicKey::GostR3410(_) | PublicKey::GostR3410_2012(_) | PublicKey::Unknown(_) => match algorithm.algorithm.to_id_string().as_str()
        {
            "1.3.101.112" => Some(256),
            "1.3.101.113" => Some(456),
            _ => None,
        },
    }
}

/// The registered name in lower case (`sha256withrsaencryption`, `ecdsa-with-sha256`, `ed25519`), for RSASSA-PSS with its hash
/// (`rsassa-pss-sha256`; its default hash is SHA-1, RFC 4055 section 3.1), else the object identifier.
fn signature_algorithm(algorithm: &x509_parser::x509::AlgorithmIdentifier<'_>) -> String {
    use x509_parser::signature_algorithm::SignatureAlgorithm;
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) {
        let hash = parameters.hash_algorithm_oid().to_id_string();
        let name = match hash.as_str() {
            "1.3.14.3.2.26" => "sha1",
            "2.16.840.1.101.3.4.2.1" => "sha256",
            "2.16.840.1.101.3.4.2.2" => "sha384",
            "2.16.840.1.101.3.4.2.3" => "sha512",
            "2.16.840.1.101.3.4.2.4" => "sha224",
            other => other,
        };
        return format!("rsassa-pss-{name}");
    }
    let id = algorithm.algorithm.to_id_string();
    match id.as_str() {
        "1.2.840.113549.1.1.4" => "md5withrsaencryption",
        "1.2.840.113549.1.1.5" => "sha1withrsaencryption",
        "1.2.840.113549.1.1.11" => "sha256withrsaencryption",
        "1.2.840.113549.1.1.12" => "sha384withrsaencryption",
        "1.2.840.113549.1.1.13" => "sha512withrsaencryption",
        "1.2.840.113549.1.1.14" => "sha224withrsaencryption",
        "1.2.840.10045.4.1" => "ecdsa-with-sha1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-sha224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-sha256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-sha384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-sha512",
        "1.2.840.10040.4.3" => "dsa-with-sha1",
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        other => other,
    }
    .to_owned()
}

/// The claims of a JSON Web Token, not verified.
pub(crate) fn jwt_claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.trim().split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let bytes = general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// A NumericDate claim (RFC 7519 section 2: seconds since the epoch, possibly with a fraction).
pub(crate) fn jwt_time(claims: &Map<String, Value>, name: &str) -> Option<jiff::Timestamp> {
    let value = claims.get(name)?;
    let seconds = value.as_i64().or_else(|| value.as_f64().filter(|seconds| seconds.abs() < 1e12).map(|seconds| seconds as i64))?;
    jiff::Timestamp::from_second(seconds).ok()
}

/// Both claims are optional (RFC 7519 sections 4.1.4 and 4.1.6); one that is not there is left out.
fn jwt_times(token: &str) -> Result<Value, &'static str> {
    let claims = jwt_claims(token).ok_or("not a JSON Web Token")?;
    let mut times = Map::new();
    for name in ["exp", "iat"] {
        if claims.get(name).is_some_and(|claim| !claim.is_null()) {
            let time = jwt_time(&claims, name).ok_or("a JSON Web Token with an unreadable time")?;
            times.insert(name.to_owned(), Value::String(time.to_string()));
        }
    }
    Ok(Value::Object(times))
}
