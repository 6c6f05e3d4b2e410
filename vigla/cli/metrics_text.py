"""Series and their values as text of a terminal."""

import math
from collections.abc import Mapping, Sequence

from query.promql.gotext import quote

LEVELS = "▁▂▃▄▅▆▇█"
GAP = " "
WIDTH = 60


def selector(labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it: ``up{job="a"}``."""
    pairs = [f"{name}={quote(value)}" for name, value in sorted(labels.items()) if name != "__name__"]
    name = labels.get("__name__", "")
    return f"{name}{{{', '.join(pairs)}}}" if pairs or not name else name


def number(value: float) -> str:
    """A value in at most six digits."""
    return f"{value:.6g}"


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A line of blocks, the lowest value at the bottom; of several values in one place the greatest shows."""
    columns = min(width, len(values))
    groups = [values[len(values) * n // columns : len(values) * (n + 1) // columns] for n in range(columns)]
    tops = [max((value for value in group if math.isfinite(value)), default=math.nan) for group in groups]
    known = [value for value in tops if not math.isnan(value)]
    if not known:
        return GAP * columns
    low, span = min(known), max(known) - min(known)
    return "".join(GAP if math.isnan(top) else _block((top - low) / span if span else 0.0) for top in tops)


def _block(height: float) -> str:
    return LEVELS[min(int(height * len(LEVELS)), len(LEVELS) - 1)]
