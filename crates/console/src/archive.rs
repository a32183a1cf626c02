//! An instance as one file to keep when it is deleted: what it was, its findings with their evidence, its accounts and plugins, and what
//! was done with it. Plain JSON for other programs and for people; nothing is read back from it, and no secret is in it.

use crate::{
    Console,
    console::blocking,
    scan::instance_id,
    screen::{
        Decision, DecisionFilter, DecisionQuery, ExportFormat, Exported, Failure, FindingFilter, FindingQuery, FindingSort,
        InventoryFilter, InventoryQuery, InventorySort, SandboxScope, Slice,
    },
    start::user,
};
use catalog::InventoryKind;
use report::{About, ActLine};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};
use store::{Act, InstanceId, LinkedAct, Store};

/// What the file calls itself.
const FORMAT: &str = "posture-console-archive";
/// Version of its shape.
const VERSION: u32 = 1;
/// Decisions read at once.
const DECISIONS: u32 = 500;
/// Acts read at once.
const BATCH: u64 = 500;

impl Console {
    /// Writes all that is known of an instance to one JSON file, which appears whole or not at all: every finding, whatever became of
    /// it, every decision, the accounts and plugins of the last complete scan, and every act that speaks of it. The file can be read by anyone who has
    /// it. Answers how many findings are in it.
    ///
    /// # Errors
    /// When there is no such instance, its application is not in the catalog, the file cannot be written, or the database cannot be
    /// read.
    pub async fn archive_instance(&self, instance: &str, path: &Path) -> Result<Exported, Failure> {
        let (id, now) = (instance_id(instance)?, self.now());
        let mut page = serde_json::to_value(self.instance(instance).await?).unwrap_or_default();
        if let Some(page) = page.as_object_mut() {
            // What the dialog needs of the application, with the names of its other instances.
            page.remove("application");
            page.remove("same_tenant_as");
        }
        let unwritten = |error: io::Error| {
            let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            Failure::new(
                if full { "E-DISK-FULL" } else { "E-EXPORT" },
                format!("{} could not be written: {error}.", path.display()),
                "Choose another folder, or make room on the disk.",
            )
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(unwritten)?;
        // Handles of one place in one file: each document goes behind the one before it.
        let part = |name: &str| -> io::Result<Box<BufWriter<File>>> {
            let mut handle = file.as_file().try_clone()?;
            write!(handle, ",\n{}: ", json!(name))?;
            Ok(Box::new(BufWriter::new(handle)))
        };
        let decisions = self.all_decisions(instance).await?;
        let head = json!({ "format": FORMAT, "version": VERSION, "archived_at": now, "instance": page, "decisions": decisions });
        let head = serde_json::to_string_pretty(&head).map_err(|error| unwritten(error.into()))?;
        // Its end comes last.
        file.as_file().write_all(head.strip_suffix("\n}").unwrap_or(&head).as_bytes()).map_err(unwritten)?;

        let all = Slice { offset: 0, limit: 1 };
        let filter = FindingFilter { instances: vec![id.to_string()], sandbox: SandboxScope::With, ..FindingFilter::default() };
        let query = FindingQuery { filter, sort: FindingSort::Severity, descending: true, slice: all };
        let findings = self.export_to(query, ExportFormat::Json, part("findings").map_err(unwritten)?).await?;
        for (name, kind) in [("accounts", InventoryKind::Accounts), ("plugins", InventoryKind::Plugins)] {
            let query = InventoryQuery { filter: InventoryFilter::default(), sort: InventorySort::Severity, descending: true, slice: all };
            let writer = part(name).map_err(unwritten)?;
            self.export_inventory_to(kind, &id.to_string(), query, ExportFormat::Json, writer).await?;
        }
        let mut acts = part("acts").map_err(unwritten)?;
        self.with_open(move |open| write_acts(&open.store, id, &About { exported_at: now, filter: json!({ "instance": id }) }, &mut acts))
            .await?;
        file.as_file().write_all(b"}\n").map_err(unwritten)?;

        let (target, shown) = (path.to_owned(), path.display().to_string());
        blocking(move || {
            let placed = file.as_file().sync_all().and_then(|()| file.persist(&target).map_err(|error| error.error));
            placed.map(drop).map_err(|error| {
                Failure::new(
                    "E-EXPORT",
                    format!("{} could not be written: {error}.", target.display()),
                    "Choose another folder, or make room on the disk.",
                )
            })
        })
        .await?;
        let act = Act::new(now, user(), "instance archived", &shown).on(id);
        self.with_open(move |open| Ok(open.store.record_act(&act)?)).await?;
        Ok(Exported { path: shown, findings })
    }

    /// Every decision on an instance, in force or ended, newest first.
    async fn all_decisions(&self, instance: &str) -> Result<Vec<Decision>, Failure> {
        let mut all = Vec::new();
        loop {
            let filter = DecisionFilter { instance: Some(instance.to_owned()), ..DecisionFilter::default() };
            let offset = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let part = self.decisions(DecisionQuery { filter, slice: Slice { offset, limit: DECISIONS } }).await?.rows;
            if part.is_empty() {
                return Ok(all);
            }
            all.extend(part);
        }
    }
}

/// The acts that speak of an instance. A failure of the database ends it, so that a cut file is never taken for a whole one.
fn write_acts(store: &Store, instance: InstanceId, about: &About, writer: &mut dyn Write) -> Result<(), Failure> {
    let (mut last, mut failure, wanted) = (0, None, instance.to_string());
    let batches = std::iter::from_fn(|| match store.linked_acts(last, BATCH) {
        Ok(batch) => {
            last = batch.last()?.number;
            Some(batch)
        }
        Err(error) => {
            failure = Some(Failure::from(error));
            None
        }
    });
    let lines = batches.flatten().filter(|linked| linked.act.instance == wanted).map(|LinkedAct { number, act, hash }| ActLine {
        number,
        at: act.at,
        who: act.who,
        what: act.what,
        detail: act.detail,
        instance: act.instance,
        before: act.before,
        after: act.after,
        hash: hash.map(hex::encode),
    });
    let written = report::json(writer, lines, about);
    if let Some(failure) = failure {
        return Err(failure);
    }
    written.map(drop).map_err(|error| Failure::new(error.code(), error.to_string(), error.remedy()))
}
