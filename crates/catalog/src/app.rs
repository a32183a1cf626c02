//! An application (a tile), its login options and their fields: `app.toml`.

use crate::{
    AuthorizationCode, Check, CheckKind, Dataset, DeviceCode, EachOver, FieldPath, GithubApp, Inventory, Place, Says, SnowflakeKeyPair,
    View,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One SaaS product of the catalog, whole.
#[derive(Debug, Clone)]
pub struct App {
    /// Stable name in data and on the command line, `^[a-z0-9][a-z0-9-]*$`; the folder's name.
    pub slug: String,
    /// The product's name as its vendor writes it.
    pub name: String,
    /// The company that makes it.
    pub vendor: String,
    /// Where the tile is filed.
    pub category: Category,
    /// The product's public home page.
    pub home: String,
    /// The kinds of scan its checks belong to.
    pub features: Vec<Feature>,
    /// What the connector was verified against.
    pub verified: Verified,
    /// Hosts that links to the vendor's console and documents may point at; templated by fields (`{organization}`).
    pub link_hosts: Vec<String>,
    /// Requests that are refused even if a dataset were to name them, with the reason shown to the administrator.
    pub never: Vec<NeverCalled>,
    /// How this vendor says no, for every dataset; a dataset may add its own, which are asked first.
    pub says: Vec<Says>,
    /// The ways to sign in, the recommended one first.
    pub logins: Vec<Login>,
    /// Ways to sign in that an administrator may look for and that are not there, with the reason.
    pub not_offered: Vec<NotOffered>,
    /// Ways to sign in that it will have: until one is there, its checks are attested by a person. Only where `logins` is empty.
    pub planned: Vec<PlannedLogin>,
    /// The service has ended: one sentence that says so and what to do. Nothing can be onboarded then.
    pub ended: Option<String>,
    /// Checks that are known and not built, with the reason.
    pub left_out: Vec<LeftOut>,
    /// SSCF controls that no check looks at, with the reason.
    pub not_covered: Vec<NotCovered>,
    /// Scopes that hold others, so that too wide a grant can be told from the narrow one that would do.
    pub scopes: Vec<Scope>,
    /// What is read.
    pub datasets: Vec<Dataset>,
    /// What is computed from datasets before checks look at it.
    pub views: Vec<View>,
    /// What is judged; `[[setting]]` rows are expanded into these.
    pub checks: Vec<Check>,
    /// Which rows are accounts and plugins: `[[accounts]]` and `[[plugins]]`.
    pub inventories: Vec<Inventory>,
}

impl App {
    /// The dataset of that id.
    pub fn dataset(&self, id: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.id == id)
    }
    /// The view of that id.
    pub fn view(&self, id: &str) -> Option<&View> {
        self.views.iter().find(|view| view.id == id)
    }
    /// The check of that id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
    /// The login option of that id.
    pub fn login(&self, id: &str) -> Option<&Login> {
        self.logins.iter().find(|login| login.id == id)
    }
    /// Whether a login option has a way to a dataset: the host role it is read from, and the one of each dataset that it is
    /// read per row of.
    pub fn reaches(&self, login: &Login, dataset: &Dataset) -> bool {
        let parent = match dataset.each.as_ref().map(|each| &each.over) {
            Some(EachOver::Dataset { id, .. }) => self.dataset(id),
            Some(EachOver::Field(_)) | None => None,
        };
        login.roles.iter().any(|role| role.id == dataset.host) && parent.is_none_or(|parent| self.reaches(login, parent))
    }
    /// Whether a login option reaches every dataset that a check rests on. A manual check rests on none.
    pub fn feeds(&self, login: &Login, check: &Check) -> bool {
        let reached = |input: &str| self.dataset(input).is_some_and(|dataset| self.reaches(login, dataset));
        check.kind == CheckKind::Manual || self.inputs(check).into_iter().all(reached)
    }
    /// What can be done with it.
    pub fn availability(&self) -> Availability {
        match (self.logins.is_empty(), &self.ended, self.planned.is_empty()) {
            (false, _, _) => Availability::Offered,
            (true, Some(_), _) => Availability::Ended,
            (true, None, false) => Availability::Planned,
            (true, None, true) => Availability::Attested,
        }
    }
    /// Whether too much is left out: more than [`MOST_LEFT_OUT`] per cent of all known checks of an application that is signed in to.
    /// What nobody signs in to yet is exempt.
    pub fn leaves_out_too_much(&self) -> bool {
        !self.logins.is_empty() && self.left_out.len() * 100 > MOST_LEFT_OUT * (self.left_out.len() + self.checks.len())
    }
    /// Whether a scope that is granted makes whatever needs the other one readable: it is the same, or holds it, at any depth.
    pub fn scope_holds(&self, granted: &str, wanted: &str) -> bool {
        let (mut reached, mut next) = (vec![granted], 0);
        while let Some(&scope) = reached.get(next) {
            if scope == wanted {
                return true;
            }
            let held = self.scopes.iter().filter(|known| known.name == scope).flat_map(|known| &known.holds);
            for inner in held {
                if !reached.contains(&inner.as_str()) {
                    reached.push(inner);
                }
            }
            next += 1;
        }
        false
    }
    /// The datasets a check rests on, through its view if it has one.
    pub fn inputs<'a>(&'a self, check: &'a Check) -> Vec<&'a str> {
        match self.view(&check.on) {
            Some(view) => view.inputs(),
            None => vec![check.on.as_str()],
        }
    }
}

