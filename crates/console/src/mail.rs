//! The mail that the digest goes by: its settings, its sealed password, and sending.

use crate::{
    Console,
    activity::differences,
    console::Open,
    instances::note,
    screen::{Digest, Failure, MailSent, MailSettings, MailState, MailTls},
    start::user,
};
use connect::{Letter, MailLimits, MailLogin, MailSecurity, MailServer};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use store::Act;

/// Under which key of the preferences the settings are kept.
const SETTINGS: &str = "mail";
/// The name of the sealed file: no instance's, whose names are ids, so that it is not taken for one that is left behind.
pub(crate) const SEALED: &str = "mail";
/// The field of the sealed file that holds the password.
const PASSWORD: &str = "password";
/// The field that says with which server, user and trust it may be used. Other settings do not send it elsewhere.
const GIVEN_FOR: &str = "given_for";
/// The most recipients.
const RECIPIENTS: usize = 20;
/// The longest text of certificates, in characters.
const PEM: usize = 64 * 1024;

/// Everything that a mail is sent with.
pub(crate) struct Post {
    settings: MailSettings,
    password: Option<SecretString>,
}

impl Console {
    /// How the mail stands.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn mail(&self) -> Result<MailState, Failure> {
        self.with_open(|open| state(&open)).await
    }

    /// Sets where the digest is mailed from and to whom. Without a password the one that is sealed stays, if server, user, kind of
    /// TLS and the company's authorities do.
    ///
    /// # Errors
    /// When a value is not right, with its field; when another server, user or trust needs the password anew; or what the keychain,
    /// the disk or the database refuses. What was set before then holds.
    pub async fn set_mail(&self, settings: MailSettings, password: Option<SecretString>) -> Result<MailState, Failure> {
        let settings = checked(settings)?;
        let now = self.now();
        self.with_open(move |open| {
            let before = stored(&open)?;
            let password = password.filter(|password| !password.expose_secret().is_empty());
            if !settings.user.is_empty() && password.is_none() {
                sealed_password(&open, &settings)?;
            }
            let value = serde_json::to_value(&settings)
                .map_err(|error| Failure::new("E-SETTINGS", format!("The settings cannot be stored: {error}."), "Report it."))?;
            let value_before = open.store.preference(SETTINGS)?.unwrap_or(serde_json::Value::Null);
            // The password last: what was set can be put back, and what was sealed cannot.
            open.store.set_preference(SETTINGS, &value)?;
            let sealed = if settings.user.is_empty() {
                open.vault.delete(SEALED)
            } else if let Some(password) = password {
                let given_for = SecretString::from(given_for(&settings));
                let fields = BTreeMap::from([(PASSWORD.to_owned(), password), (GIVEN_FOR.to_owned(), given_for)]);
                open.vault.seal(SEALED, &fields, now)
            } else {
                Ok(())
            };
            if let Err(error) = sealed {
                if let Err(kept) = open.store.set_preference(SETTINGS, &value_before) {
                    tracing::warn!(code = kept.code(), "the mail settings from before could not be put back");
                }
                return Err(error.into());
            }
            let (was, is) = differences(&told(before.as_ref()), &told(Some(&settings)));
            open.store.record_act(&Act::new(now, user(), "mail changed", &settings.host).from_to(was, is))?;
            state(&open)
        })
        .await
    }

    /// Forgets the mail: its password first, so that it cannot be opened any more, then the rest.
    ///
    /// # Errors
    /// What the keychain, the disk or the database refuses.
    pub async fn remove_mail(&self) -> Result<(), Failure> {
        let now = self.now();
        self.with_open(move |open| {
            open.vault.delete(SEALED)?;
            let before = stored(&open)?;
            open.store.set_preference(SETTINGS, &serde_json::Value::Null)?;
            if let Some(before) = before {
                open.store.record_act(&Act::new(now, user(), "mail removed", before.host))?;
            }
            Ok(())
        })
        .await
    }

    /// Sends a mail that says that it is a test, with what is set.
    ///
    /// # Errors
    /// When nothing is set, or why the mail was not sent.
    pub async fn test_mail(&self) -> Result<MailSent, Failure> {
        let now = self.now();
        let post = self.with_open(|open| post(&open)).await?.ok_or_else(not_set)?;
        let sentence = "This is a test of Posture Console. The daily digest will come like this mail.";
        let letter = Letter {
            from: post.settings.from.clone(),
            to: post.settings.recipients.clone(),
            subject: "Posture Console: test".to_owned(),
            id: format!("test.{}", now.as_millisecond()),
            at: now,
            text: format!("{sentence}\n"),
            html: format!("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Test</title><p>{sentence}</p></html>\n"),
        };
        let sent = send(&post, &letter).await;
        self.told_of(&post, user(), "test mail", &sent).await;
        sent
    }

    /// Sends a digest, for whom the acts tell.
    pub(crate) async fn send_letter_of(&self, post: &Post, digest: &Digest, who: String) -> Result<MailSent, Failure> {
        let report = crate::digest::report(digest, &self.inner.options.zone);
        let at = digest.made_at.parse().unwrap_or_else(|_| self.now());
        let letter = Letter {
            from: post.settings.from.clone(),
            to: post.settings.recipients.clone(),
            // Nothing of a vendor's: it stands in the header.
            subject: format!("Posture Console: daily digest of {}", digest.day),
            id: format!("digest.{}.{}", digest.day, at.as_millisecond()),
            at,
            text: report::digest_text(&report),
            html: report::digest_html(&report),
        };
        let sent = send(post, &letter).await;
        self.told_of(post, who, "digest", &sent).await;
        sent
    }

    /// Records what came of sending; that it cannot be recorded takes no mail back.
    async fn told_of(&self, post: &Post, who: String, what: &str, sent: &Result<MailSent, Failure>) {
        let host = &post.settings.host;
        let (what, detail) = match sent {
            Ok(sent) => (format!("{what} mailed"), format!("to {} of {} by {host}", sent.recipients, post.settings.recipients.len())),
            Err(failure) => (format!("{what} not mailed"), format!("by {host}: {}", failure.code)),
        };
        let act = Act::new(self.now(), who, what, detail);
        let noted = self
            .with_open(move |open| {
                note(&open.store, &act);
                Ok(())
            })
            .await;
        if let Err(failure) = noted {
            tracing::warn!(code = failure.code, "that a mail was sent could not be recorded");
        }
    }
}

