-- Schedules, who scans, health over time, and the chain of acts. Only adds: a release of schema 3 still reads what it knows.
UPDATE meta SET schema = 4;

-- When an instance is scanned by itself. Without a row it follows the default, from its creation on.
CREATE TABLE schedule (
    instance INTEGER PRIMARY KEY REFERENCES instance (no) ON DELETE CASCADE,
    -- The caller's own words; NULL follows the default.
    pattern TEXT,
    -- Due times up to here are served or do not count.
    served_through INTEGER NOT NULL
);

-- 'person' or 'schedule'.
ALTER TABLE scan ADD COLUMN started_by TEXT NOT NULL DEFAULT 'person';

-- What a process that scans an instance tells others. The locked file beside the database says who may; this only says how far
-- it has come, and speaks of nobody once its heartbeat stops.
CREATE TABLE lease (
    instance INTEGER PRIMARY KEY REFERENCES instance (no) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    pid INTEGER NOT NULL,
    since INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL,
    done REAL NOT NULL,
    host TEXT NOT NULL
);

-- Each time the health of an instance became another. Rows are only ever added, and go with their instance.
CREATE TABLE turn (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    -- Empty before the first.
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    cause TEXT
);
CREATE INDEX turn_by_instance ON turn (instance, id);
CREATE INDEX turn_by_time ON turn (at, id);

-- Of which instance an act speaks, and what was before and after; empty where there is nothing to say.
ALTER TABLE activity ADD COLUMN instance TEXT NOT NULL DEFAULT '';
ALTER TABLE activity ADD COLUMN before TEXT NOT NULL DEFAULT '';
ALTER TABLE activity ADD COLUMN after TEXT NOT NULL DEFAULT '';

-- The chain: each hash covers its act and the hash before it. Acts that an older release added are linked by the next newer one.
CREATE TABLE activity_link (
    activity INTEGER PRIMARY KEY REFERENCES activity (id),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
);
CREATE TRIGGER activity_link_unchanged BEFORE UPDATE ON activity_link BEGIN
    SELECT RAISE (ABORT, 'the chain of acts is never changed');
END;
CREATE TRIGGER activity_link_kept BEFORE DELETE ON activity_link BEGIN
    SELECT RAISE (ABORT, 'the chain of acts is never shortened');
END;