/// What can be done with an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It has login options: it is signed in to and scanned.
    Offered,
    /// It will have login options; until then its checks are attested by a person.
    Planned,
    /// It has none and will have none: its checks are attested by a person.
    Attested,
    /// The service has ended: nothing of it can be added.
    Ended,
}

/// Where a tile is filed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Category {
    Identity,
    Productivity,
    Collaboration,
    CustomerService,
    Marketing,
    Sales,
    DeveloperTools,
    Infrastructure,
    Data,
    Security,
    HumanResources,
    Finance,
    Design,
    ProjectManagement,
    Learning,
    Other,
}

/// A kind of scan, in the reference product's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Config Scan: settings of the tenant.
    Config,
    /// Risky Account Scan.
    RiskyAccounts,
    /// 3rd Party Plugins Scan: installed apps, grants, keys, webhooks.
    ThirdPartyPlugins,
    /// Identity: accounts of people and of machines.
    Identity,
}

/// What a connector was verified against; shown on the tile so that nobody takes one for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// The vendor's own machine-readable description.
    Contract,
    /// Answers recorded from the real service.
    Recorded,
    /// Facts gathered from the vendor's prose or its own clients, which nobody promises and no live account confirmed.
    Facts,
    /// Nothing is scanned: settings are attested by a person.
    Manual,
}

/// A request that no scan may ever make.
#[derive(Debug, Clone, Serialize)]
pub struct NeverCalled {
    /// Path template, `/v1/auth/customer/settings`.
    pub path: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// A way to sign in that is known elsewhere and not offered here; shown in the dialog, so that nobody searches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotOffered {
    /// "Log in with Azure AD user and MFA secret key".
    pub label: String,
    /// Why not, in one or two sentences.
    pub reason: String,
    /// What to take in its place.
    pub instead: String,
    /// Where the facts come from.
    pub source: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// A way to sign in that an application will have once its connector is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedLogin {
    /// "API key".
    pub label: String,
    /// One line: what the administrator will need to have.
    pub summary: String,
}

/// A check that is known and not built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The id that it would have: `okta.device.assurance`.
    pub id: String,
    /// What it would judge.
    pub title: String,
    /// Why it is not built: what is missing, in one or two sentences.
    pub reason: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// The share of known checks, in per cent, that an application that is signed in to may leave out.
