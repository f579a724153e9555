"""The engines that this server has: `assemble` always, `generate` where a model is set."""

from collections.abc import Mapping
from functools import partial

from ingest_grpc.config import Settings
from ingest_grpc.lifecycle import AlignmentEngine
from ingest_grpc.pipeline.align.assemble import Assembler
from ingest_grpc.pipeline.align.chat import ChatEndpoint
from ingest_grpc.pipeline.align.generate import Generator
from ingest_grpc.pipeline.align.interface import Aligner
from ingest_grpc.pipeline.endpoint import MAX_PAUSE_SECONDS, EndpointSettings


def chosen_engine(settings: Settings) -> AlignmentEngine:
    """What StartJob uses."""
    return AlignmentEngine(settings.align_engine.upper())


def patience_seconds(settings: Settings) -> float:
    """How long an engine may give no sign of life: one answer and the pause before it."""
    return settings.align_timeout_seconds + MAX_PAUSE_SECONDS


def alignment_engines(settings: Settings) -> Mapping[AlignmentEngine, Aligner]:
    """Every engine by name: an alignment that was started with one is also finished by it."""
    engines: dict[AlignmentEngine, Aligner] = {AlignmentEngine.ASSEMBLE: Assembler()}
    if settings.align_endpoint_url and settings.align_model:
        chat = EndpointSettings(
            settings.align_endpoint_url,
            settings.align_model,
            settings.align_api_key.get_secret_value() if settings.align_api_key else "",
            settings.align_timeout_seconds,
            settings.align_attempts,
        )
        engines[AlignmentEngine.GENERATE] = Generator(
            partial(ChatEndpoint, chat),
            model=settings.align_model,
            concurrency=settings.align_concurrency,
            max_section_characters=settings.align_section_characters,
        )
    return engines
