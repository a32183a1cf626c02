//! A source of answers, whatever it was made from.

use crate::{
    Recording, Tenant,
    account::Account,
    answer::{Answer, Asked, Fit, Shape},
    door::Door,
    key::{self, Seen, Wanted},
    limit::{Gatekeeper, Told},
    token::{Admission, Claims, Use, bound_to, issued},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One source of answers: a [`Tenant`] or a [`Recording`], ready to be served.
pub struct Served {
    pub(crate) name: String,
    /// Every host it answers for, also those for which it has nothing but a refusal.
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) credential: Credential,
    /// How the credential is come by, where that takes requests.
    pub(crate) door: Option<Door>,
    pub(crate) answers: Vec<Answer>,
    /// The requests of each dataset, by its id: the usual one and the one that is made instead.
    pub(crate) datasets: BTreeMap<String, Vec<Shape>>,
    /// Error bodies by status.
    pub(crate) errors: BTreeMap<u16, Value>,
    /// Whether answers carry rate-limit headers of the sandbox's own.
    pub(crate) limits: bool,
    /// What opens host roles that have a credential of their own.
    pub(crate) also: Vec<AlsoServed>,
    /// The headers in which each host tells its budget; others use the usual ones.
    pub(crate) told: BTreeMap<String, Told>,
    /// How many requests its hosts take.
    pub(crate) gate: Option<Arc<Gatekeeper>>,
}

/// A credential of its own for some of a tenant's hosts.
pub(crate) struct AlsoServed {
    /// Whose tokens these are: `okta/risky#1`.
    pub(crate) name: String,
    /// The host roles that it is for.
    pub(crate) roles: Vec<String>,
    /// Their hosts, but for those that are hosts of other roles too.
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) credential: Credential,
    pub(crate) door: Option<Door>,
}

/// What a request must carry.
pub(crate) enum Credential {
    /// Nothing in particular.
    Any,
    /// `Authorization: Bearer` and this value.
    Bearer(String),
    /// `Authorization: Bearer` and a token of these claims.
    Token(Claims),
    /// `Authorization: Bearer` and a token that the tenant's token endpoint issued for this secret.
    Issued { secret: String },
    /// `Authorization: Bearer` and a token that a Snowflake user's key signed.
    KeyPair(Box<crate::snowflake_jwt::KeyPairUser>),
    /// The same, bound to a key that each request proves (DPoP, RFC 9449).
    Bound { secret: String, seen: Seen },
    /// Headers with these values, names in lower case. None: nothing opens it.
    Headers(Vec<(String, String)>),
    /// The application's cookie of this name, which signing in set.
    Session { cookie: &'static str },
}

impl Credential {
    /// Whether what opens the one opens the other. A token is signed for one tenant by name.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any) => true,
            (Self::Bearer(one), Self::Bearer(two)) => one == two,
            (Self::Issued { secret: one }, Self::Issued { secret: two }) => one == two,
            (Self::KeyPair(one), Self::KeyPair(two)) => one.subject() == two.subject(),
            (Self::Bound { secret: one, .. }, Self::Bound { secret: two, .. }) => one == two,
            (Self::Headers(one), Self::Headers(two)) => one == two,
            // What a tenant signs or issues is its own.
            (
                Self::Bound { .. }
                | Self::Headers(_)
                | Self::Any
                | Self::Bearer(_)
                | Self::Token(_)
                | Self::Issued { .. }
                | Self::KeyPair(_)
                | Self::Session { .. },
                _,
            ) => false,
        }
    }
}

impl Credential {
    /// What becomes of a request's credential; `tenant` is whose tokens these are.
    fn admit(&self, tenant: &str, asked: &Asked, account: &Account, now: Timestamp) -> Admission {
        let bearer = asked
            .authorization
            .as_deref()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        match (self, bearer) {
            (Credential::Any, _) => Admission::Accepted,
            (Credential::Headers(wanted), _) => {
                let right = wanted.iter().all(|(name, value)| asked.header(name) == Some(value));
                if right && !wanted.is_empty() { Admission::Accepted } else { Admission::Unknown }
            }
            (Credential::Bound { seen, .. }, _) => bound(tenant, asked, account, seen, now),
            (Credential::Bearer(wanted), Some((_, given))) if wanted == given => Admission::Accepted,
            (Credential::Token(claims), Some((_, given))) => claims.admit(tenant, given, now),
            (Credential::Issued { .. }, Some((_, given))) => issued(tenant, given, Use::Access, account.round, now),
            (Credential::KeyPair(user), Some((_, given))) => user.admit(given, now),
            (Credential::Session { cookie }, _) => match asked.cookie(cookie) {
                Some(given) => issued(tenant, given, Use::Session, account.round, now),
                None => Admission::Unknown,
            },
            (Credential::Bearer(_) | Credential::Token(_) | Credential::Issued { .. } | Credential::KeyPair(_), _) => Admission::Unknown,
        }
    }
}

