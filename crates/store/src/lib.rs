//! What the console remembers: instances, scans, rows with their evidence, verdicts, findings and what became of them.
//!
//! This crate owns the encrypted SQLite database and everything that is written in SQL, and with it the rules by which a
//! finding is opened, stays open, is dismissed, fixed or gone, by a scan, by what a person attested or by what an administrator decided. It must not know how rows are read, how verdicts come about, where the
//! database's key is kept, how anything is shown, or what time it is: times and the key are passed in. It holds no secret.
//!
//! Times are kept to the millisecond. Every call may block on the disk; a caller in an asynchronous program runs it on a
//! thread for that.

mod backup;
mod canonical;
mod column;
mod error;
mod lease;
mod lock;
mod pool;
mod schema;
mod store;
mod table;

pub use backup::{DatabaseCopy, Digested, copy_digested, examine_copy};
pub use canonical::{EvidenceHash, canonical_row};
pub use error::StoreError;
pub use lease::{InstanceLease, SignInLease};
pub use lock::{Held, Lock, LockRefusal, lock_of, locked_check};
pub use schema::{OLDEST_READER, SCHEMA};
pub use store::{DeletedInstance, Dismissals, Slice, Store};
pub use table::activity::{Act, ActivityBreak, ActivityHead, ActivityProof, ChainFault, HeadFate, LinkedAct};
pub use table::attestation::{Attestation, AttestationAnswer, AttestationId, AttestationWrite, FileWrite, StoredFile, Withdrawal};
pub use table::change::{ChangeFilter, ChangeKind, ChangeList, ChangeTally, ChangedFinding, Span};
pub use table::credential::{Credential, CredentialEnd, EndsBy};
pub use table::dataset::{DatasetState, ParentState, QueuedParent};
pub use table::decision::{
    Decision, DecisionEnd, DecisionFilter, DecisionId, DecisionKind, DecisionWrite, DismissRefusal, Grounds, HeldBy, Rejudged, Ruling,
    Until,
};
pub use table::difference::{Compared, DatasetDifference, FieldDifference, RowDifference, ScanDifference};
pub use table::digest::{Digest, Ended, HistoryWindow, NewlyFailing};
pub use table::event::{EventKind, FindingEvent};
pub use table::finding::{
    CheckWrite, Finding, FindingDetail, FindingFilter, FindingId, FindingList, FindingSort, FindingState, JudgedWrite, NotRechecked,
    SandboxScope, ScanOutcome, SeverityTally,
};
pub use table::fleet::{
    AccountFleetFilter, FleetFilter, FleetItem, FleetList, Identity, IdentityFilter, IdentityList, IdentitySort, Nature, PluginFleetFilter,
    PluginReview, PluginUser,
};
pub use table::granted::GrantedScopes;
pub use table::instance::{Instance, InstanceId};
pub use table::inventory::{
    AccountFilter, AccountList, InventoryDetail, InventoryFilter, InventoryList, InventorySort, InventoryWrite, PluginFilter, PluginList,
    RiskCount, StoredListing,
};
pub use table::lease::Underway;
pub use table::own_check::{OwnCheck, OwnCheckVersion};
pub use table::request::{Request, RequestClass, RequestId, RequestOutcome};
pub use table::row::{PageWrite, StoredRow};
pub use table::scan::{Resumable, ResumeState, Scan, ScanId, ScanState, StartedBy, TrendDay};
pub use table::schedule::Schedule;
pub use table::turn::Turn;
pub use table::verdict::{CheckTally, StoredVerdict, VerdictKind, VerdictTally};
