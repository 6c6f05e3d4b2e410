"""Classic histograms: ``le`` buckets of many groups of series over all steps at once."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from query.promql.histograms.layout import Bools, Floats, Rows
from query.promql.matrix import Matrix
from query.promql.series import Labels

BUCKET_LABEL = "le"
TOLERANCE = 1e-12
"""Relative difference of two counts that is taken for an error of floating point."""

_NUMBER = re.compile(
    r"[-+]?(?:inf|infinity|nan|0x[0-9a-f.]+p[-+]?\d+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Group:
    """Bucket series that differ in ``le`` only.

    Attributes:
        labels: without ``le``.
        bounds: upper bounds, ascending; equal ones are possible.
        rows: row of each bucket in the vector.
    """

    labels: Labels
    bounds: tuple[float, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Block:
    """Buckets of G groups over T steps, all present.

    Attributes:
        groups: indices of the groups, [G].
        columns: steps, [T].
        bounds: distinct upper bounds, ascending, [B].
        counts: cumulative counts, float64 [B, G, T]; owned by the block.
    """

    groups: Rows
    columns: Rows
    bounds: Floats
    counts: Floats


@dataclass(slots=True)
class Grouping:
    """Groups of a vector, and the rows whose ``le`` is no number."""

    groups: list[Group] = field(default_factory=list)
    malformed: list[int] = field(default_factory=list)


def parse_bound(text: str) -> float | None:
    """The number in an ``le`` label as Go reads it; None when it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    return float.fromhex(text) if "x" in text.lower() else float(text)


def group_buckets(vector: Matrix, classic: Bools) -> Grouping:
    """Group the series that have a float at some step; ``classic`` [S, T] says where."""
    grouping = Grouping()
    members: defaultdict[Labels, list[tuple[float, int]]] = defaultdict(list)
    for row in np.flatnonzero(classic.any(axis=1)).tolist():
        labels = vector.labels[row]
        text = next((value for name, value in labels if name == BUCKET_LABEL), "")
        bound = parse_bound(text)
        if bound is None:
            grouping.malformed.append(row)
            continue
        members[tuple(pair for pair in labels if pair[0] != BUCKET_LABEL)].append((bound, row))
    for key, buckets in members.items():
        buckets.sort()
        bounds = tuple(bound for bound, _ in buckets)
        grouping.groups.append(Group(key, bounds, np.array([row for _, row in buckets], np.intp)))
    return grouping


def blocks(groups: list[Group], values: Floats, classic: Bools) -> Iterator[Block]:
    """Cut the groups into blocks: of equal bounds together, those that lack buckets at some steps alone."""
    whole: defaultdict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        there = classic[group.rows]
        if (there == there[0]).all():
            whole[group.bounds].append(index)
        else:
            yield from _partial_blocks(index, group, values, there)
    for bounds, indices in whole.items():
        rows = np.stack([groups[index].rows for index in indices])
        there = classic[rows.T]
        columns = np.flatnonzero(there[0].any(axis=0))
        counts = values[rows.T][..., columns]
        counts[~there[..., columns]] = 0.0
        yield _block(np.array(indices, np.intp), columns, bounds, counts)


def _partial_blocks(index: int, group: Group, values: Floats, there: Bools) -> Iterator[Block]:
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        buckets = np.flatnonzero(patterns[:, number])
        if not len(buckets):
            continue
        columns = np.flatnonzero(which == number)
        counts = values[np.ix_(group.rows[buckets], columns)][:, None, :]
        bounds = tuple(group.bounds[bucket] for bucket in buckets)
        yield _block(np.array([index], np.intp), columns, bounds, counts)


def _block(groups: Rows, columns: Rows, bounds: tuple[float, ...], counts: Floats) -> Block:
    distinct, starts = np.unique(np.array(bounds), return_index=True)
    if len(distinct) < len(bounds):
        counts = np.add.reduceat(counts, starts, axis=0)
    return Block(groups, columns, distinct, counts)


