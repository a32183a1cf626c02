//! The built-in applications where what was read does not show the whole: a list that a vendor cuts without an error is not
//! taken for whole, and a setting that moves to where it cannot be seen does not end a failure.
use crate::scene;

use catalog::{Catalog, CauseKind, Collected, ParamValue, Verdict};
use sandbox::OverlayChange;
use scene::Scene;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn tenant(slug: &str, tenant: &str) -> Scene {
    Scene::of_tenant(&Catalog::built_in().unwrap(), slug, tenant).await
}

fn set(scene: &Scene, answer: &str, field: &str, value: Value) {
    let (tenant, answer, field) = (scene.name.clone(), answer.to_owned(), field.to_owned());
    scene.change(OverlayChange::Set { tenant, answer, field, value });
}

/// The verdicts of a check, in the order of its rows.
async fn of(scene: &Scene, check: &str) -> Vec<Verdict> {
    scene.verdicts().await.into_iter().filter(|((id, _), _)| id == check).map(|(_, verdict)| verdict).collect()
}

fn cause(read: &BTreeMap<String, Collected>, dataset: &str) -> Option<CauseKind> {
    read[dataset].completeness.cause().map(|cause| cause.kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repositories_are_whole_only_when_the_organization_counts_no_more() {
    let scene = tenant("github-enterprise", "risky").await;
    assert_eq!(cause(&scene.collect().await, "repos"), None);

    // A token without `repo` is shown the public ones only.
    for at in (0..4).rev() {
        if at != 0 {
            let (tenant, answer, field) = (scene.name.clone(), "repos".to_owned(), format!("[{at}]"));
            scene.change(OverlayChange::Remove { tenant, answer, field });
        }
    }
    let read = scene.collect().await;
    assert_eq!((read["repos"].rows.len(), cause(&read, "repos")), (1, Some(CauseKind::ProbeNotSeen)));
    assert_eq!(cause(&read, "branch-protection"), Some(CauseKind::InputIncomplete), "nothing that rests on it is whole either");
    scene.restore();

    // Anybody but an owner is not told how many private ones there are.
    let (tenant, answer, field) = (scene.name.clone(), "org".to_owned(), "total_private_repos".to_owned());
    scene.change(OverlayChange::Remove { tenant, answer, field });
    let read = scene.collect().await;
    assert_eq!((read["repos"].rows.len(), cause(&read, "repos")), (4, Some(CauseKind::ProbeNotSeen)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_the_consoles_own_keys_is_not_whole() {
    let scene = tenant("kustomer", "risky").await;
    let read = scene.collect().await;
    assert_eq!(cause(&read, "auth-tokens"), None);
    let own = read["current-user"].rows[0].fields["id"].clone();
    set(&scene, "auth-tokens", "data[].relationships.user.data.id", own);
    assert_eq!(cause(&scene.collect().await, "auth-tokens"), Some(CauseKind::ProbeNotSeen));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_that_could_be_a_first_page_are_not_whole() {
    let scene = tenant("kustomer", "risky").await;
    let webhook = |number: u32| {
        json!({"type": "outbound_webhook", "id": format!("w{number}"), "attributes": {
            "name": format!("Hook {number}"), "url": "https://hooks.haldenmoor.example/in", "enabled": true, "events": [], "headers": []}})
    };
    for (number, whole) in [(9, true), (10, false), (25, false)] {
        set(&scene, "outbound-webhooks", "data", (0..number).map(webhook).collect());
        let read = scene.collect().await;
        assert_eq!(read["outbound-webhooks"].completeness.is_complete(), whole, "{number}");
        assert_eq!(read["outbound-webhooks"].rows.len(), number as usize);
    }
    set(&scene, "outbound-webhooks", "data", json!([]));
    for check in ["kustomer.webhooks.host_allowlist", "kustomer.webhooks.static_secret_headers"] {
        assert!(matches!(of(&scene, check).await[..], [Verdict::NotEvaluated { .. }]), "{check}: none shown is not none there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_that_work_fail_whatever_other_method_is_seen() {
    let scene = tenant("kustomer", "risky").await;
    for (answer, check) in
        [("auth-settings", "kustomer.auth.password_login_disabled"), ("public-auth-settings", "kustomer.auth.public_password_form")]
    {
        assert_eq!(of(&scene, check).await, [Verdict::Fail]);
        // To a method that the description does not show.
        set(&scene, answer, "data.attributes.saml.enabled", json!(false));
        set(&scene, answer, "data.attributes.google.enabled", json!(false));
        assert_eq!(of(&scene, check).await, [Verdict::Fail], "{check}");
        set(&scene, answer, "data.attributes.kustomer.enabled", json!(false));
        assert_eq!(of(&scene, check).await, [Verdict::Pass], "{check}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_a_length_is_no_short_session() {
    let scene = tenant("kustomer", "clean").await;
    for (milliseconds, passes) in [(28_800_000, true), (1, true), (0, false), (-1, false)] {
        set(&scene, "auth-settings", "data.attributes.app.userSessionExpirationMilliseconds", json!(milliseconds));
        assert_eq!(of(&scene, "kustomer.auth.session_length").await == [Verdict::Pass], passes, "{milliseconds}");
    }
}

/// The rules of the branch of `agent-desk`.
const RULES: &str = "/repos/halden-moor/agent-desk/rules/branches/trunk";

/// The verdict of a check on the branch of `agent-desk`, which only a ruleset protects in the clean tenant.
async fn of_agent_desk(scene: &Scene, check: &str) -> Verdict {
    let read = scene.collect().await;
    let desk = read["branch-protection"].rows.iter().find(|row| row.fields["each"]["name"] == "agent-desk").unwrap().key.clone();
    scene.judge(&read).remove(&(format!("github-enterprise.repo.{check}"), desk)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_rules_that_guard_a_branch_protect_it() {
    let scene = tenant("github-enterprise", "clean").await;
    for check in ["branch_protected", "two_reviews", "no_force_push"] {
        assert_eq!(of_agent_desk(&scene, check).await, Verdict::Pass, "{check} by the ruleset");
    }
    for at in [2, 1] {
        scene.change(OverlayChange::Remove { tenant: scene.name.clone(), answer: RULES.to_owned(), field: format!("[{at}]") });
    }
    for lone in ["commit_message_pattern", "required_signatures", "branch_name_pattern"] {
        set(&scene, RULES, "[0].type", json!(lone));
        for check in ["branch_protected", "two_reviews", "no_force_push"] {
            assert_eq!(of_agent_desk(&scene, check).await, Verdict::Fail, "{check} beside a lone rule {lone}");
        }
    }
    for (kind, blocks) in [("update", false), ("required_status_checks", false), ("deletion", false), ("non_fast_forward", true)] {
        set(&scene, RULES, "[0].type", json!(kind));
        assert_eq!(of_agent_desk(&scene, "branch_protected").await, Verdict::Pass, "{kind}");
        assert_eq!(of_agent_desk(&scene, "no_force_push").await == Verdict::Pass, blocks, "{kind}");
    }
}

/// Names that no vendor's document holds: nothing may rest on one that is missing, or elsewhere than it was taken to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_convo_without_an_address_is_not_judged() {
    const CHECK: &str = "convo.users.external_domain";
    let scene = tenant("convo", "clean").await;
    let verdicts = of(&scene, CHECK).await;
    assert!(verdicts.len() == 5 && verdicts.iter().all(|verdict| *verdict == Verdict::Pass), "{verdicts:?}");

    // A member hides the address.
    let (name, answer, field) = (scene.name.clone(), "users".to_owned(), "accessible_users[0].email".to_owned());
    scene.change(OverlayChange::Remove { tenant: name, answer, field });
    let verdicts = of(&scene, CHECK).await;
    let passed = verdicts.iter().filter(|verdict| **verdict == Verdict::Pass).count();
    let unknown =
        verdicts.iter().filter(|verdict| matches!(verdict, Verdict::NotEvaluated { cause } if cause.kind == CauseKind::FieldMissing));
    assert_eq!((verdicts.len(), passed, unknown.count()), (5, 4, 1), "{verdicts:?}");
    scene.restore();

    // The members stand under their ids, as another call of the same interface has them; or there are none at all.
    for value in [json!({"usr-1001": {"user_id": "usr-1001", "email": "a@freemail.example"}}), Value::Null, json!([])] {
        set(&scene, "users", "accessible_users", value.clone());
        let verdicts = of(&scene, CHECK).await;
        assert!(matches!(verdicts[..], [Verdict::NotEvaluated { .. }]), "{value}: {verdicts:?}");
        scene.restore();
    }
}

/// The checks of Customer.io that rest on no name that only its description knows.
const NAMED_ELSEWHERE: [&str; 4] =
    ["customer-io.domains.spf", "customer-io.domains.dkim", "customer-io.domains.dmarc", "customer-io.region"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_customer_io_does_not_publish_is_not_evaluated() {
    let scene = tenant("customer-io", "unpublished").await;
    let read = scene.collect().await;
    assert!(read["description"].completeness.is_complete());
    for dataset in ["users", "exports", "imports", "identities", "service-account-tokens", "whitelisted-ips"] {
        assert_eq!(cause(&read, dataset), Some(CauseKind::NotPublished), "{dataset}");
        assert!(read[dataset].rows.is_empty(), "{dataset} was not asked for");
    }
    let mut passed = std::collections::BTreeSet::new();
    let mut unpublished = 0;
    for ((check, row), verdict) in scene.judge(&read) {
        match verdict {
            Verdict::Pass => {
                passed.insert(check);
            }
            Verdict::NotEvaluated { cause } => unpublished += usize::from(cause.kind == CauseKind::NotPublished),
            other @ (Verdict::Fail | Verdict::NotApplicable { .. } | Verdict::Manual | Verdict::Observed) => {
                panic!("{check} {row:?}: {other:?}")
            }
        }
    }
    assert_eq!(passed.iter().map(String::as_str).collect::<Vec<_>>(), {
        let mut named = NAMED_ELSEWHERE.to_vec();
        named.sort_unstable();
        named
    });
    assert!(unpublished >= 10, "{unpublished} verdicts say that a field is not published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_api_key_says_what_it_cannot_see() {
    let scene = tenant("customer-io", "risky-app-api").await;
    let read = scene.collect().await;
    for dataset in scene.app.datasets.iter().filter(|dataset| dataset.host == "api") {
        assert_eq!(cause(&read, &dataset.id), Some(CauseKind::LoginLacks), "{}", dataset.id);
    }
    let sentence = &read["users"].completeness.cause().unwrap().sentence;
    assert!(sentence.contains("\"Service account token\" or \"Log in with Okta\""), "{sentence}");
    assert!(of(&scene, "customer-io.app_webhooks.https_known_host").await.contains(&Verdict::Fail));
    assert!(matches!(of(&scene, "customer-io.users.no_2fa").await[..], [Verdict::NotEvaluated { .. }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_list_that_could_be_a_first_page_is_not_whole() {
    const CHECK: &str = "customer-io.api.ip_allowlist";
    let scene = tenant("customer-io", "clean").await;
    let passes = |read: &BTreeMap<String, Collected>| {
        scene.judge(read).iter().any(|((check, _), verdict)| check == CHECK && *verdict == Verdict::Pass)
    };
    let mut read = scene.collect().await;
    assert!(passes(&read));
    let environments: Vec<Value> = (0..10).map(|at| json!({"id": 101 + at % 2 * 1000 + at, "name": format!("W{at}")})).collect();
    set(&scene, "environments", "environments", json!(environments));
    let cut = scene.collect().await.remove("environments").unwrap();
    assert_eq!(cut.completeness.cause().map(|cause| cause.kind), Some(CauseKind::ProbeNotSeen));
    // With nothing else amiss: the workspaces that are shown have their addresses, and there may be more of them.
    read.get_mut("environments").unwrap().completeness = cut.completeness;
    assert!(!passes(&read));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_a_length_in_no_unit_is_not_judged() {
    const CHECKS: [&str; 2] = ["customer-io.auth.session_expiration", "customer-io.auth.session_one_day"];
    let scene = tenant("customer-io", "clean").await;
    // Fourteen days in hours, in minutes, in minutes and one more; a day, a week, fourteen days in seconds; in milliseconds.
    for (length, week, day) in [
        (0, None, None),
        (336, None, None),
        (20_160, None, None),
        (20_161, Some(true), Some(true)),
        (86_400, Some(true), Some(true)),
        (86_401, Some(true), Some(false)),
        (604_801, Some(false), Some(false)),
        (1_209_600, Some(false), Some(false)),
        (1_209_601, None, None),
        (1_209_600_000, None, None),
    ] {
        set(&scene, "account", "account.session_duration", json!(length));
        for (check, wanted) in CHECKS.into_iter().zip([week, day]) {
            let verdicts = of(&scene, check).await;
            match wanted {
                Some(passes) => assert_eq!(verdicts, [if passes { Verdict::Pass } else { Verdict::Fail }], "{check}: {length}"),
                None => assert_unclear(&verdicts, &format!("{check}: {length}")),
            }
        }
    }
}

fn assert_unclear(verdicts: &[Verdict], what: &str) {
    let unclear = |verdict: &Verdict| matches!(verdict, Verdict::NotEvaluated { cause } if cause.kind == CauseKind::UnknownValue);
    assert!(!verdicts.is_empty() && verdicts.iter().all(unclear), "{what}: {verdicts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_of_an_unknown_kind_is_not_judged() {
    const CHECK: &str = "customer-io.users.no_2fa";
    let scene = tenant("customer-io", "clean").await;
    assert!(of(&scene, CHECK).await.iter().all(|verdict| *verdict == Verdict::Pass), "single sign-on asks for it");
    set(&scene, "sso", "sso_configuration.enabled", json!(false));
    set(&scene, "users", "users[].two_factor_enabled", json!(true));
    assert_unclear(&of(&scene, CHECK).await, "without single sign-on, true");
    set(&scene, "users", "users[].two_factor_enabled", json!(false));
    assert!(of(&scene, CHECK).await.iter().all(|verdict| *verdict == Verdict::Fail));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_within_a_year_or_fails() {
    const DAY: i64 = 86_400;
    let scene = tenant("customer-io", "clean").await;
    let now = scene::today().as_second();
    for (ends, wanted) in [
        (0, Some(false)),
        (now - DAY, Some(true)),
        (now + 90 * DAY, Some(true)),
        (now + 365 * DAY, Some(true)),
        (now + 367 * DAY, Some(false)),
        (now + 7_300 * DAY, Some(false)),
        // A span, a time in milliseconds, nothing that is known.
        (365 * DAY, None),
        ((now + 90 * DAY) * 1000, None),
        (-1, None),
    ] {
        set(&scene, "service-account-tokens", "service_account_tokens[].expires_at", json!(ends));
        let verdicts = of(&scene, "customer-io.tokens.no_expiry").await;
        match wanted {
            Some(passes) => {
                let wanted = if passes { Verdict::Pass } else { Verdict::Fail };
                assert!(verdicts.len() == 3 && verdicts.iter().all(|verdict| *verdict == wanted), "{ends}: {verdicts:?}");
            }
            None => assert_unclear(&verdicts, &ends.to_string()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_addresses_that_holds_everything_is_no_limit() {
    const CHECK: &str = "customer-io.api.ip_allowlist";
    let scene = tenant("customer-io", "clean").await;
    for (address, wanted) in [
        ("192.0.2.1", Some(true)),
        ("192.0.2.0/28", Some(true)),
        ("10.0.0.0/8", Some(true)),
        ("2001:db8::/32", Some(true)),
        ("0.0.0.0/0", Some(false)),
        ("0.0.0.0/1", Some(false)),
        ("128.0.0.0/7", Some(false)),
        ("0.0.0.0/00", Some(false)),
        ("0.0.0.0", Some(false)),
        ("::/0", Some(false)),
        ("::", Some(false)),
        ("*", Some(false)),
        ("0.0.0.0/0.0.0.0", None),
        ("0.0.0.0 - 255.255.255.255", None),
        ("everywhere", None),
        ("", None),
    ] {
        set(&scene, "whitelisted-ips", "whitelisted_ips[0].address", json!(address));
        let verdicts = of(&scene, CHECK).await;
        match wanted {
            Some(passes) => {
                let wanted = if passes { Verdict::Pass } else { Verdict::Fail };
                assert!(verdicts.len() == 2 && verdicts.iter().all(|verdict| *verdict == wanted), "{address}: {verdicts:?}");
            }
            None => assert_unclear(&verdicts, address),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_allowed_to_a_host_and_not_to_a_name() {
    for (slug, answer, list, check) in [
        ("clean", "webhooks", "webhook_configurations", "customer-io.webhooks.content_leak"),
        ("clean-app-api", "app-webhooks", "reporting_webhooks", "customer-io.app_webhooks.content_leak"),
    ] {
        let mut scene = tenant("customer-io", slug).await;
        set(&scene, answer, &format!("{list}[].with_content"), json!(true));
        set(&scene, answer, &format!("{list}[].disabled"), json!(false));
        let endpoint = format!("{list}[].endpoint");
        set(&scene, answer, &endpoint, json!("https://archive.haldenmoor.example/in"));
        set(&scene, answer, &format!("{list}[].name"), json!("archive.haldenmoor.example"));
        let allowed = ParamValue::Strings(vec!["archive.haldenmoor.example".into()]);
        scene.params.entry(check.into()).or_default().insert("allowed".into(), allowed);
        assert!(of(&scene, check).await.iter().all(|verdict| *verdict == Verdict::Pass), "{check}");
        set(&scene, answer, &endpoint, json!("https://collect.example/in"));
        let verdicts = of(&scene, check).await;
        assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == Verdict::Fail), "{check}: {verdicts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_convo_that_could_be_a_first_page_are_not_whole() {
    const CHECK: &str = "convo.users.external_domain";
    let scene = tenant("convo", "clean").await;
    for (number, whole) in [(9, true), (10, false)] {
        let users = (0..number).map(|at| json!({"user_id": format!("usr-{at}"), "email": format!("u{at}@haldenmoor.example")}));
        set(&scene, "users", "accessible_users", users.collect());
        let groups = (0..number).map(|at| json!({"group_id": format!("grp-{at}"), "title": format!("G{at}"), "access": "PUBLIC"}));
        set(&scene, "groups", "data.groups", groups.collect());
        let read = scene.collect().await;
        for dataset in ["users", "groups"] {
            assert_eq!(cause(&read, dataset), (!whole).then_some(CauseKind::ProbeNotSeen), "{dataset}: {number}");
            assert_eq!(read[dataset].rows.len(), number);
        }
        // Each member that is shown is judged; that there may be more is said.
        let unknown = of(&scene, CHECK).await.into_iter().filter(|verdict| matches!(verdict, Verdict::NotEvaluated { .. })).count();
        assert_eq!(unknown, usize::from(!whole), "{number}");
    }
}

/// Rows that passed, did not apply or were lost, although what was read does not show that they are in order. How many rows of a
/// check pass, fail, are left open and do not apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_shown_to_be_in_order_does_not_pass() {
    let catalog = Catalog::built_in().unwrap();
    let mut wrong = Vec::new();
    for (slug, tenant, checks) in [
        // Rights of apps that are newer than the vendor's description of them.
        ("github-enterprise", "new-rights", &[("app.broad", [2, 6, 1, 0])][..]),
        // One person who holds the role twice, one who is blocked, and an application.
        ("office-365", "one-administrator", &[("admins.global_count", [0, 1, 0, 0])]),
        ("office-365", "group-administrators", &[("admins.global_count", [0, 0, 1, 0])]),
        // All addresses in four parts.
        ("snowflake", "quarters", &[("network.open_range", [2, 1, 0, 0])]),
        (
            "databricks",
            "quarters",
            &[
                ("net.ip_acl_enabled", [0, 1, 0, 0]),
                ("net.ip_acl_open", [1, 1, 0, 1]),
                ("net.account_ip_acl", [0, 1, 0, 0]),
                ("sharing.recipient_ip", [1, 1, 0, 1]),
            ],
        ),
        // Somebody with a role who is not in the list of users.
        ("slack-enterprise", "risky-undecided", &[("admins.guest_admin", [2, 1, 1, 0])]),
        // Two people of a kind that nobody documents.
        (
            "salesforce",
            "new-kinds",
            &[
                ("auth.user_no_mfa", [3, 0, 1, 3]),
                ("auth.federated_password", [4, 0, 1, 2]),
                ("accounts.dormant", [6, 0, 2, 4]),
                ("accounts.not_federated", [4, 0, 2, 1]),
            ],
        ),
        // Groups that stay signed in for a month.
        ("box", "custom-sessions", &[("session.duration", [0, 1, 0, 0])]),
        // Six people with a role of which nobody says what it may do.
        ("zoom", "other-member", &[("admins.not_sso_2fa", [2, 0, 6, 2]), ("admins.count", [0, 0, 1, 0])]),
        // A property that is not there, of which the vendor says two things.
        ("servicenow", "clean-not-listed", &[("hardening.glide.script.ccsi.ispublic", [0, 0, 1, 0])]),
        // A setting whose default differs from organization to organization.
        ("google-workspace", "untouched", &[("recovery.super_admin", [0, 0, 1, 0])]),
    ] {
        let verdicts = Scene::of_tenant(&catalog, slug, tenant).await.verdicts().await;
        for (check, wanted) in checks {
            let id = format!("{slug}.{check}");
            let came: Vec<&Verdict> = verdicts.iter().filter(|((of, _), _)| *of == id).map(|(_, verdict)| verdict).collect();
            let count = |is: fn(&Verdict) -> bool| came.iter().filter(|verdict| is(verdict)).count();
            let counted = [
                count(|verdict| *verdict == Verdict::Pass),
                count(|verdict| *verdict == Verdict::Fail),
                count(|verdict| matches!(verdict, Verdict::NotEvaluated { .. })),
                count(|verdict| matches!(verdict, Verdict::NotApplicable { .. })),
            ];
            if counted != *wanted {
                wrong.push(format!("{id} in {tenant}: {counted:?} in the place of {wanted:?}: {came:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
