//! Backing everything up, restoring it, and what a deletion leaves: through the public interface, with a vendor over real HTTPS, a real
//! encrypted database and real sealed files. Time and the keychain are ours.
use crate::company::Company;
use crate::scene::{SteppingClock, database, today};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use posture_core::{
    Console, Listener, Options, SecretString,
    screen::{
        AddInstance, AttestationAnswer, BackedUp, Failure, FileToAttach, FindingFilter, FindingQuery, FindingSort, FleetFilter, FleetQuery,
        Instance, InstanceChange, InventorySort, InventoryThresholds, NewAttestation, NewUnmonitor, OwnCheckDraft, Progress, Protection,
        SandboxScope, ScheduleChoice, Settings, Severity, Slice, Start, StartState,
    },
};
use rusqlite::Connection;
use sandbox::OverlayChange;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tar::{Archive, Builder, EntryType, Header};
use vault::{Keychain, VaultError};
use zeroize::Zeroizing;

const ALL: Slice = Slice { offset: 0, limit: 500 };
const PASSPHRASE: &str = "correct horse battery staple";
/// Stands in everything that is stored of an instance.
const MARK: &str = "Thistledown-Quern-5081";

/// A keychain whose entries can be counted.
#[derive(Default)]
struct Ring(Mutex<BTreeMap<String, Vec<u8>>>);

impl Ring {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl Keychain for Ring {
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.to_owned(), secret.to_vec());
        Ok(())
    }
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(entry).cloned().map(Zeroizing::new))
    }
    fn delete(&self, entry: &str) -> Result<(), VaultError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(entry);
        Ok(())
    }
}

/// A console beside whose data folder nothing else lies than its backups.
struct Desk {
    console: Console,
    options: Options,
    clock: Arc<SteppingClock>,
    ring: Arc<Ring>,
    company: Company,
    around: tempfile::TempDir,
    recovery: Vec<String>,
    events: Arc<Mutex<Vec<Progress>>>,
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn options(around: &Path, clock: &Arc<SteppingClock>, ring: &Arc<Ring>) -> Options {
    let mut options = Options::in_folder(around.join("data"));
    options.clock = clock.clone();
    options.keychain = ring.clone();
    options
}

impl Desk {
    async fn new(protection: Protection) -> Self {
        let (around, clock, ring) = (tempfile::tempdir().unwrap(), SteppingClock::at(today()), Arc::new(Ring::default()));
        let options = options(around.path(), &clock, &ring);
        let console = Console::new(options.clone()).unwrap();
        let passphrase = matches!(protection, Protection::Passphrase).then(|| secret(PASSPHRASE));
        let recovery = console.first_start(protection, passphrase).await.unwrap().groups;
        let company = Company::new().await;
        Self { console, options, clock, ring, company, around, recovery, events: Arc::default() }
    }

    /// With an instance that was scanned.
    async fn with_instance(protection: Protection) -> Self {
        let desk = Self::new(protection).await;
        desk.connect(desk.company.request()).await.unwrap();
        desk
    }

    async fn connect(&self, request: AddInstance) -> Result<String, Failure> {
        let draft = self.draft();
        self.console.connect(&draft, request, self.listener()).await
    }

    fn draft(&self) -> String {
        let draft = self.console.open_draft("kustomer", "api-key").unwrap();
        self.console.check_field(&draft, "api_key", secret(&self.company.key)).unwrap();
        draft
    }

    fn listener(&self) -> Listener {
        let events = Arc::clone(&self.events);
        Arc::new(move |event| events.lock().unwrap().push(event))
    }

    fn data(&self) -> &Path {
        &self.options.data_folder
    }

    fn file(&self) -> PathBuf {
        self.around.path().join("posture.tar")
    }

    async fn back_up(&self) -> BackedUp {
        self.console.back_up(&self.file()).await.unwrap()
    }

    async fn restore(&self) -> Result<Start, Failure> {
        self.clock.pass(SignedDuration::from_hours(1));
        self.console.restore(&self.file()).await
    }

    /// Another process of this or another user with this data.
    fn another(&self, ring: &Arc<Ring>) -> Console {
        Console::new(options(self.around.path(), &self.clock, ring)).unwrap()
    }

    /// Everything that screens show of the instances.
    async fn seen(&self) -> Value {
        seen(&self.console).await
    }

    async fn acts(&self) -> Vec<(String, String)> {
        let acts = self.console.activity(ALL).await.unwrap().rows;
        acts.into_iter().rev().map(|act| (act.what, act.detail)).collect()
    }
}

async fn seen(console: &Console) -> Value {
    let mut pages = Vec::new();
    for instance in instances(console).await {
        let page = console.instance(&instance.id).await.unwrap();
        pages.push(json!({ "name": page.instance.name, "checks": page.checks, "datasets": page.datasets, "scans": page.scans }));
    }
    let filter = FindingFilter { sandbox: SandboxScope::With, ..FindingFilter::default() };
    let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
    let findings = console.findings(query).await.unwrap();
    assert_eq!(findings.total as usize, findings.rows.len());
    json!({ "pages": pages, "findings": findings.rows, "requests": console.requests(None, ALL).await.unwrap().total })
}

async fn instances(console: &Console) -> Vec<Instance> {
    console.instances(SandboxScope::With).await.unwrap()
}

/// Every file below a folder, by its path in it, but for the lock.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != "in-use.lock" {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn holds(bytes: &[u8], piece: &[u8]) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece)
}

/// The entries of an archive with their places in the file, as they are named in it.
fn entries(file: &Path) -> Vec<(String, Vec<u8>, u64)> {
    use std::io::Read;
    let mut archive = Archive::new(fs::File::open(file).unwrap());
    let mut entries = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o600);
        let (name, mut content) = (entry.path().unwrap().display().to_string(), Vec::new());
        entry.read_to_end(&mut content).unwrap();
        entries.push((name, content, entry.raw_file_position()));
    }
    entries
}

