"""What the other models are made of."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of all domain values: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Method(StrEnum):
    """How a file is converted."""

    SPEED_OPTIMIZED = "SPEED_OPTIMIZED"
    ACCURACY_OPTIMIZED = "ACCURACY_OPTIMIZED"


class Engine(Model):
    """The software that converted a file."""

    name: str
    version: str


class UnitProgress(Model):
    """How far a step has come; `units_total` 0 = not known."""

    units_done: int
    units_total: int
    unit: str
