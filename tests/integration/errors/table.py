"""What each RPC answers to what is wrong: one row per condition. The tests play every row over a real channel."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.errors import of_changes, of_files, of_ingestion, of_jobs, of_states, states
from tests.integration.errors.row import Row

ROWS: Sequence[Row] = [*of_files.ROWS, *of_jobs.ROWS, *of_ingestion.ROWS, *of_changes.ROWS, *of_states.ROWS]

SETTINGS: Mapping[str, Any] = {
    "max_file_bytes": of_files.MAX_FILE_BYTES,
    "max_records_per_job": of_jobs.MAX_RECORDS,
    "team_max_queued": of_states.MAX_QUEUED,
    "team_max_bytes": of_states.MAX_BYTES,
    **states.SETTINGS,
}
"""The settings under which the table holds."""
