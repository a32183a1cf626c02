//! Work under way: what the sidebar shows and what can be cancelled.

use crate::screen::Job;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::InstanceLease;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

struct Running {
    job: Job,
    cancel: CancellationToken,
    /// The page that a person was sent to, and may open again by hand.
    page: Option<url::Url>,
}

/// All jobs under way in this process, and what is known of others'.
pub(crate) struct Jobs {
    running: Mutex<BTreeMap<String, Running>>,
    elsewhere: Mutex<Vec<Job>>,
    changes: watch::Sender<Vec<Job>>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { running: Mutex::default(), elsewhere: Mutex::default(), changes: watch::Sender::new(Vec::new()) }
    }
}

impl Jobs {
    /// Begins a job; it ends when the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>, instance: &str, title: &str) -> JobGuard {
        let id = uuid::Uuid::new_v4().to_string();
        let cancel = CancellationToken::new();
        let job =
            Job { id: id.clone(), instance: instance.to_owned(), title: title.to_owned(), done: 0.0, host: String::new(), elsewhere: None };
        self.change(|running| {
            running.insert(id.clone(), Running { job, cancel: cancel.clone(), page: None });
        });
        JobGuard { jobs: Arc::clone(self), id, cancel, held: None }
    }

    pub(crate) fn cancel(&self, id: &str) {
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            running.cancel.cancel();
        }
    }

    pub(crate) fn list(&self) -> Vec<Job> {
        self.changes.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Vec<Job>> {
        self.changes.subscribe()
    }

    /// The share done of an instance's scan, if one runs here or is known to run elsewhere.
    pub(crate) fn share(&self, instance: &str) -> Option<f64> {
        self.changes.borrow().iter().find(|job| job.instance == instance).map(|job| job.done)
    }

    /// Whether a sign-in under way sent a person to this page.
    pub(crate) fn waits_at(&self, page: &url::Url) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).values().any(|running| running.page.as_ref() == Some(page))
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Running>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        self.tell(&running);
    }

    /// What other processes are at. Nobody is told when that is as before.
    pub(crate) fn elsewhere(&self, jobs: Vec<Job>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner), jobs.clone());
        if before != jobs {
            self.tell(&running);
        }
    }

    /// Whether any runs in this process.
    pub(crate) fn any(&self) -> bool {
        !self.running.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The share done of a job of this process, and the host being talked to.
    pub(crate) fn progress(&self, id: &str) -> Option<(f64, String)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).map(|running| (running.job.done, running.job.host.clone()))
    }

    fn tell(&self, running: &BTreeMap<String, Running>) {
        let own = running.values().map(|running| running.job.clone());
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.changes.send_replace(own.chain(elsewhere).collect());
    }
}

/// A job; dropping it ends it.
pub(crate) struct JobGuard {
    jobs: Arc<Jobs>,
    id: String,
    pub(crate) cancel: CancellationToken,
    /// What keeps others from the instance's credentials meanwhile.
    held: Option<InstanceLease>,
}

impl JobGuard {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Share done and the host being talked to.
    pub(crate) fn report(&self, done: f64, host: &str) {
        self.jobs.change(|running| {
            if let Some(running) = running.get_mut(&self.id) {
                running.job.done = done;
                if !host.is_empty() {
                    host.clone_into(&mut running.job.host);
                }
            }
        });
    }

    /// A person is sent to this page; while the job runs it may be opened again.
    pub(crate) fn waits_at(&self, page: url::Url) {
        self.jobs.change(|running| {
            if let Some(running) = running.get_mut(&self.id) {
                running.page = Some(page);
            }
        });
    }

    /// Nobody else uses the instance's credentials until the job ends.
    pub(crate) fn holds(&mut self, lease: InstanceLease) {
        self.held = Some(lease);
    }

    /// The instance, once it has an id.
    pub(crate) fn belongs_to(&self, instance: &str) {
        self.jobs.change(|running| {
            if let Some(running) = running.get_mut(&self.id) {
                instance.clone_into(&mut running.job.instance);
            }
        });
    }
}

impl Drop for JobGuard {
    fn drop(&mut self) {
        // Given back first: whoever sees that the job has ended may begin the next one.
        drop(self.held.take());
        self.jobs.change(|running| {
            running.remove(&self.id);
        });
    }
}
