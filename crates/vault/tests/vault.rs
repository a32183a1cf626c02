//! The vault through its public interface, on real files, with a keychain that can be made to fail.

#![allow(clippy::unwrap_used, missing_docs)]

mod fake;

use fake::{FakeKeychain, Mood};
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, fs, path::Path};
use vault::{KeychainState, Protection, RecoveryKey, Unlock, Vault, VaultError, probe};

const INSTANCE: &str = "0b54fa7e-3a4e-4d0e-9f55-0f7be1a6a001";
const OTHER: &str = "0b54fa7e-3a4e-4d0e-9f55-0f7be1a6a002";
const VALUE: &str = "ghp_thisValueMustNeverBeReadable1234";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from(*value))).collect()
}

fn plain(fields: &BTreeMap<String, SecretString>) -> BTreeMap<String, String> {
    fields.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect()
}

fn text(recovery_key: &RecoveryKey) -> String {
    recovery_key.groups().iter().map(|group| group.expose_secret().to_owned()).collect::<Vec<_>>().join("-")
}

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(SecretString::from(text))
}

/// Every byte of every file below a folder.
fn everything(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(everything(&path));
        } else {
            bytes.extend(fs::read(path).unwrap());
        }
    }
    bytes
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn what_is_sealed_opens_again_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    assert_eq!(Vault::protection_of(folder.path()).unwrap(), None);
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    let values = fields(&[("api_key", VALUE), ("empty", ""), ("unicode", "pässwörd 🔑")]);
    vault.seal(INSTANCE, &values, at(0)).unwrap();
    let database = *vault.database_key().expose_secret();
    drop(vault);

    assert_eq!(Vault::protection_of(folder.path()).unwrap(), Some(Protection::Keychain));
    let vault = Vault::open(folder.path(), &keychain.unlock()).unwrap();
    assert_eq!(*vault.database_key().expose_secret(), database);
    assert_ne!(database, [0; 32]);
    assert!(vault.exists(INSTANCE));
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), plain(&values));
    let listed = vault.sealed_fields(INSTANCE).unwrap();
    assert_eq!(
        listed.iter().map(|field| (field.field.as_str(), field.set_at)).collect::<Vec<_>>(),
        [("api_key", at(0)), ("empty", at(0)), ("unicode", at(0))]
    );
}

#[test]
fn one_entry_per_instance_and_one_for_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    assert_eq!(keychain.names().len(), 1);
    vault.seal(INSTANCE, &fields(&[("a", "1"), ("b", "2")]), at(0)).unwrap();
    vault.seal(INSTANCE, &fields(&[("a", "3")]), at(1)).unwrap();
    vault.set_field(INSTANCE, "b", &"4".into(), at(2)).unwrap();
    assert_eq!(keychain.names().len(), 2, "{:?}", keychain.names());
    assert!(keychain.entries.lock().unwrap().values().all(|secret| secret.len() == 32));
}

#[test]
fn replacing_one_field_leaves_the_others_and_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("id", "one"), ("secret", "two")]), at(0)).unwrap();
    vault.set_field(INSTANCE, "secret", &"three".into(), at(60)).unwrap();
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), plain(&fields(&[("id", "one"), ("secret", "three")])));
    let times: Vec<Timestamp> = vault.sealed_fields(INSTANCE).unwrap().iter().map(|field| field.set_at).collect();
    assert_eq!(times, [at(0), at(60)]);
    assert!(matches!(vault.set_field(OTHER, "secret", &"x".into(), at(0)), Err(VaultError::NoCredentials)));
}

