"""Filters as SQL. Values are always parameters: nothing of a caller becomes part of a statement."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest_grpc.pipeline.index.interface import Condition, Filter, MetadataOp, Scalar

_COMPARISONS = {MetadataOp.GT: ">", MetadataOp.GTE: ">=", MetadataOp.LT: "<", MetadataOp.LTE: "<="}


@dataclass(frozen=True, slots=True)
class Documents:
    """Row ids of documents by a SELECT and its parameters: those that count, or those that do not (`excluded`)."""

    select: str
    parameters: tuple[Any, ...]
    excluded: bool = False

    @property
    def test(self) -> str:
        """How a row of one of them is told from others."""
        return "NOT IN" if self.excluded else "IN"


def matching_documents(knowledge_base: int, wanted: Filter) -> Documents | None:
    """The documents that a filter is about; None = all count.

    A few that are excluded and nothing else are told by themselves, not by all the others.
    """
    excluded = (
        "SELECT d.id FROM documents d WHERE d.knowledge_base = ? AND d.document_id IN (SELECT value FROM json_each(?))"
    )
    removed = (knowledge_base, _array(wanted.excluded_document_ids))
    if wanted == Filter(excluded_document_ids=wanted.excluded_document_ids):
        return Documents(excluded, removed, excluded=True) if wanted.excluded_document_ids else None
    demands = ["d.knowledge_base = ?", "NOT d.removed"]
    parameters: list[Any] = [knowledge_base]
    for column, ids in (
        ("document_id", wanted.document_ids),
        ("file_id", wanted.file_ids),
        ("data_source_id", wanted.data_source_ids),
    ):
        if ids:
            demands.append(f"d.{column} IN (SELECT value FROM json_each(?))")
            parameters.append(_array(ids))
    if wanted.excluded_document_ids:
        demands.append(f"d.id NOT IN ({excluded})")
        parameters += removed
    for condition in wanted.conditions:
        demand, values = _condition(condition)
        demands.append(demand)
        parameters += values
    return Documents(f"SELECT d.id FROM documents d WHERE {' AND '.join(demands)}", tuple(parameters))


def _array(values: Sequence[Any] | frozenset[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _condition(condition: Condition) -> tuple[str, list[Any]]:
    """A demand on one key of the metadata; the key is compared as text, not as a path."""
    if not condition.values or (len(condition.values) > 1 and condition.op is not MetadataOp.IN):
        raise ValueError(f"{condition.op} has {len(condition.values)} values")
    some = "EXISTS (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND {})"
    if comparison := _COMPARISONS.get(condition.op):
        value = condition.values[0]
        if isinstance(value, bool):
            raise ValueError(f"{condition.op} cannot compare true and false")
        return some.format(f"m.type IN {_types(value)} AND m.atom {comparison} ?"), [condition.key, _bound(value)]
    equal = " OR ".join(f"m.type IN {_types(value)} AND m.atom = ?" for value in condition.values)
    demand = some.format(f"({equal})")
    if condition.op is MetadataOp.NE:
        demand = f"NOT {demand}"
    return demand, [condition.key, *map(_bound, condition.values)]


def _bound(value: Scalar) -> Scalar:
    """The value as SQLite takes it: its integers have 64 bits, and JSON's larger ones are floats to it."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _types(value: Scalar) -> str:
    """The JSON types whose values are compared with this one."""
    if isinstance(value, bool):
        return "('true', 'false')"
    return "('text')" if isinstance(value, str) else "('integer', 'real')"
