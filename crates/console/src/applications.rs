//! What can be onboarded: tiles, the data of the Add Instance dialog, and the checking of typed values.

use crate::{
    Console,
    catalog_document::{AppDocument, CatalogDocument, feature, format_name, param_type, strategy_name, verified, word},
    manual_instances::not_scanned,
    screen::{
        Application, Availability, Choice, Discovered, Failure, Field, FieldState, GuideStep, LeftOut, Login, Never, NotOffered,
        OneTimeCode, PlannedLogin, Question, SandboxScope, Tile,
    },
};
use catalog::{App, Check, Format, Strategy};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// Labels of the reference product.
pub(crate) const LABELS: [&str; 6] = ["Default", "Production", "Sandbox", "Internal", "QA", "Dev"];

impl Console {
    /// Tiles without the number of instances: needs neither database nor keychain.
    ///
    /// # Errors
    /// When a manifest is not right.
    pub fn catalog_tiles(&self) -> Result<Vec<Tile>, Failure> {
        Ok(self.catalog()?.tiles().iter().map(|tile| self.tile(tile, 0)).collect())
    }

    /// Tiles with the number of instances.
    ///
    /// # Errors
    /// When a manifest is not right or the database cannot be read.
    pub async fn tiles(&self) -> Result<Vec<Tile>, Failure> {
        let instances = self.instances(SandboxScope::Without).await?;
        let count = |slug: &str| instances.iter().filter(|instance| instance.app == slug).count();
        Ok(self.catalog()?.tiles().iter().map(|tile| self.tile(tile, count(&tile.slug))).collect())
    }

    /// What the dialog of an application needs.
    ///
    /// # Errors
    /// When there is no such application, its manifest is not right, or the database cannot be read.
    pub async fn application(&self, slug: &str) -> Result<Application, Failure> {
        let app = self.app(slug)?;
        let instances = self.instances(SandboxScope::Without).await?;
        let names: Vec<String> = instances.into_iter().filter(|instance| instance.app == slug).map(|instance| instance.name).collect();
        self.application_page(&app, names)
    }

    pub(crate) fn application_page(&self, app: &App, instance_names: Vec<String>) -> Result<Application, Failure> {
        let catalog = self.catalog()?;
        let Some(tile) = catalog.tiles().iter().find(|tile| tile.slug == app.slug) else { return Err(unknown(&app.slug)) };
        Ok(Application {
            tile: self.tile(tile, instance_names.len()),
            home: app.home.clone(),
            logins: app.logins.iter().map(|login| login_screen(app, login)).collect(),
            not_offered: app.not_offered.iter().map(not_offered_screen).collect(),
            planned: app.planned.iter().map(|one| PlannedLogin { label: one.label.clone(), summary: one.summary.clone() }).collect(),
            ended: app.ended.clone(),
            left_out: left_out(app),
            labels: LABELS.map(str::to_owned).to_vec(),
            never: app.never.iter().map(|never| Never { path: never.path.clone(), reason: never.reason.clone() }).collect(),
            questions: app.checks.iter().flat_map(|check| questions(app, check)).collect(),
            instance_names,
        })
    }

    /// The catalog as other tools read it.
    ///
    /// # Errors
    /// When there is no such application or a manifest is not right.
    pub fn catalog_document(&self, only: Option<&str>) -> Result<CatalogDocument, Failure> {
        let slugs: Vec<String> = match only {
            Some(slug) => vec![slug.to_owned()],
            None => self.catalog()?.tiles().iter().map(|tile| tile.slug.clone()).collect(),
        };
        let mut apps = Vec::new();
        for slug in slugs {
            let app = self.app(&slug)?;
            apps.push(AppDocument::of(&app, &*self.program(&app)?));
        }
        Ok(CatalogDocument { schema: 1, apps })
    }

    /// Begins a dialog.
    ///
    /// # Errors
    /// When there is no such application or login option.
    pub fn open_draft(&self, app: &str, login: &str) -> Result<String, Failure> {
        let app = self.app(app)?;
        let login = find_login(&app, login)?;
        Ok(self.inner.drafts.open(&app.slug, &login.id))
    }

    /// Ends a dialog and wipes what was typed.
    pub fn close_draft(&self, draft: &str) {
        self.inner.drafts.close(draft);
    }

