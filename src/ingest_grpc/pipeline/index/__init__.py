"""Where chunks become searchable: an index of text and vectors in a file or database of its own.
The worker and the service import `interface`; the composition root makes `sqlite.index.SqliteIndex`."""
