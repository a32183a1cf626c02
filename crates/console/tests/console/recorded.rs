//! GitHub as it really answered: exchanges recorded from the service (npm `@octokit/fixtures`), read by the unchanged
//! connector through the transport of the sandbox.
//!
//! The verdicts below were written down by reading the recordings; the recorded member stands beside each. What a recording
//! lacks is not evaluated, with the kind of its cause.
use crate::scene;

use catalog::{Catalog, CauseKind, Completeness, RowKey, Verdict};
use connect::ConnectError;
use sandbox::Recording;
use scene::{Scene, promise};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A verdict without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    Pass,
    Fail,
    NotApplicable,
    NotEvaluated(&'static str),
}

use Came::{Fail, NotApplicable, NotEvaluated, Pass};

const FIELD_MISSING: Came = NotEvaluated("field missing");
/// The repository "hello-world" is named without a branch.
const INPUT_MISSING: Came = NotEvaluated("input missing");
/// Status 404 with "message": "not recorded". GitHub hides behind 404 what a token may not see
/// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api), so that is how any 404 is told.
const NOT_FOUND: Came = NotEvaluated("scope missing");
/// Rests on a dataset that was not read, and says so.
const INPUT_INCOMPLETE: Came = NotEvaluated("input incomplete");

/// Check, row (key parts, parent first) and what it comes to.
type Table = Vec<(&'static str, &'static [&'static str], Came)>;

/// Whatever speaks of the whole: a setting of the organization, or a list that was not read whole.
const WHOLE: &[&str] = &[];

/// scenarios/api.github.com/get-organization, exchange 0: GET /orgs/octokit-fixture-org, 200.
fn organization() -> Table {
    vec![
        // "two_factor_requirement_enabled": false
        ("github-enterprise.auth.mfa_required", WHOLE, Fail),
        // "default_repository_permission": "read"
        ("github-enterprise.access.base_permission", WHOLE, Pass),
        // "members_can_create_public_repositories": true
        ("github-enterprise.access.public_repo_creation", WHOLE, Fail),
        // no member "members_can_change_repo_visibility"
        ("github-enterprise.access.visibility_change", WHOLE, FIELD_MISSING),
        // no member "members_can_delete_repositories"
        ("github-enterprise.access.repo_deletion", WHOLE, FIELD_MISSING),
        // "members_can_fork_private_repositories": false
        ("github-enterprise.access.private_fork", WHOLE, Pass),
        // no member "members_can_invite_outside_collaborators"
        ("github-enterprise.access.invite_outside", WHOLE, FIELD_MISSING),
        // "is_verified": false
        ("github-enterprise.org.verified_domain", WHOLE, Fail),
        // no member "dependabot_alerts_enabled_for_new_repositories"
        ("github-enterprise.codesec.dependabot", WHOLE, FIELD_MISSING),
    ]
}

/// scenarios/api.github.com/get-repository, exchange 0: GET /repos/octokit-fixture-org/hello-world, 200, "id": 1000. The
/// repository "branch-protection" itself was not recorded, so that the list is not whole.
fn repositories() -> Table {
    const HELLO_WORLD: &[&str] = &["hello-world", "1000"];
    vec![
        // "archived": false; no member "security_and_analysis"
        ("github-enterprise.codesec.secret_scanning", HELLO_WORLD, FIELD_MISSING),
        ("github-enterprise.codesec.secret_scanning", WHOLE, NOT_FOUND),
        ("github-enterprise.codesec.dependabot_updates", HELLO_WORLD, FIELD_MISSING),
        ("github-enterprise.codesec.dependabot_updates", WHOLE, NOT_FOUND),
        // "visibility": "public"
        ("github-enterprise.repo.forking", HELLO_WORLD, NotApplicable),
        ("github-enterprise.repo.forking", WHOLE, NOT_FOUND),
        // "visibility": "public", "name": "hello-world", which is on no list
        ("github-enterprise.repo.public_known", HELLO_WORLD, Fail),
        ("github-enterprise.repo.public_known", WHOLE, NOT_FOUND),
    ]
}

const DEPLOY_KEY_WRITE: &str = "github-enterprise.repo.deploy_key_write";

/// Whatever rests on requests that no scenario holds: each is answered as a repository that was not recorded is, by 404.
fn unrecorded() -> Table {
    let mut table = vec![("github-enterprise.access.dormant_owner", WHOLE, NotEvaluated("manual"))];
    table.extend(
        [
            // POST /graphql
            "github-enterprise.auth.saml_sso",
            "github-enterprise.auth.member_without_mfa",
            "github-enterprise.net.ip_allow_list_apps",
            "github-enterprise.org.email_restriction",
            // GET /orgs/octokit-fixture-org/actions/…
            "github-enterprise.actions.allowed_actions",
            "github-enterprise.actions.sha_pin",
            "github-enterprise.actions.token_readonly",
            "github-enterprise.actions.no_pr_approval",
            "github-enterprise.actions.fork_secrets",
            "github-enterprise.actions.runner_public",
            "github-enterprise.secret.stale",
            // GET /orgs/octokit-fixture-org/hooks, /installations, /credential-authorizations
            "github-enterprise.hook.ssl",
            "github-enterprise.hook.secret",
            "github-enterprise.app.broad",
            "github-enterprise.token.no_expiry",
            "github-enterprise.token.stale",
        ]
        .map(|check| (check, WHOLE, NOT_FOUND)),
    );
    table.extend(
        [
            // Views of the organization's people, of its IP allow list and of its audit streams.
            "github-enterprise.auth.unlinked_member",
            "github-enterprise.auth.outside_without_mfa",
            "github-enterprise.access.owner_count",
            "github-enterprise.net.ip_allow_list",
            "github-enterprise.audit.streaming",
        ]
        .map(|check| (check, WHOLE, INPUT_INCOMPLETE)),
    );
    table
}

const MAIN: &[&str] = &["branch-protection@main"];

const FORCE_PUSH: &str = "github-enterprise.repo.no_force_push";
const DELETION: &str = "github-enterprise.repo.no_deletion";
const ADMINS: &str = "github-enterprise.repo.enforce_admins";
const CONVERSATIONS: &str = "github-enterprise.repo.conversations_resolved";
const PROTECTED: &str = "github-enterprise.repo.branch_protected";
const TWO_REVIEWS: &str = "github-enterprise.repo.two_reviews";

/// scenarios/api.github.com/branch-protection: /repos/octokit-fixture-org/branch-protection/branches/main/protection, as it
/// was after each exchange. Rules of branches were not recorded.
fn protection(step: usize) -> Table {
    let main = |came: [Came; 3]| vec![(DELETION, MAIN, came[0]), (ADMINS, MAIN, came[1]), (CONVERSATIONS, MAIN, came[2])];
    let mut table = match step {
        // exchange 0, GET, 404: "message": "Branch not protected"
        0 => main([NotApplicable, NotApplicable, NotApplicable]),
        // exchange 1, PUT, 200: "allow_deletions": {"enabled": false},
        // "enforce_admins": {…, "enabled": false}, "required_conversation_resolution": {"enabled": false}
        1 => main([Pass, Fail, Fail]),
        // exchange 2, PUT, 200: as before, but "enforce_admins": {…, "enabled": true}
        2 => main([Pass, Pass, Fail]),
        // exchange 3, DELETE, 204: nothing is recorded of the branch afterwards
        _ => Vec::new(),
    };
    table.extend([DELETION, ADMINS, CONVERSATIONS].map(|check| (check, WHOLE, INPUT_MISSING)));
    table.extend([PROTECTED, FORCE_PUSH, TWO_REVIEWS].map(|check| (check, WHOLE, INPUT_INCOMPLETE)));
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_organization_is_judged_as_its_recording_reads() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for step in 0..4 {
        let scene = recorded_tenant("hello-world, branch-protection@main", step).await;
        let collected = scene.collect().await;
        let mut table = organization();
        table.extend(repositories());
        table.extend(protection(step));
        table.extend(unrecorded());
        // GET /repos/octokit-fixture-org/hello-world/keys
        table.push((DEPLOY_KEY_WRITE, WHOLE, NOT_FOUND));
        cases += held_against(&scene, &table, &format!("after exchange {step}"), &mut wrong).await;
        // What the rule asks of reviews: exchange 1 has no member "required_pull_request_reviews", exchange 2 has
        // "required_approving_review_count": 1.
        let approvals: Vec<_> = collected["branch-protection"]
            .rows
            .iter()
            .map(|row| {
                row.fields.pointer("/required_pull_request_reviews/required_approving_review_count").and_then(serde_json::Value::as_i64)
            })
            .collect();
        let read = [vec![Some(0)], vec![Some(0)], vec![Some(1)], vec![]];
        cases += 1;
        if approvals != read[step] {
            wrong.push(format!("after exchange {step} {approvals:?} approvals are required, not {:?}", read[step]));
        }
    }
    promise("recorded", cases, wrong.len());
    assert!(wrong.is_empty(), "{} of {cases} are not as recorded:\n  {}", wrong.len(), wrong.join("\n  "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_recorded_says_why() {
    let mut wrong = Vec::new();
    // The one repository whose branch is named: what it lacks was asked for, and not found.
    let scene = recorded_tenant("branch-protection@main", 2).await;
    let mut table = organization();
    table.extend(repositories().into_iter().filter(|(_, row, _)| *row == WHOLE));
    table.extend([(DELETION, MAIN, Pass), (ADMINS, MAIN, Pass), (CONVERSATIONS, MAIN, Fail)]);
    // Whether a branch is protected, and from force pushes, rests on its rules too, and they were not recorded.
    table.extend([PROTECTED, FORCE_PUSH, TWO_REVIEWS].map(|check| (check, WHOLE, INPUT_INCOMPLETE)));
    table.extend(unrecorded());
    table.push((DEPLOY_KEY_WRITE, WHOLE, NOT_FOUND));
    let mut cases = held_against(&scene, &table, "of one repository", &mut wrong).await;

    // The list of repositories was not recorded: nothing is known of any, the organization is judged as before.
    let scene = recorded_tenant("", 2).await;
    let collected = scene.collect().await;
    for dataset in ["repos", "branch-protection", "branch-rules"] {
        cases += 1;
        if !matches!(&collected[dataset].completeness, Completeness::Unavailable(cause) if !cause.sentence.is_empty())
            || !collected[dataset].rows.is_empty()
        {
            wrong.push(format!("{dataset} is {:?}", collected[dataset].completeness));
        }
    }
    let mut table = organization();
    table.extend(repositories().into_iter().filter(|(_, row, _)| *row == WHOLE));
    table.extend([FORCE_PUSH, DELETION, ADMINS, CONVERSATIONS, PROTECTED, TWO_REVIEWS].map(|check| (check, WHOLE, INPUT_INCOMPLETE)));
    table.extend(unrecorded());
    // Of each repository, and none is known.
    table.push((DEPLOY_KEY_WRITE, WHOLE, INPUT_INCOMPLETE));
    cases += held_against(&scene, &table, "without a list of repositories", &mut wrong).await;
    promise("recorded", cases, wrong.len());
    assert!(wrong.is_empty(), "{} of {cases} are wrong:\n  {}", wrong.len(), wrong.join("\n  "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_token_is_refused() {
    let catalog = Catalog::built_in().unwrap();
    let app = catalog.app("github-enterprise").unwrap().unwrap();
    let source = scenario("get-organization").with_credential("ghp_111111111111111111111111111111111111");
    let refused = Scene::try_of(app, "token", &fields(""), BTreeMap::new(), "recorded".to_owned(), source.into()).await;
    let refused = matches!(refused, Err(ConnectError::CredentialRefused { .. }));
    promise("recorded", 1, usize::from(!refused));
    assert!(refused, "a token that the source does not know was accepted");
}

/// Holds what every check comes to against a table, which names each check of the application. Answers the number of cases.
async fn held_against(scene: &Scene, table: &Table, when: &str, wrong: &mut Vec<String>) -> usize {
    let wanted: BTreeMap<(String, RowKey), Came> =
        table.iter().map(|(check, row, came)| (((*check).to_owned(), RowKey(row.join("\u{1f}"))), *came)).collect();
    assert_eq!(wanted.len(), table.len(), "a row of the table stands there twice");
    let came: BTreeMap<(String, RowKey), Came> =
        scene.verdicts().await.into_iter().map(|(key, verdict)| (key, kind_of(&verdict, wrong))).collect();
    for key in wanted.keys().chain(came.keys()).collect::<BTreeSet<_>>() {
        let (recorded, judged) = (wanted.get(key), came.get(key));
        if recorded != judged {
            wrong.push(format!("{when}: {} {:?} reads {recorded:?} and came to {judged:?}", key.0, key.1.0));
        }
    }
    for check in &scene.app.checks {
        if !table.iter().any(|(known, ..)| *known == check.id) {
            wrong.push(format!("{when}: the table does not name {}", check.id));
        }
    }
    wanted.len() + scene.app.checks.len()
}

fn kind_of(verdict: &Verdict, wrong: &mut Vec<String>) -> Came {
    match verdict {
        Verdict::Pass => Pass,
        Verdict::Fail => Fail,
        Verdict::NotApplicable { .. } => NotApplicable,
        Verdict::NotEvaluated { cause } => {
            if cause.sentence.is_empty() {
                wrong.push("a cause has no words".to_owned());
            }
            NotEvaluated(match cause.kind {
                CauseKind::FieldMissing => "field missing",
                CauseKind::InputMissing => "input missing",
                CauseKind::ScopeMissing => "scope missing",
                CauseKind::InputIncomplete => "input incomplete",
                CauseKind::CredentialRefused
                | CauseKind::VendorError
                | CauseKind::PlanLacks
                | CauseKind::RateLimited
                | CauseKind::Connectivity
                | CauseKind::NotUnderstood
                | CauseKind::UnknownValue
                | CauseKind::ProbeNotSeen
                | CauseKind::Empty
                | CauseKind::Cancelled
                | CauseKind::NotPublished
                | CauseKind::LoginLacks
                | CauseKind::Expression => "another cause",
            })
        }
        Verdict::Manual => NotEvaluated("manual"),
        Verdict::Observed => NotEvaluated("observed"),
    }
}

/// The recorded organization with these repositories named, as its branch was after that exchange.
async fn recorded_tenant(repositories: &str, step: usize) -> Scene {
    let catalog = Catalog::built_in().unwrap();
    let app = catalog.app("github-enterprise").unwrap().unwrap();
    let source = scenario("get-organization").and(scenario("get-repository")).and(scenario("branch-protection").at(step));
    Scene::of(app, "token", &fields(repositories), BTreeMap::new(), "recorded".to_owned(), source.into()).await
}

fn fields(repositories: &str) -> BTreeMap<String, String> {
    [("organization", "octokit-fixture-org"), ("repositories", repositories), ("token", "ghp_000000000000000000000000000000000000")]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| (field.to_owned(), value.to_owned()))
        .collect()
}

/// A recorded scenario. A package that is not there fails the test: `npm ci` in tests/recorded installs it.
fn scenario(name: &str) -> Recording {
    let scenarios: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../../tests/recorded/node_modules/@octokit/fixtures/scenarios/api.github.com"].iter().collect();
    Recording::open("recorded", &scenarios.join(Path::new(name)).join("normalized-fixture.json"))
        .unwrap_or_else(|error| panic!("The recorded answers cannot be read. {error} Run `npm ci` in tests/recorded."))
}