pub const MOST_LEFT_OUT: usize = 15;

/// A control of the SSCF that no check of the application looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCovered {
    /// `LOG-SaaS-02`.
    pub sscf: String,
    /// Why nothing looks at it, in one or two sentences.
    pub reason: String,
    /// Where that is known from (URL).
    pub source: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// A scope or role that makes readable what others make readable too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// `admin:org`, as the vendor writes it where it tells what is granted.
    pub name: String,
    /// What it holds: `read:org`.
    pub holds: Vec<String>,
    /// Where that is known from (URL).
    pub source: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// One way to sign in.
#[derive(Debug, Clone)]
pub struct Login {
    /// Stable within the application: `api-key`.
    pub id: String,
    /// "API Key", "Log in with Okta".
    pub label: String,
    /// One line: what the administrator needs to have.
    pub summary: String,
    /// The code that signs in.
    pub strategy: Strategy,
    /// What the dialog asks for.
    pub fields: Vec<Field>,
    /// Further credentials, for host roles of their own.
    pub also: Vec<Also>,
    /// Headers with fixed values that every dataset request carries, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Every host that may receive this option's credentials, as templates over fields. The only ones, beside the one that a
    /// token endpoint names ([`crate::HostFrom`]).
    pub hosts: Vec<String>,
    /// Host roles that datasets name (`api`, `org`): the first template whose placeholders are all filled is the host.
    pub roles: Vec<HostRole>,
    /// The dataset that is read to test the connection; it must be readable with any working credential.
    pub test: String,
    /// A choice that the answer to [`Login::test`] settles: the region where the vendor keeps the tenant.
    pub discover: Option<Discover>,
    /// What tells the tenant from others. `None`: nothing that this option reads does, and a credential that replaces another one
    /// is taken at its word.
    pub identity: Option<Identity>,
    /// Roles or scopes the credential should hold, the least that feeds every check.
    pub needs: Vec<String>,
    /// The response header, in lower case, in which the vendor lists the scopes of the credential: `x-oauth-scopes`.
    pub granted_header: Option<String>,
    /// Where the vendor itself tells when the credential ends. `None`: nobody could confirm that it does.
    pub expires: Option<Expires>,
    /// After how long without a use the credential, or the refresh token that a sign-in left, ends by itself. `None`: nobody could
    /// confirm that it does.
    pub unused: Option<Unused>,
    /// How to obtain the credential in the vendor's console, in our own words.
    pub steps: Vec<Step>,
    /// Where the facts come from.
    pub source: String,
    /// Where it is written.
    pub place: Place,
}

/// A named host of a login option.
#[derive(Debug, Clone, Serialize)]
pub struct HostRole {
    /// `api`.
    pub id: String,
    /// Templates over fields, tried in order: `{organization}.api.kustomerapp.com`, `{region}`.
    pub hosts: Vec<String>,
    /// Path put before every dataset's path: `/api/v3`; templated, usually empty.
    pub prefix: String,
}

/// A choice that the vendor's own answer settles, where the administrator left it open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discover {
    /// The field of format [`Format::Choice`] that is settled: `region`.
    pub input: String,
    /// The value of that field that leaves it open: `auto`. With any other value nothing is discovered.
    pub open: String,
    /// The values to sign in with, in order: the next one is tried once when the one before it was refused (401).
    pub tries: Vec<String>,
    /// Path in the row of [`Login::test`] whose value is the field's value: `account.data_center`.
    pub field: FieldPath,
}

/// What tells a vendor's tenant from its others: the values of one field in all rows of one dataset, as a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// A dataset that is read alone and in one request: `org`.
    pub dataset: String,
    /// A kept field of it whose value the vendor gives to one tenant only and never changes: `id`.
    pub field: FieldPath,
}

/// Where a vendor tells when the credential ends that it is asked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expires {
    /// The place.
    pub told: ExpiryPlace,
    /// Where that is known from (URL).
    pub source: String,
}

