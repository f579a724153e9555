"""Feeds mutated documents to real, confined children, one after the other, and keeps what ends badly.

    python -m tests.hostile.fuzz [--seed N] [--minutes M] [--findings FOLDER] [--family EXT] [--replay SEED:NUMBER]

Right outcomes are a conversion or a reason that tells the sender what is wrong with the file. A crash, a timeout, no
memory or an error of ours is a finding: its file is kept, with what happened. Equal seeds give equal files.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest_grpc.config import Settings
from ingest_grpc.errors import Reason
from ingest_grpc.worker.executors.interface import ConversionFailed, ConversionRequest, Converted
from ingest_grpc.worker.executors.local import LocalExecutor
from tests.hostile.case import COMPLETED
from tests.hostile.mutations import mutated
from tests.hostile.seeds import seeds

BAD = frozenset(
    {
        Reason.CONVERTER_CRASHED,
        Reason.CONVERSION_OUT_OF_MEMORY,
        Reason.CONVERSION_STALLED,
        Reason.CONVERSION_TIMEOUT,
        Reason.INTERNAL,
        Reason.SERVICE_UNAVAILABLE,
    }
)
SETTINGS = Settings(workers=1, conversion_stall_seconds=20.0, conversion_timeout_seconds=30.0)
SLOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Input:
    """One mutated document; `label` (seed:number) gives it again."""

    label: str
    name: str
    data: bytes


@dataclass(slots=True)
class Report:
    """What became of all inputs, by the extension of their seed document."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def lines(self, seconds: float) -> Iterator[str]:
        total = sum(sum(counts.values()) for counts in self.outcomes.values())
        yield f"{total} inputs in {seconds / 60:.1f} min; slowest {self.slowest[0]:.1f} s ({self.slowest[1]})"
        for family, counts in sorted(self.outcomes.items()):
            yield f"{family:8}" + ", ".join(f"{name} {count}" for name, count in counts.most_common())
        yield f"{len(self.findings)} findings"
        yield from self.findings


def make(seed: int, number: int, families: dict[str, bytes]) -> Input:
    """The input of that number."""
    rng = random.Random(f"{seed}:{number}")
    name = rng.choice(sorted(families))
    return Input(f"{seed}:{number}", name, mutated(families[name], rng))


async def convert(executor: LocalExecutor, folder: Path, given: Input) -> tuple[str, str]:
    """(outcome, detail) of one input."""
    source, output = folder / "source", folder / "output"
    source.write_bytes(given.data)
    source_fd, output_fd = os.open(source, os.O_RDONLY), os.open(output, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        request = ConversionRequest(given.name, "", "SPEED_OPTIMIZED")
        result = await executor.convert(source_fd, output_fd, request, lambda _: None)
    finally:
        os.close(source_fd)
        os.close(output_fd)
    if isinstance(result, ConversionFailed):
        return result.reason, result.detail
    return COMPLETED, f"{result.bytes_out} bytes" if isinstance(result, Converted) else "an archive"


def note(report: Report, given: Input, outcome: str, detail: str, seconds: float, findings: Path | None) -> None:
    """Count it, and keep what is a finding."""
    family = given.name.rpartition(".")[2]
    report.outcomes.setdefault(family, Counter())[outcome] += 1
    report.slowest = max(report.slowest, (seconds, given.label))
    if outcome not in BAD and seconds < SLOW_SECONDS:
        return
    report.findings.append(f"{given.label} {given.name} {outcome} {seconds:.1f} s: {detail}")
    print(report.findings[-1], flush=True)
    if findings is not None:
        findings.mkdir(parents=True, exist_ok=True)
        (findings / f"{given.label.replace(':', '-')}-{outcome}.{family}").write_bytes(given.data)
        with (findings / "findings.jsonl").open("a") as log:
            log.write(json.dumps({"label": given.label, "outcome": outcome, "detail": detail}) + "\n")


async def fuzz(arguments: argparse.Namespace) -> Report:
    """Until the time is over, or only the one input that is asked for."""
    families = {name: data for name, data in seeds().items() if name.endswith(arguments.family)}
    report, began, number = Report(), time.monotonic(), 0
    executor = LocalExecutor(SETTINGS)
    await executor.start()
    try:
        with TemporaryDirectory() as folder:
            while time.monotonic() - began < arguments.minutes * 60:
                if arguments.replay:
                    seed, _, number = arguments.replay.partition(":")
                    given = make(int(seed), int(number), families)
                else:
                    given = make(arguments.seed, number, families)
                started = time.monotonic()
                outcome, detail = await convert(executor, Path(folder), given)
                note(report, given, outcome, detail, time.monotonic() - started, arguments.findings)
                if arguments.replay:
                    print(outcome, detail)
                    break
                number += 1
    finally:
        await executor.stop()
    return report


def main() -> int:
    """Prints a summary; exits with 1 if there are findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--findings", type=Path, help="folder that keeps the files of findings")
    parser.add_argument("--family", default="", help="only seed documents whose names end with this")
    parser.add_argument("--replay", default="", metavar="SEED:NUMBER", help="one input only")
    arguments = parser.parse_args()
    began = time.monotonic()
    report = asyncio.run(fuzz(arguments))
    print("\n".join(report.lines(time.monotonic() - began)))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
