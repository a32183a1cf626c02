//! `listing`, `account` and `plugin`: who can sign in and what acts without a person, as a scan found them.

use super::{instance, row};
use crate::{InstanceId, ScanId, Slice, StoreError, StoredRow, column};
use catalog::{
    Account, AccountKind, AccountRisk, Cause, Completeness, InventoryKind, InventoryThresholds, Known, Listing, Origin, Plugin, PluginKind,
    PluginRisk, Presence, Property, RowKey, Severity,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter, types::Value};
use std::collections::BTreeMap;

/// What a scan came to in accounts and plugins, and the thresholds that their risks were reached with.
#[derive(Debug, Clone, Copy)]
pub struct InventoryWrite<'a> {
    /// The thresholds.
    pub thresholds: InventoryThresholds,
    /// The application's tables of accounts.
    pub accounts: &'a [Listing<Account>],
    /// Its tables of plugins.
    pub plugins: &'a [Listing<Plugin>],
}

/// What a table of accounts or plugins came to, without its items.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredListing {
    /// The dataset or view.
    pub from: String,
    /// Its title.
    pub title: String,
    /// How much of it was read.
    pub completeness: Completeness,
    /// Rows of which it could not be told whether they are meant, and the first cause.
    pub undecided: u32,
    /// See [`StoredListing::undecided`].
    pub undecided_cause: Option<Cause>,
    /// The properties that the application does not tell.
    pub not_read: Vec<Property>,
    /// How many it holds.
    pub items: u32,
}

/// Which accounts or plugins are wanted; an empty part of it allows everything.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryFilter<R, K> {
    /// Those that have any of these risks.
    pub risks: Vec<R>,
    /// Those of which it is not known whether they have any of these risks. Together with `risks`: either.
    pub unknown: Vec<R>,
    /// Kinds.
    pub kinds: Vec<K>,
    /// A part of a name, identifier, address, publisher, user, or of a role or scope; ASCII letters are compared without case.
    pub text: String,
}

impl<R, K> Default for InventoryFilter<R, K> {
    fn default() -> Self {
        Self { risks: Vec::new(), unknown: Vec::new(), kinds: Vec::new(), text: String::new() }
    }
}

/// See [`InventoryFilter`].
pub type AccountFilter = InventoryFilter<AccountRisk, AccountKind>;
/// See [`InventoryFilter`].
pub type PluginFilter = InventoryFilter<PluginRisk, PluginKind>;

/// The order of accounts and plugins. What is equal is ordered by name, so that every order is total; what is not known comes last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum InventorySort {
    #[default]
    Severity,
    Name,
    Kind,
    Status,
    Created,
    /// Of an account, when it was last seen.
    LastUsed,
    /// Of an account, when its credential ends.
    Expires,
}

/// How many have a risk, of all in a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskCount<R> {
    /// The risk.
    pub risk: R,
    /// How many have it.
    pub present: u32,
    /// Of how many it is not known.
    pub unknown: u32,
}

/// A part of the accounts or plugins asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryList<T, R> {
    /// How many there are in the scan.
    pub all: u64,
    /// How many fulfil the filter.
    pub total: u64,
    /// Of all, accounts that a decision in force ignores.
    pub ignored: u64,
    /// Risks over all in the scan that are not ignored, every one of them.
    pub risks: Vec<RiskCount<R>>,
    /// That part, with the number by which the store knows each.
    pub rows: Vec<(i64, T)>,
}

/// See [`InventoryList`].
pub type AccountList = InventoryList<Account, AccountRisk>;
/// See [`InventoryList`].
pub type PluginList = InventoryList<Plugin, PluginRisk>;

/// An account or plugin with the rows that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryDetail<T> {
    /// It.
    pub item: T,
    /// The rows, at most 50.
    pub evidence: Vec<StoredRow>,
}

/// Rows that are shown as the evidence of one item.
const EVIDENCE: usize = 50;

