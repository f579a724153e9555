"""Loads JSON into the models that the vendors publish; runs in .venv-dialects, which has their packages.

stdin: [[name of a model, value], …]. stdout, for each: {"refused": why} or {"missing": [path, …], "extra": [path, …]},
fields of the model that the value lacks, and fields of the value that the model lacks, at any depth.
"""

import json
import sys
from collections.abc import Iterator

from llama_cloud.types import ManagedIngestionStatusResponse
from llama_cloud.types.pipelines import FileGetStatusCountsResponse
from pydantic import BaseModel, ValidationError
from seekrai.types.data_jobs import DataJobDetailResponse
from seekrai.types.ingestion import IngestionResponse

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        DataJobDetailResponse,
        IngestionResponse,
        ManagedIngestionStatusResponse,
        FileGetStatusCountsResponse,
    )
}


def nested(value: object, path: str) -> Iterator[tuple[str, BaseModel]]:
    """The models in a value, itself included, with their paths; items of a list share one."""
    if isinstance(value, BaseModel):
        yield path, value
        for name in type(value).model_fields:
            yield from nested(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, list):
        for item in value:
            yield from nested(item, path)


def judge(name: str, value: object) -> dict[str, object]:
    """What the model says of the value."""
    try:
        loaded = MODELS[name].model_validate(value)
    except ValidationError as error:
        return {"refused": str(error)}
    missing, extra = set(), set()
    for path, model in nested(loaded, ""):
        missing |= {path + field for field in set(type(model).model_fields) - model.model_fields_set}
        extra |= {path + field for field in model.model_extra or ()}
    return {"missing": sorted(missing), "extra": sorted(extra)}


if __name__ == "__main__":
    json.dump([judge(name, value) for name, value in json.load(sys.stdin)], sys.stdout)
