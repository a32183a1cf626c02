//! Microsoft Entra ID as an application: by secret and by certificate, against an authority that checks what it is sent; each
//! documented number in words.
use crate::entry::{Signing, scan};
use crate::microsoft;
use crate::vendor;

use catalog::{App, CauseKind, Completeness, DatasetKind, EntraFlow};
use jiff::{SignedDuration, Timestamp};
use microsoft::{
    APP_SCOPE, AUTHORITY, CLIENT, CORRELATION, DOMAIN, HOSTILE, Microsoft, SECRET, TENANT, TRACE, by_certificate, by_secret, entra,
    refusal, signing,
};
use posture_connect::{ConnectError, NoBrowser, RequestClass, SignInStage, SignInStep};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use vendor::{Body, HOST, Reply, TestClock, Vendor, dataset, ok, status};

/// A certificate and its key, PEM, and the certificate's DER.
struct Pair {
    certificate: String,
    key: String,
    der: Vec<u8>,
    /// PKCS#8.
    key_der: Vec<u8>,
}

fn pair(key: rcgen::KeyPair, from: (i32, u8, u8), to: (i32, u8, u8)) -> Pair {
    let mut params = rcgen::CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
    let certificate = params.self_signed(&key).unwrap();
    Pair { certificate: certificate.pem(), der: certificate.der().to_vec(), key: key.serialize_pem(), key_der: key.serialize_der() }
}

fn rsa() -> rcgen::KeyPair {
    rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap()
}

fn good() -> Pair {
    pair(rsa(), (2026, 1, 1), (2027, 6, 1))
}

async fn with_secret(vendor: &Vendor, clock: &Arc<TestClock>, secret: &str) -> Signing {
    signing(&entra(by_secret(), vec![]), vendor, TENANT, &[("secret", secret)], clock.clone(), Arc::new(NoBrowser)).await
}

async fn with_pem(vendor: &Vendor, clock: &Arc<TestClock>, pem: &str) -> Signing {
    signing(&entra(by_certificate(), vec![]), vendor, TENANT, &[("pem", pem)], clock.clone(), Arc::new(NoBrowser)).await
}

#[tokio::test]
async fn a_secret_signs_in_and_goes_nowhere_else() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let app = entra(by_secret(), vec![]);
    for tenant in [TENANT, DOMAIN, &TENANT.to_uppercase()] {
        let Signing { result, steps } = signing(&app, &vendor, tenant, &[("secret", SECRET)], clock.clone(), Arc::new(NoBrowser)).await;
        let session = result.unwrap();
        assert_eq!(microsoft.wrong(), Vec::<String>::new());
        assert!(session.keepsakes().is_empty());
        assert_eq!(session.ends(), None);
        assert_eq!(session.hints().roles, ["Policy.Read.All"]);
        assert!(session.hints().missing.is_empty());
        let stages: Vec<SignInStage> = steps
            .iter()
            .filter_map(|step| if let SignInStep::Stage { stage, host } = step { Some((stage, host)) } else { None })
            .map(|(stage, host)| {
                assert_eq!(host, AUTHORITY);
                *stage
            })
            .collect();
        assert_eq!(stages, [SignInStage::Organization, SignInStage::Token]);
        let told = serde_json::to_string(&steps).unwrap();
        assert!(!told.contains(SECRET) && microsoft.tokens().iter().all(|token| !told.contains(token)));
    }
    let seen = vendor.seen();
    assert_eq!(seen.len(), 9);
    for request in &seen {
        let is_token = request.host == AUTHORITY && request.path.ends_with("/token");
        assert_eq!(request.body.contains("Q%7E") || request.body.contains("Q~"), is_token, "{request:?}");
        assert_eq!(request.authorization.is_some(), request.host == HOST);
    }
    let expected: BTreeSet<(String, String)> =
        [("grant_type", "client_credentials"), ("scope", APP_SCOPE), ("client_secret", SECRET), ("client_id", CLIENT)]
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
    assert_eq!(url::form_urlencoded::parse(seen[1].body.as_bytes()).into_owned().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn a_certificate_signs_in_by_the_authoritys_clock() {
    let Pair { certificate, key, der, key_der } = good();
    let other = good();
    let pkcs1 = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        // An RSA key of 2048 bits begins at the 27th byte of its PKCS#8 form.
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key_der[26..])
    );
    let texts = [
        ("certificate, key", format!("{certificate}{key}")),
        ("key, certificate", format!("{key}{certificate}")),
        ("a chain, of which the key belongs to the second", format!("{}{certificate}{key}", other.certificate)),
        (
            "as openssl pkcs12 writes it",
            format!("Bag Attributes\n    localKeyID: 01\nsubject=CN = x\n{certificate}Bag Attributes\n{key}\n"),
        ),
        ("with line ends of Windows", format!("{certificate}{key}").replace('\n', "\r\n")),
        ("a key in PKCS#1", format!("{certificate}{pkcs1}")),
    ];
    for (what, text) in &texts {
        for hours in [0, 3, -3] {
            let clock = TestClock::new();
            let microsoft =
                Microsoft::with(clock.clone(), SignedDuration::from_hours(hours), |settings| settings.certificate = Some(der.clone()));
            let vendor = microsoft.start().await;
            let Signing { result, steps } = with_pem(&vendor, &clock, text).await;
            let session = result.unwrap_or_else(|error| panic!("{what}, {hours}: {error} {:?}", microsoft.wrong()));
            assert_eq!(microsoft.wrong(), Vec::<String>::new(), "{what}, {hours}");
            let ends = "2027-06-01T00:00:00Z".parse::<Timestamp>().unwrap();
            assert_eq!(session.ends(), Some((ends, posture_connect::ExpiresBy::Certificate)), "the certificate's end");
            assert!(!vendor.seen()[1].body.contains("client_secret"));
            assert!(!serde_json::to_string(&steps).unwrap().contains("PRIVATE"));
        }
    }
}

