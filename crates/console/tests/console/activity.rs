//! What is recorded of what was done, and the proof of it, through the public interface alone.
use crate::scene;

use jiff::SignedDuration;
use posture_core::{
    Console, Options,
    screen::{
        Act, ActivityHead, AttestationAnswer, ExportFormat, InstanceChange, ManualInstance, NewAttestation, OwnCheckDraft, Protection,
        SandboxScope, ScheduleChoice, Severity, Slice, TenantChoice,
    },
};
use scene::{SteppingClock, database, today};
use std::{io::Write, sync::Arc};

const ALL: Slice = Slice { offset: 0, limit: 500 };

struct Desk {
    console: Console,
    clock: Arc<SteppingClock>,
    options: Options,
}

impl Desk {
    async fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        Self { console, clock, options }
    }

    /// Newest first.
    async fn acts(&self) -> Vec<Act> {
        self.console.activity(ALL).await.unwrap().rows
    }

    /// The last act in short, after the clock has gone on: what, before, after.
    async fn last(&self) -> [String; 3] {
        let act = self.acts().await.remove(0);
        self.clock.pass(SignedDuration::from_secs(60));
        [act.what, act.before, act.after]
    }

    /// Does something to the database that nothing in the console does.
    fn tamper(&self, sql: &str) {
        let guards = "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS activity_unchanged; DROP TRIGGER IF EXISTS activity_kept;
            DROP TRIGGER IF EXISTS activity_link_unchanged; DROP TRIGGER IF EXISTS activity_link_kept;";
        database(&self.options).execute_batch(&format!("{guards}{sql}")).unwrap();
    }
}

fn manual(owner: &str, console_url: &str) -> ManualInstance {
    ManualInstance {
        app: "other-application".into(),
        name: "Perplexity".into(),
        label: "Production".into(),
        owner: owner.into(),
        product: "Perplexity".into(),
        console_url: console_url.into(),
    }
}

