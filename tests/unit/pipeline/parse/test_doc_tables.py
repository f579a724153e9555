"""Tables of DOC files, through the real engine and in what must not go wrong around it."""

import random

import pytest

from ingest_grpc.pipeline.parse import doc_tables
from ingest_grpc.pipeline.parse.parser import parse
from tests import compound_files, limits
from tests.wild_documents import stored


def test_tables__rows_cells_and_what_stands_around_them() -> None:
    parsed = parse(stored("prices.doc"), "prices.doc", "", limits.options(), lambda *_: None)[1]
    assert parsed.markdown == (
        "# Prices\n\nBefore the table.\n\n"
        "| Fruit | Unit \\| note | Price |\n| --- | --- | --- |\n| Apples |  | 3<br>or 2 |\n| Pears | box | 4 |\n\n"
        "## After\n\nBehind the table.\n\n| é¦ü | last |\n| --- | --- |\n"
    )


def test_marks__are_signs_that_the_document_does_not_use() -> None:
    marked = doc_tables.marked(stored("prices.doc"))
    assert marked is not None
    assert "¦" not in (marked.cell, marked.line)
    assert len(marked.data) == len(stored("prices.doc"))


@pytest.mark.parametrize(
    "data", [stored("letter.doc"), compound_files.word_document(), b"", stored("prices.doc")[:4000]]
)
def test_marks__none_without_a_table_or_in_a_damaged_file(data: bytes) -> None:
    assert doc_tables.marked(data) is None


def test_marks__damage_is_never_an_error() -> None:
    rng, whole = random.Random(7), stored("prices.doc")
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 30)):
            data[rng.randrange(512, len(data))] = rng.randrange(256)
        marked = doc_tables.marked(bytes(data))
        assert marked is None or len(marked.data) == len(data)
