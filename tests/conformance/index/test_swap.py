"""Versions of documents: swapped whole, fenced, removed, dropped, and what is counted of them."""

import asyncio
import random

import pytest

from ingest_grpc.pipeline.index.interface import (
    Counts,
    DocumentState,
    Index,
    OtherEmbedder,
    UnknownKnowledgeBase,
)
from tests.conformance.index.indexing import (
    DIMENSION,
    EMBEDDER,
    KEY,
    Reopen,
    document,
    embedded,
    found,
    near,
    put,
    vector,
    words,
)


async def test_swap__makes_a_version_searchable_as_it_was_given(index: Index) -> None:
    assert await put(index, "a", "red apples", "green pears", metadata={"year": 2020}, data_source_id="ds-1")

    first, second = await index.chunks(KEY, "a")
    assert (first.chunk_id, second.chunk_id) == ("a:0", "a:1")
    assert (second.text, second.start, second.end, second.tokens) == ("green pears", 11, 22, 2)
    assert second.heading_path == ("Guide", "Part")
    assert second.embedded
    assert second.document == document("a", {"year": 2020}, "ds-1")
    assert await found(index, words("pears")) == ["a:1"]


async def test_swap__replaces_the_version_before(index: Index) -> None:
    await put(index, "a", "red apples", "green pears", "blue plums")
    await put(index, "b", "blue plums")
    assert await put(index, "a", "yellow lemons", fence=(2, 1))

    assert [chunk.text for chunk in await index.chunks(KEY, "a")] == ["yellow lemons"]
    assert await found(index, words("apples pears")) == []
    assert await found(index, words("plums")) == ["b:0"]
    assert sorted(await found(index, near(vector(1.0)))) == ["a:0", "b:0"]
    assert await index.counts(KEY) == Counts(documents=2, chunks=2, chunks_without_vector=0)


async def test_swap__again_gives_the_same(index: Index) -> None:
    for _ in range(3):
        assert await put(index, "a", "red apples", "green pears")
    assert await index.counts(KEY) == Counts(1, 2, 0)
    assert await found(index, words("apples")) == ["a:0"]


@pytest.mark.parametrize("late", [(4, 9), (5, 1)])
async def test_swap__of_a_smaller_fence_does_nothing(index: Index, late: tuple[int, int]) -> None:
    await put(index, "a", "new words", fence=(5, 2))
    assert not await put(index, "a", "old words", fence=late)
    assert not await index.remove(KEY, "a", late)
    assert [chunk.text for chunk in await index.chunks(KEY, "a")] == ["new words"]
    assert await put(index, "a", "newer words", fence=(6, 1))


async def test_swap__of_no_chunks(index: Index) -> None:
    await put(index, "a", "words")
    assert await put(index, "a", fence=(1, 2))
    assert await index.chunks(KEY, "a") == []
    assert await index.counts(KEY) == Counts(1, 0, 0)


@pytest.mark.parametrize(
    "chunks",
    [embedded(["x"], [vector(1.0) + b"\0\0\0\0"]), embedded(["x", "y"])[1:]],
    ids=["dimension", "ordinals"],
)
async def test_swap__of_what_cannot_be_changes_nothing(index: Index, chunks: list) -> None:  # type: ignore[type-arg]
    await put(index, "a", "words")
    with pytest.raises(ValueError, match=r"vector of 13|ordinal 1"):
        await index.swap(KEY, document("a"), (2, 1), chunks)
    assert await found(index, words("words")) == ["a:0"]
    assert (await index.documents(KEY))[0].fence == (1, 1)


async def test_swap__a_chunk_without_a_vector_is_found_by_its_text(index: Index) -> None:
    await put(index, "a", "red apples", "green pears", vectors=[vector(1.0), None])
    assert [chunk.embedded for chunk in await index.chunks(KEY, "a")] == [True, False]
    assert await found(index, words("pears")) == ["a:1"]
    assert await found(index, near(vector(1.0))) == ["a:0"]
    assert (await index.counts(KEY)).chunks_without_vector == 1


