"""Counts of documents that are wrong are found, named and mended."""

from pathlib import Path

from ingest_grpc.admin import check
from tests.integration.knowledge.library import Library


async def test_check__counts_of_documents_are_found_and_mended(tmp_path: Path) -> None:
    async with Library.open(tmp_path) as library:
        library.fill()
        await library.add_source()
        settings = library.server.settings
        assert (await check(settings)).problems == []
        library.server.change("UPDATE document_counts SET documents = documents + 2, chunks = chunks - 1")

    problem = (
        f"knowledge base {library.id} counts its documents that are COMPLETED wrongly: "
        "+2 documents, +0 with losses, +0 searchable, -1 chunks"
    )
    assert problem in (await check(settings)).problems
    report = await check(settings, repair=True)
    assert f"the documents of {library.id} were counted anew" in report.repaired
    assert report.problems == []
