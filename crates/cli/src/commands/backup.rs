//! Backing everything up to one file, putting it back, and erasing it.

use super::{Ending, Outcome, Stop, Terminal};
use crate::print;
use console::{
    ERASE_WORDS,
    screen::{Protection, StartState},
};
use std::{io::Write, path::Path};

/// What is to be typed before a backup replaces everything.
const WORD: &str = "restore";

impl Terminal {
    pub(super) async fn back_up(&self, output: &Path) -> Outcome {
        self.open().await?;
        let written = self.console.back_up(output).await?;
        if self.json {
            print::json(&written);
        } else {
            print::line(&format!("Written: {}, {} bytes. {}", print::plain(&written.path), written.bytes, written.opens));
        }
        Ok(Ending::Fine)
    }

    /// Needs nothing to be opened first: it is the way out where nothing opens, and where nothing is there yet.
    pub(super) async fn restore(&self, backup: &Path, yes: bool) -> Outcome {
        if !yes {
            eprint!(
                "Type \"{WORD}\" to replace everything that is stored by what is in {}; what is there now is kept in a folder beside it: ",
                print::plain(&backup.display().to_string())
            );
            typed(WORD)?;
        }
        let start = self.console.restore(backup).await?;
        if self.json {
            print::json(&start);
            return Ok(Ending::Fine);
        }
        print::line(&match start.state {
            StartState::Ready { .. } => "Restored. Everything is as it was when the backup was made.".to_owned(),
            StartState::Locked { protection: Protection::Passphrase } => {
                "Restored. It opens with the passphrase that held when the backup was made.".to_owned()
            }
            StartState::Locked { protection: Protection::Keychain } => "Restored. It is locked; Unlock opens it.".to_owned(),
            StartState::Blocked { failure, recovery: true } => {
                format!("Restored. {} The recovery key opens it: `posture recover`, or the window asks for it.", failure.sentence)
            }
            StartState::Blocked { failure, recovery: false } => format!("Restored. {} {}", failure.sentence, failure.remedy),
            // A backup never comes to this: it is refused without a vault.
            StartState::FirstStart => "Nothing is stored.".to_owned(),
        });
        Ok(Ending::Fine)
    }

    /// Needs nothing to be opened first, as what cannot be opened any more can be erased all the same.
    pub(super) async fn erase(&self, yes: bool) -> Outcome {
        if !yes {
            eprint!(
                "Type \"{ERASE_WORDS}\" to destroy every key and remove every instance, credential, finding and setting that Posture Console keeps here: "
            );
            typed(ERASE_WORDS)?;
        }
        let erased = self.console.erase(ERASE_WORDS).await?;
        if self.json {
            print::json(&erased);
            return Ok(Ending::Fine);
        }
        let folder = print::plain(&erased.folder);
        print::line(&if erased.left.is_empty() {
            format!("Erased: {folder} and the keys in the keychain are gone.")
        } else {
            let left: Vec<String> = erased.left.iter().map(|name| print::plain(name)).collect();
            format!("Erased. In {folder} stays what is not the console's: {}.", left.join(", "))
        });
        Ok(Ending::Fine)
    }
}

/// Reads a line that must be these words.
fn typed(words: &str) -> Result<(), Stop> {
    let mut typed = String::new();
    if std::io::stderr().flush().is_err() || std::io::stdin().read_line(&mut typed).is_err() || typed.trim() != words {
        return Err(Stop::Usage(format!("\"{words}\" was not typed; nothing was changed")));
    }
    Ok(())
}
