//! Accounts and plugins of an instance: lists, one with what it rests on, thresholds, exports. All of it is of the last complete
//! scan, and none of it needs the network.

use crate::{
    Console,
    browse::{evidence_of_row, of_slice, severity},
    console::Open,
    scan::instance_id,
    screen::{self, ExportFormat, Failure, InventoryExported, InventoryFilter, InventoryQuery, PropertyState, RiskReason},
    start::user,
};
use catalog::{
    AccountKind, AccountRisk, App, Completeness, InventoryKind, InventoryThresholds, Known, PluginKind, PluginRisk, Presence, Property,
};
use jiff::Timestamp;
use report::{About, AccountLine, ByteOrderMark, PluginLine};
use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};
use store::{Act, InstanceId, InventoryWrite, Scan, ScanId};

/// Accounts or plugins read at once for an export.
const BATCH: u64 = 500;

/// What both lists need to know of an instance.
struct Around {
    instance: store::Instance,
    app: Arc<App>,
    scan: Option<Scan>,
    thresholds: InventoryThresholds,
}

impl Console {
    /// A page of the accounts of an instance.
    ///
    /// # Errors
    /// When there is no such instance, the filter holds an unknown word, or the database cannot be read.
    pub async fn accounts(&self, instance: &str, query: InventoryQuery) -> Result<screen::AccountList, Failure> {
        let (console, id) = (self.clone(), instance_id(instance)?);
        self.with_open(move |open| {
            let around = console.around(&open, id)?;
            let filter = account_filter(&query.filter)?;
            let Some(scan) = around.scan.as_ref().map(|scan| scan.id) else {
                let risks = AccountRisk::ALL.iter().map(|risk| risk_count(account_risk(*risk, &around.thresholds), risk.word(), 0, 0));
                return Ok(screen::AccountList {
                    head: around.head(&open, InventoryKind::Accounts, 0, 0, risks.collect())?,
                    rows: Vec::new(),
                });
            };
            let list = open.store.accounts(scan, &filter, sort_of(query.sort), query.descending, of_slice(query.slice))?;
            let risks = list
                .risks
                .iter()
                .map(|count| risk_count(account_risk(count.risk, &around.thresholds), count.risk.word(), count.present, count.unknown))
                .collect();
            Ok(screen::AccountList {
                head: around.head(&open, InventoryKind::Accounts, list.all, list.total, risks)?,
                rows: list.rows.iter().map(|(number, account)| account_row(*number, account)).collect(),
            })
        })
        .await
    }

    /// A page of the plugins of an instance.
    ///
    /// # Errors
    /// As [`Console::accounts`].
    pub async fn plugins(&self, instance: &str, query: InventoryQuery) -> Result<screen::PluginList, Failure> {
        let (console, id) = (self.clone(), instance_id(instance)?);
        self.with_open(move |open| {
            let around = console.around(&open, id)?;
            let filter = plugin_filter(&query.filter)?;
            let Some(scan) = around.scan.as_ref().map(|scan| scan.id) else {
                let risks = PluginRisk::ALL.iter().map(|risk| risk_count(plugin_risk(*risk, &around.thresholds), risk.word(), 0, 0));
                return Ok(screen::PluginList {
                    head: around.head(&open, InventoryKind::Plugins, 0, 0, risks.collect())?,
                    rows: Vec::new(),
                });
            };
            let list = open.store.plugins(scan, &filter, sort_of(query.sort), query.descending, of_slice(query.slice))?;
            let risks = list
                .risks
                .iter()
                .map(|count| risk_count(plugin_risk(count.risk, &around.thresholds), count.risk.word(), count.present, count.unknown))
                .collect();
            Ok(screen::PluginList {
                head: around.head(&open, InventoryKind::Plugins, list.all, list.total, risks)?,
                rows: list.rows.iter().map(|(number, plugin)| plugin_row(*number, plugin)).collect(),
            })
        })
        .await
    }

