//! A sandbox tenant of the catalog as a source of answers.

use crate::{
    SandboxError, Served,
    answer::{Answer, Body, Generated, Shape},
    credentials::{Opened, host_from, named_host},
    door::Door,
    limit::{Gatekeeper, Told},
    okta::{Application, Organization, Plan, Start},
    paging::Paging,
    placeholder::{Filler, claims, has_index},
    served::{AlsoServed, Credential},
    spoken::Spoken,
    tenant_sign_in::Preparing,
};
use catalog::{App, Dataset, Format, FormatProblem, Login, MfaKey, OktaStart, Pagination, SandboxTenant, Strategy};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An imaginary organization whose files have been read and whose placeholders are filled.
pub struct Tenant {
    name: String,
    fields: BTreeMap<String, String>,
    served: Served,
}

impl Tenant {
    /// Prepares a tenant of `app`. Its dates, certificates and tokens are as of `now` and stay so: two readings of one
    /// tenant differ only in what was changed between them.
    ///
    /// # Errors
    /// Whatever is wrong with the tenant's files: an unknown login option, an absent credential, a host, placeholder or
    /// paging style that is not understood.
    pub fn new(tenant: &SandboxTenant, app: &App, now: Timestamp) -> Result<Self, SandboxError> {
        let name = format!("{}/{}", tenant.app, tenant.id);
        let login =
            app.login(&tenant.login).ok_or_else(|| SandboxError::LoginUnknown { tenant: name.clone(), login: tenant.login.clone() })?;
        let mut filler = Filler::new(&name, now);
        let mut fields = BTreeMap::new();
        for (id, value) in &tenant.fields {
            fields.insert(id.clone(), filler.text(value)?);
        }
        let named = host_from(&login.strategy).map(|from| (from.role.clone(), named_host(tenant, from)));
        let places = Places { login, fields: &fields, named };
        let (credential, door) = signing_in(&login.strategy, tenant, app, &places, &name)?;
        let mut also = Vec::with_capacity(login.also.len());
        for (at, one) in login.also.iter().enumerate() {
            let own = format!("{name}#{}", at + 1);
            let (credential, door) = match signing_in(&one.strategy, tenant, app, &places, &own) {
                Ok(opening) => opening,
                // A tenant without it has none, and nothing opens what it is for.
                Err(SandboxError::CredentialAbsent { .. } | SandboxError::HostUnknown { .. }) => (Credential::Headers(Vec::new()), None),
                Err(error) => return Err(error),
            };
            let others = login.roles.iter().filter(|role| !one.roles.contains(&role.id));
            let shared: BTreeSet<String> = others.flat_map(|role| places.of_role(&role.id)).collect();
            let hosts = one.roles.iter().flat_map(|role| places.of_role(role)).filter(|host| !shared.contains(host)).collect();
            also.push(AlsoServed { name: own, roles: one.roles.clone(), hosts, credential, door });
        }
        let mut hosts: BTreeSet<String> = login.hosts.iter().flat_map(|template| places.every(template)).collect();
        hosts.extend(places.named.iter().map(|(_, host)| host.clone()));
        let prefix = |role: &str| login.roles.iter().find(|known| known.id == role).map_or("", |role| role.prefix.as_str());
        let mut answers = Vec::with_capacity(tenant.answers.len());
        for answer in &tenant.answers {
            let own = places.of_answer(&answer.host).filter(|hosts| !hosts.is_empty()).ok_or_else(|| SandboxError::HostUnknown {
                tenant: name.clone(),
                host: answer.host.clone(),
                path: answer.path.clone(),
            })?;
            hosts.extend(own.iter().cloned());
            let role = login.roles.iter().find(|role| role.id == answer.host).map(|role| role.id.clone());
            let mut body = filler.value(&answer.body)?;
            if let Some(dataset) = answer.document.as_ref().and_then(|id| app.dataset(id)) {
                let mut each = BTreeMap::new();
                for (part, value) in &answer.each {
                    each.insert(part.clone(), filler.text(value)?);
                }
                let spoken =
                    Spoken::new(dataset, prefix(&dataset.host), answers.len(), answer.page_rows, each, |template| places.text(template));
                answers.push(Answer {
                    hosts: own,
                    role,
                    method: dataset.method.as_str().to_owned(),
                    shape: Shape::parse(&format!("{}{}", prefix(&dataset.host), dataset.path)),
                    documents: Vec::new(),
                    authorised: answer.authorised,
                    status: answer.status,
                    headers: Vec::new(),
                    body: Body::Json(Arc::new(body)),
                    paging: None,
                    generated: Generated::default(),
                    spoken,
                });
                continue;
            }
            let wrong = |problem: String| SandboxError::Paging { tenant: name.clone(), path: answer.path.clone(), problem };
            let shape = Shape::parse(&filler.text(&answer.path)?);
            let paging = match answer.paged.as_deref() {
                Some("declared") => {
                    let read_there = |dataset: &&Dataset| {
                        dataset.host == answer.host && Shape::parse(&format!("{}{}", prefix(&dataset.host), dataset.path)).covers(&shape)
                    };
                    let paged = app.datasets.iter().filter(read_there).find(|dataset| dataset.pagination != Pagination::None);
                    let dataset = paged.ok_or_else(|| wrong("no dataset with pages is read there".to_owned()))?;
                    Some(Paging::declared(dataset).map_err(&wrong)?)
                }
                style => style.map(Paging::parse).transpose().map_err(&wrong)?,
            };
            let paging = paging.map(|mut paging| {
                answer.page_rows.into_iter().for_each(|rows| paging.set_usual(rows));
                paging
            });
            let mut generated = Generated::default();
            if let Some(paging) = &paging {
                let rows = paging.rows_mut(&mut body).ok_or_else(|| wrong("there is no list where the style expects it".to_owned()))?;
                if let Some(at) = rows.iter().position(has_index) {
                    generated.pattern = Some(Arc::new(rows.remove(at)));
                }
            }
            let method = answer.method.to_ascii_uppercase();
            // An interface that calls methods by name in the body answers those that a scan may call, and no others.
            let posted = app.datasets.iter().filter(|dataset| dataset.host == answer.host && method == "POST");
            let documents = posted
                .filter(|dataset| Shape::parse(&format!("{}{}", prefix(&dataset.host), dataset.path)).covers(&shape))
                .filter_map(|dataset| serde_json::from_str(dataset.document.as_deref()?).ok())
                .collect();
            let mut headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
            for (name, value) in &answer.headers {
                headers.push((name.clone(), filler.text(value)?));
            }
            answers.push(Answer {
                hosts: own,
                role,
                method,
                shape,
                documents,
                authorised: answer.authorised,
                status: answer.status,
                headers,
                body: Body::Json(Arc::new(body)),
                paging,
                generated,
                spoken: None,
            });
        }
        let datasets = app.datasets.iter().map(|dataset| {
            let prefix = prefix(&dataset.host);
            let shape = Shape::parse(&format!("{prefix}{}", dataset.path));
            // Only fixed values can tell answers apart; a templated one stands for any.
            let fixed = dataset.query.iter().filter(|(_, value)| !value.contains('{')).cloned();
            let instead = dataset.instead.as_ref().map(|instead| Shape::parse(&format!("{prefix}{}", instead.path)));
            (dataset.id.clone(), std::iter::once(shape.with_query(fixed)).chain(instead).collect())
        });
        let datasets = datasets.collect();
        let mut errors = BTreeMap::new();
        for (status, body) in &tenant.errors {
            errors.insert(*status, filler.value(body)?);
        }
        let mut told = BTreeMap::new();
        for dataset in &app.datasets {
            for host in places.of_role(&dataset.host) {
                told.entry(host).or_insert_with(|| Told::of(&dataset.politeness));
            }
        }
        let gate = tenant.limits.clone().map(|limits| Arc::new(Gatekeeper::new(limits)));
        let served = Served { name: name.clone(), hosts, credential, door, answers, datasets, errors, limits: true, also, told, gate };
        Ok(Self { name, fields, served })
    }

