//! Reads manifests into the types of this crate: the applications that are built in, and folders of users.
//!
//! Tiles are read at once and cheaply (`app.toml` and a count of checks); an application is read whole the first time it
//! is asked for. Everything wrong with an application is reported, not only the first.

mod app;
mod check;
mod credentials;
mod dataset;
mod files;
mod framework;
mod inventory;
mod keep;
mod protocol;
mod setting;
mod shape;
mod sign_in;
mod source;
mod tenant;
mod tenant_sign_in;
mod view;
mod words;

use crate::{
    App, Availability, Category, ExpiryPlace, Feature, InventoryKind, Pagination, PivotField, Place, Politeness, SandboxTenant, Type,
    Verified, ViewShape,
};
use files::Files;
pub(crate) use framework::framework;
use serde::Serialize;
use shape::Shape;
use source::{Errors, Source, Table};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

/// What comes with the program.
#[cfg(any(test, not(debug_assertions)))]
static EMBEDDED: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../../catalog");
/// A debug build reads the folder it was built from instead, so that working on a manifest compiles nothing.
#[cfg(debug_assertions)]
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog");

/// What is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {sentence}")]
pub struct LoadError {
    /// Where it is written.
    pub place: Place,
    /// What is wrong and what would be right.
    pub sentence: String,
}

/// What the page of applications shows of one; read without reading the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tile {
    /// The application's stable name.
    pub slug: String,
    /// The product's name.
    pub name: String,
    /// The company that makes it.
    pub vendor: String,
    /// Where it is filed.
    pub category: Category,
    /// The kinds of scan it has.
    pub features: Vec<Feature>,
    /// What its connector was verified against.
    pub verified: Verified,
    /// How many checks it has, those of extensions included.
    pub checks: u32,
    /// Whether it comes with the program; `false` for applications of a user's folder.
    pub built_in: bool,
    /// What can be done with it.
    pub availability: Availability,
}

/// Everything that can be onboarded.
#[derive(Debug)]
pub struct Catalog {
    /// Sorted by name; `entries` stand in the same order.
    tiles: Vec<Tile>,
    entries: Vec<Entry>,
}

/// One application's files and, once asked for, what they come to.
#[derive(Debug)]
struct Entry {
    folder: String,
    files: Files,
    /// Users' folders that add checks and views to it, by folder name.
    extensions: Vec<(String, Files)>,
    app: OnceLock<Result<Arc<App>, Vec<LoadError>>>,
}

impl Catalog {
    /// The applications that come with the program.
    ///
    /// # Errors
    /// What is wrong with any `app.toml`. The rest of an application is read, and reported, by [`Catalog::app`].
    pub fn built_in() -> Result<Self, Vec<LoadError>> {
        Self::of(built_in()?, true)
    }

