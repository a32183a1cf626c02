//! `account_person`, `plugin_review`, and the accounts and plugins of all instances together, each as its last complete scan found it.

use super::{
    finding::SandboxScope,
    instance,
    inventory::{self, InventoryFilter, InventorySort, Item, RiskCount},
};
use crate::{InstanceId, Slice, StoreError, column};
use catalog::{Account, AccountKind, AccountRisk, Plugin, PluginKind, PluginRisk, RowKey, Severity};
use jiff::Timestamp;
use rusqlite::{Connection, Row, ToSql, params, params_from_iter};

/// Which accounts or plugins of all instances are wanted; an empty part of it allows everything.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetFilter<R, K> {
    /// What is asked of each.
    pub of_item: InventoryFilter<R, K>,
    /// Instances.
    pub instances: Vec<InstanceId>,
    /// Application slugs.
    pub apps: Vec<String>,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
    /// Accounts of this identity alone.
    pub identity: Option<String>,
    /// Plugins that were reviewed and have the rights of that time, or the others.
    pub reviewed: Option<bool>,
    /// Plugins whose name or publisher names generative AI.
    pub gen_ai: bool,
    /// Plugins that this user granted or installed.
    pub user: Option<String>,
}

impl<R, K> Default for FleetFilter<R, K> {
    fn default() -> Self {
        Self {
            of_item: InventoryFilter::default(),
            instances: Vec::new(),
            apps: Vec::new(),
            sandbox: SandboxScope::default(),
            identity: None,
            reviewed: None,
            gen_ai: false,
            user: None,
        }
    }
}

/// See [`FleetFilter`].
pub type AccountFleetFilter = FleetFilter<AccountRisk, AccountKind>;
/// See [`FleetFilter`].
pub type PluginFleetFilter = FleetFilter<PluginRisk, PluginKind>;

/// An account or plugin, where it is, and what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetItem<T> {
    /// The number by which the store knows it within its scan.
    pub number: i64,
    /// Its instance.
    pub instance: InstanceId,
    /// The instance's name.
    pub instance_name: String,
    /// The application.
    pub app: String,
    /// Whether the instance is simulated.
    pub sandbox: bool,
    /// The time that it speaks of.
    pub as_of: Timestamp,
    /// It.
    pub item: T,
    /// Of an account: the key of whose it is. Empty for a plugin.
    pub identity: String,
    /// Of an account: whether somebody corrected that.
    pub corrected: bool,
    /// Of a plugin: who reviewed it, when, and whether it still had the same rights in the last complete scan.
    pub review: Option<PluginReview>,
}

/// That somebody looked at a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginReview {
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Whether scopes, level and writing are what they were then.
    pub same_rights: bool,
}

/// A part of the accounts or plugins of all instances.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetList<T, R> {
    /// How many there are.
    pub all: u64,
    /// How many fulfil the filter.
    pub total: u64,
    /// Risks over all that are not ignored, every one of them.
    pub risks: Vec<RiskCount<R>>,
    /// The rows asked for.
    pub rows: Vec<FleetItem<T>>,
}

/// Which identities are wanted; an empty part of it allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityFilter {
    /// A part of a name or address; ASCII letters are compared without case.
    pub text: String,
    /// Those with an account that has any of these risks.
    pub risks: Vec<AccountRisk>,
    /// What they are.
    pub nature: Option<Nature>,
    /// Those with accounts in more than one instance.
    pub several: bool,
    /// Whether simulated instances are looked at.
    pub sandbox: SandboxScope,
}

/// What an identity is, by its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// An account of it is a person's or a guest's.
    Human,
    /// All its accounts are known to be no person's.
    NonHuman,
    /// It is not known of any.
    Unknown,
}

/// The order of identities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IdentitySort {
    #[default]
    Severity,
    Name,
    Accounts,
    LastSeen,
}

