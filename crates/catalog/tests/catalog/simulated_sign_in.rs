//! What the loader says of the tables by which a sandbox tenant signs in.
use crate::folder::{self, OKTA_FIELDS, SETTINGS, TINY};
use posture_catalog::{OktaEngine, OktaFactor, SandboxOkta, SandboxTenant, SandboxTokens, SecondFactor};

const BY_OKTA: &str = r#"[[login]]
id = "okta"
label = "Log in with Okta"
summary = "An Okta user."
hosts = ["app.tiny.example", "{okta_domain}"]
roles = [{ id = "api", hosts = ["app.tiny.example"] }, { id = "okta", hosts = ["{okta_domain}"] }]
test = "settings"
source = "https://docs.tiny.example/sso"
[login.strategy]
name = "okta"
user = "user"
password = "password"
mfa_key = "mfa_key"
okta = "okta"
app = "api"
acs = ["/saml2/"]
start = { kind = "app_link", named = "tiny" }
"#;

const BY_EXCHANGE: &str = r#"[[login]]
id = "exchange"
label = "Service account"
summary = "A secret."
strategy = { name = "client_credentials", role = "api", path = "/token", secret = "secret", scope = "read" }
hosts = ["app.tiny.example"]
roles = [{ id = "api", hosts = ["app.tiny.example"] }]
test = "settings"
source = "https://docs.tiny.example/token"
[[login.field]]
id = "secret"
label = "Secret"
secret = true
format = "text"
"#;

const OKTA: &str = r#"name = "Halden Moor"
login = "okta"
[fields]
user = "posture@haldenmoor.example"
password = "opens-nothing-but-the-sandbox"
okta_domain = "halden-moor"
mfa_key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"#;

const EXCHANGE: &str = r#"name = "Halden Moor"
login = "exchange"
[fields]
secret = "opens-nothing-but-the-sandbox"
"#;

/// The first tenant of the small application with these login options.
fn load(tenant: &str) -> Result<SandboxTenant, Vec<String>> {
    let (head, _) = TINY.split_once("[[login]]").unwrap();
    let app = format!("{head}{BY_OKTA}{OKTA_FIELDS}{BY_EXCHANGE}");
    let files = [
        ("tiny/app.toml", app.as_str()),
        ("tiny/datasets.toml", SETTINGS),
        ("tiny/checks.toml", ""),
        ("tiny/sandbox/risky/tenant.toml", tenant),
    ];
    folder::asked(&files, |catalog| catalog.sandbox_tenants("tiny")).map(|tenants| tenants.into_iter().next().unwrap())
}

#[test]
fn a_tenant_behaves_as_usual_where_it_says_nothing() {
    let okta = load(OKTA).unwrap();
    assert_eq!((okta.okta, okta.tokens), (Some(SandboxOkta::default()), None));
    let usual = SandboxOkta::default();
    assert_eq!((usual.engine, usual.factors, usual.assigned), (OktaEngine::IdentityEngine, vec![OktaFactor::Google], true));
    let exchange = load(EXCHANGE).unwrap();
    assert_eq!(
        (exchange.okta, exchange.tokens),
        (None, Some(SandboxTokens { grants: None, lifetime_seconds: 3_600, ..SandboxTokens::default() }))
    );
}

#[test]
fn a_tenant_behaves_as_it_says() {
    let table = r#"[okta]
engine = "classic"
classic_api = false
steps = "one"
factors = ["okta_verify", "push", "sms", "call", "google"]
second_factor = "application"
application = "Tiny (Halden Moor)"
assigned = false
keep_me_signed_in = true
password_warning = true
elsewhere = true
lookup = false
acs = "/saml2/acs"
request = "form"
cookie_domain = "tiny.example"
"#;
    let wanted = SandboxOkta {
        engine: OktaEngine::Classic,
        classic_api: false,
        one_step: true,
        factors: vec![OktaFactor::OktaVerify, OktaFactor::Push, OktaFactor::Sms, OktaFactor::Call, OktaFactor::Google],
        second_factor: SecondFactor::Application,
        application: "Tiny (Halden Moor)".into(),
        assigned: false,
        keep_me_signed_in: true,
        password_warning: true,
        elsewhere: true,
        lookup: false,
        acs: Some("/saml2/acs".into()),
        request_by_form: true,
        cookie_domain: Some("tiny.example".into()),
    };
    assert_eq!(load(&format!("{OKTA}{table}")).unwrap().okta, Some(wanted));
    let tokens = load(&format!("{EXCHANGE}[tokens]\ngrants = \"write\"\nlifetime_seconds = 60\n")).unwrap().tokens;
    assert_eq!(tokens, Some(SandboxTokens { grants: Some("write".into()), lifetime_seconds: 60, ..SandboxTokens::default() }));
}

#[test]
fn what_is_not_understood_is_said_with_its_line() {
    let line = OKTA.lines().count() + 2;
    for (text, sentence) in [
        ("engine = \"v1\"", "`engine` is \"v1\", which is not known; write one of classic, identity_engine"),
        ("factors = [\"webauthn\"]", "`factors` is \"webauthn\", which is not known; write one of google, okta_verify, push, sms, call"),
        ("second_factor = \"nobody\"", "`second_factor` is \"nobody\", which is not known; write one of organization, application"),
        ("acs = \"/other/acs\"", "`acs` begins with no prefix of the strategy's `acs`"),
        ("assigned = \"yes\"", "`assigned` must be true or false, not text"),
    ] {
        assert_eq!(load(&format!("{OKTA}[okta]\n{text}\n")).unwrap_err(), [format!("tiny/sandbox/risky/tenant.toml:{line}: {sentence}")]);
    }
    let unknown = load(&format!("{OKTA}[okta]\ncolour = \"red\"\n")).unwrap_err();
    assert!(
        unknown.len() == 1 && unknown[0].starts_with(&format!("tiny/sandbox/risky/tenant.toml:{line}: unknown key `colour`")),
        "{unknown:?}"
    );
    let head = OKTA.lines().count() + 1;
    assert_eq!(
        load(&format!("{OKTA}[tokens]\n")).unwrap_err(),
        [format!(
            "tiny/sandbox/risky/tenant.toml:{head}: `tokens` is for tenants whose login option exchanges client credentials or an assertion"
        )]
    );
    let head = EXCHANGE.lines().count() + 1;
    assert_eq!(
        load(&format!("{EXCHANGE}[okta]\n")).unwrap_err(),
        [format!("tiny/sandbox/risky/tenant.toml:{head}: `okta` is for tenants whose login option signs in through Okta")]
    );
    for seconds in ["59", "86401"] {
        assert_eq!(
            load(&format!("{EXCHANGE}[tokens]\nlifetime_seconds = {seconds}\n")).unwrap_err(),
            [format!("tiny/sandbox/risky/tenant.toml:{}: `lifetime_seconds` must lie between 60 and 86400", head + 1)]
        );
    }
}
