-- Accounts and plugins. Only adds: a release of schema 1 still reads what it knows.
UPDATE meta SET schema = 3;

-- From when on something is a risk, where an instance has its own numbers of days.
CREATE TABLE inventory_threshold (
    instance INTEGER PRIMARY KEY REFERENCES instance (no) ON DELETE CASCADE,
    thresholds TEXT NOT NULL
);

-- What each table of a manifest that declares accounts (kind 0) or plugins (kind 1) came to in a scan. A scan that an earlier
-- release judged has none.
CREATE TABLE listing (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    completeness TEXT NOT NULL,
    undecided INTEGER NOT NULL,
    undecided_cause TEXT,
    not_read TEXT NOT NULL,
    UNIQUE (scan, kind, position)
);

-- One row for each account. A property that is NULL is known to be none or not known, as `unknown` says, or else not read.
-- `risks` and `unknown_risks` have one bit for each risk, in the order of the catalog.
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    listing INTEGER NOT NULL REFERENCES listing (id) ON DELETE CASCADE,
    row_key TEXT NOT NULL,
    inputs TEXT NOT NULL,
    item_id TEXT,
    name TEXT,
    kind TEXT,
    status TEXT,
    created INTEGER,
    last_used INTEGER,
    never_used INTEGER,
    expires INTEGER,
    email TEXT,
    administrator INTEGER,
    roles TEXT,
    mfa TEXT,
    identity_provider INTEGER,
    credential_changed INTEGER,
    unknown TEXT NOT NULL,
    risks INTEGER NOT NULL,
    unknown_risks INTEGER NOT NULL,
    severity INTEGER,
    sort_name TEXT NOT NULL
);
CREATE INDEX account_by_severity ON account (scan, severity DESC, sort_name, id);
CREATE INDEX account_by_listing ON account (listing);

CREATE TABLE plugin (
    id INTEGER PRIMARY KEY,
    scan INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    listing INTEGER NOT NULL REFERENCES listing (id) ON DELETE CASCADE,
    row_key TEXT NOT NULL,
    inputs TEXT NOT NULL,
    item_id TEXT,
    name TEXT,
    kind TEXT,
    status TEXT,
    created INTEGER,
    last_used INTEGER,
    never_used INTEGER,
    expires INTEGER,
    publisher TEXT,
    scopes TEXT,
    level TEXT,
    granted_by TEXT,
    verified_publisher INTEGER,
    may_write INTEGER,
    gen_ai TEXT,
    unknown TEXT NOT NULL,
    risks INTEGER NOT NULL,
    unknown_risks INTEGER NOT NULL,
    severity INTEGER,
    sort_name TEXT NOT NULL
);
CREATE INDEX plugin_by_severity ON plugin (scan, severity DESC, sort_name, id);
CREATE INDEX plugin_by_listing ON plugin (listing);

-- What the vendor said, when an instance was last signed in to, that its credential holds. No scopes at all and not to be told are
-- two things: where `told_by` is empty, the vendor does not tell.
CREATE TABLE granted (
    instance INTEGER PRIMARY KEY REFERENCES instance (no) ON DELETE CASCADE,
    told_by TEXT NOT NULL,
    scopes TEXT NOT NULL,
    at INTEGER NOT NULL
);
