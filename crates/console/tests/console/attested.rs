//! Manual checks from due to attested to due again, files, checks of the administrator's own and instances that nobody signs
//! in to, through the public interface alone. Only time and the keychain are passed in.
use crate::harbour::{self, HEAD, ON_API, SECRET, check, login, me, settings, single_sign_on};
use crate::scene;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use posture_core::{
    Console, Listener, Options, SandboxServer,
    screen::{
        AddInstance, Attestation, AttestationAnswer, AttestationCounts, AttestationStanding, AttestationState, ExportFormat, Failure,
        FileToAttach, Finding, FindingFilter, FindingPage, FindingQuery, FindingSort, FindingState, Health, Instance, InstanceChange,
        ManualCheck, ManualInstance, NewAttestation, OwnCheckDraft, Protection, RouteChoice, SandboxScope, ScheduleChoice, Severity, Slice,
        TenantChoice,
    },
};
use scene::{SteppingClock, database, today};
use std::{path::PathBuf, sync::Arc};

const ALL: Slice = Slice { offset: 0, limit: 500 };
const MFA: &str = "kustomer.users.mfa";

struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    folder: PathBuf,
    options: Options,
    _vendors: Option<SandboxServer>,
}

impl Desk {
    async fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let folder = options.data_folder.clone();
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        Self { console, clock, folder, options, _vendors: None }
    }

    /// With the simulated Kustomer, onboarded and scanned.
    async fn with_kustomer() -> (Self, Instance) {
        let mut desk = Self::new().await;
        desk._vendors = Some(desk.console.sandbox_up().await.unwrap());
        let choice = TenantChoice { app: "kustomer".into(), tenant: "risky".into() };
        desk.console.add_sandbox(vec![choice], quiet()).await.unwrap();
        let instance = desk.console.instances(SandboxScope::With).await.unwrap().remove(0);
        (desk, instance)
    }

    /// With an instance of *Other application* that has one check of its own.
    async fn with_other() -> (Self, Instance, String) {
        let desk = Self::new().await;
        let instance = desk.console.add_manual_instance(other("Perplexity")).await.unwrap();
        let check = desk.console.save_own_check(&instance.id, own_check("Single sign-on is required")).await.unwrap();
        (desk, instance, check.id)
    }

    /// Starts the console anew, with these files in the user's own folder of applications.
    async fn start_with(&mut self, files: &[(&str, impl AsRef<[u8]>)]) {
        let folder = self.folder.join("catalog");
        harbour::write(&folder, files);
        let mut options = self.options.clone();
        options.catalog_folder = Some(folder);
        self.console = Console::new(options).unwrap();
        self.console.start().await.unwrap();
    }

    /// Starts the console anew, with a catalog to which this check of Kustomer was added.
    async fn start_with_check(&mut self, check: &str) {
        self.start_with(&[("own/app.toml", "extends = \"kustomer\"\n"), ("own/checks.toml", check)]).await;
    }

    fn pass(&self, days: i64) {
        self.clock.pass(SignedDuration::from_hours(24 * days));
    }

    async fn checks(&self, instance: &Instance) -> Vec<ManualCheck> {
        self.console.attestations(&instance.id).await.unwrap().rows
    }

    async fn one(&self, instance: &Instance, check: &str) -> ManualCheck {
        self.checks(instance).await.into_iter().find(|row| row.check == check).unwrap()
    }

    async fn row(&self, instance: &Instance) -> Instance {
        self.console.instance(&instance.id).await.unwrap().instance
    }

    async fn findings(&self, instance: &Instance) -> Vec<Finding> {
        let filter = FindingFilter { instances: vec![instance.id.clone()], sandbox: SandboxScope::With, ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        self.console.findings(query).await.unwrap().rows
    }

    async fn finding(&self, instance: &Instance, check: &str) -> FindingPage {
        let found = self.findings(instance).await.into_iter().find(|finding| finding.check == check).unwrap();
        self.console.finding(&found.id).await.unwrap()
    }

    async fn acts(&self) -> Vec<String> {
        let acts = self.console.activity(ALL).await.unwrap().rows;
        acts.into_iter().rev().map(|act| act.what).filter(|what| what != "database created").collect()
    }
}

fn quiet() -> Listener {
    Arc::new(|_event| {})
}

fn other(name: &str) -> ManualInstance {
    ManualInstance {
        app: "other-application".into(),
        name: name.into(),
        label: "Production".into(),
        owner: "Mei Laurent".into(),
        product: "Perplexity".into(),
        console_url: "https://admin.perplexity.example/settings".into(),
    }
}

fn own_check(title: &str) -> OwnCheckDraft {
    OwnCheckDraft {
        id: None,
        title: title.into(),
        severity: Severity::High,
        why: "A password alone is enough otherwise.\nOften.".into(),
        steps: vec!["Open Settings.".into(), "  ".into(), "Look.".into()],
        recommended: "required".into(),
    }
}

