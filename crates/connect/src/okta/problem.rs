//! How signing in through Okta can end other than well: Okta's statuses, error codes, factor results and message keys, and
//! for each the end that it comes to, with a code, a sentence and a remedy of its own. No text of Okta's is shown.
//!
//! Vendor facts: error codes <https://developer.okta.com/docs/reference/error-codes/>, statuses and factor results
//! <https://developer.okta.com/docs/reference/api/authn/>, message keys
//! <https://github.com/okta/okta-signin-widget/tree/master/playground/mocks/data/idp/idx>.

use crate::{ConnectError, SignInStage};
use catalog::CauseKind;
use serde_json::Value;

/// `status` of a Classic transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClassicStatus {
    Success,
    MfaRequired,
    MfaChallenge,
    MfaEnroll,
    MfaEnrollActivate,
    PasswordWarn,
    PasswordExpired,
    PasswordReset,
    Recovery,
    RecoveryChallenge,
    LockedOut,
    Unauthenticated,
    Unknown,
}

impl ClassicStatus {
    pub(super) fn of(status: &str) -> Self {
        match status {
            "SUCCESS" => Self::Success,
            "MFA_REQUIRED" => Self::MfaRequired,
            "MFA_CHALLENGE" => Self::MfaChallenge,
            "MFA_ENROLL" => Self::MfaEnroll,
            "MFA_ENROLL_ACTIVATE" => Self::MfaEnrollActivate,
            "PASSWORD_WARN" => Self::PasswordWarn,
            "PASSWORD_EXPIRED" => Self::PasswordExpired,
            "PASSWORD_RESET" => Self::PasswordReset,
            "RECOVERY" => Self::Recovery,
            "RECOVERY_CHALLENGE" => Self::RecoveryChallenge,
            "LOCKED_OUT" => Self::LockedOut,
            "UNAUTHENTICATED" => Self::Unauthenticated,
            _ => Self::Unknown,
        }
    }
}

/// `factorResult` of a Classic transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FactorResult {
    Waiting,
    Cancelled,
    Rejected,
    Timeout,
    TimeWindowExceeded,
    PasscodeReplayed,
    Error,
    Unknown,
}

impl FactorResult {
    pub(super) fn of(result: &str) -> Self {
        match result {
            "WAITING" => Self::Waiting,
            "CANCELLED" => Self::Cancelled,
            "REJECTED" => Self::Rejected,
            "TIMEOUT" => Self::Timeout,
            "TIME_WINDOW_EXCEEDED" => Self::TimeWindowExceeded,
            "PASSCODE_REPLAYED" => Self::PasscodeReplayed,
            "ERROR" => Self::Error,
            _ => Self::Unknown,
        }
    }

    /// What it comes to once a code was sent; `None` while the challenge is simply open.
    pub(super) fn end(self) -> Option<End> {
        match self {
            Self::Waiting => None,
            Self::Cancelled | Self::Rejected => Some(End::ChallengeRejected),
            Self::Timeout => Some(End::StateExpired),
            Self::TimeWindowExceeded => Some(End::CodeRefused),
            Self::PasscodeReplayed => Some(End::CodeUsed),
            Self::Error | Self::Unknown => Some(End::FactorFailed),
        }
    }
}

/// `errorCode` of an error answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OktaErrorCode {
    Validation,
    AuthenticationFailed,
    InvalidSession,
    AccessDenied,
    NotFound,
    InvalidToken,
    FeatureNotPermitted,
    RateLimit,
    PasswordExpired,
    InvalidPasscode,
    UserLocked,
    NotInThisState,
    PasscodeUsed,
    SmsTooRecent,
    EmailTooRecent,
    AccountLocked,
    CallTooRecent,
    IncorrectCredentials,
    Deprecated,
    /// One that speaks of the user, the user's status, password, factors or policy: whoever says that has looked at the user.
    OfUser,
    Unknown,
}