#[tokio::test]
async fn an_assertion_is_made_anew_for_each_token() {
    let Pair { certificate, key, der, .. } = good();
    let clock = TestClock::new();
    let microsoft = Microsoft::with(clock.clone(), SignedDuration::from_mins(20), |settings| settings.certificate = Some(der));
    let vendor = microsoft.start().await;
    let app = entra(by_certificate(), vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let pem = format!("{certificate}{key}");
    let session = signing(&app, &vendor, TENANT, &[("pem", &pem)], clock.clone(), Arc::new(NoBrowser)).await.result.unwrap();
    for _ in 0..3 {
        clock.jump(Duration::from_secs(7200));
        let kept = scan(&session, &app).await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
        assert_eq!(kept.requests.iter().filter(|entry| entry.class == RequestClass::SignInHop).count(), 1);
    }
    assert_eq!(microsoft.wrong(), Vec::<String>::new());
    assert_eq!((microsoft.tokens().len(), microsoft.jtis()), (4, 4));
    // A certificate that ends while the program runs says so.
    clock.jump(Duration::from_secs(400 * 24 * 3600));
    let kept = scan(&session, &app).await;
    let Completeness::Unavailable(cause) = &kept.finished["users"] else { panic!("{:?}", kept.finished) };
    assert!(cause.sentence.contains("The certificate expired on 1 Jun 2027."), "{}", cause.sentence);
}

#[tokio::test]
async fn a_certificate_that_cannot_sign_says_why_and_nothing_is_sent() {
    let one = good();
    let another = good();
    let curve = pair(rcgen::KeyPair::generate().unwrap(), (2026, 1, 1), (2027, 6, 1));
    let table = [
        ("another's key", format!("{}{}", one.certificate, another.key), "E-CERTIFICATE-KEY-MISMATCH"),
        ("a curve", format!("{}{}", curve.certificate, curve.key), "E-CERTIFICATE-KEY-EC"),
        ("a curve's key beside an RSA certificate", format!("{}{}", one.certificate, curve.key), "E-CERTIFICATE-KEY-EC"),
        ("an RSA key beside a curve's certificate", format!("{}{}", curve.certificate, one.key), "E-CERTIFICATE-KEY-MISMATCH"),
        ("two keys", format!("{}{}{}", one.certificate, one.key, another.key), "E-CERTIFICATE-KEY"),
        (
            "a key that is garbage",
            format!("{}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", one.certificate),
            "E-CERTIFICATE-KEY",
        ),
        (
            "a certificate that is garbage",
            format!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{}", one.key),
            "E-CERTIFICATE-UNREADABLE",
        ),
        ("a block that does not end", format!("{}{}", one.certificate, one.key.replace("-----END", "")), "E-CERTIFICATE-UNREADABLE"),
    ];
    for (what, text, code) in table {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| settings.certificate = Some(one.der.clone()));
        let vendor = microsoft.start().await;
        let error = with_pem(&vendor, &clock, &text).await.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(!error.remedy().is_empty());
        assert!(!format!("{error:?}").contains("MII"), "{what}: nothing of the key is shown");
        assert_eq!(vendor.connections(), Vec::<String>::new(), "{what}");
    }
    // By the authority's time, so it is asked for the tenant, and never for a token.
    let table = [
        ("expired", pair(rsa(), (2020, 1, 1), (2021, 1, 1)), "E-CERTIFICATE-EXPIRED", "expired on 1 Jan 2021"),
        ("to come", pair(rsa(), (2030, 1, 1), (2031, 1, 1)), "E-CERTIFICATE-NOT-YET", "not valid before 1 Jan 2030"),
    ];
    for (what, pair, code, words) in table {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| settings.certificate = Some(pair.der.clone()));
        let vendor = microsoft.start().await;
        let error = with_pem(&vendor, &clock, &format!("{}{}", pair.certificate, pair.key)).await.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(vendor.seen().len(), 1, "{what}");
    }
    // Uploaded is another one: the authority's word, not ours.
    let clock = TestClock::new();
    let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| settings.certificate = Some(another.der.clone()));
    let vendor = microsoft.start().await;
    assert_eq!(with_pem(&vendor, &clock, &format!("{}{}", one.certificate, one.key)).await.refused().code(), "E-AADSTS-700027");
}

