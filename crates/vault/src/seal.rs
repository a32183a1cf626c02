//! Sealing: XChaCha20-Poly1305 over bytes, and the sealed file of an instance's credentials.

use crate::{VaultError, files, keys::Key, random};
use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};
use zeroize::Zeroizing;

/// Bytes that only the right key opens, and only where they belong. Nonces of 192 bits are drawn at random: at that length
/// no two meet.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sealed {
    nonce: String,
    sealed: String,
}

impl Sealed {
    /// Seals bytes, bound to where they belong.
    pub(crate) fn new(key: &Key, plain: &[u8], bound: &[u8]) -> Result<Self, VaultError> {
        let nonce = random::bytes::<24>()?;
        let cipher = XChaCha20Poly1305::new(key.expose_secret().into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: bound })
            .map_err(|_| VaultError::Io(std::io::ErrorKind::InvalidInput.into()))?;
        Ok(Self { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) })
    }

    /// The bytes; `None` when the key is another one, or anything was changed or belongs elsewhere.
    pub(crate) fn open(&self, key: &Key, bound: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; 24] = STANDARD.decode(&self.nonce).ok()?.try_into().ok()?;
        let sealed = STANDARD.decode(&self.sealed).ok()?;
        let cipher = XChaCha20Poly1305::new(key.expose_secret().into());
        cipher.decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: bound }).ok().map(Zeroizing::new)
    }
}

/// Parts, each with its length before it, so that no two lists of parts give the same bytes.
pub(crate) fn bound_to(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// A field of an instance's credentials that is set; its value stays sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedField {
    /// The login field's id.
    pub field: String,
    /// When its value was set.
    pub set_at: Timestamp,
}

/// `instances/<id>.json`. Names and times stand in clear, so that a screen can list them without any key; they are
/// authenticated with the values.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedFile {
    format: u32,
    instance: String,
    pub(crate) fields: Vec<SealedField>,
    #[serde(flatten)]
    values: Sealed,
}

impl SealedFile {
    /// What follows the instance's id in the file's name.
    pub(crate) const SUFFIX: &str = ".json";

    pub(crate) fn name(instance: &str) -> String {
        format!("{instance}{}", Self::SUFFIX)
    }

    pub(crate) fn read(folder: &Path, instance: &str) -> Result<Option<Self>, VaultError> {
        files::read(folder, &Self::name(instance))
    }

    /// Whether the file says that it is that instance's; that it is, only its key tells.
    pub(crate) fn is_of(&self, instance: &str) -> bool {
        self.instance == instance
    }

    /// Seals values and puts them in place of what was there.
    pub(crate) fn write(
        folder: &Path,
        vault: &str,
        instance: &str,
        key: &Key,
        values: &BTreeMap<String, SecretString>,
        set_at: &BTreeMap<String, Timestamp>,
    ) -> Result<(), VaultError> {
        let fields: Vec<SealedField> =
            values.keys().filter_map(|field| Some(SealedField { field: field.clone(), set_at: *set_at.get(field)? })).collect();
        let bound = Self::bound(vault, instance, &fields);
        let values = Sealed::new(key, &encode(values), &bound)?;
        files::replace(folder, &Self::name(instance), &Self { format: files::FORMAT, instance: instance.to_owned(), fields, values })
    }

    pub(crate) fn open(&self, vault: &str, instance: &str, key: &Key) -> Result<BTreeMap<String, SecretString>, VaultError> {
        self.values
            .open(key, &Self::bound(vault, instance, &self.fields))
            .and_then(|plain| decode(&plain))
            .ok_or_else(|| VaultError::Damaged { file: format!("instances/{}", Self::name(instance)) })
    }

    /// The id is the one asked for, not the one in the file: a file under another instance's name does not open.
    fn bound(vault: &str, instance: &str, fields: &[SealedField]) -> Vec<u8> {
        let format = files::FORMAT.to_string();
        let times: Vec<String> = fields.iter().map(|field| field.set_at.to_string()).collect();
        let mut parts = vec!["posture-console credentials", format.as_str(), vault, instance];
        for (field, time) in fields.iter().zip(&times) {
            parts.push(&field.field);
            parts.push(time);
        }
        bound_to(&parts)
    }
}

/// Names and values, each with its length before it. Not JSON: a JSON writer or reader makes copies of the values that
/// nobody erases.
fn encode(values: &BTreeMap<String, SecretString>) -> Zeroizing<Vec<u8>> {
    let size = values.iter().map(|(name, value)| 16 + name.len() + value.expose_secret().len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for (name, value) in values {
        for part in [name.as_str(), value.expose_secret()] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<BTreeMap<String, SecretString>> {
    let mut values = BTreeMap::new();
    while !bytes.is_empty() {
        let name = take(&mut bytes)?.to_owned();
        values.insert(name, SecretString::from(take(&mut bytes)?));
    }
    Some(values)
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *bytes = rest;
    std::str::from_utf8(part).ok()
}
