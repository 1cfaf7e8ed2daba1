"""One slot between two threads, in which the newest wins: so nothing waits behind what is old."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Holds the last thing that was put and not yet taken.

    dropped: how many were put and never taken, because a newer one came.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._item: T | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: T) -> None:
        """Leave an item; one that still waits is dropped."""
        with self._changed:
            if self._item is not None:
                self.dropped += 1
            self._item = item
            self._changed.notify()

    def take(self, seconds: float) -> T | None:
        """The newest item; None where none comes in so many seconds, or the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, seconds)
            item, self._item = self._item, None
            return None if self._closed else item

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Wake whoever waits; nothing is given out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