#[test]
fn what_came_of_credentials_that_were_replaced_is_not_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("secret", "one"), ("token", "old")]), at(0)).unwrap();
    let unsealed = vault.unseal(INSTANCE).unwrap();
    assert!(vault.add_if_unchanged(INSTANCE, &unsealed, &fields(&[("token", "next"), ("more", "x")]), at(60)).unwrap());
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), plain(&fields(&[("secret", "one"), ("token", "next"), ("more", "x")])));
    let times: Vec<Timestamp> = vault.sealed_fields(INSTANCE).unwrap().iter().map(|field| field.set_at).collect();
    assert_eq!(times, [at(60), at(0), at(60)]);
    // Somebody seals others while a sign-in with these is under way.
    let unsealed = vault.unseal(INSTANCE).unwrap();
    let others = fields(&[("secret", "two"), ("token", "theirs")]);
    vault.seal(INSTANCE, &others, at(120)).unwrap();
    assert!(!vault.add_if_unchanged(INSTANCE, &unsealed, &fields(&[("token", "late")]), at(180)).unwrap());
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), plain(&others));
}

#[test]
fn deleting_destroys_the_key_first() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", VALUE)]), at(0)).unwrap();
    let kept = fs::read(folder.path().join("instances").join(format!("{INSTANCE}.json"))).unwrap();

    keychain.is(Mood::Locked);
    assert!(matches!(vault.delete(INSTANCE), Err(VaultError::KeychainLocked)));
    assert!(vault.exists(INSTANCE), "a file whose key could not be destroyed must stay");

    keychain.is(Mood::Usable);
    vault.delete(INSTANCE).unwrap();
    assert!(!vault.exists(INSTANCE));
    assert_eq!(keychain.names().len(), 1);
    assert!(matches!(vault.unseal(INSTANCE), Err(VaultError::NoCredentials)));
    vault.delete(INSTANCE).unwrap();

    // A copy of the file that somebody kept opens nothing any more.
    fs::write(folder.path().join("instances").join(format!("{INSTANCE}.json")), kept).unwrap();
    assert!(matches!(vault.unseal(INSTANCE), Err(VaultError::InstanceKeyLost)));
}

#[test]
fn nothing_on_the_disk_or_in_debug_output_shows_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, recovery_key) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
    let bytes = everything(folder.path());
    assert!(holds(&bytes, b"api_key"), "the search must be able to find what is there");
    assert!(!holds(&bytes, VALUE.as_bytes()));
    assert!(!holds(&bytes, vault.database_key().expose_secret()));
    assert!(!holds(&bytes, hex::encode(vault.database_key().expose_secret()).as_bytes()));
    for secret in keychain.entries.lock().unwrap().values() {
        assert!(!holds(&bytes, secret));
    }
    assert!(!holds(&bytes, text(&recovery_key).as_bytes()));
    let debug = format!("{vault:?} {recovery_key:?} {:?}", vault.unseal(INSTANCE).unwrap());
    assert!(!debug.contains(VALUE) && !debug.contains(&text(&recovery_key)[..5]), "{debug}");
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(&folder, &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", VALUE)]), at(0)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let mut seen = 0;
    for sub in [folder.clone(), folder.join("instances")] {
        for entry in fs::read_dir(sub).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
            assert!(!entry.file_name().to_string_lossy().starts_with('.'), "a temporary file was left");
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "vault.json, recovery.json, vault.lock and one sealed file");
}

#[test]
fn a_file_in_another_instances_place_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", "one")]), at(0)).unwrap();
    vault.seal(OTHER, &fields(&[("k", "two")]), at(0)).unwrap();
    let path = |id: &str| folder.path().join("instances").join(format!("{id}.json"));
    fs::copy(path(INSTANCE), path(OTHER)).unwrap();
    assert!(matches!(vault.unseal(OTHER), Err(VaultError::Damaged { .. })));

    // Not even when the key goes along: the id is part of what is authenticated.
    let mut entries = keychain.entries.lock().unwrap();
    let key = entries.iter().find(|(name, _)| name.contains(INSTANCE)).unwrap().1.clone();
    let name = entries.keys().find(|name| name.contains(OTHER)).unwrap().clone();
    entries.insert(name, key);
    drop(entries);
    assert!(matches!(vault.unseal(OTHER), Err(VaultError::Damaged { .. })));
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap())["k"], "one");
}

