"""Reading a blocking stream with a time limit per message, which gRPC itself does not offer."""

import threading
import time
from typing import Any

import grpc

from ingest_grpc.client.effects import Stream
from ingest_grpc.client.errors import stalled

THREAD_NAME = "ingest-grpc-watchdog"


class WatchedStream(Stream[Any]):
    """A blocking stream with a thread beside it that cancels the call when a message is overdue."""

    def __init__(self, call: Any) -> None:
        super().__init__(call)
        self._condition = threading.Condition()
        self._deadline: float | None = None
        self._ended = False
        self._overdue = False
        threading.Thread(target=self._watch, name=THREAD_NAME, daemon=True).start()

    def receive(self, timeout: float) -> Any:
        """The next message, None at the end. Raises UNAVAILABLE after `timeout` seconds, and grpc.RpcError."""
        self._set_deadline(time.monotonic() + timeout)
        try:
            return next(self.call, None)
        except grpc.RpcError:
            if self._overdue:
                raise stalled(timeout) from None
            raise
        finally:
            self._set_deadline(None)

    def cancel(self) -> None:
        """End the stream, and the thread with it."""
        super().cancel()
        with self._condition:
            self._ended = True
            self._condition.notify()

    def _set_deadline(self, deadline: float | None) -> None:
        with self._condition:
            self._deadline = deadline
            self._condition.notify()

    def _watch(self) -> None:
        with self._condition:
            while not self._ended:
                left = None if self._deadline is None else self._deadline - time.monotonic()
                if left is not None and left <= 0:
                    self._overdue = True
                    self.call.cancel()
                    return
                self._condition.wait(left)
