-- name: record^
-- A record of a job.
SELECT * FROM file_record_rows WHERE record_id = :record_id AND job = :job;

-- name: record_of_team^
-- A record of a team.
SELECT * FROM file_record_rows WHERE record_id = :record_id AND team = :team;

-- name: record_by_row^
-- A record by its integer key.
SELECT * FROM file_record_rows WHERE id = :row_id;

-- name: record_of_output^
-- The record that makes an output, of a team.
SELECT * FROM file_record_rows WHERE output_file_id = :output_file_id AND team = :team;

-- name: live_records_of_file
-- Live records of a job that read a file or make it.
SELECT * FROM file_record_rows WHERE deleted_at IS NULL AND id IN (
    SELECT id FROM file_records WHERE file = :file AND job = :job
    UNION
    SELECT id FROM file_records WHERE output_file_id = :file_id AND job = :job
) ORDER BY id;

-- name: live_records_of_file_anywhere
-- Live records of any job that read a file.
SELECT * FROM file_record_rows WHERE file = :file AND deleted_at IS NULL ORDER BY id;

-- name: live_members
-- Live records that were unpacked from an archive, oldest first.
SELECT * FROM file_record_rows WHERE parent_record_id = :record_id AND deleted_at IS NULL ORDER BY id;

-- name: unpacked_from^
-- How many records came out of an outermost archive, archives inside it included, and the bytes of their files.
SELECT count(*) AS records, coalesce(sum(bytes_in), 0) AS bytes FROM file_records WHERE root_record_id = :record_id;

-- name: removed_record_of_file^
-- Whether a job once had a record of a file that was removed.
SELECT EXISTS (SELECT 1 FROM file_records WHERE file = :file AND job = :job AND deleted_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM file_records WHERE output_file_id = :file_id AND job = :job AND deleted_at IS NOT NULL);

-- name: unresolved_with_name
-- Unresolved records of a job with a file name; two are enough to know that the name is ambiguous.
SELECT id, record_id FROM file_records
WHERE job = :job AND filename = :filename
  AND status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL
LIMIT 2;

-- name: unresolved_records
-- Unresolved records of a job, oldest first.
SELECT * FROM file_record_rows
WHERE job = :job AND status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL
  AND id > :after
ORDER BY id LIMIT :limit;

-- name: in_flight_records
-- Queued and running records of a job up to a row, oldest first.
SELECT * FROM file_record_rows
WHERE job = :job AND status IN ('QUEUED', 'RUNNING') AND id <= :up_to ORDER BY id LIMIT :limit;

-- name: newest_record^
-- The newest record of a job.
SELECT max(id) FROM file_records WHERE job = :job;

-- name: records_of_job
-- One page of a job's records, oldest first.
SELECT * FROM file_record_rows
WHERE job = :job AND id > :after AND (:show_deleted OR deleted_at IS NULL) ORDER BY id LIMIT :limit;

-- name: records_of_job_with_status
-- One page of a job's records that have one status, oldest first.
SELECT * FROM file_record_rows
WHERE job = :job AND status = :status AND id > :after AND (:show_deleted OR deleted_at IS NULL)
ORDER BY id LIMIT :limit;

-- name: records_of_ingestion_job
-- One page of an ingestion job's records, oldest first.
SELECT * FROM file_record_rows
WHERE ingestion_job = :ingestion_job AND id > :after AND (:show_deleted OR deleted_at IS NULL)
ORDER BY id LIMIT :limit;

-- name: records_of_ingestion_job_with_status
-- One page of an ingestion job's records that have one status, oldest first.
SELECT * FROM file_record_rows
WHERE ingestion_job = :ingestion_job AND status = :status AND id > :after
  AND (:show_deleted OR deleted_at IS NULL)
ORDER BY id LIMIT :limit;

-- name: records_to_claim
-- The next records in claim order.
SELECT * FROM file_record_rows WHERE id IN (
    SELECT id FROM file_records WHERE claimable = 1 ORDER BY priority DESC, fair_tag, id LIMIT :limit
) ORDER BY priority DESC, fair_tag, id;

-- name: records_due
-- Delayed records whose time has come. One beyond :latest counts as due: the clock was turned back.
SELECT * FROM file_record_rows
WHERE status = 'QUEUED' AND claimable = 0 AND next_attempt_at IS NOT NULL
  AND (next_attempt_at <= :now OR next_attempt_at > :latest)