/// See [`Expires`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExpiryPlace {
    /// In a header of the answer to [`Login::test`]. Without the header nothing is told.
    Header {
        /// Its name in lower case: `github-authentication-token-expiration`.
        name: String,
        /// How the time is written.
        format: crate::TimestampFormat,
    },
    /// In the one row of a dataset. Anything but one row with that field tells nothing; null says that the credential does not end.
    Field {
        /// A dataset that is read alone and in one request: `own-token`.
        dataset: String,
        /// A kept field of it, a timestamp: `expires_at`.
        field: FieldPath,
    },
}

/// What ends by itself when nobody uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// So many days after the last use, 14 to 730.
    pub days: u32,
    /// Where that is known from (URL).
    pub source: String,
}

/// The code that signs in; each is written once in `crates/connect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Strategy {
    /// `Authorization: Bearer <field>` on every dataset request; nothing is exchanged.
    Bearer {
        /// The secret field that holds the token.
        token: String,
    },
    /// A secret of the vendor's own in one or more headers of every dataset request; nothing is exchanged.
    Headers {
        /// The headers, each with one secret field in it.
        headers: Vec<SecretHeader>,
    },
    /// HTTP Basic (RFC 7617) on every dataset request; nothing is exchanged.
    Basic {
        /// The user, as a template over open fields: `{email}/token`.
        user: String,
        /// The secret field that stands as the password.
        password: String,
    },
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4): a long-lived secret or key is exchanged for a short-lived token.
    ClientCredentials(ClientCredentials),
    /// A signed assertion is exchanged for a short-lived token (RFC 7523, section 2.1).
    Assertion(Assertion),
    /// An Okta user signs in with password and one-time code, and is carried on to the application by single sign-on.
    Okta(OktaSignIn),
    /// Microsoft Entra ID (OAuth 2.0).
    Entra(EntraSignIn),
    /// OAuth 2.0 authorization code with PKCE: the person signs in at the vendor's page in the system browser.
    AuthorizationCode(AuthorizationCode),
    /// OAuth 2.0 device code: the person types a short code at the vendor's page, on any device.
    DeviceCode(DeviceCode),
    /// A GitHub App, by its private key.
    GithubApp(GithubApp),
    /// A Snowflake user, by its private key.
    SnowflakeKeyPair(SnowflakeKeyPair),
}

/// A header that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretHeader {
    /// Its name in lower case: `dd-api-key`.
    pub name: String,
    /// Text before the secret: `SSWS `.
    pub before: String,
    /// The secret field.
    pub field: String,
    /// Text behind it, usually none.
    pub after: String,
}

/// What [`Strategy::ClientCredentials`] needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientCredentials {
    /// The token endpoint.
    pub endpoint: crate::Endpoint,
    /// The open field with the client's id, for vendors that want one.
    pub client_id: Option<String>,
    /// What proves the client, and how it is sent.
    pub authenticate: ClientAuthentication,
    /// The value of `grant_type`, usually `client_credentials`.
    pub grant_type: String,
    /// Further fields of the form, as templates over open fields.
    pub parameters: Vec<(String, String)>,
    /// The scope that is asked for; empty asks for none.
    pub scope: String,
    /// Words that the granted scope must hold and others that it must not: a token that may write is not used.
    pub granted: Granted,
    /// The answer names the host of a role.
    pub host_from: Option<crate::HostFrom>,
}

impl ClientCredentials {
    /// The secret field that proves the client: its secret, or its key.
    pub fn secret(&self) -> &str {
        match &self.authenticate {
            ClientAuthentication::Post { secret } | ClientAuthentication::Basic { secret } => secret,
            ClientAuthentication::PrivateKey(proof) => proof.key.field(),
        }
    }
}

