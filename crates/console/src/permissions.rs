//! The least-privilege advisor: from what a credential could read, and from what the vendor says that it holds, to what to grant and
//! what to take away. Whatever is not known takes nothing away.

use crate::{
    Console, Listener,
    browse::severity,
    instances::datasets_of,
    manual_instances::{is_manual, not_scanned},
    onboard::Held,
    probe,
    scan::instance_id,
    screen::{DatasetState, Failure, Grant, Granted, LostCheck, PermissionAdvice, Permissions, SpareScope},
};
use catalog::{App, Check, CheckKind, EntraFlow, Login, Strategy};
use std::collections::BTreeMap;

/// Scopes of OpenID Connect, which open no dataset and belong to signing in.
/// <https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims>
const OF_SIGN_IN: [&str; 4] = ["openid", "profile", "email", "offline_access"];

impl Console {
    /// What the credential of an instance could read in the last complete scan, what it lacks, and what it holds needlessly. Asks
    /// nobody.
    ///
    /// # Errors
    /// When there is no such instance, nobody signs in to it, or the database cannot be read.
    pub async fn permissions(&self, instance: &str) -> Result<Permissions, Failure> {
        let id = instance_id(instance)?;
        let console = self.clone();
        self.with_open(move |open| {
            let instance = open.store.instance(id)?;
            let app = console.app(&instance.app)?;
            if is_manual(&instance, &app) {
                return Err(not_scanned(&app));
            }
            let scan = open.store.last_complete_scan(id)?;
            let datasets = match &scan {
                Some(scan) => datasets_of(&open.store, &app, scan)?,
                None => Vec::new(),
            };
            let granted =
                open.store.granted(id)?.map(|told| Granted { told_by: told.told_by, scopes: told.scopes, at: Some(told.at.to_string()) });
            let basis = if scan.is_some() { Basis::Scan } else { Basis::Nothing };
            let (checks, all_checks, advice) = advise(&app, app.login(&instance.login), &datasets, granted.unwrap_or_default(), basis);
            Ok(Permissions {
                instance: id.to_string(),
                as_of: scan.and_then(|scan| scan.finished_at).map(|at| at.to_string()),
                datasets,
                checks,
                all_checks,
                advice,
            })
        })
        .await
    }

    /// The same from one request per dataset, made now with the stored credentials. Stores nothing but the request log and what the
    /// vendor says that the credential holds.
    ///
    /// # Errors
    /// When it cannot sign in, or the instance is being scanned or tested.
    pub async fn permissions_now(&self, instance: &str, listener: Listener) -> Result<Permissions, Failure> {
        let Held { stored, app, session, sealed, job } = self.session_of(instance, &listener).await?;
        let datasets = self.unless_cancelled(&stored, &session, sealed, &job, probe::permissions(&session, &app)).await?;
        let told = self.keep_granted(stored.id, &session).await?;
        drop(job);
        let (checks, all_checks, advice) = advise(&app, app.login(&stored.login), &datasets, told, Basis::Probe);
        listener(probe::event(&datasets, checks, all_checks, &advice));
        Ok(Permissions { instance: stored.id.to_string(), as_of: None, datasets, checks, all_checks, advice })
    }

    /// Stores what the vendor says that the credential of a session holds, or that it does not tell, and answers it.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn keep_granted(&self, instance: store::InstanceId, session: &connect::Session) -> Result<Granted, Failure> {
        let now = self.now();
        let told = granted(session, now);
        let written = told.clone();
        self.with_open(move |open| {
            open.store.set_granted(instance, &store::GrantedScopes { told_by: written.told_by, scopes: written.scopes, at: now })?;
            Ok(())
        })
        .await?;
        Ok(told)
    }
}

/// What the vendor says that the credential of a session holds.
pub(crate) fn granted(session: &connect::Session, now: jiff::Timestamp) -> Granted {
    match &session.hints().granted {
        None => Granted { at: Some(now.to_string()), ..Granted::default() },
        Some(told) => Granted {
            told_by: match told.told_by {
                connect::ToldBy::Header => "header",
                connect::ToldBy::TokenAnswer => "token_answer",
                connect::ToldBy::TokenClaims => "token_claims",
            }
            .to_owned(),
            scopes: told.scopes.clone(),
            at: Some(now.to_string()),
        },
    }
}

/// What the states of datasets rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Nothing was read yet.
    Nothing,
    /// One request for each dataset that is read alone.
    Probe,
    /// A complete scan.
    Scan,
}

