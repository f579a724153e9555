-- name: create_counted!
-- Room for what the records of each ingestion job add up to.
CREATE TEMP TABLE counted (
    ingestion_job INTEGER PRIMARY KEY,
    job INTEGER, queued INTEGER, running INTEGER, completed INTEGER, failed INTEGER, cancelled INTEGER,
    unresolved INTEGER, pages INTEGER, bytes_in INTEGER, attempts INTEGER, expired INTEGER, archives INTEGER,
    chunks INTEGER
);

-- name: count_records!
-- What the live records of each ingestion job add up to, and whether any was ever claimed.
INSERT INTO counted
SELECT
    i.id, i.job,
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.status = 'QUEUED'),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.status = 'RUNNING'),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.status = 'COMPLETED'),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.status = 'FAILED'),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.status = 'CANCELLED'),
    count(*) FILTER (
        WHERE r.deleted_at IS NULL AND r.status IN ('FAILED', 'CANCELLED') AND r.superseded_by IS NULL
    ),
    coalesce(sum(r.pages) FILTER (WHERE r.deleted_at IS NULL), 0),
    coalesce(sum(r.bytes_in) FILTER (WHERE r.deleted_at IS NULL), 0),
    coalesce(max(r.attempt), 0),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.output_expired_at IS NOT NULL),
    count(*) FILTER (WHERE r.deleted_at IS NULL AND r.output_expired_at IS NULL AND r.member_count IS NOT NULL),
    coalesce(sum(r.chunks_created) FILTER (WHERE r.deleted_at IS NULL), 0)
FROM ingestion_jobs AS i LEFT JOIN file_records AS r ON r.ingestion_job = i.id
WHERE i.job NOT IN (SELECT j.id FROM jobs AS j WHERE j.purged_at IS NOT NULL) -- their rows go in slices
GROUP BY i.id;

-- name: create_counted_jobs!
-- Room for what the ingestion jobs of each job add up to.
CREATE TEMP TABLE counted_jobs (
    job INTEGER PRIMARY KEY,
    queued INTEGER, running INTEGER, completed INTEGER, failed INTEGER, cancelled INTEGER, unresolved INTEGER,
    markdown_files INTEGER, expired INTEGER, archives INTEGER, chunks INTEGER
);

-- name: count_jobs!
-- What the ingestion jobs of each job add up to, and its Markdown that skipped ingestion.
INSERT INTO counted_jobs
SELECT
    j.id, coalesce(sum(c.queued), 0), coalesce(sum(c.running), 0), coalesce(sum(c.completed), 0),
    coalesce(sum(c.failed), 0), coalesce(sum(c.cancelled), 0), coalesce(sum(c.unresolved), 0),
    (SELECT count(*) FROM job_files AS m WHERE m.job = j.id AND m.removed_at IS NULL),
    coalesce(sum(c.expired), 0), coalesce(sum(c.archives), 0), coalesce(sum(c.chunks), 0)
FROM jobs AS j LEFT JOIN ingestion_jobs AS i ON i.job = j.id LEFT JOIN counted AS c ON c.ingestion_job = i.id
WHERE j.purged_at IS NULL
GROUP BY j.id;

-- name: totals^
-- How much there is to check.
SELECT
    (SELECT count(*) FROM jobs) AS jobs,
    (SELECT count(*) FROM ingestion_jobs) AS ingestion_jobs,
    (SELECT count(*) FROM file_records) AS records,
    (SELECT count(*) FROM alignment_jobs) AS alignments,
    (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM files) AS files,
    (SELECT count(*) FROM knowledge_bases WHERE purged_at IS NULL) AS knowledge_bases,
    (SELECT count(*) FROM documents WHERE removed_at IS NULL) AS documents,
    (SELECT count(*) FROM blobs) AS blobs;

-- name: create_stored!
-- Room for the listing of the blob store.
CREATE TEMP TABLE stored (blob_key TEXT PRIMARY KEY, size_bytes INTEGER, written_at INTEGER) WITHOUT ROWID;
