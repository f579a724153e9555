"""opendataloader, an optional engine for PDF where the machine has Java.

The virtual machine is loaded into a converter child of its own, so no program is executed and what confines a child
confines it too. Its children have a folder to write in, because the library reads files only and keeps its own.
"""

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse import java
from ingest_grpc.pipeline.parse.engines import OPENDATALOADER
from ingest_grpc.pipeline.parse.extraction import Extraction, PageText
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.source import Source

_API = "org.opendataloader.pdf"
_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
    b"<</Length 35>>stream\nBT /F 9 Tf 9 50 Td (a sample) Tj ET\nendstream",
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
)


def sample() -> bytes:
    """A PDF of one page with two words."""
    document, table = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number, body in enumerate(_OBJECTS, 1):
        table += b"%010d 00000 n \n" % len(document)
        document += b"%d 0 obj%s\nendobj\n" % (number, body)
    count, start = len(_OBJECTS) + 1, len(document)
    return b"%sxref\n0 %d\n%strailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        *(document, count, table, count, start),
    )


def _options(heap_bytes: int, folder: str) -> tuple[str, ...]:
    return (
        f"-Xmx{heap_bytes}",
        "-XX:+UseSerialGC",  # one document at a time: no threads beside it
        "-Xrs",  # signals are not its business
        # A machine that ran out of memory is of no more use: end, and let the last words say so.
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:+DisplayVMOutputToStderr",
        # No files for tools that look into running machines, none for the next start, none after a crash.
        "-XX:-UsePerfData",
        "-XX:+DisableAttachMechanism",
        "-XX:-CreateCoredumpOnCrash",
        "-XX:ErrorFile=/dev/null",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={folder}",
    )


@dataclass(frozen=True, slots=True)
class _Java:
    """The classes that a conversion needs, and the folder for its files."""

    config: Any
    processor: Any
    generator: Any
    writer: Any
    folder: str

    def markdown(self, data: bytes, mark: str) -> str:
        """The Markdown of a PDF, each page after `mark` and its number. Raises Java's exceptions."""
        document = Path(self.folder) / "document.pdf"
        document.write_bytes(data)
        config = self.config()
        config.setTableMethod("cluster")
        config.setImageOutput("off")
        config.setMarkdownPageSeparator(f"{mark} %page-number%")
        extracted = self.processor.extractContents(str(document), config)
        try:
            writer = self.writer()
            generator = self.generator(writer, config)
            generator.writeToMarkdown(extracted.getContents())
            generator.close()
            return str(writer.toString())
        finally:
            extracted.close()


_loaded: list[_Java] = []


def prepare() -> None:
    """Import what is needed while files can still be opened. ImportError where it is not installed."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # it comes along, and would start threads before this process is confined
    import jpype.config  # noqa: F401, PLC0415 - optional, in children of its own only; that part it loads at its end


def load(library: str, heap_bytes: int, folder: str) -> None:
    """Start the virtual machine that `library` is. Raises what Java raises."""
    import jpype  # noqa: PLC0415 - see prepare

    jpype.startJVM(
        *_options(heap_bytes, folder),
        jvmpath=library,
        classpath=[java.library_jar()],
        convertStrings=False,
        interrupt=False,
    )
    # What the library logs would be content of documents in the last words of a child.
    jpype.JClass("java.util.logging.LogManager").getLogManager().reset()
    _loaded.append(
        _Java(
            jpype.JClass(f"{_API}.api.Config"),
            jpype.JClass(f"{_API}.processors.DocumentProcessor"),
            jpype.JClass(f"{_API}.markdown.MarkdownGenerator"),
            jpype.JClass("java.io.StringWriter"),
            folder,
        )
    )


def prove() -> None:
    """Convert a sample: a child that cannot do this is not ready. Raises what Java raises."""
    _loaded[0].markdown(sample(), "")


def extract(source: Source, unreadable: Reason) -> Extraction:
    """Convert a PDF, page by page. ParseFailure `unreadable` if the library cannot read it, TOO_DEEPLY_NESTED if it
    runs out of stack."""
    mark = secrets.token_hex(16)  # no document can hold it
    try:
        markdown = _loaded[0].markdown(source.data, mark)
    except Exception as error:  # noqa: BLE001 - whatever Java throws
        raise failure(type(error).__name__, str(error), unreadable) from None
    return Extraction(pages=tuple(_pages(markdown, mark)))


def _pages(markdown: str, mark: str) -> Iterator[PageText]:
    _, *parts = re.split(rf"^{mark} (\d+)$", markdown, flags=re.MULTILINE)
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        yield PageText(int(number), text.strip())


def failure(thrown: str, message: str, unreadable: Reason) -> ParseFailure:
    """What the exception of this class means for a document. MemoryError if it means that memory ran out."""
    kind = thrown.rpartition(".")[2]
    if kind == "OutOfMemoryError":
        raise MemoryError(f"{thrown}: {message}")
    reason = Reason.TOO_DEEPLY_NESTED if kind == "StackOverflowError" else unreadable
    # The message names the copy that the library was given, which says nothing to anybody.
    detail = f"{kind}: {message}".replace(os.sep, " ")
    return ParseFailure(reason, detail, engine=OPENDATALOADER, retire=kind.endswith("Error"))
