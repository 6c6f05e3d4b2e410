"""When to act on events that come in bursts."""

from dataclasses import dataclass


@dataclass(slots=True)
class Debounce:
    """Due when it was quiet for ``quiet_s``, at the latest ``limit_s`` after the first event."""

    quiet_s: float
    limit_s: float
    first: float | None = None
    last: float = 0.0

    def event(self, now: float) -> None:
        """Something happened at ``now`` (monotonic seconds)."""
        self.first = now if self.first is None else self.first
        self.last = now

    def remaining(self, now: float) -> float | None:
        """Seconds until it is due; ``None``: nothing happened."""
        if self.first is None:
            return None
        return max(0.0, min(self.last + self.quiet_s, self.first + self.limit_s) - now)

    def take(self, now: float) -> float | None:
        """If it is due: the time of the first event; starts anew."""
        first = self.first
        if first is None or self.remaining(now):
            return None
        self.first = None
        return first
