//! What was done, by whom, and the proof that the log of it is whole: acts, the head of their chain as a file, and what an act tells
//! of before and after.

use crate::{
    Console,
    browse::of_slice,
    checked::route_choice,
    console::Open,
    screen::{Act, ActList, ActivityExported, ActivityHead, ActivityProof, ExportFormat, Failure, Slice},
    start::user,
};
use catalog::InventoryThresholds;
use jiff::Timestamp;
use report::{About, ActLine, ByteOrderMark};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufWriter, Read, Write},
    path::Path,
};
use store::{ChainFault, EvidenceHash, HeadFate, Instance, LinkedAct, OwnCheck, Store};
use url::Url;

/// What an exported head says that it is.
const FORMAT: &str = "posture-console-activity-head";
/// The version of its shape.
const VERSION: u32 = 1;
/// The longest file that is read as an exported head, in bytes; a real one has some 200.
const LONGEST_HEAD: u64 = 4 * 1024;
/// Acts read at once for an export.
const BATCH: u64 = 500;
/// The longest value that an act tells of, in characters.
const VALUE: usize = 200;
/// The longest telling of one side, in characters.
const TELLING: usize = 4_000;

/// The file of an exported head.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    format: String,
    version: u32,
    acts: u64,
    /// 64 hexadecimal letters.
    head: String,
    /// When the last act was recorded; empty when there is none. For people: the proof rests on the head alone.
    at: String,
}

impl Console {
    /// Acts, newest first.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn activity(&self, part: Slice) -> Result<ActList, Failure> {
        self.with_open(move |open| {
            let (total, rows) = open.store.acts(of_slice(part))?;
            Ok(ActList { total: count(total), rows: rows.into_iter().map(act).collect() })
        })
        .await
    }

    /// The head of the chain of acts.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn activity_head(&self) -> Result<ActivityHead, Failure> {
        self.with_open(|open| Ok(head(&open.store.activity_head()?))).await
    }

    /// The head of the chain as the text of a file, to be kept where nobody who could change the database can change it: one line of
    /// JSON. Given to [`Console::activity_proof`] later, it tells whether anything up to it was changed or removed.
    ///
    /// # Errors
    /// When the console is locked or the database cannot be read.
    pub async fn activity_head_file(&self) -> Result<String, Failure> {
        self.with_open(|open| head_file(&open.store)).await
    }

    /// The same, to a file, which appears whole or not at all. Answers where. That it was saved is an act itself, after those that it
    /// covers.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn save_activity_head(&self, path: &Path) -> Result<String, Failure> {
        let (path, now) = (path.to_owned(), self.now());
        self.with_open(move |open| {
            let text = head_file(&open.store)?;
            let mut file = begin_file(&path)?;
            file.write_all(text.as_bytes()).map_err(|error| not_written(&path, &error))?;
            finish_file(file, &path)?;
            let shown = path.display().to_string();
            open.store.record_act(&store::Act::new(now, user(), "head of the acts saved", &shown))?;
            Ok(shown)
        })
        .await
    }

    /// Reads the whole chain of acts again and says whether each links to the one before it and, if the text of an exported head is
    /// given, whether the acts that it covers are here as they were. A chain that does not hold is no error. Without a head nobody
    /// can tell a chain that was written anew as a whole.
    ///
    /// # Errors
    /// When the text is no exported head, or one of a newer version; when the database cannot be read.
    pub async fn activity_proof(&self, head: Option<&str>) -> Result<ActivityProof, Failure> {
        let expected = head.map(expected).transpose()?;
        self.with_open(move |open| {
            let proof = open.store.verify_activity(expected)?;
            Ok(ActivityProof {
                now: self::head(&proof.head),
                holds: proof.holds(),
                sentence: sentence(&proof, expected.map(|(acts, _)| acts)),
            })
        })
        .await
    }

    /// The same against the exported head in a file.
    ///
    /// # Errors
    /// When the file cannot be read as well.
    pub async fn activity_proof_against(&self, path: &Path) -> Result<ActivityProof, Failure> {
        let text = {
            let path = path.to_owned();
            crate::console::blocking(move || read_head(&path)).await?
        };
        self.activity_proof(Some(&text)).await
    }

    /// Writes every act, oldest first, with its number and its link to a file, which appears whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written or the database cannot be read.
    pub async fn export_activity(&self, format: ExportFormat, path: &Path) -> Result<ActivityExported, Failure> {
        let (path, now) = (path.to_owned(), self.now());
        self.with_open(move |open| {
            let file = begin_file(&path)?;
            let writer = file.reopen().map_err(|error| not_written(&path, &error))?;
            let acts = write_acts(&open, format, now, &mut BufWriter::new(writer))?;
            finish_file(file, &path)?;
            let shown = path.display().to_string();
            open.store.record_act(&store::Act::new(now, user(), "acts exported", &shown))?;
            Ok(ActivityExported { path: shown, acts })
        })
        .await
    }

    /// The same, to any writer. Answers how many.
    ///
    /// # Errors
    /// When the writer fails or the database cannot be read.
    pub async fn export_activity_to(&self, format: ExportFormat, mut writer: Box<dyn Write + Send>) -> Result<u32, Failure> {
        let now = self.now();
        self.with_open(move |open| write_acts(&open, format, now, &mut writer)).await
    }
}

