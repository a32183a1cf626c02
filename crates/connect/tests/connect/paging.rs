//! Lists by page number and by cursor, and lists of which only the newest count: their end is told, or they are in doubt.
use crate::entry::scan;
use crate::vendor;

use catalog::{App, CauseKind, Completeness, Dataset, DatasetKind, FieldPath, PageLink, Pagination, Recent, Type};
use posture_connect::{Asked, RequestClass, permit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use vendor::{Kept, Reply, Seen, TestClock, Vendor, app, dataset, inputs, keep, me_and, ok, small, timestamp, try_sign_in};

fn numbered() -> Dataset {
    Dataset {
        query: vec![("deleted".into(), "false".into())],
        pagination: Pagination::PageNumber {
            page: "page".into(),
            first: 1,
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
            more: None,
            ends_without: None,
            published: false,
            withheld: None,
        },
        ..dataset("users", DatasetKind::List, "/v1/users")
    }
}

async fn read(vendor: &Vendor, app: &App) -> Kept {
    let session = try_sign_in(app, &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    scan(&session, app).await
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

fn by_offset(first: u32, total: Option<&str>) -> Dataset {
    let pagination =
        Pagination::Offset { parameter: "startIndex".into(), first, size: Some(("count".into(), 2)), total: total.map(FieldPath::from) };
    Dataset { pagination, ..dataset("users", DatasetKind::List, "/v1/users") }
}

#[tokio::test]
async fn an_offset_counts_rows_to_the_total_that_is_told() {
    for (first, total) in [(0, Some("totalResults")), (1, Some("totalResults")), (0, None), (1, None)] {
        let reply = move |seen: &Seen| {
            let from: u32 = seen.parameter("startIndex").unwrap().parse().unwrap();
            let from = from - first;
            // The vendor gives fewer rows than were asked for on its second page.
            let until = (from + if from == 2 { 1 } else { 2 }).min(5);
            let rows: Vec<Value> = (from..until).map(|id| json!({"id": id, "name": "n"})).collect();
            ok(json!({"data": rows, "totalResults": 5}))
        };
        let vendor = Vendor::start(me_and(reply)).await;
        let kept = read(&vendor, &app(vec![by_offset(first, total)])).await;
        assert_eq!((kept.rows("users").len(), &kept.finished["users"]), (5, &Completeness::Complete), "{first} {total:?}");
        let asked = vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count();
        assert_eq!(asked, if total.is_some() { 3 } else { 4 });
    }
    let doubtful: [fn(&Seen) -> Value; 4] = [
        |_| json!({"data": rows(1, 5)}),
        |_| json!({"data": rows(1, 5), "totalResults": "5"}),
        |_| json!({"data": [], "totalResults": 5}),
        // The offset is not known to the vendor: the same rows for ever.
        |_| json!({"data": rows(1, 5), "totalResults": 100}),
    ];
    for (at, body) in doubtful.into_iter().enumerate() {
        let vendor = Vendor::start(me_and(move |seen| ok(body(seen)))).await;
        let kept = read(&vendor, &app(vec![by_offset(1, Some("totalResults"))])).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)), "{at}: {:?}", kept.finished["users"]);
    }
}

#[tokio::test]
async fn pages_may_be_counted_from_nought() {
    let mut users = numbered();
    users.pagination = Pagination::PageNumber {
        page: "page[number]".into(),
        first: 0,
        size: Some(("page[size]".into(), 2)),
        pages: Some(FieldPath::from("total_pages")),
        more: None,
    };
    let reply = |seen: &Seen| {
        let page: u32 = seen.parameter("page[number]").unwrap().parse().unwrap();
        ok(json!({"data": rows(page + 1, 5), "total_pages": 3}))
    };
    let vendor = Vendor::start(me_and(reply)).await;
    let kept = read(&vendor, &app(vec![users])).await;
    assert_eq!((kept.rows("users").len(), &kept.finished["users"]), (5, &Completeness::Complete));
    assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count(), 3);
}

