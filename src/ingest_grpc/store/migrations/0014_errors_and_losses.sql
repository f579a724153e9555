-- Why an ingestion job failed: the error of its first failed live record, there only while its status is FAILED.

ALTER TABLE ingestion_jobs ADD COLUMN error_reason TEXT;
ALTER TABLE ingestion_jobs ADD COLUMN error_step TEXT;
ALTER TABLE ingestion_jobs ADD COLUMN error_detail TEXT NOT NULL DEFAULT '';

UPDATE ingestion_jobs
SET error_reason = first.error_reason, error_step = first.error_step, error_detail = first.error_detail
FROM file_records AS first
WHERE ingestion_jobs.status = 'FAILED' AND first.id = (
    SELECT min(r.id) FROM file_records AS r
    WHERE r.ingestion_job = ingestion_jobs.id AND r.status = 'FAILED' AND r.deleted_at IS NULL
);

-- How many of a record's losses, the last ones, are about chunks in the index rather than about the Markdown.

ALTER TABLE file_records ADD COLUMN chunk_losses INTEGER NOT NULL DEFAULT 0;

DROP VIEW file_record_rows;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
