"""`kb add` of files of this machine: which of them a knowledge base has already, and the job that adds the others."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_grpc.cli.display import open_display
from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.listing import MAX_PAGE
from ingest_grpc.cli.metadata import files_to_add
from ingest_grpc.cli.output import Output
from ingest_grpc.cli.parallel import in_parallel
from ingest_grpc.cli.session import Session
from ingest_grpc.cli.sources import Source, find_sources
from ingest_grpc.cli.upload import name_of, upload_all
from ingest_grpc.cli.words import listed, plural, word

if TYPE_CHECKING:
    from ingest_grpc.client.aio import AsyncClient
    from ingest_grpc.client.messages import Job, KnowledgeBaseFile

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
    # Who says more of a file than its bytes does not mean the one that is there.
    check = not (metadata or method)
    wanted, same = await part(session.output, client, knowledge_base_id, found, check=check)
    if not wanted:
        if session.output.as_json:
            session.output.value({"left_out": same})
        return None
    async with open_display(session.output, len(wanted), quiet=session.output.as_json) as display:
        uploads = await upload_all(client, wanted, display, session.options.target)
    files = files_to_add([each.file.file_id for each in uploads if each.file is not None], metadata)
    if not files or len(files) > FILES_PER_CALL:
        fix = f"Add 1 to {FILES_PER_CALL:,} files at a time, or a URL that is synced."
        raise Failure(f"{plural(len(files), 'file')} can be added.", fix)
    return (await client.add_knowledge_base_files(knowledge_base_id, files, method=method)).job


async def part(
    output: Output, client: "AsyncClient", knowledge_base_id: str, sources: Sequence[Source], *, check: bool = True
) -> tuple[list[Source], list[str]]:
    """The sources to add, and the names of those that are there already, of which there are none without `check`.

    Both are told: what is left out, and what the others may replace.
    """
    namesakes = await _namesakes(client, knowledge_base_id, {name_of(each) for each in sources})
    known = await _digests_of(client, sources, namesakes) if check else {}
    wanted, same, twins = [], list[str](), set[str]()
    for source in sources:
        candidates = [each for each in namesakes[name_of(source)] if known.get(each.file_id)]
        digest = _sha256(source.path) if candidates else ""
        if equal := {each.file_id for each in candidates if known[each.file_id] == digest}:
            same.append(str(source.name))
            twins |= equal
        else:
            wanted.append(source)
    gone = {file_id for file_id, digest in known.items() if not digest}
    for name in sorted({name_of(each) for each in wanted}):
        others = [each.file_id for each in namesakes[name] if each.file_id not in gone | twins]
        _tell_of_others(output, knowledge_base_id, name, others)
    if same:
        output.hint(f"Left out, being there already with the same bytes: {listed(same)}.")
    return wanted, same


def _tell_of_others(output: Output, knowledge_base_id: str, name: str, file_ids: Sequence[str]) -> None:
    # A name alone does not tell whether a file is the older version of another: that is for the person to say.
    remove = f"ingest-grpc kb remove {knowledge_base_id}"
    if len(file_ids) == 1:
        output.hint(f"Another {name} is there, and stays. If the new one replaces it: {remove} {file_ids[0]}")
    elif file_ids:
        output.hint(
            f"{len(file_ids):,} others called {name} are there, and stay: {listed(file_ids)}. "
            f"If the new one replaces one of them: {remove} FILE"
        )


async def _namesakes(
    client: "AsyncClient", knowledge_base_id: str, names: set[str]
) -> "Mapping[str, Sequence[KnowledgeBaseFile]]":
    """What a knowledge base has by hand under these names; a sync keeps its own files in step."""
    found: dict[str, list[KnowledgeBaseFile]] = {name: [] for name in names}
    listing = client.list_knowledge_base_files(knowledge_base_id, page_size=MAX_PAGE)
    async with contextlib.aclosing(listing) as files:
        async for each in files:
            by_hand = each.filename in names and not each.HasField("data_source_id")
            if by_hand and (each.searchable or word(each, "status") not in _GONE):
                found[each.filename].append(each)
    return found


async def _digests_of(
    client: "AsyncClient", sources: Sequence[Source], namesakes: "Mapping[str, Sequence[KnowledgeBaseFile]]"
) -> Mapping[str, str]:
    """By id the SHA-256 of those that may equal a source, being of its size; "" for one that is gone meanwhile."""
    sizes = {(name_of(each), each.path.stat().st_size) for each in sources if namesakes[name_of(each)]}
    files = [each for others in namesakes.values() for each in others]
    ids = [each.file_id for each in files if (each.filename, each.size_bytes) in sizes]
    return dict(zip(ids, await in_parallel(partial(_digest, client), ids), strict=True))


async def _digest(client: "AsyncClient", file_id: str) -> str:
    from grpc import StatusCode  # noqa: PLC0415 - see Session.connect

    from ingest_grpc.client.errors import IngestCallError  # noqa: PLC0415 - see Session.connect

    try:
        return (await client.get_file(file_id)).sha256
    except IngestCallError as error:
        if error.code is StatusCode.NOT_FOUND:
            return ""
        raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
