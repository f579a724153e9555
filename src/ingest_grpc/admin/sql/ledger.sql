-- Each statement finds one kind of problem: a line for a person per row, and the row of the job that a recount
-- repairs (`job`) or of the record that may join the queue (`stuck`). All run on one snapshot, after counts.sql.

-- name: ingestion_job_tallies
-- Ingestion jobs whose row does not count what their records are.
SELECT i.job, printf('ingestion job %s counts %s; its records are %s', i.ingestion_job_id,
    tally(i.queued, i.running, i.completed, i.failed, i.cancelled, i.unresolved),
    tally(c.queued, c.running, c.completed, c.failed, c.cancelled, c.unresolved)) AS problem
FROM ingestion_jobs AS i JOIN counted AS c ON c.ingestion_job = i.id
WHERE (i.queued, i.running, i.completed, i.failed, i.cancelled, i.unresolved)
   <> (c.queued, c.running, c.completed, c.failed, c.cancelled, c.unresolved);

-- name: ingestion_job_sums
-- Ingestion jobs whose pages, bytes or chunks are not those of their records.
SELECT i.job, printf('ingestion job %s counts %d pages, %d bytes, %d chunks; its records %d, %d, %d',
    i.ingestion_job_id, i.pages, i.bytes_in, i.chunks_created, c.pages, c.bytes_in, c.chunks) AS problem
FROM ingestion_jobs AS i JOIN counted AS c ON c.ingestion_job = i.id
WHERE (i.pages, i.bytes_in, i.chunks_created) <> (c.pages, c.bytes_in, c.chunks);

-- name: ingestion_job_statuses
-- Ingestion jobs whose status does not follow from their records.
SELECT i.job, printf('ingestion job %s is %s; by its records it is %s', i.ingestion_job_id, i.status,
    ingestion_job_status(c.queued, c.running, c.completed, c.failed, c.cancelled, i.started_at IS NOT NULL)) AS problem
FROM ingestion_jobs AS i JOIN counted AS c ON c.ingestion_job = i.id
WHERE i.status <> ingestion_job_status(
    c.queued, c.running, c.completed, c.failed, c.cancelled, i.started_at IS NOT NULL);

-- name: ingestion_job_errors
-- Ingestion jobs whose error is not that of their first failed record.
SELECT i.job, printf('ingestion job %s failed with %s; by its records with %s', i.ingestion_job_id,
    coalesce(i.error_reason, 'nothing'), coalesce(r.error_reason, 'nothing')) AS problem
FROM ingestion_jobs AS i LEFT JOIN file_records AS r ON i.status = 'FAILED' AND r.id = (
    SELECT min(id) FROM file_records WHERE ingestion_job = i.id AND status = 'FAILED' AND deleted_at IS NULL)
WHERE (i.error_reason, i.error_step) IS NOT (r.error_reason, r.error_step);

-- name: ingestion_job_times
-- Ingestion jobs that ended and are not done, or the other way round.
SELECT i.job, printf('ingestion job %s has %d records in flight and %s', i.ingestion_job_id, c.queued + c.running,
    iif(i.completed_at IS NULL, 'no time of completion', 'a time of completion')) AS problem
FROM ingestion_jobs AS i JOIN counted AS c ON c.ingestion_job = i.id
WHERE (i.completed_at IS NULL) <> (c.queued + c.running > 0);

-- name: ingestion_job_starts
-- Ingestion jobs that never started although a record was claimed.
SELECT printf('ingestion job %s has a record that was claimed, but no time of start', i.ingestion_job_id) AS problem
FROM ingestion_jobs AS i JOIN counted AS c ON c.ingestion_job = i.id
WHERE i.started_at IS NULL AND c.attempts > 0;

-- name: job_tallies
-- Jobs whose row does not count what their records are.
SELECT j.id AS job, printf('job %s counts %s; its records are %s', j.job_id,
    tally(j.queued, j.running, j.completed, j.failed, j.cancelled, j.unresolved),
    tally(c.queued, c.running, c.completed, c.failed, c.cancelled, c.unresolved)) AS problem
FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
WHERE (j.queued, j.running, j.completed, j.failed, j.cancelled, j.unresolved)
   <> (c.queued, c.running, c.completed, c.failed, c.cancelled, c.unresolved);

-- name: job_markdown_files
-- Jobs whose row does not count their Markdown.
SELECT j.id AS job, printf('job %s counts %d Markdown files; it lists %d', j.job_id, j.markdown_files,
    c.markdown_files) AS problem
FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
WHERE j.markdown_files <> c.markdown_files;

-- name: job_expired_outputs
-- Jobs whose row does not count the outputs that expired.
SELECT j.id AS job, printf('job %s counts %d expired outputs; its records have %d', j.job_id, j.expired_outputs,
    c.expired) AS problem
FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
WHERE j.expired_outputs <> c.expired;

-- name: job_archives
-- Jobs whose row does not count their archives.
SELECT j.id AS job, printf('job %s counts %d archives; its records have %d', j.job_id, j.archives,
    c.archives) AS problem
FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
WHERE j.archives <> c.archives;

-- name: archive_members
-- Archives that do not have the members that they say they have.
SELECT printf('record %s is an archive of %d members; %d records came out of it', r.record_id, r.member_count,
    (SELECT count(*) FROM file_records AS m WHERE m.parent_record_id = r.record_id)) AS problem
FROM file_records AS r
WHERE r.member_count IS NOT NULL
  AND r.member_count <> (SELECT count(*) FROM file_records AS m WHERE m.parent_record_id = r.record_id);

-- name: archive_parents
-- Records that came out of an archive which is not there, not complete, in another job, or was removed without them.
SELECT printf('record %s came out of %s, which is no archive that it could come from', m.record_id,
    m.parent_record_id) AS problem
FROM file_records AS m LEFT JOIN file_records AS r ON r.record_id = m.parent_record_id
WHERE m.parent_record_id IS NOT NULL AND (
    r.id IS NULL OR r.status <> 'COMPLETED' OR r.member_count IS NULL OR r.job <> m.job
    OR (r.deleted_at IS NOT NULL AND m.deleted_at IS NULL));

-- name: job_chunks
-- Jobs whose row does not count the chunks of their records.
SELECT j.id AS job, printf('job %s counts %d chunks; its records have %d', j.job_id, j.chunks_created,
    c.chunks) AS problem
FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
WHERE j.chunks_created <> c.chunks;

-- name: job_statuses
-- Jobs whose status does not follow from their rows.
SELECT j.id AS job, printf('job %s is %s; by its rows it is %s', j.job_id, j.status, derived) AS problem
FROM (
    SELECT j.*, job_status(j.job_type, c.queued, c.running, c.completed, c.failed, c.cancelled, c.unresolved,
        c.markdown_files, c.expired, c.archives, j.system_prompt <> '', j.knowledge_base_id IS NOT NULL,
        j.cancel_requested, j.ever_active,
        coalesce(a.status, '')) AS derived
    FROM jobs AS j JOIN counted_jobs AS c ON c.job = j.id
    LEFT JOIN alignment_jobs AS a ON a.job = j.id AND a.retired_at IS NULL
) AS j
WHERE j.status <> derived;

-- name: job_activity
-- Jobs that say that nothing ever happened although they have files or were started; of a knowledge base it says
-- that a sync was interrupted, which the next start ends.
SELECT j.id AS job, printf('job %s says that nothing was ever added to it, but it has files', j.job_id) AS problem
FROM jobs AS j
WHERE j.ever_active = 0 AND j.job_type <> 'KNOWLEDGE_BASE' AND (
    EXISTS (SELECT 1 FROM file_records AS r WHERE r.job = j.id)
    OR EXISTS (SELECT 1 FROM job_files AS m WHERE m.job = j.id)
    OR EXISTS (SELECT 1 FROM alignment_jobs AS a WHERE a.job = j.id));

-- name: timeline_gaps
-- Jobs whose timeline has holes between its earliest and its last event.
SELECT printf('job %s: %d events are missing from its timeline of %d to %d, the first is %d', j.job_id,
    j.last_sequence - j.earliest_sequence + 1 - count(e.sequence), j.earliest_sequence, j.last_sequence,
    iif(coalesce(min(e.sequence) > j.earliest_sequence, 1), j.earliest_sequence, (
        SELECT min(s.sequence) + 1 FROM events AS s
        WHERE s.job = j.id AND s.sequence >= j.earliest_sequence
          AND NOT EXISTS (SELECT 1 FROM events AS n WHERE n.job = s.job AND n.sequence = s.sequence + 1)
    ))) AS problem
FROM jobs AS j
LEFT JOIN events AS e ON e.job = j.id AND e.sequence BETWEEN j.earliest_sequence AND j.last_sequence
WHERE j.purged_at IS NULL
GROUP BY j.id
HAVING count(e.sequence) <> j.last_sequence - j.earliest_sequence + 1;

-- name: timeline_leftovers
-- Jobs that kept events which were compacted: before the earliest event only milestones stay.
SELECT printf('job %s: %d events before its earliest, %d, are no milestones', j.job_id, count(e.sequence),
    j.earliest_sequence) AS problem
FROM jobs AS j JOIN events AS e ON e.job = j.id AND e.sequence < j.earliest_sequence AND e.milestone = 0
GROUP BY j.id;

-- name: timeline_ends
-- Jobs whose timeline goes on beyond what their row says.
SELECT printf('job %s: its timeline ends with event %d; its row says %d', j.job_id, max(e.sequence),
    j.last_sequence) AS problem
FROM jobs AS j JOIN events AS e ON e.job = j.id AND e.sequence > j.last_sequence
GROUP BY j.id;

-- name: record_events
-- Records whose last change is not in the timeline.
SELECT printf('record %s: its last change, event %d of job %s, does not exist', r.record_id, r.last_sequence,
    j.job_id) AS problem
