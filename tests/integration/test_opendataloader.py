"""opendataloader in its confined children: only where its package is installed and the machine has Java."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from ingest_grpc.admin.doctor import examine
from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.choice import EngineUnavailable
from ingest_grpc.pipeline.parse.engines import OPENDATALOADER, engines
from ingest_grpc.pipeline.parse.java import find_runtime
from ingest_grpc.worker.executors.interface import ConversionFailed, Converted
from tests import documents
from tests.integration.converting import Converting, Outcome, started
from tests.integration.sandbox.pools import children_of_this_process

METHOD = "ACCURACY_OPTIMIZED"
CHOICE = {METHOD: {"PDF": OPENDATALOADER}}
IS_THERE = OPENDATALOADER in engines() and find_runtime(None) is not None

needs_it = pytest.mark.skipif(not IS_THERE, reason="opendataloader-pdf, JPype1 or Java is not installed")


def long_pdf(pages: int = 400) -> bytes:
    """Takes seconds."""
    return documents.pdf([" ".join(f"word{page}-{number}" for number in range(200)) for page in range(pages)])


def machines() -> list[int]:
    """The children of this process that a virtual machine runs in: they have more threads than any other."""
    return [pid for pid in children_of_this_process() if psutil.Process(pid).num_threads() > 5]


async def busy(converting: Converting) -> "asyncio.Task[Outcome]":
    """A conversion that has begun and will take a while."""
    begun = asyncio.Event()  # the child tells of the pages before it converts any
    converting.on_progress = begun.set
    running = asyncio.create_task(converting.convert(long_pdf(), "a.pdf", method=METHOD))
    async with asyncio.timeout(30):
        await begun.wait()
    return running


def reason_of(outcome: Outcome) -> Reason | None:
    """Why a conversion failed."""
    return outcome.reason if isinstance(outcome, ConversionFailed) else None


@needs_it
async def test_opendataloader__converts_page_by_page_with_every_protection_in_force(tmp_path: Path) -> None:
    async with started(tmp_path, engines=CHOICE, data_dir=tmp_path / "data", require_sandbox=True) as converting:
        outcome = await converting.convert(documents.pdf(), "a.pdf", method=METHOD)
        assert isinstance(outcome, Converted), outcome
        assert (outcome.engine_name, outcome.pages) == (OPENDATALOADER, 2)
        assert outcome.engine_version == engines()[OPENDATALOADER]
        text = converting.output.read_text("utf-8")
        assert "quick brown fox" in text
        assert text.count("<!-- page ") == 2
        assert all(converting.executor.protections.values())
        left = [path for path in (tmp_path / "data" / "scratch").rglob("*") if path.is_file()]
        assert left == [], "the document is left"
    assert list((tmp_path / "data" / "scratch").iterdir()) == []


@needs_it
async def test_opendataloader__other_documents_stay_with_the_others(tmp_path: Path) -> None:
    async with started(tmp_path, engines=CHOICE, data_dir=tmp_path / "data") as converting:
        page = await converting.convert(b"<html><h1>A page</h1><p>words</p></html>", "a.html", method=METHOD)
        fast = await converting.convert(documents.pdf(), "a.pdf")
        bad = await converting.convert(b"%PDF-1.7 and nothing else", "a.pdf", method=METHOD)
    assert [each.engine_name for each in (page, fast) if isinstance(each, Converted)] == ["markdownify", "xberg"]
    assert reason_of(bad) is Reason.PDF_UNREADABLE


@needs_it
async def test_opendataloader__timeout_crash_memory_and_cancellation_are_told_apart(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with started(tmp_path, engines=CHOICE, data_dir=data_dir, conversion_stall_seconds=0.5) as converting:
        stalled = await converting.convert(long_pdf(), "a.pdf", method=METHOD)
        assert reason_of(stalled) is Reason.CONVERSION_STALLED
    async with started(tmp_path, engines=CHOICE, data_dir=data_dir) as converting:
        running = await busy(converting)
        for pid in machines():
            os.kill(pid, signal.SIGABRT)  # SIGSEGV is a NullPointerException to a thread that runs Java just then
        assert reason_of(await running) is Reason.CONVERTER_CRASHED
        running = await busy(converting)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert machines() == []
    async with started(tmp_path, engines=CHOICE, data_dir=data_dir, conversion_memory_bytes=2**28) as tight:
        full = await tight.convert(long_pdf(1_500), "a.pdf", method=METHOD)
        assert reason_of(full) is Reason.CONVERSION_OUT_OF_MEMORY


@needs_it
async def test_opendataloader__a_runtime_that_does_not_start_is_told_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "jdk"
    (broken / "lib" / "server").mkdir(parents=True)
    (broken / "lib" / "server" / "libjvm.so").write_bytes(b"no library")
    (broken / "release").write_text('JAVA_VERSION="17.0.1"\n')
    settings = Settings.model_validate({"engines": CHOICE, "data_dir": tmp_path / "data", "java_home": broken})
    with pytest.raises(EngineUnavailable, match="opendataloader cannot be started in its sandbox"):
        async with started(tmp_path, **settings.model_dump(include={"engines", "data_dir", "java_home"})):
            raise AssertionError("it was started")
    findings = {finding.subject: finding for finding in await examine(settings)}
    assert findings["chosen engines"].ok is False
    assert "libjvm.so" in findings["chosen engines"].detail
    assert findings["chosen engines"].fix
    assert findings["conversion"].ok is True
