//! The keychain of a scratch console: keys in memory, gone with it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use vault::{Keychain, VaultError};
use zeroize::Zeroizing;

#[derive(Default)]
pub(crate) struct MemoryKeychain {
    entries: Mutex<HashMap<String, Zeroizing<Vec<u8>>>>,
}

impl Keychain for MemoryKeychain {
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.to_owned(), Zeroizing::new(secret.to_vec()));
        Ok(())
    }

    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(entry).cloned())
    }

    fn delete(&self, entry: &str) -> Result<(), VaultError> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(entry);
        Ok(())
    }
}
