//! Reads datasets, page by page, into a sink: several at once, lists page after page, and datasets that are read per parent
//! as soon as their parents' pages come in.
//!
//! One task drives everything: requests are futures that it polls, their results come back to it one at a time, and it alone
//! speaks to the sink. Dropping it drops every request under way.

use crate::{
    Begun, BegunStream, ConnectError, Page, Parent, Progress, Resume, Session, Sink,
    answer::MalformedLink,
    condition::holds,
    paging, protocol,
    published::{self, Published},
    reduce::{ReducedPage, at_path, put, reduce, stand_in, text_of},
    request::{Request, label_of, login_lacks},
    wire::{Content, Event, Watcher},
};
use catalog::{App, Cause, CauseKind, Completeness, Dataset, EachOver, FieldPath, Form, Format, Pagination, Probe, Recent, Row, RowKey};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet, VecDeque, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::Arc,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many parents in a row may fail alike before the rest is not asked for: enough to pass over a few entries that are
/// special, few enough not to wear out a vendor's patience with a thousand refusals.
const ALIKE: u32 = 20;

/// How many pages in a row may hold nothing but entries that were read already: a list that shifts while it is read repeats
/// a page or two, one that does not end would be asked for until the bound of all lists, at a vendor's pace for an hour.
const NOTHING_NEW: u32 = 10;

/// Reads `datasets` and those that they rest on (parents, probes) and hands everything to `sink` as it comes.
///
/// # Errors
/// Only [`ConnectError::Cancelled`], [`ConnectError::Sink`], and [`ConnectError::RequestRefused`] when the session is not
/// the application's or a dataset is not declared. Everything else is the [`Completeness`] of a dataset.
pub async fn collect(
    session: &Session,
    app: &App,
    datasets: &[&str],
    resume: Resume,
    sink: &mut dyn Sink,
    cancel: CancellationToken,
) -> Result<(), ConnectError> {
    if session.app != app.slug {
        return Err(ConnectError::RequestRefused { sentence: "the session belongs to another application.".to_owned() });
    }
    session.wire.count_from(resume.first_request);
    let (events, mut incoming) = mpsc::unbounded_channel();
    let watcher = move |event| {
        // The receiver lives as long as the collection; what comes after its end has nobody to hear it.
        let _ = events.send(event);
    };
    let mut collection = Collection::new(session, app, datasets, resume)?;
    collection.begin(sink)?;
    let mut running: FuturesUnordered<BoxFuture<'_, (Stream, Result<Got, ConnectError>)>> = FuturesUnordered::new();
    let ended = loop {
        if let Err(error) = collection.settle(sink) {
            break Err(error);
        }
        while running.len() < session.wire.limits().under_way.max(1) {
            let Some(stream) = collection.next_stream() else { break };
            let reading = &collection.readings[stream.reading];
            match reading.refused.clone() {
                Some(error) => running.push(std::future::ready((stream, Err(error))).boxed()),
                None => running.push(step(session, app, reading.dataset.clone(), stream, &watcher).boxed()),
            }
        }
        if running.is_empty() {
            break Ok(());
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => break Err(ConnectError::Cancelled),
            Some(event) = incoming.recv() => {
                if let Err(error) = hand_over(event, sink) {
                    break Err(error);
                }
            }
            Some((stream, got)) = running.next() => {
                // The log line of an answer goes before its rows.
                let logged = drain(&mut incoming, sink);
                if let Err(error) = logged.and_then(|()| collection.take(stream, got, sink)) {
                    break Err(error);
                }
            }
        }
    };
    if ended.is_err() {
        // What is being exchanged for a token may be good for one use: that is waited for, and nothing else.
        let settled = session.wire.settled();
        tokio::pin!(settled);
        loop {
            tokio::select! {
                biased;
                () = &mut settled => break,
                more = running.next() => if more.is_none() { break },
            }
        }
    }
    // Requests that were under way write their line as they are dropped.
    drop(running);
    let logged = drain(&mut incoming, sink);
    ended?;
    logged?;
    collection.settle_rest(sink)
}

fn drain(incoming: &mut mpsc::UnboundedReceiver<Event>, sink: &mut dyn Sink) -> Result<(), ConnectError> {
    while let Ok(event) = incoming.try_recv() {
        hand_over(event, sink)?;
    }
    Ok(())
}

fn hand_over(event: Event, sink: &mut dyn Sink) -> Result<(), ConnectError> {
    match event {
        Event::Requested(entry) => Ok(sink.request(entry)?),
        Event::Waiting { host, until } => {
            sink.progress(Progress::Waiting { host, until });
            Ok(())
        }
    }
}