fn act(act: store::Act) -> Act {
    Act {
        at: act.at.to_string(),
        who: act.who,
        what: act.what,
        detail: act.detail,
        instance: act.instance,
        before: act.before,
        after: act.after,
    }
}

fn head(head: &store::ActivityHead) -> ActivityHead {
    ActivityHead { acts: count(head.acts), head: hex::encode(head.hash), at: head.at.map(|at| at.to_string()).unwrap_or_default() }
}

fn head_file(store: &Store) -> Result<String, Failure> {
    let now = store.activity_head()?;
    let file = HeadFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        acts: now.acts,
        head: hex::encode(now.hash),
        at: now.at.map(|at| at.to_string()).unwrap_or_default(),
    };
    let text = serde_json::to_string(&file)
        .map_err(|error| Failure::new("E-EXPORT", format!("The head could not be written: {error}."), "Report it."))?;
    Ok(format!("{text}\n"))
}

/// What an exported head says: how many acts it covers, and the link of the last of them.
fn expected(text: &str) -> Result<(u64, [u8; 32]), Failure> {
    let wrong = |why: &str| {
        Failure::new(
            "E-HEAD-FORMAT",
            format!("This is no exported head of the acts: {why}."),
            "Choose a file that `posture activity head` or Save head… on the Activity page wrote, as it was written.",
        )
    };
    let value: Value = serde_json::from_str(text.trim()).map_err(|_| wrong("it is not one line of JSON"))?;
    if value.get("format") != Some(&json!(FORMAT)) {
        return Err(wrong("it does not say that it is one"));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) if version > u64::from(VERSION) => {
            return Err(Failure::new(
                "E-HEAD-NEWER",
                format!("This head was exported by a newer version of Posture Console (version {version} of its format)."),
                "Install the newest version of Posture Console.",
            ));
        }
        _ => return Err(wrong("its version is none that there was")),
    }
    let file: HeadFile = serde_json::from_value(value).map_err(|_| wrong("a part of it is missing, added, or of another kind"))?;
    let mut hash = [0; 32];
    hex::decode_to_slice(&file.head, &mut hash).map_err(|_| wrong("its head is not 64 hexadecimal letters"))?;
    // An act whose time cannot be read has none.
    if !file.at.is_empty() && (file.acts == 0 || file.at.parse::<Timestamp>().is_err()) {
        return Err(wrong("its time is none"));
    }
    Ok((file.acts, hash))
}

fn read_head(path: &Path) -> Result<String, Failure> {
    let refused = |why: &str| {
        Failure::new(
            "E-HEAD-FILE",
            format!("{} could not be read: {why}.", path.display()),
            "Choose a file that holds an exported head and that you may read.",
        )
    };
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| refused(&error.to_string()))?;
    file.take(LONGEST_HEAD + 1).read_to_end(&mut text).map_err(|error| refused(&error.to_string()))?;
    if text.len() as u64 > LONGEST_HEAD {
        return Err(refused("it is too long for an exported head"));
    }
    String::from_utf8(text).map_err(|_| refused("it is not text"))
}

