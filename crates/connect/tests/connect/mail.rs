//! Mail: what a server is told, over which kind of connection, and what is said of each way in which it says no.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use posture_connect::{
    CertificateFault, Letter, MailError, MailLimits, MailLogin, MailSecurity, MailServer, Mailed, SANDBOX_ORGANIZATION, mail_address,
    send_mail,
};
use secrecy::SecretString;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
};

const PASSWORD: &str = "correct horse 4711";
/// An answer that never comes, on a connection that stays.
const SILENCE: &str = "(silence)";

/// What the server does.
#[derive(Clone)]
struct Script {
    implicit: bool,
    offers_starttls: bool,
    /// Sent in clear right behind the answer to STARTTLS, as somebody on the way would.
    slipped_in: &'static str,
    certificate_for: &'static str,
    expired: bool,
    organization: &'static str,
    greets: bool,
    offers_login: bool,
    /// Answers that are not the usual ones, by the beginning of the command; an empty one ends the connection.
    answers: Vec<(&'static str, &'static str)>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            implicit: true,
            offers_starttls: false,
            slipped_in: "",
            certificate_for: "localhost",
            expired: false,
            organization: "Halden Moor",
            greets: true,
            offers_login: true,
            answers: Vec::new(),
        }
    }
}

fn starttls() -> Script {
    Script { implicit: false, offers_starttls: true, ..Script::default() }
}

fn answering(answers: &[(&'static str, &'static str)]) -> Script {
    Script { answers: answers.to_vec(), ..Script::default() }
}

/// A line as the server read it, and whether it came over TLS.
type Heard = Arc<Mutex<Vec<(bool, String)>>>;

struct Post {
    server: MailServer,
    heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Post {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Post {
    async fn new(script: Script) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Halden Moor Mail CA");
        params.distinguished_name.push(rcgen::DnType::OrganizationName, script.organization);
        let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        let mut params = rcgen::CertificateParams::new(vec![script.certificate_for.to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        if script.expired {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = MailServer {
            host: "localhost".into(),
            port: listener.local_addr().unwrap().port(),
            security: if script.implicit { MailSecurity::Implicit } else { MailSecurity::StartTls },
            extra_roots_pem: vec![authority.pem()],
            limits: MailLimits::default(),
        };
        let heard = Heard::default();
        let hearing = heard.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((line, _)) = listener.accept().await else { return };
                tokio::spawn(talk(line, acceptor.clone(), script.clone(), hearing.clone()));
            }
        });
        Self { server, heard, task }
    }

    async fn send(&self) -> Result<Mailed, MailError> {
        let password = SecretString::from(PASSWORD);
        send_mail(&self.server, Some(MailLogin { user: "posture", password: &password }), &letter()).await
    }

    fn lines(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    fn in_clear(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().filter(|(tls, _)| !tls).map(|(_, line)| line.clone()).collect()
    }
}

async fn talk(line: TcpStream, acceptor: tokio_rustls::TlsAcceptor, script: Script, heard: Heard) {
    if script.implicit {
        let Ok(line) = acceptor.accept(line).await else { return };
        drop(converse(line, &script, &heard, true, true).await);
        return;
    }
    let Some(line) = converse(line, &script, &heard, false, true).await else { return };
    let Ok(line) = acceptor.accept(line).await else { return };
    drop(converse(line, &script, &heard, true, false).await);
}

/// Answers until the connection ends, or gives it back after STARTTLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(line: S, script: &Script, heard: &Heard, tls: bool, greets: bool) -> Option<S> {
    let mut line = BufReader::new(line);
    if greets && !script.greets {
        return std::future::pending().await;
    }
    if greets {
        line.write_all(b"220 mail ready\r\n").await.ok()?;
        line.flush().await.ok()?;
    }
    let (mut in_data, mut logging_in) = (false, false);
    loop {
        let mut text = String::new();
        if line.read_line(&mut text).await.ok()? == 0 {
            return None;
        }
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        // Within a mail a dot at the beginning of a line is doubled. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2>
        let of_mail = in_data && text != ".";
        let text = if of_mail { text.strip_prefix('.').map(str::to_owned).unwrap_or(text) } else { text };
        heard.lock().unwrap().push((tls, text.clone()));
        if of_mail {
            continue;
        }
        let own = script.answers.iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, answer)| *answer);
        let answer = match own {
            Some("") => return None,
            Some(SILENCE) => return std::future::pending().await,
            Some(answer) => answer.to_owned(),
            None if logging_in => "235 welcome".into(),
            None if text.starts_with("EHLO") => {
                let starttls = if !tls && script.offers_starttls { "250-STARTTLS\r\n" } else { "" };
                let login = if tls && script.offers_login { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
                format!("250-mail\r\n{starttls}{login}250 SIZE 1000000")
            }
            None if text == "STARTTLS" => {
                line.write_all(format!("220 go on\r\n{}", script.slipped_in).as_bytes()).await.ok()?;
                line.flush().await.ok()?;
                return Some(line.into_inner());
            }
            None if text.starts_with("AUTH") => "235 welcome".into(),
            None if text == "DATA" => "354 go on".into(),
            None if text == "QUIT" => "221 bye".into(),
            None => "250 fine".into(),
        };
        logging_in = text.starts_with("AUTH") && answer.starts_with("334");
        in_data = text == "DATA" && answer.starts_with("354");
        line.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        line.flush().await.ok()?;
    }
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

/// The body of a part of this media type, decoded.
fn part(lines: &[String], kind: &str) -> String {
    let at = lines.iter().position(|line| line.to_lowercase().starts_with(&format!("content-type: {kind}"))).unwrap();
    let body = at + lines[at..].iter().position(String::is_empty).unwrap();
    let encoding = lines[at..body].iter().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")).unwrap();
    let text: Vec<&str> = lines[body + 1..].iter().map(String::as_str).take_while(|line| !line.starts_with("--")).collect();
    match encoding {
        "base64" => String::from_utf8(STANDARD.decode(text.concat()).unwrap()).unwrap(),
        "quoted-printable" => {
            let joined = text.iter().map(|line| line.strip_suffix('=').map_or(format!("{line}\n"), str::to_owned)).collect::<String>();
            let (mut bytes, mut rest) = (Vec::new(), joined.as_bytes());
            while let Some((first, after)) = rest.split_first() {
                if *first == b'=' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                    rest = &after[2..];
                } else {
                    bytes.push(*first);
                    rest = after;
                }
            }
            String::from_utf8(bytes).unwrap()
        }
        other => panic!("{other}"),
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
