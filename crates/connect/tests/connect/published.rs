//! Names that are known from a vendor's own description alone: kept where it publishes them, and nowhere else.
use crate::vendor;

use catalog::{
    App, CauseKind, Completeness, Dataset, DatasetKind, FieldPath, Form, HostRole, Keep, Pagination, PublishedBy, Row, TimestampFormat,
    Type,
};
use posture_connect::{Resume, collect, describe, hold_against, probe, reduce, shapes};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;
use vendor::{Kept, Seen, TestClock, Vendor, app, dataset, keep, me_and, ok, over, place, small, status, try_sign_in};

fn published(ty: Type) -> Keep {
    Keep { published: true, ..keep(ty) }
}

fn description() -> Dataset {
    Dataset {
        form: Form::OpenApi,
        kind: DatasetKind::List,
        authorised: false,
        rows: String::new(),
        keep: Dataset::described_rows(&place()),
        key: vec![FieldPath::from("method"), FieldPath::from("path")],
        label: Some(FieldPath::from("path")),
        ..dataset("description", DatasetKind::List, "/v1/openapi.json")
    }
}

fn by(request: bool) -> Option<PublishedBy> {
    Some(PublishedBy { dataset: "description".into(), request })
}

fn settings() -> Dataset {
    Dataset {
        published_by: by(false),
        keep: BTreeMap::from([
            (FieldPath::from("id"), keep(Type::Id)),
            (FieldPath::from("name"), published(Type::String)),
            (FieldPath::from("mfa.on"), published(Type::Bool)),
            (FieldPath::from("hours"), published(Type::Int)),
            (FieldPath::from("at"), published(Type::Timestamp(TimestampFormat::EpochSeconds))),
            (FieldPath::from("roles"), published(Type::List(Box::new(Type::String)))),
            (
                FieldPath::from("keys"),
                keep(Type::List(Box::new(Type::Object(BTreeMap::from([
                    ("id".to_owned(), keep(Type::Id)),
                    ("ends".to_owned(), published(Type::Int)),
                ]))))),
            ),
        ]),
        ..dataset("settings", DatasetKind::Object, "/v1/settings/{organization}")
    }
}

fn users() -> Dataset {
    Dataset {
        published_by: by(false),
        keep: BTreeMap::from([(FieldPath::from("id"), published(Type::Id)), (FieldPath::from("name"), published(Type::String))]),
        ..dataset("users", DatasetKind::List, "/v1/users")
    }
}

fn answer(schema: Value) -> Value {
    json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}})
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

/// A description that publishes everything, by references, `allOf`, `oneOf` and a circle.
fn whole() -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": {
            "/v1/settings/{org}": {"get": answer(object(json!({"data": {"$ref": "#/components/schemas/Settings"}})))},
            "/v1/users": {"get": {"responses": {"200": {"$ref": "#/components/responses/Users"}}}},
        },
        "components": {
            "responses": {"Users": {"content": {"application/json; charset=utf-8": {
                "schema": object(json!({"data": {"type": "array", "items": {"$ref": "#/components/schemas/User"}}}))}}}},
            "schemas": {
                "Settings": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"description": "more"}, object(json!({
                    "mfa": object(json!({"on": {"type": ["boolean", "null"]}})),
                    "hours": {"type": "integer"},
                    "at": {"type": "number"},
                    "roles": {"type": "array", "items": {"type": "string"}},
                    "keys": {"type": "array", "items": object(json!({"id": {"type": "string"}, "ends": {"type": "integer", "nullable": true}}))},
                }))]},
                "Named": object(json!({"name": {"oneOf": [{"type": "string"}, {"type": "null"}]}})),
                "User": object(json!({
                    "id": {"type": "integer"}, "name": {"type": "string"}, "password": {"type": "string", "writeOnly": true},
                    "manager": {"$ref": "#/components/schemas/User"},
                })),
            },
        },
    })
}

fn vendor_app() -> App {
    app(vec![description(), settings(), users()])
}

fn rows_of(document: &Value) -> Vec<Row> {
    describe(&vendor_app(), &description(), &BTreeMap::new(), document).unwrap().rows
}

fn body() -> Value {
    json!({"data": {
        "id": 1, "name": "Halden", "mfa": {"on": true}, "hours": 8, "at": 1_700_000_000, "roles": ["a"], "keys": [{"id": "k", "ends": 5}],
    }})
}