/// One list (or object) that is being read.
struct Stream {
    /// Which dataset.
    reading: usize,
    parent: Option<Arc<Parent>>,
    /// The index of the page to come.
    page: u32,
    /// The query of the page to come; `None` for the first.
    next: Option<String>,
    /// Queries that were asked already, as digests.
    asked: HashSet<u64>,
    /// Something on the way showed that the list cannot be taken for whole.
    doubted: bool,
    /// Pages in a row that held nothing new.
    nothing_new: u32,
    /// The age of the last entry, of lists of which only the newest are wanted.
    last: Option<jiff::Timestamp>,
}

/// A page, as one step of a stream brings it.
pub(crate) struct Got {
    request: u64,
    at: jiff::Timestamp,
    bytes: u64,
    pub(crate) page: ReducedPage,
    /// The query of the next page.
    next: Option<String>,
}

/// What stands in [`Page::next`] for a list in doubt: it is not done, even after its last page.
const IN_DOUBT: &str = "";

async fn step(
    session: &Session,
    app: &App,
    dataset: Arc<Dataset>,
    stream: Stream,
    watcher: Watcher<'_>,
) -> (Stream, Result<Got, ConnectError>) {
    let got =
        page_of(session, app, &dataset, stream.parent.as_deref(), stream.next.as_deref(), session.wire.limits().retries, watcher).await;
    (stream, got)
}

pub(crate) async fn page_of(
    session: &Session,
    app: &App,
    dataset: &Dataset,
    parent: Option<&Parent>,
    next: Option<&str>,
    retries: u32,
    watcher: Watcher<'_>,
) -> Result<Got, ConnectError> {
    let first = Request::first(app, &session.wire, dataset, parent)?;
    let request = match next {
        None => first,
        Some(next) => protocol::further(dataset, &first, next)?,
    };
    let fetched = session.wire.fetch(app, dataset, &request, retries, watcher).await?;
    let (mut page, link) = match fetched.content {
        Content::Running { .. } => {
            return Err(ConnectError::NotUnderstood { sentence: format!("{}: the answer is not there yet.", dataset.title) });
        }
        Content::StandIn(fields) => {
            let row = stand_in(dataset, &fields, parent);
            let doubt = match (&row, next) {
                (None, _) => Some("What stands for something that does not exist lacks the fields that identify it."),
                // That the rest of a list is not there is no fact about its first page.
                (Some(_), Some(_)) => Some("A further page was answered as something that does not exist."),
                (Some(_), None) => None,
            };
            let doubt = doubt.map(|sentence| ConnectError::NotUnderstood { sentence: sentence.to_owned() });
            (ReducedPage { rows: row.into_iter().collect(), next: None, doubt }, None)
        }
        Content::Body { body, .. } if dataset.form == Form::OpenApi => {
            (published::describe(app, dataset, session.wire.inputs(), &body)?, None)
        }
        Content::Body { mut body, next, spoken } => {
            let held = protocol::withhold(dataset, &mut body, &spoken.withheld);
            let mut page = reduce(held.as_ref().unwrap_or(dataset), &body, parent)?;
            if let Some(doubt) = spoken.doubt {
                page.doubt = Some(doubt);
            }
            let turned = paging::next_query(dataset, &request, &body, page.rows.len()).unwrap_or_else(|error| {
                page.doubt.get_or_insert(error);
                None
            });
            let turned = turned.or(spoken.next);
            if let Some(query) = turned {
                return Ok(Got { request: fetched.request, at: fetched.at, bytes: fetched.bytes, page, next: Some(query) });
            }
            let link = match dataset.pagination {
                Pagination::None | Pagination::PageNumber { .. } | Pagination::Offset { .. } | Pagination::Cursor { .. } => None,
                Pagination::JsonApi { .. } | Pagination::Odata { .. } => page.next.clone(),
                Pagination::LinkHeader { .. } => next.unwrap_or_else(|MalformedLink| {
                    page.doubt.get_or_insert(ConnectError::NotUnderstood {
                        sentence: "The Link header, which says whether another page follows, is malformed.".to_owned(),
                    });
                    None
                }),
            };
            (page, link)
        }
    };
    let next = match link.map(|link| request.follow(dataset, &link)) {
        None => None,
        Some(Ok(query)) => Some(query),
        Some(Err(error)) => {
            page.doubt.get_or_insert(error);
            None
        }
    };
    Ok(Got { request: fetched.request, at: fetched.at, bytes: fetched.bytes, page, next })
}

