"""What a supervisor decides about its children, and how a child can end."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may use. Bytes and seconds; None = unlimited (some runtimes reserve far more than they use)."""

    address_space_bytes: int | None
    resident_bytes: int
    written_bytes: int
    wall_seconds: float
    stall_seconds: float | None = None
    """Wall seconds without a progress message; None = as long as the whole task may take."""
    cpu_seconds: float | None = None
    """CPU seconds; None = every core for the whole wall time: the second line, should the supervisor itself be
    stuck, and never the first to bite."""
    open_files: int = 64
    threads: int = 1024
    """Threads of one child; libraries start a few per core."""
    rest_cpu_seconds: float = 2.0
    """CPU seconds that it may use after a task at once, to finish what it began; see Guard for later."""

    @property
    def granted_cpu_seconds(self) -> int:
        """Whole CPU seconds for the kernel to count."""
        if self.cpu_seconds is not None:
            return max(1, round(self.cpu_seconds))
        return int(self.wall_seconds * (os.cpu_count() or 1)) + 2


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder of a child's own, made below `parent`, that it may write files in: what they may take together.

    The child can make, read and write files there and no folder, and cannot remove one: it is told that it did, so
    that all the room it takes can be seen. The supervisor empties the folder after each task.
    """

    parent: str
    max_bytes: int
    max_files: int = 1_000


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How a child is started: the command line of its entry module, its limits, seconds until it must be ready.

    With `all_protections` a child that lacks one is never given a task. What stands in `readable_paths` (files, and
    folders with all below them) can be read for ever: only for libraries that start threads when they are loaded.
    Likewise `scratch` is only for libraries that cannot do without files.
    """

    command: tuple[str, ...]
    limits: Limits
    start_timeout_seconds: float = 15.0
    all_protections: bool = False
    readable_paths: tuple[str, ...] = ()
    scratch: Scratch | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """What a child needs to know before the first message, handed over as its last argument."""

    channel: int
    parent_pid: int
    temporary_folder: str
    address_space_bytes: int | None
    written_bytes: int
    cpu_seconds: int
    open_files: int
    readable_paths: Sequence[str] = ()
    scratch_folder: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Launch":
        values = json.loads(text)
        return cls(**{**values, "readable_paths": tuple(values["readable_paths"])})


class Ending(StrEnum):
    """Why a task ended without a result."""

    CRASHED = "CRASHED"
    """The child died of a signal or an exit of its own, or broke the protocol."""
    TIMED_OUT = "TIMED_OUT"
    STALLED = "STALLED"
    """No progress for too long, although there was time left in all."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    BROKEN = "BROKEN"
    """The child's code raised something it should not have; the child itself lives."""
    UNAVAILABLE = "UNAVAILABLE"
    """There was no child to ask: none could be started, or the pool was stopped."""


class SandboxIncomplete(Exception):
    """A protection that the settings require is not in force on this machine."""

    fix = "Allow the service what 'ingest-grpc doctor' finds missing, or unset require_sandbox."


class ChildFailure(Exception):
    """A task got no result. `detail` is for operators, at most DETAIL_BYTES of text."""

    DETAIL_BYTES = 1024

    def __init__(self, ending: Ending, detail: str) -> None:
        self.ending = ending
        self.detail = detail.encode("utf-8", "replace")[: self.DETAIL_BYTES].decode("utf-8", "ignore")
        super().__init__(f"{ending}: {self.detail}")
