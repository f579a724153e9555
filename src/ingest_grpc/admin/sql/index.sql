-- What the index of knowledge bases must hold. Documents that a worker may be at are left out: it is about to change them.

-- name: sets_of_chunks
-- The sets of chunks that are searched or being filled.
SELECT id, knowledge_base_id || '/' || (indexing ->> 'generation') AS key, 1 AS searched
FROM knowledge_bases WHERE purged_at IS NULL
UNION ALL
SELECT id, knowledge_base_id || '/' || (next ->> '$.indexing.generation') AS key, 0 AS searched
FROM knowledge_bases WHERE purged_at IS NULL AND next IS NOT NULL;

-- name: documents_of
-- The documents of a knowledge base: the fence of the searchable version (NULL without one), and its chunks.
SELECT d.document_id, d.indexed_record, 2 * d.indexed_attempt AS fence_attempt, d.chunks, d.removed_at, d.cleared_at
FROM documents AS d
WHERE d.knowledge_base = :knowledge_base AND (d.removed_at IS NULL OR d.cleared_at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM file_records AS r WHERE r.document = d.id AND r.status IN ('QUEUED', 'RUNNING'));
