"""Composed characters, also where there are very many marks."""

import unicodedata

import pytest

from ingest_grpc.filenames import base_name, displayable
from ingest_grpc.normal_form import composed

TEXTS = ["", "plain", "e\u0301", "\u1112\u1161\u11ab", "═" * 100, "\U0001f469\u200d" * 50, "ก็ด้้", "x" + "\u0301" * 30]
HOSTILE = "x" + "\u0301\u0316" * 500_000


@pytest.mark.parametrize("text", TEXTS)
def test_composed__is_nfc(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


@pytest.mark.timeout(20)
def test_composed__marks_without_end_take_no_time() -> None:
    assert "\u034f" in composed(HOSTILE)
    assert len(displayable(HOSTILE)) > 1_000_000
    assert base_name(f"../{HOSTILE}").startswith("x")