/// What mails are sent with; `None` while nothing is set.
pub(crate) fn post(open: &Open) -> Result<Option<Post>, Failure> {
    let Some(settings) = stored(open)? else { return Ok(None) };
    let password = if settings.user.is_empty() { None } else { Some(sealed_password(open, &settings)?) };
    Ok(Some(Post { settings, password }))
}

pub(crate) fn not_set() -> Failure {
    Failure::new(
        "E-MAIL-NOT-SET",
        "No mail server is set, so nothing was sent.",
        "Set it in Settings, Daily digest, or with `posture mail set`.",
    )
}

async fn send(post: &Post, letter: &Letter) -> Result<MailSent, Failure> {
    let settings = &post.settings;
    let server = MailServer {
        host: settings.host.clone(),
        port: settings.port,
        security: match settings.tls {
            MailTls::Implicit => MailSecurity::Implicit,
            MailTls::Starttls => MailSecurity::StartTls,
        },
        extra_roots_pem: if settings.authorities_pem.is_empty() { Vec::new() } else { vec![settings.authorities_pem.clone()] },
        limits: MailLimits::default(),
    };
    let login = post.password.as_ref().map(|password| MailLogin { user: &settings.user, password });
    let mailed =
        connect::send_mail(&server, login, letter).await.map_err(|error| Failure::new(error.code(), error.to_string(), error.remedy()))?;
    let refused = mailed.refused.into_iter().map(|(address, code)| format!("{address} (refused, {code})"));
    let put_off = mailed.put_off.into_iter().map(|(address, code)| format!("{address} (put off, {code})"));
    let refused: Vec<String> = refused.chain(put_off).collect();
    let taken = settings.recipients.len().saturating_sub(refused.len());
    Ok(MailSent { recipients: u32::try_from(taken).unwrap_or(u32::MAX), refused })
}

fn stored(open: &Open) -> Result<Option<MailSettings>, Failure> {
    let Some(value) = open.store.preference(SETTINGS)? else { return Ok(None) };
    // What cannot be read any more is as good as not set: it is typed again.
    Ok(serde_json::from_value(value).ok().and_then(|settings| checked(settings).ok()))
}

