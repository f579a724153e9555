"""What OCR reads is kept in the server's memory until a child writes it: no more than an output may hold."""

import pytest

from ingest_grpc.config import Settings
from ingest_grpc.sandbox.spec import Limits
from ingest_grpc.worker.executors.ocr import OcrReader, TooMuchText

LIMITS = Limits(address_space_bytes=None, resident_bytes=1, written_bytes=1, wall_seconds=1.0)
PAGE = "x" * 500


class FullPages(OcrReader):
    """Every page has the same text, and no child is needed."""

    def __init__(self) -> None:
        super().__init__(Settings(ocr_engine="none", max_output_bytes=1_024), LIMITS)
        self.read_pages: list[int] = []

    async def _start(self) -> None:
        """Nothing to start."""

    async def read_page(self, source_fd: int, page: int, *, is_pdf: bool) -> str:
        self.read_pages.append(page)
        return PAGE


async def test_read__as_much_as_an_output_may_hold() -> None:
    reader = FullPages()
    assert await reader.read(0, [1, 2], is_pdf=True, on_page=lambda _: None) == {1: PAGE, 2: PAGE}


async def test_read__more_ends_before_the_last_page() -> None:
    reader = FullPages()
    with pytest.raises(TooMuchText, match=r"more than 1024 characters on \d pages"):
        await reader.read(0, range(1, 1_000), is_pdf=True, on_page=lambda _: None)
    assert len(reader.read_pages) < 10
