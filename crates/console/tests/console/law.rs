//! The law of no false pass, over every check of the built-in catalog: nothing that was not read becomes a pass, nothing that
//! failed becomes not applicable or is lost without a word, and the order of rows changes nothing.
//!
//! Answers are damaged at the vendor (the sandbox), and read by the unchanged connectors over real HTTPS.
use crate::scene;

use catalog::{
    App, Catalog, Cause, CauseKind, Check, CheckKind, Collected, Dataset, DatasetKind, EachOver, Form, Keep, LeftOpen, Pagination, Row,
    RowKey, SandboxTenant, Type, Values, Verdict, ViewShape,
};
use sandbox::{Fault, OverlayChange};
use scene::{Scene, Verdicts, promise};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};
use tokio::task::JoinSet;

/// Damage to a field: its name, and the new value (none removes it).
type Damage = (&'static str, Option<Value>);

/// What one scan holds of each dataset.
type Read = BTreeMap<String, Collected>;

/// What was shown so far.
#[derive(Default)]
struct Trial {
    cases: usize,
    /// Breaches of the law, in words.
    breaches: Vec<String>,
    /// Fields that were damaged in some tenant: dataset and path.
    damaged: BTreeSet<(String, String)>,
    /// Cases in which a pass would have rested on a damaged field.
    passes_forbidden: usize,
}

impl Trial {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.breaches.extend(other.breaches);
        self.damaged.extend(other.damaged);
        self.passes_forbidden += other.passes_forbidden;
    }

    fn case(&mut self, holds: bool, breach: impl FnOnce() -> String) {
        self.cases += 1;
        if !holds {
            self.breaches.push(breach());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_false_pass() {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let mut trial = Trial::default();
    // Each tenant is tried on its own, so that all cores have something to do; the longest first.
    let mut trying = JoinSet::new();
    let mut tenants_of: BTreeMap<String, usize> = BTreeMap::new();
    // While working on one application: POSTURE_ONLY=kustomer,convo. The whole is what counts, so nothing is promised then.
    let only = std::env::var("POSTURE_ONLY").ok();
    let wanted = |slug: &str| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == slug));
    for tile in catalog.tiles().iter().filter(|tile| wanted(&tile.slug)) {
        if catalog.app(&tile.slug).unwrap().unwrap().logins.is_empty() {
            // Nothing of it is read; what is attested is tried in `attested`.
            continue;
        }
        let tenants = catalog.sandbox_tenants(&tile.slug).unwrap();
        trial.case(!tenants.is_empty(), || format!("{} has no tenant", tile.slug));
        tenants_of.insert(tile.slug.clone(), tenants.len());
        for tenant in tenants {
            trying.spawn(try_tenant(Arc::clone(&catalog), tile.slug.clone(), tenant));
        }
    }
    let mut apps: BTreeMap<String, Tried> = BTreeMap::new();
    while let Some(tried) = trying.join_next().await {
        let (slug, tried) = tried.unwrap();
        apps.entry(slug).or_default().add(tried);
    }
    assert_eq!(apps.len(), tenants_of.len(), "every application was tried");
    for (slug, tried) in apps {
        let app = catalog.app(&slug).unwrap().unwrap();
        trial.add(tried.trial);
        for check in &app.checks {
            let wanted: &[&str] = match check.kind {
                CheckKind::Check => &["pass", "fail"],
                CheckKind::Observed => &["observed"],
                CheckKind::Manual => &["manual"],
            };
            for wanted in wanted {
                let came = tried.seen.get(&check.id).is_some_and(|seen| seen.contains(wanted));
                trial.case(came, || format!("{} comes to {wanted} in no tenant", check.id));
            }
        }
        every_read_field_was_damaged(&app, &mut trial);
        trial.damaged.clear();
    }
    if only.is_none() {
        promise("law", trial.cases, trial.breaches.len());
    }
    let mut text = String::new();
    for breach in trial.breaches.iter().take(60) {
        let _ = writeln!(text, "  {breach}");
    }
    if only.is_some() {
        assert!(trial.cases > 0, "no application is of that name");
        assert!(trial.breaches.is_empty(), "{} of {} cases break the law:\n{text}", trial.breaches.len(), trial.cases);
        return;
    }
    assert!(trial.passes_forbidden > 500, "only {} cases damaged what a check reads", trial.passes_forbidden);
    assert!(trial.cases > 10_000, "only {} cases: the catalog or its tenants were not there", trial.cases);
    assert!(trial.breaches.is_empty(), "{} of {} cases break the law:\n{text}", trial.breaches.len(), trial.cases);
}

/// What the tenants of one application have shown.
#[derive(Default)]
struct Tried {
    trial: Trial,
    /// Which verdicts each check came to.
    seen: BTreeMap<String, BTreeSet<&'static str>>,
}

impl Tried {
    fn add(&mut self, other: Self) {
        self.trial.add(other.trial);
        for (check, words) in other.seen {
            self.seen.entry(check).or_default().extend(words);
        }
    }
}

async fn try_tenant(catalog: Arc<Catalog>, slug: String, tenant: SandboxTenant) -> (String, Tried) {
    let app = catalog.app(&slug).unwrap().unwrap();
    let Tried { mut trial, mut seen } = Tried::default();
    let scene = Scene::of_tenant(&catalog, &slug, &tenant.id).await;
    let baseline = scene.collect().await;
    let unread = Unread::of(&app, &tenant);
    for (dataset, read) in &baseline {
        trial.case(unread.explains(dataset, read), || format!("{}: {dataset} is {:?} to begin with", scene.name, read.completeness));
    }
    let verdicts = scene.judge(&baseline);
    for evaluated in unread.evaluated(&baseline, &verdicts) {
        trial.case(false, || format!("{}: {evaluated} is said to be left open and is not", scene.name));
    }
    for ((check, row), verdict) in &verdicts {
        seen.entry(check.clone()).or_default().insert(word(verdict));
        let known = match verdict {
            Verdict::NotEvaluated { cause } => unread.explains_verdict(&app, check, cause, &baseline),
            Verdict::Pass | Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::Observed => true,
        };
        trial.case(known, || format!("{check} {row:?} in {}: {verdict:?}", scene.name));
        let good = matches!(verdict, Verdict::Pass | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::NotEvaluated { .. });
        trial.case(tenant.id != "clean" || good, || format!("{check} {row:?} in {}: {verdict:?}", scene.name));
    }
    // What an earlier tenant answers as well is damaged there: a tenant that only signs in by another way has nothing of its own.
    let own = own_datasets(&catalog, &app, &tenant);
    if own.is_empty() {
        println!("{}: nothing of its own; {} cases", scene.name, trial.cases);
        return (slug, Tried { trial, seen });
    }
    let began = std::time::Instant::now();
    mutations(&scene, &baseline, &own, &mut trial).await;
    let mutated = began.elapsed();
    descriptions(&scene, &baseline, &mut trial).await;
    faults(&scene, &own, &mut trial).await;
    let faulted = began.elapsed();
    order(&scene, &mut trial).await;
    println!("{}: {mutated:?} mutations, {faulted:?} with faults, {:?} in all; {} cases", scene.name, began.elapsed(), trial.cases);
    (slug, Tried { trial, seen })
}

/// The datasets that a tenant answers otherwise than every tenant before it: the clean one, the risky one, then by name.
fn own_datasets(catalog: &Catalog, app: &App, tenant: &SandboxTenant) -> BTreeSet<String> {
    let place = |tenant: &SandboxTenant| (tenant.id != "clean", tenant.id != "risky", tenant.id.clone());
    let mut earlier = catalog.sandbox_tenants(&app.slug).unwrap();
    earlier.retain(|other| place(other) < place(tenant));
    let answers = |tenant: &SandboxTenant, dataset: &Dataset| -> Vec<Value> {
        let alike = |path: &str| {
            let (path, template) = (path.split('?').next().unwrap_or(path), dataset.path.as_str());
            let segments = |text: &str| text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            let (path, template) = (segments(path), segments(template));
            // A server's own prefix comes first.
            path.len() >= template.len()
                && path[path.len() - template.len()..].iter().zip(&template).all(|(one, two)| one == two || two.starts_with('{'))
        };
        let of_dataset = |answer: &&catalog::SandboxAnswer| match &answer.document {
            Some(document) => *document == dataset.id,
            None => alike(&answer.path) || dataset.instead.as_ref().is_some_and(|_| true),
        };
        tenant.answers.iter().filter(of_dataset).map(|answer| json!([answer.status, answer.body, answer.each])).collect()
    };
    let is_own = |dataset: &&Dataset| {
        let own = answers(tenant, dataset);
        !own.is_empty() && !earlier.iter().any(|other| answers(other, dataset) == own)
    };
    app.datasets.iter().filter(is_own).map(|dataset| dataset.id.clone()).collect()
}

/// What a tenant's login option, its vendor's description and its own answers leave unread or unsaid, although nothing is wrong.
struct Unread {
    /// What the tenant says of itself.
    left_open: Vec<(LeftOpen, CauseKind)>,
    /// Datasets on host roles that the login option does not have.
    lacks: BTreeSet<String>,
    /// Whether this is the tenant whose vendor publishes nothing of what is known from nowhere else.
    unpublished: bool,
}

impl Unread {
    fn of(app: &App, tenant: &SandboxTenant) -> Self {
        let login = app.login(&tenant.login).unwrap();
        let lacks = app.datasets.iter().filter(|dataset| !login.roles.iter().any(|role| role.id == dataset.host));
        Self {
            left_open: tenant.left_open.clone(),
            lacks: lacks.map(|dataset| dataset.id.clone()).collect(),
            unpublished: tenant.id == "unpublished",
        }
    }

    fn says(&self, of: LeftOpen, cause: CauseKind) -> bool {
        self.left_open.contains(&(of, cause))
    }

    /// What the tenant says is left open and was evaluated all the same.
    fn evaluated(&self, read: &Read, verdicts: &Verdicts) -> Vec<String> {
        let open = |of: &LeftOpen, kind: CauseKind| match of {
            LeftOpen::Dataset(id) => read[id].completeness.cause().is_some_and(|cause| cause.kind == kind),
            LeftOpen::Check(id) => verdicts.iter().any(|((check, _), verdict)| match verdict {
                Verdict::NotEvaluated { cause } => check == id && cause.kind == kind,
                Verdict::Pass | Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::Observed => false,
            }),
        };
        self.left_open.iter().filter(|(of, kind)| !open(of, *kind)).map(|(of, kind)| format!("{of:?} ({kind:?})")).collect()
    }

    fn explains(&self, dataset: &str, read: &Collected) -> bool {
        match read.completeness.cause().map(|cause| cause.kind) {
            Some(kind) if self.says(LeftOpen::Dataset(dataset.to_owned()), kind) => true,
            None => !self.lacks.contains(dataset),
            Some(CauseKind::LoginLacks | CauseKind::InputIncomplete) => self.lacks.contains(dataset),
            Some(CauseKind::NotPublished) => self.unpublished,
            Some(_) => false,
        }
    }

    fn explains_verdict(&self, app: &App, check: &str, cause: &Cause, read: &Read) -> bool {
        let inputs = app.inputs(app.check(check).unwrap());
        let lacks = cause.kind == CauseKind::LoginLacks && inputs.iter().all(|input| self.lacks.contains(*input));
        let unpublished = cause.kind == CauseKind::NotPublished && self.unpublished;
        let incomplete = cause.kind == CauseKind::InputIncomplete && inputs.iter().any(|input| !read[*input].completeness.is_complete());
        let inputs_say = inputs.iter().any(|input| self.says(LeftOpen::Dataset((*input).to_owned()), cause.kind));
        lacks || unpublished || incomplete || inputs_say || self.says(LeftOpen::Check(check.to_owned()), cause.kind)
    }
}

/// A description that is gone, names another type or leaves a name out: what was kept by it alone is not evaluated any more.
async fn descriptions(scene: &Scene, baseline: &Read, trial: &mut Trial) {
    let before = scene.judge(baseline);
    for description in scene.app.datasets.iter().filter(|dataset| dataset.form == Form::OpenApi) {
        let read = &baseline[&description.id];
        if !read.completeness.is_complete() {
            continue;
        }
        let set = |field: &str, value: Value| OverlayChange::Set {
            tenant: scene.name.clone(),
            answer: description.id.clone(),
            field: field.to_owned(),
            value,
        };
        let remove =
            |field: &str| OverlayChange::Remove { tenant: scene.name.clone(), answer: description.id.clone(), field: field.to_owned() };
        let mut changes = vec![
            ("no version", remove("openapi"), None),
            ("another version", set("openapi", json!("2.0")), None),
            ("no paths", remove("paths"), None),
            ("no path", set("paths", json!({})), None),
            ("no schemas", remove("components"), None),
        ];
        // Each name that some check rests on alone: left out, of another type, of no type.
        let names: BTreeSet<(String, String)> = published_fields(&scene.app).collect();
        let description_body = description_of(scene, &description.id);
        let schemas = description_body["components"]["schemas"].as_object().unwrap();
        let known = |schema: &Value, name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
        let mut places = BTreeSet::new();
        for name in names.iter().map(|(_, name)| name).collect::<BTreeSet<_>>() {
            for (schema, content) in schemas {
                let here = known(content, name).then(|| format!("components.schemas.{schema}.properties.{name}"));
                let parts = content.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
                let inner = parts
                    .filter(|(_, part)| known(part, name))
                    .map(|(at, _)| format!("components.schemas.{schema}.allOf[{at}].properties.{name}"));
                places.extend(here.into_iter().chain(inner));
            }
        }
        for place in &places {
            changes.push(("a name left out", remove(place), Some(place)));
            changes.push(("a name of another type", set(&format!("{place}.type"), json!("array")), Some(place)));
            changes.push(("a name of no type", set(place, json!({})), Some(place)));
        }
        let resting = resting_on(&scene.app, &description.id);
        let resting: Vec<&str> = resting.iter().map(String::as_str).collect();
        // Whose names were held to it.
        let mut held = BTreeSet::new();
        for (what, change, named) in changes {
            let what = format!("{}: the description has {what} {named:?}", scene.name);
            scene.change(change);
            let mut collected = baseline.clone();
            collected.extend(scene.collect_some(&scene.app, &resting).await);
            scene.restore();
            let after = scene.judge(&collected);
            compare(&what, &before, &after, trial);
            // What that one name carried is not kept without it, and passes nobody.
            if let Some(place) = named {
                let carried = carried_by(&description_body, &scene.app, &names, place);
                held.extend(carried.iter().cloned());
                for (dataset, name) in &carried {
                    let kept = collected[dataset].rows.iter().any(|row| at(&row.fields, name).is_some());
                    trial.case(!kept, || format!("{what}: {dataset} keeps {name}"));
                    for check in &scene.app.checks {
                        if !reads(&scene.app, &scene.program, check, dataset).iter().any(|read| overlap(read, name)) {
                            continue;
                        }
                        let passed = after.iter().find(|((id, _), verdict)| *id == check.id && **verdict == Verdict::Pass);
                        trial.case(passed.is_none(), || format!("{what}: {} passes all the same for {passed:?}", check.id));
                        trial.passes_forbidden += 1;
                    }
                }
            }
            // Nothing that the whole description carried is kept without it.
            if named.is_none() {
                for (dataset, name) in &names {
                    let kept = collected[dataset].rows.iter().any(|row| row.fields.get(name).is_some());
                    trial.case(!kept, || format!("{what}: {dataset} keeps {name}"));
                }
                for (check, verdict) in after.iter().filter(|((check, _), _)| rests_on_a_name(scene, check)) {
                    let explained = matches!(verdict, Verdict::NotEvaluated { .. });
                    trial.case(explained, || format!("{what}: {check:?} is {verdict:?}"));
                    trial.passes_forbidden += 1;
                }
            }
        }
        let unpublished = scene.name.ends_with("/unpublished");
        for (dataset, name) in names.difference(&held).filter(|_| !unpublished) {
            trial.case(false, || format!("{}: {dataset} {name} lies nowhere in the description", scene.name));
        }
    }
    trial.case(scene.verdicts().await == before, || format!("{}: a change of the description was left behind", scene.name));
}

/// The kept fields whose names are known from a description alone, with their datasets.
fn published_fields(app: &App) -> impl Iterator<Item = (String, String)> {
    app.datasets
        .iter()
        .flat_map(|dataset| dataset.keep.iter().filter(|(_, keep)| keep.published).map(|(path, _)| (dataset.id.clone(), path.0.clone())))
}

/// Whether a check, directly or through its view, reads a field that is known from a description alone.
fn rests_on_a_name(scene: &Scene, check: &str) -> bool {
    let check = scene.app.check(check).unwrap();
    published_fields(&scene.app).any(|(dataset, name)| {
        reads(&scene.app, &scene.program, check, &dataset).iter().any(|read| overlap(read, &name))
            && scene.app.inputs(check).contains(&dataset.as_str())
    })
}

/// A tenant's description, as it is answered.
fn description_of(scene: &Scene, description: &str) -> Value {
    let tenants = Catalog::built_in().unwrap().sandbox_tenants(&scene.app.slug).unwrap();
    let tenant = tenants.into_iter().find(|tenant| scene.name.ends_with(&format!("/{}", tenant.id))).unwrap();
    let path = &scene.app.dataset(description).unwrap().path;
    tenant.answers.into_iter().find(|answer| answer.path == *path).unwrap().body
}

/// The kept fields whose name a description holds at that place (`components.schemas.User.allOf[1].properties.role`): those
/// where the answer's schema, followed through references and parts from the rows down, leads through it.
///
/// Told from the description's text alone, by another way than the connector goes.
fn carried_by(description: &Value, app: &App, names: &BTreeSet<(String, String)>, place: &str) -> Vec<(String, String)> {
    let placed = format!("/{}", place.replace('[', "/").replace(']', "").replace('.', "/"));
    let mut carried = Vec::new();
    for (id, name) in names {
        let dataset = app.dataset(id).unwrap();
        let operation = description["paths"].as_object().unwrap().iter().find(|(path, item)| {
            let alike = path
                .split('/')
                .zip(dataset.path.split('/'))
                .all(|(one, other)| one == other || (one.starts_with('{') && other.starts_with('{')));
            alike && path.split('/').count() == dataset.path.split('/').count() && item.get("get").is_some()
        });
        let Some((path, _)) = operation else { continue };
        let answer = format!("/paths/{}/get/responses/200/content/application~1json/schema", path.replace('~', "~0").replace('/', "~1"));
        let whole = if dataset.rows.is_empty() { name.clone() } else { format!("{}.{name}", dataset.rows) };
        let mut here = BTreeSet::from([answer]);
        let mut through = false;
        for step in whole.split('.') {
            let member = step.trim_end_matches("[]");
            here = parts(description, here).iter().map(|part| format!("{part}/properties/{member}")).collect();
            here.retain(|pointer| description.pointer(pointer).is_some());
            through = here.contains(&placed);
            for _ in 0..step.matches("[]").count() {
                here = parts(description, here).iter().map(|part| format!("{part}/items")).collect();
            }
        }
        if through {
            carried.push((id.clone(), name.clone()));
        }
    }
    carried
}

/// The schemas at those places, what they refer to and what they are made of, as pointers into the description.
fn parts(description: &Value, places: BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut ahead: Vec<String> = places.into_iter().collect();
    while let Some(place) = ahead.pop() {
        let Some(schema) = description.pointer(&place) else { continue };
        if !found.insert(place.clone()) {
            continue;
        }
        ahead.extend(schema.get("$ref").and_then(Value::as_str).map(|to| to.trim_start_matches('#').to_owned()));
        for kind in ["allOf", "oneOf", "anyOf"] {
            let count = schema.get(kind).and_then(Value::as_array).map_or(0, Vec::len);
            ahead.extend((0..count).map(|at| format!("{place}/{kind}/{at}")));
        }
    }
    found
}

/// What lies at a dotted path of a row.
fn at<'v>(fields: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(fields, |value, name| value.get(name))
}