FROM file_records AS r JOIN jobs AS j ON j.id = r.job
WHERE r.last_sequence >= j.earliest_sequence AND j.purged_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.job = r.job AND e.sequence = r.last_sequence);

-- name: record_owners
-- Records that do not belong together with their job, ingestion job, file and team.
SELECT printf('record %s belongs to job %s of team %s, but its ingestion job or its file does not', r.record_id,
    j.job_id, j.team) AS problem
FROM file_records AS r
JOIN jobs AS j ON j.id = r.job JOIN ingestion_jobs AS i ON i.id = r.ingestion_job JOIN files AS f ON f.id = r.file
WHERE i.job <> r.job OR r.team <> j.team OR i.team <> j.team OR f.team <> j.team;

-- name: record_triggers
-- Records in a status to which their last trigger does not lead.
SELECT printf('record %s is %s by %s, which no transition allows', r.record_id, r.status, r.last_trigger) AS problem
FROM file_records AS r
WHERE NOT EXISTS (SELECT 1 FROM transitions AS t WHERE t.trigger = r.last_trigger AND t.to_status = r.status);

-- name: records_stuck
-- Queued records that nobody can claim and that wait for nothing.
SELECT r.id AS stuck, printf('record %s is QUEUED, but neither claimable nor due at any time', r.record_id) AS problem
FROM file_records AS r
WHERE r.status = 'QUEUED' AND r.claimable = 0 AND r.next_attempt_at IS NULL;

-- name: records_early
-- Claimable records that still wait.
SELECT r.id AS stuck, printf('record %s is claimable although it waits for its back-off', r.record_id) AS problem
FROM file_records AS r
WHERE r.claimable = 1 AND (r.next_attempt_at IS NOT NULL OR r.wait_reason IS NOT NULL);

-- name: records_removed
-- Records that were removed and are still in flight.
SELECT printf('record %s was removed and is still %s', r.record_id, r.status) AS problem
FROM file_records AS r
WHERE r.deleted_at IS NOT NULL AND r.status IN ('QUEUED', 'RUNNING');

-- name: record_sources
-- Live records whose source file is deleted.
SELECT printf('record %s reads file %s, which is deleted', r.record_id, f.file_id) AS problem
FROM file_records AS r JOIN files AS f ON f.id = r.file
WHERE r.deleted_at IS NULL AND f.deleted_at IS NOT NULL;

-- name: record_outputs
-- Completed records without their output.
SELECT printf('record %s is COMPLETED, but its output %s is not there', r.record_id, r.output_file_id) AS problem
FROM file_records AS r LEFT JOIN files AS f ON f.file_id = r.output_file_id
WHERE r.status = 'COMPLETED'
  AND (f.id IS NULL OR f.kind <> 'OUTPUT'
    OR (r.deleted_at IS NULL AND r.output_expired_at IS NULL AND f.deleted_at IS NOT NULL));

-- name: record_output_sizes
-- Completed records whose output has another size.
SELECT printf('record %s made %d bytes; its output %s has %d', r.record_id, r.bytes_out, f.file_id,
    f.size_bytes) AS problem
FROM file_records AS r JOIN files AS f ON f.file_id = r.output_file_id
WHERE r.status = 'COMPLETED' AND r.bytes_out <> f.size_bytes;

-- name: output_records
-- Outputs that no completed record and no completed alignment made.
SELECT printf('output %s was made by no completed record', f.file_id) AS problem
FROM files AS f
WHERE f.kind = 'OUTPUT'
  AND NOT EXISTS (
    SELECT 1 FROM file_records AS r WHERE r.output_file_id = coalesce(f.image_of, f.file_id) AND r.status = 'COMPLETED')
  AND NOT EXISTS (SELECT 1 FROM alignment_jobs AS a WHERE a.output_file_id = f.file_id AND a.status = 'COMPLETED');

-- name: job_file_files
-- Markdown on a job's file list that is deleted.
SELECT printf('job %s lists file %s, which is deleted', j.job_id, f.file_id) AS problem
FROM job_files AS m JOIN jobs AS j ON j.id = m.job JOIN files AS f ON f.id = m.file
WHERE m.removed_at IS NULL AND f.deleted_at IS NOT NULL AND j.purged_at IS NULL;

-- name: file_blobs
-- Live files whose blob is marked deleted, or describes other bytes.
SELECT printf('file %s: its blob %s %s', f.file_id, b.blob_key,
    iif(b.deleted_at IS NULL, 'has another size or SHA-256', 'is marked deleted')) AS problem
FROM files AS f JOIN blobs AS b ON b.id = f.blob
WHERE f.deleted_at IS NULL AND (b.deleted_at IS NOT NULL OR (b.size_bytes, b.sha256) <> (f.size_bytes, f.sha256));

-- name: blob_files
-- Blobs that are kept although no file needs them.
SELECT printf('blob %s is kept although no file needs it', b.blob_key) AS problem
FROM blobs AS b
WHERE b.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM files AS f WHERE f.blob = b.id AND f.deleted_at IS NULL);
