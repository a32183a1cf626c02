//! The compiled checks and views of one application, and their evaluation.

use crate::analysis::{self, Wanted};
use crate::path::{Path, Step};
use crate::shape::Shape;
use crate::value::{Steps, Typed};
use crate::views::{self, CompiledView, Derived};
use crate::{Judged, Params, gate, inventory, language};
use catalog::{
    App, Cause, CauseKind, Check, CheckKind, Collected, Completeness, DatasetKind, FieldPath, LoadError, OnEmpty, Param, ParamType,
    ParamValue, Place, Row, RowKey, Verdict,
};
use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelString, CelTimestamp};
use cel::common::value::CowVal;
use cel::{Context, Env, ExecutionError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Characters that one expression may have.
const EXPRESSION: usize = 4_000;
/// Values that a judged row carries as evidence.
const EVIDENCE: usize = 200;
/// Values that are listed as the current value of a check without `current`.
const LISTED: usize = 8;
/// Characters of one value listed.
const LISTED_LENGTH: usize = 120;

/// The compiled checks and views of one application.
pub struct Program {
    pub(crate) env: Arc<Env>,
    checks: Vec<Compiled>,
    by_id: HashMap<String, usize>,
    pub(crate) shapes: BTreeMap<String, Shape>,
    pub(crate) views: Vec<CompiledView>,
    pub(crate) inventories: Vec<inventory::Compiled>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("checks", &self.by_id.len()).field("views", &self.views.len()).finish_non_exhaustive()
    }
}

/// Why a view has no rows to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The application has no view of that id.
    #[error("There is no view {0}. Name one that datasets.toml declares.")]
    Unknown(String),
    /// Something it rests on was not read, or a field it compares is not there in every row.
    #[error("{} {}", .0.sentence, .0.remedy)]
    NotEvaluated(Cause),
}

struct Compiled {
    id: String,
    kind: CheckKind,
    target: Target,
    otherwise: String,
    recommended: String,
    params: BTreeMap<String, Param>,
    /// Parameters that an expression reads.
    needed: BTreeSet<String>,
    when: Option<IdedExpr>,
    pass: Option<IdedExpr>,
    current: Option<IdedExpr>,
    /// What must be readable before `when`.
    when_reads: Vec<Path>,
    /// What must be readable before `pass`: what it reads, and what `current` reads.
    pass_reads: Vec<Path>,
    /// All of them, for those who ask.
    reads: Vec<FieldPath>,
}

enum Target {
    /// Manual checks.
    Nothing,
    Dataset {
        id: String,
        title: String,
        /// Whether it has rows of their own: a list, or an object that is read once per something.
        per_row: bool,
        on_empty: OnEmpty,
    },
    View(usize),
}

