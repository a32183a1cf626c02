use crate::{
    client::{World, builder, still, tenant_name},
    helpdesk::{HOST, answering, app, noon, paged},
};
use catalog::{FieldPath, PageLink, Pagination, SandboxAnswer};
use proptest::prelude::*;
use sandbox::{Fault, OverlayChange, Sandbox, Tenant};
use serde_json::{Value, json};

/// Follows a list to its end, as a client does; the ids of each page, and the targets asked for.
async fn walk(world: &World, first: &str) -> (Vec<Vec<String>>, Vec<String>) {
    let (mut pages, mut asked, mut next) = (Vec::new(), Vec::new(), Some(first.to_owned()));
    while let Some(target) = next {
        assert!(asked.len() < 500, "no end");
        let response = world.get(&target).await;
        assert_eq!(response.status(), 200, "{target}");
        let link = response.headers().get("link").map(|value| value.to_str().unwrap().to_owned());
        let body: Value = response.json().await.unwrap();
        let rows = body.as_array().or_else(|| body["data"].as_array()).unwrap();
        pages.push(rows.iter().map(|row| row["id"].to_string()).collect());
        let of_header = link.as_deref().and_then(|link| {
            let part = link.split(", ").find(|part| part.ends_with("rel=\"next\""))?;
            Some(part[1..part.find('>')?].strip_prefix(&format!("https://{HOST}"))?.to_owned())
        });
        next = of_header.or_else(|| body["links"]["next"].as_str().map(str::to_owned));
        asked.push(target);
    }
    (pages, asked)
}

proptest! {
    // Each case is a server and a walk over HTTPS.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pages are full but for the last, and together they are the list, each row once and in order.
    #[test]
    fn pages_are_the_list(generated in 0_u32..70, size in 1_usize..120) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::generating(generated, generated).await;
            let repositories = std::iter::once("1".to_owned()).chain((0..generated).map(|index| (1000 + index).to_string())).collect::<Vec<_>>();
            let events = std::iter::once("\"e-1\"".to_owned()).chain((0..generated).map(|index| format!("\"e-{index}\""))).collect::<Vec<_>>();
            for (first, rows) in [
                (format!("/orgs/halden-moor/repos?per_page={size}"), repositories),
                (format!("/v1/events?count={size}"), events),
            ] {
                let size = size.min(100);
                let (pages, _) = walk(&world, &first).await;
                let wanted: Vec<Vec<String>> = rows.chunks(size).map(<[String]>::to_vec).collect();
                assert_eq!(pages, wanted, "{first}");
            }
        });
    }
}

#[tokio::test]
async fn json_api_says_where_it_is() {
    let world = World::new().await;
    let first = world.json("/v1/users?deleted=false&pageSize=1").await;
    assert_eq!(
        first["links"],
        json!({
            "self": "/v1/users?deleted=false&page=1&pageSize=1", "first": "/v1/users?deleted=false&page=1&pageSize=1",
            "prev": null, "next": "/v1/users?deleted=false&page=2&pageSize=1",
        })
    );
    assert_eq!(first["meta"], json!({"page": 1, "pageSize": 1}));
    let last = world.json(first["links"]["next"].as_str().unwrap()).await;
    assert_eq!(last["data"][0]["id"], "u-2");
    assert_eq!(last["links"]["next"], Value::Null);
    assert_eq!(last["links"]["prev"], "/v1/users?deleted=false&page=1&pageSize=1");
}

#[tokio::test]
async fn link_header_says_where_it_is() {
    let world = World::generating(4, 0).await;
    let response = world.get("/orgs/halden-moor/repos?per_page=2&page=2").await;
    let page = |page: u32, relation: &str| format!("<https://{HOST}/orgs/halden-moor/repos?page={page}&per_page=2>; rel=\"{relation}\"");
    let wanted = [page(1, "prev"), page(3, "next"), page(3, "last"), page(1, "first")].join(", ");
    assert_eq!(response.headers()["link"].to_str().unwrap(), wanted);
    let single = world.get("/orgs/halden-moor/repos?per_page=100").await;
    assert!(single.headers().get("link").is_none());
}

