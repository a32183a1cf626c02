//! Tiles, and what the Add Instance dialog needs.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A tile of *Add Application*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Tile {
    /// `kustomer`.
    pub slug: String,
    /// "Kustomer".
    pub name: String,
    /// "Kustomer, LLC".
    pub vendor: String,
    /// `customer-service`.
    pub category: String,
    /// `config`, `risky_accounts`, `third_party_plugins`, `identity`.
    pub features: Vec<String>,
    /// `contract`, `recorded`, `facts` or `manual`.
    pub verified: String,
    /// How many checks it has.
    pub checks: u32,
    /// How many instances are onboarded, without sandboxes.
    pub instances: u32,
    /// What can be done with it.
    pub availability: Availability,
}

/// What can be done with an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It is signed in to and scanned.
    Offered,
    /// It will be; until then its checks are attested by a person.
    Planned,
    /// Its checks are attested by a person.
    Attested,
    /// The service has ended: nothing of it can be added.
    Ended,
}

/// An application, for its dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Application {
    /// Its tile.
    pub tile: Tile,
    /// The product's home page.
    pub home: String,
    /// Ways to sign in, the recommended one first.
    pub logins: Vec<Login>,
    /// Ways to sign in that an administrator may look for and that are not there.
    pub not_offered: Vec<NotOffered>,
    /// Ways to sign in that it will have.
    pub planned: Vec<PlannedLogin>,
    /// That the service has ended and what to do, in a sentence or two.
    pub ended: Option<String>,
    /// Checks that are known and not built.
    pub left_out: Vec<LeftOut>,
    /// Labels an instance can carry.
    pub labels: Vec<String>,
    /// Requests that are never made, with the reason.
    pub never: Vec<Never>,
    /// Lists and thresholds without a default, asked for in the dialog; all may be left empty.
    pub questions: Vec<Question>,
    /// Names of instances that exist.
    pub instance_names: Vec<String>,
}

/// One way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Login {
    /// `api-key`.
    pub id: String,
    /// "API Key".
    pub label: String,
    /// What the administrator needs to have.
    pub summary: String,
    /// How many checks it reaches; those that a person attests are among them.
    pub checks: u32,
    /// What is asked for.
    pub fields: Vec<Field>,
    /// Roles or scopes the credential should hold.
    pub needs: Vec<String>,
    /// How to obtain the credential.
    pub steps: Vec<GuideStep>,
    /// Every host that may receive the values, as templates; `*` stands for what the vendor's own answer puts before a domain of its.
    pub hosts: Vec<String>,
    /// A choice that may be left to the vendor's answer; until then the credential may be tried at each of these values' hosts.
    pub discover: Option<Discovered>,
    /// `bearer`, `headers`, `basic`, `client_credentials`, `assertion`, `okta`, `entra_secret`, `entra_certificate`, `entra_device_code`, `entra_browser`, `authorization_code`, `device_code`, `github_app`, `snowflake_key_pair`.
    pub strategy: String,
}

/// A choice that the vendor's own answer settles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Discovered {
    /// The field that is settled: `region`.
    pub field: String,
    /// The value that leaves it open: `auto`.
    pub open: String,
    /// The values that are tried, in order.
    pub tries: Vec<String>,
}

/// A field of the dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Field {
    /// `api_key`.
    pub id: String,
    /// "API Key".
    pub label: String,
    /// Sealed, never shown again.
    pub secret: bool,
    /// Connect may be pressed without it.
    pub optional: bool,
    /// `text`, `password`, `jwt`, `token`, `dns_label`, `host`, `choice`, `list`, `email`, `okta_domain`,
    /// `okta_custom_domain`, `mfa_key`, `guid`, `entra_tenant`, `certificate_and_key`, `private_key`,
    /// `key_file`, `vendor_host`, `pattern`, `url`.
    pub format: String,
    /// Shown inside the field at its end: `.kustomerapp.com`.
    pub suffix: String,
    /// For choices.
    pub choices: Vec<Choice>,
    /// Offered at first.
    pub default: Option<String>,
    /// One line under the field.
    pub help: String,
    /// An example of the right shape.
    pub example: String,
    /// Where to find the value.
    pub steps: Vec<String>,
    /// A page of the vendor that helps.
    pub link: Option<String>,
    /// The label of a tick box that shows the field.
    pub reveal: Option<String>,
}

