//! Ways that are not gone: where they lead is not asked, and what would have been sent stays here.

use crate::{
    hops::world::{
        APP, ASSERTION, CODE, OKTA, OTHER_APP, SECRETS, SESSION_TOKEN, STATE_TOKEN, World, authorize, from_dashboard, oidc, page, redirect,
        saml, saml_form,
    },
    vendor::{Reply, Seen, ok, status},
};
use posture_connect::{ConnectError, SignInStage};
use serde_json::json;

/// Addresses that look like one of a party, with the code that refuses each.
const ADDRESSES: [(&str, &str); 22] = [
    ("https://acme.okta.com.evil.test/oauth2/v1/authorize?state=1", "E-SSO-ELSEWHERE"),
    ("https://acme.okta.com.evil.test/oauth2/v1/authorize?client_id=1&redirect_uri=https://app.vendor.example", "E-SSO-OTHER-PROVIDER"),
    ("https://idp.evil.test/saml?SAMLRequest=abc", "E-SSO-OTHER-PROVIDER"),
    ("https://acme.okta.com@evil.test/", "E-SSO-ADDRESS"),
    ("https://evil.test@acme.okta.com/oauth2/v1/authorize", "E-SSO-ADDRESS"),
    ("https://:secret@acme.okta.com/oauth2/v1/authorize", "E-SSO-ADDRESS"),
    ("//evil.test/x", "E-SSO-ELSEWHERE"),
    ("///evil.test/x", "E-SSO-BROKEN-LINK"),
    ("\\\\evil.test/x", "E-SSO-ELSEWHERE"),
    ("/\\evil.test/x", "E-SSO-ELSEWHERE"),
    ("https:\\\\evil.test\\@acme.okta.com/", "E-SSO-ELSEWHERE"),
    ("https://evil.test\\@acme.okta.com/", "E-SSO-ELSEWHERE"),
    ("https://acme.okta.com./oauth2/v1/authorize", "E-SSO-ELSEWHERE"),
    ("https://app.vendor.example./home", "E-SSO-ELSEWHERE"),
    ("https://acme.okta.com:8443/oauth2/v1/authorize", "E-SSO-ADDRESS"),
    ("https://acme-admin.okta.com/", "E-SSO-ELSEWHERE"),
    ("https://xn--cme-7cd.okta.com/", "E-SSO-ELSEWHERE"),
    ("https://evil.okta.com/oauth2/v1/authorize", "E-SSO-ELSEWHERE"),
    ("http://acme.okta.com/oauth2/v1/authorize", "E-SSO-NOT-HTTPS"),
    ("http://app.vendor.example/home", "E-SSO-NOT-HTTPS"),
    ("javascript:alert(document.cookie)", "E-SSO-NOT-HTTPS"),
    ("data:text/html,<h1>x</h1>", "E-SSO-NOT-HTTPS"),
];

/// Addresses that only a page can hold: a header cannot.
const IN_PAGES: [(&str, &str); 4] = [
    ("ht\ntps://evil.test/x", "E-SSO-ELSEWHERE"),
    ("https://acme.okta.com\t.evil.test/", "E-SSO-ELSEWHERE"),
    ("https://\u{430}cme.okta.com/", "E-SSO-ELSEWHERE"),
    ("https://acme\u{3002}okta\u{3002}com\u{ff0e}evil.test/", "E-SSO-ELSEWHERE"),
];

fn js(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\'', "\\'")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// The ways in which an answer can send on: by a page, and where `in_headers` by a redirect. All of them, or one of a kind.
fn carriers(address: &str, in_headers: bool, all: bool) -> Vec<Reply> {
    let mut replies = vec![
        page(format!("<meta http-equiv=\"refresh\" content=\"0; url={}\">", html(address))),
        page(format!("<script>window.location.href = '{}';</script>", js(address))),
        page(format!("<form method=post action=\"{}\"><input type=hidden name=SAMLRequest value=x></form>", html(address))),
        page(format!(
            "<form method=get action=\"{}\"><input type=hidden name=a value=b></form><script>document.forms[0].submit()</script>",
            html(address)
        )),
        page(format!("<base href=\"{}\"><script>document.location='x/y'</script>", html(address))),
    ];
    if !all {
        replies.truncate(3);
        replies.remove(0);
    }
    if in_headers {
        let codes: &[u16] = if all { &[301, 302, 303, 307, 308] } else { &[302] };
        replies.extend(codes.iter().map(|code| Reply { status: *code, ..redirect(address) }));
    }
    replies
}

