"""What is found, in what order, and what a user may type."""

from typing import Any

import pytest

from ingest_grpc.pipeline.index.interface import Condition, Index, MetadataOp, Query, Scalar, SearchMode
from tests.conformance.index.indexing import KEY, found, near, put, scores, vector, words


@pytest.fixture
async def library(index: Index) -> Index:
    """Three documents of two sources."""
    await put(
        index,
        "apples",
        "red apples are growing on trees",
        "apple juice and apple pie",
        vectors=[vector(1.0, 0.1), vector(1.0, 0.4)],
        metadata={"year": 2020, "price": 1.5, "topic": "fruit", "public": True},
        data_source_id="ds-1",
    )
    await put(
        index,
        "pears",
        "green pears grow on trees as well",
        vectors=[vector(0.3, 1.0)],
        metadata={"year": 2021, "topic": "fruit", "public": False},
        data_source_id="ds-1",
    )
    await put(
        index,
        "cars",
        "red cars drive on streets",
        vectors=[vector(-1.0, 0.2)],
        metadata={"year": 2021, "topic": "traffic", "a.b\"'": "x"},
        data_source_id="ds-2",
    )
    return index


async def test_text__finds_word_forms_and_ranks_by_them(library: Index) -> None:
    assert await found(library, words("apple")) == ["apples:1", "apples:0"]
    assert set(await found(library, words("GROWS"))) == {"apples:0", "pears:0"}
    hits = await library.search(KEY, words("red apples trees"))
    assert hits[0].chunk.chunk_id == "apples:0"
    assert hits[0].score == hits[0].text_score == 1.0
    assert scores(hits) == sorted(scores(hits), reverse=True)
    assert all(hit.vector_score is None for hit in hits)


async def test_text__looks_at_headings_too(library: Index) -> None:
    assert len(await found(library, words("guide"))) == 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\0",
        "!?",
        "_",
        "*",
        '"',
        '" OR "',
        "(red",
        "body:red)",
        "NEAR(red cars)",
        "^red - AND NOT",
        "red* + {a b}",
        "'; DROP TABLE chunks; --",
        "\u202e\ufeff",
        "x" * 10_000,
        "word " * 5_000,
    ],
)
async def test_text__is_never_syntax(library: Index, text: str) -> None:
    await library.search(KEY, words(text))
    query = Query(SearchMode.HYBRID, text, 10, vector(1.0))
    assert len(await library.search(KEY, query)) == 4


async def test_text__words_that_look_like_operators_are_words(library: Index) -> None:
    await put(library, "logic", "either this near or not that")
    assert await found(library, words("NEAR")) == ["logic:0"]
    assert await found(library, words("NOT")) == ["logic:0"]


async def test_text__japanese_and_accents(library: Index) -> None:
    await put(library, "ja", "東京都の人口は増えている", "大阪の天気")
    await put(library, "fr", "La forêt enchantée")
    assert await found(library, words("人口")) == ["ja:0"]
    assert (await found(library, words("京都の天気")))[0] == "ja:1"
    assert await found(library, words("foret ENCHANTÉE")) == ["fr:0"]


async def test_vector__ranks_by_the_cosine(library: Index) -> None:
    hits = await library.search(KEY, near(vector(1.0, 0.4)))
    assert [hit.chunk.chunk_id for hit in hits] == ["apples:1", "apples:0", "pears:0", "cars:0"]
    assert hits[0].score == hits[0].vector_score == pytest.approx(1.0, abs=1e-6)
    assert hits[3].score < 0
    assert all(hit.text_score is None for hit in hits)


async def test_vector__exact_among_many_alike(index: Index) -> None:
    """All vectors have the same signs: only the exact comparison can tell them apart."""
    vectors = [vector(1.0, (n + 1) / 500) for n in range(500)]
    await put(index, "a", *["x"] * 500, vectors=vectors)
    assert await found(index, near(vectors[321], top_k=1)) == ["a:321"]


async def test_hybrid__weighs_both(library: Index) -> None:
    def query(text_weight: float) -> Query:
        return Query(SearchMode.HYBRID, "red cars", 10, vector(0.3, 1.0), text_weight)

    hits = await library.search(KEY, query(1.0))
    assert hits[0].chunk.chunk_id == "cars:0"
    assert hits[0].score == pytest.approx(1.0)
    assert (await found(library, query(0.0)))[0] == "pears:0"
    for hit in await library.search(KEY, query(0.5)):
        assert 0 <= hit.score <= 1
        assert hit.vector_score is not None
        assert (hit.text_score is None) == (hit.chunk.chunk_id in ("apples:1", "pears:0"))


async def test_hybrid__finds_what_has_no_vector(index: Index) -> None:
    await put(index, "a", "rare word", "other", vectors=[None, vector(1.0)])
    assert set(await found(index, Query(SearchMode.HYBRID, "rare", 10, vector(1.0), 0.7))) == {"a:0", "a:1"}


