"""Quality of conversions: a folder's documents through the product's own converter children, scored by its score.py.

Prints a table per method: for each group, and for each format of a group that has several, the figures of score.py,
the documents that failed, and pages (documents, where a format has none) per CPU second of the children.
"""

import argparse
import asyncio
import csv
import importlib.util
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from ingest_grpc.config import Settings
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest
from ingest_grpc.worker.executors.local import LocalExecutor

METHODS = ("SPEED_OPTIMIZED", "ACCURACY_OPTIMIZED")
MEASURES = ("overall", "text", "headings", "tables")


@dataclass
class Row:
    """One document of the manifest and what became of it."""

    group: str
    path: str
    truth: str
    pages: int = 0
    seconds: float = 0.0
    failure: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def extension(self) -> str:
        return self.path.rsplit(".", 1)[-1]


def read_manifest(folder: Path, groups: Sequence[str] | None) -> list[Row]:
    """The documents with a truth, of the wanted groups."""
    with (folder / "manifest.csv").open(newline="") as lines:
        rows = [Row(line["group"], line["path"], line["truth"]) for line in csv.DictReader(lines)]
    return [row for row in rows if row.truth and (not groups or row.group in groups)]


def load_scorer(folder: Path) -> ModuleType:
    """The folder's own score.py, as a module."""
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder}/score.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def convert_all(folder: Path, rows: Sequence[Row], method: str, out: Path, data_dir: Path) -> None:
    """Convert one document after the other, so that the CPU time of each can be told."""
    # One worker: what the children use between two looks belongs to one document.
    executor = LocalExecutor(Settings(workers=1, data_dir=data_dir))
    await executor.start()
    try:
        for row in rows:
            await convert(executor, folder, row, method, out)
    finally:
        await executor.stop()


async def convert(executor: LocalExecutor, folder: Path, row: Row, method: str, out: Path) -> None:
    """One document into `out`, at its path with .md appended."""
    target = out / f"{row.path}.md"
    target.parent.mkdir(parents=True, exist_ok=True)
    source = os.open(folder / row.path, os.O_RDONLY)
    output = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    before = cpu_seconds()
    try:
        request = ConversionRequest(Path(row.path).name, "", method)
        result = await executor.convert(source, output, request, lambda _: None)
    finally:
        os.close(source)
        os.close(output)
    row.seconds = cpu_seconds() - before
    if isinstance(result, ConversionFailed):
        row.failure = result.reason
        target.unlink()
    else:
        row.pages = result.pages or 1


def cpu_seconds() -> float:
    """CPU time of all living and dead children of this process."""
    ticks = os.sysconf("SC_CLK_TCK")
    times = os.times()
    living = 0.0
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            living += (int(fields[11]) + int(fields[12])) / ticks
    return living + times.children_user + times.children_system


def score_all(scorer: ModuleType, folder: Path, rows: Sequence[Row], out: Path) -> None:
    """A document without output scores 0."""
    for row in rows:
        target = out / f"{row.path}.md"
        got = target.read_text(errors="replace") if target.exists() else ""
        row.scores = scorer.score((folder / row.truth).read_text(errors="replace"), got)


def sections(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The groups, each followed by its formats if it has several."""
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        yield group, members
        formats = sorted({row.extension for row in members})
        for extension in formats if len(formats) > 1 else ():
            yield f"  {extension}", [row for row in members if row.extension == extension]


def print_table(method: str, rows: Sequence[Row]) -> None:
    """One line per section."""
    print(f"\n{method:20}" + "".join(f"{name:>10}" for name in (*MEASURES, "documents", "failed", "pages/CPU-s")))
    for name, members in sections(rows):
        figures = []
        for measure in MEASURES:
            values = [row.scores[measure] for row in members if measure in row.scores]
            figures.append(f"{statistics.mean(values):.4f}" if values else "-")
        seconds = sum(row.seconds for row in members)
        speed = f"{sum(row.pages for row in members) / seconds:.1f}" if seconds else "-"
        failed = sum(bool(row.failure) for row in members)
        print(f"{name:20}" + "".join(f"{cell:>10}" for cell in (*figures, str(len(members)), str(failed), speed)))
    for row in rows:
        if row.failure:
            print(f"  failed: {row.path}: {row.failure}")


def main() -> int:
    """Convert, score and print, method by method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--method", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--group", nargs="*")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    scorer = load_scorer(args.folder)
    with tempfile.TemporaryDirectory() as temporary:
        for method in args.method:
            rows = read_manifest(args.folder, args.group)
            out = (args.out or Path(temporary)) / method
            asyncio.run(convert_all(args.folder, rows, method, out, Path(temporary)))
            score_all(scorer, args.folder, rows, out)
            print_table(method, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
