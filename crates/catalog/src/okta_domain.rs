//! From what is typed into *Okta Domain* to the organization's host. The only door from that field to a host name.

use crate::{FormatProblem, format};
use url::Url;

/// Okta's own host families in which an organization may lie.
/// <https://developer.okta.com/docs/guides/find-your-domain/main/>, <https://developer.okta.com/docs/concepts/okta-organizations/>
const FAMILIES: [&str; 5] = ["okta.com", "okta-emea.com", "oktapreview.com", "okta-gov.com", "okta.mil"];

fn wrong<T>(sentence: impl Into<String>) -> Result<T, FormatProblem> {
    Err(FormatProblem { sentence: sentence.into(), position: None })
}

/// The organization's host (`acme.okta.com`) of its name, host or a URL of it.
///
/// # Errors
/// Everything that is not one label under one of Okta's families.
pub(crate) fn check(typed: &str) -> Result<String, FormatProblem> {
    let typed = typed.trim();
    if typed.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return wrong("Write the name alone, without spaces: acme of https://acme.okta.com.");
    }
    if !typed.is_ascii() {
        return wrong(
            "An Okta domain holds letters a to z, digits and hyphens only. A letter that only looks like one of them may have crept in: type it anew.",
        );
    }
    let lower = typed.to_ascii_lowercase();
    if lower.starts_with("http://") {
        return wrong("This address is not encrypted. Okta organizations answer at https only; leave out \"http://\".");
    }
    let host = match lower.split_once("://") {
        Some(("https", _)) => {
            let Ok(url) = Url::parse(&lower) else { return wrong("This address cannot be read. Write the name alone: acme.") };
            if !url.username().is_empty() || url.password().is_some() {
                return wrong("This address holds a user name. Write the domain alone.");
            }
            url.host_str().unwrap_or_default().to_owned()
        }
        Some(_) => return wrong("Write the domain alone, or with https:// before it."),
        None => {
            let host = lower.split(['/', '?', '#']).next().unwrap_or_default();
            if host.contains('@') {
                return wrong("This holds a user name. Write the domain alone: acme.");
            }
            match host.split_once(':') {
                // What is left of "https:" by a missing slash is no organization's name.
                Some((_, port)) if port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) => {
                    return wrong("This address cannot be read. Write the name alone: acme.");
                }
                Some((host, _)) => host.to_owned(),
                None => host.to_owned(),
            }
        }
    };
    let host = host.strip_suffix('.').unwrap_or(&host);
    if host.starts_with("xn--") || host.contains(".xn--") {
        return wrong("An Okta domain holds letters a to z, digits and hyphens only.");
    }
    let (label, family) = match host.split_once('.') {
        None => (host, "okta.com"),
        Some((label, family)) => match FAMILIES.iter().find(|known| **known == family) {
            Some(family) => (label, *family),
            None => {
                return wrong(
                    "This is not a domain of Okta's own. Give the organization's name at okta.com here (an Okta administrator sees it at the top right of the admin console); if sign-in goes through a domain of your own, tick the box below and give that too.",
                );
            }
        },
    };
    if !format::is_label(label) {
        return wrong("The organization's name holds letters a to z, digits and hyphens, at most 63 of them, and no hyphen at either end.");
    }
    if let Some(name) = label.strip_suffix("-admin").filter(|name| !name.is_empty()) {
        return wrong(format!(
            "This is the address of the admin console, where nobody signs in to applications. The organization is {name}."
        ));
    }
    Ok(format!("{label}.{family}"))
}

/// A host that is to be an organization's custom domain. A host of Okta's own may be anybody's organization, and the one
/// that is meant stands in *Okta Domain*.
///
/// # Errors
/// A host in one of Okta's families.
pub(crate) fn custom(host: String) -> Result<String, FormatProblem> {
    let is_oktas = |family: &&str| host.strip_suffix(*family).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if FAMILIES.iter().any(is_oktas) {
        return wrong(
            "This is a host of Okta's own. Write the organization's name under Okta Domain, and leave this empty unless your company has a domain of its own for Okta.",
        );
    }
    if !host.contains('.') {
        return wrong("This is one name without a dot. Write the whole host at which people of your company sign in to Okta.");
    }
    Ok(host)
}
