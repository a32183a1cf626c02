//! Mail that the console sends of itself: by SMTP, over TLS from the beginning or from STARTTLS on, never without.
//!
//! It goes straight to the one server that the settings name, not through a proxy. What the server says is not shown: of a refusal
//! only its number is kept.

use crate::{CertificateFault, Route, tls};
use jiff::Timestamp;
use lettre::{
    Address, Message,
    message::{Mailbox, MultiPart},
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
        response::Severity,
    },
};
use rustls::CertificateError;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    error::Error as StdError,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// When a connection to a mail server becomes one with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// From the first byte; usual on port 465. <https://www.rfc-editor.org/rfc/rfc8314#section-3.3>
    Implicit,
    /// From the command STARTTLS on, before anything else is said; usual on port 587. A server that does not offer it is refused.
    /// <https://www.rfc-editor.org/rfc/rfc3207>
    StartTls,
}

/// A mail server, as the administrator typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    /// Its name, which its certificate must be for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection becomes one with TLS.
    pub security: MailSecurity,
    /// Certificates of further authorities to trust beside the computer's, PEM; for a company's own.
    pub extra_roots_pem: Vec<String>,
    /// How long each part of sending may take.
    pub limits: MailLimits,
}

/// How long each part of sending may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailLimits {
    /// Until one address of the server takes the connection; each of them has as long.
    pub connecting: Duration,
    /// Until a server that begins without TLS has greeted and said what it offers. One that waits for TLS never greets.
    pub greeting: Duration,
    /// Until the mail can be handed over: connection, TLS, login, sender and recipients together.
    pub before: Duration,
    /// Until the server has the mail and has said whether it takes it. It may look through it first.
    /// <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2.6>
    pub handing_over: Duration,
    /// Until the server has answered the goodbye, which changes nothing any more.
    pub goodbye: Duration,
}

impl Default for MailLimits {
    fn default() -> Self {
        Self {
            connecting: Duration::from_secs(20),
            greeting: Duration::from_secs(30),
            before: Duration::from_secs(90),
            handing_over: Duration::from_secs(600),
            goodbye: Duration::from_secs(5),
        }
    }
}

/// Who is logged in as; a server that takes mail from its network without a login has none.
pub struct MailLogin<'a> {
    /// The user.
    pub user: &'a str,
    /// Its password. Sent over TLS only.
    pub password: &'a SecretString,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whom it is from: `posture@company.example`.
    pub from: String,
    /// Whom it is for, each an address.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// What tells it from other mails of this sender: ASCII letters, digits, dots and dashes.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// What it says, as text.
    pub text: String,
    /// The same, as HTML.
    pub html: String,
}

/// A mail was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailed {
    /// Recipients that the server refused, each with the number of the refusal.
    pub refused: Vec<(String, u16)>,
    /// Recipients that the server takes no mail for at present, each with the number of its answer. All others have it.
    pub put_off: Vec<(String, u16)>,
}