/// Each kept field of each dataset, and each object around one: missing, null, of another type, of an unknown value; in all
/// rows and in the first.
async fn mutations(scene: &Scene, baseline: &Read, own: &BTreeSet<String>, trial: &mut Trial) {
    let whole = scene.judge(baseline);
    // What is kept of a description does not lie in its answer: see `descriptions`.
    for dataset in scene.app.datasets.iter().filter(|dataset| dataset.form == Form::Data && own.contains(&dataset.id)) {
        let resting = resting_on(&scene.app, &dataset.id);
        let court = Court::over(scene, &resting);
        let before = court.judge(scene, baseline);
        let resting: Vec<&str> = resting.iter().map(String::as_str).collect();
        let leaves = leaves(dataset.keep.iter().map(|(path, keep)| (path.0.clone(), keep)).collect());
        let mut damages: Vec<(String, bool, Vec<Damage>)> =
            leaves.iter().map(|(path, keep)| (path.clone(), keep.absent.is_some(), damages_of(keep, dataset))).collect();
        for parent in parents(&leaves) {
            let documented = leaves.iter().any(|(path, keep)| keep.absent.is_some() && path.starts_with(&format!("{parent}.")));
            damages.push((parent, documented, vec![("deleted", None), ("null", Some(Value::Null)), ("a text", Some(json!("x")))]));
        }
        for (path, documented, damages) in damages {
            let root = match dataset.rows.as_str() {
                "" => path.clone(),
                // The rows are single values.
                rows if path == Dataset::VALUE && !scene.has_field(&dataset.id, &format!("{rows}.{path}")) => rows.to_owned(),
                rows => format!("{rows}.{path}"),
            };
            let places = if dataset.rows.contains("[]") { vec![root.clone(), root.replacen("[]", "[0]", 1)] } else { vec![root.clone()] };
            for place in places {
                for (name, damage) in &damages {
                    let absence = matches!(*name, "deleted" | "null");
                    // That one row alone is damaged is tried once: which damage it is makes no other difference than in all rows.
                    if place != root && *name != "deleted" {
                        continue;
                    }
                    let (tenant, answer, field) = (scene.name.clone(), dataset.id.clone(), place.clone());
                    let change = match damage {
                        None => OverlayChange::Remove { tenant, answer, field },
                        Some(value) => OverlayChange::Set { tenant, answer, field, value: value.clone() },
                    };
                    // A tenant whose list is empty has no such field to damage; `every_read_field_was_damaged` sees to it
                    // that another one has.
                    if scene.sandbox.overlay().apply(change).is_err() {
                        continue;
                    }
                    trial.damaged.insert((dataset.id.clone(), path.clone()));
                    let mut collected = baseline.clone();
                    collected.extend(scene.collect_some(&scene.app, &resting).await);
                    let after = court.judge(scene, &collected);
                    scene.restore();
                    let what = format!("{}: {} {place} {name}", scene.name, dataset.id);
                    // What the vendor documents about null and absence is a fact, not damage: it may change a verdict either way.
                    if !(documented && absence) {
                        compare(&what, &before, &after, trial);
                        if place == root {
                            must_not_pass(scene, &court, &dataset.id, &path, &what, baseline, &collected, trial);
                        }
                    }
                }
            }
        }
    }
    trial.case(scene.verdicts().await == whole, || format!("{}: damage was left behind", scene.name));
}

