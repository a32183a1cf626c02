//! The organization before anything secret is sent to it: whether there is one, which engine signs in there, and whether the
//! user's password is its business.

use super::{
    address,
    desk::{Ask, Desk},
    problem::End,
};
use crate::{ConnectError, SignInStage, hop::Party};
use serde_json::Value;

/// The engine that signs in, as `/.well-known/okta-organization` names it.
/// <https://github.com/okta/okta-developer-docs/tree/master/packages/@okta/vuepress-site/docs/guides/oie-upgrade-overview>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipeline {
    /// `v1`: Classic Engine.
    Classic,
    /// `idx`: Identity Engine.
    IdentityEngine,
}

/// Asks which engine an organization's host has.
pub(super) async fn pipeline(desk: &mut Desk<'_>, okta: &mut Party<'_>, host: &str) -> Result<Pipeline, ConnectError> {
    let stage = SignInStage::Organization;
    loop {
        let url = address(host, "/.well-known/okta-organization")?;
        let reply = desk.ask(okta, Ask { stage, url, accept: "application/json", post: None }).await?;
        if desk.wait_out(&reply).await? {
            continue;
        }
        let named = reply.body.as_ref().filter(|_| reply.is_success()).and_then(|body| body.get("pipeline")).and_then(Value::as_str);
        return match named {
            Some("v1") => Ok(Pipeline::Classic),
            Some("idx") => Ok(Pipeline::IdentityEngine),
            Some(other) => Err(End::UnknownPipeline.at(stage).named(other).into()),
            None if reply.is_success() || reply.status == 404 => Err(End::NoOrganization.at(stage).into()),
            None => Err(reply.problem().into()),
        };
    }
}

/// Asks whether the user's password is checked at this organization. An organization that does not say is taken to.
pub(super) async fn who_signs_in(desk: &mut Desk<'_>, okta: &mut Party<'_>) -> Result<(), ConnectError> {
    let stage = SignInStage::WhoSignsIn;
    loop {
        let mut url = address(&desk.host, "/.well-known/webfinger")?;
        url.query_pairs_mut().append_pair("resource", &format!("okta:acct:{}", desk.user)).append_pair("rel", "okta:idp");
        let reply = desk.ask(okta, Ask { stage, url, accept: "application/jrd+json", post: None }).await?;
        if desk.wait_out(&reply).await? {
            continue;
        }
        if reply.status == 404 {
            return Ok(());
        }
        let Some(body) = reply.body.as_ref().filter(|_| reply.is_success()) else { return Err(reply.problem().into()) };
        let kind = body.pointer("/links/0/properties").and_then(|properties| properties.get("okta:idp:type")).and_then(Value::as_str);
        return match kind {
            // IWA: Kerberos in the company's network, with the organization's own password everywhere else.
            None | Some("OKTA" | "IWA") => Ok(()),
            Some(other) => Err(End::OtherProvider.at(stage).named(other).into()),
        };
    }
}
