//! `posture schedule`, and `posture scan --due`.

use super::{Ending, Outcome, Stop, Terminal, instance::end_in_words};
use crate::print;
use console::screen::{Failure, SandboxScope, ScheduleChoice};

impl Terminal {
    pub(super) async fn scan_due(&self) -> Outcome {
        self.open().await?;
        self.stop_on_interrupt();
        let mut nearing = self.console.watch_credentials();
        let scanned = self.console.scan_due().await?;
        // After the scans, so that it tells of them. That it was not mailed is kept with it, and is no failure of the scans.
        if let Err(failure) = self.console.serve_digest().await {
            eprintln!("posture: {} {}", print::plain(&failure.sentence), print::plain(&failure.remedy));
        }
        if self.json {
            print::json(&scanned);
        } else {
            print::line(&format!(
                "Scanned by schedule: {} completed, {} failed, {} cancelled, {} in somebody else's hands.",
                scanned.complete, scanned.failed, scanned.cancelled, scanned.busy
            ));
            // As JSON it stands with each instance.
            while let Ok(ending) = nearing.try_recv() {
                let words = end_in_words(&ending.end, &ending.app_name);
                print::line(&format!("{}, {}: {words}", print::plain(&ending.app_name), print::plain(&ending.name)));
            }
        }
        if scanned.failed == 0 {
            return Ok(Ending::Fine);
        }
        Err(Stop::Failed(Failure {
            code: "E-SCANS-FAILED".into(),
            sentence: format!("{} of the scans that were due could not go on.", scanned.failed),
            remedy: "See why in `posture instance list` and `posture instance show`.".into(),
            field: None,
        }))
    }

    pub(super) async fn schedule(&self, instance: Option<&str>, set: Option<&str>) -> Outcome {
        self.open().await?;
        let only = match instance {
            Some(instance) => Some(self.console.find_instance(instance).await?),
            None => None,
        };
        if let (Some(id), Some(set)) = (&only, set) {
            let choice = match set {
                "default" => ScheduleChoice::Default,
                "off" => ScheduleChoice::Off,
                pattern => ScheduleChoice::Cron { pattern: pattern.to_owned() },
            };
            self.console.set_schedule(id, choice).await?;
        }
        let mut instances = self.console.instances(SandboxScope::With).await?;
        instances.retain(|row| only.as_ref().is_none_or(|id| *id == row.id));
        if self.json {
            let rows: Vec<_> = instances
                .iter()
                .map(|row| serde_json::json!({ "id": row.id, "app": row.app, "name": row.name, "schedule": row.schedule, "next_scan": row.next_scan }))
                .collect();
            print::json(&rows);
            return Ok(Ending::Fine);
        }
        let mut rows = Vec::new();
        for row in instances {
            let words = match (&row.schedule, &row.next_scan) {
                // Simulated tenants and those that nobody signs in to follow no default.
                (ScheduleChoice::Default, None) => "Only when somebody asks".to_owned(),
                (choice, _) => self.console.schedule_words(choice.clone()).await?.words,
            };
            rows.push(vec![row.app, row.name, words, row.next_scan.unwrap_or_else(|| "–".into())]);
        }
        print::table(&["APPLICATION", "INSTANCE", "SCANNED BY ITSELF", "NEXT"], &rows);
        Ok(Ending::Fine)
    }
}
