"""`kb add` of files of this machine: which of them a knowledge base has already, and the job that adds the others."""

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_grpc.cli.display import open_display
from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.listing import MAX_PAGE
from ingest_grpc.cli.metadata import files_to_add
from ingest_grpc.cli.parallel import in_parallel
from ingest_grpc.cli.session import Session
from ingest_grpc.cli.sources import Source, find_sources
from ingest_grpc.cli.upload import name_of, path_of, upload_all
from ingest_grpc.cli.words import listed, plural, word

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import File, Job

FILES_PER_CALL = 1_000
_GONE = {"FAILED", "CANCELLED"}
"""Statuses of files that no search finds: adding them again is no mistake."""


async def add_files(
    session: Session,
    client: "AsyncClient",
    knowledge_base_id: str,
    paths: Sequence[str],
    metadata: Sequence[str] | None,
    method: str | int,
) -> "Job | None":
    """Adds what the knowledge base does not have yet; None if it has it all. Raises Failure."""
    files_to_add((), metadata)  # wrong ones are told before anything is uploaded
    found = find_sources([Path(each) for each in paths], session.output.hint)
    wanted = await _new_ones(session, client, knowledge_base_id, found)
    if not wanted:
        return None
    async with open_display(session.output, len(wanted), quiet=session.output.as_json) as display:
        uploads = await upload_all(client, wanted, display, session.options.target)
    files = files_to_add([each.file.file_id for each in uploads if each.file is not None], metadata)
    if not files or len(files) > FILES_PER_CALL:
        fix = f"Add 1 to {FILES_PER_CALL:,} files at a time, or a URL that is synced."
        raise Failure(f"{plural(len(files), 'file')} can be added.", fix)
    return (await client.add_knowledge_base_files(knowledge_base_id, files, method=method)).job


async def _new_ones(
    session: Session, client: "AsyncClient", knowledge_base_id: str, sources: Sequence[Source]
) -> list[Source]:
    """The sources that a knowledge base does not have; says which it has, and which it has with other bytes."""
    known = await _known_files(client, knowledge_base_id, {name_of(each) for each in sources})
    wanted, same = [], []
    for source in sources:
        namesakes = known.get(name_of(source), [])
        if namesakes and _sha256(source.path) in {each.sha256 for each in namesakes}:
            same.append(str(source.name))
            continue
        wanted.append(source)
        for old in namesakes:
            if (old.path or old.filename) == path_of(source):
                session.output.hint(
                    f"{source.name} is there with other bytes, too, and both will be found. To remove the old one: "
                    f"ingest-grpc kb remove {knowledge_base_id} {old.file_id}"
                )
    if same:
        session.output.hint(f"Left out, being there already with the same bytes: {listed(same)}.")
    return wanted


async def _known_files(
    client: "AsyncClient", knowledge_base_id: str, names: set[str]
) -> "Mapping[str, Sequence[File]]":
    """What a knowledge base has by hand under these names; a sync keeps its own files in step."""
    ids = []
    listing = client.list_knowledge_base_files(knowledge_base_id, page_size=MAX_PAGE)
    async with contextlib.aclosing(listing) as files:
        async for each in files:
            by_hand = each.filename in names and not each.HasField("data_source_id")
            if by_hand and (each.searchable or word(each, "status") not in _GONE):
                ids.append(each.file_id)
    known: dict[str, list[File]] = defaultdict(list)
    for file in await in_parallel(client.get_file, ids):
        known[file.filename].append(file)
    return known


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