/// One value of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Choice {
    /// `us`.
    pub value: String,
    /// "US".
    pub label: String,
    /// The host it means, if it means one.
    pub host: Option<String>,
    /// Offered only behind "More".
    pub hidden: bool,
}

/// A step of a guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct GuideStep {
    /// The sentence.
    pub text: String,
    /// A page it speaks of.
    pub link: Option<String>,
}

/// A way to sign in that is known elsewhere and not offered here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NotOffered {
    /// What an administrator looks for.
    pub label: String,
    /// Why it is not there.
    pub reason: String,
    /// What to take in its place.
    pub instead: String,
}

/// A way to sign in that an application will have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlannedLogin {
    /// "API key".
    pub label: String,
    /// What the administrator will need to have.
    pub summary: String,
}

/// A check that is known and not built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LeftOut {
    /// The id that it would have.
    pub id: String,
    /// What it would judge.
    pub title: String,
    /// Why it is not built.
    pub reason: String,
}

/// A request that is never made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Never {
    /// `/v1/auth/customer/settings`.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A list or threshold that only the administrator knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Question {
    /// The check that asks.
    pub check: String,
    /// The parameter.
    pub param: String,
    /// "Your company's e-mail domains".
    pub label: String,
    /// `int`, `string`, `strings`, `bool`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The check's title: what stays Not evaluated without an answer.
    pub title: String,
    /// Ids of the login options that reach the check; with another one the answer would be of no use.
    pub logins: Vec<String>,
}

/// What a typed value came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldState {
    /// Nothing was typed yet.
    Empty,
    /// It has the right shape.
    Right {
        /// For fields that are not secret: the value as it will be used.
        value: Option<String>,
        /// What was understood: "EU pod, expires 14 Jan 2027"; may be empty.
        note: String,
    },
    /// It has not.
    Wrong {
        /// What is wrong, with an example.
        sentence: String,
    },
}

/// The one-time code that a typed MFA secret key produces, to be compared with an authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OneTimeCode {
    /// The code, with its leading zeros.
    pub code: String,
    /// Seconds until the next one.
    pub seconds_left: u32,
    /// Seconds that a code is good for.
    pub period: u32,
}

/// How requests leave this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RouteChoice {
    /// `system`, `environment`, `manual` or `none`.
    pub proxy: String,
    /// For `manual`: `http://proxy.example:3128`, without user information.
    pub proxy_url: String,
    /// Certificates of the corporate CA, PEM; may be empty.
    pub extra_roots_pem: String,
}

impl Default for RouteChoice {
    fn default() -> Self {
        Self { proxy: "system".into(), proxy_url: String::new(), extra_roots_pem: String::new() }
    }
}

/// Everything of *Add Instance* that is not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AddInstance {
    /// The application.
    pub app: String,
    /// The login option.
    pub login: String,
    /// The instance's name, unique among the application's instances.
    pub name: String,
    /// `Default`, `Production`, `Sandbox`, `Internal`, `QA`, `Dev`.
    pub label: String,
    /// Who answers for it; may be empty.
    pub owner: String,
    /// Fields that are not secret, by id.
    pub inputs: Vec<Input>,
    /// Answers to questions.
    pub answers: Vec<Answer>,
    /// How requests leave this computer.
    pub route: RouteChoice,
}

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Input {
    pub field: String,
    pub value: String,
}

/// The answer to a [`Question`]: for `strings`, separated by commas, spaces or new lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct Answer {
    pub check: String,
    pub param: String,
    pub value: String,
}

/// A simulated tenant that can be onboarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SandboxTenant {
    /// `kustomer`.
    pub app: String,
    /// "Kustomer".
    pub app_name: String,
    /// `risky`.
    pub tenant: String,
    /// "Halden Moor (risky)".
    pub name: String,
    /// Whether it is among the few that first start adds.
    pub tour: bool,
}

/// A simulated tenant that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[allow(missing_docs)]
pub struct TenantChoice {
    pub app: String,
    pub tenant: String,
}
