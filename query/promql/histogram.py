"""Native histograms: the buckets of one sample (Prometheus' native histogram specification)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

ResetHint = Literal["unknown", "reset", "not_reset", "gauge"]
CUSTOM_BUCKETS = -53
"""Schema number of histograms with explicit bounds (NHCB)."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Consecutive buckets; bucket ``first + i`` holds ``counts[i]``.

    Schema ``s`` bounds bucket ``n`` of the positive side by ``(2**((n-1) * 2**-s), 2**(n * 2**-s)]``;
    with custom bounds it is ``(bound[n-1], bound[n]]``.
    """

    first: int
    counts: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram sample, counts as floats.

    Attributes:
        schema: -4 to 8, or ``CUSTOM_BUCKETS``.
        zero_threshold, zero_count: width and count of the bucket around zero.
        count, sum: of all observations; a ``sum`` with ``STALE_BITS`` marks the end of the series.
        positive, negative: buckets; ``negative`` is empty with custom bounds.
        bounds: upper bounds with ``CUSTOM_BUCKETS``, ascending, without +Inf; else empty.
    """

    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    sum: float
    positive: Buckets
    negative: Buckets
    bounds: tuple[float, ...] = ()
    hint: ResetHint = "unknown"


NO_HISTOGRAM = np.array(None, dtype=object)
"""None for NumPy's functions, which take arrays."""


def filled(histograms: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Where an array of histograms has one."""
    there: npt.NDArray[np.bool_] = np.not_equal(histograms, NO_HISTOGRAM).astype(np.bool_)
    return there
