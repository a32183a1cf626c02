//! What can go wrong on the wire: each with a stable code, a sentence and a remedy, in the words the window shows.

use crate::SinkError;
use catalog::{Cause, CauseKind};

/// What stood in the way. The text is one or two sentences for the administrator, without vendor text and without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// A field of the dialog does not look as it must.
    #[error("{sentence} Nothing was sent.")]
    FieldMalformed {
        /// The field's label.
        label: String,
        /// Whether it is a secret.
        secret: bool,
        /// What is wrong, without the value.
        sentence: String,
    },
    /// A field of the dialog is empty.
    #[error("{label} is missing. Nothing was sent.")]
    FieldMissing {
        /// The field's label.
        label: String,
    },
    /// The fields do not give a host that this login option may use.
    #[error("{sentence} Nothing was sent.")]
    HostInvalid {
        /// What is wrong.
        sentence: String,
    },
    /// The route cannot be used as it is set.
    #[error("{sentence} Nothing was sent.")]
    RouteInvalid {
        /// What is wrong.
        sentence: String,
        /// What to do.
        remedy: String,
    },
    /// The name of the host is not known to the name service.
    #[error("{host} was not found: the name service does not know it. The key was not sent.")]
    HostNotFound {
        /// The host.
        host: String,
    },
    /// The host does not take connections.
    #[error("{host} cannot be reached: {reason}. The key was not sent.")]
    HostUnreachable {
        /// The host.
        host: String,
        /// Why, in the operating system's terms.
        reason: &'static str,
    },
    /// The proxy does not take connections.
    #[error("The proxy {proxy} cannot be reached: {reason}. {host} was not asked and the key was not sent.")]
    ProxyUnreachable {
        /// The proxy.
        proxy: String,
        /// The host that was wanted.
        host: String,
        /// Why.
        reason: &'static str,
    },
    /// The proxy wants a user and a password, or others.
    #[error("The proxy {proxy} wants a user name and a password (407). {host} was not asked and the key was not sent.")]
    ProxyCredentials {
        /// The proxy.
        proxy: String,
        /// The host that was wanted.
        host: String,
    },
    /// The proxy does not open a way to the host.
    #[error("The proxy {proxy} does not let {host} through{}. The key was not sent.", status.map(|status| format!(" ({status})")).unwrap_or_default())]
    ProxyRefused {
        /// The proxy.
        proxy: String,
        /// The host that was wanted.
        host: String,
        /// The proxy's status, when it gave one.
        status: Option<u16>,
    },
    /// The certificate was made by an authority that is not trusted.
    #[error("The connection to {host} is not trusted. Its certificate was issued by {}, which this computer does not know; the key was not sent.", issuer.as_deref().map_or_else(|| "an authority".to_owned(), |issuer| format!("\"{issuer}\"")))]
    UnknownAuthority {
        /// The host.
        host: String,
        /// The issuer that the certificate names.
        issuer: Option<String>,
    },
    /// The certificate was made by a sandbox, on a route that is not the sandbox's.
    #[error(
        "The connection to {host} is not trusted. Its certificate was made by a Posture Console sandbox, which only sandbox instances may use; the key was not sent."
    )]
    SandboxAuthority {
        /// The host.
        host: String,
    },
    /// The certificate is not good for another reason.
    #[error("The connection to {host} is not trusted. Its certificate {fault}; the key was not sent.")]
    CertificateRefused {
        /// The host.
        host: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// No secure connection came about, for a reason other than the certificate.
    #[error("{host} and this computer could not agree on a secure connection; the key was not sent.")]
    TlsFailed {
        /// The host.
        host: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {seconds} seconds.")]
    Timeout {
        /// The host.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The connection ended in the middle of an answer.
    #[error("The connection to {host} ended before the answer was complete.")]
    Interrupted {
        /// The host.
        host: String,
    },
    /// The vendor does not accept the credential.
    #[error("{sentence}")]
    CredentialRefused {
        /// What happened, with what the credential hints at.
        sentence: String,
        /// What to do.
        remedy: String,
    },
    /// Signing in through somebody else came to an end.
    #[error("{sentence}{}", reference.as_deref().map(|id| format!(" (Error id {id}.)")).unwrap_or_default())]
    SignInFailed {
        /// At which stage.
        stage: crate::SignInStage,
        /// Which of the known ends: `E-OKTA-PASSWORD`, `E-AADSTS-7000222`; stable, one per end.
        code: &'static str,
        /// What kind of cause it is: [`CauseKind::CredentialRefused`], [`CauseKind::Connectivity`], …
        kind: CauseKind,
        /// What happened.
        sentence: String,
        /// What to do.
        remedy: String,
        /// The id by which the identity provider finds the event in its log.
        reference: Option<String>,
    },
    /// The login option of the instance has no way to it.
    #[error("{sentence}")]
    LoginLacks {
        /// What cannot be read, and with which login option it can.
        sentence: String,
    },
    /// The vendor's description does not publish a field that is known from nowhere else.
    #[error("{sentence}")]
    NotPublished {
        /// Which.
        sentence: String,
    },
    /// The vendor's description, which must publish what is known from nowhere else, was not read whole.
    #[error("{sentence}")]
    DescriptionUnread {
        /// What it would have to publish.
        sentence: String,
    },
    /// A role or scope is missing.
    #[error("{sentence}")]
    ScopeMissing {
        /// What happened.
        sentence: String,
        /// What to do.
        remedy: String,
    },
    /// The plan lacks it.
    #[error("{sentence}")]
    PlanLacks {
        /// What happened.
        sentence: String,
        /// What to do.
        remedy: String,
    },
    /// The vendor wants longer waits than a scan may take.
    #[error("{host} asks us to wait until {} (rate limit), longer than a scan waits.", until.strftime("%-d %b %Y %H:%M UTC"))]
    RateLimited {
        /// The host.
        host: String,
        /// Until when.
        until: jiff::Timestamp,
    },
    /// The vendor answers with an error.
    #[error("{sentence}")]
    VendorError {
        /// The status.
        status: u16,
        /// What happened.
        sentence: String,
    },
    /// The answer sends elsewhere.
    #[error("{host} answered with a redirect ({status}) instead of data. It was not followed.")]
    Redirected {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// The answer is not JSON.
    #[error("{host} answered with {what} instead of JSON.")]
    NotJson {
        /// The host.
        host: String,
        /// What came.
        what: &'static str,
    },
    /// The answer is larger than a page may be.
    #[error("{host} answered with more than {megabytes} MiB; reading stopped there.")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        megabytes: u64,
    },
    /// The answer is nested deeper than may be.
    #[error("{host} answered with JSON nested more than {depth} levels deep; it was not read.")]
    TooDeep {
        /// The host.
        host: String,
        /// The bound.
        depth: u32,
    },
    /// The list does not end.
    #[error("{host} sends page after page without an end; reading stopped after {pages} pages.")]
    EndlessPages {
        /// The host.
        host: String,
        /// How many were read.
        pages: u32,
    },
    /// The list changed while it was read, or a page came twice.
    #[error("{sentence}")]
    PagesChanged {
        /// What was seen.
        sentence: String,
    },
    /// The answer has another shape than the vendor documents.
    #[error("{sentence}")]
    NotUnderstood {
        /// What is not as documented.
        sentence: String,
    },
    /// A field of the login option that this dataset needs is not filled.
    #[error("The field {label} is not filled.")]
    InputMissing {
        /// The field's label.
        label: String,
    },
    /// A field of a parent row that the request needs was not read.
    #[error("{sentence}")]
    ParentUnreadable {
        /// What is missing.
        sentence: String,
    },
    /// An item of a list field lacks a part that the request needs.
    #[error("\"{item}\" of the field {label} does not say {part}.")]
    ItemIncomplete {
        /// The field's label.
        label: String,
        /// The item.
        item: String,
        /// What is missing.
        part: String,
    },
    /// A request that the catalog does not declare. No connection was opened.
    #[error("A request was refused before it was sent: {sentence}")]
    RequestRefused {
        /// Which rule refused it.
        sentence: String,
    },
    /// Stopped by the administrator.
    #[error("Stopped at your request.")]
    Cancelled,
    /// What was read could not be stored.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// What is wrong with a certificate that a known authority made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// It is not valid any more.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for another host.
    WrongHost,
    /// Its authority has taken it back.
    Revoked,
    /// Anything else.
    Unfit,
}

impl std::fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expired => "has expired",
            Self::NotYetValid => "is not valid yet",
            Self::WrongHost => "is for another host",
            Self::Revoked => "was revoked",
            Self::Unfit => "is damaged or not made for a server",
        })
    }
}