/// The checks that rest on some datasets. What is damaged changes no input of the others, so they need not be judged again.
struct Court {
    program: assess::Program,
    checks: Vec<Check>,
}

impl Court {
    fn over(scene: &Scene, datasets: &BTreeSet<String>) -> Self {
        let mut app = App::clone(&scene.app);
        app.checks.retain(|check| check.kind != CheckKind::Manual && scene.app.inputs(check).iter().any(|input| datasets.contains(*input)));
        Self { program: assess::compile(&app).unwrap(), checks: app.checks }
    }

    fn evaluate(&self, scene: &Scene, read: &Read) -> Vec<assess::Judged> {
        self.program.evaluate(read, &scene.params, scene::today())
    }

    fn judge(&self, scene: &Scene, read: &Read) -> Verdicts {
        self.evaluate(scene, read).into_iter().map(|judged| ((judged.check, judged.row), judged.verdict)).collect()
    }
}

/// Every field that a check reads was damaged in some tenant; otherwise the cases above would say nothing about it.
fn every_read_field_was_damaged(app: &App, trial: &mut Trial) {
    let program = assess::compile(app).unwrap();
    for dataset in &app.datasets {
        for (path, _) in leaves(dataset.keep.iter().map(|(path, keep)| (path.0.clone(), keep)).collect()) {
            let read = app.checks.iter().any(|check| reads(app, &program, check, &dataset.id).iter().any(|read| overlap(read, &path)));
            if read {
                let damaged = trial.damaged.contains(&(dataset.id.clone(), path.clone()));
                trial.case(damaged, || format!("{} {path} is in no tenant's answers", dataset.id));
            }
        }
    }
}