    /// One account of an instance with what it rests on.
    ///
    /// # Errors
    /// When it is not there any more, or the database cannot be read.
    pub async fn account(&self, instance: &str, account: &str) -> Result<screen::AccountPage, Failure> {
        let (console, id, number) = (self.clone(), instance_id(instance)?, number_of(account)?);
        self.with_open(move |open| {
            let around = console.around(&open, id)?;
            let detail = open.store.account(around.scanned()?, number)?;
            let account = detail.item;
            Ok(screen::AccountPage {
                risks: account
                    .risks
                    .iter()
                    .map(|(risk, presence)| {
                        reason(account_risk(*risk, &around.thresholds), risk.word(), *presence, || missing_of_account(*risk, &account))
                    })
                    .collect(),
                source: around.title(&account.origin.from),
                evidence: detail.evidence.iter().map(|row| evidence_of_row(&around.app, row)).collect(),
                account: account_row(number, &account),
            })
        })
        .await
    }

    /// One plugin of an instance with what it rests on.
    ///
    /// # Errors
    /// As [`Console::account`].
    pub async fn plugin(&self, instance: &str, plugin: &str) -> Result<screen::PluginPage, Failure> {
        let (console, id, number) = (self.clone(), instance_id(instance)?, number_of(plugin)?);
        self.with_open(move |open| {
            let around = console.around(&open, id)?;
            let detail = open.store.plugin(around.scanned()?, number)?;
            let plugin = detail.item;
            Ok(screen::PluginPage {
                risks: plugin
                    .risks
                    .iter()
                    .map(|(risk, presence)| {
                        reason(plugin_risk(*risk, &around.thresholds), risk.word(), *presence, || missing_of_plugin(*risk, &plugin))
                    })
                    .collect(),
                source: around.title(&plugin.origin.from),
                evidence: detail.evidence.iter().map(|row| evidence_of_row(&around.app, row)).collect(),
                plugin: plugin_row(number, &plugin),
            })
        })
        .await
    }

    /// Sets from when on something is a risk in an instance; applied to what the last complete scan read at once.
    ///
    /// # Errors
    /// When a number is not from 1 to 3,650 (the field is named), there is no such instance, or the database refuses.
    pub async fn set_inventory_thresholds(
        &self,
        instance: &str,
        thresholds: screen::InventoryThresholds,
    ) -> Result<screen::InventoryThresholds, Failure> {
        let (console, id, now) = (self.clone(), instance_id(instance)?, self.now());
        let wanted = InventoryThresholds {
            dormant_days: thresholds.dormant_days,
            expiring_days: thresholds.expiring_days,
            rotation_days: thresholds.rotation_days,
            unused_days: thresholds.unused_days,
        };
        let named = [
            ("dormant_days", wanted.dormant_days),
            ("expiring_days", wanted.expiring_days),
            ("rotation_days", wanted.rotation_days),
            ("unused_days", wanted.unused_days),
        ];
        if let Some((field, _)) = named.iter().find(|(_, days)| !(1..=InventoryThresholds::MOST).contains(days)) {
            let sentence = format!("A threshold is a number of days from 1 to {}.", InventoryThresholds::MOST);
            return Err(Failure::new("E-THRESHOLD", sentence, "Correct the number.").on_field(field));
        }
        self.with_open(move |open| {
            loop {
                let around = console.around(&open, id)?;
                let mut found = assess::Inventories::default();
                if let Some(scan) = &around.scan {
                    let program = console.program(&around.app)?;
                    found = program.inventory(&open.store.collected(scan.id)?, &wanted, scan.as_of);
                }
                let write = InventoryWrite { thresholds: wanted, accounts: &found.accounts, plugins: &found.plugins };
                match open.store.set_inventory_thresholds(id, around.scan.map(|scan| scan.id), &write) {
                    // A scan was committed meanwhile: its rows count.
                    Err(store::StoreError::WrongState { .. }) => {}
                    Err(error) => return Err(error.into()),
                    Ok(()) => {
                        open.store.record_act(&Act {
                            at: now,
                            who: user(),
                            what: "thresholds of accounts and plugins changed".into(),
                            detail: format!("{}, {}", around.instance.app, around.instance.name),
                        })?;
                        return Ok(thresholds_screen(&wanted));
                    }
                }
            }
        })
        .await
    }