impl OktaErrorCode {
    /// <https://developer.okta.com/docs/reference/error-codes/>
    pub(super) fn of(code: &str) -> Self {
        match code {
            "E0000001" => Self::Validation,
            "E0000004" => Self::AuthenticationFailed,
            "E0000005" => Self::InvalidSession,
            "E0000006" => Self::AccessDenied,
            "E0000007" => Self::NotFound,
            "E0000011" => Self::InvalidToken,
            "E0000015" => Self::FeatureNotPermitted,
            "E0000047" => Self::RateLimit,
            "E0000064" => Self::PasswordExpired,
            "E0000068" => Self::InvalidPasscode,
            "E0000069" => Self::UserLocked,
            "E0000079" => Self::NotInThisState,
            "E0000082" => Self::PasscodeUsed,
            "E0000109" => Self::SmsTooRecent,
            "E0000118" => Self::EmailTooRecent,
            "E0000119" => Self::AccountLocked,
            "E0000133" => Self::CallTooRecent,
            "E0000207" => Self::IncorrectCredentials,
            "E0000215" => Self::Deprecated,
            "E0000014" | "E0000016" | "E0000017" | "E0000023" | "E0000032" | "E0000034" | "E0000035" | "E0000036" | "E0000038"
            | "E0000057" | "E0000058" | "E0000072" | "E0000073" | "E0000080" | "E0000083" | "E0000084" | "E0000085" | "E0000087"
            | "E0000092" | "E0000095" | "E0000097" | "E0000105" | "E0000107" | "E0000117" | "E0000154" | "E0000156" => Self::OfUser,
            _ => Self::Unknown,
        }
    }

    /// What it comes to.
    pub(super) fn end(self) -> End {
        match self {
            Self::Validation => End::Invalid,
            Self::AuthenticationFailed => End::PasswordRefused,
            Self::InvalidSession => End::SessionRefused,
            Self::AccessDenied => End::Forbidden,
            Self::NotFound => End::NotFound,
            Self::InvalidToken => End::StateExpired,
            Self::FeatureNotPermitted => End::FeatureOff,
            Self::RateLimit => End::RateLimited,
            Self::PasswordExpired => End::PasswordExpired,
            Self::InvalidPasscode => End::CodeRefused,
            Self::UserLocked => End::UserLocked,
            Self::NotInThisState => End::OutOfStep,
            Self::PasscodeUsed => End::CodeUsed,
            Self::SmsTooRecent => End::SmsSent,
            Self::EmailTooRecent => End::EmailSent,
            Self::AccountLocked => End::AccountLocked,
            Self::CallTooRecent => End::CallMade,
            Self::IncorrectCredentials => End::CredentialsIncorrect,
            Self::Deprecated => End::EndpointGone,
            Self::OfUser | Self::Unknown => End::UnknownError,
        }
    }

    /// Whether an answer with this code to user and password shows that the password was not looked at: the endpoint, not
    /// the user, was refused. An unknown code shows it only where it comes with a refusal of the endpoint.
    pub(super) fn leaves_password_unchecked(self, status: u16) -> bool {
        match self {
            Self::InvalidSession
            | Self::AccessDenied
            | Self::NotFound
            | Self::InvalidToken
            | Self::FeatureNotPermitted
            | Self::Deprecated => matches!(status, 401 | 403 | 404 | 410),
            Self::Unknown => matches!(status, 403 | 404),
            Self::Validation
            | Self::AuthenticationFailed
            | Self::RateLimit
            | Self::PasswordExpired
            | Self::InvalidPasscode
            | Self::UserLocked
            | Self::NotInThisState
            | Self::PasscodeUsed
            | Self::SmsTooRecent
            | Self::EmailTooRecent
            | Self::AccountLocked
            | Self::CallTooRecent
            | Self::IncorrectCredentials
            | Self::OfUser => false,
        }
    }
}