/// Accounts that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// What tells it: an address in small letters, or `account:…` for an account that stands alone.
    pub key: String,
    /// What to call it: the name in a directory where there is one, else in any account, else the address.
    pub title: String,
    /// Its address; `None` without one.
    pub email: Option<String>,
    /// What it is.
    pub nature: Nature,
    /// How many accounts it has.
    pub accounts: u32,
    /// In how many instances.
    pub instances: u32,
    /// How many of the accounts may administer their application.
    pub administrators: u32,
    /// How bad the worst of its accounts is.
    pub severity: Option<Severity>,
    /// The risks that any of its accounts has.
    pub risks: Vec<AccountRisk>,
    /// When any of its accounts was last seen.
    pub last_seen: Option<Timestamp>,
}

/// A part of the identities.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityList {
    /// How many there are.
    pub all: u64,
    /// How many fulfil the filter.
    pub total: u64,
    /// The rows asked for.
    pub rows: Vec<Identity>,
}

/// A user and the plugins that it granted or installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginUser {
    /// As the vendor names it.
    pub user: String,
    /// How many plugins.
    pub plugins: u32,
    /// In how many instances.
    pub instances: u32,
    /// How bad the worst of them is.
    pub severity: Option<Severity>,
}

/// The key of whose an account is: what somebody said, else its address, else itself.
const IDENTITY: &str = "CASE
    WHEN coalesce(whose.person, '') <> '' THEN whose.person
    WHEN whose.person IS NULL AND trim(coalesce(account.email, '')) <> '' THEN lower(trim(account.email))
    ELSE 'account:' || instance.id || ':' || listing.source || ':' || account.row_key
END";
const WHOSE: &str = "LEFT JOIN account_person AS whose ON whose.instance = scan.instance AND whose.source = listing.source AND whose.row_key = account.row_key";
const REVIEW: &str = "LEFT JOIN plugin_review AS review ON review.instance = scan.instance AND review.source = listing.source AND review.row_key = plugin.row_key";
/// What a plugin may do, as a text that changes when that does.
/// How each is known is part of it: none, not known and not read are different things.
const RIGHTS: &str = "json_array(plugin.scopes, plugin.level, plugin.may_write, json_type(plugin.unknown, '$.scopes'),
    json_type(plugin.unknown, '$.level'), json_type(plugin.unknown, '$.write'))";
/// That nothing of what a plugin may do could not be told: of that nobody can say that it is what it was.
const RIGHTS_KNOWN: &str = "(coalesce(json_type(plugin.unknown, '$.scopes'), '') <> 'object'
    AND coalesce(json_type(plugin.unknown, '$.level'), '') <> 'object' AND coalesce(json_type(plugin.unknown, '$.write'), '') <> 'object')";

/// That a plugin was reviewed with the rights that it is known to have.
fn reviewed() -> String {
    format!("(review.rights = {RIGHTS} AND {RIGHTS_KNOWN})")
}

/// What the two tables have of their own here.
pub(crate) trait Everywhere: Item {
    /// What joins what was said of it.
    const JOIN: &'static str;
    /// The columns of what was said: whether somebody corrected whose it is, who reviewed it, when, and whether its rights are the same.
    fn said() -> String;
    /// What is counted among the risks.
    const COUNTED_EVERYWHERE: &'static str;
}

impl Everywhere for Account {
    const JOIN: &'static str = WHOSE;
    fn said() -> String {
        "whose.person IS NOT NULL AS corrected, NULL AS review_who, NULL AS review_at, NULL AS same_rights".to_owned()
    }
    const COUNTED_EVERYWHERE: &'static str = "NOT EXISTS (
        SELECT 1 FROM decision JOIN scan AS of_scan ON of_scan.id = account.scan AND of_scan.instance = decision.instance
            JOIN listing ON listing.id = account.listing
        WHERE decision.kind = 'ignore' AND decision.ended_at IS NULL AND decision.check_id = 'account:' || listing.source
            AND decision.row_key = account.row_key
    )";
}

impl Everywhere for Plugin {
    const JOIN: &'static str = REVIEW;
    fn said() -> String {
        format!("0 AS corrected, review.who AS review_who, review.at AS review_at, {} AS same_rights", reviewed())
    }
    const COUNTED_EVERYWHERE: &'static str = "1";
}

