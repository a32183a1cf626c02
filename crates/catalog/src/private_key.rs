//! Private keys that sign assertions, in the forms in which vendors and tools hand them out: PEM (PKCS#8, PKCS#1, SEC1,
//! encrypted PKCS#8) and JSON Web Keys. Pure; a sentence never holds anything of a key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pkcs8::{
    AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{OctetStringRef, UintRef},
    },
};
use sec1::EcPrivateKey;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1`, also called P-256 (RFC 5480, section 2.1.1.1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// The shortest RSA key that signs (RFC 7518, section 3.3), and the longest that the signing library takes.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// A private key. Wiped when it is dropped; cannot be printed.
pub struct PrivateKey {
    kind: KeyKind,
    der: Zeroizing<Vec<u8>>,
    id: Option<String>,
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA: signs RS256, RS384, RS512, PS256.
    Rsa {
        /// Bits of its modulus, 2048 to 8192.
        bits: u32,
    },
    /// Elliptic curve P-256: signs ES256.
    P256,
}

/// Why a text is no private key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is encrypted, and no passphrase was given.
    #[error("The private key is encrypted with a passphrase, and none is given.")]
    Encrypted,
    /// The passphrase does not open it.
    #[error("The passphrase does not open the private key.")]
    Passphrase,
    /// It is encrypted in a way that is not read.
    #[error(
        "The private key is encrypted in a way that cannot be read. Write it anew as PKCS#8 (openssl pkcs8 -topk8 -v2 aes256), or decrypted; it is sealed here again."
    )]
    EncryptedOtherwise,
    /// It is a certificate.
    #[error("This is a certificate, which is public. The private key begins with -----BEGIN PRIVATE KEY-----.")]
    Certificate,
    /// It is the public half.
    #[error("This is the public key. What signs is the private key, which begins with -----BEGIN PRIVATE KEY-----.")]
    Public,
    /// There is more than one.
    #[error("There is more than one private key here. Paste the one that was registered.")]
    Several,
    /// A part of it is missing.
    #[error("The private key is cut or damaged. Copy it whole, from its first line to its last.")]
    Cut,
    /// It is nothing of that kind.
    #[error(
        "This does not look like a private key: it is PEM text that begins with -----BEGIN PRIVATE KEY-----, or a JSON Web Key with \"kty\"."
    )]
    Nothing,
    /// It is a JSON Web Key without what an RSA or EC private key holds.
    #[error("This JSON Web Key lacks {what}, which a private key has. Copy it whole.")]
    JwkLacks {
        /// `"p"`.
        what: &'static str,
    },
    /// An RSA key of another length.
    #[error("This RSA key has {bits} bits; keys of 2048 to 8192 bits are taken.")]
    Length {
        /// Its length.
        bits: u32,
    },
    /// A key of another kind.
    #[error("This is a private key of another kind. RSA keys and keys of the curve P-256 are taken.")]
    Kind,
}

impl PrivateKey {
    /// Reads a key. `passphrase` opens an encrypted one and is not looked at for another.
    ///
    /// # Errors
    /// [`KeyProblem`], in words for the person who pasted it.
    pub fn parse(text: &str, passphrase: Option<&str>) -> Result<Self, KeyProblem> {
        let text = text.trim();
        if text.starts_with('{') {
            return from_jwk(text);
        }
        // Out of a JSON file line ends are copied as two letters.
        let unescaped;
        let text = if text.contains("\\n") {
            unescaped = Zeroizing::new(text.replace("\\r", "").replace("\\n", "\n"));
            unescaped.as_str()
        } else {
            text
        };
        if !text.contains("-----BEGIN ") {
            return Err(KeyProblem::Nothing);
        }
        let mut found: Option<Self> = None;
        let (mut certificate, mut public) = (false, false);
        for block in blocks(text)? {
            let read = match block.label {
                "PRIVATE KEY" => from_pkcs8(&block.bytes)?,
                "RSA PRIVATE KEY" => from_pkcs1(&block.bytes)?,
                "EC PRIVATE KEY" => from_sec1(&block.bytes, None)?,
                "ENCRYPTED PRIVATE KEY" => from_encrypted(&block.bytes, passphrase)?,
                "CERTIFICATE" => {
                    certificate = true;
                    continue;
                }
                "PUBLIC KEY" | "RSA PUBLIC KEY" => {
                    public = true;
                    continue;
                }
                // openssl writes the curve's name before an EC key.
                "EC PARAMETERS" => continue,
                label if label.ends_with("PRIVATE KEY") => return Err(KeyProblem::Kind),
                _ => return Err(KeyProblem::Nothing),
            };
            if found.replace(read).is_some() {
                return Err(KeyProblem::Several);
            }
        }
        match found {
            Some(key) => Ok(key),
            None if public => Err(KeyProblem::Public),
            None if certificate => Err(KeyProblem::Certificate),
            None => Err(KeyProblem::Nothing),
        }
    }

    /// What it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }
    /// The bytes that signing libraries read: PKCS#1 of an RSA key, PKCS#8 of an EC key.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
    /// The id that a JSON Web Key names itself (`kid`).
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A block of PEM text (RFC 7468), however its lines were broken.
struct Block<'t> {
    label: &'t str,
    bytes: Zeroizing<Vec<u8>>,
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, KeyProblem> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(KeyProblem::Cut)?;
        let end = Zeroizing::new(format!("-----END {label}-----"));
        let (body, after) = after.split_once(end.as_str()).ok_or(KeyProblem::Cut)?;
        if body.contains("-----") {
            return Err(KeyProblem::Cut);
        }
        // Headers stand before an empty line (RFC 1421); the old encryption of OpenSSL is told by them.
        if body.contains("Proc-Type:") {
            return Err(KeyProblem::EncryptedOtherwise);
        }
        let letters: Zeroizing<String> = Zeroizing::new(body.chars().filter(|letter| !letter.is_whitespace()).collect());
        let bytes = base64::engine::general_purpose::STANDARD.decode(letters.as_bytes()).map_err(|_| KeyProblem::Cut)?;
        blocks.push(Block { label, bytes: Zeroizing::new(bytes) });
        rest = after;
    }
    Ok(blocks)
}

fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, KeyProblem> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyProblem::Cut)?;
    if info.algorithm.oid == RSA {
        return from_pkcs1(info.private_key.as_bytes());
    }
    if info.algorithm.oid == EC {
        let curve = info.algorithm.parameters_oid().map_err(|_| KeyProblem::Kind)?;
        return from_sec1(info.private_key.as_bytes(), Some(curve));
    }
    Err(KeyProblem::Kind)
}

fn from_encrypted(der: &[u8], passphrase: Option<&str>) -> Result<PrivateKey, KeyProblem> {
    // What is cut is told before the passphrase is asked for; what is encrypted in another way cannot be told from it.
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| KeyProblem::EncryptedOtherwise)?;
    let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty()).ok_or(KeyProblem::Encrypted)?;
    let open = info.decrypt(passphrase).map_err(|_| KeyProblem::Passphrase)?;
    from_pkcs8(open.as_bytes())
}

fn from_pkcs1(der: &[u8]) -> Result<PrivateKey, KeyProblem> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyProblem::Cut)?;
    if key.other_prime_infos.is_some() {
        return Err(KeyProblem::Kind);
    }
    let modulus = key.modulus.as_bytes();
    let bits = u32::try_from(modulus.len() * 8).unwrap_or(u32::MAX) - modulus.first().map_or(0, |first| first.leading_zeros());
    if !RSA_BITS.contains(&bits) {
        return Err(KeyProblem::Length { bits });
    }
    Ok(PrivateKey { kind: KeyKind::Rsa { bits }, der: Zeroizing::new(der.to_vec()), id: None })
}

/// `curve` is what stands around it; its own name counts where nothing does.
fn from_sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<PrivateKey, KeyProblem> {
    let key = EcPrivateKey::from_der(der).map_err(|_| KeyProblem::Cut)?;
    let named = curve.or_else(|| key.parameters.as_ref().and_then(|parameters| parameters.named_curve()));
    if named != Some(P256) || key.private_key.len() != 32 {
        return Err(KeyProblem::Kind);
    }
    let sec1 = OctetStringRef::new(der).map_err(|_| KeyProblem::Cut)?;
    let curve = pkcs8::der::asn1::AnyRef::from(&P256);
    let info = PrivateKeyInfoRef::new(AlgorithmIdentifierRef { oid: EC, parameters: Some(curve) }, sec1);
    let der = info.to_der().map_err(|_| KeyProblem::Cut)?;
    Ok(PrivateKey { kind: KeyKind::P256, der: Zeroizing::new(der), id: None })
}

/// JSON that holds a secret. Its texts are wiped when it is dropped.
pub(crate) struct Wiped(pub(crate) Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A JSON Web Key (RFC 7517; RFC 7518, sections 6.2 and 6.3), alone or the only one of a set.
fn from_jwk(text: &str) -> Result<PrivateKey, KeyProblem> {
    let whole = Wiped(serde_json::from_str(text).map_err(|_| KeyProblem::Cut)?);
    let key = match whole.0.get("keys") {
        Some(Value::Array(keys)) => match keys.as_slice() {
            [only] => only,
            [] => return Err(KeyProblem::Nothing),
            [..] => return Err(KeyProblem::Several),
        },
        Some(_) | None => &whole.0,
    };
    let Value::Object(key) = key else { return Err(KeyProblem::Nothing) };
    let member = |name: &'static str| -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
        let text = key.get(name).and_then(Value::as_str).ok_or(KeyProblem::JwkLacks { what: name })?;
        URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map(Zeroizing::new).map_err(|_| KeyProblem::Cut)
    };
    let id = key.get("kid").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    let private = |name: &'static str| match member(name) {
        Err(KeyProblem::JwkLacks { what: "d" }) => Err(KeyProblem::Public),
        read => read,
    };
    let read = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            let (n, e, d) = (member("n")?, member("e")?, private("d")?);
            let (p, q, dp, dq, qi) = (member("p")?, member("q")?, member("dp")?, member("dq")?, member("qi")?);
            fn whole(bytes: &[u8]) -> Result<UintRef<'_>, KeyProblem> {
                UintRef::new(bytes).map_err(|_| KeyProblem::Cut)
            }
            let key = pkcs1::RsaPrivateKeyRef {
                modulus: whole(&n)?,
                public_exponent: whole(&e)?,
                private_exponent: whole(&d)?,
                prime1: whole(&p)?,
                prime2: whole(&q)?,
                exponent1: whole(&dp)?,
                exponent2: whole(&dq)?,
                coefficient: whole(&qi)?,
                other_prime_infos: None,
            };
            let der = Zeroizing::new(key.to_der().map_err(|_| KeyProblem::Cut)?);
            from_pkcs1(&der)?
        }
        Some("EC") => {
            if key.get("crv").and_then(Value::as_str) != Some("P-256") {
                return Err(KeyProblem::Kind);
            }
            let (d, x, y) = (private("d")?, member("x")?, member("y")?);
            let point = [&[4_u8], x.as_slice(), y.as_slice()].concat();
            let key = EcPrivateKey { private_key: &d, parameters: None, public_key: Some(&point) };
            let der = Zeroizing::new(key.to_der().map_err(|_| KeyProblem::Cut)?);
            from_sec1(&der, Some(P256))?
        }
        Some(_) => return Err(KeyProblem::Kind),
        None => return Err(KeyProblem::Nothing),
    };
    Ok(PrivateKey { id, ..read })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_text_of_a_secret_document_stays() {
        let mut document =
            json!({"keys": [{"kty": "RSA", "d": "secret", "n": 1, "more": ["secret", {"deep": "secret"}]}], "kid": "secret"});
        wipe(&mut document);
        assert!(!document.to_string().contains("secret"), "{document}");
    }
}
