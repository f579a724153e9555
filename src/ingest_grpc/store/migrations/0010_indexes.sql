-- Deleting a row asks who refers to it, and that question needs an index of its own: one with a condition that the
-- question does not have is no help. Without these, a purge read all records once for each that it removed.

CREATE INDEX records_replacing ON file_records (replaces) WHERE replaces IS NOT NULL;
DROP INDEX files_by_blob;
CREATE INDEX files_by_blob ON files (blob) WHERE blob IS NOT NULL;
DROP INDEX job_files_by_file;
CREATE INDEX job_files_by_file ON job_files (file);
CREATE INDEX job_files_ever ON job_files (job, file);

-- What a sync or a reindex takes up again is found without reading all documents that ever were.
CREATE INDEX documents_clearing ON documents (id) WHERE removed_at IS NOT NULL AND cleared_at IS NULL;
CREATE INDEX documents_uncleared ON documents (knowledge_base, id) WHERE cleared_at IS NULL;
CREATE INDEX documents_next ON documents (knowledge_base) WHERE next_record IS NOT NULL;