def make_monotonic(counts: Floats) -> Bools:
    """Raise decreasing counts in place to the one before; differences within ``TOLERANCE`` are levelled.

    Returns:
        bool [G]: groups in which a decrease was no matter of precision.
    """
    forced = np.zeros(counts.shape[1], bool)
    previous = counts[0]
    for current in counts[1:]:
        difference = current - previous
        near = np.abs(difference) < TOLERANCE * (np.abs(current) + np.abs(previous))
        lower = difference < 0
        if not (near.any() or lower.any()):
            previous = current
            continue
        forced |= (lower & ~near).any(axis=1)
        np.copyto(current, previous, where=near | lower)
        previous = current
    return forced


def quantiles(phi: Floats, block: Block) -> tuple[Floats, Bools]:
    """Quantile ``phi`` [T] of each group and step, [G, T], and where counts were forced monotonic, [G].

    The counts of the block are changed.
    """
    shape = block.counts.shape[1:]
    size = len(block.bounds)
    unusable = np.isnan(phi) | (phi < 0) | (phi > 1)
    if not np.isposinf(block.bounds[-1]) or size < 2:  # noqa: PLR2004  a bound beside +Inf
        result = np.full(shape, np.nan)
        forced = np.zeros(shape[0], bool)
    else:
        with np.errstate(all="ignore"):
            forced = make_monotonic(block.counts)
            result = _interpolated_quantiles(phi, block)
    outside = np.where(np.isnan(phi), np.nan, np.copysign(np.inf, phi))
    return np.where(unusable, outside, result), forced


def _interpolated_quantiles(phi: Floats, block: Block) -> Floats:
    bounds, counts = block.bounds, block.counts
    last = len(bounds) - 1
    total = counts[last]
    rank = phi * total
    index = np.zeros(total.shape, np.intp)
    for column in counts[:last]:
        index += column < rank
    starts = np.concatenate(([0.0], bounds[:-1]))
    low = starts[index]
    reached = np.take_along_axis(counts, index[None], axis=0)[0]
    before = np.take_along_axis(counts, np.maximum(index - 1, 0)[None], axis=0)[0]
    before[index == 0] = 0.0
    result = low + (bounds[index] - low) * ((rank - before) / (reached - before))
    if bounds[0] <= 0:
        result[index == 0] = bounds[0]
    result[index == last] = bounds[last - 1]
    result[total == 0] = np.nan
    return np.asarray(result, np.float64)


def fractions(lower: Floats, upper: Floats, block: Block) -> Floats:
    """Share of observations between ``lower`` and ``upper`` [T] of each group and step, [G, T]."""
    total = block.counts[-1]
    if not np.isposinf(block.bounds[-1]):
        return np.full(total.shape, np.nan)
    with np.errstate(all="ignore"):
        shares = (_ranks(upper, block) - _ranks(lower, block)) / total
    shares[:, lower >= upper] = 0.0
    shares[:, np.isnan(lower) | np.isnan(upper)] = np.nan
    shares[total == 0] = np.nan
    return np.asarray(shares, np.float64)


def _ranks(values: Floats, block: Block) -> Floats:
    """How many observations are assumed below ``values`` [T], [G, T]."""
    bounds, counts = block.bounds, block.counts
    index = np.minimum(np.searchsorted(bounds, values, side="right"), len(bounds) - 1)
    steps = np.arange(len(values))
    reached = counts[index, :, steps].T
    before = np.where(index == 0, 0.0, counts[np.maximum(index - 1, 0), :, steps].T)
    first = 0.0 if bounds[0] > 0 else -np.inf
    low = np.concatenate(([first], bounds[:-1]))[index]
    share = np.where(np.isneginf(low), 1.0, (values - low) / (bounds[index] - low))
    share = np.where(values > low, share, 0.0)
    share[np.isposinf(values)] = 1.0
    return np.asarray(np.minimum(before + (reached - before) * share, counts[-1]), np.float64)