#[tokio::test]
async fn a_cursor_is_followed_while_more_is_said_to_follow() {
    let with = |more: Option<&str>, ends_without: bool| Dataset {
        pagination: Pagination::Cursor {
            parameter: "page[after]".into(),
            next: FieldPath::from("meta.after_cursor"),
            size: None,
            more: more.map(FieldPath::from),
            ends_without: ends_without.then(|| "https://vendor.example/paging".to_owned()),
            published: false,
            withheld: None,
        },
        ..dataset("users", DatasetKind::List, "/v1/users")
    };
    // The vendor names a cursor on the last page too.
    let reply = |seen: &Seen| {
        let page: u32 = seen.parameter("page[after]").map_or(1, |page| page.parse().unwrap());
        ok(json!({"data": rows(page, 5), "meta": {"has_more": page < 3, "after_cursor": (page + 1).to_string()}}))
    };
    let vendor = Vendor::start(me_and(reply)).await;
    let kept = read(&vendor, &app(vec![with(Some("meta.has_more"), false)])).await;
    assert_eq!((kept.rows("users").len(), &kept.finished["users"]), (5, &Completeness::Complete));
    for meta in [json!({}), json!({"has_more": true}), json!({"has_more": true, "after_cursor": null}), json!({"has_more": "no"})] {
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": rows(1, 5), "meta": meta})))).await;
        let kept = read(&vendor, &app(vec![with(Some("meta.has_more"), true)])).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)));
    }
    // Left out at the end, as the vendor says; null, or empty, is an end as well.
    for (last, sourced, whole) in [(json!({}), true, true), (json!({}), false, false), (json!({"after_cursor": ""}), true, true)] {
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": rows(1, 5), "meta": last})))).await;
        let kept = read(&vendor, &app(vec![with(None, sourced)])).await;
        assert_eq!(kept.finished["users"].is_complete(), whole);
    }
}

#[tokio::test]
async fn odata_links_are_followed_on_the_same_list_only() {
    let users = || Dataset {
        pagination: Pagination::Odata { size: Some(("$top".into(), 2)), link: PageLink::default() },
        query: vec![("$filter".into(), "userType eq 'Guest'".into())],
        ..dataset("users", DatasetKind::List, "/v1/users")
    };
    let host = vendor::HOST;
    let reply = move |seen: &Seen| {
        let page: u32 = seen.parameter("$skiptoken").map_or(1, |page| page.parse().unwrap());
        let mut body = json!({"data": rows(page, 5)});
        if page < 3 {
            body["@odata.nextLink"] = json!(format!("https://{host}/v1/users?$top=2&$skiptoken={}", page + 1));
        }
        ok(body)
    };
    let vendor = Vendor::start(me_and(reply)).await;
    let kept = read(&vendor, &app(vec![users()])).await;
    assert_eq!((kept.rows("users").len(), &kept.finished["users"]), (5, &Completeness::Complete));
    // The filter is put back where the link leaves it out.
    let asked: Vec<Seen> = vendor.seen().into_iter().filter(|seen| seen.path == "/v1/users").collect();
    assert!(asked.iter().all(|seen| seen.parameter("$filter").as_deref() == Some("userType eq 'Guest'")), "{asked:?}");
    for link in [
        json!(format!("https://{host}/v1/groups?$skiptoken=2")),
        json!("https://elsewhere.example/v1/users?$skiptoken=2"),
        json!(format!("https://{host}/v1/users?$filter=true&$skiptoken=2")),
        json!(7),
        Value::Null,
    ] {
        let vendor = Vendor::start(me_and(move |_| ok(json!({"data": rows(1, 5), "@odata.nextLink": link})))).await;
        let kept = read(&vendor, &app(vec![users()])).await;
        assert!(matches!(kept.finished["users"], Completeness::Partial(_)));
        assert_eq!(vendor.seen().iter().filter(|seen| seen.path == "/v1/users").count(), 1);
    }
}