/// Why no mail was sent. The text is for the administrator; it holds nothing that the server said but a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// A text is no mail address.
    #[error("\"{address}\" is no mail address. Nothing was sent.")]
    AddressMalformed {
        /// What was given, without control characters.
        address: String,
    },
    /// The mail could not be put together.
    #[error("The mail could not be put together. Nothing was sent.")]
    Letter,
    /// A certificate of a further authority cannot be used.
    #[error("{sentence} Nothing was sent.")]
    Authority {
        /// What is wrong with it.
        sentence: String,
        /// What to do.
        remedy: String,
    },
    /// The name service does not know the server.
    #[error("The mail server {host} was not found: the name service does not know it. Nothing was sent.")]
    NotFound {
        /// The server.
        host: String,
    },
    /// It takes no connections.
    #[error("The mail server {host} takes no connection on port {port}. Nothing was sent.")]
    Unreachable {
        /// The server.
        host: String,
        /// The port.
        port: u16,
    },
    /// It does not offer STARTTLS, or somebody in between took the offer out.
    #[error("The mail server {host} offers no TLS (STARTTLS) on port {port}, or somebody on the way removed the offer. Nothing was sent.")]
    NoTls {
        /// The server.
        host: String,
        /// The port.
        port: u16,
    },
    /// TLS did not come about.
    #[error("No TLS connection to the mail server {host} on port {port} came about. Nothing was sent.")]
    Tls {
        /// The server.
        host: String,
        /// The port.
        port: u16,
    },
    /// Its certificate comes from an authority that nobody here trusts.
    #[error(
        "The connection to the mail server {host} is not trusted: this computer does not know who issued its certificate. Nothing was sent."
    )]
    UnknownAuthority {
        /// The server.
        host: String,
    },
    /// Its certificate was refused.
    #[error("The connection to the mail server {host} is not trusted: its certificate {fault}. Nothing was sent.")]
    Certificate {
        /// The server.
        host: String,
        /// Why.
        fault: CertificateFault,
    },
    /// It offers no login that this program knows.
    #[error("The mail server {host} takes no user and password. No password was sent.")]
    NoLogin {
        /// The server.
        host: String,
    },
    /// It refused user and password, for good.
    #[error("The mail server {host} refused user and password ({code}). Nothing was sent.")]
    LoginRefused {
        /// The server.
        host: String,
        /// The number of the refusal.
        code: u16,
    },
    /// It refused the sender.
    #[error("The mail server {host} takes no mail from this sender ({code}). Nothing was sent.")]
    SenderRefused {
        /// The server.
        host: String,
        /// The number of the refusal.
        code: u16,
    },
    /// It refused every recipient.
    #[error("The mail server {host} refused every recipient ({code}). Nothing was sent.")]
    RecipientsRefused {
        /// The server.
        host: String,
        /// The number of the first refusal.
        code: u16,
    },
    /// It cannot take the mail at present, or cannot check the login, and says so.
    /// <https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1>
    #[error("The mail server {host} put the mail off ({code}). Nothing was sent.")]
    PutOff {
        /// The server.
        host: String,
        /// The number of its answer, 400 to 499.
        code: u16,
    },
    /// It refused the mail itself.
    #[error("The mail server {host} refused the mail ({code}). Nothing was sent.")]
    Refused {
        /// The server.
        host: String,
        /// The number of the refusal.
        code: u16,
    },
    /// The connection ended before the mail was handed over, or something came that is no SMTP.
    #[error("The connection to the mail server {host} broke before the mail was handed over. Nothing was sent.")]
    Broken {
        /// The server.
        host: String,
    },
    /// It took too long until the mail could be handed over.
    #[error("The mail server {host} did not answer in time. Nothing was sent.")]
    TimedOut {
        /// The server.
        host: String,
    },
    /// The mail was handed over, and nothing came that says whether it was taken.
    #[error("The mail server {host} was handed the mail and did not say whether it took it. Whether it arrives is not known.")]
    Unknown {
        /// The server.
        host: String,
    },
}

