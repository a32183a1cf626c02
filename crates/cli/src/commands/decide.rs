//! Decisions: dismissing, overriding, locking, not monitoring, ignoring, and taking each back.

use super::{Ending, Outcome, Stop, Terminal};
use crate::{
    arguments::{DecideCommand, GroundsArguments},
    print,
};
use console::screen::{
    Decision, DecisionEnd, DecisionFilter, DecisionKind, DecisionQuery, Failure, NewDismissal, NewIgnore, NewLock, NewOverride,
    NewUnmonitor, Slice,
};

impl Terminal {
    pub(super) async fn decide(&self, command: DecideCommand) -> Outcome {
        self.open().await?;
        match command {
            DecideCommand::Dismiss { findings, grounds } => self.dismiss(findings, grounds).await,
            DecideCommand::Override { instance, check, value: (param, value), reason } => {
                let instance = self.console.find_instance(&instance).await?;
                self.decided(&self.console.override_check(NewOverride { instance, check, param, value, reason }).await?)
            }
            DecideCommand::Lock { instance, check, row, reason } => {
                let instance = self.console.find_instance(&instance).await?;
                self.decided(&self.console.lock_check(NewLock { instance, check, row, reason }).await?)
            }
            DecideCommand::Unmonitor { instance, check, grounds: GroundsArguments { reason, approver, until } } => {
                let instance = self.console.find_instance(&instance).await?;
                self.decided(&self.console.unmonitor(NewUnmonitor { instance, check, reason, approver, until }).await?)
            }
            DecideCommand::Ignore { instance, account, days, reason } => {
                let instance = self.console.find_instance(&instance).await?;
                self.decided(&self.console.ignore_account(NewIgnore { instance, account, days, reason }).await?)
            }
            DecideCommand::Undo { decision } => self.decided(&self.console.undo_decision(&decision).await?),
            DecideCommand::List { instance, ended, offset, limit } => self.list_decisions(instance, ended, Slice { offset, limit }).await,
        }
    }

    async fn dismiss(&self, findings: Vec<String>, grounds: GroundsArguments) -> Outcome {
        let GroundsArguments { reason, approver, until } = grounds;
        let dismissed = self.console.dismiss(NewDismissal { findings, reason, approver, until }).await?;
        if self.json {
            print::json(&dismissed);
        } else {
            let many = dismissed.decisions.len();
            print::line(&format!(
                "{many} {} dismissed until {}: {}.",
                if many == 1 { "finding is" } else { "findings are" },
                dismissed.until,
                if many == 0 { "no decision".to_owned() } else { format!("decision {}", dismissed.decisions.join(", ")) }
            ));
            for refused in &dismissed.refused {
                print::line(&format!("  finding {} is not: {} [{}]", print::plain(&refused.finding), refused.sentence, refused.code));
            }
        }
        match dismissed.refused.first() {
            Some(refused) if dismissed.decisions.is_empty() => Err(Stop::Failed(Failure {
                code: refused.code.clone(),
                sentence: format!("Nothing was dismissed. {}", refused.sentence),
                remedy: "See `posture findings`.".into(),
                field: None,
            })),
            _ => Ok(Ending::Fine),
        }
    }

    async fn list_decisions(&self, instance: Option<String>, ended: bool, slice: Slice) -> Outcome {
        let instance = match instance {
            Some(text) => Some(self.console.find_instance(&text).await?),
            None => None,
        };
        let filter = DecisionFilter { instance, kinds: Vec::new(), in_force: Some(!ended) };
        let list = self.console.decisions(DecisionQuery { filter, slice }).await?;
        if self.json {
            print::json(&list);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = list
            .rows
            .iter()
            .map(|decision| {
                vec![
                    kind(decision.kind).to_owned(),
                    about(decision),
                    decision.instance_name.clone(),
                    decision.ended_why.map(|why| ended_why(why).to_owned()).or(decision.until.clone()).unwrap_or_else(|| "–".to_owned()),
                    decision.reason.clone(),
                    decision.approver.clone(),
                    decision.id.clone(),
                ]
            })
            .collect();
        let until = if ended { "ENDED" } else { "UNTIL" };
        print::table(&["DECISION", "ABOUT", "INSTANCE", until, "REASON", "APPROVED BY", "ID"], &rows);
        print::line(&format!("{} of {} decisions", list.rows.len(), list.total));
        Ok(Ending::Fine)
    }

    fn decided(&self, decision: &Decision) -> Outcome {
        if self.json {
            print::json(decision)
        } else {
            print::line(&in_words(decision))
        }
        Ok(Ending::Fine)
    }
}

/// "Locked: SAML SSO is on (off), decision 3."
pub(super) fn in_words(decision: &Decision) -> String {
    let value = if decision.value.is_empty() { String::new() } else { format!(" ({})", decision.value) };
    let until = decision.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
    let ended = decision.ended_why.map(|why| format!(", {}", ended_why(why))).unwrap_or_default();
    let text = format!("{}{until}: {}{value}, decision {}{ended}.", kind(decision.kind), about(decision), decision.id);
    print::plain(&text)
}

fn about(decision: &Decision) -> String {
    if decision.resource.is_empty() { decision.title.clone() } else { format!("{}, {}", decision.title, decision.resource) }
}

fn kind(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Dismiss => "Dismissed",
        DecisionKind::Override => "Overridden",
        DecisionKind::Lock => "Locked",
        DecisionKind::Unmonitor => "Not monitored",
        DecisionKind::Ignore => "Ignored",
    }
}

fn ended_why(why: DecisionEnd) -> &'static str {
    match why {
        DecisionEnd::Undone => "undone",
        DecisionEnd::Expired => "its time is over",
        DecisionEnd::ValueChanged => "the value changed",
        DecisionEnd::Replaced => "replaced",
        DecisionEnd::Fixed => "fixed",
        DecisionEnd::Gone => "no longer there",
    }
}