/// What both tables have, so that one code serves them.
pub(crate) trait Item: Sized {
    type Risk: Copy + Ord + 'static;
    type Kind: Copy;
    const KIND: InventoryKind;
    const TABLE: &'static str;
    /// The columns of this table alone.
    const OWN: &'static [&'static str];
    /// Columns that text is looked for in.
    const TEXT: &'static [&'static str];
    const RISKS: &'static [Self::Risk];
    /// What is counted: a condition after others, on the scan of `?1`.
    const COUNTED: &'static str;

    fn kind_word(kind: Self::Kind) -> &'static str;
    fn common(&self) -> Common<'_, Self::Risk>;
    /// The values of [`Item::OWN`].
    fn own(&self, unknown: &mut Unknown) -> Result<Vec<Value>, StoreError>;
    fn read(common: ReadCommon<Self::Risk>, reader: &mut Reader<'_>) -> Result<Self, StoreError>;
}

pub(crate) struct Common<'a, R> {
    origin: &'a Origin,
    id: &'a Known<String>,
    name: &'a Known<String>,
    kind: Known<&'static str>,
    status: Known<&'a str>,
    created: &'a Known<Timestamp>,
    last_used: (Property, &'a Known<Timestamp>),
    never_used: (Property, &'a Known<bool>),
    expires: (Property, &'a Known<Timestamp>),
    risks: &'a BTreeMap<R, Presence>,
    severity: Option<Severity>,
}

pub(crate) struct ReadCommon<R> {
    origin: Origin,
    risks: BTreeMap<R, Presence>,
    severity: Option<Severity>,
}

/// The properties that are not simply a value: null is none, a cause is not known. Neither: not read.
#[derive(Default)]
pub(crate) struct Unknown(BTreeMap<Property, Option<Cause>>);

impl Unknown {
    fn value<T>(
        &mut self,
        property: Property,
        known: &Known<T>,
        value: impl FnOnce(&T) -> Result<Value, StoreError>,
    ) -> Result<Value, StoreError> {
        match known {
            Known::Is(known) => return value(known),
            Known::None => {
                self.0.insert(property, None);
            }
            Known::Unknown(cause) => {
                self.0.insert(property, Some(cause.clone()));
            }
            Known::NotRead => {}
        }
        Ok(Value::Null)
    }

    fn text(&mut self, property: Property, known: &Known<String>) -> Result<Value, StoreError> {
        self.value(property, known, |text| Ok(Value::Text(text.clone())))
    }

    fn word<T: AsRef<str>>(&mut self, property: Property, known: &Known<T>) -> Result<Value, StoreError> {
        self.value(property, known, |word| Ok(Value::Text(word.as_ref().to_owned())))
    }

    fn bool(&mut self, property: Property, known: &Known<bool>) -> Result<Value, StoreError> {
        self.value(property, known, |truth| Ok(Value::Integer((*truth).into())))
    }

    fn time(&mut self, property: Property, known: &Known<Timestamp>) -> Result<Value, StoreError> {
        self.value(property, known, |time| Ok(Value::Integer(column::time(*time))))
    }

    fn texts(&mut self, property: Property, known: &Known<Vec<String>>) -> Result<Value, StoreError> {
        self.value(property, known, |texts| Ok(Value::Text(column::json(texts)?)))
    }
}

/// One row, read column by column.
pub(crate) struct Reader<'r> {
    row: &'r Row<'r>,
    unknown: BTreeMap<Property, Option<Cause>>,
    what: &'static str,
}

impl Reader<'_> {
    fn known<T, S: rusqlite::types::FromSql>(
        &mut self,
        property: Property,
        column: &str,
        read: impl FnOnce(S) -> Result<T, StoreError>,
    ) -> Result<Known<T>, StoreError> {
        let value: Option<S> = self.row.get(column)?;
        Ok(match (value, self.unknown.remove(&property)) {
            (Some(value), _) => Known::Is(read(value)?),
            (None, Some(None)) => Known::None,
            (None, Some(Some(cause))) => Known::Unknown(cause),
            (None, None) => Known::NotRead,
        })
    }

    fn text(&mut self, property: Property, column: &str) -> Result<Known<String>, StoreError> {
        self.known(property, column, Ok)
    }

    fn bool(&mut self, property: Property, column: &str) -> Result<Known<bool>, StoreError> {
        self.known(property, column, Ok)
    }

    fn time(&mut self, property: Property, column: &str) -> Result<Known<Timestamp>, StoreError> {
        self.known(property, column, column::read_time)
    }

    fn texts(&mut self, property: Property, column: &str) -> Result<Known<Vec<String>>, StoreError> {
        let what = self.what;
        self.known(property, column, |text: String| column::read_json(&text, what))
    }

    fn word<T>(&mut self, property: Property, column: &str, from_word: impl FnOnce(&str) -> Option<T>) -> Result<Known<T>, StoreError> {
        let what = self.what;
        self.known(property, column, |text: String| from_word(&text).ok_or(StoreError::Unreadable { what }))
    }
}

