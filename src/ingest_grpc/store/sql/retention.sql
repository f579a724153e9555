-- name: job_to_compact^
-- The settled job that has waited longest for its events to be compacted.
SELECT * FROM jobs WHERE compactable_since < :before ORDER BY compactable_since LIMIT 1;

-- name: oldest_events
-- The first events of a job that were not compacted yet, as far as they are old enough.
SELECT id, sequence, milestone, in_feed FROM events
WHERE job = :job AND sequence >= :earliest AND timestamp < :before ORDER BY sequence LIMIT :limit;

-- name: compact_events!
-- Drops what is no milestone in a range of a job's events.
DELETE FROM events WHERE job = :job AND sequence BETWEEN :first AND :last AND milestone = 0;

-- name: set_earliest_sequence!
-- From where on a job's log is whole.
UPDATE jobs SET earliest_sequence = :earliest WHERE id = :job;

-- name: end_compaction!
-- A job's old events are compacted; younger ones have their time still to come.
UPDATE jobs SET compactable_since = (
    SELECT timestamp FROM events WHERE job = :job AND sequence >= :earliest AND milestone = 0 ORDER BY sequence LIMIT 1
) WHERE id = :job;

-- name: outputs_before
-- Outputs made before a time, oldest first; pictures go with the output that shows them.
SELECT f.*, b.blob_key FROM files AS f JOIN blobs AS b ON b.id = f.blob
WHERE f.kind = 'OUTPUT' AND f.image_of IS NULL AND f.deleted_at IS NULL AND f.created_at < :before
  AND (f.created_at, f.id) > (:after_created_at, :after_row)
ORDER BY f.created_at, f.id LIMIT :limit;