/// What a check reads of a dataset's rows, directly or through its view.
fn reads(app: &App, program: &assess::Program, check: &Check, dataset: &str) -> Vec<String> {
    let (mut by_rule, by_view) = read_by(app, program, check, dataset);
    by_rule.extend(by_view);
    by_rule
}

/// What a check's expressions read of the rows that a verdict rests on, and what its view reads of every row there is.
fn read_by(app: &App, program: &assess::Program, check: &Check, dataset: &str) -> (Vec<String>, Vec<String>) {
    let own = || program.reads(&check.id).iter().map(|read| read.0.clone()).collect::<Vec<_>>();
    if check.on == dataset {
        return (own(), Vec::new());
    }
    let Some(view) = app.view(&check.on) else { return (Vec::new(), Vec::new()) };
    let (mut by_rule, mut by_view) = (Vec::new(), Vec::new());
    if view.from == dataset {
        by_view.extend(view.filter.iter().map(|condition| condition.field.0.clone()));
        by_view.extend(view.joins.iter().map(|join| join.left.0.clone()));
        match &view.shape {
            ViewShape::Rows => by_rule.extend(own()),
            ViewShape::FirstBy { by, order, .. } => {
                by_rule.extend(own());
                by_view.extend(by.iter().chain([order]).map(|path| path.0.clone()));
            }
            ViewShape::Pivot { by, value, .. } => by_view.extend([by.0.clone(), value.0.clone()]),
            ViewShape::CountWhere { counts } => {
                by_view.extend(counts.iter().flat_map(|(_, conditions)| conditions).map(|condition| condition.field.0.clone()))
            }
            ViewShape::GroupBy { by, counts } => {
                by_view.extend(by.iter().map(|path| path.0.clone()));
                by_view.extend(counts.iter().flat_map(|(_, conditions)| conditions).map(|condition| condition.field.0.clone()));
            }
        }
    }
    for join in view.joins.iter().filter(|join| join.dataset == dataset) {
        by_view.push(join.right.0.clone());
        by_view.extend(join.filter.iter().map(|condition| condition.field.0.clone()));
        let through = format!("{}[].", join.name);
        by_rule.extend(own().iter().filter_map(|path| path.strip_prefix(&through).map(str::to_owned)));
    }
    (by_rule, by_view)
}

