"""Kills the server at random moments of a sync, and judges what is searchable then.

Each round changes every document of a folder, begins a sync, and kills the server somewhere in it. From then on
until the sync is done each document must be found all the time, COMPLETED must mean searchable, and at the end the
chunks must be those of a run that nobody disturbed.

`python -m tests.acceptance.kill_syncs --rounds 50` is the long form; `--seed` repeats one.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_grpc.client import AsyncClient
from ingest_grpc.client.messages import Chunk
from tests.acceptance.server import Server, run_cli

DOCUMENTS = 24
VERSIONS = ("alder", "birch")
PATIENCE = 120.0

Chunks = dict[str, list[tuple[object, ...]]]


def write(folder: Path, version: str) -> None:
    """Every document in one version: Markdown, text and HTML, some of several chunks."""
    for number in range(DOCUMENTS):
        name = ("md", "txt", "html")[number % 3]
        paragraphs = [
            f"Paragraph {place} of the {version} on page{number:03d}. " + f"{version} {place} leaf. " * 40
            for place in range(1 + number % 4)
        ]
        text = f"# Page{number:03d}\n\n" + "\n\n".join(paragraphs)
        if name == "html":
            text = f"<h1>Page{number:03d}</h1>" + "".join(f"<p>{each}</p>" for each in paragraphs)
        (folder / f"page{number:03d}.{name}").write_text(text)


def settings(folder: Path) -> dict[str, Any]:
    return {"workers": 2, "import_roots": f'["{folder}"]', "backoff_base_seconds": 0.05}


@dataclass
class Report:
    """What was seen. `gaps` are documents that were not found although they had been."""

    kills: int = 0
    looks: int = 0
    gaps: list[str] = field(default_factory=list)
    unsearchable: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recovered_seconds: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.gaps or self.unsearchable or self.wrong)


class Library:
    """A knowledge base that a folder is synced into, on a server that may be killed."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.knowledge_base_id = ""
        self.data_source_id = ""

    async def begin(self, client: AsyncClient, version: str) -> None:
        """The first sync, undisturbed."""
        write(self.folder, version)
        self.knowledge_base_id = (await client.create_knowledge_base("Killed")).knowledge_base_id
        added = await client.add_data_source(self.knowledge_base_id, url=self.folder.as_uri())
        self.data_source_id = added.data_source.data_source_id
        await client.wait(added.job.job_id)

    async def finish(self, client: AsyncClient) -> None:
        """Syncs until there is nothing to do, however the one before ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            source = await client.get_data_source(self.data_source_id)
            if source.running_job_id:
                await client.wait(source.running_job_id)
            if not (await client.sync_data_source(self.data_source_id)).HasField("job"):
                return
        raise AssertionError(f"the sync did not end within {PATIENCE:g} s")

    async def chunks(self, client: AsyncClient) -> Chunks:
        """All that is searchable, by key; without ids, which differ between two knowledge bases."""
        found: Chunks = {}
        async for file in client.list_knowledge_base_files(self.knowledge_base_id):
            chunks = [each async for each in client.list_chunks(self.knowledge_base_id, file.file_id)]
            found[file.key] = [_content(each) for each in chunks]
        return found

    async def look(self, client: AsyncClient, report: Report, number: int) -> None:
        """One document must be found, and if it is COMPLETED, be searchable."""
        report.looks += 1
        name = f"page{number:03d}"
        results = await client.search(self.knowledge_base_id, name, mode="TEXT", top_k=20)
        if not any(name in each.chunk.key for each in results):
            report.gaps.append(name)

    async def judge_completed(self, client: AsyncClient, report: Report) -> None:
        """COMPLETED always means searchable."""
        async for file in client.list_knowledge_base_files(self.knowledge_base_id, statuses=["COMPLETED"]):
            if not file.searchable or file.searchable_file_id != file.file_id:
                report.unsearchable.append(file.key)


def _content(chunk: Chunk) -> tuple[object, ...]:
    return chunk.ordinal, chunk.text, tuple(chunk.heading_path), chunk.start_offset, chunk.end_offset, chunk.tokens


async def undisturbed(folder: Path) -> dict[str, Chunks]:
    """The chunks of each version, from a server that nobody kills."""
    found: dict[str, Chunks] = {}
    documents = folder / "documents"
    documents.mkdir(parents=True)
    async with Server(folder / "server", **settings(documents)) as server, AsyncClient(server.address) as client:
        library = Library(server, documents)
        await library.begin(client, VERSIONS[0])
        for version in VERSIONS:
            write(documents, version)
            await library.finish(client)
            found[version] = await library.chunks(client)
    return found


async def rounds(folder: Path, count: int, seed: int) -> Report:
    """Kills `count` times."""
    chance, report = random.Random(seed), Report()
    expected = await undisturbed(folder / "undisturbed")
    documents = folder / "documents"
    documents.mkdir()
    async with Server(folder / "server", **settings(documents)) as server:
        library = Library(server, documents)
        async with AsyncClient(server.address) as client:
            await library.begin(client, VERSIONS[0])
        longest = 1.0
        for number in range(count):
            version = VERSIONS[(number + 1) % 2]
            began = time.monotonic()
            await _round(library, report, version, chance.random() * longest)
            if library_differs := _difference(expected[version], await _read(library)):
                report.wrong.append(f"round {number}: {library_differs}")
            longest = min(4.0, max(0.3, (time.monotonic() - began) / 3))
        assert await server.terminate() == 0
        # Not its repair: placeholders of imports that shared bytes wait for the janitor, which is no damage.
        checked = run_cli("admin", "check", "--json", "--data-dir", str(server.data))
        assert checked.returncode == 0, checked.stdout + checked.stderr
    return report


async def _round(library: Library, report: Report, version: str, moment: float) -> None:
    write(library.folder, version)
    async with AsyncClient(library.server.address) as client:
        syncing = asyncio.create_task(client.sync_data_source(library.data_source_id))
        await asyncio.sleep(moment)
        await library.server.kill()
        report.kills += 1
        syncing.cancel()
        await asyncio.gather(syncing, return_exceptions=True)
    report.recovered_seconds.append(await library.server.start())
    async with AsyncClient(library.server.address) as client:
        finishing = asyncio.create_task(library.finish(client))
        number = 0
        while not finishing.done() or number < DOCUMENTS:
            await library.look(client, report, number % DOCUMENTS)
            if number % 5 == 0:
                await library.judge_completed(client, report)
            number += 1
        await finishing


async def _read(library: Library) -> Chunks:
    async with AsyncClient(library.server.address) as client:
        return await library.chunks(client)


def _difference(expected: Chunks, found: Chunks) -> str:
    if expected == found:
        return ""
    keys = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    return f"other chunks of {', '.join(keys)}"


async def _main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        report = await rounds(Path(folder), given.rounds, given.seed)
    slowest = max(report.recovered_seconds)
    print(f"{report.kills} kills, {report.looks} looks, {len(report.gaps)} gaps, back within {slowest:.1f} s")  # noqa: T201
    for problem in [*report.gaps, *report.unsearchable, *report.wrong]:
        print(f"  {problem}")  # noqa: T201
    return 0 if report.good else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main()))
