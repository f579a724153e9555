"""The embedded ledger: SQLite in WAL mode, one writing connection that commits in groups, read-only readers.

Import SqliteStore from `store.sqlite.store`.
"""