/// Whether one path is the other or leads into it.
fn overlap(one: &str, other: &str) -> bool {
    let leads =
        |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']));
    leads(one, other) || leads(other, one)
}

/// A field that a check reads leaves no pass where it was damaged: of an expression, on the rows that changed by it (a row
/// without headers has no name of a header to damage); of a view, on none at all.
#[allow(clippy::too_many_arguments)]
fn must_not_pass(scene: &Scene, court: &Court, dataset: &str, path: &str, what: &str, before: &Read, after: &Read, trial: &mut Trial) {
    let rows = |read: &Read| -> BTreeMap<RowKey, Row> { read[dataset].rows.iter().map(|row| (row.key.clone(), row.clone())).collect() };
    let (before, damaged) = (rows(before), rows(after));
    let changed: BTreeSet<&RowKey> = damaged.iter().filter(|(key, row)| before.get(*key) != Some(*row)).map(|(key, _)| key).collect();
    if changed.is_empty() {
        return;
    }
    let judged = court.evaluate(scene, after);
    for check in &court.checks {
        let (by_rule, by_view) = read_by(&scene.app, &court.program, check, dataset);
        let by_view = by_view.iter().any(|read| overlap(read, path));
        if !by_view && !by_rule.iter().any(|read| overlap(read, path)) {
            continue;
        }
        let passed = judged.iter().find(|judged| {
            let rests = judged.inputs.iter().any(|(of, key)| of == dataset && changed.contains(key));
            judged.check == check.id && judged.verdict == Verdict::Pass && (by_view || rests)
        });
        trial.passes_forbidden += 1;
        trial.case(passed.is_none(), || format!("{what}: {} passes all the same for {:?}", check.id, passed.map(|judged| &judged.row)));
    }
}

