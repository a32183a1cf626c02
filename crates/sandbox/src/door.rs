//! The door of a simulated vendor: what is asked there before there is a credential for datasets.

use crate::{
    account::Account, answer::Asked, authorize::Authorize, entra::Entra, github_app::GithubAppDoor, okta::Organization, served::Served,
    token_endpoint::TokenEndpoint,
};
use jiff::Timestamp;

/// How a tenant signs in, where that takes requests of its own.
pub(crate) enum Door {
    Token(Box<TokenEndpoint>),
    Okta(Box<Organization>),
    /// A person, in a browser or with a device code.
    Person(Box<Authorize>),
    GithubApp(Box<GithubAppDoor>),
    Entra(Box<Entra>),
}

/// Whether a request is for this door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Knows {
    No,
    /// By its place alone, which other tenants of the vendor share.
    Perhaps,
    /// By something in it that only this tenant knows.
    Surely,
}

/// What a request at the door is answered with.
pub(crate) struct DoorAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What is known when somebody comes to the door.
pub(crate) struct Caller<'a> {
    pub(crate) asked: &'a Asked,
    /// By the tenant's clock.
    pub(crate) now: Timestamp,
    pub(crate) account: &'a Account,
    /// Whether other tenants share the place and nothing in the request tells them apart.
    pub(crate) ambiguous: bool,
}

impl Door {
    pub(crate) fn knows(&self, asked: &Asked) -> Knows {
        match self {
            Self::Token(endpoint) => endpoint.knows(asked),
            Self::Okta(organization) => organization.knows(asked),
            Self::Person(desk) => desk.knows(asked),
            Self::GithubApp(app) => app.knows(asked),
            Self::Entra(tenant) => tenant.knows(asked),
        }
    }

    /// The answer, if the request is one of signing in.
    pub(crate) fn answer(&self, source: &Served, caller: &Caller<'_>) -> Option<DoorAnswer> {
        match self {
            Self::Token(endpoint) => endpoint.answer(source, caller),
            Self::Okta(organization) => organization.answer(caller),
            Self::Person(desk) => desk.answer(caller),
            Self::GithubApp(app) => app.answer(caller),
            Self::Entra(tenant) => tenant.answer(caller),
        }
    }

    /// Whether the host is an identity provider's, which words its refusals in its own way.
    pub(crate) fn identity_provider(&self, host: &str) -> bool {
        match self {
            Self::Token(_) | Self::Person(_) | Self::GithubApp(_) | Self::Entra(_) => false,
            Self::Okta(organization) => organization.hosts().iter().any(|own| own == host),
        }
    }

    /// The application's link on the dashboard of the identity provider.
    pub(crate) fn app_link(&self) -> Option<String> {
        match self {
            Self::Token(_) | Self::Person(_) | Self::GithubApp(_) | Self::Entra(_) => None,
            Self::Okta(organization) => Some(organization.app_link()),
        }
    }

    /// Messages that would have reached a person's phone.
    pub(crate) fn messages(&self) -> u32 {
        match self {
            Self::Token(_) | Self::Person(_) | Self::GithubApp(_) | Self::Entra(_) => 0,
            Self::Okta(organization) => organization.messages(),
        }
    }

    /// Forgets what was counted against the user.
    pub(crate) fn forgive(&self) {
        match self {
            Self::Token(_) | Self::Person(_) | Self::GithubApp(_) | Self::Entra(_) => {}
            Self::Okta(organization) => organization.forgive(),
        }
    }
}

impl DoorAnswer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers =
            vec![("content-type".to_owned(), content_type.to_owned()), ("cache-control".to_owned(), "no-cache, no-store".to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn html(status: u16, page: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "text/html; charset=utf-8", page)
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::new(302, "text/html; charset=utf-8", "").with("location", location)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
