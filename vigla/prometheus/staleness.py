"""Prometheus' staleness marker: the sample that ends a series."""

import numpy as np

STALE_BITS = 0x7FF0000000000002
"""Bits of the float64 NaN."""

STALE = float(np.array(STALE_BITS, np.uint64).view(np.float64))
"""The NaN; its bits survive copying, not arithmetic."""
