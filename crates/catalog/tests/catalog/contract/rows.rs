//! SOQL, SQL and metadata against objects and their fields.

use super::{Contract, Found, Operation, leaves, stated, unlike, walk};
use posture_catalog::{Dataset, FieldPath, Protocol, Type};
use serde_json::Value;
use std::collections::BTreeMap;

/// The type of a field in the words of the other contracts. Salesforce's own names of types:
/// <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm>.
fn plain(ty: &str) -> &'static str {
    match ty.to_ascii_lowercase().as_str() {
        "boolean" | "bool" => "boolean",
        "int" | "integer" | "long" => "integer",
        "double" | "currency" | "percent" | "number" => "number",
        "address" | "location" | "complexvalue" | "any" => "any",
        _other => "string",
    }
}

/// Objects as a description, so that one comparison serves all.
fn described(fields: &BTreeMap<String, String>) -> Operation {
    let types = fields.iter().map(|(name, ty)| {
        let (ty, words) = ty.split_once(':').map_or((ty.as_str(), String::new()), |(ty, words)| (ty, format!(":{words}")));
        (name.clone(), if matches!(ty, "array" | "object" | "any") { ty.to_owned() } else { format!("{}{words}", plain(ty)) })
    });
    Operation { query: Vec::new(), response: types.collect() }
}

/// The object that a query reads: the word behind its last FROM outside of brackets.
fn object_of(document: &str) -> &str {
    let mut depth = 0_i32;
    let mut words = document.split_whitespace();
    while let Some(word) = words.next() {
        depth += word.matches('(').count() as i32 - word.matches(')').count() as i32;
        if depth == 0 && word.eq_ignore_ascii_case("FROM") {
            return words.next().unwrap_or_default();
        }
    }
    ""
}

/// What the contract says of a SOQL dataset's object, with the fields of related objects below their relationships.
fn soql_fields(contract: &Contract, dataset: &Dataset) -> Option<Operation> {
    let api = if dataset.path.contains("/tooling/") { "tooling" } else { "data" };
    let of = |object: &str| contract.objects.get(&format!("{api}:{object}"));
    let object = object_of(dataset.document.as_deref()?);
    let mut fields = of(object)?.clone();
    fields.entry("Id".to_owned()).or_insert_with(|| "id".to_owned());
    for path in dataset.keep.keys() {
        let parts: Vec<&str> = path.0.split('.').collect();
        // A relationship has the name of the object it leads to, or of the field that holds its id.
        if let [relationship, field] = parts.as_slice()
            && let Some(related) =
                of(relationship).or_else(|| ["User", "Profile"].into_iter().find(|object| related_by(relationship, object)).and_then(of))
            && let Some(ty) = related.get(*field).or_else(|| (*field == "Id").then_some(&fields["Id"])).cloned()
        {
            fields.insert(path.0.clone(), ty);
        }
    }
    Some(described(&fields))
}

/// Relationships of standard objects that are named otherwise than the object they lead to.
fn related_by(relationship: &str, object: &str) -> bool {
    object == "User" && matches!(relationship, "Assignee" | "CreatedBy" | "LastModifiedBy" | "Owner")
}

fn fields(contract: &Contract, dataset: &Dataset) -> Option<Operation> {
    match &dataset.protocol {
        Protocol::Soql => soql_fields(contract, dataset),
        Protocol::SnowflakeSql { .. } => contract.objects.get(&format!("sql:{}", dataset.document.as_deref()?)).map(described),
        Protocol::SalesforceMetadata { kind, .. } => contract.objects.get(&format!("metadata:{kind}")).map(described),
        Protocol::Http | Protocol::GraphQl { .. } => None,
    }
}

fn check(contract: &Contract, dataset: &Dataset, found: &mut Found, must: bool) {
    found.requests += 1;
    let Some(operation) = fields(contract, dataset) else {
        if must {
            found.wrong.push(format!("{}: {}: the contract does not have the object that is asked for", dataset.place, dataset.id));
        } else {
            found.requests_outside += 1;
            found.fields += leaves(&dataset.keep).len();
            found.outside += leaves(&dataset.keep).len();
        }
        return;
    };
    for (leaf, keep) in leaves(&dataset.keep) {
        // Text may stand for any type where a vendor writes all values as text; what cannot be read is refused at receipt.
        let text = dataset.values == posture_catalog::Values::Text && operation.response.get(&leaf).is_some_and(|ty| ty == "string");
        let differs = if text && !matches!(keep.ty, Type::List(_) | Type::Map(_) | Type::Object(_)) {
            None
        } else {
            unlike(&operation, &leaf, &keep.ty)
        };
        let words = operation.response.get(&leaf).is_some_and(|stated| stated.contains(':'));
        found.field(dataset, &keep, differs, words);
    }
}