/// The last complete scan of every instance in scope.
fn last_scans(scope: SandboxScope) -> String {
    format!("(SELECT max(id) FROM scan WHERE state = 'complete' AND {} GROUP BY instance)", scope.condition("instance"))
}

/// Everything that a row of either table belongs to.
fn from<T: Everywhere>() -> String {
    let table = T::TABLE;
    format!(
        "FROM {table} JOIN listing ON listing.id = {table}.listing JOIN scan ON scan.id = {table}.scan
         JOIN instance ON instance.no = scan.instance {}",
        T::JOIN
    )
}

struct Condition {
    text: String,
    bound: Vec<Box<dyn ToSql>>,
}

impl Condition {
    fn bind(&mut self, value: impl ToSql + 'static) -> String {
        self.bound.push(Box::new(value));
        format!("?{}", self.bound.len())
    }

    fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    fn among(&mut self, column: &str, values: impl IntoIterator<Item = String>) {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        if !places.is_empty() {
            self.and(&format!("{column} IN ({})", places.join(", ")));
        }
    }

    fn like(&mut self, columns: &[String], text: &str) {
        if text.is_empty() {
            return;
        }
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = self.bind(format!("%{escaped}%"));
        let columns: Vec<String> = columns.iter().map(|column| format!("{column} LIKE {pattern} ESCAPE '\\'")).collect();
        self.and(&format!("({})", columns.join(" OR ")));
    }

    fn of<T: Everywhere>(filter: &FleetFilter<T::Risk, T::Kind>) -> Self {
        let table = T::TABLE;
        let mut condition = Self { text: format!("{table}.scan IN {}", last_scans(filter.sandbox)), bound: Vec::new() };
        let of_item = &filter.of_item;
        if !of_item.risks.is_empty() || !of_item.unknown.is_empty() {
            let present = condition.bind(inventory::mask::<T>(&of_item.risks));
            let missing = condition.bind(inventory::mask::<T>(&of_item.unknown));
            condition.and(&format!("({table}.risks & {present} <> 0 OR {table}.unknown_risks & {missing} <> 0)"));
        }
        condition.among(&format!("{table}.kind"), of_item.kinds.iter().map(|kind| T::kind_word(*kind).to_owned()));
        condition.among("instance.id", filter.instances.iter().map(ToString::to_string));
        condition.among("instance.app", filter.apps.iter().cloned());
        let columns: Vec<String> = T::TEXT.iter().map(|column| format!("{table}.{column}")).chain(["instance.name".to_owned()]).collect();
        condition.like(&columns, &of_item.text);
        if let Some(identity) = &filter.identity {
            let place = condition.bind(identity.clone());
            condition.and(&format!("({IDENTITY}) = {place}"));
        }
        match filter.reviewed {
            Some(true) => condition.and(&reviewed()),
            Some(false) => condition.and(&format!("NOT coalesce({}, 0)", reviewed())),
            None => {}
        }
        if filter.gen_ai {
            condition.and("plugin.gen_ai IS NOT NULL");
        }
        if let Some(user) = &filter.user {
            let place = condition.bind(user.clone());
            condition.and(&format!("plugin.granted_by = {place}"));
        }
        condition
    }

    fn values(&self) -> impl rusqlite::Params + '_ {
        params_from_iter(self.bound.iter().map(AsRef::as_ref))
    }
}

