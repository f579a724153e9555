-- The ledger: jobs, their records and files, and the timeline of all that happened to them.
-- Public ids stand in one unique column each; everything inside refers to integer keys.
-- Times are UTC microseconds since the epoch.

CREATE TABLE ledger (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    ledger_id  TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Filled from lifecycle.TRANSITIONS at every start; the guards below refuse whatever is not in it.
CREATE TABLE transitions (
    from_status TEXT NOT NULL, -- '' for a new record
    trigger     TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    PRIMARY KEY (from_status, trigger)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id                       INTEGER PRIMARY KEY,
    job_id                   TEXT NOT NULL UNIQUE,
    team                     TEXT NOT NULL,
    user_id                  TEXT NOT NULL,
    name                     TEXT NOT NULL,
    description              TEXT NOT NULL,
    job_type                 TEXT NOT NULL,
    status                   TEXT NOT NULL,
    method                   TEXT NOT NULL,
    system_prompt            TEXT NOT NULL,
    system_prompt_updated_at INTEGER,
    instructions             TEXT NOT NULL,
    instructions_updated_at  INTEGER,
    queued                   INTEGER NOT NULL CHECK (queued >= 0),
    running                  INTEGER NOT NULL CHECK (running >= 0),
    completed                INTEGER NOT NULL CHECK (completed >= 0),
    failed                   INTEGER NOT NULL CHECK (failed >= 0),
    cancelled                INTEGER NOT NULL CHECK (cancelled >= 0),
    unresolved               INTEGER NOT NULL CHECK (unresolved >= 0),
    markdown_files           INTEGER NOT NULL CHECK (markdown_files >= 0),
    cancel_requested         INTEGER NOT NULL,
    ever_active              INTEGER NOT NULL,
    last_sequence            INTEGER NOT NULL,
    earliest_sequence        INTEGER NOT NULL,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
) STRICT;

CREATE INDEX jobs_by_team ON jobs (team, id);
CREATE INDEX jobs_by_status ON jobs (team, status, id);

CREATE TABLE ingestion_jobs (
    id               INTEGER PRIMARY KEY,
    ingestion_job_id TEXT NOT NULL UNIQUE,
    job              INTEGER NOT NULL REFERENCES jobs (id),
    team             TEXT NOT NULL,
    status           TEXT NOT NULL,
    queued           INTEGER NOT NULL CHECK (queued >= 0),
    running          INTEGER NOT NULL CHECK (running >= 0),
    completed        INTEGER NOT NULL CHECK (completed >= 0),
    failed           INTEGER NOT NULL CHECK (failed >= 0),
    cancelled        INTEGER NOT NULL CHECK (cancelled >= 0),
    unresolved       INTEGER NOT NULL CHECK (unresolved >= 0),
    pages            INTEGER NOT NULL,
    bytes_in         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    completed_at     INTEGER,
    last_sequence    INTEGER NOT NULL
) STRICT;

CREATE INDEX ingestion_jobs_by_job ON ingestion_jobs (job, id);
CREATE INDEX ingestion_jobs_by_job_status ON ingestion_jobs (job, status, id);
CREATE INDEX ingestion_jobs_by_team ON ingestion_jobs (team, id);
CREATE INDEX ingestion_jobs_by_team_status ON ingestion_jobs (team, status, id);

CREATE TABLE blobs (
    id         INTEGER PRIMARY KEY,
    blob_key   TEXT NOT NULL UNIQUE,
    team       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    shareable  INTEGER NOT NULL, -- uploads of equal bytes share one blob, outputs do not
    deleted_at INTEGER           -- set when nothing refers to it any more; then the bytes go, then the row
) STRICT;

CREATE UNIQUE INDEX blobs_by_content ON blobs (team, sha256) WHERE shareable = 1 AND deleted_at IS NULL;
CREATE INDEX blobs_deleted ON blobs (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE files (
    id           INTEGER PRIMARY KEY,
    file_id      TEXT NOT NULL UNIQUE,
    team         TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    filename     TEXT NOT NULL,
    path         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    markdown     INTEGER NOT NULL, -- valid, non-empty Markdown: needs no conversion
    blob         INTEGER REFERENCES blobs (id),
    created_at   INTEGER NOT NULL,
    deleted_at   INTEGER,
    CHECK (deleted_at IS NOT NULL OR blob IS NOT NULL)
) STRICT;

CREATE INDEX files_by_team ON files (team, id) WHERE deleted_at IS NULL;
CREATE INDEX files_by_kind ON files (team, kind, id) WHERE deleted_at IS NULL;
CREATE INDEX files_by_blob ON files (blob) WHERE deleted_at IS NULL;

CREATE TABLE file_records (
    id              INTEGER PRIMARY KEY,
    record_id       TEXT NOT NULL UNIQUE,
    job             INTEGER NOT NULL REFERENCES jobs (id),
    ingestion_job   INTEGER NOT NULL REFERENCES ingestion_jobs (id),
    file            INTEGER NOT NULL REFERENCES files (id),
    output_file_id  TEXT NOT NULL UNIQUE,
    team            TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    filename        TEXT NOT NULL,
    output_filename TEXT NOT NULL,
    method          TEXT NOT NULL,
    engine_name     TEXT,
    engine_version  TEXT,
    status          TEXT NOT NULL,
    last_trigger    TEXT NOT NULL, -- what led to status; the guard checks the pair
    step            TEXT,
    error_reason    TEXT,
    error_step      TEXT,
    error_detail    TEXT NOT NULL DEFAULT '',
    warnings        TEXT NOT NULL DEFAULT '[]',
    losses          TEXT NOT NULL DEFAULT '[]',
    attempt         INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    orphaned_count  INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    wait_reason     TEXT,
    worker_id       TEXT,
    replaces        INTEGER REFERENCES file_records (id), -- resolved by this record once it completes
    superseded_by   TEXT, -- id of the record, or of the Markdown file, that resolved this one
    deleted_at      INTEGER,
    created_at      INTEGER NOT NULL,
    processing_at   INTEGER,
    completed_at    INTEGER,
    failed_at       INTEGER,
    cancelled_at    INTEGER,
    pages           INTEGER,
    bytes_in        INTEGER NOT NULL,
    bytes_out       INTEGER,
    last_sequence   INTEGER NOT NULL,
    priority        INTEGER NOT NULL DEFAULT 0,
    fair_tag        INTEGER NOT NULL,
    claimable       INTEGER NOT NULL,
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND processing_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND bytes_out IS NOT NULL AND bytes_out > 0)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL)
) STRICT;

