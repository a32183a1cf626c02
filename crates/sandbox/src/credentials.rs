//! What opens a tenant by a secret or a key of an administrator's, made from the tenant's fields and what the login option
//! says of them.

use crate::{
    SandboxError,
    door::Door,
    key::{Registered, Seen},
    served::Credential,
    tenant::Places,
    token_endpoint::{Dpop, Expects, Grant, Proof, TokenEndpoint},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use catalog::{
    Assertion, ClientAuthentication, ClientCredentials, Endpoint, Format, HostFrom, SandboxTenant, ScopeIn, SecretHeader, SigningKey,
    Strategy,
};

/// A tenant while it is prepared.
pub(crate) struct Opened<'a> {
    pub(crate) tenant: &'a SandboxTenant,
    pub(crate) places: &'a Places<'a>,
    /// Whose tokens these are: `okta/risky`.
    pub(crate) name: &'a str,
}

type Opening = Result<(Credential, Option<Door>), SandboxError>;

impl Opened<'_> {
    /// The value of a field, or of a member of a key file, in the form that is stored.
    fn value(&self, name: &str) -> Result<String, SandboxError> {
        let absent = || SandboxError::CredentialAbsent { tenant: self.name.to_owned(), field: name.to_owned() };
        let (field, member) = name.split_once('.').map_or((name, None), |(field, member)| (field, Some(member)));
        let value = self.places.fields.get(field).filter(|value| !value.is_empty()).ok_or_else(absent)?;
        match member {
            Some(member) => Format::member(value, member).map(|text| text.as_str().to_owned()).ok_or_else(absent),
            None => {
                let known = self.places.login.fields.iter().find(|known| known.id == field);
                Ok(known.and_then(|known| known.format.check(&known.choices, value).ok()).unwrap_or_else(|| value.clone()))
            }
        }
    }

    /// A template over fields and members; `None` where one is not given.
    fn text(&self, template: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&self.value(name).ok()?);
            rest = after;
        }
        Some(filled + rest)
    }

    /// The same where it has to be whole.
    fn whole(&self, template: &str) -> Result<String, SandboxError> {
        self.text(template).ok_or_else(|| SandboxError::CredentialAbsent { tenant: self.name.to_owned(), field: template.to_owned() })
    }

    pub(crate) fn headers(&self, headers: &[SecretHeader]) -> Opening {
        let made = headers.iter().map(|header| {
            let value = self.value(&header.field)?;
            Ok((header.name.clone(), format!("{}{value}{}", header.before, header.after)))
        });
        Ok((Credential::Headers(made.collect::<Result<_, SandboxError>>()?), None))
    }

    pub(crate) fn basic(&self, user: &str, password: &str) -> Opening {
        let header = basic(&self.whole(user)?, &self.value(password)?);
        Ok((Credential::Headers(vec![("authorization".to_owned(), header)]), None))
    }

    pub(crate) fn client_credentials(&self, strategy: &ClientCredentials) -> Opening {
        let client_id = strategy.client_id.as_ref().map(|field| self.value(field)).transpose()?;
        let tokens = self.tenant.tokens.clone().unwrap_or_default();
        let (proof, dpop) = match &strategy.authenticate {
            ClientAuthentication::Post { secret } => (Proof::Secret(self.value(secret)?), Dpop::Ignored),
            ClientAuthentication::Basic { secret } => {
                let encoded = |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
                let header = basic(&encoded(client_id.as_deref().unwrap_or_default()), &encoded(&self.value(secret)?));
                (Proof::Header(header), Dpop::Ignored)
            }
            ClientAuthentication::PrivateKey(proof) => {
                let dpop = if proof.dpop && tokens.dpop { Dpop::Wanted { nonces: tokens.nonces } } else { Dpop::Ignored };
                (Proof::Key(self.registered(&proof.key)?), dpop)
            }
        };
        let parameters = strategy.parameters.iter().filter_map(|(name, template)| Some((name.clone(), self.text(template)?)));
        let expects = Expects::Client { client_id, proof, grant_type: strategy.grant_type.clone(), parameters: parameters.collect() };
        self.endpoint(&strategy.endpoint, expects, &strategy.scope, strategy.host_from.as_ref(), dpop, self.value(strategy.secret())?)
    }

    pub(crate) fn assertion(&self, strategy: &Assertion) -> Opening {
        let grant = Grant {
            key: self.registered(&strategy.key)?,
            issuer: self.whole(&strategy.issuer)?,
            subject: self.text(&strategy.subject).filter(|subject| !subject.is_empty()),
            audience: self.whole(&strategy.audience)?,
            claims: strategy.claims.iter().filter_map(|(name, template)| Some((name.clone(), self.text(template)?))).collect(),
            scope_in_claims: strategy.scope_in == ScopeIn::Claims,
            client_id: strategy.client_id.as_ref().map(|name| self.value(name)).transpose()?,
            client_secret: strategy.client_secret.as_ref().map(|name| self.value(name)).transpose()?,
        };
        let secret = self.value(&strategy.key.private_key)?;
        self.endpoint(
            &strategy.endpoint,
            Expects::Grant(Box::new(grant)),
            &strategy.scope,
            strategy.host_from.as_ref(),
            Dpop::Ignored,
            secret,
        )
    }

    fn registered(&self, key: &SigningKey) -> Result<Registered, SandboxError> {
        let passphrase = key.passphrase.as_ref().and_then(|name| self.value(name).ok());
        let kid = key.kid.as_ref().and_then(|template| self.text(template));
        let text = self.value(&key.private_key)?;
        Registered::of(&text, passphrase.as_deref(), kid, key.algorithm).map_err(|problem| SandboxError::FieldMalformed {
            tenant: self.name.to_owned(),
            field: key.private_key.clone(),
            problem,
        })
    }

    fn endpoint(&self, at: &Endpoint, expects: Expects, scope: &str, host_from: Option<&HostFrom>, dpop: Dpop, secret: String) -> Opening {
        let role = self.places.login.roles.iter().find(|role| role.id == at.role);
        let unknown = || SandboxError::HostUnknown { tenant: self.name.to_owned(), host: at.role.clone(), path: at.path.clone() };
        let role = role.ok_or_else(unknown)?;
        let tokens = self.tenant.tokens.clone().unwrap_or_default();
        let endpoint = TokenEndpoint {
            tenant: self.name.to_owned(),
            // The vendor exchanges in every region.
            hosts: role.hosts.iter().flat_map(|template| self.places.every(template)).collect(),
            path: format!("{}{}", role.prefix, self.text(&at.path).ok_or_else(unknown)?),
            expects,
            scope: scope.to_owned(),
            grants: tokens.grants,
            lifetime_seconds: tokens.lifetime_seconds,
            names: host_from.map(|from| (from.member.clone(), format!("https://{}", named_host(self.tenant, from)))),
            dpop,
            seen: Seen::default(),
        };
        let credential = match dpop {
            Dpop::Ignored => Credential::Issued { secret },
            Dpop::Wanted { .. } => Credential::Bound { secret, seen: Seen::default() },
        };
        Ok((credential, Some(Door::Token(Box::new(endpoint)))))
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// The host that a tenant's token endpoint names.
pub(crate) fn named_host(tenant: &SandboxTenant, from: &HostFrom) -> String {
    let usual = || format!("{}{}", tenant.id, from.suffixes.first().map_or("", String::as_str));
    tenant.tokens.as_ref().and_then(|tokens| tokens.host.clone()).unwrap_or_else(usual)
}

/// Which role's host the token endpoint of a login option names.
pub(crate) fn host_from(strategy: &Strategy) -> Option<&HostFrom> {
    match strategy {
        Strategy::ClientCredentials(strategy) => strategy.host_from.as_ref(),
        Strategy::Assertion(strategy) => strategy.host_from.as_ref(),
        Strategy::AuthorizationCode(strategy) => strategy.host_from.as_ref(),
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::Okta(_)
        | Strategy::Entra(_)
        | Strategy::DeviceCode(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_) => None,
    }
}
