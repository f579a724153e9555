"""Lists of jobs by any filter and order: one index range per order, filtered row by row, with a bound.

The only statement that is put together at run time; its parts are constants, and all values are parameters.
"""

import json
import sqlite3
from typing import Any

from ingest_grpc.model import Job, JobFilter, JobOrder
from ingest_grpc.store.interface import JobCursor
from ingest_grpc.store.sqlite import values
from ingest_grpc.store.sqlite.bounded import BATCH, MAX_SCANNED
from ingest_grpc.store.sqlite.statements import row_of

_COLUMNS = {
    JobOrder.CREATED_AT: "created_at",
    JobOrder.NAME: "name",
    JobOrder.UPDATED_AT: "updated_at",
    JobOrder.JOB_TYPE: "job_type",
}


def jobs_where(
    connection: sqlite3.Connection, team: str, wanted: JobFilter, after: JobCursor | None, limit: int
) -> tuple[list[Job], JobCursor | None]:
    """See store.interface.Rows.jobs_where."""
    column = _COLUMNS[wanted.order_by]
    found: list[Job] = []
    for _ in range(MAX_SCANNED // BATCH):
        rows = _batch(connection, team, column, wanted, after)
        for row in rows:
            after = (row[column], row["id"])
            if row["passes"]:
                found.append(values.job_of(row_of(row)))
                if len(found) == limit:
                    return found, after
        if len(rows) < BATCH:
            return found, None
    return found, after


def _batch(
    connection: sqlite3.Connection, team: str, column: str, wanted: JobFilter, after: JobCursor | None
) -> list[sqlite3.Row]:
    """The next rows of the order, each with whether it passes the filter."""
    sign, direction = (">", "ASC") if wanted.ascending else ("<", "DESC")
    condition, parameters = _passes(wanted)
    narrowed = ""
    if wanted.external_id is not None:  # one job at most: it has an index of its own
        narrowed = "AND external_id = :external_id"
        parameters["external_id"] = wanted.external_id
    if after is not None:
        narrowed += f" AND ({column}, id) {sign} (:after_value, :after_row)"
        parameters |= {"after_value": after[0], "after_row": after[1]}
    statement = f"""
        SELECT *, ({condition}) AS passes FROM jobs WHERE team = :team {narrowed}
        ORDER BY {column} {direction}, id {direction} LIMIT {BATCH}
    """
    return connection.execute(statement, parameters | {"team": team}).fetchall()


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
