"""What a sync has to do: the keys of a source as they are, against what is known of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import RecordStatus
from ingest_grpc.store.knowledge_interface import KnownKey

OUTAGES = frozenset({Reason.SERVICE_UNAVAILABLE, Reason.WORKER_LOST, Reason.STORAGE_FULL, Reason.STORAGE_UNAVAILABLE})
"""Failures that were not the file's own: the same bytes are worth another try."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key of a source as it is now. `etag` is another one as soon as the bytes may be others."""

    key: str
    etag: str
    size_bytes: int


@dataclass(slots=True)
class Comparison:
    """Keys to ingest, documents to remove (rows), how many are as they were, and which may only look modified."""

    new: list[FoundKey] = field(default_factory=list)
    modified: list[FoundKey] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    unchanged: int = 0
    doubtful: list[tuple[FoundKey, KnownKey]] = field(default_factory=list)
    """Another etag but the same size: only the bytes can tell."""

    @property
    def changes(self) -> bool:
        return bool(self.new or self.modified or self.gone)


def compare(found: Sequence[FoundKey], known: Sequence[KnownKey], named: Sequence[str] = ()) -> Comparison:
    """All keys, or only the named ones: those are tried again also where the same bytes failed for good before."""
    wanted = frozenset(named)
    before: Mapping[str, KnownKey] = {each.key: each for each in known if not wanted or each.key in wanted}
    result, seen = Comparison(), set[str]()
    for each in found:
        if wanted and each.key not in wanted:
            continue
        seen.add(each.key)
        earlier = before.get(each.key)
        if earlier is None:
            result.new.append(each)
        elif _is_to_be_tried_again(earlier, named=bool(wanted)):
            result.modified.append(each)
        elif earlier.etag == each.etag:
            result.unchanged += 1
        elif earlier.size_bytes == each.size_bytes and earlier.sha256:
            result.doubtful.append((each, earlier))
        else:
            result.modified.append(each)
    result.gone = [each.row_id for key, each in before.items() if key not in seen]
    return result


def _is_to_be_tried_again(known: KnownKey, *, named: bool) -> bool:
    if known.status is None:
        return not known.searchable
    if known.status is RecordStatus.FAILED:
        return named or known.error_reason in OUTAGES
    return known.status is RecordStatus.CANCELLED
