"""Sources that sync by themselves, and archives in them."""

import io
import zipfile

from google.protobuf.duration_pb2 import Duration

from ingest_grpc.v1.knowledge_base_pb2 import SearchMode
from tests.integration.knowledge.library import Library

TEXT = SearchMode.SEARCH_MODE_TEXT


def archive(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, text in members.items():
            out.writestr(f"{name}.md", text)
    return made.getvalue()


async def test_interval__syncs_by_itself(library: Library) -> None:
    library.fill()
    await library.add_source(sync_interval=Duration(seconds=3_600))
    syncer = library.server.app.syncer
    assert await syncer.step() == 0
    library.write("new.md", "# New\n\nA comet was seen.\n")
    library.server.change("UPDATE data_sources SET next_sync_at = 1")

    assert await syncer.step() == 1
    assert await syncer.step() == 0

    while await library.found("comet", TEXT) != ["new.md"]:
        continue


async def test_archive__its_members_are_documents(library: Library) -> None:
    library.write("pages.zip", archive(one="# One\n\nAn owl sleeps.\n", two="# Two\n\nA fox runs.\n"))
    await library.add_source()
    assert await library.found("owl", TEXT) == ["pages.zip!/one.md"]
    assert await library.found("fox", TEXT) == ["pages.zip!/two.md"]
    assert not (await library.sync()).HasField("job")

    library.write("pages.zip", archive(one="# One\n\nAn owl hunts at night.\n"))
    await library.sync()

    assert await library.found("night", TEXT) == ["pages.zip!/one.md"]
    assert await library.found("fox", TEXT) == []
    library.delete("pages.zip")
    await library.sync()
    assert await library.found("owl", TEXT) == []