/// Everything one run knows of one dataset.
struct Reading {
    id: String,
    dataset: Arc<Dataset>,
    /// The dataset it is read per row of.
    parent: Option<usize>,
    /// The datasets that are read per row of this one.
    children: Vec<usize>,
    /// The datasets that this one is held against, in the order of its probes.
    probes: Vec<Option<usize>>,
    /// The description that its fields are held against.
    description: Option<usize>,
    /// Of a description: its rows.
    described: Vec<Row>,
    /// Why nothing is asked, by what the description publishes.
    refused: Option<ConnectError>,
    /// Streams that are queued or under way.
    open: u32,
    parents_known: u32,
    parents_done: u32,
    /// Where lists stood when they were cut, by parent (the empty key without one).
    before: HashMap<RowKey, BegunStream>,
    /// The rows of lists that were done before the cut, until they are taken as parents.
    rows_before: Vec<Row>,
    /// Whether something of it is stored that is read again.
    cut: bool,
    /// The parents that it is read for, or was before the cut.
    adopted: HashSet<RowKey>,
    rows: u64,
    pages: u32,
    bytes: u64,
    started: bool,
    /// Keys that were seen, with a digest of what they held.
    seen: HashMap<RowKey, u64>,
    /// Values that were seen of the fields that probes look at.
    probed: HashSet<(FieldPath, String)>,
    /// The row that a probe of another dataset looks for.
    object: Option<Row>,
    is_probed_for: bool,
    /// The first thing that stood in the way.
    trouble: Option<ConnectError>,
    /// Failures alike, one after the other.
    alike: Option<(CauseKind, u32)>,
    /// Nothing more is asked.
    stopped: bool,
    /// Done, and how completely.
    done: Option<Completeness>,
}

struct Collection<'a> {
    session: &'a Session,
    app: &'a App,
    readings: Vec<Reading>,
    queue: VecDeque<Stream>,
    /// Streams that wait for a description.
    held: Vec<Stream>,
    resume: Resume,
}

impl<'a> Collection<'a> {
    fn new(session: &'a Session, app: &'a App, datasets: &[&str], mut resume: Resume) -> Result<Self, ConnectError> {
        let inputs = session.wire.inputs();
        let mut readings: Vec<Reading> = Vec::new();
        let mut index: BTreeMap<String, usize> = BTreeMap::new();
        let mut wanted: VecDeque<String> = datasets.iter().map(|id| (*id).to_owned()).collect();
        while let Some(id) = wanted.pop_front() {
            if index.contains_key(&id) {
                continue;
            }
            let dataset = app
                .dataset(&id)
                .ok_or_else(|| ConnectError::RequestRefused { sentence: format!("the application has no dataset {id}.") })?
                .for_inputs(inputs)
                .into_owned();
            if let Some(EachOver::Dataset { id: parent, .. }) = dataset.each.as_ref().map(|each| &each.over) {
                wanted.push_back(parent.clone());
            }
            wanted.extend(dataset.probes.iter().filter_map(Probe::dataset).map(str::to_owned));
            wanted.extend(dataset.published_by.iter().map(|by| by.dataset.clone()));
            index.insert(id.clone(), readings.len());
            readings.push(Reading {
                id,
                dataset: Arc::new(dataset),
                parent: None,
                children: Vec::new(),
                probes: Vec::new(),
                description: None,
                described: Vec::new(),
                refused: None,
                open: 0,
                parents_known: 0,
                parents_done: 0,
                before: HashMap::new(),
                rows_before: Vec::new(),
                cut: false,
                adopted: HashSet::new(),
                rows: 0,
                pages: 0,
                bytes: 0,
                started: false,
                seen: HashMap::new(),
                probed: HashSet::new(),
                object: None,
                is_probed_for: false,
                trouble: None,
                alike: None,
                stopped: false,
                done: None,
            });
        }
        for child in 0..readings.len() {
            if let Some(EachOver::Dataset { id, .. }) = readings[child].dataset.each.as_ref().map(|each| &each.over) {
                let parent = index[id];
                readings[child].parent = Some(parent);
                readings[parent].children.push(child);
            }
            let probes: Vec<Option<usize>> =
                readings[child].dataset.probes.iter().map(|probe| probe.dataset().map(|holder| index[holder])).collect();
            for holder in probes.iter().flatten() {
                readings[*holder].is_probed_for = true;
            }
            readings[child].probes = probes;
            readings[child].description = readings[child].dataset.published_by.as_ref().map(|by| index[&by.dataset]);
        }
        for reading in &mut readings {
            if let Some(finished) = resume.finished.get(&reading.id) {
                reading.done = Some(finished.completeness.clone());
                reading.object = finished.rows.first().cloned();
                if reading.dataset.form == Form::OpenApi {
                    reading.described = finished.rows.clone();
                }
            } else if let Some(begun) = resume.begun.remove(&reading.id) {
                reading.begin_again(begun);
            }
        }
        let mut collection = Self { session, app, readings, queue: VecDeque::new(), held: Vec::new(), resume };
        for index in 0..collection.readings.len() {
            if collection.readings[index].done.is_some() {
                collection.described(index);
            }
        }
        Ok(collection)
    }

    /// Holds the datasets that rest on a description, once it is done, against what it publishes.
    fn described(&mut self, index: usize) {
        if self.readings[index].dataset.form != Form::OpenApi {
            return;
        }
        let whole = self.readings[index].done.as_ref().is_some_and(Completeness::is_complete);
        let published = Published::of_rows(&self.readings[index].described, whole);
        for reading in self.readings.iter_mut().filter(|reading| reading.description == Some(index)) {
            match published.apply(&reading.dataset) {
                Ok(dataset) => reading.dataset = Arc::new(dataset),
                Err(error) => reading.refused = Some(error),
            }
        }
        let held = std::mem::take(&mut self.held);
        let (held, free) = held.into_iter().partition(|stream| self.waits_for_description(stream.reading));
        self.held = held;
        self.queue.extend::<Vec<Stream>>(free);
    }

