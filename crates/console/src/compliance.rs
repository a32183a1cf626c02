//! Compliance: how far checks reach into frameworks, and what they came to there. A control is never called compliant.

use crate::{
    Console,
    activity::{begin_file, finish_file, not_written},
    judged::{Judged, JudgedCheck, judged, rows, sum},
    screen::{
        ComplianceExported, ComplianceFormat, ControlPage, Failure, FrameworkControl, FrameworkFamily, FrameworkList, FrameworkPage,
        FrameworkRow, OutcomeCounts, RuleStatus, SandboxScope, StatusCounts,
    },
    start::user,
};
use catalog::{Family, Framework, Reference};
use jiff::Timestamp;
use report::{About, ByteOrderMark, ControlLine, FrameworkReport};
use std::{
    io::{BufWriter, Write},
    path::Path,
};
use store::Act;

impl Console {
    /// Every framework that checks refer to. Without sandboxes, unless they are asked for or there is nothing else.
    ///
    /// # Errors
    /// When the console is locked, the database cannot be read, or the catalog's frameworks are not right.
    pub async fn compliance(&self, scope: SandboxScope) -> Result<FrameworkList, Failure> {
        let frameworks = catalog::frameworks()?;
        let console = self.clone();
        self.with_current(move |open| {
            let judged = judged(&console, &open, scope)?;
            let rows = frameworks.iter().map(|framework| row(framework, &controls(framework, &judged))).collect();
            Ok(FrameworkList { sandbox: judged.sandbox, instances: judged.instances, unreadable: judged.unreadable, rows })
        })
        .await
    }

    /// A framework with all of its controls, those that no check names among them.
    ///
    /// # Errors
    /// When there is no such framework, or as [`Console::compliance`].
    pub async fn framework(&self, scope: SandboxScope, id: &str) -> Result<FrameworkPage, Failure> {
        let framework = known(id)?;
        let console = self.clone();
        self.with_current(move |open| Ok(page(framework, judged(&console, &open, scope)?))).await
    }

    /// A control of a framework with its checks and what each came to on each instance.
    ///
    /// # Errors
    /// When there is no such framework or control, or as [`Console::compliance`].
    pub async fn framework_control(&self, scope: SandboxScope, framework: &str, control: &str) -> Result<ControlPage, Failure> {
        let framework = known(framework)?;
        let (family, reference) = framework.reference(control).ok_or_else(|| {
            Failure::new(
                "E-NOT-FOUND",
                format!("{} has no {control}.", framework.name),
                format!("See `posture compliance {}`.", framework.id),
            )
        })?;
        let console = self.clone();
        self.with_current(move |open| {
            let judged = judged(&console, &open, scope)?;
            let naming = || judged.checks.iter().filter(|check| check.names(&framework.id, &reference.id));
            Ok(ControlPage {
                sandbox: judged.sandbox,
                framework: framework.id.clone(),
                framework_name: framework.name.clone(),
                control: control_row(family, reference, naming(), judged.unreadable.is_empty()),
                checks: rows(naming()),
            })
        })
        .await
    }

    /// Writes a framework's table to a file, which appears whole or not at all.
    ///
    /// # Errors
    /// As [`Console::framework`], and when the file cannot be written.
    pub async fn export_framework(
        &self,
        scope: SandboxScope,
        id: &str,
        format: ComplianceFormat,
        path: &Path,
    ) -> Result<ComplianceExported, Failure> {
        let file = begin_file(path)?;
        let writer = file.reopen().map_err(|error| not_written(path, &error))?;
        let controls = self.export_framework_to(scope, id, format, Box::new(BufWriter::new(writer))).await?;
        finish_file(file, path)?;
        let act = Act::new(self.now(), user(), "framework exported", path.display().to_string());
        self.with_open(move |open| Ok(open.store.record_act(&act)?)).await?;
        Ok(ComplianceExported { path: path.display().to_string(), controls })
    }

