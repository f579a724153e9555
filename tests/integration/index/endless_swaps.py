"""A process that swaps documents until it is killed, and says each swap that was done.

usage: python -m tests.integration.index.endless_swaps INDEX
"""

import asyncio
import itertools
import sys
from pathlib import Path

from ingest_grpc.pipeline.index.sqlite.index import SqliteIndex
from tests.conformance.index.indexing import DIMENSION, EMBEDDER, KEY, document, embedded

DOCUMENTS = ("a", "b", "c")
CHUNKS = 30


async def main(path: Path) -> None:
    index = SqliteIndex(path)
    await index.open()
    await index.create(KEY, EMBEDDER, DIMENSION)
    before = max((state.fence[0] for state in await index.documents(KEY)), default=0)
    for attempt in itertools.count(1):
        for name in DOCUMENTS:
            texts = [f"version{before + 1}x{attempt} common number{n}" for n in range(CHUNKS)]
            await index.swap(KEY, document(name), (before + 1, attempt), embedded(texts))
            sys.stdout.write(f"{name} {before + 1} {attempt}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
