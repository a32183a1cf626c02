//! Which hosts a login option comes to with the values of its fields. The only door from typed text to a host name.

use crate::{Field, Format, FormatProblem, Inputs, Login, format};
use std::collections::{BTreeMap, BTreeSet};

/// The hosts of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedHosts {
    /// Host role to host and path prefix. A role whose templates rest on an optional field that is empty is not in it.
    pub roles: BTreeMap<String, (String, String)>,
    /// Every host role that the login option declares, with or without a host now.
    pub declared: BTreeSet<String>,
    /// Every host that may receive this option's credentials. Lower case.
    pub allowed: BTreeSet<String>,
}

/// Why no host comes of a login option's fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A field that a host needs is empty.
    #[error("{label} is not filled in, and the host to ask follows from it. Fill it in.")]
    Missing {
        /// The field's label.
        label: String,
    },
    /// A value does not have its field's format.
    #[error("{label}: {problem}")]
    Format {
        /// The field's label.
        label: String,
        /// What is wrong with it, and what would be right.
        problem: FormatProblem,
    },
    /// The values make no host name that stays within the template.
    #[error("{label} does not make a host name of this application. Correct it.")]
    NotAHost {
        /// The label of the field that stands in the template.
        label: String,
    },
    /// A host role comes to a host that may not receive the credential: the manifest is wrong.
    #[error(
        "The application's manifest sends the credential to {host}, which is not among the login option's hosts. Correct `hosts` or `roles`."
    )]
    NotAllowed {
        /// The host.
        host: String,
    },
}

/// The placeholders of a template: `organization` of `{organization}.example.com`. `None` when braces do not pair.
pub(crate) fn placeholders(template: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if before.contains('}') || name.is_empty() || name.contains('{') {
            return None;
        }
        found.push(name);
        rest = after;
    }
    (!rest.contains('}')).then_some(found)
}

impl Login {
    /// The hosts that this option comes to with these values. Where a choice is left open ([`crate::Discover`]), the hosts of
    /// every choice are allowed, and the roles are those of the first try.
    ///
    /// # Errors
    /// [`HostError`], when a value has not its field's format, or a needed one is empty, or what comes of it is not a
    /// lower-case DNS name that ends in the template's own text.
    pub fn resolve(&self, inputs: &Inputs) -> Result<ResolvedHosts, HostError> {
        match &self.discover {
            Some(discover) if inputs.get(&discover.input) == Some(&discover.open) => {
                let at = |value: &str| {
                    let mut inputs = inputs.clone();
                    inputs.insert(discover.input.clone(), value.to_owned());
                    self.resolve_settled(&inputs)
                };
                let mut resolved = at(discover.tries.first().map_or("", String::as_str))?;
                let choices = self.fields.iter().filter(|field| field.id == discover.input).flat_map(|field| &field.choices);
                for choice in choices.filter(|choice| choice.value != discover.open) {
                    resolved.allowed.extend(at(&choice.value)?.allowed);
                }
                Ok(resolved)
            }
            Some(_) | None => self.resolve_settled(inputs),
        }
    }

    /// The same hosts where the vendor has named that of a role ([`crate::HostFrom`]): it is then the role's only one.
    ///
    /// # Errors
    /// [`HostError::Missing`] when a field that the role's prefix needs is empty.
    pub fn with_named(&self, mut hosts: ResolvedHosts, role: &str, host: &str, inputs: &Inputs) -> Result<ResolvedHosts, HostError> {
        let template = self.roles.iter().find(|known| known.id == role).map_or("", |role| role.prefix.as_str());
        let prefix = match self.fill_prefix(template, inputs)? {
            Filled::Whole(prefix) => prefix,
            Filled::Lacks(field) => return Err(HostError::Missing { label: field.label.clone() }),
        };
        let before = hosts.roles.insert(role.to_owned(), (host.to_owned(), prefix));
        if let Some((before, _)) = before
            && !hosts.roles.values().any(|(other, _)| *other == before)
        {
            hosts.allowed.remove(&before);
        }
        hosts.allowed.insert(host.to_owned());
        Ok(hosts)
    }