/// Writes an archive of these entries, whatever their names and kinds.
fn pack(file: &Path, entries: &[(&str, EntryType, &[u8])]) {
    let mut builder = Builder::new(fs::File::create(file).unwrap());
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap();
}

/// The same entries, with another manifest and perhaps another content of one of them, told rightly by the manifest.
fn repack(file: &Path, whole: &[(String, Vec<u8>, u64)], content: Option<(&str, &[u8])>, change: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_slice(&whole[0].1).unwrap();
    let mut parts: Vec<(&str, &[u8])> = whole[1..].iter().map(|(name, bytes, _)| (name.as_str(), bytes.as_slice())).collect();
    if let Some((name, bytes)) = content {
        let at = parts.iter().position(|(part, _)| *part == name).unwrap();
        parts[at].1 = bytes;
        let told = store::copy_digested(&mut &*bytes, &mut std::io::sink()).unwrap();
        manifest["parts"][at]["bytes"] = told.bytes.into();
        manifest["parts"][at]["sha256"] = told.sha256.into();
    }
    change(&mut manifest);
    let text = serde_json::to_vec(&manifest).unwrap();
    let mut all = vec![("manifest.json", EntryType::Regular, text.as_slice())];
    all.extend(parts.into_iter().map(|(name, bytes)| (name, EntryType::Regular, bytes)));
    pack(file, &all);
}

/// A database in clear sight: its file, opened with the key of the one that it was copied from.
fn open_copy(copy: &Path, of: &Options) -> Connection {
    let unlock = vault::Unlock::Keychain(Arc::clone(&of.keychain));
    let vault = vault::Vault::open(&of.data_folder.join("vault"), &unlock).unwrap();
    let key = hex::encode(secrecy::ExposeSecret::expose_secret(vault.database_key()));
    let salt = hex::encode(&fs::read(copy).unwrap()[..16]);
    let connection = Connection::open(copy).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}{salt}'\"")).unwrap();
    connection
}

