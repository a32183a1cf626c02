-- One-time codes and attestations. Only adds: a release of schema 1 still reads what it knows.
UPDATE meta SET schema = 2;

-- The last time step of which a one-time code was sent, by a digest of organization and user.
CREATE TABLE code_step (
    account TEXT PRIMARY KEY,
    step INTEGER NOT NULL
) WITHOUT ROWID;