/// Compiles all checks and views of an application, and holds each against what `keep` declares.
///
/// # Errors
/// Everything that is wrong, with file and line: a view that names what is not there, an expression that does not parse,
/// reads what is not kept, is ill-typed, or speaks of absence (which `keep` declares once, with its source).
pub fn compile(app: &App) -> Result<Program, Vec<LoadError>> {
    let env = language::environment();
    let mut errors = Vec::new();
    let shapes: BTreeMap<String, Shape> =
        app.datasets.iter().map(|dataset| (dataset.id.clone(), Shape::of_dataset(app, dataset, CHAIN))).collect();
    let mut compiled_views = Vec::new();
    let mut broken = BTreeSet::new();
    for view in &app.views {
        match views::compile(app, view, &shapes) {
            Ok(view) => compiled_views.push(view),
            Err(sentences) => {
                broken.insert(view.id.as_str());
                errors.extend(
                    sentences
                        .into_iter()
                        .map(|sentence| LoadError { place: view.place.clone(), sentence: format!("view {}: {sentence}", view.id) }),
                );
            }
        }
    }
    let mut program = Program { env, checks: Vec::new(), by_id: HashMap::new(), shapes, views: compiled_views, inventories: Vec::new() };
    for check in &app.checks {
        if broken.contains(check.on.as_str()) {
            continue;
        }
        match program.compile_check(app, check) {
            Ok(compiled) => {
                if program.by_id.insert(compiled.id.clone(), program.checks.len()).is_some() {
                    errors.push(error(&check.place, &check.id, "another check has this id; give it one of its own".to_owned()));
                }
                program.checks.push(compiled);
            }
            Err(sentences) => errors.extend(sentences.into_iter().map(|sentence| error(&check.place, &check.id, sentence))),
        }
    }
    for table in &app.inventories {
        match inventory::compile(&program, app, table) {
            Ok(compiled) => program.inventories.extend(compiled),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// Datasets that may follow one from another by `for_each`.
const CHAIN: u8 = 8;

fn error(place: &Place, check: &str, sentence: String) -> LoadError {
    LoadError { place: place.clone(), sentence: format!("{check}: {sentence}") }
}

impl Program {
    /// Every field that the expressions of a check read (`when`, `pass` and `current`), relative to the row, sorted;
    /// derived from the syntax trees. Empty for a manual check and for a check that is not there.
    pub fn reads(&self, check_id: &str) -> &[FieldPath] {
        self.by_id.get(check_id).map_or(&[], |index| self.checks[*index].reads.as_slice())
    }

    /// Judges every check over everything collected, as of a time. In the order of the checks, then of the row keys.
    pub fn evaluate(&self, collected: &BTreeMap<String, Collected>, params: &Params, as_of: jiff::Timestamp) -> Vec<Judged> {
        self.judge(self.checks.iter(), collected, params, as_of)
    }

    /// Judges one check, in the order of the row keys; nothing for a check that is not there.
    pub fn evaluate_check(
        &self,
        check_id: &str,
        collected: &BTreeMap<String, Collected>,
        params: &Params,
        as_of: jiff::Timestamp,
    ) -> Vec<Judged> {
        self.judge(self.by_id.get(check_id).map(|index| &self.checks[*index]).into_iter(), collected, params, as_of)
    }

    /// The rows of a view, in the order of their keys, for a screen to show.
    ///
    /// # Errors
    /// [`ViewError::Unknown`] or, when an input is not complete or a field is missing, [`ViewError::NotEvaluated`].
    pub fn view(&self, id: &str, collected: &BTreeMap<String, Collected>) -> Result<Collected, ViewError> {
        let view = self.views.iter().find(|view| view.id == id).ok_or_else(|| ViewError::Unknown(id.to_owned()))?;
        let derived = view.compute(collected).map_err(ViewError::NotEvaluated)?;
        Ok(Collected { rows: derived.into_iter().map(|derived| derived.row.into_owned()).collect(), completeness: Completeness::Complete })
    }

    fn compile_check(&self, app: &App, check: &Check) -> Result<Compiled, Vec<String>> {
        let mut wrong = params_wrong(&check.params);
        wrong.extend(
            placeholders(&check.recommended)
                .filter(|name| !check.params.contains_key(*name))
                .map(|name| format!("recommended names {{params.{name}}}, which is not a parameter of this check")),
        );
        let mut compiled = Compiled {
            id: check.id.clone(),
            kind: check.kind,
            target: Target::Nothing,
            otherwise: check.otherwise.clone(),
            recommended: check.recommended.clone(),
            params: check.params.clone(),
            needed: BTreeSet::new(),
            when: None,
            pass: None,
            current: None,
            when_reads: Vec::new(),
            pass_reads: Vec::new(),
            reads: Vec::new(),
        };
        let no_rows = Shape::object();
        let shape = match check.kind {
            CheckKind::Manual => {
                for (name, source) in [("on", &check.on), ("when", &check.when), ("pass", &check.pass), ("current", &check.current)] {
                    if !source.trim().is_empty() {
                        wrong.push(format!("a manual check is attested, not computed; leave out `{name}`"));
                    }
                }
                return if wrong.is_empty() { Ok(compiled) } else { Err(wrong) };
            }
            CheckKind::Check | CheckKind::Observed => {
                if let Some(dataset) = app.dataset(&check.on) {
                    compiled.target = Target::Dataset {
                        id: dataset.id.clone(),
                        title: dataset.title.clone(),
                        per_row: dataset.kind == DatasetKind::List || dataset.each.is_some(),
                        on_empty: dataset.on_empty,
                    };
                    self.shapes.get(&dataset.id).unwrap_or(&no_rows)
                } else if let Some(index) = self.views.iter().position(|view| view.id == check.on) {
                    compiled.target = Target::View(index);
                    &self.views[index].shape
                } else {
                    wrong.push(format!("`on` names `{}`, which is neither a dataset nor a view", check.on));
                    return Err(wrong);
                }
            }
        };
        let mut all = BTreeSet::new();
        let mut gated = BTreeSet::new();
        let mut expression = |name: &str, source: &str, wanted: Wanted| -> Option<(IdedExpr, BTreeSet<Path>)> {
            if source.trim().is_empty() {
                return None;
            }
            match self.expression(source, shape, &check.params, wanted) {
                Ok((expr, reading)) => {
                    compiled.needed.extend(reading.params);
                    all.extend(reading.fields.iter().map(Path::field_path));
                    Some((expr, reading.fields))
                }
                Err(sentences) => {
                    wrong.extend(sentences.into_iter().map(|sentence| format!("`{name}`: {sentence}")));
                    None
                }
            }
        };
        if let Some((expr, fields)) = expression("when", &check.when, Wanted::Bool) {
            compiled.when_reads = fields.into_iter().collect();
            compiled.when = Some(expr);
        }
        let mut reads_nothing = false;
        if let Some((expr, fields)) = expression("pass", &check.pass, Wanted::Bool) {
            reads_nothing = fields.is_empty();
            gated.extend(fields);
            compiled.pass = Some(expr);
        }
        if let Some((expr, fields)) = expression("current", &check.current, Wanted::Text) {
            gated.extend(fields);
            compiled.current = Some(expr);
        }
        if check.pass.trim().is_empty() {
            wrong.push("`pass` is missing; write what must be true of `row`".to_owned());
        }
        if reads_nothing {
            wrong.push("`pass` reads no field of `row`, so it says nothing about what was read".to_owned());
        }
        if !check.when.trim().is_empty() && check.otherwise.trim().is_empty() {
            wrong.push("`when` needs `otherwise`, the reason that is shown where it is false".to_owned());
        }
        compiled.pass_reads = gated.into_iter().collect();
        compiled.reads = all.into_iter().collect();
        if wrong.is_empty() { Ok(compiled) } else { Err(wrong) }
    }

    pub(crate) fn expression(
        &self,
        source: &str,
        row: &Shape,
        params: &BTreeMap<String, Param>,
        wanted: Wanted,
    ) -> Result<(IdedExpr, analysis::Reading), Vec<String>> {
        if source.chars().count() > EXPRESSION {
            return Err(vec![format!("it is longer than {EXPRESSION} characters; add a view that does a part of the work")]);
        }
        let parsed = self.env.compile(source).map_err(|errors| {
            errors
                .errors
                .iter()
                .map(|error| format!("it does not parse at line {}, column {}: {}", error.pos.0, error.pos.1, error.msg))
                .collect::<Vec<_>>()
        })?;
        let mut expr = parsed.expression().clone();
        let reading = analysis::read(&expr, row, params, wanted)?;
        language::prepare(&mut expr);
        Ok((expr, reading))
    }

    fn judge<'p>(
        &'p self,
        checks: impl Iterator<Item = &'p Compiled>,
        collected: &BTreeMap<String, Collected>,
        params: &Params,
        as_of: jiff::Timestamp,
    ) -> Vec<Judged> {
        let mut rows: HashMap<&str, Vec<Result<&Row, &Row>>> = HashMap::new();
        let mut computed: HashMap<usize, Result<Vec<Derived<'_>>, Cause>> = HashMap::new();
        let mut judged = Vec::new();
        for check in checks {
            let judging = match Judging::new(self, check, params, as_of) {
                Ok(judging) => judging,
                Err(NoValue { name, recommended }) => {
                    judged.push(alone(check, recommended, Verdict::NotEvaluated { cause: unset(&check.params, &name) }));
                    continue;
                }
            };
            match &check.target {
                Target::Nothing => judged.push(judging.alone(Verdict::Manual)),
                Target::View(index) => {
                    let view = &self.views[*index];
                    match computed.entry(*index).or_insert_with(|| view.compute(collected)) {
                        Err(cause) => judged.push(judging.not_evaluated(cause.clone())),
                        Ok(derived) if derived.is_empty() => judged.extend(judging.none()),
                        Ok(derived) => judging.rows(
                            derived.iter().map(|derived| Subject {
                                row: &derived.row,
                                ambiguous: false,
                                inputs: Inputs::Many(&derived.inputs),
                            }),
                            &view.shape,
                            true,
                            &mut judged,
                        ),
                    }
                }
                Target::Dataset { id, title, per_row, on_empty } => {
                    let Some(found) = collected.get(id) else {
                        judged.push(judging.not_evaluated(views::not_read(title)));
                        continue;
                    };
                    let complete = match (&found.completeness, per_row) {
                        (Completeness::Complete, _) => true,
                        (Completeness::Unavailable(cause), _) | (Completeness::Partial(cause), false) => {
                            judged.push(judging.not_evaluated(cause.clone()));
                            continue;
                        }
                        (Completeness::Partial(cause), true) => {
                            judged.push(judging.not_evaluated(cause.clone()));
                            false
                        }
                    };
                    if found.rows.is_empty() {
                        match (complete, on_empty) {
                            (true, OnEmpty::None) => judged.extend(judging.none()),
                            (true, OnEmpty::Unknown) => judged.push(judging.not_evaluated(views::empty(title))),
                            (false, _) => {}
                        }
                        continue;
                    }
                    let rows = rows.entry(id).or_insert_with(|| views::distinct(&found.rows));
                    let subjects = rows.iter().map(|row| {
                        let (Ok(found) | Err(found)) = *row;
                        Subject { row: found, ambiguous: row.is_err(), inputs: Inputs::One(id, &found.key) }
                    });
                    if let Some(shape) = self.shapes.get(id) {
                        judging.rows(subjects, shape, complete, &mut judged);
                    }
                }
            }
        }
        judged
    }
}

/// One row before a check.
struct Subject<'r> {
    row: &'r Row,
    /// Whether another row with the same key says otherwise.
    ambiguous: bool,
    inputs: Inputs<'r>,
}

enum Inputs<'r> {
    One(&'r str, &'r RowKey),
    Many(&'r [(&'r str, &'r RowKey)]),
}

impl Inputs<'_> {
    fn owned(&self) -> Vec<(String, RowKey)> {
        match self {
            Self::One(dataset, key) => vec![((*dataset).to_owned(), (*key).clone())],
            Self::Many(inputs) => inputs.iter().take(views::INPUTS).map(|(dataset, key)| ((*dataset).to_owned(), (*key).clone())).collect(),
        }
    }
}

