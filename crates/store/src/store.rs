//! The one handle through which everything else reads and writes the database.

use crate::{AccountFilter, AccountList, InventoryDetail, InventorySort, InventoryWrite, PluginFilter, PluginList, StoredListing};
use crate::{AccountFleetFilter, FleetList, IdentityFilter, IdentityList, IdentitySort, PluginFleetFilter, PluginUser};
use crate::{
    Act, ActivityHead, ActivityProof, Attestation, AttestationId, AttestationWrite, ChangeFilter, ChangeList, CheckTally, CheckWrite,
    Credential, CredentialEnd, DatasetState, Digest, Ended, FindingDetail, FindingFilter, FindingId, FindingList, FindingSort,
    HistoryWindow, Instance, InstanceId, LinkedAct, NewlyFailing, OwnCheck, OwnCheckVersion, PageWrite, QueuedParent, Request, RequestId,
    Resumable, ResumeState, RowDifference, SandboxScope, Scan, ScanDifference, ScanId, ScanOutcome, ScanState, Schedule, SeverityTally,
    SignInLease, Span, StartedBy, StoreError, StoredFile, StoredRow, StoredVerdict, TrendDay, Turn, Underway,
};
use crate::{Decision, DecisionFilter, DecisionId, DecisionWrite, DismissRefusal, Finding, Grounds, Rejudged};
use crate::{
    lease::{InstanceLease, Lease},
    lock,
    pool::{self, Durability, Pool},
    table::{
        account, activity, attestation, change, credential, dataset, decision, difference, digest, event, finding, fleet, granted,
        instance, inventory, lease, own_check, preference, request, row, scan, schedule, turn, verdict,
    },
};
use catalog::{
    Account, AccountRisk, Cause, Collected, Completeness, InventoryKind, InventoryThresholds, ParamValue, Plugin, PluginRisk, RowKey,
    Severity,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rusqlite::Transaction;
use secrecy::{SecretBox, SecretString};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A part of a long list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Rows before it.
    pub offset: u64,
    /// Rows of it at most.
    pub limit: u64,
}

impl Slice {
    /// Everything.
    pub const ALL: Self = Self { offset: 0, limit: i64::MAX as u64 };
}

/// What came of dismissing findings, one by one in the order in which they were named.
pub type Dismissals = Vec<(FindingId, Result<DecisionId, DismissRefusal>)>;

/// What the deletion of an instance took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeletedInstance {
    /// Scans.
    pub scans: u64,
    /// Rows of datasets, over all scans.
    pub rows: u64,
    /// Findings, open or not.
    pub findings: u64,
    /// Contents that no other instance shares.
    pub evidence: u64,
    /// Entries of the request log.
    pub requests: u64,
    /// Attestations, with what was attached to them.
    pub attestations: u64,
}