/// What something on the way answers in the vendor's place, with status 200, tells nothing of a list and is not its end.
#[tokio::test]
async fn what_is_no_page_of_the_list_is_not_its_end() {
    let size = || Some(("limit".to_owned(), 2));
    let said = || Some("https://vendor.example/docs/end".to_owned());
    let link = || format!("https://{}/v1/users?limit=2&page=2", vendor::HOST);
    let page_number = |pages: Option<&str>, more: Option<&str>| Pagination::PageNumber {
        page: "page".into(),
        first: 1,
        size: size(),
        pages: pages.map(FieldPath::from),
        more: more.map(FieldPath::from),
    };
    let cursor = |more: Option<&str>, ends_without| Pagination::Cursor {
        parameter: "page".into(),
        next: FieldPath::from("next"),
        size: size(),
        more: more.map(FieldPath::from),
        ends_without,
        published: false,
        withheld: None,
    };
    let json_api = |ends_without| Pagination::JsonApi {
        next: FieldPath::from("links.next"),
        size: size(),
        ends_without,
        single: None,
        link: PageLink::default(),
    };
    let by_place =
        |total: Option<&str>| Pagination::Offset { parameter: "page".into(), first: 0, size: size(), total: total.map(FieldPath::from) };
    // Each style, what the first page says of a second one, and whether an object without any member is its last page where the
    // vendor leaves an empty list out.
    let styles: Vec<(Pagination, Value, bool)> = vec![
        (json_api(None), json!({"links": {"next": link()}}), false),
        (json_api(said()), json!({"links": {"next": link()}}), true),
        (Pagination::LinkHeader { size: size(), link: PageLink::default() }, json!({}), true),
        (Pagination::Odata { size: size(), link: PageLink::default() }, json!({"@odata.nextLink": link()}), true),
        (by_place(None), json!({}), true),
        (by_place(Some("total")), json!({"total": 4}), false),
        (page_number(None, None), json!({}), true),
        (page_number(Some("pages"), None), json!({"pages": 2}), true),
        (page_number(None, Some("more")), json!({"more": true}), true),
        (cursor(None, None), json!({"next": "2"}), false),
        (cursor(None, said()), json!({"next": "2"}), true),
        (cursor(Some("more"), said()), json!({"next": "2", "more": true}), false),
    ];
    for (pagination, first, empty_is_last) in styles {
        for rows_absent in [None, said()] {
            for body in [json!({"message": "try later"}), json!({"kind": "users"}), json!([]), Value::Null, json!("later"), json!({})] {
                let whole = body == json!({}) && rows_absent.is_some() && empty_is_last;
                let list = Dataset {
                    pagination: pagination.clone(),
                    rows_absent: rows_absent.clone(),
                    ..dataset("users", DatasetKind::List, "/v1/users")
                };
                let mut one = first.clone();
                one["data"] = json!(rows(1, 4));
                let two = body.clone();
                let vendor = Vendor::start(me_and(move |seen| match seen.parameter("page").as_deref() {
                    None | Some("0" | "1") => ok(one.clone()).header("link", format!("<{}>; rel=\"next\"", link())),
                    Some(_) => ok(two.clone()),
                }))
                .await;
                let kept = read(&vendor, &app(vec![list])).await;
                let what = format!("{pagination:?}, {rows_absent:?}: {body}");
                assert_eq!(kept.keys("users"), ["1", "2"], "{what}");
                match &kept.finished["users"] {
                    Completeness::Complete => assert!(whole, "{what}"),
                    Completeness::Partial(cause) => {
                        assert!(!whole, "{what}: {cause:?}");
                        assert_eq!(cause.kind, CauseKind::NotUnderstood, "{what}");
                    }
                    Completeness::Unavailable(cause) => panic!("{what}: {cause:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_link_names_the_page_and_adds_nothing_else() {
    let list = |link: PageLink| {
        let mut users = dataset("users", DatasetKind::List, "/v1/users");
        users.query = vec![("deleted".into(), "false".into())];
        users.pagination = Pagination::LinkHeader { size: Some(("per_page".into(), 2)), link };
        app(vec![users])
    };
    let reply = |more: &'static str| {
        move |seen: &Seen| {
            let page: u32 = seen.parameter("page").map_or(1, |page| page.parse().unwrap());
            let next = format!("<https://{}/v1/users?deleted=false&page={}{more}>; rel=\"next\"", vendor::HOST, page + 1);
            let reply = ok(json!({"data": rows(page, 5)}));
            if page < 3 { reply.header("link", &next) } else { reply }
        }
    };
    let cursor = |name: &str| PageLink { cursor: vec![name.to_owned()], repeats: None };
    let repeats = || PageLink { cursor: vec!["page".into()], repeats: Some("https://vendor.example/docs".into()) };
    for (link, more, whole) in [
        (PageLink::default(), "", true),
        (PageLink::default(), "&per_page=2", true),
        (PageLink::default(), "&limit=7", true),
        (PageLink::default(), "&role=admin", false),
        (cursor("page"), "", true),
        (cursor("place"), "", false),
        (cursor("page"), "&after=2", false),
        (repeats(), "&role=&simple=false", true),
        (repeats(), "&deleted=true", false),
        (PageLink { cursor: vec!["place".into()], ..repeats() }, "", false),
    ] {
        let vendor = Vendor::start(me_and(reply(more))).await;
        let kept = read(&vendor, &list(link.clone())).await;
        assert_eq!(kept.finished["users"].is_complete(), whole, "{link:?} {more}: {:?}", kept.finished["users"]);
        let seen: Vec<Seen> = vendor.seen().into_iter().filter(|seen| seen.path == "/v1/users").collect();
        assert_eq!(seen.len(), if whole { 3 } else { 1 }, "{link:?} {more}");
        assert!(seen.iter().all(|seen| seen.parameter("simple").is_none()), "what the link repeats is not sent");
    }
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
