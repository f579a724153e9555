"""A folder with an ONNX model and its tokenizer, as sentence-transformers lays them out; onnxruntime runs it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest_grpc.pipeline.embed import tokens
from ingest_grpc.pipeline.embed.identities import digest
from ingest_grpc.pipeline.embed.interface import EmbedderRefused, Vector
from ingest_grpc.pipeline.embed.prefixes import Prefixes

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

MODEL_FILES = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
DEFAULT_MAX_TOKENS = 256
SANE_MAX_TOKENS = 32_768
"""Tokenizers say 10^30 where they have no limit."""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What the folder's configuration files say: `pooling` is "mean" or "cls"."""

    model: Path
    max_tokens: int
    pooling: str
    prefixes: Prefixes


def read_facts(folder: Path) -> FolderFacts:
    """Raises EmbedderRefused where the folder holds no model."""
    found = [folder / name for name in MODEL_FILES if (folder / name).is_file()]
    if not found:
        raise EmbedderRefused(f"{folder} has none of {', '.join(MODEL_FILES)}")
    pooling = _json(folder / "1_Pooling" / "config.json")
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return FolderFacts(
        model=found[0],
        max_tokens=_max_tokens(folder),
        pooling="cls" if pooling.get("pooling_mode_cls_token") else "mean",
        prefixes=Prefixes(str(prompts.get("query", "")), str(prompts.get("passage", prompts.get("document", "")))),
    )


def _max_tokens(folder: Path) -> int:
    for file, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
        ("config.json", "max_position_embeddings"),
    ):
        limit = _json(folder / file).get(key)
        if isinstance(limit, int) and 0 < limit <= SANE_MAX_TOKENS:
            return limit
    return DEFAULT_MAX_TOKENS


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EmbedderRefused(f"{path} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


class OnnxModel:
    """A loaded model. Blocks; to be used by one thread."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Raises EmbedderRefused."""
        self.facts = read_facts(folder)
        self._counting = tokens.load_tokenizer(folder / "tokenizer.json")
        self._cutting = tokens.load_tokenizer(folder / "tokenizer.json")
        self._cutting.enable_truncation(self.facts.max_tokens)
        self._session = _session(self.facts.model, threads)
        self._inputs = {each.name for each in self._session.get_inputs()}
        self.dimension = len(self.vectors(["dimension"])[0]) // 4
        made_of = digest([self.facts.model, folder / "tokenizer.json"])
        self.identity = f"onnx-{made_of}-{self.facts.pooling}{self.facts.prefixes.mark}/{self.dimension}"
        self.max_tokens = self.facts.max_tokens - tokens.extra(self._counting, self.facts.prefixes.passage)

    @property
    def tokenizer(self) -> "Tokenizer":
        """The one that counts: it cuts nothing."""
        return self._counting

    def vectors(self, texts: Sequence[str]) -> list[Vector]:
        """A vector per text, of its first `max_tokens` tokens."""
        import numpy as np  # noqa: PLC0415

        encoded = self._cutting.encode_batch(list(texts))
        width = max(len(each) for each in encoded)
        ids = np.zeros((len(encoded), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, each in enumerate(encoded):
            ids[row, : len(each)] = each.ids
            mask[row, : len(each)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        output = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        pooled = output if output.ndim == 2 else self._pooled(output, mask)
        pooled = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return [row.astype("<f4").tobytes() for row in pooled]

    def _pooled(self, output: "np.ndarray[Any, Any]", mask: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        if self.facts.pooling == "cls":
            first: np.ndarray[Any, Any] = output[:, 0]
            return first
        weights = mask[:, :, None].astype(output.dtype)
        mean: np.ndarray[Any, Any] = (output * weights).sum(axis=1) / weights.sum(axis=1)
        return mean


def _session(model: Path, threads: int) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError as error:
        command = ".venv/bin/uv pip install --python .venv/bin/python -e '.[onnx]'"
        raise EmbedderRefused(f"onnxruntime is not installed; from a checkout: {command}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning would take the cores from the converters.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises types of its own below Exception
        raise EmbedderRefused(f"{model} cannot be loaded: {error}") from error
    unknown = {each.name for each in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    if unknown:
        raise EmbedderRefused(f"{model} wants inputs that are not known: {', '.join(sorted(unknown))}")
    return session
