//! What can go wrong with a sandbox, and what to do about it.

use std::path::PathBuf;

/// What can go wrong with a sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No socket on 127.0.0.1.
    #[error("The sandbox could not listen on 127.0.0.1.")]
    Listen(#[source] std::io::Error),
    /// The authority or a certificate could not be made.
    #[error("The sandbox could not make its certificates.")]
    Certificate(#[source] rcgen::Error),
    /// TLS could not be set up.
    #[error("The sandbox could not set up TLS.")]
    Tls(#[source] rustls::Error),
    /// No random bytes.
    #[error("The operating system gave no random bytes.")]
    Random(#[source] getrandom::Error),
    /// Two sources of answers have one name.
    #[error("Two sandbox tenants are called {name}.")]
    Twice {
        /// The name.
        name: String,
    },
    /// Two sources of one host are opened by one credential.
    #[error("{one} and {two} both answer on {host} and have the same credential, so that nobody can tell whom a request means.")]
    SameCredential {
        /// The name of one.
        one: String,
        /// The name of the other.
        two: String,
        /// A host that both serve.
        host: String,
    },
    /// Two tenants sign in at one identity provider's host.
    #[error("{one} and {two} both have their Okta organization at {host}; each simulated tenant has one of its own.")]
    SameOrganization {
        /// The name of one.
        one: String,
        /// The name of the other.
        two: String,
        /// The host.
        host: String,
    },
    /// Two tenants of an application at which signing in begins have one user.
    #[error("{one} and {two} both have the user {user}, by whom the application tells where to sign in.")]
    SameUser {
        /// The name of one.
        one: String,
        /// The name of the other.
        two: String,
        /// The user.
        user: String,
    },
    /// A tenant's field does not have the form that its sign-in needs.
    #[error("Sandbox tenant {tenant}: {field}: {problem}")]
    FieldMalformed {
        /// `kustomer/risky`.
        tenant: String,
        /// The field.
        field: String,
        /// What is wrong with it, in a sentence.
        problem: String,
    },
    /// The tenant's login option signs in in a way that is not simulated.
    #[error("Sandbox tenant {tenant}: its login option signs in through {strategy}, which the sandbox does not simulate.")]
    NotSimulated {
        /// `kustomer/risky`.
        tenant: String,
        /// "Microsoft Entra ID".
        strategy: &'static str,
    },
    /// The tenant names a login option that its application does not have.
    #[error("Sandbox tenant {tenant}: its application has no login option {login}.")]
    LoginUnknown {
        /// `kustomer/risky`.
        tenant: String,
        /// The login option.
        login: String,
    },
    /// The tenant lacks the field that holds the credential.
    #[error("Sandbox tenant {tenant}: field {field} holds the credential and is not given.")]
    CredentialAbsent {
        /// `kustomer/risky`.
        tenant: String,
        /// The field.
        field: String,
    },
    /// A host of an answer is neither a host name nor a role, or its template cannot be filled.
    #[error("Sandbox tenant {tenant}: {host} of answer {path} is no host name and no host role that the fields fill.")]
    HostUnknown {
        /// `kustomer/risky`.
        tenant: String,
        /// What stands as the host.
        host: String,
        /// The answer.
        path: String,
    },
    /// A `{{…}}` that cannot be filled.
    #[error("Sandbox tenant {tenant}: {text} cannot be filled: {problem}.")]
    Placeholder {
        /// `kustomer/risky`.
        tenant: String,
        /// The placeholder as it is written.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A paged answer whose style or rows are not understood.
    #[error("Sandbox tenant {tenant}: answer {path} cannot be paged: {problem}.")]
    Paging {
        /// `kustomer/risky`.
        tenant: String,
        /// The answer.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Rows were to be generated for an answer that is not there or has no pattern.
    #[error("Sandbox tenant {tenant}: no rows can be generated for {path}: {problem}.")]
    Pattern {
        /// `kustomer/risky`.
        tenant: String,
        /// The answer.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A recording is not there.
    #[error("The recording {} is not there.", file.display())]
    RecordingAbsent {
        /// The file.
        file: PathBuf,
        /// Why it could not be read.
        #[source]
        source: std::io::Error,
    },
    /// A recording is not of the known shape.
    #[error("The recording {} is not understood.", file.display())]
    RecordingUnreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// An exchange of a recording cannot be served.
    #[error("Exchange {number} of the recording {} cannot be served: {problem}.", file.display())]
    RecordingExchange {
        /// The file.
        file: PathBuf,
        /// Which exchange, from 0.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A change names a tenant that is not served.
    #[error("The sandbox does not serve {tenant}; it serves {}.", known.join(", "))]
    TenantUnknown {
        /// What was named.
        tenant: String,
        /// What is served.
        known: Vec<String>,
    },
    /// A change names an answer that the tenant does not give.
    #[error("{tenant} has no answer {answer}.")]
    AnswerUnknown {
        /// `kustomer/risky`.
        tenant: String,
        /// The dataset or path that was named.
        answer: String,
    },
    /// A change names a field that is not in the answer, or a path that is ill-formed.
    #[error("{answer} of {tenant}: {field} {problem}.")]
    FieldUnknown {
        /// `kustomer/risky`.
        tenant: String,
        /// The dataset or path that was named.
        answer: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A change that means nothing to a tenant which signs in in another way.
    #[error("{change} is for tenants that sign in with {needs}; {tenant} does not.")]
    ChangeUnfit {
        /// `kustomer/risky`.
        tenant: String,
        /// `lock_user`.
        change: &'static str,
        /// "Okta".
        needs: &'static str,
    },
    /// An MFA key that is none.
    #[error("{sentence}")]
    MfaKey {
        /// What is wrong with it.
        sentence: String,
    },
    /// An assignment without `=`.
    #[error("{text} is not of the form path=value.")]
    Assignment {
        /// What was given.
        text: String,
    },
    /// A value of a change that is outside its bounds.
    #[error("{what} is {value}; it must lie between {least} and {most}.")]
    OutOfBounds {
        /// Which value.
        what: &'static str,
        /// What was given.
        value: u64,
        /// Least value.
        least: u64,
        /// Greatest value.
        most: u64,
    },
    /// The runtime folder could not be written or read.
    #[error("The sandbox could not use {}.", path.display())]
    Runtime {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No sandbox answers.
    #[error("No sandbox is running.")]
    NotRunning,
    /// The running sandbox refused a change; both texts are its own.
    #[error("{sentence}")]
    Refused {
        /// What it said.
        sentence: String,
        /// What it advised.
        remedy: String,
    },
    /// The running sandbox gave an answer that is not understood.
    #[error("The running sandbox gave an answer that is not understood.")]
    ControlAnswer,
}

impl SandboxError {
    /// Stable code, the same in the window and in the terminal.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen(_) => "E-SANDBOX-LISTEN",
            Self::Certificate(_) | Self::Tls(_) | Self::Random(_) => "E-SANDBOX-TLS",
            Self::Twice { .. }
            | Self::SameCredential { .. }
            | Self::SameOrganization { .. }
            | Self::SameUser { .. }
            | Self::FieldMalformed { .. }
            | Self::NotSimulated { .. }
            | Self::LoginUnknown { .. }
            | Self::CredentialAbsent { .. }
            | Self::HostUnknown { .. }
            | Self::Placeholder { .. }
            | Self::Paging { .. }
            | Self::Pattern { .. } => "E-SANDBOX-TENANT",
            Self::RecordingAbsent { .. } | Self::RecordingUnreadable { .. } | Self::RecordingExchange { .. } => "E-SANDBOX-RECORDING",
            Self::TenantUnknown { .. }
            | Self::AnswerUnknown { .. }
            | Self::FieldUnknown { .. }
            | Self::ChangeUnfit { .. }
            | Self::MfaKey { .. }
            | Self::Assignment { .. }
            | Self::OutOfBounds { .. } => "E-SANDBOX-CHANGE",
            Self::Runtime { .. } => "E-SANDBOX-FOLDER",
            Self::NotRunning => "E-SANDBOX-NOT-RUNNING",
            Self::Refused { .. } | Self::ControlAnswer => "E-SANDBOX-CONTROL",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Listen(_) => "Check that a program may listen on the loopback address; security software may forbid it.".into(),
            Self::Certificate(_) | Self::Tls(_) => "Report this with the text of its cause; the sandbox does not depend on settings of this computer here.".into(),
            Self::Random(_) => "Try again; if it stays, the operating system's random source is broken.".into(),
            Self::Twice { .. } => "Give each tenant folder a name of its own.".into(),
            Self::SameCredential { .. } => "Give each tenant a credential of its own in the `fields` of its tenant.toml.".into(),
            Self::SameOrganization { .. } => "Give each tenant an Okta domain of its own in the `fields` of its tenant.toml.".into(),
            Self::SameUser { .. } => "Give each tenant a user of its own in the `fields` of its tenant.toml.".into(),
            Self::FieldMalformed { .. } => "Correct the value in the `fields` of the tenant's tenant.toml.".into(),
            Self::NotSimulated { .. } => "Name another login option in the tenant's `login`.".into(),
            Self::ChangeUnfit { .. } => "Name a tenant whose login option is of that kind.".into(),
            Self::MfaKey { .. } => "Give a key for time-based one-time codes, such as JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP.".into(),
            Self::LoginUnknown { .. } => "Name a login option of app.toml in the tenant's `login`.".into(),
            Self::CredentialAbsent { .. } => "Add the field to the tenant's `fields`.".into(),
            Self::HostUnknown { .. } => "Write a host role of the login option or a full host name, and fill every field that its template names.".into(),
            Self::Placeholder { .. } => "See catalog/README.md for the placeholders and their arguments.".into(),
            Self::Paging { .. } => "Write json_api, json_api_after, link_header, page_number, cursor or cursor_start, and give the body a list where the style expects it.".into(),
            Self::Pattern { .. } => "Add a row that holds {{index}} to the rows of a paged answer.".into(),
            Self::RecordingAbsent { .. } => "Run `npm ci` in tests/recorded; `cargo xtask test` does it.".into(),
            Self::RecordingUnreadable { .. } | Self::RecordingExchange { .. } => {
                "Use a normalized-fixture.json of the package @octokit/fixtures in the version that tests/recorded names.".into()
            }
            Self::TenantUnknown { .. } => "Name one of those.".into(),
            Self::AnswerUnknown { .. } => "Name a dataset of the application, or a path that starts with / as the vendor's documents write it.".into(),
            Self::FieldUnknown { .. } => {
                "Write member names separated by dots, with [0], [id=value], [] for every element, [+] for a new one and {} for every value of a map: data[id=u-1].attributes.email.".into()
            }
            Self::Assignment { .. } => "Write for example data.attributes.saml.enabled=true.".into(),
            Self::OutOfBounds { .. } => "Choose a value within these bounds.".into(),
            Self::Runtime { .. } => "Check that the folder exists, belongs to you and is not full.".into(),
            Self::NotRunning => "Start one with `posture sandbox up`.".into(),
            Self::Refused { remedy, .. } => remedy.clone(),
            Self::ControlAnswer => "Stop every sandbox and start it again with `posture sandbox up`, so that both are of one version.".into(),
        }
    }
}
