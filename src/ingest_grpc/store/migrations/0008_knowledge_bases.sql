-- Knowledge bases: what they hold, where it comes from, and which version of it is in the index.

CREATE TABLE knowledge_bases (
    id                INTEGER PRIMARY KEY,
    knowledge_base_id TEXT NOT NULL UNIQUE,
    team              TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    name              TEXT NOT NULL,
    description       TEXT NOT NULL,
    external_id       TEXT,
    indexing          TEXT NOT NULL, -- JSON of model.Indexing: the set of chunks that is searched
    next              TEXT,          -- JSON of model.Reindexing: the set that a job fills
    generations       INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    deleted_at        INTEGER,
    purge_at          INTEGER,
    purged_at         INTEGER        -- its chunks are gone, and so is all that it held; the row stays for old jobs
) STRICT;

CREATE INDEX knowledge_bases_by_team ON knowledge_bases (team, id) WHERE deleted_at IS NULL;
CREATE INDEX knowledge_bases_all ON knowledge_bases (team, id) WHERE purged_at IS NULL;
CREATE UNIQUE INDEX knowledge_bases_by_external_id ON knowledge_bases (team, external_id)
    WHERE external_id IS NOT NULL AND purged_at IS NULL;
CREATE INDEX knowledge_bases_to_purge ON knowledge_bases (purge_at) WHERE purge_at IS NOT NULL AND purged_at IS NULL;

CREATE TABLE data_sources (
    id                    INTEGER PRIMARY KEY,
    data_source_id        TEXT NOT NULL UNIQUE,
    knowledge_base        INTEGER NOT NULL REFERENCES knowledge_bases (id),
    team                  TEXT NOT NULL,
    user_id               TEXT NOT NULL,
    name                  TEXT NOT NULL,
    type                  TEXT NOT NULL,
    url                   TEXT NOT NULL,
    include_patterns      TEXT NOT NULL, -- JSON list
    exclude_patterns      TEXT NOT NULL, -- JSON list
    method                TEXT NOT NULL,
    sync_interval_seconds INTEGER,
    next_sync_at          INTEGER,
    last_sync             TEXT,          -- JSON of model.SyncSummary
    sync_job_id           TEXT,          -- the job of the last sync that had anything to do
    external_id           TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    removed_at            INTEGER
) STRICT;

CREATE INDEX data_sources_by_knowledge_base ON data_sources (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX data_sources_due ON data_sources (next_sync_at) WHERE next_sync_at IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX data_sources_by_external_id ON data_sources (team, external_id)
    WHERE external_id IS NOT NULL AND removed_at IS NULL;

-- The uploaded files of a data source of type FILES.
CREATE TABLE data_source_files (
    data_source INTEGER NOT NULL REFERENCES data_sources (id),
    place       INTEGER NOT NULL,
    file_id     TEXT NOT NULL,
    PRIMARY KEY (data_source, place)
) STRICT, WITHOUT ROWID;

-- One document per key of a knowledge base: a new row once a removed key comes back.
CREATE TABLE documents (
    id              INTEGER PRIMARY KEY,
    document_id     TEXT NOT NULL UNIQUE,
    knowledge_base  INTEGER NOT NULL REFERENCES knowledge_bases (id),
    data_source     INTEGER REFERENCES data_sources (id), -- NULL: added by hand or by a job
    parent          INTEGER REFERENCES documents (id),    -- the archive that it was unpacked from
    team            TEXT NOT NULL,
    key             TEXT NOT NULL,
    etag            TEXT NOT NULL, -- what the source calls the latest version
    file            INTEGER NOT NULL REFERENCES files (id),
    record          INTEGER,       -- the latest record; NULL once its job is purged
    indexed_record  INTEGER,       -- the record whose chunks are in the index, and its attempt
    indexed_attempt INTEGER,
    indexed_file    INTEGER REFERENCES files (id),
    chunks          INTEGER NOT NULL DEFAULT 0,
    deployed_at     INTEGER,
    next_record     INTEGER,       -- the same of the set of chunks that a reindex fills
    next_attempt    INTEGER,
    next_chunks     INTEGER,
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER,
    cleared_at      INTEGER,       -- since when the index holds no chunk of a removed document
    CHECK ((indexed_record IS NULL) = (deployed_at IS NULL)),
    CHECK (chunks >= 0 AND (indexed_record IS NOT NULL OR chunks = 0))
) STRICT;

CREATE UNIQUE INDEX documents_live ON documents (knowledge_base, coalesce(data_source, 0), key) WHERE removed_at IS NULL;
CREATE INDEX documents_by_knowledge_base ON documents (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX documents_by_data_source ON documents (data_source, id) WHERE removed_at IS NULL;
CREATE INDEX documents_by_parent ON documents (parent, id) WHERE parent IS NOT NULL AND removed_at IS NULL;
CREATE INDEX documents_by_file ON documents (file);
CREATE INDEX documents_by_indexed_file ON documents (indexed_file) WHERE indexed_file IS NOT NULL;
CREATE INDEX documents_by_record ON documents (record) WHERE record IS NOT NULL;
CREATE INDEX documents_to_clear ON documents (knowledge_base, id) WHERE removed_at IS NOT NULL AND cleared_at IS NULL;

ALTER TABLE jobs ADD COLUMN knowledge_base_id TEXT;
ALTER TABLE jobs ADD COLUMN data_source_id TEXT;
ALTER TABLE jobs ADD COLUMN chunks_created INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_by_knowledge_base ON jobs (knowledge_base_id, id) WHERE knowledge_base_id IS NOT NULL;

ALTER TABLE ingestion_jobs ADD COLUMN knowledge_base_id TEXT;
ALTER TABLE ingestion_jobs ADD COLUMN data_source_id TEXT;
ALTER TABLE ingestion_jobs ADD COLUMN chunks_created INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ingestion_jobs_by_knowledge_base ON ingestion_jobs (knowledge_base_id, id)
    WHERE knowledge_base_id IS NOT NULL;
CREATE INDEX ingestion_jobs_by_data_source ON ingestion_jobs (data_source_id, id) WHERE data_source_id IS NOT NULL;

ALTER TABLE file_records ADD COLUMN document INTEGER REFERENCES documents (id);
ALTER TABLE file_records ADD COLUMN chunks_created INTEGER;
ALTER TABLE file_records ADD COLUMN engine_job_id TEXT;
CREATE INDEX records_by_document ON file_records (document, id) WHERE document IS NOT NULL;
