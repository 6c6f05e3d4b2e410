"""Time as an argument, so that logic never reads the wall clock itself."""

import time
from typing import Protocol


class Clock(Protocol):
    """Source of time. ``now_ns`` may jump with the wall clock; ``monotonic`` never goes back."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; only differences mean something."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds since an arbitrary point."""
        return time.monotonic()


class FakeClock:
    """A clock that moves when told to."""

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now_ns = now_ns
        self._monotonic = 0.0

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch as last set."""
        return self._now_ns

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both times forward."""
        self._now_ns += int(seconds * 1e9)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move only the wall clock, in either direction, as NTP or an operator does."""
        self._now_ns += int(seconds * 1e9)
