//! Signing in through Okta against an identity provider and applications that this project did not write: `oidc-provider`,
//! `samlify`, `openid-client`, `node-saml` and `otplib`, behind the thin Okta-shaped front of `tests/identity`
//! (`npm ci` there brings them; see its README). Requests go over real HTTPS to the vendors' host names; TLS ends here, and
//! the bytes are passed on to the process.
use crate::entry::read;
use crate::vendor;

use catalog::{App, Completeness, DatasetKind, FieldPath, Format, HostRole, OktaSignIn, OktaStart, Strategy, Type};
use futures::future::BoxFuture;
use posture_connect::{
    Clock, ConnectError, Credentials, Limits, NoBrowser, Proxy, Roots, Route, Session, SignIn, SignInStage, SignInStep, SystemClock,
    account_of, sign_in,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::Write,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, Command},
};
use vendor::{MemoryLedger, dataset, field, keep};

const ORGANIZATION: &str = "halden.okta.com";
/// The application that verifies by OpenID Connect.
const DESK: &str = "desk.haldenmoor.example";
/// The application that verifies by SAML.
const FILES: &str = "files.haldenmoor.example";
const USER: &str = "a.keller@haldenmoor.example";
const PASSWORD: &str = "no-door-but-this-tests";
/// The key of RFC 6238, appendix B.
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const WRONG_KEY: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Classic,
    /// The authentication API of the Classic Engine is closed.
    Identity,
    /// The authentication API lets the password in, and the application's policy asks for the code on the way.
    IdentityAsksLater,
}

const ENGINES: [Engine; 3] = [Engine::Classic, Engine::Identity, Engine::IdentityAsksLater];

/// How an application is come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    OpenidConnect,
    /// The code comes back in a form that `oidc-provider` writes.
    OpenidConnectByForm,
    Saml,
    /// The request is a form that `node-saml` writes.
    SamlByForm,
    /// SAML from the organization's dashboard, where the application is found by its name.
    SamlFromDashboard,
}

impl By {
    fn host(self) -> &'static str {
        match self {
            Self::OpenidConnect | Self::OpenidConnectByForm => DESK,
            Self::Saml | Self::SamlByForm | Self::SamlFromDashboard => FILES,
        }
    }
}

/// Tells the table of promises what was shown.
fn promise(cases: usize) {
    let Ok(path) = std::env::var("POSTURE_PROMISES") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(file, "PROMISE foreign-identity cases={cases} failures=0").unwrap();
}

/// A key and a certificate of its own, PEM.
struct Signer {
    key: String,
    certificate: String,
}

impl Signer {
    fn new(name: &str) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self { key: key.serialize_pem(), certificate: certificate.pem() }
    }
    fn json(&self) -> Value {
        json!({"key": self.key, "certificate": self.certificate})
    }
}

