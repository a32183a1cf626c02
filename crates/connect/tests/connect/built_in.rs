//! Every dataset of every built-in application makes requests that the guard lets through.
use crate::entry::read;
use crate::vendor;

use catalog::{App, Catalog, DatasetKind, Format, Inputs};
use posture_connect::{Credentials, Limits};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use vendor::{Seen, TestClock, Vendor, ok, status, try_sign_in_with};

/// An answer without rows, in the shape of the dataset whose path it is.
fn empty_answer(app: &App, inputs: &Inputs, seen: &Seen) -> vendor::Reply {
    let is_path = |template: &str| {
        // A server's own prefix may come first.
        let (wanted, asked): (Vec<&str>, Vec<&str>) =
            (template.trim_start_matches('/').split('/').collect(), seen.path.split('/').collect());
        wanted.len() <= asked.len()
            && wanted.iter().rev().zip(asked.iter().rev()).all(|(wanted, asked)| wanted.starts_with('{') || wanted == asked)
    };
    let Some(dataset) = app.datasets.iter().map(|dataset| dataset.for_inputs(inputs)).find(|dataset| is_path(&dataset.path)) else {
        return status(404, json!({}));
    };
    let mut body = if dataset.kind == DatasetKind::List { json!([]) } else { json!({}) };
    for name in dataset.rows.trim_end_matches("[]").split('.').rev().filter(|name| !name.is_empty()) {
        body = Value::Object(Map::from_iter([(name.to_owned(), body)]));
    }
    if let (Some(accepted), Some(members)) = (&dataset.accepted, body.as_object_mut()) {
        members.insert(accepted.path.0.clone(), accepted.is.clone());
    }
    ok(body)
}

fn example(format: &Format, choices: &[catalog::Choice]) -> Option<String> {
    match format {
        Format::Text | Format::Password => Some("example".to_owned()),
        Format::Jwt => Some(vendor::TOKEN.to_owned()),
        Format::Token { prefixes, min, .. } => {
            Some(format!("{}{}", prefixes.first().map_or("", String::as_str), "a".repeat(*min as usize)))
        }
        Format::DnsLabel { .. } => Some("halden".to_owned()),
        Format::Host | Format::OktaCustomDomain => Some("api.example.com".to_owned()),
        Format::Choice => choices.first().map(|choice| choice.value.clone()),
        Format::Email => Some("a.keller@example.com".to_owned()),
        Format::OktaDomain => Some("halden.okta.com".to_owned()),
        Format::MfaKey => Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned()),
        Format::Guid => Some("11111111-2222-3333-4444-555555555555".to_owned()),
        Format::EntraTenant => Some("contoso.onmicrosoft.com".to_owned()),
        Format::VendorHost { suffixes, .. } => suffixes.first().map(|suffix| format!("halden{suffix}")),
        Format::PrivateKey { .. } | Format::KeyFile { .. } | Format::List { .. } | Format::CertificateAndKey | Format::Url { .. } => None,
        Format::Pattern { .. } => Some("a".repeat(24)).filter(|letters| format.check(choices, letters).is_ok()),
    }
}

#[tokio::test]
async fn every_built_in_dataset_passes_the_guard() {
    let catalog = Catalog::built_in().unwrap();
    let mut asked = 0;
    for tile in catalog.tiles() {
        let app = catalog.app(&tile.slug).unwrap().unwrap();
        for login in 0..app.logins.len() {
            // The others sign in by requests of their own, which this stand does not answer; tests of their own do.
            let test = app.dataset(&app.logins[login].test).unwrap();
            if !matches!(app.logins[login].strategy, catalog::Strategy::Bearer { .. }) || test.protocol != catalog::Protocol::Http {
                continue;
            }
            let mut one = (*app).clone();
            one.logins.rotate_left(login);
            let (mut inputs, mut credentials) = (Inputs::new(), Credentials::new());
            for field in &one.logins[0].fields {
                match (field.secret, field.default.clone().or_else(|| example(&field.format, &field.choices))) {
                    (true, Some(value)) => drop(credentials.insert(field.id.clone(), SecretString::from(value))),
                    (false, Some(value)) => drop(inputs.insert(field.id.clone(), value)),
                    (_, None) => assert!(field.optional, "{}: no example for {}", one.slug, field.id),
                }
            }
            let (served, with) = (one.clone(), inputs.clone());
            let vendor = Vendor::start(move |seen| empty_answer(&served, &with, seen)).await;
            let clock = TestClock::new();
            let session = match try_sign_in_with(&one, &vendor.route(), Limits::default(), clock, &inputs, &credentials, &|_| {}).await {
                Ok(session) => session,
                Err(error) => panic!("{} by {}: {error}", one.slug, one.logins[0].id),
            };
            let all: Vec<&str> = one.datasets.iter().map(|dataset| dataset.id.as_str()).collect();
            let kept = read(&session, &one, &all).await;
            assert_eq!(kept.finished.len(), all.len());
            for (dataset, completeness) in &kept.finished {
                let refused = completeness.cause().is_some_and(|cause| cause.sentence.contains("refused before it was sent"));
                assert!(!refused, "{} {dataset}: {completeness:?}", one.slug);
            }
            for seen in vendor.seen() {
                assert!(["GET", "POST"].contains(&seen.method.as_str()), "{} is no verb of a dataset", seen.method);
                asked += 1;
            }
        }
    }
    assert!(asked > 10, "{asked} requests were made");
}
