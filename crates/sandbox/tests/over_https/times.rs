use crate::{
    client::{builder, still},
    helpdesk::{HOST, answer, halden_moor, noon, tenant},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sandbox::Sandbox;
use serde_json::{Value, json};
use x509_parser::{prelude::FromDer, public_key::PublicKey};

#[tokio::test]
async fn placeholders_are_filled_from_the_time_given() {
    let mut files = halden_moor();
    files.answers.push(answer(
        "/v1/times",
        json!({
            "now": "{{now}}", "ago": "{{days_ago:91}}", "ahead": "seen {{days_ahead:2}}, {{hours_ago:3}} and {{minutes_ago:4}}",
            "nested": [{"at": "{{days_ago:0}}"}], "number": 7, "none": null,
        }),
    ));
    let tenant = tenant(&files);
    let key = tenant.fields()["api_key"].clone();
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    let body: Value = client.get(format!("https://{HOST}/v1/times")).bearer_auth(key).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        body,
        json!({
            "now": "2026-11-21T12:00:00Z", "ago": "2026-08-22T12:00:00Z",
            "ahead": "seen 2026-11-23T12:00:00Z, 2026-11-21T09:00:00Z and 2026-11-21T11:56:00Z",
            "nested": [{"at": "2026-11-21T12:00:00Z"}], "number": 7, "none": null,
        })
    );
}

#[tokio::test]
async fn certificates_are_real_and_stay_the_same() {
    let mut files = halden_moor();
    let body =
        json!({"rsa": "{{cert:days_ahead=400,bits=2048}}", "again": "{{cert:days_ahead=400,bits=2048}}", "old": "{{cert:days_ahead=-5}}"});
    files.answers.push(answer("/v1/certificates", body));
    let tenant = tenant(&files);
    let key = tenant.fields()["api_key"].clone();
    let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
    let client = builder(&sandbox).build().unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let response = client.get(format!("https://{HOST}/v1/certificates")).bearer_auth(&key).send().await.unwrap();
        seen.push(response.json::<Value>().await.unwrap());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0]["rsa"], seen[0]["again"]);
    let day = 24 * 3600;
    for (name, days) in [("rsa", 400), ("old", -5)] {
        let der = STANDARD.decode(seen[0][name].as_str().unwrap()).unwrap();
        let (rest, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(certificate.validity().not_after.timestamp(), noon().as_second() + days * day, "{name}");
        assert!(certificate.validity().not_before < certificate.validity().not_after);
        let key = certificate.public_key().parsed().unwrap();
        let bits = if let PublicKey::RSA(key) = &key { key.key_size() } else { 0 };
        let points = if let PublicKey::EC(point) = &key { point.key_size() } else { 0 };
        assert_eq!((bits, points), if name == "rsa" { (2048, 0) } else { (0, 256) });
    }
}
