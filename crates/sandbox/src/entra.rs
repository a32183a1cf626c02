//! A simulated Microsoft Entra ID: the tenant's public description, and its token, authorize and device-code endpoints, which
//! verify secrets, certificates' assertions and PKCE as the real ones do
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/>).

use crate::{
    SandboxError,
    answer::{Asked, pairs},
    desk::{Desk, Given, INTERVAL, Refused},
    door::{Caller, DoorAnswer, Knows},
    token::{Issue, Use},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use url::Url;
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

/// An assertion is taken for ten minutes at most.
const LONGEST_ASSERTION: i64 = 600;

/// Where a device code is typed.
const DEVICE_PAGE: &str = "/common/oauth2/deviceauth";

/// What proves the application.
pub(crate) enum Proof {
    Secret(String),
    Certificate {
        /// `x5t#S256`.
        thumbprint: String,
        key: Box<DecodingKey>,
    },
    /// A public client: a person signs in.
    Nothing,
}

/// A tenant with one app registration.
pub(crate) struct Entra {
    pub(crate) tenant: String,
    pub(crate) hosts: BTreeSet<String>,
    /// The tenant's id, a GUID in lower case, and the domain that may stand in its place.
    pub(crate) id: String,
    pub(crate) domain: Option<String>,
    pub(crate) client_id: String,
    pub(crate) proof: Proof,
    /// What may be asked for; words divided by spaces.
    pub(crate) scope: String,
    pub(crate) roles: Vec<String>,
    pub(crate) government: bool,
    pub(crate) desk: Desk,
    pub(crate) used: Mutex<BTreeSet<String>>,
}

impl Proof {
    /// The certificate of a tenant's field, whose key signs.
    pub(crate) fn certificate(tenant: &str, field: &str, pem: &str) -> Result<Self, SandboxError> {
        let malformed = |problem: &str| SandboxError::FieldMalformed {
            tenant: tenant.to_owned(),
            field: field.to_owned(),
            problem: problem.to_owned(),
        };
        let blocks: Vec<Pem> =
            Pem::iter_from_buffer(pem.as_bytes()).collect::<Result<_, _>>().map_err(|_| malformed("This is not PEM text."))?;
        let block = blocks.iter().find(|block| block.label == "CERTIFICATE").ok_or_else(|| malformed("There is no certificate."))?;
        let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| malformed("The certificate cannot be read."))?;
        Ok(Self::Certificate {
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&block.contents)),
            key: Box::new(DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data)),
        })
    }
}