    /// The same, to any writer. Answers how many controls.
    ///
    /// # Errors
    /// As [`Console::framework`], and when the writer fails.
    pub async fn export_framework_to(
        &self,
        scope: SandboxScope,
        id: &str,
        format: ComplianceFormat,
        mut writer: Box<dyn Write + Send>,
    ) -> Result<u32, Failure> {
        let framework = known(id)?;
        let (console, now) = (self.clone(), self.now());
        self.with_current(move |open| {
            let judged = judged(&console, &open, scope)?;
            let ids: Vec<String> = framework
                .families
                .iter()
                .flat_map(|family| &family.references)
                .map(|reference| {
                    let naming = judged.checks.iter().filter(|check| check.names(&framework.id, &reference.id));
                    naming.map(|check| check.row.check.as_str()).collect::<Vec<_>>().join(" ")
                })
                .collect();
            let page = page(framework, judged);
            let lines: Vec<ControlLine> = page.controls.iter().zip(ids).map(|(control, ids)| line(&page, control, ids)).collect();
            let written = match format {
                ComplianceFormat::Csv => report::csv(&mut writer, lines, ByteOrderMark::With),
                ComplianceFormat::Json => {
                    let filter = serde_json::json!({ "framework": framework.id, "sandbox": page.sandbox });
                    report::json(&mut writer, lines, &About { exported_at: now, filter })
                }
                ComplianceFormat::Html => report::framework_html(&mut writer, &lines, &told(&page, now)),
            };
            let count = written.map_err(|error| Failure::new("E-EXPORT", error.to_string(), error.remedy()))?;
            writer.flush().map_err(|error| {
                Failure::new("E-EXPORT", format!("The export could not be written: {error}."), "Make room on the disk.")
            })?;
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }
}

fn known(id: &str) -> Result<&'static Framework, Failure> {
    let frameworks = catalog::frameworks()?;
    frameworks.iter().find(|framework| framework.id == id).ok_or_else(|| {
        let names: Vec<&str> = frameworks.iter().map(|framework| framework.id.as_str()).collect();
        Failure::new("E-NOT-FOUND", format!("There is no framework {id}."), format!("Name one of {}.", names.join(", ")))
    })
}

fn page(framework: &Framework, judged: Judged) -> FrameworkPage {
    let controls = controls(framework, &judged);
    let families = framework
        .families
        .iter()
        .map(|family| FrameworkFamily {
            id: family.id.clone(),
            title: family.title.clone(),
            total: count(family.references.len()),
            touched: count(controls.iter().filter(|control| control.family == family.id && control.checks > 0).count()),
        })
        .collect();
    FrameworkPage {
        sandbox: judged.sandbox,
        instances: judged.instances,
        unreadable: judged.unreadable,
        framework: row(framework, &controls),
        note: framework.note.clone(),
        source: framework.source.clone(),
        families,
        controls,
    }
}

fn controls(framework: &Framework, judged: &Judged) -> Vec<FrameworkControl> {
    let all = framework.families.iter().flat_map(|family| family.references.iter().map(move |reference| (family, reference)));
    all.map(|(family, reference)| {
        control_row(
            family,
            reference,
            judged.checks.iter().filter(|check| check.names(&framework.id, &reference.id)),
            judged.unreadable.is_empty(),
        )
    })
    .collect()
}

fn control_row<'a>(
    family: &Family,
    reference: &Reference,
    checks: impl IntoIterator<Item = &'a JudgedCheck>,
    whole: bool,
) -> FrameworkControl {
    let summed = sum(checks, whole);
    FrameworkControl {
        id: reference.id.clone(),
        title: reference.title.clone(),
        family: family.id.clone(),
        family_title: family.title.clone(),
        status: summed.status,
        checks: summed.checks,
        instances: summed.instances,
        counts: summed.counts,
        sentence: sentence(summed.status, summed.checks, &summed.counts),
    }
}