    /// Checks a typed value. A right value of a secret field is kept in the draft, a wrong one is forgotten; neither is given back.
    ///
    /// # Errors
    /// When the dialog was closed or has no such field.
    pub fn check_field(&self, draft: &str, field: &str, value: SecretString) -> Result<FieldState, Failure> {
        let (slug, login_id) = self.inner.drafts.with(draft, |draft| (draft.app.clone(), draft.login.clone()))?;
        let app = self.app(&slug)?;
        let login = find_login(&app, &login_id)?;
        let Some(known) = login.fields.iter().find(|known| known.id == field) else {
            return Err(Failure::new("E-FIELD-UNKNOWN", format!("This dialog has no field {field}."), "Open the dialog again."));
        };
        // The formats trim what they may; of a password nothing is cut off.
        let typed = value.expose_secret();
        if typed.trim().is_empty() {
            self.inner.drafts.with(draft, |draft| draft.secrets.remove(field))?;
            return Ok(FieldState::Empty);
        }
        match known.format.check(&known.choices, typed) {
            Err(problem) => {
                // Kept until the dialog closes all the same: a value that is being typed is wrong until its last character.
                self.inner.drafts.with(draft, |draft| {
                    if known.secret {
                        draft.secrets.insert(field.to_owned(), SecretString::from(typed.to_owned()));
                    }
                })?;
                Ok(FieldState::Wrong { sentence: problem.sentence })
            }
            Ok(right) if known.secret => {
                let note = self.inner.drafts.with(draft, |draft| {
                    draft.secrets.insert(field.to_owned(), SecretString::from(right));
                    connect::hints(login, &draft.secrets)
                })?;
                Ok(FieldState::Right { value: None, note: hint_sentence(&note) })
            }
            Ok(right) => Ok(FieldState::Right { value: Some(right), note: String::new() }),
        }
    }

    /// The one-time code that a field of an open dialog produces now; `None` while the field holds no right key.
    ///
    /// # Errors
    /// When the dialog was closed.
    pub fn one_time_code(&self, draft: &str, field: &str) -> Result<Option<OneTimeCode>, Failure> {
        let key = self
            .inner
            .drafts
            .with(draft, |draft| draft.secrets.get(field).and_then(|secret| catalog::MfaKey::parse(secret.expose_secret()).ok()))?;
        Ok(key.map(|key| {
            let shown = connect::code_now(&key, self.now());
            OneTimeCode { code: shown.code.expose_secret().to_owned(), seconds_left: shown.seconds_left, period: shown.period }
        }))
    }

    pub(crate) fn app(&self, slug: &str) -> Result<Arc<App>, Failure> {
        self.catalog()?.app(slug)?.ok_or_else(|| unknown(slug))
    }

    fn tile(&self, tile: &catalog::Tile, instances: usize) -> Tile {
        Tile {
            slug: tile.slug.clone(),
            name: tile.name.clone(),
            vendor: tile.vendor.clone(),
            category: word(&tile.category),
            features: tile.features.iter().copied().map(feature).map(str::to_owned).collect(),
            verified: verified(tile.verified).to_owned(),
            checks: tile.checks,
            instances: u32::try_from(instances).unwrap_or(u32::MAX),
            availability: availability(tile.availability),
        }
    }
}

pub(crate) fn find_login<'a>(app: &'a App, id: &str) -> Result<&'a catalog::Login, Failure> {
    if app.logins.is_empty() {
        return Err(not_scanned(app));
    }
    app.login(id).ok_or_else(|| {
        Failure::new(
            "E-LOGIN-UNKNOWN",
            format!("{} has no login option {id}.", app.name),
            "Choose one of the login options the dialog shows.",
        )
    })
}

fn unknown(slug: &str) -> Failure {
    Failure::new("E-APP-UNKNOWN", format!("The catalog has no application {slug}."), "See Add Application, or `posture apps`.")
}

