//! GraphQL documents against the vendor's schema: each field, each kept type, each word of an enum.

use super::{Contract, Found, leaves};
use async_graphql_parser::{
    parse_query,
    types::{ExecutableDocument, Selection, SelectionSet},
};
use posture_catalog::{Dataset, FieldPath, Type};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Types by name, each field with its type (`[User!]!`), and enums with their words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema {
    types: BTreeMap<String, BTreeMap<String, String>>,
    enums: BTreeMap<String, Vec<String>>,
}

/// `[User!]!` is a list of `User`.
fn base(ty: &str) -> (&str, bool) {
    (ty.trim_matches(|letter| matches!(letter, '[' | ']' | '!')), ty.contains('['))
}

/// A field of an answer: its type as the schema writes it, and what is asked for below it.
struct Field<'a> {
    ty: String,
    below: &'a SelectionSet,
}

impl Schema {
    /// The fields of a selection by their names in the answer, or what the schema does not have.
    fn fields<'a>(
        &self,
        document: &'a ExecutableDocument,
        of: &str,
        set: &'a SelectionSet,
        wrong: &mut Vec<String>,
    ) -> BTreeMap<String, Vec<Field<'a>>> {
        let mut found: BTreeMap<String, Vec<Field<'a>>> = BTreeMap::new();
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let ty = if name == "__typename" {
                        Some("String!".to_owned())
                    } else {
                        self.types.get(of).and_then(|fields| fields.get(name)).cloned()
                    };
                    match ty {
                        Some(ty) => {
                            let below = &field.node.selection_set.node;
                            found.entry(field.node.response_key().node.to_string()).or_default().push(Field { ty, below });
                        }
                        None => wrong.push(format!("{of} has no field {name}")),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let on = fragment.node.type_condition.as_ref().map_or(of, |condition| condition.node.on.node.as_str());
                    for (name, fields) in self.fields(document, on, &fragment.node.selection_set.node, wrong) {
                        found.entry(name).or_default().extend(fields);
                    }
                }
                Selection::FragmentSpread(spread) => match document.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        for (name, fields) in self.fields(document, on, &fragment.node.selection_set.node, wrong) {
                            found.entry(name).or_default().extend(fields);
                        }
                    }
                    None => wrong.push(format!("there is no fragment {}", spread.node.fragment_name.node)),
                },
            }
        }
        found
    }

    /// Every field of the document is one of the schema's, and asks for parts exactly where it is an object.
    fn walk(&self, document: &ExecutableDocument, of: &str, set: &SelectionSet, count: &mut usize, wrong: &mut Vec<String>) {
        for (name, fields) in self.fields(document, of, set, wrong) {
            for field in fields {
                *count += 1;
                let inner = base(&field.ty).0;
                match (self.types.contains_key(inner), field.below.items.is_empty()) {
                    (true, false) => self.walk(document, inner, field.below, count, wrong),
                    (true, true) => wrong.push(format!("{of}.{name} is an object of which nothing is asked for")),
                    (false, false) => wrong.push(format!("{of}.{name} is of type {inner}, which the contract does not describe")),
                    (false, true) => {}
                }
            }
        }
    }

    /// The schema's type at a path of an answer below `data`.
    fn at(&self, document: &ExecutableDocument, set: &SelectionSet, path: &str) -> Option<String> {
        let mut ignored = Vec::new();
        let (mut of, mut set) = ("Query".to_owned(), set);
        let mut names = path.split('.').map(|name| name.trim_end_matches("[]")).peekable();
        while let Some(name) = names.next() {
            let fields = self.fields(document, &of, set, &mut ignored);
            let field = fields.get(name)?.first()?;
            if names.peek().is_none() {
                return Some(field.ty.clone());
            }
            of = base(&field.ty).0.to_owned();
            set = field.below;
        }
        None
    }

    /// What is wrong with keeping a type where the schema has another.
    fn unlike(&self, stated: &str, ty: &Type) -> Option<String> {
        let (inner, list) = base(stated);
        if let Type::List(element) = ty {
            return if list { self.unlike(inner, element) } else { Some(format!("is {stated} there, and a list here")) };
        }
        let words = self.enums.get(inner);
        let text = !matches!(inner, "Boolean" | "Int" | "Float") && !self.types.contains_key(inner);
        let fits = match ty {
            Type::Bool => inner == "Boolean",
            Type::Int => inner == "Int",
            Type::Number => matches!(inner, "Int" | "Float"),
            Type::String => text && words.is_none(),
            Type::Id => (text && words.is_none()) || inner == "Int",
            Type::Timestamp(_) => matches!(inner, "DateTime" | "Date" | "String"),
            Type::Enum(values) => match words {
                Some(words) => words.iter().collect::<BTreeSet<_>>() == values.iter().collect::<BTreeSet<_>>(),
                None => inner == "String",
            },
            Type::List(_) | Type::Map(_) | Type::Object(_) => false,
        };
        (!fits || list)
            .then(|| format!("is {stated}{} there, and {ty:?} here", words.map(|words| format!(" {words:?}")).unwrap_or_default()))
    }
}

