-- A feed over all jobs of a team, and how long events and outputs are kept.

-- A new table for the sake of AUTOINCREMENT. The cursor of the feed is the id, and once a purge took the newest
-- events away, a plain key would be given to the next ones again: whoever had seen the old ones would miss them.
CREATE TABLE events_of_feed (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- rises with every commit: the order of the feed over all jobs
    job       INTEGER NOT NULL REFERENCES jobs (id),
    sequence  INTEGER NOT NULL CHECK (sequence > 0),
    team      TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    type      TEXT NOT NULL,
    milestone INTEGER NOT NULL,
    in_feed   INTEGER NOT NULL DEFAULT 0, -- milestones and events of the job itself
    message   TEXT NOT NULL,
    actor     TEXT NOT NULL,
    trigger   TEXT,
    change    TEXT NOT NULL -- JSON of model.Change
) STRICT;

INSERT INTO events_of_feed (
    id, job, sequence, team, timestamp, type, milestone, in_feed, message, actor, trigger, change
)
SELECT
    id, job, sequence, team, timestamp, type, milestone,
    milestone = 1 OR type LIKE 'JOB\_%' ESCAPE '\' OR type = 'INGESTION_JOB_CHANGED',
    message, actor, trigger, change
FROM events;

DROP TABLE events;
ALTER TABLE events_of_feed RENAME TO events;

CREATE UNIQUE INDEX events_by_job ON events (job, sequence);
CREATE INDEX events_milestones ON events (job, sequence) WHERE milestone = 1;
CREATE INDEX events_in_feed ON events (team, id) WHERE in_feed = 1;

-- The greatest id among the feed's events that are gone: a cursor before it may have missed one.
CREATE TABLE feed_floors (
    team  TEXT PRIMARY KEY,
    floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Since when a settled job may have events to compact; NULL while anything is in flight or nothing is left to do.
ALTER TABLE jobs ADD COLUMN compactable_since INTEGER;
CREATE INDEX jobs_to_compact ON jobs (compactable_since) WHERE compactable_since IS NOT NULL;
UPDATE jobs SET compactable_since = updated_at WHERE ever_active = 1 AND queued + running = 0;

-- Outputs whose time is over: the record stays as it ended, its output is gone.
ALTER TABLE file_records ADD COLUMN output_expired_at INTEGER;
ALTER TABLE jobs ADD COLUMN expired_outputs INTEGER NOT NULL DEFAULT 0 CHECK (expired_outputs >= 0);
CREATE INDEX outputs_by_age ON files (created_at, id) WHERE kind = 'OUTPUT' AND deleted_at IS NULL;
