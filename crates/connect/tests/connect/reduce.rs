//! Reduction: what is kept, what becomes a fault, what is refused, and that nothing undeclared ever stays.
use crate::vendor;

use catalog::{
    Dataset, DatasetKind, FieldPath, Keep, OnEmpty, PageLink, Pagination, Row, RowKey, TimestampFormat, Transform, Type, Values,
};
use posture_connect::{ConnectError, Parent, reduce};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use vendor::{dataset, json_api, keep, optional, timestamp};

fn object(fields: Vec<(&str, Keep)>) -> Dataset {
    Dataset {
        keep: fields.into_iter().map(|(path, keep)| (FieldPath::from(path), keep)).collect(),
        label: None,
        ..dataset("settings", DatasetKind::Object, "/v1/settings")
    }
}

fn transformed(ty: Type, transform: Transform) -> Keep {
    Keep { transform: Some(transform), ..keep(ty) }
}

fn one(dataset: &Dataset, row: Value) -> Row {
    let page = reduce(dataset, &json!({"data": row}), None).unwrap();
    assert_eq!(page.doubt, None);
    page.rows.into_iter().next().unwrap()
}

fn faults(row: &Row) -> Vec<(&str, &str)> {
    row.faults.iter().map(|(path, why)| (path.as_str(), why.as_str())).collect()
}

#[test]
fn only_declared_fields_of_the_declared_type_stay() {
    let settings = object(vec![
        ("on", keep(Type::Bool)),
        ("saml.length", keep(Type::Int)),
        ("saml.mode", keep(Type::Enum(vec!["strict".into(), "lax".into()]))),
        ("id", keep(Type::Id)),
        ("at", keep(timestamp())),
        ("seconds", keep(Type::Timestamp(TimestampFormat::EpochSeconds))),
        ("roles", keep(Type::List(Box::new(Type::String)))),
        ("sizes", keep(Type::Map(Box::new(Type::Number)))),
        ("headers", keep(Type::List(Box::new(Type::Object(BTreeMap::from([("name".into(), keep(Type::String))])))))),
    ]);
    let row = one(
        &settings,
        json!({
            "on": true, "saml": {"length": 12.0, "mode": "strict", "secret": "s"}, "id": 9_007_199_254_740_993_i64, "at": "2026-11-21T10:00:00+01:00",
            "seconds": 1_700_000_000, "roles": ["a", "b"], "sizes": {"x": 1.5}, "headers": [{"name": "X-Key", "value": "secret"}], "token": "secret",
        }),
    );
    assert_eq!(faults(&row), []);
    assert_eq!(
        row.fields,
        json!({
            "on": true, "saml": {"length": 12, "mode": "strict"}, "id": "9007199254740993", "at": "2026-11-21T09:00:00Z",
            "seconds": "2023-11-14T22:13:20Z", "roles": ["a", "b"], "sizes": {"x": 1.5}, "headers": [{"name": "X-Key"}],
        })
    );
}

#[test]
fn what_is_missing_null_ill_typed_or_unknown_is_a_fault_and_not_a_value() {
    let settings = object(vec![
        ("on", keep(Type::Bool)),
        ("off", keep(Type::Bool)),
        ("saml.length", keep(Type::Int)),
        ("mode", keep(Type::Enum(vec!["strict".into()]))),
        ("at", keep(timestamp())),
        ("roles", keep(Type::List(Box::new(Type::String)))),
        ("headers", keep(Type::List(Box::new(Type::Object(BTreeMap::from([("name".into(), keep(Type::String))])))))),
        ("deep.flag", keep(Type::Bool)),
        ("big", keep(Type::Int)),
    ]);
    let row = one(
        &settings,
        json!({"on": "true", "off": null, "mode": "brand-new", "at": "yesterday", "roles": ["a", 5, null], "headers": [{"name": "a"}, {}, {"name": 1}], "deep": "x", "big": 1e300}),
    );
    assert_eq!(
        faults(&row),
        [
            ("at", "not a point in time"),
            ("big", "not a whole number"),
            ("deep", "not an object"),
            ("headers[1].name", "missing"),
            ("headers[2].name", "not text"),
            ("mode", "unknown value"),
            ("off", "null"),
            ("on", "not true or false"),
            ("roles[1]", "not text"),
            ("roles[2]", "null"),
            ("saml.length", "missing"),
        ]
    );
    assert_eq!(row.fields, json!({"roles": ["a"], "headers": [{"name": "a"}, {}, {}]}));
}

