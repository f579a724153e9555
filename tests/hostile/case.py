"""One bad file, and what may become of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from ingest_grpc.errors import Reason

COMPLETED = "COMPLETED"
"""The outcome of a file that is odd, but gives its text."""

PDF = frozenset({Reason.PDF_UNREADABLE, Reason.NO_TEXT})
OFFICE = frozenset({Reason.FILE_UNREADABLE, Reason.EMPTY_FILE, Reason.ONLY_PICTURES})
TEXT = frozenset({Reason.EMPTY_FILE, Reason.TEXT_UNDECODABLE, Reason.UNSUPPORTED_TYPE})


@dataclass(frozen=True, slots=True)
class Case:
    """A file by its name; `make` gives its bytes, the same at each call. `outcomes` are the right ones: a Reason,
    or COMPLETED. `slow` ones cost the machine more than a second or two."""

    name: str
    make: Callable[[], bytes]
    outcomes: frozenset[str]
    content_type: str = ""
    slow: bool = False


def case(name: str, make: Callable[[], bytes] | bytes, *outcomes: str | Iterable[str], slow: bool = False) -> Case:
    """A Case; outcomes may be given as sets."""
    flat = [one for each in outcomes for one in ([each] if isinstance(each, str) else each)]
    return Case(name, make if callable(make) else lambda: make, frozenset(flat), slow=slow)


def later(make: Callable[..., bytes], *arguments: object) -> Callable[[], bytes]:
    """For bytes that are too many to be made before they are asked for."""
    return partial(make, *arguments)
