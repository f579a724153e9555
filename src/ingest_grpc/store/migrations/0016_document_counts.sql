-- How many documents of each status a knowledge base has: kept where they change, as counting a million takes a second.

-- Documents with the status of their latest record, and what each adds to document_counts.
CREATE VIEW live_documents AS
SELECT
    d.id, d.record, d.knowledge_base, d.data_source,
    coalesce(r.status, iif(d.indexed_record IS NULL, 'CANCELLED', 'COMPLETED')) AS status,
    coalesce(r.status = 'COMPLETED' AND r.losses <> '[]', 0) AS partial,
    d.indexed_record IS NOT NULL AS searchable, d.chunks
FROM documents AS d LEFT JOIN file_records AS r ON r.id = d.record
WHERE d.removed_at IS NULL;

CREATE TABLE document_counts (
    knowledge_base INTEGER NOT NULL REFERENCES knowledge_bases (id),
    data_source    INTEGER NOT NULL, -- 0: added by hand or by a job
    status         TEXT NOT NULL,
    documents      INTEGER NOT NULL,
    partial        INTEGER NOT NULL,
    searchable     INTEGER NOT NULL,
    chunks         INTEGER NOT NULL,
    PRIMARY KEY (knowledge_base, data_source, status)
) STRICT, WITHOUT ROWID;

INSERT INTO document_counts
SELECT knowledge_base, coalesce(data_source, 0), status, count(*), sum(partial), sum(searchable), sum(chunks)
FROM live_documents GROUP BY knowledge_base, data_source, status;

-- Kept by triggers: what a document added before a change is taken away, and what it adds after it is put in.
CREATE TRIGGER documents_new AFTER INSERT ON documents
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;

CREATE TRIGGER documents_before BEFORE UPDATE OF record, indexed_record, chunks, removed_at ON documents
WHEN (OLD.record, OLD.indexed_record, OLD.chunks, OLD.removed_at)
    IS NOT (NEW.record, NEW.indexed_record, NEW.chunks, NEW.removed_at)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, -1, -partial, -searchable, -chunks FROM live_documents
    WHERE id = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;

CREATE TRIGGER documents_after AFTER UPDATE OF record, indexed_record, chunks, removed_at ON documents
WHEN (OLD.record, OLD.indexed_record, OLD.chunks, OLD.removed_at)
    IS NOT (NEW.record, NEW.indexed_record, NEW.chunks, NEW.removed_at)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;

CREATE TRIGGER records_of_documents_before BEFORE UPDATE OF status, losses ON file_records
WHEN OLD.document IS NOT NULL AND (OLD.status, OLD.losses) IS NOT (NEW.status, NEW.losses)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, -1, -partial, -searchable, -chunks FROM live_documents
    WHERE id = OLD.document AND record = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;

CREATE TRIGGER records_of_documents_after AFTER UPDATE OF status, losses ON file_records
WHEN OLD.document IS NOT NULL AND (OLD.status, OLD.losses) IS NOT (NEW.status, NEW.losses)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = OLD.document AND record = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;

-- With a trigger, an INSERT asks which documents refer to the new one; an index of live ones alone is no help there.
DROP INDEX documents_by_parent;
CREATE INDEX documents_by_parent ON documents (parent, id) WHERE parent IS NOT NULL;