/// Whether the code is one of those that stop before a foreign host is asked.
fn stops(error: &ConnectError) -> bool {
    [
        "E-SSO-ELSEWHERE",
        "E-SSO-OTHER-PROVIDER",
        "E-SSO-ADDRESS",
        "E-SSO-NOT-HTTPS",
        "E-SSO-MISDIRECTED",
        "E-SSO-BROKEN-LINK",
        // A base that is no base, or an address without a host, leads to the party's own page.
        "E-SSO-LOOP",
        "E-SSO-NO-START",
        "E-OKTA-PAGE",
        "E-SSO-APP-PAGE",
        "E-SSO-APP-REFUSED",
    ]
    .contains(&error.code())
}

async fn try_everywhere(stage: &str, path: &'static str, every_carrier: bool) {
    let all = ADDRESSES
        .iter()
        .map(|(address, code)| (*address, *code, true))
        .chain(IN_PAGES.iter().map(|(address, code)| (*address, *code, false)));
    for (address, code, in_headers) in all {
        for (index, reply) in carriers(address, in_headers, every_carrier).into_iter().enumerate() {
            let world = World::new(oidc(), move |seen: &Seen| (seen.path == path).then(|| reply.clone())).await;
            let error = match world.sign_in().await {
                Ok(_) => panic!("{stage}: signed in by way {index} of {address}"),
                Err(error) => error,
            };
            assert!(stops(&error), "{stage}, way {index} of {address}: {error:?} {:#?}", world.paths());
            // By redirect, the code is known exactly, and a host is named.
            if index >= if every_carrier { 5 } else { 2 } {
                assert_eq!(error.code(), code, "{stage}, way {index} of {address}: {error}");
                if error.code() == "E-SSO-ELSEWHERE" && address.contains("evil.test") {
                    assert!(error.to_string().contains("evil.test"), "{error}");
                }
            }
            assert!(world.vendor.connections().iter().all(|host| [OKTA, APP].contains(&host.as_str())), "{:?}", world.vendor.connections());
        }
    }
}

#[tokio::test]
async fn the_applications_page_leads_nobody_astray() {
    try_everywhere("at the start", "/login", true).await;
}

#[tokio::test]
async fn oktas_answer_leads_nobody_astray() {
    try_everywhere("at Okta", "/oauth2/v1/authorize", false).await;
}

#[tokio::test]
async fn the_applications_landing_leads_nobody_astray() {
    try_everywhere("after the code", "/oauth2/redirect", false).await;
}

#[tokio::test]
async fn the_session_redirect_leads_nobody_astray() {
    try_everywhere("with the session token", "/login/sessionCookieRedirect", false).await;
}