pub(super) fn soql(contract: &Contract, dataset: &Dataset, found: &mut Found) {
    let named = contract.outside.contains_key(dataset.document.as_deref().unwrap_or_default());
    check(contract, dataset, found, !named);
}

/// Columns of SHOW and DESCRIBE stand in few descriptions: those that are not in the contract rest on the dataset's source.
pub(super) fn sql(contract: &Contract, dataset: &Dataset, found: &mut Found) {
    check(contract, dataset, found, false);
}

pub(super) fn metadata(contract: &Contract, dataset: &Dataset, found: &mut Found) {
    check(contract, dataset, found, false);
}

/// What a sandbox answer holds of another type than the contract says.
pub(super) fn answer(contract: &Contract, dataset: &Dataset, body: &Value) -> (usize, Vec<String>) {
    let Some(operation) = fields(contract, dataset) else { return (0, Vec::new()) };
    let rows = FieldPath(dataset.rows.trim_end_matches("[]").to_owned());
    let place = rows.segments().try_fold(body, |value, (name, _)| value.get(name));
    let rows: Vec<&Value> = match place {
        Some(Value::Array(rows)) => rows.iter().collect(),
        Some(row) => vec![row],
        None => return (0, vec![format!("there are no rows at {}", dataset.rows)]),
    };
    let (mut count, mut wrong) = (0, Vec::new());
    for row in rows {
        let mut found = BTreeMap::new();
        walk("", row, &mut found);
        for (leaf, (kind, _)) in found {
            // What Salesforce says of a record itself.
            if leaf.starts_with("attributes.") || leaf.contains(".attributes.") {
                continue;
            }
            count += 1;
            let own = leaves(&dataset.keep).iter().any(|(path, keep)| keep.source.is_some() && leaf.starts_with(path.as_str()));
            let fits = match stated(&operation, &leaf).map(|stated| stated.split(':').next().unwrap_or_default()) {
                Some("any") => true,
                Some("integer") => kind == "number",
                Some(stated) => stated == kind,
                None => false,
            };
            // Where all values are text, a tenant may write them as JSON has them.
            let text = dataset.values == posture_catalog::Values::Text;
            if !(fits || own || text && operation.response.contains_key(&leaf)) {
                wrong.push(format!("{leaf} ({kind}) does not fit {:?}", stated(&operation, &leaf)));
            }
        }
    }
    (count, wrong)
}

#[test]
fn an_object_is_found_by_its_query() {
    for (document, object) in [
        ("SELECT Id FROM User", "User"),
        ("SELECT Id, Profile.Name from User WHERE ProfileId IN (SELECT Id FROM Profile)", "User"),
        ("SELECT COUNT(Id) total FROM LoginHistory WHERE LoginTime = LAST_N_DAYS:30", "LoginHistory"),
    ] {
        assert_eq!(object_of(document), object);
    }
}

#[test]
fn a_field_that_an_object_does_not_have_is_noticed() {
    let fields =
        [("IsActive", "boolean"), ("LastLoginDate", "dateTime"), ("UserType", "picklist"), ("Score", "int"), ("ProfileId", "reference")];
    let operation = described(&fields.map(|(name, ty)| (name.to_owned(), ty.to_owned())).into());
    let timestamp = || Type::Timestamp(posture_catalog::TimestampFormat::Rfc3339);
    for (path, ty) in [
        ("IsActive", Type::Bool),
        ("LastLoginDate", timestamp()),
        ("UserType", Type::String),
        ("Score", Type::Int),
        ("ProfileId", Type::Id),
    ] {
        assert_eq!(unlike(&operation, path, &ty), None, "{path} as {ty:?}");
    }
    for (path, ty) in
        [("IsActive", Type::String), ("Score", Type::Bool), ("UserType", Type::Int), ("Gone", Type::Bool), ("IsActive", timestamp())]
    {
        assert!(unlike(&operation, path, &ty).is_some(), "{path} as {ty:?}");
    }
}
