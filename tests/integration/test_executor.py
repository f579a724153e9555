"""The local executor with its real children: documents in, Markdown or a reason out."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ingest_grpc.errors import Reason
from ingest_grpc.lifecycle import Step
from ingest_grpc.pipeline.parse.engines import engines
from ingest_grpc.sandbox.spec import SandboxIncomplete
from ingest_grpc.worker.executors.interface import (
    ConversionFailed,
    Converted,
    Executor,
    Progress,
)
from tests import compound_files, documents, wild_documents
from tests.integration.converting import Converting, started
from tests.reaching import A_RECORD, reaches

MIB = 2**20
CANARY = (sys.executable, "-I", str(Path(__file__).parent / "sandbox" / "canary.py"))
LIAR = (sys.executable, "-I", str(Path(__file__).with_name("executor_child.py")))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def converting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Converting]:
    async with started(tmp_path_factory.mktemp("executor")) as converting:
        yield converting


@pytest.mark.asyncio(loop_scope="module")
async def test_executor__is_one_and_says_what_protects_it(converting: Converting) -> None:
    executor: Executor = converting.executor
    assert executor.protections["landlock"]
    assert executor.protections["seccomp"]


@pytest.mark.asyncio(loop_scope="module")
async def test_convert__a_pdf_with_progress_and_evidence(converting: Converting) -> None:
    converting.progress.clear()
    outcome = await converting.convert(documents.pdf(), "handbook.pdf", "application/pdf")
    assert isinstance(outcome, Converted)
    text = converting.output.read_text("utf-8")
    assert "quick brown fox" in text
    assert outcome == Converted(
        engine_name="xberg",
        engine_version=engines()["xberg"],
        content_type="application/pdf",
        pages=2,
        bytes_out=len(text.encode()),
        title="A small PDF",
        author="anonymous",
    )
    assert converting.progress == [Progress(Step.PARSE, 0, 2, "pages")], "the result says the rest"


RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 20


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("data", "filename", "words"),
    [
        (documents.word(), "a.docx", "Some words"),
        (documents.slides(), "a.pptx", "Second slide"),
        (documents.sheet(), "a.xlsx", "| pears | 4 |"),
        (b"<html><title>T</title><p>hello <b>there</b></p></html>", "a.html", "hello **there**"),
        (b"# Title\r\n\r\ntext", "a.md", "# Title\n\ntext\n"),
        (RUSSIAN.encode("koi8-r"), "a.txt", RUSSIAN.strip()),
        (RUSSIAN.encode("iso8859-5"), "a.txt", RUSSIAN.strip()),
        (("日本語のテキストです。" * 30).encode("shift-jis"), "a.txt", "日本語のテキスト"),
        (b"a,b\n1,2\n", "a.csv", "| 1 | 2 |"),
        (b'{"a": 1}', "a.json", '"a": 1'),
        (b"<?xml version='1.0'?><a>b</a>", "a.xml", "<a>b</a>"),
        (b"{\\rtf1 hello there}", "a.rtf", "hello there"),
        (b"Subject: Hi\nContent-Type: text/html\n\n<p>hello <i>there</i></p>", "a.eml", "hello *there*"),
        (wild_documents.stored("letter.doc"), "a.doc", "Some words in an old document."),
        (wild_documents.stored("fruit.xls"), "a.xls", "| apples | 3 |"),
        (wild_documents.stored("talk.ppt"), "a.ppt", "First slide"),
        (compound_files.message(), "a.msg", "Words of a message."),
        (wild_documents.open_document(), "a.odt", "Open words."),
        (wild_documents.open_document(wild_documents.ODS_BODY, "spreadsheet"), "a.ods", "| apples | three |"),
        (wild_documents.open_document(wild_documents.ODP_BODY, "presentation"), "a.odp", "Open slide"),
        (wild_documents.book(), "a.epub", "Words of chapter 1."),
        (wild_documents.MHTML, "a.mht", "With words."),
        (wild_documents.RST, "a.rst", "Some *words* here."),
        (wild_documents.LATEX, "a.tex", "*words*"),
        (wild_documents.notebook([{"cell_type": "markdown", "source": "cell"}]), "a.ipynb", "cell"),
        (b'{"a": 1}\n{"a": 2}\n', "a.jsonl", '{"a": 2}'),
        (b"a\tb\n1\t2\n", "a.tsv", "| 1 | 2 |"),
    ],
)
async def test_convert__every_format_inside_the_sandbox(
    converting: Converting, data: bytes, filename: str, words: str
) -> None:
    outcome = await converting.convert(data, filename)
    assert isinstance(outcome, Converted), outcome
    assert words in converting.output.read_text("utf-8")


@reaches(Reason.NO_TEXT, A_RECORD, "a scan, or a picture")
@reaches(Reason.ONLY_PICTURES, A_RECORD, "an Office file of pictures only")
@reaches(Reason.DECOMPRESSION_BOMB, A_RECORD, "a file that expands a hundred thousand times")
@reaches(Reason.FILE_ENCRYPTED, A_RECORD, "an Office file with a password")
@reaches(Reason.FILE_UNREADABLE, A_RECORD, "an Office file that is cut off")
@reaches(Reason.UNSUPPORTED_TYPE, A_RECORD, "bytes of no known type")
@reaches(Reason.TEXT_UNDECODABLE, A_RECORD, "text in no known encoding")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("data", "filename", "reason"),
    [
        (b"", "a.pdf", Reason.EMPTY_FILE),
        (documents.encrypted_pdf(), "a.pdf", Reason.PDF_UNREADABLE),
        (documents.pdf(size=(20_000, 20_000)), "a.pdf", Reason.PDF_PAGE_TOO_LARGE),
        (documents.pdf([None]), "a.pdf", Reason.NO_TEXT),
        (documents.bomb_pdf(), "a.pdf", Reason.DECOMPRESSION_BOMB),
        (documents.encrypted_office(), "a.docx", Reason.FILE_ENCRYPTED),
        (documents.word()[:500], "a.docx", Reason.FILE_UNREADABLE),
        (documents.word("", "", with_picture=True), "a.docx", Reason.ONLY_PICTURES),
        (documents.picture(), "a.png", Reason.NO_TEXT),
        (bytes(1000), "a.bin", Reason.UNSUPPORTED_TYPE),
        (b"\xff\xfe" + b"\x00\xd8" * 10, "a.txt", Reason.TEXT_UNDECODABLE),
    ],
)
async def test_convert__each_refusal_from_its_real_cause(
    converting: Converting, data: bytes, filename: str, reason: Reason
) -> None:
    outcome = await converting.convert(data, filename)
    assert isinstance(outcome, ConversionFailed), outcome
    assert outcome.reason is reason
    assert outcome.detail


@reaches(Reason.OUTPUT_TOO_LARGE, A_RECORD, "Markdown beyond `max_output_bytes`")
async def test_convert__more_output_than_allowed(tmp_path: Path) -> None:
    async with started(tmp_path, max_output_bytes=100_000) as converting:
        outcome = await converting.convert(b"word " * 30_000, "a.txt")
        assert isinstance(outcome, ConversionFailed)
        assert outcome.reason is Reason.OUTPUT_TOO_LARGE
        assert isinstance(await converting.convert(b"word", "a.txt"), Converted)


@reaches(Reason.CONVERSION_OUT_OF_MEMORY, A_RECORD, "a conversion beyond `conversion_memory_bytes`")
async def test_convert__out_of_memory_for_real(tmp_path: Path) -> None:
    """A text whose characters alone need more than the address space allows."""
    async with started(tmp_path, conversion_memory_bytes=384 * MIB, max_output_bytes=1024 * MIB) as converting:
        outcome = await converting.convert("𝔘".encode() * (40 * MIB), "a.txt")
        assert isinstance(outcome, ConversionFailed)
        assert outcome.reason is Reason.CONVERSION_OUT_OF_MEMORY


async def test_start__refuses_without_a_protection_that_is_required(tmp_path: Path) -> None:
    command = (*CANARY, "on_an_old_kernel")
    async with started(tmp_path, command) as converting:
        assert converting.executor.protections["landlock"] is False
    with pytest.raises(SandboxIncomplete, match="refused to convert without landlock"):
        async with started(tmp_path, command, require_sandbox=True):
            pass
    async with started(tmp_path, require_sandbox=True) as converting:
        assert isinstance(await converting.convert(b"words", "a.txt"), Converted)


async def test_cancel__is_prompt_and_the_next_conversion_works(tmp_path: Path) -> None:
    async with started(tmp_path) as converting:
        converted = asyncio.create_task(converting.convert(documents.pdf(), "a.pdf"))
        await asyncio.sleep(0)
        began = time.monotonic()
        converted.cancel()
        with pytest.raises(asyncio.CancelledError):
            await converted
        assert time.monotonic() - began < 1.0
        assert isinstance(await converting.convert(documents.pdf(), "a.pdf"), Converted)


async def test_stop__a_running_conversion_fails_as_unavailable(tmp_path: Path) -> None:
    async with started(tmp_path) as converting:
        at_work = asyncio.Event()
        converting.progress = Signalling(at_work)
        task = asyncio.create_task(converting.convert(documents.pdf(["words here"] * 2000), "a.pdf"))
        await at_work.wait()
        await converting.executor.stop()
        outcome = await task
        assert isinstance(outcome, ConversionFailed)
        assert outcome.reason is Reason.SERVICE_UNAVAILABLE


class Signalling(list[Progress]):
    """Tells when the first progress has come."""

    def __init__(self, event: asyncio.Event) -> None:
        super().__init__()
        self._event = event

    def append(self, progress: Progress) -> None:
        super().append(progress)
        self._event.set()


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("claims success", Reason.CONVERTER_CRASHED),
        ("writes no UTF-8", Reason.CONVERTER_CRASHED),
        ("writes much no UTF-8", Reason.CONVERTER_CRASHED),
        ("answers nonsense", Reason.CONVERTER_CRASHED),
        ("dies", Reason.CONVERTER_CRASHED),
    ],
)
async def test_success__is_not_believed_without_evidence(tmp_path: Path, behaviour: str, reason: Reason) -> None:
    async with started(tmp_path, LIAR) as converting:
        outcome = await converting.convert(b"x", behaviour)
        assert isinstance(outcome, ConversionFailed)
        assert outcome.reason is reason


async def test_success__bytes_out_are_counted_and_odd_progress_dropped(tmp_path: Path) -> None:
    async with started(tmp_path, LIAR) as converting:
        outcome = await converting.convert(b"x", "writes what it should")
        assert isinstance(outcome, Converted)
        assert (outcome.bytes_out, converting.progress) == (7, [])


SERVER = """
import asyncio, sys
from ingest_grpc.config import Settings
from ingest_grpc.worker.executors.local import LocalExecutor

async def main():
    executor = LocalExecutor(Settings(workers=2))
    await executor.start()
    children = open("/proc/self/task/%d/children" % __import__("os").getpid()).read()
    print(children, flush=True)
    await asyncio.Event().wait()

if "uvloop" in sys.argv:
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_children__die_with_a_server_that_is_killed(loop: str) -> None:
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, loop, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    pids = [int(pid) for pid in (await server.stdout.readline()).split()]
    assert pids
    descriptors = [os.pidfd_open(pid) for pid in pids]
    try:
        server.send_signal(signal.SIGKILL)
        await server.wait()
        for descriptor in descriptors:
            await readable(descriptor)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


async def readable(descriptor: int) -> None:
    """Wait, at most 5 s, until the process behind a pidfd has ended."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(5):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
