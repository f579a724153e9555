-- What callers set on jobs, how they find them again, and how they delete them.

ALTER TABLE jobs ADD COLUMN external_id TEXT;
ALTER TABLE jobs ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'; -- JSON object of strings
ALTER TABLE jobs ADD COLUMN origin_job_id TEXT;
ALTER TABLE jobs ADD COLUMN files_sequence INTEGER NOT NULL DEFAULT 0; -- of the last event that changed its files
ALTER TABLE jobs ADD COLUMN deleted_at INTEGER;
ALTER TABLE jobs ADD COLUMN purge_at INTEGER;

CREATE UNIQUE INDEX jobs_by_external_id ON jobs (team, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX jobs_to_purge ON jobs (purge_at) WHERE purge_at IS NOT NULL;

-- Lists hide deleted jobs: their index does not hold them either, so that they cost nothing.
DROP INDEX jobs_by_team;
DROP INDEX jobs_by_status;
CREATE INDEX jobs_by_team ON jobs (team, id) WHERE deleted_at IS NULL;
CREATE INDEX jobs_by_status ON jobs (team, status, id) WHERE deleted_at IS NULL;
CREATE INDEX jobs_by_creation ON jobs (team, created_at, id);
CREATE INDEX jobs_by_name ON jobs (team, name, id);
CREATE INDEX jobs_by_update ON jobs (team, updated_at, id);
CREATE INDEX jobs_by_type ON jobs (team, job_type, id);