/// One check with its parameters, ready for rows.
struct Judging<'p> {
    program: &'p Program,
    check: &'p Compiled,
    params: Value,
    recommended: String,
    now: Option<CelTimestamp>,
}

struct NoValue {
    name: String,
    recommended: String,
}

impl<'p> Judging<'p> {
    fn new(program: &'p Program, check: &'p Compiled, params: &Params, as_of: jiff::Timestamp) -> Result<Self, NoValue> {
        let set = params.get(&check.id);
        let mut values = Map::new();
        let mut missing = None;
        for (name, param) in &check.params {
            let value = set.and_then(|set| set.get(name)).or(param.default.as_ref()).filter(|value| allowed(param, value));
            match value {
                Some(value) => {
                    values.insert(name.clone(), json(value));
                }
                None if check.needed.contains(name) && missing.is_none() => missing = Some(name.clone()),
                None => {}
            }
        }
        let recommended = fill(&check.recommended, &values);
        if let Some(name) = missing {
            return Err(NoValue { name, recommended });
        }
        Ok(Self { program, check, params: Value::Object(values), recommended, now: now(as_of) })
    }

    fn alone(&self, verdict: Verdict) -> Judged {
        alone(self.check, self.recommended.clone(), verdict)
    }

    fn not_evaluated(&self, cause: Cause) -> Judged {
        self.alone(Verdict::NotEvaluated { cause })
    }

