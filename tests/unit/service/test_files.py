import hashlib
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.blobs.hold import LOCK
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.ids import Prefix, new_id
from ingest_grpc.model import FileFilter, FileKind, NewFile
from ingest_grpc.service.files import READ_BYTES, text_prefix
from ingest_grpc.service.sweep import sweep_blobs
from ingest_grpc.service.upload import ReceivedContent
from tests.factories import ALICE, BOB, MARKDOWN, Core, StartCore, chunks_of

DATA = b"some bytes"


async def reason_of(call: object) -> Reason:
    with pytest.raises(IngestError) as caught:
        await call  # type: ignore[misc]
    return caught.value.reason


def blob_files(core: Core) -> list[str]:
    """All bytes that lie in the blob folder, staging included; once each, under however many names."""
    root = core.settings.data_dir / "blobs"
    return sorted({name for _, _, names in os.walk(root) for name in names} - {LOCK})


async def collect(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


# ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_upload__is_described_and_given_back(core: Core) -> None:
    new = NewFile(
        filename="a.pdf",
        path="east/a.pdf",
        content_type="application/pdf",
        size_bytes=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
    )
    file = (await core.files.upload(ALICE, new, chunks_of(DATA[:4], DATA[4:]), None)).value

    assert file.model_dump(exclude={"file_id"}) == {
        "kind": FileKind.UPLOAD,
        "filename": "a.pdf",
        "path": "east/a.pdf",
        "content_type": "application/pdf",
        "size_bytes": 10,
        "sha256": new.sha256,
        "user_id": "alice",
        "team_id": "team-a",
        "created_at": core.clock.now(),
        "deleted_at": None,
        "external_id": None,
        "metadata": {},
        "expires_at": None,
        "import_source": None,
    }
    assert file.file_id.startswith("file-")
    assert await core.files.get(ALICE, file.file_id) == file
    assert (await core.files.read(ALICE, file.file_id, 0, 100)).data == DATA
    assert await collect((await core.files.download(ALICE, file.file_id, 0, None)).chunks) == DATA


async def test_upload__survives_a_restart(core: Core) -> None:
    file = await core.upload("a.pdf", DATA)
    await core.reopen()
    assert (await core.files.read(ALICE, file.file_id, 0, 100)).data == DATA


async def test_upload__of_no_bytes_is_accepted(core: Core) -> None:
    file = await core.upload("empty.pdf", b"")
    assert file.size_bytes == 0
    piece = await core.files.read(ALICE, file.file_id, 0, 100)
    assert (piece.data, piece.eof) == (b"", True)
    assert await collect((await core.files.download(ALICE, file.file_id, 0, None)).chunks) == b""


@pytest.mark.parametrize(
    ("announced", "reason", "field"),
    [
        ({"sha256": "0" * 64}, Reason.SHA256_MISMATCH, "sha256"),
        ({"size_bytes": len(DATA) + 1}, Reason.SIZE_MISMATCH, "size_bytes"),
        ({"size_bytes": len(DATA) - 1}, Reason.SIZE_MISMATCH, "size_bytes"),
    ],
)
async def test_upload__that_is_not_what_was_announced_leaves_nothing(
    core: Core, announced: dict[str, object], reason: Reason, field: str
) -> None:
    new = NewFile.model_validate({"filename": "a.pdf", "content_type": "x/y", **announced})
    with pytest.raises(IngestError) as caught:
        await core.files.upload(ALICE, new, chunks_of(DATA), None)

    assert caught.value.reason is reason
    assert [violation.field for violation in caught.value.violations] == [field]
    await nothing_is_left(core)


async def nothing_is_left(core: Core) -> None:
    assert blob_files(core) == []
    assert list((await core.files.list(ALICE, FileFilter(), page_size=10, page_token="")).items) == []
    await core.check()


async def test_upload__that_breaks_off_leaves_nothing(core: Core) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await core.files.upload(ALICE, NewFile(filename="a", content_type="x/y"), breaks(), None)
    await nothing_is_left(core)


async def test_upload__of_too_many_bytes_leaves_nothing(start_core: StartCore) -> None:
    core = await start_core(max_file_bytes=10)
    fits = await core.upload("fits", DATA)
    await core.files.delete(ALICE, fits.file_id, force=False, request=None)
    unannounced = core.files.upload(ALICE, NewFile(filename="a", content_type="x/y"), chunks_of(DATA, b"!"), None)
    assert await reason_of(unannounced) is Reason.FILE_TOO_LARGE
    announced = NewFile(filename="a", content_type="x/y", size_bytes=11)
    assert await reason_of(core.files.upload(ALICE, announced, chunks_of(DATA, b"!"), None)) is Reason.FILE_TOO_LARGE
    await nothing_is_left(core)


async def test_upload__is_refused_before_the_disk_is_full(start_core: StartCore) -> None:
    core = await start_core(min_free_disk_bytes=1 << 60)
    with pytest.raises(IngestError) as caught:
        await core.upload()
    assert caught.value.reason is Reason.STORAGE_FULL
    assert caught.value.retry_after_seconds == 30.0
    await nothing_is_left(core)


async def test_upload__whose_announced_size_does_not_fit_is_refused(core: Core) -> None:
    free = await core.blobs.free_bytes()
    assert free is not None
    core.files._intake._max_bytes = 1 << 62
    huge = NewFile(filename="a", content_type="x/y", size_bytes=free * 2)
    assert await reason_of(core.files.upload(ALICE, huge, chunks_of(DATA), None)) is Reason.STORAGE_FULL


async def test_upload__asks_again_for_space_while_it_grows(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of unknown size: the disk fills up while it comes in."""
    monkeypatch.setattr("ingest_grpc.service.intake.SPACE_CHECK_BYTES", 5)

    async def grows() -> AsyncIterator[bytes]:
        yield b"1234"
        core.files._intake._min_free_bytes = 1 << 60
        yield b"5678"

    call = core.files.upload(ALICE, NewFile(filename="a", content_type="x/y"), grows(), None)
    assert await reason_of(call) is Reason.STORAGE_FULL
    await nothing_is_left(core)


# ── shared bytes ───────────────────────────────────────────────────────────────────────────────────────────


async def test_equal_bytes__are_stored_once_per_team(core: Core) -> None:
    one, two = await core.upload("one.pdf", DATA), await core.upload("two.pdf", DATA)
    other_team = await core.upload("three.pdf", DATA, BOB)

    assert one.file_id != two.file_id
    assert one.blob_key == two.blob_key != other_team.blob_key
    assert len(blob_files(core)) == 2
    await core.check()


async def test_equal_bytes__outlive_the_deletion_of_one_of_two_files(core: Core) -> None:
    one, two = await core.upload("one.pdf", DATA), await core.upload("two.pdf", DATA)
    await core.files.delete(ALICE, one.file_id, force=False, request=None)

    assert (await core.files.read(ALICE, two.file_id, 0, 100)).data == DATA
    await core.check()
    await core.files.delete(ALICE, two.file_id, force=False, request=None)
    await nothing_is_left(core)
    three = await core.upload("three.pdf", DATA)
    assert (await core.files.read(ALICE, three.file_id, 0, 100)).data == DATA


async def test_equal_bytes__of_an_output_are_never_shared(core: Core) -> None:
    await core.markdown("notes.md", MARKDOWN)
    created = await core.create(await core.upload())
    await core.succeed(await core.claim_one())
    output_id = created.results[0].output_file_id
    assert output_id is not None
    output = await core.files.get(ALICE, output_id)

    assert output.kind is FileKind.OUTPUT
    assert len(blob_files(core)) == 3
    await core.check()


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_get__of_an_unknown_file_and_of_another_teams(core: Core) -> None:
    file = await core.upload()
    for caller, file_id in ((BOB, file.file_id), (ALICE, new_id(Prefix.FILE))):
        with pytest.raises(IngestError) as caught:
            await core.files.get(caller, file_id)
        assert caught.value.reason is Reason.FILE_NOT_FOUND
        assert caught.value.resource == ("File", file_id)


async def test_get__of_an_output_that_is_not_ready(core: Core) -> None:
    created = await core.create(await core.upload())
    output_id = created.results[0].output_file_id
    assert output_id is not None
    with pytest.raises(IngestError) as caught:
        await core.files.get(ALICE, output_id)
    assert caught.value.reason is Reason.OUTPUT_NOT_READY
    assert caught.value.metadata == {"file_id": output_id, "status": "QUEUED"}
    claim = await core.claim_one()
    assert await reason_of(core.files.read(ALICE, output_id, 0, 1)) is Reason.OUTPUT_NOT_READY
    assert await reason_of(core.files.get(BOB, output_id)) is Reason.FILE_NOT_FOUND
    await core.succeed(claim)

    assert (await core.files.read(ALICE, output_id, 0, 100)).text == "# Title\n"
    output = await core.files.get(ALICE, output_id)
    assert (output.filename, output.content_type) == ("a.md", "text/markdown")


TEXT = "aé€😀z"
RAW = TEXT.encode()


async def test_read__never_cuts_a_character(core: Core) -> None:
    file = await core.upload("a.txt", RAW)
    for limit in range(4, len(RAW) + 1):
        offset, pieces = 0, []
        while True:
            piece = await core.files.read(ALICE, file.file_id, offset, limit)
            assert piece.text is not None
            assert piece.text.encode() == piece.data
            pieces.append(piece.text)
            offset += len(piece.data)
            if piece.eof:
                break
        assert "".join(pieces) == TEXT


async def test_read__with_a_limit_below_one_character_still_makes_way(core: Core) -> None:
    file = await core.upload("a.txt", RAW)
    pieces = [await core.files.read(ALICE, file.file_id, offset, 1) for offset in range(len(RAW))]
    assert b"".join(piece.data for piece in pieces) == RAW, "none is empty: that would keep its caller asking for ever"
    assert [piece.eof for piece in pieces] == [False] * (len(RAW) - 1) + [True]


async def test_read__of_bytes_that_are_no_text(core: Core) -> None:
    for data in (b"\xff\xfe\xfd", b"text\0with nul", RAW[:-1] + b"\xe2"):
        file = await core.upload("a.bin", data)
        piece = await core.files.read(ALICE, file.file_id, 0, 0)
        assert (piece.data, piece.text, piece.eof) == (data, None, True)


async def test_read__from_the_middle_of_a_character_and_beyond_the_end(core: Core) -> None:
    file = await core.upload("a.txt", RAW)
    assert (await core.files.read(ALICE, file.file_id, 2, 100)).text is None
    assert (await core.files.read(ALICE, file.file_id, 3, 100)).text == "€😀z"
    for offset in (len(RAW), len(RAW) + 1, 1 << 62):
        piece = await core.files.read(ALICE, file.file_id, offset, 100)
        assert (piece.data, piece.text, piece.eof) == (b"", "", True)


async def test_read__is_bounded(core: Core) -> None:
    file = await core.upload("a.txt", b"x" * (READ_BYTES + 1))
    for limit in (0, READ_BYTES + 1):
        piece = await core.files.read(ALICE, file.file_id, 0, limit)
        assert (len(piece.data), piece.eof) == (READ_BYTES, False)


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 8))
def test_text_prefix__is_the_longest_whole_text(text: str, cut: int) -> None:
    raw = text.encode()
    data = raw[: max(0, len(raw) - cut)]
    prefix = text_prefix(data)
    assert data.startswith(prefix)
    assert len(data) - len(prefix) < 4
    assert prefix.decode() == data.decode("utf-8", "ignore")


async def test_download__of_a_part(core: Core) -> None:
    file = await core.upload("a.bin", bytes(range(100)))
    for offset, limit, expected in ((10, 5, range(10, 15)), (90, 100, range(90, 100)), (100, None, ()), (200, 5, ())):
        part = await core.files.download(ALICE, file.file_id, offset, limit)
        assert part.offset == offset
        assert await collect(part.chunks) == bytes(expected)


# ── away ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_delete__of_a_file_that_nobody_lists(core: Core) -> None:
    file = await core.upload()
    deleted = (await core.files.delete(ALICE, file.file_id, force=False, request=None)).value

    assert (deleted.file.file_id, deleted.job_ids) == (file.file_id, ())
    assert deleted.file.deleted_at == core.clock.now()
    assert await reason_of(core.files.get(ALICE, file.file_id)) is Reason.FILE_NOT_FOUND
    again = core.files.delete(ALICE, file.file_id, force=False, request=None)
    assert await reason_of(again) is Reason.FILE_NOT_FOUND
    await nothing_is_left(core)


async def test_delete__of_another_teams_file(core: Core) -> None:
    file = await core.upload()
    call = core.files.delete(BOB, file.file_id, force=True, request=None)
    assert await reason_of(call) is Reason.FILE_NOT_FOUND
    assert await core.files.get(ALICE, file.file_id) == file


@pytest.mark.parametrize("what", ["source", "output", "markdown"])
async def test_delete__is_refused_while_a_job_lists_the_file_unless_forced(core: Core, what: str) -> None:
    source, notes = await core.upload(), await core.markdown()
    created = await core.create(source, notes)
    await core.succeed(await core.claim_one())
    output_id = created.results[0].output_file_id
    file_id = {"source": source.file_id, "output": output_id, "markdown": notes.file_id}[what]
    assert file_id is not None

    with pytest.raises(IngestError) as caught:
        await core.files.delete(ALICE, file_id, force=False, request=None)
    assert caught.value.reason is Reason.FILE_IN_USE
    assert caught.value.metadata == {"file_id": file_id, "job_count": "1"}
    deleted = (await core.files.delete(ALICE, file_id, force=True, request=None)).value
    await core.check()

    job_id = created.job.job.job_id
    assert deleted.job_ids == (job_id,)
    left = [file.file_id for file in (await core.jobs.get_detail(ALICE, job_id)).files]
    assert left == ([output_id] if what == "markdown" else [notes.file_id])


async def test_delete__by_force_stops_what_runs_in_every_job(core: Core) -> None:
    file = await core.upload()
    jobs = [(await core.create(file)).job.job.job_id for _ in range(2)]
    [running] = await core.claim(1)
    deleted = (await core.files.delete(ALICE, file.file_id, force=True, request=None)).value
    await core.check()

    assert list(deleted.job_ids) == jobs
    assert {(running.key, running.attempt)} in [commit.stopped for commit in core.commits]
    assert not await core.succeed(running)


async def test_sweep__finishes_what_a_crash_left_between_row_and_bytes(core: Core) -> None:
    file = await core.upload("a.pdf", DATA)
    await core.store.write(lambda tx: tx.delete_file(file, core.clock.now()))
    assert len(blob_files(core)) == 1
    await sweep_blobs(core.store, core.blobs)
    await nothing_is_left(core)


# ── Markdown ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("filename", "content_type", "chunks", "expected"),
    [
        ("a.md", "x/y", [b"# Title"], True),
        ("A.MARKDOWN", "x/y", [b"# Title"], True),
        ("a.txt", "text/markdown", [b"# Title"], True),
        ("a", "text/x-markdown", [b"# Title"], True),
        ("a.txt", "text/plain", [b"# Title"], False),
        ("a.md", "x/y", [], False),
        ("a.md", "x/y", [b" \t\r\n", "\ufeff".encode()], False),
        ("a.md", "x/y", [b" \n", b"x"], True),
        ("a.md", "x/y", [b"\xc3", b"\xa9"], True),  # a character across two chunks
        ("a.md", "x/y", [b"text\xc3"], False),  # a character that never ends
        ("a.md", "x/y", [b"text", b"\xff", b"text"], False),
        ("a.md", "x/y", [b"text", b"\0"], False),
    ],
)
def test_received_content__is_markdown(filename: str, content_type: str, chunks: list[bytes], expected: bool) -> None:
    content = ReceivedContent(NewFile(filename=filename, content_type=content_type))
    for chunk in chunks:
        content.feed(chunk)
    assert content.is_markdown is expected


async def test_markdown__that_is_none_is_converted_as_any_file(core: Core) -> None:
    for data in (b"\xff\xff", b"nul\0", b" \n ", b""):
        created = await core.create(await core.upload("a.md", data))
        assert [result.outcome for result in created.results] == ["ADDED"]
