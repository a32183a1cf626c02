//! What an expression reads and whether it can be right, from its syntax tree alone.
//!
//! The tree is walked once with declared types in place of values. A chain of selections becomes one path; the variable
//! of a macro becomes the elements of the list it runs over. What is found ill-typed here would have been an error, or
//! a comparison that is never true, in every row.

use crate::language;
use crate::path::{Path, Step};
use crate::shape::{Kind, Shape};
use catalog::{OnEmpty, Param, ParamType};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How deep macros may be nested: what they cost is the product of the lists they run over.
const NESTING: u8 = 2;

/// What an expression must give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Text,
    /// A list of text.
    Texts,
    Time,
    /// Text that is one of these.
    Words(&'static [&'static str]),
}

/// What an expression rests on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// Fields, by path from the row.
    pub(crate) fields: BTreeSet<Path>,
    /// Parameters.
    pub(crate) params: BTreeSet<String>,
}

/// Walks an expression; what is wrong with it comes back as sentences.
pub(crate) fn read(expr: &IdedExpr, row: &Shape, params: &BTreeMap<String, Param>, wanted: Wanted) -> Result<Reading, Vec<String>> {
    let mut walk = Walk {
        params,
        scope: vec![("row".to_owned(), Abstract::Field { path: Path::default(), shape: row })],
        reading: Reading::default(),
        wrong: Vec::new(),
    };
    walk.scope.push(("now".to_owned(), Abstract::Of(Ty::Timestamp)));
    let result = walk.value(expr, 0);
    walk.consume(&result);
    let (class, name) = match wanted {
        Wanted::Bool => (Class::Bool, "true or false"),
        Wanted::Text | Wanted::Words(_) => (Class::Text, "text"),
        Wanted::Texts => (Class::List, "a list of text"),
        Wanted::Time => (Class::Timestamp, "a timestamp"),
    };
    let element = if wanted == Wanted::Texts { result.element() } else { None };
    if !result.class().fits(class) || element.is_some_and(|element| !element.class().fits(Class::Text)) {
        walk.wrong.push(format!("it gives {}; it must give {name}", result.describe()));
    } else if let (Wanted::Words(words), true) = (wanted, walk.wrong.is_empty()) {
        walk.outcomes(expr, words);
    }
    if walk.wrong.is_empty() { Ok(walk.reading) } else { Err(walk.wrong) }
}

/// What stands for a value while walking.
#[derive(Debug, Clone)]
enum Abstract<'s> {
    /// A part of the row, not read yet: a further selection may follow.
    Field { path: Path, shape: &'s Shape },
    /// Anything else.
    Of(Ty<'s>),
}

#[derive(Debug, Clone)]
enum Ty<'s> {
    Bool,
    Int,
    Double,
    Number,
    Text,
    Timestamp,
    Duration,
    Null,
    /// A key of the map at that path.
    KeyOf(Path),
    /// A list; `counted` when running over it, or what made it, uses up the steps of the evaluation.
    List {
        element: Box<Abstract<'s>>,
        counted: bool,
    },
    Map,
    /// After an error: nothing more is said about it.
    Any,
}

/// Types as operators see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Bool,
    Int,
    Double,
    Number,
    Text,
    Timestamp,
    Duration,
    Null,
    List,
    Map,
    Any,
}

impl Class {
    fn numeric(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Number | Self::Any)
    }

    /// Whether a value of this class may stand where that one is wanted.
    fn fits(self, wanted: Self) -> bool {
        self == wanted
            || matches!(
                (self, wanted),
                (Self::Any, _) | (_, Self::Any) | (Self::Number, Self::Int | Self::Double) | (Self::Int | Self::Double, Self::Number)
            )
    }

    fn comparable(self, other: Self) -> bool {
        self.fits(other) || self.numeric() && other.numeric()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Int => "a whole number",
            Self::Double | Self::Number => "a number",
            Self::Text => "text",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::Null => "null",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Any => "something",
        }
    }
}

impl<'s> Abstract<'s> {
    const ANY: Self = Self::Of(Ty::Any);

