//! A GitHub App's sign-in: its own token, verified by a library, finds the installation and is given a token of it, as
//! <https://docs.github.com/en/rest/apps/apps> describes.

use crate::{
    SandboxError,
    answer::Asked,
    door::{Caller, DoorAnswer, Knows},
    token::{Issue, Use},
};
use catalog::{InstallationState, PrivateKey, SandboxInstallation};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// An app's own token is taken for ten minutes at most.
const LONGEST: i64 = 600;
/// Seconds that a token of an installation lives.
const LIFE: i64 = 3600;

pub(crate) struct GithubAppDoor {
    pub(crate) tenant: String,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) prefix: String,
    pub(crate) app_id: String,
    pub(crate) organization: String,
    pub(crate) key: DecodingKey,
    pub(crate) state: InstallationState,
    pub(crate) permissions: BTreeMap<String, String>,
}

/// The public half of a tenant's RSA key, for verifying.
pub(crate) fn verifier(tenant: &str, field: &str, text: &str, passphrase: Option<&str>) -> Result<(DecodingKey, Vec<u8>), SandboxError> {
    use aws_lc_rs::{
        encoding::{AsDer, PublicKeyX509Der},
        signature::{KeyPair, RsaKeyPair},
    };
    let malformed = |problem: String| SandboxError::FieldMalformed { tenant: tenant.to_owned(), field: field.to_owned(), problem };
    let key = PrivateKey::parse(text, passphrase).map_err(|problem| malformed(problem.to_string()))?;
    let pair = RsaKeyPair::from_der(key.der()).map_err(|_| malformed("It is no RSA key.".to_owned()))?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| malformed("It has no public half.".to_owned()))?;
    Ok((DecodingKey::from_rsa_der(pair.public_key().as_ref()), public.as_ref().to_vec()))
}

/// The permissions of an installation: the tenant's, or those that are asked for.
pub(crate) fn permissions(options: &SandboxInstallation, wanted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    options.permissions.clone().unwrap_or_else(|| wanted.clone())
}

impl GithubAppDoor {
    fn id(&self) -> u64 {
        let digest = Sha256::digest(&self.tenant);
        digest.iter().take(3).fold(40_000_000, |id, byte| id * 256 % 90_000_000 + u64::from(*byte))
    }

    fn is_installation(&self, asked: &Asked) -> bool {
        asked.path.eq_ignore_ascii_case(&format!("{}/orgs/{}/installation", self.prefix, self.organization))
    }

    fn is_tokens(&self, asked: &Asked) -> bool {
        asked.path == format!("{}/app/installations/{}/access_tokens", self.prefix, self.id())
    }

    fn is_an_app(&self, asked: &Asked) -> bool {
        asked.path.starts_with(&format!("{}/app/installations/", self.prefix)) || asked.path.ends_with("/installation")
    }

    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        if !self.hosts.contains(&asked.host) || !self.is_an_app(asked) {
            Knows::No
        } else if own_claims(asked).is_some_and(|claims| claims.get("iss").is_some_and(|iss| is_id(iss, &self.app_id))) {
            Knows::Surely
        } else {
            Knows::Perhaps
        }
    }

    pub(crate) fn answer(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let Caller { asked, now, account, .. } = caller;
        if !self.hosts.contains(&asked.host) || !self.is_an_app(asked) {
            return None;
        }
        if account.revoked || !self.is_signed(asked, *now) {
            return Some(refuse(401, "A JSON web token could not be decoded"));
        }
        if self.state == InstallationState::Absent {
            return Some(refuse(404, "Not Found"));
        }
        let suspended = self.state == InstallationState::Suspended;
        if self.is_installation(asked) && asked.method == "GET" {
            return Some(DoorAnswer::json(
                200,
                &json!({
                    "id": self.id(),
                    "account": {"login": self.organization, "type": "Organization"},
                    "repository_selection": "all",
                    "app_id": self.app_id.parse::<u64>().unwrap_or(1),
                    "target_type": "Organization",
                    "permissions": self.permissions,
                    "suspended_at": if suspended { json!("2026-01-01T00:00:00Z") } else { Value::Null },
                }),
            ));
        }
        if !self.is_tokens(asked) || asked.method != "POST" {
            return Some(refuse(404, "Not Found"));
        }
        if suspended {
            return Some(refuse(403, "This installation has been suspended"));
        }
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let rank = |level: &str| ["read", "write", "admin"].iter().position(|known| *known == level);
        let mut granted = Map::new();
        match body.get("permissions").and_then(Value::as_object) {
            // Without a list the token may do all that the installation may.
            None => granted.extend(self.permissions.iter().map(|(name, level)| (name.clone(), json!(level)))),
            Some(wanted) => {
                for (name, level) in wanted {
                    let has = self.permissions.get(name).and_then(|level| rank(level));
                    if !matches!((level.as_str().and_then(rank), has), (Some(wanted), Some(has)) if wanted <= has) {
                        return Some(refuse(422, "The permissions requested are not granted to this installation."));
                    }
                    granted.insert(name.clone(), level.clone());
                }
            }
        }
        let names: Vec<&str> = granted.keys().map(String::as_str).collect();
        let issue = Issue { purpose: Use::Access, round: account.round, of: &names.join(" "), seconds: LIFE };
        let ends = now.checked_add(SignedDuration::from_secs(LIFE)).unwrap_or(*now);
        let ends = Timestamp::from_second(ends.as_second()).unwrap_or(ends);
        Some(DoorAnswer::json(
            201,
            &json!({
                "token": issue.mint(&self.tenant, *now),
                "expires_at": ends.to_string(),
                "permissions": granted,
                "repository_selection": "all",
            }),
        ))
    }

    /// The app's own token: signature and issuer by a library, the times by GitHub's rules and this sandbox's clock.
    fn is_signed(&self, asked: &Asked, now: Timestamp) -> bool {
        let Some(token) = bearer(asked) else { return false };
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_required_spec_claims::<&str>(&[]);
        rules.validate_exp = false;
        rules.validate_aud = false;
        let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &self.key, &rules) else { return false };
        let time = |name: &str| decoded.claims.get(name).and_then(Value::as_i64);
        let (Some(iat), Some(exp)) = (time("iat"), time("exp")) else { return false };
        let now = now.as_second();
        decoded.claims.get("iss").is_some_and(|iss| is_id(iss, &self.app_id)) && iat <= now && exp > now && exp - now <= LONGEST
    }
}

/// GitHub takes the app's id as a number and as text.
fn is_id(iss: &Value, id: &str) -> bool {
    iss.as_str() == Some(id) || iss.as_u64().is_some_and(|number| number.to_string() == id)
}

pub(crate) fn bearer(asked: &Asked) -> Option<&str> {
    asked.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "))
}

/// What a JSON Web Token says of itself; not verified, for telling tenants apart.
pub(crate) fn own_claims(asked: &Asked) -> Option<Map<String, Value>> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = bearer(asked)?.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn refuse(status: u16, message: &str) -> DoorAnswer {
    DoorAnswer::json(
        status,
        &json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
    )
}