    fn waits_for_description(&self, index: usize) -> bool {
        self.readings[index].description.is_some_and(|description| self.readings[description].done.is_none())
    }

    /// Queues what does not wait for parents, and the parents that are known already.
    fn begin(&mut self, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        for index in 0..self.readings.len() {
            if self.readings[index].done.is_some() {
                continue;
            }
            match self.readings[index].dataset.each.clone().map(|each| each.over) {
                None => {
                    let before = self.readings[index].before.remove(&RowKey::default());
                    self.open(index, None, before);
                }
                Some(EachOver::Field(field)) => {
                    let parents = self.items(index, &field);
                    self.adopt(index, parents, sink)?;
                }
                Some(EachOver::Dataset { .. }) => {}
            }
        }
        // Rows that were read before the cut are parents too.
        for index in 0..self.readings.len() {
            let id = self.readings[index].id.clone();
            let rows = match self.resume.finished.get(&id) {
                Some(finished) => finished.rows.clone(),
                None => std::mem::take(&mut self.readings[index].rows_before),
            };
            if !rows.is_empty() {
                self.rows_came(index, &rows, sink)?;
            }
        }
        Ok(())
    }

    /// The items of a login field as parents.
    fn items(&mut self, index: usize, field: &str) -> Vec<Parent> {
        let value = self.session.wire.inputs().get(field).cloned().unwrap_or_default();
        let format =
            self.app.logins.iter().flat_map(|login| &login.fields).find(|known| known.id == field).map(|field| field.format.clone());
        let mut parents = Vec::new();
        let mut known = HashSet::new();
        for item in Format::items(&value) {
            if !known.insert(item.to_owned()) {
                continue;
            }
            let mut each = Map::new();
            for (name, part) in format.as_ref().map(|format| format.parts(item)).unwrap_or_default() {
                each.insert(name, Value::String(part));
            }
            each.entry("item").or_insert_with(|| Value::String(item.to_owned()));
            parents.push(Parent { key: RowKey(item.to_owned()), label: item.to_owned(), each });
        }
        if parents.is_empty() {
            let label = label_of(self.app, field);
            self.readings[index].troubled(ConnectError::InputMissing { label });
        }
        parents
    }

    /// Takes rows of a dataset as parents of the datasets that are read per row of it.
    fn rows_came(&mut self, index: usize, rows: &[Row], sink: &mut dyn Sink) -> Result<(), ConnectError> {
        for child in self.readings[index].children.clone() {
            if self.readings[child].done.is_some() {
                continue;
            }
            let Some(each) = self.readings[child].dataset.each.clone() else { continue };
            let EachOver::Dataset { filter, .. } = &each.over else { continue };
            let mut parents = Vec::new();
            for row in rows {
                let verdicts: Option<Vec<bool>> = filter.iter().map(|condition| holds(condition, &row.fields)).collect();
                match verdicts {
                    Some(verdicts) if verdicts.iter().all(|holds| *holds) => {}
                    Some(_) => continue,
                    None => {
                        let sentence = format!("\"{}\" does not say whether it has to be looked into.", row.label);
                        self.readings[child].troubled(ConnectError::ParentUnreadable { sentence });
                        continue;
                    }
                }
                let mut carried = Map::new();
                for path in &each.carry {
                    if let Some(value) = at_path(&row.fields, path) {
                        put(&mut carried, &path.0, value.clone());
                    }
                }
                parents.push(Parent { key: row.key.clone(), label: row.label.clone(), each: carried });
            }
            self.adopt(child, parents, sink)?;
        }
        Ok(())
    }