    /// `kustomer/risky`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the Add Instance dialog would hold, secrets included; they open nothing but this sandbox. A token made by an
    /// earlier sandbox of the same tenant is accepted too, until it expires.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// The address of the application's link on the dashboard of the tenant's Okta organization, for tenants that have one.
    pub fn app_link(&self) -> Option<String> {
        self.served.door.as_ref().and_then(Door::app_link)
    }

    /// The same tenant with `count` more rows at the answer of that path, made from the one row there that holds
    /// `{{index}}` (0 to `count` - 1; `{{index:N}}` as a whole text becomes the number N + index). Answers whose path holds
    /// `{{index}}` then answer for each of them. Without this, pattern rows and such answers are not served at all.
    ///
    /// # Errors
    /// The path has no paged answer, or its rows have no pattern.
    pub fn with_generated(mut self, path: &str, count: u32) -> Result<Self, SandboxError> {
        let wrong = |problem| SandboxError::Pattern { tenant: self.name.clone(), path: path.to_owned(), problem };
        let shape = Shape::parse(path);
        let mut matching = self.served.answers.iter_mut().filter(|answer| answer.shape == shape && answer.paging.is_some()).peekable();
        if matching.peek().is_none() {
            return Err(wrong("it has no paged answer"));
        }
        let mut patterns = 0;
        for answer in matching.filter(|answer| answer.generated.pattern.is_some()) {
            answer.generated.count = count;
            patterns += 1;
        }
        if patterns == 0 {
            return Err(wrong("its rows have no pattern"));
        }
        for answer in self.served.answers.iter_mut().filter(|answer| answer.shape.is_numbered()) {
            answer.generated.count = answer.generated.count.max(count);
        }
        Ok(self)
    }

