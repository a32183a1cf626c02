//! The capability sheet: of each control of the SSCF, what looks at it.

use crate::{
    Console,
    scan::instance_id,
    screen::{ControlCoverage, Coverage, CoverageCounts, CoverageState, CoveringCheck, Failure},
};
use catalog::{App, Check, CheckKind, Control, Login, SSCF_CONTROLS};

/// What is said where no check looks at a control and nobody wrote why.
const NOBODY_LOOKED: &str = "Nobody has looked at this yet.";

impl Console {
    /// What looks at each control of an application, with whatever login option reaches most of it.
    ///
    /// # Errors
    /// When there is no such application or its manifest is not right.
    pub fn coverage(&self, slug: &str) -> Result<Coverage, Failure> {
        Ok(sheet(&*self.app(slug)?, None))
    }

    /// What looks at each control of an instance, with the login option that it uses.
    ///
    /// # Errors
    /// When there is no such instance, or the database cannot be read.
    pub async fn instance_coverage(&self, instance: &str) -> Result<Coverage, Failure> {
        let id = instance_id(instance)?;
        let console = self.clone();
        self.with_open(move |open| {
            let instance = open.store.instance(id)?;
            Ok(sheet(&*console.app(&instance.app)?, Some((&id.to_string(), &instance.login))))
        })
        .await
    }
}

/// The sheet of an application, or of an instance (its id and its login option).
fn sheet(app: &App, instance: Option<(&str, &str)>) -> Coverage {
    let login = instance.and_then(|(_, login)| app.login(login));
    let controls: Vec<ControlCoverage> = SSCF_CONTROLS.iter().map(|control| covered(app, control, instance.is_some(), login)).collect();
    let count = |state: CoverageState| u32::try_from(controls.iter().filter(|control| control.state == state).count()).unwrap_or(u32::MAX);
    Coverage {
        app: app.slug.clone(),
        app_name: app.name.clone(),
        instance: instance.map(|(id, _)| id.to_owned()),
        counts: CoverageCounts {
            checked: count(CoverageState::Checked),
            attested: count(CoverageState::Attested),
            login_lacks: count(CoverageState::LoginLacks),
            not_covered: count(CoverageState::NotCovered),
        },
        controls,
    }
}

fn covered(app: &App, control: &Control, of_instance: bool, login: Option<&Login>) -> ControlCoverage {
    let reached = |check: &Check| match (of_instance, login) {
        (true, Some(login)) => app.feeds(login, check),
        // An instance whose login option the catalog no longer has reaches nothing.
        (true, None) => check.kind == CheckKind::Manual,
        (false, _) => check.kind == CheckKind::Manual || app.logins.iter().any(|login| app.feeds(login, check)),
    };
    let (manual, automatic): (Vec<&Check>, Vec<&Check>) =
        app.checks.iter().filter(|check| check.sscf.iter().any(|id| id == control.id)).partition(|check| check.kind == CheckKind::Manual);
    let shown = |checks: &[&Check]| -> Vec<CoveringCheck> {
        checks.iter().map(|check| CoveringCheck { id: check.id.clone(), title: check.title.clone(), reached: reached(check) }).collect()
    };
    let written = app.not_covered.iter().find(|one| one.sscf == control.id);
    let (state, reason, source) = if automatic.iter().any(|check| reached(check)) {
        (CoverageState::Checked, String::new(), String::new())
    } else if !manual.is_empty() {
        (CoverageState::Attested, String::new(), String::new())
    } else if !automatic.is_empty() {
        (CoverageState::LoginLacks, lacking(app, &automatic), String::new())
    } else {
        let (reason, source) = written.map_or((NOBODY_LOOKED, ""), |one| (one.reason.as_str(), one.source.as_str()));
        (CoverageState::NotCovered, reason.to_owned(), source.to_owned())
    };
    ControlCoverage {
        id: control.id.to_owned(),
        domain: catalog::domain_title(control.domain()).unwrap_or_default().to_owned(),
        title: control.title.to_owned(),
        asks: control.asks.to_owned(),
        state,
        checks: shown(&automatic),
        attested: shown(&manual),
        reason,
        source,
    }
}

/// Which login options would reach what the present one does not.
fn lacking(app: &App, checks: &[&Check]) -> String {
    let others: Vec<&str> =
        app.logins.iter().filter(|login| checks.iter().any(|check| app.feeds(login, check))).map(|login| login.label.as_str()).collect();
    match others.as_slice() {
        // Each check rests on datasets that no one login option reaches together.
        [] => "No login option reaches all that its checks rest on.".to_owned(),
        others => format!("The login option of this instance does not reach what its checks rest on. {} does.", others.join(" or ")),
    }
}