    /// Writes every account that the query's filter fulfils, whatever its slice, to a file. The file appears whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_accounts(
        &self,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        path: &Path,
    ) -> Result<InventoryExported, Failure> {
        self.export_inventory(InventoryKind::Accounts, instance, query, format, path).await
    }

    /// The same of plugins.
    ///
    /// # Errors
    /// As [`Console::export_accounts`].
    pub async fn export_plugins(
        &self,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        path: &Path,
    ) -> Result<InventoryExported, Failure> {
        self.export_inventory(InventoryKind::Plugins, instance, query, format, path).await
    }

    async fn export_inventory(
        &self,
        kind: InventoryKind,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        path: &Path,
    ) -> Result<InventoryExported, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refused = |error: &std::io::Error| {
            Failure::new(
                "E-EXPORT",
                format!("{} could not be written: {error}.", path.display()),
                "Choose another folder, or make room on the disk.",
            )
        };
        let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| refused(&error))?;
        let writer = file.reopen().map_err(|error| refused(&error))?;
        let items = self.export_inventory_to(kind, instance, query, format, Box::new(BufWriter::new(writer))).await?;
        file.as_file().sync_all().map_err(|error| refused(&error))?;
        file.persist(path).map_err(|error| refused(&error.error))?;
        let (shown, now) = (path.display().to_string(), self.now());
        let (what, detail) = (format!("{} exported", kind.word()), shown.clone());
        self.with_open(move |open| Ok(open.store.record_act(&Act { at: now, who: user(), what, detail })?)).await?;
        Ok(InventoryExported { path: shown, items })
    }

    /// The accounts, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_accounts_to(
        &self,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        self.export_inventory_to(InventoryKind::Accounts, instance, query, format, writer).await
    }

    /// The plugins, to any writer. Answers how many.
    ///
    /// # Errors
    /// As [`Console::export_accounts_to`].
    pub async fn export_plugins_to(
        &self,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        self.export_inventory_to(InventoryKind::Plugins, instance, query, format, writer).await
    }

    async fn export_inventory_to(
        &self,
        kind: InventoryKind,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        mut writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        let (console, now, id) = (self.clone(), self.now(), instance_id(instance)?);
        self.with_open(move |open| {
            let around = console.around(&open, id)?;
            let about = About { exported_at: now, filter: serde_json::to_value(&query.filter).unwrap_or_default() };
            let (sort, descending) = (sort_of(query.sort), query.descending);
            let part = |offset| store::Slice { offset, limit: BATCH };
            let mut failure = None;
            let written = match kind {
                InventoryKind::Accounts => {
                    let filter = account_filter(&query.filter)?;
                    let lines = Batches::new(&mut failure, |offset| {
                        let Some(scan) = &around.scan else { return Ok(Vec::new()) };
                        let list = open.store.accounts(scan.id, &filter, sort, descending, part(offset))?;
                        Ok(list.rows.iter().map(|(_, account)| account_line(&around, scan, account)).collect())
                    });
                    match format {
                        ExportFormat::Csv => report::csv(&mut writer, lines, ByteOrderMark::With),
                        ExportFormat::Json => report::json(&mut writer, lines, &about),
                    }
                }
                InventoryKind::Plugins => {
                    let filter = plugin_filter(&query.filter)?;
                    let lines = Batches::new(&mut failure, |offset| {
                        let Some(scan) = &around.scan else { return Ok(Vec::new()) };
                        let list = open.store.plugins(scan.id, &filter, sort, descending, part(offset))?;
                        Ok(list.rows.iter().map(|(_, plugin)| plugin_line(&around, scan, plugin)).collect())
                    });
                    match format {
                        ExportFormat::Csv => report::csv(&mut writer, lines, ByteOrderMark::With),
                        ExportFormat::Json => report::json(&mut writer, lines, &about),
                    }
                }
            };
            if let Some(failure) = failure {
                return Err(failure);
            }
            let count = written.map_err(|error| Failure::new("E-EXPORT", error.to_string(), error.remedy()))?;
            writer.flush().map_err(|error| {
                Failure::new("E-EXPORT", format!("The export could not be written: {error}."), "Make room on the disk.")
            })?;
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }

    fn around(&self, open: &Open, id: InstanceId) -> Result<Around, Failure> {
        let instance = open.store.instance(id)?;
        let app = self.app(&instance.app)?;
        Ok(Around { app, scan: open.store.last_complete_scan(id)?, thresholds: open.store.inventory_thresholds(id)?, instance })
    }
}

impl Around {
    fn head(
        &self,
        open: &Open,
        kind: InventoryKind,
        all: u64,
        total: u64,
        risks: Vec<screen::RiskCount>,
    ) -> Result<screen::InventoryHead, Failure> {
        let listings = self.scan.as_ref().map(|scan| open.store.listings(scan.id, kind)).transpose()?.unwrap_or_default();
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(screen::InventoryHead {
            declared: self.app.inventories.iter().any(|inventory| inventory.kind == kind),
            as_of: self.scan.as_ref().filter(|_| !listings.is_empty()).map(|scan| scan.as_of.to_string()),
            sources: listings
                .into_iter()
                .map(|listing| screen::InventorySource {
                    title: listing.title,
                    available: !matches!(listing.completeness, Completeness::Unavailable(_)),
                    cause: listing.completeness.cause().cloned().map(Into::into),
                    items: listing.items,
                    undecided: listing.undecided,
                    undecided_cause: listing.undecided_cause.map(Into::into),
                    not_read: listing.not_read.into_iter().map(|property| property_title(property).to_owned()).collect(),
                })
                .collect(),
            all: count(all),
            total: count(total),
            risks,
            thresholds: thresholds_screen(&self.thresholds),
        })
    }

    fn scanned(&self) -> Result<ScanId, Failure> {
        self.scan.as_ref().map(|scan| scan.id).ok_or_else(not_there)
    }

    /// What a dataset or view is called.
    fn title(&self, from: &str) -> String {
        let dataset = self.app.dataset(from).map(|dataset| dataset.title.clone());
        dataset.or_else(|| self.app.view(from).map(|view| view.title.clone())).unwrap_or_else(|| from.to_owned())
    }
}

fn not_there() -> Failure {
    Failure::new(
        "E-NOT-FOUND",
        "There is no such entry in the last complete scan.",
        "The instance may have been scanned again: reload the list.",
    )
}

fn number_of(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| not_there())
}