    /// Of nothing there is nothing to say; for events not even that.
    fn none(&self) -> Option<Judged> {
        match self.check.kind {
            CheckKind::Observed => None,
            CheckKind::Check | CheckKind::Manual => Some(self.alone(Verdict::NotApplicable { reason: "there are none".to_owned() })),
        }
    }

    fn rows<'r>(&self, subjects: impl Iterator<Item = Subject<'r>>, shape: &Shape, complete: bool, judged: &mut Vec<Judged>) {
        let steps = Steps::new();
        let mut context = Context::with_env(Arc::clone(&self.program.env));
        if let Some(now) = &self.now {
            context.add_variable_as_val("now", Box::new(now.clone()));
        }
        if !self.check.needed.is_empty() {
            context.add_variable_as_val("params", Typed { json: &self.params, shape: None, steps: &steps }.boxed());
        }
        // One row at a time is bound, so that a row's values live no longer than its turn.
        for subject in subjects {
            let outcome = self.row(&subject, shape, complete, &context, &steps);
            let Some((verdict, current, read)) = outcome else { continue };
            let mut evidence = Vec::new();
            for path in read {
                gather(&subject.row.fields, &path.0, &mut String::new(), &mut evidence);
            }
            let current = match (&verdict, current) {
                (_, Some(current)) => current,
                (Verdict::NotEvaluated { .. }, None) => String::new(),
                (Verdict::Pass | Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::Observed, None) => {
                    listed(&evidence)
                }
            };
            judged.push(Judged {
                check: self.check.id.clone(),
                row: subject.row.key.clone(),
                label: subject.row.label.clone(),
                verdict,
                current,
                recommended: self.recommended.clone(),
                evidence,
                inputs: subject.inputs.owned(),
            });
        }
    }

    /// The verdict on one row, its `current` if it was computed, and the paths that were looked at; `None` for an event
    /// that is none.
    fn row<'a>(
        &'a self,
        subject: &Subject<'_>,
        shape: &Shape,
        complete: bool,
        context: &Context<'_, '_>,
        steps: &Steps,
    ) -> Option<(Verdict, Option<String>, Vec<&'a Path>)> {
        let check = self.check;
        let row = subject.row;
        let both = || {
            let mut both: Vec<&Path> = check.when_reads.iter().chain(&check.pass_reads).collect();
            if !check.when_reads.is_empty() {
                both.sort_unstable();
                both.dedup();
            }
            both
        };
        let not_evaluated = |cause, read| Some((Verdict::NotEvaluated { cause }, None, read));
        if subject.ambiguous {
            return not_evaluated(views::ambiguous(), both());
        }
        let mut context = context.new_inner_scope();
        context.add_variable_as_val("row", Typed { json: &row.fields, shape: Some(shape), steps }.boxed());
        if let Some(when) = &check.when {
            if let Err(cause) = gate::pass(row, shape, &check.when_reads, complete) {
                return not_evaluated(cause, both());
            }
            match truth(when, &context, steps) {
                Err(cause) => return not_evaluated(cause, both()),
                Ok(false) => {
                    let observed = check.kind == CheckKind::Observed;
                    let reason = check.otherwise.clone();
                    return (!observed).then(|| (Verdict::NotApplicable { reason }, None, check.when_reads.iter().collect()));
                }
                Ok(true) => {}
            }
        }
        if let Err(cause) = gate::pass(row, shape, &check.pass_reads, complete) {
            return not_evaluated(cause, both());
        }
        let passed = match check.pass.as_ref().map(|pass| truth(pass, &context, steps)) {
            Some(Ok(passed)) => passed,
            Some(Err(cause)) => return not_evaluated(cause, both()),
            None => return not_evaluated(not_computed("it has no expression"), both()),
        };
        let verdict = match (check.kind, passed) {
            (CheckKind::Observed, true) => Verdict::Observed,
            (CheckKind::Observed, false) => return None,
            (CheckKind::Check, true) => Verdict::Pass,
            (CheckKind::Check, false) => Verdict::Fail,
            (CheckKind::Manual, _) => Verdict::Manual,
        };
        // How the current value is shown has no say in the verdict: where it cannot be computed, the fields are listed.
        let current = check
            .current
            .as_ref()
            .and_then(|current| compute(current, &context, steps).ok()?.downcast_ref::<CelString>().map(|text| text.inner().to_owned()));
        Some((verdict, current, both()))
    }
}

