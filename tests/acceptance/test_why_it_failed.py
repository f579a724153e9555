"""Each way in which a file can fail, shown by a file, with the words that a person reads in `jobs why`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingest_grpc.client import AsyncClient
from ingest_grpc.errors import CATALOGUE, Reason
from tests import documents
from tests.acceptance.faults import FAULTY, fault
from tests.acceptance.server import Server, run_cli
from tests.hostile.archives import Member, members_of, raw_zip
from tests.hostile.binaries import png
from tests.hostile.pdfs import many_pages, one_page, page, written
from tests.reaching import A_RECORD, reaches

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

MIB = 2**20
SETTINGS = {
    "workers": 2,
    "max_failures": 1,
    "conversion_stall_seconds": 8,
    "conversion_timeout_seconds": 20,
    "max_expanded_bytes": 16 * MIB,
    "conversion_memory_bytes": 640 * MIB,
    "max_document_bytes": 8 * MIB,
    "max_output_bytes": MIB,
    "max_pages": 100,
    "max_entries": 200,
    "max_image_pixels": 10_000,
}
WORD = documents.word()
AMPLIFIED = written(one_page(o3=page(b"[" + b"4 0 R " * 100_000 + b"]")))
"""A page whose content is drawn a hundred thousand times over: more than an engine gets through in eight seconds."""

FILES: Mapping[str, tuple[Reason, Callable[[], bytes]]] = {
    "empty.pdf": (Reason.EMPTY_FILE, lambda: b""),
    "locked.pdf": (Reason.PDF_UNREADABLE, documents.encrypted_pdf),
    "vast.pdf": (Reason.PDF_PAGE_TOO_LARGE, lambda: documents.pdf(size=(20_000.0, 20_000.0))),
    "scan.pdf": (Reason.NO_TEXT, lambda: documents.pdf([None])),
    "pictures.docx": (Reason.ONLY_PICTURES, lambda: documents.word("", "", with_picture=True)),
    "long.pdf": (Reason.TOO_MANY_PAGES, lambda: many_pages(101)),
    "amplified.pdf": (Reason.CONVERSION_STALLED, lambda: AMPLIFIED),
    "program.exe": (Reason.UNSUPPORTED_TYPE, lambda: b"MZ" + bytes(1000)),
    "torn.docx": (Reason.FILE_UNREADABLE, lambda: WORD[:500]),
    "locked.docx": (Reason.FILE_ENCRYPTED, documents.encrypted_office),
    "bomb.docx": (Reason.DECOMPRESSION_BOMB, lambda: documents.with_member(WORD, "word/a.xml", bytes(40 * MIB))),
    "crowd.docx": (
        Reason.TOO_MANY_ENTRIES,
        lambda: raw_zip([*members_of(WORD), *[Member(b"word/%d.xml" % number, b"<a/>") for number in range(300)]]),
    ),
    "deep.html": (Reason.TOO_DEEPLY_NESTED, lambda: b"<html><body>" + b"<div>" * 5000 + b"words"),
    "noise.txt": (Reason.TEXT_UNDECODABLE, lambda: b"\xff\xfe" + b"\x00\xd8" * 100),
    "much.txt": (Reason.OUTPUT_TOO_LARGE, lambda: b"words " * MIB),
    "huge.txt": (Reason.DOCUMENT_TOO_LARGE, lambda: b"words " * (2 * MIB)),
    "SIGSEGV.txt": (Reason.CONVERTER_CRASHED, lambda: fault("SIGSEGV").data),
    "allocate.txt": (Reason.CONVERSION_OUT_OF_MEMORY, lambda: fault("allocate").data),
    "dawdle.txt": (Reason.CONVERSION_TIMEOUT, lambda: fault("dawdle").data),
    "defect.txt": (Reason.INTERNAL, lambda: fault("defect").data),
}
BY_THE_ACCURATE_METHOD: Mapping[str, tuple[Reason, Callable[[], bytes]]] = {
    "wide.png": (Reason.IMAGE_TOO_LARGE, lambda: png(1_000, 1_000)),
}


async def why(server: Server, files: Mapping[str, tuple[Reason, Callable[[], bytes]]], method: str) -> dict[str, str]:
    """What `jobs why` says of a job with these files, by name: its text and, beside it, what the JSON says."""
    async with AsyncClient(server.address) as client:
        uploaded = [await client.upload(make(), filename=name) for name, (_, make) in files.items()]
        job_id = (await client.create_job("Files that fail", files=uploaded, method=method)).job.job_id
        await client.wait(job_id, patience=120)
    shown = run_cli("jobs", "why", job_id, address=server.address)
    found = json.loads(run_cli("jobs", "why", job_id, "--json", address=server.address).stdout)["findings"]
    notes = {each["sentence"].removesuffix(" failed"): dict(each["notes"]) for each in found}
    for name in files:
        assert f"✗ {name} failed\n" in shown.stdout, shown.stdout + shown.stderr
        assert notes[name]["error"] in shown.stdout
        assert notes[name]["fix"] in shown.stdout
    return {name: notes[name]["error"] + "\n" + notes[name]["fix"] for name in files}


@reaches(Reason.TOO_MANY_PAGES, A_RECORD, "more pages, slides or sheets than `max_pages`")
@reaches(Reason.TOO_MANY_ENTRIES, A_RECORD, "an Office file, a mail or an archive of more parts than are read")
@reaches(Reason.TOO_DEEPLY_NESTED, A_RECORD, "elements or parts inside one another beyond `max_nesting`")
@reaches(Reason.DOCUMENT_TOO_LARGE, A_RECORD, "a file beyond `max_document_bytes`")
@reaches(Reason.CONVERSION_STALLED, A_RECORD, "a conversion without progress for `conversion_stall_seconds`")
@reaches(Reason.IMAGE_TOO_LARGE, A_RECORD, "a picture of more pixels than `max_image_pixels`, in the accurate method")
@pytest.mark.timeout(240)
async def test_why__each_failure_in_the_words_of_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    async with Server(tmp_path, FAULTY, **SETTINGS) as server:
        said = await why(server, FILES, "SPEED_OPTIMIZED")
        said |= await why(server, BY_THE_ACCURATE_METHOD, "ACCURACY_OPTIMIZED")
        log = server.log()
    for name, (reason, _) in {**FILES, **BY_THE_ACCURATE_METHOD}.items():
        entry = CATALOGUE[reason]
        assert said[name] == f"{entry.message}\n{entry.suggested_fix}", name
    # What operators need to know stands in their log, under the record's id, and nowhere else.
    assert "ValueError" in log
    assert 'reason="INTERNAL"' in log
    assert "Traceback" not in "".join(said.values())


def test_why__covers_the_failures_of_documents() -> None:
    elsewhere = {
        Reason.FILE_NOT_FOUND,  # its bytes are gone: tests/integration/test_record_errors.py
        Reason.SERVICE_UNAVAILABLE,  # no converter, no storage: the same
        Reason.WORKER_LOST,  # the hundred and first worker is lost: tests/unit/worker
    }
    of_documents = list(Reason)[: list(Reason).index(Reason.WORKER_LOST) + 1]
    shown = {reason for reason, _ in (*FILES.values(), *BY_THE_ACCURATE_METHOD.values())}
    assert set(of_documents) - elsewhere - OF_OCR_AND_ARCHIVES <= shown


OF_OCR_AND_ARCHIVES = {reason for reason in Reason if reason.startswith(("OCR_", "ARCHIVE_", "ATTACHMENT_"))}
"""Shown where OCR and archives are tested."""