fn map<T, U>(known: &Known<T>, into: impl FnOnce(&T) -> U) -> Known<U> {
    match known {
        Known::Is(value) => Known::Is(into(value)),
        Known::None => Known::None,
        Known::Unknown(cause) => Known::Unknown(cause.clone()),
        Known::NotRead => Known::NotRead,
    }
}

impl Item for Account {
    type Risk = AccountRisk;
    type Kind = AccountKind;
    const KIND: InventoryKind = InventoryKind::Accounts;
    const TABLE: &'static str = "account";
    const OWN: &'static [&'static str] = &["email", "administrator", "roles", "mfa", "identity_provider", "credential_changed"];
    const TEXT: &'static [&'static str] = &["name", "item_id", "email", "roles"];
    const RISKS: &'static [AccountRisk] = AccountRisk::ALL;
    const COUNTED: &'static str = " AND NOT EXISTS (
        SELECT 1 FROM decision JOIN scan AS of_scan ON of_scan.id = ?1 AND of_scan.instance = decision.instance
            JOIN listing ON listing.id = account.listing
        WHERE decision.kind = 'ignore' AND decision.ended_at IS NULL AND decision.check_id = 'account:' || listing.source
            AND decision.row_key = account.row_key
    )";

    fn kind_word(kind: AccountKind) -> &'static str {
        kind.word()
    }

    fn common(&self) -> Common<'_, AccountRisk> {
        Common {
            origin: &self.origin,
            id: &self.id,
            name: &self.name,
            kind: map(&self.kind, |kind| kind.word()),
            status: map(&self.status, |status| status.word()),
            created: &self.created,
            last_used: (Property::LastSeen, &self.last_seen),
            never_used: (Property::NeverSeen, &self.never_seen),
            expires: (Property::CredentialExpires, &self.credential_expires),
            risks: &self.risks,
            severity: self.severity,
        }
    }

    fn own(&self, unknown: &mut Unknown) -> Result<Vec<Value>, StoreError> {
        Ok(vec![
            unknown.text(Property::Email, &self.email)?,
            unknown.bool(Property::Administrator, &self.administrator)?,
            unknown.texts(Property::Roles, &self.roles)?,
            unknown.word(Property::Mfa, &map(&self.mfa, |mfa| mfa.word()))?,
            unknown.bool(Property::IdentityProvider, &self.identity_provider)?,
            unknown.time(Property::CredentialChanged, &self.credential_changed)?,
        ])
    }

    fn read(common: ReadCommon<AccountRisk>, reader: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            origin: common.origin,
            id: reader.text(Property::Id, "item_id")?,
            name: reader.text(Property::Name, "name")?,
            email: reader.text(Property::Email, "email")?,
            kind: reader.word(Property::Kind, "kind", AccountKind::from_word)?,
            status: reader.word(Property::Status, "status", catalog::AccountStatus::from_word)?,
            administrator: reader.bool(Property::Administrator, "administrator")?,
            roles: reader.texts(Property::Roles, "roles")?,
            mfa: reader.word(Property::Mfa, "mfa", catalog::Mfa::from_word)?,
            identity_provider: reader.bool(Property::IdentityProvider, "identity_provider")?,
            created: reader.time(Property::Created, "created")?,
            last_seen: reader.time(Property::LastSeen, "last_used")?,
            never_seen: reader.bool(Property::NeverSeen, "never_used")?,
            credential_expires: reader.time(Property::CredentialExpires, "expires")?,
            credential_changed: reader.time(Property::CredentialChanged, "credential_changed")?,
            risks: common.risks,
            severity: common.severity,
        })
    }
}