async def test_remove__leaves_the_fence(index: Index) -> None:
    await put(index, "a", "words")
    assert await index.remove(KEY, "a", (1, 2))
    assert await index.remove(KEY, "a", (1, 2))

    assert await found(index, words("words")) == await found(index, near(vector(1.0))) == []
    assert not await put(index, "a", "words", fence=(1, 1))
    (state,) = await index.documents(KEY)
    assert (state.document.document_id, state.fence, state.chunks, state.removed) == ("a", (1, 2), 0, True)
    assert await index.counts(KEY) == Counts(0, 0, 0)
    assert await put(index, "a", "words again", fence=(2, 1))


async def test_remove__of_an_unknown_document_stops_a_late_swap(index: Index) -> None:
    assert await index.remove(KEY, "a", (3, 1))
    assert not await put(index, "a", "words", fence=(2, 1))


async def test_update__changes_what_is_told_with_the_chunks(index: Index) -> None:
    await put(index, "a", "words", metadata={"year": 2020})
    assert await index.update(KEY, document("a", {"year": 2021}, "ds-2"))
    (chunk,) = await index.chunks(KEY, "a")
    assert chunk.document == document("a", {"year": 2021}, "ds-2")
    assert not await index.update(KEY, document("b"))
    await index.remove(KEY, "a", (2, 1))
    assert not await index.update(KEY, document("a"))


async def test_create__again_is_fine_but_not_with_another_embedder(index: Index) -> None:
    await put(index, "a", "words")
    await index.create(KEY, EMBEDDER, DIMENSION)
    assert (await index.counts(KEY)).chunks == 1
    with pytest.raises(OtherEmbedder):
        await index.create(KEY, "another/12", DIMENSION)
    with pytest.raises(ValueError, match="not a key"):
        await index.create("kb 1", EMBEDDER, DIMENSION)


async def test_drop__takes_all_with_it_and_stays_dropped(index: Index) -> None:
    await index.create("kb-2", "other/4", 4)
    for name in "abc":
        await put(index, name, "words")
    await index.drop(KEY)
    await index.drop(KEY)
    await index.drop("kb-never")

    assert await index.keys() == ["kb-2"]
    assert not await put(index, "a", "words", fence=(9, 9))
    assert not await index.remove(KEY, "a", (9, 9))
    for call in (
        index.counts(KEY),
        index.document(KEY, "a"),
        index.documents(KEY),
        index.chunks(KEY, "a"),
        index.search(KEY, words("x")),
    ):
        with pytest.raises(UnknownKnowledgeBase):
            await call
    with pytest.raises(UnknownKnowledgeBase):
        await index.create(KEY, EMBEDDER, DIMENSION)


async def test_knowledge_bases__do_not_see_each_other(index: Index) -> None:
    await index.create("kb-2", EMBEDDER, DIMENSION)
    await put(index, "a", "words here")
    await put(index, "a", "words there", key="kb-2", fence=(7, 1))

    assert [hit.chunk.text for hit in await index.search(KEY, words("words"))] == ["words here"]
    assert [hit.chunk.text for hit in await index.search("kb-2", near(vector(1.0)))] == ["words there"]
    assert [state.fence for state in await index.documents(KEY)] == [(1, 1)]


async def test_documents_and_chunks__page_by_page(index: Index) -> None:
    for name in ("c", "a", "b"):
        await put(index, name, "x", "y", "z")
    first = await index.documents(KEY, limit=2)
    assert [state.document.document_id for state in first] == ["a", "b"]
    assert first[0] == DocumentState(document("a"), (1, 1), chunks=3, removed=False)
    assert [state.document.document_id for state in await index.documents(KEY, after="b")] == ["c"]
    assert [chunk.ordinal for chunk in await index.chunks(KEY, "b", limit=2)] == [0, 1]
    assert [chunk.ordinal for chunk in await index.chunks(KEY, "b", after=1)] == [2]
    assert await index.chunks(KEY, "nothing") == []


