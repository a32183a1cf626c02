//! Values of login fields, and the hosts that come of them.
use posture_catalog::{Catalog, Choice, Field, Format, HostError, HostRole, Inputs, Login, Place, Strategy as SignIn};
use proptest::prelude::*;

fn label() -> Format {
    Format::DnsLabel { suffixes: vec![".api.tiny.example".into(), ".tiny.example".into()] }
}

fn choices() -> Vec<Choice> {
    [("us", "api.tiny.example"), ("eu", "api.eu.tiny.example")]
        .map(|(value, host)| Choice { value: value.into(), label: value.to_uppercase(), host: Some(host.into()), hidden: false })
        .into()
}

#[test]
fn good_values_are_brought_into_one_form() {
    let list = Format::List { item: "(?<name>[a-z.]+)(@(?<branch>[a-z/]+))?".into() };
    let token = Format::Token { prefixes: vec!["tk_".into()], min: 4, refused: Vec::new() };
    for (format, typed, stored) in [
        (&label(), "Halden-Moor", "halden-moor"),
        (&label(), " https://halden-moor.tiny.example/settings?x=1 ", "halden-moor"),
        (&label(), "halden-moor.api.tiny.example", "halden-moor"),
        (&Format::Host, "https://Git.Halden.example/login", "git.halden.example"),
        (&Format::Choice, "eu", "eu"),
        (&Format::Text, "  a b ", "a b"),
        (&Format::Password, "  a b ", "  a b "),
        (&Format::OktaCustomDomain, " https://Login.Halden.example/signin ", "login.halden.example"),
        (&token, "tk_abcd", "tk_abcd"),
        (&Format::Jwt, "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
        (&list, "web@main, api\nweb@main", "web@main,api"),
    ] {
        assert_eq!(format.check(&choices(), typed).as_deref(), Ok(stored), "{typed}");
    }
    let parts = list.parts("web@main");
    assert_eq!((parts["item"].as_str(), parts["name"].as_str(), parts["branch"].as_str()), ("web@main", "web", "main"));
    assert!(!list.parts("api").contains_key("branch"), "a group that took no part has no value");
}

#[test]
fn bad_values_are_explained() {
    let list = Format::List { item: "[a-z]+".into() };
    let token = Format::Token { prefixes: vec!["ghp_".into(), "github_pat_".into()], min: 4, refused: Vec::new() };
    for (format, typed, position, sentence) in [
        (&label(), "", None, "Nothing is filled in yet."),
        (&label(), "halden.example", None, "This is another host. Write only the name before \".api.tiny.example\" or \".tiny.example\"."),
        (&label(), "halden_moor", Some(7), "A name holds only letters, digits and hyphens; position 7 is something else."),
        (&label(), "-halden", None, "A name neither starts nor ends with a hyphen."),
        (
            &Format::Host,
            "http://git.example",
            None,
            "This address is not encrypted. Only https hosts are asked; leave out \"http://\" if the host answers https.",
        ),
        (&Format::Host, "git.example:8443", None, "Write the host without a port."),
        (&Format::Host, "me@git.example", None, "This holds a user name. Write the host alone."),
        (&Format::Host, "10.0.0.1", None, "This is an address. Write the host's name, which its certificate must carry."),
        (&Format::Choice, "mars", None, "Choose one of US, EU."),
        (&token, "gho_abcdefgh", None, "This does not look like the token: it starts with \"ghp_\" or \"github_pat_\"."),
        (&token, "ghp_ab", None, "This token is cut short: at least 4 characters follow its prefix, and 2 are here."),
        (
            &token,
            "ghp_ab cd",
            Some(7),
            "This does not look like the token: it holds only letters, digits, \"-\" and \"_\", and position 7 is something else.",
        ),
        (
            &Format::Jwt,
            "eyJhbGciOiJSUzI1NiJ9",
            None,
            "This does not look like the key: it has three parts divided by dots, and 1 was found. Copy it whole.",
        ),
        (
            &Format::Jwt,
            "eyJh!.e30.c2ln",
            Some(5),
            "This does not look like the key: it holds only letters, digits, \"-\" and \"_\", and position 5 is something else.",
        ),
        (
            &Format::Jwt,
            "c2VjcmV0.e30.c2ln",
            None,
            "This does not look like the key: its first part cannot be read as a token's header, so a piece of it may be missing. Copy it whole.",
        ),
        (&Format::Password, "   ", None, "Nothing is filled in yet."),
        (&Format::Password, "word\n", Some(5), "Position 5 holds a control character, such as a line break. Paste the value alone."),
        (&Format::Text, "a\u{7}b", Some(2), "Position 2 holds a control character, such as a line break. Paste the value alone."),
        (&list, "abc, D1", Some(2), "Item 2 of the list does not have the right form."),
    ] {
        let problem = format.check(&choices(), typed).unwrap_err();
        assert_eq!((problem.position, problem.sentence.as_str()), (position, sentence), "{typed}");
    }
}

fn field(id: &str, format: Format, choices: Vec<Choice>, optional: bool) -> Field {
    Field {
        id: id.into(),
        label: id.to_uppercase(),
        secret: false,
        optional,
        format,
        choices,
        default: None,
        help: String::new(),
        example: String::new(),
        steps: Vec::new(),
        reveal: None,
        link: None,
    }
}

/// `org` is a label, `region` a choice, `loose` is what no manifest may use: any text in a host.
fn login(template: &str) -> Login {
    let fields = vec![
        field("org", label(), Vec::new(), true),
        field("region", Format::Choice, choices(), false),
        field("host", Format::Host, Vec::new(), true),
        field("loose", Format::Text, Vec::new(), true),
    ];
    Login {
        also: Vec::new(),
        headers: std::collections::BTreeMap::new(),
        id: "key".into(),
        label: "Key".into(),
        summary: String::new(),
        strategy: SignIn::Bearer { token: "key".into() },
        fields,
        hosts: vec![template.into(), "{region}".into()],
        roles: vec![HostRole { id: "api".into(), hosts: vec![template.into(), "{region}".into()], prefix: String::new() }],
        discover: None,
        identity: None,
        test: String::new(),
        needs: Vec::new(),
        granted_header: None,
        expires: None,
        unused: None,
        steps: Vec::new(),
        source: String::new(),
        place: Place { file: "tiny/app.toml".into(), line: 1 },
    }
}

fn inputs(values: &[(&str, &str)]) -> Inputs {
    values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_first_template_that_is_filled_is_the_host() {
    let login = login("{org}.api.tiny.example");
    let with = login.resolve(&inputs(&[("region", "eu"), ("org", "halden-moor")])).unwrap();
    assert_eq!(with.roles["api"], ("halden-moor.api.tiny.example".to_owned(), String::new()));
    assert_eq!(with.allowed.iter().map(String::as_str).collect::<Vec<_>>(), ["api.eu.tiny.example", "halden-moor.api.tiny.example"]);
    let without = login.resolve(&inputs(&[("region", "eu"), ("org", " ")])).unwrap();
    assert_eq!(without.roles["api"].0, "api.eu.tiny.example");
    assert_eq!(login.resolve(&inputs(&[])), Err(HostError::Missing { label: "REGION".into() }));
    assert!(matches!(login.resolve(&inputs(&[("region", "mars")])), Err(HostError::Format { .. })));
}

#[test]
fn a_role_never_comes_to_a_host_that_may_not_receive_the_credential() {
    let mut login = login("{org}.api.tiny.example");
    login.hosts = vec!["{region}".into()];
    let refused = login.resolve(&inputs(&[("region", "eu"), ("org", "halden-moor")]));
    assert_eq!(refused, Err(HostError::NotAllowed { host: "halden-moor.api.tiny.example".into() }));
}

#[test]
fn kustomer_comes_to_its_pods() {
    let app = Catalog::built_in().unwrap().app("kustomer").unwrap().unwrap();
    let login = app.login("api-key").unwrap();
    for (region, host) in [("us", "api.kustomerapp.com"), ("eu", "api.prod2.kustomerapp.com"), ("in", "api.prod4.kustomerapp.com")] {
        let hosts = login.resolve(&inputs(&[("region", region)])).unwrap();
        assert_eq!(hosts.roles["api"].0, host);
        assert!(!hosts.roles.contains_key("organization"), "without a name there is no organization's host");
        assert_eq!(hosts.allowed.len(), 1);
    }
    let hosts = login.resolve(&inputs(&[("region", "eu"), ("organization", "https://halden-moor.kustomerapp.com/app")])).unwrap();
    assert_eq!(hosts.roles["api"].0, "halden-moor.api.kustomerapp.com");
}

/// Text that tries to get out of a template: dots, slashes, ports, user names, other scripts, control characters.
fn hostile() -> impl proptest::strategy::Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9.@:/?#%\\\\_ -]{0,80}",
        "[a-z]{1,5}(\\.evil\\.example|\\.evil\\.example/|@evil\\.example|:443|%2e|#|\\?|\\\\|\u{3002}evil)[a-z.]{0,20}",
        "(https?://)?[a-z0-9-]{1,70}(\\.api\\.tiny\\.example|\\.tiny\\.example)?(/[a-z]*)?",
    ]
}

