"""Quantiles of many native histograms of a series, those of one bucket layout together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from query.promql.histogram import Histogram
from query.promql.histograms.layout import Bools, Floats, Rows, exponential_bounds, is_custom, stacked
from query.promql.histograms.notes import Site

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Table:
    """Buckets of N histograms of one layout, ascending.

    Attributes:
        lower, upper: bounds of the B buckets; the first custom bucket starts at -Inf.
        counts: float64 [N, B].
        zero: column of the zero bucket; -1 with custom bounds.
        count, sum: of all observations, float64 [N].
        one_sided: int [N], 1 where only positive buckets are given, -1 where only negative ones, else 0.
    """

    lower: Floats
    upper: Floats
    counts: Floats
    zero: int
    count: Floats
    sum: Floats
    one_sided: Rows


def table_of(histograms: Sequence[Histogram]) -> Table:
    """Table of histograms that agree in schema, zero threshold and custom bounds."""
    layout = histograms[0]
    count = np.array([histogram.count for histogram in histograms])
    total = np.array([histogram.sum for histogram in histograms])
    first, positive = stacked([histogram.positive for histogram in histograms])
    width = positive.shape[1]
    if is_custom(layout):
        edges = np.array([-np.inf, *layout.bounds, np.inf])[first : first + width + 1]
        balanced = np.zeros(len(histograms), np.intp)
        return Table(edges[:-1], edges[1:], positive, -1, count, total, balanced)
    inner, negative = stacked([histogram.negative for histogram in histograms])
    above = exponential_bounds(layout.schema, first - 1, first + width - 1)
    below = -exponential_bounds(layout.schema, inner - 1, inner + negative.shape[1] - 1)[::-1]
    zero = np.array([[histogram.zero_count] for histogram in histograms])
    sided = [
        bool(len(histogram.positive.counts)) - bool(len(histogram.negative.counts))
        for histogram in histograms
    ]
    return Table(
        np.concatenate((below[:-1], [-layout.zero_threshold], above[:-1])),
        np.concatenate((below[1:], [layout.zero_threshold], above[1:])),
        np.hstack((negative[:, ::-1], zero, positive)),
        negative.shape[1],
        count,
        total,
        np.array(sided, np.intp),
    )


def quantiles(phi: Floats, histograms: Sequence[Histogram], site: Site) -> Floats:
    """For each histogram the value below which the share ``phi`` of its observations is; NaN without any.

    Args:
        phi: float64 [N]; outside of 0 to 1 the result is infinite.
        histograms: N.
        site: the function's argument.
    """
    result = np.empty(len(histograms))
    alike: defaultdict[tuple[int, float, tuple[float, ...]], list[int]] = defaultdict(list)
    for index, histogram in enumerate(histograms):
        alike[histogram.schema, histogram.zero_threshold, histogram.bounds].append(index)
    for indices in alike.values():
        table = table_of([histograms[index] for index in indices])
        with np.errstate(all="ignore"):
            result[indices] = _table_quantiles(phi[indices], table, site)
    return result


def _table_quantiles(phi: Floats, table: Table, site: Site) -> Floats:
    usable = (phi >= 0) & (phi <= 1) & (table.count != 0)
    # NaN is counted but in no bucket, so its share can be found from below only.
    has_nan = np.isnan(table.sum)
    forward = has_nan | (phi < MIDDLE)
    rank = np.where(forward, phi, 1 - phi) * table.count
    found, column, seen = _reached(table.counts, rank, forward)
    if (usable & has_nan & found).any():
        site.nan_observations("result is skewed higher")
    if (usable & has_nan & ~found).any():
        site.nan_observations("result is NaN")
    values = np.where(found, _values(table, column, seen, rank, forward), _beyond(table, column, has_nan))
    values[table.count == 0] = np.nan
    values[np.isnan(phi)] = np.nan
    values[phi < 0] = -np.inf
    values[phi > 1] = np.inf
    return values


def _reached(counts: Floats, rank: Floats, forward: Bools) -> tuple[Bools, Rows, Floats]:
    """Whether the rank is reached, in which column, and the counts up to there.

    Where it is not reached, the column is the last filled one in walking order, -1 without any.
    """
    size = counts.shape[1]
    if not size:
        nothing = np.zeros(len(counts), bool)
        return nothing, np.full(len(counts), -1, np.intp), np.zeros(len(counts))
    ordered = np.where(forward[:, None], counts, counts[:, ::-1])
    filled = ordered != 0
    sums = np.cumsum(ordered, axis=1)
    reached = filled & (sums >= rank[:, None])
    found = reached.any(axis=1)
    last = size - 1 - np.argmax(filled[:, ::-1], axis=1)
    place = np.where(found, np.argmax(reached, axis=1), last)
    seen = np.take_along_axis(sums, place[:, None], axis=1)[:, 0]
    column = np.where(forward, place, size - 1 - place)
    return found, np.where(filled.any(axis=1), column, -1), seen


def _beyond(table: Table, column: Rows, has_nan: Bools) -> Floats:
    """Results where the buckets hold fewer observations than the rank."""
    upper = np.append(table.upper, 0.0)[column]
    return np.where(has_nan, np.nan, upper)


def _values(table: Table, column: Rows, seen: Floats, rank: Floats, forward: Bools) -> Floats:
    """Interpolate within the reached bucket: evenly in zero and custom buckets, else over the logarithm."""
    lower, upper = np.append(table.lower, 0.0)[column], np.append(table.upper, 0.0)[column]
    count = np.append(table.counts, np.zeros((len(column), 1)), axis=1)[np.arange(len(column)), column]
    seen = np.minimum(seen, table.count)
    share = np.where(forward, rank - (seen - count), seen - rank) / count
    if table.zero < 0:
        start = np.where(np.isneginf(lower) & (upper > 0), 0.0, lower)
        even = start + (upper - start) * share
        even = np.where(np.isposinf(upper), np.where(np.isneginf(lower), np.inf, lower), even)
        return np.asarray(np.where(np.isneginf(start), upper, even), np.float64)
    is_zero = column == table.zero
    lower = np.where(is_zero & (table.one_sided > 0), 0.0, lower)
    upper = np.where(is_zero & (table.one_sided < 0), 0.0, upper)
    low, high = np.log2(np.abs(lower)), np.log2(np.abs(upper))
    curved = np.where(
        lower > 0, np.exp2(low + (high - low) * share), -np.exp2(high + (low - high) * (1 - share))
    )
    return np.asarray(np.where(is_zero, lower + (upper - lower) * share, curved), np.float64)
