-- name: job^
-- A job of a team, unless its purge has begun.
SELECT * FROM jobs WHERE job_id = :job_id AND team = :team AND purged_at IS NULL;

-- name: job_by_row^
-- A job by its integer key.
SELECT * FROM jobs WHERE id = :row_id;

-- name: jobs_newest
-- One page of a team's jobs, newest first.
SELECT id AS row_id, created_at, last_sequence, updated_at FROM jobs
WHERE team = :team AND deleted_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: jobs_newest_with_status
-- One page of a team's jobs that have one status, newest first.
SELECT id AS row_id, created_at, last_sequence, updated_at FROM jobs
WHERE team = :team AND status = :status AND deleted_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: job_by_external_id^
-- The job with an external id of a team.
SELECT * FROM jobs WHERE team = :team AND external_id = :external_id;

-- name: insert_job<!
-- A new job.
INSERT INTO jobs (
    job_id, team, user_id, name, description, job_type, status, method,
    system_prompt, system_prompt_updated_at, instructions, instructions_updated_at,
    external_id, labels, origin_job_id, priority, knowledge_base_id, data_source_id, chunks_created,
    queued, running, completed, failed, cancelled, unresolved,
    markdown_files, cancel_requested, ever_active, last_sequence, earliest_sequence, files_sequence,
    created_at, updated_at, deleted_at, purge_at
) VALUES (
    :job_id, :team, :user_id, :name, :description, :job_type, :status, :method,
    :system_prompt, :system_prompt_updated_at, :instructions, :instructions_updated_at,
    :external_id, :labels, :origin_job_id, :priority, :knowledge_base_id, :data_source_id, :chunks_created,
    :queued, :running, :completed, :failed, :cancelled, :unresolved,
    :markdown_files, :cancel_requested, :ever_active, :last_sequence, :earliest_sequence, :files_sequence,
    :created_at, :updated_at, :deleted_at, :purge_at
);

-- name: update_job!
-- What a transaction changed in a job.
UPDATE jobs SET
    name = :name, description = :description, labels = :labels, knowledge_base_id = :knowledge_base_id,
    chunks_created = :chunks_created,
    system_prompt = :system_prompt, system_prompt_updated_at = :system_prompt_updated_at,
    instructions = :instructions, instructions_updated_at = :instructions_updated_at,
    status = :status, queued = :queued, running = :running, completed = :completed, failed = :failed,
    cancelled = :cancelled, unresolved = :unresolved, markdown_files = :markdown_files,
    cancel_requested = :cancel_requested, ever_active = :ever_active,
    alignment_job_id = :alignment_job_id, alignment_status = :alignment_status,
    last_sequence = :last_sequence, files_sequence = :files_sequence,
    updated_at = :updated_at, deleted_at = :deleted_at, purge_at = :purge_at,
    expired_outputs = :expired_outputs, archives = :archives,
    compactable_since = iif(:settled, coalesce(compactable_since, :updated_at), NULL)
WHERE id = :row_id;

-- name: update_job_counts!
-- What nearly every transaction changes in a job, and nothing else: no other index than that by update is touched.
UPDATE jobs SET
    queued = :queued, running = :running, completed = :completed, failed = :failed, cancelled = :cancelled,
    unresolved = :unresolved, markdown_files = :markdown_files, expired_outputs = :expired_outputs,
    archives = :archives, chunks_created = :chunks_created, cancel_requested = :cancel_requested,
    last_sequence = :last_sequence, files_sequence = :files_sequence, updated_at = :updated_at
WHERE id = :row_id;

-- name: begin_compaction!
-- A settled job has new events: some day they are to be compacted.
UPDATE jobs SET compactable_since = :updated_at WHERE id = :row_id AND compactable_since IS NULL;

-- name: begin_purges
-- Deleted jobs whose time is over, also those whose purge had begun; from now on nobody finds them.
UPDATE jobs SET purged_at = coalesce(purged_at, :now)
WHERE id IN (SELECT id FROM jobs WHERE purge_at <= :now ORDER BY purge_at LIMIT :limit) RETURNING *;

-- name: markdown_files
-- One page of the Markdown entries of a job's file list, oldest first.
SELECT e.id, f.file_id, f.filename, f.content_type, e.added_at
FROM job_files AS e JOIN files AS f ON f.id = e.file
WHERE e.job = :job AND e.id > :after AND e.removed_at IS NULL ORDER BY e.id LIMIT :limit;

-- name: markdown_file^
-- One Markdown entry of a job's file list, removed or not; the newest.
SELECT e.id, e.removed_at, f.file_id, f.filename, f.content_type, e.added_at
FROM job_files AS e JOIN files AS f ON f.id = e.file
WHERE e.job = :job AND f.file_id = :file_id ORDER BY e.id DESC LIMIT 1;

-- name: insert_markdown_file!
-- A Markdown entry of a job's file list.
INSERT INTO job_files (job, file, added_at) VALUES (:job, :file, :added_at);

-- name: remove_markdown_file!
-- Takes a Markdown entry off a job's file list; the row stays for the history.
UPDATE job_files SET removed_at = :removed_at WHERE id = :row_id;

