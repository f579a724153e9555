"""What is learned of a file while its bytes come in, and checked before its row is written."""

import codecs

from ingest_grpc.errors import IngestError, Reason, Violation
from ingest_grpc.model import File, NewFile

MARKDOWN_TYPES = frozenset({"text/markdown", "text/x-markdown"})
MARKDOWN_SUFFIXES = (".md", ".markdown")


class ReceivedContent:
    """Decides, chunk by chunk, whether a file that calls itself Markdown is valid, non-empty UTF-8 text."""

    def __init__(self, new: NewFile) -> None:
        named_so = new.content_type in MARKDOWN_TYPES or new.filename.lower().endswith(MARKDOWN_SUFFIXES)
        self._decoder = codecs.getincrementaldecoder("utf-8")() if named_so else None
        self._has_text = False

    def feed(self, chunk: bytes) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(chunk)
        except UnicodeDecodeError:
            self._decoder = None
            return
        if "\0" in text:
            self._decoder = None
        elif not self._has_text:
            self._has_text = bool(text.strip("\ufeff \t\r\n"))

    @property
    def is_markdown(self) -> bool:
        """Whether what came in so far is viable Markdown; a character that is cut off at the end is not."""
        return self._decoder is not None and self._has_text and not self._decoder.getstate()[0]


def check_announced_size(new: NewFile, size_bytes: int) -> None:
    """Raises SIZE_MISMATCH if another size was announced."""
    if new.size_bytes is not None and new.size_bytes != size_bytes:
        raise IngestError(
            Reason.SIZE_MISMATCH,
            {"expected_bytes": str(new.size_bytes), "actual_bytes": str(size_bytes)},
            violations=[Violation("size_bytes", "differs from the bytes that arrived")],
        )


def check_announced(new: NewFile, file: File) -> None:
    """Holds the stored bytes against what was announced. Raises SIZE_MISMATCH and SHA256_MISMATCH."""
    check_announced_size(new, file.size_bytes)
    if new.sha256 is not None and new.sha256 != file.sha256:
        raise IngestError(
            Reason.SHA256_MISMATCH,
            {"expected_sha256": new.sha256, "actual_sha256": file.sha256},
            violations=[Violation("sha256", "differs from that of the bytes that arrived")],
        )