fn parsed(dataset: &Dataset) -> ExecutableDocument {
    parse_query(dataset.document.as_deref().unwrap()).unwrap()
}

pub(super) fn check(contract: &Contract, dataset: &Dataset, found: &mut Found) {
    let Some(schema) = &contract.graphql else {
        found
            .wrong
            .push(format!("{}: {} is asked by GraphQL, and there is no contract {}.graphql.json", dataset.place, dataset.id, contract.app));
        return;
    };
    let document = parsed(dataset);
    let operation = document.operations.iter().next().unwrap().1;
    let mut wrong = Vec::new();
    schema.walk(&document, "Query", &operation.node.selection_set.node, &mut found.requests, &mut wrong);
    found.wrong.extend(wrong.into_iter().map(|sentence| format!("{}: {}: {sentence}", dataset.place, dataset.id)));
    for (leaf, keep) in leaves(&dataset.keep) {
        let whole = FieldPath(leaf).within(&dataset.rows);
        let stated = whole.strip_prefix("data.").and_then(|path| schema.at(&document, &operation.node.selection_set.node, path));
        let unlike = match &stated {
            Some(stated) => schema.unlike(stated, &keep.ty).map(|sentence| format!("{whole} {sentence}")),
            None => Some(format!("{whole} is not described")),
        };
        let words_stated = stated.as_deref().is_some_and(|stated| schema.enums.contains_key(base(stated).0));
        found.field(dataset, &keep, unlike, words_stated);
    }
}

/// What a sandbox answer holds that the document does not ask for, or of another type.
pub(super) fn answer(contract: &Contract, dataset: &Dataset, body: &Value) -> (usize, Vec<String>) {
    let Some(schema) = &contract.graphql else { return (0, vec!["there is no schema".to_owned()]) };
    let document = parsed(dataset);
    let operation = document.operations.iter().next().unwrap().1;
    let (mut count, mut wrong) = (0, Vec::new());
    let data = body.get("data").cloned().unwrap_or_default();
    value(schema, &document, "Query", &operation.node.selection_set.node, "data", &data, &mut count, &mut wrong);
    (count, wrong)
}

#[allow(clippy::too_many_arguments)]
fn value(
    schema: &Schema,
    document: &ExecutableDocument,
    of: &str,
    set: &SelectionSet,
    path: &str,
    found: &Value,
    count: &mut usize,
    wrong: &mut Vec<String>,
) {
    let Value::Object(members) = found else {
        wrong.push(format!("{path} is not an object"));
        return;
    };
    let fields = schema.fields(document, of, set, &mut Vec::new());
    for (name, member) in members {
        *count += 1;
        let path = format!("{path}.{name}");
        let Some(field) = fields.get(name).and_then(|fields| fields.first()) else {
            wrong.push(format!("{path} is not asked for"));
            continue;
        };
        let (inner, list) = base(&field.ty);
        let items = match (list, member) {
            (_, Value::Null) if field.ty.ends_with('!') => {
                wrong.push(format!("{path} is null, and {} there", field.ty));
                continue;
            }
            (_, Value::Null) => continue,
            (true, Value::Array(items)) => items.iter().collect(),
            (true, _) => {
                wrong.push(format!("{path} is not a list"));
                continue;
            }
            (false, one) => vec![one],
        };
        for item in items {
            if schema.types.contains_key(inner) {
                value(schema, document, inner, field.below, &path, item, count, wrong);
                continue;
            }
            let fits = match (inner, item) {
                ("Boolean", item) => item.is_boolean(),
                ("Int", item) => item.is_i64(),
                ("Float", item) => item.is_number(),
                (_, Value::String(text)) => schema.enums.get(inner).is_none_or(|words| words.contains(text)),
                (_, _) => false,
            };
            if !fits {
                wrong.push(format!("{path} is {item}, and {} there", field.ty));
            }
        }
    }
}

