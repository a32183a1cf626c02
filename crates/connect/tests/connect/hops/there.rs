//! Ways that lead there.

use crate::{
    hops::world::{
        APP, APP_SESSION, ASSERTION, CODE, OKTA, OTHER_APP, OWN_OKTA, SESSION_TOKEN, SID, World, application, authorize, from_dashboard,
        kept, oidc, organization, page, redirect, saml, saml_form, usual, with_lookup,
    },
    vendor::{Reply, Seen, field, keep, ok, status},
};
use posture_connect::{Resume, SignInStage, SignInStep, collect};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn openid_connect_by_query() {
    let world = World::new(oidc(), |_| None).await;
    world.sign_in().await.unwrap();
    let paths = world.paths();
    assert_eq!(
        paths,
        [
            "GET acme.okta.com/.well-known/okta-organization",
            "GET acme.okta.com/.well-known/webfinger",
            "GET app.vendor.example/login",
            "POST acme.okta.com/api/v1/authn",
            "GET acme.okta.com/login/sessionCookieRedirect",
            "GET acme.okta.com/oauth2/v1/authorize",
            "GET app.vendor.example/oauth2/redirect",
            "GET app.vendor.example/home",
            "DELETE acme.okta.com/api/v1/sessions/me",
            "GET app.vendor.example/v1/me",
        ]
    );
    // What the application asked for reaches Okta as it was.
    let asked = &world.asked(OKTA, "/oauth2/v1/authorize")[0];
    assert_eq!(format!("https://{OKTA}/oauth2/v1/authorize?{}", asked.query), authorize());
    assert!(asked.header("cookie").contains(&format!("sid={SID}")) && asked.header("cookie").contains("JSESSIONID=J1"));
    let back = &world.asked(APP, "/oauth2/redirect")[0];
    assert_eq!(back.query, format!("code={CODE}&state=st4te"));
    assert_eq!(back.header("cookie"), "before=1", "the application's own cookie goes back to it, and no other");
    assert_eq!((back.header("referer"), back.header("origin")), ("", ""));
    let read = &world.asked(APP, "/v1/me")[0];
    assert_eq!(read.header("cookie"), format!("before=1; session={APP_SESSION}"));
    assert_eq!(read.authorization, None);
    // The log shows the ways, and nothing that names a session.
    let steps = world.steps.lock().unwrap();
    let logged: Vec<String> = steps
        .iter()
        .filter_map(|step| {
            if let SignInStep::Requested { entry } = step {
                Some(format!("{} {}{}", entry.method, entry.host, entry.path_template))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(logged, paths);
    for stage in [SignInStage::Organization, SignInStage::Start, SignInStage::Application, SignInStage::SignOut] {
        assert!(steps.iter().any(|step| matches!(step, SignInStep::Stage { stage: there, .. } if *there == stage)), "{stage:?}");
    }
}

#[tokio::test]
async fn openid_connect_by_form() {
    let world = World::new(oidc(), |seen| {
        (seen.path == "/oauth2/v1/authorize").then(|| {
            page(format!(
                "<body onload=\"document.forms[0].submit()\"><form method=post action='https&#58;//{APP}/oauth2/redirect'>\
                 <input type=hidden name=code value={CODE}><input type=hidden name=state value='st4te'></form>"
            ))
        })
    })
    .await;
    world.sign_in().await.unwrap();
    let back = &world.asked(APP, "/oauth2/redirect")[0];
    assert_eq!((back.method.as_str(), back.body.as_str(), back.query.as_str()), ("POST", format!("code={CODE}&state=st4te").as_str(), ""));
    assert_eq!((back.header("origin"), back.header("referer")), ("https://acme.okta.com", "https://acme.okta.com/"));
}

#[tokio::test]
async fn saml_by_redirect() {
    let request = "/app/vendor/exk1/sso/saml?SAMLRequest=fZJ%2Bx%3D&RelayState=%2Fhome";
    let world = World::new(saml(), move |seen| (seen.path == "/login").then(|| redirect(format!("https://{OKTA}{request}")))).await;
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(OKTA, "/app/vendor/exk1/sso/saml")[0].query, "SAMLRequest=fZJ%2Bx%3D&RelayState=%2Fhome");
    let back = &world.asked(APP, "/saml/v1/acs/acc-1")[0];
    // Entities are undone, and both fields go along.
    assert_eq!(back.field("SAMLResponse").unwrap(), ASSERTION);
    assert_eq!(back.field("RelayState").unwrap(), "https://app.vendor.example/home?a=1&b=2");
    assert_eq!(back.header("origin"), "https://acme.okta.com");
    assert_eq!(back.header("content-type"), "application/x-www-form-urlencoded");
    assert!(!back.header("cookie").contains("sid"));
    // A 303 after the form is asked for without it.
    let home = &world.asked(APP, "/home")[0];
    assert_eq!((home.method.as_str(), home.body.as_str()), ("GET", ""));
}

#[tokio::test]
async fn saml_by_form_waits_for_the_session() {
    let world = World::new(saml(), |seen| {
        (seen.path == "/login").then(|| {
            page(format!(
                "<form action=https://{OKTA}/app/vendor/exk1/sso/saml method=post><input type=hidden name=SAMLRequest value='PHNhbWxwOkF1dGhuUmVxdWVzdA=='>\
                 <input type=hidden name=RelayState value=r1><noscript><input type=submit></noscript></form><script>document.forms[0].submit()</script>"
            ))
        })
    })
    .await;
    world.sign_in().await.unwrap();
    let asked = world.asked(OKTA, "/app/vendor/exk1/sso/saml");
    assert_eq!(asked.len(), 1, "{:#?}", world.paths());
    assert_eq!((asked[0].method.as_str(), asked[0].body.as_str()), ("POST", "SAMLRequest=PHNhbWxwOkF1dGhuUmVxdWVzdA%3D%3D&RelayState=r1"));
    assert!(asked[0].header("cookie").contains(SID), "the session is there first");
    assert_eq!(asked[0].header("origin"), "https://app.vendor.example");
}

#[tokio::test]
async fn from_the_dashboard_by_the_given_link() {
    let world =
        World::new(from_dashboard(), |_| None).await.fill("link", "https://acme.okta.com/home/vendor/0oa1/aln1").fill("account", "acc-1");
    world.sign_in().await.unwrap();
    let asked = &world.asked(OKTA, "/home/vendor/0oa1/aln1")[0];
    assert_eq!(asked.parameter("RelayState").unwrap(), "https://app.vendor.example/relay?account=acc-1");
    assert!(world.asked(OKTA, "/api/v1/users/me/appLinks").is_empty());
    assert_eq!(world.asked(APP, "/saml/v1/acs/acc-1").len(), 1);
}

#[tokio::test]
async fn from_the_dashboard_by_the_link_that_is_found() {
    let world = World::new(from_dashboard(), |_| None).await;
    world.sign_in().await.unwrap();
    let links = &world.asked(OKTA, "/api/v1/users/me/appLinks")[0];
    assert!(links.header("cookie").contains(SID));
    assert_eq!(world.asked(OKTA, "/home/vendor/0oa1/aln1")[0].query, "", "a RelayState that is not known whole is not sent");
    let steps = world.steps.lock().unwrap();
    let logged =
        |template: &str| steps.iter().any(|step| matches!(step, SignInStep::Requested { entry } if entry.path_template == template));
    assert!(logged("/home/vendor/{id}/aln1"), "{steps:#?}");
    assert!(logged("/saml/v1/acs/acc-1"), "{steps:#?}");
}

#[tokio::test]
async fn the_way_is_looked_up_where_the_application_tells_it() {
    let world = World::new(with_lookup(), |seen| {
        (seen.path == "/v1/login_sso_info").then(|| {
            ok(json!({"sso": {"issuer": format!("https://{OKTA}"), "logo": "https://cdn.elsewhere.test/logo.png", "go": [{"url": authorize()}]}}))
        })
    })
    .await;
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(APP, "/v1/login_sso_info")[0].parameter("email").unwrap(), "scan@acme.example");
    assert!(world.asked(APP, "/login").is_empty());
    // Where there is none, the page is followed.
    let world = World::new(with_lookup(), |_| None).await;
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(APP, "/login").len(), 1);
    // Nor is an address of somebody else taken for one.
    let world = World::new(with_lookup(), |seen| {
        (seen.path == "/v1/login_sso_info").then(|| ok(json!({"url": "https://acme.okta.com.evil.test/oauth2/v1/authorize?client_id=1"})))
    })
    .await;
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(APP, "/login").len(), 1);
}