#[tokio::test]
async fn a_saml_answer_goes_to_the_paths_that_take_it_alone() {
    for (action, code) in [
        ("https://evil.test/saml/v1/acs/acc-1", "E-SSO-ELSEWHERE"),
        ("https://app.vendor.example.evil.test/saml/v1/acs/acc-1", "E-SSO-ELSEWHERE"),
        ("https://app.vendor.example@evil.test/saml/v1/acs/acc-1", "E-SSO-ADDRESS"),
        ("http://app.vendor.example/saml/v1/acs/acc-1", "E-SSO-NOT-HTTPS"),
        ("https://app.vendor.example/saml/v1/acs/../../elsewhere", "E-SSO-MISDIRECTED"),
        ("https://app.vendor.example/saml/v1/acs/%2e%2e/%2e%2e/elsewhere", "E-SSO-MISDIRECTED"),
        ("https://app.vendor.example/saml/v1/acs/..%2f..%2felsewhere", "E-SSO-BROKEN-LINK"),
        ("https://app.vendor.example/saml/v1/acsx/acc-1", "E-SSO-MISDIRECTED"),
        ("https://app.vendor.example/SAML/V1/ACS/acc-1", "E-SSO-MISDIRECTED"),
        ("https://app.vendor.example/upload", "E-SSO-MISDIRECTED"),
        ("https://acme.okta.com/saml/v1/acs/acc-1", "E-SSO-MISDIRECTED"),
        ("", "E-SSO-MISDIRECTED"),
    ] {
        let world = World::new(saml(), move |seen| match seen.path.as_str() {
            "/login" => Some(redirect(format!("https://{OKTA}/app/vendor/exk1/sso/saml?SAMLRequest=a"))),
            "/app/vendor/exk1/sso/saml" => Some(saml_form(action)),
            _ => None,
        })
        .await;
        world.fails(code).await;
        assert!(world.seen().iter().all(|seen| !seen.body.contains("SAMLResponse")), "{action}");
    }
    // Nor by an address, whose query logs keep.
    let world = World::new(saml(), |seen| match seen.path.as_str() {
        "/login" => Some(redirect(format!("https://{OKTA}/app/vendor/exk1/sso/saml?SAMLRequest=a"))),
        "/app/vendor/exk1/sso/saml" => Some(redirect(format!("https://{APP}/saml/v1/acs/acc-1?SAMLResponse={ASSERTION}"))),
        _ => None,
    })
    .await;
    world.fails("E-SSO-MISDIRECTED").await;
}

#[tokio::test]
async fn a_saml_answer_is_not_sent_once_more_to_where_a_redirect_says() {
    for to in ["https://evil.test/saml/v1/acs/acc-1", "https://acme.okta.com/saml/v1/acs/x", "/upload", "https://eu.vendor.example/upload"]
    {
        for code in [307, 308] {
            let world = World::new(saml(), move |seen| match (seen.method.as_str(), seen.path.as_str()) {
                ("GET", "/login") => Some(redirect(format!("https://{OKTA}/app/vendor/exk1/sso/saml?SAMLRequest=a"))),
                ("POST", "/saml/v1/acs/acc-1") => Some(Reply { status: code, ..redirect(to) }),
                _ => None,
            })
            .await;
            let error = world.sign_in().await.err().unwrap();
            assert!(["E-SSO-ELSEWHERE", "E-SSO-MISDIRECTED"].contains(&error.code()), "{error:?}");
            assert_eq!(world.seen().iter().filter(|seen| seen.body.contains("SAMLResponse")).count(), 1);
        }
    }
}

#[tokio::test]
async fn a_code_goes_to_the_paths_that_take_it_alone() {
    for to in [
        format!("https://{APP}/search?code={CODE}&state=st4te"),
        format!("https://{APP}/oauth2/redirectx?code={CODE}"),
        format!("https://{APP}/oauth2/redirect/../../search?code={CODE}"),
        format!("https://{OTHER_APP}/?code={CODE}"),
        format!("https://{APP}/search?id_token={CODE}"),
        format!("https://{APP}/search?access_token={CODE}"),
    ] {
        let shown = to.clone();
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect(to.clone()))).await;
        world.fails("E-SSO-MISDIRECTED").await;
        assert!(!world.seen().iter().any(|seen| format!("{seen:?}").contains(CODE)), "{shown}");
    }
    // An application that hands the code on to another of its pages is stopped too, and one that hands it back to Okta.
    for to in [format!("/search?code={CODE}&state=st4te"), format!("https://{OKTA}/x?code={CODE}&state=st4te")] {
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/redirect").then(|| redirect(to.clone()))).await;
        world.fails("E-SSO-MISDIRECTED").await;
    }
    let form = format!(
        "<form method=post action=https://{APP}/search><input type=hidden name=code value={CODE}><input type=hidden name=state value=s></form>"
    );
    let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| page(form.clone()))).await;
    world.fails("E-SSO-MISDIRECTED").await;
}

