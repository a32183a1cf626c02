//! Erasing everything that the console keeps of this user: keys first, then files. What removing the package leaves behind.

use crate::{
    Console,
    console::blocking,
    data_folder,
    screen::{Erased, Failure},
    start::open_store,
};
use vault::{Vault, VaultError};

/// What a person types so that nothing is erased by mistake.
pub const ERASE_WORDS: &str = "erase everything";

impl Console {
    /// Destroys every key in the keychain and removes every file that the console keeps: instances, credentials, findings, evidence,
    /// history, settings, and data that a restore moved aside. It works also on data that cannot be opened; where the description of its keys
    /// cannot be read either, entries may stay in the keychain, which it says. Backups, exports and a
    /// catalog folder of one's own are not touched; at the vendors nothing changes.
    ///
    /// # Errors
    /// When the words are others, a job runs, or somebody else has the data open: nothing is changed then. When the keychain refuses:
    /// the files are all there, and it can be tried again. When a file cannot be removed: the keys are destroyed, and it says so.
    pub async fn erase(&self, words: &str) -> Result<Erased, Failure> {
        if words.trim() != ERASE_WORDS {
            return Err(Failure::new("E-ERASE-WORDS", "Nothing was erased: the words are not right.", format!("Type \"{ERASE_WORDS}\"."))
                .on_field("words"));
        }
        self.refuse_while_working()?;
        let kept = self.opened().map(|open| (open.vault, open.protection));
        self.set_open(None);
        let options = self.inner.options.clone();
        let erased = blocking(move || {
            let folder = &options.data_folder;
            if !folder.is_dir() {
                return Ok(Vec::new());
            }
            let alone = data_folder::alone(folder)?.ok_or_else(data_folder::in_use)?;
            // All keys before any file: while one is left, everything is there to try again with.
            let mut unnamed = false;
            for vault in data_folder::vaults(folder)? {
                match Vault::destroy_keys(&vault, &options.keychain) {
                    Ok(()) => {}
                    Err(VaultError::Damaged { .. } | VaultError::Newer { .. }) => unnamed = true,
                    Err(error) => return Err(error.into()),
                }
            }
            let mut left = data_folder::remove_all(folder, alone)?;
            if unnamed {
                left.push("entries of the keychain that a damaged or newer vault.json names".to_owned());
            }
            Ok(left)
        })
        .await;
        match erased {
            Ok(left) => Ok(Erased { folder: self.inner.options.data_folder.display().to_string(), left, start: self.start().await? }),
            Err(failure) => {
                // It was open, also by a passphrase that nobody types again now. What is erased in part does not open any more.
                if let Some((vault, protection)) = kept {
                    let options = self.inner.options.clone();
                    let reopened =
                        blocking(move || open_store(&options, vault, protection, data_folder::hold(&options.data_folder)?)).await;
                    match reopened {
                        Ok(open) => self.set_open(Some(open)),
                        Err(second) => tracing::warn!(code = second.code, "the data did not open again"),
                    }
                }
                Err(failure)
            }
        }
    }
}
