-- The index of texts, and what filters of findings look by. Only adds: a release of schema 1 still reads what it knows, and its
-- writes keep the index up through the triggers.
UPDATE meta SET schema = 7;

-- Every three characters in a row of a finding's texts. The texts themselves stay in `finding`; names of instances are few and
-- need none.
CREATE VIRTUAL TABLE finding_text USING fts5 (title, label, check_id, content = 'finding', content_rowid = 'id', tokenize = 'trigram');
-- What is deleted is taken out of the index at once, not when it is next merged.
INSERT INTO finding_text (finding_text, rank) VALUES ('secure-delete', 1);
INSERT INTO finding_text (finding_text) VALUES ('rebuild');

CREATE TRIGGER finding_text_added AFTER INSERT ON finding BEGIN
    INSERT INTO finding_text (rowid, title, label, check_id) VALUES (NEW.id, NEW.title, NEW.label, NEW.check_id);
END;
CREATE TRIGGER finding_text_removed AFTER DELETE ON finding BEGIN
    INSERT INTO finding_text (finding_text, rowid, title, label, check_id) VALUES ('delete', OLD.id, OLD.title, OLD.label, OLD.check_id);
END;
-- Each scan writes the texts of what still fails, nearly always as they were.
CREATE TRIGGER finding_text_changed AFTER UPDATE OF title, label, check_id ON finding
WHEN OLD.title IS NOT NEW.title OR OLD.label IS NOT NEW.label OR OLD.check_id IS NOT NEW.check_id BEGIN
    INSERT INTO finding_text (finding_text, rowid, title, label, check_id) VALUES ('delete', OLD.id, OLD.title, OLD.label, OLD.check_id);
    INSERT INTO finding_text (rowid, title, label, check_id) VALUES (NEW.id, NEW.title, NEW.label, NEW.check_id);
END;

-- The lists as they are shown at first, now with the time from which ages count, so that an age is looked for without sorting too.
DROP INDEX finding_by_severity;
CREATE INDEX finding_by_severity ON finding (state, severity DESC, title, label, id, instance, first_seen);
DROP INDEX finding_by_instance;
CREATE INDEX finding_by_instance ON finding (instance, state, severity DESC, title, label, id, first_seen);

-- How a finding stood at any time is read from the index alone.
DROP INDEX finding_event_by_finding;
CREATE INDEX finding_event_by_finding ON finding_event (finding, id, at, kind);