    /// The applications of a folder that holds one folder for each, and nothing else.
    ///
    /// # Errors
    /// As [`Catalog::built_in`], and when the folder cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, Vec<LoadError>> {
        Self::of(read_folder(folder)?, false)
    }

    /// Adds a user's folder of the same shape: new applications, and folders whose `app.toml` says `extends = "kustomer"`,
    /// which add checks and views over the datasets that application has. A user's folder can change nothing that is built
    /// in and add no host to its login options.
    ///
    /// # Errors
    /// As [`Catalog::from_folder`]; and when a name is taken, or what is extended is not there.
    pub fn with_folder(self, folder: &Path) -> Result<Self, Vec<LoadError>> {
        let mut catalog = self;
        let errors = Errors::default();
        let mut applications = Vec::new();
        let mut extensions = Vec::new();
        for (name, files) in read_folder(folder)? {
            match extends(&name, &files, &errors) {
                Some((slug, place)) => extensions.push((name, files, slug, place)),
                None => applications.push((name, files)),
            }
        }
        for (name, _) in applications.iter().filter(|(name, _)| catalog.position(name).is_some()) {
            errors.add(
                &Place { file: format!("{name}/app.toml").into(), line: 1 },
                format!("the application \"{name}\" is there already; give the folder another name, or write extends = \"{name}\" to add checks to it"),
            );
        }
        let found = errors.into_sorted();
        if !found.is_empty() {
            return Err(found);
        }
        let added = Self::of(applications, false)?;
        catalog.tiles.extend(added.tiles);
        catalog.entries.extend(added.entries);
        let errors = Errors::default();
        for (name, files, slug, place) in extensions {
            match catalog.position(&slug) {
                Some(at) => {
                    catalog.tiles[at].checks += count(&files);
                    catalog.entries[at].app = OnceLock::new();
                    catalog.entries[at].extensions.push((name, files));
                }
                None => errors
                    .add(&place, format!("`extends` names \"{slug}\", which is no application; correct it, or write a whole app.toml")),
            }
        }
        let found = errors.into_sorted();
        if found.is_empty() { Ok(catalog.sorted()) } else { Err(found) }
    }

    /// What can be onboarded, by name.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// An application, read whole; `None` when there is none of that slug.
    ///
    /// # Errors
    /// Everything that is wrong with its manifests.
    pub fn app(&self, slug: &str) -> Result<Option<Arc<App>>, Vec<LoadError>> {
        let Some(at) = self.position(slug) else { return Ok(None) };
        let entry = &self.entries[at];
        entry.app.get_or_init(|| entry.read().map(Arc::new)).clone().map(Some)
    }

    /// The sandbox tenants of an application, by folder name; none when there is no such application.
    ///
    /// # Errors
    /// What is wrong with the application's manifests or with its tenants' files.
    pub fn sandbox_tenants(&self, slug: &str) -> Result<Vec<SandboxTenant>, Vec<LoadError>> {
        let (Some(app), Some(at)) = (self.app(slug)?, self.position(slug)) else { return Ok(Vec::new()) };
        let entry = &self.entries[at];
        let errors = Errors::default();
        let tenants = tenant::read_all(&entry.files, &entry.folder, &app, &errors);
        let found = errors.into_sorted();
        if found.is_empty() { Ok(tenants) } else { Err(found) }
    }

    fn position(&self, slug: &str) -> Option<usize> {
        self.tiles.iter().position(|tile| tile.slug == slug)
    }

    fn of(folders: Vec<(String, Files)>, built_in: bool) -> Result<Self, Vec<LoadError>> {
        let errors = Errors::default();
        let mut catalog = Self { tiles: Vec::new(), entries: Vec::new() };
        for (folder, files) in folders {
            if let Some(tile) = tile(&folder, &files, built_in, &errors) {
                catalog.tiles.push(tile);
                catalog.entries.push(Entry { folder, files, extensions: Vec::new(), app: OnceLock::new() });
            }
        }
        let found = errors.into_sorted();
        if found.is_empty() { Ok(catalog.sorted()) } else { Err(found) }
    }

    fn sorted(self) -> Self {
        let mut both: Vec<(Tile, Entry)> = self.tiles.into_iter().zip(self.entries).collect();
        both.sort_by_cached_key(|(tile, _)| (tile.name.to_lowercase(), tile.slug.clone()));
        let (tiles, entries) = both.into_iter().unzip();
        Self { tiles, entries }
    }
}

#[cfg(any(test, not(debug_assertions)))]
fn embedded() -> Vec<(String, Files)> {
    let folders = EMBEDDED.dirs().filter_map(|dir| Some((dir.path().file_name()?.to_str()?.to_owned(), Files::Embedded(dir))));
    folders.filter(|(name, _)| is_application(name)).collect()
}

#[cfg(not(debug_assertions))]
fn built_in() -> Result<Vec<(String, Files)>, Vec<LoadError>> {
    Ok(embedded())
}

#[cfg(debug_assertions)]
fn built_in() -> Result<Vec<(String, Files)>, Vec<LoadError>> {
    read_folder(Path::new(FOLDER))
}

/// Names that start with `_` (the template of new applications) or `.` are no applications.
fn is_application(name: &str) -> bool {
    !name.starts_with(['_', '.'])
}

fn read_folder(folder: &Path) -> Result<Vec<(String, Files)>, Vec<LoadError>> {
    let unreadable = |path: &Path, error: std::io::Error| {
        let file = path.display().to_string();
        vec![LoadError {
            place: Place { file: file.into(), line: 1 },
            sentence: format!("the folder cannot be read ({error}); check its name and permissions"),
        }]
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let entry = entry.map_err(|error| unreadable(folder, error))?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_application(&name) {
            let path = entry.path();
            folders.push((name, Files::read(&path).map_err(|error| unreadable(&path, error))?));
        }
    }
    folders.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(folders)
}

/// The application that a user's folder extends, if it does.
fn extends(folder: &str, files: &Files, errors: &Errors) -> Option<(String, Place)> {
    let text = files.text("app.toml", folder, errors)?;
    let source = Source::new(&format!("{folder}/app.toml"), text);
    let document = source.parse(errors)?;
    let table = Table::document(&source, errors, document.get_ref());
    let value = table.get("extends")?;
    let slug = value.text()?;
    if let Some(text) = files.text("datasets.toml", folder, errors) {
        let source = Source::new(&format!("{folder}/datasets.toml"), text);
        if let Some(document) = source.parse(errors) {
            let table = Table::document(&source, errors, document.get_ref());
            if let Some(value) = table.get("dataset") {
                value.report("an extension adds checks and views, not datasets: what is read stays as it is built in");
            }
        }
    }
    let place = value.place.clone();
    table.finish();
    Some((slug, place))
}

