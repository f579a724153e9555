"""The index in a file of its own: sqlite-vec and FTS5 through apsw, which alone may open the file.
The composition root makes `index.SqliteIndex`; nothing else is imported from outside."""