fn alone(check: &Compiled, recommended: String, verdict: Verdict) -> Judged {
    Judged {
        check: check.id.clone(),
        row: RowKey::default(),
        label: String::new(),
        verdict,
        current: String::new(),
        recommended,
        evidence: Vec::new(),
        inputs: Vec::new(),
    }
}

/// The time to judge by. Both clocks count from 1970; what neither can hold is refused when it is read.
pub(crate) fn now(as_of: jiff::Timestamp) -> Option<CelTimestamp> {
    chrono::DateTime::from_timestamp(as_of.as_second(), u32::try_from(as_of.subsec_nanosecond()).unwrap_or_default())
        .map(|now| CelTimestamp::from(now.fixed_offset()))
}

pub(crate) fn truth(expr: &IdedExpr, context: &Context<'_, '_>, steps: &Steps) -> Result<bool, Cause> {
    let value = compute(expr, context, steps)?;
    value
        .downcast_ref::<CelBool>()
        .map(|truth| *truth.inner())
        .ok_or_else(|| not_computed("it came to something that is neither true nor false"))
}

pub(crate) fn compute<'e, 'v>(expr: &'e IdedExpr, context: &'e Context<'_, 'v>, steps: &Steps) -> Result<CowVal<'e, 'v>, Cause> {
    steps.reset();
    let result = cel::Value::resolve_val(expr, context);
    if steps.exhausted() {
        return Err(not_computed("it would take too many steps for one row"));
    }
    result.map_err(|error| unclear(&error).unwrap_or_else(|| not_computed(reason(&error))))
}

