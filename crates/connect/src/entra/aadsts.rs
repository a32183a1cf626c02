//! What Microsoft Entra ID means by its numbers: each known one with a code of ours, a sentence and a remedy.
//!
//! The numbers choose the words only. What happens next follows from `error`, because Microsoft says that numbers may change
//! (<https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>).

use crate::{
    ConnectError, SignInStage,
    token::{OAuthError, Refusal},
};
use catalog::CauseKind;
use serde_json::Value;

/// The words for one number.
pub(super) struct Words {
    pub(super) code: &'static str,
    pub(super) kind: CauseKind,
    pub(super) sentence: &'static str,
    pub(super) remedy: &'static str,
}

macro_rules! words {
    ($number:expr; $($($known:literal)+ => $kind:ident, $sentence:literal, $remedy:literal;)+) => {
        match $number {
            $($($known => Some(Words {
                code: concat!("E-AADSTS-", stringify!($known)),
                kind: CauseKind::$kind,
                sentence: $sentence,
                remedy: $remedy,
            }),)+)+
            _ => None,
        }
    };
}

/// The words for a number, if it is a known one.
pub(super) fn words(number: u64) -> Option<Words> {
    words! { number;
        90002 50059 50128 => InputMissing,
            "Microsoft Entra ID does not know this tenant.",
            "Check the tenant ID or domain. A tenant of the US Government is reached at login.microsoftonline.us.";
        900382 90038 900432 => InputMissing,
            "The tenant lies in another national cloud than the one that was asked.",
            "Choose the cloud that the tenant lies in.";
        700016 => InputMissing,
            "There is no application with this client ID in the tenant.",
            "Check the application (client) ID and the tenant, under App registrations > Overview.";
        7000112 70001 => CredentialRefused,
            "The app registration is disabled.",
            "Enable it under Enterprise applications > Properties, or register another one.";
        7000215 => CredentialRefused,
            "The client secret is wrong.",
            "Enter the Value of the client secret. The Secret ID beside it is only its name.";
        7000222 => CredentialRefused,
            "The client secret has expired.",
            "Create a new one under Certificates & secrets, and replace the stored one.";
        7000218 => CredentialRefused,
            "The app registration is confidential, and no secret or certificate was sent.",
            "Choose the login option with a client secret or a certificate, or set Allow public client flows to Yes under Authentication.";
        700025 => CredentialRefused,
            "The app registration is a public client, which has no secret.",
            "Choose the login option that signs in in the browser, or set Allow public client flows to No and create a secret.";
        700027 50012 50013 500133 => CredentialRefused,
            "Microsoft Entra ID refused what the certificate signed: it is not uploaded to the app registration, has expired, or this computer's clock is wrong.",
            "Upload this certificate under Certificates & secrets, and check this computer's date and time.";
        50011 900971 => InputMissing,
            "The address to come back to is not registered.",
            "Add http://localhost under Authentication > Mobile and desktop applications.";
        65001 90094 90095 650056 => ScopeMissing,
            "The permissions were not consented to.",
            "Have an administrator grant admin consent under API permissions.";
        65004 => ScopeMissing,
            "The consent was declined.",
            "Connect again and accept the permissions, or have an administrator grant consent.";
        500011 650052 650057 => PlanLacks,
            "The service that the permissions are for is not there in this tenant.",
            "Check that the tenant has a subscription to the service, and that the app registration asks for its permissions.";
        70011 28002 700022 => NotUnderstood,
            "The scope that was asked for is not one that Microsoft Entra ID accepts.",
            "This is a fault of the catalog, not of your tenant. Report it with these words and their code.";
        50034 50020 51004 16000 => CredentialRefused,
            "This user does not belong to the tenant.",
            "Sign in as a user of this tenant, or correct the tenant.";
        50126 50064 50056 => CredentialRefused,
            "The user name or the password is wrong.",
            "Sign in again with the right ones.";
        50053 => CredentialRefused,
            "The account is locked, or this address is blocked, after too many attempts.",
            "Do not try again now. Wait, or have an administrator unblock the user.";
        50055 50144 => CredentialRefused,
            "The user's password has expired.",
            "Set a new password, then sign in again.";
        50057 => CredentialRefused,
            "The user's account is disabled.",
            "Have an administrator enable it, or sign in as another user.";
        50076 50074 50079 50072 50078 => CredentialRefused,
            "The tenant wants a second factor, or wants it set up or renewed.",
            "Sign in again in the browser, where the second factor can be given.";
        50158 => CredentialRefused,
            "The tenant wants a further check outside Microsoft Entra ID, which was not met.",
            "Sign in again in the browser and complete it, or ask who keeps the Conditional Access policies.";
        53003 530032 53000 53001 50131 50005 => CredentialRefused,
            "A Conditional Access policy of the tenant refuses this sign-in: the device, the place or the way to sign in.",
            "Ask who keeps the policies, or choose another login option.";
        530035 => CredentialRefused,
            "The tenant's security defaults refuse this way to sign in.",
            "Choose the login option with a client secret, a certificate or the browser.";
        50105 => CredentialRefused,
            "The user is not assigned to the application.",
            "Assign the user under Enterprise applications > Users and groups, or sign in as another one.";
        50173 70008 700082 70043 50133 => CredentialRefused,
            "The session has ended: a password was changed, the session was revoked, or it was not used for too long.",
            "Choose Reauthenticate on the instance's page and sign in again.";
        54005 => CredentialRefused,
            "The code of the sign-in was used already.",
            "Connect again.";
        50196 90055 => RateLimited,
            "Microsoft Entra ID saw too many requests of this application in a short time.",
            "Wait some minutes, then try again.";
        500212 500213 500021 500022 => CredentialRefused,
            "A policy on access between tenants refuses this sign-in.",
            "Ask who keeps the cross-tenant access settings, or the company's network if it restricts tenants.";
        50194 => InputMissing,
            "The application belongs to one tenant, and another address than this tenant's was asked.",
            "Enter the tenant's own ID or domain.";
        70016 => CredentialRefused,
            "The code was not entered yet.",
            "Enter it on the page that is shown.";
        70018 => CredentialRefused,
            "The code of the device is not valid any more.",
            "Connect again for a new one.";
        70019 => CredentialRefused,
            "The code was not entered in time.",
            "Connect again for a new one.";
    }
}