    fn class(&self) -> Class {
        match self {
            Self::Field { shape, .. } => match &shape.kind {
                Kind::Bool => Class::Bool,
                Kind::Int => Class::Int,
                Kind::Number => Class::Number,
                Kind::Text | Kind::Enum(_) => Class::Text,
                Kind::Timestamp => Class::Timestamp,
                Kind::List(_) => Class::List,
                Kind::Map(_) | Kind::Object(_) => Class::Map,
            },
            Self::Of(ty) => match ty {
                Ty::Bool => Class::Bool,
                Ty::Int => Class::Int,
                Ty::Double => Class::Double,
                Ty::Number => Class::Number,
                Ty::Text | Ty::KeyOf(_) => Class::Text,
                Ty::Timestamp => Class::Timestamp,
                Ty::Duration => Class::Duration,
                Ty::Null => Class::Null,
                Ty::List { .. } => Class::List,
                Ty::Map => Class::Map,
                Ty::Any => Class::Any,
            },
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Field { path, shape } => format!("{} (`row.{path}`)", shape.kind.name()),
            Self::Of(_) => self.class().name().to_owned(),
        }
    }

    /// The values that an enum, or the elements of a list of enums, may have.
    fn values(&self) -> Option<(&'s [String], String)> {
        match self {
            Self::Field { path, shape } => {
                let listed = if let Kind::List(element) = &shape.kind { &element.kind } else { &shape.kind };
                if let Kind::Enum(values) = listed { Some((values, path.to_string())) } else { None }
            }
            Self::Of(Ty::List { element, .. }) => element.values(),
            Self::Of(_) => None,
        }
    }

    fn element(&self) -> Option<Self> {
        match self {
            Self::Field { path, shape } => Some(Self::Field { path: path.then(Step::Elements), shape: shape.step(&Step::Elements)? }),
            Self::Of(Ty::List { element, .. }) => Some((**element).clone()),
            Self::Of(_) => None,
        }
    }
}

