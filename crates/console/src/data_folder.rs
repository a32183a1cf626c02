//! Who uses the data folder, and putting a backup in the place of what is there: all of it or nothing, wherever it is killed.
//!
//! Whoever has the data open holds a shared lock on a file in the folder; whoever replaces it holds the lock alone. The operating
//! system frees both with their process, so a journal that somebody finds while nobody holds the lock alone belongs to a process that
//! was killed: the first to come next goes on where it stopped. All files of the backup lie whole and verified in a folder beside
//! before the journal is written, so that going on needs nothing but renames.

use crate::{
    screen::Failure,
    start::{DATABASE, VAULT},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use store::{Act, Store};

/// The locked file.
const LOCK: &str = "in-use.lock";
/// What is being replaced, or was and is not recorded yet.
const JOURNAL: &str = "restore.json";
/// Version of the journal; another one is of another release.
const FORMAT: u32 = 1;
/// How the folder begins in which a backup is put together.
pub(crate) const COPYING: &str = ".posture-copying-";
/// How the folder begins in which a backup is unpacked.
pub(crate) const UNPACKING: &str = ".posture-unpacking-";
/// How the folder begins that takes what a backup replaced.
const REPLACED: &str = "replaced-";
/// The database's log and index, which belong to it alone.
const COMPANIONS: [&str; 3] = ["posture.db-wal", "posture.db-shm", "posture.db-journal"];
/// How often and at which distance the lock is asked for: others that only start or look something up let go of it at once.
const TRIES: u32 = 60;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Held while the data is open: nobody replaces it meanwhile.
#[derive(Debug)]
pub(crate) struct InUse {
    _lock: File,
}

/// Held while the data is replaced: nobody opens it meanwhile.
#[derive(Debug)]
pub(crate) struct Alone {
    _lock: File,
}

/// Enters a data folder, and finishes first what was cut off there; `None` while nothing is stored in it.
pub(crate) fn enter(folder: &Path) -> Result<Option<InUse>, Failure> {
    let something = [DATABASE, VAULT, JOURNAL].iter().any(|name| there(&folder.join(name)));
    if something { hold(folder).map(Some) } else { Ok(None) }
}

/// The same for a folder in which something is about to be stored.
pub(crate) fn hold(folder: &Path) -> Result<InUse, Failure> {
    let unusable = |error: io::Error| crate::start::folder(folder, &error);
    let file = lock_file(folder).map_err(unusable)?;
    loop {
        if file.try_lock().is_ok() {
            tidy(folder)?;
            file.unlock().map_err(unusable)?;
        }
        file.lock_shared().map_err(unusable)?;
        // Whoever held it alone meanwhile may have been killed.
        if !unfinished(folder)? {
            return Ok(InUse { _lock: file });
        }
        file.unlock().map_err(unusable)?;
    }
}

/// Waits a moment until nobody else has the data open; `None` when somebody keeps it open.
pub(crate) fn alone(folder: &Path) -> Result<Option<Alone>, Failure> {
    let file = lock_file(folder).map_err(|error| crate::start::folder(folder, &error))?;
    for tried in 0..TRIES {
        if tried > 0 {
            std::thread::sleep(BETWEEN_TRIES);
        }
        if file.try_lock().is_ok() {
            return Ok(Some(Alone { _lock: file }));
        }
    }
    Ok(None)
}

fn lock_file(folder: &Path) -> io::Result<File> {
    private(OpenOptions::new().write(true).create(true).truncate(false), &folder.join(LOCK))
}

/// Opens a file that only its owner may read.
pub(crate) fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// A folder of that kind beside the data, for its owner alone, gone with what is answered.
pub(crate) fn aside(folder: &Path, kind: &str) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(kind);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(folder)
}

/// A renamed file is on the disk when its folder is; only Unix lets a folder be forced out.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Where something comes from that replaces the data, for the activity log.
pub(crate) struct Origin {
    /// When it replaces it.
    pub(crate) at: Timestamp,
    /// Who asked for it.
    pub(crate) who: String,
    /// The file, and when it was made.
    pub(crate) detail: String,
}