fn login_screen(app: &App, login: &catalog::Login) -> Login {
    Login {
        id: login.id.clone(),
        label: login.label.clone(),
        summary: login.summary.clone(),
        checks: u32::try_from(app.checks.iter().filter(|check| app.feeds(login, check)).count()).unwrap_or(u32::MAX),
        fields: login
            .fields
            .iter()
            .map(|field| Field {
                id: field.id.clone(),
                label: field.label.clone(),
                secret: field.secret,
                optional: field.optional,
                format: format_name(&field.format).to_owned(),
                suffix: match &field.format {
                    Format::DnsLabel { suffixes } => suffixes.first().cloned().unwrap_or_default(),
                    Format::OktaDomain => ".okta.com".to_owned(),
                    Format::VendorHost { complete, .. } => complete.clone().unwrap_or_default(),
                    Format::Text
                    | Format::Password
                    | Format::Jwt
                    | Format::Token { .. }
                    | Format::Host
                    | Format::Choice
                    | Format::List { .. }
                    | Format::Email
                    | Format::OktaCustomDomain
                    | Format::MfaKey
                    | Format::Guid
                    | Format::EntraTenant
                    | Format::CertificateAndKey
                    | Format::PrivateKey { .. }
                    | Format::KeyFile { .. }
                    | Format::Pattern { .. }
                    | Format::Url { .. } => String::new(),
                },
                choices: field
                    .choices
                    .iter()
                    .map(|choice| Choice {
                        value: choice.value.clone(),
                        label: choice.label.clone(),
                        host: choice.host.clone(),
                        hidden: choice.hidden,
                    })
                    .collect(),
                default: field.default.clone(),
                help: field.help.clone(),
                example: field.example.clone(),
                steps: field.steps.clone(),
                link: field.link.clone(),
                reveal: field.reveal.clone(),
            })
            .collect(),
        needs: login.needs.clone(),
        steps: login.steps.iter().map(|step| GuideStep { text: step.text.clone(), link: step.link.clone() }).collect(),
        hosts: login.hosts.iter().cloned().chain(named_hosts(login)).collect(),
        discover: login.discover.as_ref().map(|discover| Discovered {
            field: discover.input.clone(),
            open: discover.open.clone(),
            tries: discover.tries.clone(),
        }),
        strategy: strategy_name(&login.strategy).to_owned(),
    }
}

/// Under which domains the vendor's own answer may name a host that receives the credential, as templates: `*.my.salesforce.com`.
pub(crate) fn named_hosts(login: &catalog::Login) -> Vec<String> {
    let from = match &login.strategy {
        Strategy::ClientCredentials(strategy) => strategy.host_from.as_ref(),
        Strategy::Assertion(strategy) => strategy.host_from.as_ref(),
        Strategy::AuthorizationCode(strategy) => strategy.host_from.as_ref(),
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::DeviceCode(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_)
        | Strategy::Okta(_)
        | Strategy::Entra(_) => None,
    };
    from.map(|from| from.suffixes.iter().map(|suffix| format!("*{suffix}")).collect()).unwrap_or_default()
}

fn questions(app: &App, check: &Check) -> Vec<Question> {
    let logins: Vec<String> = app.logins.iter().filter(|login| app.feeds(login, check)).map(|login| login.id.clone()).collect();
    check
        .params
        .iter()
        .filter(|(_, param)| param.default.is_none())
        .map(|(name, param)| Question {
            check: check.id.clone(),
            param: name.clone(),
            label: param.label.clone(),
            ty: param_type(param.ty).to_owned(),
            title: check.title.clone(),
            logins: logins.clone(),
        })
        .collect()
}

/// What can be done with an application, in the words of screens.
pub(crate) fn availability(of: catalog::Availability) -> Availability {
    match of {
        catalog::Availability::Offered => Availability::Offered,
        catalog::Availability::Planned => Availability::Planned,
        catalog::Availability::Attested => Availability::Attested,
        catalog::Availability::Ended => Availability::Ended,
    }
}

/// The checks of an application that are known and not built.
pub(crate) fn left_out(app: &App) -> Vec<LeftOut> {
    app.left_out.iter().map(|one| LeftOut { id: one.id.clone(), title: one.title.clone(), reason: one.reason.clone() }).collect()
}

fn not_offered_screen(option: &catalog::NotOffered) -> NotOffered {
    NotOffered { label: option.label.clone(), reason: option.reason.clone(), instead: option.instead.clone() }
}

/// "EU, expires 14 Jan 2027", of what the credential tells about itself.
fn hint_sentence(hints: &connect::Hints) -> String {
    let mut parts = Vec::new();
    if let Some(organization) = &hints.organization {
        parts.push(format!("organization {organization}"));
    }
    if let Some(made_for) = &hints.made_for {
        parts.push(format!("made for {made_for}"));
    }
    if let Some(expires_at) = hints.expires_at {
        parts.push(format!("expires {}", expires_at.strftime("%-d %b %Y")));
    }
    parts.join(", ")
}