#[test]
fn names_and_times_that_stand_in_clear_are_authenticated() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
    let path = folder.path().join("instances").join(format!("{INSTANCE}.json"));
    let right = fs::read_to_string(&path).unwrap();
    for (from, to) in [("api_key", "api_kez"), ("Z\"", "1Z\""), ("\"format\": 1", "\"format\": 2"), ("\"sealed\"", "\"sealad\"")] {
        let from = if from == "Z\"" { "Z\"\n" } else { from };
        let to = if to == "1Z\"" { ".5Z\"\n" } else { to };
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{from}");
        fs::write(&path, wrong).unwrap();
        let error = vault.unseal(INSTANCE).unwrap_err();
        let expected = if from.contains("format") { "E-VAULT-NEWER" } else { "E-VAULT-DAMAGED" };
        assert_eq!(error.code(), expected, "{from}");
        assert!(!error.remedy().is_empty());
    }
    fs::write(&path, &right[..right.len() / 2]).unwrap();
    assert_eq!(vault.unseal(INSTANCE).unwrap_err().code(), "E-VAULT-DAMAGED");
    fs::write(&path, right).unwrap();
    vault.unseal(INSTANCE).unwrap();
}

#[test]
fn ids_that_would_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    for id in ["", "..", "../vault", "a/b", "a\\b", "a.b", "ü", &"a".repeat(65)] {
        assert!(matches!(vault.seal(id, &fields(&[("k", "v")]), at(0)), Err(VaultError::BadInstanceId)), "{id}");
        assert!(matches!(vault.unseal(id), Err(VaultError::BadInstanceId)), "{id}");
        assert!(matches!(vault.delete(id), Err(VaultError::BadInstanceId)), "{id}");
        assert!(!vault.exists(id), "{id}");
    }
}

#[test]
fn a_keychain_is_believed_only_after_a_round_trip() {
    let keychain = FakeKeychain::new();
    assert_eq!(probe(keychain.as_ref()), KeychainState::Usable);
    assert!(keychain.names().is_empty(), "the test entry is removed");
    for (mood, code) in [(Mood::Locked, "E-KEYCHAIN-LOCKED"), (Mood::Absent, "E-KEYCHAIN-ABSENT"), (Mood::Forgetful, "E-KEYCHAIN-FAILED")] {
        keychain.is(mood);
        let error = probe(keychain.as_ref()).error().unwrap();
        assert_eq!(error.code(), code);
        assert!(error.to_string().ends_with('.') && error.remedy().ends_with('.'));
        keychain.entries.lock().unwrap().clear();
    }
}

