"""Wakes those who watch. It carries no data: what happened is read from the log, so nothing can be lost.

A watcher clears its signal, reads everything after its cursor, and only then sleeps; the writer wakes the
hub after each commit. A wake that comes while the watcher reads leaves the signal set.
"""

import asyncio
from collections.abc import Iterable
from typing import TypeAlias

Topic: TypeAlias = int | str
"""What can be watched: a job, by its row, or all jobs of a team, by its name."""


class Signal:
    """One watcher's alarm: set by a commit to what it watches, by the ticker when `due` has come, or by a shutdown."""

    __slots__ = ("_loop", "_set", "_waiter", "due", "topic")

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.due = float("inf")
        self._loop = asyncio.get_running_loop()
        self._set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Wakes the watcher, now or as soon as it waits."""
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """To be called before the log is read, never after."""
        self._set = False

    def wait(self, due: float) -> asyncio.Future[None]:
        """To be awaited: it is over when set, and the ticker sets it once the monotonic time `due` has come."""
        waiter = self._loop.create_future()
        if self._set:
            waiter.set_result(None)
        else:
            self.due, self._waiter = due, waiter
        return waiter


class Hub:
    """All signals, by what they watch."""

    def __init__(self) -> None:
        self._signals: dict[Topic, set[Signal]] = {}
        self._generations: dict[Topic, int] = {}
        self._newest_generation = 0
        self.draining = False

    def __len__(self) -> int:
        return sum(len(signals) for signals in self._signals.values())

    def subscribe(self, topic: Topic) -> Signal:
        signal = Signal(topic)
        if topic not in self._signals:
            self._signals[topic] = set()
            # Nobody counted the commits while nobody watched: a read that began before then must not pass
            # for a new one.
            self._advance(topic)
        self._signals[topic].add(signal)
        return signal

    def unsubscribe(self, signal: Signal) -> None:
        """Forgets the signal; the last one of a topic takes all traces of the topic with it."""
        signals = self._signals.get(signal.topic)
        if signals is not None:
            signals.discard(signal)
            if not signals:
                del self._signals[signal.topic]
                self._generations.pop(signal.topic, None)

    def generation(self, topic: Topic) -> int:
        """Rises with every wake of what is watched, and when its first watcher comes; never comes back.

        A read that began under the same number saw all commits that anybody was told of so far.
        """
        return self._generations.get(topic, 0)

    def _advance(self, topic: Topic) -> None:
        self._newest_generation += 1
        self._generations[topic] = self._newest_generation

    def wake(self, topics: Iterable[Topic]) -> None:
        """Called by the writer after a commit that touched these."""
        for topic in topics:
            signals = self._signals.get(topic)
            if signals:
                self._advance(topic)
                for signal in signals:
                    signal.set()

    def is_watched(self, topic: Topic) -> bool:
        return topic in self._signals

    def tick(self, now: float) -> None:
        """Wakes those whose time has come: one timer for ten thousand watchers, called about once a second."""
        for signals in self._signals.values():
            for signal in signals:
                if signal.due <= now:
                    signal.set()

    def drain(self) -> None:
        """Wakes everyone for the last time: the server is going away."""
        self.draining = True
        for signals in self._signals.values():
            for signal in signals:
                signal.set()