async def test_document__by_its_id(index: Index) -> None:
    await put(index, "a", "x", "y")
    await index.remove(KEY, "b", (2, 1))
    assert await index.document(KEY, "a") == DocumentState(document("a"), (1, 1), chunks=2, removed=False)
    gone = await index.document(KEY, "b")
    assert gone is not None
    assert (gone.fence, gone.removed) == ((2, 1), True)
    assert await index.document(KEY, "c") is None


async def test_reopen__finds_what_was_left(index: Index, reopen: Reopen) -> None:
    await put(index, "a", "red apples")
    await index.remove(KEY, "b", (5, 1))
    await index.close()
    await index.close()

    again = reopen()
    await again.open()
    try:
        assert await found(again, words("apples")) == ["a:0"]
        assert not await put(again, "b", "words", fence=(4, 1))
        assert await again.keys() == [KEY]
    finally:
        await again.close()


async def test_swap__is_never_seen_half_done(index: Index) -> None:
    """Readers beside the writer: each finds all chunks of one version, and there is always a version."""
    texts = [f"word number{n}" for n in range(20)]
    await put(index, "a", *texts)
    versions: set[tuple[str, ...]] = set()

    async def read() -> None:
        for _ in range(30):
            hits = await index.search(KEY, words("word", top_k=50))
            versions.add(tuple(sorted(hit.chunk.document.record_id for hit in hits)))
            assert len(hits) == 20

    async def write() -> None:
        for attempt in range(2, 20):
            await index.swap(KEY, document("a"), (1, attempt), embedded(texts))

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        group.create_task(read())
        group.create_task(write())
    assert len(versions) == 1


async def test_swap__of_one_document_at_once_ends_with_the_greatest_fence(index: Index) -> None:
    fences = [(1, 3), (2, 1), (1, 1), (3, 2), (2, 5), (3, 1)]
    await asyncio.gather(*(put(index, "a", f"version {fence[0]}-{fence[1]}", fence=fence) for fence in fences))
    assert [chunk.text for chunk in await index.chunks(KEY, "a")] == ["version 3-2"]


async def test_cancelled_callers__harm_nothing(index: Index) -> None:
    await put(index, "a", "before")
    writes = [asyncio.ensure_future(put(index, "a", f"after {n}", fence=(2, n))) for n in range(20)]
    reads = [asyncio.ensure_future(index.search(KEY, words("after"))) for _ in range(20)]
    tasks = [*writes, *reads]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert await put(index, "a", "at last", fence=(3, 1))
    assert await found(index, words("last")) == ["a:0"]
    assert await index.counts(KEY) == Counts(1, 1, 0)


@pytest.mark.parametrize("seed", range(3))
async def test_random_changes__leave_what_a_simple_model_has(index: Index, seed: int) -> None:
    """A hundred swaps and removals with fences in any order; after each tenth all is compared."""
    chance = random.Random(seed)
    fences: dict[str, tuple[int, int]] = {}
    texts: dict[str, list[str]] = {}
    for step in range(1, 101):
        name, fence = chance.choice("abc"), (chance.randint(1, 9), chance.randint(1, 3))
        new = [f"word{step} common" for _ in range(chance.randint(0, 4))] if chance.random() < 0.7 else None
        done = await (index.remove(KEY, name, fence) if new is None else put(index, name, *new, fence=fence))
        assert done == (fence >= fences.get(name, (0, 0)))
        if done:
            fences[name], texts[name] = fence, new or []
        if step % 10 == 0:
            states = await index.documents(KEY)
            assert {state.document.document_id: state.fence for state in states} == fences
            expected = sorted(f"{name}:{n}" for name, its in texts.items() for n in range(len(its)))
            assert sorted(await found(index, words("common", top_k=100))) == expected
            assert sorted(await found(index, near(vector(1.0), top_k=100))) == expected
            for name, its in texts.items():
                assert [chunk.text for chunk in await index.chunks(KEY, name)] == its
