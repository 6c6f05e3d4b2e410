"""Exponential histograms as the columns of remote write's native histograms.

OpenTelemetry's bucket ``i`` of scale ``s`` is ``(2**(i/2**s), 2**((i+1)/2**s)]``, which is Prometheus' bucket
``i + 1`` of schema ``s``. A scale above 8 is merged down, as Prometheus does; below -4 there is no schema.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.wire.otlp.buffers import offsets_of, owners_of

HIGHEST_SCHEMA = 8
ZERO_THRESHOLD = 1e-128
"""Width of the zero bucket where the sender tells none."""

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


def histograms(points: pa.StructArray, times: Ints, starts: Ints, stale: Floats) -> pa.StructArray:
    """Columns as ``vigla.wire.remote_write.requests.Requests`` has them.

    Args:
        points: ``ExponentialHistogramDataPoint``.
        times: int64 [N], milliseconds.
        starts: the same; 0 where none is told.
        stale: float64 [N], the stale marker where the point tells that there is no value, else 0.
    """
    scale = points.field("scale").to_numpy().astype(np.int64)
    thresholds = points.field("zero_threshold").to_numpy()
    ended = np.isnan(stale)
    sums = points.field("sum").fill_null(float("nan")).to_numpy()
    count = len(points)
    columns = {
        "count_int": pa.nulls(count, pa.uint64()),
        "count_float": points.field("count").cast(pa.float64(), safe=False),
        "sum": pa.array(_chosen(ended, stale, sums)),
        "schema": pa.array(np.minimum(scale, HIGHEST_SCHEMA).astype(np.int32)),
        "zero_threshold": pa.array(np.where(thresholds > 0, thresholds, ZERO_THRESHOLD)),
        "zero_count_int": pa.nulls(count, pa.uint64()),
        "zero_count_float": points.field("zero_count").cast(pa.float64(), safe=False),
        "reset_hint": pa.array(np.zeros(count, np.int32)),
        "timestamp": pa.array(times),
        "start_timestamp": pa.array(starts),
        "custom_values": _none(count, pa.float64()),
    }
    for side in ("positive", "negative"):
        spans, counts = _buckets(points.field(side), np.maximum(scale - HIGHEST_SCHEMA, 0))
        columns |= {f"{side}_spans": spans, f"{side}_counts": counts}
        columns[f"{side}_deltas"] = _none(count, pa.int64())
    return pa.StructArray.from_arrays(list(columns.values()), list(columns))


def _chosen(where: npt.NDArray[np.bool_], ended: Floats, sums: Floats) -> Floats:
    """By their bits: arithmetic would change a stale marker."""
    bits = np.where(where, ended.view(np.int64), sums.view(np.int64))
    return bits.view(np.float64)


def _buckets(side: pa.StructArray, shift: Ints) -> tuple[pa.ListArray, pa.ListArray]:
    """One span for each point with buckets, and its counts, merged by ``2**shift``."""
    lists = side.field("bucket_counts")
    first = side.field("offset").to_numpy().astype(np.int64)
    sizes = np.diff(offsets_of(lists)).astype(np.int64)
    low = first >> shift
    made = np.where(sizes > 0, ((first + sizes - 1) >> shift) - low + 1, 0)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(made)))
    owners = owners_of(lists)
    inner = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = starts[owners] + ((first[owners] + inner) >> shift[owners]) - low[owners]
    counts = np.bincount(places, lists.flatten().to_numpy().astype(np.float64), minlength=int(starts[-1]))
    filled = sizes > 0
    spans = pa.StructArray.from_arrays(
        [pa.array((low[filled] + 1).astype(np.int32)), pa.array(made[filled].astype(np.uint32))],
        ["offset", "length"],
    )
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(filled))).astype(np.int32)
    return (
        pa.ListArray.from_arrays(pa.array(ends), spans),
        pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), pa.array(counts.astype(np.float64))),
    )


def _none(count: int, kind: pa.DataType) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], kind))
