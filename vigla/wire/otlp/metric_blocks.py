"""Data points of each kind as sets of labels with one sample each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vigla.prometheus.staleness import STALE_BITS
from vigla.wire.otlp import exponential, label_values
from vigla.wire.otlp.buffers import offsets_of, owners_of
from vigla.wire.otlp.label_rows import Ints, LabelRows, Texts, attributes, constant, joined
from vigla.wire.otlp.metric_names import Strategy

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NAME = "__name__"
NO_RECORDED_VALUE = 1
NS_PER_MS = 1_000_000
LATEST_NS = 9_200_000_000_000 * NS_PER_MS  # what the engine's nanoseconds can hold
MAX_EXEMPLAR_RUNES = 128


@dataclass(frozen=True, slots=True)
class Block:
    """S sets of labels with one sample each; float samples or native histograms.

    Attributes:
        labels: of owners 0 to S-1.
        points: int64 [S], the data point of each, for exemplars and temporality.
        times, starts: int64 [S], milliseconds; start 0 where none is told.
        values: float64 [S]; unused with ``histograms``.
        histograms: structs as in ``Requests``.
    """

    labels: LabelRows
    points: Ints
    times: Ints
    starts: Ints
    values: Floats
    histograms: pa.StructArray | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """P data points of one kind.

    Attributes:
        data: as sent.
        metrics: int64 [P], the metric of each.
        base: labels of each point but for its name.
        times, starts: int64 [P], milliseconds.
        ended: which tell that there is no value any more.
        named: codes of names: for a suffix those of all metrics.
    """

    data: pa.StructArray
    metrics: Ints
    base: LabelRows
    times: Ints
    starts: Ints
    ended: Mask
    named: Callable[[str], Ints]

    def block(self, points: Ints, suffix: str, values: Floats, extra: LabelRows | None = None) -> Block:
        """Sets of some points, a point as often as it is named, with one more label each."""
        owners = np.arange(len(points))
        base = self.base.of(points)
        if extra is not None and len(extra.owners):
            base = base.without(int(extra.names[0]), np.ones(len(points), bool))
        parts = [base, self.name_labels(owners, points, suffix), *([extra] if extra is not None else [])]
        bits = np.where(self.ended[points], np.int64(STALE_BITS), values.view(np.int64))
        return Block(joined(parts), points, self.times[points], self.starts[points], bits.view(np.float64))

    def name_labels(self, owners: Ints, points: Ints, suffix: str) -> LabelRows:
        """``__name__`` of each."""
        return constant(owners, self.name_code, self.named(suffix)[self.metrics[points]])

    @property
    def name_code(self) -> int:
        """``__name__`` is the first text after the empty one."""
        return 1


def milliseconds(nanoseconds: pa.Array) -> Ints:
    """Of unsigned nanoseconds; times past all calendars are moved to the latest one."""
    times: Ints = (np.minimum(nanoseconds.to_numpy(), LATEST_NS) // NS_PER_MS).astype(np.int64)
    return times


def number_values(points: pa.StructArray) -> Floats:
    """Of ``as_double`` or ``as_int``, one of which is there."""
    doubles, whole = points.field("as_double"), points.field("as_int")
    values: Floats = np.where(
        doubles.is_valid().to_numpy(zero_copy_only=False),
        doubles.fill_null(0.0).to_numpy(),
        whole.fill_null(0).to_numpy().astype(np.float64),
    )
    return values


def numbers(points: Points) -> list[Block]:
    """Gauges and sums."""
    return [points.block(np.arange(len(points.data)), "", number_values(points.data))]


def histograms(points: Points, texts: Texts) -> list[Block]:
    """``_bucket`` with ``le``, ``_sum`` where there is one, and ``_count``."""
    data = points.data
    every = np.arange(len(data))
    counts = data.field("count").to_numpy().astype(np.float64)
    summed = np.flatnonzero(data.field("sum").is_valid().to_numpy(zero_copy_only=False))
    sums = data.field("sum").fill_null(0.0).to_numpy()
    owners, bounds, cumulative = _buckets(data)
    le = texts.code("le")
    blocks = [
        points.block(every, "_count", counts),
        points.block(summed, "_sum", sums[summed]),
        points.block(
            owners,
            "_bucket",
            cumulative,
            constant(np.arange(len(owners)), le, _number_codes(bounds, texts)),
        ),
        points.block(
            every,
            "_bucket",
            counts,
            constant(every, le, np.full(len(every), texts.code("+Inf"), np.int64)),
        ),
    ]
    return [block for block in blocks if len(block.points)]


def _buckets(data: pa.StructArray) -> tuple[Ints, Floats, Floats]:
    """Point, upper bound and cumulative count of each bucket but the last, which is the count of all."""
    bounds, counts = data.field("explicit_bounds"), data.field("bucket_counts")
    widths = np.minimum(np.diff(offsets_of(bounds)), np.diff(offsets_of(counts))).astype(np.int64)
    inner = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
    owners = np.repeat(np.arange(len(data)), widths)
    first_bound, first_count = (
        (offsets_of(lists)[:-1] - offsets_of(lists)[0]).astype(np.int64) for lists in (bounds, counts)
    )
    # Unsigned, so that the differences are exact whatever the sum over all wraps to.
    sums = np.cumsum(np.append(np.uint64(0), counts.flatten().to_numpy().astype(np.uint64)), dtype=np.uint64)
    cumulative = (sums[first_count[owners] + inner + 1] - sums[first_count[owners]]).astype(np.float64)
    return owners, bounds.flatten().to_numpy()[first_bound[owners] + inner], cumulative


def _number_codes(values: Floats, texts: Texts) -> Ints:
    distinct, codes = np.unique(values, return_inverse=True)
    return texts.codes([label_values.plain(value) for value in distinct.tolist()])[codes]


def summaries(points: Points, texts: Texts) -> list[Block]:
    """``quantile`` series, ``_sum`` and ``_count``."""
    data = points.data
    every = np.arange(len(data))
    quantiles = data.field("quantile_values")
    owners = owners_of(quantiles)
    flat = quantiles.flatten()
    codes = _number_codes(flat.field("quantile").to_numpy(), texts)
    labels = constant(np.arange(len(owners)), texts.code("quantile"), codes)
    blocks = [
        points.block(every, "_count", data.field("count").to_numpy().astype(np.float64)),
        points.block(every, "_sum", data.field("sum").to_numpy()),
        points.block(owners, "", flat.field("value").to_numpy(), labels),
    ]
    return [block for block in blocks if len(block.points)]


def exponentials(points: Points) -> list[Block]:
    """Native histograms."""
    every = np.arange(len(points.data))
    zeros = np.zeros(len(every))
    block = points.block(every, "", zeros)
    native = exponential.histograms(points.data, block.times, block.starts, block.values)
    return [Block(block.labels, every, block.times, block.starts, zeros, native)]


@dataclass(frozen=True, slots=True)
class Exemplars:
    """E exemplars: the point of each, value, time, and labels of owners 0 to E-1."""

    points: Ints
    values: Floats
    times: Ints
    labels: LabelRows


def exemplars(lists: pa.ListArray, texts: Texts, strategy: Strategy) -> Exemplars:
    """Of points: labelled by trace, span and, where it is not too long, their filtered attributes."""
    flat = lists.flatten()
    owners = np.arange(len(flat))
    ids = [
        constant(owners, texts.code(name), _hex_codes(flat.field(name), texts))
        for name in ("trace_id", "span_id")
    ]
    more = attributes(flat.field("filtered_attributes"), texts, strategy)
    lengths = np.array([len(text.decode()) for text in texts.array().to_pylist()], np.int64)
    runes = np.bincount(more.owners, lengths[more.names] + lengths[more.values], minlength=len(flat))
    short = runes <= MAX_EXEMPLAR_RUNES - len("trace_id") - 32 - len("span_id") - 16
    kept = short[more.owners]
    more = LabelRows(more.owners[kept], more.names[kept], more.values[kept])
    return Exemplars(
        owners_of(lists),
        number_values(flat),
        milliseconds(flat.field("time_unix_nano")),
        joined([*ids, more]),
    )


def _hex_codes(ids: pa.BinaryArray, texts: Texts) -> Ints:
    return texts.codes([raw.hex() for raw in ids.to_pylist()])