#[test]
fn a_locked_keychain_is_not_taken_for_a_lost_key() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", "v")]), at(0)).unwrap();
    keychain.is(Mood::Locked);
    assert_eq!(vault.unseal(INSTANCE).unwrap_err().code(), "E-KEYCHAIN-LOCKED");
    assert_eq!(vault.seal(INSTANCE, &fields(&[("k", "w")]), at(0)).unwrap_err().code(), "E-KEYCHAIN-LOCKED");
    assert_eq!(Vault::open(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-KEYCHAIN-LOCKED");
    keychain.is(Mood::Absent);
    assert_eq!(Vault::open(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-KEYCHAIN-ABSENT");
    keychain.is(Mood::Usable);
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap())["k"], "v");
    keychain.entries.lock().unwrap().clear();
    assert_eq!(vault.unseal(INSTANCE).unwrap_err().code(), "E-CREDENTIAL-KEY-LOST");
    assert_eq!(Vault::open(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-DB-KEY-LOST");
}

#[test]
fn without_a_keychain_nothing_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    keychain.is(Mood::Absent);
    assert_eq!(Vault::create(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-KEYCHAIN-ABSENT");
    assert_eq!(Vault::protection_of(folder.path()).unwrap(), None);
    assert_eq!(Vault::open(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-VAULT-MISSING");
    keychain.is(Mood::Usable);
    Vault::create(folder.path(), &keychain.unlock()).unwrap();
    assert_eq!(Vault::create(folder.path(), &keychain.unlock()).unwrap_err().code(), "E-VAULT-EXISTS");
}

#[test]
fn a_passphrase_stands_in_for_the_keychain() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Vault::create(folder.path(), &passphrase("elevenchars")).unwrap_err().code(), "E-PASSPHRASE-SHORT");
    let right = passphrase("correct horse battery");
    let (vault, _) = Vault::create(folder.path(), &right).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", VALUE)]), at(0)).unwrap();
    vault.seal(OTHER, &fields(&[("k", "other")]), at(0)).unwrap();
    let database = *vault.database_key().expose_secret();
    drop(vault);

    assert_eq!(Vault::protection_of(folder.path()).unwrap(), Some(Protection::Passphrase));
    assert_eq!(Vault::open(folder.path(), &passphrase("correct horse battery ")).unwrap_err().code(), "E-PASSPHRASE");
    assert_eq!(Vault::open(folder.path(), &FakeKeychain::new().unlock()).unwrap_err().code(), "E-VAULT-PROTECTION");
    let vault = Vault::open(folder.path(), &right).unwrap();
    assert_eq!(*vault.database_key().expose_secret(), database);
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap())["k"], VALUE);
    let bytes = everything(folder.path());
    assert!(!holds(&bytes, VALUE.as_bytes()) && !holds(&bytes, b"correct horse") && !holds(&bytes, &database));

    vault.delete(INSTANCE).unwrap();
    let keys = fs::read_to_string(folder.path().join("keys.json")).unwrap();
    assert!(!keys.contains(INSTANCE) && keys.contains(OTHER));
    assert_eq!(plain(&vault.unseal(OTHER).unwrap())["k"], "other");
}

#[test]
fn wrapped_keys_cannot_change_places() {
    let folder = tempfile::tempdir().unwrap();
    let right = passphrase("correct horse battery");
    let (vault, _) = Vault::create(folder.path(), &right).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", "v")]), at(0)).unwrap();
    let path = folder.path().join("keys.json");
    let mut keys: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let wrapped = keys["keys"]["database"].clone();
    let name = format!("instance-{INSTANCE}");
    assert!(keys["keys"][&name].is_object());
    keys["keys"][&name] = wrapped;
    fs::write(&path, keys.to_string()).unwrap();
    assert_eq!(vault.unseal(INSTANCE).unwrap_err().code(), "E-VAULT-DAMAGED");
}

#[test]
fn weakened_or_absurd_derivations_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let right = passphrase("correct horse battery");
    Vault::create(folder.path(), &right).unwrap();
    let path = folder.path().join("vault.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"memory_kib\": 65536", "\"memory_kib\": 8"),
        ("\"memory_kib\": 65536", "\"memory_kib\": 4294967295"),
        ("\"passes\": 3", "\"passes\": 100000"),
        ("\"lanes\": 4", "\"lanes\": 0"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        assert_eq!(Vault::open(folder.path(), &right).unwrap_err().code(), "E-VAULT-DAMAGED", "{to}");
    }
}

#[test]
fn the_recovery_key_opens_the_database_when_the_keychain_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, shown) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("k", "v")]), at(0)).unwrap();
    let database = *vault.database_key().expose_secret();
    drop(vault);
    assert_eq!(shown.groups().len(), 8);
    let written_down = text(&shown).to_lowercase().replace('-', " \n").replace('0', "o").replace('1', "l");
    let read = RecoveryKey::parse(&SecretString::from(written_down)).unwrap();

    let replaced = FakeKeychain::new();
    assert_eq!(Vault::open(folder.path(), &replaced.unlock()).unwrap_err().code(), "E-DB-KEY-LOST");
    let vault = Vault::recover(folder.path(), &read, &replaced.unlock()).unwrap();
    assert_eq!(*vault.database_key().expose_secret(), database);
    assert_eq!(vault.unseal(INSTANCE).unwrap_err().code(), "E-CREDENTIAL-KEY-LOST");
    vault.seal(INSTANCE, &fields(&[("k", "entered again")]), at(9)).unwrap();
    drop(vault);
    let vault = Vault::open(folder.path(), &replaced.unlock()).unwrap();
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap())["k"], "entered again");

    // To a passphrase and back, with a new recovery key that ends the old one.
    let fresh = vault.new_recovery_key().unwrap();
    assert_eq!(Vault::recover(folder.path(), &read, &replaced.unlock()).unwrap_err().code(), "E-RECOVERY-KEY");
    let vault = Vault::recover(folder.path(), &fresh, &passphrase("correct horse battery")).unwrap();
    assert_eq!(vault.protection(), Protection::Passphrase);
    drop(vault);
    let vault = Vault::open(folder.path(), &passphrase("correct horse battery")).unwrap();
    assert_eq!(*vault.database_key().expose_secret(), database);
}