/// The settings as they are kept where the vendor publishes this.
fn kept_under(document: &Value) -> Row {
    let held = hold_against(&settings(), &rows_of(document), true).unwrap();
    reduce(&held, &body(), None).unwrap().rows.remove(0)
}

fn faults(row: &Row) -> BTreeSet<(&str, &str)> {
    row.faults.iter().map(|(path, why)| (path.as_str(), why.as_str())).collect()
}

#[test]
fn a_description_comes_to_paths_and_types() {
    let rows = rows_of(&whole());
    let fields = |path: &str| -> Vec<String> {
        let row = rows.iter().find(|row| row.fields["path"] == path).unwrap();
        assert_eq!((&row.fields["published"], &row.fields["all"], &row.fields["method"]), (&json!(true), &json!(true), &json!("GET")));
        row.fields["fields"].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        fields("/v1/settings/{organization}"),
        [
            "data:object",
            "data.at:number",
            "data.hours:int",
            "data.keys:list",
            "data.keys[]:object",
            "data.keys[].ends:int|null",
            "data.keys[].id:string",
            "data.mfa:object",
            "data.mfa.on:bool|null",
            "data.name:null|string",
            "data.roles:list",
            "data.roles[]:string",
        ]
    );
    // What is only ever sent is no field of an answer, and a circle is cut where it closes.
    let users = fields("/v1/users");
    assert!(users.contains(&"data[].id:int".to_owned()) && users.contains(&"data[].manager:any".to_owned()), "{users:?}");
    assert!(!users.iter().any(|field| field.contains("password") || field.contains("manager.")), "{users:?}");
    // The request that the description lacks has a row that says so.
    let row = rows.iter().find(|row| row.fields["path"] == "/v1/me").unwrap();
    assert_eq!((&row.fields["published"], &row.fields["fields"]), (&json!(false), &json!([])));
}

#[test]
fn everything_published_is_kept() {
    let row = kept_under(&whole());
    assert_eq!(row.faults, []);
    assert_eq!(row.fields["mfa"], json!({"on": true}));
    assert_eq!((&row.fields["hours"], &row.fields["roles"], &row.fields["keys"][0]["ends"]), (&json!(8), &json!(["a"]), &json!(5)));
}

#[test]
fn exactly_the_published_path_with_a_matching_type_counts() {
    let place = "/components/schemas/Settings/allOf/2/properties";
    for (field, written) in [("hours", "/hours"), ("mfa.on", "/mfa/properties/on"), ("keys[0].ends", "/keys/items/properties/ends")] {
        for schema in [
            json!({"type": "array"}),
            json!({"type": "object"}),
            json!({"type": ["integer", "boolean"]}),
            json!({}),
            json!(true),
            json!({"type": "any-thing"}),
            json!({"$ref": "https://vendor.example/elsewhere.json#/Hours"}),
            json!({"$ref": "#/components/schemas/Nowhere"}),
        ] {
            let mut document = whole();
            *document.pointer_mut(&format!("{place}{written}")).unwrap() = schema.clone();
            let row = kept_under(&document);
            assert_eq!(faults(&row), BTreeSet::from([(field, Row::NOT_PUBLISHED)]), "{field} as {schema}");
        }
    }
    // A like name is another name.
    for like in ["Hours", "hours_", "hour", "data.hours"] {
        let mut document = whole();
        let properties = document.pointer_mut(place).unwrap().as_object_mut().unwrap();
        let hours = properties.remove("hours").unwrap();
        properties.insert(like.to_owned(), hours);
        assert_eq!(faults(&kept_under(&document)), BTreeSet::from([("hours", Row::NOT_PUBLISHED)]), "{like}");
    }
    // A name with dots in it does not stand for a path.
    let mut document = whole();
    *document.pointer_mut("/paths/~1v1~1settings~1{org}").unwrap() =
        json!({"get": answer(object(json!({"data.hours": {"type": "integer"}})))});
    assert!(faults(&kept_under(&document)).contains(&("hours", Row::NOT_PUBLISHED)));
    // A path is the same but for the names of its placeholders, and must be there once.
    let mut document = whole();
    let paths = document["paths"].as_object_mut().unwrap();
    let settings = paths["/v1/settings/{org}"].clone();
    paths.insert("/v1/settings/{other}".into(), settings);
    assert!(faults(&kept_under(&document)).contains(&("hours", Row::NOT_PUBLISHED)));
    // Another verb, another status, another kind of content.
    for (from, to) in [("\"get\"", "\"post\""), ("\"200\"", "\"404\""), ("application/json", "text/html")] {
        let document: Value = serde_json::from_str(&whole().to_string().replace(from, to)).unwrap();
        assert!(faults(&kept_under(&document)).contains(&("hours", Row::NOT_PUBLISHED)), "{to}");
    }
}

