//! The one handle through which everything else reads and writes the database.

use crate::{
    Act, CheckTally, CheckWrite, DatasetState, FindingDetail, FindingFilter, FindingId,
    FindingList, FindingSort, Instance, InstanceId, PageWrite, QueuedParent, Request, RequestId,
    Resumable, ResumeState, SandboxScope, Scan, ScanId, ScanOutcome, ScanState, SeverityTally,
    Since, StoreError, StoredRow, StoredVerdict, TrendDay,
};
use catalog::{Cause, Collected, Completeness, RowKey};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use secrecy::SecretBox;
use std::{collections::BTreeMap, path::Path};

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
    pub const ALL: Self = Self {
        offset: 0,
        limit: i64::MAX as u64,
    };
}

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
}

/// The open database. Clones share it; it can be used from any thread.
#[derive(Clone)]
pub struct Store;

impl Store {
    /// Opens the database at `path`, creates it when there is none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`], [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::Busy`],
    /// [`StoreError::DiskFull`] or [`StoreError::Io`].
    pub fn open(path: &Path, key: &SecretBox<[u8; 32]>) -> Result<Self, StoreError> {
        unimplemented!()
    }
    /// Reads every page of the file and holds it against its authentication code and the structure of the tables. Takes
    /// time in proportion to the size of the file.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when anything is not as it was written.
    pub fn verify(&self) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Adds an instance.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    pub fn insert_instance(&self, instance: &Instance) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Replaces everything of an instance but its id, application, sandbox, tenant and time of creation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`].
    pub fn update_instance(&self, instance: &Instance) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// All instances, by application and name.
    pub fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        unimplemented!()
    }
    /// One instance.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn instance(&self, id: InstanceId) -> Result<Instance, StoreError> {
        unimplemented!()
    }
    /// Removes an instance with everything that only it holds, and overwrites it on the disk. Acts stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::ScanRunning`].
    pub fn delete_instance(&self, id: InstanceId) -> Result<DeletedInstance, StoreError> {
        unimplemented!()
    }

    /// Begins a scan over these datasets. What earlier scans left unfinished is dropped.
    ///
    /// # Errors
    /// [`StoreError::ScanRunning`] while a living process scans this instance.
    pub fn begin_scan(
        &self,
        instance: InstanceId,
        now: Timestamp,
        datasets: &[&str],
    ) -> Result<ScanId, StoreError> {
        unimplemented!()
    }
    /// The newest scan of an instance, if it ended early, no process is at it and it holds something to go on from.
    pub fn resumable_scan(&self, instance: InstanceId) -> Result<Option<Resumable>, StoreError> {
        unimplemented!()
    }
    /// Takes an unfinished scan up again.
    ///
    /// # Errors
    /// [`StoreError::ScanRunning`]; [`StoreError::WrongState`] when it is complete or a later scan dropped it.
    pub fn resume_scan(&self, scan: ScanId) -> Result<ResumeState, StoreError> {
        unimplemented!()
    }
    /// Queues parents for which a dataset is to be read. Those that are queued already stay as they are.
    pub fn queue_parents(
        &self,
        scan: ScanId,
        dataset: &str,
        parents: &[QueuedParent],
    ) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Stores one page with its rows, their evidence and where the next page begins, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when this handle does not hold the scan.
    pub fn write_page(&self, scan: ScanId, page: &PageWrite<'_>) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Marks the reading for one parent as done, with the cause when it could not be read whole.
    pub fn finish_parent(
        &self,
        scan: ScanId,
        dataset: &str,
        parent: &RowKey,
        cause: Option<&Cause>,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// States how much of a dataset was read.
    pub fn finish_dataset(
        &self,
        scan: ScanId,
        dataset: &str,
        completeness: &Completeness,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Adds an entry to the request log.
    pub fn log_request(&self, request: &Request) -> Result<RequestId, StoreError> {
        unimplemented!()
    }
    /// Stores verdicts and findings and makes the scan the one that every screen shows, in one transaction that survives a
    /// loss of power. `as_of` is the time the rows speak of; findings are seen at it.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when the scan is not running under this handle.
    pub fn commit_scan(
        &self,
        scan: ScanId,
        checks: &[CheckWrite],
        as_of: Timestamp,
        now: Timestamp,
    ) -> Result<ScanOutcome, StoreError> {
        unimplemented!()
    }
    /// Replaces the verdicts of the last complete scan after a threshold, a check or a decision changed.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not the instance's last complete scan.
    pub fn rejudge_scan(
        &self,
        scan: ScanId,
        checks: &[CheckWrite],
        now: Timestamp,
    ) -> Result<ScanOutcome, StoreError> {
        unimplemented!()
    }
    /// Ends a running scan early; what it read stays, to go on from.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not running, or `state` is not one that a scan ends early in.
    pub fn end_scan(
        &self,
        scan: ScanId,
        state: ScanState,
        cause: Option<&Cause>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Marks as cut every scan that is running without a living process. For the start of the program.
    pub fn mark_cut_scans(&self, now: Timestamp) -> Result<Vec<ScanId>, StoreError> {
        unimplemented!()
    }
    /// Removes rows, verdicts and request log of all but the newest `keep` complete scans of an instance, except where an
    /// open finding rests on them. The scans themselves stay for the trend. Gives how many were emptied.
    pub fn prune_scans(&self, instance: InstanceId, keep: u32) -> Result<u32, StoreError> {
        unimplemented!()
    }

    /// The newest scans of an instance, newest first.
    pub fn scans(&self, instance: InstanceId, limit: u32) -> Result<Vec<Scan>, StoreError> {
        unimplemented!()
    }
    /// One scan.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn scan(&self, scan: ScanId) -> Result<Scan, StoreError> {
        unimplemented!()
    }
    /// The scan that every screen shows.
    pub fn last_complete_scan(&self, instance: InstanceId) -> Result<Option<Scan>, StoreError> {
        unimplemented!()
    }
    /// How much of each dataset a scan holds.
    pub fn datasets(&self, scan: ScanId) -> Result<Vec<DatasetState>, StoreError> {
        unimplemented!()
    }
    /// Rows of a dataset, in the order in which they were read, and how many there are.
    pub fn rows(
        &self,
        scan: ScanId,
        dataset: &str,
        slice: Slice,
    ) -> Result<(u64, Vec<StoredRow>), StoreError> {
        unimplemented!()
    }
    /// Everything a scan holds, to judge it (again). A dataset that was not finished is Partial.
    pub fn collected(&self, scan: ScanId) -> Result<BTreeMap<String, Collected>, StoreError> {
        unimplemented!()
    }
    /// What each check came to, by check.
    pub fn check_tallies(&self, scan: ScanId) -> Result<Vec<CheckTally>, StoreError> {
        unimplemented!()
    }
    /// Verdicts of a scan by check and row, of one check if it is named, and how many there are.
    pub fn verdicts(
        &self,
        scan: ScanId,
        check: Option<&str>,
        slice: Slice,
    ) -> Result<(u64, Vec<StoredVerdict>), StoreError> {
        unimplemented!()
    }

    /// Findings that fulfil a filter.
    pub fn findings(
        &self,
        filter: &FindingFilter,
        sort: FindingSort,
        descending: bool,
        slice: Slice,
    ) -> Result<FindingList, StoreError> {
        unimplemented!()
    }
    /// One finding with its verdict, evidence, requests and history.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn finding(&self, id: FindingId) -> Result<FindingDetail, StoreError> {
        unimplemented!()
    }
    /// Open findings of each instance that has any.
    pub fn open_findings(
        &self,
        scope: SandboxScope,
    ) -> Result<BTreeMap<InstanceId, SeverityTally>, StoreError> {
        unimplemented!()
    }
    /// Open findings that were opened or reopened after a time.
    pub fn opened_since(
        &self,
        after: Timestamp,
        scope: SandboxScope,
    ) -> Result<SeverityTally, StoreError> {
        unimplemented!()
    }
    /// How many findings something happened to after a time.
    pub fn since(&self, after: Timestamp, scope: SandboxScope) -> Result<Since, StoreError> {
        unimplemented!()
    }
    /// Open findings at the end of each day from `first` to `last`, in the days of `zone`.
    pub fn trend(
        &self,
        first: Date,
        last: Date,
        zone: &TimeZone,
        scope: SandboxScope,
    ) -> Result<Vec<TrendDay>, StoreError> {
        unimplemented!()
    }
    /// The request log, newest first, of one instance if it is named, and how many entries there are.
    pub fn requests(
        &self,
        instance: Option<InstanceId>,
        slice: Slice,
    ) -> Result<(u64, Vec<Request>), StoreError> {
        unimplemented!()
    }

    /// Records an act.
    pub fn record_act(&self, act: &Act) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Acts, newest first, and how many there are.
    pub fn acts(&self, slice: Slice) -> Result<(u64, Vec<Act>), StoreError> {
        unimplemented!()
    }
    /// All preferences.
    pub fn preferences(&self) -> Result<BTreeMap<String, serde_json::Value>, StoreError> {
        unimplemented!()
    }
    /// One preference.
    pub fn preference(&self, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        unimplemented!()
    }
    /// Sets a preference, or removes it with null.
    pub fn set_preference(&self, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        unimplemented!()
    }
}
