"""Runs untrusted work in confined, killable child processes; knows nothing of documents.
A parent imports `pool` and `spec`; a child's entry module imports `child`; nobody imports `confine` directly."""
