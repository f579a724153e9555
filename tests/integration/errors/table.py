"""What each RPC answers to what is wrong: one row per condition. The tests play every row over a real channel."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingest_grpc.errors import CATALOGUE
from tests.integration.errors import of_changes, of_files, of_ingestion, of_jobs, of_knowledge, of_states, states
from tests.integration.errors.row import Row
from tests.reaching import reached

ROWS: Sequence[Row] = [
    *of_files.ROWS,
    *of_jobs.ROWS,
    *of_ingestion.ROWS,
    *of_changes.ROWS,
    *of_knowledge.ROWS,
    *of_states.ROWS,
]

SETTINGS: Mapping[str, Any] = {
    "max_file_bytes": of_files.MAX_FILE_BYTES,
    "max_records_per_job": of_jobs.MAX_RECORDS,
    "team_max_queued": of_states.MAX_QUEUED,
    "team_max_bytes": of_states.MAX_BYTES,
    **states.SETTINGS,
}
"""The settings under which the table holds."""

HOW = """
No test reaches {missing}.
A reason that an RPC answers to a wrong call: add a Row to tests/integration/errors (of_jobs.py, of_files.py, …).
Any other: put @reaches(Reason.…, A_RECORD, "what is wrong") of tests/reaching.py on the test that sees it come from
its real cause. Then run scripts/make_docs.py, which writes both into docs/errors.md."""


def unreached() -> str:
    """What to do about the reasons of the catalogue that no test reaches; empty if each is reached."""
    missing = set(CATALOGUE) - {row.reason for row in ROWS} - {mark.reason for mark in reached()}
    return HOW.format(missing=", ".join(sorted(missing))) if missing else ""