#[test]
fn a_description_in_part_publishes_nothing() {
    let held = hold_against(&settings(), &rows_of(&whole()), false).unwrap();
    let row = reduce(&held, &body(), None).unwrap().rows.remove(0);
    assert!(!row.faults.is_empty() && row.faults.iter().all(|(_, why)| why == Row::DESCRIPTION_UNREAD), "{:?}", row.faults);
    assert_eq!(row.fields["id"], "1", "what is known from elsewhere stays");
    assert_eq!(hold_against(&users(), &rows_of(&whole()), false).unwrap_err().kind(), CauseKind::InputIncomplete);
}

#[test]
fn what_the_bounds_cut_off_is_unread_and_not_unpublished() {
    let more_than_fit = |count: usize| -> Value {
        // Shallow names come first, and among those of one depth the first by letter.
        let mut members: serde_json::Map<String, Value> = (0..count).map(|at| (format!("a{at}"), json!({"type": "string"}))).collect();
        members.insert("hours".into(), json!({"type": "integer"}));
        json!({
            "openapi": "3.0.3",
            "paths": {
                "/v1/settings/{org}": {"get": answer(object(json!({"data": {"type": "object", "properties": members}})))},
                "/v1/users": {"get": answer(object(json!({"data": {"type": "array", "items": {"type": "object", "properties": members}}})))},
            },
        })
    };
    let row = kept_under(&more_than_fit(10));
    assert_eq!((&row.fields["hours"], faults(&row).contains(&("name", Row::NOT_PUBLISHED))), (&json!(8), true));
    let document = more_than_fit(5_000);
    let cut = faults(&kept_under(&document)).into_iter().map(|(path, why)| (path.to_owned(), why.to_owned())).collect::<Vec<_>>();
    assert!(cut.iter().any(|(path, _)| path == "hours") && cut.iter().all(|(_, why)| why == Row::DESCRIPTION_UNREAD), "{cut:?}");
    let unread = hold_against(&users(), &rows_of(&document), true).unwrap_err();
    assert_eq!(unread.kind(), CauseKind::InputIncomplete, "nor is a key that was cut off unpublished");

    // A field is not kept by the type that was seen of it when another schema of it was cut off.
    let mut schemas = serde_json::Map::new();
    for at in 0..100 {
        schemas.insert(format!("C{at}"), json!({"$ref": format!("#/components/schemas/C{}", at + 1)}));
    }
    schemas.insert("C100".into(), json!({"type": "string"}));
    let hours = json!({"type": "integer", "oneOf": [{"$ref": "#/components/schemas/C0"}]});
    let document = json!({
        "openapi": "3.0.3",
        "paths": {"/v1/settings/{org}": {"get": answer(object(json!({"data": {"type": "object", "properties": {"hours": hours}}})))}},
        "components": {"schemas": schemas},
    });
    assert!(faults(&kept_under(&document)).contains(&("hours", Row::DESCRIPTION_UNREAD)));
}

#[test]
fn what_is_no_description_is_not_understood() {
    for document in
        [json!({}), json!([]), json!({"openapi": "2.0", "paths": {}}), json!({"openapi": 3, "paths": {}}), json!({"openapi": "3.0.1"})]
    {
        assert!(describe(&vendor_app(), &description(), &BTreeMap::new(), &document).is_err(), "{document}");
    }
}