impl Item for Plugin {
    type Risk = PluginRisk;
    type Kind = PluginKind;
    const KIND: InventoryKind = InventoryKind::Plugins;
    const TABLE: &'static str = "plugin";
    const OWN: &'static [&'static str] = &["publisher", "scopes", "level", "granted_by", "verified_publisher", "may_write", "gen_ai"];
    const TEXT: &'static [&'static str] = &["name", "item_id", "publisher", "granted_by", "scopes"];
    const RISKS: &'static [PluginRisk] = PluginRisk::ALL;
    const COUNTED: &'static str = "";

    fn kind_word(kind: PluginKind) -> &'static str {
        kind.word()
    }

    fn common(&self) -> Common<'_, PluginRisk> {
        Common {
            origin: &self.origin,
            id: &self.id,
            name: &self.name,
            kind: map(&self.kind, |kind| kind.word()),
            status: match &self.status {
                Known::Is(status) => Known::Is(status.as_str()),
                Known::None => Known::None,
                Known::Unknown(cause) => Known::Unknown(cause.clone()),
                Known::NotRead => Known::NotRead,
            },
            created: &self.created,
            last_used: (Property::LastUsed, &self.last_used),
            never_used: (Property::NeverUsed, &self.never_used),
            expires: (Property::Expires, &self.expires),
            risks: &self.risks,
            severity: self.severity,
        }
    }

    fn own(&self, unknown: &mut Unknown) -> Result<Vec<Value>, StoreError> {
        Ok(vec![
            unknown.text(Property::Publisher, &self.publisher)?,
            unknown.texts(Property::Scopes, &self.scopes)?,
            unknown.word(Property::Level, &map(&self.level, |level| level.word()))?,
            unknown.text(Property::User, &self.user)?,
            unknown.bool(Property::VerifiedPublisher, &self.verified_publisher)?,
            unknown.bool(Property::Write, &self.write)?,
            self.gen_ai.clone().map_or(Value::Null, Value::Text),
        ])
    }

    fn read(common: ReadCommon<PluginRisk>, reader: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            origin: common.origin,
            id: reader.text(Property::Id, "item_id")?,
            name: reader.text(Property::Name, "name")?,
            kind: reader.word(Property::Kind, "kind", PluginKind::from_word)?,
            publisher: reader.text(Property::Publisher, "publisher")?,
            scopes: reader.texts(Property::Scopes, "scopes")?,
            level: reader.word(Property::Level, "level", catalog::PluginLevel::from_word)?,
            user: reader.text(Property::User, "granted_by")?,
            status: reader.text(Property::Status, "status")?,
            created: reader.time(Property::Created, "created")?,
            last_used: reader.time(Property::LastUsed, "last_used")?,
            never_used: reader.bool(Property::NeverUsed, "never_used")?,
            expires: reader.time(Property::Expires, "expires")?,
            verified_publisher: reader.bool(Property::VerifiedPublisher, "verified_publisher")?,
            write: reader.bool(Property::Write, "may_write")?,
            gen_ai: reader.row.get("gen_ai")?,
            risks: common.risks,
            severity: common.severity,
        })
    }
}

/// The thresholds of an instance, if it has its own.
pub(crate) fn thresholds(connection: &Connection, instance: InstanceId) -> Result<Option<InventoryThresholds>, StoreError> {
    let number = instance::number(connection, instance)?;
    let text: Option<String> = connection
        .prepare_cached("SELECT thresholds FROM inventory_threshold WHERE instance = ?1")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    column::read_json_if(text, "thresholds")
}