    /// Queues a dataset for parents, once for each: a row that came twice is one parent.
    fn adopt(&mut self, child: usize, mut parents: Vec<Parent>, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        parents.retain(|parent| self.readings[child].adopted.insert(parent.key.clone()));
        let keys: Vec<RowKey> = parents.iter().map(|parent| parent.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        sink.queued(&self.readings[child].id, &keys)?;
        for parent in parents {
            self.readings[child].parents_known += 1;
            let before = self.readings[child].before.remove(&parent.key);
            self.open(child, Some(Arc::new(parent)), before);
        }
        Ok(())
    }

    /// Queues a stream, unless it was done before the cut. One that was begun is read again from its first page: rows move
    /// between pages while nobody looks, so what stands at the next page now need not be what follows the pages that are
    /// stored.
    fn open(&mut self, index: usize, parent: Option<Arc<Parent>>, stands: Option<BegunStream>) {
        if stands.is_some_and(|stands| stands.next.is_none()) {
            self.readings[index].parents_done += u32::from(parent.is_some());
            return;
        }
        self.readings[index].open += 1;
        let stream =
            Stream { reading: index, parent, page: 0, next: None, asked: HashSet::new(), doubted: false, nothing_new: 0, last: None };
        if self.waits_for_description(index) { self.held.push(stream) } else { self.queue.push_back(stream) }
    }

    /// The next stream to make a step of. Streams of datasets that were stopped end here.
    fn next_stream(&mut self) -> Option<Stream> {
        loop {
            let stream = self.queue.pop_front()?;
            let reading = &mut self.readings[stream.reading];
            if !reading.stopped {
                return Some(stream);
            }
            reading.open -= 1;
        }
    }

    /// Takes what a step brought.
    fn take(&mut self, mut stream: Stream, got: Result<Got, ConnectError>, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        let limits = self.session.wire.limits().clone();
        let index = stream.reading;
        let got = match got {
            Ok(got) => got,
            Err(error) => {
                self.start(index, sink);
                let reading = &mut self.readings[index];
                reading.open -= 1;
                reading.parents_done += u32::from(stream.parent.is_some());
                reading.failed(error);
                return Ok(());
            }
        };
        self.start(index, sink);
        let roles = &self.session.wire.hosts().roles;
        let host = roles.get(&self.readings[index].dataset.host).map(|(host, _)| host.clone()).unwrap_or_default();
        let reading = &mut self.readings[index];
        reading.alike = None;
        reading.pages += 1;
        reading.bytes += got.bytes;
        if let Some(doubt) = got.page.doubt {
            stream.doubted = true;
            reading.troubled(doubt);
        }
        let mut next = got.next;
        let rows = match reading.dataset.recent.clone() {
            None => got.page.rows,
            Some(recent) => match newest(&recent, got.page.rows, got.at, &mut stream.last) {
                Ok(Newest { rows, older }) => {
                    if older {
                        next = None;
                    }
                    rows
                }
                Err((rows, what)) => {
                    stream.doubted = true;
                    let sentence = format!("{}: {what}", reading.dataset.title);
                    reading.troubled(ConnectError::NotUnderstood { sentence });
                    next = None;
                    rows
                }
            },
        };
        let received = rows.len();
        let Sifted { rows, new, changed } = reading.sift(rows);
        if changed {
            stream.doubted = true;
            reading.troubled(ConnectError::PagesChanged {
                sentence: "An entry came twice and was not the same: the list changed while it was read.".to_owned(),
            });
        } else if received > 0 && new == 0 && stream.page > 0 {
            // Where the same page comes again, what should stand in its place was not read.
            stream.doubted = true;
            reading.troubled(ConnectError::PagesChanged { sentence: "A page came twice: the list changed while it was read.".to_owned() });
        }
        stream.nothing_new = if received > 0 && new == 0 { stream.nothing_new + 1 } else { 0 };
        if let Some(query) = &next {
            let mut digest = DefaultHasher::new();
            query.hash(&mut digest);
            if !stream.asked.insert(digest.finish()) || stream.nothing_new >= NOTHING_NEW || stream.page + 1 >= limits.pages {
                stream.doubted = true;
                // It says more than that a page came twice, which is how it began.
                reading.trouble = Some(ConnectError::EndlessPages { host, pages: stream.page + 1 });
                next = None;
            } else if reading.bytes > limits.dataset_bytes {
                stream.doubted = true;
                reading.stopped = true;
                reading.troubled(ConnectError::TooLarge { host, megabytes: limits.dataset_bytes / (1024 * 1024) });
                next = None;
            }
        }
        reading.rows += new;
        if reading.dataset.form == Form::OpenApi {
            reading.described.clone_from(&rows);
        }
        if next.is_none() {
            reading.parents_done += u32::from(stream.parent.is_some());
        }
        let progress = reading.progress();
        let parents = if reading.children.is_empty() { Vec::new() } else { rows.clone() };
        sink.page(Page {
            dataset: reading.id.clone(),
            parent: stream.parent.as_ref().map(|parent| parent.key.clone()),
            index: stream.page,
            rows,
            request: got.request,
            next: if stream.doubted { Some(IN_DOUBT.to_owned()) } else { next.clone() },
            collected_at: got.at,
        })?;
        sink.progress(progress);
        self.rows_came(index, &parents, sink)?;
        match next {
            // Behind the children that this page's rows have queued: what is known is read before more is found, so that
            // the queue stays short.
            Some(query) => self.queue.push_back(Stream { page: stream.page + 1, next: Some(query), ..stream }),
            None => self.readings[index].open -= 1,
        }
        Ok(())
    }

    fn start(&mut self, index: usize, sink: &mut dyn Sink) {
        let reading = &mut self.readings[index];
        if !reading.started {
            reading.started = true;
            sink.progress(Progress::Started { dataset: reading.id.clone() });
        }
    }

    /// Finishes every dataset that has nothing left to wait for.
    fn settle(&mut self, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        loop {
            let ready = (0..self.readings.len()).find(|index| {
                let reading = &self.readings[*index];
                let waits_for = |other: Option<usize>| other.is_some_and(|other| self.readings[other].done.is_none());
                reading.done.is_none()
                    && reading.open == 0
                    && !waits_for(reading.parent)
                    && !reading.probes.iter().any(|holder| waits_for(*holder))
            });
            match ready {
                Some(index) => self.finish(index, sink)?,
                None => return Ok(()),
            }
        }
    }

    /// Finishes what is left: datasets that wait for each other, which the loader does not let through.
    fn settle_rest(&mut self, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        self.settle(sink)?;
        for index in 0..self.readings.len() {
            if self.readings[index].done.is_none() {
                self.finish(index, sink)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, index: usize, sink: &mut dyn Sink) -> Result<(), ConnectError> {
        let completeness = self.completeness(index);
        let reading = &mut self.readings[index];
        reading.done = Some(completeness.clone());
        reading.seen = HashMap::new();
        sink.finished(&reading.id, &completeness)?;
        sink.progress(Progress::Finished { dataset: reading.id.clone() });
        self.described(index);
        Ok(())
    }

    fn completeness(&self, index: usize) -> Completeness {
        let reading = &self.readings[index];
        let title = &reading.dataset.title;
        let parent = reading.parent.map(|parent| &self.readings[parent]);
        // What the login option does not reach says so itself, whatever it is read per row of.
        let cause = if let Some(lacks) = login_lacks(self.app, self.session.wire.hosts(), &reading.dataset) {
            Some(lacks.cause())
        } else if let Some(cause) = parent.and_then(|parent| parent.done.as_ref()).and_then(Completeness::cause) {
            Some(Cause { kind: CauseKind::InputIncomplete, sentence: cause.sentence.clone(), remedy: cause.remedy.clone() })
        } else if let Some(trouble) = &reading.trouble {
            Some(trouble.cause())
        } else if !reading.before.is_empty() {
            let sentence = "An entry that was looked into before the scan was interrupted is no longer listed.".to_owned();
            Some(ConnectError::PagesChanged { sentence }.cause())
        } else {
            None
        };
        match cause {
            Some(cause) if reading.pages > 0 || reading.cut => Completeness::Partial(about(title, "could be read in part only", cause)),
            Some(cause) => Completeness::Unavailable(about(title, "could not be read", cause)),
            None => match self.unproved(reading) {
                None => Completeness::Complete,
                Some(sentence) => Completeness::Partial(Cause {
                    kind: CauseKind::ProbeNotSeen,
                    sentence: format!("{title} may be incomplete. {sentence}"),
                    remedy: match reading.dataset.needs.any_of.as_slice() {
                        [] => "Create a key that may see all of it, and replace the stored one.".to_owned(),
                        roles => {
                            let roles = roles.join(" or ");
                            format!("Create a key that has {roles}, for an account that may see all of it, and replace the stored one.")
                        }
                    },
                }),
            },
        }
    }

    /// What is missing of the proof that a list is whole.
    fn unproved(&self, reading: &Reading) -> Option<String> {
        let leaves_out = format!("{} leaves out what the key may not see", self.app.name);
        reading.dataset.probes.iter().zip(&reading.probes).find_map(|(probe, holder)| {
            let holder = holder.map(|holder| &self.readings[holder]);
            let held = |field: &FieldPath| {
                let whole = holder.filter(|holder| holder.done.as_ref().is_some_and(Completeness::is_complete));
                whole.and_then(|holder| holder.object.as_ref()).and_then(|row| at_path(&row.fields, field))
            };
            let title = holder.map(|holder| holder.dataset.title.as_str()).unwrap_or_default();
            let rows = reading.seen.len() as u64;
            match probe {
                Probe::Equals { row, field, .. } => {
                    let seen = held(field).and_then(text_of).is_some_and(|wanted| reading.probed.contains(&(row.clone(), wanted)));
                    (!seen).then(|| format!("{leaves_out}, and the entry that must be there is not."))
                }
                Probe::Differs { row, field, .. } => {
                    let seen = held(field)
                        .and_then(text_of)
                        .is_some_and(|own| reading.probed.iter().any(|(path, value)| path == row && *value != own));
                    (!seen).then(|| format!("{leaves_out}, and no entry came that is not of \"{title}\"."))
                }
                Probe::Count { fields, .. } => {
                    let counts: Option<Vec<u64>> = fields.iter().map(|field| held(field).and_then(Value::as_u64)).collect();
                    match counts.and_then(|counts| counts.into_iter().try_fold(0_u64, u64::checked_add)) {
                        None => Some(format!("{leaves_out}, and \"{title}\" does not tell this key how many there are.")),
                        Some(all) if rows < all => Some(format!("{leaves_out}: of {all} entries {rows} came.")),
                        Some(_) => None,
                    }
                }
                Probe::FewerThan { rows: page } => (rows >= u64::from(*page)).then(|| {
                    format!("{} does not say whether this list has pages, and {rows} entries may be one of several.", self.app.name)
                }),
            }
        })
    }
}

/// The rows of a page that are new enough.
struct Newest {
    rows: Vec<Row>,
    /// Whether an older one came, so that nothing behind it is wanted.
    older: bool,
}

/// Leaves out what is older than wanted. `last` is the age of the entry before these.
///
/// # Errors
/// The rows that can be relied on, and what leaves the list in doubt: an entry without a time, or one that is newer than
/// the one before it, so that newer ones may come after older ones.
fn newest(
    recent: &Recent,
    rows: Vec<Row>,
    now: jiff::Timestamp,
    last: &mut Option<jiff::Timestamp>,
) -> Result<Newest, (Vec<Row>, &'static str)> {
    let since = now.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(recent.days))).unwrap_or(jiff::Timestamp::MIN);
    let mut kept = Vec::with_capacity(rows.len());
    let mut older = false;
    for row in rows {
        let at = at_path(&row.fields, &recent.field).and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let Some(at) = at else {
            kept.push(row);
            return Err((kept, "an entry does not say when it was made, so that how far back the list goes is not known."));
        };
        if last.is_some_and(|last| at > last) {
            return Err((kept, "the entries are not in the order that was asked for, the newest first."));
        }
        *last = Some(at);
        if at >= since {
            kept.push(row);
        } else {
            older = true;
        }
    }
    Ok(Newest { rows: kept, older })
}

/// What is handed on of the rows of a page.
struct Sifted {
    /// The rows whose key was not seen before, and those that differ from what was seen under their key.
    rows: Vec<Row>,
    /// How many keys were not seen before.
    new: u64,
    /// Whether a key came with other content than before.
    changed: bool,
}

fn about(title: &str, what: &str, cause: Cause) -> Cause {
    Cause { sentence: format!("{title} {what}. {}", cause.sentence), ..cause }
}

impl Reading {
    /// Takes up what was read before the cut: lists that were done stay, the others are read again.
    fn begin_again(&mut self, begun: Begun) {
        self.started = true;
        self.cut = begun.streams.iter().any(|stream| stream.next.is_some());
        for stream in begun.streams {
            self.before.insert(stream.parent.clone().unwrap_or_default(), stream);
        }
        let done: Vec<Row> = begun.rows.into_iter().filter(|row| self.list_of(&row.key).is_some_and(|list| list.next.is_none())).collect();
        self.pages = self.before.values().filter(|stream| stream.next.is_none()).map(|stream| stream.pages).sum();
        let Sifted { rows, new, .. } = self.sift(done);
        self.rows = new;
        self.rows_before = rows;
    }

