-- Conversions that need not be done twice, priorities, and what one team may take.

ALTER TABLE file_records ADD COLUMN reused_from TEXT; -- the record whose output this one shares
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN max_priority INTEGER NOT NULL DEFAULT 0;

CREATE INDEX files_by_content ON files (team, sha256, id);
CREATE INDEX records_capped ON file_records (team, priority DESC, fair_tag, id)
    WHERE status = 'QUEUED' AND claimable = 0 AND wait_reason = 'TEAM_CAP';
CREATE INDEX records_claimable_by_team ON file_records (team) WHERE claimable = 1;
CREATE INDEX records_running_by_team ON file_records (team) WHERE status = 'RUNNING';
DROP INDEX records_delayed;
CREATE INDEX records_delayed ON file_records (next_attempt_at)
    WHERE status = 'QUEUED' AND claimable = 0 AND next_attempt_at IS NOT NULL;

DROP VIEW file_record_rows;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;

-- What each team stores; kept by triggers, so that it can only be wrong together with the blobs.
CREATE TABLE team_usage (
    team  TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT;

INSERT INTO team_usage (team, bytes) SELECT team, sum(size_bytes) FROM blobs WHERE deleted_at IS NULL GROUP BY team;

CREATE TRIGGER blobs_counted AFTER INSERT ON blobs
BEGIN
    INSERT INTO team_usage (team, bytes) VALUES (NEW.team, NEW.size_bytes)
    ON CONFLICT (team) DO UPDATE SET bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER blobs_released AFTER UPDATE OF deleted_at ON blobs
WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
BEGIN
    UPDATE team_usage SET bytes = bytes - OLD.size_bytes WHERE team = OLD.team;
END;