pub(crate) fn set_thresholds(connection: &Connection, instance: InstanceId, thresholds: &InventoryThresholds) -> Result<(), StoreError> {
    let number = instance::number(connection, instance)?;
    connection.execute(
        "INSERT INTO inventory_threshold (instance, thresholds) VALUES (?1, ?2)
         ON CONFLICT (instance) DO UPDATE SET thresholds = excluded.thresholds",
        params![number, column::json(thresholds)?],
    )?;
    Ok(())
}

/// Stores what a scan came to in place of what it had.
pub(crate) fn replace(connection: &Connection, scan: i64, write: &InventoryWrite<'_>) -> Result<(), StoreError> {
    connection.execute("DELETE FROM listing WHERE scan = ?1", [scan])?;
    insert_all(connection, scan, write.accounts)?;
    insert_all(connection, scan, write.plugins)
}

fn kind_number(kind: InventoryKind) -> i64 {
    match kind {
        InventoryKind::Accounts => 0,
        InventoryKind::Plugins => 1,
    }
}

fn insert_all<T: Item>(connection: &Connection, scan: i64, listings: &[Listing<T>]) -> Result<(), StoreError> {
    let mut insert_listing = connection.prepare_cached(
        "INSERT INTO listing (scan, kind, position, source, title, completeness, undecided, undecided_cause, not_read)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let columns = COMMON.iter().chain(T::OWN).copied().collect::<Vec<_>>();
    let places = (1..=columns.len()).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ");
    let mut insert = connection.prepare_cached(&format!("INSERT INTO {} ({}) VALUES ({places})", T::TABLE, columns.join(", ")))?;
    for (position, listing) in listings.iter().enumerate() {
        insert_listing.execute(params![
            scan,
            kind_number(T::KIND),
            column::number(position as u64),
            listing.from,
            listing.title,
            column::json(&listing.completeness)?,
            listing.undecided,
            listing.undecided_cause.as_ref().map(column::json).transpose()?,
            column::json(&listing.not_read)?,
        ])?;
        let number = connection.last_insert_rowid();
        for item in &listing.items {
            insert.execute(params_from_iter(values(item, scan, number)?))?;
        }
    }
    Ok(())
}

/// The columns that both tables have, in the order of [`values`].
const COMMON: &[&str] = &[
    "scan",
    "listing",
    "row_key",
    "inputs",
    "item_id",
    "name",
    "kind",
    "status",
    "created",
    "last_used",
    "never_used",
    "expires",
    "risks",
    "unknown_risks",
    "severity",
    "sort_name",
    "unknown",
];

fn values<T: Item>(item: &T, scan: i64, listing: i64) -> Result<Vec<Value>, StoreError> {
    let common = item.common();
    let mut unknown = Unknown::default();
    let named = [common.name, common.id].into_iter().filter_map(Known::value).find(|text| !text.trim().is_empty());
    let sort_name = named.map_or_else(|| common.origin.row.0.clone(), |text| text.to_lowercase());
    let mut values = vec![
        Value::Integer(scan),
        Value::Integer(listing),
        Value::Text(common.origin.row.0.clone()),
        Value::Text(column::json(&common.origin.inputs)?),
        unknown.text(Property::Id, common.id)?,
        unknown.text(Property::Name, common.name)?,
        unknown.word(Property::Kind, &common.kind)?,
        unknown.word(Property::Status, &common.status)?,
        unknown.time(Property::Created, common.created)?,
        unknown.time(common.last_used.0, common.last_used.1)?,
        unknown.bool(common.never_used.0, common.never_used.1)?,
        unknown.time(common.expires.0, common.expires.1)?,
        Value::Integer(bits::<T>(common.risks, Presence::Present)),
        Value::Integer(bits::<T>(common.risks, Presence::Unknown)),
        common.severity.map_or(Value::Null, |severity| Value::Integer(column::severity(severity))),
        Value::Text(sort_name),
    ];
    let own = item.own(&mut unknown)?;
    values.push(Value::Text(column::json(&unknown.0)?));
    values.extend(own);
    Ok(values)
}

/// One bit for each risk of that presence, in the order of the catalog.
fn bits<T: Item>(risks: &BTreeMap<T::Risk, Presence>, wanted: Presence) -> i64 {
    T::RISKS.iter().enumerate().filter(|(_, risk)| risks.get(risk) == Some(&wanted)).fold(0, |bits, (index, _)| bits | 1 << index)
}

pub(crate) fn mask<T: Item>(risks: &[T::Risk]) -> i64 {
    T::RISKS.iter().enumerate().filter(|(_, risk)| risks.contains(risk)).fold(0, |bits, (index, _)| bits | 1 << index)
}

/// What the tables of a kind came to, in their order; none where the scan was judged without them.
pub(crate) fn listings(connection: &Connection, scan: i64, kind: InventoryKind) -> Result<Vec<StoredListing>, StoreError> {
    let table = match kind {
        InventoryKind::Accounts => Account::TABLE,
        InventoryKind::Plugins => Plugin::TABLE,
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT source, title, completeness, undecided, undecided_cause, not_read,
            (SELECT count(*) FROM {table} WHERE {table}.listing = listing.id)
         FROM listing WHERE scan = ?1 AND kind = ?2 ORDER BY position"
    ))?;
    let listings = statement.query_and_then(params![scan, kind_number(kind)], |row| {
        let text = |index| row.get::<_, String>(index);
        Ok(StoredListing {
            from: text(0)?,
            title: text(1)?,
            completeness: column::read_json(&text(2)?, "listing")?,
            undecided: column::small_count(row.get(3)?),
            undecided_cause: column::read_json_if(row.get(4)?, "listing")?,
            not_read: column::read_json(&text(5)?, "listing")?,
            items: column::small_count(row.get(6)?),
        })
    })?;
    listings.collect()
}

