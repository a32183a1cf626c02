//! Authorization code with PKCE: the user signs in in the system browser, and the code comes back to `http://localhost`
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>).

use super::{Client, aadsts};
use crate::{
    ConnectError, SignInStage,
    authorization_code::{Answer, Asking, ask},
    loopback::Returned,
    oauth::pair,
    session::Attempt,
    token::{Issued, OAuthError, Told},
};
use catalog::{Redirect, RedirectHost};

pub(super) async fn sign_in(attempt: &Attempt<'_>, client: &Client) -> Result<Issued, ConnectError> {
    let mut page = client.url("authorize")?;
    page.query_pairs_mut()
        .append_pair("client_id", &client.client_id)
        .append_pair("response_type", "code")
        .append_pair("response_mode", "query")
        .append_pair("scope", &client.scope)
        .append_pair("prompt", "select_account");
    let redirect = Redirect { host: RedirectHost::Name, path: "/".to_owned(), ports: Vec::new() };
    let asking = Asking { host: &client.tenant.host, page, redirect: &redirect, pkce: true, time_code: "E-ENTRA-BROWSER-TIME" };
    let Answer { redirect, verifier, returned } = ask(attempt, asking).await?;
    let code = match returned {
        Returned::Code(code) => code,
        Returned::Refused { error, description } => return Err(aadsts::end_of_redirect(OAuthError::read(&error), &description)),
        Returned::Neither => {
            return Err(ConnectError::NotUnderstood { sentence: "The browser came back with neither a code nor a reason.".to_owned() });
        }
    };
    attempt.stage(SignInStage::Token, &client.tenant.host);
    let watch = |event| attempt.watch(event);
    let mut form = vec![
        pair("grant_type", "authorization_code"),
        ("code".to_owned(), code),
        pair("redirect_uri", redirect),
        pair("scope", client.scope.clone()),
    ];
    form.extend(verifier.map(|verifier| ("code_verifier".to_owned(), verifier)));
    match client.token(form, attempt.wire, &watch).await? {
        Told::Issued(issued) => Ok(*issued),
        Told::Refused(refusal) => Err(aadsts::end(SignInStage::Token, &refusal)),
    }
}
