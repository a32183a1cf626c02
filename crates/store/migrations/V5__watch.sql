-- When credentials end, and the daily digests. Only adds: a release of schema 4 still reads what it knows.
UPDATE meta SET schema = 5;

-- What is known of the end of an instance's credential. Without a row it has not signed in since schema 5.
CREATE TABLE credential (
    instance INTEGER PRIMARY KEY REFERENCES instance (no) ON DELETE CASCADE,
    -- The last time that signing in worked.
    used_at INTEGER NOT NULL,
    -- When it ends; NULL where nobody says so.
    ends_at INTEGER,
    -- Who says so: 'vendor', 'certificate', or 'unused' for one that dies unless it is used; empty where nobody does.
    ends_by TEXT NOT NULL DEFAULT '',
    -- The fewest days before that end at which the administrator was told; NULL before the first. Another end begins anew.
    told_days INTEGER,
    -- When it was last tried to use it so that it does not end unused; NULL when that was not needed since the last use.
    tried_at INTEGER
);

-- What an administrator is told once a day. A day is served once, by whichever process comes first.
CREATE TABLE digest (
    -- The day that it is for, by this computer's calendar: 2026-11-22.
    day TEXT PRIMARY KEY,
    made_at INTEGER NOT NULL,
    -- The acts, turns and scans after this time and up to made_at are in it.
    since INTEGER NOT NULL,
    -- What it says, as JSON in the caller's own words.
    body TEXT NOT NULL,
    -- When it was handed to the mail server; NULL before that, or when no mail is configured.
    mailed_at INTEGER,
    -- Why it was not, the last time that it was tried, as JSON in the caller's own words.
    mail_failure TEXT,
    -- How often that was tried, and when last. Whoever counts up first tries.
    mail_tries INTEGER NOT NULL DEFAULT 0,
    mail_tried_at INTEGER
);
