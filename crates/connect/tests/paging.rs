//! Lists by page number and by cursor, and lists of which only the newest count: their end is told, or they are in doubt.
#![allow(clippy::unwrap_used)]

mod vendor;

use catalog::{App, Completeness, Dataset, DatasetKind, FieldPath, Pagination, Recent, Type};
use posture_connect::{Asked, RequestClass, Resume, collect, permit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;
use vendor::{Kept, Reply, Seen, TestClock, Vendor, app, dataset, inputs, keep, me_and, ok, small, timestamp, try_sign_in};

fn numbered() -> Dataset {
    Dataset {
        query: vec![("deleted".into(), "false".into())],
        pagination: Pagination::PageNumber {
            page: "page".into(),
            size: Some(("limit".into(), 2)),
            pages: Some(FieldPath::from("total_pages")),
            more: Some(FieldPath::from("has_more")),
        },
        ..dataset("users", DatasetKind::List, "/v1/users")
    }
}

fn by_cursor() -> Dataset {
    Dataset {
        pagination: Pagination::Cursor {
            parameter: "start".into(),
            next: FieldPath::from("meta.next"),
            size: Some(("limit".into(), 2)),
            published: false,
            withheld: None,
        },
        ..dataset("users", DatasetKind::List, "/v1/users")
    }
}

async fn read(vendor: &Vendor, app: &App) -> Kept {
    let session = try_sign_in(app, &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    let mut kept = Kept::default();
    collect(&session, app, &["users"], Resume::default(), &mut kept, CancellationToken::new()).await.unwrap();
    kept
}

/// The users from 1 to `last` on a page of two.
fn rows(page: u32, last: u32) -> Vec<Value> {
    ((2 * page - 1)..=(2 * page).min(last)).map(|id| json!({"id": id, "name": "n"})).collect()
}

fn page_of(seen: &Seen) -> u32 {
    seen.parameter("page").map_or(0, |page| page.parse().unwrap())
}

async fn numbered_by(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Kept, Vec<Seen>) {
    let vendor = Vendor::start(me_and(reply)).await;
    let kept = read(&vendor, &app(vec![numbered()])).await;
    let seen = vendor.seen().into_iter().filter(|seen| seen.path == "/v1/users").collect();
    (kept, seen)
}

#[tokio::test]
async fn numbered_pages_end_where_the_vendor_says_so() {
    for extra in [json!({"total_pages": 3}), json!({"has_more": null, "total_pages": 3}), json!({})] {
        let (kept, seen) = numbered_by(move |seen| {
            let mut body = extra.clone();
            body["data"] = json!(rows(page_of(seen), 5));
            ok(body)
        })
        .await;
        assert_eq!(kept.finished["users"], Completeness::Complete);
        assert_eq!(kept.rows("users").len(), 5);
        let queries: Vec<&str> = seen.iter().map(|seen| seen.query.as_str()).collect();
        assert_eq!(queries[..3], ["deleted=false&limit=2&page=1", "deleted=false&limit=2&page=2", "deleted=false&limit=2&page=3"]);
    }
    let (kept, seen) = numbered_by(|seen| ok(json!({"data": rows(page_of(seen), 5), "has_more": page_of(seen) < 3}))).await;
    assert_eq!((kept.rows("users").len(), seen.len(), &kept.finished["users"]), (5, 3, &Completeness::Complete));
    // A page with fewer rows than were asked for is not the end.
    let (kept, seen) = numbered_by(|seen| ok(json!({"data": rows(page_of(seen), 5).into_iter().take(1).collect::<Vec<_>>()}))).await;
    assert_eq!((kept.rows("users").len(), seen.len()), (3, 4));
}

#[tokio::test]
async fn numbered_pages_whose_end_is_not_told_are_in_doubt() {
    let doubtful: [fn(&Seen) -> Value; 8] = [
        // The vendor does not know the parameter: the same page again.
        |_| json!({"data": rows(1, 5)}),
        |seen| json!({"data": rows(page_of(seen), 5), "total_pages": "3"}),
        |seen| json!({"data": rows(page_of(seen), 5), "has_more": 1}),
        |_| json!({"data": [], "has_more": true}),
        |seen| json!({"data": rows(page_of(seen), 3), "total_pages": 9}),
        // Two that contradict each other: both have to say that it is the end.
        |seen| json!({"data": rows(page_of(seen), 3), "total_pages": 1, "has_more": true}),
        // Fewer pages than there are with rows on them.
        |seen| json!({"data": rows(page_of(seen), 3), "total_pages": 0}),
        |seen| json!({"data": rows(page_of(seen), 3), "total_pages": 0, "has_more": false}),
    ];
    for (at, body) in doubtful.into_iter().enumerate() {
        let (kept, _) = numbered_by(move |seen| ok(body(seen))).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)), "{at}: {:?}", kept.finished["users"]);
    }
    // The last one is read to its end all the same.
    let (kept, seen) = numbered_by(|_| ok(json!({"data": [], "total_pages": 0}))).await;
    assert_eq!((seen.len(), &kept.finished["users"]), (1, &Completeness::Complete));
}

