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

/// What a host says of its organization.
struct Found {
    pipeline: Pipeline,
    /// `00o…`; the same by all names of one organization.
    id: Option<String>,
}

/// Asks which engine the organization has. Each of its hosts may be sent the password, so each is asked, and all have to be
/// the same organization: whoever is led into typing a domain that is not the company's gives nothing away.
pub(super) async fn pipeline(desk: &mut Desk<'_>, okta: &mut Party<'_>, hosts: &[String]) -> Result<Pipeline, ConnectError> {
    let mut first: Option<Found> = None;
    for host in hosts {
        let found = look_up(desk, okta, host).await?;
        let Some(first) = &first else {
            first = Some(found);
            continue;
        };
        let other_id = first.id.is_some() && found.id.is_some() && first.id != found.id;
        if other_id || first.pipeline != found.pipeline {
            return Err(End::OtherOrganization.at(SignInStage::Organization).into());
        }
    }
    first.map(|found| found.pipeline).ok_or_else(|| End::NoOrganization.at(SignInStage::Organization).into())
}

async fn look_up(desk: &mut Desk<'_>, okta: &mut Party<'_>, host: &str) -> Result<Found, ConnectError> {
    let stage = SignInStage::Organization;
    loop {
        let url = address(host, "/.well-known/okta-organization")?;
        let reply = desk.ask(okta, Ask { stage, url, accept: "application/json", post: None }).await?;
        if desk.wait_out(&reply).await? {
            continue;
        }
        let named = reply.body.as_ref().filter(|_| reply.is_success()).and_then(|body| body.get("pipeline")).and_then(Value::as_str);
        let id = reply.body.as_ref().and_then(|body| body.get("id")).and_then(Value::as_str).map(str::to_owned);
        return match named {
            Some("v1") => Ok(Found { pipeline: Pipeline::Classic, id }),
            Some("idx") => Ok(Found { pipeline: Pipeline::IdentityEngine, id }),
            Some(other) => Err(End::UnknownPipeline.at(stage).named(other).into()),
            None if reply.is_success() || reply.status == 404 => Err(End::NoOrganization.at(stage).into()),
            None => Err(reply.problem().into()),
        };
    }
}

/// Asks whether the user's password is checked at this organization, by each host that may be sent it. An organization that
/// does not say is taken to.
pub(super) async fn who_signs_in(desk: &mut Desk<'_>, okta: &mut Party<'_>, hosts: &[String]) -> Result<(), ConnectError> {
    for host in hosts {
        who_signs_in_at(desk, okta, host).await?;
    }
    Ok(())
}

async fn who_signs_in_at(desk: &mut Desk<'_>, okta: &mut Party<'_>, host: &str) -> Result<(), ConnectError> {
    let stage = SignInStage::WhoSignsIn;
    loop {
        let mut url = address(host, "/.well-known/webfinger")?;
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
