-- Stored pictures: files that an output shows, and that go with it.

ALTER TABLE files ADD COLUMN image_of TEXT; -- file_id of that output
ALTER TABLE file_records ADD COLUMN image_file_ids TEXT NOT NULL DEFAULT '[]'; -- stays, as output_file_id does

CREATE INDEX files_by_image_of ON files (image_of) WHERE image_of IS NOT NULL;

DROP VIEW file_record_rows;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