#[tokio::test]
async fn a_cursor_is_given_back_until_it_is_null_or_empty() {
    for end in [Value::Null, json!("")] {
        let last = end.clone();
        let reply = move |seen: &Seen| {
            let page = seen.parameter("start").map_or(1, |start| start.trim_start_matches("p&=").parse().unwrap());
            let next = if page < 3 { json!(format!("p&={}", page + 1)) } else { last.clone() };
            ok(json!({"data": rows(page, 5), "meta": {"next": next}}))
        };
        let vendor = Vendor::start(me_and(reply)).await;
        let kept = read(&vendor, &app(vec![by_cursor()])).await;
        assert_eq!((kept.rows("users").len(), &kept.finished["users"]), (5, &Completeness::Complete));
        let asked: Vec<Option<String>> =
            vendor.seen().iter().filter(|seen| seen.path == "/v1/users").map(|seen| seen.parameter("start")).collect();
        assert_eq!(asked, [None, Some("p&=2".into()), Some("p&=3".into())]);
    }
    for meta in [json!({}), json!({"next": true}), json!({"next": 1.5}), json!({"next": ["x"]}), json!({"next": "x".repeat(3_000)})] {
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": rows(1, 5), "meta": meta})))).await;
        let kept = read(&vendor, &app(vec![by_cursor()])).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)));
        assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count(), 1);
    }
    // The same cursor for ever, and a new one for ever with the same rows.
    for grows in [false, true] {
        let reply = move |seen: &Seen| {
            let before: u64 = seen.parameter("start").map_or(0, |start| start.parse().unwrap());
            ok(json!({"data": rows(1, 5), "meta": {"next": if grows { before + 1 } else { 7 }}}))
        };
        let vendor = Vendor::start(me_and(reply)).await;
        let kept = read(&vendor, &app(vec![by_cursor()])).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)));
        assert!(vendor.seen().len() < 20, "{} requests", vendor.seen().len());
    }
}

