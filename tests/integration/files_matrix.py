"""What AddFiles and RemoveFiles answer for a file in each state that it may have in a job; docs are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fate:
    """One state of a file. The outcomes are those of the contract, one for each time that the call names the file.

    `atomic` is what AddFiles answers without allow_partial: outcomes too, or the reason with which it is refused as
    a whole. `removed` is what RemoveFiles answers, which never refuses a call for one of its ids; `then` is what
    becomes of the file's record.
    """

    state: str
    atomic: str
    partial: str
    removed: str
    then: str


FATES: Sequence[Fate] = (
    Fate("new to the job", "ADDED", "ADDED", "NOT_FOUND", "–"),
    Fate("queued", "ALREADY_PRESENT", "ALREADY_PRESENT", "REMOVED", "CANCELLED and removed; it leaves the queue"),
    Fate(
        "running",
        "ALREADY_PRESENT",
        "ALREADY_PRESENT",
        "REMOVED",
        "CANCELLED and removed; its conversion is killed, a late result changes nothing",
    ),
    Fate("completed", "ALREADY_PRESENT", "ALREADY_PRESENT", "REMOVED", "COMPLETED and removed"),
    Fate(
        "failed",
        "ALREADY_PRESENT",
        "ALREADY_PRESENT",
        "REMOVED",
        "FAILED and removed, so resolved; RetryFiles would try it again",
    ),
    Fate(
        "cancelled",
        "ALREADY_PRESENT",
        "ALREADY_PRESENT",
        "REMOVED",
        "CANCELLED and removed, so resolved; RetryFiles would try it again",
    ),
    Fate("removed", "ADDED", "ADDED", "ALREADY_REMOVED", "as it was; adding the file makes a new record"),
    Fate("another team's", "FILE_NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "–"),
    Fate(
        "twice in the call", "ADDED, ALREADY_PRESENT", "ADDED, ALREADY_PRESENT", "REMOVED, ALREADY_REMOVED", "as above"
    ),
)