#[test]
fn hostile_descriptions_end_and_are_bounded() {
    // Each of 40 schemas leads to all of them, twice: without bounds there are more paths than atoms.
    let mut schemas = serde_json::Map::new();
    for at in 0..40 {
        let members: serde_json::Map<String, Value> =
            (0..40).map(|to| (format!("m{to}"), json!({"$ref": format!("#/components/schemas/S{to}")}))).collect();
        schemas.insert(format!("S{at}"), json!({"allOf": [{"properties": members.clone()}, {"properties": members}]}));
    }
    // A chain of references without an end that is near, and one in a circle.
    for at in 0..50_000 {
        schemas.insert(format!("C{at}"), json!({"$ref": format!("#/components/schemas/C{}", at + 1)}));
    }
    schemas.insert("Own".into(), json!({"allOf": [{"$ref": "#/components/schemas/Own"}, {"$ref": "#/components/schemas/Own"}]}));
    let wide: serde_json::Map<String, Value> = (0..100_000).map(|at| (format!("w{at}"), json!({"type": "string"}))).collect();
    for root in [
        json!({"$ref": "#/components/schemas/S0"}),
        json!({"$ref": "#/components/schemas/C0"}),
        json!({"$ref": "#/components/schemas/Own"}),
        json!({"$ref": "#"}),
        json!({"properties": wide}),
        json!({"oneOf": vec![json!({"$ref": "#/components/schemas/S1"}); 5_000]}),
    ] {
        let document = json!({
            "openapi": "3.0.3",
            "paths": {"/v1/users": {"get": answer(root)}, "/v1/settings/{a}": {"$ref": "#/paths/~1v1~1settings~1{a}"}},
            "components": {"schemas": schemas.clone()},
        });
        let began = std::time::Instant::now();
        for row in rows_of(&document) {
            let fields = row.fields["fields"].as_array().unwrap();
            assert!(fields.len() <= 2_000);
            assert!(row.fields.to_string().len() < 1_000_000);
        }
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}

/// Anything that stands where a schema is expected, with the names that datasets keep among its own.
fn schema() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("data".to_owned()),
        Just("id".to_owned()),
        Just("name".to_owned()),
        Just("mfa".to_owned()),
        Just("on".to_owned()),
        Just("hours".to_owned()),
        Just("keys".to_owned()),
        Just("ends".to_owned()),
        Just("data.hours".to_owned()),
        "[a-z.\\[\\]{}:|]{0,8}",
    ];
    let leaf = prop_oneof![
        prop::sample::select(vec!["string", "integer", "boolean", "number", "array", "object", "null", "zz"])
            .prop_map(|ty| json!({"type": ty})),
        prop::sample::select(vec!["A", "B", "C"]).prop_map(|name| json!({"$ref": format!("#/components/schemas/{name}")})),
        Just(json!({"$ref": "#/paths"})),
        Just(json!({"$ref": 7})),
        Just(Value::Null),
        Just(json!(true)),
        Just(json!([])),
        Just(json!("x")),
        Just(json!({"type": ["integer", null]})),
        Just(json!({"nullable": true})),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let members = prop::collection::btree_map(names.clone(), inner.clone(), 0..5);
        prop_oneof![
            members.clone().prop_map(|members| json!({"type": "object", "properties": members})),
            members.prop_map(|members| json!({"properties": members})),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.clone().prop_map(|items| json!({"additionalProperties": items})),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| json!({"allOf": parts})),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| json!({"oneOf": parts})),
            prop::collection::vec(inner, 0..4).prop_map(|parts| json!({"anyOf": parts})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_description_crashes_and_what_it_lacks_is_never_kept(root in schema(), a in schema(), b in schema(), c in schema()) {
        let document = json!({
            "openapi": "3.1.0",
            "paths": {"/v1/settings/{org}": {"get": answer(root.clone())}, "/v1/users": root},
            "components": {"schemas": {"A": a, "B": b, "C": c}},
        });
        let rows = rows_of(&document);
        let row = rows.iter().find(|row| row.fields["path"] == "/v1/settings/{organization}").unwrap();
        let listed: BTreeMap<&str, &str> =
            row.fields["fields"].as_array().unwrap().iter().filter_map(|field| field.as_str()?.split_once(':')).collect();
        let held = hold_against(&settings(), &rows, true).unwrap();
        let kept = reduce(&held, &body(), None).unwrap().rows.remove(0);
        let of = |path: &str| listed.get(path).copied().unwrap_or_default();
        for (path, there, fits) in [
            ("data.name", kept.fields.get("name").is_some(), vec!["string", "null|string"]),
            ("data.mfa.on", kept.fields.pointer("/mfa/on").is_some(), vec!["bool", "bool|null"]),
            ("data.hours", kept.fields.get("hours").is_some(), vec!["int", "number", "int|null", "int|number", "null|number", "int|null|number"]),
            ("data.keys[].ends", kept.fields.pointer("/keys/0/ends").is_some(), vec!["int", "number", "int|null", "int|number", "null|number", "int|null|number"]),
        ] {
            prop_assert_eq!(there, fits.contains(&of(path)), "{} as {:?} in {}", path, of(path), document);
        }
        // A name that stands nowhere in the document stands in no row.
        let text = document.to_string();
        for path in listed.keys() {
            for part in path.split(['.', '[', ']', '{', '}']).filter(|part| !part.is_empty()) {
                prop_assert!(text.contains(part), "{} is of nobody", path);
            }
        }
    }
}