/// How many checks can be evaluated, of how many, and the rest of it.
pub(crate) fn advise(
    app: &App,
    login: Option<&Login>,
    datasets: &[DatasetState],
    granted: Granted,
    basis: Basis,
) -> (u32, u32, PermissionAdvice) {
    let judged: Vec<&Check> = app.checks.iter().filter(|check| check.kind != CheckKind::Manual).collect();
    let state = |id: &str| datasets.iter().find(|dataset| dataset.id == id).map(|dataset| dataset.state.as_str());
    let (mut later, mut lost) = (0, Vec::new());
    for check in &judged {
        let inputs = app.inputs(check);
        let unread: Vec<String> = datasets
            .iter()
            .filter(|dataset| dataset.state == "unavailable" && inputs.contains(&dataset.id.as_str()))
            .map(|dataset| dataset.title.clone())
            .collect();
        if !unread.is_empty() {
            lost.push(LostCheck { id: check.id.clone(), title: check.title.clone(), severity: severity(check.severity), datasets: unread });
        } else if inputs.iter().any(|input| matches!(state(input), None | Some(probe::AFTER_SCAN))) {
            later += 1;
        }
    }
    let (spare, silent) = match login {
        None => (Vec::new(), format!("{} no longer has the login option of this instance.", app.name)),
        Some(login) => spare(app, login, datasets, &granted, basis),
    };
    let evaluated = judged.len() - lost.len() - later;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let advice = PermissionAdvice { later: number(later), grants: grants(app, login, datasets), lost, granted, spare, silent };
    (number(evaluated), number(judged.len()), advice)
}

/// What to grant: the datasets that a scope or role is missing for, by what they need.
fn grants(app: &App, login: Option<&Login>, datasets: &[DatasetState]) -> Vec<Grant> {
    let mut groups: BTreeMap<&[String], Vec<&DatasetState>> = BTreeMap::new();
    let missing = |dataset: &&DatasetState| {
        dataset.state == "unavailable" && dataset.cause.as_ref().is_some_and(|cause| cause.kind == "scope_missing")
    };
    for dataset in datasets.iter().filter(missing) {
        groups.entry(&dataset.needs).or_default().push(dataset);
    }
    let mut grants: Vec<Grant> = groups
        .into_iter()
        .map(|(any_of, group)| {
            let resting = app.checks.iter().filter(|check| {
                let inputs = app.inputs(check);
                check.kind != CheckKind::Manual && group.iter().any(|dataset| inputs.contains(&dataset.id.as_str()))
            });
            Grant {
                scope: least(app, login, any_of.iter().map(String::as_str)).unwrap_or_default().to_owned(),
                any_of: any_of.to_vec(),
                datasets: group.iter().map(|dataset| dataset.title.clone()).collect(),
                checks: u32::try_from(resting.count()).unwrap_or(u32::MAX),
                said: group.iter().find_map(|dataset| dataset.cause.as_ref()).map(|cause| cause.sentence.clone()).unwrap_or_default(),
            }
        })
        .collect();
    grants.sort_by(|a, b| b.checks.cmp(&a.checks).then_with(|| a.scope.cmp(&b.scope)));
    grants
}

/// The least of some scopes: of those that the login option names, if it names any, the first that holds none of the others.
fn least<'a>(app: &App, login: Option<&Login>, scopes: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let all: Vec<&str> = scopes.collect();
    let named: Vec<&str> =
        all.iter().copied().filter(|scope| login.is_some_and(|login| login.needs.iter().any(|need| need == scope))).collect();
    let scopes = if named.is_empty() { all } else { named };
    let holds_none = |scope: &&&str| !scopes.iter().any(|other| other != *scope && holds(app, login, scope, other));
    scopes.iter().find(holds_none).or(scopes.first()).copied()
}

/// Whether a granted scope does for another one.
fn holds(app: &App, login: Option<&Login>, granted: &str, wanted: &str) -> bool {
    let entra = login.is_some_and(|login| matches!(login.strategy, Strategy::Entra(_)));
    app.scope_holds(granted, wanted) || (entra && connect::covers(granted, wanted))
}