#[tokio::test]
async fn what_names_a_session_at_okta_stays_there() {
    for to in [
        format!("https://{APP}/oauth2/redirect?code=x&sessionToken={SESSION_TOKEN}"),
        format!("https://{APP}/oauth2/redirect?code=x&token={SESSION_TOKEN}"),
        format!("https://{APP}/oauth2/redirect?code={SESSION_TOKEN}"),
        format!("https://{APP}/oauth2/redirect/{SESSION_TOKEN}?code=x"),
        format!("https://{APP}/oauth2/redirect?code=x&q=%32{}", &SESSION_TOKEN[1..]),
        format!("https://{APP}/oauth2/redirect?code=x&stateHandle={STATE_TOKEN}"),
    ] {
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect(to.clone()))).await;
        world.fails("E-SSO-MISDIRECTED").await;
        assert!(world.asked(APP, "/oauth2/redirect").is_empty());
    }
    let form = format!(
        "<form method=post action=https://{APP}/oauth2/redirect><input type=hidden name=code value=x><input type=hidden name=state value={SESSION_TOKEN}></form>"
    );
    let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| page(form.clone()))).await;
    world.fails("E-SSO-MISDIRECTED").await;
    // A form of Okta's that is no answer of any protocol.
    let form = format!(
        "<form method=post action=https://{APP}/collect><input type=hidden name=anything value=x></form><script>document.forms[0].submit()</script>"
    );
    let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| page(form.clone()))).await;
    world.fails("E-SSO-MISDIRECTED").await;
}

#[tokio::test]
async fn nothing_of_an_account_is_changed_on_the_way() {
    for path in [
        "/signin/forgot-password",
        "/signin/recovery-question/abc",
        "/SignIn/Forgot-Password",
        "/signin/%66orgot-password",
        "/signin/%2566orgot-password",
        "/signin/unlock",
        "/signin/enroll",
        "/idp/idx/recover",
        "/idp/idx/enroll/new",
        "/idp/idx/credential/enroll",
        "/idp/idx/unlock-account",
        "/api/v1/authn/recovery/password",
        "/api/v1/authn/credentials/change_password",
        "/api/v1/authn/credentials/reset_password",
        "/api/v1/authn/factors/uft1/lifecycle/activate",
        "/user/activate;x=1",
        "//signin//register",
    ] {
        let to = format!("https://{OKTA}{path}");
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect(to.clone()))).await;
        world.fails("E-SSO-ACCOUNT-STEP").await;
        assert!(world.asked(OKTA, path).is_empty());
    }
    let world = World::new(oidc(), |seen| (seen.path == "/login").then(|| redirect("/reset-password"))).await;
    world.fails("E-SSO-ACCOUNT-STEP").await;
}

#[tokio::test]
async fn okta_says_no_in_words_of_its_protocols() {
    for (error, code) in [
        ("access_denied", "E-SSO-ACCESS-DENIED"),
        ("login_required", "E-SSO-LOGIN-REQUIRED"),
        ("interaction_required", "E-SSO-INTERACTION-REQUIRED"),
        ("consent_required", "E-SSO-INTERACTION-REQUIRED"),
        ("server_error", "E-SSO-VENDOR-ERROR"),
        ("invalid_scope", "E-SSO-ERROR"),
        ("%3Cb%3Ehostile%3C/b%3E", "E-SSO-ERROR"),
    ] {
        let to = format!("https://{APP}/oauth2/redirect?state=st4te&error={error}&error_description=HOSTILE+WORDS");
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect(to.clone()))).await;
        let failed = world.fails(code).await;
        let text = format!("{failed} {}", failed.remedy());
        assert!(!text.contains("HOSTILE") && !text.contains("hostile"), "{text}");
        assert!(matches!(failed, ConnectError::SignInFailed { stage: SignInStage::Application, .. }));
    }
    let form = format!("<form method=post action=https://{APP}/oauth2/redirect><input type=hidden name=error value=access_denied></form>");
    let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| page(form.clone()))).await;
    world.fails("E-SSO-ACCESS-DENIED").await;
    for answer in ["code=x&state=y", "id_token=x", "access_token=x", "error=access_denied"] {
        let to = format!("https://{APP}/oauth2/redirect#{answer}");
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect(to.clone()))).await;
        world.fails("E-SSO-FRAGMENT").await;
    }
}