fn serving(document: Value) -> impl Fn(&Seen) -> vendor::Reply + Send + Sync + 'static {
    me_and(move |seen| match seen.path.as_str() {
        "/v1/openapi.json" => ok(document.clone()),
        "/v1/users" => ok(json!({"data": [{"id": 1, "name": "n"}]})),
        _ => ok(body()),
    })
}

async fn read(vendor: &Vendor, app: &App, datasets: &[&str], resume: Resume) -> Kept {
    let session = try_sign_in(app, &vendor.route(), small(), TestClock::new(), &[("organization", "halden")]).await.unwrap();
    let mut kept = Kept::default();
    collect(&session, app, datasets, resume, &mut kept, CancellationToken::new()).await.unwrap();
    kept
}

fn kind(kept: &Kept, dataset: &str) -> Option<CauseKind> {
    kept.finished[dataset].cause().map(|cause| cause.kind)
}

#[tokio::test]
async fn the_description_is_read_first_without_the_credential_and_is_evidence() {
    let vendor = Vendor::start(serving(whole())).await;
    let kept = read(&vendor, &vendor_app(), &["users", "settings"], Resume::default()).await;
    assert!(kept.finished.values().all(Completeness::is_complete), "{:?}", kept.finished);
    let asked: Vec<String> = vendor.seen().iter().map(|seen| seen.path.clone()).filter(|path| path != "/v1/me").collect();
    assert_eq!(asked[0], "/v1/openapi.json");
    assert!(vendor.seen().iter().all(|seen| seen.authorization.is_some() == (seen.path != "/v1/openapi.json")));
    assert_eq!(kept.rows("description").len(), 3, "one row for each request of the application on that host");
    assert_eq!(kept.rows("users")[0].fields["name"], "n");
}

#[tokio::test]
async fn a_description_that_cannot_be_read_leaves_names_unread_and_asks_for_no_unknown_list() {
    for reply in [status(500, json!({})), status(404, json!({})), ok(json!({"openapi": "2.0"}))] {
        let vendor = Vendor::start(me_and(move |seen| if seen.path == "/v1/openapi.json" { reply.clone() } else { ok(body()) })).await;
        let kept = read(&vendor, &vendor_app(), &["users", "settings"], Resume::default()).await;
        assert!(matches!(kept.finished["description"], Completeness::Unavailable(_)));
        assert_eq!(kind(&kept, "users"), Some(CauseKind::InputIncomplete));
        assert_eq!(kind(&kept, "settings"), None, "what is known from elsewhere is read");
        assert!(kept.rows("settings")[0].faults.iter().all(|(_, why)| why == Row::DESCRIPTION_UNREAD));
        assert!(!vendor.seen().iter().any(|seen| seen.path == "/v1/users"));
    }
}

#[tokio::test]
async fn a_request_that_is_not_published_is_not_made() {
    let mut application = vendor_app();
    let asked = application.datasets.iter_mut().find(|dataset| dataset.id == "users").unwrap();
    *asked = Dataset {
        published_by: by(true),
        keep: BTreeMap::from([(FieldPath::from("id"), keep(Type::Id)), (FieldPath::from("name"), keep(Type::String))]),
        ..users()
    };
    let mut document = whole();
    document["paths"].as_object_mut().unwrap().remove("/v1/users");
    let vendor = Vendor::start(serving(document)).await;
    let kept = read(&vendor, &application, &["users"], Resume::default()).await;
    assert_eq!(kind(&kept, "users"), Some(CauseKind::NotPublished));
    assert!(matches!(kept.finished["users"], Completeness::Unavailable(_)));
    assert!(!vendor.seen().iter().any(|seen| seen.path == "/v1/users"));
    // The same is told before anything is scanned.
    let session = try_sign_in(&application, &vendor.route(), small(), TestClock::new(), &[("organization", "halden")]).await.unwrap();
    let probed: BTreeMap<String, Completeness> = probe(&session, &application, &["settings", "users"]).await.into_iter().collect();
    assert_eq!(probed["users"].cause().map(|cause| cause.kind), Some(CauseKind::NotPublished));
    assert!(probed["settings"].is_complete());
    assert!(!vendor.seen().iter().any(|seen| seen.path == "/v1/users"));
    // What an administrator sends us are names and types.
    let shapes = shapes(&session, &application).await;
    let description = shapes.iter().find(|shape| shape.dataset == "description").unwrap();
    assert!(description.shape.to_string().contains("data.hours:int"), "{}", description.shape);
}