/// The open database. Clones share it; it can be used from any thread.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    /// The scans that run under this handle.
    leases: Mutex<HashMap<ScanId, Lease>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `path`, creates it when there is none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`], [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::Busy`],
    /// [`StoreError::DiskFull`] or [`StoreError::Io`].
    pub fn open(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<Self, StoreError> {
        let pool = Pool::open(path, key)?;
        link_acts(&pool)?;
        Ok(Self { inner: Arc::new(Inner { pool, leases: Mutex::default() }) })
    }
    /// Reads every page of the file and holds it against its authentication code and the structure of the tables. Takes
    /// time in proportion to the size of the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when anything is not as it was written.
    pub fn verify(&self) -> Result<(), StoreError> {
        self.inner.pool.maintain(pool::sound)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// Adds an instance.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub fn insert_instance(&self, instance: &Instance) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| instance::insert(transaction, instance))
    }
    /// Adds an instance after what must come before it, such as the sealing of its credentials; when that fails nothing is
    /// added. Meanwhile [`Store::without_instance`] leaves what belongs to it alone, in every process.
    ///
    /// # Errors
    /// What `first` answers; [`StoreError::NameTaken`]; [`StoreError::ScanRunning`] while another process removes what a
    /// missing instance of this id left behind.
    pub fn insert_instance_after<E: From<StoreError>>(&self, instance: &Instance, first: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let _lease = self.lease(instance.id)?;
        first()?;
        Ok(self.insert_instance(instance)?)
    }
    /// Clears up what belongs to an instance that is not there, and says whether it did: nothing is done while there is such
    /// an instance or somebody is about to add it.
    ///
    /// # Errors
    /// What `work` answers.
    pub fn without_instance<E: From<StoreError>>(&self, id: InstanceId, work: impl FnOnce() -> Result<(), E>) -> Result<bool, E> {
        let lease = match self.lease(id) {
            Err(StoreError::ScanRunning) => return Ok(false),
            lease => lease?,
        };
        match self.instance(id) {
            Ok(_) => return Ok(false),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        work()?;
        drop(lease);
        Lease::forget(self.inner.pool.path(), id)?;
        Ok(true)
    }
    /// Replaces everything of an instance but its id, application, sandbox, tenant and time of creation. Overrides that its
    /// parameters no longer follow end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`].
    pub fn update_instance(&self, instance: &Instance, now: Timestamp) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            instance::update(transaction, instance)?;
            decision::follow_params(transaction, instance, now)
        })
    }
    /// All instances, by application and name.
    pub fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        self.inner.pool.read(instance::all)
    }
    /// One instance.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn instance(&self, id: InstanceId) -> Result<Instance, StoreError> {
        self.inner.pool.read(|view| instance::get(view, id))
    }
    /// Removes an instance with everything that only it holds, and overwrites it on the disk. Acts stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::ScanRunning`].
    pub fn delete_instance(&self, id: InstanceId) -> Result<DeletedInstance, StoreError> {
        self.delete_instance_after(id, || Ok(()))
    }
    /// Removes an instance after what must come before it, such as the destruction of the key to its credentials. While it is
    /// being scanned nothing is done at all; when `first` fails nothing is removed.
    ///
    /// # Errors
    /// What `first` answers; [`StoreError::NotFound`], [`StoreError::ScanRunning`].
    pub fn delete_instance_after<E: From<StoreError>>(
        &self,
        id: InstanceId,
        first: impl FnOnce() -> Result<(), E>,
    ) -> Result<DeletedInstance, E> {
        self.instance(id)?;
        let lease = self.lease(id)?;
        first()?;
        Ok(self.delete_held(id, lease)?)
    }

    fn delete_held(&self, id: InstanceId, lease: Lease) -> Result<DeletedInstance, StoreError> {
        let deleted = self.inner.pool.write(Durability::Power, |transaction| {
            digest::forget(transaction, id)?;
            instance::delete(transaction, id)
        })?;
        self.inner.pool.maintain(|connection| {
            // Freed pages are given back, and the log, which still holds them as they were, is emptied. While a reader is at
            // work the log stays until the next time.
            let mut freeing = connection.prepare("PRAGMA incremental_vacuum")?;
            let mut freed = freeing.query([])?;
            while freed.next()?.is_some() {}
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })?;
        drop(lease);
        Lease::forget(self.inner.pool.path(), id)?;
        Ok(deleted)
    }

    /// Begins a scan over these datasets. What earlier scans left unfinished is dropped.
    ///
    /// # Errors
    /// [`StoreError::ScanRunning`] while a living process scans this instance.
    pub fn begin_scan(&self, instance: InstanceId, now: Timestamp, datasets: &[&str]) -> Result<ScanId, StoreError> {
        self.instance(instance)?;
        let lease = self.lease(instance)?;
        self.begin_scan_under(lease, StartedBy::Person, instance, now, datasets)
    }
    /// As [`Store::begin_scan`], for what the schedule does without a due time, under a lease of this store
    /// ([`Store::hold_instance`]): nobody comes in between.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the instance is gone.
    pub fn begin_scan_by_schedule(&self, held: InstanceLease, now: Timestamp, datasets: &[&str]) -> Result<ScanId, StoreError> {
        let InstanceLease { instance, lease } = held;
        self.begin_scan_under(lease, StartedBy::Schedule, instance, now, datasets)
    }
    fn begin_scan_under(
        &self,
        lease: Lease,
        by: StartedBy,
        instance: InstanceId,
        now: Timestamp,
        datasets: &[&str],
    ) -> Result<ScanId, StoreError> {
        let scan = self.inner.pool.write(Durability::Power, |transaction| scan::begin(transaction, instance, by, now, datasets))?;
        self.leases().insert(scan, lease);
        Ok(scan)
    }
    /// As [`Store::begin_scan`], for the due times between `seen`, the instance's mark as the caller saw it, and now: they are
    /// served with the beginning of the scan or not at all. No scan when somebody else has served them meanwhile.
    ///
    /// # Errors
    /// As [`Store::begin_scan`].
    pub fn begin_due_scan(
        &self,
        instance: InstanceId,
        seen: Timestamp,
        now: Timestamp,
        datasets: &[&str],
    ) -> Result<Option<ScanId>, StoreError> {
        self.instance(instance)?;
        let lease = self.lease(instance)?;
        let begun = self.inner.pool.write(Durability::Power, |transaction| {
            if !schedule::serve(transaction, instance, seen, now)? {
                return Ok(None);
            }
            scan::begin(transaction, instance, StartedBy::Schedule, now, datasets).map(Some)
        })?;
        if let Some(scan) = begun {
            self.leases().insert(scan, lease);
        }
        Ok(begun)
    }
    /// When each instance is scanned by itself.
    pub fn schedules(&self) -> Result<BTreeMap<InstanceId, Schedule>, StoreError> {
        self.inner.pool.read(schedule::all)
    }
    /// Gives an instance a schedule, `None` for the caller's default; due times up to now do not count.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_schedule(&self, instance: InstanceId, pattern: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| schedule::set(transaction, instance, pattern, now))
    }
    /// Lets due times up to now pass without a scan; says whether the mark still was where the caller saw it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn pass_due(&self, instance: InstanceId, seen: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| schedule::serve(transaction, instance, seen, now))
    }
    /// Tells other processes how far this one has come with an instance.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn tell_underway(&self, underway: &Underway) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| lease::tell(transaction, underway))
    }
    /// Takes back what was told of an instance; one that is gone has nothing told of it.
    pub fn end_underway(&self, instance: InstanceId, pid: u32) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| lease::end(transaction, instance, pid))
    }
    /// What other processes are at, longest at it first; one that said nothing for 20 seconds has ended without a word.
    pub fn underway_elsewhere(&self, pid: u32, now: Timestamp) -> Result<Vec<Underway>, StoreError> {
        self.inner.pool.read(|view| lease::of_others(view, pid, now))
    }
    /// Notes the health of an instance, in the caller's words; a turn when it was another before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn note_health(
        &self,
        instance: InstanceId,
        health: &str,
        cause: Option<&Cause>,
        at: Timestamp,
    ) -> Result<Option<Turn>, StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| turn::note(transaction, instance, health, cause, at))
    }
    /// Turns after that time, oldest first, of one instance or of all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when that instance is not there.
    pub fn turns(&self, instance: Option<InstanceId>, after: Timestamp) -> Result<Vec<Turn>, StoreError> {
        self.inner.pool.read(|view| turn::since(view, instance, after))
    }
    /// The id of the newest turn; 0 when there is none.
    pub fn newest_turn(&self) -> Result<i64, StoreError> {
        self.inner.pool.read(turn::newest)
    }
    /// Turns with a larger id, in the order in which they were stored, whichever process did.
    pub fn turns_later_than(&self, id: i64) -> Result<Vec<Turn>, StoreError> {
        self.inner.pool.read(|view| turn::later(view, id))
    }

    /// Adds the digest of a day with the act that tells it, without what names an instance that is gone; `false`, and nothing is
    /// changed, when that day has one already.
    pub fn insert_digest(
        &self,
        day: Date,
        made_at: Timestamp,
        since: Timestamp,
        body: &serde_json::Value,
        act: &Act,
    ) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            let added = digest::insert(transaction, day, made_at, since, body)?;
            if added {
                activity::insert(transaction, act)?;
            }
            Ok(added)
        })
    }
    /// The digest of a day.
    pub fn digest(&self, day: Date) -> Result<Option<Digest>, StoreError> {
        self.inner.pool.read(|view| digest::get(view, day))
    }
    /// All digests that are kept, at most a hundred, newest first.
    pub fn digests(&self) -> Result<Vec<Digest>, StoreError> {
        self.inner.pool.read(digest::all)
    }
    /// Counts up the tries to mail a digest from what the caller saw; `false` when another process did so meanwhile, and mails it.
    /// Until [`Store::set_digest_mailed`] tells what came of it, its failure is `meanwhile`: what is known if the process ends.
    pub fn claim_digest_mail(&self, day: Date, seen: u32, now: Timestamp, meanwhile: &serde_json::Value) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| digest::claim_mail(transaction, day, seen, now, meanwhile))
    }
    /// Stores what came of mailing a digest. Once it was mailed it stays so; the failure is that of the last try.
    pub fn set_digest_mailed(
        &self,
        day: Date,
        mailed_at: Option<Timestamp>,
        failure: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| digest::set_mailed(transaction, day, mailed_at, failure))
    }
    /// The number of the newest line in the history of findings, for a [`HistoryWindow`]; 0 when there is none.
    pub fn newest_history_line(&self) -> Result<i64, StoreError> {
        self.inner.pool.read(digest::newest_line)
    }
    /// Findings of real instances that are open and were opened or reopened, by instance and check, the worst first.
    pub fn newly_failing(&self, window: HistoryWindow) -> Result<Vec<NewlyFailing>, StoreError> {
        self.inner.pool.read(|view| digest::newly_failing(view, window))
    }
    /// Findings of real instances that became fixed or gone and still are, by instance.
    pub fn ended(&self, window: HistoryWindow) -> Result<Vec<Ended>, StoreError> {
        self.inner.pool.read(|view| digest::ended(view, window))
    }

    /// Keeps an instance from being scanned, deleted or held once more, in every process, until what is answered is dropped. For
    /// whoever signs in with its credentials without a scan: a refresh token may be good for one use.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::ScanRunning`] while somebody scans or holds it.
    pub fn hold_instance(&self, instance: InstanceId) -> Result<InstanceLease, StoreError> {
        self.instance(instance)?;
        Ok(InstanceLease { instance, lease: self.lease(instance)? })
    }
    /// The newest scan of an instance, if it ended early, no process is at it and it holds something to go on from.
    pub fn resumable_scan(&self, instance: InstanceId) -> Result<Option<Resumable>, StoreError> {
        self.inner.pool.read(|view| scan::resumable(view, instance))
    }
    /// Takes an unfinished scan up again. Of the datasets that were done, those that were read whole stay; the others are to be
    /// read anew, for what may be read may have changed.
    ///
    /// # Errors
    /// [`StoreError::ScanRunning`]; [`StoreError::WrongState`] when it is complete or a later scan dropped it.
    pub fn resume_scan(&self, scan: ScanId) -> Result<ResumeState, StoreError> {
        let instance = self.scan(scan)?.instance;
        let lease = self.lease(instance)?;
        let state = self.inner.pool.write(Durability::Power, |transaction| scan::resume(transaction, scan))?;
        self.leases().insert(scan, lease);
        Ok(state)
    }
    /// Queues parents for which a dataset is to be read. Those that are queued already stay as they are.
    pub fn queue_parents(&self, scan: ScanId, dataset: &str, parents: &[QueuedParent]) -> Result<(), StoreError> {
        self.held(scan)?;
        self.inner.pool.write(Durability::Process, |transaction| dataset::queue(transaction, scan.0, dataset, parents))
    }
    /// Stores one page with its rows, their evidence and where the next page begins, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when this handle does not hold the scan.
    pub fn write_page(&self, scan: ScanId, page: &PageWrite<'_>) -> Result<(), StoreError> {
        self.held(scan)?;
        self.inner.pool.write(Durability::Process, |transaction| row::write_page(transaction, scan.0, page))
    }
    /// Marks the reading for one parent as done, with the cause when it could not be read whole.
    pub fn finish_parent(&self, scan: ScanId, dataset: &str, parent: &RowKey, cause: Option<&Cause>) -> Result<(), StoreError> {
        self.held(scan)?;
        self.inner.pool.write(Durability::Process, |transaction| dataset::finish_parent(transaction, scan.0, dataset, &parent.0, cause))
    }
    /// States how much of a dataset was read.
    pub fn finish_dataset(&self, scan: ScanId, dataset: &str, completeness: &Completeness) -> Result<(), StoreError> {
        self.held(scan)?;
        self.inner.pool.write(Durability::Process, |transaction| dataset::finish(transaction, scan.0, dataset, completeness))
    }
    /// Adds an entry to the request log.
    pub fn log_request(&self, request: &Request) -> Result<RequestId, StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| request::insert(transaction, request))
    }
    /// Stores verdicts and findings and makes the scan the one that every screen shows, in one transaction that survives a
    /// loss of power. `as_of` is the time the rows speak of; findings are seen at it.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when the scan is not running under this handle.
    pub fn commit_scan(&self, scan: ScanId, checks: &[CheckWrite], as_of: Timestamp, now: Timestamp) -> Result<ScanOutcome, StoreError> {
        let outcome = self.commit(scan, |_, _| true, checks, None, as_of, now)?;
        outcome.ok_or(StoreError::WrongState { actual: "not running" })
    }
    /// As [`Store::commit_scan`], with the accounts and plugins of the scan, but only if the instance's thresholds still are those
    /// that all of it was reached with; otherwise nothing is stored, the scan goes on running, and there is no outcome: judge again.
    ///
    /// # Errors
    /// As [`Store::commit_scan`].
    pub fn commit_scan_judged_by(
        &self,
        scan: ScanId,
        params: &BTreeMap<String, BTreeMap<String, ParamValue>>,
        checks: &[CheckWrite],
        inventory: &InventoryWrite<'_>,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ScanOutcome>, StoreError> {
        let unchanged =
            |instance: &Instance, thresholds: &InventoryThresholds| instance.params == *params && *thresholds == inventory.thresholds;
        self.commit(scan, unchanged, checks, Some(inventory), as_of, now)
    }

    fn commit(
        &self,
        scan: ScanId,
        may: impl FnOnce(&Instance, &InventoryThresholds) -> bool,
        checks: &[CheckWrite],
        inventory: Option<&InventoryWrite<'_>>,
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<Option<ScanOutcome>, StoreError> {
        self.held(scan)?;
        let outcome = self.inner.pool.write(Durability::Power, |transaction| {
            let found = require(transaction, scan, ScanState::Running)?;
            let thresholds = inventory::thresholds(transaction, found.instance)?.unwrap_or_default();
            if !may(&instance::get(transaction, found.instance)?, &thresholds) {
                return Ok(None);
            }
            if let Some(write) = inventory {
                inventory::replace(transaction, scan.0, write)?;
            }
            scan::complete(transaction, scan.0, as_of, now)?;
            dataset::forget_queue(transaction, scan.0)?;
            judge(transaction, scan, checks, as_of, now).map(Some)
        })?;
        if outcome.is_some() {
            self.leases().remove(&scan);
        }
        Ok(outcome)
    }

    /// Replaces the verdicts of the last complete scan after a threshold, a check or a decision changed. Where a later scan
    /// failed, open findings stay not re-checked: what is judged again was read before it.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not the instance's last complete scan.
    pub fn rejudge_scan(&self, scan: ScanId, checks: &[CheckWrite], now: Timestamp) -> Result<ScanOutcome, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| rejudge(transaction, scan, checks, now))
    }

    /// Dismisses findings as they stand, in one transaction, each with the act that tells it. What cannot be dismissed is told in
    /// its place and keeps nothing else from being; one that is dismissed already is dismissed anew.
    pub fn dismiss(
        &self,
        ids: &[FindingId],
        grounds: &Grounds,
        act: impl Fn(&Finding) -> Act,
        now: Timestamp,
    ) -> Result<Dismissals, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            decision::expire(transaction, now)?;
            let mut told = Vec::with_capacity(ids.len());
            let mut instances = BTreeMap::new();
            for id in ids {
                told.push((
                    *id,
                    match decision::dismiss(transaction, *id, grounds, now)? {
                        Err(refusal) => Err(refusal),
                        Ok((finding, decision)) => {
                            activity::insert(transaction, &act(&finding))?;
                            instances.insert(finding.instance, ());
                            Ok(decision)
                        }
                    },
                ));
            }
            for instance in instances.into_keys() {
                decision::note_open(transaction, instance::number(transaction, instance)?)?;
            }
            Ok(told)
        })
    }
    /// Stores any other decision with the act that tells it and, where it changes a verdict, what the last complete scan comes to
    /// with it: all or nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] when that scan is not the last complete one any more, or was judged with
    /// other parameters than the instance has with the decision: judge again.
    pub fn decide(&self, write: &DecisionWrite, again: Option<Rejudged<'_>>, act: &Act) -> Result<DecisionId, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            decision::expire(transaction, act.at)?;
            let id = decision::decide(transaction, write, act.at)?;
            activity::insert(transaction, act)?;
            settle(transaction, write.instance, again, act.at)?;
            Ok(id)
        })
    }
    /// Takes a decision back, likewise.
    ///
    /// # Errors
    /// As [`Store::decide`]; [`StoreError::DecisionEnded`].
    pub fn undo_decision(&self, id: DecisionId, again: Option<Rejudged<'_>>, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            decision::expire(transaction, act.at)?;
            let undone = decision::undo(transaction, id, act.at)?;
            activity::insert(transaction, act)?;
            settle(transaction, undone.instance, again, act.at)
        })
    }
    /// One decision.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn decision(&self, id: DecisionId) -> Result<Decision, StoreError> {
        self.inner.pool.read(|view| decision::get(view, id))
    }
    /// Decisions, newest first, and how many fulfil the filter.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such instance.
    pub fn decisions(&self, filter: &DecisionFilter, slice: Slice) -> Result<(u64, Vec<Decision>), StoreError> {
        self.inner.pool.read(|view| decision::page(view, filter, slice))
    }
    /// Ends the decisions whose time is over, and opens again what they held back; gives how many. Costs one look where there are
    /// none.
    pub fn expire_decisions(&self, now: Timestamp) -> Result<u32, StoreError> {
        if !self.inner.pool.read(|view| decision::any_expired(view, now))? {
            return Ok(0);
        }
        self.inner.pool.write(Durability::Power, |transaction| decision::expire(transaction, now))
    }

    /// Ends a running scan early; what it read stays, to go on from. One that failed has judged nothing: the open findings of
    /// its instance stay open, not re-checked for the scan's cause.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not running, or `state` is not one that a scan ends early in.
    pub fn end_scan(&self, scan: ScanId, state: ScanState, cause: Option<&Cause>, now: Timestamp) -> Result<(), StoreError> {
        match state {
            ScanState::Cut | ScanState::Cancelled | ScanState::Failed => {}
            ScanState::Running | ScanState::Complete => return Err(StoreError::WrongState { actual: "not one that ends this way" }),
        }
        self.held(scan)?;
        let ended = self.inner.pool.write(Durability::Power, |transaction| {
            let ended = scan::end(transaction, scan.0, state, cause, now)?;
            if let (true, ScanState::Failed, Some(cause)) = (ended, state, cause) {
                let instance = instance::number(transaction, scan::get(transaction, scan)?.instance)?;
                finding::none_rechecked(transaction, instance, scan, cause, now)?;
            }
            Ok(ended)
        });
        // Nobody goes on with it here, whether its end could be written or not: the next scan cuts what says it is running.
        self.leases().remove(&scan);
        let ended = ended?;
        if ended { Ok(()) } else { Err(StoreError::WrongState { actual: "not running" }) }
    }
    /// Marks as cut every scan that is running without a living process. For the start of the program.
    pub fn mark_cut_scans(&self, now: Timestamp) -> Result<Vec<ScanId>, StoreError> {
        let mut cut = Vec::new();
        for (scan, instance) in self.inner.pool.read(scan::running)? {
            let Some(_lease) = Lease::take(self.inner.pool.path(), instance)? else { continue };
            if self.inner.pool.write(Durability::Power, |transaction| scan::cut(transaction, scan.0, now))? {
                cut.push(scan);
            }
        }
        Ok(cut)
    }
    /// Removes rows, verdicts and request log of all but the newest `keep` complete scans of an instance, except where an
    /// open finding rests on them. The scans themselves stay for the trend. Gives how many were emptied.
    pub fn prune_scans(&self, instance: InstanceId, keep: u32) -> Result<u32, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| scan::prune(transaction, instance, keep))
    }

    /// The newest scans of an instance, newest first.
    pub fn scans(&self, instance: InstanceId, limit: u32) -> Result<Vec<Scan>, StoreError> {
        self.inner.pool.read(|view| scan::newest(view, instance, limit))
    }
    /// One scan.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn scan(&self, scan: ScanId) -> Result<Scan, StoreError> {
        self.inner.pool.read(|view| scan::get(view, scan))
    }
    /// The scan that every screen shows.
    pub fn last_complete_scan(&self, instance: InstanceId) -> Result<Option<Scan>, StoreError> {
        self.inner.pool.read(|view| scan::last_complete(view, instance))
    }
    /// How much of each dataset a scan holds.
    pub fn datasets(&self, scan: ScanId) -> Result<Vec<DatasetState>, StoreError> {
        self.inner.pool.read(|view| dataset::all(view, scan.0))
    }
    /// Rows of a dataset, in the order in which they were read, and how many there are.
    pub fn rows(&self, scan: ScanId, dataset: &str, slice: Slice) -> Result<(u64, Vec<StoredRow>), StoreError> {
        self.inner.pool.read(|view| row::page(view, scan.0, dataset, slice))
    }
    /// Everything a scan holds, to judge it (again). A dataset that was not finished is Partial.
    pub fn collected(&self, scan: ScanId) -> Result<BTreeMap<String, Collected>, StoreError> {
        self.inner.pool.read(|view| row::collected(view, scan.0))
    }
    /// What each check came to, by check.
    pub fn check_tallies(&self, scan: ScanId) -> Result<Vec<CheckTally>, StoreError> {
        self.inner.pool.read(|view| verdict::tallies(view, scan.0))
    }
    /// Verdicts of a scan by check and row, of one check if it is named, and how many there are.
    pub fn verdicts(&self, scan: ScanId, check: Option<&str>, slice: Slice) -> Result<(u64, Vec<StoredVerdict>), StoreError> {
        self.inner.pool.read(|view| verdict::page(view, scan.0, check, slice))
    }

    /// From when on something is a risk in an instance.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn inventory_thresholds(&self, instance: InstanceId) -> Result<InventoryThresholds, StoreError> {
        self.inner.pool.read(|view| Ok(inventory::thresholds(view, instance)?.unwrap_or_default()))
    }
    /// Sets the thresholds of an instance to those of what is written, and with them the accounts and plugins of its last
    /// complete scan, if it has one: both or neither.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] when the scan is not the instance's last complete one.
    pub fn set_inventory_thresholds(
        &self,
        instance: InstanceId,
        scan: Option<ScanId>,
        write: &InventoryWrite<'_>,
    ) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            let last = scan::last_complete(transaction, instance)?.map(|last| last.id);
            if last != scan {
                return Err(StoreError::WrongState { actual: "superseded by a later one" });
            }
            inventory::set_thresholds(transaction, instance, &write.thresholds)?;
            scan.map_or(Ok(()), |scan| inventory::replace(transaction, scan.0, write))
        })
    }
    /// What the application's tables of accounts or plugins came to in a scan, in their order; none where it was judged without.
    pub fn listings(&self, scan: ScanId, kind: InventoryKind) -> Result<Vec<StoredListing>, StoreError> {
        self.inner.pool.read(|view| inventory::listings(view, scan.0, kind))
    }
    /// Accounts of a scan that fulfil a filter.
    pub fn accounts(
        &self,
        scan: ScanId,
        filter: &AccountFilter,
        sort: InventorySort,
        descending: bool,
        slice: Slice,
    ) -> Result<AccountList, StoreError> {
        self.inner.pool.read(|view| inventory::list::<Account>(view, scan.0, filter, sort, descending, slice))
    }
    /// One account of a scan, by the store's number, with the rows that it rests on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn account(&self, scan: ScanId, number: i64) -> Result<InventoryDetail<Account>, StoreError> {
        self.inner.pool.read(|view| inventory::detail(view, scan, number))
    }
    /// Plugins of a scan that fulfil a filter.
    pub fn plugins(
        &self,
        scan: ScanId,
        filter: &PluginFilter,
        sort: InventorySort,
        descending: bool,
        slice: Slice,
    ) -> Result<PluginList, StoreError> {
        self.inner.pool.read(|view| inventory::list::<Plugin>(view, scan.0, filter, sort, descending, slice))
    }
    /// One plugin of a scan, by the store's number, with the rows that it rests on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn plugin(&self, scan: ScanId, number: i64) -> Result<InventoryDetail<Plugin>, StoreError> {
        self.inner.pool.read(|view| inventory::detail(view, scan, number))
    }

    /// Accounts of all instances, each as the last complete scan of its instance found it.
    pub fn accounts_everywhere(
        &self,
        filter: &AccountFleetFilter,
        sort: InventorySort,
        descending: bool,
        slice: Slice,
    ) -> Result<FleetList<Account, AccountRisk>, StoreError> {
        self.inner.pool.read(|view| fleet::accounts(view, filter, sort, descending, slice))
    }
    /// Plugins of all instances, likewise.
    pub fn plugins_everywhere(
        &self,
        filter: &PluginFleetFilter,
        sort: InventorySort,
        descending: bool,
        slice: Slice,
    ) -> Result<FleetList<Plugin, PluginRisk>, StoreError> {
        self.inner.pool.read(|view| fleet::plugins(view, filter, sort, descending, slice))
    }
    /// Identities: accounts of all instances that have one address, or that somebody put together. `directories` are the applications
    /// whose name for a person goes before that of others.
    pub fn identities(
        &self,
        filter: &IdentityFilter,
        directories: &[String],
        order: (IdentitySort, bool),
        slice: Slice,
    ) -> Result<IdentityList, StoreError> {
        self.inner.pool.read(|view| fleet::identities(view, filter, directories, order, slice))
    }
    /// Users who granted or installed plugins in any instance, worst first, whose name holds a text; and how many there are.
    pub fn plugin_users(&self, text: &str, scope: SandboxScope, slice: Slice) -> Result<(u64, Vec<PluginUser>), StoreError> {
        self.inner.pool.read(|view| fleet::plugin_users(view, text, scope, slice))
    }
    /// Says whose an account is, in this scan and later ones, with the act that tells it: the key of an identity, an empty one for
    /// nobody else's, `None` for what its address says.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_account_person(
        &self,
        instance: InstanceId,
        (source, row): (&str, &RowKey),
        person: Option<&str>,
        act: &Act,
    ) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            fleet::set_person(transaction, instance, source, row, person)?;
            activity::insert(transaction, act)
        })
    }
    /// Says that a plugin of a scan was reviewed by whom the act names, with the rights that it has there, or that it was not.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_plugin_reviewed(&self, scan: ScanId, number: i64, reviewed: bool, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            fleet::set_reviewed(transaction, scan.0, number, reviewed.then_some((act.who.as_str(), act.at)))?;
            activity::insert(transaction, act)
        })
    }

    /// Findings that fulfil a filter.
    pub fn findings(&self, filter: &FindingFilter, sort: FindingSort, descending: bool, slice: Slice) -> Result<FindingList, StoreError> {
        self.inner.pool.read(|view| finding::list(view, filter, sort, descending, slice))
    }
    /// One finding with its verdict, evidence, requests and history.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn finding(&self, id: FindingId) -> Result<FindingDetail, StoreError> {
        self.inner.pool.read(|view| finding::detail(view, id))
    }
    /// Open findings of each instance that has any.
    pub fn open_findings(&self, scope: SandboxScope) -> Result<BTreeMap<InstanceId, SeverityTally>, StoreError> {
        self.inner.pool.read(|view| finding::open_by_instance(view, scope))
    }
    /// Findings of an instance that are open or dismissed, by check; checks without any are not there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn open_by_check(&self, instance: InstanceId) -> Result<BTreeMap<String, u32>, StoreError> {
        self.inner.pool.read(|view| finding::open_by_check(view, instance::number(view, instance)?))
    }
    /// Open findings that were opened or reopened after a time.
    pub fn opened_since(&self, after: Timestamp, scope: SandboxScope) -> Result<SeverityTally, StoreError> {
        self.inner.pool.read(|view| event::opened_since(view, after, scope))
    }
    /// What became of the findings of some instances, each between two moments of its own. An instance is in one span at most.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when one of them is not there.
    pub fn changes(&self, spans: &[Span], filter: &ChangeFilter, slice: Slice) -> Result<ChangeList, StoreError> {
        self.inner.pool.read(|view| change::list(view, spans, filter, slice))
    }
    /// When the first scan of each instance was committed: before it nothing is known of the instance. One that was never scanned
    /// whole is left out.
    pub fn known_since(&self, scope: SandboxScope) -> Result<BTreeMap<InstanceId, Timestamp>, StoreError> {
        self.inner.pool.read(|view| change::known_since(view, scope))
    }
    /// Findings of an instance that were open at a moment, by check with the severity it has now, without those that a person attested.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn scanned_open_at(&self, instance: InstanceId, at: Timestamp) -> Result<Vec<(String, Severity, u32)>, StoreError> {
        self.inner.pool.read(|view| change::scanned_open_by_check(view, instance, at))
    }
    /// The scan that every screen showed at a moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn last_complete_scan_at(&self, instance: InstanceId, at: Timestamp) -> Result<Option<Scan>, StoreError> {
        self.inner.pool.read(|view| scan::last_complete_at(view, instance, at))
    }
    /// What differs between the rows of two complete scans of one instance, by dataset and counted. No dataset is told where the
    /// rows of either were removed ([`Scan::dropped`]).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] when one is not complete or they are of two instances.
    pub fn scan_difference(&self, before: ScanId, after: ScanId) -> Result<ScanDifference, StoreError> {
        self.inner.pool.read(|view| difference::of_scans(view, before, after))
    }
    /// The keys of a dataset whose rows differ between two scans, in the order of the keys, and how many there are. Of a dataset
    /// that cannot be compared there are none.
    ///
    /// # Errors
    /// As [`Store::scan_difference`].
    pub fn row_differences(
        &self,
        before: ScanId,
        after: ScanId,
        dataset: &str,
        slice: Slice,
    ) -> Result<(u64, Vec<RowDifference>), StoreError> {
        self.inner.pool.read(|view| difference::rows(view, before, after, dataset, slice))
    }
    /// Open findings at the end of each day from `first` to `last`, in the days of `zone`.
    pub fn trend(&self, first: Date, last: Date, zone: &TimeZone, scope: SandboxScope) -> Result<Vec<TrendDay>, StoreError> {
        self.inner.pool.read(|view| scan::trend(view, first, last, zone, scope))
    }
    /// The request log, newest first, of one instance if it is named, and how many entries there are.
    pub fn requests(&self, instance: Option<InstanceId>, slice: Slice) -> Result<(u64, Vec<Request>), StoreError> {
        self.inner.pool.read(|view| request::page(view, instance, slice))
    }

    /// Records an act and links it to all before it.
    pub fn record_act(&self, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| activity::insert(transaction, act))
    }
    /// Acts, newest first, and how many there are.
    pub fn acts(&self, slice: Slice) -> Result<(u64, Vec<Act>), StoreError> {
        self.inner.pool.read(|view| activity::page(view, slice))
    }
    /// At most `limit` acts after the one of this number, oldest first, with their links; from the beginning after 0.
    pub fn linked_acts(&self, after: u64, limit: u64) -> Result<Vec<LinkedAct>, StoreError> {
        self.inner.pool.read(|view| activity::linked(view, after, limit))
    }
    /// The head of the chain of acts, as its last link says.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when that link is none any more.
    pub fn activity_head(&self) -> Result<ActivityHead, StoreError> {
        link_acts(&self.inner.pool)?;
        self.inner.pool.read(activity::head)
    }
    /// Reads the chain of acts again, one act at a time, and says where it breaks first and whether the head that was given (how
    /// many acts it covers, and the link of the last of them) is in it. That it does not hold is no error.
    pub fn verify_activity(&self, expected: Option<(u64, [u8; 32])>) -> Result<ActivityProof, StoreError> {
        link_acts(&self.inner.pool)?;
        self.inner.pool.read(|view| activity::verify(view, expected))
    }
    /// All preferences.
    pub fn preferences(&self) -> Result<BTreeMap<String, serde_json::Value>, StoreError> {
        self.inner.pool.read(preference::all)
    }
    /// One preference.
    pub fn preference(&self, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.inner.pool.read(|view| preference::get(view, key))
    }
    /// Sets a preference, or removes it with null.
    pub fn set_preference(&self, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| preference::set(transaction, key, value))
    }

    /// What the vendor said that an instance's credential holds, when it was last signed in to; `None` before that.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn granted(&self, instance: InstanceId) -> Result<Option<crate::GrantedScopes>, StoreError> {
        self.inner.pool.read(|view| granted::get(view, instance))
    }
    /// Keeps what the vendor says that an instance's credential holds, in place of what it said before.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn set_granted(&self, instance: InstanceId, scopes: &crate::GrantedScopes) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| granted::set(transaction, instance, scopes))
    }

    /// What is known of the end of an instance's credential; `None` before it has signed in.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn credential(&self, instance: InstanceId) -> Result<Option<Credential>, StoreError> {
        self.inner.pool.read(|view| credential::get(view, instance))
    }
    /// The same of every instance that has signed in.
    pub fn credentials(&self) -> Result<BTreeMap<InstanceId, Credential>, StoreError> {
        self.inner.pool.read(credential::all)
    }
    /// Notes that signing in worked, and when the credential ends. What the administrator was told of the same end stays told.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn credential_used(&self, instance: InstanceId, at: Timestamp, end: Option<CredentialEnd>) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| credential::use_now(transaction, instance, at, end, false))
    }
    /// The same of a credential that replaces another one: of this one nobody was told anything.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn credential_replaced(&self, instance: InstanceId, at: Timestamp, end: Option<CredentialEnd>) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Process, |transaction| credential::use_now(transaction, instance, at, end, true))
    }
    /// Sets how near its end the administrator was told that a credential is, from what the caller saw, together with the act that
    /// tells it. False, and nothing is written, when somebody else has told it meanwhile or it ends at another time now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn tell_credential(
        &self,
        instance: InstanceId,
        seen: &Credential,
        told_days: Option<u32>,
        act: Option<&Act>,
    ) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            let told = credential::tell(transaction, instance, seen, told_days)?;
            if let Some(act) = act.filter(|_| told) {
                activity::insert(transaction, act)?;
            }
            Ok(told)
        })
    }
    /// Marks that it is tried to use a credential so that it does not end unused; `used_at` is noted where nothing was known of it.
    /// False when somebody else has tried, or used it, since the caller looked.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn try_credential(
        &self,
        instance: InstanceId,
        seen: Option<&Credential>,
        used_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| credential::attempt(transaction, instance, seen, used_at, now))
    }

    /// Stores an attestation of a manual check with the act that tells it, and brings the check's finding in line: not met opens
    /// it, met fixes it. Gives the attestation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn attest(&self, write: &AttestationWrite, act: &Act) -> Result<AttestationId, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            let id = attestation::insert(transaction, write, act.at)?;
            activity::insert(transaction, act)?;
            Ok(id)
        })
    }
    /// Takes back the last attestation of a check, by whom and when the act says. The one before it counts again, if there is one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NotInForce`] when it is not the last one that was not withdrawn.
    pub fn withdraw_attestation(&self, id: AttestationId, reason: &str, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            attestation::withdraw(transaction, id, &act.who, reason, act.at)?;
            activity::insert(transaction, act)
        })
    }
    /// One attestation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn attestation(&self, id: AttestationId) -> Result<Attestation, StoreError> {
        self.inner.pool.read(|view| attestation::get(view, id))
    }
    /// Every attestation of an instance, or of all, by instance and check, oldest first.
    pub fn attestations(&self, instance: Option<InstanceId>) -> Result<BTreeMap<(InstanceId, String), Vec<Attestation>>, StoreError> {
        self.inner.pool.read(|view| attestation::by_check(view, instance))
    }
    /// The file of an attestation, as it was given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] when it is not what was given.
    pub fn attestation_file(&self, id: AttestationId) -> Result<(StoredFile, Vec<u8>), StoreError> {
        self.inner.pool.read(|view| attestation::content(view, id))
    }
    /// Marks the open findings whose attestation has ended as not re-checked; gives how many. Costs one look where there are none.
    pub fn expire_attestations(&self, now: Timestamp) -> Result<u32, StoreError> {
        if !self.inner.pool.read(|view| attestation::any_ended(view, now))? {
            return Ok(0);
        }
        self.inner.pool.write(Durability::Power, |transaction| attestation::expire(transaction, now))
    }
    /// Checks of the administrator's own that are asked, of one instance or of all, in the order in which they were written.
    pub fn own_checks(&self, instance: Option<InstanceId>) -> Result<BTreeMap<InstanceId, Vec<OwnCheckVersion>>, StoreError> {
        self.inner.pool.read(|view| own_check::current(view, instance))
    }
    /// Every version of an own check, oldest first; also of one that was removed.
    pub fn own_check_history(&self, instance: InstanceId, check: &str) -> Result<Vec<OwnCheckVersion>, StoreError> {
        self.inner.pool.read(|view| own_check::history(view, instance, check))
    }
    /// Adds an own check, or a new version of it. `finding` is what its finding is called.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn save_own_check(&self, instance: InstanceId, check: &OwnCheck, finding: &str, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            own_check::save(transaction, instance, check, finding, &act.who, act.at)?;
            activity::insert(transaction, act)
        })
    }
    /// Removes an own check. Its finding is gone; its versions and what was attested of it stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_own_check(&self, instance: InstanceId, check: &str, act: &Act) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| {
            own_check::remove(transaction, instance, check, &act.who, act.at)?;
            activity::insert(transaction, act)
        })
    }

    /// Takes the right to sign an account in; `None` while somebody else has it, in this process or another.
    pub fn begin_sign_in(&self, account: &str) -> Result<Option<SignInLease>, StoreError> {
        let name = self.inner.pool.read(|view| account::name(view, account))?;
        SignInLease::take(self.inner.pool.path(), &name)
    }
    /// Records that a one-time code is going to be sent for an account, by the second since 1970 at which its time ends; `false`
    /// when that code or one that ends later was recorded before. Holds against a loss of power: a code that may have been sent
    /// is never sent again.
    pub fn claim_code(&self, account: &str, ends: u64) -> Result<bool, StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| account::claim_code(transaction, account, ends))
    }
    /// When this very secret of an account was last refused; `None` when it was not, or was accepted since.
    pub fn secret_refused(&self, account: &str, secret: &SecretString) -> Result<Option<Timestamp>, StoreError> {
        self.inner.pool.read(|view| account::refused(view, account, secret))
    }
    /// Records that a secret of an account was refused. Holds against a loss of power: each time it is sent again counts towards
    /// a lockout. Only a keyed digest of it is kept.
    pub fn refuse_secret(&self, account: &str, secret: &SecretString, at: Timestamp) -> Result<(), StoreError> {
        self.inner.pool.write(Durability::Power, |transaction| account::refuse(transaction, account, secret, at))
    }
    /// Forgets that a secret of an account was refused, because it was accepted now.
    pub fn accept_secret(&self, account: &str, secret: &SecretString) -> Result<(), StoreError> {
        if self.secret_refused(account, secret)?.is_none() {
            return Ok(());
        }
        self.inner.pool.write(Durability::Power, |transaction| account::accept(transaction, account, secret))
    }

    fn lease(&self, instance: InstanceId) -> Result<Lease, StoreError> {
        Lease::take(self.inner.pool.path(), instance)?.ok_or(StoreError::ScanRunning)
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<ScanId, Lease>> {
        self.inner.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the handle that began a scan, or took it up again, may write to it.
    fn held(&self, scan: ScanId) -> Result<(), StoreError> {
        if self.leases().contains_key(&scan) { Ok(()) } else { Err(StoreError::WrongState { actual: "not running here" }) }
    }
}

/// Links what an older release added since; costs one look where there is nothing.
fn link_acts(pool: &Pool) -> Result<(), StoreError> {
    if pool.read(activity::any_unlinked)? { pool.write(Durability::Power, |transaction| activity::link(transaction)) } else { Ok(()) }
}

fn require(transaction: &Transaction<'_>, scan: ScanId, state: ScanState) -> Result<Scan, StoreError> {
    let found = scan::get(transaction, scan)?;
    if found.state == state { Ok(found) } else { Err(StoreError::WrongState { actual: found.state.as_str() }) }
}

/// Judges the last complete scan of an instance again.
fn rejudge(transaction: &Transaction<'_>, scan: ScanId, checks: &[CheckWrite], now: Timestamp) -> Result<ScanOutcome, StoreError> {
    let found = require(transaction, scan, ScanState::Complete)?;
    if scan::last_complete(transaction, found.instance)?.is_none_or(|last| last.id != scan) {
        return Err(StoreError::WrongState { actual: "superseded by a later one" });
    }
    let outcome = judge(transaction, scan, checks, found.as_of, now)?;
    // Judging old rows again re-checks nothing: what a later scan failed to read stays not re-checked.
    if let Some(newest) = scan::newest(transaction, found.instance, 1)?.pop()
        && newest.state == ScanState::Failed
        && let Some(cause) = &newest.cause
    {
        let instance = instance::number(transaction, found.instance)?;
        finding::none_rechecked(transaction, instance, newest.id, cause, now)?;
    }
    Ok(outcome)
}

/// What follows from a decision: what the last complete scan comes to with it, and how much is open.
fn settle(transaction: &Transaction<'_>, instance: InstanceId, again: Option<Rejudged<'_>>, now: Timestamp) -> Result<(), StoreError> {
    match again {
        Some(Rejudged { scan, params, checks }) => {
            if instance::get(transaction, instance)?.params != *params {
                return Err(StoreError::WrongState { actual: "judged with other parameters" });
            }
            rejudge(transaction, scan, checks, now).map(|_| ())
        }
        None => decision::note_open(transaction, instance::number(transaction, instance)?),
    }
}

/// Stores verdicts and what follows from them for the findings of the scan's instance, its locks among them.
fn judge(
    transaction: &Transaction<'_>,
    scan: ScanId,
    checks: &[CheckWrite],
    as_of: Timestamp,
    now: Timestamp,
) -> Result<ScanOutcome, StoreError> {
    let instance = instance::number(transaction, scan::get(transaction, scan)?.instance)?;
    decision::expire(transaction, now)?;
    let locks = lock::judge(&decision::Heeded::of(transaction, instance)?.locks, checks);
    let with_locks;
    let checks = if locks.is_empty() {
        checks
    } else {
        with_locks = [checks, &locks].concat();
        &with_locks
    };
    let verdicts = verdict::replace(transaction, scan.0, checks)?;
    let outcome = finding::apply(transaction, instance, scan, checks, as_of, now)?;
    scan::note_open(transaction, scan.0, &finding::open_of(transaction, instance)?)?;
    Ok(ScanOutcome { verdicts, ..outcome })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    // Only from in here can the file be kept from growing; everything else is tested through the public interface.

    use super::*;
    use catalog::Row;
    use serde_json::json;

    #[test]
    fn a_full_disk_is_named_and_takes_nothing_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posture.db");
        let key = SecretBox::new(Box::new([7; 32]));
        let store = Store::open(&path, &key).unwrap();
        let id = InstanceId(uuid::Uuid::from_u128(1));
        store
            .insert_instance(&Instance {
                id,
                app: "kustomer".into(),
                name: "one".into(),
                label: "Default".into(),
                owner: String::new(),
                login: "api-key".into(),
                inputs: BTreeMap::new(),
                route: json!(null),
                params: BTreeMap::new(),
                sandbox: false,
                tenant: None,
                created_at: Timestamp::UNIX_EPOCH,
            })
            .unwrap();
        let scan = store.begin_scan(id, Timestamp::UNIX_EPOCH, &["users"]).unwrap();
        let parent = RowKey::default();
        let write = |index: u32, size: u32| {
            // Content that does not compress, so that it really needs the room.
            let noise: Vec<String> = (0..size)
                .map(|number| crate::EvidenceHash::of_text(&[index.to_le_bytes(), number.to_le_bytes()].concat()).to_string())
                .collect();
            let rows =
                [Row { key: RowKey(index.to_string()), label: String::new(), fields: json!({ "noise": noise }), faults: Vec::new() }];
            store.write_page(
                scan,
                &PageWrite {
                    dataset: "users",
                    parent: &parent,
                    index,
                    rows: &rows,
                    next: Some("more"),
                    request: None,
                    collected_at: Timestamp::UNIX_EPOCH,
                },
            )
        };
        write(0, 10).unwrap();
        let limit = |pages: i64| {
            store
                .inner
                .pool
                .maintain(|connection| {
                    Ok(connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?)
                })
                .unwrap()
        };
        let now = limit(1);
        let error = write(1, 20_000).unwrap_err();
        assert!(matches!(error, StoreError::DiskFull), "{error:?}");
        assert_eq!(error.code(), "E-DISK-FULL");
        assert_eq!(store.rows(scan, "users", Slice::ALL).unwrap().0, 1, "nothing of the page was kept");
        assert_eq!(store.scan(scan).unwrap().rows, 1);
        limit(now + 100_000);
        write(1, 20_000).unwrap();
        assert_eq!(store.rows(scan, "users", Slice::ALL).unwrap().0, 2);
        store.verify().unwrap();
    }
}
