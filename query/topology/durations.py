"""How long calls took: buckets of a histogram that add up over series, and their quantiles."""

import math
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Durations:
    """Rates of the calls of one edge.

    Attributes:
        buckets: calls a second that took at most so many ms, by the bound; cumulative as Prometheus' are.
        total_ms: ms of all calls, a second.
        count: calls a second.
    """

    buckets: defaultdict[float, float] = field(default_factory=lambda: defaultdict(float))
    total_ms: float = 0.0
    count: float = 0.0

    @property
    def calls(self) -> float:
        """Calls a second that the histogram has."""
        return max(self.buckets.get(math.inf, 0.0), self.count)

    def add(self, other: "Durations") -> None:
        """Add calls of other series, or of another edge."""
        for bound, rate in other.buckets.items():
            self.buckets[bound] += rate
        self.total_ms += other.total_ms
        self.count += other.count

    def mean(self) -> float | None:
        """Average in ms; None without calls."""
        return self.total_ms / self.count if self.count > 0 else None

    def quantile(self, share: float) -> float | None:
        """A quantile in ms by linear interpolation, as ``histogram_quantile``; None without calls."""
        bounds = sorted(self.buckets)
        total = self.buckets.get(math.inf, 0.0)
        if len(bounds) < 2 or total <= 0:  # noqa: PLR2004  (one bound besides infinity)
            return None
        rank, below, counted = share * total, 0.0, 0.0
        for bound in bounds:
            reached = max(self.buckets[bound], counted)
            if reached >= rank:
                if bound == math.inf:
                    return below
                width = bound - below
                return below + width * (rank - counted) / (reached - counted) if reached > counted else bound
            below, counted = bound, reached
        return below

    def shown(self, what: str) -> float | None:
        """``avg``, or the quantile of so many percent."""
        return self.mean() if what == "avg" else self.quantile(int(what) / 100)