    /// The same tenant with pages of this many rows where a request does not say how many, so that short lists have several.
    #[must_use]
    pub fn with_page_rows(mut self, rows: u32) -> Self {
        self.served.answers.iter_mut().filter_map(|answer| answer.paging.as_mut()).for_each(|paging| paging.set_usual(rows));
        self
    }

    pub(crate) fn into_served(self) -> Served {
        self.served
    }
}

/// What opens a tenant, and how it is come by.
fn signing_in(
    strategy: &Strategy,
    tenant: &SandboxTenant,
    app: &App,
    places: &Places<'_>,
    name: &str,
) -> Result<(Credential, Option<Door>), SandboxError> {
    let opened = Opened { tenant, places, name };
    let field = |id: &String| {
        let value = places.fields.get(id).filter(|value| !value.is_empty()).cloned();
        value.ok_or_else(|| SandboxError::CredentialAbsent { tenant: name.to_owned(), field: id.clone() })
    };
    let host_unknown =
        |role: &str, path: &str| SandboxError::HostUnknown { tenant: name.to_owned(), host: role.to_owned(), path: path.to_owned() };
    let hosts_of = |role: &str, path: &str| {
        let hosts = places.of_role(role);
        if hosts.is_empty() { Err(host_unknown(role, path)) } else { Ok(hosts) }
    };
    match strategy {
        Strategy::Bearer { token } => {
            let value = field(token)?;
            let claims = tenant.fields.get(token).and_then(|written| claims(written));
            Ok((claims.map_or(Credential::Bearer(value), Credential::Token), None))
        }
        Strategy::Headers { headers } => opened.headers(headers),
        Strategy::Basic { user, password } => opened.basic(user, password),
        Strategy::ClientCredentials(strategy) => opened.client_credentials(strategy),
        Strategy::Assertion(strategy) => opened.assertion(strategy),
        Strategy::Okta(strategy) => {
            let mut options = tenant.okta.clone().unwrap_or_default();
            if options.application.is_empty() {
                options.application = app.name.clone();
            }
            let (start, relay) = match &strategy.start {
                OktaStart::Application { path, lookup } => {
                    let lookup = lookup
                        .as_ref()
                        .map(|lookup| hosts_of(&lookup.role, &lookup.path).map(|hosts| (hosts.into_iter().collect(), lookup.path.clone())));
                    (Some(Start { path: path.clone(), lookup: lookup.transpose()? }), None)
                }
                OktaStart::AppLink { relay_state, .. } => (None, relay_state.as_ref().and_then(|template| places.text(template))),
            };
            let first = |prefixes: &[String]| prefixes.first().cloned();
            let callback = first(&strategy.callback);
            let application = Application {
                hosts: hosts_of(&strategy.app, "/")?,
                start,
                acs: options.acs.clone().or_else(|| if callback.is_none() { first(&strategy.acs) } else { None }),
                callback,
                relay,
                request_by_form: options.request_by_form,
                cookie_domain: options.cookie_domain.clone(),
            };
            let malformed = |problem: FormatProblem| SandboxError::FieldMalformed {
                tenant: name.to_owned(),
                field: strategy.mfa_key.clone(),
                problem: problem.sentence,
            };
            let cookie = application.cookie();
            let plan = Plan {
                tenant: name.to_owned(),
                hosts: hosts_of(&strategy.okta, "/api/v1/authn")?,
                login: field(&strategy.user)?,
                password: field(&strategy.password)?,
                mfa_key: MfaKey::parse(&field(&strategy.mfa_key)?).map_err(malformed)?,
                options,
                application,
            };
            Ok((Credential::Session { cookie }, Some(Door::Okta(Box::new(Organization::new(plan)?)))))
        }
        Strategy::Entra(strategy) => Preparing { tenant, places, name }.entra(strategy),
        Strategy::AuthorizationCode(strategy) => Preparing { tenant, places, name }.authorization_code(strategy),
        Strategy::DeviceCode(strategy) => Preparing { tenant, places, name }.device_code(strategy),
        Strategy::GithubApp(strategy) => Preparing { tenant, places, name }.github_app(strategy),
        Strategy::SnowflakeKeyPair(strategy) => Preparing { tenant, places, name }.snowflake(strategy),
    }
}

