-- What callers say of files, when they add them and later.

-- said with AddFiles: a JSON object of scalars; NULL where nothing was said
ALTER TABLE file_records ADD COLUMN metadata TEXT;

-- how often the file's metadata changed, and up to which change the search index was told
ALTER TABLE documents ADD COLUMN metadata_changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN metadata_told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX documents_to_tell ON documents (id) WHERE metadata_changes > metadata_told;
