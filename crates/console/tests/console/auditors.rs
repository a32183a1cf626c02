//! What auditors ask for: exports in other people's formats, rules and frameworks. Simulated tenants over real HTTPS, a real encrypted
//! database; what is not read is never told as passed.
use crate::{harbour, scene};

use catalog::{Catalog, SSCF_CONTROLS};
use jiff::SignedDuration;
use posture_core::{
    Console, FindingExport, OcsfVersion, Options, SandboxServer,
    screen::{
        AttestationAnswer, CheckOutcome, ComplianceFormat, Failure, FindingFilter, FindingFormat, FindingQuery, FindingSort, FindingState,
        Instance, NewAttestation, Protection, RuleStatus, SandboxScope, Slice, TenantChoice,
    },
};
use sandbox::{Fault, OverlayChange};
use scene::{SteppingClock, today};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

const MFA: &str = "kustomer.users.mfa";

struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    folder: PathBuf,
    options: Options,
    _vendors: SandboxServer,
}

impl Desk {
    async fn with(tenants: &[&str]) -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let folder = options.data_folder.clone();
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let vendors = console.sandbox_up().await.unwrap();
        let choices = tenants.iter().map(|name| name.split_once('/').unwrap());
        let choices = choices.map(|(app, tenant)| TenantChoice { app: app.into(), tenant: tenant.into() }).collect();
        console.add_sandbox(choices, Arc::new(|_| {})).await.unwrap();
        Self { console, clock, folder, options, _vendors: vendors }
    }

    async fn instances(&self) -> Vec<Instance> {
        self.console.instances(SandboxScope::With).await.unwrap()
    }

    /// Has the vendor refuse an answer, and scans the tenant again.
    async fn refuse(&self, tenant: &str, answer: &str, instance: &Instance) {
        let fault = Fault::Status { status: 403, retry_after: None };
        let change = OverlayChange::Fault { tenant: tenant.into(), answer: Some(answer.into()), fault, times: None, from_page: None };
        self.console.sandbox_set("", &serde_json::to_string(&change).unwrap(), None).await.unwrap();
        self.scan(instance).await;
    }

    async fn scan(&self, instance: &Instance) {
        self.clock.pass(SignedDuration::from_hours(1));
        self.console.scan(&instance.id, Arc::new(|_| {})).await.unwrap();
    }

    /// Starts the console anew, with a catalog to which these checks of Kustomer were added.
    async fn start_with_checks(&mut self, checks: &str) {
        let folder = self.folder.join("catalog");
        harbour::write(&folder, &[("own/app.toml", "extends = \"kustomer\"\n"), ("own/checks.toml", checks)]);
        let mut options = self.options.clone();
        options.catalog_folder = Some(folder);
        self.console = Console::new(options).unwrap();
        self.console.start().await.unwrap();
    }

    async fn export(&self, filter: &FindingFilter, export: impl Into<FindingExport>, name: &str) -> (u32, String) {
        let query =
            FindingQuery { filter: filter.clone(), sort: FindingSort::Severity, descending: true, slice: Slice { offset: 0, limit: 1 } };
        let path = self.folder.join(name);
        let exported = self.console.export_findings(query, export, &path).await.unwrap();
        (exported.findings, std::fs::read_to_string(path).unwrap())
    }
}

fn everything() -> FindingFilter {
    FindingFilter { sandbox: SandboxScope::With, ..FindingFilter::default() }
}

