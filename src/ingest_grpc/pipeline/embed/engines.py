"""The embedders that this server has: `wordllama` always, `onnx` and `endpoint` where the settings say of what."""

from collections.abc import Mapping

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.embed.cached import CachedEmbedder
from ingest_grpc.pipeline.embed.endpoint import EndpointEmbedder, EndpointModel
from ingest_grpc.pipeline.embed.interface import Embedder, EmbeddingCache
from ingest_grpc.pipeline.embed.onnx import OnnxEmbedder
from ingest_grpc.pipeline.embed.prefixes import Prefixes
from ingest_grpc.pipeline.embed.wordllama import WordLlamaEmbedder
from ingest_grpc.pipeline.endpoint import EndpointSettings


def embedders(settings: Settings, cache: EmbeddingCache) -> Mapping[str, Embedder]:
    """Every embedder by name, none of them loaded; `settings.embedder` is the default.

    wordllama goes without the cache: it is as fast as a look-up.
    """
    found: dict[str, Embedder] = {WordLlamaEmbedder.name: WordLlamaEmbedder()}
    if settings.embedding_model_dir:
        onnx = OnnxEmbedder(settings.embedding_model_dir, settings.embedding_text_weight)
        found[OnnxEmbedder.name] = CachedEmbedder(onnx, cache)
    if settings.embedding_endpoint_url and settings.embedding_model:
        found[EndpointEmbedder.name] = CachedEmbedder(_endpoint(settings), cache)
    return found


def _endpoint(settings: Settings) -> EndpointEmbedder:
    where = EndpointSettings(
        settings.embedding_endpoint_url or "",
        settings.embedding_model or "",
        settings.embedding_api_key.get_secret_value() if settings.embedding_api_key else "",
        settings.embedding_timeout_seconds,
        settings.embedding_attempts,
    )
    model = EndpointModel(
        max_tokens=settings.embedding_max_tokens,
        dimension=settings.embedding_dimension,
        tokenizer=settings.embedding_tokenizer,
        prefixes=Prefixes(settings.embedding_query_prefix, settings.embedding_passage_prefix),
        text_weight=settings.embedding_text_weight,
        max_texts=settings.embedding_call_texts,
        max_call_tokens=settings.embedding_call_tokens,
    )
    return EndpointEmbedder(where, model)
