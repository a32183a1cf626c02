//! Takes what a collection reads: stores it, page by page, and tells the listener.

use crate::{
    Listener,
    jobs::JobGuard,
    screen::{self, Progress},
};
use catalog::{App, Completeness, RowKey};
use connect::{Outcome, Page, RequestEntry, Sink, SinkError};
use std::collections::{BTreeMap, HashMap};
use store::{InstanceId, PageWrite, QueuedParent, Request, RequestClass, RequestId, RequestOutcome, ScanId, Store, StoreError};
use tokio::runtime::{Handle, RuntimeFlavor};

pub(crate) struct ScanSink<'a> {
    pub(crate) app: &'a App,
    pub(crate) store: Store,
    pub(crate) scan: ScanId,
    pub(crate) instance: InstanceId,
    pub(crate) listener: Listener,
    pub(crate) job: &'a JobGuard,
    /// The store's id of each request of this run.
    pub(crate) requests: HashMap<u64, RequestId>,
    pub(crate) rows: BTreeMap<String, u32>,
    pub(crate) done: u32,
    pub(crate) of: u32,
}

impl ScanSink<'_> {
    fn title(&self, dataset: &str) -> String {
        self.app.dataset(dataset).map_or_else(|| dataset.to_owned(), |dataset| dataset.title.clone())
    }

    fn tell(&self, dataset: &str, state: &str, cause: Option<screen::Cause>) {
        (self.listener)(Progress::Dataset {
            id: dataset.to_owned(),
            title: self.title(dataset),
            state: state.to_owned(),
            rows: self.rows.get(dataset).copied().unwrap_or(0),
            expected: None,
            cause,
        });
    }

    /// Reading is nine tenths of a scan; judging and storing verdicts the rest.
    fn part_done(&self) -> f64 {
        if self.of == 0 { 0.9 } else { 0.9 * f64::from(self.done) / f64::from(self.of) }
    }

    fn share(&self, host: &str) {
        let done = self.part_done();
        self.job.report(done, host);
        let requests = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        (self.listener)(Progress::Share { done, host: host.to_owned(), requests });
    }
}

impl Sink for ScanSink<'_> {
    fn page(&mut self, page: Page) -> Result<(), SinkError> {
        let none = RowKey::default();
        let write = PageWrite {
            dataset: &page.dataset,
            parent: page.parent.as_ref().unwrap_or(&none),
            index: page.index,
            rows: &page.rows,
            next: page.next.as_deref(),
            request: self.requests.get(&page.request).copied(),
            collected_at: page.collected_at,
        };
        tracing::trace!(dataset = page.dataset, index = page.index, rows = page.rows.len(), "writing a page");
        on_disk(|| self.store.write_page(self.scan, &write)).map_err(refused)?;
        tracing::trace!(dataset = page.dataset, index = page.index, "wrote a page");
        *self.rows.entry(page.dataset.clone()).or_default() += u32::try_from(page.rows.len()).unwrap_or(u32::MAX);
        self.tell(&page.dataset, "reading", None);
        Ok(())
    }

    fn finished(&mut self, dataset: &str, completeness: &Completeness) -> Result<(), SinkError> {
        on_disk(|| self.store.finish_dataset(self.scan, dataset, completeness)).map_err(refused)?;
        self.done += 1;
        let (state, cause) = state_of(completeness);
        self.tell(dataset, state, cause);
        self.share("");
        Ok(())
    }

    fn queued(&mut self, dataset: &str, parents: &[RowKey]) -> Result<(), SinkError> {
        let parents: Vec<QueuedParent> =
            parents.iter().map(|key| QueuedParent { key: key.clone(), carry: serde_json::Value::Null }).collect();
        on_disk(|| self.store.queue_parents(self.scan, dataset, &parents)).map_err(refused)
    }

    fn request(&mut self, entry: RequestEntry) -> Result<(), SinkError> {
        let id = on_disk(|| self.store.log_request(&request(&entry, self.instance, Some(self.scan)))).map_err(refused)?;
        self.requests.insert(entry.id, id);
        self.share(&entry.host);
        Ok(())
    }

    fn progress(&mut self, progress: connect::Progress) {
        match progress {
            connect::Progress::Started { dataset } => self.tell(&dataset, "reading", None),
            connect::Progress::Waiting { host, until } => {
                self.job.report(self.part_done(), &format!("{host}, which asks us to wait until {until}"))
            }
            connect::Progress::Read { .. } | connect::Progress::Finished { .. } => {}
        }
    }
}

/// Waits for the disk in the middle of a task. The runtime's other tasks go on meanwhile, on another thread; a runtime that has
/// but one thread can only wait.
fn on_disk<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        Ok(_) | Err(_) => work(),
    }
}

/// `complete`, `partial` or `unavailable`, and why.
pub(crate) fn state_of(completeness: &Completeness) -> (&'static str, Option<screen::Cause>) {
    match completeness {
        Completeness::Complete => ("complete", None),
        Completeness::Partial(cause) => ("partial", Some(cause.clone().into())),
        Completeness::Unavailable(cause) => ("unavailable", Some(cause.clone().into())),
    }
}

/// A line of the wire's log as the store keeps it.
pub(crate) fn request(entry: &RequestEntry, instance: InstanceId, scan: Option<ScanId>) -> Request {
    Request {
        at: entry.at,
        instance,
        scan,
        class: match entry.class {
            connect::RequestClass::Dataset => RequestClass::Dataset,
            connect::RequestClass::Continuation => RequestClass::Continuation,
            connect::RequestClass::SignInHop => RequestClass::SignInHop,
        },
        host: entry.host.clone(),
        method: entry.method.clone(),
        path: entry.path_template.clone(),
        status: entry.status,
        bytes: entry.bytes,
        milliseconds: u64::from(entry.milliseconds),
        outcome: match &entry.outcome {
            Outcome::Answered => RequestOutcome::Answered,
            // A failure after an answer (HTML instead of JSON, say) was answered all the same.
            Outcome::Failed(code) if code == "E-REQUEST-REFUSED" => RequestOutcome::Refused,
            Outcome::Failed(_) if entry.status.is_some() => RequestOutcome::Answered,
            Outcome::Failed(_) => RequestOutcome::Failed,
            Outcome::Cut => RequestOutcome::Cancelled,
        },
    }
}

fn refused(error: StoreError) -> SinkError {
    SinkError { code: error.code(), sentence: error.to_string(), remedy: error.remedy().to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::on_disk;
    use std::{sync::mpsc, time::Duration};

    /// A disk that answers only after another task of the same runtime has had its turn.
    async fn slow_disk() -> Result<(), mpsc::RecvTimeoutError> {
        let (done, answer) = mpsc::channel();
        let other = tokio::spawn(async move { done.send(()) });
        let waited = on_disk(|| answer.recv_timeout(Duration::from_secs(20)));
        let _ = other.await;
        waited
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_while_the_disk_is_waited_for() {
        // On the one worker itself: the test's own thread is none.
        tokio::spawn(slow_disk()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_waits() {
        assert_eq!(on_disk(|| 1), 1);
    }
}