#[tokio::test]
async fn a_resumed_scan_holds_the_rest_against_the_description_of_its_beginning() {
    let mut application = vendor_app();
    let teams = Dataset { pagination: Pagination::None, ..dataset("teams", DatasetKind::List, "/v1/teams") };
    let members = Dataset {
        each: over("teams"),
        published_by: by(false),
        keep: BTreeMap::from([(FieldPath::from("id"), published(Type::Id)), (FieldPath::from("name"), published(Type::String))]),
        ..dataset("members", DatasetKind::List, "/v1/teams/{each.id}/members")
    };
    application.datasets.extend([teams, members]);
    let mut document = whole();
    document["paths"]["/v1/teams/{id}/members"] =
        json!({"get": answer(object(json!({"data": {"type": "array", "items": {"$ref": "#/components/schemas/User"}}})))});
    let reply = move |seen: &Seen| match seen.path.as_str() {
        "/v1/openapi.json" => ok(document.clone()),
        _ => ok(json!({"data": [{"id": 1, "name": "n"}, {"id": 2, "name": "m"}]})),
    };
    let vendor = Vendor::start(me_and(reply)).await;
    let session = try_sign_in(&application, &vendor.route(), small(), TestClock::new(), &[("organization", "halden")]).await.unwrap();
    for cut in 1..=3 {
        let mut first = Kept { fail_at_page: Some(cut), ..Kept::default() };
        let datasets = ["members", "teams"];
        assert!(collect(&session, &application, &datasets, Resume::default(), &mut first, CancellationToken::new()).await.is_err());
        let mut second = Kept::default();
        collect(&session, &application, &datasets, first.resume(), &mut second, CancellationToken::new()).await.unwrap();
        let mut finished = first.finished.clone();
        finished.extend(second.finished.clone());
        assert!(finished.values().all(Completeness::is_complete), "cut at page {cut}: {finished:?}");
        let rows = || first.pages.iter().chain(&second.pages).filter(|page| page.dataset == "members").flat_map(|page| &page.rows);
        assert!(rows().all(|row| row.faults.is_empty() && row.fields.get("name").is_some()), "cut at page {cut}");
        assert_eq!(vendor::keys_of_both(&first, &second, "members").len(), 4);
    }
}

#[tokio::test]
async fn a_login_option_without_the_host_role_says_which_one_has_it() {
    let mut application = app(vec![dataset("users", DatasetKind::List, "/v1/users")]);
    let elsewhere = Dataset { host: "elsewhere".into(), ..dataset("hooks", DatasetKind::List, "/v1/hooks") };
    let below = Dataset { host: "elsewhere".into(), each: over("users"), ..dataset("below", DatasetKind::List, "/v1/hooks/{each.id}") };
    application.datasets.extend([elsewhere, below]);
    let mut other = application.logins[0].clone();
    other.id = "other".into();
    other.label = "The other way".into();
    other.roles = vec![HostRole { id: "elsewhere".into(), hosts: vec!["api.elsewhere.example".into()], prefix: String::new() }];
    application.logins.push(other);
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": [{"id": 1, "name": "n"}]})))).await;
    let kept = read(&vendor, &application, &["users", "hooks", "below"], Resume::default()).await;
    assert_eq!(kind(&kept, "users"), None);
    for dataset in ["hooks", "below"] {
        assert!(matches!(&kept.finished[dataset], Completeness::Unavailable(_)), "{dataset}");
        assert_eq!(kind(&kept, dataset), Some(CauseKind::LoginLacks));
        assert!(kept.finished[dataset].cause().unwrap().sentence.contains("\"The other way\""));
    }
    let session = try_sign_in(&application, &vendor.route(), small(), TestClock::new(), &[("organization", "halden")]).await.unwrap();
    let probed: BTreeMap<String, Completeness> = probe(&session, &application, &["users", "hooks", "below"]).await.into_iter().collect();
    assert!(probed["users"].is_complete());
    for dataset in ["hooks", "below"] {
        assert_eq!(probed[dataset].cause().map(|cause| cause.kind), Some(CauseKind::LoginLacks), "{dataset}");
    }
    assert!(vendor.connections().iter().all(|host| host == vendor::HOST), "nobody else was asked");
}