/// How a client proves itself to a token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// Its secret in the form (RFC 6749, section 2.3.1).
    Post {
        /// The secret field.
        secret: String,
    },
    /// HTTP Basic with its id and secret, each form-encoded first (the same section).
    Basic {
        /// The secret field.
        secret: String,
    },
    /// A signed assertion (RFC 7523, section 2.2).
    PrivateKey(PrivateKeyProof),
}

/// See [`ClientAuthentication::PrivateKey`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivateKeyProof {
    /// What signs.
    pub key: SigningKey,
    /// Whether tokens are bound to a key that is made for each session (DPoP, RFC 9449). A vendor that answers with a plain
    /// bearer token all the same is taken at that.
    pub dpop: bool,
}

/// A private key of a login option, and how it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SigningKey {
    /// A secret field of format [`Format::PrivateKey`], or a member of one of format [`Format::KeyFile`]:
    /// `service_account.private_key`.
    pub private_key: String,
    /// The secret field or member with its passphrase, if it may be encrypted.
    pub passphrase: Option<String>,
    /// The key's id for the assertion's header, as a template; where it comes to nothing, the id that a JSON Web Key names
    /// itself, if it does.
    pub kid: Option<String>,
    /// The algorithm; the key must be of its kind.
    pub algorithm: SigningAlgorithm,
}

impl SigningKey {
    /// The field that holds the key.
    pub fn field(&self) -> &str {
        self.private_key.split('.').next().unwrap_or_default()
    }
}

/// The algorithms that sign (RFC 7518, section 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum SigningAlgorithm {
    #[default]
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Es256,
}

impl SigningAlgorithm {
    /// As manifests and headers write it.
    pub const WORDS: [(&'static str, Self); 5] =
        [("RS256", Self::Rs256), ("RS384", Self::Rs384), ("RS512", Self::Rs512), ("PS256", Self::Ps256), ("ES256", Self::Es256)];
}

/// What [`Strategy::Assertion`] needs to know. Templates are over open fields and members of key files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assertion {
    /// The token endpoint.
    pub endpoint: crate::Endpoint,
    /// What signs.
    pub key: SigningKey,
    /// `iss`, a template.
    pub issuer: String,
    /// `sub`, a template; empty leaves it out.
    pub subject: String,
    /// `aud`, a template.
    pub audience: String,
    /// The scope that is asked for; empty asks for none.
    pub scope: String,
    /// Where the scope is asked for.
    pub scope_in: ScopeIn,
    /// Further claims, as templates.
    pub claims: Vec<(String, String)>,
    /// The client's id in the form, for vendors that want it there: an open field, or a member of a key file.
    pub client_id: Option<String>,
    /// The client's secret in the form: a secret field, or a member of a key file.
    pub client_secret: Option<String>,
    /// Seconds from the making of an assertion to its end, 30 to 3,600. Usually 300.
    pub lifetime_seconds: u32,
    /// Words that the granted scope must hold and others that it must not.
    pub granted: Granted,
    /// The answer names the host of a role.
    pub host_from: Option<crate::HostFrom>,
}

/// Where an assertion's scope is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeIn {
    /// As the claim `scope`.
    Claims,
    /// As a field of the form.
    Form,
}

impl crate::HostFrom {
    /// The host of a URL, if it is one that may be named: https, a lower-case DNS name under one of the suffixes, nothing but
    /// slashes behind it.
    pub fn host_of(&self, url: &str) -> Option<String> {
        let url = url::Url::parse(url).ok()?;
        let plain = url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|_| plain)?.to_owned();
        crate::format::is_under(&host, &self.suffixes).then_some(host)
    }
}

/// A second credential of a login option, for host roles of its own. Its failure costs their datasets, never the sign-in.
#[derive(Debug, Clone)]
pub struct Also {
    /// The host roles whose datasets it is sent to, and no others.
    pub roles: Vec<String>,
    /// The code that signs in.
    pub strategy: Strategy,
}

