//! What the loader says of manifests: a small application that loads, and one change at a time that must not.
use crate::folder::{self, OKTA_FIELDS, TINY, tiny, whole};
use posture_catalog::{App, Catalog, DatasetKind, EachOver, FieldPath, OnEmpty, Type, ViewShape};
use std::{fs, path::Path, sync::Arc};

const DATASETS: &str = r#"[[dataset]]
id = "settings"
title = "Settings"
host = "api"
path = "/settings"
source = "https://docs.tiny.example/settings"
[dataset.keep]
"id" = "id"
"mfa.required" = "bool"
"level" = "enum(low,high)"
"idle" = { type = "int?", absent = 0, absent_source = "https://docs.tiny.example/idle" }
[[dataset]]
id = "users"
title = "Users"
host = "api"
path = "/users"
rows = "items[]"
key = ["id"]
label = "name"
source = "https://docs.tiny.example/users"
[dataset.keep]
"id" = "id"
"name" = "string"
"role" = "enum(admin,member)"
"groups" = "list<string>"
"created" = "timestamp(epoch_s)"
"keys[].name" = "string"
"keys[].secret" = { type = "string", as = "present" }
[[view]]
id = "admins"
title = "Administrators"
from = "users"
where = [{ field = "role", op = "eq", value = "admin" }]
"#;

const CHECKS: &str = r#"[[check]]
id = "tiny.auth.mfa"
title = "A second factor is required"
finding = "No second factor is required"
severity = "high"
feature = "config"
on = "settings"
pass = "row.mfa.required"
recommended = "required within {params.days} days"
why = "Because."
steps = ["Turn it on."]
link = { title = "Settings", url = "https://{org}.tiny.example/settings" }
sscf = ["IAM-SaaS-12"]
frameworks = { cis_v8 = ["6.3"] }
source = "https://docs.tiny.example/mfa"
[check.params.days]
type = "int"
label = "Days"
default = 7
min = 1
max = 30
[[setting]]
id = "tiny.auth.level"
title = "The level is high"
severity = "low"
feature = "config"
on = "settings"
key = "level"
operator = "equal"
recommended = "high"
why = "Because."
steps = ["Raise it."]
source = "https://docs.tiny.example/level"
"#;

/// The errors of the small application after one replacement in one of its files.
fn changed(file: &str, old: &str, new: &str) -> Vec<String> {
    let replaced = |name: &str, text: &str| {
        if name == file {
            assert!(text.contains(old), "{name} holds {old:?}");
            text.replacen(old, new, 1)
        } else {
            text.to_owned()
        }
    };
    match tiny(&replaced("app.toml", TINY), &replaced("datasets.toml", DATASETS), &replaced("checks.toml", CHECKS)) {
        Ok(_) => panic!("{file} with {new:?} for {old:?} loads"),
        Err(errors) => errors,
    }
}

#[test]
fn the_small_application_loads() {
    let app = whole(tiny(TINY, DATASETS, CHECKS));
    assert_eq!(app.dataset("settings").unwrap().kind, DatasetKind::Object);
    let users = app.dataset("users").unwrap();
    assert_eq!(users.kind, DatasetKind::List);
    let Type::List(element) = &users.keep[&"keys".into()].ty else { panic!("keys is a list") };
    let Type::Object(fields) = element.as_ref() else { panic!("of objects") };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["name", "secret"]);
    assert_eq!(app.inputs(app.check("tiny.auth.mfa").unwrap()), ["settings"]);
    let mfa = app.check("tiny.auth.mfa").unwrap();
    assert_eq!(mfa.place.to_string(), "tiny/checks.toml:8", "the line of `pass`");
    let level = app.check("tiny.auth.level").unwrap();
    assert_eq!(level.pass, "row.level == 'high'");
    assert_eq!(level.current, "row.level");
    assert_eq!(level.recommended, "high");
}

/// A list of names and values, and a view that makes one row of it.
const PROPERTIES: &str = r#"[[dataset]]
id = "properties"
title = "Properties"
host = "api"
path = "/properties"
rows = "[]"
key = ["name"]
label = "name"
values = "text"
source = "https://docs.tiny.example/properties"
keep = { name = "string", value = "string", number = "int" }
[[view]]
id = "by_name"
title = "Properties by name"
from = "properties"
pivot = { by = "name", value = "value" }
"#;

const PROPERTY: &str = r#"[[setting]]
id = "tiny.ui.escape"
title = "Text is escaped"
severity = "high"
feature = "config"
on = "by_name"
key = "ui.escape-all"
value = { type = "bool?", absent = true, absent_source = "https://docs.tiny.example/escape" }
operator = "equal"
recommended = true
why = "Because."
steps = ["Set it."]
source = "https://docs.tiny.example/escape"
"#;

#[test]
fn a_setting_declares_its_own_name_of_a_list_of_names_and_values() {
    let loaded = |properties: &str, property: &str| tiny(TINY, &format!("{DATASETS}{properties}"), &format!("{CHECKS}{property}"));
    let app = whole(loaded(PROPERTIES, PROPERTY));
    let check = app.check("tiny.ui.escape").unwrap();
    assert_eq!((check.pass.as_str(), app.inputs(check)), ("row.ui_escape_all == true", vec!["properties"]));
    let ViewShape::Pivot { fields, .. } = &app.view("by_name").unwrap().shape else { panic!() };
    assert_eq!(fields.len(), 1);
    assert_eq!((fields[0].name.as_str(), fields[0].keep.absent.is_some()), ("ui.escape-all", true));
    // Two settings may speak of one name, in the same words.
    let again = PROPERTY.replace("tiny.ui.escape", "tiny.ui.again");
    assert!(loaded(PROPERTIES, &format!("{PROPERTY}{again}")).is_ok());
    for (properties, property, sentence) in [
        (
            PROPERTIES.to_owned(),
            format!(
                "{PROPERTY}{}",
                again.replace("bool?", "int?").replace("absent = true", "absent = 1").replace("recommended = true", "recommended = 1")
            ),
            "another type or absence",
        ),
        (PROPERTIES.to_owned(), format!("{PROPERTY}{}", again.replace("ui.escape-all", "ui.escape_all")), "read as row.ui_escape_all"),
        (PROPERTIES.to_owned(), PROPERTY.replace("value = {", "# {"), "does not keep"),
        (PROPERTIES.to_owned(), PROPERTY.replace("by_name", "settings"), "declares a name of a view with `pivot`"),
        (PROPERTIES.replace("value = \"value\"", "value = \"number\""), PROPERTY.to_owned(), "not a kept text"),
        (
            PROPERTIES.replace("pivot = {", "first_by = { by = [\"name\"], order = \"number\" }\npivot = {"),
            PROPERTY.to_owned(),
            "one shape",
        ),
        (PROPERTIES.replace("values = \"text\"", "values = \"words\""), PROPERTY.to_owned(), "typed, text"),
    ] {
        let errors = loaded(&properties, &property).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(sentence)), "{sentence}: {errors:#?}");
    }
}