impl MailError {
    /// The stable code, alike in window, terminal and documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressMalformed { .. } => "E-MAIL-ADDRESS",
            Self::Letter => "E-MAIL-LETTER",
            Self::Authority { .. } => "E-MAIL-CA",
            Self::NotFound { .. } => "E-MAIL-HOST",
            Self::Unreachable { .. } => "E-MAIL-UNREACHABLE",
            Self::NoTls { .. } => "E-MAIL-NO-TLS",
            Self::Tls { .. } => "E-MAIL-TLS",
            Self::UnknownAuthority { .. } => "E-MAIL-UNKNOWN-CA",
            Self::Certificate { .. } => "E-MAIL-CERTIFICATE",
            Self::NoLogin { .. } => "E-MAIL-NO-LOGIN",
            Self::LoginRefused { .. } => "E-MAIL-LOGIN",
            Self::SenderRefused { .. } => "E-MAIL-SENDER",
            Self::RecipientsRefused { .. } => "E-MAIL-RECIPIENTS",
            Self::Refused { .. } => "E-MAIL-REFUSED",
            Self::Broken { .. } => "E-MAIL-BROKEN",
            Self::TimedOut { .. } => "E-MAIL-TIME",
            Self::PutOff { .. } => "E-MAIL-PUT-OFF",
            Self::Unknown { .. } => "E-MAIL-UNKNOWN",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::AddressMalformed { .. } => "Write it as name@company.example, in ASCII letters.",
            Self::Letter => "Report it.",
            Self::Authority { remedy, .. } => remedy,
            Self::NotFound { .. } => "Check the server's name, and that this computer is online.",
            Self::Unreachable { .. } => {
                "Check server and port, and that a firewall lets this computer through: mail goes through no proxy."
            }
            Self::NoTls { .. } => "Use the server's port with TLS from the beginning (often 465), or ask who runs it.",
            Self::Tls { .. } => "Choose the other kind of TLS for this port: STARTTLS is usual on 587, TLS from the beginning on 465.",
            Self::UnknownAuthority { .. } => "Add the certificate of your company's authority to the mail settings.",
            Self::Certificate { .. } => "Check the server's name and this computer's clock, or ask who runs the server.",
            Self::NoLogin { .. } => "Leave the user empty if the server asks for no login, or use another port of it.",
            Self::LoginRefused { .. } => "Type user and password again; some servers want a password that is made for programs.",
            Self::SenderRefused { .. } => "Use a sender that this user may send as.",
            Self::RecipientsRefused { .. } => "Check the recipients, and that this user may send to them.",
            Self::Refused { .. } => "Ask who runs the server; the digest stays in the console.",
            Self::PutOff { .. } => "Try again later: a digest of today is mailed again by itself. Ask who runs the server if it stays so.",
            Self::Broken { .. } | Self::TimedOut { .. } => "Try again; ask who runs the server if it stays so.",
            Self::Unknown { .. } => "Look whether the mail has arrived before you send it again.",
        }
        .to_owned()
    }
}

/// Whether a text is a mail address, as a person may type it into the settings: `name@company.example`, in ASCII.
///
/// # Errors
/// [`MailError::AddressMalformed`].
pub fn mail_address(text: &str) -> Result<(), MailError> {
    address(text).map(drop)
}

/// Sends a mail to every recipient that the server takes.
///
/// # Errors
/// When nobody was sent anything; or, once the mail was handed over, that it is not known ([`MailError::Unknown`]).
pub async fn send_mail(server: &MailServer, login: Option<MailLogin<'_>>, letter: &Letter) -> Result<Mailed, MailError> {
    let host = || server.host.clone();
    let from = address(&letter.from)?;
    let to = letter.to.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    let content = content(&from, &to, letter)?;
    let tls = tls_parameters(server)?;
    let begun = tokio::time::timeout(server.limits.before, begun(server, tls, login, from, &to)).await;
    let (mut connection, mailed) = begun.unwrap_or_else(|_| Err(MailError::TimedOut { host: host() }))?;
    // From here on nothing but the server's answer tells whether somebody has the mail.
    match tokio::time::timeout(server.limits.handing_over, connection.message(&content)).await {
        Ok(Ok(answer)) if answer.code().severity == Severity::PositiveCompletion => {}
        Ok(Err(error)) if error.status().is_some() => {
            return Err(refusal(server, &error, |host, code| MailError::Refused { host, code }));
        }
        Ok(_) | Err(_) => return Err(MailError::Unknown { host: host() }),
    }
    // It is taken; how the conversation ends changes nothing of that.
    let _ended = tokio::time::timeout(server.limits.goodbye, connection.quit()).await;
    Ok(mailed)
}