/// `i18n.key` of a message of the Identity Engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKey {
    AuthenticationFailed,
    AccessDenied,
    InvalidPasscode,
    UsedPasscode,
    SuspendedFactor,
    SessionExpired,
    TooManyRequests,
    UnknownUser,
    UserNotAssigned,
    Unknown,
}

impl MessageKey {
    pub(super) fn of(key: &str) -> Self {
        match key {
            "errors.E0000004" => Self::AuthenticationFailed,
            "security.access_denied" => Self::AccessDenied,
            "authfactor.challenge.soft_token.invalid_passcode" | "api.authn.error.PASSCODE_INVALID" => Self::InvalidPasscode,
            "authfactor.challenge.soft_token.used_passcode" => Self::UsedPasscode,
            "authfactor.challenge.suspended_factor" => Self::SuspendedFactor,
            "idx.session.expired" => Self::SessionExpired,
            "tooManyRequests" => Self::TooManyRequests,
            "idx.unknown.user" => Self::UnknownUser,
            "idx.error.code.user_not_assigned" => Self::UserNotAssigned,
            _ => Self::Unknown,
        }
    }

    /// What it comes to.
    pub(super) fn end(self) -> End {
        match self {
            Self::AuthenticationFailed => End::PasswordRefused,
            Self::AccessDenied => End::PolicyDenied,
            Self::InvalidPasscode => End::CodeRefused,
            Self::UsedPasscode => End::CodeUsed,
            Self::SuspendedFactor => End::FactorSuspended,
            Self::SessionExpired => End::StateExpired,
            Self::TooManyRequests => End::RateLimited,
            Self::UnknownUser => End::UserUnknown,
            Self::UserNotAssigned => End::NotAssigned,
            Self::Unknown => End::UnknownMessage,
        }
    }
}

/// How signing in through Okta ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum End {
    NoOrganization,
    OtherOrganization,
    UnknownPipeline,
    OtherProvider,
    PasswordRefused,
    CredentialsIncorrect,
    PasswordExpired,
    PasswordReset,
    Recovery,
    RecoveryChallenge,
    PasswordAgain,
    LockedOut,
    UserLocked,
    AccountLocked,
    UserUnknown,
    PolicyDenied,
    Forbidden,
    FeatureOff,
    Invalid,
    SessionRefused,
    StateExpired,
    OutOfStep,
    NotFound,
    EndpointGone,
    RateLimited,
    SmsSent,
    EmailSent,
    CallMade,
    CodeRefused,
    CodeUsed,
    ChallengeRejected,
    FactorFailed,
    FactorSuspended,
    NoCodeFactor,
    CodeEverUsed,
    EnrollmentWanted,
    EnrollmentBegun,
    Captcha,
    DeviceWanted,
    ConsentWanted,
    NotAssigned,
    InteractionCode,
    LinkElsewhere,
    Blocked,
    VendorFault,
    Redirected,
    NotUnderstood,
    Incomplete,
    UnknownStatus,
    UnknownError,
    UnknownMessage,
    UnknownForm,
    Loop,
    NoSession,
}

