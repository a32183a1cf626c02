//! Accounts and plugins of an instance: lists, one with what it rests on, thresholds, exports. All of it is of the last complete
//! scan, and none of it needs the network.

use crate::{
    Console,
    activity::{act_on, begin_file, differences, finish_file, not_written, told_thresholds},
    browse::{evidence_of_row, of_slice, severity},
    console::Open,
    decisions::ignored,
    scan::instance_id,
    screen::{self, ExportFormat, Failure, InventoryExported, InventoryFilter, InventoryQuery, PropertyState, RiskReason},
    start::user,
};
use catalog::{
    Account, AccountKind, AccountRisk, App, Completeness, InventoryKind, InventoryThresholds, Known, Origin, Plugin, PluginKind,
    PluginRisk, Presence, Property, RowKey,
};
use jiff::Timestamp;
use report::{About, AccountLine, ByteOrderMark, PluginLine};
use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};
use store::{Act, InstanceId, InventoryDetail, InventoryList, InventoryWrite, Scan, ScanId, Store, StoreError};

/// Accounts or plugins read at once for an export.
const BATCH: u64 = 500;

/// What both lists need to know of an instance.
struct Around {
    instance: store::Instance,
    app: Arc<App>,
    scan: Option<Scan>,
    thresholds: InventoryThresholds,
    /// The accounts that are ignored.
    ignored: BTreeMap<(String, RowKey), screen::HeldBy>,
}

/// Where a line comes from.
pub(crate) struct Place<'a> {
    pub(crate) app: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) sandbox: bool,
    pub(crate) as_of: Timestamp,
}

/// A part of a list, as the database answers.
pub(crate) type Listed<E> = Result<InventoryList<E, <E as Entry>::Risk>, StoreError>;

/// What the two lists have of their own.
pub(crate) trait Entry: Sized {
    type Risk: Copy + 'static;
    type Row;
    type Line: report::Line;
    const KIND: InventoryKind;
    const RISKS: &'static [Self::Risk];