#[test]
fn a_recovery_key_of_another_vault_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keychain = FakeKeychain::new();
    Vault::create(one.path(), &keychain.unlock()).unwrap();
    let (_, other) = Vault::create(two.path(), &keychain.unlock()).unwrap();
    assert_eq!(Vault::recover(one.path(), &other, &keychain.unlock()).unwrap_err().code(), "E-RECOVERY-KEY");
    for text in ["", "ABCDE", "not a recovery key at all", "00000-00000-00000-00000-00000-00000-00000-00001"] {
        assert_eq!(RecoveryKey::parse(&SecretString::from(text)).unwrap_err().code(), "E-RECOVERY-KEY-FORMAT", "{text}");
    }
}

#[test]
fn two_handles_do_not_lose_each_others_keys() {
    let folder = tempfile::tempdir().unwrap();
    let right = passphrase("correct horse battery");
    let (vault, _) = Vault::create(folder.path(), &right).unwrap();
    let second = Vault::open(folder.path(), &right).unwrap();
    std::thread::scope(|scope| {
        for (handle, prefix) in [(&vault, "a"), (&second, "b")] {
            scope.spawn(move || {
                for index in 0..20 {
                    handle.seal(&format!("{prefix}{index}"), &fields(&[("k", prefix)]), at(index)).unwrap();
                }
            });
        }
    });
    for prefix in ["a", "b"] {
        for index in 0..20 {
            assert_eq!(plain(&vault.unseal(&format!("{prefix}{index}")).unwrap())["k"], prefix);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_values_come_back_as_they_were(values in prop::collection::btree_map("[a-z_]{1,12}", any::<String>(), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let (vault, _) = Vault::create(folder.path(), &FakeKeychain::new().unlock()).unwrap();
        let sealed = values.iter().map(|(name, value)| (name.clone(), SecretString::from(value.as_str()))).collect();
        vault.seal(INSTANCE, &sealed, at(0)).unwrap();
        prop_assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), values);
    }

    #[test]
    fn any_changed_bit_is_refused(position in any::<prop::sample::Index>(), bit in 0..8u8) {
        let folder = tempfile::tempdir().unwrap();
        let keychain = FakeKeychain::new();
        let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
        vault.seal(INSTANCE, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
        let path = folder.path().join("instances").join(format!("{INSTANCE}.json"));
        let right = fs::read(&path).unwrap();
        let mut changed = right.clone();
        let index = position.index(changed.len());
        changed[index] ^= 1 << bit;
        fs::write(&path, &changed).unwrap();
        match vault.unseal(INSTANCE) {
            Err(error) => prop_assert!(matches!(error, VaultError::Damaged { .. } | VaultError::Newer { .. }), "{error}"),
            // White space, the copy of the id in the file and spellings of one JSON text do not matter; values do.
            Ok(values) => prop_assert_eq!(&plain(&values)["api_key"], VALUE),
        }
    }

    #[test]
    fn a_slip_in_the_recovery_key_never_opens(position in any::<prop::sample::Index>(), letter in "[0-9A-HJKMNP-TV-Z]") {
        let folder = tempfile::tempdir().unwrap();
        let keychain = FakeKeychain::new();
        let (_, shown) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
        let right = text(&shown);
        let places: Vec<usize> = right.char_indices().filter(|(_, c)| *c != '-').map(|(place, _)| place).collect();
        let place = places[position.index(places.len())];
        let mut wrong = right.clone();
        wrong.replace_range(place..=place, &letter);
        prop_assume!(wrong != right);
        let opened = RecoveryKey::parse(&SecretString::from(wrong)).and_then(|key| Vault::recover(folder.path(), &key, &keychain.unlock()));
        prop_assert!(matches!(opened, Err(VaultError::RecoveryKeyMistyped | VaultError::WrongRecoveryKey)));
    }
}

#[test]
fn instances_with_credentials_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    assert!(vault.instances().unwrap().is_empty());
    for instance in [INSTANCE, OTHER] {
        vault.seal(instance, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
    }
    // What an interrupted write leaves, and what somebody else puts there.
    for stray in [".0b54fa7e.json.0123456789ab", "notes.txt", "no id.json"] {
        fs::write(folder.path().join("instances").join(stray), "{}").unwrap();
    }
    let mut listed = vault.instances().unwrap();
    listed.sort_unstable();
    assert_eq!(listed, [INSTANCE, OTHER]);
    vault.delete(OTHER).unwrap();
    assert_eq!(vault.instances().unwrap(), [INSTANCE]);
    fs::remove_dir_all(folder.path().join("instances")).unwrap();
    assert!(vault.instances().unwrap().is_empty(), "a folder that is gone holds none");
}

#[test]
fn a_copy_holds_what_is_sealed_of_the_instances_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let keychain = FakeKeychain::new();
    let (vault, _) = Vault::create(folder.path(), &keychain.unlock()).unwrap();
    for instance in [INSTANCE, OTHER] {
        vault.seal(instance, &fields(&[("api_key", VALUE)]), at(1)).unwrap();
    }
    let copy = vault.copy(&[INSTANCE.to_owned()].into()).unwrap();
    let sealed = format!("instances/{INSTANCE}.json");
    assert_eq!(copy.keys().map(String::as_str).collect::<Vec<_>>(), [sealed.as_str(), "recovery.json", "vault.json"]);
    for (name, content) in &copy {
        assert!(Vault::is_file_name(name), "{name}");
        assert_eq!(*content, fs::read(folder.path().join(name)).unwrap());
        assert!(keychain.entries.lock().unwrap().values().all(|key| !holds(content, key)), "{name} holds a key");
    }
    for name in [
        "",
        "vault.lock",
        "../vault.json",
        "/vault.json",
        "instances/",
        "instances/.json",
        "instances/../x.json",
        "instances/a/b.json",
        "x.json",
    ] {
        assert!(!Vault::is_file_name(name), "{name}");
    }
    assert!(matches!(vault.copy(&["../x".to_owned()].into()), Err(VaultError::BadInstanceId)));
    fs::remove_file(folder.path().join("vault.json")).unwrap();
    assert!(matches!(vault.copy(&[].into()), Err(VaultError::NoVault)));
}

#[test]
fn a_vault_is_looked_at_without_its_keys_and_what_is_missing_is_named() {
    for protection in [Protection::Keychain, Protection::Passphrase] {
        let source = tempfile::tempdir().unwrap();
        let unlock = match protection {
            Protection::Keychain => FakeKeychain::new().unlock(),
            Protection::Passphrase => passphrase("correct horse battery staple"),
        };
        let (vault, _) = Vault::create(source.path(), &unlock).unwrap();
        vault.seal(INSTANCE, &fields(&[("api_key", VALUE)]), at(1)).unwrap();
        vault.seal(OTHER, &fields(&[("api_key", VALUE)]), at(1)).unwrap();
        let copy = vault.copy(&[INSTANCE.to_owned(), OTHER.to_owned()].into()).unwrap();
        let place = |without: &str, with: &[(&str, &[u8])]| {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("instances")).unwrap();
            for (name, content) in copy.iter().filter(|(name, _)| *name != without) {
                fs::write(folder.path().join(name), content).unwrap();
            }
            for (name, content) in with {
                fs::write(folder.path().join(name), content).unwrap();
            }
            let found = Vault::examine(folder.path());
            found.map_err(|error| if let VaultError::Damaged { file } = error { file } else { error.code().to_owned() })
        };
        assert_eq!(place("", &[]), Ok(protection));
        assert_eq!(place("vault.json", &[]), Err("E-VAULT-MISSING".into()));
        assert_eq!(place("recovery.json", &[]), Err("recovery.json".into()));
        let keys = if protection == Protection::Passphrase { Err("keys.json".into()) } else { Ok(protection) };
        assert_eq!(place("keys.json", &[]), keys);
        let (one, other) = (format!("instances/{INSTANCE}.json"), format!("instances/{OTHER}.json"));
        assert_eq!(place("", &[(&one, &copy[&other])]), Err(one.clone()));
        assert_eq!(place("", &[(&one, b"{")]), Err(format!("{INSTANCE}.json")));
        assert_eq!(place("", &[("vault.json", br#"{"format":9}"#)]), Err("E-VAULT-NEWER".into()));
        assert_eq!(place(&one, &[]), Ok(protection), "credentials that are missing are entered again");
    }
}

#[test]
fn the_keys_of_a_vault_are_destroyed_whatever_protects_it_now() {
    let folder = tempfile::tempdir().unwrap();
    let (own, others) = (folder.path().join("own"), folder.path().join("others"));
    let keychain = FakeKeychain::new();
    let (vault, recovery) = Vault::create(&own, &keychain.unlock()).unwrap();
    vault.seal(INSTANCE, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
    let (other, _recovery) = Vault::create(&others, &keychain.unlock()).unwrap();
    other.seal(OTHER, &fields(&[("api_key", VALUE)]), at(0)).unwrap();
    assert_eq!(keychain.names().len(), 4);

    let shared: std::sync::Arc<dyn vault::Keychain> = keychain.clone();
    keychain.is(Mood::Locked);
    assert!(matches!(Vault::destroy_keys(&own, &shared), Err(VaultError::KeychainLocked)));
    keychain.is(Mood::Usable);
    assert_eq!(plain(&vault.unseal(INSTANCE).unwrap()), plain(&fields(&[("api_key", VALUE)])), "nothing went while a key could not");

    // Under a passphrase since: what the keychain held before goes too.
    Vault::recover(&own, &recovery, &passphrase("a passphrase of some length")).unwrap();
    assert_eq!(keychain.names().len(), 4);
    Vault::destroy_keys(&own, &shared).unwrap();
    assert_eq!(keychain.names().len(), 2, "another vault's keys are not touched");
    assert_eq!(plain(&other.unseal(OTHER).unwrap()), plain(&fields(&[("api_key", VALUE)])));
    Vault::destroy_keys(&own, &shared).unwrap();
    Vault::destroy_keys(&folder.path().join("none"), &shared).unwrap();
    keychain.is(Mood::Absent);
    Vault::destroy_keys(&own, &shared).unwrap();

    std::fs::write(own.join("vault.json"), "a letter").unwrap();
    assert!(matches!(Vault::destroy_keys(&own, &shared), Err(VaultError::Damaged { .. })));
}
