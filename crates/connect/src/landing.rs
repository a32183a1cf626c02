//! The way of a sign-in from an application to Okta and back: who may be asked for what in between, and what a page means.

#![allow(dead_code, clippy::unused_async, reason = "being written")]

use crate::{
    ConnectError,
    hop::Party,
    jar::Jar,
    session::Attempt,
    wire::Watcher,
};
use catalog::OktaSignIn;
use secrecy::SecretString;
use url::Url;

/// The two parties of a sign-in through Okta, and the rules between them.
pub(crate) struct Way<'a> {
    /// The Okta organization: its okta.com name and, where there is one, its own domain.
    pub(crate) okta: Party<'a>,
    /// The application: every other host of the login option.
    pub(crate) app: Party<'a>,
    attempt: &'a Attempt<'a>,
    strategy: &'a OktaSignIn,
}

/// Where following came to.
pub(crate) enum Landed {
    /// Signed in at the application: it has taken Okta's answer and has set its cookies in [`Way::app`].
    Arrived {
        /// Its page.
        url: Url,
    },
    /// Okta asks for more on one of its pages.
    Asks {
        /// The page.
        page: Url,
        /// What the page names the transaction by: for `/idp/idx/introspect`, or `/api/v1/authn` of a Classic step-up.
        state_token: SecretString,
    },
}

impl<'a> Way<'a> {
    /// Empty jars for both parties. `watcher` is told of each request (`&|event| attempt.watch(event)`).
    pub(crate) fn new(attempt: &'a Attempt<'a>, strategy: &'a OktaSignIn, watcher: Watcher<'a>) -> Result<Self, ConnectError> {
        let party = |hosts: Vec<String>| Party::new(attempt.wire, watcher, Jar::new(hosts));
        Ok(Self { okta: party(vec![]), app: party(vec![]), attempt, strategy })
    }

    /// The organization's host that is asked: a domain of its own where there is one, its okta.com name otherwise.
    pub(crate) fn okta_host(&self) -> &str {
        ""
    }

    /// SP-initiated: from the application's page, or its look-up, to the request that it sends to Okta, which is kept and not
    /// made. Answers the address for `redirectUrl` of `/login/sessionCookieRedirect`.
    pub(crate) async fn to_okta(&mut self) -> Result<Url, ConnectError> {
        Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
    }

    /// Makes the request that [`Self::to_okta`] kept and follows; without a session Okta [`Landed::Asks`].
    pub(crate) async fn resume(&mut self) -> Result<Landed, ConnectError> {
        Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
    }

    /// IdP-initiated, with a session at Okta: the application's link as the administrator gave it, or found among the user's
    /// own (`GET /api/v1/users/me/appLinks`), with the RelayState. For [`Self::follow`].
    pub(crate) async fn app_link(&mut self) -> Result<Url, ConnectError> {
        Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
    }

    /// Follows from an address at Okta (`/login/sessionCookieRedirect?…`, `success.href`, the application's link) until the
    /// application is reached or Okta asks for more.
    pub(crate) async fn follow(&mut self, from: Url) -> Result<Landed, ConnectError> {
        let _ = from;
        Err(ConnectError::RequestRefused { sentence: "to be written.".to_owned() })
    }
}
