//! Secrets on their way between the page and this process.
//!
//! What the page says passes through the web engine, a part of which runs in this process: its buffers are not of our
//! allocator and are not wiped when they are freed. So nothing secret passes in clear. Either side makes an ephemeral key
//! for one secret (ECDH on P-256, HKDF with SHA-256, AES-256-GCM: what the WebCrypto of every web engine has), and the
//! buffers hold nothing but ciphertext. The page's side is `ui/src/lib/backend/sealed.ts`.
//!
//! This keeps copies out of memory; it is not meant against a page that was taken over, which sees what is typed anyway.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use console::{SecretString, screen::Failure};
use serde::{Deserialize, Serialize};
use specta::Type;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// Tells these keys from all others that are ever derived.
const PURPOSE: &[u8] = b"posture-console sealed 1";

/// How many offered keys wait to be used. The page seals at once what it asked a key for; a page that was reloaded leaves
/// some behind, and the oldest go first.
const WAITING: usize = 32;

/// An uncompressed point of P-256.
const POINT: usize = 65;

/// A secret as it passes. All three are base64.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct Sealed {
    /// The public key that it was sealed to.
    pub sealed_to: String,
    /// The sender's public key, made for this one secret.
    pub sender: String,
    /// Ciphertext and tag.
    pub ciphertext: String,
}

/// This process's keys that were offered and not yet used. Each opens one secret.
#[derive(Default)]
pub struct SealingKeys(Mutex<VecDeque<([u8; POINT], PrivateKey)>>);

impl SealingKeys {
    /// Makes a key and answers its public half.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn offer(&self) -> Result<String, Failure> {
        let (public, private) = pair().map_err(|Unspecified| no_key())?;
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING {
            waiting.pop_front();
        }
        waiting.push_back((public, private));
        Ok(STANDARD.encode(public))
    }

    /// Opens what was sealed to one of the offered keys, which is then used up.
    ///
    /// # Errors
    /// When the key was used or never offered, or a bit was changed on the way.
    pub fn open(&self, sealed: Sealed) -> Result<SecretString, Failure> {
        let public = point(&sealed.sealed_to)?;
        let private = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let at = waiting.iter().position(|(offered, _)| *offered == public).ok_or_else(not_whole)?;
            waiting.remove(at).ok_or_else(not_whole)?.1
        };
        let sender = point(&sealed.sender)?;
        let mut text = Zeroizing::new(STANDARD.decode(&sealed.ciphertext).map_err(|_| not_whole())?);
        let key = key(&private, &sender, &public, &sender).map_err(|Unspecified| not_whole())?;
        let length = key.open_in_place(nonce(), Aad::empty(), &mut text).map_err(|Unspecified| not_whole())?.len();
        text.truncate(length);
        let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|_| not_whole())?;
        Ok(SecretString::from(text))
    }
}

/// The page, as the one an answer is sealed to.
pub struct Recipient([u8; POINT]);

impl Recipient {
    /// Reads the page's public key.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(public: &str) -> Result<Self, Failure> {
        let public = point(public)?;
        // A point that is not on the curve is refused here, before there is something to seal.
        let (_, private) = pair().map_err(|Unspecified| no_key())?;
        key(&private, &public, &public, &public).map_err(|Unspecified| not_whole())?;
        Ok(Self(public))
    }

    /// Seals a value as JSON.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn seal_json(&self, value: &impl Serialize) -> Result<Sealed, Failure> {
        let mut text = Zeroizing::new(serde_json::to_vec(value).map_err(|_| no_key())?);
        let sender = self.seal(&mut text).map_err(|Unspecified| no_key())?;
        Ok(Sealed { sealed_to: STANDARD.encode(self.0), sender: STANDARD.encode(sender), ciphertext: STANDARD.encode(&*text) })
    }

    fn seal(&self, text: &mut Vec<u8>) -> Result<[u8; POINT], Unspecified> {
        let (sender, private) = pair()?;
        key(&private, &self.0, &self.0, &sender)?.seal_in_place_append_tag(nonce(), Aad::empty(), text)?;
        Ok(sender)
    }
}

fn pair() -> Result<([u8; POINT], PrivateKey), Unspecified> {
    let private = PrivateKey::generate(&ECDH_P256)?;
    let public = private.compute_public_key()?.as_ref().try_into().map_err(|_| Unspecified)?;
    Ok((public, private))
}