fn seen(instance: &Instance, check: &str, answer: AttestationAnswer) -> NewAttestation {
    NewAttestation {
        instance: instance.id.clone(),
        check: check.into(),
        answer,
        who: "Ada Byron".into(),
        note: "Seen in the admin page.\r\nTwo users lack it.".into(),
        valid_until: None,
        remind_days: None,
    }
}

fn file(name: &str, content: &[u8]) -> Option<FileToAttach> {
    Some(FileToAttach { name: name.into(), media_type: "application/pdf".into(), content: STANDARD.encode(content) })
}

async fn refused<T>(result: impl Future<Output = Result<T, Failure>>) -> (String, Option<String>) {
    let failure = result.await.err().unwrap();
    assert!(!failure.sentence.is_empty() && !failure.remedy.is_empty(), "{failure:?}");
    (failure.code, failure.field)
}

fn code(code: &str, field: &str) -> (String, Option<String>) {
    (code.to_owned(), (!field.is_empty()).then(|| field.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_is_due_attested_due_soon_and_due_again() {
    let (desk, kustomer) = Desk::with_kustomer().await;
    let before = desk.row(&kustomer).await;
    assert_eq!(before.attestations, AttestationCounts { due: 1, ..AttestationCounts::default() });
    let due = desk.one(&kustomer, MFA).await;
    assert_eq!((due.state, &due.current, due.own, due.sandbox), (AttestationState::Due, &None, false, true));
    assert_eq!((due.valid_until_default.as_str(), due.valid_until_latest.as_str()), ("2027-11-21", "2029-11-20"));
    assert!(!due.why.is_empty() && !due.steps.is_empty() && due.link.as_ref().unwrap().url.starts_with("https://"));

    let request = NewAttestation { valid_until: Some("2027-01-31".into()), ..seen(&kustomer, MFA, AttestationAnswer::Met) };
    let attested = desk.console.attest(request, None).await.unwrap();
    assert_eq!((attested.state, attested.finding.as_ref()), (AttestationState::Attested, None));
    let current = attested.current.clone().unwrap();
    assert!(current.who == "Ada Byron" && current.at.starts_with("2026-11-21T09:14:"), "{current:?}");
    assert_eq!(current.note, "Seen in the admin page.\nTwo users lack it.");
    assert_eq!((current.valid_until.as_str(), current.remind_from.as_str(), current.remind_days), ("2027-01-31", "2027-01-02", 30));
    assert_eq!((current.standing, current.asked.as_str()), (AttestationStanding::InForce, due.title.as_str()));

    // It is nowhere a pass: neither in the score nor among the verdicts.
    let after = desk.row(&kustomer).await;
    assert_eq!(after.attestations, AttestationCounts { attested: 1, ..AttestationCounts::default() });
    assert_eq!((after.score, after.open), (before.score, before.open));
    desk.console.scan(&kustomer.id, quiet()).await.unwrap();
    let page = desk.console.instance(&kustomer.id).await.unwrap();
    let state = page.checks.iter().find(|check| check.id == MFA).unwrap();
    assert_eq!((state.verdict.as_str(), state.counts.pass, state.counts.manual), ("manual", 0, 1));
    assert_eq!(page.instance.score, before.score);

    for (days, state, standing) in [
        (41, AttestationState::Attested, AttestationStanding::InForce),
        (1, AttestationState::DueSoon, AttestationStanding::InForce),
        (29, AttestationState::DueSoon, AttestationStanding::InForce),
        (1, AttestationState::Expired, AttestationStanding::Expired),
    ] {
        desk.pass(days);
        let row = desk.one(&kustomer, MFA).await;
        assert_eq!((row.state, row.current.unwrap().standing), (state, standing), "{days} days later");
        let listed = desk.console.attestations_due(SandboxScope::With).await.unwrap();
        assert_eq!(listed.rows.len(), usize::from(state != AttestationState::Attested));
    }
    assert!(desk.console.attestations_due(SandboxScope::Without).await.unwrap().rows.is_empty(), "it is a simulated one");
    let overview = desk.console.overview(SandboxScope::Only).await.unwrap();
    assert_eq!(overview.attestations, AttestationCounts { expired: 1, ..AttestationCounts::default() });

    let again = desk.console.attest(seen(&kustomer, MFA, AttestationAnswer::NotApplicable), None).await.unwrap();
    let standings: Vec<AttestationStanding> = again.history.iter().map(|one| one.standing).collect();
    assert_eq!((again.state, standings), (AttestationState::Attested, vec![AttestationStanding::InForce, AttestationStanding::Superseded]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_met_opens_a_finding_that_only_a_person_ends() {
    let (desk, kustomer) = Desk::with_kustomer().await;
    let before = desk.row(&kustomer).await;
    let scanned = desk.findings(&kustomer).await;
    let row = desk.console.attest(seen(&kustomer, MFA, AttestationAnswer::NotMet), None).await.unwrap();
    let page = desk.finding(&kustomer, MFA).await;
    assert_eq!(row.finding.as_ref(), Some(&page.finding.id));
    assert_eq!((page.finding.state, page.finding.attested, page.verdict.as_str()), (FindingState::Open, true, "manual"));
    assert_eq!((page.current.as_str(), page.practice.as_str()), ("not met", row.title.as_str()));
    let evidence: Attestation = page.attestation.unwrap();
    assert_eq!((Some(&evidence), page.evidence.len()), (row.current.as_ref(), 0));
    let after = desk.row(&kustomer).await;
    assert_eq!((after.open.high, after.score), (before.open.high + 1, before.score), "it is open and stands beside the score");

    // Neither a scan nor judging again touches it.
    desk.pass(1);
    let outcome = desk.console.scan(&kustomer.id, quiet()).await.unwrap();
    assert_eq!((outcome.opened, outcome.fixed, outcome.gone, outcome.not_rechecked), (0, 0, 0, 0));
    assert_eq!(outcome.still_open as usize, scanned.iter().filter(|finding| finding.state == FindingState::Open).count());
    let settings = desk.console.instance(&kustomer.id).await.unwrap();
    let mut answers = settings.answers;
    answers.iter_mut().find(|answer| answer.check == "kustomer.users.admin_count").unwrap().value = "100".into();
    let change = InstanceChange {
        name: kustomer.name.clone(),
        label: "QA".into(),
        owner: String::new(),
        schedule: ScheduleChoice::Default,
        route: settings.route,
        answers,
    };
    desk.console.change_instance(&kustomer.id, change).await.unwrap();
    assert_eq!(desk.finding(&kustomer, MFA).await.finding, page.finding);

    // A year later nobody has looked: open, not re-checked since.
    desk.pass(366);
    let expired = desk.finding(&kustomer, MFA).await;
    assert_eq!((expired.finding.state, expired.finding.not_rechecked_since.as_deref()), (FindingState::Open, Some(evidence.at.as_str())));
    assert!(expired.cause.unwrap().sentence.contains("2027-11-21"));
    assert_eq!(expired.attestation.unwrap().standing, AttestationStanding::Expired);

    desk.console.attest(seen(&kustomer, MFA, AttestationAnswer::Met), None).await.unwrap();
    let fixed = desk.finding(&kustomer, MFA).await;
    assert_eq!((fixed.finding.state, fixed.verdict.as_str(), fixed.current.as_str()), (FindingState::Fixed, "manual", "met"));
    let kinds: Vec<&str> = fixed.history.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["fixed", "not_rechecked", "opened"]);

    let mut exported = Vec::new();
    let path = desk.folder.join("findings.json");
    for (format, name) in [(ExportFormat::Json, "findings.json"), (ExportFormat::Csv, "findings.csv")] {
        let filter = FindingFilter { checks: vec![MFA.into()], sandbox: SandboxScope::With, ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
        desk.console.export_findings(query, format, &desk.folder.join(name)).await.unwrap();
        exported.push(std::fs::read_to_string(desk.folder.join(name)).unwrap());
    }
    let document: serde_json::Value = serde_json::from_str(&exported[0]).unwrap();
    let line = &document["findings"][0];
    assert_eq!(
        (&line["verdict"]["verdict"], &line["answer"], &line["attested_by"]),
        (&"manual".into(), &"met".into(), &"Ada Byron".into())
    );
    let current = desk.one(&kustomer, MFA).await.current.unwrap();
    assert!(current.recorded_by != "Ada Byron" && line["recorded_by"] == current.recorded_by.as_str());
    assert!(line["valid_until"].as_str().unwrap().starts_with("2028-11-2") && path.exists());
    assert!(exported[1].lines().next().unwrap().contains(",answer,attested_by,recorded_by,attested_at,valid_until,"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attestation_is_withdrawn_with_a_reason_and_the_one_before_holds() {
    let (desk, other, check) = Desk::with_other().await;
    let met = desk.console.attest(seen(&other, &check, AttestationAnswer::Met), None).await.unwrap().current.unwrap();
    let not_met = desk.console.attest(seen(&other, &check, AttestationAnswer::NotMet), None).await.unwrap().current.unwrap();
    assert_eq!(refused(desk.console.withdraw_attestation(&met.id, "wrong")).await, code("E-ATTESTATION-ENDED", ""));
    assert_eq!(refused(desk.console.withdraw_attestation(&not_met.id, " \n ")).await, code("E-REASON", "reason"));
    assert_eq!(refused(desk.console.withdraw_attestation("77", "wrong")).await, code("E-NOT-FOUND", ""));
    assert_eq!(refused(desk.console.withdraw_attestation("x", "wrong")).await, code("E-NOT-FOUND", ""));
    let row = desk.console.withdraw_attestation(&not_met.id, "The wrong tenant.").await.unwrap();
    assert_eq!((row.state, row.current.unwrap().id, row.finding), (AttestationState::Attested, met.id.clone(), None));
    assert_eq!(row.history[0].withdrawal.as_ref().unwrap().reason, "The wrong tenant.");
    let finding = desk.finding(&other, &check).await;
    assert_eq!(finding.finding.state, FindingState::Gone, "nothing was mended");
    let row = desk.console.withdraw_attestation(&met.id, "Neither.").await.unwrap();
    assert_eq!((row.state, row.current), (AttestationState::Withdrawn, None));
    assert!(row.history.iter().all(|one| one.standing == AttestationStanding::Withdrawn));
    assert_eq!(desk.row(&other).await.attestations, AttestationCounts { withdrawn: 1, ..AttestationCounts::default() });
    let acts = desk.acts().await;
    assert_eq!(acts, ["instance added", "check added", "attested", "attested", "attestation withdrawn", "attestation withdrawn"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_back_byte_for_byte_under_a_harmless_name() {
    let (desk, other, check) = Desk::with_other().await;
    let content: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (name, wanted) in [
        ("page.pdf", "page.pdf"),
        ("../../.ssh/authorized_keys", "authorized_keys"),
        ("C:\\Users\\ada\\page.pdf", "page.pdf"),
        ("..", "attachment"),
        ("", "attachment"),
        (".bashrc", "bashrc"),
        ("a\u{202e}fdp.exe", "afdp.exe"),
        ("new\nline\0.txt", "newline.txt"),
        ("a:b*c?.png", "a_b_c_.png"),
        ("con.txt", "attachment"),
    ] {
        let row = desk.console.attest(seen(&other, &check, AttestationAnswer::Met), file(name, &content)).await.unwrap();
        let current = row.current.unwrap();
        let stored = current.file.unwrap();
        assert_eq!((stored.name.as_str(), stored.media_type.as_str(), stored.size), (wanted, "application/pdf", 100_000), "{name:?}");
        assert_eq!(desk.console.attestation_file_name(&current.id).await.unwrap(), wanted);
        assert_eq!(desk.console.attestation_file(&current.id).await.unwrap(), (stored, content.clone()));
        let path = desk.folder.join("saved");
        assert_eq!(desk.console.save_attestation_file(&current.id, &path).await.unwrap(), path.display().to_string());
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
    let long = format!("{}.pdf", "ä".repeat(400));
    let row = desk.console.attest(seen(&other, &check, AttestationAnswer::Met), file(&long, b"x")).await.unwrap();
    assert!(row.current.unwrap().file.unwrap().name.len() <= 255);
    for (given, wanted) in [("Image/PNG", "image/png"), ("", "application/octet-stream"), ("a/b\r\nc", "application/octet-stream")] {
        let attached = FileToAttach { media_type: given.into(), ..file("f", b"x").unwrap() };
        let row = desk.console.attest(seen(&other, &check, AttestationAnswer::Met), Some(attached)).await.unwrap();
        assert_eq!(row.current.unwrap().file.unwrap().media_type, wanted);
    }
    // Nothing of it lies readable in the folder.
    let secret = b"thisTextMustNotBeReadableInTheFile".repeat(3);
    desk.console.attest(seen(&other, &check, AttestationAnswer::Met), file("f", &secret)).await.unwrap();
    for entry in std::fs::read_dir(&desk.folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!bytes.windows(34).any(|window| window == &secret[..34]), "{}", entry.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_right_is_refused_and_nothing_is_stored() {
    const MIB: usize = 1024 * 1024;
    let (desk, other, check) = Desk::with_other().await;
    let right = seen(&other, &check, AttestationAnswer::NotMet);
    let largest = vec![7; 10 * MIB];
    let with = |change: fn(&mut NewAttestation)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    let broken = Some(FileToAttach { content: "no base64!".into(), ..file("f", b"x").unwrap() });
    for (request, attached, wanted) in [
        (with(|request| request.note = " ".into()), None, code("E-NOTE", "note")),
        (with(|request| request.note = "n".repeat(4_001)), None, code("E-NOTE", "note")),
        (with(|request| request.note = "bell\u{7}".into()), None, code("E-NOTE", "note")),
        (with(|request| request.who = "w".repeat(81)), None, code("E-WHO", "who")),
        (with(|request| request.who = "a\nb".into()), None, code("E-WHO", "who")),
        (with(|request| request.valid_until = Some("soon".into())), None, code("E-VALID-UNTIL", "valid_until")),
        (with(|request| request.valid_until = Some("2026-11-20".into())), None, code("E-VALID-UNTIL", "valid_until")),
        (with(|request| request.valid_until = Some("2029-11-21".into())), None, code("E-VALID-UNTIL", "valid_until")),
        (with(|request| request.remind_days = Some(366)), None, code("E-REMINDER", "remind_days")),
        (with(|request| request.check = "own.other".into()), None, code("E-CHECK-NOT-MANUAL", "")),
        (with(|request| request.instance = "none".into()), None, code("E-NOT-FOUND", "")),
        (right.clone(), file("f", b""), code("E-FILE-EMPTY", "file")),
        (right.clone(), file("f", &vec![7; 10 * MIB + 1]), code("E-FILE-TOO-LARGE", "file")),
        (right.clone(), file("f", &vec![7; 11 * MIB]), code("E-FILE-TOO-LARGE", "file")),
        (right.clone(), broken, code("E-FILE", "file")),
    ] {
        assert_eq!(refused(desk.console.attest(request, attached)).await, wanted);
    }
    assert!(desk.one(&other, &check).await.history.is_empty() && desk.findings(&other).await.is_empty());
    assert_eq!(desk.acts().await, ["instance added", "check added"]);

    let edge = NewAttestation { who: String::new(), note: "n".repeat(4_000), valid_until: Some("2026-11-21".into()), ..right };
    let row = desk.console.attest(NewAttestation { remind_days: Some(0), ..edge }, file("f", &largest)).await.unwrap();
    let current = row.current.unwrap();
    assert_eq!((row.state, current.file.as_ref().unwrap().size), (AttestationState::Attested, 10 * 1024 * 1024));
    assert_eq!(current.who, current.recorded_by, "this user, where nobody is named");
    assert_eq!(desk.console.attestation_file(&current.id).await.unwrap().1, largest);

    let path = desk.folder.join("large");
    std::fs::write(&path, vec![7; 10 * MIB + 1]).unwrap();
    assert_eq!(FileToAttach::read(&path, "").unwrap_err().code, "E-FILE-TOO-LARGE");
    std::fs::write(&path, b"seen").unwrap();
    assert_eq!(FileToAttach::read(&path, "").unwrap().content, STANDARD.encode(b"seen"));
    assert_eq!(FileToAttach::read(&desk.folder.join("missing"), "").unwrap_err().code, "E-FILE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_scans_judge_is_not_attested() {
    let (desk, kustomer) = Desk::with_kustomer().await;
    let judged = desk.console.attest(seen(&kustomer, "kustomer.auth.sso_enabled", AttestationAnswer::Met), None);
    assert_eq!(refused(judged).await, code("E-CHECK-NOT-MANUAL", ""));
    // Its own checks stand beside the catalog's, and no scan touches them.
    let own = desk.console.save_own_check(&kustomer.id, own_check("Exports have an owner")).await.unwrap();
    desk.console.attest(seen(&kustomer, &own.id, AttestationAnswer::NotMet), None).await.unwrap();
    desk.pass(1);
    assert_eq!(desk.console.scan(&kustomer.id, quiet()).await.unwrap().not_rechecked, 0);
    let page = desk.finding(&kustomer, &own.id).await;
    assert_eq!((page.finding.state, page.finding.not_rechecked_since.as_deref()), (FindingState::Open, None));
    assert_eq!((page.practice.as_str(), page.steps.len()), ("Exports have an owner", 2));
    assert_eq!(page.finding.title, "Not as recommended: Exports have an owner");
    assert_eq!(desk.checks(&kustomer).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogs_check_that_is_worded_otherwise_is_due_and_one_that_scans_judge_is_let_alone() {
    const ID: &str = "kustomer.own.exports";
    let (mut desk, kustomer) = Desk::with_kustomer().await;
    let built_in = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/kustomer/checks.toml")).unwrap();
    let parts: Vec<&str> = built_in.split("[[check]]").skip(1).collect();
    let manual = format!("[[check]]{}", parts.iter().find(|part| part.contains(&format!("\"{MFA}\""))).unwrap()).replace(MFA, ID);
    let first = parts[0].lines().find(|line| line.starts_with("id = ")).unwrap();
    let scanned = format!("[[check]]{}", parts[0]).replace(first, &format!("id = \"{ID}\""));

    desk.start_with_check(&manual).await;
    let given = desk.console.attest(seen(&kustomer, ID, AttestationAnswer::Met), None).await.unwrap();
    assert_eq!(given.state, AttestationState::Attested);
    desk.start_with_check(&manual.replace(&given.title, "Exports are looked through")).await;
    let row = desk.one(&kustomer, ID).await;
    assert_eq!((row.state, row.current.unwrap().asked), (AttestationState::Due, given.title.clone()));
    assert_eq!(desk.row(&kustomer).await.attestations.due, 2);
    desk.start_with_check(&manual.replace(&given.recommended, "required")).await;
    assert_eq!(desk.one(&kustomer, ID).await.state, AttestationState::Due);

    let again = desk.console.attest(seen(&kustomer, ID, AttestationAnswer::NotMet), None).await.unwrap().current.unwrap();
    desk.start_with_check(&scanned).await;
    assert_eq!(refused(desk.console.withdraw_attestation(&again.id, "wrong")).await, code("E-CHECK-NOT-MANUAL", ""));
    assert_eq!(desk.finding(&kustomer, ID).await.finding.state, FindingState::Open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_written_is_shown_all_the_same() {
    let (desk, other, check) = Desk::with_other().await;
    desk.console.attest(seen(&other, &check, AttestationAnswer::NotMet), None).await.unwrap();
    let refuse = "CREATE TRIGGER full BEFORE UPDATE ON finding BEGIN SELECT RAISE (ABORT, 'no room'); END";
    database(&desk.options).execute_batch(refuse).unwrap();
    desk.pass(366);
    assert_eq!(desk.console.overview(SandboxScope::With).await.unwrap().attestations.expired, 1);
    assert_eq!(desk.one(&other, &check).await.state, AttestationState::Expired);
    assert_eq!(desk.finding(&other, &check).await.finding.not_rechecked_since, None, "its mark comes late");
    database(&desk.options).execute_batch("DROP TRIGGER full").unwrap();
    assert!(desk.finding(&other, &check).await.finding.not_rechecked_since.is_some());
    assert_eq!(desk.console.overview(SandboxScope::With).await.unwrap().not_rechecked, 1, "it is open and nobody has looked since");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_checks_are_added_changed_and_removed() {
    let (desk, other, check) = Desk::with_other().await;
    let row = desk.one(&other, &check).await;
    assert_eq!((row.own, row.steps.len(), row.link.unwrap().url.as_str()), (true, 2, "https://admin.perplexity.example/settings"));
    desk.console.attest(seen(&other, &check, AttestationAnswer::NotMet), None).await.unwrap();
    let changed = OwnCheckDraft { id: Some(check.clone()), severity: Severity::Low, ..own_check("Sign-on is federated") };
    let saved = desk.console.save_own_check(&other.id, changed).await.unwrap();
    assert_eq!(saved.id, check);
    // What was seen answers the old question, not the new one.
    let row = desk.one(&other, &check).await;
    let old = row.current.unwrap();
    assert_eq!((row.title.as_str(), old.asked.as_str()), ("Sign-on is federated", "Single sign-on is required"));
    assert_eq!((row.state, old.standing), (AttestationState::Due, AttestationStanding::AskedOtherwise));
    assert_eq!((row.history[0].standing, old.recommended.as_str()), (AttestationStanding::AskedOtherwise, "required"));
    assert_eq!(desk.row(&other).await.attestations, AttestationCounts { due: 1, ..AttestationCounts::default() });
    assert_eq!(desk.console.attestations_due(SandboxScope::With).await.unwrap().rows.len(), 1);
    let evidence = desk.finding(&other, &check).await.attestation.unwrap();
    assert_eq!(evidence.standing, AttestationStanding::AskedOtherwise);
    assert_eq!(desk.finding(&other, &check).await.finding.severity, Severity::Low);
    assert_eq!(desk.row(&other).await.open.low, 1);
    let draft = |change: fn(&mut OwnCheckDraft)| {
        let mut draft = own_check("t");
        change(&mut draft);
        draft
    };
    for (draft, wanted) in [
        (draft(|draft| draft.title = " ".into()), code("E-TITLE", "title")),
        (draft(|draft| draft.title = "t".repeat(201)), code("E-TITLE", "title")),
        (draft(|draft| draft.why = "w".repeat(4_001)), code("E-WHY", "why")),
        (draft(|draft| draft.steps = vec!["s".into(); 21]), code("E-STEPS", "steps")),
        (draft(|draft| draft.steps = vec!["s".repeat(501)]), code("E-STEPS", "steps")),
        (draft(|draft| draft.recommended = "r\u{1b}[2J".into()), code("E-RECOMMENDED", "recommended")),
        (draft(|draft| draft.id = Some("own.none".into())), code("E-NOT-FOUND", "")),
    ] {
        assert_eq!(refused(desk.console.save_own_check(&other.id, draft)).await, wanted);
    }
    // Whether it answers what is asked is a matter of the title and of what is recommended alone.
    desk.console.attest(seen(&other, &check, AttestationAnswer::NotMet), None).await.unwrap();
    let federated = |recommended: &str| OwnCheckDraft {
        id: Some(check.clone()),
        severity: Severity::Medium,
        steps: Vec::new(),
        recommended: recommended.into(),
        ..own_check("Sign-on is federated")
    };
    desk.console.save_own_check(&other.id, federated("required")).await.unwrap();
    assert_eq!(desk.one(&other, &check).await.state, AttestationState::Attested);
    desk.console.save_own_check(&other.id, federated("required for every user")).await.unwrap();
    assert_eq!(desk.one(&other, &check).await.state, AttestationState::Due);
    desk.console.remove_own_check(&other.id, &check).await.unwrap();
    assert!(desk.checks(&other).await.is_empty() && desk.console.own_checks(&other.id).await.unwrap().is_empty());
    let gone = desk.finding(&other, &check).await;
    assert_eq!((gone.finding.state, gone.practice.as_str()), (FindingState::Gone, "Sign-on is federated"));
    assert_eq!(refused(desk.console.remove_own_check(&other.id, &check)).await, code("E-NOT-FOUND", ""));
    let attest = desk.console.attest(seen(&other, &check, AttestationAnswer::Met), None);
    assert_eq!(refused(attest).await, code("E-CHECK-NOT-MANUAL", ""));
    for number in 0..200 {
        desk.console.save_own_check(&other.id, own_check(&format!("Check {number}"))).await.unwrap();
    }
    assert_eq!(refused(desk.console.save_own_check(&other.id, own_check("One more"))).await, code("E-TOO-MANY-CHECKS", ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_nobody_signs_in_to_is_kept_by_hand() {
    let desk = Desk::new().await;
    let tile = desk.console.tiles().await.unwrap().into_iter().find(|tile| tile.slug == "other-application").unwrap();
    assert_eq!((tile.verified.as_str(), tile.checks), ("manual", 0));
    assert!(desk.console.application("other-application").await.unwrap().logins.is_empty());
    let other_instance = desk.console.add_manual_instance(other("Perplexity")).await.unwrap();
    assert_eq!((other_instance.health, &other_instance.score, other_instance.sandbox), (Health::Manual, &None, false));
    let page = desk.console.instance(&other_instance.id).await.unwrap();
    assert!(page.secrets.is_empty() && page.hosts.is_empty() && page.scans.is_empty() && page.login.is_empty());
    assert_eq!(page.features[0].state, "manual");
    let sealed = desk.folder.join("vault").join("instances");
    assert!(!sealed.exists() || std::fs::read_dir(sealed).unwrap().next().is_none(), "there is nothing to seal");

    let with = |change: fn(&mut ManualInstance)| {
        let mut request = other("Another");
        change(&mut request);
        request
    };
    for (request, wanted) in [
        (other("Perplexity"), code("E-NAME-TAKEN", "name")),
        (with(|request| request.name = String::new()), code("E-NAME", "name")),
        (with(|request| request.label = "None".into()), code("E-LABEL", "label")),
        (with(|request| request.product = " ".into()), code("E-PRODUCT", "product")),
        (with(|request| request.console_url = "http://admin.example".into()), code("E-CONSOLE-URL", "console_url")),
        (with(|request| request.console_url = "https://ada:pw@admin.example".into()), code("E-CONSOLE-URL", "console_url")),
        (with(|request| request.console_url = "javascript:alert(1)".into()), code("E-CONSOLE-URL", "console_url")),
        (with(|request| request.app = "kustomer".into()), code("E-LOGIN-NEEDED", "")),
        (with(|request| request.app = "none".into()), code("E-APP-UNKNOWN", "")),
    ] {
        assert_eq!(refused(desk.console.add_manual_instance(request)).await, wanted);
    }

    // Nothing of it is signed in to, read, tested or replaced.
    let id = other_instance.id.as_str();
    assert_eq!(refused(desk.console.scan(id, quiet())).await.0, "E-NOT-SCANNED");
    assert_eq!(refused(desk.console.test_instance(id, quiet())).await.0, "E-NOT-SCANNED");
    assert_eq!(refused(desk.console.schema(id)).await.0, "E-NOT-SCANNED");
    assert_eq!(refused(desk.console.replace_secret("none", id, quiet())).await.0, "E-NOT-SCANNED");
    assert_eq!(desk.console.open_draft("other-application", "api-key").unwrap_err().code, "E-NOT-SCANNED");
    let (app, login, name) = ("other-application".into(), String::new(), "X".into());
    let (inputs, answers, route) = (Vec::new(), Vec::new(), RouteChoice::default());
    let add = AddInstance { app, login, name, label: "Default".into(), owner: String::new(), inputs, answers, route };
    assert!(desk.console.connect("none", add, quiet()).await.is_err());
    assert_eq!(desk.console.requests(None, ALL).await.unwrap().total, 0);

    // The console's address can be opened, and no other.
    assert!(desk.console.linkable("https://admin.perplexity.example/settings/sso").await.is_ok());
    for address in ["https://perplexity.example/", "http://admin.perplexity.example/", "https://admin.perplexity.example.evil.example/"] {
        assert_eq!(desk.console.linkable(address).await.unwrap_err().code, "E-LINK-REFUSED", "{address}");
    }
    let changed = ManualInstance { console_url: String::new(), owner: "Ada".into(), ..other("Perplexity Pro") };
    let row = desk.console.change_manual_instance(id, changed).await.unwrap();
    assert_eq!((row.name.as_str(), row.owner.as_str(), row.health), ("Perplexity Pro", "Ada", Health::Manual));
    assert!(desk.console.linkable("https://admin.perplexity.example/settings").await.is_err());
    let (route, answers) = (RouteChoice::default(), Vec::new());
    let change = InstanceChange {
        name: "Perplexity".into(),
        label: "QA".into(),
        owner: String::new(),
        schedule: ScheduleChoice::Default,
        route,
        answers,
    };
    assert_eq!(desk.console.change_instance(id, change).await.unwrap().inputs.len(), 1, "the product is kept");

    let check = desk.console.save_own_check(id, own_check("Single sign-on is required")).await.unwrap();
    desk.console.attest(seen(&other_instance, &check.id, AttestationAnswer::NotMet), file("page.pdf", b"seen")).await.unwrap();
    let overview = desk.console.overview(SandboxScope::Without).await.unwrap();
    assert_eq!((overview.attestations.attested, overview.open.high, overview.score), (1, 1, None));
    assert_eq!(desk.console.tiles().await.unwrap().iter().map(|tile| tile.instances).sum::<u32>(), 1);
    let deleted = desk.console.delete_instance(id, "Perplexity").await.unwrap();
    assert_eq!((deleted.attestations, deleted.findings, deleted.scans), (1, 1, 0));
    assert!(desk.console.instances(SandboxScope::With).await.unwrap().is_empty());
    assert_eq!(desk.acts().await.last().unwrap(), "instance deleted");
}

const RECOVERY: (&str, &str) = ("auth.recovery", "Recovery codes are kept in a safe");

/// The application while nobody signs in to it.
fn planned() -> [(&'static str, String); 2] {
    let manual = |(name, title)| check(name, title, "IAM-SaaS-12", "kind = \"manual\"\n");
    let app = format!("{}[[planned_login]]\nlabel = \"API key\"\nsummary = \"A key.\"\n", HEAD.replace("facts", "manual"));
    let checks = manual(("auth.sso", "Everybody signs in through the identity provider")) + &manual(RECOVERY);
    [("harbour/app.toml", app), ("harbour/checks.toml", checks)]
}

/// The same once it can be connected: one of its checks reads, the other is still attested.
fn connected() -> [(&'static str, String); 3] {
    let by_key = login("key", &[ON_API, "strategy = { name = \"bearer\", token = \"api_key\" }"], &[("api_key", SECRET)]);
    let checks = single_sign_on() + &check(RECOVERY.0, RECOVERY.1, "IAM-SaaS-12", "kind = \"manual\"\n");
    [("harbour/app.toml", format!("{HEAD}{by_key}")), ("harbour/datasets.toml", me() + &settings()), ("harbour/checks.toml", checks)]
}

#[tokio::test]
async fn an_instance_of_before_its_application_could_be_connected_says_so_and_keeps_what_was_attested() {
    let mut desk = Desk::new().await;
    desk.start_with(&planned()).await;
    let request = ManualInstance { app: "harbour".into(), product: "Harbour".into(), ..other("Halden Moor") };
    let instance = desk.console.add_manual_instance(request).await.unwrap();
    let id = instance.id.as_str();
    let (sso, recovery) = ("harbour.auth.sso", "harbour.auth.recovery");
    let attested = desk.console.attest(seen(&instance, sso, AttestationAnswer::NotMet), file("page.pdf", b"seen")).await.unwrap();
    desk.console.attest(seen(&instance, recovery, AttestationAnswer::Met), None).await.unwrap();
    assert_eq!(refused(desk.console.scan(id, quiet())).await.0, "E-NOT-SCANNED");

    desk.start_with(&connected()).await;
    let row = desk.row(&instance).await;
    assert_eq!((row.health, row.cause, row.score), (Health::Manual, None, None), "nothing is wrong with it");
    let page = desk.console.instance(id).await.unwrap();
    assert_eq!(page.application.logins.len(), 1, "the window offers to connect it");
    let failure = desk.console.scan(id, quiet()).await.unwrap_err();
    assert_eq!(failure.code, "E-CONNECT-ANEW");
    assert!(failure.sentence.contains("Harbour can be connected now"), "{failure:?}");
    assert!(failure.remedy.contains("Add an instance") && failure.remedy.contains("attested"), "{failure:?}");
    assert_eq!(refused(desk.console.test_instance(id, quiet())).await.0, "E-CONNECT-ANEW");
    assert_eq!(refused(desk.console.schema(id)).await.0, "E-CONNECT-ANEW");
    assert_eq!(refused(desk.console.permissions(id)).await.0, "E-CONNECT-ANEW");
    assert_eq!(refused(desk.console.replace_secret("none", id, quiet())).await.0, "E-CONNECT-ANEW");
    assert_eq!(desk.row(&instance).await.health, Health::Manual, "and a refused scan leaves no trace");
    assert!(desk.console.linkable("https://admin.perplexity.example/settings").await.is_ok(), "its console can be opened still");

    // What was attested can be read, in the words that were asked then, and taken back; the finding goes with it.
    let known = desk.one(&instance, sso).await;
    assert_eq!((known.state, known.title.as_str()), (AttestationState::Attested, "Everybody signs in through the identity provider"));
    let current = known.current.unwrap();
    assert_eq!((Some(&current.id), current.standing), (attested.current.map(|one| one.id).as_ref(), AttestationStanding::InForce));
    assert_eq!(desk.console.attestation_file(&current.id).await.unwrap().1, b"seen");
    assert_eq!(desk.one(&instance, recovery).await.state, AttestationState::Attested);
    assert_eq!(row.attestations.attested, 2);
    assert_eq!(desk.findings(&instance).await.iter().map(|finding| finding.check.as_str()).collect::<Vec<_>>(), [sso]);
    desk.console.withdraw_attestation(&current.id, "Connected now.").await.unwrap();
    assert_eq!(desk.findings(&instance).await[0].state, FindingState::Gone);
    assert_eq!(desk.one(&instance, sso).await.state, AttestationState::Withdrawn);
    let changed = ManualInstance { app: "harbour".into(), product: "Harbour".into(), owner: "Ada".into(), ..other("Halden Moor, before") };
    assert_eq!(desk.console.change_manual_instance(id, changed).await.unwrap().name, "Halden Moor, before");

    // Another one is added by signing in, and no more by hand.
    let request = ManualInstance { app: "harbour".into(), product: "Harbour".into(), ..other("Halden Moor") };
    assert_eq!(refused(desk.console.add_manual_instance(request)).await.0, "E-LOGIN-NEEDED");
    desk.console.delete_instance(id, "Halden Moor, before").await.unwrap();
}