-- name: ingestion_job^
-- An ingestion job of a team.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.ingestion_job_id = :ingestion_job_id AND i.team = :team;

-- name: ingestion_job_by_row^
-- An ingestion job by its integer key.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job WHERE i.id = :row_id;

-- name: insert_ingestion_job<!
-- A new ingestion job.
INSERT INTO ingestion_jobs (
    ingestion_job_id, job, team, status, queued, running, completed, failed, cancelled, unresolved,
    pages, bytes_in, chunks_created, error_reason, error_step, error_detail, knowledge_base_id, data_source_id,
    created_at, started_at, completed_at, last_sequence
) VALUES (
    :ingestion_job_id, :job, :team, :status, :queued, :running, :completed, :failed, :cancelled, :unresolved,
    :pages, :bytes_in, :chunks_created, :error_reason, :error_step, :error_detail, :knowledge_base_id, :data_source_id,
    :created_at, :started_at, :completed_at, :last_sequence
);

-- name: update_ingestion_job!
-- What the roll-up of a transaction changed in an ingestion job.
UPDATE ingestion_jobs SET
    status = :status, queued = :queued, running = :running, completed = :completed, failed = :failed,
    cancelled = :cancelled, unresolved = :unresolved, pages = :pages, bytes_in = :bytes_in,
    chunks_created = :chunks_created, error_reason = :error_reason, error_step = :error_step,
    error_detail = :error_detail, started_at = :started_at, completed_at = :completed_at, last_sequence = :last_sequence
WHERE id = :row_id;

-- name: update_ingestion_job_counts!
-- The same where the status stays: no index is touched.
UPDATE ingestion_jobs SET
    queued = :queued, running = :running, completed = :completed, failed = :failed,
    cancelled = :cancelled, unresolved = :unresolved, pages = :pages, bytes_in = :bytes_in,
    chunks_created = :chunks_created, error_reason = :error_reason, error_step = :error_step,
    error_detail = :error_detail, started_at = :started_at, completed_at = :completed_at, last_sequence = :last_sequence
WHERE id = :row_id;

-- name: ingestion_jobs_of_job_asc
-- Ingestion jobs of a job, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.job = :job AND i.id > :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:data_source_id IS NULL OR i.data_source_id = :data_source_id)
ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_job_desc
-- Ingestion jobs of a job, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.job = :job AND i.id < :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:data_source_id IS NULL OR i.data_source_id = :data_source_id)
ORDER BY i.id DESC LIMIT :limit;

-- name: ingestion_jobs_of_job_with_status_asc
-- Ingestion jobs of a job that have one status, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.job = :job AND i.status = :status AND i.id > :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:data_source_id IS NULL OR i.data_source_id = :data_source_id)
ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_job_with_status_desc
-- Ingestion jobs of a job that have one status, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.job = :job AND i.status = :status AND i.id < :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:data_source_id IS NULL OR i.data_source_id = :data_source_id)
ORDER BY i.id DESC LIMIT :limit;

-- name: ingestion_jobs_of_team_asc
-- Ingestion jobs of a team, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.team = :team AND i.id > :cursor ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_team_desc
-- Ingestion jobs of a team, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.team = :team AND i.id < :cursor ORDER BY i.id DESC LIMIT :limit;

-- name: ingestion_jobs_of_team_with_status_asc
-- Ingestion jobs of a team that have one status, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.team = :team AND i.status = :status AND i.id > :cursor ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_team_with_status_desc
-- Ingestion jobs of a team that have one status, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.team = :team AND i.status = :status AND i.id < :cursor ORDER BY i.id DESC LIMIT :limit;

-- name: ingestion_jobs_of_knowledge_base_asc
-- Ingestion jobs of a knowledge base, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.knowledge_base_id = :knowledge_base_id AND i.team = :team AND i.id > :cursor
  AND (:statuses = '[]' OR i.status IN (SELECT value FROM json_each(:statuses)))
ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_knowledge_base_desc
-- Ingestion jobs of a knowledge base, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.knowledge_base_id = :knowledge_base_id AND i.team = :team AND i.id < :cursor
  AND (:statuses = '[]' OR i.status IN (SELECT value FROM json_each(:statuses)))
ORDER BY i.id DESC LIMIT :limit;

-- name: ingestion_jobs_of_data_source_asc
-- Ingestion jobs of a data source, oldest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.data_source_id = :data_source_id AND i.team = :team AND i.id > :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:statuses = '[]' OR i.status IN (SELECT value FROM json_each(:statuses)))
ORDER BY i.id LIMIT :limit;

-- name: ingestion_jobs_of_data_source_desc
-- Ingestion jobs of a data source, newest first.
SELECT i.*, j.job_id FROM ingestion_jobs AS i JOIN jobs AS j ON j.id = i.job
WHERE i.data_source_id = :data_source_id AND i.team = :team AND i.id < :cursor
  AND (:knowledge_base_id IS NULL OR i.knowledge_base_id = :knowledge_base_id)
  AND (:statuses = '[]' OR i.status IN (SELECT value FROM json_each(:statuses)))
ORDER BY i.id DESC LIMIT :limit;