/// How many rows each table holds.
fn rows(connection: &Connection) -> BTreeMap<String, i64> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names
        .into_iter()
        .map(|name| {
            let rows = connection.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0)).unwrap();
            (name, rows)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_holds_everything_and_nothing_of_it_in_clear() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    let written = desk.back_up().await;
    assert_eq!((Path::new(&written.path), written.bytes), (&*desk.file(), fs::metadata(desk.file()).unwrap().len() as f64));
    assert!(written.opens.contains("keychain") && written.opens.contains("recovery key"), "{}", written.opens);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(desk.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let id = instances(&desk.console).await.remove(0).id;
    let whole = entries(&desk.file());
    let names: Vec<&str> = whole.iter().map(|(name, _, _)| name.as_str()).collect();
    let sealed = format!("vault/instances/{id}.json");
    assert_eq!(names, ["manifest.json", "posture.db", sealed.as_str(), "vault/recovery.json", "vault/vault.json"]);
    let manifest: Value = serde_json::from_slice(&whole[0].1).unwrap();
    assert_eq!(
        (&manifest["format"], &manifest["version"], &manifest["protection"], &manifest["schema"]),
        (&json!("posture-console-backup"), &json!(1), &json!("keychain"), &json!(store::SCHEMA))
    );

    // Not the names, not the structure, not the credential, none of the keys.
    let bytes = fs::read(desk.file()).unwrap();
    let keys: Vec<Vec<u8>> = desk.ring.0.lock().unwrap().values().cloned().collect();
    assert_eq!(keys.len(), 2, "the database's and the instance's");
    let mut secrets: Vec<Vec<u8>> = ["Halden Moor", "Mei Laurent", "kustomer", "CREATE TABLE", "SQLite format", &desk.company.key]
        .map(|text| text.as_bytes().to_vec())
        .into();
    secrets.extend(keys.iter().flat_map(|key| [key.clone(), hex::encode(key).into_bytes(), STANDARD.encode(key).into_bytes()]));
    for secret in &secrets {
        assert!(!holds(&bytes, secret), "{}", String::from_utf8_lossy(secret));
    }
    // Nothing that was in between is left, here or there.
    let beside: BTreeSet<String> =
        fs::read_dir(desk.around.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(beside, ["data".to_owned(), "posture.tar".to_owned()].into());
    let names: Vec<String> = files(desk.data()).into_keys().collect();
    assert!(!names.iter().any(|name| name.contains("copying")), "{names:?}");

    // It opens with the key that the database has, and holds all of its rows.
    let copy = desk.around.path().join("copy.db");
    fs::write(&copy, &whole[1].1).unwrap();
    let (copied, original) = (open_copy(&copy, &desk.options), database(&desk.options));
    let (copied_rows, mut original_rows) = (rows(&copied), rows(&original));
    // The act that tells of the backup comes after it.
    for table in ["activity", "activity_link"] {
        *original_rows.get_mut(table).unwrap() -= 1;
    }
    assert_eq!(copied_rows, original_rows);
    assert!(copied_rows["evidence"] > 10 && copied_rows["finding"] > 10, "{copied_rows:?}");
    assert_eq!(desk.acts().await.last().unwrap(), &("backup written".to_owned(), written.path.clone()));

    // Once more over the same name; and not into the folder that would be lost with it.
    assert_eq!(desk.back_up().await.path, written.path);
    let refused = desk.console.back_up(&desk.data().join("posture.db")).await.unwrap_err();
    assert_eq!(refused.code, "E-BACKUP-PLACE");
    let refused = desk.console.back_up(&desk.around.path().join("nowhere").join("posture.tar")).await.unwrap_err();
    assert_eq!(refused.code, "E-BACKUP");
    desk.seen().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restoring_brings_everything_back_but_the_credentials_of_what_was_deleted() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    let second = AddInstance { name: "Second".into(), ..desk.company.request() };
    desk.connect(second).await.unwrap();
    let before = desk.seen().await;
    desk.back_up().await;

    let [halden, second] = &instances(&desk.console).await[..] else { panic!("two instances") };
    desk.console.delete_instance(&second.id, "Second").await.unwrap();
    let third = AddInstance { name: "Third".into(), ..desk.company.request() };
    desk.connect(third).await.unwrap();
    let after = desk.seen().await;
    assert_ne!(after, before);
    let entries = desk.ring.names();

    let start = desk.restore().await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
    assert_eq!(desk.seen().await, before);
    assert_eq!(desk.ring.names(), entries, "no entry of the keychain came or went");
    let acts = desk.acts().await;
    assert_eq!(acts.iter().filter(|(what, _)| what == "data restored").count(), 1);
    let (_, detail) = acts.last().unwrap();
    assert!(detail.starts_with(desk.file().to_str().unwrap()) && detail.contains("replaced-20261121T"), "{detail}");
    assert!(desk.console.activity_proof(None).await.unwrap().holds);

    // What its key was not taken from goes on; what was deleted wants its credential again, and heals.
    desk.console.scan(&halden.id, desk.listener()).await.unwrap();
    assert_eq!(desk.console.scan(&second.id, desk.listener()).await.unwrap_err().code, "E-CREDENTIAL-KEY-LOST");
    desk.console.replace_secret(&desk.draft(), &second.id, desk.listener()).await.unwrap();
    desk.console.scan(&second.id, desk.listener()).await.unwrap();

    // What was there lies whole beside it, and opens when it is put back.
    let replaced: Vec<PathBuf> = fs::read_dir(desk.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.display().to_string().contains("replaced-"))
        .collect();
    assert_eq!(replaced.len(), 1);
    let back = tempfile::tempdir().unwrap();
    fs::rename(&replaced[0], back.path().join("data")).unwrap();
    let old = Console::new(self::options(back.path(), &desk.clock, &desk.ring)).unwrap();
    assert_eq!(old.start().await.unwrap().state, StartState::Ready { protection: Protection::Keychain });
    assert_eq!(seen(&old).await, after);
    let third = instances(&old).await.into_iter().find(|instance| instance.name == "Third").unwrap();
    old.scan(&third.id, desk.listener()).await.unwrap();
    drop(old);

    // The next start has nothing to finish, and records nothing twice.
    drop(desk.console);
    let again = Console::new(desk.options.clone()).unwrap();
    assert_eq!(again.start().await.unwrap().state, StartState::Ready { protection: Protection::Keychain });
    let acts = again.activity(ALL).await.unwrap().rows;
    assert_eq!(acts.iter().filter(|act| act.what == "data restored").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_another_user_the_recovery_key_opens_everything_but_the_credentials() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    let before = desk.seen().await;
    desk.back_up().await;

    // Somebody else, first without any data, then with data of their own.
    for own_data in [false, true] {
        let (around, ring) = (tempfile::tempdir().unwrap(), Arc::new(Ring::default()));
        let other = Console::new(options(around.path(), &desk.clock, &ring)).unwrap();
        if own_data {
            other.first_start(Protection::Keychain, None).await.unwrap();
        } else {
            assert_eq!(other.start().await.unwrap().state, StartState::FirstStart);
        }
        let entries = ring.names();
        let start = other.restore(&desk.file()).await.unwrap();
        let StartState::Blocked { failure, recovery } = start.state else { panic!("{:?}", start.state) };
        assert_eq!((failure.code.as_str(), recovery), ("E-DB-KEY-LOST", true));
        assert_eq!(ring.names(), entries, "the keys of what was there stay");
        let replaced = fs::read_dir(around.path().join("data"))
            .unwrap()
            .any(|entry| entry.unwrap().file_name().display().to_string().contains("replaced-"));
        assert_eq!(replaced, own_data);

        let start = other.recover(secret(&desk.recovery.join("-")), Protection::Keychain, None).await.unwrap();
        assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
        assert_eq!(seen(&other).await, before);
        let acts: Vec<String> = other.activity(ALL).await.unwrap().rows.into_iter().map(|act| act.what).collect();
        assert!(acts.iter().any(|what| what == "data restored"), "it was recorded once it could be: {acts:?}");
        assert!(acts.iter().any(|what| what == "database recovered"), "{acts:?}");
        let id = instances(&other).await.remove(0).id;
        assert_eq!(other.scan(&id, desk.listener()).await.unwrap_err().code, "E-CREDENTIAL-KEY-LOST");
        let draft = other.open_draft("kustomer", "api-key").unwrap();
        other.check_field(&draft, "api_key", secret(&desk.company.key)).unwrap();
        other.replace_secret(&draft, &id, desk.listener()).await.unwrap();
        other.scan(&id, desk.listener()).await.unwrap();
    }
    assert_eq!(desk.seen().await["findings"], before["findings"], "nothing was taken from whoever wrote it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_passphrase_a_backup_opens_with_the_one_of_its_time() {
    let desk = Desk::with_instance(Protection::Passphrase).await;
    let (before, written) = (desk.seen().await, desk.back_up().await);
    assert!(written.opens.contains("passphrase"), "{}", written.opens);
    let id = instances(&desk.console).await.remove(0).id;
    desk.console.delete_instance(&id, "Halden Moor").await.unwrap();

    // Somebody else reads the data: it stays open here, without a passphrase that anybody types again.
    let other = desk.another(&desk.ring);
    other.unlock(secret(PASSPHRASE)).await.unwrap();
    let now = files(&desk.data().join("vault"));
    assert_eq!(desk.restore().await.unwrap_err().code, "E-DATA-IN-USE");
    assert_eq!(files(&desk.data().join("vault")), now);
    assert!(instances(&desk.console).await.is_empty());
    drop(other);

    assert_eq!(desk.restore().await.unwrap().state, StartState::Locked { protection: Protection::Passphrase });
    assert_eq!(desk.console.instances(SandboxScope::With).await.unwrap_err().code, "E-LOCKED");
    assert_eq!(desk.console.unlock(secret("correct horse battery stable")).await.unwrap_err().code, "E-PASSPHRASE");
    desk.console.unlock(secret(PASSPHRASE)).await.unwrap();
    assert_eq!(desk.seen().await, before);
    // Its wrapped keys came with it.
    desk.console.scan(&id, desk.listener()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_backed_up_as_cut_and_keeps_anything_from_being_restored() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    let (id, findings) = (instances(&desk.console).await.remove(0).id, desk.seen().await["findings"].clone());
    let tenant = "kustomer/risky".to_owned();
    desk.company
        .proxy
        .overlay()
        .apply(OverlayChange::Latency { tenant, answer: Some("spam-senders".into()), milliseconds: 60_000 })
        .unwrap();
    desk.clock.pass(SignedDuration::from_mins(10));
    desk.events.lock().unwrap().clear();
    let (console, listener, scanned) = (desk.console.clone(), desk.listener(), id.clone());
    let scanning = tokio::spawn(async move { console.scan(&scanned, listener).await });
    let read = |event: &Progress| matches!(event, Progress::Dataset { id, state, .. } if id == "users" && state == "complete");
    while !desk.events.lock().unwrap().iter().any(read) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    desk.back_up().await;
    let refused = desk.restore().await.unwrap_err();
    assert_eq!(refused.code, "E-JOBS-RUNNING");
    assert!(!scanning.is_finished());
    desk.console.cancel(&desk.console.jobs()[0].id);
    scanning.await.unwrap().unwrap_err();
    desk.company.proxy.overlay().apply(OverlayChange::Clear { tenant: None }).unwrap();

    desk.restore().await.unwrap();
    let page = desk.console.instance(&id).await.unwrap();
    assert_eq!(page.scans.iter().map(|scan| scan.state.as_str()).collect::<Vec<_>>(), ["cut", "complete"]);
    assert!(page.instance.resumable);
    assert_eq!(desk.seen().await["findings"], findings);
    desk.console.scan(&id, desk.listener()).await.unwrap();
}

/// A backup, and a console with other data that is not open, to hold anything against it.
struct Target {
    desk: Desk,
    whole: Vec<(String, Vec<u8>, u64)>,
    victim: Console,
    folder: tempfile::TempDir,
}

impl Target {
    async fn new() -> Self {
        let desk = Desk::with_instance(Protection::Keychain).await;
        desk.back_up().await;
        let whole = entries(&desk.file());
        let folder = tempfile::tempdir().unwrap();
        let victim = Console::new(options(folder.path(), &desk.clock, &desk.ring)).unwrap();
        victim.first_start(Protection::Keychain, None).await.unwrap();
        victim.lock().await.unwrap();
        Self { desk, whole, victim, folder }
    }

    fn file(&self) -> PathBuf {
        self.desk.around.path().join("other.tar")
    }

    /// It is refused with that code, and everything is as it was, in the data folder and around it.
    async fn refuses(&self, what: &str, code: &str) {
        let before = files(self.folder.path());
        let refused = self.victim.restore(&self.file()).await.unwrap_err();
        assert_eq!(refused.code, code, "{what}: {refused:?}");
        assert!(!refused.sentence.is_empty() && !refused.remedy.is_empty());
        assert!(files(self.folder.path()) == before, "{what}: something changed");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1, "{what}: something lies beside the data folder");
    }
}

/// An entry of an archive: name, kind, content.
type Packed<'a> = (&'a str, EntryType, &'a [u8]);
type ManifestChange<'a> = &'a dyn Fn(&mut Value);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_archives_write_nothing_anywhere() {
    let target = Target::new().await;
    let whole = &target.whole;
    let manifest = whole[0].1.as_slice();
    let parts = || whole[1..].iter().map(|(name, bytes, _)| (name.as_str(), EntryType::Regular, bytes.as_slice()));
    let with = |first: &[u8], changed: &dyn Fn(&mut Vec<Packed<'_>>)| {
        let mut all: Vec<Packed<'_>> = parts().collect();
        changed(&mut all);
        all.insert(0, ("manifest.json", EntryType::Regular, first));
        pack(&target.file(), &all);
    };

    // Entries that the manifest does not tell, or tells otherwise.
    for (what, name) in [("a path upwards", "../posture.db"), ("an absolute path", "/tmp/posture.db"), ("another name", "posture.db ")] {
        with(manifest, &|all| all[0].0 = name);
        target.refuses(what, "E-BACKUP-DAMAGED").await;
    }
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::GNUSparse,
    ] {
        with(manifest, &|all| all[0].1 = kind);
        target.refuses(&format!("{kind:?}"), "E-BACKUP-DAMAGED").await;
        with(manifest, &|all| all.insert(0, ("x", kind, b"12 path=../y\n")));
        target.refuses(&format!("{kind:?} before it"), "E-BACKUP-DAMAGED").await;
    }
    with(manifest, &|all| all.push(("posture.db", EntryType::Regular, b"twice")));
    target.refuses("one more", "E-BACKUP-DAMAGED").await;
    with(manifest, &|all| all.truncate(all.len() - 1));
    target.refuses("one less", "E-BACKUP-DAMAGED").await;
    with(manifest, &|all| all.swap(0, 1));
    target.refuses("another order", "E-BACKUP-DAMAGED").await;
    with(manifest, &|all| all[0].2 = &all[0].2[1..]);
    target.refuses("a byte less", "E-BACKUP-DAMAGED").await;

    // Manifests that tell what must not be.
    let changes: [(&str, &str, ManifestChange<'_>); 13] = [
        ("a path upwards", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][0]["name"] = "../posture.db".into()),
        ("a path out of the vault", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][1]["name"] = "vault/instances/../../x.json".into()),
        ("a file that is none of a vault", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][1]["name"] = "vault/vault.lock".into()),
        ("a journal", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][1]["name"] = "restore.json".into()),
        ("a part twice", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][1] = manifest["parts"][0].clone()),
        ("no database", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"] = json!([])),
        ("more than there is", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][0]["bytes"] = json!(1_u64 << 40)),
        ("more than can be counted", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][0]["bytes"] = json!(u64::MAX)),
        ("a huge sealed file", "E-BACKUP-DAMAGED", &|manifest| manifest["parts"][1]["bytes"] = json!(5 << 20)),
        ("another protection", "E-BACKUP-DAMAGED", &|manifest| manifest["protection"] = "passphrase".into()),
        ("another schema", "E-BACKUP-DAMAGED", &|manifest| manifest["schema"] = json!(store::SCHEMA - 1)),
        ("another format", "E-BACKUP-FORMAT", &|manifest| manifest["format"] = "tar".into()),
        ("something missing", "E-BACKUP-DAMAGED", &|manifest| drop(manifest.as_object_mut().unwrap().remove("at"))),
    ];
    for (what, code, change) in changes {
        repack(&target.file(), whole, None, |manifest| change(manifest));
        target.refuses(what, code).await;
    }
    let many = |manifest: &mut Value| {
        let part = |number: u32| json!({ "name": format!("vault/instances/{number}.json"), "bytes": 0, "sha256": "" });
        manifest["parts"].as_array_mut().unwrap().extend((0..10_000).map(part));
    };
    repack(&target.file(), whole, None, many);
    target.refuses("too many parts", "E-BACKUP-DAMAGED").await;
    pack(&target.file(), &[("manifest.json", EntryType::Regular, &vec![b' '; 5 << 20])]);
    target.refuses("a manifest without end", "E-BACKUP-FORMAT").await;

    // Contents that the manifest tells rightly, and that are not what they should be.
    let sealed = whole[2].0.as_str();
    let contents: [(&str, &str, &[u8], &str); 7] = [
        ("another database", "posture.db", &[7; 8192], "E-BACKUP-DAMAGED"),
        ("no database", "posture.db", b"", "E-BACKUP-DAMAGED"),
        ("no vault", "vault/vault.json", b"{}", "E-BACKUP-DAMAGED"),
        ("no recovery key", "vault/recovery.json", b"", "E-BACKUP-DAMAGED"),
        ("credentials of another", sealed, &target.whole[4].1, "E-BACKUP-DAMAGED"),
        ("a vault of a newer release", "vault/vault.json", br#"{"format":99}"#, "E-BACKUP-NEWER"),
        ("credentials of a newer release", sealed, br#"{"format":99}"#, "E-BACKUP-NEWER"),
    ];
    for (what, part, content, code) in contents {
        repack(&target.file(), whole, Some((part, content)), |_| {});
        target.refuses(what, code).await;
    }
    for (what, bytes) in [("an empty file", &b""[..]), ("text", b"This is a letter."), ("an image", &[0x89; 4096])] {
        fs::write(target.file(), bytes).unwrap();
        target.refuses(what, "E-BACKUP-FORMAT").await;
    }
    fs::remove_file(target.file()).unwrap();
    target.refuses("no file", "E-BACKUP-READ").await;
    fs::create_dir(target.file()).unwrap();
    target.refuses("a folder", "E-BACKUP-FORMAT").await;
    fs::remove_dir(target.file()).unwrap();

    // The same road with nothing changed is accepted: none of this was refused for another reason.
    repack(&target.file(), whole, None, |_| {});
    target.victim.restore(&target.file()).await.unwrap();
    let start = target.victim.unlock(secret("")).await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
    assert_eq!(seen(&target.victim).await["findings"], target.desk.seen().await["findings"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_cut_or_changed_anywhere_is_refused() {
    let target = Target::new().await;
    let right = fs::read(target.desk.file()).unwrap();
    let last = target.whole.last().unwrap();
    let end = last.2 as usize + last.1.len();
    let mut cuts: Vec<usize> = vec![1, 511, 512, 513, end - 1];
    for (_, content, at) in &target.whole {
        cuts.extend([
            *at as usize - 512,
            *at as usize - 100,
            *at as usize,
            *at as usize + content.len() / 2,
            *at as usize + content.len() - 1,
        ]);
    }
    for cut in cuts {
        fs::write(target.file(), &right[..cut]).unwrap();
        let code = if cut < target.whole[0].2 as usize { "E-BACKUP-FORMAT" } else { "E-BACKUP-DAMAGED" };
        target.refuses(&format!("cut after {cut} bytes"), code).await;
    }
    // Each header and each content, but for what only fills a block.
    let mut changed = 0;
    for (_, content, at) in &target.whole {
        let at = *at as usize;
        let places = (0..5).map(|step| at + step * (content.len() - 1) / 4).chain([at - 512, at - 512 + 124, at - 512 + 156]);
        for place in places {
            let mut wrong = right.clone();
            wrong[place] ^= 0x04;
            fs::write(target.file(), &wrong).unwrap();
            let before = files(target.folder.path());
            let refused = target.victim.restore(&target.file()).await.unwrap_err();
            assert!(["E-BACKUP-DAMAGED", "E-BACKUP-FORMAT", "E-BACKUP-NEWER"].contains(&refused.code.as_str()), "{place}: {refused:?}");
            assert!(files(target.folder.path()) == before, "{place}");
            changed += 1;
        }
    }
    assert!(changed >= 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_newer_release_is_refused_in_one_sentence() {
    let target = Target::new().await;
    let newer = |manifest: &mut Value, field: &str| {
        manifest[field] = json!(99);
        manifest["product"] = "9.9.0".into();
    };
    for field in ["oldest_reader", "version"] {
        repack(&target.file(), &target.whole, None, |manifest| newer(manifest, field));
        target.refuses(field, "E-BACKUP-NEWER").await;
        let refused = target.victim.restore(&target.file()).await.unwrap_err();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            refused.sentence,
            format!(
                "The backup was written by Posture Console 9.9.0, whose data this version ({version}) cannot read; nothing was changed."
            )
        );
        assert_eq!(refused.remedy, "Install the newest version of Posture Console and restore it there.");
    }
    // What the database itself says counts, whatever the manifest says.
    let copy = target.desk.around.path().join("copy.db");
    let numbers = |schema: u32, oldest_reader: u32| {
        fs::write(&copy, &target.whole[1].1).unwrap();
        let opened = open_copy(&copy, &target.desk.options);
        opened.execute("UPDATE meta SET schema = ?1, oldest_reader = ?2", [schema, oldest_reader]).unwrap();
        drop(opened);
        fs::read(&copy).unwrap()
    };
    repack(&target.file(), &target.whole, Some(("posture.db", &numbers(99, 99))), |_| {});
    target.refuses("the database", "E-BACKUP-NEWER").await;
    // One of a newer release that this one can read is restored.
    let database = numbers(store::SCHEMA + 1, store::SCHEMA);
    repack(&target.file(), &target.whole, Some(("posture.db", &database)), |manifest| {
        manifest["schema"] = json!(store::SCHEMA + 1);
        manifest["oldest_reader"] = json!(store::SCHEMA);
    });
    target.victim.restore(&target.file()).await.unwrap();
    assert_eq!(target.victim.unlock(secret("")).await.unwrap().state, StartState::Ready { protection: Protection::Keychain });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_window_has_the_data_open_nothing_is_replaced() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    desk.back_up().await;
    let other = desk.another(&desk.ring);
    other.start().await.unwrap();
    let before = desk.seen().await;
    let refused = desk.restore().await.unwrap_err();
    assert_eq!(refused.code, "E-DATA-IN-USE");
    assert_eq!((desk.seen().await, seen(&other).await), (before.clone(), before.clone()), "both go on");
    assert!(!files(desk.data()).keys().any(|name| name.contains("unpacking") || name.contains("replaced")));
    drop(other);
    assert_eq!(desk.restore().await.unwrap().state, StartState::Ready { protection: Protection::Keychain });
    assert_eq!(desk.seen().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_any_more_is_restored_over() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    let before = desk.seen().await;
    desk.back_up().await;
    let Desk { console, options, ring, around, clock, company, .. } = desk;
    drop(console);
    let path = options.data_folder.join("posture.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let console = Console::new(options.clone()).unwrap();
    let StartState::Blocked { failure, .. } = console.start().await.unwrap().state else { panic!("it opened") };
    assert_eq!(failure.code, "E-DB-DAMAGED");
    let start = console.restore(&around.path().join("posture.tar")).await.unwrap();
    assert_eq!(start.state, StartState::Ready { protection: Protection::Keychain });
    assert_eq!(seen(&console).await, before);
    drop((ring, clock, company));
}

/// Every page of the database as it is deciphered, those that are free and the room between rows included; and those in its log.
#[allow(unsafe_code, reason = "SQLite alone deciphers pages as they are; the library's safe form of this call is behind a feature")]
fn pages(connection: &Connection) -> Vec<u8> {
    use rusqlite::ffi;
    let mut size = 0;
    // SAFETY: the handle is open and used by this thread alone; the answer is read within the size that it came with, then freed once.
    unsafe {
        let bytes = ffi::sqlite3_serialize(connection.handle(), c"main".as_ptr(), &raw mut size, 0);
        assert!(!bytes.is_null());
        let copied = std::slice::from_raw_parts(bytes, usize::try_from(size).unwrap()).to_vec();
        ffi::sqlite3_free(bytes.cast());
        copied
    }
}

/// The numbers of the pages in a log, which stand in it in clear: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.
fn logged_pages(log: &Path) -> BTreeSet<u32> {
    let log = fs::read(log).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let size = number(8) as usize;
    // Frames of an earlier round, which would be behind those of this one, have another salt; they are counted all the same.
    (32..log.len()).step_by(24 + size).map(number).collect()
}

/// Tables that speak of no instance: what was done, choices, and what belongs to the database itself. The index of texts parts
/// its words among blocks as it likes: they are looked at by [`words`].
const OF_NO_INSTANCE: [&str; 13] = [
    "account_key",
    "activity",
    "activity_link",
    "code_sent",
    "digest",
    "finding_text_config",
    "finding_text_data",
    "finding_text_idx",
    "meta",
    "preference",
    "refinery_schema_history",
    "refused_secret",
    "sqlite_sequence",
];

/// Every three characters in a row that the index of texts knows, with how often.
fn words(connection: &Connection) -> BTreeMap<String, i64> {
    connection.execute_batch("CREATE VIRTUAL TABLE IF NOT EXISTS temp.finding_word USING fts5vocab (main, finding_text, row)").unwrap();
    let mut statement = connection.prepare("SELECT term, cnt FROM temp.finding_word").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_deletion_nothing_of_the_instance_is_left_and_the_log_says_so() {
    let desk = Desk::new(Protection::Keychain).await;
    // Another one of the same tenant, whose rows and evidence are the same but for the mark.
    desk.connect(AddInstance { name: "Other".into(), ..desk.company.request() }).await.unwrap();
    let other = desk.seen().await;
    let (kept, known) = (rows(&database(&desk.options)), words(&database(&desk.options)));
    let keys = desk.ring.names();

    // Stored with it in every way there is.
    let tenant = "kustomer/risky".to_owned();
    let field = "data[].attributes.name".to_owned();
    desk.company.proxy.overlay().apply(OverlayChange::Set { tenant, answer: "users".into(), field, value: MARK.into() }).unwrap();
    let id = desk.connect(AddInstance { name: MARK.into(), owner: MARK.into(), ..desk.company.request() }).await.unwrap();
    let draft = OwnCheckDraft {
        id: None,
        title: format!("{MARK} is reviewed"),
        severity: Severity::High,
        why: MARK.into(),
        steps: vec![MARK.into()],
        recommended: MARK.into(),
    };
    let check = desk.console.save_own_check(&id, draft).await.unwrap().id;
    let attestation = NewAttestation {
        instance: id.clone(),
        check,
        answer: AttestationAnswer::NotMet,
        who: "Ada Byron".into(),
        note: MARK.into(),
        valid_until: None,
        remind_days: None,
    };
    let content = STANDARD.encode(MARK.repeat(2_000));
    let file = FileToAttach { name: format!("{MARK}.txt"), media_type: "text/plain".into(), content };
    let attested = desk.console.attest(attestation, Some(file)).await.unwrap();
    desk.console.withdraw_attestation(&attested.current.unwrap().id, MARK).await.unwrap();
    let thresholds = InventoryThresholds { dormant_days: 45, expiring_days: 30, rotation_days: 90, unused_days: 90 };
    desk.console.set_inventory_thresholds(&id, thresholds).await.unwrap();
    let unmonitored = NewUnmonitor {
        instance: id.clone(),
        check: "kustomer.auth.session_length".into(),
        reason: MARK.into(),
        approver: MARK.into(),
        until: "2026-12-31".into(),
    };
    desk.console.unmonitor(unmonitored).await.unwrap();
    let all = FleetQuery { filter: FleetFilter::default(), sort: InventorySort::Severity, descending: true, slice: ALL };
    let account = desk.console.accounts_everywhere(all.clone()).await.unwrap().rows.into_iter().find(|row| row.instance == id).unwrap();
    desk.console.set_account_identity(&id, &account.account.id, Some("thistledown@quern.example".into())).await.unwrap();
    let plugin = desk.console.plugins_everywhere(all.clone()).await.unwrap().rows.into_iter().find(|row| row.instance == id).unwrap();
    desk.console.set_plugin_reviewed(&id, &plugin.plugin.id, true).await.unwrap();
    // An account of the other one was said to be the same as one of this.
    let of_other = desk.console.accounts_everywhere(all).await.unwrap().rows.into_iter().find(|row| row.instance != id).unwrap();
    let alone = format!("account:{id}:users:1");
    desk.console.set_account_identity(&of_other.instance, &of_other.account.id, Some(alone)).await.unwrap();
    let page = desk.console.instance(&id).await.unwrap();
    let change = InstanceChange {
        name: MARK.into(),
        label: page.instance.label,
        owner: MARK.into(),
        schedule: ScheduleChoice::Cron { pattern: "0 6 * * 1-5".into() },
        route: page.route,
        answers: page.answers,
    };
    desk.console.change_instance(&id, change).await.unwrap();
    desk.console.scan(&id, desk.listener()).await.unwrap();
    let database = database(&desk.options);
    database.execute("INSERT INTO lease SELECT no, ?1, 1, 1, 1, 0.5, ?1 FROM instance WHERE id = ?2", [MARK, &id]).unwrap();
    database
        .execute("INSERT OR IGNORE INTO credential (instance, used_at, ends_by) SELECT no, 1, 'vendor' FROM instance WHERE id = ?1", [&id])
        .unwrap();

    // A digest tells of it, and of the other one.
    let settings = desk.console.settings().await.unwrap();
    desk.console.change_settings(Settings { digest_at: Some("00:00".into()), ..settings }).await.unwrap();
    assert!(desk.console.serve_digest().await.unwrap());
    let told = desk.console.digest(None).await.unwrap();
    assert!(told.entries.iter().any(|entry| entry.instance == id && entry.instance_name == MARK && entry.owner == MARK));

    let full = rows(&database);
    let untouched: Vec<&String> =
        full.keys().filter(|table| !OF_NO_INSTANCE.contains(&table.as_str()) && full[*table] <= kept[*table]).collect();
    // Nothing is queued once a scan is complete.
    assert_eq!(untouched, ["scan_parent"], "each other table holds something of it");
    assert!(words(&database).len() > known.len(), "its findings have words of their own");
    assert!(holds(&pages(&database), MARK.as_bytes()), "the search finds what is there");
    assert_eq!(desk.ring.names().len(), keys.len() + 1);

    // Kept outside, as whoever deletes it wishes.
    let archive = desk.around.path().join("archive.json");
    let filter = FindingFilter { instances: vec![id.clone()], sandbox: SandboxScope::With, ..FindingFilter::default() };
    let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: ALL };
    let findings = desk.console.findings(query).await.unwrap().total;
    let kept_findings = desk.console.archive_instance(&id, &archive).await.unwrap().findings;
    let text = fs::read_to_string(&archive).unwrap();
    let kept_apart: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&kept_apart["format"], &kept_apart["version"]), (&json!("posture-console-archive"), &json!(1)));
    assert_eq!(kept_apart["instance"]["instance"]["name"], MARK);
    let many = |part: &str| kept_apart[part][part].as_array().unwrap().len();
    assert!(findings > 10 && kept_findings == findings && many("findings") == findings as usize);
    assert!(many("accounts") > 3 && many("plugins") > 0 && many("acts") >= 5, "{} {} {}", many("accounts"), many("plugins"), many("acts"));
    assert_eq!(kept_apart["decisions"][0]["reason"], MARK);
    assert!(kept_apart["acts"]["acts"].as_array().unwrap().iter().all(|act| act["instance"] == id.as_str()));
    assert!(!text.contains(&desk.company.key[..60]) && !text.contains("\"Other\""), "no credential, and nothing of another instance");
    assert_eq!(desk.console.archive_instance(&id, &desk.around.path().join("nowhere/x")).await.unwrap_err().code, "E-EXPORT");

    desk.console.delete_instance(&id, MARK).await.unwrap();
    let digest = desk.console.digest(None).await.unwrap();
    assert!(!digest.entries.is_empty() && digest.entries.iter().all(|entry| entry.instance_name == "Other"), "what else was told stays");

    // No entry in the keychain, no file that is named after it or holds anything of it.
    assert_eq!(desk.ring.names(), keys);
    for (name, bytes) in files(desk.data()) {
        assert!(!name.contains(&id), "{name}");
        assert!(!holds(&bytes, id.as_bytes()) && !holds(&bytes, MARK.as_bytes()), "{name}");
    }
    // The database's log was emptied: it holds pages of the acts alone, which tell of it.
    let mut of_acts = database.prepare("SELECT pageno FROM dbstat WHERE name IN ('activity', 'activity_link', 'sqlite_sequence')").unwrap();
    let of_acts: BTreeSet<u32> = of_acts.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let logged = logged_pages(&desk.data().join("posture.db-wal"));
    assert!(!logged.is_empty() && logged.is_subset(&of_acts), "{logged:?} of {of_acts:?}");

    // No row in any table: there are as many as before it came.
    let left = rows(&database);
    for (table, rows) in &left {
        if !OF_NO_INSTANCE.contains(&table.as_str()) {
            assert_eq!(rows, &kept[table], "{table}");
        }
    }
    assert_eq!(words(&database), known, "the index of texts knows no word of it");
    // No page is free, and of those that are used the mark and the id stand in acts alone.
    let free: i64 = database.query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
    assert_eq!(free, 0);
    let acts = desk.console.activity(ALL).await.unwrap().rows;
    let told: usize =
        acts.iter().map(|act| [&act.detail, &act.before, &act.after].map(|text| text.matches(MARK).count()).iter().sum::<usize>()).sum();
    let pages = pages(&database);
    let count = |piece: &[u8]| pages.windows(piece.len()).filter(|window| *window == piece).count();
    assert_eq!(count(MARK.as_bytes()), told, "outside of acts it stands nowhere");
    let in_words = |act: &posture_core::screen::Act| {
        [&act.detail, &act.before, &act.after].map(|text| text.matches(&id).count()).iter().sum::<usize>()
    };
    let of_it = acts.iter().map(|act| usize::from(act.instance == id) + in_words(act)).sum::<usize>();
    assert_eq!(count(id.as_bytes()), of_it);
    assert!(
        acts.iter().any(|act| act.what == "instance deleted" && act.instance == id && act.detail.contains(MARK)),
        "what was done stays known"
    );
    assert!(desk.console.activity_proof(None).await.unwrap().holds);
    assert_eq!(desk.seen().await, other, "the other one is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_destroys_every_key_and_removes_every_file_but_those_of_others() {
    let desk = Desk::with_instance(Protection::Keychain).await;
    desk.back_up().await;
    desk.restore().await.unwrap();
    assert!(files(desk.data()).keys().any(|name| name.starts_with("replaced-")), "also what a restore moved aside");
    assert!(!desk.ring.names().is_empty());
    let before = files(desk.data());

    for words in ["", "erase", "Erase everything"] {
        let refused = desk.console.erase(words).await.unwrap_err();
        assert_eq!((refused.code.as_str(), refused.field.as_deref()), ("E-ERASE-WORDS", Some("words")));
    }
    let other = desk.another(&desk.ring);
    other.start().await.unwrap();
    assert_eq!(desk.console.erase("erase everything").await.unwrap_err().code, "E-DATA-IN-USE");
    assert_eq!(files(desk.data()).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "nothing is changed");
    assert_eq!(instances(&desk.console).await.len(), 1, "and it is open as it was");
    drop(other);

    fs::write(desk.data().join("letter.txt"), "of somebody else").unwrap();
    let erased = desk.console.erase("erase everything").await.unwrap();
    assert_eq!((erased.left, &erased.start.state), (vec!["letter.txt".to_owned()], &StartState::FirstStart));
    assert_eq!(files(desk.data()).into_keys().collect::<Vec<_>>(), ["letter.txt"]);
    assert_eq!(desk.ring.names(), Vec::<String>::new());
    assert!(desk.file().exists(), "a backup is the administrator's");

    // It begins anew as on the first day.
    desk.console.first_start(Protection::Keychain, None).await.unwrap();
    assert!(instances(&desk.console).await.is_empty());
    fs::remove_file(desk.data().join("letter.txt")).unwrap();
    assert!(desk.console.erase("erase everything").await.unwrap().left.is_empty());
    assert!(!desk.data().exists());
    // Nothing is there, and that is no failure.
    assert_eq!(desk.console.erase("erase everything").await.unwrap().start.state, StartState::FirstStart);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_passphrase_protects_is_erased_without_it() {
    let desk = Desk::with_instance(Protection::Passphrase).await;
    let other = desk.another(&desk.ring);
    drop(desk.console);
    assert!(matches!(other.start().await.unwrap().state, StartState::Locked { .. }));
    assert_eq!(other.erase("erase everything").await.unwrap().start.state, StartState::FirstStart);
    assert!(!desk.options.data_folder.exists());
}
