-- Archives: each member is a record of its own that names the record it was unpacked from.

ALTER TABLE file_records ADD COLUMN parent_record_id TEXT; -- the archive's record
ALTER TABLE file_records ADD COLUMN archive_depth INTEGER NOT NULL DEFAULT 0; -- archives around it
ALTER TABLE file_records ADD COLUMN root_record_id TEXT; -- the outermost of them
ALTER TABLE file_records ADD COLUMN member_count INTEGER; -- of an archive that was unpacked

CREATE INDEX records_by_parent ON file_records (parent_record_id, id) WHERE parent_record_id IS NOT NULL;
CREATE INDEX records_by_root ON file_records (root_record_id) WHERE root_record_id IS NOT NULL;

-- Completed records that are no viable file: their output only lists the members of an archive.
ALTER TABLE jobs ADD COLUMN archives INTEGER NOT NULL DEFAULT 0 CHECK (archives >= 0);

DROP VIEW file_record_rows;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
