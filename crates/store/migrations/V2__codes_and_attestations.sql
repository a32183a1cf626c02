-- One-time codes and attestations. Only adds: a release of schema 1 still reads what it knows.
UPDATE meta SET schema = 2;

-- The key of the digests by which accounts and secrets are named below.
CREATE TABLE account_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB NOT NULL CHECK (length(key) = 32)
);
INSERT INTO account_key (one, key) VALUES (1, randomblob(32));

-- When the time of the last one-time code that was sent for an account ends, in seconds since 1970. Not the number of its time
-- step: keys count steps of different lengths.
CREATE TABLE code_sent (
    account TEXT PRIMARY KEY,
    ends INTEGER NOT NULL
) WITHOUT ROWID;

-- Which passwords and keys an identity provider refused, by a keyed digest of account and secret.
CREATE TABLE refused_secret (
    secret TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;

-- What a person attested of a manual check. Rows are only ever added; the last one that was not withdrawn counts.
CREATE TABLE attestation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    -- The check's title and what it should be, as they were asked at that time.
    asked TEXT NOT NULL,
    recommended TEXT NOT NULL,
    answer TEXT NOT NULL,
    who TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    note TEXT NOT NULL,
    -- The last day on which it holds, as a date, and the moment at which that day ends where it was attested.
    valid_until TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    remind_days INTEGER NOT NULL
);
CREATE INDEX attestation_by_check ON attestation (instance, check_id, id);

CREATE TABLE attestation_file (
    attestation INTEGER PRIMARY KEY REFERENCES attestation (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    content BLOB NOT NULL
);

CREATE TABLE attestation_withdrawal (
    attestation INTEGER PRIMARY KEY REFERENCES attestation (id) ON DELETE CASCADE,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
);

CREATE TRIGGER attestation_unchanged BEFORE UPDATE ON attestation BEGIN
    SELECT RAISE (ABORT, 'attestations are never changed');
END;
CREATE TRIGGER attestation_file_unchanged BEFORE UPDATE ON attestation_file BEGIN
    SELECT RAISE (ABORT, 'attestations are never changed');
END;
CREATE TRIGGER attestation_withdrawal_unchanged BEFORE UPDATE ON attestation_withdrawal BEGIN
    SELECT RAISE (ABORT, 'attestations are never changed');
END;
-- They go with their instance alone: its row is gone before theirs.
CREATE TRIGGER attestation_kept BEFORE DELETE ON attestation WHEN EXISTS (SELECT 1 FROM instance WHERE no = OLD.instance) BEGIN
    SELECT RAISE (ABORT, 'attestations are never deleted');
END;
CREATE TRIGGER attestation_file_kept BEFORE DELETE ON attestation_file
WHEN EXISTS (SELECT 1 FROM attestation WHERE id = OLD.attestation) BEGIN
    SELECT RAISE (ABORT, 'attestations are never deleted');
END;
CREATE TRIGGER attestation_withdrawal_kept BEFORE DELETE ON attestation_withdrawal
WHEN EXISTS (SELECT 1 FROM attestation WHERE id = OLD.attestation) BEGIN
    SELECT RAISE (ABORT, 'attestations are never deleted');
END;

-- Checks that an administrator wrote for one instance: every version of each, the last one counts.
CREATE TABLE own_check (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    check_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    removed INTEGER NOT NULL,
    title TEXT NOT NULL,
    severity INTEGER NOT NULL,
    why TEXT NOT NULL,
    steps TEXT NOT NULL,
    recommended TEXT NOT NULL
);
CREATE INDEX own_check_by_check ON own_check (instance, check_id, id);
CREATE TRIGGER own_check_unchanged BEFORE UPDATE ON own_check BEGIN
    SELECT RAISE (ABORT, 'what a check was is never changed');
END;
CREATE TRIGGER own_check_kept BEFORE DELETE ON own_check WHEN EXISTS (SELECT 1 FROM instance WHERE no = OLD.instance) BEGIN
    SELECT RAISE (ABORT, 'what a check was is never deleted');
END;