/// The journal.
#[derive(Debug, Serialize, Deserialize)]
struct Swap {
    format: u32,
    /// Whether everything is in its place, and only the act is not recorded yet.
    placed: bool,
    /// The folder with what comes.
    staged: String,
    /// The folder for what goes.
    replaced: String,
    at: Timestamp,
    who: String,
    detail: String,
}

/// Puts the database and the vault in `staged`, a folder of [`aside`], in the place of those of the data folder, which go to a new
/// folder beside them. Either all of it is done or nothing; of which a process that is killed meanwhile cannot tell, the next one to
/// come finishes it. Nobody has the data open.
pub(crate) fn replace(folder: &Path, staged: tempfile::TempDir, origin: Origin, _alone: &Alone) -> Result<(), Failure> {
    replace_by(folder, staged, origin, &mut |from, to| fs::rename(from, to))
}

type Rename<'a> = &'a mut dyn FnMut(&Path, &Path) -> io::Result<()>;

fn replace_by(folder: &Path, staged: tempfile::TempDir, origin: Origin, rename: Rename<'_>) -> Result<(), Failure> {
    // A process that started in between may have taken it for a leftover.
    if !there(&staged.path().join(DATABASE)) || !there(&staged.path().join(VAULT)) {
        return Err(in_use());
    }
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let failed = |error: &io::Error| {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Failure::new(
            if full { "E-DISK-FULL" } else { "E-RESTORE" },
            format!("The backup could not be put in place: {error}. Everything is as it was before."),
            "Make room on the disk of the data folder, check that you may write to it, and try again.",
        )
    };
    let mut swap = Swap {
        format: FORMAT,
        placed: false,
        staged: name(staged.path()),
        replaced: free_name(folder, origin.at),
        at: origin.at,
        who: origin.who,
        detail: origin.detail,
    };
    tracing::debug!("putting the backup in place");
    if let Err(error) = write(folder, &swap).and_then(|()| sync_folder(folder)) {
        // Nothing was moved: a journal that may be there must not say otherwise.
        let _ = fs::remove_file(folder.join(JOURNAL));
        return Err(failed(&error));
    }
    // From here on what is staged belongs to the journal.
    let _kept = staged.keep();
    if let Err(error) = forward(folder, &swap, rename).and_then(|()| finished(folder, &mut swap)) {
        return Err(match backward(folder, &swap, rename) {
            Ok(()) => failed(&error),
            Err(second) => cut_off(&second),
        });
    }
    Ok(())
}

/// Moves what is there out of the way and what is staged into its place. What was done of it before is not done again: the old is
/// there as long as the new is not.
fn forward(folder: &Path, swap: &Swap, rename: Rename<'_>) -> io::Result<()> {
    let (staged, replaced) = (folder.join(&swap.staged), folder.join(&swap.replaced));
    if !replaced.exists() {
        make_private(&replaced)?;
    }
    for (part, companions) in [(DATABASE, &COMPANIONS[..]), (VAULT, &[])] {
        if !there(&staged.join(part)) {
            if there(&folder.join(part)) {
                continue;
            }
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{part} is neither in its place nor beside it")));
        }
        for old in companions.iter().copied().chain([part]) {
            if there(&folder.join(old)) {
                rename(&folder.join(old), &replaced.join(old))?;
            }
        }
        // Forced out in this order: after a loss of power, too, what is new is never beside the log of what was there before.
        sync_folder(&replaced)?;
        sync_folder(folder)?;
        rename(&staged.join(part), &folder.join(part))?;
    }
    sync_folder(folder)
}

/// The journal says so, and nothing is left beside.
fn finished(folder: &Path, swap: &mut Swap) -> io::Result<()> {
    swap.placed = true;
    write(folder, swap)?;
    // A journal that a loss of power sets back is gone through once more, and finds everything in its place.
    let _ = sync_folder(folder);
    // Empty, each of them: the first always, the second where there was nothing before. What stays is tidied up later.
    let _ = fs::remove_dir(folder.join(&swap.staged));
    let _ = fs::remove_dir(folder.join(&swap.replaced));
    Ok(())
}

