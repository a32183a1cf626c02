//! Accounts and plugins out of rows: each property by its own expression, behind the same gate as checks.

use crate::analysis::Wanted;
use crate::path::Path;
use crate::program::{self, Program};
use crate::shape::Shape;
use crate::value::{Steps, Typed};
use crate::{gate, risk, views};
use catalog::{
    Account, AccountKind, App, Cause, CauseKind, Collected, Completeness, Expression, Inventory, InventoryKind, InventoryThresholds, Known,
    Listing, LoadError, OnEmpty, Origin, Plugin, Property, PropertyType, Row, RowKey,
};
use cel::Context;
use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelNull, CelString, CelTimestamp};
use cel::common::value::{CowVal, Val};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the accounts and plugins of an application came to: one listing for each table that declares them, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventories {
    /// Of `[[accounts]]`.
    pub accounts: Vec<Listing<Account>>,
    /// Of `[[plugins]]`.
    pub plugins: Vec<Listing<Plugin>>,
}

/// A compiled `[[accounts]]` or `[[plugins]]` table.
pub(crate) struct Compiled {
    kind: InventoryKind,
    from: String,
    title: String,
    target: Target,
    when: Option<Reader>,
    properties: BTreeMap<Property, Reader>,
    not_read: Vec<Property>,
}

enum Target {
    Dataset { on_empty: OnEmpty },
    View(usize),
}

struct Reader {
    expr: IdedExpr,
    /// What must be readable.
    reads: Vec<Path>,
}

/// Compiles one table. `None` where it stands on a view that is itself broken, which is reported there.
pub(crate) fn compile(program: &Program, app: &App, inventory: &Inventory) -> Result<Option<Compiled>, Vec<LoadError>> {
    let dataset = app.dataset(&inventory.from);
    let (title, target, shape) = match (dataset, program.shapes.get(&inventory.from)) {
        (Some(dataset), Some(shape)) => (dataset.title.clone(), Target::Dataset { on_empty: dataset.on_empty }, shape),
        (Some(_), None) | (None, _) => {
            let Some(index) = program.views.iter().position(|view| view.id == inventory.from) else {
                if app.view(&inventory.from).is_some() {
                    return Ok(None);
                }
                let sentence =
                    format!("[[{}]]: `from` names `{}`, which is neither a dataset nor a view", inventory.kind.word(), inventory.from);
                return Err(vec![LoadError { place: inventory.place.clone(), sentence }]);
            };
            let title = app.view(&inventory.from).map(|view| view.title.clone()).unwrap_or_default();
            (title, Target::View(index), &program.views[index].shape)
        }
    };
    let mut errors = Vec::new();
    let mut reader = |name: &str, expression: &Expression, wanted: Wanted| {
        let compiled = program.expression(&expression.text, shape, &BTreeMap::new(), wanted);
        match compiled {
            Ok((expr, reading)) => Some(Reader { expr, reads: reading.fields.into_iter().collect() }),
            Err(sentences) => {
                errors.extend(sentences.into_iter().map(|sentence| LoadError {
                    place: expression.place.clone(),
                    sentence: format!("[[{}]] `{name}`: {sentence}", inventory.kind.word()),
                }));
                None
            }
        }
    };
    let when = inventory.when.as_ref().and_then(|when| reader("when", when, Wanted::Bool));
    let mut properties = BTreeMap::new();
    let mut not_read = Vec::new();
    for (property, ty) in inventory.kind.properties() {
        let Some(expression) = inventory.properties.get(property) else {
            // Everybody is a person where nothing else is said.
            if (inventory.kind, *property) != (InventoryKind::Accounts, Property::Kind) {
                not_read.push(*property);
            }
            continue;
        };
        let wanted = match ty {
            PropertyType::Text => Wanted::Text,
            PropertyType::Bool => Wanted::Bool,
            PropertyType::Texts => Wanted::Texts,
            PropertyType::Time => Wanted::Time,
            PropertyType::Words(words) => Wanted::Words(words),
        };
        if let Some(reader) = reader(property.word(), expression, wanted) {
            properties.insert(*property, reader);
        }
    }
    if properties.get(&Property::Id).is_some_and(|id| id.reads.is_empty()) {
        let place = inventory.properties.get(&Property::Id).map_or(&inventory.place, |expression| &expression.place).clone();
        let sentence = format!("[[{}]] `id` reads no field of `row`, so it tells nothing apart", inventory.kind.word());
        errors.push(LoadError { place, sentence });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Some(Compiled { kind: inventory.kind, from: inventory.from.clone(), title, target, when, properties, not_read }))
}