fn tile(folder: &str, files: &Files, built_in: bool, errors: &Errors) -> Option<Tile> {
    let name = format!("{folder}/app.toml");
    let Some(text) = files.text("app.toml", folder, errors) else {
        errors.add(&Place { file: name.as_str().into(), line: 1 }, "the folder of an application lacks app.toml");
        return None;
    };
    let source = Source::new(&name, text);
    let document = source.parse(errors)?;
    let table = Table::document(&source, errors, document.get_ref());
    let front = app::front(&table, folder)?;
    Some(Tile {
        slug: front.slug,
        name: front.name,
        vendor: front.vendor,
        category: front.category,
        features: front.features,
        verified: front.verified,
        checks: count(files),
        built_in,
        availability: front.availability,
    })
}

/// Counts checks without reading them: the headers of their tables.
fn count(files: &Files) -> u32 {
    let nothing = Errors::default();
    let text = files.text("checks.toml", "", &nothing).unwrap_or_default();
    let headers = text.lines().map(str::trim_start).filter(|line| line.starts_with("[[check]]") || line.starts_with("[[setting]]"));
    u32::try_from(headers.count()).unwrap_or(u32::MAX)
}

impl Entry {
    fn read(&self) -> Result<App, Vec<LoadError>> {
        let errors = Errors::default();
        let app = self.assemble(&errors);
        let found = errors.into_sorted();
        match app {
            Some(app) if found.is_empty() => Ok(app),
            Some(_) | None => Err(found),
        }
    }

    fn assemble(&self, errors: &Errors) -> Option<App> {
        let folder = &self.folder;
        let whole = with_document(&self.files, folder, "app.toml", errors, |table| app::read(table, folder))??;
        let mut app = App {
            slug: whole.front.slug,
            name: whole.front.name,
            vendor: whole.front.vendor,
            category: whole.front.category,
            home: whole.home,
            features: whole.front.features,
            verified: whole.front.verified,
            link_hosts: whole.link_hosts,
            never: whole.never,
            says: whole.says,
            logins: whole.logins,
            not_offered: whole.not_offered,
            planned: whole.planned,
            ended: whole.ended,
            left_out: whole.left_out,
            not_covered: whole.not_covered,
            scopes: whole.scopes,
            datasets: Vec::new(),
            views: Vec::new(),
            checks: Vec::new(),
            inventories: Vec::new(),
        };
        // An application whose checks are all attested reads nothing, so these two files may be missing.
        if self.files.has("datasets.toml") {
            with_document(&self.files, folder, "datasets.toml", errors, |table| read_datasets(table, &mut app, true));
        }
        for (name, files) in self.extensions.iter().filter(|(_, files)| files.has("datasets.toml")) {
            with_document(files, name, "datasets.toml", errors, |table| read_datasets(table, &mut app, false));
        }
        for login in app.logins.iter().filter(|login| !login.test.is_empty()) {
            match app.dataset(&login.test) {
                None => errors.add(&login.place, format!("login option \"{}\" tests the connection with \"{}\", which is no dataset", login.id, login.test)),
                Some(dataset) if dataset.each.is_some() => errors.add(
                    &login.place,
                    format!("login option \"{}\" tests the connection with \"{}\", which is read once per something; name one that is read alone", login.id, login.test),
                ),
                Some(dataset) if !login.roles.iter().any(|role| role.id == dataset.host) => errors.add(
                    &login.place,
                    format!("login option \"{}\" tests the connection with \"{}\", which is on the host role \"{}\"; add that to `roles`", login.id, login.test, dataset.host),
                ),
                Some(_) => {}
            }
        }
        identities(&app, errors);
        expiries(&app, errors);
        for (name, files) in std::iter::once((folder, &self.files)).chain(self.extensions.iter().map(|(name, files)| (name, files))) {
            if files.has("checks.toml") {
                with_document(files, name, "checks.toml", errors, |table| read_checks(table, &mut app));
            }
            // What an extension looks at, the application itself could not know of.
            if std::ptr::eq(files, &self.files) {
                covered_after_all(&app, errors);
            }
        }
        Some(app)
    }
}