/// Lines read batch by batch. A failure of the database ends them and is kept, so that a cut file is never taken for a whole one.
struct Batches<'f, L, F> {
    failure: &'f mut Option<Failure>,
    read: F,
    offset: u64,
    batch: std::vec::IntoIter<L>,
}

impl<'f, L, F: FnMut(u64) -> Result<Vec<L>, Failure>> Batches<'f, L, F> {
    fn new(failure: &'f mut Option<Failure>, read: F) -> Self {
        Self { failure, read, offset: 0, batch: Vec::new().into_iter() }
    }
}

impl<L, F: FnMut(u64) -> Result<Vec<L>, Failure>> Iterator for Batches<'_, L, F> {
    type Item = L;
    fn next(&mut self) -> Option<L> {
        if let Some(line) = self.batch.next() {
            return Some(line);
        }
        match (self.read)(self.offset) {
            Ok(batch) => {
                self.offset += BATCH;
                self.batch = batch.into_iter();
                self.batch.next()
            }
            Err(failure) => {
                *self.failure = Some(failure);
                None
            }
        }
    }
}

fn thresholds_screen(thresholds: &InventoryThresholds) -> screen::InventoryThresholds {
    let InventoryThresholds { dormant_days, expiring_days, rotation_days, unused_days } = *thresholds;
    screen::InventoryThresholds { dormant_days, expiring_days, rotation_days, unused_days }
}

fn words<T: Copy>(words: &[String], from_word: impl Fn(&str) -> Option<T>, known: &[&str], what: &str) -> Result<Vec<T>, Failure> {
    words
        .iter()
        .map(|word| {
            from_word(word)
                .ok_or_else(|| Failure::new("E-FILTER", format!("There is no {what} {word}."), format!("Use one of {}.", known.join(", "))))
        })
        .collect()
}

