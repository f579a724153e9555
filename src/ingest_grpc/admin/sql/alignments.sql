-- Problems with alignments, as in ledger.sql; `stuck_alignment` is the row of one that may join the queue.

-- name: job_alignments
-- Jobs whose row does not tell their current alignment.
SELECT j.id AS job, printf('job %s says that its alignment is %s, %s; it is %s, %s', j.job_id,
    coalesce(j.alignment_job_id, 'none'), coalesce(j.alignment_status, 'none'),
    coalesce(a.alignment_job_id, 'none'), coalesce(a.status, 'none')) AS problem
FROM jobs AS j LEFT JOIN alignment_jobs AS a ON a.job = j.id AND a.retired_at IS NULL
WHERE j.alignment_job_id IS NOT a.alignment_job_id OR j.alignment_status IS NOT a.status;

-- name: alignment_files
-- Jobs whose files are in flight although an alignment is.
SELECT printf('job %s has files in flight under alignment %s, which is %s', j.job_id, a.alignment_job_id, a.status)
    AS problem
FROM alignment_jobs AS a JOIN jobs AS j ON j.id = a.job
WHERE a.retired_at IS NULL AND j.queued + j.running > 0;

-- name: alignment_events
-- Alignments whose last change is not in the timeline.
SELECT printf('alignment %s: its last change, event %d of job %s, does not exist', a.alignment_job_id,
    a.last_sequence, j.job_id) AS problem
FROM alignment_jobs AS a JOIN jobs AS j ON j.id = a.job
WHERE a.last_sequence >= j.earliest_sequence
  AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.job = a.job AND e.sequence = a.last_sequence);

-- name: alignment_owners
-- Alignments of another team than their job.
SELECT printf('alignment %s of team %s belongs to job %s of another team', a.alignment_job_id, a.team, j.job_id)
    AS problem
FROM alignment_jobs AS a JOIN jobs AS j ON j.id = a.job
WHERE a.team <> j.team;

-- name: alignment_triggers
-- Alignments in a status to which their last trigger does not lead.
SELECT printf('alignment %s is %s by %s, which no transition allows', a.alignment_job_id, a.status, a.last_trigger)
    AS problem
FROM alignment_jobs AS a
WHERE NOT EXISTS (SELECT 1 FROM transitions AS t WHERE t.trigger = a.last_trigger AND t.to_status = a.status);

-- name: alignments_stuck
-- Queued alignments that nobody can claim and that wait for nothing.
SELECT a.id AS stuck_alignment,
    printf('alignment %s is QUEUED, but neither claimable nor due at any time', a.alignment_job_id) AS problem
FROM alignment_jobs AS a
WHERE a.status = 'QUEUED' AND a.claimable = 0 AND a.next_attempt_at IS NULL;

-- name: alignments_early
-- Claimable alignments that still wait.
SELECT a.id AS stuck_alignment,
    printf('alignment %s is claimable although it waits for its back-off', a.alignment_job_id) AS problem
FROM alignment_jobs AS a
WHERE a.claimable = 1 AND (a.next_attempt_at IS NOT NULL OR a.wait_reason IS NOT NULL);

-- name: alignment_outputs
-- Completed alignments whose dataset was never stored.
SELECT printf('alignment %s is COMPLETED, but its dataset %s is not there', a.alignment_job_id, a.output_file_id)
    AS problem
FROM alignment_jobs AS a LEFT JOIN files AS f ON f.file_id = a.output_file_id
WHERE a.status = 'COMPLETED' AND (f.id IS NULL OR f.kind <> 'OUTPUT');