/// A control that a check names is not one that nothing looks at, and a check that is there is not left out.
fn covered_after_all(app: &App, errors: &Errors) {
    for one in &app.not_covered {
        if let Some(check) = app.checks.iter().find(|check| check.sscf.contains(&one.sscf)) {
            errors.add(&one.place, format!("{} is not covered, but the check \"{}\" names it; keep one of the two", one.sscf, check.id));
        }
    }
    for one in app.left_out.iter().filter(|one| app.check(&one.id).is_some()) {
        errors.add(&one.place, format!("\"{}\" is left out, but there is a check of that id; keep one of the two", one.id));
    }
}

/// Holds what a login option says about its tenant's identity against the dataset that it names.
fn identities(app: &App, errors: &Errors) {
    for (login, identity) in app.logins.iter().filter_map(|login| Some((login, login.identity.as_ref()?))) {
        let wrong = |what: &str| {
            errors.add(&login.place, format!("login option \"{}\" tells its tenant by \"{}\", {what}", login.id, identity.dataset));
        };
        match app.dataset(&identity.dataset) {
            None => wrong("which is no dataset"),
            // It is read once, in one request, before anything else is known of the tenant.
            Some(dataset) if dataset.each.is_some() || dataset.published_by.is_some() || dataset.pagination != Pagination::None => {
                wrong("which is read per row, page by page or as a description publishes it; name one that is read alone")
            }
            Some(dataset) if !login.roles.iter().any(|role| role.id == dataset.host) => wrong("which this option does not reach"),
            Some(dataset) if !dataset.keep.contains_key(&identity.field) => wrong("which does not keep the field; add it to `keep`"),
            Some(_) => {}
        }
    }
}

/// Holds the place where a vendor tells when a credential ends against the dataset that it is in.
fn expiries(app: &App, errors: &Errors) {
    for login in &app.logins {
        let Some(ExpiryPlace::Field { dataset: id, field }) = login.expires.as_ref().map(|expires| &expires.told) else { continue };
        let wrong = |what: &str| {
            errors.add(&login.place, format!("login option \"{}\" is told by \"{id}\" when its credential ends, {what}", login.id));
        };
        match app.dataset(id) {
            None => wrong("which is no dataset"),
            Some(dataset) if dataset.each.is_some() || dataset.published_by.is_some() || dataset.pagination != Pagination::None => {
                wrong("which is read per row, page by page or as a description publishes it; name one that is read alone")
            }
            Some(dataset) if !login.roles.iter().any(|role| role.id == dataset.host) => wrong("which this option does not reach"),
            Some(dataset) if !dataset.keep.get(field).is_some_and(|keep| matches!(keep.ty, Type::Timestamp(_))) => {
                wrong("which does not keep the field as a timestamp; add it to `keep`")
            }
            Some(_) => {}
        }
    }
}