    fn word(risk: Self::Risk) -> &'static str;
    /// Title and meaning.
    fn wording(risk: Self::Risk, thresholds: &InventoryThresholds) -> (&'static str, String);
    /// Why it is not known whether the risk is there.
    fn missing(&self, risk: Self::Risk) -> String;
    fn origin(&self) -> &Origin;
    fn risks(&self) -> &BTreeMap<Self::Risk, Presence>;
    fn row(&self, number: i64, ignored: Option<screen::HeldBy>) -> Self::Row;
    fn line(&self, place: &Place<'_>) -> Self::Line;
    /// A part of what the query asks for, and how to ask for any.
    fn asked(filter: &InventoryFilter) -> Result<impl Fn(&Store, ScanId, &InventoryQuery, store::Slice) -> Listed<Self>, Failure>;
    fn one(store: &Store, scan: ScanId, number: i64) -> Result<InventoryDetail<Self>, StoreError>;
}

impl Console {
    /// A page of the accounts of an instance.
    ///
    /// # Errors
    /// When there is no such instance, the filter holds an unknown word, or the database cannot be read.
    pub async fn accounts(&self, instance: &str, query: InventoryQuery) -> Result<screen::AccountList, Failure> {
        let (head, rows) = self.inventory::<Account>(instance, query).await?;
        Ok(screen::AccountList { head, rows })
    }

    /// A page of the plugins of an instance.
    ///
    /// # Errors
    /// As [`Console::accounts`].
    pub async fn plugins(&self, instance: &str, query: InventoryQuery) -> Result<screen::PluginList, Failure> {
        let (head, rows) = self.inventory::<Plugin>(instance, query).await?;
        Ok(screen::PluginList { head, rows })
    }

    /// One account of an instance with what it rests on.
    ///
    /// # Errors
    /// When it is not there any more, or the database cannot be read.
    pub async fn account(&self, instance: &str, account: &str) -> Result<screen::AccountPage, Failure> {
        let Entered { row: account, risks, source, evidence } = self.entry::<Account>(instance, account).await?;
        Ok(screen::AccountPage { account, risks, source, evidence })
    }

    /// One plugin of an instance with what it rests on.
    ///
    /// # Errors
    /// As [`Console::account`].
    pub async fn plugin(&self, instance: &str, plugin: &str) -> Result<screen::PluginPage, Failure> {
        let Entered { row: plugin, risks, source, evidence } = self.entry::<Plugin>(instance, plugin).await?;
        Ok(screen::PluginPage { plugin, risks, source, evidence })
    }

    async fn inventory<E: Entry>(&self, instance: &str, query: InventoryQuery) -> Result<(screen::InventoryHead, Vec<E::Row>), Failure>
    where
        E::Row: Send + 'static,
    {
        let (console, id) = (self.clone(), instance_id(instance)?);
        self.with_current(move |open| {
            let around = console.around(&open, id)?;
            let asked = E::asked(&query.filter)?;
            let risk = |risk, present, unknown| risk_count(E::wording(risk, &around.thresholds), E::word(risk), present, unknown);
            let Some(scan) = &around.scan else {
                let risks = E::RISKS.iter().map(|each| risk(*each, 0, 0)).collect();
                return Ok((around.head(&open, E::KIND, 0, 0, 0, risks)?, Vec::new()));
            };
            let list = asked(&open.store, scan.id, &query, of_slice(query.slice))?;
            let risks = list.risks.iter().map(|count| risk(count.risk, count.present, count.unknown)).collect();
            Ok((
                around.head(&open, E::KIND, list.all, list.total, list.ignored, risks)?,
                list.rows.iter().map(|(number, entry)| entry.row(*number, around.ignored_by(entry.origin()))).collect(),
            ))
        })
        .await
    }

    async fn entry<E: Entry>(&self, instance: &str, entry: &str) -> Result<Entered<E::Row>, Failure>
    where
        E::Row: Send + 'static,
    {
        let (console, id, number) = (self.clone(), instance_id(instance)?, number_of(entry)?);
        self.with_current(move |open| {
            let around = console.around(&open, id)?;
            let InventoryDetail { item, evidence } = E::one(&open.store, around.scanned()?, number)?;
            let reason = |(risk, presence): (&E::Risk, &Presence)| {
                let (title, meaning) = E::wording(*risk, &around.thresholds);
                let present = *presence == Presence::Present;
                let sentence = if present { meaning } else { item.missing(*risk) };
                RiskReason { risk: E::word(*risk).to_owned(), title: title.to_owned(), present, sentence }
            };
            Ok(Entered {
                risks: item.risks().iter().map(reason).collect(),
                source: around.title(&item.origin().from),
                evidence: evidence.iter().map(|row| evidence_of_row(&around.app, row)).collect(),
                row: item.row(number, around.ignored_by(item.origin())),
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
                        let (before, after) = differences(&told_thresholds(&around.thresholds), &told_thresholds(&wanted));
                        let act = act_on(now, "thresholds of accounts and plugins changed", &around.instance).from_to(before, after);
                        open.store.record_act(&act)?;
                        return Ok(thresholds_screen(&wanted));
                    }
                }
            }
        })
        .await
    }

    /// Writes every account or plugin that the query's filter fulfils, whatever its slice, to a file. The file appears whole or
    /// not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_inventory(
        &self,
        kind: InventoryKind,
        instance: &str,
        query: InventoryQuery,
        format: ExportFormat,
        path: &Path,
    ) -> Result<InventoryExported, Failure> {
        let file = begin_file(path)?;
        let writer = file.reopen().map_err(|error| not_written(path, &error))?;
        let items = self.export_inventory_to(kind, instance, query, format, Box::new(BufWriter::new(writer))).await?;
        finish_file(file, path)?;
        let (shown, now) = (path.display().to_string(), self.now());
        let act = Act::new(now, user(), format!("{} exported", kind.word()), &shown).on(instance_id(instance)?);
        self.with_open(move |open| Ok(open.store.record_act(&act)?)).await?;
        Ok(InventoryExported { path: shown, items })
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_inventory_to(
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
            let count = match kind {
                InventoryKind::Accounts => written::<Account>(&open.store, &around, &query, format, &about, &mut writer)?,
                InventoryKind::Plugins => written::<Plugin>(&open.store, &around, &query, format, &about, &mut writer)?,
            };
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
        let ignored = ignored(&open.store, id, self.now())?;
        Ok(Around { app, scan: open.store.last_complete_scan(id)?, thresholds: open.store.inventory_thresholds(id)?, instance, ignored })
    }
}

impl Around {
    fn head(
        &self,
        open: &Open,
        kind: InventoryKind,
        all: u64,
        total: u64,
        ignored: u64,
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
            ignored: count(ignored),
            risks,
            thresholds: thresholds_screen(&self.thresholds),
        })
    }

    fn place(&self, scan: &Scan) -> Place<'_> {
        let store::Instance { app, name, sandbox, .. } = &self.instance;
        Place { app, instance: name, sandbox: *sandbox, as_of: scan.as_of }
    }

    fn ignored_by(&self, origin: &Origin) -> Option<screen::HeldBy> {
        self.ignored.get(&(origin.from.clone(), origin.row.clone())).cloned()
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

/// An entry with what it rests on.
struct Entered<R> {
    row: R,
    risks: Vec<RiskReason>,
    source: String,
    evidence: Vec<screen::Evidence>,
}

/// Every entry that the query's filter fulfils, to the writer. Answers how many.
fn written<E: Entry>(
    store: &Store,
    around: &Around,
    query: &InventoryQuery,
    format: ExportFormat,
    about: &About,
    writer: &mut Box<dyn Write + Send>,
) -> Result<u64, Failure> {
    let asked = E::asked(&query.filter)?;
    write_lines(format, about, writer, |slice| {
        let Some(scan) = &around.scan else { return Ok(Vec::new()) };
        let list = asked(store, scan.id, query, slice)?;
        Ok(list.rows.iter().map(|(_, entry)| entry.line(&around.place(scan))).collect())
    })
}

/// Lines that are read batch by batch, to the writer. Answers how many.
pub(crate) fn write_lines<L: report::Line>(
    format: ExportFormat,
    about: &About,
    writer: &mut Box<dyn Write + Send>,
    mut read: impl FnMut(store::Slice) -> Result<Vec<L>, Failure>,
) -> Result<u64, Failure> {
    let mut failure = None;
    let lines = Batches::new(&mut failure, |offset| read(store::Slice { offset, limit: BATCH }));
    let written = match format {
        ExportFormat::Csv => report::csv(writer, lines, ByteOrderMark::With),
        ExportFormat::Json => report::json(writer, lines, about),
    };
    match failure {
        Some(failure) => Err(failure),
        None => written.map_err(|error| Failure::new("E-EXPORT", error.to_string(), error.remedy())),
    }
}

pub(crate) fn not_there() -> Failure {
    Failure::new(
        "E-NOT-FOUND",
        "There is no such entry in the last complete scan.",
        "The instance may have been scanned again: reload the list.",
    )
}

pub(crate) fn number_of(text: &str) -> Result<i64, Failure> {
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

pub(crate) fn words<T: Copy>(
    words: &[String],
    from_word: impl Fn(&str) -> Option<T>,
    known: &[&str],
    what: &str,
) -> Result<Vec<T>, Failure> {
    words
        .iter()
        .map(|word| {
            from_word(word)
                .ok_or_else(|| Failure::new("E-FILTER", format!("There is no {what} {word}."), format!("Use one of {}.", known.join(", "))))
        })
        .collect()
}

pub(crate) fn sort_of(sort: screen::InventorySort) -> store::InventorySort {
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

fn days(number: u32) -> String {
    if number == 1 { "1 day".to_owned() } else { format!("{number} days") }
}

pub(crate) fn risk_count((title, meaning): (&str, String), risk: &str, present: u32, unknown: u32) -> screen::RiskCount {
    screen::RiskCount { risk: risk.to_owned(), title: title.to_owned(), meaning, present, unknown }
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

pub(crate) fn title(name: &Known<String>, id: &Known<String>, row: &catalog::RowKey) -> String {
    let named = [name, id].into_iter().filter_map(Known::value).find(|text| !text.trim().is_empty());
    named.cloned().unwrap_or_else(|| row.0.replace('\u{1f}', " › "))
}

fn split<R: Copy>(risks: &BTreeMap<R, Presence>, word: impl Fn(R) -> &'static str) -> (Vec<String>, Vec<String>) {
    let of = |wanted: Presence| {
        risks.iter().filter(|(_, presence)| **presence == wanted).map(|(risk, _)| word(*risk).to_owned()).collect::<Vec<_>>()
    };
    (of(Presence::Present), of(Presence::Unknown))
}

impl Entry for Account {
    type Risk = AccountRisk;
    type Row = screen::Account;
    type Line = AccountLine;
    const KIND: InventoryKind = InventoryKind::Accounts;
    const RISKS: &'static [AccountRisk] = AccountRisk::ALL;

    fn word(risk: AccountRisk) -> &'static str {
        risk.word()
    }

    fn wording(risk: AccountRisk, thresholds: &InventoryThresholds) -> (&'static str, String) {
        let InventoryThresholds { dormant_days, expiring_days, rotation_days, .. } = *thresholds;
        match risk {
            AccountRisk::NoMfa => ("No MFA", "No second factor is set up.".into()),
            AccountRisk::WeakMfa => {
                ("Weak MFA", "The second factor is one that can be intercepted: a text message, a call or an e-mail.".into())
            }
            AccountRisk::Dormant => ("Dormant", format!("Not used for more than {}.", days(dormant_days))),
            AccountRisk::NotFromIdentityProvider => (
                "Not from the identity provider",
                "It does not come from the identity provider, so it stays when its person leaves.".into(),
            ),
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

    fn missing(&self, risk: AccountRisk) -> String {
        let kind = || gap(Property::Kind, &self.kind);
        match risk {
            AccountRisk::NoMfa | AccountRisk::WeakMfa => gaps([kind(), gap(Property::Mfa, &self.mfa)]),
            AccountRisk::Dormant => gaps([gap(Property::LastSeen, &self.last_seen)]),
            AccountRisk::NotFromIdentityProvider => gaps([kind(), gap(Property::IdentityProvider, &self.identity_provider)]),
            AccountRisk::Administrator => gaps([gap(Property::Administrator, &self.administrator)]),
            AccountRisk::Guest => gaps([kind()]),
            AccountRisk::NeverSeen => gaps([gap(Property::NeverSeen, &self.never_seen), gap(Property::LastSeen, &self.last_seen)]),
            AccountRisk::CredentialExpiring | AccountRisk::CredentialExpired => {
                gaps([gap(Property::CredentialExpires, &self.credential_expires)])
            }
            AccountRisk::CredentialNotRotated => gaps([gap(Property::CredentialChanged, &self.credential_changed)]),
        }
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn risks(&self) -> &BTreeMap<AccountRisk, Presence> {
        &self.risks
    }

    fn row(&self, number: i64, ignored: Option<screen::HeldBy>) -> screen::Account {
        let (risks, unknown_risks) = split(&self.risks, AccountRisk::word);
        screen::Account {
            id: number.to_string(),
            title: title(&self.name, &self.id, &self.origin.row),
            severity: self.severity.map(severity),
            risks,
            unknown_risks,
            vendor_id: text(&self.id),
            name: text(&self.name),
            email: text(&self.email),
            kind: shown(&self.kind, |kind| kind.word().to_owned()),
            status: shown(&self.status, |status| status.word().to_owned()),
            administrator: truth(&self.administrator),
            roles: list(&self.roles),
            mfa: shown(&self.mfa, |mfa| mfa.word().to_owned()),
            identity_provider: truth(&self.identity_provider),
            created: time(&self.created),
            last_seen: time(&self.last_seen),
            never_seen: truth(&self.never_seen),
            credential_expires: time(&self.credential_expires),
            credential_changed: time(&self.credential_changed),
            ignored,
        }
    }

    fn line(&self, place: &Place<'_>) -> AccountLine {
        let (risks, unknown_risks) = split(&self.risks, AccountRisk::word);
        AccountLine {
            app: place.app.to_owned(),
            instance: place.instance.to_owned(),
            sandbox: place.sandbox,
            read_from: self.origin.from.clone(),
            as_of: place.as_of,
            severity: self.severity,
            risks,
            unknown_risks,
            id: self.id.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            kind: self.kind.clone(),
            status: self.status.clone(),
            administrator: self.administrator.clone(),
            roles: self.roles.clone(),
            mfa: self.mfa.clone(),
            identity_provider: self.identity_provider.clone(),
            created: self.created.clone(),
            last_seen: self.last_seen.clone(),
            never_seen: self.never_seen.clone(),
            credential_expires: self.credential_expires.clone(),
            credential_changed: self.credential_changed.clone(),
        }
    }

    fn asked(filter: &InventoryFilter) -> Result<impl Fn(&Store, ScanId, &InventoryQuery, store::Slice) -> Listed<Self>, Failure> {
        let filter = store::InventoryFilter {
            risks: words(&filter.risks, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
            unknown: words(&filter.unknown, AccountRisk::from_word, AccountRisk::WORDS, "risk")?,
            kinds: words(&filter.kinds, AccountKind::from_word, AccountKind::WORDS, "kind")?,
            text: filter.text.clone(),
        };
        Ok(move |store: &Store, scan, query: &InventoryQuery, slice| {
            store.accounts(scan, &filter, sort_of(query.sort), query.descending, slice)
        })
    }

    fn one(store: &Store, scan: ScanId, number: i64) -> Result<InventoryDetail<Self>, StoreError> {
        store.account(scan, number)
    }
}

impl Entry for Plugin {
    type Risk = PluginRisk;
    type Row = screen::Plugin;
    type Line = PluginLine;
    const KIND: InventoryKind = InventoryKind::Plugins;
    const RISKS: &'static [PluginRisk] = PluginRisk::ALL;

    fn word(risk: PluginRisk) -> &'static str {
        risk.word()
    }

    fn wording(risk: PluginRisk, thresholds: &InventoryThresholds) -> (&'static str, String) {
        let InventoryThresholds { expiring_days, unused_days, .. } = *thresholds;
        match risk {
            PluginRisk::CanWrite => ("May change things", "It may write, not only read.".into()),
            PluginRisk::WholeTenant => ("Whole organization", "It reaches the whole organization, not only what one user may see.".into()),
            PluginRisk::UnverifiedPublisher => ("Unverified publisher", "The vendor has not verified who made it.".into()),
            PluginRisk::Unused => ("Unused", format!("Not used for more than {}, or never.", days(unused_days))),
            PluginRisk::NoExpiry => ("No expiry", "Its access does not end by itself.".into()),
            PluginRisk::Expiring => ("Expiring", format!("Its access ends within {}.", days(expiring_days))),
            PluginRisk::Expired => ("Expired", "Its access has ended.".into()),
            PluginRisk::GenAi => (
                "Gen-AI (by name)",
                "Its name or publisher names a maker or product of generative AI. What it does was not looked at.".into(),
            ),
        }
    }

    fn missing(&self, risk: PluginRisk) -> String {
        let kind = || gap(Property::Kind, &self.kind);
        match risk {
            PluginRisk::CanWrite => gaps([kind(), gap(Property::Write, &self.write)]),
            PluginRisk::WholeTenant => gaps([gap(Property::Level, &self.level)]),
            PluginRisk::UnverifiedPublisher => gaps([kind(), gap(Property::VerifiedPublisher, &self.verified_publisher)]),
            PluginRisk::Unused => gaps([gap(Property::LastUsed, &self.last_used), gap(Property::NeverUsed, &self.never_used)]),
            PluginRisk::NoExpiry | PluginRisk::Expiring | PluginRisk::Expired => gaps([gap(Property::Expires, &self.expires)]),
            PluginRisk::GenAi => gaps([gap(Property::Name, &self.name)]),
        }
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn risks(&self) -> &BTreeMap<PluginRisk, Presence> {
        &self.risks
    }

    fn row(&self, number: i64, _ignored: Option<screen::HeldBy>) -> screen::Plugin {
        let (risks, unknown_risks) = split(&self.risks, PluginRisk::word);
        screen::Plugin {
            id: number.to_string(),
            title: title(&self.name, &self.id, &self.origin.row),
            severity: self.severity.map(severity),
            risks,
            unknown_risks,
            gen_ai: self.gen_ai.clone(),
            vendor_id: text(&self.id),
            name: text(&self.name),
            kind: shown(&self.kind, |kind| kind.word().to_owned()),
            publisher: text(&self.publisher),
            scopes: list(&self.scopes),
            level: shown(&self.level, |level| level.word().to_owned()),
            user: text(&self.user),
            status: text(&self.status),
            created: time(&self.created),
            last_used: time(&self.last_used),
            never_used: truth(&self.never_used),
            expires: time(&self.expires),
            verified_publisher: truth(&self.verified_publisher),
            write: truth(&self.write),
        }
    }

    fn line(&self, place: &Place<'_>) -> PluginLine {
        let (risks, unknown_risks) = split(&self.risks, PluginRisk::word);
        PluginLine {
            app: place.app.to_owned(),
            instance: place.instance.to_owned(),
            sandbox: place.sandbox,
            read_from: self.origin.from.clone(),
            as_of: place.as_of,
            severity: self.severity,
            risks,
            unknown_risks,
            gen_ai_by_name: self.gen_ai.clone(),
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.kind.clone(),
            publisher: self.publisher.clone(),
            scopes: self.scopes.clone(),
            level: self.level.clone(),
            user: self.user.clone(),
            status: self.status.clone(),
            created: self.created.clone(),
            last_used: self.last_used.clone(),
            never_used: self.never_used.clone(),
            expires: self.expires.clone(),
            verified_publisher: self.verified_publisher.clone(),
            write: self.write.clone(),
        }
    }

    fn asked(filter: &InventoryFilter) -> Result<impl Fn(&Store, ScanId, &InventoryQuery, store::Slice) -> Listed<Self>, Failure> {
        let filter = store::InventoryFilter {
            risks: words(&filter.risks, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
            unknown: words(&filter.unknown, PluginRisk::from_word, PluginRisk::WORDS, "risk")?,
            kinds: words(&filter.kinds, PluginKind::from_word, PluginKind::WORDS, "kind")?,
            text: filter.text.clone(),
        };
        Ok(move |store: &Store, scan, query: &InventoryQuery, slice| {
            store.plugins(scan, &filter, sort_of(query.sort), query.descending, slice)
        })
    }

    fn one(store: &Store, scan: ScanId, number: i64) -> Result<InventoryDetail<Self>, StoreError> {
        store.plugin(scan, number)
    }
}