/// Undoes as much of [`forward`] as was done.
fn backward(folder: &Path, swap: &Swap, rename: Rename<'_>) -> io::Result<()> {
    let (staged, replaced) = (folder.join(&swap.staged), folder.join(&swap.replaced));
    for (part, companions) in [(VAULT, &[][..]), (DATABASE, &COMPANIONS[..])] {
        if !there(&staged.join(part)) && there(&folder.join(part)) {
            rename(&folder.join(part), &staged.join(part))?;
        }
        for old in [part].into_iter().chain(companions.iter().copied()) {
            if there(&replaced.join(old)) {
                rename(&replaced.join(old), &folder.join(old))?;
            }
        }
    }
    sync_folder(folder)?;
    fs::remove_file(folder.join(JOURNAL))?;
    sync_folder(folder)?;
    let _ = fs::remove_dir(&replaced);
    let _ = fs::remove_dir_all(&staged);
    Ok(())
}

/// Where vaults lie: that of the data, and those that a restore replaced or had staged.
pub(crate) fn vaults(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut vaults = vec![folder.join(VAULT)];
    for entry in fs::read_dir(folder).map_err(|error| crate::start::folder(folder, &error))?.flatten() {
        if entry.file_name().to_str().is_some_and(|name| [REPLACED, UNPACKING, COPYING].iter().any(|kind| ours(name, kind))) {
            vaults.push(entry.path().join(VAULT));
        }
    }
    Ok(vaults)
}

/// The database, its log and index, and the locked files beside it.
fn is_database_file(name: &str) -> bool {
    let of_lease = |rest: &str| rest == ".lock" || rest.starts_with(".scan-") || rest.starts_with(".sign-in-");
    name == DATABASE || COMPANIONS.contains(&name) || name.strip_prefix(DATABASE).is_some_and(of_lease)
}

/// Removes everything that the console keeps in its folder, and the folder if nothing else lies in it. Answers what else does.
pub(crate) fn remove_all(folder: &Path, alone: Alone) -> Result<Vec<String>, Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            "E-ERASE",
            format!("The keys are destroyed, so nothing of the data can be read any more, but files of it could not be removed: {error}."),
            format!("Remove the folder {} yourself.", folder.display()),
        )
    };
    let mut left = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let moved = [REPLACED, UNPACKING, COPYING].iter().any(|kind| ours(&name, kind));
        if name == VAULT || moved {
            fs::remove_dir_all(entry.path()).map_err(failed)?;
        } else if is_database_file(&name) || name == JOURNAL {
            // What is read out of a database may lie in the free space of a disk; its key is gone.
            fs::remove_file(entry.path()).map_err(failed)?;
        } else if name != LOCK {
            left.push(name);
        }
    }
    // Removed last, by who holds it.
    fs::remove_file(folder.join(LOCK)).map_err(failed)?;
    drop(alone);
    if left.is_empty() {
        fs::remove_dir(folder).map_err(failed)?;
    }
    left.sort();
    Ok(left)
}

/// Finishes what a process that was killed left unfinished, and removes what it left behind. Only while nobody has the data open.
fn tidy(folder: &Path) -> Result<(), Failure> {
    tidy_by(folder, &mut |from, to| fs::rename(from, to))
}

fn tidy_by(folder: &Path, rename: Rename<'_>) -> Result<(), Failure> {
    if let Some(mut swap) = read(folder)?.filter(|swap| !swap.placed) {
        tracing::info!("a restore that was cut off is finished");
        if forward(folder, &swap, rename).and_then(|()| finished(folder, &mut swap)).is_err() {
            backward(folder, &swap, rename).map_err(|error| cut_off(&error))?;
        }
    }
    for entry in fs::read_dir(folder).map_err(|error| crate::start::folder(folder, &error))?.flatten() {
        let left = entry.file_name().to_str().is_some_and(|name| ours(name, COPYING) || ours(name, UNPACKING));
        // Whether they go changes nothing for what is stored.
        if left && entry.path().is_dir() && fs::remove_dir_all(entry.path()).is_err() {
            tracing::warn!("a folder that a backup left behind could not be removed");
        }
    }
    Ok(())
}

