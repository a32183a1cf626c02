//! The controls of the CSA SaaS Security Capability Framework 1.0: what a SaaS product should offer its customers. Checks name the
//! controls that they look at; a capability sheet says of each control of an application what looks at it.

/// A control of the framework. Names and groups are the framework's, the sentences are this project's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// `IAM-SaaS-12`.
    pub id: &'static str,
    /// What it is called, in a few words.
    pub title: &'static str,
    /// What it asks of the application, as a sentence for the administrator.
    pub asks: &'static str,
}

impl Control {
    /// The domain that its id begins with: `IAM`.
    pub fn domain(&self) -> &'static str {
        self.id.split('-').next().unwrap_or_default()
    }
}

/// The name of a domain: "Identity and access". `None` for what is no domain of the framework.
pub fn domain_title(domain: &str) -> Option<&'static str> {
    match domain {
        "CCC" => Some("Change and configuration"),
        "DSP" => Some("Data security and privacy"),
        "IAM" => Some("Identity and access"),
        "IPY" => Some("Interoperability and portability"),
        "LOG" => Some("Logging and monitoring"),
        "SEF" => Some("Security incidents"),
        _ => None,
    }
}

const fn control(id: &'static str, title: &'static str, asks: &'static str) -> Control {
    Control { id, title, asks }
}

/// Every control, in the framework's order.
/// <https://cloudsecurityalliance.org/artifacts/saas-security-capability-framework-sscf>
pub const SSCF_CONTROLS: [Control; 36] = [
    control("CCC-SaaS-01", "Configuration can be queried", "Security settings can be read by a program."),
    control("CCC-SaaS-02", "Configuration is documented", "The vendor describes each security setting."),
    control("CCC-SaaS-03", "News of configuration", "The vendor tells when a security setting is added or changes."),
    control("CCC-SaaS-04", "Guidelines for secure settings", "The vendor says which settings are the secure ones."),
    control("DSP-SaaS-01", "Malicious uploads are blocked", "Files that do harm are not taken in."),
    control("IAM-SaaS-01", "User access is visible", "Who has access can be seen."),
    control("IAM-SaaS-02", "Permissions can be listed", "What each user may do can be listed."),
    control("IAM-SaaS-03", "Network access is restricted", "Access can be limited to known networks."),
    control("IAM-SaaS-04", "Single sign-on is supported", "Users can sign in through the company's identity provider."),
    control("IAM-SaaS-05", "Single sign-on is enforced", "There is no way in beside the identity provider."),
    control("IAM-SaaS-06", "Non-human identities are governed", "Keys, tokens and service accounts are known and kept in bounds."),
    control("IAM-SaaS-07", "Non-human identities can be revoked", "A key, token or grant can be taken back."),
    control("IAM-SaaS-08", "Credentials are managed", "Credentials of users have an end and can be renewed."),
    control("IAM-SaaS-09", "Accounts come and go", "Accounts are made and removed with the people they belong to."),
    control("IAM-SaaS-10", "A role for auditing", "Security settings can be read without the right to change them."),
    control("IAM-SaaS-11", "Password rules", "Passwords have to be hard to guess."),
    control("IAM-SaaS-12", "A second factor", "Users prove who they are with more than a password."),
    control("IAM-SaaS-13", "No anonymous access", "Access without an account can be switched off."),
    control("IAM-SaaS-14", "No unmanaged outsiders", "Access of people whom the company does not manage can be switched off."),
    control("IAM-SaaS-15", "Sessions can be ended", "Sessions can be revoked, and signing out ends all of them."),
    control("IAM-SaaS-16", "Changed rights take effect", "A right that is taken away is gone at once."),
    control("IAM-SaaS-17", "Accounts can be suspended", "An account can be stopped for a time without being deleted."),
    control("IAM-SaaS-18", "Access comes in scopes", "Access of programs can be limited to what they need."),
    control("IAM-SaaS-19", "Third parties are allowed by name", "Only integrations that somebody approved can be added."),
    control("IAM-SaaS-20", "Idle sessions end", "A session that nobody uses ends."),
    control("IAM-SaaS-21", "Invitations are restricted", "Who may invite users can be limited."),
    control("IPY-SaaS-01", "Exports are controlled", "Data can be taken out, by those who may."),
    control("IPY-SaaS-02", "Integrations can be told apart", "What an integration does can be told from what others do."),
    control("LOG-SaaS-01", "What is logged", "Events that matter for security are logged."),
    control("LOG-SaaS-02", "What a log entry says", "Each entry says who did what, when and from where."),
    control("LOG-SaaS-03", "Logs can be fetched", "Logs can be delivered to the company's own systems."),
    control("LOG-SaaS-04", "How long logs are kept", "Logs are kept long enough to look into an incident."),
    control("LOG-SaaS-05", "How fast logs arrive", "Logs arrive soon after the event."),
    control("LOG-SaaS-06", "Log events are documented", "The vendor describes each kind of event."),
    control("LOG-SaaS-07", "Logs cannot be changed", "Entries cannot be altered or removed."),
    control("SEF-SaaS-01", "News of incidents", "The vendor tells the right people of a security event."),
];

/// The control of that id.
pub fn sscf_control(id: &str) -> Option<&'static Control> {
    SSCF_CONTROLS.iter().find(|control| control.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_control_stands_once_in_a_known_domain() {
        for (at, control) in SSCF_CONTROLS.iter().enumerate() {
            assert!(domain_title(control.domain()).is_some(), "{}", control.id);
            assert!(SSCF_CONTROLS[..at].iter().all(|other| other.id < control.id), "{} stands in order", control.id);
            assert!(!control.title.is_empty() && control.asks.ends_with('.'));
        }
        assert!(sscf_control("IAM-SaaS-22").is_none() && sscf_control("").is_none());
    }
}