#[tokio::test]
async fn the_tenant_is_known_before_a_secret_is_sent() {
    let endpoint = |host: &str, tenant: &str| format!("https://{host}/{tenant}/oauth2/token");
    let elsewhere = "11111111-2222-3333-4444-555555555555";
    let table: Vec<(&str, String, Value, &str, &str)> = vec![
        ("worldwide", endpoint(AUTHORITY, TENANT), json!(null), "", ""),
        ("GCC", endpoint(AUTHORITY, TENANT), json!("GCC"), "", ""),
        ("GCC High", endpoint(AUTHORITY, TENANT), json!("DODCON"), "E-ENTRA-OTHER-CLOUD", "the cloud of the US Government"),
        ("DoD", endpoint(AUTHORITY, TENANT), json!("DOD"), "E-ENTRA-OTHER-CLOUD", "login.microsoftonline.us"),
        ("the US host", endpoint("login.microsoftonline.us", TENANT), json!(null), "E-ENTRA-OTHER-CLOUD", "login.microsoftonline.us"),
        ("China", endpoint("login.partner.microsoftonline.cn", TENANT), json!(null), "E-ENTRA-OTHER-CLOUD", "the cloud in China"),
        ("somebody's host", endpoint("evil.example", TENANT), json!(null), "E-ENTRA-OTHER-CLOUD", "lies in another cloud,"),
        ("another tenant", endpoint(AUTHORITY, elsewhere), json!(null), "E-NOT-UNDERSTOOD", ""),
        ("no tenant", endpoint(AUTHORITY, "common"), json!(null), "E-NOT-UNDERSTOOD", ""),
        ("no address", "evil".into(), json!(null), "E-NOT-UNDERSTOOD", ""),
    ];
    for (what, token_endpoint, sub_scope, code, words) in table {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| {
            settings.token_endpoint = token_endpoint;
            settings.sub_scope = sub_scope;
        });
        let vendor = microsoft.start().await;
        let signing = with_secret(&vendor, &clock, SECRET).await;
        if code.is_empty() {
            assert!(signing.result.is_ok(), "{what}");
            continue;
        }
        let error = signing.refused();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
        assert!(!error.to_string().contains("evil"), "{what}: {error}");
        assert_eq!(vendor.seen().len(), 1, "{what}: no secret was sent");
    }
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let app = entra(by_secret(), vec![]);
    let error = signing(&app, &vendor, "nobody.example", &[("secret", SECRET)], clock, Arc::new(NoBrowser)).await.refused();
    assert_eq!(error.code(), "E-AADSTS-90002");
    assert_eq!(vendor.seen().len(), 1);
}