#[tokio::test]
async fn of_a_list_the_newest_first_only_what_is_new_is_read() {
    let log = || Dataset {
        keep: BTreeMap::from([
            (FieldPath::from("id"), keep(Type::Id)),
            (FieldPath::from("name"), keep(Type::String)),
            (FieldPath::from("at"), keep(timestamp())),
        ]),
        recent: Some(Recent { field: FieldPath::from("at"), days: 30 }),
        ..by_cursor()
    };
    // The clock stands at 21 November 2026.
    let pages = |days: Vec<Vec<&'static str>>| {
        move |seen: &Seen| {
            let page: usize = seen.parameter("start").map_or(0, |start| start.parse().unwrap());
            let rows: Vec<Value> = days[page]
                .iter()
                .enumerate()
                .map(|(at, day)| json!({"id": page * 10 + at, "name": "n", "at": format!("{day}T00:00:00Z")}))
                .collect();
            let next = if page + 1 < days.len() { json!(page + 1) } else { Value::Null };
            ok(json!({"data": rows, "meta": {"next": next}}))
        }
    };
    for (days, kept_rows, asked, whole) in [
        (vec![vec!["2026-11-20", "2026-11-01"], vec!["2026-10-25", "2026-10-01"], vec!["2026-09-01"]], 3, 2, true),
        (vec![vec!["2026-11-20"], vec!["2026-11-01"]], 2, 2, true),
        (vec![vec!["2026-11-20", "2026-11-01"], vec!["2026-09-01", "2026-08-01"], vec!["2026-07-01"]], 2, 2, true),
        (vec![vec!["2026-01-01"], vec!["2025-01-01"]], 0, 1, true),
        // The oldest first: that nothing new came does not mean that there is nothing new.
        (vec![vec!["2026-01-01", "2026-11-20"]], 0, 1, false),
        (vec![vec!["2026-11-01"], vec!["2026-11-20"]], 1, 2, false),
    ] {
        let vendor = Vendor::start(me_and(pages(days.clone()))).await;
        let kept = read(&vendor, &app(vec![log()])).await;
        let requests = vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count();
        assert_eq!((kept.rows("users").len(), requests, kept.finished["users"].is_complete()), (kept_rows, asked, whole), "{days:?}");
    }
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": [{"id": 1, "name": "n"}], "meta": {"next": 1}})))).await;
    let kept = read(&vendor, &app(vec![log()])).await;
    assert!(matches!(kept.finished["users"], Completeness::Partial(_)), "an entry without a time");
    assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count(), 1);
}

#[test]
fn only_the_page_is_turned() {
    let query = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let allowed = |dataset: Dataset, class: RequestClass, query: &[(String, String)]| {
        let app = app(vec![dataset]);
        let inputs = inputs(&[]);
        let hosts = app.logins[0].resolve(&inputs).unwrap();
        let asked = Asked { class, dataset: "users", method: "GET", host: vendor::HOST, path: "/v1/users", query, body: None };
        permit(&app, &hosts, &inputs, &asked).is_ok()
    };
    let first = query(&[("deleted", "false"), ("limit", "2"), ("page", "1")]);
    assert!(allowed(numbered(), RequestClass::Dataset, &first));
    assert!(!allowed(numbered(), RequestClass::Dataset, &query(&[("deleted", "false"), ("limit", "2")])));
    for (pairs, fine) in [
        (vec![("deleted", "false"), ("limit", "2"), ("page", "2")], true),
        (vec![("limit", "2"), ("page", "40"), ("deleted", "false")], true),
        (vec![("deleted", "false"), ("limit", "2"), ("page", "1")], false),
        (vec![("deleted", "false"), ("limit", "2"), ("page", "02")], false),
        (vec![("deleted", "false"), ("limit", "2"), ("page", "2&x=1")], false),
        (vec![("deleted", "false"), ("limit", "9"), ("page", "2")], false),
        (vec![("deleted", "true"), ("limit", "2"), ("page", "2")], false),
        (vec![("limit", "2"), ("page", "2")], false),
        (vec![("deleted", "false"), ("limit", "2"), ("page", "2"), ("page", "3")], false),
        (vec![("deleted", "false"), ("limit", "2"), ("page", "2"), ("admin", "1")], false),
    ] {
        assert_eq!(allowed(numbered(), RequestClass::Continuation, &query(&pairs)), fine, "{pairs:?}");
    }
    for (pairs, fine) in [
        (vec![("limit", "2"), ("start", "abc")], true),
        (vec![("limit", "2"), ("start", "")], false),
        (vec![("limit", "2")], false),
        (vec![("limit", "2"), ("start", "abc"), ("_method", "DELETE")], false),
    ] {
        assert_eq!(allowed(by_cursor(), RequestClass::Continuation, &query(&pairs)), fine, "{pairs:?}");
    }
}