impl Program {
    /// Reads the accounts and plugins out of everything collected, as of a time. In the order of the tables, then of the row
    /// keys. What cannot be evaluated on a row is unknown there, with its cause.
    pub fn inventory(&self, collected: &BTreeMap<String, Collected>, thresholds: &InventoryThresholds, as_of: Timestamp) -> Inventories {
        let mut found = Inventories::default();
        for table in &self.inventories {
            match table.kind {
                InventoryKind::Accounts => found.accounts.push(table.listing(self, collected, as_of, |read| {
                    let mut account = account(read);
                    account.risks = risk::of_account(&account, thresholds, as_of);
                    account.severity = risk::severity_of_account(&account.risks);
                    account
                })),
                InventoryKind::Plugins => found.plugins.push(table.listing(self, collected, as_of, |read| {
                    let mut plugin = plugin(read);
                    plugin.risks = risk::of_plugin(&plugin, thresholds, as_of);
                    plugin.severity = risk::severity_of_plugin(&plugin.risks);
                    plugin
                })),
            }
        }
        found
    }
}

impl Compiled {
    fn listing<T>(
        &self,
        program: &Program,
        collected: &BTreeMap<String, Collected>,
        as_of: Timestamp,
        make: impl Fn(&ReadRow<'_, '_>) -> T,
    ) -> Listing<T> {
        let mut listing = Listing {
            from: self.from.clone(),
            title: self.title.clone(),
            completeness: Completeness::Complete,
            undecided: 0,
            undecided_cause: None,
            not_read: self.not_read.clone(),
            items: Vec::new(),
        };
        match &self.target {
            Target::View(index) => {
                let view = &program.views[*index];
                match view.compute(collected) {
                    Err(cause) => listing.completeness = Completeness::Unavailable(cause),
                    Ok(derived) => {
                        let rows = derived.iter().map(|derived| Subject { row: &derived.row, ambiguous: false, inputs: &derived.inputs });
                        self.rows(program, rows, &view.shape, true, as_of, &make, &mut listing);
                    }
                }
            }
            Target::Dataset { on_empty } => {
                let (Some((id, found)), Some(shape)) = (collected.get_key_value(&self.from), program.shapes.get(&self.from)) else {
                    listing.completeness = Completeness::Unavailable(views::not_read(&self.title));
                    return listing;
                };
                listing.completeness = found.completeness.clone();
                let complete = match &found.completeness {
                    Completeness::Unavailable(_) => return listing,
                    Completeness::Complete => true,
                    Completeness::Partial(_) => false,
                };
                if complete && found.rows.is_empty() && *on_empty == OnEmpty::Unknown {
                    listing.completeness = Completeness::Unavailable(views::empty(&self.title));
                    return listing;
                }
                let distinct = views::distinct(&found.rows);
                let inputs: Vec<[(&str, &RowKey); 1]> = distinct
                    .iter()
                    .map(|row| {
                        let (Ok(row) | Err(row)) = *row;
                        [(id.as_str(), &row.key)]
                    })
                    .collect();
                let rows = distinct.iter().zip(&inputs).map(|(row, inputs)| {
                    let (Ok(found) | Err(found)) = *row;
                    Subject { row: found, ambiguous: row.is_err(), inputs }
                });
                self.rows(program, rows, shape, complete, as_of, &make, &mut listing);
            }
        }
        listing
    }

    #[allow(clippy::too_many_arguments)]
    fn rows<'r, T>(
        &self,
        program: &Program,
        rows: impl Iterator<Item = Subject<'r>>,
        shape: &Shape,
        complete: bool,
        as_of: Timestamp,
        make: &impl Fn(&ReadRow<'_, '_>) -> T,
        listing: &mut Listing<T>,
    ) {
        let steps = Steps::new();
        let mut context = Context::with_env(Arc::clone(&program.env));
        if let Some(now) = program::now(as_of) {
            context.add_variable_as_val("now", Box::new(now));
        }
        for subject in rows {
            let mut context = context.new_inner_scope();
            context.add_variable_as_val("row", Typed { json: &subject.row.fields, shape: Some(shape), steps: &steps }.boxed());
            let read = ReadRow { table: self, subject: &subject, shape, complete, context: &context, steps: &steps };
            let meant =
                if subject.ambiguous { Err(views::ambiguous()) } else { self.when.as_ref().map_or(Ok(true), |when| read.truth(when)) };
            match meant {
                Ok(true) => listing.items.push(make(&read)),
                Ok(false) => {}
                Err(cause) => {
                    listing.undecided = listing.undecided.saturating_add(1);
                    listing.undecided_cause.get_or_insert(cause);
                }
            }
        }
    }
}

struct Subject<'r> {
    row: &'r Row,
    /// Whether another row with the same key says otherwise.
    ambiguous: bool,
    inputs: &'r [(&'r str, &'r RowKey)],
}

/// One row, ready to be asked for its properties.
struct ReadRow<'a, 'v> {
    table: &'a Compiled,
    subject: &'a Subject<'a>,
    shape: &'a Shape,
    complete: bool,
    context: &'a Context<'a, 'v>,
    steps: &'a Steps,
}

impl ReadRow<'_, '_> {
    fn origin(&self) -> Origin {
        let inputs = self.subject.inputs.iter().take(views::INPUTS).map(|(dataset, key)| ((*dataset).to_owned(), (*key).clone()));
        Origin { from: self.table.from.clone(), row: self.subject.row.key.clone(), inputs: inputs.collect() }
    }

    fn truth(&self, reader: &Reader) -> Result<bool, Cause> {
        gate::pass(self.subject.row, self.shape, &reader.reads, self.complete)?;
        program::truth(&reader.expr, self.context, self.steps)
    }

