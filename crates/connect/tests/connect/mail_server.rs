//! A mail server on this computer with real TLS, that does as it is told. The console's tests send to it too.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// An answer that never comes, on a connection that stays.
pub const SILENCE: &str = "(silence)";

/// What the server does.
#[derive(Clone)]
pub struct Script {
    pub implicit: bool,
    pub offers_starttls: bool,
    /// Sent in clear right behind the answer to STARTTLS, as somebody on the way would.
    pub slipped_in: &'static str,
    pub certificate_for: &'static str,
    pub expired: bool,
    pub organization: &'static str,
    pub greets: bool,
    pub offers_login: bool,
    /// Answers that are not the usual ones, by the beginning of the command; an empty one ends the connection.
    pub answers: Vec<(&'static str, &'static str)>,
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

pub fn starttls() -> Script {
    Script { implicit: false, offers_starttls: true, ..Script::default() }
}

/// A line as the server read it, and whether it came over TLS.
type Heard = Arc<Mutex<Vec<(bool, String)>>>;

/// A server on this computer, under an authority of its own.
pub struct Post {
    pub port: u16,
    /// The authority's certificate, PEM.
    pub authority: String,
    heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Post {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Post {
    pub async fn new(script: Script) -> Self {
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
        let port = listener.local_addr().unwrap().port();
        let authority = authority.pem();
        let heard = Heard::default();
        let hearing = heard.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((line, _)) = listener.accept().await else { return };
                tokio::spawn(talk(line, acceptor.clone(), script.clone(), hearing.clone()));
            }
        });
        Self { port, authority, heard, task }
    }

    /// Every line that it was told.
    pub fn lines(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// Those that came without TLS.
    pub fn in_clear(&self) -> Vec<String> {
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

/// The body of a part of this media type, decoded.
pub fn part(lines: &[String], kind: &str) -> String {
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
