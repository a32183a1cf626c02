//! The daily digest, and the mail that it goes by.

use super::{Ending, Outcome, Stop, Terminal};
use crate::{
    arguments::{MailCommand, TlsChoice},
    print,
    secrets::{self, Wanted},
};
use console::screen::{Failure, MailSettings, MailTls};
use std::path::Path;

impl Terminal {
    pub(super) async fn digest(&self, day: Option<&str>, html: Option<&str>, send: bool) -> Outcome {
        self.open().await?;
        if send {
            self.console.send_digest().await?;
        }
        match html {
            Some("-") => print::line(self.console.digest_page(day).await?.trim_end()),
            Some(path) => {
                let path = self.console.save_digest(day, Path::new(path)).await?;
                if self.json {
                    print::json(&serde_json::json!({ "path": path }));
                } else {
                    print::line(&format!("Written: {}", print::plain(&path)));
                }
            }
            None if self.json => print::json(&self.console.digest(day).await?),
            None => {
                print::line(self.console.digest_text(day).await?.trim_end());
                let digest = self.console.digest(day).await?;
                match (&digest.mailed_at, &digest.mail_failure) {
                    (at, Some(failure)) => {
                        let state = if at.is_some() { "Mailed, but not to everybody" } else { "Not mailed" };
                        print::line(&format!("\n{state}: {} {}", print::plain(&failure.sentence), print::plain(&failure.remedy)));
                    }
                    (Some(at), None) => print::line(&format!("\nMailed at {at}.")),
                    (None, None) => {}
                }
            }
        }
        Ok(Ending::Fine)
    }

    pub(super) async fn mail(&self, command: Option<MailCommand>) -> Outcome {
        self.open().await?;
        match command {
            None => {}
            Some(MailCommand::Set { host, port, tls, user, from, to, ca, secret_stdin, keep_password }) => {
                let authorities_pem = match ca {
                    None => String::new(),
                    Some(path) => std::fs::read_to_string(&path).map_err(|error| {
                        Stop::Failed(Failure {
                            code: "E-CA-FILE".into(),
                            sentence: format!("{} could not be read: {error}.", path.display()),
                            remedy: "Choose a PEM file that you may read.".into(),
                            field: None,
                        })
                    })?,
                };
                let password = if user.trim().is_empty() || keep_password {
                    None
                } else {
                    let wanted = Wanted { id: "password".into(), label: "Mail password".into(), several_lines: false };
                    secrets::for_fields(&[wanted], secret_stdin)?.pop().map(|(_, password)| password)
                };
                let (port, tls) = match tls {
                    TlsChoice::Implicit => (port.unwrap_or(465), MailTls::Implicit),
                    TlsChoice::Starttls => (port.unwrap_or(587), MailTls::Starttls),
                };
                let settings = MailSettings { host, port, tls, user, from, recipients: to, authorities_pem };
                self.console.set_mail(settings, password).await?;
            }
            Some(MailCommand::Test) => {
                let sent = self.console.test_mail().await?;
                if self.json {
                    print::json(&sent);
                } else if sent.refused.is_empty() {
                    print::line(&format!("The server took the mail for {} recipients.", sent.recipients));
                } else {
                    print::line(&format!(
                        "The server took the mail for {} recipients, and not for {}.",
                        sent.recipients,
                        print::plain(&sent.refused.join(", "))
                    ));
                }
                return Ok(Ending::Fine);
            }
            Some(MailCommand::Remove) => self.console.remove_mail().await?,
        }
        let state = self.console.mail().await?;
        if self.json {
            print::json(&state);
            return Ok(Ending::Fine);
        }
        match (state.settings, state.password_set_at) {
            (None, _) => print::line("Nothing is mailed: no mail server is set."),
            (Some(settings), password) => {
                let tls = match settings.tls {
                    MailTls::Implicit => "TLS from the beginning",
                    MailTls::Starttls => "STARTTLS",
                };
                print::line(&format!("Server:     {}, port {}, {tls}", settings.host, settings.port));
                let login = match (settings.user.as_str(), password) {
                    ("", _) => "none".to_owned(),
                    (user, Some(at)) => format!("{}, password set at {at}", print::plain(user)),
                    (user, None) => format!("{}, without a password", print::plain(user)),
                };
                print::line(&format!("Login:      {login}"));
                print::line(&format!("From:       {}", settings.from));
                print::line(&format!("Recipients: {}", settings.recipients.join(", ")));
            }
        }
        Ok(Ending::Fine)
    }
}
