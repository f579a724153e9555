"""The engine of conversions that no engine made."""

from ingest_grpc.model import Engine, Method

ENGINE = Engine(name="fake", version="1")


def made_by_engine(_method: Method, _filename: str, engine: Engine) -> bool:
    """Only what ENGINE made is reused."""
    return engine == ENGINE