impl End {
    /// The stable code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NoOrganization => "E-OKTA-NO-ORGANIZATION",
            Self::OtherOrganization => "E-OKTA-OTHER-ORGANIZATION",
            Self::UnknownPipeline => "E-OKTA-UNKNOWN-ENGINE",
            Self::OtherProvider => "E-OKTA-OTHER-PROVIDER",
            Self::PasswordRefused => "E-OKTA-PASSWORD",
            Self::CredentialsIncorrect => "E-OKTA-CREDENTIALS",
            Self::PasswordExpired => "E-OKTA-PASSWORD-EXPIRED",
            Self::PasswordReset => "E-OKTA-PASSWORD-RESET",
            Self::Recovery => "E-OKTA-RECOVERY",
            Self::RecoveryChallenge => "E-OKTA-RECOVERY-CHALLENGE",
            Self::PasswordAgain => "E-OKTA-PASSWORD-AGAIN",
            Self::LockedOut => "E-OKTA-LOCKED-OUT",
            Self::UserLocked => "E-OKTA-USER-LOCKED",
            Self::AccountLocked => "E-OKTA-ACCOUNT-LOCKED",
            Self::UserUnknown => "E-OKTA-USER-UNKNOWN",
            Self::PolicyDenied => "E-OKTA-DENIED",
            Self::Forbidden => "E-OKTA-FORBIDDEN",
            Self::FeatureOff => "E-OKTA-FEATURE",
            Self::Invalid => "E-OKTA-INVALID",
            Self::SessionRefused => "E-OKTA-SESSION",
            Self::StateExpired => "E-OKTA-EXPIRED",
            Self::OutOfStep => "E-OKTA-OUT-OF-STEP",
            Self::NotFound => "E-OKTA-NOT-FOUND",
            Self::EndpointGone => "E-OKTA-GONE",
            Self::RateLimited => "E-OKTA-RATE-LIMIT",
            Self::SmsSent => "E-OKTA-SMS",
            Self::EmailSent => "E-OKTA-EMAIL",
            Self::CallMade => "E-OKTA-CALL",
            Self::CodeRefused => "E-OKTA-CODE",
            Self::CodeUsed => "E-OKTA-CODE-USED",
            Self::ChallengeRejected => "E-OKTA-CHALLENGE-REJECTED",
            Self::FactorFailed => "E-OKTA-FACTOR-FAILED",
            Self::FactorSuspended => "E-OKTA-FACTOR-SUSPENDED",
            Self::NoCodeFactor => "E-OKTA-NO-CODE-FACTOR",
            Self::CodeEverUsed => "E-OKTA-CODE-AGAIN",
            Self::EnrollmentWanted => "E-OKTA-ENROLLMENT",
            Self::EnrollmentBegun => "E-OKTA-ENROLLMENT-BEGUN",
            Self::Captcha => "E-OKTA-CAPTCHA",
            Self::DeviceWanted => "E-OKTA-DEVICE",
            Self::ConsentWanted => "E-OKTA-CONSENT",
            Self::NotAssigned => "E-OKTA-NOT-ASSIGNED",
            Self::InteractionCode => "E-OKTA-INTERACTION-CODE",
            Self::LinkElsewhere => "E-OKTA-LINK-ELSEWHERE",
            Self::Blocked => "E-OKTA-BLOCKED",
            Self::VendorFault => "E-OKTA-FAULT",
            Self::Redirected => "E-OKTA-REDIRECTED",
            Self::NotUnderstood => "E-OKTA-NOT-UNDERSTOOD",
            Self::Incomplete => "E-OKTA-INCOMPLETE",
            Self::UnknownStatus => "E-OKTA-UNKNOWN-STATUS",
            Self::UnknownError => "E-OKTA-UNKNOWN-ERROR",
            Self::UnknownMessage => "E-OKTA-UNKNOWN-MESSAGE",
            Self::UnknownForm => "E-OKTA-UNKNOWN-FORM",
            Self::Loop => "E-OKTA-LOOP",
            Self::NoSession => "E-OKTA-NO-SESSION",
        }
    }

    fn kind(self) -> CauseKind {
        match self {
            Self::PasswordRefused
            | Self::CredentialsIncorrect
            | Self::PasswordExpired
            | Self::PasswordReset
            | Self::Recovery
            | Self::RecoveryChallenge
            | Self::PasswordAgain
            | Self::LockedOut
            | Self::UserLocked
            | Self::AccountLocked
            | Self::UserUnknown
            | Self::OtherProvider
            | Self::CodeRefused
            | Self::CodeUsed
            | Self::ChallengeRejected
            | Self::FactorSuspended
            | Self::NoCodeFactor
            | Self::CodeEverUsed
            | Self::EnrollmentWanted
            | Self::EnrollmentBegun
            | Self::Captcha
            | Self::DeviceWanted
            | Self::ConsentWanted
            | Self::NotAssigned
            | Self::SessionRefused
            | Self::NoSession => CauseKind::CredentialRefused,
            Self::PolicyDenied | Self::Forbidden | Self::FeatureOff => CauseKind::ScopeMissing,
            Self::NoOrganization | Self::OtherOrganization => CauseKind::InputMissing,
            Self::RateLimited => CauseKind::RateLimited,
            Self::Blocked | Self::Redirected => CauseKind::Connectivity,
            Self::VendorFault
            | Self::FactorFailed
            | Self::EndpointGone
            | Self::NotFound
            | Self::StateExpired
            | Self::OutOfStep
            | Self::SmsSent
            | Self::EmailSent
            | Self::CallMade => CauseKind::VendorError,
            Self::UnknownPipeline
            | Self::Invalid
            | Self::InteractionCode
            | Self::LinkElsewhere
            | Self::NotUnderstood
            | Self::Incomplete
            | Self::UnknownStatus
            | Self::UnknownError
            | Self::UnknownMessage
            | Self::UnknownForm
            | Self::Loop => CauseKind::NotUnderstood,
        }
    }

    /// What happened, as it follows "Signing in stopped at …: ".
    fn sentence(self) -> &'static str {
        match self {
            Self::NoOrganization => "there is no Okta organization at this address. The password was not sent",
            Self::OtherOrganization => {
                "the Okta Domain and the custom domain are not the same Okta organization. The password was not sent"
            }
            Self::UnknownPipeline => "the Okta organization signs users in by an engine that is not known here. The password was not sent",
            Self::OtherProvider => {
                "this user does not sign in at this Okta organization, which sends them on to another identity provider. The password was not sent"
            }
            Self::PasswordRefused => {
                "Okta did not let the user in: user or password is wrong, the user is locked, or a sign-on policy blocks this computer (a network zone, for example)"
            }
            Self::CredentialsIncorrect => "Okta says that user or password is wrong",
            Self::PasswordExpired => "the user's password has expired",
            Self::PasswordReset => "Okta wants the user to set a new password",
            Self::Recovery => "the user is in the middle of recovering the account",
            Self::RecoveryChallenge => "the user is in the middle of recovering the account, and Okta waits for the code of that",
            Self::PasswordAgain => "Okta asks for the password once more than it may be sent, so it was not sent again",
            Self::LockedOut => "the user is locked out",
            Self::UserLocked => "the user is locked",
            Self::AccountLocked => "the user's account is locked, and only an Okta administrator can unlock it",
            Self::UserUnknown => "Okta does not know this user",
            Self::PolicyDenied => "Okta denies access: a policy forbids it from here, or the user is suspended",
            Self::Forbidden => "Okta says that the user may not do this",
            Self::FeatureOff => "the Okta organization does not allow this way of signing in",
            Self::Invalid => "Okta says that the request is not valid",
            Self::SessionRefused => "Okta did not accept the session that it had just given",
            Self::StateExpired => "the sign-in took longer than Okta allows, or Okta had forgotten it",
            Self::OutOfStep => "Okta says that this step does not belong to where the sign-in stands",
            Self::NotFound => "Okta does not know the address that was asked",
            Self::EndpointGone => "Okta has closed the address that was asked",
            Self::RateLimited => "Okta says that too many requests were made",
            Self::SmsSent => "Okta says that a text message was sent too recently, though none was asked for",
            Self::EmailSent => "Okta says that an e-mail was sent too recently, though none was asked for",
            Self::CallMade => "Okta says that a call was made too recently, though none was asked for",
            Self::CodeRefused => "Okta refused the one-time code, and the next one too where it allowed another",
            Self::CodeUsed => "Okta says that the one-time code was used before",
            Self::ChallengeRejected => "the request for a second factor was rejected or cancelled",
            Self::FactorFailed => "Okta could not check the second factor",
            Self::FactorSuspended => "Okta has suspended the user's authenticator after too many wrong codes",
            Self::NoCodeFactor => {
                "Okta asks for a second factor, and none that it offers works with the one-time codes of an authenticator app. No message, call or push was sent"
            }
            Self::CodeEverUsed => "Okta asks for more one-time codes than one sign-in may send",
            Self::EnrollmentWanted => "Okta wants the user to set up another authenticator first",
            Self::EnrollmentBegun => "setting up an authenticator was begun for this user and not finished",
            Self::Captcha => "Okta shows a CAPTCHA, which only a person can solve",
            Self::DeviceWanted => "Okta wants to see a registered device (Okta FastPass or device trust)",
            Self::ConsentWanted => "Okta asks the user for consent",
            Self::NotAssigned => "the Okta user is not assigned to this application",
            Self::InteractionCode => "Okta ended the sign-in with a code for an application of another kind",
            Self::LinkElsewhere => "Okta's answer names a next address outside the Okta organization. Nothing was sent there",
            Self::Blocked => "the request was turned away before Okta's sign-in saw it, by a network policy or a proxy",
            Self::VendorFault => "Okta answered with a fault of its own",
            Self::Redirected => "a redirect came instead of an answer. It was not followed",
            Self::NotUnderstood => "what came is not an answer of Okta's sign-in",
            Self::Incomplete => "Okta's answer lacks a part that the next step needs",
            Self::UnknownStatus => "Okta answered with a state that is not known here",
            Self::UnknownError => "Okta refused with an error that is not known here",
            Self::UnknownMessage => "Okta refused with a message that is not known here; often the user is not assigned to the application",
            Self::UnknownForm => "Okta asks for something that is not known here",
            Self::Loop => "Okta asks for the same thing again and again",
            Self::NoSession => "Okta accepted the user and gave no session",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::NoOrganization => "Check the Okta Domain: an Okta administrator sees it at the top right of the admin console.",
            Self::OtherOrganization => {
                "Check both. Somebody may have had you enter a domain that is not your company's: without a custom domain of your own, leave it empty."
            }
            Self::UnknownPipeline
            | Self::UnknownStatus
            | Self::UnknownError
            | Self::UnknownMessage
            | Self::UnknownForm
            | Self::InteractionCode
            | Self::Incomplete
            | Self::Invalid => {
                "Sign in once in a browser as this user and see what Okta asks for. If nothing is unusual there, report this with its code."
            }
            Self::OtherProvider => "Use a user whose password is kept in this Okta organization.",
            Self::PasswordRefused => {
                "Sign in once in a browser as this user, from this computer. If that works, enter the password again; if not, ask an Okta administrator to look at the user and at the system log. Nothing is tried again by itself, because each attempt counts."
            }
            Self::CredentialsIncorrect => "Enter user and password again. Nothing is tried again by itself, because each attempt counts.",
            Self::PasswordExpired | Self::PasswordReset => "Sign in in a browser as this user, set a new password, and enter it here.",
            Self::Recovery | Self::RecoveryChallenge => "Finish the recovery in a browser, then enter the new password here.",
            Self::PasswordAgain => {
                "Let the sign-on policy ask for the password once per sign-in, or ask an Okta administrator what the policy of the application demands."
            }
            Self::LockedOut | Self::UserLocked | Self::AccountLocked => "Ask an Okta administrator to unlock the user, then connect again.",
            Self::UserUnknown => "Check the user: it is the name that the user signs in to Okta with.",
            Self::PolicyDenied | Self::Forbidden => {
                "Ask an Okta administrator to look at the sign-on policies and network zones for this user and this computer."
            }
            Self::FeatureOff => "Ask an Okta administrator which way of signing in the organization allows for this user.",
            Self::SessionRefused | Self::StateExpired | Self::OutOfStep | Self::NoSession | Self::Loop => {
                "Connect again. If it happens again, report this with its code."
            }
            Self::NotFound | Self::EndpointGone => "Check the Okta Domain. If it is right, report this with its code.",
            Self::RateLimited => "Wait some minutes and connect again.",
            Self::SmsSent | Self::EmailSent | Self::CallMade => {
                "Wait a minute and connect again. If it happens again, give the user the Google Authenticator factor only."
            }
            Self::CodeRefused => {
                "Check this computer's date and time, and that the MFA secret key is the one of this user's present authenticator: compare the code shown beside the field with the phone's."
            }
            Self::CodeUsed => "Wait half a minute and connect again. If the user also signs in elsewhere, use a dedicated user.",
            Self::ChallengeRejected | Self::FactorFailed => "Connect again. If it happens again, enrol the authenticator anew.",
            Self::FactorSuspended => "Ask an Okta administrator to reset the user's authenticator, and enter its new secret key here.",
            Self::NoCodeFactor => {
                "Enrol Google Authenticator for this user in Okta, and allow it in the authentication policy. Then enter its secret key here."
            }
            Self::CodeEverUsed => "Ask an Okta administrator what the authentication policy of the application demands.",
            Self::EnrollmentWanted => "Sign in in a browser as this user and enrol Google Authenticator; enter its secret key here.",
            Self::EnrollmentBegun => "Sign in in a browser as this user and finish setting up the authenticator.",
            Self::Captcha => "Ask an Okta administrator to take this user, or this computer's network zone, out of CAPTCHA.",
            Self::DeviceWanted => "Ask an Okta administrator for a policy rule that lets this user in by password and one-time code.",
            Self::ConsentWanted => "Sign in to the application once in a browser as this user and answer the question.",
            Self::NotAssigned => "Ask an Okta administrator to assign the application to this user.",
            Self::LinkElsewhere => {
                "Check the Okta Domain and the custom domain. If both are right, do not go on: somebody may be in between."
            }
            Self::Blocked => {
                "Ask whoever runs the network or the proxy to allow the Okta organization, or an Okta administrator about network zones."
            }
            Self::VendorFault => "Look at status.okta.com and connect again later.",
            Self::Redirected | Self::NotUnderstood => {
                "Check the Okta Domain. A sign-in page of a network or proxy in between also looks like this."
            }
        }
    }

    /// The end at a stage.
    pub(super) fn at(self, stage: SignInStage) -> Problem {
        Problem { end: self, stage, reference: None, named: None, remark: None }
    }
}

