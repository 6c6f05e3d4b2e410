"""Groups of an aggregation, and reductions over them: all groups and steps at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from query.promql.ast import Aggregation
from query.promql.kernels.call import Bools, Floats, Ints
from query.promql.labelsets import kept, left, numbered
from query.promql.series import Labels


@dataclass(frozen=True, slots=True)
class Groups:
    """Which series belong together.

    Attributes:
        numbers: int64 [S], group of each series.
        labels: of the G groups.
    """

    numbers: Ints
    labels: list[Labels]

    @classmethod
    def of(cls, expr: Aggregation, labels: list[Labels]) -> "Groups":
        """The groups that ``by`` or ``without`` makes."""
        cut = left if expr.without else kept
        names = frozenset(expr.grouping)
        numbers, keys = numbered([cut(own, names) for own in labels])
        return cls(np.array(numbers, np.int64), keys)

    def __len__(self) -> int:
        return len(self.labels)

    def members(self) -> Iterator[Ints]:
        """The rows of each group."""
        order = np.argsort(self.numbers, kind="stable")
        ends = np.cumsum(np.bincount(self.numbers, minlength=len(self)))
        for number, end in enumerate(ends.tolist()):
            yield order[ends[number - 1] if number else 0 : end]

    def rounds(self) -> Iterator[tuple[Ints, Ints]]:
        """Groups and one row of each, round by round: the first rows of all, then the second ones."""
        order = np.argsort(self.numbers, kind="stable")
        sizes = np.bincount(self.numbers, minlength=len(self))
        starts = np.cumsum(sizes) - sizes
        for turn in range(int(sizes.max(initial=0))):
            having = np.flatnonzero(sizes > turn)
            yield having, order[starts[having] + turn]

    def reduced(self, reduce: np.ufunc, values: npt.NDArray[Any], empty: float) -> npt.NDArray[Any]:
        """Of values [S, T] one row a group, made by the ufunc; ``empty`` for groups without a row."""
        order = np.argsort(self.numbers, kind="stable")
        sizes = np.bincount(self.numbers, minlength=len(self))
        found: npt.NDArray[Any] = np.full((len(self), values.shape[1]), empty, values.dtype)
        filled = np.flatnonzero(sizes)
        if len(filled):
            found[filled] = reduce.reduceat(values[order], (np.cumsum(sizes) - sizes)[filled], axis=0)
        return found

    def counts(self, present: Bools) -> Ints:
        """Int64 [G, T]: elements present."""
        if present.all():
            sizes = np.bincount(self.numbers, minlength=len(self))
            return np.repeat(sizes[:, None], present.shape[1], axis=1)
        return self.reduced(np.add, present.astype(np.int64), 0)


def total(groups: Groups, values: Floats, present: Bools) -> tuple[Floats, Floats]:
    """Sums [G, T] and what rounding lost of them (Neumaier): the exact sum is nearer to both together."""
    filled = values if present.all() else np.where(present, values, 0.0)
    shape = (len(groups), values.shape[1])
    sums, lost = np.zeros(shape), np.zeros(shape)
    with np.errstate(all="ignore"):
        for numbers, rows in groups.rounds():
            if len(numbers) == len(groups):
                _add(sums, lost, filled[rows])
            else:
                some, rest = sums[numbers], lost[numbers]
                _add(some, rest, filled[rows])
                sums[numbers], lost[numbers] = some, rest
    lost[~np.isfinite(lost)] = 0.0  # of what is infinite nothing is lost
    return sums, lost


def _add(sums: Floats, lost: Floats, values: Floats) -> None:
    """Add in place; what rounding lost is exact as long as nothing overflows (Knuth's TwoSum)."""
    after = sums + values
    added = after - sums
    values -= added
    np.subtract(after, added, out=added)
    sums -= added
    sums += values
    lost += sums
    sums[:] = after


_SCALE = 2.0**-60
"""Exact for all that may overflow in a sum."""


def mean(groups: Groups, values: Floats, present: Bools) -> Floats:
    """Means [G, T]; large values may not overflow on the way."""
    counts = np.maximum(groups.counts(present), 1)
    sums, lost = total(groups, values, present)
    with np.errstate(all="ignore"):
        found = sums / counts + lost / counts
        if not (overflown := np.isinf(sums)).any():
            return found
        endless = groups.counts(present & np.isinf(values)) > 0
        scaled, rest = total(groups, values * _SCALE, present)
        return np.where(overflown & ~endless, (scaled / counts + rest / counts) / _SCALE, found)


def extreme(groups: Groups, values: Floats, present: Bools, *, largest: bool) -> Floats:
    """Minimum or maximum [G, T]; NaN only where there is nothing else."""
    return groups.reduced(np.fmax if largest else np.fmin, np.where(present, values, np.nan), np.nan)


def variance(groups: Groups, values: Floats, present: Bools) -> Floats:
    """Population variance [G, T]."""
    counts = np.maximum(groups.counts(present), 1)
    with np.errstate(all="ignore"):
        away = values - mean(groups, values, present)[groups.numbers]
        sums, lost = total(groups, away * away, present)
        return (sums + lost) / counts


def quantile(groups: Groups, values: Floats, present: Bools, level: Floats) -> Floats:
    """Quantile [G, T] at ``level`` (float64 [T]), between neighbours; NaN sorts first."""
    found = np.full((len(groups), values.shape[1]), np.nan)
    for number, rows in enumerate(groups.members()):
        if len(rows):
            found[number] = _quantile(values[rows], present[rows], level)
    return found


def _quantile(values: Floats, present: Bools, level: Floats) -> Floats:
    size = present.sum(axis=0)
    unknown = present & np.isnan(values)
    keys = np.where(present, np.where(unknown, -np.inf, values), np.inf)
    absent_last = np.lexsort((keys, np.where(present, np.where(unknown, 0, 1), 2)), axis=0)
    ordered = np.take_along_axis(values, absent_last, axis=0)
    with np.errstate(all="ignore"):
        rank = level * (size - 1)
        low = np.clip(np.nan_to_num(np.floor(rank)), 0, np.maximum(size - 1, 0)).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(size - 1, 0))
        weight = rank - np.floor(rank)
        columns = np.arange(values.shape[1])
        between = ordered[low, columns] * (1 - weight) + ordered[high, columns] * weight
    between = np.where(np.isnan(level), np.nan, between)
    return np.where(level < 0, -np.inf, np.where(level > 1, np.inf, between))
