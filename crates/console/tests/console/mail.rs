//! The mail that the digest goes by: what is kept of it, where the password goes, and what becomes of a mail that fails.
use crate::{
    mail_server::{Post, Script, part, starttls},
    scene::{SteppingClock, database, today},
};

use jiff::{SignedDuration, tz::TimeZone};
use posture_core::{
    Console, Options, SecretString,
    screen::{MailSettings, MailTls, ManualInstance, Protection, Slice},
};
use std::{path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const PASSWORD: &str = "correct horse 4711";

struct Desk {
    console: Console,
    options: Options,
    clock: Arc<SteppingClock>,
}

impl Desk {
    async fn new() -> Self {
        let clock = SteppingClock::at(today());
        let mut options = Options::scratch().unwrap();
        options.clock = clock.clone();
        options.zone = TimeZone::UTC;
        let console = Console::new(options.clone()).unwrap();
        console.first_start(Protection::Keychain, None).await.unwrap();
        let manual = ManualInstance {
            app: "other-application".into(),
            name: "Perplexity".into(),
            label: "Production".into(),
            owner: String::new(),
            product: "Perplexity".into(),
            console_url: String::new(),
        };
        console.add_manual_instance(manual).await.unwrap();
        Self { console, options, clock }
    }

    async fn acts(&self) -> Vec<String> {
        let acts = self.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
        acts.into_iter().filter(|act| act.what.contains("mail")).map(|act| act.what).collect()
    }
}

fn settings(port: u16) -> MailSettings {
    MailSettings {
        host: "localhost".into(),
        port,
        tls: MailTls::Starttls,
        user: "posture".into(),
        from: "posture@halden.example".into(),
        recipients: vec!["ada@halden.example".into()],
        authorities_pem: String::new(),
    }
}

fn password() -> Option<SecretString> {
    Some(SecretString::from(PASSWORD))
}

/// A server that offers no TLS, as one does behind somebody who takes the offer out; answers what it was told.
async fn stripped() -> (u16, Arc<std::sync::Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hearing = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let hearing = hearing.clone();
            tokio::spawn(async move {
                let _greeted = line.write_all(b"220 mail\r\n").await;
                let mut bytes = [0; 1024];
                while let Ok(read @ 1..) = line.read(&mut bytes).await {
                    hearing.lock().unwrap().extend_from_slice(&bytes[..read]);
                    if line.write_all(b"250 AUTH PLAIN LOGIN\r\n").await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, heard)
}

/// Whether any file below a folder holds this text.
fn anywhere(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return anywhere(&path, text);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_is_sealed_for_one_server_and_user_and_outlives_the_process() {
    let desk = Desk::new().await;
    assert_eq!(desk.console.mail().await.unwrap().settings, None);
    assert_eq!(desk.console.test_mail().await.unwrap_err().code, "E-MAIL-NOT-SET");
    assert_eq!(desk.console.send_digest().await.unwrap_err().code, "E-MAIL-NOT-SET");
    let refused = desk.console.set_mail(settings(587), None).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-MAIL-PASSWORD", Some("password")));
    assert_eq!(desk.console.mail().await.unwrap().settings, None, "nothing was set");

    let state = desk.console.set_mail(settings(587), password()).await.unwrap();
    assert_eq!((state.settings, state.password_set_at.is_some()), (Some(settings(587)), true));
    // Whoever changes where it goes has to know it.
    for elsewhere in [
        MailSettings { host: "mail.evil.example".into(), ..settings(587) },
        MailSettings { user: "eve".into(), ..settings(587) },
        settings(2525),
        MailSettings { tls: MailTls::Implicit, ..settings(587) },
        MailSettings { authorities_pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into(), ..settings(587) },
    ] {
        assert_eq!(desk.console.set_mail(elsewhere, None).await.unwrap_err().code, "E-MAIL-PASSWORD");
    }
    let more = MailSettings { recipients: vec!["ada@halden.example".into(), "brian@halden.example".into()], ..settings(587) };
    desk.console.set_mail(more.clone(), None).await.unwrap();
    // Also where the settings were changed behind the console's back.
    let value = serde_json::to_string(&MailSettings { host: "mail.evil.example".into(), ..settings(587) }).unwrap();
    desk.console.set_preference("mail".into(), value).await.unwrap();
    assert_eq!(desk.console.test_mail().await.unwrap_err().code, "E-MAIL-PASSWORD");
    assert_eq!(desk.console.serve_digest().await.unwrap_err().code, "E-MAIL-PASSWORD");
    assert_eq!(desk.console.digest(None).await.unwrap().mail_failure.unwrap().code, "E-MAIL-PASSWORD", "kept with the digest");
    assert!(!desk.console.serve_digest().await.unwrap(), "not again at once");
    desk.console.set_mail(more.clone(), None).await.unwrap();

    // The next process does not take it for one that an onboarding left behind.
    let other = Console::new(desk.options.clone()).unwrap();
    other.start().await.unwrap();
    assert_eq!(other.set_mail(more.clone(), None).await.unwrap().settings, Some(more));
    assert!(!anywhere(&desk.options.data_folder, PASSWORD));
    let acts = desk.console.activity(Slice { offset: 0, limit: 500 }).await.unwrap().rows;
    assert!(!format!("{acts:?} {:?}", desk.console.start().await.unwrap()).contains(PASSWORD));

    desk.console.remove_mail().await.unwrap();
    let state = desk.console.mail().await.unwrap();
    assert_eq!((state.settings, state.password_set_at), (None, None));
    assert!(!desk.options.data_folder.join("vault/instances/mail.json").exists());
    assert_eq!(desk.acts().await[0], "mail removed");
    assert_eq!(desk.console.set_mail(settings(587), None).await.unwrap_err().code, "E-MAIL-PASSWORD", "its key is destroyed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_takes_the_mail_along() {
    let desk = Desk::new().await;
    desk.console.set_mail(settings(587), password()).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("posture.tar");
    desk.console.back_up(&backup).await.unwrap();
    desk.console.remove_mail().await.unwrap();
    desk.console.restore(&backup).await.unwrap();
    assert_eq!(desk.console.mail().await.unwrap().settings, Some(settings(587)));
    assert!(desk.console.mail().await.unwrap().password_set_at.is_some());
    // Under a keychain the key is gone with the deletion, as of every credential.
    assert!(desk.console.set_mail(settings(587), None).await.is_err());
    desk.console.set_mail(settings(587), password()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_fails_is_kept_and_tried_again_ever_more_rarely_the_same_day() {
    let desk = Desk::new().await;
    let (port, heard) = stripped().await;
    desk.console.set_mail(settings(port), password()).await.unwrap();
    assert_eq!(desk.console.serve_digest().await.unwrap_err().code, "E-MAIL-NO-TLS");
    let digest = desk.console.digest(None).await.unwrap();
    assert_eq!((digest.stored, digest.mailed_at), (true, None), "no digest is lost by it");
    assert_eq!(digest.mail_failure.unwrap().code, "E-MAIL-NO-TLS");

    let mut pauses = Vec::new();
    for _ in 0..7 {
        let mut minutes = 0;
        while desk.console.serve_digest().await.is_ok() {
            desk.clock.pass(SignedDuration::from_mins(1));
            minutes += 1;
        }
        pauses.push(minutes);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 160]);
    // The next day has a digest of its own, and that of yesterday is not mailed any more.
    desk.clock.pass(SignedDuration::from_hours(24));
    assert_eq!(desk.console.serve_digest().await.unwrap_err().code, "E-MAIL-NO-TLS");
    assert_eq!(desk.console.digests().await.unwrap().len(), 2);
    assert_eq!(desk.acts().await.iter().filter(|what| *what == "digest not mailed").count(), 9);
    // By hand at once, whatever the pauses are.
    assert_eq!(desk.console.send_digest().await.unwrap_err().code, "E-MAIL-NO-TLS");
    assert_eq!(desk.console.test_mail().await.unwrap_err().code, "E-MAIL-NO-TLS");
    assert_eq!(desk.acts().await[0], "test mail not mailed");
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    assert!(heard.contains("EHLO") && !heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
}

#[tokio::test]
async fn what_cannot_be_mailed_with_is_refused_with_its_field() {
    let desk = Desk::new().await;
    let good = settings(587);
    let cases: Vec<(&str, MailSettings)> = vec![
        ("host", MailSettings { host: String::new(), ..good.clone() }),
        ("host", MailSettings { host: "https://mail.halden.example".into(), ..good.clone() }),
        ("host", MailSettings { host: "mail halden".into(), ..good.clone() }),
        ("host", MailSettings { host: "mail.halden.example\r\nx".into(), ..good.clone() }),
        ("port", MailSettings { port: 0, ..good.clone() }),
        ("user", MailSettings { user: "a\nb".into(), ..good.clone() }),
        ("from", MailSettings { from: "Ada <ada@halden.example>".into(), ..good.clone() }),
        ("recipients", MailSettings { recipients: Vec::new(), ..good.clone() }),
        ("recipients", MailSettings { recipients: vec!["ada@halden.example\r\nBcc: eve@evil.example".into()], ..good.clone() }),
        ("recipients", MailSettings { recipients: (0..21).map(|number| format!("a{number}@halden.example")).collect(), ..good.clone() }),
        ("authorities_pem", MailSettings { authorities_pem: "hello".into(), ..good.clone() }),
    ];
    for (field, wrong) in cases {
        let refused = desk.console.set_mail(wrong.clone(), password()).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some(field), "{wrong:?} {refused}");
    }
    assert_eq!(desk.console.mail().await.unwrap().settings, None);
    // Without a user there is no password, and one that was sealed goes.
    desk.console.set_mail(good.clone(), password()).await.unwrap();
    let state = desk.console.set_mail(MailSettings { user: String::new(), ..good }, None).await.unwrap();
    assert_eq!(state.password_set_at, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_and_password_change_together_or_not_at_all() {
    let desk = Desk::new().await;
    desk.console.set_mail(settings(587), password()).await.unwrap();
    let other = MailSettings { host: "mail.halden.example".into(), ..settings(465) };
    let held = async |why: &str| {
        assert_eq!(desk.console.mail().await.unwrap().settings, Some(settings(587)), "{why}");
        // It asks for no password: the one of this server is still the one that is sealed.
        desk.console.set_mail(settings(587), None).await.unwrap();
    };
    let database = database(&desk.options);
    for (begin, change) in [("refuse_insert", "INSERT"), ("refuse_update", "UPDATE")] {
        let trigger = format!("CREATE TRIGGER {begin} BEFORE {change} ON preference BEGIN SELECT raise(ABORT, 'refused'); END");
        database.execute_batch(&trigger).unwrap();
    }
    desk.console.set_mail(other.clone(), Some(SecretString::from("another"))).await.unwrap_err();
    desk.console.set_mail(MailSettings { user: String::new(), ..settings(587) }, None).await.unwrap_err();
    database.execute_batch("DROP TRIGGER refuse_insert; DROP TRIGGER refuse_update").unwrap();
    held("the database refused").await;

    // Where the sealed file lies nothing can be put.
    let sealed = desk.options.data_folder.join("vault/instances/mail.json");
    let aside = desk.options.data_folder.join("aside.json");
    std::fs::rename(&sealed, &aside).unwrap();
    std::fs::create_dir_all(sealed.join("in the way")).unwrap();
    desk.console.set_mail(other, Some(SecretString::from("another"))).await.unwrap_err();
    std::fs::remove_dir_all(&sealed).unwrap();
    std::fs::rename(&aside, &sealed).unwrap();
    held("the disk refused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_whose_end_nobody_heard_is_not_sent_again_by_itself() {
    let desk = Desk::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = MailSettings { user: String::new(), ..settings(listener.local_addr().unwrap().port()) };
    desk.console.set_mail(server, None).await.unwrap();
    let sending = tokio::spawn({
        let console = desk.console.clone();
        async move { console.serve_digest().await }
    });
    // The process ends while the server has the line.
    let held = listener.accept().await.unwrap();
    sending.abort();
    drop(sending.await);
    drop(held);
    for _ in 0..3 {
        desk.clock.pass(SignedDuration::from_hours(3));
        assert!(!desk.console.serve_digest().await.unwrap(), "nothing is sent, and nothing fails");
    }
    let digest = desk.console.digest(None).await.unwrap();
    assert_eq!((digest.mailed_at, digest.mail_failure.unwrap().code.as_str()), (None, "E-MAIL-UNKNOWN"));
    // Somebody who has looked can send it.
    drop(listener);
    assert_ne!(desk.console.send_digest().await.unwrap_err().code, "E-MAIL-UNKNOWN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_arrives_by_mail_once_and_every_way_of_asking_says_so() {
    for script in [Script::default(), starttls()] {
        let desk = Desk::new().await;
        let tls = if script.implicit { MailTls::Implicit } else { MailTls::Starttls };
        let post = Post::new(Script { answers: vec![("RCPT TO:<brian", "550 nobody")], ..script }).await;
        let recipients = vec!["ada@halden.example".into(), "brian@halden.example".into()];
        let given = MailSettings { tls, recipients, authorities_pem: post.authority.clone(), ..settings(post.port) };
        desk.console.set_mail(given, password()).await.unwrap();
        let tried = desk.console.test_mail().await.unwrap();
        assert_eq!((tried.recipients, tried.refused), (1, vec!["brian@halden.example (refused, 550)".to_owned()]));
        let before = post.lines().len();

        assert!(desk.console.serve_digest().await.unwrap());
        let lines = post.lines().split_off(before);
        let digest = desk.console.digest(None).await.unwrap();
        assert!(digest.mailed_at.is_some(), "{digest:?}");
        let refused = digest.mail_failure.unwrap();
        assert!(refused.code == "E-MAIL-RECIPIENTS" && refused.sentence.contains("brian@halden.example (refused, 550)"), "{refused}");
        let subject = format!("Subject: Posture Console: daily digest of {}", digest.day);
        assert_eq!(lines.iter().filter(|line| **line == subject).count(), 1, "{lines:?}");
        for line in &digest.summary {
            assert!(part(&lines, "text/plain").replace("\r\n", " ").contains(line), "{line}");
            assert!(part(&lines, "text/html").contains(line), "{line}");
        }
        assert!(post.in_clear().iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{:?}", post.in_clear());
        // Neither this process nor the next mails it again.
        assert!(!desk.console.serve_digest().await.unwrap());
        let next = Console::new(desk.options.clone()).unwrap();
        next.start().await.unwrap();
        assert!(!next.serve_digest().await.unwrap());
        assert_eq!(post.lines().iter().filter(|line| **line == subject).count(), 1);
        assert_eq!(desk.acts().await[..2], ["digest mailed".to_owned(), "test mail mailed".to_owned()]);
    }
}
