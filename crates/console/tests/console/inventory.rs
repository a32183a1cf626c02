//! Accounts and plugins through the console: simulated tenants over real HTTPS, a real encrypted database.
use crate::scene;

use catalog::{Account, Catalog, InventoryKind, InventoryThresholds, Known, Plugin, Presence, Property};
use posture_core::{
    Console, Options,
    screen::{
        AccountList, ExportFormat, Instance, InventoryFilter, InventoryHead, InventoryQuery, InventorySort, PluginList, PropertyState,
        Protection, SandboxScope, Severity, Slice, TenantChoice,
    },
};
use sandbox::Tenant;
use scene::{Scene, SteppingClock, today};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

struct Desk {
    console: Console,
    folder: PathBuf,
}

impl Desk {
    async fn with(tenants: &[(&str, &str)]) -> Self {
        let mut options = Options::scratch().unwrap();
        options.clock = SteppingClock::at(today());
        let folder = options.data_folder.clone();
        let console = Console::new(options).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let choices = tenants.iter().map(|(app, tenant)| TenantChoice { app: (*app).into(), tenant: (*tenant).into() }).collect();
        console.add_sandbox(choices, Arc::new(|_| {})).await.unwrap();
        Self { console, folder }
    }

    async fn instance(&self, app: &str) -> Instance {
        self.console.instances(SandboxScope::With).await.unwrap().into_iter().find(|instance| instance.app == app).unwrap()
    }

    async fn accounts(&self, instance: &Instance, filter: InventoryFilter) -> AccountList {
        self.console.accounts(&instance.id, query(filter)).await.unwrap()
    }

    async fn plugins(&self, instance: &Instance, filter: InventoryFilter) -> PluginList {
        self.console.plugins(&instance.id, query(filter)).await.unwrap()
    }
}

fn query(filter: InventoryFilter) -> InventoryQuery {
    InventoryQuery { filter, sort: InventorySort::Severity, descending: true, slice: Slice { offset: 0, limit: 500 } }
}

