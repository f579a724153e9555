"""The limits of a document as the settings have them, for tests to vary."""

from dataclasses import replace
from typing import Any

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.source import Options

DEFAULTS = Limits.of(Settings())


def limits(**changed: Any) -> Limits:
    """The default limits, some of them changed."""
    return replace(DEFAULTS, **changed)


def options(**changed: Any) -> Options:
    """Options with the default limits, some of them changed."""
    return Options(limits(**changed))