/// What came of reading the chain again.
fn sentence(proof: &store::ActivityProof, covered: Option<u64>) -> String {
    let at = |at: Option<Timestamp>| at.map_or_else(|| "with no readable time".to_owned(), |at| format!("of {at}"));
    if let Some(broken) = &proof.broken {
        let number = broken.act;
        return match broken.fault {
            ChainFault::Changed => {
                format!("The chain breaks at act {number} ({}): it, or its link, is not what was recorded.", at(broken.at))
            }
            ChainFault::Unlinked => format!("The chain breaks at act {number} ({}): its link was removed.", at(broken.at)),
            ChainFault::Removed => match proof.head.at {
                Some(before) => format!("The chain breaks at act {number}, which was removed; the one before it is of {before}."),
                None => format!("The chain breaks at act {number}, which was removed."),
            },
            ChainFault::Added => {
                format!("The chain breaks before its first act: something was put there as act {number} ({}).", at(broken.at))
            }
        };
    }
    let (there, covered) = (proof.head.acts, covered.unwrap_or(0));
    match proof.expected {
        None if there == 0 => "There is no act yet.".to_owned(),
        None => format!(
            "{}; only an exported head can tell that none was removed at the end and that the chain was not written anew as a whole.",
            linked(there)
        ),
        Some(HeadFate::Found) if covered == there => format!("{}, and the exported head is that of the last.", linked(there)),
        Some(HeadFate::Found) => {
            format!("{}, and the first {covered} are those of the exported head.", linked(there))
        }
        Some(HeadFate::Differs) => format!(
            "The acts up to number {covered}, of {there}, are not those of the exported head: the chain was written anew, or the head is of another database."
        ),
        Some(HeadFate::NotReached) => format!(
            "The exported head covers {covered} acts, but there are {there}: the last ones were removed, or the head is of another database."
        ),
    }
}

fn linked(acts: u64) -> String {
    match acts {
        0 => "There is no act yet".to_owned(),
        1 => "The only act is linked as it was recorded".to_owned(),
        _ => format!("All {acts} acts are linked as they were recorded"),
    }
}

fn write_acts(open: &Open, format: ExportFormat, now: Timestamp, writer: &mut dyn Write) -> Result<u32, Failure> {
    let mut lines = Lines { store: &open.store, last: 0, batch: Vec::new().into_iter(), failure: None };
    let written = match format {
        // Spreadsheets take a file without the mark for another encoding.
        ExportFormat::Csv => report::csv(&mut *writer, &mut lines, ByteOrderMark::With),
        ExportFormat::Json => report::json(&mut *writer, &mut lines, &About { exported_at: now, filter: Value::Null }),
    };
    if let Some(failure) = lines.failure {
        return Err(failure);
    }
    let acts = written.map_err(|error| Failure::new(error.code(), error.to_string(), error.remedy()))?;
    writer
        .flush()
        .map_err(|error| Failure::new("E-EXPORT", format!("The export could not be written: {error}."), "Make room on the disk."))?;
    Ok(count(acts))
}

/// Acts, batch by batch. A failure of the database ends it and is kept, so that a cut file is never taken for a whole one.
struct Lines<'a> {
    store: &'a Store,
    last: u64,
    batch: std::vec::IntoIter<LinkedAct>,
    failure: Option<Failure>,
}

impl Iterator for Lines<'_> {
    type Item = ActLine;
    fn next(&mut self) -> Option<ActLine> {
        if self.batch.len() == 0 {
            match self.store.linked_acts(self.last, BATCH) {
                Ok(batch) => self.batch = batch.into_iter(),
                Err(error) => {
                    self.failure = Some(error.into());
                    return None;
                }
            }
        }
        let LinkedAct { number, act, hash } = self.batch.next()?;
        self.last = number;
        Some(ActLine {
            number,
            at: act.at,
            who: act.who,
            what: act.what,
            detail: act.detail,
            instance: act.instance,
            before: act.before,
            after: act.after,
            hash: hash.map(hex::encode),
        })
    }
}

pub(crate) fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        "E-EXPORT",
        format!("{} could not be written: {error}.", path.display()),
        "Choose another folder, or make room on the disk.",
    )
}

pub(crate) fn begin_file(path: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder).map_err(|error| not_written(path, &error))
}

pub(crate) fn finish_file(file: tempfile::NamedTempFile, path: &Path) -> Result<(), Failure> {
    file.as_file().sync_all().map_err(|error| not_written(path, &error))?;
    file.persist(path).map_err(|error| not_written(path, &error.error))?;
    Ok(())
}

/// An act of this user on an instance.
pub(crate) fn act_on(at: Timestamp, what: &str, instance: &Instance) -> store::Act {
    store::Act::new(at, user(), what, format!("{}, {}", instance.app, instance.name)).on(instance.id)
}

/// What a person can change of something, by its word; told in acts, so no secret.
pub(crate) type Told = BTreeMap<String, Value>;

