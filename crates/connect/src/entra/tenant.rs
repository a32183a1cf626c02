//! Which tenant it is, and in which cloud: asked before any secret is sent.

use super::aadsts;
use crate::{
    ConnectError, SignInStage,
    hop::{Body, Hop, Method, Party},
    jar::Jar,
    oauth::url_on,
    session::Attempt,
    token::{self, OAuthError, Refusal},
};
use catalog::{CauseKind, EntraSignIn};
use jiff::SignedDuration;
use serde_json::Value;

/// A tenant, as its authority describes it.
pub(super) struct Tenant {
    /// The authority's host, the only one that secrets of the sign-in go to.
    pub(super) host: String,
    /// The tenant's id.
    pub(super) id: String,
    /// How far the authority's clock is ahead of ours.
    pub(super) ahead: SignedDuration,
}

/// The authorities and their clouds
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud>).
const CLOUDS: [(&str, &str); 4] = [
    ("login.microsoftonline.com", "the worldwide cloud"),
    ("login.microsoftonline.us", "the cloud of the US Government"),
    ("login.partner.microsoftonline.cn", "the cloud in China"),
    ("login.chinacloudapi.cn", "the cloud in China"),
];

/// Asks the authority for the tenant's public description.
pub(super) async fn find(attempt: &Attempt<'_>, strategy: &EntraSignIn) -> Result<Tenant, ConnectError> {
    let Some((host, _)) = attempt.wire.hosts().roles.get(&strategy.authority) else {
        return Err(ConnectError::RequestRefused {
            sentence: format!("the host role {} has no host with these fields.", strategy.authority),
        });
    };
    let named = attempt.filled(&strategy.tenant)?;
    attempt.stage(SignInStage::Organization, host);
    let watch = |event| attempt.watch(event);
    let mut party = Party::new(attempt.wire, &watch, Jar::new([host.clone()]));
    let answer = party
        .send(Hop {
            method: Method::Get,
            url: url_on(host, &format!("/{named}/.well-known/openid-configuration"))?,
            accept: "application/json",
            body: Body::Nothing,
            from: None,
            path_template: "/{tenant}/.well-known/openid-configuration".to_owned(),
        })
        .await?;
    let body = answer.json().unwrap_or(Value::Null);
    match answer.status {
        200 => {}
        300..=399 => return Err(ConnectError::Redirected { host: host.clone(), status: answer.status }),
        429 => return Err(token::rate_limited(host.clone(), &answer.headers, attempt.wire.clock().now())),
        status @ 400..=499 if body.get("error").is_some() => {
            let error = body.get("error").and_then(Value::as_str).map_or(OAuthError::Unknown, OAuthError::read);
            return Err(aadsts::end(SignInStage::Organization, &Refusal { status, error, body }));
        }
        status => {
            return Err(ConnectError::VendorError {
                status,
                sentence: format!("Microsoft Entra ID did not describe the tenant ({status})."),
            });
        }
    }
    let unclear = || ConnectError::NotUnderstood { sentence: format!("{host} does not describe the tenant as Microsoft documents.") };
    let endpoint = body.get("token_endpoint").and_then(Value::as_str).and_then(|text| url::Url::parse(text).ok()).ok_or_else(unclear)?;
    let there = endpoint.host_str().unwrap_or_default();
    // `tenant_region_sub_scope` is absent in the worldwide cloud, GCC within it, DODCON and DOD for the US Government.
    let sub_scope = body.get("tenant_region_sub_scope").and_then(Value::as_str).unwrap_or_default();
    let government = matches!(sub_scope, "DODCON" | "DOD") && host == CLOUDS[0].0;
    if there != host || government {
        let there = if government { CLOUDS[1].0 } else { there };
        return Err(other_cloud(host, there));
    }
    let id = endpoint.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default().to_ascii_lowercase();
    if !is_guid(&id) || (is_guid(named) && named.to_ascii_lowercase() != id) {
        return Err(unclear());
    }
    Ok(Tenant { host: host.clone(), id, ahead: token::ahead(&answer.headers, attempt.wire.clock().now()) })
}

fn other_cloud(asked: &str, there: &str) -> ConnectError {
    let cloud = |host: &str| CLOUDS.iter().find(|(known, _)| *known == host).map(|(_, name)| *name);
    let lies = cloud(there).map_or_else(|| "another cloud".to_owned(), |name| format!("{name} ({there})"));
    ConnectError::SignInFailed {
        stage: SignInStage::Organization,
        code: "E-ENTRA-OTHER-CLOUD",
        kind: CauseKind::InputMissing,
        sentence: format!("The tenant lies in {lies}, and {asked} was asked. Nothing secret was sent."),
        remedy: "Choose the cloud that the tenant lies in, if it is offered.".to_owned(),
        reference: None,
    }
}

pub(super) fn is_guid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok() && text.len() == 36
}