fn schema() -> Schema {
    serde_json::from_value(serde_json::json!({
        "types": {
            "Query": { "organization": "Organization", "node": "Node" },
            "Node": { "id": "ID!" },
            "Organization": { "login": "String!", "state": "State!", "members": "[User!]!", "seats": "Int" },
            "User": { "login": "String!", "admin": "Boolean!" },
        },
        "enums": { "State": ["ON", "OFF"] },
    }))
    .unwrap()
}

#[test]
fn a_document_that_differs_from_the_schema_is_noticed() {
    let schema = schema();
    let wrong = |text: &str| {
        let document = parse_query(text).unwrap();
        let (mut count, mut wrong) = (0, Vec::new());
        schema.walk(&document, "Query", &document.operations.iter().next().unwrap().1.node.selection_set.node, &mut count, &mut wrong);
        (count, wrong)
    };
    for (fine, count) in [
        ("{ organization { login state members { login admin } } }", 6),
        ("{ o: organization { name: login ...more } } fragment more on Organization { seats __typename }", 4),
        ("{ node { ... on User { admin } } }", 2),
    ] {
        assert_eq!(wrong(fine), (count, vec![]), "{fine}");
    }
    for (text, says) in [
        ("{ organisation { login } }", "Query has no field organisation"),
        ("{ organization { logins } }", "Organization has no field logins"),
        ("{ organization { members } }", "nothing is asked for"),
        ("{ organization { login { x } } }", "does not describe"),
        ("{ node { ... on Team { name } } }", "Team has no field name"),
    ] {
        assert!(wrong(text).1.iter().any(|sentence| sentence.contains(says)), "{text}: {:?}", wrong(text));
    }
}

#[test]
fn a_kept_type_that_differs_from_the_schema_is_noticed() {
    let schema = schema();
    let words = |words: &[&str]| Type::Enum(words.iter().map(|word| (*word).to_owned()).collect());
    for (stated, ty) in [
        ("Boolean!", Type::Bool),
        ("Int", Type::Int),
        ("ID!", Type::Id),
        ("State!", words(&["OFF", "ON"])),
        ("[String!]", Type::List(Box::new(Type::String))),
    ] {
        assert_eq!(schema.unlike(stated, &ty), None, "{stated} as {ty:?}");
    }
    for (stated, ty) in [
        ("Boolean!", Type::String),
        ("String", Type::Bool),
        ("State!", words(&["ON"])),
        ("State!", words(&["ON", "OFF", "MAYBE"])),
        ("State!", Type::String),
        ("[String]", Type::String),
        ("String", Type::List(Box::new(Type::String))),
        ("User", Type::String),
    ] {
        assert!(schema.unlike(stated, &ty).is_some(), "{stated} as {ty:?}");
    }
}

#[test]
fn an_answer_that_differs_from_the_schema_is_noticed() {
    let schema = schema();
    let document = parse_query("{ organization { login state seats members { admin } } }").unwrap();
    let wrong = |found: Value| {
        let (mut count, mut wrong) = (0, Vec::new());
        let set = &document.operations.iter().next().unwrap().1.node.selection_set.node;
        value(&schema, &document, "Query", set, "data", &found, &mut count, &mut wrong);
        wrong
    };
    let fine = serde_json::json!({ "organization": { "login": "a", "state": "ON", "seats": null, "members": [{ "admin": true }] } });
    assert!(wrong(fine.clone()).is_empty(), "{:?}", wrong(fine.clone()));
    for (pointer, other) in [
        ("/organization/login", serde_json::json!(1)),
        ("/organization/login", Value::Null),
        ("/organization/state", serde_json::json!("MAYBE")),
        ("/organization/seats", serde_json::json!("3")),
        ("/organization/members", serde_json::json!({})),
        ("/organization/members/0/admin", serde_json::json!("true")),
        ("/organization/members/0", serde_json::json!({ "login": "x" })),
    ] {
        let mut changed = fine.clone();
        *changed.pointer_mut(pointer).unwrap() = other.clone();
        assert_eq!(wrong(changed).len(), 1, "{pointer} as {other}");
    }
}