/// Each dataset answered with each fault, in pages so short that every list has several.
async fn faults(scene: &Scene, own: &BTreeSet<String>, trial: &mut Trial) {
    let app = in_short_pages(&scene.app);
    let baseline = scene.collect_as(&app).await;
    let before = scene.judge(&baseline);
    trial.case(before == scene.verdicts().await, || format!("{}: shorter pages change a verdict", scene.name));
    let status = |status| Fault::Status { status, retry_after: (status == 429).then_some(3600) };
    let foreign = |body| Fault::Foreign { body };
    // Name, fault, from which page, and whether it may leave the dataset whole.
    let faults = [
        ("401", status(401), None, false),
        ("402", status(402), None, false),
        ("403", status(403), None, false),
        ("404", status(404), None, false),
        ("429", status(429), None, false),
        ("500", status(500), None, false),
        ("HTML", Fault::Html, None, false),
        ("half a JSON", Fault::HalfJson, None, false),
        ("nested 100,000 deep", Fault::DeepJson { depth: 100_000 }, None, false),
        ("cut", Fault::Cut, None, false),
        ("a foreign object", foreign(json!({"message": "try later"})), None, false),
        ("second page cut", Fault::Cut, Some(2), false),
        ("second page 500", status(500), Some(2), false),
        ("second page HTML", Fault::Html, Some(2), false),
        ("second page 401", status(401), Some(2), false),
        ("second page half a JSON", Fault::HalfJson, Some(2), false),
        ("second page a foreign object", foreign(json!({"message": "try later"})), Some(2), false),
        // Other bodies that are no page of the list are held over every style of pages by the wire's own tests.
        ("pages in a circle", Fault::CirclePages, None, false),
        // Where only the rows of a page come again, none is missing.
        ("a page twice", Fault::RepeatPage, None, true),
    ];
    for dataset in app.datasets.iter().filter(|dataset| own.contains(&dataset.id)) {
        let resting = resting_on(&app, &dataset.id);
        let court = Court::over(scene, &resting);
        let before = court.judge(scene, &baseline);
        let resting: Vec<&str> = resting.iter().map(String::as_str).collect();
        let paged = dataset.pagination != Pagination::None && baseline[&dataset.id].rows.len() > PAGE as usize && dataset.each.is_none();
        for (name, fault, from_page, may_be_whole) in &faults {
            // What befalls later pages has nothing to befall where there is one.
            let of_pages = from_page.is_some() || matches!(fault, Fault::CirclePages | Fault::RepeatPage);
            if of_pages && !paged {
                continue;
            }
            scene.change(OverlayChange::Fault {
                tenant: scene.name.clone(),
                answer: Some(dataset.id.clone()),
                fault: fault.clone(),
                times: None,
                from_page: *from_page,
            });
            let mut collected = baseline.clone();
            collected.extend(scene.collect_some(&app, &resting).await);
            let after = court.judge(scene, &collected);
            scene.restore();
            // A host that asked to wait for an hour has to be waited for. No longer than that: what is new grows old, and a session
            // that cannot be renewed ends.
            if *name == "429" {
                scene.clock.pass(jiff::SignedDuration::from_mins(61));
            }
            let what = format!("{}: {} answered {name}", scene.name, dataset.id);
            compare(&what, &before, &after, trial);
            let read = &collected[&dataset.id];
            // An object may hold anything: which of its fields are missing is said of its row, and judged there.
            let of_row = dataset.kind == DatasetKind::Object && matches!(fault, Fault::Foreign { .. });
            trial.case(*may_be_whole || of_row || !read.completeness.is_complete(), || format!("{what} and is taken for whole"));
            // Every row of a dataset that was not read at all: no check on it may pass.
            if !read.completeness.is_complete() && read.rows.is_empty() {
                for check in court.checks.iter().filter(|check| scene.app.inputs(check).contains(&dataset.id.as_str())) {
                    let has = |wanted: fn(&Verdict) -> bool| after.iter().any(|((id, _), verdict)| *id == check.id && wanted(verdict));
                    let passed = has(|verdict| *verdict == Verdict::Pass);
                    let explained = has(|verdict| matches!(verdict, Verdict::NotEvaluated { .. }));
                    trial.case(!passed && explained, || format!("{what}: {} is not Not evaluated", check.id));
                }
            }
        }
    }
    let after = scene.verdicts().await;
    let differing =
        before.iter().find(|(key, verdict)| after.get(*key) != Some(*verdict)).map(|(key, verdict)| (key, verdict, after.get(key)));
    trial.case(after == before, || format!("{}: a fault was left behind: {differing:?}", scene.name));
}

