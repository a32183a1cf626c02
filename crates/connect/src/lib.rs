//! Sign in and collect: the rules of the wire.
//!
//! This crate owns every socket to the outside: which hosts may be reached over which [`Route`], which requests may be
//! made at all (the guard), how a vendor's refusals are understood, how pages are followed, and how an answer is reduced
//! to the typed rows that the catalog declares. It hands rows to a [`Sink`] page by page and keeps none.
//!
//! It must not know where rows are stored, how they are judged, where credentials are sealed or who looks on. It has no
//! clock of its own ([`Clock`] is passed in), and no request leaves it that a dataset of the catalog does not declare.

mod answer;
mod assertion;
mod authorization_code;
mod browser;
mod clock;
mod collect;
mod condition;
mod credential;
mod device_code;
mod entra;
mod error;
mod expiry;
mod github_app;
mod guard;
mod hints;
mod hop;
mod html;
mod identity;
mod jar;
mod keepsake;
mod landing;
mod ledger;
mod limits;
mod loopback;
mod mail;
mod oauth;
mod okta;
mod pace;
mod paging;
mod protocol;
mod proxy;
mod published;
mod reduce;
mod request;
mod route;
mod session;
mod shapes;
mod signing;
mod sink;
mod snowflake;
mod template;
mod tls;
mod token;
mod totp;
mod transform;
mod user;
mod wire;

pub use browser::{Browser, NoBrowser};
pub use clock::{Clock, SystemClock};
pub use collect::{collect, probe};
pub use error::{CertificateFault, ConnectError};
pub use expiry::end_of;
pub use guard::{Asked, Permit, permit};
pub use hints::{ExpiresBy, Granted, Hints, ToldBy, covers, hints};
pub use identity::{identity, identity_of};
pub use keepsake::Left;
pub use ledger::{CodeLedger, account_of};
pub use limits::Limits;
pub use mail::{Letter, MailError, MailLimits, MailLogin, MailSecurity, MailServer, Mailed, mail_address, send_mail};
pub use published::{describe, hold_against};
pub use reduce::{Parent, ReducedPage, reduce};
pub use route::{Proxy, Roots, Route, SANDBOX_ORGANIZATION};
pub use session::{Credentials, PROXY_PASSWORD, PROXY_USER, Session, SignIn, SignInStage, SignInStep, sign_in, sign_in_leaving};
pub use shapes::shapes;
pub use sink::{Begun, BegunStream, Outcome, Page, Progress, RequestClass, RequestEntry, Resume, Shape, Sink, SinkError};
pub use totp::{CodeShown, code_now};