#[tokio::test]
async fn pages_that_send_on_are_followed() {
    let to = |what: &str| match what {
        "refresh" => page(format!("<META HTTP-EQUIV='Refresh' content=\"0; URL='{}'\">", authorize().replace('&', "&amp;"))),
        "script" => page(format!("<script>window.location.replace('{}');</script>", authorize().replace('/', "\\/").replace('-', "\\x2D"))),
        "href" => page(format!("<script>\n// on\nwindow.location.href = \"{}\";\n</script>", authorize().replace(':', "\\u003A"))),
        "document" => page(format!("<script>(function () {{ document.location = '{}' }})()</script>", authorize())),
        "base" => page(format!(
            "<base href='https://{OKTA}/oauth2/'><meta http-equiv=refresh content='0;v1/authorize?{}'>",
            authorize().split_once('?').unwrap().1
        )),
        _ => redirect(format!("//{OKTA}/oauth2/v1/authorize?{}", authorize().split_once('?').unwrap().1)),
    };
    for what in ["refresh", "script", "href", "document", "base", "relative"] {
        let world = World::new(oidc(), move |seen| (seen.path == "/login").then(|| to(what))).await;
        world.sign_in().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            format!("https://{OKTA}/oauth2/v1/authorize?{}", world.asked(OKTA, "/oauth2/v1/authorize")[0].query),
            authorize(),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_request_that_okta_lost_is_made_once_more() {
    for lost in ["/app/UserHome", "/enduser/callback"] {
        let first = AtomicU32::new(0);
        let world = World::new(oidc(), move |seen| {
            (seen.path == "/oauth2/v1/authorize" && first.fetch_add(1, Ordering::Relaxed) == 0).then(|| redirect(lost))
        })
        .await;
        world.sign_in().await.unwrap();
        assert_eq!(world.asked(APP, "/login").len(), 2);
        assert!(world.asked(OKTA, lost).is_empty());
    }
}

#[tokio::test]
async fn the_organizations_own_domain_and_the_applications_other_hosts_belong_to_their_parties() {
    let world = World::new(oidc(), |seen| match (seen.host.as_str(), seen.path.as_str()) {
        (APP, "/login") => Some(redirect(authorize().replace(OKTA, OWN_OKTA))),
        (OWN_OKTA, "/oauth2/v1/authorize") => Some(redirect(format!("https://{OTHER_APP}/oauth2/redirect?code={CODE}&state=st4te"))),
        (OTHER_APP, "/oauth2/redirect") => Some(redirect(format!("https://{APP}/arrive")).header("set-cookie", "eu=1; Secure")),
        (APP, "/arrive") => Some(
            Reply { status: 307, ..redirect("/home") }.header("set-cookie", format!("session={APP_SESSION}; Secure; HttpOnly; Path=/")),
        ),
        _ => None,
    })
    .await
    .fill("okta_custom_domain", OWN_OKTA);
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(OWN_OKTA, "/login/sessionCookieRedirect").len(), 1, "{:#?}", world.paths());
    assert!(!world.asked(APP, "/v1/me")[0].header("cookie").contains("eu=1"), "a cookie of one host alone");
}

#[tokio::test]
async fn a_form_is_sent_once_more_within_a_party_where_that_is_asked() {
    let world = World::new(saml(), |seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/login") => Some(redirect(format!("https://{OKTA}/app/vendor/exk1/sso/saml?SAMLRequest=a"))),
        ("POST", "/saml/v1/acs/acc-1") => Some(Reply { status: 307, ..redirect("/saml/v1/acs/second") }),
        _ => None,
    })
    .await;
    world.sign_in().await.unwrap();
    assert_eq!(world.asked(APP, "/saml/v1/acs/second")[0].field("SAMLResponse").unwrap(), ASSERTION);
}