async def test_top_k__bounds_what_is_found(library: Index) -> None:
    assert len(await found(library, near(vector(1.0), top_k=2))) == 2
    for top_k in (0, -1, 1_001):
        with pytest.raises(ValueError, match="top_k"):
            await library.search(KEY, words("red", top_k=top_k))


@pytest.mark.parametrize("wrong", [None, b"", vector(1.0) + b"\0" * 4])
async def test_vector__of_another_dimension(library: Index, wrong: bytes | None) -> None:
    with pytest.raises(ValueError, match="where one of 12 is needed"):
        await library.search(KEY, Query(SearchMode.HYBRID, "red", 10, wrong))


@pytest.mark.parametrize(
    ("wanted", "documents"),
    [
        ({"document_ids": frozenset({"apples", "nothing"})}, {"apples"}),
        ({"file_ids": frozenset({"file-cars"})}, {"cars"}),
        ({"data_source_ids": frozenset({"ds-1"})}, {"apples", "pears"}),
        ({"excluded_document_ids": frozenset({"apples"})}, {"pears", "cars"}),
        ({"excluded_document_ids": frozenset({"nothing"})}, {"apples", "pears", "cars"}),
        ({"excluded_document_ids": frozenset({"apples"}), "data_source_ids": frozenset({"ds-1"})}, {"pears"}),
        ({"data_source_ids": frozenset({"ds-1"}), "document_ids": frozenset({"cars"})}, set()),
    ],
)
async def test_filter__by_ids(library: Index, wanted: dict[str, Any], documents: set[str]) -> None:
    for query in (
        near(vector(1.0), **wanted),
        words("trees streets juice", **wanted),
    ):
        assert {chunk_id.split(":")[0] for chunk_id in await found(library, query)} == documents


@pytest.mark.parametrize(
    ("key", "op", "values", "documents"),
    [
        ("year", MetadataOp.EQ, (2021,), {"pears", "cars"}),
        ("year", MetadataOp.EQ, (2021.0,), {"pears", "cars"}),
        ("year", MetadataOp.EQ, ("2021",), set()),
        ("year", MetadataOp.NE, (2021,), {"apples"}),
        ("year", MetadataOp.GT, (2020,), {"pears", "cars"}),
        ("year", MetadataOp.GTE, (2020,), {"apples", "pears", "cars"}),
        ("year", MetadataOp.LT, (2021,), {"apples"}),
        ("year", MetadataOp.LTE, (10**30,), {"apples", "pears", "cars"}),
        ("price", MetadataOp.LT, (2,), {"apples"}),
        ("price", MetadataOp.NE, (1.5,), {"pears", "cars"}),
        ("topic", MetadataOp.IN, ("traffic", "weather"), {"cars"}),
        ("topic", MetadataOp.IN, (1, "fruit"), {"apples", "pears"}),
        ("topic", MetadataOp.GT, ("g",), {"cars"}),
        ("topic", MetadataOp.GT, (0,), set()),
        ("public", MetadataOp.EQ, (True,), {"apples"}),
        ("public", MetadataOp.EQ, (False,), {"pears"}),
        ("public", MetadataOp.EQ, (1,), set()),
        ("public", MetadataOp.NE, (True,), {"pears", "cars"}),
        ("a.b\"'", MetadataOp.EQ, ("x",), {"cars"}),
        ("nothing", MetadataOp.EQ, ("x",), set()),
        ("nothing", MetadataOp.NE, ("x",), {"apples", "pears", "cars"}),
    ],
)
async def test_filter__by_metadata(
    library: Index, key: str, op: MetadataOp, values: tuple[Scalar, ...], documents: set[str]
) -> None:
    conditions = (Condition(key, op, values),)
    hits = await found(library, near(vector(1.0), conditions=conditions))
    assert {chunk_id.split(":")[0] for chunk_id in hits} == documents
    text = await found(library, words("trees streets juice", conditions=conditions))
    assert {chunk_id.split(":")[0] for chunk_id in text} == documents


@pytest.mark.parametrize(
    "condition",
    [
        Condition("year", MetadataOp.EQ, ()),
        Condition("year", MetadataOp.GT, (1, 2)),
        Condition("public", MetadataOp.LT, (True,)),
    ],
)
async def test_filter__that_makes_no_sense(library: Index, condition: Condition) -> None:
    with pytest.raises(ValueError, match=r"has \d values|true and false"):
        await library.search(KEY, words("red", conditions=(condition,)))


async def test_filter__before_ranking(index: Index) -> None:
    """The only document that counts is found, however many better ones do not."""
    for n in range(30):
        await put(index, f"many-{n:02}", *["the same words"] * 50, vectors=[vector(1.0)] * 50)
    await put(index, "one", "the same words, once among many others", vectors=[vector(0.1, 1.0)])
    only = frozenset({"one"})
    assert await found(index, near(vector(1.0), top_k=5, document_ids=only)) == ["one:0"]
    assert await found(index, words("same", top_k=5, document_ids=only)) == ["one:0"]
