//! Accounts and plugins of all instances together, each of the last complete scan of its instance: whose they are, who has looked at
//! them. None of it needs the network.

use crate::{
    Console,
    activity::{act_on, begin_file, finish_file, not_written},
    browse::{of_slice, scope_of, severity},
    console::Open,
    decisions::ignored,
    inventory::{self, Entry as _, Place, not_there, number_of, risk_count, sort_of, words, write_lines},
    scan::instance_id,
    screen::{
        self, ExportFormat, Failure, FleetAccount, FleetAccounts, FleetFilter, FleetGap, FleetPlugin, FleetPlugins, FleetQuery, Identity,
        IdentityList, IdentityQuery, IdentitySort, Nature, PluginReview, PluginUser, PluginUserList, SandboxScope, Slice,
    },
    start::user,
};
use catalog::{
    Account, AccountKind, AccountRisk, Category, Completeness, InventoryKind, InventoryThresholds, Plugin, PluginKind, PluginRisk,
};
use jiff::Timestamp;
use report::About;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::{BufWriter, Write},
    path::Path,
};
use store::{Act, FleetItem, FleetList, InstanceId};

/// The longest address, and the longest key of an account that stands alone, in characters.
const LONGEST_ADDRESS: usize = 320;
const LONGEST_ACCOUNT: usize = 4_000;

