-- name: alignment_by_row^
-- An alignment by its integer key.
SELECT a.*, j.job_id FROM alignment_jobs AS a JOIN jobs AS j ON j.id = a.job WHERE a.id = :row_id;

-- name: current_alignment^
-- The alignment of a job that is not history.
SELECT a.*, j.job_id FROM alignment_jobs AS a JOIN jobs AS j ON j.id = a.job
WHERE a.job = :job AND a.retired_at IS NULL;

-- name: alignments_running
-- All running alignments.
SELECT a.*, j.job_id FROM alignment_jobs AS a CROSS JOIN jobs AS j ON j.id = a.job
WHERE a.status = 'RUNNING' ORDER BY a.id;

-- name: alignments_to_claim
-- The next alignments in claim order.
SELECT a.*, j.job_id FROM alignment_jobs AS a CROSS JOIN jobs AS j ON j.id = a.job
WHERE a.claimable = 1 ORDER BY a.priority DESC, a.fair_tag, a.id LIMIT :limit;

-- name: alignments_due
-- Delayed alignments whose time has come. One beyond :latest counts as due: the clock was turned back.
SELECT a.*, j.job_id FROM alignment_jobs AS a CROSS JOIN jobs AS j ON j.id = a.job
WHERE a.status = 'QUEUED' AND a.claimable = 0 AND (a.next_attempt_at <= :now OR a.next_attempt_at > :latest)
ORDER BY a.next_attempt_at LIMIT :limit;

-- name: next_alignment_due_at^
-- When the next delayed alignment is due.
SELECT min(next_attempt_at) FROM alignment_jobs WHERE status = 'QUEUED' AND claimable = 0;

-- name: make_alignment_claimable!
-- A delayed alignment joins the queue.
UPDATE alignment_jobs SET claimable = 1, next_attempt_at = NULL, wait_reason = NULL
WHERE id = :row_id AND status = 'QUEUED';

-- name: greatest_queued_alignment_tag^
-- The greatest tag among a team's queued alignments of a priority.
SELECT max(fair_tag) FROM alignment_jobs WHERE team = :team AND priority = :priority AND status = 'QUEUED';

-- name: count_alignments_before_record^
-- How many claimable alignments come before a record: at the same tag the record goes first.
SELECT (SELECT count(*) FROM alignment_jobs WHERE claimable = 1 AND priority > :priority)
     + (SELECT count(*) FROM alignment_jobs WHERE claimable = 1 AND priority = :priority AND fair_tag < :fair_tag);

-- name: count_before_alignment^
-- How many claimable records and alignments come before an alignment.
SELECT (SELECT count(*) FROM file_records WHERE claimable = 1 AND priority > :priority)
     + (SELECT count(*) FROM file_records WHERE claimable = 1 AND priority = :priority AND fair_tag <= :fair_tag)
     + (SELECT count(*) FROM alignment_jobs WHERE claimable = 1 AND priority > :priority)
     + (SELECT count(*) FROM alignment_jobs
        WHERE claimable = 1 AND priority = :priority AND (fair_tag, id) < (:fair_tag, :row_id));

-- name: insert_alignment<!
-- A new alignment.
INSERT INTO alignment_jobs (
    alignment_job_id, job, team, user_id, engine, system_prompt, instructions, status, last_trigger,
    created_at, last_sequence, priority, fair_tag, claimable
) VALUES (
    :alignment_job_id, :job, :team, :user_id, :engine, :system_prompt, :instructions, :status, :last_trigger,
    :created_at, :last_sequence, :priority, :fair_tag, :claimable
);

-- name: transition_alignment!
-- A transition; changes nothing unless the alignment is still in the status and attempt that the caller saw.
UPDATE alignment_jobs SET
    status = :status, last_trigger = :last_trigger, current_step = :current_step, engine_version = :engine_version,
    error_reason = :error_reason, error_detail = :error_detail, output_file_id = :output_file_id,
    sections = :sections, sections_lost = :sections_lost, examples = :examples,
    prompt_tokens = :prompt_tokens, completion_tokens = :completion_tokens, losses = :losses,
    attempt = :attempt, failures = :failures, orphaned_count = :orphaned_count,
    next_attempt_at = :next_attempt_at, wait_reason = :wait_reason, worker_id = :worker_id,
    started_at = :started_at, completed_at = :completed_at, failed_at = :failed_at, cancelled_at = :cancelled_at,
    last_sequence = :last_sequence, claimable = :claimable
WHERE id = :row_id AND status = :status_before AND attempt = :attempt_before;

-- name: retire_alignment!
-- An alignment becomes history; its status stays.
UPDATE alignment_jobs SET retired_at = :retired_at, last_sequence = :last_sequence
WHERE id = :row_id AND retired_at IS NULL;

-- name: sections_finished
-- One page of the finished sections of an alignment, in their order.
SELECT * FROM alignment_sections
WHERE alignment = :alignment AND section > :after ORDER BY section LIMIT :limit;

-- name: section_digest^
-- Of which text a finished section is; no row where it is not finished.
SELECT digest FROM alignment_sections WHERE alignment = :alignment AND section = :section;

-- name: save_section!
-- The result of a section.
INSERT INTO alignment_sections (
    alignment, section, digest, lines, examples, loss, prompt_tokens, completion_tokens
) VALUES (
    :alignment, :section, :digest, :lines, :examples, :loss, :prompt_tokens, :completion_tokens
)
ON CONFLICT (alignment, section) DO UPDATE SET
    digest = excluded.digest, lines = excluded.lines, examples = excluded.examples, loss = excluded.loss,
    prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens;

-- name: alignments_with_sections
-- Alignments that still keep results of sections: one step of the index for each, whatever its sections hold.
WITH RECURSIVE kept (alignment) AS (
    SELECT min(alignment) FROM alignment_sections
    UNION ALL
    SELECT (SELECT min(s.alignment) FROM alignment_sections AS s WHERE s.alignment > kept.alignment) FROM kept
    WHERE kept.alignment IS NOT NULL
)
SELECT alignment FROM kept WHERE alignment IS NOT NULL;

-- name: purge_sections!
-- Some results of an alignment's sections.
DELETE FROM alignment_sections WHERE (alignment, section) IN (
    SELECT alignment, section FROM alignment_sections WHERE alignment = :alignment LIMIT :limit
);

-- name: alignments_to_purge
-- The alignments of a job, history included.
SELECT id, output_file_id FROM alignment_jobs WHERE job = :job ORDER BY id;

-- name: purge_alignment!
-- One alignment.
DELETE FROM alignment_jobs WHERE id = :row_id;