/// What becomes of a token that is bound to a key: it comes under its own scheme, with a proof of that key for this request and
/// this token (RFC 9449, section 7.1).
fn bound(tenant: &str, asked: &Asked, account: &Account, seen: &Seen, now: Timestamp) -> Admission {
    let scheme = asked.authorization.as_deref().and_then(|value| value.split_once(' '));
    let Some((_, token)) = scheme.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("dpop")) else { return Admission::Unknown };
    let admission = issued(tenant, token, Use::Access, account.round, now);
    if admission != Admission::Accepted {
        return admission;
    }
    let url = format!("https://{}{}", asked.host, asked.path);
    let wanted = Wanted { method: &asked.method, url: &url, token: Some(token), nonces: None };
    let proved = asked.header("dpop").and_then(|proof| key::proved(proof, &wanted, seen, now).ok());
    if proved.is_some() && proved == bound_to(token) { Admission::Accepted } else { Admission::Unknown }
}

impl From<Tenant> for Served {
    fn from(tenant: Tenant) -> Self {
        tenant.into_served()
    }
}

impl From<Recording> for Served {
    fn from(recording: Recording) -> Self {
        recording.into_served()
    }
}

impl Served {
    /// `kustomer/risky`; the name by which changes speak of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hosts it answers for.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// What becomes of the credential of a request for which that answer was found. Roles may share a host; whose credential a
    /// request has to carry is said by the answer, and by the host alone where there is none.
    pub(crate) fn admit(&self, asked: &Asked, found: Option<(usize, Fit)>, account: &Account, now: Timestamp) -> Admission {
        let role = found.and_then(|(at, _)| self.answers[at].role.as_deref());
        let also = match role {
            Some(role) => self.also.iter().find(|also| also.roles.iter().any(|own| own == role)),
            None => self.also.iter().find(|also| also.hosts.contains(&asked.host)),
        };
        match also {
            Some(also) => also.credential.admit(&also.name, asked, account, now),
            None => self.credential.admit(&self.name, asked, account, now),
        }
    }

    /// Where its credentials are come by.
    pub(crate) fn doors(&self) -> impl Iterator<Item = &Door> {
        self.door.iter().chain(self.also.iter().filter_map(|also| also.door.as_ref()))
    }

    /// Whether its credential tells it from others.
    pub(crate) fn is_particular(&self) -> bool {
        !matches!(self.credential, Credential::Any)
    }

    /// The answer that fits a request best, by its place; the method aside.
    pub(crate) fn find(&self, asked: &Asked) -> Option<(usize, Fit)> {
        let fits = self.answers.iter().enumerate().filter_map(|(at, answer)| answer.fit(asked).map(|fit| (at, fit)));
        fits.max_by_key(|(at, fit)| (self.answers[*at].method == asked.method, *fit, std::cmp::Reverse(*at)))
    }

    /// The places of the answers to a dataset that is asked for in a language of its own.
    pub(crate) fn spoken(&self, dataset: &str) -> Vec<usize> {
        let of_it = |at: &usize| self.answers[*at].spoken.as_ref().is_some_and(|spoken| spoken.dataset == dataset);
        (0..self.answers.len()).filter(of_it).collect()
    }

    /// What a change means by `answer`: the requests of a dataset, or a path.
    pub(crate) fn shapes(&self, answer: &str) -> Option<Vec<Shape>> {
        if answer.starts_with('/') { Some(vec![Shape::parse(answer)]) } else { self.datasets.get(answer).cloned() }
    }

    /// The places of the answers that a change means: those whose query agrees, or else those of the same path.
    pub(crate) fn meant(&self, shape: &Shape) -> Vec<usize> {
        let covered =
            |shape: &Shape| -> Vec<usize> { (0..self.answers.len()).filter(|at| shape.covers(&self.answers[*at].shape)).collect() };
        let exact = covered(shape);
        if exact.is_empty() {
            // An answer without a query serves requests with any.
            let path = shape.without_query();
            covered(&path).into_iter().filter(|at| self.answers[*at].shape == self.answers[*at].shape.without_query()).collect()
        } else {
            exact
        }
    }

    /// The body of an error answer.
    pub(crate) fn error(&self, status: u16, code: &str, message: &str) -> Value {
        self.errors.get(&status).cloned().unwrap_or_else(|| json!({"errors": [{"code": code, "message": message}]}))
    }
}