#[tokio::test]
async fn a_session_cookie_that_is_renewed_while_reading_is_taken() {
    let world = World::new(oidc(), |seen| match seen.path.as_str() {
        "/v1/me" if seen.header("cookie").contains(APP_SESSION) => {
            Some(ok(json!({"data": {"id": 7, "name": "Scanner"}})).header("set-cookie", "session=second; Secure; HttpOnly; Path=/"))
        }
        "/v1/users" if seen.header("cookie").contains("session=second") => {
            Some(ok(json!({"data": [{"id": 1, "name": "A"}]})).header("set-cookie", "foreign=1; Domain=okta.com; Secure"))
        }
        "/v1/users" => Some(status(401, json!({}))),
        _ => None,
    })
    .await;
    let session = world.sign_in().await.unwrap();
    let mut sink = kept();
    collect(&session, &world.app, &["users"], Resume::default(), &mut sink, CancellationToken::new()).await.unwrap();
    assert_eq!(sink.keys("users"), ["1"], "{:?}", sink.finished);
    assert!(!world.asked(APP, "/v1/users")[0].header("cookie").contains("foreign"));
}

#[tokio::test]
async fn a_page_that_asks_for_more_is_known_by_its_state_token() {
    // What comes of it is the engine's matter; here it is enough that the token of the page is the one that is introspected,
    // undone of its escapes, and that it goes to Okta alone.
    let token = crate::hops::world::STATE_TOKEN;
    for shape in [
        format!("<script>var stateToken = '{}';</script>", token.replace('-', "\\x2D")),
        format!("<script>var data = {{\"a\":1,\"stateToken\":\"{}\"}};</script>", token.replace('-', "\\u002d")),
        format!("<script>var stateToken = \"{token}\";</script><form><input name=username></form>"),
    ] {
        let world = World::new(oidc(), move |seen| (seen.path == "/oauth2/v1/authorize").then(|| page(shape.clone()))).await;
        let error = match world.sign_in().await {
            Ok(_) => panic!("signed in"),
            Err(error) => error,
        };
        assert!(error.code().starts_with("E-OKTA-"), "{error:?}");
        let asked: Vec<_> = world.seen().into_iter().filter(|seen| seen.body.contains(token)).collect();
        assert!(!asked.is_empty() && asked.iter().all(|seen| seen.host == OKTA && seen.method == "POST"), "{error:?} {:#?}", world.paths());
    }
}