/// The process and the way to it.
struct Stand {
    route: Route,
    authority_pem: String,
    address: SocketAddr,
    lines: Arc<Mutex<Vec<Value>>>,
    _node: Child,
    /// The process ends when this closes.
    _input: ChildStdin,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stand {
    async fn new(engine: Engine, by: By) -> Self {
        Self::with(engine, by, |_| {}).await
    }

    async fn with(engine: Engine, by: By, change: impl FnOnce(&mut Value)) -> Self {
        let (provider, application) = (Signer::new("identity provider"), Signer::new("application"));
        let mut settings = json!({
            "organization": ORGANIZATION, "desk": DESK, "files": FILES,
            "pipeline": if engine == Engine::Classic { "v1" } else { "idx" },
            "user": USER, "password": PASSWORD, "mfa_key": KEY,
            "provider": provider.json(), "application": application.json(), "trusted": provider.certificate,
            "code_for_applications": engine == Engine::IdentityAsksLater,
            "by_form": matches!(by, By::OpenidConnectByForm | By::SamlByForm),
            "takes_unasked": by == By::SamlFromDashboard,
        });
        change(&mut settings);
        let (node, input, lines, port) = start(&settings).await;
        let (address, authority_pem, task) = end_tls_before(port).await;
        let route = Route {
            proxy: Proxy::Manual { url: format!("http://{address}") },
            extra_roots_pem: vec![authority_pem.clone()],
            roots: Roots::Platform,
        };
        Self { route, authority_pem, address, lines, _node: node, _input: input, task }
    }

    /// The lines of requests, in the order in which they were answered.
    fn requests(&self) -> Vec<Value> {
        self.lines.lock().unwrap().iter().filter(|line| line.get("method").is_some()).cloned().collect()
    }
    fn at(&self, host: &str, path: &str) -> Vec<Value> {
        self.requests().into_iter().filter(|request| request["host"] == host && request["path"] == path).collect()
    }
    /// Who refused what, and why; and what broke.
    fn refusals(&self) -> Vec<(String, String)> {
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = self.lines.lock().unwrap();
        let refused = lines.iter().filter(|line| line.get("refused").is_some());
        let refused = refused.map(|line| (text(line, "refused"), text(line, "because")));
        let broken = lines.iter().filter(|line| line.get("broken").is_some());
        refused.chain(broken.map(|line| (text(line, "broken"), text(line, "error")))).collect()
    }
    /// The log is written when an answer has ended, which the client may see first.
    async fn settled(&self) {
        let mut count = usize::MAX;
        while count != self.lines.lock().unwrap().len() {
            count = self.lines.lock().unwrap().len();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A client of nobody's, which knows the way.
    fn client(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .proxy(reqwest::Proxy::all(format!("http://{}", self.address)).unwrap())
            .tls_certs_merge([reqwest::Certificate::from_pem(self.authority_pem.as_bytes()).unwrap()])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
    }
}

/// Starts the process and waits until it listens.
async fn start(settings: &Value) -> (Child, ChildStdin, Arc<Mutex<Vec<Value>>>, u16) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/identity"));
    assert!(folder.join("node_modules/oidc-provider").is_dir(), "the libraries are not there: run `npm ci` in tests/identity");
    let mut node = Command::new("node")
        .arg("serve.js")
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|cause| panic!("node could not be started ({cause}): install Node 20.19 or newer"));
    let mut input = node.stdin.take().unwrap();
    input.write_all(format!("{settings}\n").as_bytes()).await.unwrap();
    let errors: Arc<Mutex<String>> = Arc::default();
    let (told, mut error_lines) = (errors.clone(), BufReader::new(node.stderr.take().unwrap()).lines());
    tokio::spawn(async move {
        while let Ok(Some(line)) = error_lines.next_line().await {
            told.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
    let mut output = BufReader::new(node.stdout.take().unwrap()).lines();
    let first = tokio::time::timeout(Duration::from_secs(60), output.next_line()).await;
    let Ok(Ok(Some(first))) = first else { panic!("tests/identity did not start:\n{}", errors.lock().unwrap()) };
    let port = serde_json::from_str::<Value>(&first).unwrap()["listening"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap();
    let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = lines.clone();
    tokio::spawn(async move {
        while let Ok(Some(line)) = output.next_line().await {
            kept.lock().unwrap().push(serde_json::from_str(&line).unwrap());
        }
    });
    (node, input, lines, port)
}

/// A CONNECT proxy that ends TLS for the three hosts, each with a certificate of its own, and passes the bytes on.
async fn end_tls_before(port: u16) -> (SocketAddr, String, tokio::task::JoinHandle<()>) {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Halden Moor Test CA");
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let authority_pem = authority.pem();
    let config = |host: &str| {
        let mut params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    };
    let configs: Arc<BTreeMap<String, _>> = Arc::new([ORGANIZATION, DESK, FILES].map(|host| (host.to_owned(), config(host))).into());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        loop {
            let Ok((mut line, _)) = listener.accept().await else { return };
            let configs = configs.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = line.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(':').next()).unwrap_or_default();
                let Some(config) = configs.get(host) else {
                    let _ = line.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
                    return;
                };
                if line.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_err() {
                    return;
                }
                let Ok(mut outside) = tokio_rustls::TlsAcceptor::from(config.clone()).accept(line).await else { return };
                let Ok(mut inside) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (address, authority_pem, task)
}

/// An application that a session of its own opens.
fn app(by: By) -> App {
    let host = by.host();
    let openid = host == DESK;
    let of_app = |mut dataset: catalog::Dataset| {
        dataset.host = "app".into();
        dataset.label = Some(FieldPath::from("email"));
        dataset.keep = BTreeMap::from([(FieldPath::from("id"), keep(Type::Id)), (FieldPath::from("email"), keep(Type::String))]);
        dataset
    };
    let mut app = vendor::app(vec![of_app(dataset("members", DatasetKind::List, "/api/members"))]);
    app.datasets[0] = of_app(dataset("me", DatasetKind::Object, "/api/me"));
    let start = match by {
        By::OpenidConnect | By::OpenidConnectByForm | By::Saml | By::SamlByForm => {
            OktaStart::Application { path: "/login".into(), lookup: None }
        }
        By::SamlFromDashboard => OktaStart::AppLink { field: None, named: "moor files".into(), relay_state: None },
    };
    let login = &mut app.logins[0];
    login.id = "okta".into();
    login.strategy = Strategy::Okta(OktaSignIn {
        user: "user".into(),
        password: "password".into(),
        mfa_key: "mfa_key".into(),
        okta: "okta".into(),
        app: "app".into(),
        start,
        acs: if openid { vec![] } else { vec!["/saml/".into()] },
        callback: if openid { vec!["/callback".into()] } else { vec![] },
    });
    login.fields = vec![
        field("user", false, false, Format::Email),
        field("password", true, false, Format::Text),
        field("okta_domain", false, false, Format::OktaDomain),
        field("mfa_key", true, false, Format::MfaKey),
    ];
    let role = |id: &str, host: &str| HostRole { id: id.into(), hosts: vec![host.into()], prefix: String::new() };
    login.hosts = vec![host.into(), "{okta_domain}".into()];
    login.roles = vec![role("app", host), role("okta", "{okta_domain}")];
    app
}

/// Time that jumps to the end of what is slept, from the present on.
#[derive(Default)]
struct Hurried(Mutex<Duration>);

impl Clock for Hurried {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now() + *self.0.lock().unwrap()
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            *self.0.lock().unwrap() += time;
            tokio::task::yield_now().await;
        })
    }
}

/// What came of a sign-in.
struct Tried {
    app: App,
    outcome: Result<Session, ConnectError>,
    steps: Vec<SignInStep>,
    ledger: Arc<MemoryLedger>,
}

async fn try_sign_in(stand: &Stand, by: By, key: &str, clock: Arc<dyn Clock>) -> Tried {
    try_sign_in_after(stand, by, key, clock, Arc::default()).await
}

/// With a ledger that earlier sign-ins have written in.
async fn try_sign_in_after(stand: &Stand, by: By, key: &str, clock: Arc<dyn Clock>, ledger: Arc<MemoryLedger>) -> Tried {
    let app = app(by);
    let inputs = BTreeMap::from([("user".to_owned(), USER.to_owned()), ("okta_domain".to_owned(), "halden".to_owned())]);
    let secret = |text: &str| SecretString::from(text.to_owned());
    let credentials = Credentials::from([("password".to_owned(), secret(PASSWORD)), ("mfa_key".to_owned(), secret(key))]);
    let steps = Mutex::new(Vec::new());
    let events = |step| steps.lock().unwrap().push(step);
    let outcome = sign_in(SignIn {
        app: &app,
        login: &app.logins[0],
        inputs: &inputs,
        credentials: &credentials,
        route: &stand.route,
        limits: Limits::default(),
        clock,
        ledger: ledger.clone(),
        browser: Arc::new(NoBrowser),
        cancel: tokio_util::sync::CancellationToken::new(),
        events: &events,
    })
    .await;
    stand.settled().await;
    Tried { app, outcome, steps: steps.into_inner().unwrap(), ledger }
}

/// The fields of a form or a query.
fn fields(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.trim_start_matches('?').as_bytes()).into_owned().collect()
}

fn cookies(request: &Value) -> Vec<&str> {
    request["cookies"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// What holds of every sign-in, whatever it comes to.
fn keeps_to_its_hosts(stand: &Stand, tried: &Tried, what: &str) {
    let told = serde_json::to_string(&tried.steps).unwrap();
    assert!(!told.contains(PASSWORD) && !told.contains(KEY), "{what}: events hold a secret: {told}");
    let mut passwords = 0;
    for request in stand.requests() {
        let whole = request.to_string();
        let at_okta = request["host"] == ORGANIZATION;
        if whole.contains(PASSWORD) {
            assert!(at_okta && request["method"] == "POST" && request["query"] == "", "{what}: the password went to {request}");
            passwords += usize::from(request["status"].as_u64().unwrap() != 401 || request["path"] != "/api/v1/authn");
        }
        assert!(!whole.contains(KEY), "{what}: the key went to {request}");
        for name in cookies(&request) {
            let of_okta = !name.starts_with("desk_") && !name.starts_with("files_");
            assert_eq!(of_okta, at_okta, "{what}: the cookie {name} went to {request}");
        }
        if request["body"].as_str().unwrap().contains("SAMLResponse") {
            assert_eq!(request["host"], FILES, "{what}: the answer went to {request}");
        }
    }
    assert!(passwords <= 1, "{what}: the password was tried {passwords} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_sign_in_satisfies_the_libraries_of_both_sides() {
    let ways = [By::OpenidConnect, By::OpenidConnectByForm, By::Saml, By::SamlByForm, By::SamlFromDashboard];
    let cases: Vec<_> = ENGINES.into_iter().flat_map(|engine| ways.map(|by| tokio::spawn(a_whole_sign_in(engine, by)))).collect();
    let count = cases.len();
    for case in cases {
        case.await.unwrap();
    }
    promise(count);
}

async fn a_whole_sign_in(engine: Engine, by: By) {
    let what = format!("{engine:?} {by:?}");
    let stand = Stand::new(engine, by).await;
    let tried = try_sign_in(&stand, by, KEY, Arc::new(SystemClock)).await;
    let session = match &tried.outcome {
        Ok(session) => session,
        Err(error) => panic!("{what}: {error} {:?}\n{:#?}", stand.refusals(), stand.requests()),
    };
    assert_eq!(stand.refusals(), [], "{what}");
    keeps_to_its_hosts(&stand, &tried, &what);
    assert!(matches!(tried.steps.last(), Some(SignInStep::Accepted)), "{what}: {:?}", tried.steps);

    // Whom the application knows is whom its library found in the answer.
    let kept = read(session, &tried.app, &["me", "members"]).await;
    assert_eq!(kept.finished["me"], Completeness::Complete, "{what}");
    assert_eq!(kept.finished["members"], Completeness::Complete, "{what}");
    assert_eq!(kept.rows("me")[0].fields["email"], USER, "{what}");
    assert_eq!(kept.rows("members").len(), 2, "{what}");
    stand.settled().await;

    // One code, recorded as otplib counts it: the end of its time is that of a step of half a minute about now.
    let answered = stand.at(ORGANIZATION, "/idp/idx/challenge/answer").len();
    let verified = stand.at(ORGANIZATION, "/api/v1/authn/factors/uft1halden2/verify").len();
    let wanted = match engine {
        Engine::Classic => (1, 0),
        Engine::Identity => (0, 2),
        Engine::IdentityAsksLater => (0, 1),
    };
    assert_eq!((verified, answered), wanted, "{what}: codes, in the Identity Engine passwords too");
    let recorded = tried.ledger.last(&account_of(ORGANIZATION, USER)).unwrap();
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap();
    assert!(recorded % 30 == 0 && now.abs_diff(recorded) <= 90, "{what}: {recorded} was recorded, it is {now}");

    // The session of the organization is closed, the one of the application is not.
    let out = stand.at(ORGANIZATION, "/api/v1/sessions/me");
    assert_eq!(out.last().unwrap()["status"], 204, "{what}: {out:?}");
    let posted = |host: &str, path: &str| stand.at(host, path).iter().any(|request| request["method"] == "POST");
    assert_eq!(posted(DESK, "/callback"), by == By::OpenidConnectByForm, "{what}");
    assert_eq!(posted(ORGANIZATION, "/app/haldenmoor_files_1/exk1files2/sso/saml"), by == By::SamlByForm, "{what}");
    let me = stand.at(by.host(), "/api/me");
    assert!(me.len() >= 2 && me.iter().all(|request| request["status"] == 200), "{what}: {me:?}");
}

/// Once used, an answer opens nothing more: not the SAML response, and not the authorization code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_once_is_refused_by_the_application() {
    for engine in ENGINES {
        let stand = Stand::new(engine, By::Saml).await;
        let tried = try_sign_in(&stand, By::Saml, KEY, Arc::new(Hurried::default())).await;
        assert!(tried.outcome.is_ok(), "{engine:?}: {:?}", stand.refusals());
        let posted = stand.at(FILES, "/saml/acs");
        assert_eq!((posted.len(), &posted[0]["status"]), (1, &json!(303)), "{engine:?}");
        let body = posted[0]["body"].as_str().unwrap().to_owned();
        assert!(fields(&body).contains_key("RelayState"), "{engine:?}: what the application sent along comes back");
        let post = |body: String| {
            let request = stand.client().post(format!("https://{FILES}/saml/acs"));
            request.header("content-type", "application/x-www-form-urlencoded").body(body).send()
        };
        assert_eq!(post(body.clone()).await.unwrap().status(), 403, "{engine:?}");
        stand.settled().await;
        let refused = stand.refusals();
        assert_eq!(refused.len(), 1, "{engine:?}");
        assert!(refused[0].0 == "node-saml" && refused[0].1.contains("InResponseTo"), "{engine:?}: {refused:?}");

        let stand = Stand::new(engine, By::OpenidConnect).await;
        let tried = try_sign_in(&stand, By::OpenidConnect, KEY, Arc::new(Hurried::default())).await;
        assert!(tried.outcome.is_ok(), "{engine:?}: {:?}", stand.refusals());
        let called = stand.at(DESK, "/callback");
        assert_eq!(called.len(), 1, "{engine:?}");
        // A sign-in of somebody else's is under way when the address is opened again.
        let client = stand.client();
        let begun = client.get(format!("https://{DESK}/login")).send().await.unwrap();
        let cookie = begun.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let again = client.get(format!("https://{DESK}/callback{}", called[0]["query"].as_str().unwrap()));
        assert_eq!(again.header("cookie", cookie).send().await.unwrap().status(), 403, "{engine:?}");
        stand.settled().await;
        let refused = stand.refusals();
        assert!(refused.len() == 1 && refused[0].0 == "openid-client" && refused[0].1.contains("state"), "{engine:?}: {refused:?}");
    }
    promise(2 * ENGINES.len());
}

/// How many codes otplib did not take.
fn refused_codes(stand: &Stand, engine: Engine) -> usize {
    let path = if engine == Engine::Classic { "/api/v1/authn/factors/uft1halden2/verify" } else { "/idp/idx/challenge/answer" };
    stand.at(ORGANIZATION, path).iter().filter(|request| request["status"].as_u64().unwrap() >= 400).count()
}

/// Waits until what is done next is done within one time step.
async fn early_in_a_step() {
    let left = 30_000 - jiff::Timestamp::now().as_millisecond() % 30_000;
    if left < 12_000 {
        tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap() + 100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_another_ones_is_refused_by_otplib_and_not_tried_on() {
    for engine in ENGINES {
        let stand = Stand::new(engine, By::OpenidConnect).await;
        let tried = try_sign_in(&stand, By::OpenidConnect, WRONG_KEY, Arc::new(Hurried::default())).await;
        let error = match &tried.outcome {
            Ok(_) => panic!("{engine:?}: signed in"),
            Err(error) => error,
        };
        let ConnectError::SignInFailed { stage, .. } = error else { panic!("{engine:?}: {error:?}") };
        assert_eq!(*stage, SignInStage::OneTimeCode, "{engine:?}: {error}");
        keeps_to_its_hosts(&stand, &tried, &format!("{engine:?}"));
        // The next time step's code once, and no more: five failures lock an account.
        let refused = refused_codes(&stand, engine);
        assert!((1..=2).contains(&refused), "{engine:?}: {refused} codes");
        assert_eq!(stand.at(DESK, "/callback").len(), 0, "{engine:?}");
        assert_eq!(stand.at(DESK, "/api/me").len(), 0, "{engine:?}");
        // The transaction is given up where it stands.
        let cancelled = if engine == Engine::Classic { "/api/v1/authn/cancel" } else { "/idp/idx/cancel" };
        assert_eq!(stand.at(ORGANIZATION, cancelled).len(), 1, "{engine:?}");
    }
    promise(ENGINES.len());
}

/// Two applications of one user, scanned in one time step; and the same from two computers that do not know of each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_opens_one_door() {
    for engine in ENGINES {
        for same_computer in [true, false] {
            let what = format!("{engine:?}, same computer: {same_computer}");
            let stand = Stand::new(engine, By::OpenidConnect).await;
            early_in_a_step().await;
            let first = try_sign_in(&stand, By::OpenidConnect, KEY, Arc::new(Hurried::default())).await;
            assert!(first.outcome.is_ok(), "{what}: {:?}", stand.refusals());
            let ledger = if same_computer { first.ledger.clone() } else { Arc::default() };
            let second = try_sign_in_after(&stand, By::Saml, KEY, Arc::new(Hurried::default()), ledger).await;
            let error = second.outcome.as_ref().err();
            assert!(error.is_none(), "{what}: {error:?} {:#?}", stand.requests());
            let waited = second.steps.iter().filter(|step| matches!(step, SignInStep::WaitingForCode { .. })).count();
            assert!(waited >= 1, "{what}: {:?}", second.steps);
            // A code that was used is never sent again from one computer; from another it is refused, and the next one is sent.
            assert_eq!(refused_codes(&stand, engine), usize::from(!same_computer), "{what}");
        }
    }
    promise(2 * ENGINES.len());
}

/// The application trusts another key than the one that the answer is signed with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_application_does_not_trust_is_no_sign_in() {
    for engine in ENGINES {
        let other = Signer::new("somebody else").certificate;
        let stand = Stand::with(engine, By::Saml, |settings| settings["trusted"] = json!(other)).await;
        let tried = try_sign_in(&stand, By::Saml, KEY, Arc::new(Hurried::default())).await;
        let error = match &tried.outcome {
            Ok(_) => panic!("{engine:?}: signed in"),
            Err(error) => error,
        };
        let ConnectError::SignInFailed { stage, .. } = error else { panic!("{engine:?}: {error:?}") };
        assert_eq!(*stage, SignInStage::Application, "{engine:?}: {error}");
        let refused = stand.refusals();
        assert!(refused.len() == 1 && refused[0].0 == "node-saml" && refused[0].1.contains("ignature"), "{engine:?}: {refused:?}");
        keeps_to_its_hosts(&stand, &tried, &format!("{engine:?}"));
        // The session of the organization is closed all the same.
        assert_eq!(stand.at(ORGANIZATION, "/api/v1/sessions/me").last().unwrap()["status"], 204, "{engine:?}");
    }
    promise(ENGINES.len());
}