impl InventorySort {
    pub(crate) fn order(self, descending: bool) -> String {
        let direction = if descending { "DESC" } else { "ASC" };
        let column = match self {
            Self::Severity => "severity",
            Self::Name => return format!("sort_name {direction}, id {direction}"),
            Self::Kind => "kind",
            Self::Status => "status",
            Self::Created => "created",
            Self::LastUsed => "last_used",
            Self::Expires => "expires",
        };
        format!("{column} {direction} NULLS LAST, sort_name, id")
    }
}

pub(crate) fn read<T: Item>(row: &Row<'_>) -> Result<(i64, T), StoreError> {
    let text = |column| row.get::<_, String>(column);
    let (present, missing): (i64, i64) = (row.get("risks")?, row.get("unknown_risks")?);
    let mut risks = BTreeMap::new();
    for (index, risk) in T::RISKS.iter().enumerate() {
        if present & 1 << index != 0 {
            risks.insert(*risk, Presence::Present);
        } else if missing & 1 << index != 0 {
            risks.insert(*risk, Presence::Unknown);
        }
    }
    let common = ReadCommon {
        origin: Origin { from: text("source")?, row: RowKey(text("row_key")?), inputs: column::read_json(&text("inputs")?, T::TABLE)? },
        risks,
        severity: row.get::<_, Option<i64>>("severity")?.map(column::read_severity).transpose()?,
    };
    let mut reader = Reader { row, unknown: column::read_json(&text("unknown")?, T::TABLE)?, what: T::TABLE };
    Ok((row.get("id")?, T::read(common, &mut reader)?))
}

/// All columns, and the dataset or view of the listing.
fn select<T: Item>() -> String {
    let table = T::TABLE;
    format!("SELECT {table}.*, listing.source FROM {table} JOIN listing ON listing.id = {table}.listing")
}