/// The rows of every list in another order: the same verdicts.
async fn order(scene: &Scene, trial: &mut Trial) {
    let app = in_short_pages(&scene.app);
    let before = scene.verdicts().await;
    // A list of which only the newest count has to come in its order.
    let any_order = |dataset: &&Dataset| dataset.recent.is_none() && dataset.form == Form::Data;
    for seed in [1, 7, 4711] {
        for dataset in app.datasets.iter().filter(any_order) {
            scene.change(OverlayChange::Fault {
                tenant: scene.name.clone(),
                answer: Some(dataset.id.clone()),
                fault: Fault::Shuffle { seed },
                times: None,
                from_page: None,
            });
        }
        let after = scene.judge(&scene.collect_as(&app).await);
        scene.restore();
        let differing = before.iter().find(|(key, verdict)| after.get(*key) != Some(*verdict));
        trial.case(after == before, || format!("{}: in another order (seed {seed}) verdicts differ: {differing:?}", scene.name));
    }
}

/// Rows of a page where several pages are wanted.
const PAGE: u32 = 2;

/// The application, asked for in pages of two rows.
fn in_short_pages(app: &App) -> App {
    let mut app = app.clone();
    for dataset in &mut app.datasets {
        dataset.pagination.set_size(PAGE);
    }
    app
}

/// A dataset and those that are read per row of it, are proved whole by it or are held against it as a description.
fn resting_on(app: &App, dataset: &str) -> BTreeSet<String> {
    let mut resting = BTreeSet::from([dataset.to_owned()]);
    loop {
        let before = resting.len();
        for dataset in &app.datasets {
            let parent = match dataset.each.as_ref().map(|each| &each.over) {
                Some(EachOver::Dataset { id, .. }) => resting.contains(id),
                Some(EachOver::Field(_)) | None => false,
            };
            let described = dataset.published_by.as_ref().is_some_and(|by| resting.contains(&by.dataset));
            if parent || described || dataset.probes.iter().filter_map(|probe| probe.dataset()).any(|probe| resting.contains(probe)) {
                resting.insert(dataset.id.clone());
            }
        }
        if resting.len() == before {
            return resting;
        }
    }
}

