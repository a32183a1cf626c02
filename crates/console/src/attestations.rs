//! Manual checks: what is due, attesting and withdrawing, files that are attached, checks of the administrator's own, and
//! instances of applications that nobody signs in to.

use crate::{
    Console,
    screen::{
        AttestationList, Failure, FileToAttach, Instance, ManualCheck, ManualInstance, NewAttestation, OwnCheck, OwnCheckDraft,
        SandboxScope,
    },
};
use std::path::Path;

fn later() -> Failure {
    Failure::new("E-NOT-READY", "This is not there yet.", "Wait for the next version.")
}

impl Console {
    /// The manual checks of an instance.
    pub async fn attestations(&self, _instance: &str) -> Result<AttestationList, Failure> {
        Err(later())
    }
    /// Manual checks of all instances that are due, ended, withdrawn or due soon; the counts are of all.
    pub async fn attestations_due(&self, _scope: SandboxScope) -> Result<AttestationList, Failure> {
        Err(later())
    }
    /// Attests a manual check.
    pub async fn attest(&self, _attestation: NewAttestation, _file: Option<FileToAttach>) -> Result<ManualCheck, Failure> {
        Err(later())
    }
    /// Withdraws the attestation in force.
    pub async fn withdraw_attestation(&self, _id: &str, _reason: &str) -> Result<ManualCheck, Failure> {
        Err(later())
    }
    /// The name under which an attached file is offered for saving.
    pub async fn attestation_file_name(&self, _id: &str) -> Result<String, Failure> {
        Err(later())
    }
    /// Writes an attached file.
    pub async fn save_attestation_file(&self, _id: &str, _path: &Path) -> Result<String, Failure> {
        Err(later())
    }
    /// The administrator's own checks of an instance.
    pub async fn own_checks(&self, _instance: &str) -> Result<Vec<OwnCheck>, Failure> {
        Err(later())
    }
    /// Adds or changes an own check.
    pub async fn save_own_check(&self, _instance: &str, _check: OwnCheckDraft) -> Result<OwnCheck, Failure> {
        Err(later())
    }
    /// Removes an own check.
    pub async fn remove_own_check(&self, _instance: &str, _check: &str) -> Result<(), Failure> {
        Err(later())
    }
    /// Adds an instance that nobody signs in to.
    pub async fn add_manual_instance(&self, _request: ManualInstance) -> Result<Instance, Failure> {
        Err(later())
    }
    /// Changes what is told of such an instance.
    pub async fn change_manual_instance(&self, _id: &str, _request: ManualInstance) -> Result<Instance, Failure> {
        Err(later())
    }
}