/// A connection over which the mail can be handed over, and who will not have it.
async fn begun(
    server: &MailServer,
    tls: TlsParameters,
    login: Option<MailLogin<'_>>,
    from: Address,
    to: &[Address],
) -> Result<(AsyncSmtpConnection, Mailed), MailError> {
    let mut connection = connected(server, tls).await?;
    if let Some(login) = login {
        let credentials = Credentials::new(login.user.to_owned(), login.password.expose_secret().to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(|error| {
            if error.is_client() {
                return MailError::NoLogin { host: server.host.clone() };
            }
            refusal(server, &error, |host, code| MailError::LoginRefused { host, code })
        })?;
    }
    connection
        .command(Mail::new(Some(from), Vec::new()))
        .await
        .map_err(|error| refusal(server, &error, |host, code| MailError::SenderRefused { host, code }))?;
    let mut mailed = Mailed::default();
    for recipient in to {
        if let Err(error) = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
            let code = code(&error).ok_or_else(|| MailError::Broken { host: server.host.clone() })?;
            let of_its_kind = if error.is_transient() { &mut mailed.put_off } else { &mut mailed.refused };
            of_its_kind.push((recipient.to_string(), code));
        }
    }
    if mailed.refused.len() + mailed.put_off.len() == to.len() {
        let host = server.host.clone();
        match (mailed.put_off.first(), mailed.refused.first()) {
            // Those may still be taken.
            (Some((_, code)), _) => return Err(MailError::PutOff { host, code: *code }),
            (None, Some((_, code))) => return Err(MailError::RecipientsRefused { host, code: *code }),
            (None, None) => {}
        }
    }
    connection.command(Data).await.map_err(|error| refusal(server, &error, |host, code| MailError::Refused { host, code }))?;
    Ok((connection, mailed))
}

/// What an answer that is no yes comes to; what is no answer is a connection that broke.
fn refusal(server: &MailServer, error: &lettre::transport::smtp::Error, refused: fn(String, u16) -> MailError) -> MailError {
    let host = server.host.clone();
    match code(error) {
        Some(code) if error.is_transient() => MailError::PutOff { host, code },
        Some(code) => refused(host, code),
        None => MailError::Broken { host },
    }
}

fn address(text: &str) -> Result<Address, MailError> {
    let malformed = || MailError::AddressMalformed { address: text.chars().filter(|letter| !letter.is_control()).take(100).collect() };
    if !text.is_ascii() || text.len() > 254 {
        return Err(malformed());
    }
    text.parse().map_err(|_| malformed())
}

/// The mail as it is sent. Its headers are written by the library from typed values, and all of it is ASCII.
fn content(from: &Address, to: &[Address], letter: &Letter) -> Result<Vec<u8>, MailError> {
    let id: String = letter.id.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-')).collect();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(letter.at.as_second()).unwrap_or(0));
    let subject: String = letter.subject.chars().filter(|letter| !letter.is_control()).collect();
    let mut message = Message::builder()
        .from(Mailbox::new(None, from.clone()))
        .subject(subject)
        .date(at)
        .message_id(Some(format!("<{id}@{}>", from.domain())));
    for recipient in to {
        message = message.to(Mailbox::new(None, recipient.clone()));
    }
    let parts = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
    Ok(message.multipart(parts).map_err(|_| MailError::Letter)?.formatted())
}

/// Trust as for every route: the computer's authorities and those that were added, and none of a sandbox.
fn tls_parameters(server: &MailServer) -> Result<TlsParameters, MailError> {
    let route = Route { extra_roots_pem: server.extra_roots_pem.clone(), ..Route::default() };
    let unusable = |sentence: &str| MailError::Authority {
        sentence: sentence.to_owned(),
        remedy: "Give the authority's certificate as the text of a PEM file.".to_owned(),
    };
    tls::extra_roots(&route).map_err(|_| unusable("A certificate of the mail settings cannot be used."))?;
    let mut builder = TlsParameters::builder(server.host.clone());
    for pem in &server.extra_roots_pem {
        let certificate =
            Certificate::from_pem(pem.as_bytes()).map_err(|_| unusable("A certificate of the mail settings cannot be read."))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|_| unusable("No certificate authority could be loaded that this computer trusts."))
}

