//! Security Configurations: one rule for each control of the SSCF, across applications.

use crate::{
    Console,
    judged::{Judged, judged, rows, sum},
    screen::{Failure, Rule, RuleList, RulePage, SandboxScope},
};
use catalog::{Control, SSCF_CONTROLS, domain_title, sscf_control};

impl Console {
    /// Every rule with what its checks came to. Without sandboxes, unless they are asked for or there is nothing else.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn rules(&self, scope: SandboxScope) -> Result<RuleList, Failure> {
        let console = self.clone();
        self.with_current(move |open| {
            let judged = judged(&console, &open, scope)?;
            let rows = SSCF_CONTROLS.iter().map(|control| rule(&judged, control)).collect();
            Ok(RuleList { sandbox: judged.sandbox, instances: judged.instances, unreadable: judged.unreadable, rows })
        })
        .await
    }

    /// A rule with its checks and what each came to on each instance.
    ///
    /// # Errors
    /// When there is no such control, or as [`Console::rules`].
    pub async fn rule(&self, scope: SandboxScope, id: &str) -> Result<RulePage, Failure> {
        let control = sscf_control(id)
            .ok_or_else(|| Failure::new("E-NOT-FOUND", format!("There is no rule {id}."), "See the list of rules: `posture rules`."))?;
        let console = self.clone();
        self.with_current(move |open| {
            let judged = judged(&console, &open, scope)?;
            let checks = rows(judged.checks.iter().filter(|check| check.names("sscf", control.id)));
            Ok(RulePage { sandbox: judged.sandbox, rule: rule(&judged, control), checks })
        })
        .await
    }
}

fn rule(judged: &Judged, control: &Control) -> Rule {
    let summed = sum(judged.checks.iter().filter(|check| check.names("sscf", control.id)), judged.unreadable.is_empty());
    Rule {
        id: control.id.to_owned(),
        domain: domain_title(control.domain()).unwrap_or_default().to_owned(),
        title: control.title.to_owned(),
        asks: control.asks.to_owned(),
        status: summed.status,
        checks: summed.checks,
        instances: summed.instances,
        counts: summed.counts,
    }
}