/// Runs `read` over a file's document; `None` when the file is missing or is not TOML (which is reported).
fn with_document<R>(files: &Files, folder: &str, file: &str, errors: &Errors, read: impl FnOnce(Table<'_>) -> R) -> Option<R> {
    let text = files.text(file, folder, errors)?;
    let source = Source::new(&format!("{folder}/{file}"), text);
    let document = source.parse(errors)?;
    let table = Table::document(&source, errors, document.get_ref());
    Some(read(table))
}

fn read_datasets(table: Table<'_>, app: &mut App, datasets: bool) {
    let politeness = table.get("politeness").map_or_else(Politeness::default, |value| dataset::politeness(&value, &Politeness::default()));
    let headers = credentials::constant_headers(&table);
    let accepted = table.get("ok").and_then(|value| protocol::accepted(&value));
    for one in if datasets { table.tables("dataset") } else { Vec::new() } {
        let around = dataset::Around {
            logins: &app.logins,
            never: &app.never,
            before: &app.datasets,
            accepted: accepted.as_ref(),
            politeness: &politeness,
            headers: &headers,
        };
        let errors = one.errors;
        if let Some(dataset) = dataset::read(one, &around) {
            taken(app, &dataset.id, &dataset.place, errors);
            app.datasets.push(dataset);
        }
    }
    for one in table.tables("view") {
        let errors = one.errors;
        if let Some(view) = view::read(one, &app.datasets, &app.logins) {
            taken(app, &view.id, &view.place, errors);
            app.views.push(view);
        }
    }
    for (key, kind) in [("accounts", InventoryKind::Accounts), ("plugins", InventoryKind::Plugins)] {
        for one in table.tables(key) {
            if let Some(read) = inventory::read(one, kind, app) {
                app.inventories.push(read);
            }
        }
    }
    table.finish();
}

/// Datasets and views share one name space.
fn taken(app: &App, id: &str, place: &Place, errors: &Errors) {
    let first = app.dataset(id).map(|dataset| &dataset.place).or_else(|| app.view(id).map(|view| &view.place));
    if let Some(first) = first {
        errors.add(place, format!("the id \"{id}\" is taken ({first}); datasets and views each need their own"));
    }
}

fn read_checks(table: Table<'_>, app: &mut App) {
    declare_settings(&table, app);
    let shapes = &shapes(app);
    let slug = app.slug.clone();
    let pivots = app.views.iter().filter(|view| matches!(view.shape, ViewShape::Pivot { .. })).map(|view| view.id.clone()).collect();
    let around =
        check::Around { slug: &slug, features: &app.features.clone(), link_hosts: &app.link_hosts.clone(), shapes, pivots: &pivots };
    let errors = table.errors;
    let checks = table.tables("check").into_iter().filter_map(|one| check::read(one, &around));
    let mut read: Vec<_> = checks.collect();
    read.extend(table.tables("setting").into_iter().filter_map(|one| check::read_setting(one, &around)));
    // Checks and settings stand in the order in which they are written.
    read.sort_by_key(|check| check.place.line);
    for check in read {
        if let Some(first) = app.checks.iter().find(|first| first.id == check.id) {
            errors.add(&check.place, format!("the check \"{}\" is there twice ({}); give each its own id", check.id, first.place));
        }
        app.checks.push(check);
    }
    table.finish();
}

/// Settings over a list of names and values declare their names themselves: `value` says of which type each is.
fn declare_settings(table: &Table<'_>, app: &mut App) {
    for one in table.tables("setting") {
        let (Some(value), Some(key), Some(on)) = (one.get("value"), one.get("key").and_then(|key| key.text()), one.get("on")) else {
            continue;
        };
        let view = on.text().and_then(|on| app.views.iter_mut().find(|view| view.id == on));
        let Some(ViewShape::Pivot { fields, .. }) = view.map(|view| &mut view.shape) else { continue };
        let Some(keep) = keep::field(&value) else { continue };
        match fields.iter().find(|field| field.name == key) {
            Some(known) if known.keep.ty == keep.ty && known.keep.absent == keep.absent => {}
            Some(_) => value.wrong(format!("is another type or absence of \"{key}\" than where it was declared before")),
            None => view::add_pivot_field(fields, PivotField { name: key, keep }, &value),
        }
    }
}

/// The rows of each dataset and view, as far as settings need them: a view's joined lists and counts are left out.
fn shapes(app: &App) -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> = app
        .datasets
        .iter()
        .enumerate()
        .map(|(at, dataset)| (dataset.id.clone(), Shape::of_dataset(dataset, &app.datasets[..at], &app.logins)))
        .collect();
    for view in &app.views {
        let rows = match &view.shape {
            ViewShape::Pivot { fields, .. } => {
                let mut rows = Shape::empty();
                for field in fields {
                    rows.put(&PivotField::place(&field.name), Shape::of_keep(&field.keep));
                }
                rows
            }
            ViewShape::Rows | ViewShape::FirstBy { .. } => shapes.get(&view.from).cloned().unwrap_or_else(Shape::empty),
            ViewShape::CountWhere { .. } | ViewShape::GroupBy { .. } => Shape::empty(),
        };
        shapes.insert(view.id.clone(), rows);
    }
    shapes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A release build holds the catalog, a debug build reads it: both are the same applications, whole.
    #[test]
    fn what_is_embedded_loads_as_what_the_folder_holds() {
        let (embedded, read) = (Catalog::of(embedded(), true).unwrap(), Catalog::built_in().unwrap());
        assert!(embedded.tiles().len() > 60, "{} applications are embedded", embedded.tiles().len());
        for tile in embedded.tiles() {
            let (held, there) = (embedded.app(&tile.slug).unwrap().unwrap(), read.app(&tile.slug).unwrap().unwrap());
            let checks = |app: &App| app.checks.iter().map(|check| check.id.clone()).collect::<Vec<_>>();
            assert_eq!((checks(&held), held.datasets.len()), (checks(&there), there.datasets.len()), "{}", tile.slug);
            let tenants =
                |catalog: &Catalog| catalog.sandbox_tenants(&tile.slug).unwrap().into_iter().map(|tenant| tenant.id).collect::<Vec<_>>();
            assert_eq!(tenants(&embedded), tenants(&read), "{}", tile.slug);
        }
    }
}
