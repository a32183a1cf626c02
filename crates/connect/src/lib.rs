//! Sign in and collect: the rules of the wire.
//!
//! This crate owns every socket to the outside: which hosts may be reached over which [`Route`], which requests may be
//! made at all (the guard), how a vendor's refusals are understood, how pages are followed, and how an answer is reduced
//! to the typed rows that the catalog declares. It hands rows to a [`Sink`] page by page and keeps none.
//!
//! It must not know where rows are stored, how they are judged, where credentials are sealed or who looks on. It has no
//! clock of its own ([`Clock`] is passed in), and no request leaves it that a dataset of the catalog does not declare.

mod clock;
mod collect;
mod error;
mod hints;
mod limits;
mod route;
mod session;
mod sink;

pub use clock::{Clock, SystemClock};
pub use collect::{collect, probe, shapes};
pub use error::{CertificateFault, ConnectError};
pub use hints::{Hints, hints};
pub use limits::Limits;
pub use route::{Proxy, Roots, Route, SANDBOX_ORGANIZATION};
pub use session::{Credentials, PROXY_PASSWORD, PROXY_USER, Session, SignIn, SignInStep, sign_in};
pub use sink::{Begun, BegunStream, Outcome, Page, Progress, RequestClass, RequestEntry, Resume, Shape, Sink, SinkError};