struct Walk<'s, 'p> {
    params: &'p BTreeMap<String, Param>,
    scope: Vec<(String, Abstract<'s>)>,
    reading: Reading,
    wrong: Vec<String>,
}

impl<'s> Walk<'s, '_> {
    fn wrong(&mut self, sentence: impl Into<String>) -> Abstract<'s> {
        self.wrong.push(sentence.into());
        Abstract::ANY
    }

    /// Notes that a value is looked at, whole.
    fn consume(&mut self, value: &Abstract<'s>) {
        match value {
            Abstract::Field { path, shape } => {
                if path.0.is_empty() {
                    self.wrong("`row` as a whole cannot be used; name a field of it");
                } else {
                    self.consume_shape(path, shape);
                }
            }
            Abstract::Of(Ty::List { element, .. }) => self.consume(element),
            Abstract::Of(_) => {}
        }
    }

    fn consume_shape(&mut self, path: &Path, shape: &Shape) {
        match &shape.kind {
            Kind::Bool | Kind::Int | Kind::Number | Kind::Text | Kind::Timestamp | Kind::Enum(_) => {
                self.reading.fields.insert(path.clone());
            }
            Kind::List(element) => self.consume_shape(&path.then(Step::Elements), element),
            Kind::Map(value) => self.consume_shape(&path.then(Step::Values), value),
            Kind::Object(fields) => {
                if fields.is_empty() {
                    self.reading.fields.insert(path.clone());
                }
                for (name, field) in fields {
                    self.consume_shape(&path.then(Step::Field(name.clone())), field);
                }
            }
        }
    }

    /// Notes that only the size or the keys of a value are looked at.
    fn consume_container(&mut self, value: &Abstract<'s>) {
        match value {
            Abstract::Field { path, shape } if matches!(shape.kind, Kind::List(_) | Kind::Map(_)) => {
                self.reading.fields.insert(path.clone());
            }
            Abstract::Field { .. } | Abstract::Of(_) => self.consume(value),
        }
    }

    fn used(&mut self, expr: &IdedExpr, depth: u8) -> Abstract<'s> {
        let value = self.value(expr, depth);
        self.consume(&value);
        value
    }

    fn value(&mut self, expr: &IdedExpr, depth: u8) -> Abstract<'s> {
        match &expr.expr {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Abstract::Of(Ty::Bool),
                LiteralValue::Int(_) => Abstract::Of(Ty::Int),
                LiteralValue::Double(_) => Abstract::Of(Ty::Double),
                LiteralValue::String(_) => Abstract::Of(Ty::Text),
                LiteralValue::Null => Abstract::Of(Ty::Null),
                LiteralValue::Bytes(_) => self.wrong("bytes are not supported; write text"),
                LiteralValue::UInt(_) => self.wrong("unsigned numbers are not supported; leave out the `u`"),
            },
            Expr::Ident(name) => match self.scope.iter().rev().find(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None if name == "params" => self.wrong("`params` as a whole cannot be used; name a parameter: `params.max_days`"),
                None => self.wrong(format!("`{name}` is not known; there are `row`, `params`, `now` and the variables of macros")),
            },
            Expr::Select(select) => {
                if select.test {
                    self.value(&select.operand, depth);
                    return self.wrong("`has()` is not for checks; declare `absent` in keep, once, with its source");
                }
                if matches!(&select.operand.expr, Expr::Ident(name) if name == "params") {
                    return self.param(&select.field);
                }
                let operand = self.value(&select.operand, depth);
                self.select(&operand, &select.field)
            }
            Expr::List(list) => {
                if !list.optional_indices.is_empty() {
                    self.wrong("`[?` is not for checks; declare `absent` in keep, once, with its source");
                }
                let elements: Vec<_> = list.elements.iter().map(|element| self.used(element, depth)).collect();
                let element = elements.first().cloned().unwrap_or(Abstract::ANY);
                let same = elements.iter().all(|other| other.class() == element.class());
                Abstract::Of(Ty::List { element: Box::new(if same { element } else { Abstract::ANY }), counted: true })
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    match &entry.expr {
                        cel::common::ast::EntryExpr::MapEntry(entry) => {
                            if entry.optional {
                                self.wrong("`{?` is not for checks; declare `absent` in keep, once, with its source");
                            }
                            self.used(&entry.key, depth);
                            self.used(&entry.value, depth);
                        }
                        cel::common::ast::EntryExpr::StructField(_) => {
                            self.wrong("messages are not supported");
                        }
                    }
                }
                Abstract::Of(Ty::Map)
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, depth),
            Expr::Call(call) => self.call(expr, call, depth),
            Expr::Struct(_) | Expr::Unspecified => self.wrong("messages are not supported"),
        }
    }

    fn param(&mut self, name: &str) -> Abstract<'s> {
        let Some(param) = self.params.get(name) else {
            let known: Vec<_> = self.params.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "the check has none".to_owned() } else { format!("there are {}", known.join(", ")) };
            return self.wrong(format!("`params.{name}` is not a parameter of this check; {known}"));
        };
        self.reading.params.insert(name.to_owned());
        Abstract::Of(match param.ty {
            ParamType::Int => Ty::Int,
            ParamType::String => Ty::Text,
            ParamType::Bool => Ty::Bool,
            ParamType::Strings => Ty::List { element: Box::new(Abstract::Of(Ty::Text)), counted: true },
        })
    }

    fn select(&mut self, operand: &Abstract<'s>, field: &str) -> Abstract<'s> {
        let Abstract::Field { path, shape } = operand else {
            let class = operand.class();
            return if class == Class::Any {
                Abstract::ANY
            } else {
                self.wrong(format!("`.{field}` is asked of {}, which has no fields", class.name()))
            };
        };
        let step = if matches!(shape.kind, Kind::Map(_)) { Step::Key(field.to_owned()) } else { Step::Field(field.to_owned()) };
        match (shape.step(&step), &shape.kind) {
            (Some(shape), _) => Abstract::Field { path: path.then(step), shape },
            (None, Kind::Object(fields)) => {
                let known: Vec<_> = fields.keys().map(String::as_str).collect();
                let asked = path.then(step);
                self.wrong(format!("`row.{asked}` is not kept; add it to keep (beside it there are: {})", known.join(", ")))
            }
            (None, kind) => self.wrong(format!("`.{field}` is asked of `row.{path}`, which is {}", kind.name())),
        }
    }

    fn index(&mut self, call: &CallExpr, depth: u8) -> Abstract<'s> {
        let [operand, key] = call.args.as_slice() else { return self.wrong("an index takes one value") };
        if matches!(&operand.expr, Expr::Ident(name) if name == "params") {
            return self.wrong("parameters are named with a dot: `params.max_days`");
        }
        let operand = self.value(operand, depth);
        if let Expr::Literal(LiteralValue::String(name)) = &key.expr {
            return self.select(&operand, name.inner());
        }
        if let Expr::Literal(LiteralValue::Int(_)) = &key.expr {
            return match operand.element() {
                Some(element) => element,
                None => self.wrong(format!("a number cannot index {}", operand.describe())),
            };
        }
        let key = self.used(key, depth);
        match (&key, &operand) {
            (Abstract::Of(Ty::KeyOf(keys)), Abstract::Field { path, shape }) if keys == path => match shape.step(&Step::Values) {
                Some(shape) => Abstract::Field { path: path.then(Step::Values), shape },
                None => Abstract::ANY,
            },
            _ => self.wrong(
                "an index must be written out (`row.list[0]`, `row.map['key']`), or be the variable of a macro that runs over the same map",
            ),
        }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr, depth: u8) -> Abstract<'s> {
        if depth >= NESTING {
            return self.wrong("macros may be nested two deep; add a view that does a part of the work");
        }
        let range = self.value(&comprehension.iter_range, depth);
        let (variable, counted) = match &range {
            Abstract::Field { path, shape } => match &shape.kind {
                Kind::List(element) => {
                    self.known_when_empty(path, shape);
                    let elements = path.then(Step::Elements);
                    self.reading.fields.insert(elements.clone());
                    (Abstract::Field { path: elements, shape: element }, true)
                }
                Kind::Map(_) => {
                    self.known_when_empty(path, shape);
                    self.reading.fields.insert(path.clone());
                    (Abstract::Of(Ty::KeyOf(path.clone())), true)
                }
                Kind::Bool | Kind::Int | Kind::Number | Kind::Text | Kind::Timestamp | Kind::Enum(_) | Kind::Object(_) => {
                    (self.wrong(format!("a macro runs over a list or a map, not {}", range.describe())), true)
                }
            },
            Abstract::Of(Ty::List { element, counted }) => ((**element).clone(), *counted),
            Abstract::Of(Ty::Any) => (Abstract::ANY, true),
            Abstract::Of(_) => (self.wrong(format!("a macro runs over a list or a map, not {}", range.describe())), true),
        };
        if !counted && depth > 0 {
            self.wrong("a list that `split`, `+` or `? :` gives cannot be run over inside another macro");
        }
        let name = &comprehension.iter_var;
        if name == "params" || self.scope.iter().any(|(known, _)| known == name) {
            self.wrong(format!("the variable `{name}` hides another of that name; choose another name"));
        }
        self.scope.push((name.clone(), variable));
        let result = self.body(comprehension, depth + 1, counted);
        self.scope.pop();
        result
    }

    fn body(&mut self, comprehension: &ComprehensionExpr, depth: u8, counted: bool) -> Abstract<'s> {
        let Expr::Call(step) = &comprehension.loop_step.expr else { return self.wrong("this macro is not supported") };
        // What `@result + [item]` appends.
        let appended = |call: &IdedExpr| {
            let Expr::Call(add) = &call.expr else { return None };
            let list = add.args.get(1).filter(|_| add.func_name == operators::ADD)?;
            if let Expr::List(list) = &list.expr { list.elements.first().cloned() } else { None }
        };
        match (&comprehension.accu_init.expr, step.func_name.as_str(), step.args.as_slice()) {
            // all, exists
            (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_AND | operators::LOGICAL_OR, [_, body]) => {
                self.condition(body, depth, "the body of a macro");
                Abstract::Of(Ty::Bool)
            }
            // exists_one
            (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL, [body, ..]) => {
                self.condition(body, depth, "the body of a macro");
                Abstract::Of(Ty::Bool)
            }
            // filter, map with a condition
            (Expr::List(_), operators::CONDITIONAL, [condition, append, _]) => {
                self.condition(condition, depth, "the condition of a macro");
                match appended(append) {
                    Some(item) => {
                        let element = self.value(&item, depth);
                        Abstract::Of(Ty::List { element: Box::new(element), counted })
                    }
                    None => self.wrong("this macro is not supported"),
                }
            }
            // map
            (Expr::List(_), operators::ADD, _) => match appended(&comprehension.loop_step) {
                Some(item) => {
                    let element = self.value(&item, depth);
                    Abstract::Of(Ty::List { element: Box::new(element), counted })
                }
                None => self.wrong("this macro is not supported"),
            },
            _ => self.wrong("this macro is not supported"),
        }
    }

    fn known_when_empty(&mut self, path: &Path, shape: &Shape) {
        if shape.on_empty == OnEmpty::Unknown {
            self.wrong(format!(
                "a macro runs over `row.{path}`, of which nobody says what it means to be empty; set on_empty in keep, with its source"
            ));
        }
    }

    fn condition(&mut self, expr: &IdedExpr, depth: u8, what: &str) {
        let value = self.used(expr, depth);
        if !value.class().fits(Class::Bool) {
            self.wrong(format!("{what} is {}; it must be true or false", value.describe()));
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr, depth: u8) -> Abstract<'s> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                self.condition(left, depth, "a side of && or ||");
                self.condition(right, depth, "a side of && or ||");
                Abstract::Of(Ty::Bool)
            }
            (operators::LOGICAL_NOT, [value]) => {
                self.condition(value, depth, "what `!` stands before");
                Abstract::Of(Ty::Bool)
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.condition(condition, depth, "what stands before `?`");
                let (yes, no) = (self.used(yes, depth), self.used(no, depth));
                if yes.class() == no.class() {
                    Abstract::Of(Self::either(yes.class()))
                } else if yes.class().numeric() && no.class().numeric() {
                    Abstract::Of(Ty::Number)
                } else if yes.class() == Class::Any || no.class() == Class::Any {
                    Abstract::Of(Self::either(if yes.class() == Class::Any { no.class() } else { yes.class() }))
                } else {
                    self.wrong(format!("the sides of `? :` are {} and {}; they must be alike", yes.describe(), no.describe()))
                }
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                let (first, second) = (self.used(left, depth), self.used(right, depth));
                self.equality(&first, &second);
                self.known_values(&first, right);
                self.known_values(&second, left);
                Abstract::Of(Ty::Bool)
            }
            (operators::IN, [item, container]) => {
                let first = self.used(item, depth);
                let second = self.value(container, depth);
                match second.class() {
                    Class::List => {
                        self.consume(&second);
                        if let Some(element) = second.element() {
                            self.equality(&first, &element);
                        }
                    }
                    Class::Map => {
                        self.consume_container(&second);
                        if !first.class().fits(Class::Text) {
                            self.wrong(format!("the keys of a map are text, not {}", first.describe()));
                        }
                    }
                    Class::Any => {}
                    Class::Bool
                    | Class::Int
                    | Class::Double
                    | Class::Number
                    | Class::Text
                    | Class::Timestamp
                    | Class::Duration
                    | Class::Null => {
                        self.wrong(format!("`in` looks into a list or a map, not {}", second.describe()));
                    }
                }
                self.known_values(&first, container);
                self.known_values(&second, item);
                Abstract::Of(Ty::Bool)
            }
            (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, [left, right]) => {
                let (left, right) = (self.used(left, depth), self.used(right, depth));
                let ordered = |class: Class| class.numeric() || matches!(class, Class::Text | Class::Timestamp | Class::Duration);
                if !(ordered(left.class()) && ordered(right.class()) && left.class().comparable(right.class())) {
                    self.wrong(format!("{} cannot be ordered against {}", left.describe(), right.describe()));
                }
                Abstract::Of(Ty::Bool)
            }
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO, [left, right]) => {
                let (left, right) = (self.used(left, depth), self.used(right, depth));
                self.arithmetic(&call.func_name, &left, &right)
            }
            (operators::NEGATE, [value]) => {
                let value = self.used(value, depth);
                if !value.class().numeric() {
                    return self.wrong(format!("`-` stands before {}", value.describe()));
                }
                Abstract::Of(Self::scalar(value.class()))
            }
            (operators::INDEX, _) => self.index(call, depth),
            (operators::OPT_INDEX | operators::OPT_SELECT, _) => {
                self.wrong("`?.` and `[?` are not for checks; declare `absent` in keep, once, with its source")
            }
            ("orValue" | "or" | "hasValue" | "value" | "of" | "none" | "ofNonZeroValue" | "optMap" | "optFlatMap", _) => {
                self.wrong(format!("`{}` is not for checks; declare `absent` in keep, once, with its source", call.func_name))
            }
            _ => self.function(expr, call, depth),
        }
    }

    /// What `? :` gives whose sides are of this class.
    fn either(class: Class) -> Ty<'s> {
        match class {
            Class::List => Ty::List { element: Box::new(Abstract::ANY), counted: false },
            Class::Map => Ty::Map,
            Class::Bool
            | Class::Int
            | Class::Double
            | Class::Number
            | Class::Text
            | Class::Timestamp
            | Class::Duration
            | Class::Null
            | Class::Any => Self::scalar(class),
        }
    }

    fn scalar(class: Class) -> Ty<'s> {
        match class {
            Class::Bool => Ty::Bool,
            Class::Int => Ty::Int,
            Class::Double => Ty::Double,
            Class::Number => Ty::Number,
            Class::Text => Ty::Text,
            Class::Timestamp => Ty::Timestamp,
            Class::Duration => Ty::Duration,
            Class::Null => Ty::Null,
            Class::List | Class::Map | Class::Any => Ty::Any,
        }
    }

    fn equality(&mut self, left: &Abstract<'s>, right: &Abstract<'s>) {
        for (value, other) in [(left, right), (right, left)] {
            if other.class() != Class::Null {
                continue;
            }
            match value {
                Abstract::Field { shape, .. } if shape.nullable() => {}
                Abstract::Of(Ty::Null | Ty::Any) => {}
                Abstract::Field { .. } | Abstract::Of(_) => {
                    self.wrong(format!(
                        "{} is compared with null, which is never kept of it; declare `absent` in keep, with its source",
                        value.describe()
                    ));
                }
            }
            return;
        }
        if !left.class().comparable(right.class()) {
            self.wrong(format!("{} is compared with {}, which it can never equal", left.describe(), right.describe()));
        }
    }

    /// Every text that an expression is written to come to must be one of these words.
    fn outcomes(&mut self, expr: &IdedExpr, words: &[&str]) {
        let unknown =
            |text: &str| (!words.contains(&text)).then(|| format!("it may come to '{text}'; it must be one of {}", words.join(", ")));
        match &expr.expr {
            Expr::Literal(LiteralValue::String(text)) => self.wrong.extend(unknown(text.inner())),
            Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
                for side in call.args.iter().skip(1) {
                    self.outcomes(side, words);
                }
            }
            Expr::Ident(_) | Expr::Select(_) => {
                if let Some((values, _)) = self.value(expr, 0).values() {
                    self.wrong.extend(values.iter().filter_map(|value| unknown(value)));
                }
            }
            Expr::Literal(_)
            | Expr::Call(_)
            | Expr::Comprehension(_)
            | Expr::List(_)
            | Expr::Map(_)
            | Expr::Struct(_)
            | Expr::Unspecified => {}
        }
    }

    /// A literal that is compared with an enum must be one of its values.
    fn known_values(&mut self, value: &Abstract<'s>, literal: &IdedExpr) {
        let Some((values, path)) = value.values() else { return };
        let mut literals = Vec::new();
        let written = if let Expr::List(list) = &literal.expr { list.elements.as_slice() } else { std::slice::from_ref(literal) };
        for element in written {
            if let Expr::Literal(LiteralValue::String(text)) = &element.expr {
                literals.push(text.inner());
            }
        }
        for text in literals {
            if !values.iter().any(|value| value == text) {
                self.wrong(format!("'{text}' is not among the values of `row.{path}`: {}", values.join(", ")));
            }
        }
    }

    fn arithmetic(&mut self, operator: &str, left: &Abstract<'s>, right: &Abstract<'s>) -> Abstract<'s> {
        use Class::{Any, Double, Duration, Int, List, Number, Text, Timestamp};
        let (plus, minus) = (operator == operators::ADD, operator == operators::SUBSTRACT);
        let ty = match (left.class(), right.class()) {
            (Any, _) | (_, Any) => Ty::Any,
            (Int, Int) => Ty::Int,
            (Double, Double) => Ty::Double,
            (Number, Int | Double | Number) | (Int | Double, Number) => Ty::Number,
            (Text, Text) if plus => Ty::Text,
            (List, List) if plus => Ty::List { element: Box::new(left.element().unwrap_or(Abstract::ANY)), counted: false },
            (Timestamp, Duration) if plus || minus => Ty::Timestamp,
            (Duration, Timestamp) if plus => Ty::Timestamp,
            (Timestamp, Timestamp) if minus => Ty::Duration,
            (Duration, Duration) if plus || minus => Ty::Duration,
            _ => {
                return self.wrong(format!(
                    "`{}` cannot stand between {} and {}",
                    operator.trim_matches('_'),
                    left.describe(),
                    right.describe()
                ));
            }
        };
        Abstract::Of(ty)
    }

    fn function(&mut self, expr: &IdedExpr, call: &CallExpr, depth: u8) -> Abstract<'s> {
        let name = call.func_name.as_str();
        if matches!(call.target.as_deref().map(|target| &target.expr), Some(Expr::Ident(target)) if target == "optional") {
            return self.wrong("`optional` is not for checks; declare `absent` in keep, once, with its source");
        }
        let operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let values: Vec<Abstract<'s>> = operands.iter().map(|operand| self.value(operand, depth)).collect();
        if name == "size" {
            let [value] = values.as_slice() else { return self.wrong("`size` takes one value") };
            self.consume_container(value);
            if !matches!(value.class(), Class::Text | Class::List | Class::Map | Class::Any) {
                return self.wrong(format!("`size` is asked of {}", value.describe()));
            }
            return Abstract::Of(Ty::Int);
        }
        values.iter().for_each(|value| self.consume(value));
        let member = call.target.is_some();
        let mut known = false;
        for signature in FUNCTIONS.iter().filter(|signature| signature.name == name) {
            known = true;
            let fits = signature.member == member
                && signature.takes.len() == values.len()
                && signature.takes.iter().zip(&values).all(|(wanted, value)| value.class().fits(*wanted));
            if fits {
                self.written_out(expr, name, &operands, &values);
                return Abstract::Of(if signature.gives == Class::List {
                    Ty::List { element: Box::new(Abstract::Of(Ty::Text)), counted: false }
                } else {
                    Self::scalar(signature.gives)
                });
            }
        }
        if known {
            let given: Vec<_> = values.iter().map(Abstract::describe).collect();
            self.wrong(format!("`{name}` cannot be used on {}", given.join(", ")))
        } else {
            self.wrong(format!("the function `{name}` is not known"))
        }
    }

    /// What a function is given as a literal is tried at once.
    fn written_out(&mut self, expr: &IdedExpr, name: &str, operands: &[&IdedExpr], values: &[Abstract<'s>]) {
        match name {
            "matches" => match operands.get(1).map(|pattern| &pattern.expr) {
                Some(Expr::Literal(LiteralValue::String(pattern))) => {
                    if regex::Regex::new(pattern.inner()).is_err() {
                        self.wrong(format!("'{}' is not a regular expression", pattern.inner()));
                    }
                }
                _ => {
                    if let Some(Abstract::Field { path, .. }) = values.get(1) {
                        self.wrong(format!("a pattern must be written out or be a parameter, not `row.{path}`"));
                    }
                }
            },
            // Its text becomes the cause, which holds nothing of a row.
            language::UNCLEAR if !matches!(operands.first().map(|text| &text.expr), Some(Expr::Literal(LiteralValue::String(_)))) => {
                self.wrong(format!("the sentence of `{name}` must be written out"));
            }
            "duration" | "timestamp"
                if matches!(operands.first().map(|text| &text.expr), Some(Expr::Literal(_)))
                    && Value::resolve(expr, &Context::with_env(language::environment())).is_err() =>
            {
                self.wrong(format!("what `{name}` is given is not one; write duration('720h') or timestamp('2026-01-31T00:00:00Z')"));
            }
            _ => {}
        }
    }
}

