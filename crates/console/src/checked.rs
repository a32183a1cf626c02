//! What was typed, checked again before anything is sent or stored: names, labels, inputs, answers, route.

use crate::{
    applications::{LABELS, find_login},
    screen::{Answer, Failure, Input, RouteChoice},
};
use catalog::{App, Login, ParamType, ParamValue};
use connect::{Proxy, Roots, Route};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// Longest name or owner, in characters.
const NAME: usize = 80;

/// A name: not empty, no control characters.
pub(crate) fn name(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(Failure::new(
            "E-NAME",
            format!("An instance needs a name of 1 to {NAME} characters."),
            "Name it as your colleagues call it: \"Halden Moor EU\".",
        )
        .on_field("name"));
    }
    Ok(name.to_owned())
}

pub(crate) fn owner(text: &str) -> Result<String, Failure> {
    let owner = text.trim();
    if owner.chars().count() > NAME || owner.chars().any(char::is_control) {
        return Err(Failure::new("E-OWNER", format!("The owner is longer than {NAME} characters."), "Write a name or an address.")
            .on_field("owner"));
    }
    Ok(owner.to_owned())
}

pub(crate) fn label(text: &str) -> Result<String, Failure> {
    if LABELS.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(Failure::new("E-LABEL", format!("There is no label {text}."), format!("Use one of {}.", LABELS.join(", "))).on_field("label"))
    }
}

/// The fields of a login option that are not secret, each in its right shape.
pub(crate) fn inputs(app: &App, login: &str, typed: &[Input]) -> Result<BTreeMap<String, String>, Failure> {
    let login = find_login(app, login)?;
    let mut inputs = BTreeMap::new();
    for field in login.fields.iter().filter(|field| !field.secret) {
        let value = typed.iter().find(|input| input.field == field.id).map(|input| input.value.trim().to_owned());
        let value = value.filter(|value| !value.is_empty()).or_else(|| field.default.clone());
        match value {
            None if field.optional => {}
            None => {
                return Err(Failure::new("E-FIELD-MISSING", format!("{} is missing. Nothing was sent.", field.label), "Fill it in.")
                    .on_field(&field.id));
            }
            Some(value) => {
                let right = field.format.check(&field.choices, &value).map_err(|problem| {
                    Failure::new(
                        "E-FIELD-MALFORMED",
                        format!("{} Nothing was sent.", problem.sentence),
                        format!("{} looks like this: {}.", field.label, field.example),
                    )
                    .on_field(&field.id)
                })?;
                inputs.insert(field.id.clone(), right);
            }
        }
    }
    Ok(inputs)
}

/// The secret fields of a login option, all there and each in its right shape.
pub(crate) fn secrets(login: &Login, secrets: &BTreeMap<String, SecretString>) -> Result<(), Failure> {
    use secrecy::ExposeSecret;
    for field in login.fields.iter().filter(|field| field.secret) {
        match secrets.get(&field.id) {
            None if field.optional => {}
            None => {
                return Err(Failure::new("E-FIELD-MISSING", format!("{} is missing. Nothing was sent.", field.label), "Fill it in.")
                    .on_field(&field.id));
            }
            Some(value) => {
                field.format.check(&field.choices, value.expose_secret()).map_err(|problem| {
                    Failure::new(
                        "E-KEY-MALFORMED",
                        format!("{} Nothing was sent.", problem.sentence),
                        format!("Copy {} whole and paste it again.", field.label),
                    )
                    .on_field(&field.id)
                })?;
            }
        }
    }
    Ok(())
}

/// Thresholds and lists; an empty answer leaves the default, or leaves the check not evaluated.
pub(crate) fn params(app: &App, answers: &[Answer]) -> Result<BTreeMap<String, BTreeMap<String, ParamValue>>, Failure> {
    let mut params: BTreeMap<String, BTreeMap<String, ParamValue>> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| !answer.value.trim().is_empty()) {
        let Some(param) = app.check(&answer.check).and_then(|check| check.params.get(&answer.param)) else {
            return Err(Failure::new(
                "E-PARAM-UNKNOWN",
                format!("{} has no threshold {}.", answer.check, answer.param),
                "See the thresholds of the instance's settings.",
            ));
        };
        let field = format!("{}.{}", answer.check, answer.param);
        let text = answer.value.trim();
        let wrong = |sentence: String| Failure::new("E-PARAM", sentence, "Correct it or leave it empty.").on_field(&field);
        let value = match param.ty {
            ParamType::Int => {
                let number: i64 = text.parse().map_err(|_| wrong(format!("{} is a whole number.", param.label)))?;
                if param.min.is_some_and(|min| number < min) || param.max.is_some_and(|max| number > max) {
                    let bound = |bound: Option<i64>| bound.map_or_else(|| "any".to_owned(), |bound| bound.to_string());
                    return Err(wrong(format!(
                        "{} lies between {} and {} {}.",
                        param.label,
                        bound(param.min),
                        bound(param.max),
                        param.unit
                    )));
                }
                ParamValue::Int(number)
            }
            ParamType::Bool => ParamValue::Bool(text.parse().map_err(|_| wrong(format!("{} is true or false.", param.label)))?),
            ParamType::String => ParamValue::String(text.to_owned()),
            ParamType::Strings => {
                let mut items: Vec<String> =
                    text.split([',', ' ', '\n', '\t', ';']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_lowercase).collect();
                items.sort();
                items.dedup();
                ParamValue::Strings(items)
            }
        };
        params.entry(answer.check.clone()).or_default().insert(answer.param.clone(), value);
    }
    Ok(params)
}

