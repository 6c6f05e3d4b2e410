"""Rows of the table ``histograms`` as the engine's histograms."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from query.promql.histogram import Buckets, Histogram, ResetHint
from query.promql.histograms.wire import from_spans

_HINTS: tuple[ResetHint, ...] = ("unknown", "reset", "not_reset", "gauge")


def histograms_of(rows: pa.Table) -> npt.NDArray[np.object_]:
    """One histogram a row."""
    sums = rows.column("sum").to_numpy()  # a stale marker's bits would not survive Python's own floats
    found: npt.NDArray[np.object_] = np.empty(rows.num_rows, np.object_)
    for place, row in enumerate(rows.drop_columns("sum").to_pylist()):
        found[place] = _histogram(row, sums[place])
    return found


def _histogram(row: dict[str, Any], total: float) -> Histogram:
    hint = row["hint"] or 0
    return Histogram(
        schema=row["schema"],
        zero_threshold=row["zero_threshold"] or 0.0,
        zero_count=row["zero_count"] or 0.0,
        count=row["count"],
        sum=total,
        positive=_buckets(row, "positive"),
        negative=_buckets(row, "negative"),
        bounds=tuple(row["custom"] or ()),
        hint=_HINTS[hint] if 0 <= hint < len(_HINTS) else "unknown",
    )


def _buckets(row: dict[str, Any], side: str) -> Buckets:
    """Bounded dense buckets; the collector refuses rows that ``from_spans`` would."""
    flat = row[f"{side}_spans"] or ()
    return from_spans(
        row["schema"], list(zip(flat[::2], flat[1::2], strict=True)), row[f"{side}_counts"] or ()
    )
