#!/usr/bin/env python3
"""Writes the parts of the documentation that follow from code: settings, errors, transitions, events, dialects, tests.

    scripts/make_docs.py [--check]

A generated part stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->` in README.md and docs/.
With --check nothing is written and the exit code is 1 if a part is out of date, or if no test reaches some reason.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tables of the tests are documented too
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from ingest_grpc.client import messages
from ingest_grpc.client.dialects.words import LLAMACLOUD, LLAMACLOUD_WITH_LOSSES, SEEKR, TENSORAS
from ingest_grpc.config import Settings
from ingest_grpc.errors import CATALOGUE, Code
from ingest_grpc.formats import FORMATS, SUPPORTED_NAMES
from ingest_grpc.lifecycle import TRANSITIONS, RecordStatus
from ingest_grpc.model import EVENT_TYPES
from ingest_grpc.telemetry import instruments
from tests.integration.errors.table import ROWS, unreached
from tests.integration.files_matrix import FATES
from tests.reaching import A_RECORD, AN_ALIGNMENT, EVERY_RPC, reached

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(text) for text in row)} |\n" for row in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def settings() -> str:
    """Every setting with its variable, default and meaning."""
    rows = [
        [f"`INGEST_{name.upper()}`", _default(field.default), field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    return table(["environment variable", "default", "meaning"], rows)


def _default(value: object) -> str:
    """As an environment variable or a flag takes it."""
    if value is None:
        return "–"
    return json.dumps(value) if isinstance(value, bool | tuple | dict) else f"{value}"


def errors() -> str:
    """Every reason of the catalogue."""
    rows = [
        [f"`{reason}`", f"`{entry.code}`", "yes" if entry.retryable else "no", entry.message, entry.suggested_fix]
        for reason, entry in CATALOGUE.items()
    ]
    return table(["reason", "gRPC code", "retryable", "message", "suggested fix"], rows)


def refusals() -> str:
    """What each RPC answers to what is wrong with a call: the rows that the tests play over a real channel."""
    answers = [(row.rpc, row.condition, row.reason) for row in ROWS]
    answers += [(mark.by, mark.when, mark.reason) for mark in reached() if mark.by not in (A_RECORD, AN_ALIGNMENT)]
    answers.sort(key=lambda answer: (answer[0] != EVERY_RPC, answer[0]))  # stable
    rows = [[rpc, condition, f"`{CATALOGUE[reason].code}`", f"`{reason}`"] for rpc, condition, reason in answers]
    return table(["RPC", "what is wrong", "gRPC code", "reason"], rows)


def failures() -> str:
    """What fails a record or an alignment, each with the test that sees it happen."""
    rows = [
        [mark.by, mark.when, f"`{mark.reason}`", "yes" if CATALOGUE[mark.reason].retryable else "no"]
        for mark in sorted(reached(), key=lambda mark: mark.by == AN_ALIGNMENT)
        if mark.by in (A_RECORD, AN_ALIGNMENT)
    ]
    return table(["what fails", "because of", "reason", "tried again"], rows)


def fates() -> str:
    """What AddFiles and RemoveFiles answer for a file in each state: the rows that a test plays over a real channel."""
    head = ["the file is", "AddFiles", "with allow_partial", "RemoveFiles", "and its record then is"]
    rows = [[one.state, f"`{one.atomic}`", f"`{one.partial}`", f"`{one.removed}`", one.then] for one in FATES]
    return table(head, rows)


def formats() -> str:
    """Every format, from the one table."""
    rows = [
        [kind, " ".join(known.extensions), " ".join(f"`{name}`" for name in (known.content_type, *known.aliases))]
        for kind, known in FORMATS.items()
    ]
    return table(["format", "extensions", "content types"], rows)


def supported() -> str:
    """The same in a sentence."""
    return f"Reads {SUPPORTED_NAMES}.\n"


def codes() -> str:
    """How many reasons each gRPC code has: a check that none is without."""
    used = [entry.code for entry in CATALOGUE.values()]
    return table(["gRPC code", "reasons"], [[f"`{code}`", str(used.count(code))] for code in Code if code in used])


def transitions() -> str:
    """The one table of what may become of a record."""
    rows = [[before or "(new)", trigger, after] for (before, trigger), after in TRANSITIONS.items()]
    return table(["from", "trigger", "to"], rows)


def diagram() -> str:
    """The same table as a picture."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {before or '[*]'} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()]
    left = {before for before, _ in TRANSITIONS}
    lines += [f"    {status} --> [*]" for status in RecordStatus if status not in left]
    return "\n".join([*lines, "```", ""])


def event_types() -> str:
    """Every type of event."""
    rows = [[f"`{name}`", one.kind, one.title, one.message] for name, one in EVENT_TYPES.items()]
    return table(["type", "kind", "title", "message"], rows)


def metrics() -> str:
    """Every metric of the one table."""
    kinds = (Counter, Gauge, Histogram)
    found = [one for one in vars(instruments).values() if isinstance(one, kinds)]
    rows = [[f"`{_exposed(one)}`", _labels(one), family.documentation] for one in found for family in one.collect()]
    return table(["metric", "labels", "meaning"], rows)


def _exposed(one: MetricWrapperBase) -> str:
    """The name that Prometheus sees."""
    family = next(iter(one.collect()))
    return f"{family.name}_total" if family.type == "counter" else family.name


def _labels(one: MetricWrapperBase) -> str:
    return ", ".join(f"`{name}`" for name in one._labelnames) or "–"  # noqa: SLF001 - not told otherwise


def dialects() -> str:
    """What each dialect says for each value of our enums."""
    enums = {
        "file record": messages.RecordStatus,
        "ingestion job": messages.IngestionJobStatus,
        "job": messages.JobStatus,
        "step": messages.Step,
    }
    rows = []
    for what, enum in enums.items():
        unspecified, *names = enum.keys()
        prefix = unspecified.removesuffix("UNSPECIFIED")
        for name in names:
            ours = f"{what} {name.removeprefix(prefix)}"
            rows.append([ours, *(words.get(name, "–") for words in (SEEKR, TENSORAS, LLAMACLOUD))])
            if name == "RECORD_STATUS_COMPLETED":
                rows.append([f"{ours} with losses", SEEKR[name], TENSORAS[name], LLAMACLOUD_WITH_LOSSES])
        later = [words.get(unspecified, "–") for words in (SEEKR, TENSORAS, LLAMACLOUD)]
        rows.append([f"{what} (any later value)", *later])
    return table(["ours", "seekr", "tensoras", "llamacloud"], rows)


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "errors": errors,
    "refusals": refusals,
    "failures": failures,
    "fates": fates,
    "formats": formats,
    "supported": supported,
    "codes": codes,
    "transitions": transitions,
    "diagram": diagram,
    "event-types": event_types,
    "dialects": dialects,
    "metrics": metrics,
}


def main() -> int:
    """Rewrites or checks every file that has generated parts."""
    stale = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        old = path.read_text()
        new = PART.sub(lambda match: f"{match[1]}{PARTS[match['name']]()}{match[3]}", old)
        if new != old:
            stale.append(path)
            if "--check" not in sys.argv[1:]:
                path.write_text(new)
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is out of date' if '--check' in sys.argv[1:] else 'rewritten'}")
    if missing := unreached():
        print(missing.strip())
    return 1 if (stale or missing) and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
