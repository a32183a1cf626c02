//! How tenants are signed in to by people, GitHub Apps, Snowflake users and through Microsoft Entra ID.

use crate::{
    SandboxError,
    authorize::{Authorize, Spot, Way},
    desk::Desk,
    door::Door,
    entra::{Entra, Proof},
    github_app::{GithubAppDoor, permissions, verifier},
    served::Credential,
    snowflake_jwt::KeyPairUser,
    tenant::Places,
};
use catalog::{
    AuthorizationCode, DeviceCode, Endpoint, EntraFlow, EntraSignIn, GithubApp, HostFrom, SandboxTenant, SecretBy, SnowflakeKeyPair,
};
use sha2::{Digest, Sha256};
use std::sync::Mutex;

/// What opens a tenant, and how it is come by.
pub(crate) type Opened = (Credential, Option<Door>);

/// A tenant that is being prepared.
pub(crate) struct Preparing<'a> {
    pub(crate) tenant: &'a SandboxTenant,
    pub(crate) places: &'a Places<'a>,
    pub(crate) name: &'a str,
}

impl Preparing<'_> {
    fn field(&self, id: &str) -> Result<String, SandboxError> {
        let absent = || SandboxError::CredentialAbsent { tenant: self.name.to_owned(), field: id.to_owned() };
        self.places.text(&format!("{{{id}}}")).filter(|value| !value.is_empty()).ok_or_else(absent)
    }

    fn spot(&self, endpoint: &Endpoint) -> Result<Spot, SandboxError> {
        let host_unknown =
            || SandboxError::HostUnknown { tenant: self.name.to_owned(), host: endpoint.role.clone(), path: endpoint.path.clone() };
        let login = self.places.login;
        let role = login.roles.iter().find(|role| role.id == endpoint.role).ok_or_else(host_unknown)?;
        // The vendor answers in every region.
        let hosts = role.hosts.iter().flat_map(|template| self.places.every(template)).collect();
        let path = self.places.text(&endpoint.path).ok_or_else(host_unknown)?;
        Ok(Spot { hosts, path: format!("{}{path}", role.prefix) })
    }

    /// What tells tenants with a credential that the vendor issues.
    fn issued(&self, of: &str) -> Credential {
        Credential::Issued { secret: format!("{} {of}", self.tenant.login) }
    }

    fn named(&self, from: Option<&HostFrom>) -> Option<(String, String)> {
        let from = from?;
        let host = self.places.of_role(&from.role).into_iter().next()?;
        Some((from.member.clone(), format!("https://{host}")))
    }

    pub(crate) fn authorization_code(&self, strategy: &AuthorizationCode) -> Result<Opened, SandboxError> {
        let client_id = self.field(&strategy.client_id)?;
        let secret = match &strategy.client_secret {
            Some(field) => Some((self.field(field)?, strategy.authenticate)),
            None => None,
        };
        let way = Way::Page { authorize: self.spot(&strategy.authorize)?, redirect: strategy.redirect.clone(), pkce: strategy.pkce };
        let token = self.spot(&strategy.token)?;
        Ok(self.person(way, token, client_id, secret, &strategy.scope, self.named(strategy.host_from.as_ref())))
    }

    pub(crate) fn device_code(&self, strategy: &DeviceCode) -> Result<Opened, SandboxError> {
        let client_id = self.field(&strategy.client_id)?;
        let way = Way::Device { device: self.spot(&strategy.device)? };
        Ok(self.person(way, self.spot(&strategy.token)?, client_id, None, &strategy.scope, None))
    }

    fn person(
        &self,
        way: Way,
        token: Spot,
        client_id: String,
        secret: Option<(String, SecretBy)>,
        scope: &str,
        names: Option<(String, String)>,
    ) -> Opened {
        let credential = self.issued(&client_id);
        let desk = Desk::new(self.name, self.tenant.sign_in.authorize.clone());
        let door = Authorize { tenant: self.name.to_owned(), way, token, client_id, secret, scope: scope.to_owned(), names, desk };
        (credential, Some(Door::Person(Box::new(door))))
    }

    pub(crate) fn github_app(&self, strategy: &GithubApp) -> Result<Opened, SandboxError> {
        let app_id = self.field(&strategy.app_id)?;
        let (key, _) = verifier(self.name, &strategy.private_key, &self.field(&strategy.private_key)?, None)?;
        let Spot { hosts, path } = self.spot(&Endpoint { role: strategy.role.clone(), path: String::new() })?;
        let options = &self.tenant.sign_in.installation;
        let credential = self.issued(&app_id);
        let door = GithubAppDoor {
            tenant: self.name.to_owned(),
            hosts,
            prefix: path,
            app_id,
            organization: self.field(&strategy.organization)?,
            key,
            state: options.state,
            permissions: permissions(options, &strategy.permissions),
        };
        Ok((credential, Some(Door::GithubApp(Box::new(door)))))
    }

    pub(crate) fn snowflake(&self, strategy: &SnowflakeKeyPair) -> Result<Opened, SandboxError> {
        let passphrase = strategy.passphrase.as_ref().map(|field| self.field(field)).transpose().ok().flatten();
        let text = self.field(&strategy.private_key)?;
        let (key, public) = verifier(self.name, &strategy.private_key, &text, passphrase.as_deref())?;
        let user = KeyPairUser::new(&self.field(&strategy.account)?, &self.field(&strategy.user)?, key, &public);
        Ok((Credential::KeyPair(Box::new(user)), None))
    }

    pub(crate) fn entra(&self, strategy: &EntraSignIn) -> Result<Opened, SandboxError> {
        let (named, client_id) = (self.field(&strategy.tenant)?, self.field(&strategy.client_id)?.to_lowercase());
        let options = &self.tenant.sign_in;
        let is_guid = |text: &str| text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let id = match &options.entra.tenant_id {
            Some(id) => id.to_lowercase(),
            None if is_guid(&named) => named.to_lowercase(),
            None => guid_of(&named),
        };
        let proof = match &strategy.flow {
            EntraFlow::Secret { secret } => Proof::Secret(self.field(secret)?),
            EntraFlow::Certificate { pem } => Proof::certificate(self.name, pem, &self.field(pem)?)?,
            EntraFlow::DeviceCode | EntraFlow::Browser => Proof::Nothing,
        };
        let Spot { hosts, .. } = self.spot(&Endpoint { role: strategy.authority.clone(), path: String::new() })?;
        let credential = self.issued(&format!("{id} {client_id}"));
        let door = Entra {
            tenant: self.name.to_owned(),
            hosts,
            domain: (!is_guid(&named)).then_some(named),
            id,
            client_id,
            proof,
            scope: strategy.scope.clone(),
            roles: options.entra.roles.clone().unwrap_or_else(|| self.places.login.needs.clone()),
            government: options.entra.government,
            desk: Desk::new(self.name, options.authorize.clone()),
            used: Mutex::default(),
        };
        Ok((credential, Some(Door::Entra(Box::new(door)))))
    }
}

/// A GUID that stands for a domain.
fn guid_of(domain: &str) -> String {
    let hex = hex::encode(Sha256::digest(domain.to_lowercase()));
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}