/// The cause of a value whose meaning the check itself says not to know ([`language::UNCLEAR`]).
fn unclear(error: &ExecutionError) -> Option<Cause> {
    let ExecutionError::FunctionError { function, message } = error else { return None };
    (function == language::UNCLEAR).then(|| Cause {
        kind: CauseKind::UnknownValue,
        sentence: message.to_string(),
        remedy: "Look at the setting at the vendor. The practice is judged once the meaning of its value is confirmed.".to_owned(),
    })
}

/// Why an expression failed; the error's own text would hold values of the row.
#[allow(clippy::wildcard_enum_match_arm)] // The enum is another crate's and may grow.
fn reason(error: &ExecutionError) -> &'static str {
    match error {
        ExecutionError::Overflow(..) => "a number or time is out of range",
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero",
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than it expects",
        ExecutionError::NoSuchKey(_) => "a key that it expects is not there",
        ExecutionError::FunctionError { .. } => "a function was given a value that it cannot take",
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedBinaryOperator(..) => "a value is null or of a type that it does not expect",
        _ => "an expression failed",
    }
}

pub(crate) fn not_computed(why: &str) -> Cause {
    Cause {
        kind: CauseKind::Expression,
        sentence: format!("The check could not be computed for this row: {why}."),
        remedy: "Report this with the shape of the answer (`posture schema`).".to_owned(),
    }
}

