"""Reads requests: every function takes a message and returns a checked value, or raises with all that is wrong.

The API imports `jobs`, `files` and `ingestion`; `fields` and `filenames` are theirs.
"""