fn unfinished(folder: &Path) -> Result<bool, Failure> {
    Ok(read(folder)?.is_some_and(|swap| !swap.placed))
}

/// Records that the data was replaced, once it is open. Where that cannot be written it is tried again on the next opening.
pub(crate) fn record(folder: &Path, store: &Store) {
    let recorded = read(folder).and_then(|swap| {
        let Some(swap) = swap.filter(|swap| swap.placed) else { return Ok(()) };
        let before = match folder.join(&swap.replaced).is_dir() {
            true => format!("; what was there before is in the folder {}", swap.replaced),
            false => String::new(),
        };
        store.record_act(&Act::new(swap.at, swap.who, "data restored", format!("{}{before}", swap.detail)))?;
        fs::remove_file(folder.join(JOURNAL)).map_err(|error| crate::start::folder(folder, &error))
    });
    if let Err(failure) = recorded {
        tracing::warn!(code = failure.code, "that the data was restored could not be recorded");
    }
}

fn read(folder: &Path) -> Result<Option<Swap>, Failure> {
    let unreadable = || {
        Failure::new(
            "E-RESTORE-CUT",
            format!("{JOURNAL} in the data folder, which tells how far a restore had come, cannot be read."),
            format!("If the folders \"{UNPACKING}…\" and \"{REPLACED}…\" are not needed to set things right by hand, remove the file."),
        )
    };
    let text = match fs::read(folder.join(JOURNAL)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(crate::start::folder(folder, &error)),
    };
    let swap: Swap = serde_json::from_slice(&text).map_err(|_| unreadable())?;
    if swap.format == FORMAT && ours(&swap.staged, UNPACKING) && ours(&swap.replaced, REPLACED) {
        Ok(Some(swap))
    } else {
        Err(unreadable())
    }
}

/// Whether a name is one of ours, which leads nowhere else.
fn ours(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

fn write(folder: &Path, swap: &Swap) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(swap)?)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(JOURNAL)).map_err(|error| error.error)?;
    Ok(())
}

/// `replaced-20261122T021500Z`, or with a number behind it.
fn free_name(folder: &Path, at: Timestamp) -> String {
    let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let names = std::iter::once(format!("{REPLACED}{time}")).chain((2..).map(|number| format!("{REPLACED}{time}-{number}")));
    names.into_iter().find(|name| !there(&folder.join(name))).unwrap_or_default()
}

/// The folder that takes what is replaced now.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Whether something is there, be it a link that leads nowhere.
fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

pub(crate) fn in_use() -> Failure {
    Failure::new(
        "E-DATA-IN-USE",
        "Another window or command of Posture Console has the data open; nothing was changed.",
        "Close it, or wait until it has finished, and try again.",
    )
}

