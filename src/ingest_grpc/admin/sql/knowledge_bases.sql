-- Problems with knowledge bases, as in ledger.sql; `knowledge_base` is the row of one to recount.

-- name: document_counts
-- Knowledge bases whose counts are not what their documents add up to: by how much, for each data source and status.
SELECT k.id AS knowledge_base, printf('knowledge base %s counts its documents that are %s wrongly: '
    || '%+d documents, %+d with losses, %+d searchable, %+d chunks', k.knowledge_base_id, c.status,
    sum(c.documents), sum(c.partial), sum(c.searchable), sum(c.chunks)) AS problem
FROM (
    SELECT knowledge_base, data_source, status, documents, partial, searchable, chunks FROM document_counts
    UNION ALL
    SELECT knowledge_base, coalesce(data_source, 0), status, -1, -partial, -searchable, -chunks FROM live_documents
) AS c JOIN knowledge_bases AS k ON k.id = c.knowledge_base
GROUP BY k.id, c.data_source, c.status
HAVING sum(c.documents) <> 0 OR sum(c.partial) <> 0 OR sum(c.searchable) <> 0 OR sum(c.chunks) <> 0;
