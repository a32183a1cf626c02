//! `posture catalog`: what the catalog holds, what it leaves out, and what looks at each control.

use super::{Ending, Outcome, Stop, Terminal};
use crate::print;
use console::{
    AppDocument, CatalogDocument,
    screen::{Availability, Coverage, CoverageState, CoveringCheck, Failure},
};

impl Terminal {
    pub(super) fn catalog(&self, app: Option<&str>, coverage: bool, check: bool) -> Outcome {
        if let (Some(slug), true) = (app, coverage) {
            let sheet = self.console.coverage(slug)?;
            if self.json {
                print::json(&sheet);
            } else {
                print_coverage(&sheet);
            }
            return Ok(Ending::Fine);
        }
        let catalog = self.console.catalog_document(app)?;
        match (self.json, app) {
            (true, _) => print::json(&catalog),
            (false, Some(_)) => catalog.apps.iter().for_each(print_app),
            (false, None) => print_list(&catalog),
        }
        let too_much: Vec<&str> = catalog.apps.iter().filter(|app| app.counts.too_much).map(|app| app.slug.as_str()).collect();
        match too_much.first() {
            Some(first) if check => Err(Stop::Failed(Failure {
                code: "E-CATALOG-LEFT-OUT".into(),
                sentence: format!("Too many checks are left out: {}.", too_much.join(", ")),
                remedy: format!(
                    "At most {} % of an application's known checks may be left out; `posture catalog {first}` lists them.",
                    console::MOST_LEFT_OUT
                ),
                field: None,
            })),
            Some(_) | None => Ok(Ending::Fine),
        }
    }
}

/// One row per application.
fn print_list(catalog: &CatalogDocument) {
    let rows: Vec<Vec<String>> = catalog
        .apps
        .iter()
        .map(|app| {
            let counts = &app.counts;
            let share =
                if counts.too_much { format!("{} % (!)", counts.left_out_percent) } else { format!("{} %", counts.left_out_percent) };
            vec![
                app.slug.clone(),
                app.verified.clone(),
                logins(app),
                app.datasets.len().to_string(),
                counts.automatic.to_string(),
                counts.manual.to_string(),
                counts.left_out.to_string(),
                share,
            ]
        })
        .collect();
    print::table(&["APPLICATION", "VERIFIED AGAINST", "LOGIN OPTIONS", "DATASETS", "AUTOMATIC", "MANUAL", "LEFT OUT", "SHARE"], &rows);
    let of = |availability: Availability| catalog.apps.iter().filter(|app| app.availability == availability).count();
    print::line(&format!(
        "{} applications: {} signed in to, {} manual until connected, {} attested only, {} ended",
        catalog.apps.len(),
        of(Availability::Offered),
        of(Availability::Planned),
        of(Availability::Attested),
        of(Availability::Ended)
    ));
}

/// "api-key, okta", "planned: API key", "ended", "none".
fn logins(app: &AppDocument) -> String {
    let planned = || app.planned.iter().map(|one| one.label.as_str()).collect::<Vec<_>>().join(", ");
    match app.availability {
        Availability::Offered => app.logins.iter().map(|login| login.id.as_str()).collect::<Vec<_>>().join(", "),
        Availability::Planned => format!("planned: {}", planned()),
        Availability::Attested => "none".to_owned(),
        Availability::Ended => "ended".to_owned(),
    }
}

/// One application: its logins, its datasets, each check, and what is left out.
fn print_app(app: &AppDocument) {
    let counts = &app.counts;
    print::line(&format!("{} ({}), verified against: {}", app.name, app.slug, app.verified));
    if let Some(ended) = &app.ended {
        print::line(ended);
    }
    for login in &app.logins {
        let fields: Vec<String> =
            login.fields.iter().map(|field| if field.secret { format!("{} (secret)", field.id) } else { field.id.clone() }).collect();
        print::line(&format!("  login {}: {}", login.id, fields.join(", ")));
    }
    for login in &app.planned {
        print::line(&format!("  login to come: {}. {}", login.label, login.summary));
    }
    for dataset in &app.datasets {
        print::line(&format!("  dataset {}: {} {}", dataset.id, dataset.method, dataset.path));
    }
    print::line(&format!("\n{} checks, {} judged from what is read, {} attested", app.checks.len(), counts.automatic, counts.manual));
    let rows: Vec<Vec<String>> = app
        .checks
        .iter()
        .map(|check| {
            let on = if check.on.is_empty() { "attested".to_owned() } else { check.on.clone() };
            vec![check.id.clone(), check.severity.clone(), on, check.title.clone()]
        })
        .collect();
    print::table(&["CHECK", "SEVERITY", "DATASET", "TITLE"], &rows);
    if !app.left_out.is_empty() {
        print::line(&format!("\n{} left out, {} %", counts.left_out, counts.left_out_percent));
        let rows: Vec<Vec<String>> = app.left_out.iter().map(|one| vec![one.id.clone(), one.title.clone(), one.reason.clone()]).collect();
        print::table(&["LEFT OUT", "TITLE", "REASON"], &rows);
    }
}

/// Each control with what looks at it, and why nothing does.
fn print_coverage(sheet: &Coverage) {
    let ids = |checks: &[CoveringCheck]| checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ");
    let rows: Vec<Vec<String>> = sheet
        .controls
        .iter()
        .map(|control| {
            let (state, by) = match control.state {
                CoverageState::Checked => ("checked", ids(&control.checks)),
                CoverageState::Attested => ("attested", ids(&control.attested)),
                CoverageState::LoginLacks => ("login lacks", control.reason.clone()),
                CoverageState::NotCovered => ("not covered", control.reason.clone()),
            };
            vec![control.id.clone(), state.to_owned(), control.title.clone(), by]
        })
        .collect();
    print::table(&["CONTROL", "STATE", "TITLE", "BY, OR WHY NOT"], &rows);
    let counts = &sheet.counts;
    print::line(&format!(
        "{}: {} checked, {} attested, {} not reached by the login options, {} not covered",
        sheet.app_name, counts.checked, counts.attested, counts.login_lacks, counts.not_covered
    ));
}
