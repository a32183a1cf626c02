-- Whose an account is and which plugins were reviewed. Only adds: a release of schema 6 still reads what it knows.
UPDATE meta SET schema = 8;

-- Whose account it is, where somebody has corrected what its address says. By source and key, so that it holds for later scans.
CREATE TABLE account_person (
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    source TEXT NOT NULL,
    row_key TEXT NOT NULL,
    -- The key of an identity; empty for an account that is nobody else's.
    person TEXT NOT NULL,
    PRIMARY KEY (instance, source, row_key)
) WITHOUT ROWID;

-- That somebody looked at a plugin, and what it could do then: with other rights it is not reviewed any more.
CREATE TABLE plugin_review (
    instance INTEGER NOT NULL REFERENCES instance (no) ON DELETE CASCADE,
    source TEXT NOT NULL,
    row_key TEXT NOT NULL,
    rights TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (instance, source, row_key)
) WITHOUT ROWID;