/// An end with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) end: End,
    stage: SignInStage,
    /// Okta's id of the event, for its system log.
    reference: Option<String>,
    /// The name of what is not known: a status, an error code, a form.
    named: Option<String>,
    /// A further sentence of ours.
    remark: Option<String>,
}

impl Problem {
    /// With Okta's id of the event, where the answer names one.
    pub(super) fn referring_to(mut self, body: Option<&Value>) -> Self {
        self.reference = body.and_then(|body| body.get("errorId")).and_then(Value::as_str).and_then(reference);
        self
    }
    /// With the name of what was met, if it is a plain word: it comes from outside.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.named = plain_word(name, 64);
        self
    }
    pub(super) fn remarking(mut self, remark: Option<String>) -> Self {
        self.remark = remark;
        self
    }
}

impl From<Problem> for ConnectError {
    fn from(problem: Problem) -> Self {
        let Problem { end, stage, reference, named, remark } = problem;
        let mut sentence = format!("Signing in stopped at {}: {}", stage.title(), end.sentence());
        if let Some(named) = named {
            sentence.push_str(&format!(" ({named})"));
        }
        sentence.push('.');
        if let Some(remark) = remark {
            sentence.push(' ');
            sentence.push_str(&remark);
        }
        Self::SignInFailed { stage, code: end.code(), kind: end.kind(), sentence, remedy: end.remedy().to_owned(), reference }
    }
}

/// Okta's id of an event: at most 64 letters, digits, `-` and `_`; anything else is not shown.
fn reference(id: &str) -> Option<String> {
    plain_word(id, 64)
}

fn plain_word(word: &str, most: usize) -> Option<String> {
    let plain =
        !word.is_empty() && word.len() <= most && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain.then(|| word.to_owned())
}