#[tokio::test]
async fn permissions_that_were_not_granted_are_named() {
    for (roles, missing) in [
        (vec![], vec!["Policy.Read.All"]),
        (vec!["User.Read.All"], vec!["Policy.Read.All"]),
        (vec!["Policy.ReadWrite.All"], vec![]),
        (vec!["Policy.Read.All"], vec![]),
    ] {
        let clock = TestClock::new();
        let microsoft = Microsoft::with(clock.clone(), SignedDuration::ZERO, |settings| {
            settings.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        });
        let vendor = microsoft.start().await;
        let session = with_secret(&vendor, &clock, SECRET).await.result.unwrap();
        assert_eq!(session.hints().missing, missing, "{roles:?}");

        microsoft.fault("graph", status(403, json!({"error": {"code": "Authorization_RequestDenied"}})));
        let error = with_secret(&vendor, &clock, SECRET).await.refused();
        assert_eq!(error.code(), "E-SCOPE-MISSING");
        assert_eq!(error.to_string().contains("issued without Policy.Read.All"), !missing.is_empty(), "{error}");
        assert_eq!(error.remedy().contains("Grant Policy.Read.All"), !missing.is_empty(), "{}", error.remedy());
    }
}

/// The numbers that Microsoft documents and that need words of their own, a row for each meaning
/// (<https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>).
const NUMBERS: &[&[u64]] = &[
    &[90002, 50059, 50128],
    &[900382, 90038, 900432],
    &[700016],
    &[7000112, 70001],
    &[7000215],
    &[7000222],
    &[7000218],
    &[700025],
    &[700027, 50012, 50013, 500133],
    &[50011, 900971],
    &[65001, 90094, 90095, 650056],
    &[65004],
    &[500011, 650052, 650057],
    &[70011, 28002, 700022],
    &[50034, 50020, 51004, 16000],
    &[50126, 50064, 50056],
    &[50053],
    &[50055, 50144],
    &[50057],
    &[50076, 50074, 50079, 50072, 50078],
    &[50158],
    &[53003, 530032, 53000, 53001, 50131, 50005],
    &[530035],
    &[50105],
    &[50173, 70008, 700082, 70043, 50133],
    &[54005],
    &[50196, 90055],
    &[500212, 500213, 500021, 500022],
    &[50194],
    &[70016],
    &[70018],
    &[70019],
];

#[tokio::test]
async fn each_number_has_words_of_its_own() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let mut words = BTreeSet::new();
    for row in NUMBERS {
        let mut of_row = BTreeSet::new();
        for number in *row {
            // The number chooses the words, whatever `error` says.
            microsoft.fault("token", refusal(400, "invalid_request", *number));
            let error = with_secret(&vendor, &clock, SECRET).await.refused();
            assert_eq!(error.code(), format!("E-AADSTS-{number}"));
            let ConnectError::SignInFailed { stage, sentence, remedy, reference, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*stage, SignInStage::Token);
            assert!(sentence.contains(&format!("(AADSTS{number}, 400)")), "{sentence}");
            assert!(!remedy.is_empty());
            assert_eq!(reference.as_deref(), Some(format!("{CORRELATION}, trace {TRACE}, at 2026-11-21 09:00:01Z").as_str()));
            assert!(!format!("{error} {error:?}").contains("alert("), "vendor text is not shown");
            of_row.insert((sentence.replace(&number.to_string(), "n"), remedy.clone()));
        }
        assert_eq!(of_row.len(), 1, "a row of the table says one thing: {of_row:?}");
        assert!(words.is_disjoint(&of_row), "two rows say the same: {of_row:?}");
        words.extend(of_row);
    }
    assert_eq!(NUMBERS.iter().map(|row| row.len()).sum::<usize>(), 71);
}

#[tokio::test]
async fn an_unknown_number_ends_by_what_the_error_is() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    for (error, code, kind) in [
        ("invalid_client", "E-ENTRA-CLIENT", CauseKind::CredentialRefused),
        ("unauthorized_client", "E-ENTRA-CLIENT", CauseKind::CredentialRefused),
        ("invalid_grant", "E-ENTRA-SIGN-IN", CauseKind::CredentialRefused),
        ("interaction_required", "E-ENTRA-SIGN-IN", CauseKind::CredentialRefused),
        ("consent_required", "E-ENTRA-CONSENT", CauseKind::ScopeMissing),
        ("access_denied", "E-ENTRA-DECLINED", CauseKind::CredentialRefused),
        ("invalid_scope", "E-ENTRA-REQUEST", CauseKind::NotUnderstood),
        ("invalid_request", "E-ENTRA-REQUEST", CauseKind::NotUnderstood),
        ("temporarily_unavailable", "E-ENTRA-UNAVAILABLE", CauseKind::VendorError),
        ("<script>", "E-ENTRA-REFUSED", CauseKind::VendorError),
    ] {
        microsoft.fault("token", refusal(400, error, 1_234_567));
        let refused = with_secret(&vendor, &clock, SECRET).await.refused();
        assert_eq!((refused.code(), refused.kind()), (code, kind), "{error}");
        assert!(refused.to_string().contains("(AADSTS1234567, 400)"), "{refused}");
        assert!(!refused.to_string().contains("script"));
    }
    // References that are not in their form are left out; numbers that are none, too.
    let body = json!({
        "error": "invalid_client",
        "error_codes": [99_999_999_999_u64],
        "correlation_id": HOSTILE,
        "trace_id": "0d9e8f7a-6b5c-4d3e-2f1a-0b9c8d7e6f5\n",
        "timestamp": "2026-11-21 09:00:01Z <b>",
    });
    microsoft.fault("token", status(401, body));
    let refused = with_secret(&vendor, &clock, SECRET).await.refused();
    assert_eq!(refused.to_string(), "Microsoft Entra ID refused the application (401).");
}

