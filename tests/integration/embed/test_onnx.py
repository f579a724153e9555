"""The embedder from a model folder, with real models of a few numbers."""

import asyncio
import struct
from pathlib import Path

import pytest

from ingest_grpc.pipeline.embed.interface import EmbedderRefused, Vector
from ingest_grpc.pipeline.embed.onnx import OnnxEmbedder
from tests.integration.embed.tiny_model import TABLE, WORDS, make_folder


async def loaded(folder: Path) -> OnnxEmbedder:
    embedder = OnnxEmbedder(folder, threads=1)
    await asyncio.gather(*(embedder.load() for _ in range(3)))
    return embedder


def mean(*words: str) -> list[float]:
    """The average of the words' vectors, of length 1."""
    average = TABLE[[WORDS[word] for word in words]].mean(axis=0)
    return [float(x) for x in average / (average @ average) ** 0.5]


def numbers(vector: Vector | None) -> list[float]:
    assert vector is not None
    return list(struct.unpack("<4f", vector))


async def test_embed__averages_what_is_not_padding(tmp_path: Path) -> None:
    embedder = await loaded(make_folder(tmp_path))
    embedding = await embedder.embed(["red", "red green apple red", "unheard"])

    assert numbers(embedding.vectors[0]) == pytest.approx(mean("[CLS]", "red"))
    assert numbers(embedding.vectors[1]) == pytest.approx(mean("[CLS]", "red", "green", "apple", "red"))
    assert numbers(embedding.vectors[2]) == pytest.approx(mean("[CLS]", "[UNK]"))
    assert embedder.dimension == 4
    await embedder.close()
    await embedder.close()


async def test_embed__many_texts_keep_their_order(tmp_path: Path) -> None:
    embedder = await loaded(make_folder(tmp_path))
    texts = [" ".join(["red"] * (n % 7) + ["apple"] * (n % 5)) for n in range(100)]
    together = (await embedder.embed(texts)).vectors
    for place in (0, 1, 41, 99):
        alone = (await embedder.embed([texts[place]])).vectors[0]
        assert numbers(together[place]) == pytest.approx(numbers(alone), abs=1e-6)
    await embedder.close()


async def test_pooling__as_the_folder_says(tmp_path: Path) -> None:
    cls = await loaded(make_folder(tmp_path / "cls", pooling={"pooling_mode_cls_token": True}))
    own = await loaded(make_folder(tmp_path / "own", pooled=True))
    assert numbers((await cls.embed(["red apple"])).vectors[0]) == pytest.approx(mean("[CLS]"))
    assert numbers((await own.embed(["red apple"])).vectors[0]) == pytest.approx(mean("[CLS]", "red", "apple"))
    assert cls.identity != own.identity
    await cls.close()
    await own.close()


async def test_count_tokens__with_special_ones_and_without_cutting(tmp_path: Path) -> None:
    embedder = await loaded(make_folder(tmp_path, sentence_bert_config={"max_seq_length": 4}))
    assert embedder.count_tokens(["red", "red " * 50, ""]) == [2, 51, 1]
    assert embedder.max_tokens == 4
    cut = (await embedder.embed(["red red red " + "green " * 50])).vectors[0]
    assert numbers(cut) == pytest.approx(mean("[CLS]", "red", "red", "red"))
    await embedder.close()


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, 256),
        ({"tokenizer_config": {"model_max_length": 512}}, 512),
        ({"tokenizer_config": {"model_max_length": 10**30}, "config": {"max_position_embeddings": 128}}, 128),
    ],
)
async def test_max_tokens__from_what_the_folder_says(tmp_path: Path, files: dict[str, object], limit: int) -> None:
    embedder = await loaded(make_folder(tmp_path, **files))  # type: ignore[arg-type]
    assert embedder.max_tokens == limit
    await embedder.close()


async def test_prefixes__of_questions_and_passages(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "ask: ", "passage": "red "}}
    embedder = await loaded(make_folder(tmp_path, config_sentence_transformers=prompts))
    assert numbers(await embedder.embed_query("apple")) == pytest.approx(mean("[CLS]", "ask", ":", "apple"))
    assert numbers((await embedder.embed(["apple"])).vectors[0]) == pytest.approx(mean("[CLS]", "red", "apple"))
    assert embedder.max_tokens == 255  # the prefix takes one
    await embedder.close()


async def test_identity__is_the_models_content(tmp_path: Path) -> None:
    one, two = await loaded(make_folder(tmp_path / "one")), await loaded(make_folder(tmp_path / "two"))
    assert one.identity == two.identity
    assert one.identity.startswith("onnx-")
    await one.close()
    await two.close()


def without(folder: Path, name: str) -> Path:
    (folder / name).unlink()
    return folder


def spoiled(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(b"\x00spoiled")
    return folder


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: without(make_folder(folder), "model.onnx"), r"has none of model\.onnx"),
        (lambda folder: without(make_folder(folder), "tokenizer.json"), "is no tokenizer"),
        (lambda folder: spoiled(make_folder(folder), "model.onnx"), "cannot be loaded"),
        (lambda folder: spoiled(make_folder(folder, config={}), "config.json"), "cannot be read"),
        (lambda folder: make_folder(folder, extra_input="pixels"), "inputs that are not known: pixels"),
        (lambda folder: folder / "nowhere", "has none of"),
    ],
    ids=["no model", "no tokenizer", "bad model", "bad config", "other inputs", "no folder"],
)
async def test_load__of_a_folder_without_a_model(tmp_path: Path, spoil: "object", message: str) -> None:
    embedder = OnnxEmbedder(spoil(tmp_path))  # type: ignore[operator]
    with pytest.raises(EmbedderRefused, match=message):
        await embedder.load()
    with pytest.raises(RuntimeError, match="not loaded"):
        assert embedder.dimension
    await embedder.close()