fn read<T: Everywhere>(row: &Row<'_>) -> Result<FleetItem<T>, StoreError> {
    let (number, item) = inventory::read::<T>(row)?;
    let id: String = row.get("instance_id")?;
    let who: Option<String> = row.get("review_who")?;
    let review = match who {
        Some(who) => Some(PluginReview {
            who,
            at: column::read_time(row.get("review_at")?)?,
            same_rights: row.get::<_, Option<bool>>("same_rights")?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(FleetItem {
        number,
        instance: instance::read_id(&id)?,
        instance_name: row.get("instance_name")?,
        app: row.get("app")?,
        sandbox: row.get("sandbox")?,
        as_of: column::read_time(row.get("as_of")?)?,
        item,
        identity: row.get("identity")?,
        corrected: row.get("corrected")?,
        review,
    })
}

/// A part of the accounts or plugins of all instances.
pub(crate) fn list<T: Everywhere>(
    connection: &Connection,
    filter: &FleetFilter<T::Risk, T::Kind>,
    sort: InventorySort,
    descending: bool,
    slice: Slice,
    identity: &str,
) -> Result<FleetList<T, T::Risk>, StoreError> {
    let table = T::TABLE;
    let sums: String = (0..T::RISKS.len()).map(|index| format!(", sum(risks >> {index} & 1), sum(unknown_risks >> {index} & 1)")).collect();
    let scans = last_scans(filter.sandbox);
    let all: i64 =
        connection.prepare_cached(&format!("SELECT count(*) FROM {table} WHERE scan IN {scans}"))?.query_row([], |row| row.get(0))?;
    let risks = connection
        .prepare_cached(&format!("SELECT count(*){sums} FROM {table} WHERE scan IN {scans} AND {}", T::COUNTED_EVERYWHERE))?
        .query_row([], |row| {
            let count = |index| Ok::<_, rusqlite::Error>(column::small_count(row.get::<_, Option<i64>>(index)?.unwrap_or(0)));
            let counts = T::RISKS
                .iter()
                .enumerate()
                .map(|(index, risk)| Ok(RiskCount { risk: *risk, present: count(1 + 2 * index)?, unknown: count(2 + 2 * index)? }));
            counts.collect::<Result<Vec<_>, rusqlite::Error>>()
        })?;
    let condition = Condition::of::<T>(filter);
    let from = from::<T>();
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) {from} WHERE {}", condition.text))?
        .query_row(condition.values(), |row| row.get(0))?;
    let order = sort.order(descending).split(", ").map(|term| format!("{table}.{term}")).collect::<Vec<_>>().join(", ");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {table}.*, listing.source, instance.id AS instance_id, instance.name AS instance_name, instance.app, instance.sandbox,
            scan.as_of, {identity} AS identity, {}
         {from} WHERE {} ORDER BY {order} LIMIT {} OFFSET {}",
        T::said(),
        condition.text,
        column::number(slice.limit),
        column::number(slice.offset),
    ))?;
    let rows = statement.query_and_then(condition.values(), read::<T>)?.collect::<Result<_, StoreError>>()?;
    Ok(FleetList { all: column::count(all), total: column::count(total), risks, rows })
}

pub(crate) fn accounts(
    connection: &Connection,
    filter: &AccountFleetFilter,
    sort: InventorySort,
    descending: bool,
    slice: Slice,
) -> Result<FleetList<Account, AccountRisk>, StoreError> {
    list(connection, filter, sort, descending, slice, IDENTITY)
}

pub(crate) fn plugins(
    connection: &Connection,
    filter: &PluginFleetFilter,
    sort: InventorySort,
    descending: bool,
    slice: Slice,
) -> Result<FleetList<Plugin, PluginRisk>, StoreError> {
    list(connection, filter, sort, descending, slice, "''")
}