    /// The list, of those begun before the cut, that a row came of. A row's key begins with its parent's ([`RowKey`]).
    fn list_of(&self, key: &RowKey) -> Option<&BegunStream> {
        let mut parent = key.0.as_str();
        loop {
            if let Some(list) = self.before.get(&RowKey(parent.to_owned())) {
                return Some(list);
            }
            parent = match parent.rsplit_once('\u{1f}') {
                Some((parent, _)) => parent,
                None if parent.is_empty() => return None,
                None => "",
            };
        }
    }

    /// Leaves out rows that say nothing new. A row that differs from an earlier one of its key stays, so that whoever judges
    /// sees both: which of them is right is not known.
    fn sift(&mut self, rows: Vec<Row>) -> Sifted {
        let mut sifted = Sifted { rows: Vec::with_capacity(rows.len()), new: 0, changed: false };
        for row in rows {
            let digest = digest_of(&row);
            match self.seen.get(&row.key) {
                Some(before) if *before == digest => continue,
                Some(_) => sifted.changed = true,
                None => {
                    sifted.new += 1;
                    self.seen.insert(row.key.clone(), digest);
                    for path in self.dataset.probes.iter().filter_map(Probe::row) {
                        if let Some(value) = at_path(&row.fields, path).and_then(text_of) {
                            self.probed.insert((path.clone(), value));
                        }
                    }
                    if self.is_probed_for && self.object.is_none() {
                        self.object = Some(row.clone());
                    }
                }
            }
            sifted.rows.push(row);
        }
        sifted
    }