impl Entra {
    fn is_tenant(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.id) || self.domain.as_ref().is_some_and(|domain| name.eq_ignore_ascii_case(domain))
    }

    /// The tenant that a path names, and what is asked of it.
    fn split(asked: &Asked) -> Option<(&str, &str)> {
        asked.path.strip_prefix('/')?.split_once('/')
    }

    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        let Some((named, _)) = Self::split(asked).filter(|_| self.hosts.contains(&asked.host)) else { return Knows::No };
        if !self.is_tenant(named) {
            return Knows::No;
        }
        let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&asked.body)).into_iter().collect();
        let client = asked.parameter("client_id").or_else(|| form.get("client_id").map(String::as_str));
        if client == Some(self.client_id.as_str()) { Knows::Surely } else { Knows::Perhaps }
    }

    pub(crate) fn answer(&self, caller: &Caller<'_>) -> Option<DoorAnswer> {
        let asked = caller.asked;
        if !self.hosts.contains(&asked.host) {
            return None;
        }
        let now = caller.now;
        if asked.path == DEVICE_PAGE {
            return Some(DoorAnswer::html(200, "<!doctype html><html lang=\"en\"><p>Enter the code.</p></html>"));
        }
        let Some((named, endpoint)) = Self::split(asked) else { return Some(refuse(404, "invalid_request", 900_144, now)) };
        if !self.is_tenant(named) {
            return Some(refuse(400, "invalid_tenant", 90002, now));
        }
        let form: BTreeMap<String, String> = pairs(&String::from_utf8_lossy(&asked.body)).into_iter().collect();
        Some(match (asked.method.as_str(), endpoint) {
            ("GET", ".well-known/openid-configuration" | "v2.0/.well-known/openid-configuration") => self.description(&asked.host),
            ("GET", "oauth2/v2.0/authorize") => self.page(caller),
            ("POST", "oauth2/v2.0/devicecode") => self.device(&form, &asked.host, now),
            ("POST", "oauth2/v2.0/token") => self.token(caller, &form),
            _ => refuse(404, "invalid_request", 900_144, now),
        })
    }

    fn description(&self, host: &str) -> DoorAnswer {
        let at = |rest: &str| format!("https://{host}/{}/{rest}", self.id);
        let mut body = json!({
            "token_endpoint": at("oauth2/token"),
            "authorization_endpoint": at("oauth2/authorize"),
            "device_authorization_endpoint": at("oauth2/devicecode"),
            "issuer": format!("https://sts.windows.net/{}/", self.id),
            "tenant_region_scope": if self.government { "USGov" } else { "EU" },
        });
        if self.government {
            body["tenant_region_sub_scope"] = json!("DODCON");
        }
        DoorAnswer::json(200, &body)
    }

    fn may_ask_for(&self, scope: &str) -> bool {
        let known = |word: &str| word == "offline_access" || self.scope.split_whitespace().any(|known| known == word);
        !scope.is_empty() && scope.split_whitespace().all(known)
    }

    /// The page. What is wrong with the client or the way back is shown on it.
    fn page(&self, caller: &Caller<'_>) -> DoorAnswer {
        let Caller { asked, now, account, .. } = caller;
        let shown =
            |status: u16, sentence: &str| DoorAnswer::html(status, format!("<!doctype html><html lang=\"en\"><p>{sentence}</p></html>"));
        if asked.parameter("client_id") != Some(self.client_id.as_str()) {
            return shown(400, "AADSTS700016: there is no such application.");
        }
        // http://localhost with any port and no path.
        let back = asked.parameter("redirect_uri").and_then(|text| Some((text, Url::parse(text).ok()?)));
        let registered =
            |url: &Url| url.scheme() == "http" && url.host_str() == Some("localhost") && url.path() == "/" && url.query().is_none();
        let Some((redirect, mut back)) = back.filter(|(_, url)| registered(url)) else {
            return shown(400, "AADSTS50011: the address to come back to is not registered.");
        };
        let scope = asked.parameter("scope").unwrap_or_default();
        let challenge = asked.parameter("code_challenge").filter(|challenge| challenge.len() == 43);
        let state = asked.parameter("state").unwrap_or_default();
        let mut answer = |pairs: &[(&str, &str)]| {
            back.query_pairs_mut().extend_pairs(pairs).append_pair("state", state);
            DoorAnswer::redirect(back.as_str())
        };
        let described = |number: u32| format!("AADSTS{number}: the simulated tenant refused.");
        if !matches!(self.proof, Proof::Nothing) {
            return answer(&[("error", "invalid_client"), ("error_description", &described(7_000_218))]);
        }
        if challenge.is_none() || asked.parameter("code_challenge_method") != Some("S256") || state.is_empty() {
            return answer(&[("error", "invalid_request"), ("error_description", &described(9_002_325))]);
        }
        if asked.parameter("response_type") != Some("code") {
            return answer(&[("error", "unsupported_response_type"), ("error_description", &described(700_054))]);
        }
        if !self.may_ask_for(scope) {
            return answer(&[("error", "invalid_scope"), ("error_description", &described(70011))]);
        }
        if account.denied || account.revoked {
            return answer(&[("error", "access_denied"), ("error_description", &described(53003))]);
        }
        if !self.desk.options.approve {
            return shown(200, "Somebody has to approve here. A simulated page approves by itself where the tenant says approve = true.");
        }
        answer(&[("code", &self.desk.approve(scope, redirect, challenge, *now))])
    }

    fn device(&self, form: &BTreeMap<String, String>, host: &str, now: Timestamp) -> DoorAnswer {
        if form.get("client_id") != Some(&self.client_id) {
            return refuse(400, "unauthorized_client", 700_016, now);
        }
        if !matches!(self.proof, Proof::Nothing) {
            return refuse(401, "invalid_client", 7_000_218, now);
        }
        let scope = form.get("scope").map(String::as_str).unwrap_or_default();
        if !self.may_ask_for(scope) {
            return refuse(400, "invalid_scope", 70011, now);
        }
        let given = self.desk.begin_device(scope, now);
        DoorAnswer::json(
            200,
            &json!({
                "device_code": given.device_code,
                "user_code": given.user_code,
                "verification_uri": format!("https://{host}{DEVICE_PAGE}"),
                "expires_in": given.expires_in,
                "interval": INTERVAL,
                "message": "To sign in, use a web browser.",
            }),
        )
    }

    fn token(&self, caller: &Caller<'_>, form: &BTreeMap<String, String>) -> DoorAnswer {
        let Caller { now, account, asked, .. } = caller;
        let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if text("client_id") != self.client_id {
            return refuse(400, "unauthorized_client", 700_016, *now);
        }
        if text("grant_type") == "client_credentials" {
            if let Err((error, number)) = self.proves(asked, form, account.revoked, *now) {
                return refuse(401, error, number, *now);
            }
            if text("scope") != self.scope {
                return refuse(400, "invalid_scope", 70011, *now);
            }
            let claims = Map::from_iter([("roles".to_owned(), json!(self.roles)), ("tid".to_owned(), json!(self.id))]);
            return self.issue(caller, &self.scope, claims, None);
        }
        // A public client that proves itself is refused as one.
        if form.contains_key("client_secret") || form.contains_key("client_assertion") {
            return refuse(401, "invalid_client", 700_025, *now);
        }
        if !matches!(self.proof, Proof::Nothing) {
            return refuse(401, "invalid_client", 7_000_218, *now);
        }
        if account.revoked {
            return refuse(400, "invalid_grant", 50173, *now);
        }
        let given = match text("grant_type") {
            "authorization_code" => {
                let verifier = form.get("code_verifier").map(String::as_str);
                self.desk.redeem(text("code"), text("redirect_uri"), verifier, account.round, *now).map_err(|refused| match refused {
                    Refused::Used => ("invalid_grant", 54005),
                    Refused::Expired => ("invalid_grant", 70008),
                    Refused::Unknown | Refused::Pending | Refused::SlowDown => ("invalid_grant", 70008),
                })
            }
            "urn:ietf:params:oauth:grant-type:device_code" if account.denied => Err(("authorization_declined", 70018)),
            "urn:ietf:params:oauth:grant-type:device_code" => {
                self.desk.poll_device(text("device_code"), account.round, *now).map_err(|refused| match refused {
                    Refused::Pending => ("authorization_pending", 70016),
                    Refused::SlowDown => ("slow_down", 50196),
                    Refused::Expired => ("expired_token", 70019),
                    Refused::Unknown | Refused::Used => ("bad_verification_code", 70018),
                })
            }
            "refresh_token" => self.desk.refresh(text("refresh_token"), account.round, *now).map_err(|_| ("invalid_grant", 700_082)),
            _ => Err(("unsupported_grant_type", 70003)),
        };
        match given {
            Err((error, number)) => refuse(400, error, number, *now),
            Ok(Given { scope, refresh }) => {
                // A token names the permissions without their resource.
                let words = scope.split_whitespace().filter(|word| !["offline_access", "openid", "profile", "email"].contains(word));
                let words: Vec<&str> = words.filter_map(|word| word.rsplit('/').next()).collect();
                let claims = Map::from_iter([("scp".to_owned(), json!(words.join(" "))), ("tid".to_owned(), json!(self.id))]);
                let refresh = refresh
                    .filter(|_| scope.split_whitespace().any(|word| word == "offline_access") || text("grant_type") == "refresh_token");
                self.issue(caller, &scope, claims, refresh)
            }
        }
    }

    /// What proves the application: its secret, or an assertion that its certificate's key signed.
    fn proves(&self, asked: &Asked, form: &BTreeMap<String, String>, revoked: bool, now: Timestamp) -> Result<(), (&'static str, u32)> {
        let given = |name: &str| form.get(name);
        match &self.proof {
            Proof::Nothing => Err(("invalid_client", 700_025)),
            Proof::Secret(_) if revoked => Err(("invalid_client", 7_000_222)),
            Proof::Secret(secret) => match (given("client_secret"), given("client_assertion")) {
                (Some(text), None) if text == secret => Ok(()),
                (Some(_), None) => Err(("invalid_client", 7_000_215)),
                (None | Some(_), _) => Err(("invalid_client", 7_000_218)),
            },
            Proof::Certificate { thumbprint, key } => {
                let signed = given("client_assertion").ok_or(("invalid_client", 7_000_218))?;
                let bad = ("invalid_client", 700_027);
                if revoked
                    || given("client_assertion_type").map(String::as_str) != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                {
                    return Err(bad);
                }
                let header = jsonwebtoken::decode_header(signed).map_err(|_| bad)?;
                if header.x5t_s256.as_ref() != Some(thumbprint) {
                    return Err(bad);
                }
                let mut rules = Validation::new(Algorithm::PS256);
                rules.set_audience(&[format!("https://{}{}", asked.host, asked.path)]);
                rules.set_issuer(&[&self.client_id]);
                rules.sub = Some(self.client_id.clone());
                rules.set_required_spec_claims(&["aud", "iss", "sub", "exp", "nbf"]);
                // By this tenant's clock, below.
                rules.validate_exp = false;
                rules.validate_nbf = false;
                let claims = jsonwebtoken::decode::<Value>(signed, key, &rules).map_err(|_| bad)?.claims;
                let time = |name: &str| claims.get(name).and_then(Value::as_i64).ok_or(bad);
                let (exp, nbf, now) = (time("exp")?, time("nbf")?, now.as_second());
                if exp <= now || nbf > now + 1 || exp - nbf > LONGEST_ASSERTION {
                    return Err(("invalid_client", 700_024));
                }
                let jti = claims.get("jti").and_then(Value::as_str).ok_or(bad)?;
                let fresh = self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(jti.to_owned());
                if fresh { Ok(()) } else { Err(bad) }
            }
        }
    }

    fn issue(&self, caller: &Caller<'_>, scope: &str, claims: Map<String, Value>, refresh: Option<String>) -> DoorAnswer {
        let Caller { now, account, .. } = caller;
        let seconds = self.desk.options.lifetime_seconds.unwrap_or(3600);
        let issue = Issue { purpose: Use::Access, round: account.round, of: scope, seconds: i64::from(seconds) };
        let mut body = json!({
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": scope,
            "access_token": issue.mint_with(&self.tenant, *now, &claims),
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        DoorAnswer::json(200, &body)
    }
}

/// A refusal in Microsoft's form.
fn refuse(status: u16, error: &str, number: u32, now: Timestamp) -> DoorAnswer {
    DoorAnswer::json(
        status,
        &json!({
            "error": error,
            "error_description": format!("AADSTS{number}: the simulated tenant refused."),
            "error_codes": [number],
            "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            "trace_id": "00000000-0000-4000-8000-000000000001",
            "correlation_id": "00000000-0000-4000-8000-000000000002",
        }),
    )
}