fn own_check(id: Option<&str>, title: &str, severity: Severity) -> OwnCheckDraft {
    OwnCheckDraft {
        id: id.map(str::to_owned),
        title: title.into(),
        severity,
        why: String::new(),
        steps: vec!["Open Settings.".into()],
        recommended: "required".into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_tell_what_was_before_and_what_is_now() {
    let desk = Desk::new().await;
    let at_once = |told: [&str; 3]| told.map(str::to_owned);
    let instance = desk.console.add_manual_instance(manual("ada", "")).await.unwrap();
    assert_eq!(desk.last().await, at_once(["instance added", "", ""]));
    desk.console.change_manual_instance(&instance.id, manual("mei", "https://admin.example/x")).await.unwrap();
    assert_eq!(
        desk.last().await,
        at_once(["instance changed", r#"console_url not set, owner "ada""#, r#"console_url "https://admin.example/x", owner "mei""#])
    );

    let check = desk.console.save_own_check(&instance.id, own_check(None, "Single sign-on is on", Severity::Low)).await.unwrap();
    let now = r#"recommended "required", severity "low", steps ["Open Settings."], title "Single sign-on is on", why """#;
    assert_eq!(desk.last().await, at_once(["check added", "", now]));
    desk.console.save_own_check(&instance.id, own_check(Some(&check.id), "Single sign-on is on", Severity::High)).await.unwrap();
    assert_eq!(desk.last().await, at_once(["check changed", r#"severity "low""#, r#"severity "high""#]));

    let attest = |who: &str, answer| NewAttestation {
        instance: instance.id.clone(),
        check: check.id.clone(),
        answer,
        who: who.into(),
        note: "Seen.".into(),
        valid_until: Some("2027-05-31".into()),
        remind_days: None,
    };
    desk.console.attest(attest("Mei Laurent", AttestationAnswer::NotMet), None).await.unwrap();
    assert_eq!(desk.last().await, at_once(["attested", "", "not met, by Mei Laurent, until 2027-05-31"]));
    let given = desk.console.attest(attest("Ada", AttestationAnswer::Met), None).await.unwrap();
    let (first, second) = ("not met, by Mei Laurent, until 2027-05-31", "met, by Ada, until 2027-05-31");
    assert_eq!(desk.last().await, at_once(["attested", first, second]));
    desk.console.withdraw_attestation(&given.current.unwrap().id, "It was the wrong tenant.").await.unwrap();
    assert_eq!(desk.last().await, at_once(["attestation withdrawn", second, first]));
    desk.console.remove_own_check(&instance.id, &check.id).await.unwrap();
    let removed = desk.last().await;
    assert!(removed[0] == "check removed" && removed[1].contains(r#"severity "high""#) && removed[2].is_empty(), "{removed:?}");

    desk.console.delete_instance(&instance.id, "Perplexity").await.unwrap();
    let acts = desk.acts().await;
    let (created, others) = acts.split_last().unwrap();
    assert_eq!((created.what.as_str(), created.instance.as_str()), ("database created", ""));
    assert!(others.iter().all(|act| act.instance == instance.id), "each says of which instance it speaks: {others:?}");
    assert_eq!(others[0].what, "instance deleted");
    let proof = desk.console.activity_proof(None).await.unwrap();
    assert!(proof.holds && proof.now.acts as usize == acts.len(), "{proof:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_instance_tells_what_changed_and_nothing_else() {
    let desk = Desk::new().await;
    let _vendors = desk.console.sandbox_up().await.unwrap();
    let choice = TenantChoice { app: "kustomer".into(), tenant: "risky".into() };
    desk.console.add_sandbox(vec![choice], Arc::new(|_event| {})).await.unwrap();
    let instance = desk.console.instances(SandboxScope::With).await.unwrap().remove(0);
    desk.clock.pass(SignedDuration::from_secs(60));

    let page = desk.console.instance(&instance.id).await.unwrap();
    let mut answers = page.answers.clone();
    let days = answers.iter_mut().find(|answer| answer.value.parse::<u32>().is_ok()).unwrap();
    let (threshold, before) = (format!("{}.{}", days.check, days.param), days.value.clone());
    let after = before.parse::<u32>().unwrap() + 1;
    days.value = after.to_string();
    let change = InstanceChange {
        name: "Halden Moor II".into(),
        label: instance.label.clone(),
        owner: instance.owner.clone(),
        schedule: ScheduleChoice::Default,
        route: page.route.clone(),
        answers,
    };
    desk.console.change_instance(&instance.id, change).await.unwrap();
    let acts = desk.acts().await;
    let told = acts.iter().find(|act| act.what == "instance changed").unwrap();
    assert_eq!(told.instance, instance.id);
    assert!(told.before.contains(&format!("name \"{}\"", instance.name)) && told.after.contains("name \"Halden Moor II\""), "{told:?}");
    assert!(told.after.contains(&format!("{threshold} {after}")), "{told:?}");
    assert!(!told.before.contains("label") && !told.before.contains("proxy") && !told.before.contains("region"), "{told:?}");

    let mut thresholds =
        posture_core::screen::InventoryThresholds { dormant_days: 90, expiring_days: 30, rotation_days: 180, unused_days: 90 };
    thresholds.dormant_days = 45;
    desk.clock.pass(SignedDuration::from_secs(60));
    desk.console.set_inventory_thresholds(&instance.id, thresholds).await.unwrap();
    assert_eq!(desk.last().await, ["thresholds of accounts and plugins changed", "dormant_days 90", "dormant_days 45"].map(str::to_owned));
    assert!(desk.acts().await.iter().filter(|act| act.what != "database created").all(|act| act.instance == instance.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exported_head_proves_what_came_before_it() {
    let desk = Desk::new().await;
    desk.console.add_manual_instance(manual("ada", "")).await.unwrap();
    let head = desk.console.activity_head().await.unwrap();
    let text = desk.console.activity_head_file().await.unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ActivityHead { acts, head: hash, at } = head.clone();
    assert_eq!(file, serde_json::json!({ "format": "posture-console-activity-head", "version": 1, "acts": acts, "head": hash, "at": at }));
    assert!(text.ends_with("}\n") && text.lines().count() == 1 && acts == 2 && hash.len() == 64, "{text}");

    let path = desk.options.data_folder.join("head.json");
    assert_eq!(desk.console.save_activity_head(&path).await.unwrap(), path.display().to_string());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let acts = desk.acts().await;
    assert_eq!((acts.len(), acts.iter().filter(|act| act.what == "head of the acts saved").count()), (3, 1), "it is an act itself");

    let proof = desk.console.activity_proof_against(&path).await.unwrap();
    assert!(proof.holds && proof.now.acts == 3, "{proof:?}");
    assert_eq!(proof.sentence, "All 3 acts are linked as they were recorded, and the first 2 are those of the exported head.");
    let alone = desk.console.activity_proof(None).await.unwrap();
    assert!(alone.holds && alone.sentence.starts_with("All 3 acts are linked as they were recorded; only an exported head"), "{alone:?}");

    desk.tamper(
        "DELETE FROM activity WHERE id > 1; DELETE FROM activity_link WHERE activity > 1;
         UPDATE sqlite_sequence SET seq = 1 WHERE name = 'activity'",
    );
    assert!(desk.console.activity_proof(None).await.unwrap().holds, "which nobody can tell without an exported head");
    let proof = desk.console.activity_proof(Some(&text)).await.unwrap();
    assert_eq!(
        (proof.holds, proof.sentence.as_str()),
        (false, "The exported head covers 2 acts, but there are 1: the last ones were removed, or the head is of another database.")
    );
    desk.console.add_manual_instance(ManualInstance { name: "Claude".into(), ..manual("eve", "") }).await.unwrap();
    let proof = desk.console.activity_proof(Some(&text)).await.unwrap();
    assert!(!proof.holds && proof.sentence.starts_with("The acts up to number 2, of "), "{proof:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_does_not_hold_is_no_error_and_names_the_act() {
    for (sql, told) in [
        (
            "UPDATE activity SET who = 'eve' WHERE id = 2",
            "The chain breaks at act 2 (of 2026-11-21T09:15:00Z): it, or its link, is not what was recorded.",
        ),
        ("DELETE FROM activity_link WHERE activity = 2", "The chain breaks at act 2 (of 2026-11-21T09:15:00Z): its link was removed."),
        (
            "DELETE FROM activity WHERE id = 2; DELETE FROM activity_link WHERE activity = 2",
            "The chain breaks at act 2, which was removed; the one before it is of 2026-11-21T09:14:00Z.",
        ),
        (
            "DELETE FROM activity WHERE id = 1; DELETE FROM activity_link WHERE activity = 1",
            "The chain breaks at act 1, which was removed.",
        ),
        (
            "INSERT INTO activity (id, at, who, what, detail) VALUES (0, 0, 'eve', '', '')",
            "The chain breaks before its first act: something was put there as act 0 (of 1970-01-01T00:00:00Z).",
        ),
    ] {
        let desk = Desk::new().await;
        desk.clock.pass(SignedDuration::from_secs(60));
        for name in ["Perplexity", "Claude"] {
            desk.console.add_manual_instance(ManualInstance { name: name.into(), ..manual("ada", "") }).await.unwrap();
        }
        let text = desk.console.activity_head_file().await.unwrap();
        desk.tamper(sql);
        for head in [Some(text.as_str()), None] {
            let proof = desk.console.activity_proof(head).await.unwrap();
            assert_eq!((proof.holds, proof.sentence.as_str()), (false, told), "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_exported_head_is_refused() {
    let desk = Desk::new().await;
    let text = desk.console.activity_head_file().await.unwrap();
    let with = |change: fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        value.to_string()
    };
    for (text, code) in [
        (String::new(), "E-HEAD-FORMAT"),
        ("{".to_owned(), "E-HEAD-FORMAT"),
        ("7".to_owned(), "E-HEAD-FORMAT"),
        ("[]".to_owned(), "E-HEAD-FORMAT"),
        (with(|head| head["format"] = "posture-console-backup".into()), "E-HEAD-FORMAT"),
        (with(|head| head["version"] = 0.into()), "E-HEAD-FORMAT"),
        (with(|head| head["version"] = "1".into()), "E-HEAD-FORMAT"),
        (with(|head| head["version"] = 2.into()), "E-HEAD-NEWER"),
        (with(|head| head["acts"] = (-1).into()), "E-HEAD-FORMAT"),
        (with(|head| head["acts"] = 0.into()), "E-HEAD-FORMAT"),
        (with(|head| head["head"] = "00".into()), "E-HEAD-FORMAT"),
        (with(|head| head["head"] = "zz".repeat(32).into()), "E-HEAD-FORMAT"),
        (with(|head| head["at"] = "yesterday".into()), "E-HEAD-FORMAT"),
        (with(|head| head["more"] = 1.into()), "E-HEAD-FORMAT"),
        (with(|head| drop(head.as_object_mut().unwrap().remove("head"))), "E-HEAD-FORMAT"),
    ] {
        let refused = desk.console.activity_proof(Some(&text)).await.unwrap_err();
        assert_eq!(refused.code, code, "{text}: {refused:?}");
        assert!(!refused.sentence.is_empty() && !refused.remedy.is_empty(), "{refused:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("head.json");
    let refused = async |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        desk.console.activity_proof_against(&path).await.unwrap_err().code
    };
    assert_eq!(refused(&vec![b' '; 4 * 1024 + 1]).await, "E-HEAD-FILE");
    assert_eq!(refused(&[0xff, 0xfe]).await, "E-HEAD-FILE");
    assert_eq!(refused(b"no head").await, "E-HEAD-FORMAT");
    assert_eq!(desk.console.activity_proof_against(&folder.path().join("missing")).await.unwrap_err().code, "E-HEAD-FILE");
    let missing = folder.path().join("missing/head.json");
    assert_eq!(desk.console.save_activity_head(&missing).await.unwrap_err().code, "E-EXPORT");
    assert_eq!(desk.acts().await.len(), 1, "what failed is no act");
    // As an editor or a mail may leave it.
    assert!(desk.console.activity_proof(Some(&format!("\r\n{}\r\n", text.trim()))).await.unwrap().holds);
}

/// What is written goes here.
#[derive(Clone, Default)]
struct Sheet(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_are_exported_with_their_links() {
    let desk = Desk::new().await;
    desk.console.add_manual_instance(ManualInstance { name: "=HYPERLINK(\"x\")".into(), ..manual("ada", "") }).await.unwrap();
    let head = desk.console.activity_head().await.unwrap();
    let path = desk.options.data_folder.join("acts.json");
    let exported = desk.console.export_activity(ExportFormat::Json, &path).await.unwrap();
    assert_eq!((exported.acts, exported.path), (2, path.display().to_string()));
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((document["schema"].as_u64(), document["acts"].as_array().unwrap().len()), (Some(1), 2));
    assert_eq!((&document["acts"][1]["number"], &document["acts"][1]["hash"]), (&2.into(), &head.head.clone().into()));
    assert_eq!(document["acts"][1]["what"], "instance added");

    let sheet = Sheet::default();
    assert_eq!(desk.console.export_activity_to(ExportFormat::Csv, Box::new(sheet.clone())).await.unwrap(), 3, "with that of the export");
    let text = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "number,at,who,what,detail,instance,before,after,hash");
    assert!(lines.len() == 4 && lines[2].ends_with(&head.head) && lines[3].contains("acts exported"), "{text}");
}
