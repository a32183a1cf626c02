-- Decisions. A finding may be dismissed (state 3) and its history say so (kinds 6 and 7), which no earlier release can read.
UPDATE meta SET schema = 6, oldest_reader = 6;

-- What an administrator decided of a finding, a check or an account. Rows are only ever added; the end alone is written later, once.
CREATE TABLE decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    -- NULL speaks of the whole check.
    row_key TEXT,
    -- 'dismiss', 'override', 'lock', 'unmonitor' or 'ignore'.
    kind TEXT NOT NULL,
    -- What it was decided about, as it was called then.
    title TEXT NOT NULL,
    label TEXT NOT NULL,
    -- What it holds fast, as JSON: the values read, a parameter, a set of keys.
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    approver TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- The moment at which it ends by itself, and the last day on which it holds; NULL until it is undone.
    until INTEGER,
    until_day TEXT,
    ended_at INTEGER,
    -- 'undone', 'expired', 'value_changed', 'replaced', 'fixed' or 'gone'.
    ended_why TEXT,
    CHECK ((until IS NULL) = (until_day IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
-- One of a kind in force for one thing.
CREATE UNIQUE INDEX decision_in_force ON decision (instance, check_id, kind, row_key IS NULL, coalesce(row_key, '')) WHERE ended_at IS NULL;
CREATE INDEX decision_by_end ON decision (until) WHERE ended_at IS NULL;
CREATE INDEX decision_by_instance ON decision (instance, id);

CREATE TRIGGER decision_ends_once BEFORE UPDATE ON decision
WHEN OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL
    OR (OLD.id, OLD.instance, OLD.check_id, OLD.row_key, OLD.kind, OLD.title, OLD.label, OLD.value, OLD.reason, OLD.approver, OLD.who,
        OLD.at, OLD.until, OLD.until_day)
    IS NOT (NEW.id, NEW.instance, NEW.check_id, NEW.row_key, NEW.kind, NEW.title, NEW.label, NEW.value, NEW.reason, NEW.approver, NEW.who,
        NEW.at, NEW.until, NEW.until_day)
BEGIN
    SELECT RAISE (ABORT, 'decisions are never changed');
END;
-- They go with their instance alone: its row is gone before theirs.
CREATE TRIGGER decision_kept BEFORE DELETE ON decision WHEN EXISTS (SELECT 1 FROM instance WHERE no = OLD.instance) BEGIN
    SELECT RAISE (ABORT, 'decisions are never deleted');
END;
