//! Mail: what a server is told, over which kind of connection, and what is said of each way in which it says no.
use crate::mail_server::{Post as Listening, SILENCE, Script, part, starttls};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use posture_connect::{
    CertificateFault, Letter, MailError, MailLimits, MailLogin, MailSecurity, MailServer, Mailed, SANDBOX_ORGANIZATION, mail_address,
    send_mail,
};
use secrecy::SecretString;
use std::time::Duration;
use tokio::net::TcpSocket;

const PASSWORD: &str = "correct horse 4711";

/// A mail server, and how it is reached.
struct Post {
    server: MailServer,
    listening: Listening,
}

impl Post {
    async fn new(script: Script) -> Self {
        let security = if script.implicit { MailSecurity::Implicit } else { MailSecurity::StartTls };
        let listening = Listening::new(script).await;
        let server = MailServer {
            host: "localhost".into(),
            port: listening.port,
            security,
            extra_roots_pem: vec![listening.authority.clone()],
            limits: MailLimits::default(),
        };
        Self { server, listening }
    }

    async fn send(&self) -> Result<Mailed, MailError> {
        let password = SecretString::from(PASSWORD);
        send_mail(&self.server, Some(MailLogin { user: "posture", password: &password }), &letter()).await
    }

    fn lines(&self) -> Vec<String> {
        self.listening.lines()
    }

    fn in_clear(&self) -> Vec<String> {
        self.listening.in_clear()
    }
}

fn answering(answers: &[(&'static str, &'static str)]) -> Script {
    Script { answers: answers.to_vec(), ..Script::default() }
}

fn letter() -> Letter {
    Letter {
        from: "posture@halden.example".into(),
        to: vec!["ada@halden.example".into(), "brian@halden.example".into()],
        subject: "Daily digest of 2026-11-22".into(),
        id: "digest.2026-11-22".into(),
        at: "2026-11-22T07:00:00Z".parse::<Timestamp>().unwrap(),
        text: "Three findings, grüß Gott.\n.\nA line of one dot stands above.\n".into(),
        html: "<!doctype html><p>Three findings &lt;b&gt;, grüß Gott.</p>".into(),
    }
}