/// A part of the identities. `directories` are the applications whose name for a person goes before that of others.
pub(crate) fn identities(
    connection: &Connection,
    filter: &IdentityFilter,
    directories: &[String],
    (sort, descending): (IdentitySort, bool),
    slice: Slice,
) -> Result<IdentityList, StoreError> {
    let mut of_all = Condition { text: format!("account.scan IN {}", last_scans(filter.sandbox)), bound: Vec::new() };
    let places: Vec<String> = directories.iter().map(|slug| of_all.bind(slug.clone())).collect();
    let in_directory = if places.is_empty() { "0".to_owned() } else { format!("instance.app IN ({})", places.join(", ")) };
    let risks: String = AccountRisk::ALL
        .iter()
        .enumerate()
        .map(|(index, _)| format!("(max(account.risks >> {index} & 1) << {index})"))
        .collect::<Vec<_>>()
        .join(" | ");
    let grouped = format!(
        "SELECT {IDENTITY} AS identity,
            coalesce(max(CASE WHEN {in_directory} THEN nullif(trim(account.name), '') END), max(nullif(trim(account.name), '')),
                max(account.email), max(account.item_id), max(account.row_key)) AS title,
            max(nullif(lower(trim(account.email)), '')) AS email,
            count(*) AS accounts, count(DISTINCT scan.instance) AS instances, total(account.administrator) AS administrators,
            max(account.severity) AS severity, {risks} AS risks, max(account.last_used) AS last_seen,
            CASE WHEN max(account.kind IN ('person', 'guest')) = 1 THEN 0
                WHEN min(coalesce(account.kind, '') = 'service') = 1 THEN 1 ELSE 2 END AS nature
         {} WHERE {} GROUP BY identity",
        from::<Account>(),
        of_all.text
    );
    let all: i64 = connection.prepare_cached(&format!("SELECT count(*) FROM ({grouped})"))?.query_row(of_all.values(), |row| row.get(0))?;
    let mut wanted = Condition { text: "1".into(), bound: of_all.bound };
    wanted.like(&["title".into(), "email".into()], &filter.text);
    if !filter.risks.is_empty() {
        let mask = wanted.bind(inventory::mask::<Account>(&filter.risks));
        wanted.and(&format!("risks & {mask} <> 0"));
    }
    if let Some(nature) = filter.nature {
        let place = wanted.bind(match nature {
            Nature::Human => 0,
            Nature::NonHuman => 1,
            Nature::Unknown => 2,
        });
        wanted.and(&format!("nature = {place}"));
    }
    if filter.several {
        wanted.and("instances > 1");
    }
    let total: i64 = connection
        .prepare_cached(&format!("SELECT count(*) FROM ({grouped}) WHERE {}", wanted.text))?
        .query_row(wanted.values(), |row| row.get(0))?;
    let direction = if descending { "DESC" } else { "ASC" };
    let order = match sort {
        IdentitySort::Severity => format!("severity {direction} NULLS LAST, "),
        IdentitySort::Name => format!("lower(title) {direction}, "),
        IdentitySort::Accounts => format!("accounts {direction}, "),
        IdentitySort::LastSeen => format!("last_seen {direction} NULLS LAST, "),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM ({grouped}) WHERE {} ORDER BY {order}lower(title), identity LIMIT {} OFFSET {}",
        wanted.text,
        column::number(slice.limit),
        column::number(slice.offset),
    ))?;
    let rows = statement.query_and_then(wanted.values(), |row| {
        let bits: i64 = row.get("risks")?;
        Ok::<_, StoreError>(Identity {
            key: row.get("identity")?,
            title: row.get("title")?,
            email: row.get("email")?,
            nature: match row.get::<_, i64>("nature")? {
                0 => Nature::Human,
                1 => Nature::NonHuman,
                _ => Nature::Unknown,
            },
            accounts: column::small_count(row.get("accounts")?),
            instances: column::small_count(row.get("instances")?),
            #[allow(clippy::cast_possible_truncation)]
            administrators: column::small_count(row.get::<_, f64>("administrators")? as i64),
            severity: row.get::<_, Option<i64>>("severity")?.map(column::read_severity).transpose()?,
            risks: AccountRisk::ALL.iter().enumerate().filter(|(index, _)| bits & 1 << index != 0).map(|(_, risk)| *risk).collect(),
            last_seen: column::read_time_if(row.get("last_seen")?)?,
        })
    })?;
    Ok(IdentityList { all: column::count(all), total: column::count(total), rows: rows.collect::<Result<_, StoreError>>()? })
}