#[tokio::test]
async fn a_sign_in_page_outside_okta_is_not_asked_its_token_is_enough() {
    let token = crate::hops::world::STATE_TOKEN;
    for host in ["signin.elsewhere.test", APP] {
        let world = World::new(oidc(), move |seen| {
            (seen.path == "/oauth2/v1/authorize").then(|| redirect(format!("https://{host}/signin?stateToken={token}")))
        })
        .await;
        assert!(world.sign_in().await.is_err());
        assert!(world.seen().iter().any(|seen| seen.host == OKTA && seen.body.contains(token)), "{:#?}", world.paths());
        assert!(world.asked(APP, "/signin").is_empty());
    }
}

#[tokio::test]
async fn the_world_itself_is_strict() {
    // What the tests above rest on: without a session Okta does not answer, without the code there is no session.
    let world = Arc::new(World::new(oidc(), |_| None).await);
    let seen = |host: &str, path: &str| crate::vendor::Seen {
        host: host.into(),
        method: "GET".into(),
        path: path.into(),
        query: String::new(),
        authorization: None,
        cookie: false,
        cookies: String::new(),
        fields: vec![],
        body: String::new(),
    };
    assert_eq!(organization(&seen(OKTA, "/oauth2/v1/authorize"), "/oauth2/v1/authorize").status, 200);
    assert_eq!(application(&seen(APP, "/oauth2/redirect"), "/oauth2/redirect").status, 404);
    assert_eq!(usual(&seen(APP, "/v1/me")).status, 401);
    assert!(world.asked(OKTA, "/").is_empty() && !SESSION_TOKEN.is_empty() && saml_form("x").status == 200);
}

