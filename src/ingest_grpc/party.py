"""For whom work is done, so that what all use can be shared out among them."""

from contextvars import ContextVar
from typing import TypeAlias

Party: TypeAlias = str | None
"""The id of a team; None = the server itself."""

current_party: ContextVar[Party] = ContextVar("party", default=None)
"""Set where a call is let in; tasks that the call starts have it too."""