/// What a person can change of an instance without its secrets.
pub(crate) fn told_instance(instance: &Instance) -> Told {
    let route = route_choice(&instance.route);
    let mut told = Told::from([
        ("name".to_owned(), json!(instance.name)),
        ("label".to_owned(), json!(instance.label)),
        ("owner".to_owned(), json!(instance.owner)),
        ("proxy".to_owned(), if route.proxy == "manual" { json!(without_user(&route.proxy_url)) } else { json!(route.proxy) }),
    ]);
    if !route.extra_roots_pem.is_empty() {
        // Which it is, not what it says: certificates are long.
        told.insert("corporate CA".to_owned(), json!(format!("sha256 {}", EvidenceHash::of_text(route.extra_roots_pem.as_bytes()))));
    }
    told.extend(instance.inputs.iter().map(|(field, value)| (field.clone(), json!(value))));
    for (check, params) in &instance.params {
        told.extend(params.iter().map(|(param, value)| (format!("{check}.{param}"), json!(value))));
    }
    told
}

/// From when on something is a risk.
pub(crate) fn told_thresholds(thresholds: &InventoryThresholds) -> Told {
    Told::from([
        ("dormant_days".to_owned(), json!(thresholds.dormant_days)),
        ("expiring_days".to_owned(), json!(thresholds.expiring_days)),
        ("rotation_days".to_owned(), json!(thresholds.rotation_days)),
        ("unused_days".to_owned(), json!(thresholds.unused_days)),
    ])
}

/// What a check of the administrator's own says.
pub(crate) fn told_own_check(check: &OwnCheck) -> Told {
    Told::from([
        ("title".to_owned(), json!(check.title)),
        ("severity".to_owned(), json!(check.severity)),
        ("why".to_owned(), json!(check.why)),
        ("steps".to_owned(), json!(check.steps)),
        ("recommended".to_owned(), json!(check.recommended)),
    ])
}

/// What differs, as it was and as it is: `name "Halden Moor", owner "ada"`. What is the same is not told; what one side lacks is
/// `not set` there.
pub(crate) fn differences(before: &Told, after: &Told) -> (String, String) {
    let words: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|word| before.get(*word) != after.get(*word)).collect();
    let tell = |told: &Told| {
        let parts: Vec<String> = words
            .iter()
            .map(|word| match told.get(*word) {
                Some(value) => format!("{word} {}", cut(value.to_string(), VALUE)),
                None => format!("{word} not set"),
            })
            .collect();
        cut(parts.join(", "), TELLING)
    };
    (tell(before), tell(after))
}

/// A proxy's address without user and password, which an older release may have stored.
fn without_user(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return String::new() };
    // Addresses that can have no user information have none to take away.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Told, differences, without_user};
    use serde_json::{Value, json};

    fn told(parts: &[(&str, Value)]) -> Told {
        parts.iter().map(|(word, value)| ((*word).to_owned(), value.clone())).collect()
    }

    #[test]
    fn what_is_the_same_is_not_told() {
        let before = told(&[("name", json!("Halden \"Moor\"")), ("owner", json!("ada")), ("days", json!(90))]);
        let after = told(&[("name", json!("Halden, owner \"eve\"")), ("owner", json!("ada")), ("domains", json!(["halden.example"]))]);
        let (was, is) = differences(&before, &after);
        assert_eq!(was, r#"days 90, domains not set, name "Halden \"Moor\"""#);
        assert_eq!(is, r#"days not set, domains ["halden.example"], name "Halden, owner \"eve\"""#);
        assert_eq!(differences(&before, &before), (String::new(), String::new()));
    }

    #[test]
    fn what_is_told_is_short() {
        let long = |letter: &str| told(&[("why", json!(letter.repeat(5_000)))]);
        let (was, is) = differences(&long("ä"), &long("b"));
        assert!(was.starts_with("why \"ää") && was.ends_with('…') && was.chars().count() < 250, "{was}");
        assert!(is.chars().count() < 250, "{is}");
        let many: Told = (0..1_000).map(|number| (format!("check.{number}"), json!(number))).collect();
        assert_eq!(differences(&many, &Told::new()).0.chars().count(), 4_001);
    }

    #[test]
    fn a_proxy_is_told_without_user_and_password() {
        assert_eq!(without_user("http://ada:hunter2@proxy.example:3128/"), "http://proxy.example:3128/");
        assert_eq!(without_user("http://proxy.example:3128/"), "http://proxy.example:3128/");
        assert_eq!(without_user("hunter2"), "", "what is no address is not told");
    }
}