fn cut_off(error: &io::Error) -> Failure {
    Failure::new(
        "E-RESTORE-CUT",
        format!("A restore was cut off and can neither be finished nor undone: {error}."),
        "Make room on the disk of the data folder, check that you may write to it, and start Posture Console again; it goes on then.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    // Only from in here can a rename be refused, or the process be gone between two of them; the rest is tested through the public
    // interface.

    use super::*;
    use secrecy::SecretBox;

    /// What lies in the folder: of the old, of the new, or nothing; anything mixed panics.
    #[derive(Debug, PartialEq)]
    enum Lies {
        Old,
        New,
        Nothing,
    }

    fn fill(folder: &Path, what: &str, parts: &[&str]) {
        for part in parts {
            let path = folder.join(part);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{what} {part}")).unwrap();
        }
    }

    const OLD: [&str; 5] = ["posture.db", "posture.db-wal", "posture.db-shm", "vault/vault.json", "vault/instances/a.json"];
    const NEW: [&str; 3] = ["posture.db", "vault/vault.json", "vault/instances/b.json"];

    /// Every file below a folder with its content, but for the lock.
    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().unwrap() != LOCK {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    fn lies(folder: &Path) -> Lies {
        let all = files(folder);
        let whole = |what: &str, parts: &[&str], prefix: &str| {
            let mut wanted: Vec<(String, String)> =
                parts.iter().map(|part| (format!("{prefix}{part}"), format!("{what} {part}"))).collect();
            wanted.sort();
            wanted
        };
        let (journal, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| name == JOURNAL);
        let (replaced, here): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(name, _)| name.starts_with(REPLACED));
        let placed = journal.iter().all(|(_, text)| serde_json::from_str::<Swap>(text).unwrap().placed);
        assert!(placed, "nothing is left half done");
        let folders = fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
        if here == whole("old", &OLD, "") {
            assert!(replaced.is_empty() && journal.is_empty() && folders == 1, "{replaced:?} {journal:?}");
            return Lies::Old;
        }
        if here.is_empty() {
            assert!(replaced.is_empty() && journal.is_empty() && folders == 0, "{replaced:?} {journal:?}");
            return Lies::Nothing;
        }
        assert_eq!(here, whole("new", &NEW, ""), "it is all of one or all of the other");
        let kept = replaced.first().map(|(name, _)| name.split('/').next().unwrap().to_owned());
        if let Some(kept) = kept {
            assert_eq!(replaced, whole("old", &OLD, &format!("{kept}/")), "what was there is kept whole");
        }
        assert_eq!((journal.len(), folders), (1, if replaced.is_empty() { 1 } else { 2 }));
        Lies::New
    }

    fn scene(old: bool) -> (tempfile::TempDir, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        if old {
            fill(folder.path(), "old", &OLD);
        }
        let staged = aside(folder.path(), UNPACKING).unwrap();
        fill(staged.path(), "new", &NEW);
        (folder, staged)
    }

    fn origin() -> Origin {
        Origin { at: Timestamp::UNIX_EPOCH, who: "ada".into(), detail: "posture.tar".into() }
    }

    /// Renames that are refused: from the `first` on, and how many.
    fn refusing(first: usize, many: usize) -> impl FnMut(&Path, &Path) -> io::Result<()> {
        let mut asked = 0;
        move |from, to| {
            asked += 1;
            if (first..first.saturating_add(many)).contains(&(asked - 1)) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            fs::rename(from, to)
        }
    }

    /// Renames of a whole replacement: three of the database's old files, the old vault, and two new ones.
    const RENAMES: usize = 6;

    #[test]
    fn a_rename_that_is_refused_leaves_everything_as_it_was() {
        for (old, renames) in [(true, RENAMES), (false, 2)] {
            for refused in 0..renames {
                let (folder, staged) = scene(old);
                let alone = alone(folder.path()).unwrap().unwrap();
                let failure = replace_by(folder.path(), staged, origin(), &mut refusing(refused, 1)).unwrap_err();
                assert_eq!(failure.code, "E-DISK-FULL", "{refused}");
                assert_eq!(lies(folder.path()), if old { Lies::Old } else { Lies::Nothing }, "{refused}");
                drop(alone);
            }
            let (folder, staged) = scene(old);
            replace_by(folder.path(), staged, origin(), &mut refusing(renames, usize::MAX)).unwrap();
            assert_eq!(lies(folder.path()), Lies::New);
        }
    }

    #[test]
    fn killed_between_any_two_renames_it_is_finished_by_whoever_comes_next() {
        for old in [true, false] {
            for killed in 1..if old { RENAMES } else { 2 } {
                for killed_again in 0..=RENAMES {
                    let (folder, staged) = scene(old);
                    let cut = replace_by(folder.path(), staged, origin(), &mut refusing(killed, usize::MAX)).unwrap_err();
                    assert_eq!(cut.code, "E-RESTORE-CUT", "{killed}");
                    // So is the one that comes next, and the one after it is not.
                    let finished = tidy_by(folder.path(), &mut refusing(killed_again, usize::MAX));
                    assert!(finished.is_ok() || killed_again < RENAMES, "{killed} {killed_again}");
                    drop(enter(folder.path()).unwrap().unwrap());
                    assert_eq!(lies(folder.path()), Lies::New, "{killed} {killed_again}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_finished_is_undone() {
        let (folder, staged) = scene(true);
        replace_by(folder.path(), staged, origin(), &mut refusing(4, usize::MAX)).unwrap_err();
        // Nothing that is new can be put in its place.
        let path = folder.path().to_owned();
        let mut refusing_new = move |from: &Path, to: &Path| {
            let comes = from.parent().is_some_and(|parent| parent != path) && !from.to_string_lossy().contains(REPLACED);
            if comes { Err(io::ErrorKind::PermissionDenied.into()) } else { fs::rename(from, to) }
        };
        tidy_by(folder.path(), &mut refusing_new).unwrap();
        assert_eq!(lies(folder.path()), Lies::Old);
    }

    #[test]
    fn leftovers_of_others_go_and_what_is_not_ours_stays() {
        let (folder, _staged) = scene(true);
        fill(folder.path(), "left", &[".posture-copying-a1B2c3/posture.db"]);
        fill(folder.path(), "mine", &["backup-2026/posture.db", ".posture-copying-of mine/x", ".posture-copying-", "replaced-x/vault"]);
        let in_use = hold(folder.path()).unwrap();
        let left: Vec<String> =
            files(folder.path()).into_iter().filter(|(_, text)| !text.starts_with("old")).map(|(name, _)| name).collect();
        assert_eq!(left, [".posture-copying-", ".posture-copying-of mine/x", "backup-2026/posture.db", "replaced-x/vault"]);
        // Beside somebody who has the data open nothing is tidied: it may be theirs.
        fill(folder.path(), "theirs", &[".posture-copying-a1B2c3/posture.db"]);
        let second = hold(folder.path()).unwrap();
        assert!(folder.path().join(".posture-copying-a1B2c3").exists());
        assert!(alone(folder.path()).unwrap().is_none(), "the data is open");
        drop((in_use, second));
        assert!(alone(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_journal_that_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fill(outside.path(), "mine", &["posture.db"]);
        for staged in [outside.path().to_str().unwrap(), "..", ".posture-unpacking-/../x", ""] {
            let swap = Swap {
                format: FORMAT,
                placed: false,
                staged: staged.into(),
                replaced: "replaced-1".into(),
                at: Timestamp::UNIX_EPOCH,
                who: String::new(),
                detail: String::new(),
            };
            write(folder.path(), &swap).unwrap();
            assert_eq!(enter(folder.path()).unwrap_err().code, "E-RESTORE-CUT", "{staged}");
        }
        fs::write(folder.path().join(JOURNAL), "{").unwrap();
        assert_eq!(enter(folder.path()).unwrap_err().code, "E-RESTORE-CUT");
        assert_eq!(files(outside.path()).len(), 1);
    }

    #[test]
    fn the_act_is_recorded_once_and_names_where_the_old_is() {
        let (folder, staged) = scene(true);
        replace(folder.path(), staged, origin(), &alone(folder.path()).unwrap().unwrap()).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let store = Store::open(&elsewhere.path().join("posture.db"), &SecretBox::new(Box::new([7; 32]))).unwrap();
        record(folder.path(), &store);
        record(folder.path(), &store);
        let (total, acts) = store.acts(store::Slice::ALL).unwrap();
        assert_eq!((total, acts[0].who.as_str(), acts[0].what.as_str()), (1, "ada", "data restored"));
        assert_eq!(acts[0].detail, "posture.tar; what was there before is in the folder replaced-19700101T000000Z");
        assert!(!folder.path().join(JOURNAL).exists());
        assert!(folder.path().join("replaced-19700101T000000Z/posture.db").exists());
    }
}