    /// A property by what its value is made into; a value that this does not take is of an unexpected type.
    fn property<T>(&self, property: Property, take: impl FnOnce(&dyn Val) -> Option<Known<T>>) -> Known<T> {
        let Some(reader) = self.table.properties.get(&property) else { return Known::NotRead };
        let computed = gate::pass(self.subject.row, self.shape, &reader.reads, self.complete)
            .and_then(|()| program::compute(&reader.expr, self.context, self.steps));
        let value: CowVal<'_, '_> = match computed {
            Ok(value) => value,
            Err(cause) => return Known::Unknown(cause),
        };
        take(value.as_ref()).unwrap_or_else(|| Known::Unknown(program::not_computed("it came to something of another type")))
    }

    fn text(&self, property: Property) -> Known<String> {
        self.property(property, |value| or_null(value, text(value)))
    }

    fn bool(&self, property: Property) -> Known<bool> {
        self.property(property, |value| value.downcast_ref::<CelBool>().map(|truth| Known::Is(*truth.inner())))
    }

    fn time(&self, property: Property) -> Known<Timestamp> {
        self.property(property, |value| {
            let time = value.downcast_ref::<CelTimestamp>().and_then(|time| {
                let time = time.inner();
                Timestamp::new(time.timestamp(), i32::try_from(time.timestamp_subsec_nanos()).ok()?).ok()
            });
            or_null(value, time)
        })
    }

    fn texts(&self, property: Property) -> Known<Vec<String>> {
        let texts = self.property(property, |value| {
            let texts = value.as_iterable().and_then(|list| {
                let mut elements = list.iter();
                let mut texts = Vec::new();
                while let Some(element) = elements.next() {
                    texts.push(text(element)?);
                }
                Some(texts)
            });
            or_null(value, texts)
        });
        // A list that ended early may have been cut.
        if self.steps.exhausted() { Known::Unknown(program::not_computed("it would take too many steps for one row")) } else { texts }
    }

    fn word<T>(&self, property: Property, from_word: impl Fn(&str) -> Option<T>) -> Known<T> {
        self.property(property, |value| {
            let word = text(value)?;
            Some(from_word(&word).map_or_else(
                || {
                    Known::Unknown(Cause {
                        kind: CauseKind::UnknownValue,
                        sentence: format!("`{}` came to a word that is not known.", property.word()),
                        remedy: "Report this with the shape of the answer (`posture schema`).".to_owned(),
                    })
                },
                Known::Is,
            ))
        })
    }
}

fn text(value: &dyn Val) -> Option<String> {
    value.downcast_ref::<CelString>().map(|text| text.inner().to_owned())
}

/// The value, or none where it is null: the gate lets null through only where the manifest says what it means.
fn or_null<T>(value: &dyn Val, taken: Option<T>) -> Option<Known<T>> {
    taken.map(Known::Is).or_else(|| value.downcast_ref::<CelNull>().map(|_| Known::None))
}

fn account(read: &ReadRow<'_, '_>) -> Account {
    let kind = match read.word(Property::Kind, AccountKind::from_word) {
        Known::NotRead => Known::Is(AccountKind::Person),
        kind @ (Known::Is(_) | Known::None | Known::Unknown(_)) => kind,
    };
    Account {
        origin: read.origin(),
        id: read.text(Property::Id),
        name: read.text(Property::Name),
        email: read.text(Property::Email),
        kind,
        status: read.word(Property::Status, catalog::AccountStatus::from_word),
        administrator: read.bool(Property::Administrator),
        roles: read.texts(Property::Roles),
        mfa: read.word(Property::Mfa, catalog::Mfa::from_word),
        identity_provider: read.bool(Property::IdentityProvider),
        created: read.time(Property::Created),
        last_seen: read.time(Property::LastSeen),
        never_seen: read.bool(Property::NeverSeen),
        credential_expires: read.time(Property::CredentialExpires),
        credential_changed: read.time(Property::CredentialChanged),
        risks: BTreeMap::new(),
        severity: None,
    }
}

fn plugin(read: &ReadRow<'_, '_>) -> Plugin {
    let name = read.text(Property::Name);
    let publisher = read.text(Property::Publisher);
    let named = [&name, &publisher].into_iter().find_map(|text| catalog::generative_ai(text.value()?));
    Plugin {
        origin: read.origin(),
        id: read.text(Property::Id),
        kind: read.word(Property::Kind, catalog::PluginKind::from_word),
        scopes: read.texts(Property::Scopes),
        level: read.word(Property::Level, catalog::PluginLevel::from_word),
        user: read.text(Property::User),
        status: read.text(Property::Status),
        created: read.time(Property::Created),
        last_used: read.time(Property::LastUsed),
        never_used: read.bool(Property::NeverUsed),
        expires: read.time(Property::Expires),
        verified_publisher: read.bool(Property::VerifiedPublisher),
        write: read.bool(Property::Write),
        gen_ai: named.map(str::to_owned),
        name,
        publisher,
        risks: BTreeMap::new(),
        severity: None,
    }
}
