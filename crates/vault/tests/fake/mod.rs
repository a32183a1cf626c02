//! A keychain in memory that can be locked, absent or broken at will.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use vault::{Keychain, Unlock, VaultError};
use zeroize::Zeroizing;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Usable,
    /// Says "no such entry" to a get, as a Secret Service without an unlocked collection does, and refuses the rest.
    Locked,
    Absent,
    /// Takes everything and gives back something else.
    Forgetful,
}

pub struct FakeKeychain {
    pub mood: Mutex<Mood>,
    pub entries: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl FakeKeychain {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { mood: Mutex::new(Mood::Usable), entries: Mutex::default() })
    }
    pub fn unlock(self: &Arc<Self>) -> Unlock {
        Unlock::Keychain(self.clone())
    }
    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
    pub fn names(&self) -> Vec<String> {
        self.entries.lock().unwrap().keys().cloned().collect()
    }
    fn refusal(&self) -> Result<(), VaultError> {
        match *self.mood.lock().unwrap() {
            Mood::Usable | Mood::Forgetful => Ok(()),
            Mood::Locked => Err(VaultError::KeychainLocked),
            Mood::Absent => Err(VaultError::KeychainAbsent),
        }
    }
}

impl Keychain for FakeKeychain {
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.refusal()?;
        self.entries.lock().unwrap().insert(entry.to_owned(), secret.to_vec());
        Ok(())
    }
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match *self.mood.lock().unwrap() {
            Mood::Usable => Ok(self.entries.lock().unwrap().get(entry).cloned().map(Zeroizing::new)),
            Mood::Locked => Ok(None),
            Mood::Absent => Err(VaultError::KeychainAbsent),
            Mood::Forgetful => Ok(Some(Zeroizing::new(vec![0; 32]))),
        }
    }
    fn delete(&self, entry: &str) -> Result<(), VaultError> {
        self.refusal()?;
        self.entries.lock().unwrap().remove(entry);
        Ok(())
    }
}