fn account_filter(filter: &InventoryFilter) -> Result<store::AccountFilter, Failure> {
    Ok(store::AccountFilter {
        risks: words(&filter.risks, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
        unknown: words(&filter.unknown, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
        kinds: words(&filter.kinds, AccountKind::from_word, AccountKind::WORDS, "kind")?,
        text: filter.text.clone(),
    })
}

fn plugin_filter(filter: &InventoryFilter) -> Result<store::PluginFilter, Failure> {
    Ok(store::PluginFilter {
        risks: words(&filter.risks, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
        unknown: words(&filter.unknown, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
        kinds: words(&filter.kinds, PluginKind::from_word, PluginKind::WORDS, "kind")?,
        text: filter.text.clone(),
    })
}

fn sort_of(sort: screen::InventorySort) -> store::InventorySort {
    match sort {
        screen::InventorySort::Severity => store::InventorySort::Severity,
        screen::InventorySort::Name => store::InventorySort::Name,
        screen::InventorySort::Kind => store::InventorySort::Kind,
        screen::InventorySort::Status => store::InventorySort::Status,
        screen::InventorySort::Created => store::InventorySort::Created,
        screen::InventorySort::LastUsed => store::InventorySort::LastUsed,
        screen::InventorySort::Expires => store::InventorySort::Expires,
    }
}

/// Title and meaning.
fn account_risk(risk: AccountRisk, thresholds: &InventoryThresholds) -> (&'static str, String) {
    let InventoryThresholds { dormant_days, expiring_days, rotation_days, .. } = *thresholds;
    match risk {
        AccountRisk::NoMfa => ("No MFA", "No second factor is set up.".into()),
        AccountRisk::WeakMfa => {
            ("Weak MFA", "The second factor is one that can be intercepted: a text message, a call or an e-mail.".into())
        }
        AccountRisk::Dormant => ("Dormant", format!("Not used for more than {}.", days(dormant_days))),
        AccountRisk::NotFromIdentityProvider => {
            ("Not from the identity provider", "It does not come from the identity provider, so it stays when its person leaves.".into())
        }
        AccountRisk::Administrator => ("Administrator", "It may administer the application.".into()),
        AccountRisk::Guest => ("Guest", "It belongs to somebody from outside.".into()),
        AccountRisk::NeverSeen => ("Never signed in", "It was never used.".into()),
        AccountRisk::CredentialExpiring => ("Credential expiring", format!("Its credential ends within {}.", days(expiring_days))),
        AccountRisk::CredentialExpired => ("Credential expired", "Its credential has ended.".into()),
        AccountRisk::CredentialNotRotated => {
            ("Credential not rotated", format!("Its credential was not changed for more than {}.", days(rotation_days)))
        }
    }
}

/// Title and meaning.
fn plugin_risk(risk: PluginRisk, thresholds: &InventoryThresholds) -> (&'static str, String) {
    let InventoryThresholds { expiring_days, unused_days, .. } = *thresholds;
    match risk {
        PluginRisk::CanWrite => ("May change things", "It may write, not only read.".into()),
        PluginRisk::WholeTenant => ("Whole organization", "It reaches the whole organization, not only what one user may see.".into()),
        PluginRisk::UnverifiedPublisher => ("Unverified publisher", "The vendor has not verified who made it.".into()),
        PluginRisk::Unused => ("Unused", format!("Not used for more than {}, or never.", days(unused_days))),
        PluginRisk::NoExpiry => ("No expiry", "Its access does not end by itself.".into()),
        PluginRisk::Expiring => ("Expiring", format!("Its access ends within {}.", days(expiring_days))),
        PluginRisk::Expired => ("Expired", "Its access has ended.".into()),
        PluginRisk::GenAi => {
            ("Gen-AI (by name)", "Its name or publisher names a maker or product of generative AI. What it does was not looked at.".into())
        }
    }
}

fn days(number: u32) -> String {
    if number == 1 { "1 day".to_owned() } else { format!("{number} days") }
}

fn risk_count((title, meaning): (&str, String), risk: &str, present: u32, unknown: u32) -> screen::RiskCount {
    screen::RiskCount { risk: risk.to_owned(), title: title.to_owned(), meaning, present, unknown }
}

fn reason((title, meaning): (&str, String), risk: &str, presence: Presence, missing: impl FnOnce() -> String) -> RiskReason {
    let present = presence == Presence::Present;
    RiskReason { risk: risk.to_owned(), title: title.to_owned(), present, sentence: if present { meaning } else { missing() } }
}

/// Why a property is not known, in words; `None` when it is.
fn gap<T>(property: Property, known: &Known<T>) -> Option<String> {
    let title = property_title(property);
    match known {
        Known::Is(_) => None,
        Known::None => Some(format!("{title}: the vendor names none.")),
        Known::Unknown(cause) => Some(format!("{title} is not known: {}", cause.sentence)),
        Known::NotRead => Some(format!("{title} is not read by this connector.")),
    }
}

fn gaps(gaps: impl IntoIterator<Item = Option<String>>) -> String {
    let gaps: Vec<String> = gaps.into_iter().flatten().collect();
    if gaps.is_empty() { "It is not known.".to_owned() } else { gaps.join(" ") }
}

fn missing_of_account(risk: AccountRisk, account: &catalog::Account) -> String {
    let kind = || gap(Property::Kind, &account.kind);
    match risk {
        AccountRisk::NoMfa | AccountRisk::WeakMfa => gaps([kind(), gap(Property::Mfa, &account.mfa)]),
        AccountRisk::Dormant => gaps([gap(Property::LastSeen, &account.last_seen)]),
        AccountRisk::NotFromIdentityProvider => gaps([kind(), gap(Property::IdentityProvider, &account.identity_provider)]),
        AccountRisk::Administrator => gaps([gap(Property::Administrator, &account.administrator)]),
        AccountRisk::Guest => gaps([kind()]),
        AccountRisk::NeverSeen => gaps([gap(Property::NeverSeen, &account.never_seen), gap(Property::LastSeen, &account.last_seen)]),
        AccountRisk::CredentialExpiring | AccountRisk::CredentialExpired => {
            gaps([gap(Property::CredentialExpires, &account.credential_expires)])
        }
        AccountRisk::CredentialNotRotated => gaps([gap(Property::CredentialChanged, &account.credential_changed)]),
    }
}

fn missing_of_plugin(risk: PluginRisk, plugin: &catalog::Plugin) -> String {
    let kind = || gap(Property::Kind, &plugin.kind);
    match risk {
        PluginRisk::CanWrite => gaps([kind(), gap(Property::Write, &plugin.write)]),
        PluginRisk::WholeTenant => gaps([gap(Property::Level, &plugin.level)]),
        PluginRisk::UnverifiedPublisher => gaps([kind(), gap(Property::VerifiedPublisher, &plugin.verified_publisher)]),
        PluginRisk::Unused => gaps([gap(Property::LastUsed, &plugin.last_used), gap(Property::NeverUsed, &plugin.never_used)]),
        PluginRisk::NoExpiry | PluginRisk::Expiring | PluginRisk::Expired => gaps([gap(Property::Expires, &plugin.expires)]),
        PluginRisk::GenAi => gaps([gap(Property::Name, &plugin.name)]),
    }
}

/// What a property is called.
fn property_title(property: Property) -> &'static str {
    match property {
        Property::Id => "Identifier",
        Property::Name => "Name",
        Property::Email => "E-mail",
        Property::Kind => "Kind",
        Property::Status => "Status",
        Property::Administrator => "Administrator",
        Property::Roles => "Roles",
        Property::Mfa => "MFA",
        Property::IdentityProvider => "Identity provider",
        Property::Created => "Created",
        Property::LastSeen => "Last seen",
        Property::NeverSeen => "Never signed in",
        Property::CredentialExpires => "Credential expires",
        Property::CredentialChanged => "Credential changed",
        Property::Publisher => "Publisher",
        Property::Scopes => "Scopes",
        Property::Level => "Level",
        Property::User => "User",
        Property::LastUsed => "Last used",
        Property::NeverUsed => "Never used",
        Property::Expires => "Expires",
        Property::VerifiedPublisher => "Verified publisher",
        Property::Write => "May change things",
    }
}

fn shown<T>(known: &Known<T>, text: impl FnOnce(&T) -> String) -> screen::Property {
    let (state, value, cause) = match known {
        Known::Is(value) => (PropertyState::Is, text(value), None),
        Known::None => (PropertyState::None, String::new(), None),
        Known::Unknown(cause) => (PropertyState::Unknown, String::new(), Some(cause.clone().into())),
        Known::NotRead => (PropertyState::NotRead, String::new(), None),
    };
    screen::Property { state, value, values: Vec::new(), cause }
}

fn text(known: &Known<String>) -> screen::Property {
    shown(known, String::clone)
}

fn truth(known: &Known<bool>) -> screen::Property {
    shown(known, ToString::to_string)
}

fn time(known: &Known<Timestamp>) -> screen::Property {
    shown(known, ToString::to_string)
}

fn list(known: &Known<Vec<String>>) -> screen::Property {
    screen::Property { values: known.value().cloned().unwrap_or_default(), ..shown(known, |texts| texts.join(", ")) }
}

fn title(name: &Known<String>, id: &Known<String>, row: &catalog::RowKey) -> String {
    let named = [name, id].into_iter().filter_map(Known::value).find(|text| !text.trim().is_empty());
    named.cloned().unwrap_or_else(|| row.0.replace('\u{1f}', " › "))
}

fn split<R: Copy>(risks: &BTreeMap<R, Presence>, word: impl Fn(R) -> &'static str) -> (Vec<String>, Vec<String>) {
    let of = |wanted: Presence| {
        risks.iter().filter(|(_, presence)| **presence == wanted).map(|(risk, _)| word(*risk).to_owned()).collect::<Vec<_>>()
    };
    (of(Presence::Present), of(Presence::Unknown))
}

fn account_row(number: i64, account: &catalog::Account) -> screen::Account {
    let (risks, unknown_risks) = split(&account.risks, AccountRisk::word);
    screen::Account {
        id: number.to_string(),
        title: title(&account.name, &account.id, &account.origin.row),
        severity: account.severity.map(severity),
        risks,
        unknown_risks,
        vendor_id: text(&account.id),
        name: text(&account.name),
        email: text(&account.email),
        kind: shown(&account.kind, |kind| kind.word().to_owned()),
        status: shown(&account.status, |status| status.word().to_owned()),
        administrator: truth(&account.administrator),
        roles: list(&account.roles),
        mfa: shown(&account.mfa, |mfa| mfa.word().to_owned()),
        identity_provider: truth(&account.identity_provider),
        created: time(&account.created),
        last_seen: time(&account.last_seen),
        never_seen: truth(&account.never_seen),
        credential_expires: time(&account.credential_expires),
        credential_changed: time(&account.credential_changed),
    }
}

fn plugin_row(number: i64, plugin: &catalog::Plugin) -> screen::Plugin {
    let (risks, unknown_risks) = split(&plugin.risks, PluginRisk::word);
    screen::Plugin {
        id: number.to_string(),
        title: title(&plugin.name, &plugin.id, &plugin.origin.row),
        severity: plugin.severity.map(severity),
        risks,
        unknown_risks,
        gen_ai: plugin.gen_ai.clone(),
        vendor_id: text(&plugin.id),
        name: text(&plugin.name),
        kind: shown(&plugin.kind, |kind| kind.word().to_owned()),
        publisher: text(&plugin.publisher),
        scopes: list(&plugin.scopes),
        level: shown(&plugin.level, |level| level.word().to_owned()),
        user: text(&plugin.user),
        status: text(&plugin.status),
        created: time(&plugin.created),
        last_used: time(&plugin.last_used),
        never_used: truth(&plugin.never_used),
        expires: time(&plugin.expires),
        verified_publisher: truth(&plugin.verified_publisher),
        write: truth(&plugin.write),
    }
}

fn account_line(around: &Around, scan: &Scan, account: &catalog::Account) -> AccountLine {
    let (risks, unknown_risks) = split(&account.risks, AccountRisk::word);
    AccountLine {
        app: around.instance.app.clone(),
        instance: around.instance.name.clone(),
        sandbox: around.instance.sandbox,
        read_from: account.origin.from.clone(),
        as_of: scan.as_of,
        severity: account.severity,
        risks,
        unknown_risks,
        id: account.id.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        kind: account.kind.clone(),
        status: account.status.clone(),
        administrator: account.administrator.clone(),
        roles: account.roles.clone(),
        mfa: account.mfa.clone(),
        identity_provider: account.identity_provider.clone(),
        created: account.created.clone(),
        last_seen: account.last_seen.clone(),
        never_seen: account.never_seen.clone(),
        credential_expires: account.credential_expires.clone(),
        credential_changed: account.credential_changed.clone(),
    }
}

fn plugin_line(around: &Around, scan: &Scan, plugin: &catalog::Plugin) -> PluginLine {
    let (risks, unknown_risks) = split(&plugin.risks, PluginRisk::word);
    PluginLine {
        app: around.instance.app.clone(),
        instance: around.instance.name.clone(),
        sandbox: around.instance.sandbox,
        read_from: plugin.origin.from.clone(),
        as_of: scan.as_of,
        severity: plugin.severity,
        risks,
        unknown_risks,
        gen_ai_by_name: plugin.gen_ai.clone(),
        id: plugin.id.clone(),
        name: plugin.name.clone(),
        kind: plugin.kind.clone(),
        publisher: plugin.publisher.clone(),
        scopes: plugin.scopes.clone(),
        level: plugin.level.clone(),
        user: plugin.user.clone(),
        status: plugin.status.clone(),
        created: plugin.created.clone(),
        last_used: plugin.last_used.clone(),
        never_used: plugin.never_used.clone(),
        expires: plugin.expires.clone(),
        verified_publisher: plugin.verified_publisher.clone(),
        write: plugin.write.clone(),
    }
}