fn uids<'a>(values: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_export_tells_the_same_findings_and_what_was_not_read() {
    let desk = Desk::with(&["kustomer/risky"]).await;
    let instance = desk.instances().await.remove(0);
    let before = desk.export(&everything(), FindingFormat::Ocsf, "before.json").await.1;
    desk.refuse("kustomer/risky", "auth-settings", &instance).await;

    let (count, json) = desk.export(&everything(), FindingFormat::Json, "findings.json").await;
    let document: Value = serde_json::from_str(&json).unwrap();
    let lines = document["findings"].as_array().unwrap();
    let wanted = uids(lines.iter().map(|line| &line["uid"]));
    assert!(count > 5 && wanted.len() == count as usize, "{count}");

    let (events, ocsf) = desk.export(&everything(), FindingFormat::Ocsf, "ocsf.json").await;
    let ocsf: Value = serde_json::from_str(&ocsf).unwrap();
    let ocsf = ocsf.as_array().unwrap();
    assert_eq!((events, uids(ocsf.iter().map(|event| &event["finding_info"]["uid"]))), (count, wanted.clone()));
    assert!(ocsf.iter().all(|event| event["metadata"]["labels"][0] == "sandbox" && event["compliance"]["status_id"] != 1));
    let details = |event: &Value| event["compliance"]["status_details"][0].as_str().unwrap_or_default().to_owned();
    let unread = ocsf.iter().filter(|event| details(event).starts_with("Not checked again since 2026-11-21")).count();
    assert!(unread > 0 && unread < ocsf.len(), "{unread}");
    let before: Value = serde_json::from_str(&before).unwrap();
    assert_eq!(uids(before.as_array().unwrap().iter().map(|event| &event["finding_info"]["uid"])), wanted, "identifiers stay over scans");

    let by_line = FindingExport { format: FindingFormat::Ocsf, ocsf_version: OcsfVersion::V1_8_0, ocsf_lines: true };
    let (_, text) = desk.export(&everything(), by_line, "ocsf.ndjson").await;
    let versions: BTreeSet<String> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["metadata"]["version"].to_string()).collect();
    assert_eq!((text.lines().count(), versions), (count as usize, BTreeSet::from(["\"1.8.0\"".to_owned()])));

    let (observed, oscal) = desk.export(&everything(), FindingFormat::Oscal, "oscal.json").await;
    let oscal: Value = serde_json::from_str(&oscal).unwrap();
    let result = &oscal["assessment-results"]["results"][0];
    assert_eq!((observed, result["observations"].as_array().unwrap().len()), (count, count as usize));
    let findings = result["findings"].as_array().unwrap();
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding["target"]["status"]["state"] == "not-satisfied"));
    // Controls of checks that passed were reviewed too.
    assert!(result["reviewed-controls"]["control-selections"][0]["include-controls"].as_array().unwrap().len() > 3);

    let (articles, page) = desk.export(&everything(), FindingFormat::Html, "findings.html").await;
    assert_eq!((articles, page.matches("<article ").count()), (count, count as usize));
    assert!(wanted.iter().all(|uid| page.matches(uid.as_str()).count() == 1), "each exactly once");
    for said in ["<p class=\"score\">Score ", "<p class=\"sandbox\">", "<h2>Not evaluated</h2>\n<ul>", "with simulated tenants."] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("was read by their last complete scans"));

    // The filter is that of the table; of what it leaves out, nothing is said to be unread.
    let fixed = FindingFilter { states: vec![FindingState::Fixed], apps: vec!["github-enterprise".into()], ..everything() };
    let (none, page) = desk.export(&fixed, FindingFormat::Html, "none.html").await;
    assert!(none == 0 && page.contains("state fixed; application GitHub") && page.contains("does not mean that all is well"));
    let query = FindingQuery { filter: fixed, sort: FindingSort::Title, descending: false, slice: Slice { offset: 0, limit: 1 } };
    let path = desk.folder.join("nothing.json");
    let refused = desk.console.export_findings(query, FindingFormat::Oscal, &path).await.unwrap_err();
    assert_eq!((refused.code.as_str(), path.exists()), ("E-EXPORT-NOTHING", false), "nothing was reviewed, and no file says otherwise");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_as_bad_as_the_worst_that_names_it() {
    let desk = Desk::with(&["kustomer/clean", "kustomer/risky"]).await;
    let instances = desk.instances().await;
    let clean = instances.iter().find(|instance| instance.open.critical + instance.open.high == 0).unwrap();

    let list = desk.console.rules(SandboxScope::Without).await.unwrap();
    assert!(list.sandbox && list.instances == 2 && list.rows.len() == SSCF_CONTROLS.len(), "sandboxes are all there is");
    assert!(list.rows.iter().any(|rule| rule.status == RuleStatus::Failed));
    for rule in &list.rows {
        let page = desk.console.rule(SandboxScope::Without, &rule.id).await.unwrap();
        assert_eq!((&page.rule, page.checks.len() as u32), (rule, rule.checks));
        let outcomes: Vec<CheckOutcome> = page.checks.iter().flat_map(|check| &check.instances).map(|one| one.outcome).collect();
        assert!(page.checks.iter().all(|check| check.instances.len() == 2), "each check stands for both instances: {page:#?}");
        let has = |wanted: CheckOutcome| outcomes.contains(&wanted);
        let expected = if outcomes.is_empty() {
            RuleStatus::NotCovered
        } else if has(CheckOutcome::Failed) {
            RuleStatus::Failed
        } else if has(CheckOutcome::NotEvaluated) || has(CheckOutcome::Due) {
            RuleStatus::NotEvaluated
        } else if has(CheckOutcome::Passed) {
            RuleStatus::Passed
        } else if has(CheckOutcome::Attested) {
            RuleStatus::Attested
        } else {
            RuleStatus::NotApplicable
        };
        assert_eq!(rule.status, expected, "{page:#?}");
        for one in page.checks.iter().flat_map(|check| check.instances.iter()) {
            assert!(one.open == 0 || one.outcome == CheckOutcome::Failed, "{one:?}");
            assert!(one.outcome != CheckOutcome::NotEvaluated || one.cause.is_some(), "what is not known says why: {one:?}");
        }
    }

    // A refused dataset takes passes away and leaves no rule passed that rests on it.
    let passed = |page: &posture_core::screen::RulePage| {
        let of_clean = page.checks.iter().flat_map(|check| &check.instances).filter(|one| one.instance == clean.id);
        of_clean.filter(|one| one.outcome == CheckOutcome::Passed).count()
    };
    let before = desk.console.rule(SandboxScope::Only, "IAM-SaaS-05").await.unwrap();
    assert!(passed(&before) > 0, "{before:#?}");
    desk.refuse("kustomer/clean", "auth-settings", clean).await;
    let after = desk.console.rule(SandboxScope::Only, "IAM-SaaS-05").await.unwrap();
    let unread: Vec<_> = after.checks.iter().flat_map(|check| &check.instances).filter(|one| one.instance == clean.id).collect();
    assert!(passed(&after) < passed(&before) && after.rule.status != RuleStatus::Passed);
    let refused = unread.iter().find(|one| one.outcome == CheckOutcome::NotEvaluated).unwrap();
    assert!(refused.cause.as_ref().is_some_and(|cause| !cause.sentence.is_empty()) && refused.as_of.is_some(), "{refused:?}");

    // What a person attests is attested, not passed; an attestation that says otherwise fails.
    let mfa = |page: posture_core::screen::RulePage| {
        let check = page.checks.into_iter().find(|check| check.check == MFA).unwrap();
        assert!(check.manual);
        check.instances.into_iter().find(|one| one.instance == clean.id).unwrap()
    };
    let seen = |answer| NewAttestation {
        instance: clean.id.clone(),
        check: MFA.into(),
        answer,
        note: "Okta requires it.".into(),
        who: "Ada Byron".into(),
        valid_until: None,
        remind_days: None,
    };
    assert_eq!(mfa(desk.console.rule(SandboxScope::Only, "IAM-SaaS-12").await.unwrap()).outcome, CheckOutcome::Due);
    desk.console.attest(seen(AttestationAnswer::Met), None).await.unwrap();
    let attested = mfa(desk.console.rule(SandboxScope::Only, "IAM-SaaS-12").await.unwrap());
    assert!(attested.outcome == CheckOutcome::Attested && attested.attestation.is_some() && attested.verdicts.pass == 0, "{attested:?}");
    desk.console.attest(seen(AttestationAnswer::NotMet), None).await.unwrap();
    let denied = mfa(desk.console.rule(SandboxScope::Only, "IAM-SaaS-12").await.unwrap());
    assert_eq!((denied.outcome, denied.open), (CheckOutcome::Failed, 1));
    desk.clock.pass(SignedDuration::from_hours(24 * 800));
    assert_eq!(mfa(desk.console.rule(SandboxScope::Only, "IAM-SaaS-12").await.unwrap()).open, 1, "it is open until somebody looks");

    let unknown: Failure = desk.console.rule(SandboxScope::Only, "IAM-SaaS-99").await.unwrap_err();
    assert_eq!(unknown.code, "E-NOT-FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framework_says_how_little_of_it_is_looked_at() {
    let desk = Desk::with(&["kustomer/clean"]).await;
    let instance = desk.instances().await.remove(0);
    desk.refuse("kustomer/clean", "auth-settings", &instance).await;
    let kustomer = Catalog::built_in().unwrap().app("kustomer").unwrap().unwrap();
    let named = |framework: &str| {
        let of = |check: &catalog::Check| match framework {
            "sscf" => check.sscf.clone(),
            other => check.frameworks.get(other).cloned().unwrap_or_default(),
        };
        kustomer.checks.iter().flat_map(of).collect::<BTreeSet<String>>()
    };
    let list = desk.console.compliance(SandboxScope::Without).await.unwrap();
    let totals: Vec<(&str, u32)> = list.rows.iter().map(|row| (row.id.as_str(), row.total)).collect();
    let wanted = [("sscf", 36), ("nist_800_53", 1007), ("cis_v8", 153), ("soc2", 61), ("iso_27001", 93), ("cis_github", 120)];
    assert_eq!(totals, wanted);
    for row in &list.rows {
        let statuses = &row.statuses;
        let touched = statuses.failed + statuses.not_evaluated + statuses.passed + statuses.attested + statuses.not_applicable;
        assert_eq!((row.touched, row.touched + statuses.not_covered), (touched, row.total));
        assert_eq!(row.touched as usize, named(&row.id).len(), "{}", row.id);
        let others = row.total - touched;
        assert!(row.sentence.contains(&format!("{touched} of {} ", row.total)) && row.sentence.contains(&format!("other {others} ")));

        let page = desk.console.framework(SandboxScope::Without, &row.id).await.unwrap();
        assert_eq!((&page.framework, page.controls.len() as u32), (row, row.total));
        let ids: BTreeSet<String> = page.controls.iter().filter(|control| control.checks > 0).map(|control| control.id.clone()).collect();
        assert_eq!(ids, named(&row.id));
        assert_eq!(
            page.families.iter().map(|family| (family.total, family.touched)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            (row.total, row.touched)
        );
        for control in &page.controls {
            assert!(control.status != RuleStatus::Passed || control.counts.not_evaluated + control.counts.due == 0, "{control:?}");
            assert!(!control.sentence.to_lowercase().contains("complian"), "nothing is called compliant");
            let part = control.sentence.ends_with("; checks cover a part of it.");
            assert_eq!(part, control.status == RuleStatus::Passed, "{control:?}");
        }
    }
    let soc2 = desk.console.framework(SandboxScope::Only, "soc2").await.unwrap();
    let access = soc2.controls.iter().find(|control| control.id == "CC6.1").unwrap();
    assert!(access.status == RuleStatus::NotEvaluated && access.counts.passed > 0 && access.counts.failed == 0, "{access:?}");
    let page = desk.console.framework_control(SandboxScope::Only, "soc2", "CC6.1").await.unwrap();
    assert_eq!((&page.control, page.checks.len() as u32, page.framework_name.as_str()), (access, access.checks, "SOC 2"));
    assert_eq!(page.checks[0].instances[0].outcome, CheckOutcome::NotEvaluated, "the worst comes first");
    for (framework, control) in [("soc3", "CC6.1"), ("soc2", "CC6.99")] {
        let refused = desk.console.framework_control(SandboxScope::Only, framework, control).await.unwrap_err();
        assert_eq!(refused.code, "E-NOT-FOUND");
    }

    for (format, name) in
        [(ComplianceFormat::Csv, "soc2.csv"), (ComplianceFormat::Json, "soc2.json"), (ComplianceFormat::Html, "soc2.html")]
    {
        let path = desk.folder.join(name);
        let written = desk.console.export_framework(SandboxScope::Only, "soc2", format, &path).await.unwrap();
        assert_eq!(written.controls, 61);
        let text = std::fs::read_to_string(path).unwrap();
        match format {
            ComplianceFormat::Csv => {
                assert!(text.lines().count() == 62 && text.contains(",PI1.1,,not_covered,Not checked by this console."))
            }
            ComplianceFormat::Json => {
                let document: Value = serde_json::from_str(&text).unwrap();
                let controls = document["controls"].as_array().unwrap();
                let row = controls.iter().find(|row| row["control"] == "CC6.1").unwrap();
                assert_eq!((controls.len(), &row["status"], &row["sandbox"]), (61, &"not_evaluated".into(), &true.into()));
                assert!(row["check_ids"].as_str().unwrap().contains("kustomer.auth.sso_enabled"));
            }
            ComplianceFormat::Html => {
                assert!(text.contains("says nothing about real ones") && text.contains(&soc2.framework.sentence));
                assert!(text.contains("<td class=\"not_evaluated\">") && text.contains("PI1.1, PI1.2") && !text.contains("<script"));
            }
        }
    }
    let acts = desk.console.activity(Slice { offset: 0, limit: 3 }).await.unwrap();
    assert_eq!(acts.rows[0].what, "framework exported");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_pass() {
    let check = |id: &str, on: &str, pass: &str, sscf: &str| {
        format!(
            "[[check]]\nid = \"kustomer.own.{id}\"\ntitle = \"It is well\"\nfinding = \"It is not well\"\nseverity = \"high\"\nfeature = \"config\"\n\
             on = \"{on}\"\npass = \"{pass}\"\nrecommended = \"well\"\nwhy = \"Because.\"\nsteps = [\"Look.\"]\nsscf = [\"{sscf}\"]\n\
             frameworks = {{ soc2 = [\"PI1.1\"] }}\nsource = \"https://docs.example/\"\n"
        )
    };
    let mut desk = Desk::with(&["kustomer/clean"]).await;
    let instance = desk.instances().await.remove(0);
    desk.console.sandbox_set("kustomer/clean", "pending-users", Some("data=[]")).await.unwrap();
    desk.scan(&instance).await;
    let late = check("late", "auth-settings", "row.attributes.saml.enabled", "LOG-SaaS-05");
    let nobody = check("nobody", "pending-users", "row.attributes.email != ''", "LOG-SaaS-06");
    desk.start_with_checks(&format!("{late}{nobody}")).await;

    // A check that came after the scan is silent on a row that is there; on a list that is empty there is nothing to say.
    let of = async |id: &str| {
        let page = desk.console.rule(SandboxScope::Only, id).await.unwrap();
        assert_eq!((page.checks.len(), page.checks[0].instances.len()), (1, 1));
        let one = page.checks[0].instances[0].clone();
        (page.rule.status, one.outcome, one.cause.map(|cause| cause.kind).unwrap_or_default())
    };
    let unknown = (RuleStatus::NotEvaluated, CheckOutcome::NotEvaluated, "no_verdict".to_owned());
    assert_eq!(of("LOG-SaaS-05").await, unknown);
    assert_eq!(of("LOG-SaaS-06").await, (RuleStatus::NotApplicable, CheckOutcome::NotApplicable, "not_applicable".to_owned()));
    let both = desk.console.framework_control(SandboxScope::Only, "soc2", "PI1.1").await.unwrap().control;
    assert_eq!((both.status, both.checks, both.counts.not_evaluated, both.counts.not_applicable), (RuleStatus::NotEvaluated, 2, 1, 1));

    desk.scan(&instance).await;
    assert_eq!(of("LOG-SaaS-05").await, (RuleStatus::Passed, CheckOutcome::Passed, String::new()));
    let both = desk.console.framework_control(SandboxScope::Only, "soc2", "PI1.1").await.unwrap().control;
    assert_eq!(
        (both.status, both.sentence.as_str()),
        (RuleStatus::Passed, "All 2 checks passed where they apply; checks cover a part of it.")
    );
}