/// What a refusal of the token endpoint, the device-code endpoint or the discovery comes to.
pub(super) fn end(stage: SignInStage, refusal: &Refusal) -> ConnectError {
    told(stage, refusal.error, number(refusal), Some(refusal.status), reference(&refusal.body))
}

/// The number of a refusal, if it gives one.
pub(super) fn number(refusal: &Refusal) -> Option<u64> {
    refusal.body.get("error_codes").and_then(Value::as_array).and_then(|codes| codes.first()).and_then(Value::as_u64)
}

/// Whether a refresh token that was refused with this number is replaced by signing in once more: the session ended, a
/// second factor or another check is due, or the number is not known.
pub(super) fn ends_with_a_sign_in(number: u64) -> bool {
    matches!(number, 50173 | 70008 | 700082 | 70043 | 50133 | 50070..=50079 | 50158) || words(number).is_none()
}

/// What a refusal that came back through the browser comes to. It has no list of numbers; the number stands first in its
/// description, and chooses the words, as everywhere.
pub(super) fn end_of_redirect(error: OAuthError, description: &str) -> ConnectError {
    let digits = description.trim_start().strip_prefix("AADSTS").map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next());
    told(SignInStage::Browser, error, digits.flatten().and_then(|digits| digits.parse().ok()), None, None)
}

fn told(stage: SignInStage, error: OAuthError, number: Option<u64>, status: Option<u16>, reference: Option<String>) -> ConnectError {
    let Words { code, kind, sentence, remedy } = number.and_then(words).unwrap_or_else(|| without_number(error));
    let number = number.filter(|number| *number < 100_000_000).map(|number| format!("AADSTS{number}"));
    let asides: Vec<String> = number.into_iter().chain(status.map(|status| status.to_string())).collect();
    let aside = if asides.is_empty() { String::new() } else { format!(" ({})", asides.join(", ")) };
    let sentence = match sentence.strip_suffix('.') {
        Some(open) => format!("{open}{aside}."),
        None => format!("{sentence}{aside}"),
    };
    ConnectError::SignInFailed { stage, code, kind, sentence, remedy: remedy.to_owned(), reference }
}

/// The words where no number, or an unknown one, was given.
fn without_number(error: OAuthError) -> Words {
    let words = |code, kind, sentence, remedy| Words { code, kind, sentence, remedy };
    match error {
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => words(
            "E-ENTRA-CLIENT",
            CauseKind::CredentialRefused,
            "Microsoft Entra ID refused the application.",
            "Check the client ID, the secret or certificate, and what the app registration allows under Authentication.",
        ),
        OAuthError::InvalidGrant | OAuthError::InteractionRequired | OAuthError::LoginRequired | OAuthError::ExpiredToken => {
            words("E-ENTRA-SIGN-IN", CauseKind::CredentialRefused, "Microsoft Entra ID did not accept the sign-in.", "Sign in again.")
        }
        OAuthError::AccessDenied | OAuthError::Declined => words(
            "E-ENTRA-DECLINED",
            CauseKind::CredentialRefused,
            "The sign-in was declined, or the user may not consent to the permissions.",
            "Connect again and accept, or have an administrator grant consent under API permissions.",
        ),
        OAuthError::ConsentRequired => words(
            "E-ENTRA-CONSENT",
            CauseKind::ScopeMissing,
            "The permissions were not consented to.",
            "Have an administrator grant admin consent under API permissions.",
        ),
        OAuthError::InvalidScope
        | OAuthError::InvalidResource
        | OAuthError::InvalidRequest
        | OAuthError::UnsupportedGrantType
        | OAuthError::UnsupportedResponseType => words(
            "E-ENTRA-REQUEST",
            CauseKind::NotUnderstood,
            "Microsoft Entra ID did not understand the request.",
            "Check the tenant and the client ID. If they are right, report it with these words and their code.",
        ),
        OAuthError::ServerError | OAuthError::TemporarilyUnavailable | OAuthError::SlowDown => words(
            "E-ENTRA-UNAVAILABLE",
            CauseKind::VendorError,
            "Microsoft Entra ID cannot sign in now.",
            "Look at the vendor's status page and try again later.",
        ),
        OAuthError::AuthorizationPending | OAuthError::RedirectMismatch | OAuthError::DeviceFlowDisabled | OAuthError::Unknown => words(
            "E-ENTRA-REFUSED",
            CauseKind::VendorError,
            "Microsoft Entra ID refused the sign-in.",
            "Look up the error id in the tenant's sign-in logs.",
        ),
    }
}

/// By what the tenant's sign-in logs and Microsoft find the event: correlation id, trace id and time, each only in its own
/// form.
fn reference(body: &Value) -> Option<String> {
    let id = |name: &str| {
        let text = body.get(name)?.as_str()?;
        (text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')).then(|| text.to_ascii_lowercase())
    };
    let time = body
        .get("timestamp")
        .and_then(Value::as_str)
        .filter(|text| (10..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:. TZ".contains(&byte)));
    let parts: Vec<String> = id("correlation_id")
        .into_iter()
        .chain(id("trace_id").map(|id| format!("trace {id}")))
        .chain(time.map(|time| format!("at {time}")))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