/// No verdict is better than before, and no failure is lost without a word.
fn compare(what: &str, before: &Verdicts, after: &Verdicts, trial: &mut Trial) {
    let passes =
        |verdicts: &Verdicts, check: &str| verdicts.iter().filter(|((id, _), verdict)| id == check && **verdict == Verdict::Pass).count();
    for ((check, row), verdict) in after {
        let earlier = before.get(&(check.clone(), row.clone()));
        let better = match (verdict, earlier) {
            (Verdict::Pass, Some(earlier)) => *earlier != Verdict::Pass,
            // A row under another name (its key was damaged) may not add a pass.
            (Verdict::Pass, None) => passes(after, check) > passes(before, check),
            (Verdict::NotApplicable { .. }, Some(earlier)) => *earlier == Verdict::Fail,
            (Verdict::NotApplicable { .. }, None) => {
                *row == RowKey::default() && before.iter().any(|((id, _), earlier)| id == check && *earlier == Verdict::Fail)
            }
            (Verdict::Fail | Verdict::NotEvaluated { .. } | Verdict::Manual | Verdict::Observed, _) => false,
        };
        trial.case(!better, || format!("{what}: {check} {row:?} went from {earlier:?} to {verdict:?}"));
    }
    for (check, row) in before.iter().filter(|(_, verdict)| **verdict == Verdict::Fail).map(|(key, _)| key) {
        let there = after.contains_key(&(check.clone(), row.clone()));
        let explained = matches!(after.get(&(check.clone(), RowKey::default())), Some(Verdict::NotEvaluated { .. }));
        trial.case(there || explained, || format!("{what}: the failure of {check} {row:?} is lost without a word"));
    }
}

/// The leaves of what is kept, as paths from the row.
fn leaves(fields: Vec<(String, &Keep)>) -> Vec<(String, &Keep)> {
    let mut found = Vec::new();
    let inside =
        |path: &str, inner: &'_ BTreeMap<String, Keep>| -> Vec<String> { inner.keys().map(|name| format!("{path}.{name}")).collect() };
    for (path, keep) in fields {
        match &keep.ty {
            Type::Object(inner) => found.extend(leaves(inside(&path, inner).into_iter().zip(inner.values()).collect())),
            Type::List(element) => {
                if let Type::Object(inner) = &**element {
                    found.extend(leaves(inside(&format!("{path}[]"), inner).into_iter().zip(inner.values()).collect()));
                }
                found.push((path, keep));
            }
            Type::Bool | Type::Int | Type::Number | Type::String | Type::Id | Type::Timestamp(_) | Type::Enum(_) | Type::Map(_) => {
                found.push((path, keep))
            }
        }
    }
    found
}

/// The objects around the leaves, but for lists.
fn parents(leaves: &[(String, &Keep)]) -> BTreeSet<String> {
    let mut parents = BTreeSet::new();
    for (path, _) in leaves {
        for (at, _) in path.match_indices('.') {
            if !path[..at].ends_with("[]") {
                parents.insert(path[..at].to_owned());
            }
        }
    }
    parents
}

/// Every damage to a field of that kind.
fn damages_of(keep: &Keep, dataset: &Dataset) -> Vec<Damage> {
    let values = dataset.values;
    // What travels as text whatever it is (SQL results, XML) has no other type to be damaged to.
    let only_text = values == Values::Text
        && matches!(dataset.protocol, catalog::Protocol::SnowflakeSql { .. } | catalog::Protocol::SalesforceMetadata { .. });
    let mut all = vec![("deleted", None), ("null", Some(Value::Null))];
    match &keep.ty {
        // Where every value is text, "true" is one.
        Type::Bool if values == Values::Text => all.extend([("a text", Some(json!("perhaps"))), ("no text", Some(json!("")))]),
        Type::Bool => all.extend([("a text", Some(json!("true"))), ("a number", Some(json!(1)))]),
        Type::Int | Type::Number => all.extend([("a text", Some(json!("many"))), ("a bool", Some(json!(true)))]),
        Type::String | Type::Id if only_text => {}
        Type::String | Type::Id => all.extend([("an object", Some(json!({"a": 1}))), ("a bool", Some(json!(true)))]),
        Type::Timestamp(_) => all.extend([("no time", Some(json!("not a time"))), ("a bool", Some(json!(true)))]),
        Type::Enum(_) => all.extend([("an unknown value", Some(json!("zz-unknown"))), ("a bool", Some(json!(true)))]),
        Type::List(_) => all.extend([("a text", Some(json!("x"))), ("a list of objects of another kind", Some(json!([{"zz": 1}])))]),
        Type::Map(_) => all.extend([("a list", Some(json!([])))]),
        Type::Object(_) => {}
    }
    all
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::NotApplicable { .. } => "not applicable",
        Verdict::NotEvaluated { .. } => "not evaluated",
        Verdict::Manual => "manual",
        Verdict::Observed => "observed",
    }
}
