-- The first schema. Times are milliseconds since 1970 in UTC; JSON is text.
-- Later migrations only add: a release reads every database whose `oldest_reader` is not above its own schema.

CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    schema INTEGER NOT NULL,
    oldest_reader INTEGER NOT NULL
);
INSERT INTO meta (one, schema, oldest_reader) VALUES (1, 1, 1);

CREATE TABLE instance (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    owner TEXT NOT NULL,
    login TEXT NOT NULL,
    inputs TEXT NOT NULL,
    route TEXT NOT NULL,
    params TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    tenant TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (app, name)
);

CREATE TABLE scan (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    as_of INTEGER NOT NULL,
    cause TEXT,
    -- Whether its rows and verdicts were removed.
    dropped INTEGER NOT NULL DEFAULT 0,
    -- Open findings of the instance when it was committed, for the trend.
    open_critical INTEGER,
    open_high INTEGER,
    open_medium INTEGER,
    open_low INTEGER,
    open_info INTEGER
);
CREATE INDEX scan_by_instance ON scan (instance, state, id);
CREATE INDEX scan_by_end ON scan (state, finished_at);

CREATE TABLE scan_dataset (
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    dataset TEXT NOT NULL,
    -- NULL while it is being read.
    completeness TEXT,
    rows INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (scan, dataset)
) WITHOUT ROWID;

CREATE TABLE scan_parent (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    dataset TEXT NOT NULL,
    parent TEXT NOT NULL,
    carry TEXT NOT NULL,
    pages INTEGER NOT NULL DEFAULT 0,
    next TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    cause TEXT,
    UNIQUE (scan, dataset, parent)
);

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    content BLOB NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0 CHECK (refs >= 0)
);

CREATE TABLE scan_row (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    dataset TEXT NOT NULL,
    parent TEXT NOT NULL,
    page INTEGER NOT NULL,
    key TEXT NOT NULL,
    label TEXT NOT NULL,
    evidence INTEGER NOT NULL REFERENCES evidence (id),
    -- No foreign key: the request log may be shortened, and its ids are never used twice.
    request INTEGER,
    collected_at INTEGER NOT NULL
);
CREATE INDEX scan_row_by_key ON scan_row (scan, dataset, key);
CREATE INDEX scan_row_by_evidence ON scan_row (evidence);

-- The count of references is kept here and not in code, so that no path, cascades included, can miss it.
CREATE TRIGGER scan_row_added AFTER INSERT ON scan_row BEGIN
    UPDATE evidence SET refs = refs + 1 WHERE id = NEW.evidence;
END;
CREATE TRIGGER scan_row_removed AFTER DELETE ON scan_row BEGIN
    UPDATE evidence SET refs = refs - 1 WHERE id = OLD.evidence;
    DELETE FROM evidence WHERE id = OLD.evidence AND refs = 0;
END;
CREATE TRIGGER scan_row_kept BEFORE UPDATE OF evidence ON scan_row BEGIN
    SELECT RAISE (ABORT, 'a row keeps its evidence');
END;

CREATE TABLE verdict (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    row_key TEXT NOT NULL,
    label TEXT NOT NULL,
    kind INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    current TEXT NOT NULL,
    recommended TEXT NOT NULL,
    read TEXT NOT NULL,
    inputs TEXT NOT NULL
);
CREATE INDEX verdict_by_row ON verdict (scan, check_id, row_key);

CREATE TABLE finding (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    row_key TEXT NOT NULL,
    label TEXT NOT NULL,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,
    feature TEXT NOT NULL,
    state INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    ended_at INTEGER,
    -- When its row was last judged, and the scan and verdict of that time.
    checked_at INTEGER NOT NULL,
    scan INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    current TEXT NOT NULL,
    recommended TEXT NOT NULL,
    not_rechecked_since INTEGER,
    not_rechecked_cause TEXT,
    UNIQUE (instance, check_id, row_key)
);
-- The lists of everything and of one instance as they are shown at first, read without sorting; counts by severity come
-- from the same indexes alone.
CREATE INDEX finding_by_severity ON finding (state, severity DESC, title, label, id, instance);
CREATE INDEX finding_by_instance ON finding (instance, state, severity DESC, title, label, id);
CREATE INDEX finding_by_check ON finding (check_id, state);

CREATE TABLE finding_event (
    id INTEGER PRIMARY KEY,
    finding INTEGER NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    scan INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX finding_event_by_finding ON finding_event (finding, id);
CREATE INDEX finding_event_by_time ON finding_event (at, kind, finding);

CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    scan INTEGER REFERENCES scan (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    class TEXT NOT NULL,
    host TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER,
    bytes INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX request_by_instance ON request (instance, at, id);
CREATE INDEX request_by_scan ON request (scan);
CREATE INDEX request_by_time ON request (at, id);

CREATE TABLE activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TRIGGER activity_unchanged BEFORE UPDATE ON activity BEGIN
    SELECT RAISE (ABORT, 'acts are never changed');
END;
CREATE TRIGGER activity_kept BEFORE DELETE ON activity BEGIN
    SELECT RAISE (ABORT, 'acts are never removed');
END;

CREATE TABLE preference (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
