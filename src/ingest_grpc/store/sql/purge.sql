-- Rows of a purged job go in slices, children first: nothing refers to what is gone.

-- name: purge_events
-- Some of the events of a job.
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE job = :job LIMIT :limit) RETURNING id, in_feed;

-- name: purge_markdown_files
-- Some of the Markdown entries of a job, removed ones included.
DELETE FROM job_files WHERE id IN (SELECT id FROM job_files WHERE job = :job LIMIT :limit) RETURNING file;

-- name: purge_ingestion_jobs!
-- Some of the ingestion jobs of a job.
DELETE FROM ingestion_jobs WHERE id IN (SELECT id FROM ingestion_jobs WHERE job = :job LIMIT :limit);

-- name: purge_job!
-- The job itself.
DELETE FROM jobs WHERE id = :job;

-- name: records_to_purge
-- Some records of a job, newest first: a record may refer to an older one that it replaces.
SELECT id, file, output_file_id FROM file_records WHERE job = :job ORDER BY id DESC LIMIT :limit;

-- name: forget_record!
-- The document of a record that is purged keeps its chunks, not the record.
UPDATE documents SET record = NULL WHERE record = :row_id;

-- name: purge_record!
-- One record.
DELETE FROM file_records WHERE id = :row_id;

-- name: file_is_used^
-- Whether any record or Markdown entry still names a file, removed ones included.
SELECT EXISTS (SELECT 1 FROM file_records WHERE file = :file) OR EXISTS (SELECT 1 FROM job_files WHERE file = :file)
    OR EXISTS (SELECT 1 FROM documents WHERE file = :file) OR EXISTS (SELECT 1 FROM documents WHERE indexed_file = :file);

-- name: file_by_row^
-- A file by its integer key.
SELECT f.*, b.blob_key FROM files AS f LEFT JOIN blobs AS b ON b.id = f.blob WHERE f.id = :row_id;

-- name: purge_file!
-- The row of a file that nothing names.
DELETE FROM files WHERE id = :row_id;