    fn troubled(&mut self, error: ConnectError) {
        self.trouble.get_or_insert(error);
    }

    /// A stream failed. What will fail for every other parent too ends the dataset.
    fn failed(&mut self, error: ConnectError) {
        let kind = error.kind();
        let alike = match self.alike {
            Some((before, count)) if before == kind => count + 1,
            Some(_) | None => 1,
        };
        self.alike = Some((kind, alike));
        self.stopped |= match kind {
            CauseKind::RateLimited | CauseKind::CredentialRefused => true,
            CauseKind::Connectivity => alike >= ALIKE,
            // Decided before anything is sent, so it costs nothing to look at every parent.
            CauseKind::InputMissing | CauseKind::FieldMissing | CauseKind::LoginLacks | CauseKind::NotPublished => false,
            // A permission may differ from parent to parent, so one success is reason enough to go on.
            CauseKind::ScopeMissing
            | CauseKind::PlanLacks
            | CauseKind::VendorError
            | CauseKind::NotUnderstood
            | CauseKind::UnknownValue
            | CauseKind::ProbeNotSeen
            | CauseKind::Empty
            | CauseKind::InputIncomplete
            | CauseKind::Cancelled
            | CauseKind::Expression => alike >= ALIKE && self.pages == 0,
        };
        self.troubled(error);
    }

