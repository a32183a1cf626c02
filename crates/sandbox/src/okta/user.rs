//! The organization's user: whether what is typed is right, and what is asked next.

use super::{
    Organization,
    state::{Engine, Stage, State, Transaction},
};
use crate::account::{Account, Lock};
use catalog::{CodeAlgorithm, MfaKey, OktaFactor, SecondFactor};
use jiff::Timestamp;
use totp_rs::{Algorithm, Builder};

/// Wrong passwords after which a user is locked out; Okta's usual setting.
pub(super) const MOST_WRONG_PASSWORDS: u32 = 10;
/// Wrong one-time codes after which a user is locked out:
/// <https://help.okta.com/en-us/content/topics/security/mfa/google-authenticator.htm>
pub(super) const MOST_WRONG_CODES: u32 = 5;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordRefusal {
    /// Wrong, or locked without saying so.
    Wrong,
    /// Locked, and the organization says so.
    Locked,
    /// A sign-on policy refuses the user.
    Denied,
}

/// Why a one-time code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeRefusal {
    Wrong,
    /// It was right, and was used before.
    Used,
    /// Too many wrong ones.
    Locked,
}

impl Organization {
    /// Whether this is the user and the password.
    pub(super) fn check_password(&self, state: &mut State, account: &Account, login: &str, password: &str) -> Result<(), PasswordRefusal> {
        match account.lock {
            Some(Lock::Shown) => return Err(PasswordRefusal::Locked),
            Some(Lock::Hidden) => return Err(PasswordRefusal::Wrong),
            None if self.is_locked_out(state) => return Err(PasswordRefusal::Wrong),
            None => {}
        }
        if !login.eq_ignore_ascii_case(&self.login) {
            return Err(PasswordRefusal::Wrong);
        }
        // Whose password is checked elsewhere has none here.
        if account.revoked || self.options.elsewhere || account.password.as_ref().unwrap_or(&self.password) != password {
            state.wrong_passwords += 1;
            return Err(PasswordRefusal::Wrong);
        }
        if account.denied {
            return Err(PasswordRefusal::Denied);
        }
        state.wrong_passwords = 0;
        Ok(())
    }

    fn is_locked_out(&self, state: &State) -> bool {
        state.wrong_passwords >= MOST_WRONG_PASSWORDS || state.wrong_codes >= MOST_WRONG_CODES
    }

    /// Whether this is the one-time code of a factor: that of the present time step, or of the one before or behind it.
    pub(super) fn check_code(
        &self,
        state: &mut State,
        account: &Account,
        factor: OktaFactor,
        code: &str,
        now: Timestamp,
    ) -> Result<(), CodeRefusal> {
        if account.lock.is_some() || self.is_locked_out(state) {
            return Err(CodeRefusal::Locked);
        }
        let key = account.mfa_key.as_ref().unwrap_or(&self.mfa_key);
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let present = seconds / key.period;
        // The other factor has a key of its own, which nobody knows.
        let step = (self.factor_of_key() == Some(factor))
            .then(|| (present.saturating_sub(1)..=present + 1).find(|step| code_of(key, *step) == code))
            .flatten();
        let Some(step) = step else {
            state.wrong_codes += 1;
            return Err(CodeRefusal::Wrong);
        };
        if !state.used_steps.insert(step) {
            return Err(CodeRefusal::Used);
        }
        state.wrong_codes = 0;
        Ok(())
    }

    /// The factor whose codes the tenant's key makes.
    fn factor_of_key(&self) -> Option<OktaFactor> {
        [OktaFactor::Google, OktaFactor::OktaVerify].into_iter().find(|factor| self.options.factors.contains(factor))
    }

    /// What the user is enrolled in now.
    pub(super) fn factors(&self, account: &Account) -> Vec<OktaFactor> {
        self.options.factors.iter().filter(|factor| !account.dropped.contains(factor)).copied().collect()
    }

    /// What comes next in a sign-in whose password has been given.
    pub(super) fn next_stage(&self, transaction: &Transaction, account: &Account) -> Stage {
        // Who comes on behalf of the application has to show whatever either policy asks for.
        let asked = self.options.second_factor == SecondFactor::Organization || transaction.resume.is_some();
        let factors = self.factors(account);
        if !transaction.password {
            Stage::Password
        } else if asked && !transaction.factor {
            match (factors.as_slice(), transaction.engine) {
                ([], _) => Stage::Enrol,
                // The Identity Engine opens the only factor by itself.
                ([only @ (OktaFactor::Google | OktaFactor::OktaVerify)], Engine::Identity) => Stage::Factor(*only),
                (_, Engine::Classic | Engine::Identity) => Stage::Choose,
            }
        } else if account.password_expired {
            Stage::Expired
        } else if self.options.password_warning && !transaction.warned {
            Stage::Warning
        } else if self.options.keep_me_signed_in && transaction.engine == Engine::Identity && !transaction.kept {
            Stage::Keep
        } else {
            Stage::Done
        }
    }

    pub(super) fn user_id(&self) -> String {
        self.id("00u", "user")
    }

    pub(super) fn factor_id(&self, factor: OktaFactor) -> String {
        let prefix = match factor {
            OktaFactor::Google => "uft",
            OktaFactor::OktaVerify => "ost",
            OktaFactor::Push => "opf",
            OktaFactor::Sms => "sms",
            OktaFactor::Call => "clf",
        };
        self.id(prefix, "factor")
    }
}

/// The code of a time step (RFC 6238).
fn code_of(key: &MfaKey, step: u64) -> String {
    let algorithm = match key.algorithm {
        CodeAlgorithm::Sha1 => Algorithm::SHA1,
        CodeAlgorithm::Sha256 => Algorithm::SHA256,
        CodeAlgorithm::Sha512 => Algorithm::SHA512,
    };
    let totp = Builder::new()
        .with_algorithm(algorithm)
        .with_digits(u8::try_from(key.digits).unwrap_or(6))
        .with_step_duration(key.period)
        .with_secret(key.secret.to_vec())
        .build_noncompliant();
    totp.generate(step * key.period).to_string()
}