/// Host templates and what the tenant's fields make of them.
pub(crate) struct Places<'a> {
    pub(crate) login: &'a Login,
    pub(crate) fields: &'a BTreeMap<String, String>,
    /// The host that the token endpoint names, with its role.
    named: Option<(String, String)>,
}

impl Places<'_> {
    /// The hosts an answer belongs to: those of a role, or the host it names.
    fn of_answer(&self, host: &str) -> Option<BTreeSet<String>> {
        match self.login.roles.iter().find(|role| role.id == host) {
            Some(_) => Some(self.of_role(host).into_iter().collect()),
            None if host.contains('{') => self.filled(host).map(|host| BTreeSet::from([host])),
            None => (host.contains('.') && !host.contains('/')).then(|| BTreeSet::from([host.to_ascii_lowercase()])),
        }
    }

    /// The hosts of a role in the order of its templates.
    pub(crate) fn of_role(&self, id: &str) -> Vec<String> {
        if let Some((_, host)) = self.named.as_ref().filter(|(role, _)| role == id) {
            return vec![host.clone()];
        }
        let roles = self.login.roles.iter().filter(|role| role.id == id);
        roles.flat_map(|role| &role.hosts).filter_map(|template| self.filled(template)).collect()
    }

    /// Text with the tenant's own values as they are written; `None` when one is missing.
    pub(crate) fn text(&self, template: &str) -> Option<String> {
        self.login.fields.iter().try_fold(template.to_owned(), |text, field| {
            let placeholder = format!("{{{}}}", field.id);
            if !text.contains(&placeholder) {
                return Some(text);
            }
            let value = self.fields.get(&field.id).filter(|value| !value.is_empty()).or(field.default.as_ref())?;
            // What is stored is the checked form: with the prefix that somebody left out, for one.
            let value = field.format.check(&field.choices, value).unwrap_or_else(|_| value.clone());
            Some(text.replace(&placeholder, &value))
        })
    }

    /// A template with the tenant's own values; `None` when one is missing.
    fn filled(&self, template: &str) -> Option<String> {
        self.login.fields.iter().try_fold(template.to_owned(), |text, field| {
            let placeholder = format!("{{{}}}", field.id);
            if !text.contains(&placeholder) {
                return Some(text);
            }
            let value = self.fields.get(&field.id).filter(|value| !value.is_empty()).or(field.default.as_ref())?;
            // A name stands for a host.
            let is_host = matches!(field.format, Format::OktaDomain | Format::VendorHost { .. });
            let checked = is_host.then(|| field.format.check(&field.choices, value).ok()).flatten();
            let value = checked.as_ref().unwrap_or(value);
            let chosen = field.choices.iter().find(|choice| choice.value == *value).and_then(|choice| choice.host.as_ref());
            Some(text.replace(&placeholder, chosen.unwrap_or(value)).to_ascii_lowercase())
        })
    }

    /// A template with the tenant's own values and with every choice: a vendor answers on all of its hosts, if only to
    /// refuse a credential that belongs to another region.
    pub(crate) fn every(&self, template: &str) -> Vec<String> {
        let mut texts = vec![template.to_owned()];
        for field in self.login.fields.iter().filter(|field| field.format == Format::Choice) {
            let placeholder = format!("{{{}}}", field.id);
            texts = texts
                .into_iter()
                .flat_map(|text| {
                    if !text.contains(&placeholder) {
                        return vec![text];
                    }
                    let hosts = field.choices.iter().map(|choice| choice.host.as_ref().unwrap_or(&choice.value));
                    hosts.map(|host| text.replace(&placeholder, host)).collect()
                })
                .collect();
        }
        texts.iter().filter_map(|text| self.filled(text)).filter(|host| !host.contains('{')).collect()
    }
}