fn disorder(answer: &str, fault: Fault) -> OverlayChange {
    OverlayChange::Fault { tenant: tenant_name(), answer: Some(answer.into()), fault, times: None, from_page: None }
}

#[tokio::test]
async fn pages_can_be_endless_circular_repeated_and_reordered() {
    let world = World::generating(5, 0).await;
    let (straight, _) = walk(&world, "/orgs/halden-moor/repos?per_page=2").await;
    assert_eq!(straight.len(), 3);

    world.change(disorder("repositories", Fault::EndlessPages)).unwrap();
    let mut target = "/orgs/halden-moor/repos?per_page=2".to_owned();
    for page in 1..=20 {
        let response = world.get(&target).await;
        let link = response.headers()["link"].to_str().unwrap().to_owned();
        let next = format!("/orgs/halden-moor/repos?page={}&per_page=2", page + 1);
        assert!(link.contains(&format!("<https://{HOST}{next}>; rel=\"next\"")), "{link}");
        target = next;
    }

    world.change(disorder("repositories", Fault::CirclePages)).unwrap();
    let link = world.get("/orgs/halden-moor/repos?per_page=2&page=2").await.headers()["link"].to_str().unwrap().to_owned();
    assert!(link.contains(&format!("<https://{HOST}/orgs/halden-moor/repos?page=2&per_page=2>; rel=\"next\"")), "{link}");

    world.change(disorder("repositories", Fault::RepeatPage)).unwrap();
    let (repeated, _) = walk(&world, "/orgs/halden-moor/repos?per_page=2").await;
    assert_eq!(repeated, [&straight[..1], &straight[..]].concat());

    world.change(disorder("repositories", Fault::Shuffle { seed: 7 })).unwrap();
    let (shuffled, _) = walk(&world, "/orgs/halden-moor/repos?per_page=2").await;
    let (mut one, mut two) = (straight.concat(), shuffled.concat());
    assert_ne!(one, two);
    one.sort();
    two.sort();
    assert_eq!(one, two, "the same rows");

    world.change(OverlayChange::Mend { tenant: tenant_name(), answer: None }).unwrap();
    assert_eq!(walk(&world, "/orgs/halden-moor/repos?per_page=2").await.0, straight);
}

/// Lists that are asked for without a page size have pages all the same.
#[tokio::test]
async fn a_tenant_says_how_long_pages_are_where_a_request_does_not() {
    let rows: Value = (0..5).map(|id| json!({"id": format!("u-{id}")})).collect();
    let cursor = Pagination::Cursor {
        parameter: "place".into(),
        next: FieldPath::from("meta.next"),
        size: None,
        more: None,
        ends_without: None,
        published: false,
        withheld: None,
    };
    let numbered = PageLink { cursor: vec!["page".into()], repeats: Some("https://helpdesk.example/pages".into()) };
    let header = |link| Pagination::LinkHeader { size: None, link };
    for pagination in [header(PageLink::default()), header(numbered), cursor] {
        let mut app = app();
        app.datasets[1].pagination = pagination.clone();
        let list = |page_rows| SandboxAnswer { page_rows, ..paged("/v1/users", "declared", json!({"data": rows})) };
        let of = |page_rows| Tenant::new(&answering(vec![list(page_rows)]), &app, noon()).unwrap();
        for (tenant, wanted) in [(of(Some(2)), vec![2, 2, 1]), (of(None), vec![5]), (of(None).with_page_rows(3), vec![3, 2])] {
            let key = tenant.fields()["api_key"].clone();
            let sandbox = Sandbox::start(vec![tenant.into()], still()).await.unwrap();
            let client = builder(&sandbox).build().unwrap();
            let (mut pages, mut next) = (Vec::new(), Some(format!("https://{HOST}/v1/users")));
            while let Some(target) = next {
                let response = client.get(target).bearer_auth(&key).send().await.unwrap();
                let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
                let body: Value = response.json().await.unwrap();
                pages.push(body["data"].as_array().unwrap().len());
                let named = body["meta"]["next"].as_str().map(|place| format!("https://{HOST}/v1/users?place={place}"));
                next = named.or_else(|| Some(link?.split(['<', '>']).nth(1)?.to_owned()));
            }
            assert_eq!(pages, wanted, "{pagination:?}");
        }
    }
}