fn count(head: &InventoryHead, risk: &str) -> (u32, u32) {
    let count = head.risks.iter().find(|count| count.risk == risk).unwrap();
    (count.present, count.unknown)
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_shown_with_their_risks_and_with_what_nobody_knows() {
    let desk = Desk::with(&[("customer-io", "risky"), ("kustomer", "risky"), ("github-enterprise", "risky"), ("convo", "risky")]).await;
    let instance = desk.instance("customer-io").await;
    let list = desk.accounts(&instance, InventoryFilter::default()).await;
    let head = &list.head;
    assert!(head.declared && head.as_of.as_deref().is_some_and(|at| at.starts_with("2026-11-21")), "{head:?}");
    assert_eq!(head.all as usize, list.rows.len());
    let (without, unsure) = count(head, "no_mfa");
    assert!(without > 0 && unsure == 0, "{head:?}");
    assert_eq!(count(head, "not_from_identity_provider"), (head.all, 0), "single sign-on is off");
    assert!(count(head, "administrator").0 > 0 && count(head, "dormant").0 > 0, "{head:?}");
    assert_eq!(list.rows[0].severity, Some(Severity::Critical), "an administrator without a second factor comes first");
    assert!(list.rows.windows(2).all(|pair| pair[0].severity >= pair[1].severity));
    let chosen = desk.accounts(&instance, InventoryFilter { risks: vec!["dormant".into()], ..InventoryFilter::default() }).await;
    assert_eq!((chosen.head.total, chosen.head.all), (count(head, "dormant").0, head.all));
    assert!(chosen.rows.iter().all(|row| row.risks.contains(&"dormant".to_owned())));

    let page = desk.console.account(&instance.id, &list.rows[0].id).await.unwrap();
    assert_eq!(page.source, "Team members with single sign-on");
    assert!(page.evidence.iter().any(|row| row.dataset == "users" && row.fields.iter().any(|field| field.path == "two_factor_enabled")));
    let reason = page.risks.iter().find(|risk| risk.risk == "no_mfa").unwrap();
    assert_eq!((reason.present, reason.sentence.as_str()), (true, "No second factor is set up."));
    let reason = page.risks.iter().find(|risk| risk.risk == "credential_expired");
    assert_eq!(reason, None, "a member is no credential");

    // Kustomer says nothing of second factors and sign-ins: that is neither a risk nor an all-clear.
    let instance = desk.instance("kustomer").await;
    let list = desk.accounts(&instance, InventoryFilter::default()).await;
    let head = &list.head;
    assert_eq!(head.sources.iter().map(|source| source.title.as_str()).collect::<Vec<_>>(), ["Users", "Open invitations"]);
    assert!(head.sources[0].not_read.contains(&"MFA".to_owned()), "{:?}", head.sources[0]);
    let people = list.rows.iter().filter(|row| row.kind.value == "person").count() as u32;
    let invited = list.rows.iter().filter(|row| row.status.value == "invited").count() as u32;
    assert!(people > invited && invited > 0);
    assert_eq!(count(head, "no_mfa"), (0, people - invited));
    assert_eq!(count(head, "never_seen").0, invited);
    let someone = list.rows.iter().find(|row| row.status.state == PropertyState::NotRead).unwrap();
    assert_eq!((someone.mfa.state, someone.mfa.value.as_str()), (PropertyState::NotRead, ""));
    let page = desk.console.account(&instance.id, &someone.id).await.unwrap();
    let reason = page.risks.iter().find(|risk| risk.risk == "dormant").unwrap();
    assert_eq!((reason.present, reason.sentence.as_str()), (false, "Last seen is not read by this connector."));
    let unsure = desk.accounts(&instance, InventoryFilter { unknown: vec!["administrator".into()], ..InventoryFilter::default() }).await;
    assert_eq!(unsure.head.total, count(head, "administrator").1);
    assert!(unsure.rows.iter().any(|row| row.administrator.cause.as_ref().is_some_and(|cause| cause.kind == "unknown_value")));

    let convo = desk.instance("convo").await;
    let list = desk.accounts(&convo, InventoryFilter::default()).await;
    assert!(list.rows.iter().all(|row| row.risks.is_empty() && row.severity.is_none() && !row.unknown_risks.is_empty()));
    let plugins = desk.plugins(&convo, InventoryFilter::default()).await;
    assert_eq!((plugins.head.declared, plugins.head.as_of, plugins.rows.len()), (false, None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_shown_with_their_risks() {
    let desk = Desk::with(&[("kustomer", "risky"), ("customer-io", "risky-app-api")]).await;
    let instance = desk.instance("kustomer").await;
    let list = desk.plugins(&instance, InventoryFilter::default()).await;
    let kinds: BTreeSet<&str> = list.rows.iter().map(|row| row.kind.value.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["installed_app", "token", "webhook"]));
    let key = list.rows.iter().find(|row| row.scopes.values.iter().any(|scope| scope == "org.permission")).unwrap();
    assert_eq!((key.write.value.as_str(), key.severity), ("true", Some(Severity::High)), "it writes, and reaches the whole organization");
    assert!(key.unknown_risks.contains(&"no_expiry".to_owned()), "when it ends is not on the list");
    assert!(count(&list.head, "unused").0 > 0);
    let webhook = list.rows.iter().find(|row| row.kind.value == "webhook").unwrap();
    assert!(!webhook.risks.contains(&"can_write".to_owned()) && !webhook.unknown_risks.contains(&"can_write".to_owned()));
    let page = desk.console.plugin(&instance.id, &webhook.id).await.unwrap();
    let kept = serde_json::to_string(&page).unwrap();
    assert!(page.evidence.iter().any(|row| row.dataset == "outbound-webhooks") && !kept.contains("never-kept"), "{kept}");
    let chosen = desk.plugins(&instance, InventoryFilter { kinds: vec!["token".into()], ..InventoryFilter::default() }).await;
    assert!(chosen.head.total < chosen.head.all && chosen.rows.iter().all(|row| row.kind.value == "token"));
    let refused =
        desk.console.plugins(&instance.id, query(InventoryFilter { risks: vec!["no_mfa".into()], ..InventoryFilter::default() })).await;
    assert_eq!(refused.unwrap_err().code, "E-FILTER", "a risk of accounts is none of plugins");

    // The App API's key does not reach what the other login option reads: said, not shown as none.
    let app = desk.instance("customer-io").await;
    let list = desk.plugins(&app, InventoryFilter::default()).await;
    let (tokens, webhooks) = (&list.head.sources[0], &list.head.sources[2]);
    assert_eq!((tokens.available, tokens.cause.as_ref().map(|cause| cause.kind.as_str())), (false, Some("login_lacks")));
    assert!(webhooks.available && webhooks.items > 0);
    let accounts = desk.accounts(&app, InventoryFilter::default()).await;
    assert_eq!((accounts.head.all, accounts.head.sources[0].available), (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_are_applied_at_once_stay_and_go_with_the_instance() {
    let desk = Desk::with(&[("customer-io", "risky")]).await;
    let instance = desk.instance("customer-io").await;
    let before = desk.accounts(&instance, InventoryFilter::default()).await.head;
    let mut thresholds = before.thresholds;
    assert_eq!((thresholds.dormant_days, thresholds.expiring_days, thresholds.rotation_days, thresholds.unused_days), (90, 30, 180, 90));
    for wrong in [0, 3_651] {
        thresholds.dormant_days = wrong;
        let refused = desk.console.set_inventory_thresholds(&instance.id, thresholds).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-THRESHOLD", Some("dormant_days")));
    }
    thresholds.dormant_days = 1;
    assert_eq!(desk.console.set_inventory_thresholds(&instance.id, thresholds).await.unwrap(), thresholds);
    let after = desk.accounts(&instance, InventoryFilter::default()).await.head;
    assert!(count(&after, "dormant").0 > count(&before, "dormant").0, "{after:?}");
    assert_eq!((after.all, after.thresholds, &after.as_of), (before.all, thresholds, &before.as_of), "nothing was read again");
    desk.console.scan(&instance.id, Arc::new(|_| {})).await.unwrap();
    let again = desk.accounts(&instance, InventoryFilter::default()).await.head;
    assert_eq!((again.thresholds, count(&again, "dormant").0), (thresholds, count(&after, "dormant").0));
    let acts = desk.console.activity(Slice { offset: 0, limit: 50 }).await.unwrap();
    assert!(acts.rows.iter().any(|act| act.what == "thresholds of accounts and plugins changed"));
    desk.console.delete_instance(&instance.id, &instance.name).await.unwrap();
    assert_eq!(desk.console.accounts(&instance.id, query(InventoryFilter::default())).await.unwrap_err().code, "E-NOT-FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_hold_what_the_filter_leaves_with_what_is_not_known_spelled_out() {
    let desk = Desk::with(&[("kustomer", "risky")]).await;
    let instance = desk.instance("kustomer").await;
    let path = desk.folder.join("accounts.csv");
    let all = desk.accounts(&instance, InventoryFilter::default()).await;
    let written = desk
        .console
        .export_inventory(InventoryKind::Accounts, &instance.id, query(InventoryFilter::default()), ExportFormat::Csv, &path)
        .await
        .unwrap();
    assert_eq!(written.items, all.head.all);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(lines.clone().count() as u32, all.head.all);
    let mfa = columns.iter().position(|column| *column == "mfa").unwrap();
    assert!(columns.contains(&"unknown_risks") && mfa > 0);
    assert!(lines.all(|line| line.contains("not read")), "no cell that nobody read is empty");

    let path = desk.folder.join("plugins.json");
    let filter = InventoryFilter { kinds: vec!["webhook".into()], ..InventoryFilter::default() };
    let written = desk
        .console
        .export_inventory(InventoryKind::Plugins, &instance.id, query(filter.clone()), ExportFormat::Json, &path)
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(document["plugins"].as_array().unwrap().len() as u32, written.items);
    assert_eq!(document["filter"]["kinds"], serde_json::json!(["webhook"]));
    let plugin = &document["plugins"][0];
    assert_eq!((&plugin["kind"]["value"], &plugin["expires"]["state"]), (&"webhook".into(), &"not_read".into()));
    assert!(!desk.folder.join("nowhere").exists());
    let refused = desk
        .console
        .export_inventory(InventoryKind::Accounts, &instance.id, query(filter), ExportFormat::Csv, &desk.folder.join("x.csv"))
        .await;
    assert_eq!(refused.unwrap_err().code, "E-FILTER");
    assert!(!desk.folder.join("x.csv").exists(), "a file appears whole or not at all");
}

/// Whether each property of a table was known on some row, and which risks were there.
#[derive(Default)]
struct Seen {
    known: BTreeSet<Property>,
    risks: BTreeSet<&'static str>,
}

fn see<T>(seen: &mut Seen, property: Property, value: &Known<T>) {
    if matches!(value, Known::Is(_) | Known::None) {
        seen.known.insert(property);
    }
}

fn see_account(seen: &mut Seen, account: &Account) {
    see(seen, Property::Id, &account.id);
    see(seen, Property::Name, &account.name);
    see(seen, Property::Email, &account.email);
    see(seen, Property::Kind, &account.kind);
    see(seen, Property::Status, &account.status);
    see(seen, Property::Administrator, &account.administrator);
    see(seen, Property::Roles, &account.roles);
    see(seen, Property::Mfa, &account.mfa);
    see(seen, Property::IdentityProvider, &account.identity_provider);
    see(seen, Property::Created, &account.created);
    see(seen, Property::LastSeen, &account.last_seen);
    see(seen, Property::NeverSeen, &account.never_seen);
    see(seen, Property::CredentialExpires, &account.credential_expires);
    see(seen, Property::CredentialChanged, &account.credential_changed);
    seen.risks.extend(account.risks.iter().filter(|(_, presence)| **presence == Presence::Present).map(|(risk, _)| risk.word()));
}

fn see_plugin(seen: &mut Seen, plugin: &Plugin) {
    see(seen, Property::Id, &plugin.id);
    see(seen, Property::Name, &plugin.name);
    see(seen, Property::Kind, &plugin.kind);
    see(seen, Property::Publisher, &plugin.publisher);
    see(seen, Property::Scopes, &plugin.scopes);
    see(seen, Property::Level, &plugin.level);
    see(seen, Property::User, &plugin.user);
    see(seen, Property::Status, &plugin.status);
    see(seen, Property::Created, &plugin.created);
    see(seen, Property::LastUsed, &plugin.last_used);
    see(seen, Property::NeverUsed, &plugin.never_used);
    see(seen, Property::Expires, &plugin.expires);
    see(seen, Property::VerifiedPublisher, &plugin.verified_publisher);
    see(seen, Property::Write, &plugin.write);
    seen.risks.extend(plugin.risks.iter().filter(|(_, presence)| **presence == Presence::Present).map(|(risk, _)| risk.word()));
}

/// Every table of every application gives something in its simulated tenants, and every property that it declares is known on
/// some row: an expression that can never be evaluated is found here.
#[tokio::test(flavor = "multi_thread")]
async fn every_declared_property_is_known_somewhere() {
    let catalog = Catalog::built_in().unwrap();
    let mut risks: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for tile in catalog.tiles() {
        let Ok(Some(app)) = catalog.app(&tile.slug) else { continue };
        if app.inventories.is_empty() {
            continue;
        }
        let mut tables: Vec<Seen> = app.inventories.iter().map(|_| Seen::default()).collect();
        let mut tried = 0;
        for tenant in catalog.sandbox_tenants(&tile.slug).unwrap() {
            let prepared = Tenant::new(&tenant, &app, today()).unwrap();
            let (fields, name) = (prepared.fields().clone(), format!("{}/{}", tile.slug, tenant.id));
            let opened = Scene::try_of(Arc::clone(&app), &tenant.login, &fields, tenant.params.clone(), name, prepared.into()).await;
            // Where a person signs in in a browser there is nobody here; another tenant shows the same tables.
            let Ok(scene) = opened else { continue };
            tried += 1;
            let found = scene.program.inventory(&scene.collect().await, &InventoryThresholds::default(), today());
            let (mut accounts, mut plugins) = (found.accounts.iter(), found.plugins.iter());
            for (inventory, seen) in app.inventories.iter().zip(&mut tables) {
                match inventory.kind {
                    InventoryKind::Accounts => accounts.next().unwrap().items.iter().for_each(|account| see_account(seen, account)),
                    InventoryKind::Plugins => plugins.next().unwrap().items.iter().for_each(|plugin| see_plugin(seen, plugin)),
                }
            }
        }
        if tried == 0 {
            wrong.push(format!("{}: no tenant could be signed in to", tile.slug));
        }
        for (inventory, seen) in app.inventories.iter().zip(tables) {
            for property in inventory.properties.keys().filter(|property| !seen.known.contains(property)) {
                wrong.push(format!("{}: `{}` is known on no row of any tenant", inventory.place, property.word()));
            }
            for risk in seen.risks {
                risks.entry(risk).or_default().insert(tile.slug.clone());
            }
        }
    }
    println!("risks that simulated tenants show: {risks:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