ORDER BY next_attempt_at LIMIT :limit;

-- name: next_due_at^
-- When the next delayed record is due.
SELECT min(next_attempt_at) FROM file_records
WHERE status = 'QUEUED' AND claimable = 0 AND next_attempt_at IS NOT NULL;

-- name: records_running
-- All running records.
SELECT * FROM file_record_rows WHERE status = 'RUNNING' ORDER BY id;

-- name: queue_state^
-- How full the queue is: passes over indexes that hold what is in flight alone.
SELECT claimable, delayed, running, (SELECT created_at FROM file_records WHERE id = oldest) AS oldest_at FROM (
    SELECT (SELECT count(*) FROM file_records WHERE claimable = 1) AS claimable,
           (SELECT min(id) FROM file_records WHERE claimable = 1) AS oldest,
           (SELECT count(*) FROM file_records INDEXED BY records_queued_by_team WHERE status = 'QUEUED')
               - (SELECT count(*) FROM file_records WHERE claimable = 1) AS delayed,
           (SELECT count(*) FROM file_records INDEXED BY records_running WHERE status = 'RUNNING') AS running
);

-- name: count_claimable_before^
-- How many claimable records come before one in claim order: two ranges of one index.
SELECT (SELECT count(*) FROM file_records WHERE claimable = 1 AND priority > :priority)
     + (SELECT count(*) FROM file_records
        WHERE claimable = 1 AND priority = :priority AND (fair_tag, id) < (:fair_tag, :row_id));

-- name: count_claimable_between^
-- How many claimable records and alignments of one priority come after one record, up to another.
SELECT (SELECT count(*) FROM file_records
        WHERE claimable = 1 AND priority = :priority
          AND (fair_tag, id) > (:after_tag, :after_row) AND (fair_tag, id) <= (:fair_tag, :row_id))
     + (SELECT count(*) FROM alignment_jobs
        WHERE claimable = 1 AND priority = :priority AND fair_tag >= :after_tag AND fair_tag < :fair_tag);

-- name: claimable_of_job
-- The claimable records of a job in claim order.
SELECT id, record_id, priority, fair_tag FROM file_records
WHERE job = :job AND claimable = 1 ORDER BY priority DESC, fair_tag, id LIMIT :limit;

-- name: greatest_queued_tag^
-- The greatest tag among a team's queued records of a priority.
SELECT max(fair_tag) FROM file_records WHERE team = :team AND priority = :priority AND status = 'QUEUED';

-- name: virtual_time^
-- The greatest tag claimed so far in a priority.
SELECT virtual_time FROM queue_clock WHERE priority = :priority;

-- name: advance_virtual_time!
-- Remembers a claimed tag, unless a greater one was claimed before.
INSERT INTO queue_clock (priority, virtual_time) VALUES (:priority, :fair_tag)
ON CONFLICT (priority) DO UPDATE SET virtual_time = max(virtual_time, excluded.virtual_time);

-- name: insert_record<!
-- A new record; one that shares an earlier output is complete at once.
INSERT INTO file_records (
    record_id, job, ingestion_job, file, output_file_id, team, user_id, filename, output_filename, method,
    status, last_trigger, step, engine_name, engine_version, error_reason, error_step, error_detail,
    warnings, losses, chunk_losses, document_metadata, attempt, failures, orphaned_count, next_attempt_at, wait_reason,
    worker_id, replaces, reused_from, deleted_at, created_at, processing_at, completed_at, failed_at, cancelled_at,
    pages, bytes_in, bytes_out, chunks_created, engine_job_id, document, last_sequence, priority, fair_tag, claimable,
    parent_record_id, root_record_id, archive_depth, member_count, image_file_ids, metadata
) VALUES (
    :record_id, :job, :ingestion_job, :file, :output_file_id, :team, :user_id, :filename, :output_filename, :method,
    :status, :last_trigger, :step, :engine_name, :engine_version, :error_reason, :error_step, :error_detail,
    :warnings, :losses, :chunk_losses, :document_metadata, :attempt, :failures, :orphaned_count, :next_attempt_at, :wait_reason,
    :worker_id, :replaces, :reused_from, :deleted_at, :created_at, :processing_at, :completed_at, :failed_at, :cancelled_at,
    :pages, :bytes_in, :bytes_out, :chunks_created, :engine_job_id, :document, :last_sequence, :priority, :fair_tag,
    :claimable, :parent_record_id, :root_record_id, :archive_depth, :member_count, :image_file_ids, :metadata
);

