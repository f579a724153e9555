CREATE TABLE knowledge_bases (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A removed document keeps its row for the fence.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    knowledge_base INTEGER NOT NULL,
    document_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    data_source_id TEXT NOT NULL,
    metadata TEXT NOT NULL,
    fence_record INTEGER NOT NULL,
    fence_attempt INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (knowledge_base, document_id)
) STRICT;
CREATE INDEX documents_by_file ON documents (knowledge_base, file_id);
CREATE INDEX documents_by_data_source ON documents (knowledge_base, data_source_id);

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    text TEXT NOT NULL,
    heading_path TEXT NOT NULL,
    start_offset INTEGER NOT NULL,
    end_offset INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    UNIQUE (document, ordinal)
) STRICT;

-- One bit per dimension: small enough to look at all of a knowledge base for each search. Its own order lets a
-- search go through one knowledge base, or through some documents of it, and nothing else.
CREATE TABLE signatures (
    knowledge_base INTEGER NOT NULL,
    document INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (knowledge_base, document, chunk)
) STRICT, WITHOUT ROWID;

-- The whole vectors, read only of candidates.
CREATE TABLE vectors (
    chunk INTEGER PRIMARY KEY,
    vector BLOB NOT NULL
) STRICT;

CREATE TABLE cached_vectors (
    key BLOB PRIMARY KEY,
    vector BLOB NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_vectors_by_use ON cached_vectors (used);
