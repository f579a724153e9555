"""What the worker may expect of an executor: one document in, Markdown or a reason out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """What is known about a document beside its bytes.

    `filename` and `content_type` are the client's words: hints, never trusted. `method` is a conversion
    method of the contract, for example "SPEED_OPTIMIZED". `images` takes the pictures to be stored, None = there
    are none to be; they count only if the conversion succeeds.
    """

    filename: str
    content_type: str
    method: str
    images: "MemberSink | None" = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running conversion is: `units_done` of `units_total` `unit`s of `step`, for example 3 of 12 "pages"."""

    step: Step
    units_done: int
    units_total: int
    unit: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A document became Markdown: `bytes_out` bytes of valid UTF-8 now stand in the output descriptor.

    `content_type` is what the content is, whatever was declared. `pages` is None for formats without pages.
    Title, author and language (BCP 47) are the document's own words about itself, None where it says nothing.
    `warnings` say what was odd about the file, `losses` what of it is missing in the output.
    """

    engine_name: str
    engine_version: str
    content_type: str
    pages: int | None
    bytes_out: int
    title: str | None
    author: str | None = None
    language: str | None = None
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversionFailed:
    """A document did not become Markdown. `detail` is for operators, at most 1 KiB.

    Whether another attempt makes sense is the catalogue's word: `CATALOGUE[reason].retryable`.
    The engine is None when the failure came before an engine was chosen, or with the child's death.
    """

    reason: Reason
    detail: str
    engine_name: str | None = None
    engine_version: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveFound:
    """The document is an archive: it is not converted but unpacked. The output has received nothing."""

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveUnpacked:
    """Every member of an archive that can be read has been handed over; `losses` name the others."""

    engine_name: str
    engine_version: str
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()


class MemberSink(Protocol):
    """Takes the members of an archive, or the pictures of a document, one after the other.

    Each is `begin`, `write`…, then `end` or `abort`. What one of them raises ends the unpacking and is raised by it.
    """

    async def begin(self, path: str) -> None:
        """A member; `path` is the child's word: hostile, and never part of a real path."""
        ...

    async def write(self, data: bytes) -> None:
        """A part of its content."""
        ...

    async def end(self) -> None:
        """The member is whole."""
        ...

    async def abort(self) -> None:
        """The member could not be read: what came of it is void."""
        ...


class Executor(Protocol):
    """Converts documents somewhere that cannot harm the server."""

    @property
    def protections(self) -> Mapping[str, bool]:
        """The confinements in force where documents are parsed, by name; empty before the first child is up."""
        ...

    async def start(self) -> None:
        """Make ready; returns as soon as conversions may be asked for."""
        ...

    async def stop(self) -> None:
        """End everything at once: running conversions fail, every child is killed and reaped."""
        ...

    async def convert(
        self,
        source_fd: int,
        output_fd: int,
        request: ConversionRequest,
        on_progress: Callable[[Progress], None],
    ) -> Converted | ArchiveFound | ConversionFailed:
        """Convert the bytes behind `source_fd` (read-only) into Markdown behind `output_fd` (read-write).

        The caller keeps and closes both descriptors. `on_progress` is called on the event loop's thread.
        A conversion that does not succeed leaves undefined bytes in the output. Cancelling the awaiting
        task stops the work at once. Never raises for the document's sake.
        """
        ...

    async def unpack(
        self, source_fd: int, sink: MemberSink, on_progress: Callable[[Progress], None]
    ) -> ArchiveUnpacked | ConversionFailed:
        """Hand the members of the archive behind `source_fd` to `sink`, in the archive's order.

        The same promises as those of `convert`. Raises what the sink raises.
        """
        ...
