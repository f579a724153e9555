"""What turns operations into methods of a client."""

import inspect
from collections.abc import Callable
from typing import Any


def present(method: Callable[..., Any], operation: Callable[..., Any]) -> None:
    """Give a method the name, the documentation and the parameters of its operation, for help() and editors."""
    _session, *parameters = inspect.signature(operation).parameters.values()
    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__name__ = method.__qualname__ = operation.__name__
    method.__doc__ = operation.__doc__
    method.__signature__ = inspect.Signature([client, *parameters])  # type: ignore[attr-defined]
