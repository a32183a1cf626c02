//! Accounts and plugins of all instances together: simulated tenants over real HTTPS, a real encrypted database.
use crate::company::{Company, request};
use crate::scene::{SteppingClock, today};

use catalog::InventoryKind;
use posture_core::{
    Console, Listener, Options, SecretString,
    screen::{
        AddInstance, ExportFormat, FleetAccount, FleetAccounts, FleetFilter, FleetPlugins, FleetQuery, Identity, IdentityList,
        IdentityQuery, IdentitySort, InventoryFilter, InventoryQuery, InventorySort, Nature, PropertyState, Protection, SandboxScope,
        Slice, TenantChoice,
    },
};
use sandbox::OverlayChange;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const ALL: Slice = Slice { offset: 0, limit: 500 };

async fn console() -> Console {
    let mut options = Options::scratch().unwrap();
    options.clock = SteppingClock::at(today());
    let console = Console::new(options).unwrap();
    console.first_start(Protection::Keychain, None).await.unwrap();
    console
}

fn listener() -> Listener {
    Arc::new(|_| {})
}

async fn with(tenants: &[(&str, &str)]) -> Console {
    let console = console().await;
    let choices = tenants.iter().map(|(app, tenant)| TenantChoice { app: (*app).into(), tenant: (*tenant).into() }).collect();
    console.add_sandbox(choices, listener()).await.unwrap();
    console
}

fn filter() -> FleetFilter {
    FleetFilter { sandbox: SandboxScope::With, ..FleetFilter::default() }
}

fn query(filter: FleetFilter) -> FleetQuery {
    FleetQuery { filter, sort: InventorySort::Severity, descending: true, slice: ALL }
}

async fn accounts(console: &Console, filter: FleetFilter) -> FleetAccounts {
    console.accounts_everywhere(query(filter)).await.unwrap()
}

async fn plugins(console: &Console, filter: FleetFilter) -> FleetPlugins {
    console.plugins_everywhere(query(filter)).await.unwrap()
}

fn everybody() -> IdentityQuery {
    IdentityQuery {
        text: String::new(),
        risks: Vec::new(),
        nature: None,
        several: false,
        sandbox: SandboxScope::With,
        sort: IdentitySort::Severity,
        descending: true,
        slice: ALL,
    }
}

async fn identities(console: &Console, query: IdentityQuery) -> IdentityList {
    console.identities(query).await.unwrap()
}

/// What identities come to, from the accounts alone: how many accounts, in which instances, how many administrators, which risks.
fn oracle(rows: &[FleetAccount]) -> BTreeMap<String, (u32, u32, u32, BTreeSet<String>)> {
    let mut grouped: BTreeMap<String, Vec<&FleetAccount>> = BTreeMap::new();
    for row in rows {
        grouped.entry(row.identity.clone()).or_default().push(row);
    }
    let told = |rows: Vec<&FleetAccount>| {
        let instances: BTreeSet<&str> = rows.iter().map(|row| row.instance.as_str()).collect();
        let administrators = rows.iter().filter(|row| row.account.administrator.value == "true").count();
        let risks = rows.iter().flat_map(|row| row.account.risks.iter().cloned()).collect();
        (rows.len() as u32, instances.len() as u32, administrators as u32, risks)
    };
    grouped.into_iter().map(|(key, rows)| (key, told(rows))).collect()
}