/// Users who granted or installed plugins, by severity and number; those of which the vendor names none are left out.
pub(crate) fn plugin_users(
    connection: &Connection,
    text: &str,
    scope: SandboxScope,
    slice: Slice,
) -> Result<(u64, Vec<PluginUser>), StoreError> {
    let mut condition =
        Condition { text: format!("plugin.scan IN {} AND coalesce(plugin.granted_by, '') <> ''", last_scans(scope)), bound: Vec::new() };
    condition.like(&["plugin.granted_by".into()], text);
    let grouped = format!(
        "SELECT plugin.granted_by AS user, count(*) AS plugins, count(DISTINCT scan.instance) AS instances, max(plugin.severity) AS severity
         FROM plugin JOIN scan ON scan.id = plugin.scan WHERE {} GROUP BY plugin.granted_by",
        condition.text
    );
    let total: i64 =
        connection.prepare_cached(&format!("SELECT count(*) FROM ({grouped})"))?.query_row(condition.values(), |row| row.get(0))?;
    let mut statement = connection.prepare_cached(&format!(
        "{grouped} ORDER BY severity DESC NULLS LAST, plugins DESC, user LIMIT {} OFFSET {}",
        column::number(slice.limit),
        column::number(slice.offset),
    ))?;
    let rows = statement.query_and_then(condition.values(), |row| {
        Ok::<_, StoreError>(PluginUser {
            user: row.get("user")?,
            plugins: column::small_count(row.get("plugins")?),
            instances: column::small_count(row.get("instances")?),
            severity: row.get::<_, Option<i64>>("severity")?.map(column::read_severity).transpose()?,
        })
    })?;
    Ok((column::count(total), rows.collect::<Result<_, StoreError>>()?))
}

/// Says whose an account is: the key of an identity, empty for nobody else's, `None` for what its address says.
pub(crate) fn set_person(
    connection: &Connection,
    instance: InstanceId,
    source: &str,
    row: &RowKey,
    person: Option<&str>,
) -> Result<(), StoreError> {
    let number = instance::number(connection, instance)?;
    match person {
        Some(person) => connection.execute(
            "INSERT INTO account_person (instance, source, row_key, person) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (instance, source, row_key) DO UPDATE SET person = excluded.person",
            params![number, source, row.0, person],
        )?,
        None => connection
            .execute("DELETE FROM account_person WHERE instance = ?1 AND source = ?2 AND row_key = ?3", params![number, source, row.0])?,
    };
    Ok(())
}

/// Forgets that accounts of other instances were said to be those of an instance that goes: each is again whose its address says.
pub(crate) fn forget(connection: &Connection, instance: InstanceId) -> Result<(), StoreError> {
    let begin = format!("account:{instance}:");
    connection.execute("DELETE FROM account_person WHERE substr(person, 1, length(?1)) = ?1", [begin])?;
    Ok(())
}

/// Says that a plugin of a scan was reviewed with the rights that it has there, or that it was not.
pub(crate) fn set_reviewed(connection: &Connection, scan: i64, plugin: i64, by: Option<(&str, Timestamp)>) -> Result<(), StoreError> {
    let found = match by {
        Some((who, at)) => connection.execute(
            &format!(
                "INSERT INTO plugin_review (instance, source, row_key, rights, who, at)
                 SELECT scan.instance, listing.source, plugin.row_key, {RIGHTS}, ?3, ?4
                 FROM plugin JOIN listing ON listing.id = plugin.listing JOIN scan ON scan.id = plugin.scan
                 WHERE plugin.scan = ?1 AND plugin.id = ?2
                 ON CONFLICT (instance, source, row_key) DO UPDATE SET rights = excluded.rights, who = excluded.who, at = excluded.at"
            ),
            params![scan, plugin, who, column::time(at)],
        )?,
        None => connection.execute(
            "DELETE FROM plugin_review WHERE (instance, source, row_key) IN (
                SELECT scan.instance, listing.source, plugin.row_key
                FROM plugin JOIN listing ON listing.id = plugin.listing JOIN scan ON scan.id = plugin.scan
                WHERE plugin.scan = ?1 AND plugin.id = ?2)",
            params![scan, plugin],
        )?,
    };
    let there: bool =
        connection
            .query_row("SELECT EXISTS (SELECT 1 FROM plugin WHERE scan = ?1 AND id = ?2)", params![scan, plugin], |row| row.get(0))?;
    if there || found > 0 { Ok(()) } else { Err(StoreError::NotFound { what: "plugin" }) }
}
