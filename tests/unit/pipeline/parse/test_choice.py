"""Which engine converts what, and which earlier outputs are still as good as new ones."""

from pathlib import Path

import pytest

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.choice import (
    CHOICES,
    DEFAULTS,
    EngineUnavailable,
    engine_table,
    is_current,
    without_apart,
)
from ingest_grpc.pipeline.parse.engines import DOCLING, LITEPARSE, OPENDATALOADER, XBERG, engines, version_of
from tests.unit.pipeline.parse.test_java import runtime

SPEED, ACCURACY = "SPEED_OPTIMIZED", "ACCURACY_OPTIMIZED"


def table(engines: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    return {method: dict(row) for method, row in engine_table(Settings(engines=engines)).items()}


def test_table__the_methods_differ_and_choose_of_what_there_is() -> None:
    assert table({}) == DEFAULTS
    assert DEFAULTS[SPEED]["PDF"] != DEFAULTS[ACCURACY]["PDF"]
    assert all(row[kind.name] in names for row in DEFAULTS.values() for kind, names in CHOICES.items())


def test_table__settings_change_one_cell() -> None:
    changed = table({SPEED: {"PDF": LITEPARSE}})
    assert changed[SPEED] == {**DEFAULTS[SPEED], "PDF": LITEPARSE}
    assert changed[ACCURACY] == DEFAULTS[ACCURACY]


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        ({"BEST": {"PDF": XBERG}}, "there is no method BEST"),
        ({SPEED: {"DOCX": XBERG}}, "nothing can be chosen for DOCX"),
        ({SPEED: {"PDF": "magic"}}, "magic does not convert PDF"),
        pytest.param(
            {ACCURACY: {"PDF": DOCLING}},
            "docling is not installed",
            marks=pytest.mark.skipif(DOCLING in engines(), reason="docling is installed"),
        ),
    ],
)
def test_table__what_cannot_be_chosen_is_refused_by_name(engines: dict[str, dict[str, str]], words: str) -> None:
    with pytest.raises(EngineUnavailable, match=words) as refused:
        table(engines)
    assert refused.value.fix


@pytest.mark.parametrize(
    ("release", "words"),
    [(None, "needs a Java runtime"), ("1.8.0_392", "needs Java 11 or newer")],
)
def test_table__opendataloader_needs_java(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str | None, words: str
) -> None:
    monkeypatch.setattr("ingest_grpc.pipeline.parse.choice.engines", lambda: {**engines(), OPENDATALOADER: "2.5.16"})
    if release is not None:
        runtime(tmp_path, release)
    chosen = Settings(engines={SPEED: {"PDF": OPENDATALOADER}}, java_home=tmp_path)
    with pytest.raises(EngineUnavailable, match=words):
        engine_table(chosen)


def test_table__of_other_children_has_no_engine_that_is_apart() -> None:
    row = {"PDF": OPENDATALOADER, "HTML": XBERG}
    assert without_apart(row, ACCURACY) == {"PDF": LITEPARSE, "HTML": XBERG}


@pytest.mark.parametrize(
    ("method", "filename", "engine", "version", "current"),
    [
        (SPEED, "a.pdf", XBERG, version_of(XBERG), True),
        (SPEED, "a.pdf", XBERG, "0.1", False),
        (ACCURACY, "a.PDF", XBERG, version_of(XBERG), False),  # another engine by now
        (ACCURACY, "a.pdf", LITEPARSE, version_of(LITEPARSE), True),
        (ACCURACY, "a.pdf", f"{LITEPARSE}/python", version_of(f"{LITEPARSE}/python"), True),
        (ACCURACY, "a.pdf", f"{LITEPARSE}/gone", "1/1", False),
        (ACCURACY, "a.docx", XBERG, version_of(XBERG), True),
        (ACCURACY, "unnamed", XBERG, version_of(XBERG), True),
    ],
)
def test_current__engine_and_version_that_would_be_used_today(
    method: str, filename: str, engine: str, version: str, current: bool
) -> None:
    assert is_current(DEFAULTS, method, filename, engine, version) is current