struct Signature {
    name: &'static str,
    member: bool,
    takes: &'static [Class],
    gives: Class,
}

const fn member(name: &'static str, takes: &'static [Class], gives: Class) -> Signature {
    Signature { name, member: true, takes, gives }
}

const fn global(name: &'static str, takes: &'static [Class], gives: Class) -> Signature {
    Signature { name, member: false, takes, gives }
}

/// The functions that checks may use, beside `size`. The other functions of CEL are left out because they take or give
/// types that no row holds.
static FUNCTIONS: &[Signature] = {
    use Class::{Bool, Double, Duration, Int, List, Number, Text, Timestamp};
    &[
        member("contains", &[Text, Text], Bool),
        member("startsWith", &[Text, Text], Bool),
        member("endsWith", &[Text, Text], Bool),
        member("matches", &[Text, Text], Bool),
        global("matches", &[Text, Text], Bool),
        member("lowerAscii", &[Text], Text),
        member("upperAscii", &[Text], Text),
        member("trim", &[Text], Text),
        member("reverse", &[Text], Text),
        member("replace", &[Text, Text, Text], Text),
        member("replace", &[Text, Text, Text, Int], Text),
        member("split", &[Text, Text], List),
        member("split", &[Text, Text, Int], List),
        member("join", &[List], Text),
        member("join", &[List, Text], Text),
        member("substring", &[Text, Int], Text),
        member("substring", &[Text, Int, Int], Text),
        member("indexOf", &[Text, Text], Int),
        member("lastIndexOf", &[Text, Text], Int),
        member("charAt", &[Text, Int], Text),
        member("getFullYear", &[Timestamp], Int),
        member("getMonth", &[Timestamp], Int),
        member("getDate", &[Timestamp], Int),
        member("getDayOfMonth", &[Timestamp], Int),
        member("getDayOfWeek", &[Timestamp], Int),
        member("getDayOfYear", &[Timestamp], Int),
        member("getHours", &[Timestamp], Int),
        member("getMinutes", &[Timestamp], Int),
        member("getSeconds", &[Timestamp], Int),
        member("getHours", &[Duration], Int),
        member("getMinutes", &[Duration], Int),
        member("getSeconds", &[Duration], Int),
        global("string", &[Text], Text),
        global("string", &[Bool], Text),
        global("string", &[Int], Text),
        global("string", &[Double], Text),
        global("string", &[Number], Text),
        global("string", &[Timestamp], Text),
        global("string", &[Duration], Text),
        global("int", &[Int], Int),
        global("int", &[Number], Int),
        global("int", &[Text], Int),
        global("int", &[Timestamp], Int),
        global("double", &[Number], Double),
        global("double", &[Text], Double),
        global("duration", &[Text], Duration),
        global("timestamp", &[Text], Timestamp),
        global("days", &[Int], Duration),
        // It never gives a value, so it may stand where any is wanted.
        global(language::UNCLEAR, &[Text], Class::Any),
    ]
};
