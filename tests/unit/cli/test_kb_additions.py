"""Which files `kb add` leaves out, what it says of the others, and what it asks the server for that."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path, PurePath
from typing import Any, cast

import grpc
import pytest

from ingest_grpc.cli.kb_additions import part
from ingest_grpc.cli.sources import Source
from ingest_grpc.client.aio import AsyncClient
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import File, KnowledgeBaseFile
from tests.unit.cli.test_output import Streams


class Shelf:
    """A knowledge base of these files, by id their name and bytes; those of `purged` can no longer be asked for."""

    def __init__(self, files: dict[str, tuple[str, bytes]], purged: str = "") -> None:
        self._files = files
        self._purged = purged
        self.asked: list[str] = []

    async def list_knowledge_base_files(self, _id: str, **_more: Any) -> AsyncIterator[KnowledgeBaseFile]:
        for file_id, (name, content) in self._files.items():
            yield KnowledgeBaseFile(file_id=file_id, filename=name, size_bytes=len(content), searchable=True)

    async def get_file(self, file_id: str) -> File:
        self.asked.append(file_id)
        if file_id == self._purged:
            raise IngestCallError(grpc.StatusCode.NOT_FOUND, "No.", "FILE_NOT_FOUND")
        return File(file_id=file_id, sha256=hashlib.sha256(self._files[file_id][1]).hexdigest())


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """a/readme.txt with the bytes "one", b/readme.txt with "other"."""
    found = []
    for name, content in (("a/readme.txt", b"one"), ("b/readme.txt", b"other")):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(content)
        found.append(Source(path, PurePath(name)))
    return found


async def parted(shelf: Shelf, sources: list[Source], *, check: bool = True) -> tuple[list[str], list[str], str]:
    """The names of what is added and of what is left out, and what is said."""
    streams = Streams(terminal=False)
    wanted, same = await part(streams.output, cast(AsyncClient, shelf), "kb-1", sources, check=check)
    return [str(each.name) for each in wanted], same, streams.err


async def test_part__asks_only_for_files_of_that_name_and_size(sources: list[Source]) -> None:
    shelf = Shelf({"f-1": ("readme.txt", b"one"), "f-2": ("readme.txt", b"longer"), "f-3": ("else.txt", b"one")})
    wanted, same, _ = await parted(shelf, sources)
    assert (wanted, same, shelf.asked) == (["b/readme.txt"], ["a/readme.txt"], ["f-1"])


async def test_part__a_namesake_is_told_as_what_may_be_replaced(sources: list[Source]) -> None:
    _, _, told = await parted(Shelf({"f-1": ("readme.txt", b"unrelated")}), sources)
    assert told == (
        "Another readme.txt is there, and stays. If the new one replaces it: ingest-grpc kb remove kb-1 f-1\n"
    )
    _, _, told = await parted(Shelf({"f-1": ("readme.txt", b"old"), "f-2": ("readme.txt", b"older")}), sources)
    assert told == (
        "2 others called readme.txt are there, and stay: f-1, f-2. "
        "If the new one replaces one of them: ingest-grpc kb remove kb-1 FILE\n"
    )


async def test_part__what_equals_another_file_of_the_call_is_no_older_version(sources: list[Source]) -> None:
    _, same, told = await parted(Shelf({"f-1": ("readme.txt", b"one")}), sources)
    assert same == ["a/readme.txt"]
    assert "kb remove" not in told


async def test_part__what_is_gone_meanwhile_is_not_there(sources: list[Source]) -> None:
    shelf = Shelf({"f-1": ("readme.txt", b"one")}, purged="f-1")
    assert await parted(shelf, sources) == (["a/readme.txt", "b/readme.txt"], [], "")


async def test_part__without_a_check_nothing_is_left_out_nor_asked_for(sources: list[Source]) -> None:
    shelf = Shelf({"f-1": ("readme.txt", b"one")})
    wanted, same, told = await parted(shelf, sources, check=False)
    assert (len(wanted), same, shelf.asked) == (2, [], [])
    assert "kb remove kb-1 f-1" in told
