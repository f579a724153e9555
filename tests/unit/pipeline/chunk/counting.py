"""A tokenizer that needs no model: words in pieces of four characters, every other character by itself."""

import re
from collections.abc import Sequence

from ingest_grpc.pipeline.chunk.chunker import MarkdownChunker
from ingest_grpc.pipeline.chunk.interface import Chunk, ChunkLimits

_TOKENS = re.compile(r"[A-Za-z0-9]{1,4}|[^\sA-Za-z0-9]")


def count_tokens(texts: Sequence[str]) -> list[int]:
    return [len(_TOKENS.findall(text)) + 1 for text in texts]


def chunks(markdown: str, max_tokens: int = 64, overlap_tokens: int = 0, max_characters: int = 2_000) -> list[Chunk]:
    return MarkdownChunker(count_tokens, ChunkLimits(max_tokens, overlap_tokens, max_characters)).chunk(markdown)