/// What a granted scope must come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Granted {
    /// Each of these words must be there.
    pub all_of: Vec<String>,
    /// Each word that is there must be one of these, so that a right that nobody thought of is noticed too. Empty: any.
    pub only: Vec<String>,
    /// None of these may be there.
    pub none_of: Vec<String>,
}

/// What [`Strategy::Okta`] needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OktaSignIn {
    /// The open field with the Okta user.
    pub user: String,
    /// The secret field with the password.
    pub password: String,
    /// The secret field with the MFA secret key.
    pub mfa_key: String,
    /// Host role of the Okta organization; all its filled templates (the okta.com name and a custom domain) belong to it.
    pub okta: String,
    /// Host role of the application that is signed in to. Its hosts, and the other hosts of the login option that are not
    /// Okta's, receive the application's cookies.
    pub app: String,
    /// Where the way to the application begins.
    pub start: OktaStart,
    /// Path prefixes on the application's hosts that a SAML answer may be posted to. Empty: none, the application uses OIDC.
    pub acs: Vec<String>,
    /// Path prefixes on the application's hosts that an authorization code may come back to. Empty: none.
    pub callback: Vec<String>,
}

/// Where the way to an application behind Okta begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OktaStart {
    /// At the application (SP-initiated): its start page sends on to Okta.
    Application {
        /// The page, on [`OktaSignIn::app`].
        path: String,
        /// A request that tells where Okta is asked: its JSON holds a URL on the Okta organization, at whatever place. 404
        /// means that there is none, and the page is followed.
        lookup: Option<OktaLookup>,
    },
    /// At Okta (IdP-initiated): the application's link on the organization's dashboard.
    AppLink {
        /// The open field with the link, if the administrator gave it.
        field: Option<String>,
        /// Part of the application's name by which the link is found among the user's own
        /// (`GET /api/v1/users/me/appLinks`), compared without case.
        named: String,
        /// The RelayState that is sent along, as a template over fields; sent only if every field in it is filled.
        relay_state: Option<String>,
    },
}

/// See [`OktaStart::Application`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OktaLookup {
    /// Host role.
    pub role: String,
    /// `/v1/login_sso_info`.
    pub path: String,
    /// Parameters, templated over open fields: `email = "{user}"`.
    pub query: Vec<(String, String)>,
}

/// What [`Strategy::Entra`] needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntraSignIn {
    /// Host role of the authority: `login.microsoftonline.com`.
    pub authority: String,
    /// The open field with the tenant's id or domain.
    pub tenant: String,
    /// The open field with the application (client) id.
    pub client_id: String,
    /// How.
    pub flow: EntraFlow,
    /// For client credentials one resource's `.default`, otherwise delegated scopes, divided by spaces.
    pub scope: String,
}

/// The ways to a token of Microsoft Entra ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntraFlow {
    /// Client credentials with a secret.
    Secret {
        /// The secret field.
        secret: String,
    },
    /// Client credentials with a signed assertion.
    Certificate {
        /// The secret field that holds certificate and private key, PEM.
        pem: String,
    },
    /// The user types a code at Microsoft's page, on any device.
    DeviceCode,
    /// Authorization code with PKCE in the system browser.
    Browser,
}

/// One input of the dialog.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// `api_key`; the placeholder in templates.
    pub id: String,
    /// "API Key".
    pub label: String,
    /// Whether it is sealed in the vault and never shown again.
    pub secret: bool,
    /// Whether Connect may be pressed without it.
    pub optional: bool,
    /// What a value must look like.
    pub format: Format,
    /// For [`Format::Choice`]: what can be chosen.
    pub choices: Vec<Choice>,
    /// Value offered at first.
    pub default: Option<String>,
    /// One line under the field.
    pub help: String,
    /// An example of the right shape, never a real value.
    pub example: String,
    /// Where to find this value, numbered steps.
    pub steps: Vec<String>,
    /// A page of the vendor that helps, on one of the application's link hosts.
    pub link: Option<String>,
    /// The label of a tick box that has to be ticked before the field is shown; for what few need and what must be meant.
    pub reveal: Option<String>,
}

