//! Credentials that are sent as they are: in headers of the vendor's own, and by HTTP Basic.

use crate::{
    ConnectError,
    session::{Attempt, Signed, basic_header},
    wire::Authorisation,
};
use catalog::SecretHeader;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// Headers with secrets in them.
pub(crate) fn headers(attempt: &Attempt<'_>, headers: &[SecretHeader]) -> Result<Signed, ConnectError> {
    let mut made = Vec::with_capacity(headers.len());
    for header in headers {
        let secret = attempt.secret(&header.field)?;
        // Made in a buffer that is wiped when it is dropped.
        let text = SecretString::from(format!("{}{}{}", header.before, secret.expose_secret(), header.after));
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| ConnectError::RequestRefused { sentence: "the catalog names a header that cannot be sent.".to_owned() })?;
        let mut value = HeaderValue::from_str(text.expose_secret()).map_err(|_| attempt.unsendable(&header.field))?;
        value.set_sensitive(true);
        made.push((name, value));
    }
    Ok(Signed::of(Authorisation::Headers(made)))
}

/// HTTP Basic (RFC 7617): `user` is a template over open fields.
pub(crate) fn basic(attempt: &Attempt<'_>, user: &str, password: &str) -> Result<Signed, ConnectError> {
    let user = attempt.fill(user)?;
    if user.contains(':') {
        return Err(ConnectError::RequestRefused { sentence: "the user holds a colon, which HTTP Basic cannot carry.".to_owned() });
    }
    let header = basic_header(&user, &attempt.secret(password)?).ok_or_else(|| attempt.unsendable(password))?;
    Ok(Signed::of(Authorisation::Headers(vec![(AUTHORIZATION, header)])))
}