/// What stands in the way at each endpoint, and the code of the end.
fn faults() -> Vec<(&'static str, Reply, &'static [&'static str])> {
    let whole = |text: &str| ok(json!(null)).body(Body::Whole(text.as_bytes().to_vec()));
    vec![
        ("500", status(500, json!({})), &["E-VENDOR-ERROR"]),
        ("429", status(429, json!({})).header("retry-after", "3600"), &["E-RATE-LIMITED"]),
        ("a redirect", status(302, json!({})).header("location", "https://evil.example/"), &["E-REDIRECTED"]),
        ("a page", whole("<html>Sign in</html>").kind("text/html"), &["E-NOT-JSON", "E-NOT-UNDERSTOOD"]),
        ("an empty object", ok(json!({})), &["E-NOT-UNDERSTOOD"]),
        ("a refusal without words", status(400, json!({"error": "invalid_client"})), &["E-ENTRA-CLIENT", "E-VENDOR-ERROR"]),
        (
            "403 and a page",
            status(403, json!(null)).body(Body::Whole(b"<html>".to_vec())),
            &["E-VENDOR-ERROR", "E-ENTRA-REFUSED", "E-SCOPE-MISSING"],
        ),
        ("a cut line", ok(json!(null)).body(Body::Cut(b"{\"a\":".to_vec())), &["E-CONNECTION-CUT"]),
        ("an endless answer", ok(json!(null)).body(Body::Endless(vec![b' '; 65_536])), &["E-TOO-LARGE"]),
        ("100,000 levels", whole(&"[".repeat(100_000)), &["E-NOT-JSON", "E-NOT-UNDERSTOOD", "E-TOO-DEEP"]),
        ("no answer", ok(json!({})).after(Duration::from_secs(30)), &["E-TIMEOUT"]),
    ]
}

#[tokio::test]
async fn faults_at_every_step_end_at_once() {
    for (step, before) in [("tenant", 0), ("token", 1), ("graph", 2)] {
        for (what, reply, codes) in faults() {
            let clock = TestClock::new();
            let microsoft = Microsoft::new(clock.clone());
            let vendor = microsoft.start().await;
            microsoft.fault(step, reply);
            let error = with_secret(&vendor, &clock, SECRET).await.refused();
            assert!(codes.contains(&error.code()), "{step}, {what}: {} {error}", error.code());
            assert!(!format!("{error:?}").contains(SECRET), "{step}, {what}");
            assert_eq!(error.to_string().lines().count(), 1, "{step}, {what}");
            let seen = vendor.seen().len();
            assert!((before..=before + 1).contains(&seen), "{step}, {what}: {seen} requests");
            assert_eq!(microsoft.wrong(), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_wrong_or_for_another_application_is_told_apart() {
    let clock = TestClock::new();
    let microsoft = Microsoft::new(clock.clone());
    let vendor = microsoft.start().await;
    let error = with_secret(&vendor, &clock, "the Secret ID").await.refused();
    assert_eq!(error.code(), "E-AADSTS-7000215");
    assert!(error.remedy().contains("Secret ID"));
    assert_eq!(error.kind(), CauseKind::CredentialRefused);
    assert_eq!(vendor.seen().len(), 2, "asked once");
    // Without a field, nothing is asked.
    let app: App = entra(EntraFlow::Secret { secret: "secret".into() }, vec![]);
    let connections = vendor.connections().len();
    assert_eq!(signing(&app, &vendor, TENANT, &[], clock, Arc::new(NoBrowser)).await.refused().code(), "E-FIELD-MISSING");
    assert_eq!(vendor.connections().len(), connections);
}