/// What a field's value must look like; checked while typing and again before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Format {
    /// Any text of 1 to 256 characters without control characters.
    Text,
    /// The same, kept to the letter: spaces at its ends belong to it.
    Password,
    /// A JSON Web Token: three base64url parts, the first of which decodes to a JSON object.
    Jwt,
    /// A value that starts with one of these prefixes, then at least `min` more of letters, digits, `_` and `-`.
    Token {
        /// `ghp_`, `github_pat_`.
        prefixes: Vec<String>,
        /// Least number of characters after the prefix.
        min: u32,
        /// Values that are often pasted in its place, each told from the token by what it looks like.
        refused: Vec<Mistaken>,
    },
    /// One DNS label: `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, at most 63 characters. A pasted URL or host is reduced to it
    /// when it ends in one of these suffixes.
    DnsLabel {
        /// `.kustomerapp.com`.
        suffixes: Vec<String>,
    },
    /// A host name; a pasted URL is reduced to it.
    Host,
    /// One of [`Field::choices`].
    Choice,
    /// An e-mail address.
    Email,
    /// An Okta organization: its name (`acme`) or a host of Okta's own families; stored as the host (`acme.okta.com`).
    OktaDomain,
    /// A domain of the company's own at which its Okta organization answers too; never a host of Okta's own families.
    OktaCustomDomain,
    /// The secret behind an authenticator's one-time codes; see [`crate::MfaKey`].
    MfaKey,
    /// A GUID.
    Guid,
    /// A Microsoft Entra tenant: its GUID or one of its domains.
    EntraTenant,
    /// A certificate and its private key, PEM, in either order.
    CertificateAndKey,
    /// A private key, PEM or a JSON Web Key; see [`crate::PrivateKey`].
    PrivateKey {
        /// Whether it may be encrypted, because the login option has a field for its passphrase.
        encrypted: bool,
    },
    /// A JSON file with a key in it, as vendors let administrators download it.
    KeyFile {
        /// The members that must be there as text, with dots between levels: `client_email`, `boxAppSettings.clientID`.
        members: Vec<String>,
        /// Files that are often pasted in its place.
        refused: Vec<Mistaken>,
    },
    /// A host under one of a vendor's own domains; stored whole, in lower case. A pasted URL is reduced to it.
    VendorHost {
        /// `.my.salesforce.com`.
        suffixes: Vec<String>,
        /// What is put behind a bare name; `None` refuses one.
        complete: Option<String>,
    },
    /// Text that matches this regular expression whole, once `prefix` is put before it where it lacks it.
    Pattern {
        /// `acc-[A-Za-z0-9-]+`.
        expression: String,
        /// `acc-`; may be empty.
        prefix: String,
    },
    /// An `https` URL whose path begins with one of these.
    Url {
        /// `/home/`.
        paths: Vec<String>,
    },
    /// A list of words separated by commas, spaces or new lines, each matching this regular expression whole.
    List {
        /// The expression for one item.
        item: String,
    },
}

/// Something that is pasted where a token belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistaken {
    /// A regular expression for the whole value: `sa_sandbox_.*`.
    pub expression: String,
    /// What it is, and what belongs here.
    pub sentence: String,
}

/// One value of a choice.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    /// What templates and the store hold: `us`.
    pub value: String,
    /// "US".
    pub label: String,
    /// What the placeholder becomes in host templates: `api.kustomerapp.com`; the value itself when not given.
    pub host: Option<String>,
    /// Offered only behind "More".
    pub hidden: bool,
}

/// A step of a guide.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The sentence.
    pub text: String,
    /// A page it speaks of.
    pub link: Option<String>,
}

/// Values of the fields of a login option that are not secret, by field id.
pub type Inputs = BTreeMap<String, String>;
