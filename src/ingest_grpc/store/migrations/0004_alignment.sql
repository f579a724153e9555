-- What StartJob begins: alignments, claimed like records, and the results of their sections.

CREATE TABLE alignment_jobs (
    id                INTEGER PRIMARY KEY,
    alignment_job_id  TEXT NOT NULL UNIQUE,
    job               INTEGER NOT NULL REFERENCES jobs (id),
    team              TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    engine            TEXT NOT NULL,
    engine_version    TEXT NOT NULL DEFAULT '',
    system_prompt     TEXT NOT NULL, -- the job's when it was started: an attempt that is repeated makes the same
    instructions      TEXT NOT NULL,
    status            TEXT NOT NULL,
    last_trigger      TEXT NOT NULL, -- what led to status; the guard checks the pair
    current_step      TEXT,
    error_reason      TEXT,
    error_detail      TEXT NOT NULL DEFAULT '',
    output_file_id    TEXT UNIQUE,
    sections          INTEGER NOT NULL DEFAULT 0,
    sections_lost     INTEGER NOT NULL DEFAULT 0,
    examples          INTEGER NOT NULL DEFAULT 0,
    prompt_tokens     INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    losses            TEXT NOT NULL DEFAULT '[]',
    attempt           INTEGER NOT NULL DEFAULT 0,
    failures          INTEGER NOT NULL DEFAULT 0,
    orphaned_count    INTEGER NOT NULL DEFAULT 0,
    next_attempt_at   INTEGER,
    wait_reason       TEXT,
    worker_id         TEXT,
    created_at        INTEGER NOT NULL,
    started_at        INTEGER,
    completed_at      INTEGER,
    failed_at         INTEGER,
    cancelled_at      INTEGER,
    retired_at        INTEGER, -- when it became history
    last_sequence     INTEGER NOT NULL,
    priority          INTEGER NOT NULL,
    fair_tag          INTEGER NOT NULL,
    claimable         INTEGER NOT NULL,
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND started_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND output_file_id IS NOT NULL)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL),
    CHECK (retired_at IS NULL OR status IN ('FAILED', 'CANCELLED'))
) STRICT;

CREATE UNIQUE INDEX alignments_current ON alignment_jobs (job) WHERE retired_at IS NULL;
CREATE INDEX alignments_by_job ON alignment_jobs (job, id);
CREATE INDEX alignments_to_claim ON alignment_jobs (priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX alignments_delayed ON alignment_jobs (next_attempt_at) WHERE status = 'QUEUED' AND claimable = 0;
CREATE INDEX alignments_queued_by_team ON alignment_jobs (team, priority, fair_tag) WHERE status = 'QUEUED';
CREATE INDEX alignments_running ON alignment_jobs (id) WHERE status = 'RUNNING';

CREATE TRIGGER alignment_jobs_new BEFORE INSERT ON alignment_jobs
WHEN NOT EXISTS (
    SELECT 1 FROM transitions WHERE from_status = '' AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;

CREATE TRIGGER alignment_jobs_guard BEFORE UPDATE OF status, last_trigger ON alignment_jobs
WHEN NOT EXISTS (
    SELECT 1 FROM transitions
    WHERE from_status = OLD.status AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;

-- Finished sections of alignments in flight: what an attempt need not do again.
CREATE TABLE alignment_sections (
    alignment         INTEGER NOT NULL REFERENCES alignment_jobs (id),
    section           INTEGER NOT NULL,
    digest            TEXT NOT NULL, -- SHA-256 of what was asked about it
    lines             TEXT NOT NULL, -- its part of the dataset
    examples          INTEGER NOT NULL,
    loss              TEXT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (alignment, section)
) STRICT, WITHOUT ROWID;

-- The current alignment as the job's status depends on it; NULL without one.
ALTER TABLE jobs ADD COLUMN alignment_job_id TEXT;
ALTER TABLE jobs ADD COLUMN alignment_status TEXT;