#[test]
fn absence_counts_only_where_it_is_documented() {
    let settings = object(vec![
        ("saml.enabled", optional(Type::Bool, json!(false))),
        ("ends", optional(timestamp(), Value::Null)),
        ("on", keep(Type::Bool)),
    ]);
    for row in [json!({"on": true}), json!({"on": true, "saml": null, "ends": null}), json!({"on": true, "saml": {"enabled": null}})] {
        let row = one(&settings, row);
        assert_eq!(row.fields, json!({"saml": {"enabled": false}, "ends": null, "on": true}));
        assert_eq!(faults(&row), []);
    }
    let row = one(&settings, json!({"on": true, "saml": {"enabled": 0}}));
    assert_eq!(faults(&row), [("saml.enabled", "not true or false")], "a value of another type is not absence");
}

#[test]
fn an_empty_text_is_absence_only_where_the_vendor_says_so() {
    let empty = |mut keep: Keep| {
        keep.absent.as_mut().unwrap().empty = true;
        keep
    };
    let as_text = |keep: Keep| {
        let mut dataset = object(vec![("field", keep), ("on", self::keep(Type::Bool))]);
        dataset.values = Values::Text;
        one(&dataset, json!({"field": "", "on": "true"}))
    };
    let ends = || optional(timestamp(), Value::Null);
    assert_eq!(as_text(empty(ends())).fields, json!({"field": null, "on": true}));
    for undeclared in
        [ends(), optional(Type::Bool, json!(false)), optional(Type::Int, json!(0)), optional(Type::Id, Value::Null), keep(Type::Bool)]
    {
        let row = as_text(undeclared);
        assert_eq!((&row.fields, faults(&row).len()), (&json!({"on": true}), 1), "what is written is read, and says no such value");
    }
    assert_eq!(as_text(optional(Type::String, json!("none"))).fields["field"], "", "an empty text is a text");
    assert_eq!(as_text(empty(optional(Type::String, json!("none")))).fields["field"], "none");
    let typed = object(vec![("field", empty(ends())), ("on", keep(Type::Bool))]);
    assert_eq!(one(&typed, json!({"field": "", "on": true})).fields, json!({"field": null, "on": true}), "also where values are typed");
}

