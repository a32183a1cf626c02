//! Okta's own published answers, replayed: each comes to the next request or the end that it shows.
//!
//! They are others' data and no part of this project. The environment variable `POSTURE_OKTA_PUBLISHED` names the folder that
//! holds them; without it the closing table says "not run", and a folder that is not there or lacks one of them is a failure.
//! Answers that this project wrote from Okta's documents always run (`okta_engines.rs`).
use crate::okta;
use crate::vendor;

use futures::StreamExt;
use okta::{Attempt, Engine, OKTA, PASSWORD, USER, answer, html};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use vendor::{ok, status};

/// Where in a sign-in an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Webfinger,
    /// To user and password, Classic Engine.
    Primary,
    /// To the code.
    Verify,
    /// To the closing of a transaction.
    Cancel,
    /// To the state token of a page.
    StepUp,
    /// The first page, Identity Engine.
    Page,
    /// To the user's name alone.
    Identified,
    /// To the user's name with the password.
    IdentifiedWithPassword,
    /// To the password.
    AfterPassword,
    /// To the code.
    AfterCode,
}

/// What a member of the next request holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    User,
    Password,
    Code,
    No,
    Text(&'static str),
    Nothing,
}

/// What follows.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// The end with this code.
    Ends(&'static str),
    /// This request, with these members.
    Posts(&'static str, &'static [(&'static str, Holds)]),
    Reads(&'static str),
}

use Holds::{Code, No, Nothing, Password, Text, User};
use Place::{AfterCode, AfterPassword, Cancel, Identified, IdentifiedWithPassword, Page, Primary, StepUp, Verify, Webfinger};
use Then::{Ends, Posts, Reads};

const IDENTIFY: &str = "/idp/idx/identify";
const ANSWER: &str = "/idp/idx/challenge/answer";
const USER_ONLY: &[(&str, Holds)] = &[("/identifier", User), ("/credentials", Nothing), ("/rememberMe", No)];
const USER_AND_PASSWORD: &[(&str, Holds)] = &[("/identifier", User), ("/credentials/passcode", Password), ("/rememberMe", No)];

/// File, status where the file does not say it, place, what follows.
const TABLE: &[(&str, u16, Place, Then)] = &[
    ("authn-js/cancel.json", 200, Cancel, Ends("E-OKTA-ENROLLMENT-BEGUN")),
    ("authn-js/error-throttle.json", 429, Primary, Ends("E-OKTA-RATE-LIMIT")),
    ("authn-js/locked-out.json", 200, Primary, Ends("E-OKTA-LOCKED-OUT")),
    (
        "authn-js/mfa-challenge-push.json",
        200,
        Primary,
        Posts("/api/v1/authn/previous", &[("/stateToken", Text("00T4jcVNRzJy5dkWJ4P7c9051dY3FUYY9O2zvbU_vI")), ("/passCode", Nothing)]),
    ),
    ("authn-js/mfa-enroll-activate-totp-google.json", 200, Primary, Ends("E-OKTA-ENROLLMENT-BEGUN")),
    ("authn-js/mfa-enroll.json", 200, Primary, Ends("E-OKTA-ENROLLMENT")),
    ("authn-js/mfa-required-error.json", 403, Verify, Ends("E-OKTA-CODE")),
    (
        "authn-js/mfa-required.json",
        200,
        Primary,
        Posts(
            "/api/v1/authn/factors/uftigiEmYTPOmvqTS0g3/verify",
            &[("/stateToken", Text("004KscPNUS2LswGp26qiu4Hetqt_zcgz-PcQhPseVP")), ("/passCode", Code)],
        ),
    ),
    ("authn-js/password-expired.json", 200, Primary, Ends("E-OKTA-PASSWORD-EXPIRED")),
    (
        "authn-js/password-warn.json",
        200,
        Primary,
        Posts("/api/v1/authn/skip", &[("/stateToken", Text("00PrDdGF4JjOG1v2Mh2b2_vJZsywXSwZAuzEVhCk1s"))]),
    ),
    ("authn-js/primary-auth-error.json", 401, Primary, Ends("E-OKTA-PASSWORD")),
    // A session is no transaction.
    ("authn-js/session.json", 200, Primary, Ends("E-OKTA-UNKNOWN-STATUS")),
    ("authn-js/success.json", 200, Primary, Reads("/login/sessionCookieRedirect")),
    ("authn-js/webfinger.json", 200, Webfinger, Ends("E-OKTA-OTHER-PROVIDER")),
    ("authn-widget/error-authentication-failed.json", 401, Primary, Ends("E-OKTA-PASSWORD")),
    (
        "authn-widget/mfa-required-oktaverify.json",
        200,
        Primary,
        Posts("/api/v1/authn/factors/osthw62MEvG6YFuHe0g3/verify", &[("/stateToken", Text("testStateToken")), ("/passCode", Code)]),
    ),
    ("authn-widget/success-001.json", 200, Primary, Reads("/login/sessionCookieRedirect")),
    (
        "authn-widget/unauthenticated.json",
        200,
        StepUp,
        Posts("/api/v1/authn", &[("/stateToken", Text("aStateToken")), ("/username", User), ("/password", Password)]),
    ),
    ("idx-dotnet/01-basic-login_deactivated-user-identify-response.json", 401, IdentifiedWithPassword, Ends("E-OKTA-PASSWORD")),
    ("idx-dotnet/01-basic-login_locked-user-identify-response.json", 401, IdentifiedWithPassword, Ends("E-OKTA-PASSWORD")),
    ("idx-dotnet/01-basic-login_one-step-login_identify-response.json", 200, IdentifiedWithPassword, Ends("E-OKTA-INTERACTION-CODE")),
    ("idx-dotnet/01-basic-login_one-step-login_introspect-response.json", 200, Page, Posts(IDENTIFY, USER_AND_PASSWORD)),
    ("idx-dotnet/01-basic-login_password-expired-identify-response.json", 200, IdentifiedWithPassword, Ends("E-OKTA-PASSWORD-EXPIRED")),
    ("idx-dotnet/01-basic-login_suspended-user-identify-response.json", 401, IdentifiedWithPassword, Ends("E-OKTA-PASSWORD")),
    ("idx-dotnet/01-basic-login_two-steps-login_challenge-response.json", 200, AfterPassword, Ends("E-OKTA-INTERACTION-CODE")),
    (
        "idx-dotnet/01-basic-login_two-steps-login_identify-response.json",
        200,
        Identified,
        Posts(ANSWER, &[("/credentials/passcode", Password), ("/stateHandle", Text("021ASG5DWgfcbJZ5jRU_KzF-K-6EHgE_Cq9o48TEZ4"))]),
    ),
    ("idx-dotnet/01-basic-login_two-steps-login_introspect-response.json", 200, Page, Posts(IDENTIFY, USER_ONLY)),
    ("idx-dotnet/01-basic-login_unassigned-user-identify-response.json", 400, IdentifiedWithPassword, Ends("E-OKTA-UNKNOWN-MESSAGE")),
    ("idx-dotnet/01-basic-login_wrong-password-identify-response.json", 403, IdentifiedWithPassword, Ends("E-OKTA-DENIED")),
    ("idx-dotnet/06-2fa_challenge-sms_challenge-with-selected-method-response.json", 200, AfterPassword, Ends("E-OKTA-NO-CODE-FACTOR")),
    ("idx-dotnet/06-2fa_challenge-sms_identify-response.json", 200, IdentifiedWithPassword, Ends("E-OKTA-NO-CODE-FACTOR")),
    ("idx-dotnet/06-2fa_challenge-sms_introspect-response.json", 200, Page, Posts(IDENTIFY, USER_AND_PASSWORD)),
    ("idx-dotnet/06-2fa_challenge-sms_invalid-code-verification-response.json", 400, AfterPassword, Ends("E-OKTA-CODE")),
    ("idx-dotnet/06-2fa_challenge-sms_select-phone-response.json", 200, AfterPassword, Ends("E-OKTA-NO-CODE-FACTOR")),
    ("idx-dotnet/06-2fa_challenge-sms_valid-code-verification-response.json", 200, AfterCode, Ends("E-OKTA-INTERACTION-CODE")),
    ("idx-dotnet/06-2fa_email_2-steps-login-challenge-password-identify-response.json", 200, AfterPassword, Ends("E-OKTA-NO-CODE-FACTOR")),
    ("idx-dotnet/06-2fa_email_select-email-response.json", 200, AfterPassword, Ends("E-OKTA-NO-CODE-FACTOR")),
    ("idx-dotnet/06-2fa_email_verify-email-invalid-code-response.json", 400, AfterPassword, Ends("E-OKTA-CODE")),
    ("idx-dotnet/06-2fa_email_verify-email-response.json", 200, AfterCode, Ends("E-OKTA-INTERACTION-CODE")),
    ("idx-dotnet/06-2fa_enroll-sms_enroll-phone-sms-number-response.json", 200, AfterPassword, Ends("E-OKTA-ENROLLMENT")),
    ("idx-dotnet/06-2fa_enroll-sms_enroll-with-invalid-phone-number-response.json", 400, AfterPassword, Ends("E-OKTA-UNKNOWN-MESSAGE")),
    ("idx-dotnet/06-2fa_enroll-sms_identify-awaiting-phone-enroll-response.json", 200, IdentifiedWithPassword, Ends("E-OKTA-ENROLLMENT")),
    ("idx-dotnet/06-2fa_enroll-sms_introspect-response.json", 200, Page, Posts(IDENTIFY, USER_AND_PASSWORD)),
    ("idx-dotnet/06-2fa_enroll-sms_select-enroll-phone-response.json", 200, AfterPassword, Ends("E-OKTA-ENROLLMENT")),
    ("idx-dotnet/06-2fa_enroll-sms_valid-phone-number-challenge-send-code-response.json", 200, AfterPassword, Ends("E-OKTA-ENROLLMENT")),
    ("idx-dotnet/06-2fa_enroll-sms_verify-code-response.json", 200, AfterCode, Ends("E-OKTA-INTERACTION-CODE")),
    // Of a model that is not used: an application's own sign-in page.
    ("idx-dotnet/common_interact-response.json", 200, Page, Ends("E-OKTA-NOT-UNDERSTOOD")),
    ("idx-dotnet/common_token-response.json", 200, Page, Ends("E-OKTA-NOT-UNDERSTOOD")),
    ("idx-widget/authenticator-expired-password.json", 200, AfterPassword, Ends("E-OKTA-PASSWORD-EXPIRED")),
    ("idx-widget/authenticator-expiry-warning-password.json", 200, AfterPassword, Posts("/idp/idx/skip", &[("/credentials", Nothing)])),
    (
        "idx-widget/authenticator-verification-google-authenticator.json",
        200,
        AfterPassword,
        Posts(ANSWER, &[("/credentials/passcode", Code), ("/stateHandle", Text("02UxxOzemJmZMFgNfWePmTbaWZvWyJyr-7hi_ps4Iu"))]),
    ),
    (
        "idx-widget/authenticator-verification-okta-verify-totp.json",
        200,
        AfterPassword,
        Posts(ANSWER, &[("/credentials/totp", Code), ("/credentials/passcode", Nothing)]),
    ),
    ("idx-widget/authenticator-verification-password.json", 200, Identified, Posts(ANSWER, &[("/credentials/passcode", Password)])),
    ("idx-widget/error-401-session-expired.json", 401, Page, Ends("E-OKTA-EXPIRED")),
    ("idx-widget/error-403-proxy-block.json", 403, Page, Ends("E-OKTA-BLOCKED")),
    ("idx-widget/error-429-too-many-request.json", 429, Page, Ends("E-OKTA-RATE-LIMIT")),
    (
        "idx-widget/error-authenticator-verification-on-google-otp-invalid-passcode.json",
        400,
        AfterCode,
        Posts(ANSWER, &[("/credentials/passcode", Code)]),
    ),
    (
        "idx-widget/error-authenticator-verification-on-google-otp-used-passcode.json",
        400,
        AfterCode,
        Posts(ANSWER, &[("/credentials/passcode", Code)]),
    ),
    ("idx-widget/error-identify-access-denied.json", 403, Identified, Ends("E-OKTA-DENIED")),
    ("idx-widget/error-okta-verify-totp.json", 400, AfterCode, Posts(ANSWER, &[("/credentials/totp", Code)])),
    ("idx-widget/identify-unknown-user.json", 400, Identified, Ends("E-OKTA-PASSWORD")),
    ("idx-widget/identify-with-password.json", 200, Page, Posts(IDENTIFY, USER_AND_PASSWORD)),
    ("idx-widget/identify.json", 200, Page, Posts(IDENTIFY, USER_ONLY)),
    (
        "idx-widget/post-auth-keep-me-signed-in.json",
        200,
        AfterCode,
        Posts("/idp/idx/keep-me-signed-in", &[("/keepMeSignedIn", No), ("/stateHandle", Text("dummy-state-handle"))]),
    ),
    ("idx-widget/success-redirect-remediation.json", 200, AfterCode, Reads("/app/UserHome")),
    ("idx-widget/success.json", 200, AfterCode, Reads("/app/UserHome")),
];

/// Names the folder of the published answers.
const FOLDER: &str = "POSTURE_OKTA_PUBLISHED";

/// The folder of the published answers; nothing where nobody names one.
fn folder(named: Option<OsString>) -> Result<Option<PathBuf>, String> {
    let Some(path) = named.map(PathBuf::from) else { return Ok(None) };
    // Tests run in the folder of their crate, so a relative path would mean another place than in the terminal.
    if path.is_absolute() && path.is_dir() {
        Ok(Some(path))
    } else {
        Err(format!("{FOLDER} names {}, which is not the whole path of a folder", path.display()))
    }
}

fn files(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for group in fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(group.path()).unwrap().flatten() {
            files.insert(format!("{}/{}", group.file_name().to_string_lossy(), file.file_name().to_string_lossy()));
        }
    }
    files
}

/// The published hosts stand for the organization.
fn rehost(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let (Value::String(text), "href") = (&mut *value, name.as_str()) {
                    let path = text.replace("<%= uri %>", "https://x.example");
                    let path = path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path.to_owned()).unwrap();
                    *text = format!("https://{OKTA}/{path}");
                } else {
                    rehost(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(rehost),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tells the closing table.
fn promise(line: &str) {
    println!("{line}");
    if let Ok(path) = std::env::var("POSTURE_PROMISES") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "PROMISE okta-published {line}").unwrap();
    }
}

async fn replay(file: &'static str, http: u16, place: Place, then: Then, body: Value) -> Result<(), String> {
    let engine = if matches!(place, Webfinger | Primary | Verify | Cancel | StepUp) { Engine::Classic } else { Engine::Identity };
    let served = Arc::new(AtomicUsize::new(usize::MAX));
    let noted = served.clone();
    let outcome = Attempt::new(engine)
        .instead(move |seen, count, of_same| {
            let here = |path: &str, nth: usize| seen.path == path && of_same == nth;
            let password = seen.body.contains(PASSWORD);
            let comes = match place {
                Webfinger => seen.path == "/.well-known/webfinger",
                Primary => here("/api/v1/authn", 0),
                Verify => seen.path.ends_with("/verify"),
                Cancel => seen.path == "/api/v1/authn/cancel",
                StepUp => here("/api/v1/authn", 1),
                Page => seen.path == "/idp/idx/introspect",
                Identified | IdentifiedWithPassword => here(IDENTIFY, 0),
                AfterPassword => seen.path == ANSWER && password,
                AfterCode => seen.path == ANSWER && !password && of_same == 1,
            };
            if comes {
                let _ = noted.compare_exchange(usize::MAX, count, Ordering::SeqCst, Ordering::SeqCst);
                return Some(status(http, body.clone()));
            }
            let file = if place == Cancel && here("/api/v1/authn", 0) {
                "classic-mfa-enroll-activate"
            } else if place == StepUp && here("/api/v1/authn", 0) {
                "classic-success"
            } else if place == IdentifiedWithPassword && seen.path == "/idp/idx/introspect" {
                "engine-identify-with-password"
            } else {
                let asks = place == StepUp && here("/oauth2/v1/authorize", 0);
                return asks.then(|| html("<script>var stateToken = '00halden';</script>"));
            };
            Some(ok(answer(file)))
        })
        .await;
    let at = served.load(Ordering::SeqCst);
    if at == usize::MAX {
        return Err(format!("{file} was never served: {:#?}", outcome.paths()));
    }
    let next = outcome.seen.get(at + 1);
    let shown = || format!("{file}: {} after {:#?}", outcome.code(), outcome.paths());
    for host in &outcome.hosts {
        if ![OKTA, vendor::HOST].contains(&host.as_str()) {
            return Err(format!("{file}: {host} was asked"));
        }
    }
    match then {
        Ends(code) if outcome.code() == code => Ok(()),
        Ends(_) => Err(shown()),
        Reads(path) => match next {
            Some(next) if next.method == "GET" && next.path == path => Ok(()),
            Some(_) | None => Err(shown()),
        },
        Posts(path, members) => {
            let Some(next) = next.filter(|next| next.method == "POST" && next.path == path) else { return Err(shown()) };
            let body: Value = serde_json::from_str(&next.body).map_err(|_| shown())?;
            for (pointer, holds) in members {
                let value = body.pointer(pointer);
                let right = match holds {
                    User => value == Some(&json!(USER)),
                    Password => value == Some(&json!(PASSWORD)),
                    Code => value
                        .and_then(Value::as_str)
                        .is_some_and(|code| code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit())),
                    No => value == Some(&json!(false)),
                    Text(text) => value == Some(&json!(text)),
                    Nothing => value.is_none(),
                };
                if !right {
                    return Err(format!("{file}: {pointer} of the request to {path} is not {holds:?}"));
                }
            }
            Ok(())
        }
    }
}

#[test]
fn a_folder_that_is_named_has_to_be_there() {
    assert_eq!(folder(None), Ok(None));
    let here = env!("CARGO_MANIFEST_DIR");
    assert_eq!(folder(Some(here.into())), Ok(Some(here.into())));
    for wrong in [format!("{here}/no-such-folder"), format!("{here}/Cargo.toml"), "src".to_owned(), String::new()] {
        assert_eq!(folder(Some(wrong.clone().into())), Err(format!("{FOLDER} names {wrong}, which is not the whole path of a folder")));
    }
}

#[tokio::test]
async fn every_published_answer_comes_to_its_state_or_end() {
    let Some(folder) = folder(std::env::var_os(FOLDER)).unwrap() else {
        promise("not-run");
        return;
    };
    let there = files(&folder);
    let named: BTreeSet<String> = TABLE.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(there, named, "every file of the folder stands in the table, and the other way round");
    let replays = TABLE.iter().map(|(file, http, place, then)| {
        let mut body: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
        let mut http = *http;
        if file.starts_with("authn-js/") {
            http = u16::try_from(body["status"].as_u64().unwrap()).unwrap();
            body = body["response"].take();
        }
        rehost(&mut body);
        replay(file, http, *place, *then, body)
    });
    let wrong: Vec<String> =
        futures::stream::iter(replays).buffer_unordered(4).filter_map(|replayed| async { replayed.err() }).collect().await;
    promise(&format!("cases={} failures={}", TABLE.len(), wrong.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