    fn progress(&self) -> Progress {
        Progress::Read {
            dataset: self.id.clone(),
            rows: self.rows,
            pages: self.pages,
            parents: self.dataset.each.is_some().then_some((self.parents_done, self.parents_known)),
        }
    }
}

/// What a row holds, as a digest that does not depend on the order of names.
fn digest_of(row: &Row) -> u64 {
    fn feed(value: &Value, into: &mut DefaultHasher) {
        match value {
            Value::Object(fields) => {
                let mut names: Vec<_> = fields.iter().collect();
                names.sort_unstable_by_key(|(name, _)| *name);
                (4_u8, names.len()).hash(into);
                for (name, value) in names {
                    name.hash(into);
                    feed(value, into);
                }
            }
            Value::Array(items) => {
                (3_u8, items.len()).hash(into);
                items.iter().for_each(|item| feed(item, into));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (2_u8, value).hash(into),
        }
    }
    let mut digest = DefaultHasher::new();
    feed(&row.fields, &mut digest);
    row.faults.hash(&mut digest);
    digest.finish()
}

/// Asks for the first page of each of `datasets` that is not read per parent, to tell which the credential can read; of the
/// others, names those that the login option does not reach at all. Nothing is kept of the answers.
pub async fn probe(session: &Session, app: &App, datasets: &[&str]) -> Vec<(String, Completeness)> {
    let watcher = |event| session.keep(event);
    let watcher: Watcher<'_> = &watcher;
    let inputs = session.wire.inputs();
    let asked: Vec<Cow<'_, Dataset>> = datasets.iter().filter_map(|id| app.dataset(id)).map(|dataset| dataset.for_inputs(inputs)).collect();
    let described: HashSet<&str> = asked.iter().filter_map(|dataset| dataset.published_by.as_ref()).map(|by| by.dataset.as_str()).collect();
    // Descriptions first: they say what else can be asked for.
    let descriptions = app.datasets.iter().filter(|dataset| {
        dataset.form == Form::OpenApi && (described.contains(dataset.id.as_str()) || datasets.contains(&dataset.id.as_str()))
    });
    let mut published: HashMap<String, Published> = HashMap::new();
    let mut known: HashMap<String, Completeness> = HashMap::new();
    for description in descriptions {
        let (rows, completeness) = probed(session, app, description, watcher).await;
        published.insert(description.id.clone(), Published::of_rows(&rows, completeness.is_complete()));
        known.insert(description.id.clone(), completeness);
    }
    let (published, known) = (&published, &known);
    let answers = futures::future::join_all(asked.iter().map(|dataset| async move {
        if let Some(completeness) = known.get(&dataset.id) {
            return Some((dataset.id.clone(), completeness.clone()));
        }
        let refused = |error: &ConnectError| Completeness::Unavailable(about(&dataset.title, "could not be read", error.cause()));
        if let Some(error) = login_lacks(app, session.wire.hosts(), dataset) {
            return Some((dataset.id.clone(), refused(&error)));
        }
        let held = match dataset.published_by.as_ref().and_then(|by| published.get(&by.dataset)).map(|published| published.apply(dataset)) {
            None => dataset.clone().into_owned(),
            Some(Ok(held)) => held,
            Some(Err(error)) => return Some((dataset.id.clone(), refused(&error))),
        };
        if held.each.is_some() {
            return None;
        }
        Some((held.id.clone(), probed(session, app, &held, watcher).await.1))
    }))
    .await;
    answers.into_iter().flatten().collect()
}

/// The rows of a dataset's first page, and whether it can be read.
async fn probed(session: &Session, app: &App, dataset: &Dataset, watcher: Watcher<'_>) -> (Vec<Row>, Completeness) {
    match page_of(session, app, dataset, None, None, 1, watcher).await {
        Ok(got) => {
            let completeness = match got.page.doubt {
                None => Completeness::Complete,
                Some(doubt) => Completeness::Partial(about(&dataset.title, "could be read in part only", doubt.cause())),
            };
            (got.page.rows, completeness)
        }
        Err(error) => (Vec::new(), Completeness::Unavailable(about(&dataset.title, "could not be read", error.cause()))),
    }
}