CREATE INDEX records_to_claim ON file_records (priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX records_delayed ON file_records (next_attempt_at) WHERE status = 'QUEUED' AND claimable = 0;
CREATE INDEX records_queued_by_team ON file_records (team, priority, fair_tag) WHERE status = 'QUEUED';
CREATE INDEX records_running ON file_records (id) WHERE status = 'RUNNING';
CREATE INDEX records_by_job ON file_records (job, id);
CREATE INDEX records_by_job_status ON file_records (job, status, id);
CREATE INDEX records_claimable_by_job ON file_records (job, priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX records_by_ingestion_job ON file_records (ingestion_job, id);
CREATE INDEX records_by_ingestion_job_status ON file_records (ingestion_job, status, id);
CREATE INDEX records_by_file ON file_records (file, job);
CREATE INDEX records_unresolved ON file_records (job, id)
    WHERE status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL;

CREATE INDEX records_unresolved_by_name ON file_records (job, filename)
    WHERE status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL;

CREATE TRIGGER file_records_new BEFORE INSERT ON file_records
WHEN NOT EXISTS (
    SELECT 1 FROM transitions WHERE from_status = '' AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;

CREATE TRIGGER file_records_guard BEFORE UPDATE OF status, last_trigger ON file_records
WHEN NOT EXISTS (
    SELECT 1 FROM transitions
    WHERE from_status = OLD.status AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;

-- Markdown that skipped ingestion: viable at once, without a record.
CREATE TABLE job_files (
    id         INTEGER PRIMARY KEY,
    job        INTEGER NOT NULL REFERENCES jobs (id),
    file       INTEGER NOT NULL REFERENCES files (id),
    added_at   INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX job_files_live ON job_files (job, file) WHERE removed_at IS NULL;
CREATE INDEX job_files_by_file ON job_files (file) WHERE removed_at IS NULL;
CREATE INDEX job_files_by_job ON job_files (job, id) WHERE removed_at IS NULL;

CREATE TABLE events (
    id        INTEGER PRIMARY KEY, -- rises with every commit: the order of a feed over all jobs
    job       INTEGER NOT NULL REFERENCES jobs (id),
    sequence  INTEGER NOT NULL CHECK (sequence > 0),
    team      TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    type      TEXT NOT NULL,
    milestone INTEGER NOT NULL,
    message   TEXT NOT NULL,
    actor     TEXT NOT NULL,
    trigger   TEXT,
    change    TEXT NOT NULL -- JSON of model.Change
) STRICT;

CREATE UNIQUE INDEX events_by_job ON events (job, sequence);
CREATE INDEX events_milestones ON events (job, sequence) WHERE milestone = 1;

CREATE TABLE queue_clock (
    priority     INTEGER PRIMARY KEY,
    virtual_time INTEGER NOT NULL -- greatest fair_tag claimed so far
) STRICT;

CREATE TABLE requests (
    id           INTEGER PRIMARY KEY,
    team         TEXT NOT NULL,
    method       TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    result       TEXT NOT NULL, -- JSON: ids and per-item results
    created_at   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX requests_by_id ON requests (team, method, request_id);
CREATE INDEX requests_by_age ON requests (created_at);

CREATE TABLE api_keys (
    id          INTEGER PRIMARY KEY,
    key_id      TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL UNIQUE, -- SHA-256 of a 256-bit random secret
    team        TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    scopes      TEXT NOT NULL, -- JSON list
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;

-- What a record shows, joined to its row. CROSS JOIN keeps the record's own indexes in charge of the order.
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