/// A connection that is encrypted.
async fn connected(server: &MailServer, tls: TlsParameters) -> Result<AsyncSmtpConnection, MailError> {
    let (host, port) = (server.host.clone(), server.port);
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((host.as_str(), port)).await.map_err(|_| MailError::NotFound { host: host.clone() })?.collect();
    // It names no computer of the company's.
    let hello = ClientId::default();
    match server.security {
        MailSecurity::Implicit => {
            AsyncSmtpConnection::connect_tokio1(found.as_slice(), Some(server.limits.connecting), &hello, Some(tls), None)
                .await
                .map_err(|error| untrusted(server, &error))
        }
        MailSecurity::StartTls => {
            let no_tls = || MailError::Tls { host: host.clone(), port };
            let mut open = None;
            for address in found {
                if let Ok(Ok(line)) = tokio::time::timeout(server.limits.connecting, TcpStream::connect(address)).await {
                    open = Some(line);
                    break;
                }
            }
            let plain = Box::new(ByteByByte(open.ok_or_else(|| MailError::Unreachable { host: host.clone(), port })?));
            let greeted = tokio::time::timeout(server.limits.greeting, AsyncSmtpConnection::connect_with_transport(plain, &hello)).await;
            let mut connection = greeted.map_err(|_| no_tls())?.map_err(|error| match code(&error) {
                Some(_) => refusal(server, &error, |host, code| MailError::Refused { host, code }),
                None => no_tls(),
            })?;
            if !connection.can_starttls() {
                let _ended = tokio::time::timeout(server.limits.goodbye, connection.abort()).await;
                return Err(MailError::NoTls { host, port });
            }
            connection.starttls(tls, &hello).await.map_err(|error| untrusted(server, &error))?;
            if connection.is_encrypted() { Ok(connection) } else { Err(MailError::NoTls { host, port }) }
        }
    }
}

/// A connection of which nothing is read ahead: what somebody on the way slipped in behind the answer to STARTTLS is then part of
/// the handshake, which fails by it, and never taken for an answer of the server's. <https://nostarttls.secvuln.info/>
#[derive(Debug)]
struct ByteByByte(TcpStream);

impl AsyncRead for ByteByByte {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut byte = [0; 1];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteByByte {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl AsyncTokioStream for ByteByByte {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

/// The number of a refusal.
fn code(error: &lettre::transport::smtp::Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// Why no encrypted connection came about.
fn untrusted(server: &MailServer, error: &lettre::transport::smtp::Error) -> MailError {
    let host = server.host.clone();
    let certificate = |fault| MailError::Certificate { host: server.host.clone(), fault };
    if code(error).is_some() {
        return refusal(server, error, |host, code| MailError::Refused { host, code });
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "whatever else is found of a certificate makes it unfit; anything else is no TLS")]
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(error)) => match error {
            CertificateError::UnknownIssuer => MailError::UnknownAuthority { host },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => certificate(CertificateFault::Expired),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => certificate(CertificateFault::NotYetValid),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => certificate(CertificateFault::WrongHost),
            CertificateError::Revoked => certificate(CertificateFault::Revoked),
            _ => certificate(CertificateFault::Unfit),
        },
        _ if unreachable(error) => MailError::Unreachable { host, port: server.port },
        _ => MailError::Tls { host, port: server.port },
    }
}

/// Whether there was no connection in the first place.
fn unreachable(error: &lettre::transport::smtp::Error) -> bool {
    let kind = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    matches!(
        kind,
        Some(
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::TimedOut
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
        )
    )
}

/// The TLS library's own error, wherever it lies.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An error of the system's kind does not count what it holds as its source.
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
