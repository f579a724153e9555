"""An expected failure, on its way to the one place that turns it into a gRPC status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest_grpc.errors.catalogue import CATALOGUE
from ingest_grpc.errors.entry import Entry
from ingest_grpc.errors.reasons import Reason

DOMAIN = "ingest-grpc"
"""ErrorInfo.domain of every error that leaves the service."""

MAX_QUOTED = 80
"""Most characters that a message shows of a caller's text."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that is wrong: its path in proto names (`files[3].file_id`) and what is wrong."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Precondition:
    """One thing that stands in the way: its kind, the id of what it is about, and what to do in plain words."""

    type: str
    subject: str
    description: str


@dataclass
class IngestError(Exception):
    """An expected failure, on its way to the one place that turns it into a gRPC status.

    `metadata` holds every dynamic part of the message as strings. `retry_after_seconds` is set where the
    service knows when to try again (0 = at once). `resource` is (type, name) of what the error is about.
    `violations` are the first of `violations_total`, `preconditions` the first things that stand in the way, of
    `preconditions_total`; a total of 0 means that all are there.
    """

    reason: Reason
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    violations_total: int = 0
    retry_after_seconds: float | None = None
    resource: tuple[str, str] | None = None
    preconditions: Sequence[Precondition] = ()
    preconditions_total: int = 0

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.reason]

    @property
    def message(self) -> str:
        """The catalogue's text with its placeholders filled, and the first violation where there is one."""
        text = self.entry.message.format_map(_Known(self.metadata))
        if self.violations:
            first = self.violations[0]
            text = f"{text} {first.field}: {first.description}"
        return text

    @property
    def suggested_fix(self) -> str:
        """The catalogue's fix with its placeholders filled."""
        return self.entry.suggested_fix.format_map(_Known(self.metadata))

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class _Known(dict[str, str]):
    """Metadata for str.format_map: a placeholder nobody filled stays readable instead of raising."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def invalid(
    field_path: str,
    description: str,
    reason: Reason = Reason.INVALID_FIELD,
    metadata: Mapping[str, str] | None = None,
) -> IngestError:
    """An IngestError about one field of the request."""
    return IngestError(reason, metadata or {}, violations=(Violation(field_path, description),))


def quoted(value: str) -> str:
    """A caller's text as a message shows it: in quotation marks, and of a long one the beginning."""
    return repr(value if len(value) <= MAX_QUOTED else f"{value[: MAX_QUOTED - 3]}...")