#[tokio::test]
async fn a_letter_arrives_whole_in_two_forms_over_both_kinds_of_tls() {
    for script in [Script::default(), starttls()] {
        let implicit = script.implicit;
        let post = Post::new(script).await;
        assert_eq!(post.send().await, Ok(Mailed::default()), "{implicit}");
        let lines = post.lines();
        let login = STANDARD.encode(format!("\0posture\0{PASSWORD}"));
        assert!(lines.contains(&format!("AUTH PLAIN {login}")), "{lines:?}");
        for line in ["MAIL FROM:<posture@halden.example>", "RCPT TO:<ada@halden.example>", "RCPT TO:<brian@halden.example>", "QUIT"] {
            assert_eq!(lines.iter().filter(|heard| *heard == line).count(), 1, "{line} {lines:?}");
        }
        for header in [
            "From: posture@halden.example",
            "To: ada@halden.example, brian@halden.example",
            "Subject: Daily digest of 2026-11-22",
            "Date: Sun, 22 Nov 2026 07:00:00 +0000",
            "Message-ID: <digest.2026-11-22@halden.example>",
            "MIME-Version: 1.0",
        ] {
            assert!(lines.iter().any(|line| line == header), "{header} {lines:?}");
        }
        assert!(lines.iter().any(|line| line.starts_with("Content-Type: multipart/alternative;")), "{lines:?}");
        assert_eq!(part(&lines, "text/plain").replace("\r\n", "\n").trim_end(), letter().text.trim_end());
        assert_eq!(part(&lines, "text/html").trim_end(), letter().html);
        // Nobody who reads along hears more than that TLS is wanted.
        let clear = post.in_clear();
        if implicit {
            assert_eq!(clear, Vec::<String>::new());
        } else {
            assert!(clear.len() == 2 && clear[0].starts_with("EHLO [") && clear[1] == "STARTTLS", "{clear:?}");
        }
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_without_tls() {
    let post = Post::new(Script { offers_starttls: false, ..starttls() }).await;
    assert_eq!(post.send().await.unwrap_err().code(), "E-MAIL-NO-TLS");
    let heard = post.lines();
    assert!(!heard.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{heard:?}");

    let refused = Post::new(Script { answers: vec![("STARTTLS", "454 not now")], ..starttls() }).await;
    assert!(refused.send().await.is_err());
    assert!(!refused.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));

    // One that speaks plainly where TLS is to begin with the first byte.
    let plain = Post::new(starttls()).await;
    let server = MailServer { security: MailSecurity::Implicit, ..plain.server.clone() };
    assert_eq!(send_mail(&server, None, &letter()).await.unwrap_err().code(), "E-MAIL-TLS");
}

#[tokio::test]
async fn what_is_slipped_in_before_tls_is_never_taken_for_the_servers_answer() {
    // Read ahead, these would answer the greeting and the login, and every answer after them would be one late.
    let post = Post::new(Script { slipped_in: "250-mail\r\n250 AUTH PLAIN\r\n235 welcome\r\n", ..starttls() }).await;
    assert_eq!(post.send().await.unwrap_err().code(), "E-MAIL-TLS");
    assert_eq!(post.lines().last().unwrap(), "STARTTLS");
}

#[tokio::test]
async fn a_certificate_that_is_not_right_is_refused_before_the_password_is_sent() {
    for base in [Script::default(), starttls()] {
        let wrong_host = Post::new(Script { certificate_for: "other.example", ..base.clone() }).await;
        let expired = Post::new(Script { expired: true, ..base.clone() }).await;
        let mut unknown = Post::new(base.clone()).await;
        unknown.server.extra_roots_pem.clear();
        let host = || "localhost".to_owned();
        assert_eq!(wrong_host.send().await, Err(MailError::Certificate { host: host(), fault: CertificateFault::WrongHost }));
        assert_eq!(expired.send().await, Err(MailError::Certificate { host: host(), fault: CertificateFault::Expired }));
        assert_eq!(unknown.send().await, Err(MailError::UnknownAuthority { host: host() }));
        for post in [wrong_host, expired, unknown] {
            assert!(!post.lines().iter().any(|line| line.starts_with("AUTH")));
        }
    }
    let sandbox = Post::new(Script { organization: SANDBOX_ORGANIZATION, ..Script::default() }).await;
    assert_eq!(sandbox.send().await.unwrap_err().code(), "E-MAIL-CA");
    let mut nonsense = Post::new(Script::default()).await;
    nonsense.server.extra_roots_pem = vec!["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()];
    assert_eq!(nonsense.send().await.unwrap_err().code(), "E-MAIL-CA");
}

#[tokio::test]
async fn each_no_has_its_own_words() {
    let of = |answers: &[(&'static str, &'static str)]| answering(answers);
    let cases: Vec<(Script, &str, u16)> = vec![
        (of(&[("AUTH", "535 5.7.8 bad password <script>")]), "E-MAIL-LOGIN", 535),
        // Not now is no refusal: whoever is put off may come again.
        (of(&[("AUTH", "454 4.7.0 busy today")]), "E-MAIL-PUT-OFF", 454),
        (of(&[("AUTH", "421 busy today")]), "E-MAIL-PUT-OFF", 421),
        (of(&[("EHLO", "421 busy today")]), "E-MAIL-PUT-OFF", 421),
        (of(&[("MAIL", "451 busy today")]), "E-MAIL-PUT-OFF", 451),
        (of(&[("RCPT TO:<ada", "550 nobody"), ("RCPT TO:<brian", "450 busy today")]), "E-MAIL-PUT-OFF", 450),
        (of(&[(".", "452 busy today")]), "E-MAIL-PUT-OFF", 452),
        (of(&[("MAIL", "550 5.7.1 not you")]), "E-MAIL-SENDER", 550),
        (of(&[("RCPT", "550 5.1.1 nobody here")]), "E-MAIL-RECIPIENTS", 550),
        (of(&[("DATA", "451 busy today")]), "E-MAIL-PUT-OFF", 451),
        (of(&[("DATA", "554 spam")]), "E-MAIL-REFUSED", 554),
        (of(&[(".", "554 spam")]), "E-MAIL-REFUSED", 554),
        (Script { offers_login: false, ..Script::default() }, "E-MAIL-NO-LOGIN", 0),
        (of(&[("AUTH", "")]), "E-MAIL-BROKEN", 0),
        (of(&[("MAIL", "")]), "E-MAIL-BROKEN", 0),
        (of(&[("RCPT", "")]), "E-MAIL-BROKEN", 0),
        (of(&[("DATA", "")]), "E-MAIL-BROKEN", 0),
        (of(&[("MAIL", "hello there")]), "E-MAIL-BROKEN", 0),
        // The mail was handed over.
        (of(&[(".", "")]), "E-MAIL-UNKNOWN", 0),
        (of(&[(".", "hello there")]), "E-MAIL-UNKNOWN", 0),
        (of(&[(".", "354 go on")]), "E-MAIL-UNKNOWN", 0),
    ];
    for (script, code, number) in cases {
        let post = Post::new(script).await;
        let error = post.send().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let words = format!("{error} {}", error.remedy());
        assert!(number == 0 || words.contains(&number.to_string()), "{words}");
        for never in [PASSWORD, "script", "not you", "nobody", "hello there", "spam", "busy"] {
            assert!(!words.contains(never), "{words}");
        }
        let open = code == "E-MAIL-UNKNOWN";
        assert_eq!(words.contains("Nothing was sent") || words.contains("No password was sent"), !open, "{words}");
        assert_eq!(words.contains("is not known"), open, "{words}");
    }
    // What follows the mail is no part of it.
    let post = Post::new(of(&[("QUIT", "")])).await;
    assert_eq!(post.send().await, Ok(Mailed::default()));
}

#[tokio::test]
async fn who_is_refused_or_put_off_keeps_nobody_else_from_the_mail() {
    let ada = |code| vec![("ada@halden.example".to_owned(), code)];
    for (answer, mailed) in [
        ("550 moved away", Mailed { refused: ada(550), ..Mailed::default() }),
        ("450 busy today", Mailed { put_off: ada(450), ..Mailed::default() }),
    ] {
        let post = Post::new(answering(&[("RCPT TO:<ada", answer)])).await;
        assert_eq!(post.send().await, Ok(mailed));
        assert!(post.lines().iter().any(|line| line == "."));
    }
}

#[tokio::test]
async fn a_silence_is_told_by_when_it_begins() {
    const SHORT: Duration = Duration::from_millis(100);
    let host = || "localhost".to_owned();
    // After the mail was taken it means nothing: a mail that was taken would otherwise be sent again and again.
    let mut goodbye = Post::new(answering(&[("QUIT", SILENCE)])).await;
    goodbye.server.limits.goodbye = SHORT;
    assert_eq!(goodbye.send().await, Ok(Mailed::default()));
    assert!(goodbye.lines().iter().any(|line| line == "."));

    let mut handed = Post::new(answering(&[(".", SILENCE)])).await;
    handed.server.limits.handing_over = SHORT;
    assert_eq!(handed.send().await, Err(MailError::Unknown { host: host() }));

    let mut before = Post::new(answering(&[("MAIL", SILENCE)])).await;
    before.server.limits.before = SHORT;
    let error = before.send().await.unwrap_err();
    assert_eq!(error, MailError::TimedOut { host: host() });
    assert!(error.to_string().contains("Nothing was sent"), "{error}");

    // STARTTLS on a port where TLS begins with the first byte: the server waits for it, and never greets.
    let mut port_465 = Post::new(Script { greets: false, ..starttls() }).await;
    port_465.server.limits.greeting = SHORT;
    let error = port_465.send().await.unwrap_err();
    assert!(error.code() == "E-MAIL-TLS" && error.remedy().contains("the other kind of TLS"), "{error} {}", error.remedy());

    // One that offers no TLS and never says goodbye.
    let mut plain = Post::new(Script { offers_starttls: false, answers: vec![("QUIT", SILENCE)], ..starttls() }).await;
    plain.server.limits.goodbye = SHORT;
    assert_eq!(plain.send().await.unwrap_err().code(), "E-MAIL-NO-TLS");
}

#[tokio::test]
async fn a_server_without_login_is_asked_for_none() {
    let post = Post::new(Script { offers_login: false, ..Script::default() }).await;
    assert_eq!(send_mail(&post.server, None, &letter()).await, Ok(Mailed::default()));
    assert!(!post.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    // Kept, so that nobody else gets the port; nobody listens on it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    // Longer than a name may be, so that no name service is asked. <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
    let no_name = format!("{}.example", "m".repeat(64));
    for security in [MailSecurity::Implicit, MailSecurity::StartTls] {
        let limits = MailLimits::default();
        let server = MailServer { host: "localhost".into(), port, security, extra_roots_pem: Vec::new(), limits };
        assert_eq!(send_mail(&server, None, &letter()).await, Err(MailError::Unreachable { host: "localhost".into(), port }));
        let server = MailServer { host: no_name.clone(), ..server };
        assert_eq!(send_mail(&server, None, &letter()).await, Err(MailError::NotFound { host: no_name.clone() }));
    }
}

#[tokio::test]
async fn nothing_typed_or_read_becomes_a_header_or_a_command() {
    let wrong = [
        "",
        "ada",
        "ada@",
        "@halden.example",
        "ada@halden.example\r\nBcc: eve@evil.example",
        "ada@halden.example>\r\nRCPT TO:<eve@evil.example",
        "Ada <ada@halden.example>",
        "ada@halden.example, eve@evil.example",
        "ada lovelace@halden.example",
        "adä@halden.example",
    ];
    let post = Post::new(Script::default()).await;
    for text in wrong {
        assert_eq!(mail_address(text).unwrap_err().code(), "E-MAIL-ADDRESS", "{text}");
        for letter in [Letter { from: text.into(), ..letter() }, Letter { to: vec![text.into()], ..letter() }] {
            let error = send_mail(&post.server, None, &letter).await.unwrap_err();
            assert!(error.code() == "E-MAIL-ADDRESS" && !error.to_string().contains(['\r', '\n']), "{error}");
        }
    }
    assert_eq!(post.lines(), Vec::<String>::new(), "nobody was spoken to");
    mail_address("ada.lovelace+posture@mail.halden.example").unwrap();

    let hostile = Letter {
        subject: "Digest\r\nBcc: eve@evil.example\r\n\r\n<script>".into(),
        id: "a>\r\nBcc: eve@evil.example".into(),
        text: "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n".into(),
        html: "\n.\nRCPT TO:<eve@evil.example>\n".into(),
        ..letter()
    };
    send_mail(&post.server, None, &hostile).await.unwrap();
    let lines = post.lines();
    assert!(!lines.iter().any(|line| line.starts_with("Bcc")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("MAIL FROM") && line.contains("posture@")).count(), 1);
    assert_eq!(lines[lines.len() - 2..], [".", "QUIT"], "one mail, and nothing behind it");
    assert_eq!(lines.iter().filter(|line| *line == "DATA").count(), 1);
}