/// The key that both sides come to. It depends on both public keys, so each secret has one of its own.
fn key(private: &PrivateKey, other: &[u8], sealed_to: &[u8], sender: &[u8]) -> Result<LessSafeKey, Unspecified> {
    let purpose = [PURPOSE, sealed_to, sender];
    agree(private, UnparsedPublicKey::new(&ECDH_P256, other), Unspecified, |shared| {
        let mut bytes = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, &[]).extract(shared).expand(&purpose, HKDF_SHA256)?.fill(&mut *bytes)?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes)?))
    })
}

/// Every key seals one text only, so its nonce need not differ from any other's.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn point(base64: &str) -> Result<[u8; POINT], Failure> {
    STANDARD.decode(base64).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(not_whole)
}

fn not_whole() -> Failure {
    Failure {
        code: "E-WINDOW-SEAL".into(),
        sentence: "What was typed did not arrive whole.".into(),
        remedy: "Type it again.".into(),
        field: None,
    }
}

fn no_key() -> Failure {
    Failure {
        code: "E-WINDOW-KEY".into(),
        sentence: "No key could be made to carry a secret between the window and the console.".into(),
        remedy: "Start the console again.".into(),
        field: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use secrecy::ExposeSecret;

    /// A text sealed as the page does it.
    fn sealed(text: &str, to: &str) -> Sealed {
        let mut bytes = text.as_bytes().to_vec();
        let sender = Recipient::parse(to).unwrap().seal(&mut bytes).unwrap();
        Sealed { sealed_to: to.into(), sender: STANDARD.encode(sender), ciphertext: STANDARD.encode(bytes) }
    }

    #[test]
    fn what_is_sealed_to_an_offered_key_opens_once() {
        let keys = SealingKeys::default();
        let to = keys.offer().unwrap();
        let passing = sealed("a key of Zoë's", &to);
        // Letters with a space, which base64 cannot hold, so that no chance makes them appear.
        assert!(!serde_json::to_string(&passing).unwrap().contains("y o"));
        assert_eq!(keys.open(passing.clone()).unwrap().expose_secret(), "a key of Zoë's");
        assert_eq!(keys.open(passing).unwrap_err().code, "E-WINDOW-SEAL");
    }

    #[test]
    fn nothing_opens_that_was_changed_or_sealed_to_another() {
        let keys = SealingKeys::default();
        let change: [fn(&mut Sealed); 3] = [
            |sealed| {
                let mut bytes = STANDARD.decode(&sealed.ciphertext).unwrap();
                bytes[0] ^= 1;
                sealed.ciphertext = STANDARD.encode(bytes);
            },
            |sealed| sealed.sender = SealingKeys::default().offer().unwrap(),
            |sealed| sealed.sealed_to = SealingKeys::default().offer().unwrap(),
        ];
        for change in change {
            let mut passing = sealed("correct horse battery staple", &keys.offer().unwrap());
            change(&mut passing);
            assert_eq!(keys.open(passing).unwrap_err().code, "E-WINDOW-SEAL");
        }
    }

    #[test]
    fn an_answer_opens_for_its_recipient() {
        let keys = SealingKeys::default();
        let recipient = Recipient::parse(&keys.offer().unwrap()).unwrap();
        let answer = recipient.seal_json(&["ABCD-EFGH", "IJKL-MNOP"]).unwrap();
        assert_eq!(keys.open(answer).unwrap().expose_secret(), r#"["ABCD-EFGH","IJKL-MNOP"]"#);
    }

    #[test]
    fn a_point_off_the_curve_is_nobody() {
        let nobody = STANDARD.encode([4; POINT]);
        assert_eq!(Recipient::parse(&nobody).err().unwrap().code, "E-WINDOW-SEAL");
    }

    #[test]
    fn keys_that_were_never_used_do_not_pile_up() {
        let keys = SealingKeys::default();
        let first = keys.offer().unwrap();
        for _ in 0..WAITING {
            keys.offer().unwrap();
        }
        assert!(keys.open(sealed("too late", &first)).is_err());
        assert_eq!(keys.0.lock().unwrap().len(), WAITING);
    }
}