#[tokio::test]
async fn pages_that_lead_nowhere_end_in_words() {
    let error_page = "<div class='okta-x error-content'><h1>HOSTILE WORDS</h1></div>";
    for code in [200, 400, 403, 404] {
        let world =
            World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| Reply { status: code, ..page(error_page) })).await;
        let error = world.fails("E-OKTA-NOT-ASSIGNED").await;
        assert!(!error.to_string().contains("HOSTILE"));
    }
    let ends: [(&str, &str, Reply); 12] = [
        ("/oauth2/v1/authorize", "E-OKTA-PAGE", page("<h1>Hello</h1>")),
        ("/oauth2/v1/authorize", "E-OKTA-PAGE", ok(json!({}))),
        ("/oauth2/v1/authorize", "E-SSO-OKTA-PAGE", status(400, json!({}))),
        ("/oauth2/v1/authorize", "E-SSO-TOO-MANY", status(429, json!({}))),
        ("/oauth2/v1/authorize", "E-SSO-VENDOR-ERROR", status(503, json!({}))),
        ("/oauth2/v1/authorize", "E-SSO-BROKEN-LINK", status(302, json!({}))),
        ("/oauth2/v1/authorize", "E-SSO-NO-ANSWER", redirect(format!("https://{APP}/home"))),
        ("/oauth2/redirect", "E-SSO-APP-REFUSED", status(403, json!({}))),
        ("/login", "E-SSO-NO-START", page("<form action=/login method=post><input name=email><input type=password name=password></form>")),
        ("/login", "E-SSO-APP-PAGE", status(404, json!({}))),
        (
            "/oauth2/v1/authorize",
            "E-SSO-FORMS",
            page(format!(
                "{0}{0}",
                "<form action=https://app.vendor.example/oauth2/redirect method=post><input type=hidden name=code value=x></form>"
            )),
        ),
        ("/login", "E-SSO-BROKEN-LINK", redirect("https://[::1")),
    ];
    for (path, code, reply) in ends {
        let world = World::new(oidc(), move |seen| (seen.path == path).then(|| reply.clone())).await;
        world.fails(code).await;
    }
    // An application that takes the answer but begins no session.
    let world = World::new(oidc(), |seen| match seen.path.as_str() {
        "/login" => Some(redirect(authorize())),
        "/oauth2/redirect" => Some(redirect("/home")),
        _ => None,
    })
    .await;
    world.fails("E-SSO-NO-SESSION").await;
}

#[tokio::test]
async fn circles_end() {
    let world = World::new(oidc(), |seen| (seen.path == "/login").then(|| redirect("/login"))).await;
    world.fails("E-SSO-LOOP").await;
    assert_eq!(world.asked(APP, "/login").len(), 20);
    let world = World::new(oidc(), |seen| (seen.path == "/oauth2/redirect").then(|| redirect(authorize()))).await;
    world.fails("E-SSO-LOOP").await;
    let world = World::new(oidc(), |seen| (seen.path == "/oauth2/v1/authorize").then(|| redirect("/app/UserHome"))).await;
    world.fails("E-OKTA-REQUEST-LOST").await;
    assert_eq!(world.asked(APP, "/login").len(), 2, "once more, and no more");
    let world = World::new(from_dashboard(), |seen| (seen.path == "/home/vendor/0oa1/aln1").then(|| redirect("/app/UserHome"))).await;
    world.fails("E-OKTA-REQUEST-LOST").await;
}

