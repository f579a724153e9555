"""The documents that benchmarks convert: the examples, or those of the folder that BENCH_DOCUMENTS names."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.outcome import ParseFailure
from ingest_grpc.pipeline.parse.parser import parse
from ingest_grpc.pipeline.parse.source import Options
from ingest_grpc.pipeline.parse.types import Kind, named_kind
from tests.benchmarks.harness import ROOT

FOLDER = "BENCH_DOCUMENTS"
"""The variable that names a folder of documents; all below it that can be converted are taken."""

_FEWEST = 84
"""A turn converts so many at least: from few sources each is taken several times."""

_NOT_CONVERTED = frozenset({Kind.MARKDOWN, Kind.ZIP})
"""Markdown is no work, and an archive is unpacked into as many records as it holds."""

_MARKS: Mapping[str, bytes] = {
    ".pdf": b"\n%% %s\n",
    ".html": b"\n<!-- %s -->\n",
    ".txt": b"\n%s\n",
    ".csv": b"\n%s\n",
    ".tsv": b"\n%s\n",
    ".eml": b"\n%s\n",
    ".rst": b"\n%s\n",
}
"""What makes a copy another file, by suffix; %s is a text of its own."""


def sources(*suffixes: str) -> list[Path]:
    """All documents that can be made distinct and whose conversion succeeds, in a fixed order; of these suffixes."""
    folder = Path(os.environ.get(FOLDER) or ROOT / "examples")
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and (path.suffix in suffixes or not suffixes)]
    marked = [path for path in found if _can_be_marked(path)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        chosen = [path for path, good in zip(marked, pool.map(_is_converted, marked), strict=True) if good]
    assert chosen, f"nothing below {folder} can be converted"
    return chosen


def distinct(documents: Sequence[Path], folder: Path) -> list[Path]:
    """Copies in a new folder that differ from all before in bytes, not in what they hold."""
    folder.mkdir()
    copies = max(1, round(_FEWEST / len(documents)))
    return [
        _copy(source, folder / f"{copy:02d}-{number:03d}-{source.name}")
        for copy in range(copies)
        for number, source in enumerate(documents)
    ]


def convert(document: Path) -> str:
    """The converter called directly: bytes in, Markdown out beside them, which is returned as well.

    Raises ParseFailure.
    """
    _, parsed = parse(document.read_bytes(), document.name, "", Options(Limits.of(Settings())), _silent)
    document.with_suffix(".converted").write_text(parsed.markdown)
    return parsed.markdown


def _is_converted(path: Path) -> bool:
    if named_kind(path.name) in _NOT_CONVERTED:
        return False
    try:
        parse(path.read_bytes(), path.name, "", Options(Limits.of(Settings())), _silent)
    except ParseFailure:
        return False
    return True


def _can_be_marked(path: Path) -> bool:
    return path.suffix in _MARKS or path.read_bytes()[:2] == b"PK"


def _copy(source: Path, target: Path) -> Path:
    mark = f"{target.parent.name}/{target.name}".encode()
    target.write_bytes(source.read_bytes())
    if target.suffix in _MARKS:
        with target.open("ab") as file:
            file.write(_MARKS[target.suffix] % mark)
    else:
        with zipfile.ZipFile(target, "a") as archive:
            archive.comment = mark[:65_535]
    return target


def _silent(_done: int, _total: int, _unit: str) -> None:
    """Progress that nobody asked for."""
