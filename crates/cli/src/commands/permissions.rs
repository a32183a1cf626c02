//! `posture permissions`: what a credential can read, what to grant, and what it holds without need.

use super::{Ending, Outcome, Terminal, instance::print_datasets};
use crate::print;
use console::screen::{Grant, PermissionAdvice, Permissions};

impl Terminal {
    pub(super) async fn permissions(&self, instance: &str, now: bool) -> Outcome {
        self.open().await?;
        let id = self.console.find_instance(instance).await?;
        let permissions = match now {
            true => self.console.permissions_now(&id, self.listener()).await?,
            false => self.console.permissions(&id).await?,
        };
        if self.json {
            print::json(&permissions);
        } else {
            print_permissions(&permissions);
        }
        Ok(Ending::Fine)
    }
}

fn print_permissions(permissions: &Permissions) {
    let PermissionAdvice { later, lost, grants, granted, spare, silent } = &permissions.advice;
    print_datasets(&permissions.datasets);
    print::line(&format!("\n{} of {} checks can be evaluated", permissions.checks, permissions.all_checks));
    if *later > 0 {
        print::line(&format!("{later} more: known after the next scan"));
    }
    for check in lost {
        print::line(&format!("  not evaluated: {} ({})", check.title, check.datasets.join(", ")));
    }
    for grant in grants {
        print::line(&print::plain(&advice(grant)));
    }
    match granted.told_by.as_str() {
        "" => {}
        _ if granted.scopes.is_empty() => print::line("Granted: no scope"),
        _ => print::line(&print::plain(&format!("Granted: {}", granted.scopes.join(", ")))),
    }
    for one in spare {
        print::line(&print::plain(&one.sentence));
    }
    if !silent.is_empty() {
        print::line(silent);
    }
}

/// "Grant users:read for Users, Teams: 4 checks."
fn advice(grant: &Grant) -> String {
    let datasets = grant.datasets.join(", ");
    match (grant.scope.as_str(), grant.any_of.len()) {
        ("", _) => format!("Nobody publishes which scope is needed for {datasets}: {} checks. {}", grant.checks, grant.said),
        (scope, 0 | 1) => format!("Grant {scope} for {datasets}: {} checks.", grant.checks),
        (scope, _) => {
            let others: Vec<&str> = grant.any_of.iter().map(String::as_str).filter(|other| *other != scope).collect();
            format!("Grant {scope} for {datasets}: {} checks. {} would do, too.", grant.checks, others.join(" or "))
        }
    }
}
