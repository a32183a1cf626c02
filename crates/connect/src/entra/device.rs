//! Device code: the user types a short code at Microsoft's page, on any device
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-device-code>).

use super::{Client, VENDOR, aadsts};
use crate::{
    ConnectError, SignInStage,
    device_code::{self, Device},
    hop::HopAnswer,
    oauth::pair,
    session::Attempt,
    token::{Issued, Refusal, Told},
    wire::{Watcher, Wire},
};
use futures::future::BoxFuture;
use secrecy::SecretString;

pub(super) async fn sign_in(attempt: &Attempt<'_>, client: &Client) -> Result<Issued, ConnectError> {
    device_code::ask(attempt, client).await
}

impl Device for Client {
    fn vendor(&self) -> &str {
        VENDOR
    }
    fn host(&self) -> &str {
        &self.tenant.host
    }
    fn begin<'a>(&'a self, wire: &'a Wire, watcher: Watcher<'a>) -> BoxFuture<'a, Result<HopAnswer, ConnectError>> {
        Box::pin(self.post("devicecode", vec![pair("scope", self.scope.clone())], wire, watcher))
    }
    fn poll<'a>(
        &'a self,
        form: Vec<(String, SecretString)>,
        wire: &'a Wire,
        watcher: Watcher<'a>,
    ) -> BoxFuture<'a, Result<Told, ConnectError>> {
        Box::pin(self.token(form, wire, watcher))
    }
    /// Microsoft's own pages, which lie on other hosts than the authority.
    fn is_its_page(&self, host: &str) -> bool {
        host == self.tenant.host
            || host == "microsoft.com"
            || [".microsoft.com", ".microsoftonline.com", ".microsoftonline.us"].iter().any(|suffix| host.ends_with(suffix))
    }
    fn end(&self, refusal: &Refusal) -> ConnectError {
        aadsts::end(SignInStage::Browser, refusal)
    }
    fn time_code(&self) -> &'static str {
        "E-ENTRA-CODE-EXPIRED"
    }
}