fn unset(params: &BTreeMap<String, Param>, name: &str) -> Cause {
    let label = params.get(name).map(|param| param.label.as_str()).filter(|label| !label.is_empty()).unwrap_or(name);
    Cause {
        kind: CauseKind::InputMissing,
        sentence: format!("Set “{label}”: the check has no usable value for it."),
        remedy: format!("Set “{label}” in the settings of this check."),
    }
}

/// Whether a value is of the parameter's type and within its bounds.
fn allowed(param: &Param, value: &ParamValue) -> bool {
    match (param.ty, value) {
        (ParamType::Int, ParamValue::Int(int)) => param.min.is_none_or(|min| *int >= min) && param.max.is_none_or(|max| *int <= max),
        (ParamType::String, ParamValue::String(_))
        | (ParamType::Strings, ParamValue::Strings(_))
        | (ParamType::Bool, ParamValue::Bool(_)) => true,
        (ParamType::Int | ParamType::String | ParamType::Strings | ParamType::Bool, _) => false,
    }
}

fn params_wrong(params: &BTreeMap<String, Param>) -> Vec<String> {
    params
        .iter()
        .filter(|(_, param)| param.default.as_ref().is_some_and(|default| !allowed(param, default)))
        .map(|(name, _)| format!("the default of params.{name} is not of its type or not within its bounds"))
        .collect()
}

fn json(value: &ParamValue) -> Value {
    match value {
        ParamValue::Bool(bool) => Value::Bool(*bool),
        ParamValue::Int(int) => Value::from(*int),
        ParamValue::String(text) => Value::String(text.clone()),
        ParamValue::Strings(texts) => Value::from(texts.clone()),
    }
}

/// The names in `{params.name}`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{params.").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn fill(text: &str, values: &Map<String, Value>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in values {
        let placeholder = format!("{{params.{name}}}");
        if filled.contains(&placeholder) {
            let shown = match value {
                Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => shown(value),
            };
            filled = filled.replace(&placeholder, &shown);
        }
    }
    filled
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Collects the values at a path with the concrete path of each.
fn gather(json: &Value, steps: &[Step], path: &mut String, evidence: &mut Vec<(String, Value)>) {
    if evidence.len() >= EVIDENCE {
        return;
    }
    let Some((step, rest)) = steps.split_first() else {
        // A list or object that is only counted or run over: its parts have paths of their own.
        let value = match json {
            Value::Array(items) => Value::from(items.len()),
            Value::Object(members) => Value::from(members.len()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.clone(),
        };
        let path = if json.is_array() || json.is_object() { format!("size({path})") } else { path.clone() };
        evidence.push((path, value));
        return;
    };
    let length = path.len();
    match (step, json) {
        (Step::Field(name) | Step::Key(name), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                gather(member, rest, path, evidence);
            }
        }
        (Step::Elements, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                if rest.is_empty() && item.is_object() {
                    continue;
                }
                path.push_str(&format!("[{index}]"));
                gather(item, rest, path, evidence);
                path.truncate(length);
            }
        }
        (Step::Values, Value::Object(members)) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            for (key, member) in members {
                path.push('.');
                path.push_str(key);
                gather(member, rest, path, evidence);
                path.truncate(length);
            }
        }
        _ => {}
    }
    path.truncate(length);
}

fn listed(evidence: &[(String, Value)]) -> String {
    let mut parts: Vec<String> = evidence
        .iter()
        .take(LISTED)
        .map(|(path, value)| {
            let mut text = shown(value);
            if let Some((cut, _)) = text.char_indices().nth(LISTED_LENGTH) {
                text.truncate(cut);
                text.push('…');
            }
            format!("{path}: {text}")
        })
        .collect();
    if evidence.len() > LISTED {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}