#[test]
fn transforms_keep_what_may_be_judged_and_nothing_else() {
    let list = || Type::List(Box::new(Type::String));
    let settings = object(vec![
        ("token", transformed(Type::String, Transform::Present)),
        ("empty", transformed(Type::String, Transform::Present)),
        ("headers", transformed(Type::Map(Box::new(Type::String)), Transform::NamesOf)),
        ("url", transformed(Type::String, Transform::HostOf)),
        ("urls", transformed(list(), Transform::HostOf)),
        ("digest", transformed(Type::String, Transform::Sha256)),
        ("jwt", transformed(Type::String, Transform::JwtTimes)),
        ("certs", transformed(list(), Transform::X509)),
    ]);
    let mut params = rcgen::CertificateParams::new(vec!["idp.example".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "IdP");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let bare: String = certificate.pem().lines().filter(|line| !line.starts_with("-----")).collect();
    let row = one(
        &settings,
        json!({
            "token": "hunter2", "empty": "", "headers": {"b": "secret-b", "a": "secret-a"}, "url": "HTTPS://user:pw@Hooks.Example:8443/secret?k=v",
            "urls": ["https://a.example/x", "not a url", "mailto:x@y.example"], "digest": "abc", "jwt": vendor::TOKEN,
            "certs": [certificate.pem(), bare, "garbage", format!("{}{}", certificate.pem(), certificate.pem())],
        }),
    );
    let fields = &row.fields;
    assert_eq!(fields["token"], json!(true));
    assert_eq!(fields["empty"], json!(false));
    assert_eq!(fields["headers"], json!(["a", "b"]));
    assert_eq!(fields["url"], json!({"scheme": "https", "host": "hooks.example"}));
    assert_eq!(fields["urls"], json!([{"scheme": "https", "host": "a.example"}]));
    assert_eq!(fields["digest"], json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_eq!(fields["jwt"], json!({"exp": "2030-01-01T00:00:00Z"}));
    let certs = fields["certs"].as_array().unwrap();
    assert_eq!(certs.len(), 2);
    assert_eq!(certs[0], certs[1]);
    assert_eq!(certs[0]["subject"], json!("CN=IdP"));
    assert_eq!(certs[0]["not_after"], json!("2027-01-01T00:00:00Z"));
    assert_eq!(certs[0]["key_algorithm"], json!("ec"));
    assert_eq!(certs[0]["key_bits"], json!(256));
    assert_eq!(certs[0]["signature_algorithm"], json!("ecdsa-with-sha256"));
    assert_eq!(
        faults(&row),
        [
            ("certs[2]", "not a certificate"),
            ("certs[3]", "more than one certificate"),
            ("urls[1]", "not a URL"),
            ("urls[2]", "a URL without a host"),
        ]
    );
    let kept = row.fields.to_string();
    for secret in ["hunter2", "secret-a", "pw", "8443", "k=v"] {
        assert!(!kept.contains(secret), "{secret} was kept");
    }
}

#[test]
fn an_rsa_key_is_measured_and_its_signature_named() {
    // A self-signed RSA 2048 certificate with SHA-256, made once with openssl for this test.
    let settings = object(vec![("cert", transformed(Type::String, Transform::X509))]);
    let row = one(&settings, json!({"cert": include_str!("rsa2048.pem")}));
    assert_eq!(faults(&row), []);
    assert_eq!(row.fields["cert"]["key_algorithm"], json!("rsa"));
    assert_eq!(row.fields["cert"]["key_bits"], json!(2048));
    assert_eq!(row.fields["cert"]["signature_algorithm"], json!("sha256withrsaencryption"));
}

#[test]
fn rows_that_are_not_where_they_should_be_are_never_an_empty_list() {
    let users = dataset("users", DatasetKind::List, "/v1/users");
    for body in [
        json!({}),
        json!({"data": null}),
        json!({"data": {}}),
        json!({"data": "x"}),
        json!([]),
        json!(null),
        json!("x"),
        json!({"errors": []}),
    ] {
        assert_eq!(reduce(&users, &body, None).unwrap_err().code(), "E-NOT-UNDERSTOOD", "{body}");
    }
    assert_eq!(reduce(&users, &json!({"data": []}), None).unwrap().rows, []);
    let me = dataset("me", DatasetKind::Object, "/v1/me");
    for body in [json!({}), json!({"data": null}), json!({"data": []}), json!({"data": 3}), json!([1])] {
        assert_eq!(reduce(&me, &body, None).unwrap_err().code(), "E-NOT-UNDERSTOOD", "{body}");
    }
}

#[test]
fn a_list_that_is_left_out_is_empty_only_where_the_vendor_says_so() {
    let by_token = Pagination::Cursor {
        parameter: "pageToken".into(),
        next: FieldPath::from("nextPageToken"),
        size: None,
        more: None,
        ends_without: Some("https://vendor.example/docs/end".into()),
        published: false,
        withheld: None,
    };
    let said = |rows: &str| Dataset {
        rows: rows.into(),
        rows_absent: Some("https://vendor.example/docs/empty".into()),
        pagination: by_token.clone(),
        ..dataset("users", DatasetKind::List, "/v1/users")
    };
    let unsaid = |rows: &str| Dataset { rows_absent: None, ..said(rows) };
    for (rows, body) in [
        ("data[]", json!({})),
        ("data[]", json!({"nextPageToken": "2"})),
        ("data[]", json!({"nextPageToken": 2})),
        ("data[]", json!({"data": null})),
        ("data[]", json!({"data": null, "kind": "users"})),
        ("list.users[]", json!({"list": {}})),
        ("list.users[]", json!({"list": {"kind": "users"}, "nextPageToken": "2"})),
    ] {
        let page = reduce(&said(rows), &body, None).unwrap();
        assert_eq!((page.rows.len(), page.doubt), (0, None), "{rows} of {body}");
        assert!(
            matches!(reduce(&unsaid(rows), &body, None), Err(ConnectError::NotUnderstood { .. })),
            "{rows} of {body}, and nobody says so"
        );
    }
    for (rows, body) in [
        // Another value in the list's place.
        ("data[]", json!({"data": {}})),
        ("data[]", json!({"data": "none"})),
        ("data[]", json!({"data": false})),
        ("data[]", json!({"data": 0})),
        // An object that does not say whose it is.
        ("data[]", json!({"message": "try later"})),
        ("data[]", json!({"kind": "users"})),
        ("data[]", json!({"nextPageToken": "", "message": "try later"})),
        ("data[]", json!({"nextPageToken": null})),
        ("data[]", json!({"nextPageToken": {}})),
        ("list.users[]", json!({"list": {"message": "try later"}})),
        // Another answer altogether.
        ("data[]", json!([])),
        ("data[]", json!(null)),
        ("data[]", json!("data")),
        // A member before the last one.
        ("list.users[]", json!({})),
        ("list.users[]", json!({"list": null})),
        ("list.users[]", json!({"list": []})),
        // A list that is the whole body.
        ("[]", json!(null)),
        ("[]", json!({})),
    ] {
        assert!(matches!(reduce(&said(rows), &body, None), Err(ConnectError::NotUnderstood { .. })), "{rows} of {body}");
    }
    let full = json!({"data": [{"id": 1, "name": "a"}]});
    assert_eq!(reduce(&said("data[]"), &full, None).unwrap(), reduce(&unsaid("data[]"), &full, None).unwrap());
    // What is read instead is another list, of which nobody says so.
    let instead = Dataset {
        instead: Some(catalog::Instead { field: "names".into(), path: "/v1/users/{each.item}".into(), rows: "data[]".into() }),
        ..said("data[]")
    };
    let named = instead.for_inputs(&[("names".to_owned(), "a".to_owned())].into_iter().collect());
    assert!(matches!(reduce(&named, &json!({}), None), Err(ConnectError::NotUnderstood { .. })));
}

#[test]
fn a_row_that_cannot_be_identified_puts_the_list_in_doubt() {
    let users = dataset("users", DatasetKind::List, "/v1/users");
    for row in [
        json!({"name": "x"}),
        json!({"id": null, "name": "x"}),
        json!({"id": "", "name": "x"}),
        json!({"id": {}, "name": "x"}),
        json!(3),
        json!(null),
    ] {
        let page = reduce(&users, &json!({"data": [{"id": 1, "name": "a"}, row]}), None).unwrap();
        assert_eq!(page.rows.len(), 1);
        assert_eq!(page.doubt.unwrap().code(), "E-NOT-UNDERSTOOD", "{row}");
    }
}

#[test]
fn keys_labels_and_what_a_parent_carries() {
    let users = dataset("users", DatasetKind::List, "/v1/users");
    let parent = Parent { key: RowKey("42".into()), label: "Team".into(), each: Map::from_iter([("id".into(), json!("42"))]) };
    let page = reduce(&users, &json!({"data": [{"id": 1, "name": "Ada"}, {"id": "x"}]}), Some(&parent)).unwrap();
    assert_eq!(page.rows[0].key, RowKey("42\u{1f}1".into()));
    assert_eq!(page.rows[0].label, "Ada");
    assert_eq!(page.rows[0].fields, json!({"id": "1", "name": "Ada", "each": {"id": "42"}}));
    assert_eq!(page.rows[1].label, "x", "without its label a row is named by its key");
    let of_team = Dataset { label: Some(FieldPath::from("each.id")), ..users };
    let page = reduce(&of_team, &json!({"data": [{"id": 1, "name": "Ada"}]}), Some(&parent)).unwrap();
    assert_eq!(page.rows[0].label, "42", "what the parent carries may name a row");
    let me = dataset("me", DatasetKind::Object, "/v1/me");
    assert_eq!(reduce(&me, &json!({"data": {}}), None).unwrap().rows[0].key, RowKey::default());
    assert_eq!(reduce(&me, &json!({"data": {}}), Some(&parent)).unwrap().rows[0].key, RowKey("42".into()));
}

#[test]
fn the_link_to_the_next_page() {
    let mut users = dataset("users", DatasetKind::List, "/v1/users");
    users.pagination = json_api();
    let rows = json!([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]);
    let next = |links: Value| {
        let mut body = json!({"data": rows});
        body.as_object_mut().unwrap().extend(links.as_object().unwrap().clone());
        let page = reduce(&users, &body, None).unwrap();
        (page.next, page.doubt.is_some())
    };
    assert_eq!(next(json!({"links": {"next": "/v1/users?page=2"}})), (Some("/v1/users?page=2".into()), false));
    assert_eq!(next(json!({"links": {"next": null}})), (None, false));
    assert_eq!(next(json!({"links": {"next": 2}})), (None, true));
    assert_eq!(next(json!({})), (None, true), "a full page that does not say whether another follows");
    assert_eq!(next(json!({"links": {}})), (None, true));
    let short = json!({"data": [{"id": 1, "name": "a"}]});
    assert!(reduce(&users, &short, None).unwrap().doubt.is_some(), "a vendor may send less than was asked for, and go on");
    let source = || Some("https://vendor.example/docs".to_owned());
    users.pagination = Pagination::JsonApi {
        next: FieldPath::from("links.next"),
        size: None,
        ends_without: source(),
        single: None,
        link: PageLink::default(),
    };
    let end = reduce(&users, &short, None).unwrap();
    assert_eq!((end.next, end.doubt), (None, None), "the vendor documents that it leaves the link out at the end");
}

#[test]
fn a_single_resource_stands_for_a_list_only_where_the_vendor_says_so() {
    let mut users = dataset("users", DatasetKind::List, "/v1/users");
    users.pagination = json_api();
    let body = json!({"data": {"type": "user", "id": 1, "name": "a"}, "links": {"next": null}});
    assert_eq!(reduce(&users, &body, None).unwrap_err().code(), "E-NOT-UNDERSTOOD");
    users.pagination = Pagination::JsonApi {
        next: FieldPath::from("links.next"),
        size: None,
        ends_without: None,
        single: Some("https://vendor.example/docs".into()),
        link: PageLink::default(),
    };
    let page = reduce(&users, &body, None).unwrap();
    assert_eq!((page.rows.len(), page.doubt), (1, None));
    for body in [json!({"data": {"id": 1, "name": "a"}}), json!({"data": {"type": "user", "name": "a"}}), json!({"data": {}})] {
        assert_eq!(reduce(&users, &body, None).unwrap_err().code(), "E-NOT-UNDERSTOOD", "{body}");
    }
}

#[test]
fn a_list_at_the_root_and_a_list_inside_a_list() {
    let mut users = dataset("users", DatasetKind::List, "/v1/users");
    users.rows = "[]".into();
    assert_eq!(reduce(&users, &json!([{"id": 1, "name": "a"}]), None).unwrap().rows.len(), 1);
    users.rows = "groups[].users[]".into();
    let body = json!({"groups": [{"users": [{"id": 1, "name": "a"}]}, {"users": [{"id": 2, "name": "b"}]}]});
    assert_eq!(reduce(&users, &body, None).unwrap().rows.len(), 2);
    assert!(reduce(&users, &json!({"groups": [{"users": []}, {}]}), None).is_err());
}

/// JSON whose every text and every name holds a mark, so that a leak is seen.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        "[a-z]{0,6}".prop_map(|text| Value::from(format!("SECRET{text}"))),
        Just(Value::from("strict")),
        Just(Value::from("2026-11-21T09:00:00Z")),
        Just(Value::from("https://SECRET:SECRET@h.example/SECRET")),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("(id|name|on|saml|mode|roles|headers|url|at|SECRETname|data)", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A row with an id, so that it is not dropped before anything is looked at.
fn row() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::btree_map("(name|on|saml|mode|roles|headers|url|at|SECRETname)", anything(), 0..8);
    (-1000_i64..1000, fields).prop_map(|(id, fields)| {
        let mut row: Map<String, Value> = fields.into_iter().collect();
        row.insert("id".into(), id.into());
        Value::Object(row)
    })
}

fn declared() -> Dataset {
    Dataset {
        keep: BTreeMap::from([
            (FieldPath::from("id"), keep(Type::Int)),
            (FieldPath::from("on"), keep(Type::Bool)),
            (FieldPath::from("saml.mode"), keep(Type::Enum(vec!["strict".into()]))),
            (FieldPath::from("saml.on"), optional(Type::Bool, json!(false))),
            (FieldPath::from("name"), transformed(Type::String, Transform::Present)),
            (FieldPath::from("roles"), transformed(Type::Map(Box::new(Type::String)), Transform::Present)),
            (
                FieldPath::from("headers"),
                keep(Type::List(Box::new(Type::Object(BTreeMap::from([
                    ("on".into(), keep(Type::Bool)),
                    ("at".into(), keep(timestamp())),
                ]))))),
            ),
            (FieldPath::from("url"), transformed(Type::String, Transform::HostOf)),
            (FieldPath::from("at"), Keep { on_empty: OnEmpty::Unknown, ..keep(timestamp()) }),
        ]),
        label: None,
        pagination: Pagination::None,
        ..dataset("any", DatasetKind::List, "/v1/any")
    }
}

proptest! {
    #[test]
    fn nothing_undeclared_stays(rows in proptest::collection::vec(prop_oneof![4 => row(), 1 => anything()], 0..6)) {
        if let Ok(page) = reduce(&declared(), &json!({"data": rows}), None) {
            for row in &page.rows {
                let written = serde_json::to_string(row).unwrap();
                prop_assert!(!written.contains("SECRET"), "{}", written);
                let names: Vec<_> = row.fields.as_object().unwrap().keys().map(String::as_str).collect();
                prop_assert!(names.iter().all(|name| ["id", "on", "saml", "name", "roles", "headers", "url", "at"].contains(name)));
            }
        }
    }

    #[test]
    fn every_declared_field_is_there_or_named_in_a_fault(row in row()) {
        let page = reduce(&declared(), &json!({"data": [row]}), None).unwrap();
        prop_assert_eq!(page.rows.len(), 1);
        for row in &page.rows {
            for path in ["id", "on", "saml.mode", "saml.on", "name", "roles", "headers", "url", "at"] {
                let there = path.split('.').try_fold(&row.fields, |value, name| value.get(name)).is_some();
                let faulted = row.faults.iter().any(|(fault, _)| path == fault || path.starts_with(&format!("{fault}.")) || fault.starts_with(&format!("{path}[")));
                prop_assert!(there || faulted, "{} is silently missing of {:?}", path, row);
            }
        }
    }

    #[test]
    fn the_order_of_rows_and_names_changes_no_row(rows in proptest::collection::vec(row(), 0..6)) {
        let mut back = rows.clone();
        back.reverse();
        let (one, other) = (reduce(&declared(), &json!({"data": rows}), None).unwrap(), reduce(&declared(), &json!({"data": back}), None).unwrap());
        let mut reversed = other.rows;
        reversed.reverse();
        prop_assert_eq!(one.rows, reversed);
    }
}