/// A world whose application lies in one of two places, which is left open.
async fn somewhere(other: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> World {
    let mut world = World::new(oidc(), other).await.fill("region", "auto");
    let choice =
        |value: &str, host: &str| catalog::Choice { value: value.into(), label: value.into(), host: Some(host.into()), hidden: false };
    let login = &mut world.app.logins[0];
    let mut region = field("region", false, false, catalog::Format::Choice);
    region.choices = vec![choice("auto", APP), choice("us", APP), choice("eu", OTHER_APP)];
    login.fields.push(region);
    login.hosts = ["{okta_domain}", "{okta_custom_domain}", APP, "{region}"].map(str::to_owned).to_vec();
    login.roles.iter_mut().find(|role| role.id == "api").unwrap().hosts = vec!["{region}".into()];
    login.discover = Some(catalog::Discover {
        input: "region".into(),
        open: "auto".into(),
        tries: vec!["us".into(), "eu".into()],
        field: catalog::FieldPath::from("data_center"),
    });
    let me = world.app.datasets.iter_mut().find(|dataset| dataset.id == "me").unwrap();
    me.keep.insert(catalog::FieldPath::from("data_center"), keep(catalog::Type::String));
    world
}

#[tokio::test]
async fn a_place_is_found_out_with_one_sign_in() {
    fn answers(us_knows: bool, seen: &Seen) -> Option<Reply> {
        match (seen.host.as_str(), seen.path.as_str()) {
            // An account in the EU is sent on to the EU's host, though the way began in the US.
            (APP, "/oauth2/redirect") => {
                let cookie = format!("session={APP_SESSION}; Domain=vendor.example; Path=/; Secure; HttpOnly");
                Some(redirect(format!("https://{OTHER_APP}/home")).header("set-cookie", cookie))
            }
            (APP, "/v1/me") if !us_knows => Some(status(401, json!({}))),
            (_, "/v1/me") if seen.header("cookie").contains(APP_SESSION) => {
                Some(ok(json!({"data": {"id": 7, "name": "Scanner", "data_center": "eu"}})))
            }
            _ => None,
        }
    }
    for us_knows in [true, false] {
        let world = somewhere(move |seen| answers(us_knows, seen)).await;
        let session = world.sign_in().await.unwrap();
        assert_eq!(session.settled().get("region").map(String::as_str), Some("eu"));
        assert!(session.hosts().contains(&OTHER_APP.to_owned()));
        assert_eq!(world.asked(OKTA, "/api/v1/authn").len(), 1, "the password was sent once");
        assert_eq!((world.asked(APP, "/v1/me").len(), world.asked(OTHER_APP, "/v1/me").len()), (1, 1));
        // The next sign-in begins there.
        let world = somewhere(move |seen| answers(us_knows, seen)).await.fill("region", "eu");
        let session = world.sign_in().await.unwrap();
        assert!(session.settled().is_empty());
        assert_eq!((world.asked(APP, "/v1/me").len(), world.asked(OTHER_APP, "/v1/me").len()), (0, 1));
    }
}

#[tokio::test]
async fn a_refusal_after_signing_in_speaks_of_the_user_and_not_of_a_key() {
    let world = World::new(oidc(), |seen| (seen.path == "/v1/me").then(|| status(401, json!({})))).await;
    let error = world.fails("E-USER-NOT-LET-IN").await;
    assert_eq!(error.to_string(), "The user was signed in, but Vendor does not let this user in.");
    assert!(error.remedy().contains("administrator"), "{}", error.remedy());

    for (number, code, words) in [(401, "E-KEY-REFUSED", "session"), (403, "E-SCOPE-MISSING", "user")] {
        let world = World::new(oidc(), move |seen| (seen.path == "/v1/users").then(|| status(number, json!({})))).await;
        let session = world.sign_in().await.unwrap();
        let mut kept = kept();
        collect(&session, &world.app, &["users"], Resume::default(), &mut kept, CancellationToken::new()).await.unwrap();
        let catalog::Completeness::Unavailable(cause) = &kept.finished["users"] else { panic!("{code}: {:?}", kept.finished) };
        let shown = format!("{} {}", cause.sentence, cause.remedy);
        assert!(shown.contains(words) && shown.contains("scan again") && !shown.to_lowercase().contains("key"), "{shown}");
    }
}