/// A parameter's value as a person types it.
pub(crate) fn param_text(value: &ParamValue) -> String {
    match value {
        ParamValue::Bool(value) => value.to_string(),
        ParamValue::Int(value) => value.to_string(),
        ParamValue::String(value) => value.clone(),
        ParamValue::Strings(values) => values.join(", "),
    }
}

/// Parameters as a person types them.
pub(crate) fn answers(app: &App, params: &BTreeMap<String, BTreeMap<String, ParamValue>>) -> Vec<Answer> {
    let of_check = |check: &catalog::Check| -> Vec<Answer> {
        check
            .params
            .iter()
            .map(|(name, param)| {
                let value = params.get(&check.id).and_then(|set| set.get(name)).or(param.default.as_ref());
                Answer { check: check.id.clone(), param: name.clone(), value: value.map(param_text).unwrap_or_default() }
            })
            .collect()
    };
    app.checks.iter().flat_map(of_check).collect()
}

/// The way requests leave this computer.
pub(crate) fn route(choice: &RouteChoice) -> Result<Route, Failure> {
    let proxy = match choice.proxy.as_str() {
        "system" => Proxy::System,
        "environment" => Proxy::Environment,
        "none" => Proxy::None,
        "manual" => {
            let wrong =
                |sentence: &str| Err(Failure::new("E-PROXY-URL", sentence, "Write it as http://proxy.example:3128.").on_field("proxy_url"));
            let Ok(url) = url::Url::parse(choice.proxy_url.trim()) else { return wrong("The proxy's address is not a URL.") };
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
                return wrong("The proxy's address does not begin with http:// or https:// and a host.");
            }
            if !url.username().is_empty() || url.password().is_some() {
                return wrong("The proxy's address holds a user name or a password, which would be stored in clear.");
            }
            Proxy::Manual { url: url.to_string() }
        }
        other => {
            return Err(Failure::new(
                "E-PROXY-KIND",
                format!("There is no proxy choice {other}."),
                "Choose system, environment, manual or none.",
            )
            .on_field("proxy"));
        }
    };
    let pem = choice.extra_roots_pem.trim();
    if !pem.is_empty() && !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(Failure::new(
            "E-CA-FILE",
            "The corporate CA is not a PEM certificate.",
            "Paste the text that begins with -----BEGIN CERTIFICATE-----.",
        )
        .on_field("extra_roots_pem"));
    }
    Ok(Route { proxy, extra_roots_pem: if pem.is_empty() { Vec::new() } else { vec![pem.to_owned()] }, roots: Roots::Platform })
}

/// The stored route as a person chose it.
pub(crate) fn route_choice(route: &serde_json::Value) -> RouteChoice {
    let Ok(route) = serde_json::from_value::<Route>(route.clone()) else { return RouteChoice::default() };
    let (proxy, proxy_url) = match route.proxy {
        Proxy::System => ("system", String::new()),
        Proxy::Environment => ("environment", String::new()),
        Proxy::None => ("none", String::new()),
        Proxy::Manual { url } => ("manual", url),
    };
    RouteChoice { proxy: proxy.to_owned(), proxy_url, extra_roots_pem: route.extra_roots_pem.join("\n") }
}

/// A number of the settings, within its bounds.
pub(crate) fn within(field: &str, what: &str, value: u32, least: u32, most: u32) -> Result<(), Failure> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Failure::new(
        "E-SETTING",
        format!("{what}: {value} is not between {least} and {most}."),
        format!("Give a number from {least} to {most}."),
    )
    .on_field(field))
}