/// Granted scopes that can go or be narrower, or why nothing can be said of them.
fn spare(app: &App, login: &Login, datasets: &[DatasetState], granted: &Granted, basis: Basis) -> (Vec<SpareScope>, String) {
    let nothing = |sentence: String| (Vec::new(), sentence);
    match basis {
        Basis::Nothing | Basis::Probe => {
            return nothing("What is granted and not needed is known after the first complete scan.".to_owned());
        }
        Basis::Scan => {}
    }
    if granted.told_by.is_empty() {
        return nothing(format!(
            "{} does not tell which scopes this credential holds, so nothing can be said of those that are not needed.",
            app.name
        ));
    }
    // What was left out by choice needs no scope now. Whatever else was not read may have needed one.
    let by_choice = |id: &str| {
        let cause = datasets.iter().find(|dataset| dataset.id == id).and_then(|dataset| dataset.cause.as_ref());
        cause.is_some_and(|cause| matches!(cause.kind.as_str(), "login_lacks" | "input_missing"))
    };
    let read = || app.datasets.iter().filter(|dataset| app.reaches(login, dataset) && dataset.authorised && !by_choice(&dataset.id));
    let unknown: Vec<&str> = read()
        .filter(|dataset| dataset.needs.any_of.is_empty() && !dataset.needs.any_credential && dataset.id != login.test)
        .map(|dataset| dataset.title.as_str())
        .collect();
    if !unknown.is_empty() {
        let (named, more) = unknown.split_at(unknown.len().min(3));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        return nothing(format!("Nobody publishes which scope is needed for {}{more}, so none is called needless.", named.join(", ")));
    }
    let sets: Vec<&[String]> = read().map(|dataset| dataset.needs.any_of.as_slice()).filter(|any_of| !any_of.is_empty()).collect();
    let holds = |scope: &str, wanted: &str| holds(app, Some(login), scope, wanted);
    let serves = |scope: &str, set: &[String]| set.iter().any(|wanted| holds(scope, wanted));
    let asked = asked_for(&login.strategy);
    let belongs = |scope: &str| login.needs.iter().any(|need| need == scope) || asked.contains(&scope) || OF_SIGN_IN.contains(&scope);
    // The widest first, so that what is held by another scope stays and the other one goes.
    let mut order: Vec<&str> = granted.scopes.iter().map(String::as_str).collect();
    let width = |scope: &str| granted.scopes.iter().chain(sets.iter().copied().flatten()).filter(|other| holds(scope, other)).count();
    order.sort_by_key(|scope| std::cmp::Reverse(width(scope)));
    let mut kept: Vec<&str> = order.clone();
    let mut spare = Vec::new();
    for scope in order.into_iter().filter(|scope| !belongs(scope)) {
        let served: Vec<&[String]> = sets.iter().copied().filter(|set| serves(scope, set)).collect();
        let beside = |set: &[String]| kept.iter().copied().find(|other| *other != scope && serves(other, set));
        let alone: Vec<&[String]> = served.iter().copied().filter(|set| beside(set).is_none()).collect();
        let (instead, sentence) = if served.is_empty() {
            (Vec::new(), format!("{scope} is granted, and nothing that is read needs it."))
        } else if alone.is_empty() {
            let mut others: Vec<&str> = served.iter().filter_map(|set| beside(set)).collect();
            others.sort_unstable();
            others.dedup();
            (Vec::new(), format!("{scope} is granted, and not needed beside {}.", others.join(", ")))
        } else {
            let narrower = |set: &[String]| {
                least(app, Some(login), set.iter().map(String::as_str).filter(|wanted| *wanted != scope && holds(scope, wanted)))
                    .map(str::to_owned)
            };
            let Some(mut instead) = alone.iter().map(|set| narrower(set)).collect::<Option<Vec<String>>>() else { continue };
            instead.sort();
            instead.dedup();
            // Nobody gains by two scopes that hold each other.
            if instead.iter().any(|other| holds(other, scope)) {
                continue;
            }
            let sentence = format!("{} would do instead of {scope}.", instead.join(", "));
            (instead, sentence)
        };
        // What takes its place does not serve the others: it is not granted yet.
        if instead.is_empty() {
            kept.retain(|other| *other != scope);
        }
        spare.push(SpareScope { scope: scope.to_owned(), instead, sentence });
    }
    spare.sort_by(|a, b| a.scope.cmp(&b.scope));
    (spare, String::new())
}

/// The scopes that the login option itself asks for: the catalog's business, not the administrator's.
fn asked_for(strategy: &Strategy) -> Vec<&str> {
    let scope = match strategy {
        Strategy::ClientCredentials(strategy) => &strategy.scope,
        Strategy::Assertion(strategy) => &strategy.scope,
        Strategy::AuthorizationCode(strategy) => &strategy.scope,
        Strategy::DeviceCode(strategy) => &strategy.scope,
        Strategy::Entra(strategy) => match strategy.flow {
            // `.default`: what was granted to the registration, by the administrator.
            EntraFlow::Secret { .. } | EntraFlow::Certificate { .. } => return Vec::new(),
            EntraFlow::DeviceCode | EntraFlow::Browser => &strategy.scope,
        },
        Strategy::Bearer { .. }
        | Strategy::Headers { .. }
        | Strategy::Basic { .. }
        | Strategy::Okta(_)
        | Strategy::GithubApp(_)
        | Strategy::SnowflakeKeyPair(_) => return Vec::new(),
    };
    // Microsoft names its own resource's scopes by their last part where it tells what is granted.
    scope.split_ascii_whitespace().flat_map(|word| [word, word.rsplit('/').next().unwrap_or(word)]).collect()
}