/// What a control came to, in words that promise no more than was looked at.
fn sentence(status: RuleStatus, checks: u32, counts: &OutcomeCounts) -> String {
    let unread = counts.not_evaluated + counts.due;
    match status {
        RuleStatus::Failed if unread > 0 => {
            format!("{} failed and {unread} not evaluated, of {}.", counts.failed, pairs(counts))
        }
        RuleStatus::Failed => format!("{} failed of {}.", counts.failed, pairs(counts)),
        RuleStatus::NotEvaluated => format!("Nothing failed that was read, but {unread} of {} not evaluated.", pairs(counts)),
        RuleStatus::Passed => {
            let all = if checks == 1 { "Its one check".to_owned() } else { format!("All {checks} checks") };
            let attested = if counts.attested > 0 { " or were attested" } else { "" };
            let applies = if counts.not_applicable > 0 { " where they apply" } else { "" };
            format!("{all} passed{attested}{applies}; checks cover a part of it.")
        }
        RuleStatus::Attested => "Attested by a person, not scanned.".to_owned(),
        RuleStatus::NotApplicable => "No check of it applies to what is there.".to_owned(),
        RuleStatus::NotCovered => "Not checked by this console.".to_owned(),
    }
}

/// "7 checks on instances"
fn pairs(counts: &OutcomeCounts) -> String {
    let all = counts.failed + counts.not_evaluated + counts.due + counts.passed + counts.attested + counts.not_applicable;
    if all == 1 { "1 check on an instance".to_owned() } else { format!("{all} checks on instances") }
}

fn row(framework: &Framework, controls: &[FrameworkControl]) -> FrameworkRow {
    let mut statuses = StatusCounts::default();
    for control in controls {
        *match control.status {
            RuleStatus::Failed => &mut statuses.failed,
            RuleStatus::NotEvaluated => &mut statuses.not_evaluated,
            RuleStatus::Passed => &mut statuses.passed,
            RuleStatus::Attested => &mut statuses.attested,
            RuleStatus::NotApplicable => &mut statuses.not_applicable,
            RuleStatus::NotCovered => &mut statuses.not_covered,
        } += 1;
    }
    let total = count(framework.total());
    let touched = total - statuses.not_covered;
    FrameworkRow {
        id: framework.id.clone(),
        name: framework.name.clone(),
        title: format!("{} {}", framework.title, framework.version),
        unit: framework.unit.clone(),
        total,
        touched,
        statuses,
        sentence: format!(
            "{touched} of {total} {} are touched by checks; the other {} are not checked by this console.",
            framework.unit, statuses.not_covered
        ),
    }
}

fn status_word(status: RuleStatus) -> &'static str {
    match status {
        RuleStatus::Failed => "failed",
        RuleStatus::NotEvaluated => "not_evaluated",
        RuleStatus::Passed => "passed",
        RuleStatus::Attested => "attested",
        RuleStatus::NotApplicable => "not_applicable",
        RuleStatus::NotCovered => "not_covered",
    }
}

fn line(page: &FrameworkPage, control: &FrameworkControl, check_ids: String) -> ControlLine {
    ControlLine {
        framework: page.framework.title.clone(),
        sandbox: page.sandbox,
        family: control.family.clone(),
        family_title: control.family_title.clone(),
        control: control.id.clone(),
        title: control.title.clone(),
        status: status_word(control.status).to_owned(),
        sentence: control.sentence.clone(),
        checks: control.checks,
        instances: control.instances,
        failed: control.counts.failed,
        not_evaluated: control.counts.not_evaluated,
        due: control.counts.due,
        passed: control.counts.passed,
        attested: control.counts.attested,
        not_applicable: control.counts.not_applicable,
        check_ids,
    }
}

fn told(page: &FrameworkPage, exported_at: Timestamp) -> FrameworkReport {
    FrameworkReport {
        exported_at,
        title: page.framework.title.clone(),
        summary: vec![
            page.framework.sentence.clone(),
            page.note.clone(),
            "Checks cover a part of each control. That all of them passed does not make a control, or anybody, compliant.".to_owned(),
        ],
        sandbox: page.sandbox,
        instances: page.instances,
        unreadable: page.unreadable.iter().map(|one| format!("{}: {}", one.instance_name, one.cause.sentence)).collect(),
        source: page.source.clone(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
