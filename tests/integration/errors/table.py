"""What each RPC answers to what is wrong: one row per condition. The tests play every row over a real channel."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.errors import of_changes, of_files, of_ingestion, of_jobs
from tests.integration.errors.row import Row

ROWS: Sequence[Row] = [*of_files.ROWS, *of_jobs.ROWS, *of_ingestion.ROWS, *of_changes.ROWS]

SETTINGS: Mapping[str, Any] = {"max_file_bytes": of_files.MAX_FILE_BYTES, "max_records_per_job": of_jobs.MAX_RECORDS}
"""The settings under which the table holds."""
