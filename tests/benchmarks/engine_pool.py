"""The engine of the fast method and nothing else: xberg in a pool of processes.

usage: python -m tests.benchmarks.engine_pool PROCESSES

Reads the name of a folder from each line of stdin, converts all PDFs of that folder, and prints how many it converted.
Ends with its stdin.
"""

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import xberg


def convert(path: Path) -> bool:
    """Bytes in, Markdown out, which is dropped; whether there was any."""
    return asyncio.run(_convert(path))


async def _convert(path: Path) -> bool:
    document = xberg.ExtractInput(
        kind="bytes", bytes=path.read_bytes(), mime_type="application/pdf", filename=path.name
    )
    configuration = xberg.ExtractionConfig(output_format="markdown", use_cache=False, disable_ocr=True)
    result = await xberg.extract(document, configuration)
    return bool(result.results and result.results[0].content)


def main(arguments: Sequence[str]) -> None:
    (processes,) = map(int, arguments)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for line in sys.stdin:
            print(sum(pool.map(convert, sorted(Path(line.strip()).glob("*.pdf")))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