-- name: reusable_records
-- Completed conversions of the same bytes by the same method in the same team whose output still exists.
-- Only the first files with these bytes are looked at: a team may have thousands of equal ones.
SELECT r.* FROM file_record_rows AS r
CROSS JOIN files AS output ON output.file_id = r.output_file_id AND output.deleted_at IS NULL
WHERE r.status = 'COMPLETED' AND r.method = :method AND r.source_type = :content_type
  AND r.member_count IS NULL -- an archive is unpacked anew: each of its members is looked for by itself
  AND :sha256 <> '' -- an import that was not fetched yet: nobody knows its bytes
  AND r.file IN (SELECT id FROM files WHERE team = :team AND sha256 = :sha256 ORDER BY id LIMIT 20)
ORDER BY r.id DESC LIMIT :limit;

-- name: count_queued^
-- How many records of a team are in the queue, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM file_records WHERE team = :team AND status = 'QUEUED' LIMIT :limit);

-- name: count_at_work^
-- How many records of a team are claimable or running.
SELECT (SELECT count(*) FROM file_records WHERE team = :team AND claimable = 1)
     + (SELECT count(*) FROM file_records WHERE team = :team AND status = 'RUNNING');

-- name: admit_capped!
-- Lets the first records that wait for their team's cap join the queue.
UPDATE file_records SET claimable = 1, wait_reason = NULL WHERE id IN (
    SELECT id FROM file_records
    WHERE team = :team AND status = 'QUEUED' AND claimable = 0 AND wait_reason = 'TEAM_CAP'
    ORDER BY priority DESC, fair_tag, id LIMIT :room
);

-- name: hold_all!
-- Takes every record out of the queue, for the caps to be applied anew.
UPDATE file_records SET claimable = 0, wait_reason = 'TEAM_CAP' WHERE claimable = 1;

-- name: admit_all!
-- Without caps no record waits for one.
UPDATE file_records SET claimable = 1, wait_reason = NULL
WHERE status = 'QUEUED' AND claimable = 0 AND wait_reason = 'TEAM_CAP';

-- name: capped_teams
-- Teams with records that wait for their cap.
SELECT DISTINCT team FROM file_records WHERE status = 'QUEUED' AND claimable = 0 AND wait_reason = 'TEAM_CAP';

-- name: transition_record!
-- A transition; changes nothing unless the record is still in the status and attempt that the caller saw.
UPDATE file_records SET
    status = :status, last_trigger = :last_trigger, step = :step,
    engine_name = :engine_name, engine_version = :engine_version,
    error_reason = :error_reason, error_step = :error_step, error_detail = :error_detail,
    warnings = :warnings, losses = :losses, chunk_losses = :chunk_losses, document_metadata = :document_metadata,
    attempt = :attempt, failures = :failures, orphaned_count = :orphaned_count,
    next_attempt_at = :next_attempt_at, wait_reason = :wait_reason, worker_id = :worker_id,
    deleted_at = :deleted_at, processing_at = :processing_at, completed_at = :completed_at,
    failed_at = :failed_at, cancelled_at = :cancelled_at,
    pages = :pages, bytes_out = :bytes_out, member_count = :member_count, chunks_created = :chunks_created,
    image_file_ids = :image_file_ids, engine_job_id = :engine_job_id, reused_from = :reused_from, last_sequence = :last_sequence, claimable = :claimable
WHERE id = :row_id AND status = :status_before AND attempt = :attempt_before;

-- name: requeue_record!
-- A record that is queued again gets a place at the end of its team's queue.
UPDATE file_records SET fair_tag = :fair_tag WHERE id = :row_id AND status = 'QUEUED';

-- name: mark_record!
-- Marks a record removed or superseded, or its output expired; its status stays.
UPDATE file_records SET
    deleted_at = :deleted_at, superseded_by = :superseded_by, output_expired_at = :output_expired_at,
    last_sequence = :last_sequence
WHERE id = :row_id;

-- name: make_claimable!
-- A delayed record joins the queue.
UPDATE file_records SET claimable = :claimable, next_attempt_at = NULL, wait_reason = :wait_reason
WHERE id = :row_id AND status = 'QUEUED';