pub(crate) fn list<T: Item>(
    connection: &Connection,
    scan: i64,
    filter: &InventoryFilter<T::Risk, T::Kind>,
    sort: InventorySort,
    descending: bool,
    slice: Slice,
) -> Result<InventoryList<T, T::Risk>, StoreError> {
    let table = T::TABLE;
    let sums =
        (0..T::RISKS.len()).map(|index| format!(", sum(risks >> {index} & 1), sum(unknown_risks >> {index} & 1)")).collect::<String>();
    let (counted, risks) = connection
        .prepare_cached(&format!("SELECT count(*){sums} FROM {table} WHERE scan = ?1{}", T::COUNTED))?
        .query_row([scan], |row| {
            let count = |index| Ok::<_, rusqlite::Error>(column::small_count(row.get::<_, Option<i64>>(index)?.unwrap_or(0)));
            let counts = T::RISKS
                .iter()
                .enumerate()
                .map(|(index, risk)| Ok(RiskCount { risk: *risk, present: count(1 + 2 * index)?, unknown: count(2 + 2 * index)? }));
            Ok((row.get::<_, i64>(0)?, counts.collect::<Result<Vec<_>, rusqlite::Error>>()?))
        })?;

    let all: i64 =
        connection.prepare_cached(&format!("SELECT count(*) FROM {table} WHERE scan = ?1"))?.query_row([scan], |row| row.get(0))?;

    let mut bound: Vec<Box<dyn ToSql>> = vec![Box::new(scan)];
    let mut conditions = vec![format!("{table}.scan = ?1")];
    let mut bind = |value: Box<dyn ToSql>| {
        bound.push(value);
        format!("?{}", bound.len())
    };
    let (present, missing) = (mask::<T>(&filter.risks), mask::<T>(&filter.unknown));
    if !filter.risks.is_empty() || !filter.unknown.is_empty() {
        conditions.push(format!("(risks & {} <> 0 OR unknown_risks & {} <> 0)", bind(Box::new(present)), bind(Box::new(missing))));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<String> = filter.kinds.iter().map(|kind| bind(Box::new(T::kind_word(*kind)))).collect();
        conditions.push(format!("{table}.kind IN ({})", kinds.join(", ")));
    }
    if !filter.text.is_empty() {
        let escaped = filter.text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = bind(Box::new(format!("%{escaped}%")));
        let columns: Vec<String> = T::TEXT.iter().map(|column| format!("{table}.{column} LIKE {pattern} ESCAPE '\\'")).collect();
        conditions.push(format!("({})", columns.join(" OR ")));
    }
    let condition = conditions.join(" AND ");
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM {table} WHERE {condition}"))?
        .query_row(params_from_iter(bound.iter().map(AsRef::as_ref)), |row| row.get(0))?;
    // `kind`, `id` and others are columns of both tables.
    let order = sort.order(descending).split(", ").map(|term| format!("{table}.{term}")).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare_cached(&format!(
        "{} WHERE {condition} ORDER BY {order} LIMIT {} OFFSET {}",
        select::<T>(),
        column::number(slice.limit),
        column::number(slice.offset),
    ))?;
    let rows = statement.query_and_then(params_from_iter(bound.iter().map(AsRef::as_ref)), read)?.collect::<Result<_, StoreError>>()?;
    Ok(InventoryList { all: column::count(all), ignored: column::count(all - counted), total: column::count(total), risks, rows })
}

/// One item of a scan with its evidence.
pub(crate) fn detail<T: Item>(connection: &Connection, scan: ScanId, number: i64) -> Result<InventoryDetail<T>, StoreError> {
    let table = T::TABLE;
    let mut statement = connection.prepare_cached(&format!("{} WHERE {table}.scan = ?1 AND {table}.id = ?2", select::<T>()))?;
    let (_, item) = statement.query_and_then([scan.0, number], read::<T>)?.next().ok_or(StoreError::NotFound { what: T::TABLE })??;
    let mut evidence = Vec::new();
    for (dataset, key) in &item.common().origin.inputs {
        evidence.extend(row::of_key(connection, scan.0, dataset, key)?);
        if evidence.len() >= EVIDENCE {
            break;
        }
    }
    evidence.truncate(EVIDENCE);
    Ok(InventoryDetail { item, evidence })
}