impl Console {
    /// A page of the accounts of all instances.
    ///
    /// # Errors
    /// When the filter holds an unknown word, the console is locked, or the database cannot be read.
    pub async fn accounts_everywhere(&self, query: FleetQuery) -> Result<FleetAccounts, Failure> {
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let filter = account_filter(&query.filter)?;
            let list = open.store.accounts_everywhere(&filter, sort_of(query.sort), query.descending, of_slice(query.slice))?;
            Ok(FleetAccounts {
                all: count(list.all),
                total: count(list.total),
                risks: risks::<Account>(&list),
                gaps: console.gaps(&open, InventoryKind::Accounts, query.filter.sandbox)?,
                rows: console.fleet_accounts(&open, &list.rows, now)?,
            })
        })
        .await
    }

    /// A page of the plugins of all instances.
    ///
    /// # Errors
    /// As [`Console::accounts_everywhere`].
    pub async fn plugins_everywhere(&self, query: FleetQuery) -> Result<FleetPlugins, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            let filter = plugin_filter(&query.filter)?;
            let list = open.store.plugins_everywhere(&filter, sort_of(query.sort), query.descending, of_slice(query.slice))?;
            Ok(FleetPlugins {
                all: count(list.all),
                total: count(list.total),
                risks: risks::<Plugin>(&list),
                gaps: console.gaps(&open, InventoryKind::Plugins, query.filter.sandbox)?,
                rows: list.rows.iter().map(|found| console.fleet_plugin(found)).collect(),
            })
        })
        .await
    }

    /// A page of identities: the accounts of all instances that have one address, or that somebody put together.
    ///
    /// # Errors
    /// As [`Console::accounts_everywhere`].
    pub async fn identities(&self, query: IdentityQuery) -> Result<IdentityList, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            let filter = store::IdentityFilter {
                text: query.text.trim().to_owned(),
                risks: words(&query.risks, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
                nature: query.nature.map(|nature| match nature {
                    Nature::Human => store::Nature::Human,
                    Nature::NonHuman => store::Nature::NonHuman,
                    Nature::Unknown => store::Nature::Unknown,
                }),
                several: query.several,
                sandbox: scope_of(query.sandbox),
            };
            let sort = match query.sort {
                IdentitySort::Severity => store::IdentitySort::Severity,
                IdentitySort::Name => store::IdentitySort::Name,
                IdentitySort::Accounts => store::IdentitySort::Accounts,
                IdentitySort::LastSeen => store::IdentitySort::LastSeen,
            };
            let directories = console.directories()?;
            let list = open.store.identities(&filter, &directories, (sort, query.descending), of_slice(query.slice))?;
            Ok(IdentityList {
                all: count(list.all),
                total: count(list.total),
                gaps: console.gaps(&open, InventoryKind::Accounts, query.sandbox)?,
                rows: list.rows.into_iter().map(identity).collect(),
            })
        })
        .await
    }

    /// A page of the users who granted or installed plugins in any instance, worst first. Plugins of which the vendor names no user
    /// are not among them.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn plugin_users(&self, text: String, sandbox: SandboxScope, slice: Slice) -> Result<PluginUserList, Failure> {
        self.with_open(move |open| {
            let (total, rows) = open.store.plugin_users(text.trim(), scope_of(sandbox), of_slice(slice))?;
            let rows = rows.into_iter().map(|found| PluginUser {
                user: found.user,
                plugins: found.plugins,
                instances: found.instances,
                severity: found.severity.map(severity),
            });
            Ok(PluginUserList { total: count(total), rows: rows.collect() })
        })
        .await
    }

    /// Says whose an account of the last complete scan is, for later scans too: the key of an identity, an empty one for nobody
    /// else's, none for what its address says.
    ///
    /// # Errors
    /// When the account is not there any more, the key is none, or the database refuses.
    pub async fn set_account_identity(&self, instance: &str, account: &str, identity: Option<String>) -> Result<(), Failure> {
        let (id, number, now) = (instance_id(instance)?, number_of(account)?, self.now());
        let identity = identity.map(key).transpose()?;
        self.with_open(move |open| {
            let scan = open.store.last_complete_scan(id)?.ok_or_else(not_there)?;
            let found = open.store.account(scan.id, number)?.item;
            let act = act_on(now, "identity of an account changed", &open.store.instance(id)?);
            let told = identity.clone().unwrap_or_else(|| "what its address says".to_owned());
            let act = act.from_to("", serde_json::json!({ "account": found.origin.row.0, "identity": told }).to_string());
            Ok(open.store.set_account_person(id, (&found.origin.from, &found.origin.row), identity.as_deref(), &act)?)
        })
        .await
    }

    /// Says that a plugin of the last complete scan was reviewed, or takes it back. With other rights than it has now it will count
    /// as not reviewed.
    ///
    /// # Errors
    /// When the plugin is not there any more, or the database refuses.
    pub async fn set_plugin_reviewed(&self, instance: &str, plugin: &str, reviewed: bool) -> Result<(), Failure> {
        let (id, number, now) = (instance_id(instance)?, number_of(plugin)?, self.now());
        self.with_open(move |open| {
            let scan = open.store.last_complete_scan(id)?.ok_or_else(not_there)?;
            let found = open.store.plugin(scan.id, number)?.item;
            let what = if reviewed { "plugin reviewed" } else { "plugin not reviewed" };
            let act = act_on(now, what, &open.store.instance(id)?);
            let act = act.from_to("", serde_json::json!({ "plugin": found.origin.row.0 }).to_string());
            Ok(open.store.set_plugin_reviewed(scan.id, number, reviewed, &act)?)
        })
        .await
    }

    /// Writes every account or plugin of all instances that the query's filter fulfils, whatever its slice, to a file. The file
    /// appears whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_fleet(
        &self,
        kind: InventoryKind,
        query: FleetQuery,
        format: ExportFormat,
        path: &Path,
    ) -> Result<screen::InventoryExported, Failure> {
        let file = begin_file(path)?;
        let writer = file.reopen().map_err(|error| not_written(path, &error))?;
        let items = self.export_fleet_to(kind, query, format, Box::new(BufWriter::new(writer))).await?;
        finish_file(file, path)?;
        let shown = path.display().to_string();
        let act = Act::new(self.now(), user(), format!("{} of all instances exported", kind.word()), &shown);
        self.with_open(move |open| Ok(open.store.record_act(&act)?)).await?;
        Ok(screen::InventoryExported { path: shown, items })
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_fleet_to(
        &self,
        kind: InventoryKind,
        query: FleetQuery,
        format: ExportFormat,
        mut writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        let now = self.now();
        self.with_current(move |open| {
            let about = About { exported_at: now, filter: serde_json::to_value(&query.filter).unwrap_or_default() };
            let (sort, descending) = (sort_of(query.sort), query.descending);
            let written = match kind {
                InventoryKind::Accounts => {
                    let filter = account_filter(&query.filter)?;
                    write_lines(format, &about, &mut writer, |slice| {
                        Ok(open.store.accounts_everywhere(&filter, sort, descending, slice)?.rows.iter().map(line).collect())
                    })?
                }
                InventoryKind::Plugins => {
                    let filter = plugin_filter(&query.filter)?;
                    write_lines(format, &about, &mut writer, |slice| {
                        Ok(open.store.plugins_everywhere(&filter, sort, descending, slice)?.rows.iter().map(line).collect())
                    })?
                }
            };
            writer.flush().map_err(|error| {
                Failure::new("E-EXPORT", format!("The export could not be written: {error}."), "Make room on the disk.")
            })?;
            Ok(count(written))
        })
        .await
    }

    /// Applications whose names for people go before those of others.
    fn directories(&self) -> Result<Vec<String>, Failure> {
        Ok(self.catalog()?.tiles().iter().filter(|tile| tile.category == Category::Identity).map(|tile| tile.slug.clone()).collect())
    }

    /// Instances of whose accounts or plugins the lists do not hold all.
    fn gaps(&self, open: &Open, kind: InventoryKind, scope: SandboxScope) -> Result<Vec<FleetGap>, Failure> {
        let mut gaps = Vec::new();
        for instance in open.store.instances()?.into_iter().filter(|instance| scope.holds(instance.sandbox)) {
            // Of an application that the catalog no longer has nothing is listed either.
            let app = self.app(&instance.app).ok();
            let declared = app.as_ref().is_some_and(|app| app.inventories.iter().any(|inventory| inventory.kind == kind));
            let sentence = if !declared {
                Some(format!("The connector of this application reads no {}.", kind.word()))
            } else {
                match open.store.last_complete_scan(instance.id)? {
                    None => Some("No scan of it has been complete yet.".to_owned()),
                    Some(scan) => match open.store.listings(scan.id, kind)? {
                        listings if listings.is_empty() => {
                            Some(format!("Its last complete scan was judged before {} were listed. Scan it again.", kind.word()))
                        }
                        listings => listings.into_iter().find_map(|listing| match listing.completeness {
                            Completeness::Complete if listing.undecided == 0 => None,
                            Completeness::Complete => Some(format!(
                                "{}: of {} rows it could not be told whether they are meant.",
                                listing.title, listing.undecided
                            )),
                            Completeness::Partial(cause) => Some(format!("{} were read in part: {}", listing.title, cause.sentence)),
                            Completeness::Unavailable(cause) => Some(format!("{} were not read: {}", listing.title, cause.sentence)),
                        }),
                    },
                }
            };
            gaps.extend(sentence.map(|sentence| FleetGap {
                instance: instance.id.to_string(),
                instance_name: instance.name,
                app_name: app.map_or(instance.app, |app| app.name.clone()),
                sentence,
            }));
        }
        Ok(gaps)
    }

    fn fleet_accounts(&self, open: &Open, rows: &[FleetItem<Account>], now: Timestamp) -> Result<Vec<FleetAccount>, Failure> {
        let mut held = BTreeMap::new();
        for found in rows {
            if let Entry::Vacant(entry) = held.entry(found.instance) {
                entry.insert(ignored(&open.store, found.instance, now)?);
            }
        }
        Ok(rows
            .iter()
            .map(|found| FleetAccount {
                instance: found.instance.to_string(),
                instance_name: found.instance_name.clone(),
                app: found.app.clone(),
                app_name: self.app_name(&found.app),
                sandbox: found.sandbox,
                as_of: found.as_of.to_string(),
                identity: found.identity.clone(),
                corrected: found.corrected,
                account: found.item.row(
                    found.number,
                    held.get(&found.instance)
                        .and_then(|held| held.get(&(found.item.origin.from.clone(), found.item.origin.row.clone())).cloned()),
                ),
            })
            .collect())
    }

    fn fleet_plugin(&self, found: &FleetItem<Plugin>) -> FleetPlugin {
        FleetPlugin {
            instance: found.instance.to_string(),
            instance_name: found.instance_name.clone(),
            app: found.app.clone(),
            app_name: self.app_name(&found.app),
            sandbox: found.sandbox,
            as_of: found.as_of.to_string(),
            review: found.review.as_ref().map(|review| PluginReview {
                who: review.who.clone(),
                at: review.at.to_string(),
                same_rights: review.same_rights,
            }),
            plugin: found.item.row(found.number, None),
        }
    }

    fn app_name(&self, slug: &str) -> String {
        self.app(slug).map_or_else(|_| slug.to_owned(), |app| app.name.clone())
    }
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn line<E: inventory::Entry>(found: &FleetItem<E>) -> E::Line {
    found.item.line(&Place { app: &found.app, instance: &found.instance_name, sandbox: found.sandbox, as_of: found.as_of })
}

/// Every risk over all. The thresholds in their meaning are the usual ones; an instance may have its own.
fn risks<E: inventory::Entry>(list: &FleetList<E, E::Risk>) -> Vec<screen::RiskCount> {
    let usual = InventoryThresholds::default();
    list.risks.iter().map(|found| risk_count(E::wording(found.risk, &usual), E::word(found.risk), found.present, found.unknown)).collect()
}

fn account_filter(filter: &FleetFilter) -> Result<store::AccountFleetFilter, Failure> {
    let of_item = store::InventoryFilter {
        risks: words(&filter.risks, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
        unknown: words(&filter.unknown, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
        kinds: words(&filter.kinds, AccountKind::from_word, AccountKind::WORDS, "kind")?,
        text: filter.text.trim().to_owned(),
    };
    if filter.reviewed.is_some() || filter.gen_ai || filter.user.is_some() {
        return Err(Failure::new("E-FILTER", "Accounts are not reviewed and have no users.", "Leave that part of the filter out."));
    }
    fleet_filter(of_item, filter)
}

fn plugin_filter(filter: &FleetFilter) -> Result<store::PluginFleetFilter, Failure> {
    let of_item = store::InventoryFilter {
        risks: words(&filter.risks, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
        unknown: words(&filter.unknown, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
        kinds: words(&filter.kinds, PluginKind::from_word, PluginKind::WORDS, "kind")?,
        text: filter.text.trim().to_owned(),
    };
    if filter.identity.is_some() {
        return Err(Failure::new("E-FILTER", "Plugins belong to no identity.", "Leave that part of the filter out."));
    }
    fleet_filter(of_item, filter)
}

fn fleet_filter<R, K>(of_item: store::InventoryFilter<R, K>, filter: &FleetFilter) -> Result<store::FleetFilter<R, K>, Failure> {
    let instances: Vec<InstanceId> = filter.instances.iter().map(|id| instance_id(id)).collect::<Result<_, Failure>>()?;
    Ok(store::FleetFilter {
        of_item,
        instances,
        apps: filter.apps.clone(),
        sandbox: scope_of(filter.sandbox),
        identity: filter.identity.clone(),
        reviewed: filter.reviewed,
        gen_ai: filter.gen_ai,
        user: filter.user.clone(),
    })
}

fn identity(found: store::Identity) -> Identity {
    Identity {
        key: found.key,
        title: found.title,
        email: found.email,
        nature: match found.nature {
            store::Nature::Human => Nature::Human,
            store::Nature::NonHuman => Nature::NonHuman,
            store::Nature::Unknown => Nature::Unknown,
        },
        accounts: found.accounts,
        instances: found.instances,
        administrators: found.administrators,
        severity: found.severity.map(severity),
        risks: found.risks.into_iter().map(|risk| risk.word().to_owned()).collect(),
        last_seen: found.last_seen.map(|at| at.to_string()),
    }
}

/// A key as it is stored: an address in small letters, a key of another account, or empty.
fn key(text: String) -> Result<String, Failure> {
    let text = text.trim();
    // The key of an account is made of the keys of rows, which are the vendor's and may be long.
    let of_account = text.starts_with("account:") && text.chars().count() <= LONGEST_ACCOUNT;
    let address =
        text.contains('@') && text.chars().count() <= LONGEST_ADDRESS && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if of_account {
        Ok(text.to_owned())
    } else if address || text.is_empty() {
        // As the database does: ASCII letters alone.
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Failure::new("E-IDENTITY", "That names no identity.", "Give an e-mail address, or choose an identity of the list.")
            .on_field("identity"))
    }
}
