"""The alerts of docs/alerts.yaml: what they ask for exists, from the start of a server on."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest_grpc.lifecycle import Trigger
from ingest_grpc.sandbox.spec import Ending

DOCS = Path(__file__).parents[2] / "docs"
RULES = (DOCS / "alerts.yaml").read_text(encoding="utf-8")

Labels = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def page() -> Mapping[str, set[Labels]]:
    """What the registry of a server that was just loaded tells: in a process where nothing happened yet."""
    code = """
import ingest_grpc.app
from prometheus_client import generate_latest
from ingest_grpc.telemetry.instruments import REGISTRY
print(generate_latest(REGISTRY).decode())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, set[Labels]] = defaultdict(set)
    for family in text_string_to_metric_families(done.stdout):
        names = {family.name, *(sample.name for sample in family.samples)}
        names |= {f"{family.name}_total"} if family.type == "counter" else set()
        names |= {f"{family.name}_bucket"} if family.type == "histogram" else set()
        for name in names:
            found[name] |= {frozenset(each.labels.items()) for each in family.samples if each.name == name}
    return found


def test_alerts__every_metric_exists(page: Mapping[str, set[Labels]]) -> None:
    asked = set(re.findall(r"\b(?:ingest|grpc_server|process|python)_\w+", RULES))
    assert len(asked) > 10
    assert asked - page.keys() == set()


def test_alerts__every_cause_and_trigger_exists(page: Mapping[str, set[Labels]]) -> None:
    found = {value for series in page.values() for labels in series for name, value in labels}
    asked = re.findall(r'(?:cause|trigger)=~?"([^"]+)"', RULES)
    assert {value for values in asked for value in values.split("|")} - found == set()


def test_alerts__each_has_a_row_that_says_what_to_do() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE)
    names = re.findall(r"- alert: (.+)", RULES)
    first = rows.index(names[0])
    assert rows[first : first + len(names)] == names


def test_counters__have_all_their_series_before_anything_happened(page: Mapping[str, set[Labels]]) -> None:
    """`increase` does not see the event that a series begins with."""

    def values(name: str, label: str) -> set[str]:
        return {dict(labels)[label] for labels in page[name]}

    assert values("ingest_commit_failures_total", "reason") == {"STORAGE_FULL", "STORAGE_UNAVAILABLE"}
    assert values("ingest_watchers_refused_total", "cap") == {"server", "team", "job"}
    assert len(page["ingest_transitions_total"]) == 2 * len(Trigger)
    causes = values("ingest_child_restarts_total", "cause")
    assert causes >= {ending.lower() for ending in Ending}
    assert causes >= {"cancelled", "retired", "recycled", "start_failed", "restless", "died_idle"}
