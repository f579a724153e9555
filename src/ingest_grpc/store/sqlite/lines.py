"""Who waits for the ledger: a line for each party, and all parties in turn."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from ingest_grpc.party import Party

T = TypeVar("T")


def _everybody(_party: Party) -> bool:
    return True


class Lines(Generic[T]):
    """First come, first served within a party; who was served goes to the end of the parties that wait."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Party, deque[T]] = OrderedDict()
        """Of those who wait, none empty, in the order of their turns."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, party: Party, item: T) -> None:
        """To the end of its party's line."""
        self._lines.setdefault(party, deque()).append(item)
        self._size += 1

    def take(self, may: Callable[[Party], bool] = _everybody) -> tuple[Party, T] | None:
        """The first one of the first party that may be served; None if nobody waits who may."""
        for party in self._lines:
            if may(party):
                break
        else:
            return None
        line = self._lines[party]
        item = line.popleft()
        self._size -= 1
        if line:
            self._lines.move_to_end(party)
        else:
            del self._lines[party]
        return party, item

    def put_back(self, items: Iterable[tuple[Party, T]], served: Iterable[Party]) -> None:
        """Undoes the last `take`s: who got nothing has the next turn. `served` are those who did, in their order."""
        for party, item in reversed(list(items)):
            self._lines.setdefault(party, deque()).appendleft(item)
            self._lines.move_to_end(party, last=False)
            self._size += 1
        for party in served:
            if party in self._lines:
                self._lines.move_to_end(party)