fn is_dns_name(host: &str) -> bool {
    host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

proptest! {
    #[test]
    fn a_label_is_always_one_label(typed in hostile()) {
        if let Ok(label) = label().check(&[], &typed) {
            prop_assert!(is_dns_name(&label) && !label.contains('.'), "{typed:?} became {label:?}");
        }
    }

    #[test]
    fn a_host_is_always_a_name(typed in hostile()) {
        if let Ok(host) = Format::Host.check(&[], &typed) {
            prop_assert!(is_dns_name(&host), "{typed:?} became {host:?}");
            prop_assert_eq!(Format::Host.check(&[], &host), Ok(host.clone()), "checking again changes nothing");
        }
    }

    #[test]
    fn a_pasted_address_is_reduced_to_its_label(name in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", path in "(/[a-zA-Z0-9/?=&#.-]{0,30})?") {
        let typed = format!("https://{name}.tiny.example{path}");
        prop_assert_eq!(label().check(&[], &typed), Ok(name));
    }

    #[test]
    fn every_resolved_host_ends_in_its_template(typed in hostile(), id in prop_oneof![Just("org"), Just("host"), Just("loose")]) {
        let template = format!("{{{id}}}.api.tiny.example");
        if let Ok(hosts) = login(&template).resolve(&inputs(&[("region", "us"), (id, &typed)])) {
            for host in hosts.allowed {
                prop_assert!(is_dns_name(&host), "{typed:?} became {host:?}");
                prop_assert!(host == "api.tiny.example" || host.strip_suffix(".api.tiny.example").is_some_and(|label| !label.contains('.')), "{typed:?} became {host:?}");
            }
        }
    }

    #[test]
    fn a_sentence_never_holds_a_secret(secret in "[A-Za-z0-9_.!-]{12,60}") {
        for format in [Format::Jwt, Format::Token { prefixes: vec!["tk_".into()], min: 200, refused: Vec::new() }, Format::Host, label(), Format::List { item: "x".into() }] {
            if let Err(problem) = format.check(&[], &secret) {
                // No run of six characters of it: shorter ones stand in ordinary words.
                for start in 0..secret.len() - 5 {
                    let piece = &secret[start..start + 6];
                    prop_assert!(!problem.sentence.contains(piece), "{} holds {piece}", problem.sentence);
                }
            }
        }
    }
}