impl ConnectError {
    /// The stable code, alike in window, terminal and documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FieldMalformed { secret: true, .. } => "E-KEY-MALFORMED",
            Self::FieldMalformed { secret: false, .. } => "E-FIELD-MALFORMED",
            Self::FieldMissing { .. } | Self::InputMissing { .. } => "E-FIELD-MISSING",
            Self::HostInvalid { .. } => "E-HOST-INVALID",
            Self::RouteInvalid { .. } => "E-ROUTE-INVALID",
            Self::HostNotFound { .. } => "E-HOST-NOT-FOUND",
            Self::HostUnreachable { .. } => "E-HOST-UNREACHABLE",
            Self::ProxyUnreachable { .. } => "E-PROXY-UNREACHABLE",
            Self::ProxyCredentials { .. } => "E-PROXY-CREDENTIALS",
            Self::ProxyRefused { .. } => "E-PROXY-REFUSED",
            Self::UnknownAuthority { .. } => "E-TLS-UNKNOWN-CA",
            Self::SandboxAuthority { .. } => "E-TLS-SANDBOX-CA",
            Self::CertificateRefused { fault, .. } => match fault {
                CertificateFault::Expired | CertificateFault::NotYetValid => "E-TLS-EXPIRED",
                CertificateFault::WrongHost => "E-TLS-WRONG-HOST",
                CertificateFault::Revoked | CertificateFault::Unfit => "E-TLS-CERTIFICATE",
            },
            Self::TlsFailed { .. } => "E-TLS-FAILED",
            Self::Timeout { .. } => "E-TIMEOUT",
            Self::Interrupted { .. } => "E-CONNECTION-CUT",
            Self::CredentialRefused { .. } => "E-KEY-REFUSED",
            Self::SignInFailed { code, .. } => code,
            Self::LoginLacks { .. } => "E-LOGIN-LACKS",
            Self::NotPublished { .. } => "E-NOT-PUBLISHED",
            Self::DescriptionUnread { .. } => "E-DESCRIPTION-UNREAD",
            Self::ScopeMissing { .. } => "E-SCOPE-MISSING",
            Self::PlanLacks { .. } => "E-PLAN-LACKS",
            Self::RateLimited { .. } => "E-RATE-LIMITED",
            Self::VendorError { .. } => "E-VENDOR-ERROR",
            Self::Redirected { .. } => "E-REDIRECTED",
            Self::NotJson { .. } => "E-NOT-JSON",
            Self::TooLarge { .. } => "E-TOO-LARGE",
            Self::TooDeep { .. } => "E-TOO-DEEP",
            Self::EndlessPages { .. } => "E-ENDLESS-PAGES",
            Self::PagesChanged { .. } => "E-PAGES-CHANGED",
            Self::NotUnderstood { .. } => "E-NOT-UNDERSTOOD",
            Self::ParentUnreadable { .. } => "E-PARENT-UNREADABLE",
            Self::ItemIncomplete { .. } => "E-FIELD-INCOMPLETE",
            Self::RequestRefused { .. } => "E-REQUEST-REFUSED",
            Self::Cancelled => "E-CANCELLED",
            Self::Sink(error) => error.code,
        }
    }

    /// What to do about it; empty when nothing can be done.
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::FieldMalformed { label, .. } => return format!("Copy {label} again, whole, and paste it into its field."),
            Self::FieldMissing { label } | Self::InputMissing { label } => {
                return format!("Fill {label} in the instance's settings.");
            }
            Self::ItemIncomplete { label, item, part } => {
                return format!("Complete \"{item}\" with its {part} in the field {label} of the instance's settings.");
            }
            Self::HostInvalid { .. } => "Correct the fields that name the host.",
            Self::RouteInvalid { remedy, .. }
            | Self::CredentialRefused { remedy, .. }
            | Self::SignInFailed { remedy, .. }
            | Self::ScopeMissing { remedy, .. }
            | Self::PlanLacks { remedy, .. } => {
                return remedy.clone();
            }
            Self::HostNotFound { .. } => {
                "Check the name in the instance's fields, and that this computer is connected. Behind a company network, set the proxy under Network."
            }
            Self::HostUnreachable { .. } => {
                "Check that this computer is connected and that no firewall stands between. Behind a company network, set the proxy under Network."
            }
            Self::ProxyUnreachable { .. } => "Check the proxy's address under Network, or choose another way out.",
            Self::ProxyCredentials { .. } => "Enter the proxy's user name and password under Network.",
            Self::ProxyRefused { host, .. } => {
                return format!("Ask whoever runs the proxy to allow {host} on port 443, or choose another way out under Network.");
            }
            Self::UnknownAuthority { .. } => {
                "If your company inspects connections, add that authority's certificate file under Network. Otherwise do not go on: somebody may be in between."
            }
            Self::SandboxAuthority { .. } => {
                "Take the sandbox's authority out of this computer's certificate store, and the sandbox's proxy out of the instance's network settings."
            }
            Self::CertificateRefused { fault: CertificateFault::Expired | CertificateFault::NotYetValid, .. } => {
                "Check this computer's date and time. If they are right, tell whoever runs the host or the proxy in between."
            }
            Self::CertificateRefused { fault: CertificateFault::WrongHost, .. } => {
                "Check the host in the instance's fields. If it is right, do not go on: somebody may be in between."
            }
            Self::CertificateRefused { fault: CertificateFault::Revoked | CertificateFault::Unfit, .. } | Self::TlsFailed { .. } => {
                "Tell whoever runs the host or the proxy in between."
            }
            Self::Timeout { .. } | Self::Interrupted { .. } => "Scan again. If it happens again, check the connection and the proxy.",
            Self::RateLimited { .. } => "Scan again after that time, when fewer other integrations use the vendor's budget.",
            Self::VendorError { .. } => "Look at the vendor's status page and scan again later.",
            Self::Redirected { .. } | Self::NotJson { .. } => {
                "Check the host in the instance's fields. A sign-in page of a network or proxy in between also looks like this."
            }
            Self::TooLarge { .. } | Self::TooDeep { .. } | Self::EndlessPages { .. } | Self::NotUnderstood { .. } => {
                "Scan again. If it happens again, send us the shape of the answer: posture schema prints it without values."
            }
            Self::PagesChanged { .. } => "Scan again at a time when fewer changes are made.",
            Self::ParentUnreadable { .. } | Self::NotPublished { .. } => "",
            Self::DescriptionUnread { .. } => "Scan again.",
            Self::LoginLacks { .. } => "Add an instance with the other login option, or do without what rests on it.",
            Self::RequestRefused { .. } => "This is a fault of the catalog, not of your tenant. Report it with these words and their code.",
            Self::Cancelled => "Scan again to go on from where it stopped.",
            Self::Sink(error) => return error.remedy.clone(),
        };
        text.to_owned()
    }

    /// The kind of cause it is, for filters and health.
    pub fn kind(&self) -> CauseKind {
        match self {
            Self::FieldMalformed { .. }
            | Self::FieldMissing { .. }
            | Self::InputMissing { .. }
            | Self::ItemIncomplete { .. }
            | Self::HostInvalid { .. } => CauseKind::InputMissing,
            Self::RouteInvalid { .. }
            | Self::HostNotFound { .. }
            | Self::HostUnreachable { .. }
            | Self::ProxyUnreachable { .. }
            | Self::ProxyCredentials { .. }
            | Self::ProxyRefused { .. }
            | Self::UnknownAuthority { .. }
            | Self::SandboxAuthority { .. }
            | Self::CertificateRefused { .. }
            | Self::TlsFailed { .. }
            | Self::Timeout { .. }
            | Self::Interrupted { .. } => CauseKind::Connectivity,
            Self::CredentialRefused { .. } => CauseKind::CredentialRefused,
            Self::SignInFailed { kind, .. } => *kind,
            Self::LoginLacks { .. } => CauseKind::LoginLacks,
            Self::NotPublished { .. } => CauseKind::NotPublished,
            Self::DescriptionUnread { .. } => CauseKind::InputIncomplete,
            Self::ScopeMissing { .. } => CauseKind::ScopeMissing,
            Self::PlanLacks { .. } => CauseKind::PlanLacks,
            Self::RateLimited { .. } => CauseKind::RateLimited,
            Self::VendorError { .. } | Self::Redirected { .. } => CauseKind::VendorError,
            Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::TooDeep { .. }
            | Self::EndlessPages { .. }
            | Self::PagesChanged { .. }
            | Self::NotUnderstood { .. }
            | Self::RequestRefused { .. } => CauseKind::NotUnderstood,
            Self::ParentUnreadable { .. } => CauseKind::FieldMissing,
            Self::Cancelled => CauseKind::Cancelled,
            Self::Sink(_) => CauseKind::InputIncomplete,
        }
    }

    /// The cause as the rest of the program carries it.
    pub fn cause(&self) -> Cause {
        Cause { kind: self.kind(), sentence: self.to_string(), remedy: self.remedy() }
    }
}

impl From<&ConnectError> for Cause {
    fn from(error: &ConnectError) -> Self {
        error.cause()
    }
}
