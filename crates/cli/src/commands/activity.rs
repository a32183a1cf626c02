//! What was done, and the proof that the log of it is whole.

use super::{Ending, Outcome, Terminal};
use crate::{
    arguments::{ActivityCommand, FormatChoice},
    print,
};
use console::screen::{ExportFormat, Slice};
use std::path::{Path, PathBuf};

impl Terminal {
    pub(super) async fn activity(&self, command: Option<ActivityCommand>, offset: u32, limit: u32) -> Outcome {
        self.open().await?;
        match command {
            None => self.list_acts(offset, limit).await,
            Some(ActivityCommand::Head { output }) => self.save_head(&output).await,
            Some(ActivityCommand::Verify { head }) => self.verify_acts(head).await,
            Some(ActivityCommand::Export { format, output }) => self.export_acts(format, &output).await,
        }
    }

    async fn list_acts(&self, offset: u32, limit: u32) -> Outcome {
        let list = self.console.activity(Slice { offset, limit }).await?;
        if self.json {
            print::json(&list);
            return Ok(Ending::Fine);
        }
        let rows: Vec<Vec<String>> = list
            .rows
            .iter()
            .map(|row| {
                let change = match (row.before.as_str(), row.after.as_str()) {
                    ("", "") => String::new(),
                    (before, after) => format!("{} → {}", or_nothing(before), or_nothing(after)),
                };
                vec![row.at.clone(), row.who.clone(), row.what.clone(), row.detail.clone(), change]
            })
            .collect();
        print::table(&["WHEN", "WHO", "WHAT", "ON", "BEFORE → AFTER"], &rows);
        print::line(&format!("{} of {} acts", list.rows.len(), list.total));
        Ok(Ending::Fine)
    }

    async fn save_head(&self, output: &str) -> Outcome {
        if output == "-" {
            print::line(self.console.activity_head_file().await?.trim_end());
            return Ok(Ending::Fine);
        }
        let path = self.console.save_activity_head(Path::new(output)).await?;
        if self.json {
            print::json(&serde_json::json!({ "path": path }));
        } else {
            print::line(&format!(
                "The head of the acts was written to {path}. Keep it where nobody can change it who can change the database."
            ));
        }
        Ok(Ending::Fine)
    }

    async fn verify_acts(&self, head: Option<PathBuf>) -> Outcome {
        let proof = match head {
            Some(path) => self.console.activity_proof_against(&path).await?,
            None => self.console.activity_proof(None).await?,
        };
        if self.json {
            print::json(&proof);
        } else {
            print::line(&proof.sentence);
        }
        Ok(if proof.holds { Ending::Fine } else { Ending::ChainBroken })
    }

    async fn export_acts(&self, format: FormatChoice, output: &str) -> Outcome {
        let format = match format {
            FormatChoice::Csv => ExportFormat::Csv,
            FormatChoice::Json => ExportFormat::Json,
        };
        if output == "-" {
            self.console.export_activity_to(format, Box::new(std::io::stdout())).await?;
            return Ok(Ending::Fine);
        }
        let exported = self.console.export_activity(format, Path::new(output)).await?;
        if self.json {
            print::json(&exported);
        } else {
            print::line(&format!("{} acts written to {}", exported.acts, exported.path));
        }
        Ok(Ending::Fine)
    }
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}