#[test]
fn a_map_may_say_what_its_emptiness_means_and_a_list_that_it_may_be_left_out() {
    let datasets = DATASETS
        .replace("\"mfa.required\" = \"bool\"", "\"mfa.required\" = \"bool\"\n\"flags\" = { type = \"map<bool>\", on_empty = \"none\" }")
        .replace("rows = \"items[]\"", "rows = \"items[]\"\nrows_absent = \"https://docs.tiny.example/empty\"");
    let app = tiny(TINY, &datasets, CHECKS).unwrap();
    let (settings, users) = (app.dataset("settings").unwrap(), app.dataset("users").unwrap());
    assert_eq!(settings.keep[&FieldPath::from("flags")].on_empty, OnEmpty::None);
    assert_eq!(settings.rows_absent, None);
    assert_eq!(users.rows_absent.as_deref(), Some("https://docs.tiny.example/empty"));
}

#[test]
fn pages_are_declared_in_the_words_of_their_style() {
    let paged = |pagination: &str| {
        let datasets = PROPERTIES.replace("rows = \"[]\"", &format!("rows = \"[]\"\npagination = {pagination}"));
        tiny(TINY, &format!("{DATASETS}{datasets}"), CHECKS)
    };
    for pagination in [
        r#"{ style = "odata", size = ["$top", 999] }"#,
        r#"{ style = "link_header", cursor = ["page"], repeats = "https://docs.tiny.example/pages" }"#,
        r#"{ style = "offset", parameter = "startIndex", first = 1, size = ["count", 100], total = "totalResults" }"#,
        r#"{ style = "page_number", page = "page[number]", first = 0, size = ["page[size]", 100] }"#,
        r#"{ style = "cursor", parameter = "page[after]", next = "meta.after_cursor", more = "meta.has_more" }"#,
        r#"{ style = "cursor", parameter = "pageToken", next = "nextPageToken", ends_without = "https://docs.tiny.example/pages" }"#,
    ] {
        paged(pagination).unwrap_or_else(|errors| panic!("{pagination}: {}", errors.join("\n")));
    }
    for (pagination, sentence) in [
        (r#"{ style = "odata", next = "next" }"#, "is a word of the style"),
        (r#"{ style = "offset", cursor = ["page"] }"#, "are words of the styles"),
        (r#"{ style = "link_header", repeats = "somewhere" }"#, "not an https URL"),
        (r#"{ style = "cursor", parameter = "c", next = "pages[0].next" }"#, "no index"),
        (r#"{ style = "offset", first = 2 }"#, "0 or 1"),
        (r#"{ style = "link_header", first = 1 }"#, "0 or 1"),
        (r#"{ style = "offset", ends_without = "https://docs.tiny.example/pages" }"#, "is a word of the style"),
        (r#"{ style = "page_number", total = "total" }"#, "is a word of the style offset"),
        (r#"{ style = "cursor", parameter = "c", next = "n", ends_without = "somewhere" }"#, "not an https URL"),
    ] {
        let errors = paged(pagination).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(sentence)), "{pagination}: {errors:#?}");
    }
}

/// A way to sign in that is not offered, as `app.toml` says it.
const NOT_OFFERED: &str = r#"[[not_offered]]
label = "Password and second factor"
reason = "The vendor refuses it for every account that has a second factor."
instead = "Take the login option Key."
source = "https://docs.tiny.example/passwords"
"#;

#[test]
fn what_is_not_offered_is_said_whole() {
    let app = whole(tiny(&format!("{TINY}{NOT_OFFERED}"), DATASETS, CHECKS));
    let [option] = app.not_offered.as_slice() else { panic!("{:?}", app.not_offered) };
    assert_eq!(option.label, "Password and second factor");
    assert_eq!(option.reason, "The vendor refuses it for every account that has a second factor.");
    assert_eq!(option.instead, "Take the login option Key.");
    assert_eq!(tiny(TINY, DATASETS, CHECKS).unwrap().not_offered, []);

    let first = TINY.lines().count() + 1;
    let wrong = |text: &str| tiny(&format!("{TINY}{text}"), DATASETS, CHECKS).unwrap_err();
    for (key, what) in [
        ("label", "what an administrator looks for"),
        ("reason", "why it is not offered, in one or two sentences"),
        ("instead", "what to take in its place"),
        ("source", "the URL that the facts come from"),
    ] {
        let lacking: String = NOT_OFFERED.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
        assert_eq!(wrong(&lacking), [format!("tiny/app.toml:{first}: [[not_offered]] lacks `{key}`: {what}")]);
    }
    assert_eq!(
        wrong(&NOT_OFFERED.replace("Password and second factor", "Key")),
        [format!("tiny/app.toml:{first}: \"Key\" is both offered and not offered; the login option is \"key\"")]
    );
    assert_eq!(
        wrong(&NOT_OFFERED.repeat(2)),
        [format!("tiny/app.toml:{}: \"Password and second factor\" is not offered twice; say it once", first + 5)]
    );
    assert_eq!(wrong(&format!("{NOT_OFFERED}why = \"Because.\"\n")).len(), 1, "a key that is not known is an error");
}

#[test]
fn a_strategy_fits_its_login_option() {
    let with = |strategy: &str| {
        let app = TINY.replace("strategy = { name = \"bearer\", token = \"key\" }", &format!("strategy = {strategy}"));
        assert_ne!(app, TINY);
        tiny(&app, DATASETS, CHECKS)
    };
    let exchange = |role: &str| format!("{{ name = \"client_credentials\", role = \"{role}\", path = \"/token\", secret = \"key\" }}");
    assert!(with(&exchange("api")).is_ok());
    let errors = with(&exchange("web")).unwrap_err();
    assert_eq!(errors, ["tiny/app.toml:20: the strategy names the host role \"web\", which is not in `roles` of this login option"]);

    // A host that the token's answer names is not the one that was asked for it, nor one that gets another credential.
    let named = |role: &str, also: &str| {
        let strategy = format!(
            "{{ name = \"client_credentials\", role = \"api\", path = \"/token\", secret = \"key\", host_from = {{ member = \"url\", role = \"{role}\", suffixes = [\".named.example.com\"] }} }}"
        );
        let app = TINY
            .replace("strategy = { name = \"bearer\", token = \"key\" }", &format!("strategy = {strategy}"))
            .replace("roles = [{ id", "roles = [{ id = \"named\" }, { id");
        tiny(&app.replacen("[[login.field]]", &format!("{also}[[login.field]]"), 1), DATASETS, CHECKS)
    };
    whole(named("named", ""));
    let errors = named("api", "").unwrap_err();
    assert!(errors.iter().any(|error| error.contains("at which the token itself is asked for")), "{errors:?}");
    let errors = named("named", "[[login.also]]\nroles = [\"named\"]\nstrategy = { name = \"bearer\", token = \"key\" }\n").unwrap_err();
    assert!(errors.iter().any(|error| error.contains("to which `also` sends another credential")), "{errors:?}");

    let entra = |flow: &str, scope: &str| {
        format!(
            "{{ name = \"entra\", authority = \"login\", tenant = \"org\", client_id = \"org\", flow = {{ {flow} }}, scope = \"{scope}\" }}"
        )
    };
    // The exchange above goes to whatever host the manifest names; a secret of Microsoft's goes to Microsoft.
    let with = |strategy: &str| with_hosts(strategy, &["login.microsoftonline.com"], &["graph.microsoft.com"]);
    let (secret, browser) = ("kind = \"secret\", secret = \"key\"", "kind = \"browser\"");
    assert!(with(&entra(secret, "https://graph.microsoft.com/.default")).is_ok());
    assert!(with(&entra(browser, "openid https://graph.microsoft.com/User.Read")).is_ok());
    for scope in ["https://graph.microsoft.com/User.Read", "https://a.example/.default https://b.example/.default"] {
        let wanted = format!(
            "tiny/app.toml:20: the scope \"{scope}\" is not one resource's; an application asks for https://graph.microsoft.com/.default"
        );
        assert!(with(&entra(secret, scope)).unwrap_err().contains(&wanted), "{scope}");
    }
    let errors = with(&entra(browser, "x").replace("authority = \"login\"", "authority = \"web\"")).unwrap_err();
    assert_eq!(errors[0], "tiny/app.toml:20: the strategy names the host role \"web\", which is not in `roles` of this login option");
}

/// The small application with another strategy, whose authority has the role `login` and whose datasets the role `api`.
fn with_hosts(strategy: &str, login: &[&str], api: &[&str]) -> Result<Arc<App>, Vec<String>> {
    let list = |hosts: &[&str]| format!("[{}]", hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", "));
    let all: Vec<&str> = login.iter().chain(api).copied().collect();
    let roles = format!("roles = [{{ id = \"login\", hosts = {} }}, {{ id = \"api\", hosts = {} }}]", list(login), list(api));
    let app = TINY
        .replace("strategy = { name = \"bearer\", token = \"key\" }", &format!("strategy = {strategy}"))
        .replace("roles = [{ id = \"api\", hosts = [\"{org}.tiny.example\"] }]", &roles)
        .replace("\nhosts = [\"{org}.tiny.example\"]", &format!("\nhosts = {}", list(&all)));
    assert_eq!(app.matches("{org}.tiny.example").count(), TINY.matches("{org}.tiny.example").count() - 2);
    tiny(&app, DATASETS, CHECKS)
}

#[test]
fn a_secret_of_microsofts_goes_to_microsoft_and_the_token_to_its_resource() {
    const MICROSOFT: &str = "login.microsoftonline.com";
    const GRAPH: &str = "graph.microsoft.com";
    let with = |scope: &str, login: &str, api: &[&str]| {
        let strategy = format!(
            "{{ name = \"entra\", authority = \"login\", tenant = \"org\", client_id = \"org\", flow = {{ kind = \"browser\" }}, scope = \"{scope}\" }}"
        );
        with_hosts(&strategy, &[login], api)
    };
    for (scope, login, api) in [
        ("User.Read", MICROSOFT, GRAPH),
        ("https://graph.microsoft.us/.default", "login.microsoftonline.us", "graph.microsoft.us"),
        ("openid offline_access https://api.vendor.example/read", MICROSOFT, "api.vendor.example"),
    ] {
        assert!(with(scope, login, &[api]).is_ok(), "{scope}");
    }
    for (scope, login, api, words) in [
        ("User.Read", "login.evil.example", GRAPH, "the host \"login.evil.example\", which is not a cloud of Microsoft Entra ID"),
        ("User.Read", "login.microsoftonline.com.evil.example", GRAPH, "is not a cloud of Microsoft Entra ID"),
        ("User.Read", "{org}.microsoftonline.com", GRAPH, "is not a cloud of Microsoft Entra ID"),
        ("User.Read", MICROSOFT, "evil.example", "the host \"evil.example\", which is not the resource that the scope names"),
        ("User.Read", MICROSOFT, "{org}.graph.microsoft.com", "is not the resource that the scope names"),
        ("https://graph.microsoft.com/x", MICROSOFT, "graph.microsoft.us", "is not the resource that the scope names"),
        ("User.Read https://evil.example/x", MICROSOFT, "evil.example", "a token is for one resource"),
    ] {
        let errors = with(scope, login, &[api]).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(words)), "{scope} {login} {api}: {errors:?}");
    }
    // A next page may lie on any host of the login option.
    let app = TINY
        .replace(
            "strategy = { name = \"bearer\", token = \"key\" }",
            "strategy = { name = \"entra\", authority = \"login\", tenant = \"org\", client_id = \"org\", flow = { kind = \"browser\" }, scope = \"User.Read\" }",
        )
        .replace("\nhosts = [\"{org}.tiny.example\"]", "\nhosts = [\"login.microsoftonline.com\", \"graph.microsoft.com\", \"evil.example\"]")
        .replace(
            "roles = [{ id = \"api\", hosts = [\"{org}.tiny.example\"] }]",
            "roles = [{ id = \"login\", hosts = [\"login.microsoftonline.com\"] }, { id = \"api\", hosts = [\"graph.microsoft.com\"] }]",
        );
    let errors = tiny(&app, DATASETS, CHECKS).unwrap_err();
    assert_eq!(
        errors,
        [
            "tiny/app.toml:20: `hosts` holds \"evil.example\", which is neither a cloud of Microsoft Entra ID nor the resource that the scope names"
        ]
    );
}

#[test]
fn an_okta_password_goes_to_what_the_person_gave_as_okta() {
    // The fields of a sign-in through Okta, and one more to make into a host.
    let with = |template: &str, more: &str| {
        let app = TINY
            .replace(
                "strategy = { name = \"bearer\", token = \"key\" }",
                "strategy = { name = \"okta\", user = \"user\", password = \"password\", mfa_key = \"mfa_key\", okta = \"okta\", app = \"api\", acs = [\"/acs\"], start = { kind = \"app_link\", named = \"tiny\" } }",
            )
            .replace("\nhosts = [\"{org}.tiny.example\"]", &format!("\nhosts = [\"api.tiny.example\", {template}]"))
            .replace(
                "roles = [{ id = \"api\", hosts = [\"{org}.tiny.example\"] }]",
                &format!("roles = [{{ id = \"api\", hosts = [\"api.tiny.example\"] }}, {{ id = \"okta\", hosts = [{template}] }}]"),
            );
        tiny(&format!("{app}{OKTA_FIELDS}{more}"), DATASETS, CHECKS)
    };
    let own = |format: &str, rest: &str| format!("[[login.field]]\nid = \"own\"\nlabel = \"Own\"\nformat = {format}\n{rest}");
    let behind_a_tick = "optional = true\nreveal = \"We have one\"\n";
    assert!(with("\"{okta_domain}\"", "").is_ok());
    assert!(with("\"{own}\", \"{okta_domain}\"", &own("\"okta_custom_domain\"", behind_a_tick)).is_ok());
    for (template, more, words) in [
        ("\"evil.example\", \"{okta_domain}\"", String::new(), "has the host \"evil.example\""),
        ("\"evil.okta.com\"", String::new(), "names no field of format okta_domain"),
        ("\"{org}.evil.example\", \"{okta_domain}\"", String::new(), "has the host \"{org}.evil.example\""),
        ("\"{own}\", \"{okta_domain}\"", own("\"host\"", behind_a_tick), "has the host \"{own}\""),
        ("\"{own}\", \"{okta_domain}\"", own("\"okta_custom_domain\"", ""), "has the host \"{own}\""),
        ("\"{own}\", \"{okta_domain}\"", own("\"okta_custom_domain\"", "optional = true\n"), "has the host \"{own}\""),
        (
            "\"{own}\", \"{okta_domain}\"",
            own("\"okta_custom_domain\"", "optional = true\nreveal = \"x\"\ndefault = \"evil.example\"\n"),
            "has the host \"{own}\"",
        ),
        ("\"{own}\"", own("\"okta_custom_domain\"", behind_a_tick), "names no field of format okta_domain"),
        ("\"{own}\"", own("\"okta_domain\"", "default = \"evil\"\n"), "has the host \"{own}\""),
        (
            "\"{own}\", \"{okta_domain}\"",
            own("\"choice\"", "choices = [{ value = \"a\", label = \"A\", host = \"evil.example\" }]\n"),
            "has the host \"{own}\"",
        ),
    ] {
        let errors = with(template, &more).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(words)), "{template} {more}: {errors:?}");
    }
    // What is hidden behind a tick is empty, whatever it is for.
    let errors = with("\"{okta_domain}\"", &own("\"text\"", "optional = true\nreveal = \"x\"\ndefault = \"y\"\n")).unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains("has a default; what nobody sees must be empty"), "{errors:?}");
}

/// File, what is replaced, by what, and the one error that must come of it.
const BAD: &[(&str, &str, &str, &str)] = &[
    ("app.toml", "vendor =", "vendr =", "tiny/app.toml:1: app.toml lacks `vendor`: the company that makes it"),
    (
        "app.toml",
        "category = \"other\"",
        "category = \"misc\"",
        "tiny/app.toml:4: `category` is \"misc\", which is not known; write one of identity, productivity, collaboration, customer-service, marketing, sales, developer-tools, infrastructure, data, security, human-resources, finance, design, project-management, learning, other",
    ),
    ("app.toml", "slug = \"tiny\"", "slug = \"huge\"", "tiny/app.toml:1: `slug` is \"huge\" but the folder is \"tiny\"; name both alike"),
    (
        "app.toml",
        "home = \"https",
        "home = \"http",
        "tiny/app.toml:5: `home` is \"http://tiny.example\", which is not an https URL; write the whole of it",
    ),
    (
        "app.toml",
        "token = \"key\"",
        "token = \"org\"",
        "tiny/app.toml:20: `token` names \"org\", which is not a secret field of this login option",
    ),
    (
        "app.toml",
        "\nhosts = [\"{org}.tiny",
        "\nhosts = [\"{key}.tiny",
        "tiny/app.toml:21: `hosts` holds {key}, which is secret; a secret never stands in a host",
    ),
    (
        "app.toml",
        "\nhosts = [\"{org}.tiny",
        "\nhosts = [\"{team}.tiny",
        "tiny/app.toml:21: `hosts` holds {team}, which is not a field of this login option",
    ),
    (
        "app.toml",
        "\nhosts = [\"{org}.tiny",
        "\nhosts = [\"{org.tiny",
        "tiny/app.toml:21: `hosts` holds \"{org.tiny.example\", whose braces do not pair; write placeholders as {organization}",
    ),
    (
        "app.toml",
        "test = \"settings\"",
        "test = \"users2\"",
        "tiny/app.toml:16: login option \"key\" tests the connection with \"users2\", which is no dataset",
    ),
    (
        "app.toml",
        "test = \"settings\"",
        "test = \"settings\"\nidentity = { dataset = \"org\", field = \"id\" }",
        "tiny/app.toml:16: login option \"key\" tells its tenant by \"org\", which is no dataset",
    ),
    (
        "app.toml",
        "test = \"settings\"",
        "test = \"settings\"\nidentity = { dataset = \"settings\", field = \"slug\" }",
        "tiny/app.toml:16: login option \"key\" tells its tenant by \"settings\", which does not keep the field; add it to `keep`",
    ),
    (
        "app.toml",
        "status = 401",
        "status = 41",
        "tiny/app.toml:12: [[says]] lacks a `status` from 100 to 599: the HTTP status it comes with",
    ),
    (
        "app.toml",
        "format = { kind = \"dns_label\", suffixes = [\".tiny.example\"] }",
        "format = \"text\"",
        "tiny/app.toml:21: `hosts` holds {org}, whose format does not keep it a host name; use dns_label, host, vendor_host or choice",
    ),
    (
        "datasets.toml",
        "host = \"api\"",
        "host = \"web\"",
        "tiny/datasets.toml:4: the host role \"web\" is not in `roles` of any login option; add it to one",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npagination = { style = \"json_api\", single = \"the documentation\" }",
        "tiny/datasets.toml:18: `single` is \"the documentation\", which is not an https URL; write the whole of it",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npagination = { style = \"link_header\", ends_without = \"https://docs.tiny.example/users\" }",
        "tiny/datasets.toml:18: `ends_without` is a word of the styles json_api and cursor; leave it out",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/secrets/{org}\"",
        "tiny/datasets.toml:5: the path /secrets/{org} is never called: it answers a secret.",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/s/{team}\"",
        "tiny/datasets.toml:5: {team} is not a field of login option \"key\"; add the field or correct the placeholder",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/s/{key}\"",
        "tiny/datasets.toml:5: {key} is a secret field; a secret never stands in a path or query",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/s/{each.name}\"",
        "tiny/datasets.toml:5: {each.name} is nothing that is carried from the parent; add \"name\" to `carry` of `each`",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/s/a{org}\"",
        "tiny/datasets.toml:5: the path segment \"a{org}\" is not one whole placeholder; a placeholder fills a segment of its own",
    ),
    (
        "datasets.toml",
        "\"mfa.required\" = \"bool\"",
        "\"mfa.required\" = \"boolean\"",
        "tiny/datasets.toml:9: `mfa.required` has the type \"boolean\", which is not known; write bool, int, number, string, id, timestamp, timestamp(epoch_s), timestamp(epoch_ms), timestamp(spaced), timestamp(date), enum(a,b), list<…> or map<…>",
    ),
    (
        "datasets.toml",
        "\"mfa.required\" = \"bool\"",
        "\"mfa.required\" = \"bool?\"",
        "tiny/datasets.toml:9: `mfa.required` may be absent, so it must say what absence stands for: { type = \"…?\", absent = …, absent_source = \"URL\" }",
    ),
    (
        "datasets.toml",
        "absent = 0, ",
        "",
        "tiny/datasets.toml:11: `idle` may be absent (`?`), so it needs `absent`, the value it then stands for, and `absent_source`, the URL that says so",
    ),
    (
        "datasets.toml",
        "absent = 0",
        "absent = \"no\"",
        "tiny/datasets.toml:11: `absent` is not a value of this field's type; write one of that type, or \"null\"",
    ),
    ("datasets.toml", "\"int?\"", "\"int\"", "tiny/datasets.toml:11: `idle` says what absence stands for, so its type must end in `?`"),
    (
        "datasets.toml",
        "\"name\" = \"string\"",
        "\"name\" = \"string\"\n\"name.first\" = \"string\"",
        "tiny/datasets.toml:24: `name.first` lies within `name`, which is kept as one value; keep either the whole or its parts",
    ),
    (
        "datasets.toml",
        "\"keys[].name\" = \"string\"",
        "\"keys\" = \"list<string>\"",
        "tiny/datasets.toml:28: `keys[].secret` lies within `keys`, which is kept as one value; keep either the whole or its parts",
    ),
    (
        "datasets.toml",
        "\"groups\" = \"list<string>\"",
        "\"groups\" = { type = \"bool\", as = \"sha256\" }",
        "tiny/datasets.toml:25: `groups` is transformed from text, so its type must be string or list<string>",
    ),
    (
        "datasets.toml",
        "key = [\"id\"]",
        "key = [\"uid\"]",
        "tiny/datasets.toml:18: `key` names \"uid\", which is not a kept single value; add it to `keep`",
    ),
    (
        "datasets.toml",
        "key = [\"id\"]\n",
        "",
        "tiny/datasets.toml:12: the list \"users\" lacks `key`: the kept fields that tell its rows apart",
    ),
    (
        "datasets.toml",
        "id = \"users\"",
        "id = \"settings\"",
        "tiny/datasets.toml:12: the id \"settings\" is taken (tiny/datasets.toml:1); datasets and views each need their own",
    ),
    (
        "datasets.toml",
        "from = \"users\"",
        "from = \"people\"",
        "tiny/datasets.toml:32: `from` names the dataset \"people\", which is not there",
    ),
    ("datasets.toml", "field = \"role\"", "field = \"rank\"", "tiny/datasets.toml:33: a condition names \"rank\", which is not kept there"),
    (
        "datasets.toml",
        "value = \"admin\"",
        "value = \"boss\"",
        "tiny/datasets.toml:33: the condition on \"role\" does not fit its type enum(admin,member); this comparison wants a value of type enum(admin,member)",
    ),
    (
        "datasets.toml",
        "op = \"eq\"",
        "op = \"gt\"",
        "tiny/datasets.toml:33: the condition on \"role\" does not fit its type enum(admin,member); this comparison wants a number or timestamp field, and a value of its type",
    ),
    (
        "datasets.toml",
        "op = \"eq\"",
        "op = \"is\"",
        "tiny/datasets.toml:33: `op` is \"is\", which is not known; write one of eq, ne, in, not_in, contains, contains_any, gt, lt, empty, not_empty",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\neach = { dataset = \"teams\" }",
        "tiny/datasets.toml:18: `each` is over the dataset \"teams\", which is not written before this one; write the parent first",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nprobe = { row = \"id\", dataset = \"settings\", field = \"uid\" }",
        "tiny/datasets.toml:18: `probe` compares with \"uid\", which is not a kept single value of \"settings\"",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nprobe = [{ kind = \"fewer_than\", rows = 10 }, { kind = \"differs\", row = \"nick\", dataset = \"settings\", field = \"id\" }]",
        "tiny/datasets.toml:18: `probe` compares \"nick\", which is not a kept single value of this dataset",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nprobe = { kind = \"count\", dataset = \"settings\", fields = [\"id\"] }",
        "tiny/datasets.toml:18: `probe` adds up \"id\", which is not a kept int of \"settings\" that has to be there",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nprobe = { kind = \"count\", dataset = \"settings\" }",
        "tiny/datasets.toml:18: `probe` lacks `fields`: the whole numbers whose sum is the number of rows",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nrows_absent = \"http://docs.tiny.example/empty\"",
        "tiny/datasets.toml:18: `rows_absent` is \"http://docs.tiny.example/empty\", which is not an https URL; write the whole of it",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"[]\"\nrows_absent = \"https://docs.tiny.example/empty\"",
        "tiny/datasets.toml:18: `rows_absent` is for lists in a member of their own, such as data[]; one object, or a list that is the whole body, is there or is not understood",
    ),
    (
        "datasets.toml",
        "path = \"/settings\"",
        "path = \"/settings\"\nrows_absent = \"https://docs.tiny.example/empty\"",
        "tiny/datasets.toml:6: `rows_absent` is for lists in a member of their own, such as data[]; one object, or a list that is the whole body, is there or is not understood",
    ),
    (
        "datasets.toml",
        "\"mfa.required\" = \"bool\"",
        "\"mfa.required\" = { type = \"bool\", on_empty = \"none\" }",
        "tiny/datasets.toml:9: `mfa.required` is neither a list nor a map, so `on_empty` says nothing; leave it out",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nprobe = { kind = \"fewer_than\", rows = 0 }",
        "tiny/datasets.toml:18: `probe` lacks `rows`: the number of rows, from 1 up, that could be one page of several",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npublished_by = \"settings\"",
        "tiny/datasets.toml:18: `published_by` is \"settings\", which is not of kind openapi",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npublished_by = \"description\"",
        "tiny/datasets.toml:18: `published_by` is \"description\", which is not written before this dataset",
    ),
    (
        "datasets.toml",
        "\"name\" = \"string\"",
        "\"name\" = { type = \"string\", published = true }",
        "tiny/datasets.toml:23: \"name\" must be published by a description; name that in the dataset's `published_by`",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npublished = true",
        "tiny/datasets.toml:12: `published` says that a description must publish the request; name that in `published_by`",
    ),
    (
        "datasets.toml",
        "title = \"Users\"\n",
        "title = \"Users\"\nkind = \"openapi\"\n",
        "tiny/datasets.toml:18: `rows` has no meaning for a dataset of kind openapi; leave it out",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\nrecent = { field = \"name\", days = 30 }",
        "tiny/datasets.toml:18: `recent` names \"name\", which is not a kept timestamp of a list that has to be there",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npagination = { style = \"cursor\", parameter = \"c\" }",
        "tiny/datasets.toml:18: the style cursor needs `parameter`, the query name of the cursor, and `next`, where an answer holds it",
    ),
    (
        "datasets.toml",
        "rows = \"items[]\"",
        "rows = \"items[]\"\npagination = { style = \"link_header\", more = \"more\" }",
        "tiny/datasets.toml:18: `more` is a word of the style page_number or cursor; leave it out",
    ),
    (
        "datasets.toml",
        "where = [{ field = \"role\", op = \"eq\", value = \"admin\" }]",
        "[[view.join]]\ndataset = \"settings\"\nleft = \"created\"\nright = \"id\"\nas = \"s\"",
        "tiny/datasets.toml:33: `left` is timestamp and `right` is id, which are never equal",
    ),
    (
        "checks.toml",
        "id = \"tiny.auth.mfa\"",
        "id = \"other.auth.mfa\"",
        "tiny/checks.toml:2: `id` is \"other.auth.mfa\"; it starts with \"tiny.\" and goes on in lower-case words divided by dots",
    ),
    (
        "checks.toml",
        "id = \"tiny.auth.level\"",
        "id = \"tiny.auth.mfa\"",
        "tiny/checks.toml:28: the check \"tiny.auth.mfa\" is there twice (tiny/checks.toml:8); give each its own id",
    ),
    (
        "checks.toml",
        "severity = \"high\"",
        "sevrity = \"high\"",
        "tiny/checks.toml:5: unknown key `sevrity` in [[check]]; known keys are current, feature, finding, frameworks, id, kind, link, on, otherwise, params, pass, recommended, severity, source, sscf, steps, title, when, why",
    ),
    (
        "checks.toml",
        "on = \"settings\"",
        "on = \"config\"",
        "tiny/checks.toml:7: `on` names \"config\", which is neither a dataset nor a view",
    ),
    (
        "checks.toml",
        "why = \"Because.\"",
        "why = \"\"",
        "tiny/checks.toml:10: `why` is empty: why it matters, in two or three plain sentences",
    ),
    (
        "checks.toml",
        "steps = [\"Turn it on.\"]\n",
        "",
        "tiny/checks.toml:1: [[check]] lacks `steps`: what to do, step by step, in the vendor's console",
    ),
    (
        "checks.toml",
        "source = \"https://docs.tiny.example/mfa\"\n",
        "",
        "tiny/checks.toml:1: [[check]] lacks `source`: the URL that the facts come from",
    ),
    (
        "checks.toml",
        "recommended = \"required within {params.days} days\"",
        "recommended = \"{params.weeks}\"",
        "tiny/checks.toml:9: `recommended` holds {params.weeks}, which is no parameter of this check",
    ),
    (
        "checks.toml",
        "IAM-SaaS-12",
        "IAM-SaaS-22",
        "tiny/checks.toml:13: `sscf` names \"IAM-SaaS-22\", which is not a control of the framework; write such as IAM-SaaS-04",
    ),
    (
        "checks.toml",
        "cis_v8",
        "cis_v9",
        "tiny/checks.toml:14: the framework \"cis_v9\" is not known; write one of nist_800_53, cis_v8, soc2, iso_27001, cis_github",
    ),
    (
        "checks.toml",
        "https://{org}.tiny.example/settings",
        "https://elsewhere.example/",
        "tiny/checks.toml:12: the link points at elsewhere.example, which is not among `link_hosts` of app.toml; add it there or correct the link",
    ),
    ("checks.toml", "default = 7", "default = 70", "tiny/checks.toml:19: `default` is 70, which lies outside `min` and `max`"),
    ("checks.toml", "default = 7", "default = \"7\"", "tiny/checks.toml:19: `default` must be a whole number, not text"),
    (
        "checks.toml",
        "on = \"settings\"",
        "on = \"settings\"\nwhen = \"row.mfa.required\"",
        "tiny/checks.toml:8: `when` needs `otherwise`: the reason shown where the check does not apply",
    ),
    (
        "checks.toml",
        "feature = \"config\"",
        "feature = \"identity\"",
        "tiny/checks.toml:6: `feature` is not among `features` of app.toml; add it there",
    ),
    ("checks.toml", "key = \"level\"", "key = \"levl\"", "tiny/checks.toml:28: `key` names \"levl\", which \"settings\" does not keep"),
    (
        "checks.toml",
        "recommended = \"high\"",
        "recommended = \"highest\"",
        "tiny/checks.toml:30: `recommended` must be a value of the field's type, for this operator on a field of type enum(low,high)",
    ),
    (
        "checks.toml",
        "cis_v8 = [\"6.3\"]",
        "cis_v8 = [\"6.30\"]",
        "tiny/checks.toml:14: CIS Controls v8 has no \"6.30\"; write a number that is in catalog/_frameworks/cis_v8.toml",
    ),
    (
        "checks.toml",
        "cis_v8 = ",
        "cis_v9 = ",
        "tiny/checks.toml:14: the framework \"cis_v9\" is not known; write one of nist_800_53, cis_v8, soc2, iso_27001, cis_github",
    ),
    ("checks.toml", "title = \"The level", "title = The level", "tiny/checks.toml:24: this is not TOML: "),
];

#[test]
fn every_mistake_is_named_with_file_and_line() {
    let mut missed = Vec::new();
    for (file, old, new, expected) in BAD {
        let errors = changed(file, old, new);
        let found = errors.iter().any(|error| error == expected || (expected.ends_with(": ") && error.starts_with(expected)));
        if !found {
            missed.push(format!("{file} with {new:?} for {old:?}:\n  wanted {expected}\n  found  {}", errors.join("\n         ")));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_path_has_no_index_and_a_dataset_needs_no_secret() {
    for (old, new, says) in [
        ("rows = \"items[]\"", "rows = \"items[0]\"", "`rows` is \"items[0]\""),
        ("rows = \"items[]\"", "rows = \"items[][]\"", "`rows` is \"items[][]\""),
        ("rows = \"items[]\"", "rows = \"items..[]\"", "`rows` is \"items..[]\""),
        ("\"keys[].name\"", "\"keys[0].name\"", "is not a path"),
        ("path = \"/users\"", "path = \"/users\"\nneeds = { fields = [\"key\"] }", "the secret field \"key\""),
        (
            "path = \"/users\"",
            "path = \"/users\"\nok = { path = \"a[1]\", is = true, source = \"https://docs.tiny.example/ok\" }",
            "no index",
        ),
    ] {
        let errors = changed("datasets.toml", old, new).join("\n");
        assert!(errors.contains(says), "{new}: {errors}");
    }
}

#[test]
fn an_empty_text_is_absence_only_where_absence_is_documented() {
    let idle = "\"idle\" = { type = \"int?\", absent = 0, absent_source = \"https://docs.tiny.example/idle\" }";
    let declared = DATASETS.replace(idle, &idle.replace(" }", ", empty = \"absent\" }"));
    let app = whole(tiny(TINY, &declared, CHECKS));
    let keep = &app.dataset("settings").unwrap().keep[&FieldPath::from("idle")];
    assert!(keep.absent.as_ref().unwrap().empty);
    for (new, says) in [
        ("\"idle\" = { type = \"int\", empty = \"absent\" }", "its type must end in `?`"),
        (
            "\"idle\" = { type = \"list<int>?\", absent = [], absent_source = \"https://docs.tiny.example/idle\", empty = \"absent\" }",
            "no single value",
        ),
    ] {
        let errors = changed("datasets.toml", idle, new).join("\n");
        assert!(errors.contains(says), "{new}: {errors}");
    }
}

#[test]
fn all_mistakes_are_reported_not_only_the_first() {
    let datasets = DATASETS.replace("\"bool\"", "\"flag\"").replace("field = \"role\"", "field = \"rank\"");
    let checks = CHECKS.replace("severity = \"high\"", "severity = \"grave\"");
    let errors = tiny(TINY, &datasets, &checks).unwrap_err();
    let places: Vec<&str> = errors.iter().map(|error| error.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["tiny/checks.toml:5", "tiny/datasets.toml:9", "tiny/datasets.toml:33"]);
}

#[test]
fn settings_expand_by_each_operator() {
    let cases = [
        ("level", "not_equal", "\"low\"", "row.level != 'low'", "not low"),
        ("level", "one_of", "[\"low\", \"high\"]", "row.level in ['low', 'high']", "one of low, high"),
        ("level", "not_one_of", "[\"low\"]", "!(row.level in ['low'])", "none of low"),
        ("idle", "greater", "1", "row.idle > 1", "more than 1"),
        ("idle", "greater_or_equal", "1", "row.idle >= 1", "at least 1"),
        ("idle", "less", "9", "row.idle < 9", "less than 9"),
        ("idle", "less_or_equal", "9", "row.idle <= 9", "at most 9"),
        ("idle", "in_range", "[1, 9]", "row.idle >= 1 && row.idle <= 9", "from 1 to 9"),
        ("idle", "not_in_range", "[1, 9]", "row.idle < 1 || row.idle > 9", "not from 1 to 9"),
        ("mfa.required", "equal", "true", "row.mfa.required == true", "on"),
        ("note", "substring", "\"it's\"", "row.note.contains('it\\'s')", "contains it's"),
        ("note", "not_substring", "\"x\"", "!row.note.contains('x')", "does not contain x"),
    ];
    for (key, operator, recommended, pass, shown) in cases {
        let datasets = DATASETS.replacen("\"id\" = \"id\"", "\"id\" = \"id\"\n\"note\" = \"string\"", 1);
        let checks = CHECKS
            .replace("key = \"level\"", &format!("key = \"{key}\""))
            .replace("operator = \"equal\"", &format!("operator = \"{operator}\""))
            .replace("recommended = \"high\"", &format!("recommended = {recommended}"));
        let app = tiny(TINY, &datasets, &checks).unwrap_or_else(|errors| panic!("{operator}: {}", errors.join("\n")));
        let check = app.check("tiny.auth.level").unwrap();
        assert_eq!((check.pass.as_str(), check.recommended.as_str()), (pass, shown), "{operator}");
    }
}

#[test]
fn a_user_folder_adds_applications_and_checks_and_changes_nothing_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let extra = CHECKS
        .split("[[setting]]")
        .next()
        .unwrap()
        .replace("tiny.auth.mfa", "kustomer.own.sets")
        .replace("on = \"settings\"", "on = \"role-groups\"")
        .replace("row.mfa.required", "row.attributes.system")
        .replace("https://{org}.tiny.example/settings", "https://www.kustomerapp.com/");
    folder::write(
        folder.path(),
        &[
            ("tiny/app.toml", TINY),
            ("tiny/datasets.toml", DATASETS),
            ("tiny/checks.toml", CHECKS),
            ("our-kustomer/app.toml", "extends = \"kustomer\"\n"),
            ("our-kustomer/checks.toml", &extra),
        ],
    );

    let built_in = Catalog::built_in().unwrap();
    let before = built_in.app("kustomer").unwrap().unwrap();
    let catalog = whole(built_in.with_folder(folder.path()));
    let tiny = catalog.tiles().iter().find(|tile| tile.slug == "tiny").unwrap();
    assert_eq!((tiny.built_in, tiny.checks), (false, 2));
    let after = catalog.app("kustomer").unwrap().unwrap();
    assert_eq!(after.checks.len(), before.checks.len() + 1);
    assert_eq!(after.check("kustomer.own.sets").unwrap().place.to_string(), "our-kustomer/checks.toml:8");
    let hosts = |app: &App| app.logins.iter().flat_map(|login| login.hosts.clone()).collect::<Vec<_>>();
    assert_eq!(hosts(&after), hosts(&before), "an extension adds no host");

    let refused = |files: &[(&str, &str)]| -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        folder::write(folder.path(), files);
        Catalog::built_in().unwrap().with_folder(folder.path()).unwrap_err().iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        refused(&[("kustomer/app.toml", TINY)]),
        [
            "kustomer/app.toml:1: the application \"kustomer\" is there already; give the folder another name, or write extends = \"kustomer\" to add checks to it"
        ]
    );
    assert_eq!(
        refused(&[("own/app.toml", "extends = \"nobody\"")]),
        ["own/app.toml:1: `extends` names \"nobody\", which is no application; correct it, or write a whole app.toml"]
    );
    assert_eq!(
        refused(&[("own/app.toml", "extends = \"kustomer\"\nhosts = [\"evil.example\"]")]),
        ["own/app.toml:2: unknown key `hosts` in app.toml; known keys are extends"]
    );
    assert_eq!(
        refused(&[("own/app.toml", "extends = \"kustomer\""), ("own/datasets.toml", "[[dataset]]\nid = \"x\"")]),
        ["own/datasets.toml:1: an extension adds checks and views, not datasets: what is read stays as it is built in"]
    );
}

#[test]
fn what_is_read_instead_follows_the_filled_field() {
    let app = Catalog::built_in().unwrap().app("github-enterprise").unwrap().unwrap();
    let repos = app.dataset("repos").unwrap();
    let inputs = |repositories: &str| [("repositories".to_owned(), repositories.to_owned())].into();
    assert_eq!(repos.for_inputs(&inputs(" ")).path, "/orgs/{organization}/repos");
    let named = repos.for_inputs(&inputs("website@main"));
    assert_eq!((named.path.as_str(), named.kind), ("/repos/{organization}/{each.name}", DatasetKind::Object));
    assert_eq!(named.each.as_ref().unwrap().over, EachOver::Field("repositories".to_owned()));
}

#[test]
fn the_template_of_new_applications_loads_when_filled() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/_template");
    let folder = tempfile::tempdir().unwrap();
    copy(&template, &folder.path().join("blue-desk"));
    let catalog = whole(Catalog::from_folder(folder.path()));
    let app = whole(catalog.app("blue-desk")).unwrap();
    assert!(!app.checks.is_empty() && !app.datasets.is_empty());
    let tenants = whole(catalog.sandbox_tenants("blue-desk"));
    assert_eq!(tenants.iter().map(|tenant| tenant.id.as_str()).collect::<Vec<_>>(), ["clean", "risky"]);
    assert!(Catalog::built_in().unwrap().tiles().iter().all(|tile| tile.slug != "_template"), "the template is no application");
}

/// Copies the template as `cargo xtask new-app blue-desk` does: every NAME becomes the name.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::write(to, fs::read_to_string(entry.path()).unwrap().replace("NAME", "blue-desk")).unwrap();
        }
    }
}
