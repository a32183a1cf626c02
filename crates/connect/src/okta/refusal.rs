//! What Okta refused before is not sent again by itself: every wrong password and every wrong code counts towards a lockout of
//! the user, however many instances and runs send it.

use super::problem::End;
use crate::{CodeLedger, ConnectError, SignInStage};
use catalog::CauseKind;
use jiff::Timestamp;
use secrecy::SecretString;
use std::sync::Arc;

/// The two secrets of a user, and who remembers what became of them.
pub(super) struct Secrets {
    pub(super) account: String,
    pub(super) ledger: Arc<dyn CodeLedger>,
    pub(super) password: SecretString,
    /// The MFA key as it is sealed.
    pub(super) key: SecretString,
}

/// What came of the secrets in one sign-in.
pub(super) enum Outcome {
    /// Both were accepted.
    Accepted,
    /// This one was refused.
    Refused(Which),
    /// Nothing is known of them.
    Unclear,
}

/// One of the two.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Password,
    Key,
}

impl Outcome {
    /// Reads it from how signing in ended. `password_open` says that the password was sent and Okta did not go on with it,
    /// `codes_on_time` that a code that was refused speaks of the key and not of a clock.
    pub(super) fn of(ended: &Result<(), ConnectError>, password_open: bool, codes_on_time: bool) -> Self {
        let Err(error) = ended else { return Self::Accepted };
        let ConnectError::SignInFailed { code, .. } = error else { return Self::Unclear };
        if password_open && [End::PasswordRefused.code(), End::CredentialsIncorrect.code()].contains(code) {
            Self::Refused(Which::Password)
        } else if codes_on_time && *code == End::CodeRefused.code() {
            Self::Refused(Which::Key)
        } else {
            Self::Unclear
        }
    }
}

impl Secrets {
    /// Stops before anything is sent where one of them was refused before.
    pub(super) async fn check(&self) -> Result<(), ConnectError> {
        for which in [Which::Password, Which::Key] {
            let (account, secret) = (self.account.clone(), self.secret(which));
            let refused = off_the_async_threads(&self.ledger, move |ledger| ledger.refused(&account, &secret)).await?;
            if let Some(at) = refused {
                return Err(known_wrong(which, at));
            }
        }
        Ok(())
    }

    /// Records what came of them. That it could not be recorded does not change how signing in ended.
    pub(super) async fn settle(&self, outcome: &Outcome, now: Timestamp) {
        let news: &[(Which, Option<Timestamp>)] = match outcome {
            Outcome::Accepted => &[(Which::Password, None), (Which::Key, None)],
            Outcome::Refused(which) => &[(*which, Some(now))],
            Outcome::Unclear => &[],
        };
        for (which, refused_at) in news {
            let (account, secret, refused_at) = (self.account.clone(), self.secret(*which), *refused_at);
            let settled = off_the_async_threads(&self.ledger, move |ledger| ledger.settle(&account, &secret, refused_at)).await;
            if let Err(error) = settled {
                tracing::warn!(code = error.code(), "what Okta says of the user's secrets could not be recorded");
            }
        }
    }

    fn secret(&self, which: Which) -> SecretString {
        match which {
            Which::Password => self.password.clone(),
            Which::Key => self.key.clone(),
        }
    }
}

async fn off_the_async_threads<T: Send + 'static>(
    ledger: &Arc<dyn CodeLedger>,
    work: impl FnOnce(&dyn CodeLedger) -> Result<T, crate::SinkError> + Send + 'static,
) -> Result<T, ConnectError> {
    let ledger = Arc::clone(ledger);
    match tokio::task::spawn_blocking(move || work(&*ledger)).await {
        Ok(done) => Ok(done?),
        // The task was cut short with the program.
        Err(_) => Err(ConnectError::Cancelled),
    }
}

fn known_wrong(which: Which, at: Timestamp) -> ConnectError {
    let day = at.strftime("%-d %b %Y");
    let (stage, code, sentence) = match which {
        Which::Password => (
            SignInStage::Password,
            "E-OKTA-PASSWORD-KNOWN-WRONG",
            format!("Okta refused this password on {day}. It is not sent again by itself, because that could lock the user out."),
        ),
        Which::Key => (
            SignInStage::OneTimeCode,
            "E-OKTA-KEY-KNOWN-WRONG",
            format!("Okta refused the codes of this MFA key on {day}. None is sent again by itself, because that could lock the user out."),
        ),
    };
    ConnectError::SignInFailed {
        stage,
        code,
        kind: CauseKind::CredentialRefused,
        sentence,
        remedy: "Reauthenticate. If what is stored is right after all, enter the same again: it is then tried once.".to_owned(),
        reference: None,
    }
}
