//! The vault against the Secret Service of the session it is started in. It must be started inside a session bus with an
//! unlocked collection; without one it fails.

#![allow(clippy::unwrap_used, missing_docs)]

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, io::Write, sync::Arc};
use vault::{Keychain, KeychainState, OsKeychain, Unlock, Vault, VaultError, probe};

#[test]
fn the_vault_lives_in_the_keychain_of_this_system() {
    assert_eq!(probe(&OsKeychain), KeychainState::Usable, "start this inside a session with an unlocked Secret Service");

    assert!(OsKeychain.get("no-such-entry").unwrap().is_none());
    OsKeychain.delete("no-such-entry").unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    OsKeychain.set("test-entry", &bytes).unwrap();
    OsKeychain.set("test-entry", &bytes[1..]).unwrap();
    assert_eq!(*OsKeychain.get("test-entry").unwrap().unwrap(), bytes[1..]);
    OsKeychain.delete("test-entry").unwrap();
    assert!(OsKeychain.get("test-entry").unwrap().is_none());

    let folder = tempfile::tempdir().unwrap();
    let unlock = Unlock::Keychain(Arc::new(OsKeychain));
    let (vault, _) = Vault::create(folder.path(), &unlock).unwrap();
    let fields: BTreeMap<String, SecretString> = [("token".to_owned(), SecretString::from("value"))].into();
    vault.seal("one", &fields, Timestamp::UNIX_EPOCH).unwrap();
    let database = *vault.database_key().expose_secret();
    drop(vault);

    let vault = Vault::open(folder.path(), &unlock).unwrap();
    assert_eq!(*vault.database_key().expose_secret(), database);
    assert_eq!(vault.unseal("one").unwrap()["token"].expose_secret(), "value");
    vault.delete("one").unwrap();
    assert!(matches!(vault.unseal("one"), Err(VaultError::NoCredentials)));

    // Only a run that came this far has shown the promise; one that did not leaves its row without a case.
    if let Ok(path) = std::env::var("POSTURE_PROMISES") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "PROMISE secret-service cases=1 failures=0").unwrap();
    }
}
