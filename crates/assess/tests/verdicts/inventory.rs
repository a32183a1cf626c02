//! Accounts and plugins out of rows: what is known, what is not, and that nothing is concluded from what is not.

use crate::small::*;
use assess::{Inventories, compile};
use catalog::*;
use proptest::prelude::{Just, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn table(kind: InventoryKind, from: &str, when: Option<&str>, properties: &[(Property, &str)]) -> Inventory {
    let expression = |text: &str, line| Expression { text: text.into(), place: place(line) };
    Inventory {
        kind,
        from: from.into(),
        when: when.map(|when| expression(when, 7)),
        properties: properties.iter().zip(10..).map(|((property, text), line)| (*property, expression(text, line))).collect(),
        place: place(6),
    }
}

fn application(inventories: Vec<Inventory>) -> App {
    App { inventories, ..app(vec![users(), installations()], Vec::new(), vec![check("users", "row.owner")]) }
}

fn users() -> Dataset {
    dataset(
        "users",
        DatasetKind::List,
        vec![
            ("id", keep(Type::Id)),
            ("login", keep(Type::String)),
            ("type", keep(choice(&["person", "bot"]))),
            ("owner", keep(Type::Bool)),
            ("roles", list(Type::String)),
            ("factor", keep(choice(&["none", "weak", "strong"]))),
            ("sso", keep(Type::Bool)),
            ("state", keep(choice(&["active", "suspended", "invited", "deactivated"]))),
            ("seen", absent(time(), Value::Null)),
            ("ends", absent(time(), Value::Null)),
            ("changed", keep(time())),
        ],
    )
}

fn installations() -> Dataset {
    let mut installations = dataset(
        "installations",
        DatasetKind::List,
        vec![
            ("id", keep(Type::Id)),
            ("name", keep(Type::String)),
            ("by", keep(Type::String)),
            ("kind", keep(choice(PluginKind::WORDS))),
            ("scopes", list(Type::String)),
            ("everybody", keep(Type::Bool)),
            ("verified", keep(Type::Bool)),
            ("used", absent(time(), Value::Null)),
            ("ends", absent(time(), Value::Null)),
        ],
    );
    installations.on_empty = OnEmpty::Unknown;
    installations
}

fn accounts() -> Inventory {
    table(
        InventoryKind::Accounts,
        "users",
        None,
        &[
            (Property::Id, "row.id"),
            (Property::Name, "row.login"),
            (Property::Kind, "row.type == 'bot' ? 'service' : row.roles.exists(role, role == 'guest') ? 'guest' : 'person'"),
            (Property::Status, "row.state"),
            (Property::Administrator, "row.owner"),
            (Property::Roles, "row.roles"),
            (Property::Mfa, "row.factor"),
            (Property::IdentityProvider, "row.sso"),
            (Property::LastSeen, "row.seen"),
            (Property::NeverSeen, "row.seen == null"),
            (Property::CredentialExpires, "row.ends"),
            (Property::CredentialChanged, "row.changed"),
        ],
    )
}

fn plugins() -> Inventory {
    table(
        InventoryKind::Plugins,
        "installations",
        None,
        &[
            (Property::Id, "row.id"),
            (Property::Name, "row.name"),
            (Property::Kind, "row.kind"),
            (Property::Publisher, "row.by"),
            (Property::Scopes, "row.scopes"),
            (Property::Write, "row.scopes.exists(scope, scope.endsWith(':write'))"),
            (Property::Level, "row.everybody ? 'tenant' : 'user'"),
            (Property::VerifiedPublisher, "row.verified"),
            (Property::LastUsed, "row.used"),
            (Property::NeverUsed, "row.used == null"),
            (Property::Expires, "row.ends"),
        ],
    )
}

/// A user whom nothing is wrong with, with some fields changed; null takes one away unless its absence is documented.
fn user(changes: Value) -> Value {
    let mut fields = json!({
        "id": "u1", "login": "ada", "type": "person", "owner": false, "roles": ["agent"], "factor": "strong", "sso": true,
        "state": "active", "seen": "2026-11-20T12:00:00Z", "ends": "2027-11-20T12:00:00Z", "changed": "2026-11-01T00:00:00Z",
    });
    change(&mut fields, changes);
    fields
}

fn installation(changes: Value) -> Value {
    let mut fields = json!({
        "id": "i1", "name": "Calendar", "by": "Halden Tools", "kind": "oauth_grant", "scopes": ["events:read"], "everybody": false,
        "verified": true, "used": "2026-11-20T12:00:00Z", "ends": "2027-11-20T12:00:00Z",
    });
    change(&mut fields, changes);
    fields
}

fn change(fields: &mut Value, changes: Value) {
    let fields = fields.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value == "gone" {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
}

fn found(inventory: Inventory, collected: Collected) -> Inventories {
    let from = inventory.from.clone();
    let program = compile(&application(vec![inventory])).unwrap_or_else(|errors| panic!("{errors:?}"));
    program.inventory(&read(vec![(from.as_str(), collected)]), &InventoryThresholds::default(), as_of())
}

fn account(changes: Value) -> Account {
    let mut found = found(accounts(), complete(vec![row("u1", user(changes))]));
    found.accounts.remove(0).items.remove(0)
}

fn plugin(changes: Value) -> Plugin {
    let mut found = found(plugins(), complete(vec![row("i1", installation(changes))]));
    found.plugins.remove(0).items.remove(0)
}

fn present<R: Copy + Ord>(risks: &BTreeMap<R, Presence>) -> Vec<R> {
    risks.iter().filter(|(_, presence)| **presence == Presence::Present).map(|(risk, _)| *risk).collect()
}

fn unknown<R: Copy + Ord>(risks: &BTreeMap<R, Presence>) -> Vec<R> {
    risks.iter().filter(|(_, presence)| **presence == Presence::Unknown).map(|(risk, _)| *risk).collect()
}

#[test]
fn properties_are_what_the_row_says() {
    let account = account(json!({}));
    assert_eq!((account.id.value().unwrap().as_str(), account.name.value().unwrap().as_str()), ("u1", "ada"));
    assert_eq!(account.kind, Known::Is(AccountKind::Person));
    assert_eq!(account.status, Known::Is(AccountStatus::Active));
    assert_eq!(account.roles, Known::Is(vec!["agent".to_owned()]));
    assert_eq!(account.mfa, Known::Is(Mfa::Strong));
    assert_eq!(account.last_seen, Known::Is("2026-11-20T12:00:00Z".parse().unwrap()));
    assert_eq!(account.email, Known::NotRead, "the table does not declare it");
    assert_eq!(account.origin.inputs, [("users".to_owned(), RowKey("u1".into()))]);
    assert!(account.risks.is_empty() && account.severity.is_none(), "{:?}", account.risks);
    let plugin = plugin(json!({}));
    assert_eq!(plugin.kind, Known::Is(PluginKind::OauthGrant));
    assert_eq!((plugin.write.value(), plugin.level.value()), (Some(&false), Some(&PluginLevel::User)));
    assert!(plugin.risks.is_empty() && plugin.severity.is_none(), "{:?}", plugin.risks);
}

#[test]
fn each_risk_of_an_account_has_its_rule_and_its_bound() {
    use AccountRisk::*;
    let cases: [(Value, &[AccountRisk], Option<Severity>); 22] = [
        (json!({ "factor": "none" }), &[NoMfa], Some(Severity::High)),
        (json!({ "factor": "weak" }), &[WeakMfa], Some(Severity::Medium)),
        (json!({ "factor": "none", "type": "bot" }), &[], None),
        (json!({ "factor": "none", "state": "invited" }), &[], None),
        // 90 days to the second, and one second more.
        (json!({ "seen": "2026-08-23T12:00:00Z" }), &[], None),
        (json!({ "seen": "2026-08-23T11:59:59Z" }), &[Dormant], Some(Severity::Medium)),
        (json!({ "seen": null }), &[NeverSeen], Some(Severity::Low)),
        (json!({ "seen": null, "state": "invited" }), &[NeverSeen], Some(Severity::Low)),
        (json!({ "sso": false }), &[NotFromIdentityProvider], Some(Severity::Medium)),
        (json!({ "sso": false, "type": "bot" }), &[], None),
        (json!({ "owner": true }), &[Administrator], Some(Severity::Info)),
        (json!({ "owner": true, "factor": "none" }), &[NoMfa, Administrator], Some(Severity::Critical)),
        (json!({ "owner": true, "sso": false }), &[NotFromIdentityProvider, Administrator], Some(Severity::High)),
        (json!({ "roles": ["guest"] }), &[Guest], Some(Severity::Low)),
        // 30 days to the second, and one second more; now, and one second ago.
        (json!({ "ends": "2026-12-21T12:00:00Z" }), &[CredentialExpiring], Some(Severity::Medium)),
        (json!({ "ends": "2026-12-21T12:00:01Z" }), &[], None),
        (json!({ "ends": "2026-11-21T12:00:00Z" }), &[CredentialExpiring], Some(Severity::Medium)),
        (json!({ "ends": "2026-11-21T11:59:59Z" }), &[CredentialExpired], Some(Severity::Low)),
        (json!({ "ends": null }), &[], None),
        (json!({ "changed": "2026-05-25T12:00:00Z" }), &[], None),
        (json!({ "changed": "2026-05-25T11:59:59Z" }), &[CredentialNotRotated], Some(Severity::Medium)),
        (json!({ "state": "suspended", "factor": "none", "sso": false, "owner": true, "seen": null }), &[], None),
    ];
    for (changes, expected, severity) in cases {
        let account = account(changes.clone());
        assert_eq!(present(&account.risks), expected, "{changes}");
        assert_eq!(unknown(&account.risks), [], "{changes}");
        assert_eq!(account.severity, severity, "{changes}");
    }
}

#[test]
fn each_risk_of_a_plugin_has_its_rule_and_its_bound() {
    use PluginRisk::*;
    let cases: [(Value, &[PluginRisk], Option<Severity>); 17] = [
        (json!({ "scopes": ["events:write"] }), &[CanWrite], Some(Severity::Medium)),
        (json!({ "scopes": ["events:write"], "kind": "webhook" }), &[], None),
        (json!({ "scopes": ["events:write"], "everybody": true }), &[CanWrite, WholeTenant], Some(Severity::High)),
        (json!({ "scopes": ["events:write"], "verified": false }), &[CanWrite, UnverifiedPublisher], Some(Severity::High)),
        (json!({ "everybody": true }), &[WholeTenant], Some(Severity::Low)),
        (json!({ "everybody": true, "verified": false }), &[WholeTenant, UnverifiedPublisher], Some(Severity::Medium)),
        (json!({ "verified": false }), &[UnverifiedPublisher], Some(Severity::Low)),
        (json!({ "verified": false, "kind": "token" }), &[], None),
        (json!({ "used": "2026-08-23T12:00:00Z" }), &[], None),
        (json!({ "used": "2026-08-23T11:59:59Z" }), &[Unused], Some(Severity::Medium)),
        (json!({ "used": null }), &[Unused], Some(Severity::Medium)),
        (json!({ "ends": null }), &[NoExpiry], Some(Severity::Medium)),
        (json!({ "ends": "2026-12-21T12:00:00Z" }), &[Expiring], Some(Severity::Low)),
        (json!({ "ends": "2026-11-21T11:59:59Z" }), &[Expired], Some(Severity::Low)),
        (json!({ "name": "ChatGPT for Halden" }), &[GenAi], Some(Severity::Low)),
        (json!({ "by": "OpenAI, L.L.C." }), &[GenAi], Some(Severity::Low)),
        (json!({ "name": "Openaiming" }), &[], None),
    ];
    for (changes, expected, severity) in cases {
        let plugin = plugin(changes.clone());
        assert_eq!(present(&plugin.risks), expected, "{changes}");
        assert_eq!(unknown(&plugin.risks), [], "{changes}");
        assert_eq!(plugin.severity, severity, "{changes}");
    }
}

#[test]
fn what_is_not_known_is_neither_a_risk_nor_an_all_clear() {
    use AccountRisk::*;
    let cases: [(Value, &[AccountRisk]); 9] = [
        (json!({ "factor": "gone" }), &[NoMfa, WeakMfa]),
        (json!({ "factor": "passkey" }), &[NoMfa, WeakMfa]),
        (json!({ "factor": null }), &[NoMfa, WeakMfa]),
        (json!({ "seen": "gone" }), &[Dormant, NeverSeen]),
        (json!({ "sso": "gone" }), &[NotFromIdentityProvider]),
        (json!({ "owner": 1 }), &[Administrator]),
        (json!({ "ends": "gone" }), &[CredentialExpiring, CredentialExpired]),
        (json!({ "changed": "yesterday" }), &[CredentialNotRotated]),
        // A service needs no second factor, so not knowing what it is leaves these open too; with a strong one they are clear.
        (json!({ "type": "gone", "factor": "none", "sso": false }), &[NoMfa, NotFromIdentityProvider, Guest]),
    ];
    for (changes, expected) in cases {
        let account = account(changes.clone());
        assert_eq!(unknown(&account.risks), expected, "{changes}");
        assert_eq!(present(&account.risks), [], "{changes}");
        assert_eq!(account.severity, None, "{changes}");
    }
    let Known::Unknown(cause) = account(json!({ "factor": "gone" })).mfa else { panic!("it is not there") };
    assert_eq!(cause.kind, CauseKind::FieldMissing);
    assert!(cause.sentence.contains("factor"), "{}", cause.sentence);
    assert_eq!(unknown(&plugin(json!({ "scopes": "gone" })).risks), [PluginRisk::CanWrite]);
    assert_eq!(unknown(&plugin(json!({ "ends": "gone" })).risks), [PluginRisk::NoExpiry, PluginRisk::Expiring, PluginRisk::Expired]);
    assert_eq!(unknown(&plugin(json!({ "name": "gone" })).risks), [PluginRisk::GenAi]);
}

#[test]
fn what_the_table_does_not_declare_is_not_known() {
    let bare = || table(InventoryKind::Accounts, "users", None, &[(Property::Id, "row.id"), (Property::Name, "row.login")]);
    let listing = found(bare(), complete(vec![row("u1", user(json!({})))])).accounts.remove(0);
    assert!(listing.not_read.contains(&Property::Mfa) && !listing.not_read.contains(&Property::Kind), "{:?}", listing.not_read);
    let account = &listing.items[0];
    assert_eq!(account.kind, Known::Is(AccountKind::Person), "a person, where nothing else is said");
    assert_eq!(present(&account.risks), []);
    use AccountRisk::*;
    assert_eq!(
        unknown(&account.risks),
        [NoMfa, WeakMfa, Dormant, NotFromIdentityProvider, Administrator, NeverSeen],
        "of an account that is no credential nothing is asked about one"
    );
    let webhook = table(
        InventoryKind::Plugins,
        "installations",
        None,
        &[(Property::Id, "row.id"), (Property::Name, "row.name"), (Property::Kind, "'webhook'")],
    );
    let listing = found(webhook, complete(vec![row("i1", installation(json!({})))])).plugins.remove(0);
    assert_eq!(unknown(&listing.items[0].risks), [PluginRisk::WholeTenant]);
}

#[test]
fn a_value_that_nobody_can_read_is_unclear_and_null_is_none_only_where_that_is_documented() {
    let mut inventory = accounts();
    let text = "row.owner ? unclear('Owners are told elsewhere.') : row.factor";
    inventory.properties.insert(Property::Mfa, Expression { text: text.into(), place: place(1) });
    let rows = complete(vec![row("u1", user(json!({ "owner": true })))]);
    let listing = found(inventory, rows).accounts.remove(0);
    let Known::Unknown(cause) = &listing.items[0].mfa else { panic!("{:?}", listing.items[0].mfa) };
    assert_eq!((cause.kind, cause.sentence.as_str()), (CauseKind::UnknownValue, "Owners are told elsewhere."));
    assert_eq!(account(json!({ "ends": null })).credential_expires, Known::None);
    assert!(matches!(account(json!({ "changed": null })).credential_changed, Known::Unknown(_)));
}

#[test]
fn rows_that_are_not_meant_are_left_out_and_those_of_which_nobody_knows_are_counted() {
    let properties = [(Property::Id, "row.id"), (Property::Name, "row.login")];
    let inventory = table(InventoryKind::Accounts, "users", Some("row.type == 'person'"), &properties);
    let rows = vec![
        row("u1", user(json!({}))),
        row("u2", user(json!({ "type": "bot" }))),
        row("u3", user(json!({ "type": "gone" }))),
        row("u4", user(json!({}))),
        row("u4", user(json!({ "login": "another" }))),
    ];
    let listing = found(inventory, complete(rows)).accounts.remove(0);
    assert_eq!(listing.items.iter().map(|account| account.origin.row.0.as_str()).collect::<Vec<_>>(), ["u1"]);
    assert_eq!(listing.undecided, 2, "one lacks its type, one is there twice");
    assert_eq!(listing.undecided_cause.unwrap().kind, CauseKind::FieldMissing);
}

#[test]
fn a_list_that_was_not_read_whole_says_so() {
    let partial = Collected { rows: vec![row("u1", user(json!({})))], completeness: Completeness::Partial(cut(CauseKind::RateLimited)) };
    let listing = found(accounts(), partial).accounts.remove(0);
    assert_eq!((listing.items.len(), listing.completeness.cause().unwrap().kind), (1, CauseKind::RateLimited));
    let refused =
        Collected { rows: vec![row("u1", user(json!({})))], completeness: Completeness::Unavailable(cut(CauseKind::ScopeMissing)) };
    let listing = found(accounts(), refused).accounts.remove(0);
    assert_eq!((listing.items.len(), listing.completeness), (0, Completeness::Unavailable(cut(CauseKind::ScopeMissing))));
    let program = compile(&application(vec![accounts(), plugins()])).unwrap();
    let nothing = program.inventory(&BTreeMap::new(), &InventoryThresholds::default(), as_of());
    assert!(matches!(nothing.accounts[0].completeness, Completeness::Unavailable(_)));
    // Nobody says what an empty list of installations means, but an empty list of users means that there are none.
    let empty = program.inventory(
        &read(vec![("users", complete(vec![])), ("installations", complete(vec![]))]),
        &InventoryThresholds::default(),
        as_of(),
    );
    assert_eq!(empty.accounts[0].completeness, Completeness::Complete);
    assert_eq!(empty.plugins[0].completeness.cause().unwrap().kind, CauseKind::Empty);
}

#[test]
fn documented_absence_proves_nothing_in_a_list_that_was_cut() {
    let rows = vec![row("u1", user(json!({ "seen": null })))];
    let partial = Collected { rows, completeness: Completeness::Partial(cut(CauseKind::RateLimited)) };
    let listing = found(accounts(), partial).accounts.remove(0);
    assert_eq!(unknown(&listing.items[0].risks), [AccountRisk::Dormant, AccountRisk::NeverSeen]);
}

#[test]
fn a_view_is_read_like_a_dataset_and_needs_all_of_it() {
    let view = View {
        id: "people".into(),
        title: "People".into(),
        from: "users".into(),
        filter: vec![Condition { field: "type".into(), op: Compare::Eq, value: json!("person") }],
        joins: Vec::new(),
        shape: ViewShape::Rows,
        place: place(3),
    };
    let of_view = Inventory { from: "people".into(), ..accounts() };
    let app = App { views: vec![view], ..application(vec![of_view]) };
    let program = compile(&app).unwrap();
    let rows = vec![row("u1", user(json!({}))), row("u2", user(json!({ "type": "bot" })))];
    let listing = |collected: Collected| {
        program.inventory(&read(vec![("users", collected)]), &InventoryThresholds::default(), as_of()).accounts.remove(0)
    };
    let whole = listing(complete(rows.clone()));
    assert_eq!((whole.title.as_str(), whole.items.len()), ("People", 1));
    assert_eq!(whole.items[0].origin.inputs, [("users".to_owned(), RowKey("u1".into()))]);
    let cut = listing(Collected { rows, completeness: Completeness::Partial(cut(CauseKind::RateLimited)) });
    assert!(cut.items.is_empty() && matches!(cut.completeness, Completeness::Unavailable(_)));
}

#[test]
fn thresholds_are_those_that_are_given() {
    let program = compile(&application(vec![accounts()])).unwrap();
    let seen = |days: u32| {
        let collected = read(vec![("users", complete(vec![row("u1", user(json!({ "seen": "2026-11-11T12:00:00Z" })))]))]);
        let thresholds = InventoryThresholds { dormant_days: days, ..InventoryThresholds::default() };
        present(&program.inventory(&collected, &thresholds, as_of()).accounts[0].items[0].risks)
    };
    assert_eq!((seen(9), seen(10)), (vec![AccountRisk::Dormant], vec![]));
}

#[test]
fn ill_typed_expressions_are_errors_at_their_own_line() {
    let cases = [
        (Property::Mfa, "row.owner ? 'yes' : 'none'", "it may come to 'yes'; it must be one of none, weak, strong"),
        (Property::Mfa, "row.state", "it may come to 'active'"),
        (Property::Mfa, "row.owner", "it gives a bool (`row.owner`); it must give text"),
        (Property::Administrator, "row.login", "it must give true or false"),
        (Property::LastSeen, "row.login", "it must give a timestamp"),
        (Property::Roles, "row.login", "it must give a list of text"),
        (Property::Roles, "[row.owner]", "it must give a list of text"),
        (Property::Name, "row.nothing", "`row.nothing` is not kept"),
        (Property::Name, "params.x", "is not a parameter"),
        (Property::Name, "row.login.", "it does not parse"),
        (Property::Id, "'all'", "reads no field"),
    ];
    for (property, text, expected) in cases {
        let mut inventory = accounts();
        inventory.properties.insert(property, Expression { text: text.into(), place: place(77) });
        let errors = compile(&application(vec![inventory])).unwrap_err();
        assert!(errors.iter().any(|error| error.place == place(77) && error.sentence.contains(expected)), "{text}: {errors:?}");
    }
    let mut inventory = accounts();
    inventory.when = Some(Expression { text: "row.login".into(), place: place(7) });
    let errors = compile(&application(vec![inventory])).unwrap_err();
    assert_eq!(errors[0].sentence, "[[accounts]] `when`: it gives text (`row.login`); it must give true or false");
}

/// Any value or its absence.
fn anything() -> impl proptest::strategy::Strategy<Value = Value> {
    prop_oneof![
        Just(json!("gone")),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
        Just(json!(["guest"])),
        Just(json!([])),
        Just(json!("strong")),
        Just(json!("2026-01-01T00:00:00Z")),
    ]
}

proptest! {
    /// Whatever is done to one field of a user, no risk that rests on it turns from there to not there, or the other way, unless the
    /// field can be read: what is not known shows as such.
    #[test]
    fn a_field_that_cannot_be_read_never_clears_a_risk(value in anything()) {
        let account = account(json!({ "factor": value.clone() }));
        match &account.mfa {
            Known::Is(mfa) => prop_assert_eq!(value, json!(mfa.word())),
            Known::None => prop_assert!(false, "the absence of a second factor's word is not documented"),
            Known::Unknown(_) | Known::NotRead => {
                prop_assert_eq!(unknown(&account.risks), vec![AccountRisk::NoMfa, AccountRisk::WeakMfa]);
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let rows: Vec<Row> = (0..8)
            .map(|index| row(&format!("u{index}"), user(json!({ "owner": index % 2 == 0, "factor": if index % 3 == 0 { "none" } else { "gone" } }))))
            .collect();
        let shuffled = order.iter().map(|index| rows[*index].clone()).collect();
        prop_assert_eq!(found(accounts(), complete(rows)), found(accounts(), complete(shuffled)));
    }
}
