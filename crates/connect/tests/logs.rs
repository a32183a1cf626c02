//! What is written to the log, at its most talkative, while a tenant is read.
#![allow(clippy::unwrap_used)]

#[path = "connect/vendor/mod.rs"]
mod vendor;

use catalog::{Dataset, DatasetKind};
use posture_connect::{Resume, collect};
use serde_json::json;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;
use vendor::{Kept, TOKEN, TestClock, Vendor, app, dataset, json_api, me_and, ok, small, try_sign_in};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_key_is_logged_by_anyone_and_no_query_or_body_by_us() {
    let written = Written::default();
    let writer = written.clone();
    // One process, one test: the subscriber sees the client's own libraries too.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let vendor = Vendor::start(me_and(|_| ok(json!({"data": [{"id": 1, "name": "BODYVALUE"}], "links": {"next": null}})))).await;
    let users = Dataset {
        pagination: json_api(),
        query: vec![("filter".into(), "QUERYVALUE".into())],
        ..dataset("users", DatasetKind::List, "/v1/users")
    };
    let app = app(vec![users]);
    let session = try_sign_in(&app, &vendor.route(), small(), TestClock::new(), &[]).await.unwrap();
    let mut kept = Kept::default();
    collect(&session, &app, &["users"], Resume::default(), &mut kept, CancellationToken::new()).await.unwrap();
    assert!(kept.finished["users"].is_complete());
    drop(session);

    let text = String::from_utf8_lossy(&written.0.lock().unwrap()).into_owned();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains(" posture_connect")).collect();
    assert!(ours.iter().any(|line| line.contains("/v1/users")), "the log is on, and our lines are in it");
    assert!(text.lines().count() > ours.len(), "the libraries' lines are in it too");
    for part in TOKEN.split('.') {
        assert!(!text.contains(part), "a part of the key was logged");
    }
    for line in ours {
        for value in ["QUERYVALUE", "BODYVALUE", "filter="] {
            assert!(!line.contains(value), "{line}");
        }
    }
}