fn state(open: &Open) -> Result<MailState, Failure> {
    let set_at = |field: vault::SealedField| (field.field == PASSWORD).then(|| field.set_at.to_string());
    let password_set_at = open.vault.sealed_fields(SEALED)?.into_iter().find_map(set_at);
    Ok(MailState { settings: stored(open)?, password_set_at })
}

/// The password, if it was given for this server, user and trust.
fn sealed_password(open: &Open, settings: &MailSettings) -> Result<SecretString, Failure> {
    let missing = |sentence: &str| {
        Failure::new("E-MAIL-PASSWORD", sentence, "Type the password of this user and server in the mail settings.").on_field("password")
    };
    if !open.vault.exists(SEALED) {
        return Err(missing("The mail password is not set."));
    }
    let mut fields = open.vault.unseal(SEALED)?;
    if fields.get(GIVEN_FOR).is_none_or(|for_whom| for_whom.expose_secret() != given_for(settings)) {
        return Err(missing(
            "The sealed mail password was given for another server, user, kind of TLS or company authority, so it is not sent.",
        ));
    }
    fields.remove(PASSWORD).ok_or_else(|| missing("The mail password is not set."))
}

/// Everything that decides who can come to read it.
fn given_for(settings: &MailSettings) -> String {
    let tls = match settings.tls {
        MailTls::Implicit => "implicit",
        MailTls::Starttls => "starttls",
    };
    let MailSettings { host, port, user, authorities_pem, .. } = settings;
    format!("{host}\n{port}\n{user}\n{tls}\n{authorities_pem}")
}

/// What can be changed, by its word, for the acts.
fn told(settings: Option<&MailSettings>) -> crate::activity::Told {
    match settings.map(serde_json::to_value) {
        Some(Ok(serde_json::Value::Object(told))) => told.into_iter().collect(),
        Some(_) | None => crate::activity::Told::new(),
    }
}

fn checked(mut settings: MailSettings) -> Result<MailSettings, Failure> {
    let wrong = |field: &str, sentence: String, remedy: &str| Err(Failure::new("E-MAIL-SETTINGS", sentence, remedy).on_field(field));
    settings.host = settings.host.trim().trim_end_matches('.').to_lowercase();
    let host = &settings.host;
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return wrong("host", "The mail server is no name of a computer.".into(), "Write its name alone: mail.company.example.");
    }
    if settings.port == 0 {
        return wrong("port", "There is no port 0.".into(), "Write 465 for TLS from the beginning, or 587 for STARTTLS.");
    }
    settings.user = settings.user.trim().to_owned();
    if settings.user.chars().count() > 254 || settings.user.chars().any(char::is_control) {
        return wrong(
            "user",
            "The user is longer than 254 characters or holds control characters.".into(),
            "Write it as the server knows it.",
        );
    }
    let address = |field: &str, text: &str| {
        connect::mail_address(text).map_err(|error| Failure::new(error.code(), error.to_string(), error.remedy()).on_field(field))
    };
    settings.from = settings.from.trim().to_owned();
    address("from", &settings.from)?;
    settings.recipients = settings.recipients.iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
    if settings.recipients.is_empty() || settings.recipients.len() > RECIPIENTS {
        let sentence = format!("{} recipients are given.", settings.recipients.len());
        return wrong("recipients", sentence, &format!("Give 1 to {RECIPIENTS} addresses."));
    }
    for recipient in &settings.recipients {
        address("recipients", recipient)?;
    }
    settings.authorities_pem = settings.authorities_pem.trim().to_owned();
    let pem = &settings.authorities_pem;
    if pem.chars().count() > PEM || !(pem.is_empty() || pem.contains("-----BEGIN CERTIFICATE-----")) {
        return Err(Failure::new(
            "E-CA-FILE",
            "The corporate CA is not a PEM certificate.",
            "Paste the text that begins with -----BEGIN CERTIFICATE-----.",
        )
        .on_field("authorities_pem"));
    }
    Ok(settings)
}

/// When a digest whose mail failed is mailed again: soon at first, then ever more rarely.
pub(crate) fn again_at(tries: u32, tried_at: Timestamp) -> Timestamp {
    let doubled = tries.saturating_sub(1).min(AGAIN_DOUBLED);
    tried_at.checked_add(AGAIN * 2_i32.pow(doubled)).unwrap_or(Timestamp::MAX)
}

/// After so long a mail is tried again; each further time twice as long.
const AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// So often at most: then every 160 minutes.
const AGAIN_DOUBLED: u32 = 5;