fn told(rows: &[Identity]) -> BTreeMap<String, (u32, u32, u32, BTreeSet<String>)> {
    let one = |row: &Identity| (row.accounts, row.instances, row.administrators, row.risks.iter().cloned().collect());
    rows.iter().map(|row| (row.key.clone(), one(row))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_one_address_are_one_identity_until_somebody_says_otherwise() {
    let console = with(&[("kustomer", "risky"), ("kustomer", "risky-without-sso"), ("okta", "clean"), ("convo", "risky")]).await;
    let list = accounts(&console, filter()).await;
    let mut sum = 0;
    for instance in console.instances(SandboxScope::With).await.unwrap() {
        let each = InventoryQuery {
            filter: InventoryFilter::default(),
            sort: InventorySort::Severity,
            descending: true,
            slice: Slice { offset: 0, limit: 1 },
        };
        sum += console.accounts(&instance.id, each).await.unwrap().head.all;
    }
    assert!(list.all > 20 && list.all == sum && list.total == sum && list.rows.len() as u32 == sum, "{} of {sum}", list.all);
    assert!(list.rows.windows(2).all(|pair| pair[0].account.severity >= pair[1].account.severity));
    for row in &list.rows {
        let address = row.account.email.value.trim().to_lowercase();
        let expected = if address.is_empty() { row.identity.starts_with("account:") } else { row.identity == address };
        assert!(expected, "{row:?}");
    }

    let found = identities(&console, everybody()).await;
    assert_eq!(told(&found.rows), oracle(&list.rows));
    assert_eq!((found.all, found.total), (found.rows.len() as u32, found.rows.len() as u32));
    let several = identities(&console, IdentityQuery { several: true, ..everybody() }).await;
    assert!(!several.rows.is_empty() && several.rows.iter().all(|row| row.instances > 1));
    assert_eq!(several.rows.len(), found.rows.iter().filter(|row| row.instances > 1).count());
    for nature in [Nature::Human, Nature::NonHuman, Nature::Unknown] {
        let of = identities(&console, IdentityQuery { nature: Some(nature), ..everybody() }).await;
        assert_eq!(of.rows.len(), found.rows.iter().filter(|row| row.nature == nature).count(), "{nature:?}");
    }
    let risky = identities(&console, IdentityQuery { risks: vec!["administrator".into()], ..everybody() }).await;
    assert_eq!(risky.rows.len(), found.rows.iter().filter(|row| row.risks.iter().any(|risk| risk == "administrator")).count());
    let refused = console.identities(IdentityQuery { risks: vec!["tall".into()], ..everybody() }).await.unwrap_err();
    assert_eq!(refused.code, "E-FILTER");

    // Two that belong together, one that does not.
    let (first, second) = (&found.rows[0], found.rows.iter().find(|row| row.accounts == 1 && row.key != found.rows[0].key).unwrap());
    let of = async |key: &str| accounts(&console, FleetFilter { identity: Some(key.to_owned()), ..filter() }).await.rows;
    let moved = of(&second.key).await.remove(0);
    console
        .set_account_identity(&moved.instance, &moved.account.id, Some(first.key.to_uppercase().replace("ACCOUNT:", "account:")))
        .await
        .unwrap();
    let together = of(&first.key).await;
    assert_eq!(together.len() as u32, first.accounts + 1);
    assert_eq!(together.iter().filter(|row| row.corrected).count(), 1);
    let list = accounts(&console, filter()).await;
    assert_eq!(told(&identities(&console, everybody()).await.rows), oracle(&list.rows));
    // It holds after the next scan, which reads every row anew.
    console.scan(&moved.instance, listener()).await.unwrap();
    assert_eq!(of(&first.key).await.len() as u32, first.accounts + 1);
    let again = of(&first.key).await.into_iter().find(|row| row.corrected).unwrap();
    console.set_account_identity(&again.instance, &again.account.id, Some(String::new())).await.unwrap();
    let alone = accounts(&console, filter()).await.rows.into_iter().find(|row| row.corrected).unwrap();
    assert!(alone.identity.starts_with("account:"), "{}", alone.identity);
    console.set_account_identity(&alone.instance, &alone.account.id, None).await.unwrap();
    assert_eq!(of(&second.key).await.len(), 1);
    let refused = console.set_account_identity(&alone.instance, &alone.account.id, Some("a\nb".into())).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-IDENTITY", Some("identity")));
    let acts = console.activity(ALL).await.unwrap().rows;
    assert_eq!(acts.iter().filter(|act| act.what == "identity of an account changed").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_does_not_hold_is_told_beside_it() {
    let console = with(&[("kustomer", "clean"), ("convo", "risky")]).await;
    let list = plugins(&console, filter()).await;
    let convo = list.gaps.iter().find(|gap| gap.app_name == "Convo").unwrap();
    assert_eq!(convo.sentence, "The connector of this application reads no plugins.");
    let only = plugins(&console, FleetFilter { sandbox: SandboxScope::Without, ..FleetFilter::default() }).await;
    assert_eq!((only.all, only.gaps.len()), (0, 0), "simulated tenants are left out");
    let wrong = console.accounts_everywhere(query(FleetFilter { gen_ai: true, ..filter() })).await.unwrap_err();
    assert_eq!(wrong.code, "E-FILTER");
    let wrong =
        console.plugins_everywhere(query(FleetFilter { identity: Some("ada@halden.example".into()), ..filter() })).await.unwrap_err();
    assert_eq!(wrong.code, "E-FILTER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_of_a_plugin_holds_while_its_rights_do() {
    let console = console().await;
    let company = Company::new().await;
    let draft = console.open_draft("kustomer", "api-key").unwrap();
    console.check_field(&draft, "api_key", SecretString::from(company.key.clone())).unwrap();
    let instance = console.connect(&draft, AddInstance { ..request(&company.proxy) }, listener()).await.unwrap();
    let all = plugins(&console, FleetFilter::default()).await;
    assert!(all.all > 3 && all.rows.iter().all(|row| row.review.is_none()));
    let tokens: Vec<_> = all.rows.iter().filter(|row| row.plugin.kind.value == "token").collect();
    let token = tokens.iter().find(|row| row.plugin.scopes.state == PropertyState::Is).unwrap();

    console.set_plugin_reviewed(&instance, &token.plugin.id, true).await.unwrap();
    let reviewed = async |reviewed| plugins(&console, FleetFilter { reviewed: Some(reviewed), ..FleetFilter::default() }).await.rows;
    assert_eq!(reviewed(true).await.len(), 1);
    assert_eq!(reviewed(false).await.len() as u32, all.all - 1);
    console.scan(&instance, listener()).await.unwrap();
    let held = reviewed(true).await.remove(0);
    assert!(held.plugin.vendor_id == token.plugin.vendor_id && held.review.as_ref().is_some_and(|review| review.same_rights));

    // The same token may do more now.
    let field = "data[].attributes.roles".to_owned();
    let value = serde_json::json!(["org", "org.admin", "org.user"]);
    company
        .proxy
        .overlay()
        .apply(OverlayChange::Set { tenant: "kustomer/risky".into(), answer: "auth-tokens".into(), field, value })
        .unwrap();
    console.scan(&instance, listener()).await.unwrap();
    assert_eq!(reviewed(true).await.len(), 0);
    let changed = plugins(&console, FleetFilter::default()).await.rows.into_iter().find(|row| row.review.is_some()).unwrap();
    assert!(changed.plugin.vendor_id == token.plugin.vendor_id && !changed.review.unwrap().same_rights);
    console.set_plugin_reviewed(&instance, &changed.plugin.id, true).await.unwrap();
    assert_eq!(reviewed(true).await.len(), 1);
    console.set_plugin_reviewed(&instance, &changed.plugin.id, false).await.unwrap();
    assert!(plugins(&console, FleetFilter::default()).await.rows.iter().all(|row| row.review.is_none()));
    assert_eq!(console.set_plugin_reviewed(&instance, "987654321", true).await.unwrap_err().code, "E-NOT-FOUND");

    let out = tempfile::NamedTempFile::new().unwrap();
    let written = console.export_fleet(InventoryKind::Plugins, query(FleetFilter::default()), ExportFormat::Csv, out.path()).await.unwrap();
    assert_eq!(written.items, all.all);
    assert_eq!(std::fs::read_to_string(out.path()).unwrap().matches("\nkustomer,").count() as u32, all.all);
    let users = console.plugin_users(String::new(), SandboxScope::Without, ALL).await.unwrap();
    assert_eq!(users.total as usize, users.rows.len());
}