    fn resolve_settled(&self, inputs: &Inputs) -> Result<ResolvedHosts, HostError> {
        let mut allowed = BTreeSet::new();
        for template in &self.hosts {
            if let Filled::Whole(host) = self.fill_host(template, inputs)? {
                allowed.insert(host);
            }
        }
        let mut roles = BTreeMap::new();
        for role in &self.roles {
            let mut missing = None;
            for template in &role.hosts {
                match self.fill_host(template, inputs)? {
                    Filled::Whole(host) => {
                        if !allowed.contains(&host) {
                            return Err(HostError::NotAllowed { host });
                        }
                        match self.fill_prefix(&role.prefix, inputs)? {
                            Filled::Whole(prefix) => {
                                roles.insert(role.id.clone(), (host, prefix));
                            }
                            Filled::Lacks(field) => missing = Some(field),
                        }
                        break;
                    }
                    Filled::Lacks(field) => missing = Some(field),
                }
            }
            if let (false, Some(field)) = (roles.contains_key(&role.id), missing)
                && !field.optional
            {
                return Err(HostError::Missing { label: field.label.clone() });
            }
        }
        let declared = self.roles.iter().map(|role| role.id.clone()).collect();
        Ok(ResolvedHosts { roles, declared, allowed })
    }

    /// Every host that a role's templates come to with these values, in the manifest's order: the first is the role's host,
    /// the others belong to the same party. Templates that rest on an empty field are left out.
    ///
    /// # Errors
    /// [`HostError`], as for [`Self::resolve`].
    pub fn role_hosts(&self, role: &str, inputs: &Inputs) -> Result<Vec<String>, HostError> {
        let mut hosts = Vec::new();
        for template in self.roles.iter().filter(|known| known.id == role).flat_map(|known| &known.hosts) {
            if let Filled::Whole(host) = self.fill_host(template, inputs)?
                && !hosts.contains(&host)
            {
                hosts.push(host);
            }
        }
        Ok(hosts)
    }

    fn fill_host<'a>(&'a self, template: &str, inputs: &Inputs) -> Result<Filled<'a>, HostError> {
        let mut host = String::new();
        let mut rest = template;
        let mut last: Option<&Field> = None;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            let Some(field) = self.host_field(name) else { return Err(HostError::NotAHost { label: name.to_owned() }) };
            let Some(value) = value_of(field, inputs)? else { return Ok(Filled::Lacks(field)) };
            // Beside other text a typed value is one label, so that it cannot reach over into the vendor's domain.
            if !(before.is_empty() && after.is_empty() && host.is_empty()) && field.format != Format::Choice && !format::is_label(&value) {
                return Err(HostError::NotAHost { label: field.label.clone() });
            }
            host.push_str(before);
            host.push_str(&value);
            last = Some(field);
            rest = after;
        }
        host.push_str(rest);
        if !format::is_host(&host) || !host.ends_with(rest) {
            return Err(HostError::NotAHost { label: last.map_or_else(|| template.to_owned(), |field| field.label.clone()) });
        }
        Ok(Filled::Whole(host))
    }

    fn fill_prefix<'a>(&'a self, template: &str, inputs: &Inputs) -> Result<Filled<'a>, HostError> {
        let mut prefix = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            let Some(field) = self.host_field(name) else { return Err(HostError::NotAHost { label: name.to_owned() }) };
            let Some(value) = value_of(field, inputs)? else { return Ok(Filled::Lacks(field)) };
            if !format::is_label(&value) {
                return Err(HostError::NotAHost { label: field.label.clone() });
            }
            prefix.push_str(before);
            prefix.push_str(&value);
            rest = after;
        }
        prefix.push_str(rest);
        Ok(Filled::Whole(prefix))
    }

    /// Only a validated, open field can stand in a host.
    fn host_field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id && !field.secret)
    }
}

enum Filled<'a> {
    Whole(String),
    Lacks(&'a Field),
}

/// What a field's placeholder becomes: its checked value, or the host of the chosen choice. `None` when it is empty.
fn value_of(field: &Field, inputs: &Inputs) -> Result<Option<String>, HostError> {
    let Some(value) = inputs.get(&field.id).filter(|value| !value.trim().is_empty()) else { return Ok(None) };
    let value = field.format.check(&field.choices, value).map_err(|problem| HostError::Format { label: field.label.clone(), problem })?;
    Ok(Some(match field.choices.iter().find(|choice| field.format == Format::Choice && choice.value == value) {
        Some(choice) => choice.host.clone().unwrap_or(value),
        None => value,
    }))
}
