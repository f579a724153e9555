"""Lists of jobs by any filter and order: one index range per order, filtered row by row, with a bound.

The only statements that are put together at run time; their parts are constants, and all values are parameters.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from ingest_grpc.model import JobFilter, JobOrder
from ingest_grpc.store.interface import FoundJob, JobCursor, JobHead
from ingest_grpc.store.sqlite.bounded import BATCH, MAX_SCANNED

_COLUMNS = {
    JobOrder.CREATED_AT: "created_at",
    JobOrder.NAME: "name",
    JobOrder.UPDATED_AT: "updated_at",
    JobOrder.JOB_TYPE: "job_type",
}


def jobs_where(
    connection: sqlite3.Connection, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
) -> tuple[list[FoundJob], JobCursor | None]:
    """See store.interface.Rows.jobs_where."""
    found: list[FoundJob] = []
    for _ in range(MAX_SCANNED // BATCH):
        scanned = 0
        for place, passes, *head in _batch(connection, team, wanted, after):
            scanned += 1
            job = JobHead(*head)
            after = (place, job.row_id)
            if passes:
                found.append((job, after))
                if len(found) == limit:
                    return found, after
        if scanned < BATCH:
            return found, None
    return found, after


def count_jobs_where(connection: sqlite3.Connection, team: str, wanted: JobFilter, limit: int) -> int:
    """See store.interface.Rows.count_jobs_where."""
    rows, parameters = _range(team, wanted, None)
    condition, values = _passes(wanted)
    statement = f"""
        SELECT count(*) FROM (SELECT 1 FROM (SELECT ({condition}) AS passes {rows} LIMIT {MAX_SCANNED})
        WHERE passes LIMIT :limit)
    """
    return int(connection.execute(statement, parameters | values | {"limit": limit}).fetchone()[0])


def _batch(
    connection: sqlite3.Connection, team: str, wanted: JobFilter, after: JobCursor | None
) -> Iterable[sqlite3.Row]:
    """The next rows of the order: (place in it, whether it passes the filter, the fields of its head).

    One by one: whoever has found enough looks at no more. And without texts, which take a hundred times as much.
    """
    rows, parameters = _range(team, wanted, after)
    condition, values = _passes(wanted)
    statement = f"""
        SELECT {_COLUMNS[wanted.order_by]}, ({condition}), id, created_at, last_sequence, updated_at
        {rows} LIMIT {BATCH}
    """
    return connection.execute(statement, parameters | values)


def _range(team: str, wanted: JobFilter, after: JobCursor | None) -> tuple[str, dict[str, Any]]:
    """The team's rows after a cursor in the order that is wanted: all of a statement from its FROM on."""
    column, parameters = _COLUMNS[wanted.order_by], dict[str, Any](team=team)
    sign, direction = (">", "ASC") if wanted.ascending else ("<", "DESC")
    narrowed = ""
    if wanted.external_id is not None:  # one job at most: it has an index of its own
        narrowed = "AND external_id = :external_id"
        parameters["external_id"] = wanted.external_id
    if after is not None:
        narrowed += f" AND ({column}, id) {sign} (:after_value, :after_row)"
        parameters |= {"after_value": after[0], "after_row": after[1]}
    return f"FROM jobs WHERE team = :team {narrowed} ORDER BY {column} {direction}, id {direction}", parameters


def _passes(wanted: JobFilter) -> tuple[str, dict[str, Any]]:
    """The filter as a condition on one row."""
    conditions, parameters = ["purged_at IS NULL"], dict[str, Any]()
    if not wanted.show_deleted:
        conditions.append("deleted_at IS NULL")
    for name, column, chosen in (("statuses", "status", wanted.statuses), ("types", "job_type", wanted.job_types)):
        if chosen:
            conditions.append(f"{column} IN (SELECT value FROM json_each(:{name}))")
            parameters[name] = json.dumps(chosen)
    if wanted.knowledge_base_id is not None:
        conditions.append("knowledge_base_id = :knowledge_base_id")
        parameters["knowledge_base_id"] = wanted.knowledge_base_id
    if wanted.name_contains:
        conditions.append("instr(casefold(name), :name_contains) > 0")
        parameters["name_contains"] = wanted.name_contains.casefold()
    for index, (key, value) in enumerate(wanted.labels.items()):
        conditions.append(
            f"EXISTS (SELECT 1 FROM json_each(labels) WHERE key = :key_{index} AND value = :value_{index})"
        )
        parameters |= {f"key_{index}": key, f"value_{index}": value}
    for name, sign, moment in (
        ("created_after", ">=", wanted.created_after),
        ("created_before", "<", wanted.created_before),
    ):
        if moment is not None:
            conditions.append(f"created_at {sign} :{name}")
            parameters[name] = moment
    return " AND ".join(conditions), parameters