#[tokio::test]
async fn a_link_that_is_not_there_or_not_oktas_is_not_followed() {
    let links = |links: serde_json::Value| move |seen: &Seen| (seen.path == "/api/v1/users/me/appLinks").then(|| ok(links.clone()));
    let link = |url: &str| json!({"label": "Vendor", "appName": "vendor", "linkUrl": url});
    for (answer, code) in [
        (json!([]), "E-OKTA-NOT-ASSIGNED"),
        (json!([{"label": "Other", "appName": "other", "linkUrl": "https://acme.okta.com/home/other/1/2"}]), "E-OKTA-NOT-ASSIGNED"),
        (json!([link("https://acme.okta.com/home/vendor/1/2"), link("https://acme.okta.com/home/vendor/3/4")]), "E-OKTA-APP-LINK-SEVERAL"),
        (json!([link("https://evil.test/home/vendor/1/2")]), "E-SSO-ELSEWHERE"),
        (json!([link("https://acme.okta.com@evil.test/home/vendor")]), "E-SSO-ELSEWHERE"),
        (json!([link("http://acme.okta.com/home/vendor/1/2")]), "E-SSO-NOT-HTTPS"),
        (json!([link("https://app.vendor.example/home")]), "E-SSO-ELSEWHERE"),
        (json!([link("not an address")]), "E-SSO-BROKEN-LINK"),
    ] {
        World::new(from_dashboard(), links(answer)).await.fails(code).await;
    }
    World::new(from_dashboard(), |seen| (seen.path == "/api/v1/users/me/appLinks").then(|| status(403, json!({}))))
        .await
        .fails("E-OKTA-APP-LINKS")
        .await;
    for (given, code) in [
        ("https://evil.test/home/vendor/1/2", "E-SSO-ELSEWHERE"),
        ("https://acme.okta.com.evil.test/home/vendor", "E-SSO-ELSEWHERE"),
        ("https://app.vendor.example/home/x", "E-SSO-ELSEWHERE"),
    ] {
        World::new(from_dashboard(), |_| None).await.fill("link", given).fails(code).await;
    }
}

#[tokio::test]
async fn a_hostile_host_name_is_shown_short_and_alone() {
    let label = "a".repeat(60);
    let to = format!("https://{label}.{label}.{label}.evil.test/{}?x=HOSTILE", "p".repeat(500));
    let world = World::new(oidc(), move |seen| (seen.path == "/login").then(|| redirect(to.clone()))).await;
    let error = world.fails("E-SSO-ELSEWHERE").await;
    assert!(error.to_string().len() < 300 && !error.to_string().contains("HOSTILE") && !error.to_string().contains("ppp"), "{error}");
    assert_eq!(SECRETS.len(), 8);
}

#[tokio::test]
async fn an_application_asks_okta_to_sign_in_and_for_nothing_else() {
    let form = |action: &str, field: &str| {
        page(format!(
            "<form method=post action=https://{OKTA}{action}><input type=hidden name={field} value=x></form><script>document.forms[0].submit()</script>"
        ))
    };
    for reply in [
        form("/app/vendor/exk1/sso/saml", "anything"),
        form("/api/v1/sessions", "SAMLRequest"),
        form("/login/signout", "SAMLRequest"),
        redirect(format!("https://{OKTA}/api/v1/users/me")),
        redirect(format!("https://{OKTA}/API//v1/users/me")),
        redirect(format!("https://{OKTA}/login/sessionCookieRedirect?token=another&redirectUrl=https://{OKTA}/")),
        redirect(format!("https://{OKTA}/login/token/redirect?stateToken=another")),
        redirect(format!("https://{OKTA}/login/%73ignout")),
    ] {
        for path in ["/login", "/oauth2/redirect"] {
            let reply = reply.clone();
            let world = World::new(oidc(), move |seen| (seen.path == path).then(|| reply.clone())).await;
            world.fails("E-SSO-MISDIRECTED").await;
            assert!(world.asked(OKTA, "/api/v1/users/me").is_empty() && world.asked(OKTA, "/login/signout").is_empty());
        }
    }
}
