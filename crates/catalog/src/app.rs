//! An application (a tile), its login options and their fields: `app.toml`.

use crate::{Check, Dataset, Place, Says, View};
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
    /// What is read.
    pub datasets: Vec<Dataset>,
    /// What is computed from datasets before checks look at it.
    pub views: Vec<View>,
    /// What is judged; `[[setting]]` rows are expanded into these.
    pub checks: Vec<Check>,
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
    /// The datasets a check rests on, through its view if it has one.
    pub fn inputs<'a>(&'a self, check: &'a Check) -> Vec<&'a str> {
        match self.view(&check.on) {
            Some(view) => view.inputs(),
            None => vec![check.on.as_str()],
        }
    }
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
    /// The vendor's prose documents only.
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
    /// Every host that may receive this option's credentials, as templates over fields. The only ones.
    pub hosts: Vec<String>,
    /// Host roles that datasets name (`api`, `org`): the first template whose placeholders are all filled is the host.
    pub roles: Vec<HostRole>,
    /// The dataset that is read to test the connection; it must be readable with any working credential.
    pub test: String,
    /// Roles or scopes the credential should hold, the least that feeds every check.
    pub needs: Vec<String>,
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

/// The code that signs in; each is written once in `crates/connect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Strategy {
    /// `Authorization: Bearer <field>` on every dataset request; nothing is exchanged.
    Bearer {
        /// The secret field that holds the token.
        token: String,
    },
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
}

/// What a field's value must look like; checked while typing and again before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Format {
    /// Any text of 1 to 256 characters without control characters.
    Text,
    /// A JSON Web Token: three base64url parts, the first of which decodes to a JSON object.
    Jwt,
    /// A value that starts with one of these prefixes, then at least `min` more of letters, digits, `_` and `-`.
    Token {
        /// `ghp_`, `github_pat_`.
        prefixes: Vec<String>,
        /// Least number of characters after the prefix.
        min: u32,
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
    /// A list of words separated by commas, spaces or new lines, each matching this regular expression whole.
    List {
        /// The expression for one item.
        item: String,
    },
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
